/* Why a check has its verdict, in words. */
#include "unit/comply_support.h"

#include "comply/reason.h"
#include "store/record.h"

#include <string.h>

typedef struct {
    int64_t passed, failed, unread, exempt;
    bool missing;
    const char *problem;
    const char *reads; /* NULL: complete */
    Verdict verdict;
    const char *reason;
} Case;

#define REPO "{\"node\":\"repo\",\"lists\":1,\"listsEnded\":1,\"outcomes\":{\"ok\":1}},"
#define PROTECTION(outcomes, more) "{\"node\":\"protection\",\"outcomes\":{" outcomes "}" more "}"

static char *tell(const DefinitionCheck *check, const Case *one) {
    g_autoptr(Definition) definition = comply_definition(NULL, NULL);
    const EvidenceType *type = definition_type(definition, "branches");
    g_autofree char *record = g_strdup_printf("{\"completeness\":{\"reads\":[%s]}}",
                                              one->reads != NULL ? one->reads : READS_BRANCHES);
    g_autoptr(Reads) reads = NULL;
    comply_ok((reads = reads_new(definition, type, record, &error)) != NULL);
    Tally tally = {.rows = {[VERDICT_PASS] = one->passed,
                            [VERDICT_FAIL] = one->failed,
                            [VERDICT_COULD_NOT_READ] = one->unread,
                            [VERDICT_NOT_APPLICABLE] = one->exempt},
                   .rows_missing = one->missing};
    ReasonFacts facts = {.type = type,
                         .check = check,
                         .tally = &tally,
                         .reads = reads,
                         .problem = one->problem,
                         .verdict = one->verdict};
    return reason_new(&facts);
}

static void assert_cases(const DefinitionCheck *check, const Case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        g_autofree char *reason = tell(check, &cases[i]);
        g_assert_cmpstr(reason, ==, cases[i].reason);
    }
}

static void counts_are_told_in_words(void) {
    static const DefinitionCheck all = {.require = REQUIRE_ALL, .nodes = 3};
    static const Case cases[] = {
        {1, 0, 0, 0, false, NULL, NULL, VERDICT_PASS, "The one judged row passes."},
        {12, 0, 0, 3, false, NULL, NULL, VERDICT_PASS, "All 12 judged rows pass."},
        {0, 1, 0, 0, false, NULL, NULL, VERDICT_FAIL, "The one judged row fails."},
        {0, 4, 0, 0, false, NULL, NULL, VERDICT_FAIL, "All 4 judged rows fail."},
        {9, 3, 0, 0, false, NULL, NULL, VERDICT_FAIL, "3 of 12 judged rows fail."},
        {0, 0, 0, 0, false, NULL, NULL, VERDICT_NOT_APPLICABLE, "There is nothing to judge."},
        {0, 0, 0, 2, false, NULL, NULL, VERDICT_NOT_APPLICABLE, "No row is subject to this check."},
    };
    assert_cases(&all, cases, G_N_ELEMENTS(cases));
}

static void shares_are_told_with_what_is_required(void) {
    static const DefinitionCheck more = {
        .require = REQUIRE_MORE_THAN, .require_percent = 80, .nodes = 3};
    static const DefinitionCheck least = {
        .require = REQUIRE_AT_LEAST, .require_percent = 99.5, .nodes = 3};
    static const Case cases[] = {
        {81, 19, 0, 0, false, NULL, NULL, VERDICT_PASS,
         "81 of 100 judged rows pass; more than 80 % must pass."},
        {80, 20, 0, 0, false, NULL, NULL, VERDICT_FAIL,
         "20 of 100 judged rows fail; more than 80 % must pass."},
    };
    static const Case exact[] = {
        {10, 0, 0, 0, false, NULL, NULL, VERDICT_PASS,
         "All 10 judged rows pass; at least 99.5 % must pass."},
    };
    assert_cases(&more, cases, G_N_ELEMENTS(cases));
    assert_cases(&least, exact, G_N_ELEMENTS(exact));
}

static void what_was_not_read_is_named(void) {
    static const DefinitionCheck all = {.require = REQUIRE_ALL, .nodes = 3};
    static const Case cases[] = {
        {1, 0, 1, 0, false, NULL, REPO PROTECTION("\"forbidden\":1", ""), VERDICT_COULD_NOT_READ,
         "protection could not be read for 1 of 2 rows (forbidden)."},
        {1, 0, 1, 0, false, NULL,
         REPO PROTECTION("\"forbidden\":1", ",\"needs\":\"administration:read\""),
         VERDICT_COULD_NOT_READ,
         "protection could not be read for 1 of 2 rows (forbidden); the missing permission is "
         "administration:read."},
        {1, 0, 1, 0, false, NULL,
         REPO PROTECTION("\"timeout\":1", ",\"message\":\"Alpha did not answer in time.\""),
         VERDICT_COULD_NOT_READ,
         "protection could not be read for 1 of 2 rows: Alpha did not answer in time."},
        {1, 0, 0, 0, true, NULL,
         "{\"node\":\"repo\",\"lists\":1,\"listsEnded\":0,\"outcomes\":{\"ok\":2}},"
         "{\"node\":\"protection\",\"outcomes\":{\"ok\":1}}",
         VERDICT_COULD_NOT_READ, "repo could not be read to its end."},
        {1, 0, 2, 0, false, NULL, NULL, VERDICT_COULD_NOT_READ,
         "2 of 3 rows lack what the check looks at, or have it in another type than declared."},
        {0, 0, 2, 0, false, "An expression ran for too long.", NULL, VERDICT_COULD_NOT_READ,
         "An expression ran for too long."},
    };
    assert_cases(&all, cases, G_N_ELEMENTS(cases));
}

static void long_messages_are_cut_on_a_character(void) {
    static const DefinitionCheck all = {.require = REQUIRE_ALL, .nodes = 3};
    g_autoptr(GString) problem = g_string_new("x");
    while (problem->len < 2 * STORE_SENTENCE_MAX)
        g_string_append(problem, "\xc3\xa4");
    Case one = {.unread = 1, .problem = problem->str, .verdict = VERDICT_COULD_NOT_READ};
    g_autofree char *reason = tell(&all, &one);
    g_assert_cmpuint(strlen(reason), <=, STORE_SENTENCE_MAX);
    g_assert_true(g_utf8_validate(reason, -1, NULL));
}

static const ComplyTest tests[] = {
    {"counts_are_told_in_words", counts_are_told_in_words},
    {"shares_are_told_with_what_is_required", shares_are_told_with_what_is_required},
    {"what_was_not_read_is_named", what_was_not_read_is_named},
    {"long_messages_are_cut_on_a_character", long_messages_are_cut_on_a_character},
};

int main(int argc, char **argv) {
    return comply_main_pure(argc, argv, "reason", tests, G_N_ELEMENTS(tests));
}
