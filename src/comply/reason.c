#include "comply/reason.h"

#include "store/record.h"

#include <inttypes.h>
#include <string.h>

static int64_t all_rows(const Tally *tally) {
    int64_t rows = 0;
    for (int verdict = 0; verdict < VERDICTS; verdict++)
        rows += tally->rows[verdict];
    return rows;
}

/* "; more than 80 % are required", nothing when all are. */
static void append_share(GString *text, const ReasonFacts *facts) {
    if (facts->check->require == REQUIRE_ALL)
        return;
    const char *word = facts->check->require == REQUIRE_MORE_THAN ? "more than" : "at least";
    g_string_append_printf(text, "; %s %.12g %% must pass", word, facts->check->require_percent);
}

/* "3 of 12 judged rows fail" */
static void append_count(GString *text, const ReasonFacts *facts, Verdict verdict,
                         const char *word) {
    int64_t judged = tally_judged(facts->tally);
    int64_t count = facts->tally->rows[verdict];
    if (judged == 1)
        g_string_append_printf(text, "The one judged row %s%s", word,
                               verdict == VERDICT_FAIL ? "s" : "es");
    else if (count == judged)
        g_string_append_printf(text, "All %" PRId64 " judged rows %s", judged, word);
    else
        g_string_append_printf(text, "%" PRId64 " of %" PRId64 " judged rows %s", count, judged,
                               word);
    append_share(text, facts);
}

static void tell_pass(GString *text, const ReasonFacts *facts) {
    append_count(text, facts, VERDICT_PASS, "pass");
}

static void tell_fail(GString *text, const ReasonFacts *facts) {
    append_count(text, facts, VERDICT_FAIL, "fail");
}

static void tell_not_applicable(GString *text, const ReasonFacts *facts) {
    bool empty = all_rows(facts->tally) == 0;
    g_string_append(text, empty ? "There is nothing to judge" : "No row is subject to this check");
}

/* Messages and permissions come with a full stop or without. */
static void append_sentence(GString *text, const char *sentence) {
    size_t length = strlen(sentence);
    while (length > 0 && sentence[length - 1] == '.')
        length--;
    g_string_append_len(text, sentence, (gssize)length);
}

/* --- what could not be read ------------------------------------------------------------------- */

/* The reads to blame: those whose rows are missing first, then by how many rows they left unread.
 */
typedef struct {
    size_t nodes[READ_MAX_NODES];
    size_t count;
    size_t missing; /* so many of them make rows */
} Blame;

static Blame blame_of(const ReasonFacts *facts) {
    Blame blame = {.count = 0};
    uint64_t missing = reads_rows_missing(facts->reads, facts->check->nodes);
    for (size_t node = 0; node < facts->type->node_count; node++)
        if ((missing >> node & 1) != 0)
            blame.nodes[blame.count++] = node;
    blame.missing = blame.count;
    const int64_t *rows = facts->tally->unread_by;
    for (size_t node = 0; node < facts->type->node_count; node++) {
        if (rows[node] == 0)
            continue;
        size_t at = blame.count++;
        for (; at > blame.missing && rows[blame.nodes[at - 1]] < rows[node]; at--)
            blame.nodes[at] = blame.nodes[at - 1];
        blame.nodes[at] = node;
    }
    return blame;
}

/* "acl could not be read for 40 of 40 rows, block for 1" */
static void append_reads(GString *text, const ReasonFacts *facts, const Blame *blame) {
    for (size_t i = 0; i < blame->count; i++) {
        size_t node = blame->nodes[i];
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", facts->type->nodes[node].name);
        if (i == 0 || i == blame->missing)
            g_string_append(text, " could not be read");
        int64_t rows = facts->tally->unread_by[node];
        if (i < blame->missing)
            g_string_append(text, " to its end");
        else if (i == blame->missing)
            g_string_append_printf(text, " for %" PRId64 " of %" PRId64 " rows", rows,
                                   all_rows(facts->tally));
        else
            g_string_append_printf(text, " for %" PRId64, rows);
    }
}

static void append_odd(GString *text, const ReasonFacts *facts) {
    if (facts->tally->unread_odd > 0)
        g_string_append_printf(text,
                               "%s%" PRId64 " of %" PRId64 " rows lack what the check looks at, or "
                               "have it in another type than declared",
                               text->len > 0 ? "; " : "", facts->tally->unread_odd,
                               all_rows(facts->tally));
}

static void append_failure(GString *text, const ReadState *state) {
    Outcome failure = read_state_failure(state);
    if (state->message != NULL) {
        g_string_append(text, ": ");
        append_sentence(text, state->message);
    } else if (failure != OUTCOME_OK) {
        g_string_append_printf(text, " (%s)", outcome_name(failure));
    }
}

/* What failed beside the first. Where a permission is missing, that is all there is to say. */
static void append_other_failures(GString *text, const ReasonFacts *facts, const Blame *blame) {
    for (size_t i = 1; i < blame->count; i++) {
        const ReadState *state = reads_state(facts->reads, blame->nodes[i]);
        if (state->needs != NULL)
            continue;
        g_string_append_printf(text, "; %s", facts->type->nodes[blame->nodes[i]].name);
        append_failure(text, state);
    }
}

/* Those that the sentence does not name yet. */
static void append_permissions(GString *text, const ReasonFacts *facts, const Blame *blame) {
    bool told = reads_state(facts->reads, blame->nodes[0])->message != NULL;
    const char *before = told ? "; also missing: " : "; the missing permission is ";
    for (size_t i = 0; i < blame->count; i++) {
        const ReadState *state = reads_state(facts->reads, blame->nodes[i]);
        g_auto(GStrv) needs = g_strsplit(state->needs != NULL ? state->needs : "", "; ", -1);
        for (size_t k = 0; needs[k] != NULL; k++) {
            if (strstr(text->str, needs[k]) != NULL)
                continue;
            g_string_append(text, before);
            append_sentence(text, needs[k]);
            before = ", ";
        }
    }
}

static void tell_unread(GString *text, const ReasonFacts *facts) {
    if (facts->problem != NULL) {
        append_sentence(text, facts->problem);
        return;
    }
    Blame blame = blame_of(facts);
    if (blame.count > 0) {
        append_reads(text, facts, &blame);
        append_failure(text, reads_state(facts->reads, blame.nodes[0]));
        append_other_failures(text, facts, &blame);
        append_permissions(text, facts, &blame);
    }
    append_odd(text, facts);
}

char *reason_new(const ReasonFacts *facts) {
    static void (*const tell[VERDICTS])(GString *, const ReasonFacts *) = {
        [VERDICT_PASS] = tell_pass,
        [VERDICT_FAIL] = tell_fail,
        [VERDICT_COULD_NOT_READ] = tell_unread,
        [VERDICT_NOT_APPLICABLE] = tell_not_applicable,
    };
    GString *text = g_string_new(NULL);
    tell[facts->verdict](text, facts);
    if (text->len > STORE_SENTENCE_MAX - 4) {
        g_autofree char *whole = g_utf8_make_valid(text->str, STORE_SENTENCE_MAX / 2);
        g_string_assign(text, whole);
    }
    g_string_append_c(text, '.');
    return g_string_free(text, FALSE);
}
