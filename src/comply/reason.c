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

static void append_failure(GString *text, const ReadState *state) {
    Outcome failure = read_state_failure(state);
    if (state->message != NULL) {
        g_string_append(text, ": ");
        append_sentence(text, state->message);
    } else if (failure != OUTCOME_OK) {
        g_string_append_printf(text, " (%s)", outcome_name(failure));
    }
    bool told = state->message != NULL && state->needs != NULL &&
                strstr(state->message, state->needs) != NULL;
    if (state->needs != NULL && !told) {
        g_string_append(text, "; the missing permission is ");
        append_sentence(text, state->needs);
    }
}

static void tell_unread(GString *text, const ReasonFacts *facts) {
    int64_t unread = facts->tally->rows[VERDICT_COULD_NOT_READ];
    if (facts->problem != NULL) {
        append_sentence(text, facts->problem);
        return;
    }
    int node = reads_failed_node(facts->reads, facts->check->nodes);
    if (node < 0) {
        g_string_append_printf(text,
                               "%" PRId64 " of %" PRId64 " rows lack what the check looks at, or "
                               "have it in another type than declared",
                               unread, all_rows(facts->tally));
        return;
    }
    const char *name = facts->type->nodes[node].name;
    if (facts->tally->rows_missing)
        g_string_append_printf(text, "%s could not be read to its end", name);
    else
        g_string_append_printf(text, "%s could not be read for %" PRId64 " of %" PRId64 " rows",
                               name, unread, all_rows(facts->tally));
    append_failure(text, reads_state(facts->reads, (size_t)node));
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
