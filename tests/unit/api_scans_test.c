/* The contract with scanners over the API. */
#include "unit/api_support.h"

#include "base/clock.h"
#include "store/check_result.h"
#include "store/finding.h"
#include "store/integration.h"

#include <string.h>

#define DUE "/api/integrations?status=active&due=true"
#define ACME "/api/integrations/" INTEGRATION_A
#define OTHER "01890000-0000-7000-8000-0000000001ff"
#define NOW INT64_C(1760000000000)
#define FOUND                                                                                      \
    "{\"integrationId\":\"" INTEGRATION_A                                                          \
    "\",\"check\":\"mfa\",\"resource\":\"user/1\",\"result\":\"fail\",\"details\":{\"n\":[1]}}"

static void begin(Stage *stage) {
    clock_freeze(NOW);
    stage_init(stage, 0);
    stage_add_integration(stage, OTHER, "other");
}

static size_t due(const Stage *stage, Role role) {
    g_auto(Answer) answer = stage_get(stage, role, DUE);
    g_assert_cmpuint(answer.status, ==, 200);
    return json_count(json_member(answer.json, "integrations"));
}

static void a_scanner_takes_what_is_due_and_says_when_it_is_done(void) {
    g_auto(Stage) stage;
    begin(&stage);
    g_assert_cmpuint(due(&stage, ROLE_OWNER), ==, 2);
    g_auto(Answer) taken = stage_get(&stage, ROLE_SCANNER, DUE);
    const Json *list = json_member(taken.json, "integrations");
    g_assert_cmpuint(json_count(list), ==, 1);
    g_assert_cmpstr(json_member_string(json_item(list, 0), "id", ""), ==, INTEGRATION_A);
    g_assert_cmpuint(due(&stage, ROLE_SCANNER), ==, 0);
    g_assert_cmpuint(due(&stage, ROLE_OWNER), ==, 1);
    clock_advance(10 * 60 * 1000);
    g_assert_cmpuint(due(&stage, ROLE_SCANNER), ==, 1);
    g_auto(Answer) done = stage_send(&stage, ROLE_SCANNER, "POST", ACME "/scan/done", NULL);
    g_assert_cmpuint(done.status, ==, 200);
    g_autofree char *now = clock_format(clock_now_ms());
    g_assert_cmpstr(answer_text(&done, "lastCheckedAt"), ==, now);
    int64_t next = 0;
    g_assert_true(clock_parse(answer_text(&done, "nextCheckAt"), &next));
    g_assert_cmpint(next, >, clock_now_ms());
    clock_freeze(next - 1);
    g_assert_cmpuint(due(&stage, ROLE_SCANNER), ==, 0);
    clock_freeze(next);
    g_assert_cmpuint(due(&stage, ROLE_SCANNER), ==, 1);
    clock_thaw();
}

static void what_is_posted_moves_the_times_and_is_listed(void) {
    g_auto(Stage) stage;
    begin(&stage);
    g_auto(Answer) posted = stage_send(&stage, ROLE_SCANNER, "POST", "/api/assessments", FOUND);
    g_assert_cmpuint(posted.status, ==, 201);
    g_assert_cmpstr(answer_text(&posted, "check"), ==, "mfa");
    g_assert_cmpstr(answer_text(&posted, "scanner"), ==, "scanner");
    g_auto(Answer) row = stage_get(&stage, ROLE_OWNER, ACME);
    g_assert_cmpstr(answer_text(&row, "lastCheckedAt"), ==, answer_text(&posted, "assessedAt"));
    g_auto(Answer) list = stage_get(&stage, ROLE_OWNER, "/api/assessments?result=fail&check=mfa");
    const Json *item = json_item(json_member(list.json, "assessments"), 0);
    g_assert_cmpstr(json_member_string(item, "id", ""), ==, answer_text(&posted, "id"));
    g_assert_cmpuint(json_count(json_path(item, "details.n")), ==, 1);
    g_auto(Answer) none = stage_get(&stage, ROLE_SCANNER, "/api/assessments?result=pass");
    g_assert_cmpuint(json_count(json_member(none.json, "assessments")), ==, 0);
    g_auto(Answer) foreign =
        stage_ask(&stage, &(Ask){.path = "/api/assessments", .token = stage.stranger});
    g_assert_cmpuint(json_count(json_member(foreign.json, "assessments")), ==, 0);
    g_auto(Answer) audit = stage_get(&stage, ROLE_OWNER, "/api/audit?action=assessment.post");
    g_assert_cmpuint(json_count(json_member(audit.json, "audit")), ==, 1);
    clock_thaw();
}

static void a_scanner_is_bound_to_what_its_token_names(void) {
    static const struct {
        Role role;
        const char *path;
        const char *body;
        unsigned status;
    } cases[] = {
        {ROLE_SCANNER, "/api/integrations/other/scan", NULL, 404},
        {ROLE_SCANNER, "/api/integrations/other/scan/done", NULL, 404},
        {ROLE_SCANNER, "/api/integrations/" INTEGRATION_B "/scan/done", NULL, 404},
        {ROLE_AUDITOR, ACME "/scan", NULL, 403},
        {ROLE_AUDITOR, ACME "/scan/done", NULL, 403},
        {ROLE_OWNER, "/api/assessments", FOUND, 403},
        {ROLE_AUDITOR, "/api/assessments", FOUND, 403},
        {ROLE_SCANNER, "/api/assessments",
         "{\"integrationId\":\"" OTHER "\",\"check\":\"c\",\"resource\":\"r\",\"result\":\"pass\"}",
         404},
        {ROLE_SCANNER, "/api/assessments",
         "{\"integrationId\":\"acme\",\"check\":\"c\",\"resource\":\"r\",\"result\":\"good\"}",
         400},
        {ROLE_SCANNER, "/api/assessments",
         "{\"integrationId\":\"acme\",\"check\":\"\",\"resource\":\"r\",\"result\":\"pass\"}", 400},
    };
    g_auto(Stage) stage;
    begin(&stage);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Answer) answer =
            stage_send(&stage, cases[i].role, "POST", cases[i].path, cases[i].body);
        g_test_message("%s %s: %s", cases[i].path, cases[i].body, answer.body);
        g_assert_cmpuint(answer.status, ==, cases[i].status);
    }
    clock_thaw();
}

static void somebody_asks_for_a_scan_and_what_collects_is_synced_as_well(void) {
    g_auto(Stage) stage;
    begin(&stage);
    g_auto(Answer) done = stage_send(&stage, ROLE_SCANNER, "POST", ACME "/scan/done", NULL);
    g_assert_cmpuint(due(&stage, ROLE_SCANNER), ==, 0);
    g_auto(Answer) asked = stage_send(&stage, ROLE_MEMBER, "POST", ACME "/scan", NULL);
    g_assert_cmpuint(asked.status, ==, 202);
    g_assert_cmpstr(answer_text(&asked, "job.status"), ==, "pending");
    g_assert_cmpuint(stage.queued, ==, 1);
    g_assert_cmpuint(due(&stage, ROLE_SCANNER), ==, 1);
    g_auto(Answer) only = stage_send(&stage, ROLE_OWNER, "PATCH", "/api/integrations/other",
                                     "{\"evidenceTypes\":[]}");
    g_assert_cmpuint(only.status, ==, 200);
    g_auto(Answer) scanned =
        stage_send(&stage, ROLE_OWNER, "POST", "/api/integrations/other/scan", NULL);
    g_assert_cmpuint(scanned.status, ==, 202);
    g_assert_null(json_member(scanned.json, "jobId"));
    g_assert_cmpuint(stage.queued, ==, 1);
    clock_thaw();
}

static void what_is_paused_is_neither_due_nor_asked_for(void) {
    g_auto(Stage) stage;
    begin(&stage);
    g_auto(Answer) paused =
        stage_send(&stage, ROLE_OWNER, "PATCH", ACME, "{\"status\":\"paused\"}");
    g_assert_cmpuint(paused.status, ==, 200);
    g_assert_cmpuint(due(&stage, ROLE_SCANNER), ==, 0);
    g_auto(Answer) asked = stage_send(&stage, ROLE_OWNER, "POST", ACME "/scan", NULL);
    assert_problem(&asked, 409, "CONFIGURATION_ERROR");
    clock_thaw();
}

/* --- what is not judged by it ----------------------------------------------------------------- */

#define CHECK "branch_protection.review_required"
#define REPO "acme/api"

/* A finding of that check is open, and its result is known. */
static bool add_failure(DbUnit *unit, void *data, GError **error) {
    FindingFailure failure = {.key = {INTEGRATION_A, CHECK, REPO},
                              .severity = "high",
                              .title = "Changes are reviewed",
                              .at = NOW};
    CheckResult result = {.integration_id = INTEGRATION_A,
                          .check_id = CHECK,
                          .evidence_type = "branch_protection",
                          .verdict = "fail",
                          .reason = "1 of 1 judged rows fail.",
                          .judged = 1,
                          .failed = 1,
                          .severity = "high",
                          .definition_sha256 = "0f",
                          .checked_at = NOW,
                          .valid_until = NOW + 86400000};
    (void)data;
    return finding_fail(unit, &failure, NULL, error) && check_result_upsert(unit, &result, error);
}

static const char *const judged[] = {
    "/api/findings?state=all",    "/api/controls?framework=soc2",
    "/api/controls/soc2:CC8.1",   "/api/controls?framework=soc2&status=non_compliant",
    "/api/scores?framework=soc2", "/api/evidence",
};

static char *tell_judged(const Stage *stage) {
    GString *told = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(judged); i++) {
        g_auto(Answer) answer = stage_get(stage, ROLE_OWNER, judged[i]);
        g_assert_cmpuint(answer.status, ==, 200);
        g_string_append_printf(told, "%s\n", answer.body);
    }
    return g_string_free(told, FALSE);
}

/* docs/judging.md says why. */
static void what_is_posted_judges_nothing(void) {
    static const DbScope scope = {.organization = ORG_A, .actor = "test", .role = "owner"};
    static const char *const results[] = {"pass", "fail", "could_not_read", "not_applicable"};
    static const char *const checks[] = {CHECK, "of-its-own"};
    static const char *const resources[] = {REPO, "acme/web"};
    g_auto(Stage) stage;
    begin(&stage);
    must(db_run(stage.db, &scope, DB_WRITE, add_failure, NULL, &error));
    g_autofree char *before = tell_judged(&stage);
    g_assert_nonnull(strstr(before, REPO));
    g_assert_nonnull(strstr(before, "\"status\":\"non_compliant\""));
    for (size_t i = 0; i < 16; i++) {
        g_autofree char *body = g_strdup_printf(
            "{\"integrationId\":\"acme\",\"check\":\"%s\",\"resource\":\"%s\",\"result\":\"%s\"}",
            checks[i / 8], resources[i / 4 % 2], results[i % 4]);
        g_auto(Answer) posted = stage_send(&stage, ROLE_SCANNER, "POST", "/api/assessments", body);
        g_assert_cmpuint(posted.status, ==, 201);
    }
    g_autofree char *after = tell_judged(&stage);
    g_assert_cmpstr(after, ==, before);
    g_auto(Answer) list = stage_get(&stage, ROLE_OWNER, "/api/assessments?check=" CHECK);
    g_assert_cmpuint(json_count(json_member(list.json, "assessments")), ==, 8);
    clock_thaw();
}

static const ApiTest tests[] = {
    {"a_scanner_takes_what_is_due_and_says_when_it_is_done",
     a_scanner_takes_what_is_due_and_says_when_it_is_done},
    {"what_is_posted_moves_the_times_and_is_listed", what_is_posted_moves_the_times_and_is_listed},
    {"a_scanner_is_bound_to_what_its_token_names", a_scanner_is_bound_to_what_its_token_names},
    {"somebody_asks_for_a_scan_and_what_collects_is_synced_as_well",
     somebody_asks_for_a_scan_and_what_collects_is_synced_as_well},
    {"what_is_paused_is_neither_due_nor_asked_for", what_is_paused_is_neither_due_nor_asked_for},
    {"what_is_posted_judges_nothing", what_is_posted_judges_nothing},
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "scans", tests, G_N_ELEMENTS(tests));
}
