/* Stored evidence becomes check results and findings. */
#include "unit/comply_support.h"

#include "base/clock.h"
#include "comply/judge.h"
#include "store/check_result.h"
#include "store/document.h"
#include "store/finding.h"

#include <string.h>

#define A "integration-a"

/* --- helpers ---------------------------------------------------------------------------------- */

static JudgeReport judge(const Definition *definition, const char *evidence_id) {
    JudgeReport report = {0};
    comply_ok(
        judge_evidence(comply_db(), comply_scope(), definition, evidence_id, &report, &error));
    return report;
}

/* Stores and judges rows of branches, or of alerts when reads name an alert. */
static JudgeReport judge_rows(const Definition *definition, const char *type, const char *rows,
                              const char *reads) {
    g_autofree char *id = comply_add_evidence(
        &(ComplyEvidence){.integration_id = A, .type = type, .rows = rows, .reads = reads});
    return judge(definition, id);
}

static bool read_results(DbUnit *unit, void *data, GError **error) {
    GPtrArray **rows = data;
    g_clear_pointer(rows, g_ptr_array_unref);
    return check_result_list(unit, &(CheckResultFilter){.integration_id = A}, rows, error);
}

/* The only result. The array owns it. */
static GPtrArray *results(void) {
    GPtrArray *rows = NULL;
    comply_run(read_results, &rows);
    return rows;
}

static void assert_result(Verdict verdict, const char *reason) {
    g_autoptr(GPtrArray) rows = results();
    g_assert_cmpuint(rows->len, ==, 1);
    const CheckResult *row = g_ptr_array_index(rows, 0);
    g_assert_cmpstr(row->verdict, ==, verdict_name(verdict));
    g_assert_cmpstr(row->reason, ==, reason);
}

static bool read_findings(DbUnit *unit, void *data, GError **error) {
    GPtrArray **rows = data;
    g_clear_pointer(rows, g_ptr_array_unref);
    return finding_list(unit, &(FindingFilter){.limit = 1000}, rows, error);
}

/* "resource state" of all findings, with commas. */
static void assert_findings(const char *expected) {
    g_autoptr(GPtrArray) rows = NULL;
    comply_run(read_findings, &rows);
    g_autoptr(GString) list = g_string_new(NULL);
    for (guint i = 0; i < rows->len; i++) {
        const Finding *row = g_ptr_array_index(rows, i);
        g_string_append_printf(list, "%s%s %s", i == 0 ? "" : ",", row->resource, row->state);
    }
    g_assert_cmpstr(list->str, ==, expected);
}

typedef struct {
    const char *resource;
    GPtrArray *rows;
} Transitions;

static bool read_transitions(DbUnit *unit, void *data, GError **error) {
    Transitions *read = data;
    FindingKey key = {A, "branches.protected", read->resource};
    g_clear_pointer(&read->rows, g_ptr_array_unref);
    return finding_transitions(unit, &key, 100, &read->rows, error);
}

static void assert_transitions(const char *resource, const char *expected) {
    Transitions read = {.resource = resource};
    comply_run(read_transitions, &read);
    g_autoptr(GPtrArray) rows = read.rows;
    g_autoptr(GString) list = g_string_new(NULL);
    for (guint i = 0; i < rows->len; i++) {
        const FindingTransition *row = g_ptr_array_index(rows, i);
        g_string_append_printf(list, "%s%s", i == 0 ? "" : ",", row->kind);
    }
    g_assert_cmpstr(list->str, ==, expected);
}

#define BRANCH(name, state)                                                                        \
    "{\"age\":1,\"archived\":false,\"protected\":" state ",\"repository\":\"" name "\"}"
#define GOOD(name) BRANCH(name, "true")
#define BAD(name) BRANCH(name, "false")
#define DENIED(name)                                                                               \
    "{\"_unread\":{\"fields\":[\"protected\"],\"reads\":{\"protection\":\"forbidden\"}},"          \
    "\"age\":1,\"archived\":false,\"protected\":null,\"repository\":\"" name "\"}"
#define UNLICENSED(name)                                                                           \
    "{\"_unread\":{\"fields\":[\"protected\"],\"reads\":{\"protection\":\"not_applicable\"}},"     \
    "\"age\":1,\"archived\":false,\"protected\":null,\"repository\":\"" name "\"}"
#define REPO_ENDED "{\"node\":\"repo\",\"lists\":1,\"listsEnded\":1,\"outcomes\":{\"ok\":1}},"
#define PROTECTION(outcomes)                                                                       \
    "{\"node\":\"protection\",\"outcomes\":{" outcomes "},"                                        \
    "\"message\":\"Insufficient permissions for Alpha. Please check scopes: "                      \
    "administration:read.\",\"needs\":\"administration:read\"}"
#define REPO_DENIED                                                                                \
    "{\"node\":\"repo\",\"lists\":1,\"listsEnded\":0,\"outcomes\":{\"forbidden\":1},"              \
    "\"needs\":\"metadata:read\"},{\"node\":\"protection\",\"outcomes\":{}}"
#define REPO_CUT                                                                                   \
    "{\"node\":\"repo\",\"lists\":1,\"listsEnded\":0,\"outcomes\":{\"ok\":3,\"timeout\":1},"       \
    "\"message\":\"Alpha did not answer in time.\"},{\"node\":\"protection\",\"outcomes\":{}}"

/* --- verdicts --------------------------------------------------------------------------------- */

typedef struct {
    const char *rows;
    const char *reads;
    Verdict verdict;
    const char *reason;
} Case;

static void verdicts_come_with_their_reason(void) {
    static const Case cases[] = {
        {GOOD("a") "," GOOD("b"), NULL, VERDICT_PASS, "All 2 judged rows pass."},
        {GOOD("a") "," BAD("b"), NULL, VERDICT_FAIL, "1 of 2 judged rows fail."},
        {"", NULL, VERDICT_NOT_APPLICABLE, "There is nothing to judge."},
        {NULL, NULL, VERDICT_NOT_APPLICABLE, "There is nothing to judge."},
        {UNLICENSED("a"), NULL, VERDICT_NOT_APPLICABLE, "No row is subject to this check."},
        {GOOD("a") "," DENIED("b"), REPO_ENDED PROTECTION("\"ok\":1,\"forbidden\":1"),
         VERDICT_COULD_NOT_READ,
         "protection could not be read for 1 of 2 rows: Insufficient permissions for Alpha. "
         "Please check scopes: administration:read."},
        {BAD("a") "," DENIED("b"), REPO_ENDED PROTECTION("\"ok\":1,\"forbidden\":1"), VERDICT_FAIL,
         "The one judged row fails."},
        {"", REPO_DENIED, VERDICT_COULD_NOT_READ,
         "repo could not be read to its end (forbidden); the missing permission is "
         "metadata:read."},
        {GOOD("a"), REPO_CUT, VERDICT_COULD_NOT_READ,
         "repo could not be read to its end: Alpha did not answer in time."},
        {BAD("a") "," GOOD("b"), REPO_CUT, VERDICT_FAIL, "1 of 2 judged rows fail."},
        {"{\"age\":1,\"archived\":false,\"repository\":\"a\"}", NULL, VERDICT_COULD_NOT_READ,
         "1 of 1 rows lack what the check looks at, or have it in another type than declared."},
    };
    g_autoptr(Definition) definition = comply_definition(CHECK_PROTECTED, NULL);
    comply_add_integration(A, "alpha");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        clock_advance(1000);
        g_auto(JudgeReport) report =
            judge_rows(definition, "branches", cases[i].rows, cases[i].reads);
        g_assert_cmpint(report.verdicts[cases[i].verdict], ==, 1);
        g_assert_null(report.problem);
        assert_result(cases[i].verdict, cases[i].reason);
    }
}

static void counts_of_rows_are_kept(void) {
    g_autoptr(Definition) definition = comply_definition(CHECK_PROTECTED, NULL);
    comply_add_integration(A, "alpha");
    g_auto(JudgeReport) report =
        judge_rows(definition, "branches",
                   GOOD("a") "," GOOD("b") "," BAD("c") "," DENIED("d") "," UNLICENSED("e"), NULL);
    g_assert_cmpint(report.rows, ==, 5);
    g_autoptr(GPtrArray) rows = results();
    const CheckResult *row = g_ptr_array_index(rows, 0);
    g_assert_cmpstr(row->check_id, ==, "branches.protected");
    g_assert_cmpstr(row->evidence_type, ==, "branches");
    g_assert_cmpstr(row->severity, ==, "high");
    g_assert_cmpstr(row->definition_sha256, ==, definition->sha256);
    g_assert_cmpint(row->judged, ==, 3);
    g_assert_cmpint(row->passed, ==, 2);
    g_assert_cmpint(row->failed, ==, 1);
    g_assert_cmpint(row->could_not_read, ==, 1);
    g_assert_cmpint(row->not_applicable, ==, 1);
    g_assert_cmpint(row->checked_at, ==, START_MS);
    g_assert_cmpint(row->valid_until, ==, START_MS + 30 * DAY_MS);
}

#define SHARE                                                                                      \
    "      share: {title: Most are protected, resource: .repository, pass: .protected,\n"          \
    "        require: '>80%', severity: high, remediation: Protect them.}\n"

static char *crowd(int passing, int of) {
    GString *rows = g_string_new(NULL);
    for (int i = 0; i < of; i++)
        g_string_append_printf(rows,
                               "%s{\"age\":null,\"archived\":false,\"protected\":%s,"
                               "\"repository\":\"r%03d\"}",
                               i == 0 ? "" : ",", i < passing ? "true" : "false", i);
    return g_string_free(rows, FALSE);
}

static void eighty_percent_is_not_enough_and_eighty_one_is(void) {
    g_autoptr(Definition) definition = comply_definition(SHARE, NULL);
    comply_add_integration(A, "alpha");
    g_autofree char *eighty = crowd(80, 100);
    g_auto(JudgeReport) first = judge_rows(definition, "branches", eighty, NULL);
    assert_result(VERDICT_FAIL, "20 of 100 judged rows fail; more than 80 % must pass.");
    g_assert_cmpint(first.opened, ==, 20);
    clock_advance(1000);
    g_autofree char *more = crowd(81, 100);
    g_auto(JudgeReport) second = judge_rows(definition, "branches", more, NULL);
    assert_result(VERDICT_PASS, "81 of 100 judged rows pass; more than 80 % must pass.");
    g_assert_cmpint(second.resolved, ==, 1);
    g_assert_cmpint(second.refreshed, ==, 19);
}

static void lists_below_a_list_are_judged_as_a_whole(void) {
    static const char denied[] =
        "{\"node\":\"repo\",\"lists\":1,\"listsEnded\":1,\"outcomes\":{\"ok\":1}},"
        "{\"node\":\"alert\",\"lists\":2,\"listsEnded\":1,\"outcomes\":{\"ok\":1,\"%s\":1}}";
    g_autoptr(Definition) definition = comply_definition(NULL, CHECK_NO_ALERTS);
    comply_add_integration(A, "alpha");
    static const struct {
        const char *word;
        Verdict verdict;
    } cases[] = {{"forbidden", VERDICT_COULD_NOT_READ},
                 {"unlicensed", VERDICT_PASS},
                 {"endless", VERDICT_COULD_NOT_READ}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) parts = g_strsplit(denied, "%s", 2);
        g_autofree char *reads = g_strjoin(cases[i].word, parts[0], parts[1], NULL);
        clock_advance(1000);
        g_auto(JudgeReport) report =
            judge_rows(definition, "alerts", "{\"open\":false,\"repository\":\"a\"}", reads);
        g_assert_cmpint(report.verdicts[cases[i].verdict], ==, 1);
    }
}

/* --- findings --------------------------------------------------------------------------------- */

static void findings_open_resolve_and_regress(void) {
    g_autoptr(Definition) definition = comply_definition(CHECK_PROTECTED, NULL);
    comply_add_integration(A, "alpha");
    g_auto(JudgeReport) first = judge_rows(definition, "branches", BAD("a") "," GOOD("b"), NULL);
    g_assert_cmpint(first.opened, ==, 1);
    assert_findings("a open");
    clock_advance(1000);
    g_auto(JudgeReport) second = judge_rows(definition, "branches", GOOD("a") "," GOOD("b"), NULL);
    g_assert_cmpint(second.resolved, ==, 1);
    assert_findings("a resolved");
    clock_advance(1000);
    g_auto(JudgeReport) third = judge_rows(definition, "branches", BAD("a") "," GOOD("b"), NULL);
    g_assert_cmpint(third.regressed, ==, 1);
    g_assert_cmpint(third.opened, ==, 0);
    assert_findings("a open");
    assert_transitions("a", "opened,resolved,regressed");
}

static void judging_again_changes_nothing(void) {
    g_autoptr(Definition) definition = comply_definition(CHECK_PROTECTED, NULL);
    comply_add_integration(A, "alpha");
    g_autofree char *id = comply_add_evidence(
        &(ComplyEvidence){.integration_id = A, .type = "branches", .rows = BAD("a") "," GOOD("b")});
    g_auto(JudgeReport) first = judge(definition, id);
    g_auto(JudgeReport) again = judge(definition, id);
    g_assert_cmpint(first.opened, ==, 1);
    g_assert_cmpint(again.opened, ==, 0);
    g_assert_cmpint(again.refreshed, ==, 1);
    assert_findings("a open");
    assert_transitions("a", "opened");
}

/* A finding of "a" is open; then this evidence comes. */
static void after_open_finding(const char *rows, const char *reads, const char *findings) {
    g_autoptr(Definition) definition = comply_definition(CHECK_PROTECTED, NULL);
    clock_advance(1000);
    g_auto(JudgeReport) before = judge_rows(definition, "branches", BAD("a"), NULL);
    g_assert_cmpint(before.opened + before.regressed + before.refreshed, ==, 1);
    clock_advance(1000);
    g_auto(JudgeReport) after = judge_rows(definition, "branches", rows, reads);
    assert_findings(findings);
}

static void only_what_was_read_and_passes_is_resolved(void) {
    comply_add_integration(A, "alpha");
    after_open_finding(GOOD("a"), NULL, "a resolved");
    after_open_finding(GOOD("b"), NULL, "a open");
    after_open_finding("", NULL, "a open");
    after_open_finding(DENIED("a"), NULL, "a open");
    after_open_finding(UNLICENSED("a"), NULL, "a open");
    after_open_finding("", REPO_DENIED, "a open");
    after_open_finding(GOOD("a") "," DENIED("a"), NULL, "a open");
    after_open_finding(DENIED("a") "," GOOD("a"), NULL, "a open");
    after_open_finding(GOOD("a"), REPO_CUT, "a open");
    after_open_finding(GOOD("a"), REPO_ENDED PROTECTION("\"forbidden\":1,\"ok\":1"), "a resolved");
}

static void an_exempt_resource_is_resolved(void) {
    static const char live[] =
        "      protected: {title: T, resource: .repository, applies: '.archived | not',\n"
        "        pass: .protected, severity: high, remediation: R}\n";
    static const char archived[] =
        "{\"age\":1,\"archived\":true,\"protected\":false,\"repository\":\"a\"}";
    g_autoptr(Definition) definition = comply_definition(live, NULL);
    comply_add_integration(A, "alpha");
    g_auto(JudgeReport) before = judge_rows(definition, "branches", BAD("a"), NULL);
    clock_advance(1000);
    g_auto(JudgeReport) after = judge_rows(definition, "branches", archived, NULL);
    g_assert_cmpint(after.resolved, ==, 1);
    assert_findings("a resolved");
}

static void the_worst_row_of_a_resource_wins(void) {
    g_autoptr(Definition) definition = comply_definition(CHECK_PROTECTED, NULL);
    comply_add_integration(A, "alpha");
    g_auto(JudgeReport) report = judge_rows(definition, "branches",
                                            GOOD("a") "," BAD("a") "," GOOD("a") "," BAD(
                                                "a") "," DENIED("a") "," BAD("b") "," GOOD("c"),
                                            NULL);
    g_assert_cmpint(report.opened, ==, 2);
    assert_findings("a open,b open");
    clock_advance(1000);
    g_auto(JudgeReport) next = judge_rows(definition, "branches", GOOD("a") "," BAD("a"), NULL);
    g_assert_cmpint(next.refreshed, ==, 1);
    g_assert_cmpint(next.resolved, ==, 0);
    assert_findings("a open,b open");
}

static void unread_rows_open_nothing(void) {
    g_autoptr(Definition) definition = comply_definition(CHECK_PROTECTED, NULL);
    comply_add_integration(A, "alpha");
    g_auto(JudgeReport) report =
        judge_rows(definition, "branches", DENIED("a") "," UNLICENSED("b"), NULL);
    g_assert_cmpint(report.opened, ==, 0);
    assert_findings("");
}

static void more_findings_than_one_unit_of_work_are_written(void) {
    g_autoptr(Definition) definition = comply_definition(CHECK_PROTECTED, NULL);
    comply_add_integration(A, "alpha");
    g_autofree char *bad = crowd(0, 2345);
    g_auto(JudgeReport) first = judge_rows(definition, "branches", bad, NULL);
    g_assert_cmpint(first.opened, ==, 2345);
    clock_advance(1000);
    g_autofree char *mixed = crowd(2100, 2345);
    g_auto(JudgeReport) second = judge_rows(definition, "branches", mixed, NULL);
    g_assert_cmpint(second.resolved, ==, 2100);
    g_assert_cmpint(second.refreshed, ==, 245);
    clock_advance(1000);
    g_auto(JudgeReport) third = judge_rows(definition, "branches", bad, NULL);
    g_assert_cmpint(third.regressed, ==, 2100);
}

/* --- documents -------------------------------------------------------------------------------- */

static void rows_may_straddle_chunks(void) {
    g_autoptr(Definition) definition = comply_definition(CHECK_PROTECTED, NULL);
    comply_add_integration(A, "alpha");
    for (size_t chunk = 1; chunk < 200; chunk += 7) {
        clock_advance(1000);
        g_autofree char *total = g_strdup_printf(
            "{\"details\":[" BAD("a") "," GOOD("b}]") "," BAD("c") "],\"chunk\":%zu}", chunk);
        g_autofree char *id = comply_add_evidence(&(ComplyEvidence){
            .integration_id = A, .type = "branches", .raw = total, .chunk = chunk});
        g_auto(JudgeReport) report = judge(definition, id);
        g_assert_cmpint(report.rows, ==, 3);
        assert_result(VERDICT_FAIL, "2 of 3 judged rows fail.");
        assert_findings("a open,c open");
    }
}

static void large_documents_are_read_chunk_by_chunk(void) {
    g_autoptr(Definition) definition = comply_definition(CHECK_PROTECTED, NULL);
    comply_add_integration(A, "alpha");
    g_autofree char *rows = crowd(9000, 9000);
    g_assert_cmpuint(strlen(rows), >, 2 * DOCUMENT_CHUNK_RAW);
    g_auto(JudgeReport) report = judge_rows(definition, "branches", rows, NULL);
    g_assert_cmpint(report.rows, ==, 9000);
    assert_result(VERDICT_PASS, "All 9000 judged rows pass.");
}

static void damaged_documents_are_errors_and_keep_the_last_result(void) {
    static const char *const documents[] = {"{\"details\":[" GOOD("a") ",[1]]}",
                                            "{\"details\":[" GOOD("a"), "{\"rows\":[]}"};
    g_autoptr(Definition) definition = comply_definition(CHECK_PROTECTED, NULL);
    comply_add_integration(A, "alpha");
    g_auto(JudgeReport) good = judge_rows(definition, "branches", GOOD("a"), NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(documents); i++) {
        clock_advance(1000);
        g_autofree char *id = comply_add_evidence(
            &(ComplyEvidence){.integration_id = A, .type = "branches", .raw = documents[i]});
        comply_fails(ERROR_DATABASE,
                     judge_evidence(comply_db(), comply_scope(), definition, id, NULL, &error));
        assert_result(VERDICT_PASS, "The one judged row passes.");
    }
}

/* --- the rest --------------------------------------------------------------------------------- */

static void older_evidence_is_judged_without_a_say(void) {
    g_autoptr(Definition) definition = comply_definition(CHECK_PROTECTED, NULL);
    comply_add_integration(A, "alpha");
    g_autofree char *old = comply_add_evidence(
        &(ComplyEvidence){.integration_id = A, .type = "branches", .rows = GOOD("a") "," BAD("b")});
    clock_advance(1000);
    g_auto(JudgeReport) now = judge_rows(definition, "branches", BAD("a") "," GOOD("b"), NULL);
    assert_findings("a open");
    g_auto(JudgeReport) report = judge(definition, old);
    g_assert_true(report.superseded);
    g_assert_cmpint(report.verdicts[VERDICT_FAIL], ==, 1);
    g_assert_false(now.superseded);
    assert_findings("a open");
}

static void types_without_checks_have_no_results(void) {
    g_autoptr(Definition) definition = comply_definition(NULL, NULL);
    comply_add_integration(A, "alpha");
    g_auto(JudgeReport) report = judge_rows(definition, "branches", GOOD("a"), NULL);
    g_assert_cmpint(report.rows, ==, 1);
    g_autoptr(GPtrArray) rows = results();
    g_assert_cmpuint(rows->len, ==, 0);
}

static void what_is_not_there_is_not_found(void) {
    g_autoptr(Definition) definition = comply_definition(CHECK_PROTECTED, NULL);
    comply_add_integration(A, "alpha");
    comply_fails(ERROR_NOT_FOUND, judge_evidence(comply_db(), comply_scope(), definition,
                                                 "no-such-evidence", NULL, &error));
    g_autofree char *id = comply_add_evidence(
        &(ComplyEvidence){.integration_id = A, .type = "something", .rows = GOOD("a")});
    comply_fails(ERROR_NOT_FOUND,
                 judge_evidence(comply_db(), comply_scope(), definition, id, NULL, &error));
}

static const ComplyTest tests[] = {
    {"verdicts_come_with_their_reason", verdicts_come_with_their_reason},
    {"counts_of_rows_are_kept", counts_of_rows_are_kept},
    {"eighty_percent_is_not_enough_and_eighty_one_is",
     eighty_percent_is_not_enough_and_eighty_one_is},
    {"lists_below_a_list_are_judged_as_a_whole", lists_below_a_list_are_judged_as_a_whole},
    {"findings_open_resolve_and_regress", findings_open_resolve_and_regress},
    {"judging_again_changes_nothing", judging_again_changes_nothing},
    {"only_what_was_read_and_passes_is_resolved", only_what_was_read_and_passes_is_resolved},
    {"an_exempt_resource_is_resolved", an_exempt_resource_is_resolved},
    {"the_worst_row_of_a_resource_wins", the_worst_row_of_a_resource_wins},
    {"unread_rows_open_nothing", unread_rows_open_nothing},
    {"more_findings_than_one_unit_of_work_are_written",
     more_findings_than_one_unit_of_work_are_written},
    {"rows_may_straddle_chunks", rows_may_straddle_chunks},
    {"large_documents_are_read_chunk_by_chunk", large_documents_are_read_chunk_by_chunk},
    {"damaged_documents_are_errors_and_keep_the_last_result",
     damaged_documents_are_errors_and_keep_the_last_result},
    {"older_evidence_is_judged_without_a_say", older_evidence_is_judged_without_a_say},
    {"types_without_checks_have_no_results", types_without_checks_have_no_results},
    {"what_is_not_there_is_not_found", what_is_not_there_is_not_found},
};

int main(int argc, char **argv) {
    return comply_main(argc, argv, "judge", tests, G_N_ELEMENTS(tests));
}
