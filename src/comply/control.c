#include "comply/control.h"

#include <glib.h>
#include <string.h>

#define DISAGREEMENT 0.7

static const char *const names[CONTROL_STATES] = {
    [CONTROL_COMPLIANT] = "compliant",
    [CONTROL_PARTIAL] = "partial",
    [CONTROL_NON_COMPLIANT] = "non_compliant",
    [CONTROL_INCONCLUSIVE] = "inconclusive",
    [CONTROL_STALE] = "stale",
    [CONTROL_NO_EVIDENCE] = "no_evidence",
    [CONTROL_NOT_APPLICABLE] = "not_applicable",
    [CONTROL_MANUAL] = "manual",
    [CONTROL_EXCEPTION] = "exception",
};

const char *control_state_name(ControlState state) {
    return state < CONTROL_STATES ? names[state] : NULL;
}

bool control_state_from_name(const char *name, ControlState *state_out) {
    for (ControlState state = 0; state < CONTROL_STATES; state++) {
        if (g_strcmp0(names[state], name) == 0) {
            *state_out = state;
            return true;
        }
    }
    return false;
}

/* --- confidence ------------------------------------------------------------------------------- */

static bool same_evidence(const ControlInput *a, const ControlInput *b) {
    return strcmp(a->integration_id, b->integration_id) == 0 &&
           strcmp(a->evidence_type, b->evidence_type) == 0;
}

/* Share of its validity that evidence has left. */
static double freshness_of(const ControlInput *input, int64_t now_ms) {
    double validity = (double)(input->valid_until - input->collected_at);
    double left = (double)(input->valid_until - now_ms);
    return validity > 0 ? CLAMP(left / validity, 0.0, 1.0) : 0.0;
}

/* What one integration says, as bits: it has a pass, it has a fail. */
enum { SAYS_PASS = 1, SAYS_FAIL = 2 };

static unsigned says(const ControlInput *input) {
    if (!input->collected)
        return 0;
    if (input->verdict == VERDICT_FAIL)
        return SAYS_FAIL;
    return input->verdict == VERDICT_PASS ? SAYS_PASS : 0;
}

/* Two integrations disagree when one only passes and another fails. */
static double agreement_of(const ControlQuestion *question) {
    bool passes = false;
    bool fails = false;
    for (size_t i = 0; i < question->count;) {
        const char *integration = question->inputs[i].integration_id;
        unsigned word = 0;
        while (i < question->count && strcmp(question->inputs[i].integration_id, integration) == 0)
            word |= says(&question->inputs[i++]);
        passes = passes || word == SAYS_PASS;
        fails = fails || (word & SAYS_FAIL) != 0;
    }
    return passes && fails ? DISAGREEMENT : 1.0;
}

static void weigh_confidence(const ControlQuestion *question, ControlAnswer *answer) {
    size_t mapped = 0;
    size_t present = 0;
    double freshness = 0;
    double completeness = 0;
    for (size_t i = 0; i < question->count;) {
        const ControlInput *first = &question->inputs[i];
        const ControlInput *found = NULL;
        for (; i < question->count && same_evidence(first, &question->inputs[i]); i++)
            found = question->inputs[i].collected ? &question->inputs[i] : found;
        mapped++;
        if (found == NULL)
            continue;
        present++;
        freshness += freshness_of(found, question->now_ms);
        completeness += CLAMP(found->completeness, 0.0, 1.0);
    }
    if (present == 0)
        return;
    answer->parts.coverage = (double)present / (double)mapped;
    answer->parts.freshness = freshness / (double)present;
    answer->parts.completeness = completeness / (double)present;
    answer->parts.agreement = agreement_of(question);
    answer->confidence = answer->parts.coverage * answer->parts.freshness *
                         answer->parts.completeness * answer->parts.agreement;
}

/* --- state ------------------------------------------------------------------------------------ */

/* The table, for controls of which something was collected. */
static ControlState by_table(const ControlAnswer *answer) {
    size_t passes = answer->verdicts[VERDICT_PASS];
    size_t fails = answer->verdicts[VERDICT_FAIL];
    if (answer->verdicts[VERDICT_NOT_APPLICABLE] == answer->collected)
        return CONTROL_NOT_APPLICABLE;
    if (fails > 0)
        return passes > 0 ? CONTROL_PARTIAL : CONTROL_NON_COMPLIANT;
    return answer->verdicts[VERDICT_COULD_NOT_READ] > 0 ? CONTROL_INCONCLUSIVE : CONTROL_COMPLIANT;
}

static bool is_stale(const ControlQuestion *question) {
    for (size_t i = 0; i < question->count; i++) {
        const ControlInput *input = &question->inputs[i];
        if (input->collected && input->valid_until <= question->now_ms)
            return true;
    }
    return false;
}

static void count_verdicts(const ControlQuestion *question, ControlAnswer *answer) {
    for (size_t i = 0; i < question->count; i++) {
        const ControlInput *input = &question->inputs[i];
        if (!input->collected)
            continue;
        answer->collected++;
        answer->verdicts[input->verdict]++;
    }
}

/* The state of a control that nobody excepted. */
static void judge_plainly(const ControlQuestion *question, ControlAnswer *answer) {
    if (question->count == 0 && !question->served) {
        answer->state = CONTROL_MANUAL;
    } else if (answer->collected == 0) {
        answer->state = CONTROL_NO_EVIDENCE;
    } else if (is_stale(question)) {
        answer->state = CONTROL_STALE;
        answer->beside = by_table(answer);
    } else {
        answer->state = by_table(answer);
    }
}

void control_judge(const ControlQuestion *question, ControlAnswer *answer_out) {
    ControlAnswer answer = {.beside = CONTROL_STATES};
    count_verdicts(question, &answer);
    weigh_confidence(question, &answer);
    judge_plainly(question, &answer);
    if (question->excepted) {
        answer.beside = answer.state;
        answer.state = CONTROL_EXCEPTION;
    }
    *answer_out = answer;
}
