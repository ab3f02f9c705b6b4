#include "comply/control_reason.h"

#include "base/clock.h"

#include <string.h>

#define NAMES_MAX 3 /* providers named in a sentence */

/* "1 check", "3 checks" */
static void append_checks(GString *text, size_t count) {
    g_string_append_printf(text, "%zu check%s", count, count == 1 ? "" : "s");
}

static const EvaluatedCheck *first_with(const EvaluatedControl *control, Verdict verdict) {
    for (size_t i = 0; i < control->check_count; i++) {
        const EvaluatedCheck *check = &control->checks[i];
        if (check->input.collected && check->input.verdict == verdict)
            return check;
    }
    return NULL;
}

static void append_title(GString *text, const EvaluatedControl *control, Verdict verdict) {
    const EvaluatedCheck *check = first_with(control, verdict);
    if (check != NULL)
        g_string_append_printf(text, ": %s (%s)", check->title, check->integration);
}

static void tell_compliant(GString *text, const ControlReasonFacts *facts) {
    const EvaluatedControl *control = facts->control;
    size_t passes = control->answer.verdicts[VERDICT_PASS];
    append_checks(text, passes);
    g_string_append(text, passes == 1 ? " passes" : " pass");
    size_t missing = control->check_count - control->answer.collected;
    if (missing > 0)
        g_string_append_printf(text, "; %zu more %s no evidence yet", missing,
                               missing == 1 ? "has" : "have");
}

static void tell_failing(GString *text, const ControlReasonFacts *facts) {
    const ControlAnswer *answer = &facts->control->answer;
    size_t fails = answer->verdicts[VERDICT_FAIL];
    g_string_append_printf(text, "%zu of ", fails);
    append_checks(text, answer->collected);
    g_string_append(text, fails == 1 ? " fails" : " fail");
    append_title(text, facts->control, VERDICT_FAIL);
}

static void tell_inconclusive(GString *text, const ControlReasonFacts *facts) {
    const ControlAnswer *answer = &facts->control->answer;
    g_string_append_printf(text, "%zu of ", answer->verdicts[VERDICT_COULD_NOT_READ]);
    append_checks(text, answer->collected);
    g_string_append(text, " could not be read");
    append_title(text, facts->control, VERDICT_COULD_NOT_READ);
}

static void tell_stale(GString *text, const ControlReasonFacts *facts) {
    const EvaluatedCheck *oldest = NULL;
    for (size_t i = 0; i < facts->control->check_count; i++) {
        const EvaluatedCheck *check = &facts->control->checks[i];
        if (check->input.collected &&
            (oldest == NULL || check->input.valid_until < oldest->input.valid_until))
            oldest = check;
    }
    if (oldest == NULL)
        return;
    g_autofree char *since = clock_format(oldest->input.valid_until);
    g_string_append_printf(text, "The evidence %s of %s is out of date since %.10s",
                           oldest->evidence_type, oldest->integration, since);
}

/* The names of the providers that could serve the control. */
static void append_providers(GString *text, const ControlReasonFacts *facts) {
    const Definition *last = NULL;
    size_t named = 0;
    for (size_t i = 0; i < facts->mapped_count && named < NAMES_MAX; i++) {
        const Definition *definition = facts->mapped[i].definition;
        if (definition == last)
            continue;
        g_string_append_printf(text, "%s%s", named == 0 ? "; connect " : " or ", definition->name);
        last = definition;
        named++;
    }
}

static void tell_no_evidence(GString *text, const ControlReasonFacts *facts) {
    if (facts->control->check_count > 0) {
        g_string_append(text, facts->gap != NULL ? facts->gap : "Nothing was collected");
        return;
    }
    g_string_append(text, "No connected service");
    append_providers(text, facts);
}

static void tell_not_applicable(GString *text, const ControlReasonFacts *facts) {
    append_checks(text, facts->control->answer.collected);
    g_string_append(text, " found nothing to apply to");
}

static void tell_manual(GString *text, const ControlReasonFacts *facts G_GNUC_UNUSED) {
    g_string_append(text, "Not assessed by automation");
}

static void tell_exception(GString *text, const ControlReasonFacts *facts) {
    const ControlException *exception = facts->exception;
    g_string_append_printf(text, "Excepted by %.200s", exception->who);
    if (exception->until_at != 0) {
        g_autofree char *until = clock_format(exception->until_at);
        g_string_append_printf(text, " until %.10s", until);
    }
    g_string_append_printf(text, ": %.1000s", exception->why);
}

char *control_reason_new(const ControlReasonFacts *facts) {
    static void (*const tell[CONTROL_STATES])(GString *, const ControlReasonFacts *) = {
        [CONTROL_COMPLIANT] = tell_compliant,
        [CONTROL_PARTIAL] = tell_failing,
        [CONTROL_NON_COMPLIANT] = tell_failing,
        [CONTROL_INCONCLUSIVE] = tell_inconclusive,
        [CONTROL_STALE] = tell_stale,
        [CONTROL_NO_EVIDENCE] = tell_no_evidence,
        [CONTROL_NOT_APPLICABLE] = tell_not_applicable,
        [CONTROL_MANUAL] = tell_manual,
        [CONTROL_EXCEPTION] = tell_exception,
    };
    GString *text = g_string_new(NULL);
    tell[facts->control->answer.state](text, facts);
    while (text->len > 0 && text->str[text->len - 1] == '.')
        g_string_truncate(text, text->len - 1);
    g_string_append_c(text, '.');
    char *whole = g_utf8_make_valid(text->str, (gssize)MIN(text->len, (gsize)STORE_SENTENCE_MAX));
    g_string_free(text, TRUE);
    return whole;
}
