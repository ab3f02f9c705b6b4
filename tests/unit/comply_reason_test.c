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
                            [VERDICT_NOT_APPLICABLE] = one->exempt},
                   .rows_missing = one->missing};
    for (int64_t i = 0; i < one->unread; i++) /* by protection, if that was not read */
        tally_add(&tally, VERDICT_COULD_NOT_READ, one->reads != NULL ? 2 : 0);
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

/* --- several reads that failed ---------------------------------------------------------------- */

static const ReadNode bucket_nodes[] = {{.name = "bucket", .parent = READ_NO_PARENT},
                                        {.name = "acl", .parent = 0},
                                        {.name = "block", .parent = 0},
                                        {.name = "logging", .parent = 0}};
#define BUCKET 1
#define ACL 2
#define BLOCK 4
#define LOGGING 8

static const char bucket_list[] =
    "{\"node\":\"bucket\",\"lists\":1,\"listsEnded\":1,\"outcomes\":{\"ok\":1}},";
static const char bucket_list_denied[] =
    "{\"node\":\"bucket\",\"lists\":1,\"listsEnded\":0,\"outcomes\":{\"ok\":1,\"forbidden\":1},"
    "\"needs\":\"list (iam)\"},";
#define FORBIDDEN(node)                                                                            \
    "{\"node\":\"" node "\",\"outcomes\":{\"forbidden\":1},\"message\":\"Check scopes: " node      \
    " (iam).\",\"needs\":\"" node " (iam)\"}"
#define SLOW(node)                                                                                 \
    "{\"node\":\"" node "\",\"outcomes\":{\"timeout\":1},\"message\":\"No answer came in time.\"}"

typedef struct {
    uint64_t unread[4]; /* of each of four rows; 0: it passes */
    const char *list;
    const char *reads;
    const char *reason;
} BucketCase;

static char *tell_buckets(const BucketCase *one) {
    static const DefinitionCheck check = {.require = REQUIRE_ALL, .nodes = 15};
    static const Definition definition = {0};
    static const EvidenceType type = {.nodes = bucket_nodes, .node_count = 4, .row_of = 0};
    g_autofree char *record =
        g_strdup_printf("{\"completeness\":{\"reads\":[%s%s]}}", one->list, one->reads);
    g_autoptr(Reads) reads = NULL;
    comply_ok((reads = reads_new(&definition, &type, record, &error)) != NULL);
    Tally tally = {.rows_missing = reads_rows_missing(reads, check.nodes) != 0};
    for (size_t row = 0; row < G_N_ELEMENTS(one->unread); row++)
        tally_add(&tally, one->unread[row] != 0 ? VERDICT_COULD_NOT_READ : VERDICT_PASS,
                  one->unread[row] & ~(uint64_t)BUCKET);
    ReasonFacts facts = {.type = &type,
                         .check = &check,
                         .tally = &tally,
                         .reads = reads,
                         .verdict = VERDICT_COULD_NOT_READ};
    return reason_new(&facts);
}

static void every_read_that_failed_is_told_with_its_own_rows(void) {
    static const BucketCase cases[] = {
        /* what was not read for most rows comes first */
        {{ACL, ACL, ACL, ACL | BLOCK},
         bucket_list,
         FORBIDDEN("acl") "," FORBIDDEN("block"),
         "acl could not be read for 4 of 4 rows, block for 1: Check scopes: acl (iam); also "
         "missing: block (iam)."},
        {{ACL, BLOCK, BLOCK, 0},
         bucket_list,
         FORBIDDEN("acl") "," FORBIDDEN("block"),
         "block could not be read for 2 of 4 rows, acl for 1: Check scopes: block (iam); also "
         "missing: acl (iam)."},
        /* a read that failed for rows of other checks only is not told */
        {{LOGGING, 0, 0, 0},
         bucket_list,
         FORBIDDEN("acl") "," FORBIDDEN("logging"),
         "logging could not be read for 1 of 4 rows: Check scopes: logging (iam)."},
        {{ACL | LOGGING, ACL, 0, 0},
         bucket_list,
         FORBIDDEN("acl") "," SLOW("logging"),
         "acl could not be read for 2 of 4 rows, logging for 1: Check scopes: acl (iam); logging: "
         "No answer came in time."},
        {{ACL | LOGGING, LOGGING, 0, 0},
         bucket_list,
         FORBIDDEN("acl") "," SLOW("logging"),
         "logging could not be read for 2 of 4 rows, acl for 1: No answer came in time; also "
         "missing: acl (iam)."},
        /* the list comes before what hangs on its rows */
        {{ACL, ACL, ACL, 0},
         bucket_list_denied,
         FORBIDDEN("acl"),
         "bucket could not be read to its end, acl could not be read for 3 of 4 rows (forbidden); "
         "the missing permission is list (iam), acl (iam)."},
        /* rows that no read explains are counted by themselves */
        {{ACL, BUCKET, BUCKET, 0},
         bucket_list,
         FORBIDDEN("acl"),
         "acl could not be read for 1 of 4 rows: Check scopes: acl (iam); 2 of 4 rows lack what "
         "the check looks at, or have it in another type than declared."},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *reason = tell_buckets(&cases[i]);
        g_assert_cmpstr(reason, ==, cases[i].reason);
    }
}

static void a_permission_that_several_reads_need_is_told_once(void) {
    static const BucketCase one = {
        {ACL | BLOCK, 0, 0, 0},
        bucket_list,
        FORBIDDEN("acl") ",{\"node\":\"block\",\"outcomes\":{\"forbidden\":1},\"message\":\"x\","
                         "\"needs\":\"acl (iam)\"}",
        "acl could not be read for 1 of 4 rows, block for 1: Check scopes: acl (iam)."};
    g_autofree char *reason = tell_buckets(&one);
    g_assert_cmpstr(reason, ==, one.reason);
}

static void all_permissions_of_one_read_are_told(void) {
    static const BucketCase one = {
        {ACL | BLOCK, BLOCK, 0, 0},
        bucket_list,
        FORBIDDEN("acl") ",{\"node\":\"block\",\"outcomes\":{\"forbidden\":2},"
                         "\"message\":\"Check scopes: one (iam).\","
                         "\"needs\":\"one (iam); two (iam); acl (iam)\"}",
        "block could not be read for 2 of 4 rows, acl for 1: Check scopes: one (iam); also "
        "missing: two (iam), acl (iam)."};
    g_autofree char *reason = tell_buckets(&one);
    g_assert_cmpstr(reason, ==, one.reason);
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
    {"every_read_that_failed_is_told_with_its_own_rows",
     every_read_that_failed_is_told_with_its_own_rows},
    {"a_permission_that_several_reads_need_is_told_once",
     a_permission_that_several_reads_need_is_told_once},
    {"all_permissions_of_one_read_are_told", all_permissions_of_one_read_are_told},
    {"long_messages_are_cut_on_a_character", long_messages_are_cut_on_a_character},
};

int main(int argc, char **argv) {
    return comply_main_pure(argc, argv, "reason", tests, G_N_ELEMENTS(tests));
}
