/* Evidence for one control over the API. */
#include "unit/api_support.h"

#include "store/integration.h"
#include "store/job.h"
#include "store/job_claim.h"

#include <string.h>
#include <unistd.h>

#define PATH "/api/integrations/collect-evidence"

static const DbScope scope = {.organization = ORG_A, .actor = "test", .role = "owner"};
static const DbScope claiming = {.organization = ORG_A, .actor = "test", .system = true};

/* --- a worker --------------------------------------------------------------------------------- */

typedef struct {
    const char *job_id;
    Job *job;
} RunWork;

static bool claim_work(DbUnit *unit, void *data, GError **error) {
    RunWork *work = data;
    JobClaim claim = {.owner = "worker-1", .lease_ms = 600000};
    g_clear_pointer(&work->job, job_free);
    return job_claim_one(unit, ORG_A, work->job_id, &claim, &work->job, error);
}

static bool complete_work(DbUnit *unit, void *data, GError **error) {
    const RunWork *work = data;
    JobLease lease = job_lease(work->job);
    return job_complete(unit, &lease,
                        "{\"evidenceCollected\":2,\"evidenceFailed\":1,\"controlsUpdated\":2,"
                        "\"errors\":[{\"evidenceType\":\"members\",\"code\":\"TIMEOUT\","
                        "\"message\":\"m\",\"retryable\":true,\"details\":{}}]}",
                        error);
}

/* Asks, and leaves the connection waiting. */
static int ask(const Stage *stage, const char *body) {
    g_autofree char *text =
        g_strdup_printf("POST " PATH " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                        stage->tokens[ROLE_OWNER], strlen(body), body);
    int connection = stage_connect(stage);
    stage_write(connection, text);
    return connection;
}

/* The job that the request has queued, once it has. Caller frees. */
static char *queued(const Stage *stage) {
    for (;;) {
        g_auto(Answer) jobs = stage_get(stage, ROLE_OWNER, "/api/jobs?status=pending");
        const Json *job = json_item(json_member(jobs.json, "jobs"), 0);
        if (job)
            return g_strdup(json_member_string(job, "id", ""));
        g_usleep(2000);
    }
}

/* --- tests ------------------------------------------------------------------------------------ */

static void whoever_asks_waits_for_the_evidence_of_the_control(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    int connection = ask(&stage, "{\"companyId\":\"Alpha\",\"controlId\":\"soc2:CC8.1\"}");
    g_autofree char *id = queued(&stage);
    g_autofree char *path = g_strdup_printf("/api/jobs/%s", id);
    g_auto(Answer) job = stage_get(&stage, ROLE_OWNER, path);
    g_assert_cmpint(json_member_int(job.json, "priority", 0), ==, JOB_PRIORITY_PERSON);
    g_assert_cmpuint(json_count(json_member(job.json, "evidenceTypes")), >=, 1);
    RunWork work = {.job_id = id};
    must(db_run(stage.db, &claiming, DB_WRITE, claim_work, &work, &error));
    must(db_run(stage.db, &scope, DB_WRITE, complete_work, &work, &error));
    job_free(work.job);
    g_auto(Answer) answer = stage_read(connection, false);
    g_test_message("%s", answer.body);
    g_assert_cmpuint(answer.status, ==, 200);
    g_assert_cmpint(json_member_int(answer.json, "evidenceCount", -1), ==, 2);
    g_assert_cmpstr(answer_text(&answer, "framework"), ==, "soc2");
    g_assert_cmpstr(answer_text(&answer, "controlId"), ==, "CC8.1");
    g_assert_cmpstr(answer_text(&answer, "complianceStatus"), ==,
                    answer_text(&answer, "control.status"));
    g_assert_nonnull(json_member(answer.json, "confidence"));
    g_assert_cmpstr(json_text(json_item(json_member(answer.json, "jobs"), 0)), ==, id);
    const Json *wrong = json_item(json_member(answer.json, "errors"), 0);
    g_assert_cmpstr(json_member_string(wrong, "code", ""), ==, "TIMEOUT");
    g_assert_cmpstr(json_member_string(wrong, "integrationId", ""), ==, INTEGRATION_A);
    g_assert_cmpuint(stage.queued, ==, 1);
    close(connection);
}

static void what_takes_too_long_goes_on_as_jobs(void) {
    g_auto(Stage) stage;
    stage_init_hasty(&stage, 60);
    g_auto(Answer) answer =
        stage_send(&stage, ROLE_MEMBER, "POST", PATH, "{\"controlId\":\"soc2:CC8.1\"}");
    g_assert_cmpuint(answer.status, ==, 202);
    g_autofree char *location = answer_header(&answer, "Location");
    g_auto(Answer) job = stage_get(&stage, ROLE_MEMBER, location);
    g_assert_cmpstr(answer_text(&job, "status"), ==, "pending");
    g_assert_cmpstr(answer_text(&job, "id"), ==, answer_text(&answer, "jobId"));
    g_assert_cmpuint(json_count(json_member(answer.json, "jobs")), ==, 1);
    g_assert_true(g_str_has_suffix(answer_text(&answer, "events"), "/events"));
}

static void a_job_that_is_called_off_ends_the_wait(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    int connection = ask(&stage, "{\"controlId\":\"CC8.1\",\"framework\":\"soc2\"}");
    g_autofree char *id = queued(&stage);
    g_autofree char *cancel = g_strdup_printf("/api/jobs/%s/cancel", id);
    g_auto(Answer) cancelled = stage_send(&stage, ROLE_OWNER, "POST", cancel, NULL);
    g_assert_cmpuint(cancelled.status, ==, 200);
    g_auto(Answer) answer = stage_read(connection, false);
    g_assert_cmpuint(answer.status, ==, 200);
    g_assert_cmpint(json_member_int(answer.json, "evidenceCount", -1), ==, 0);
    g_assert_cmpuint(json_count(json_member(answer.json, "errors")), ==, 1);
    close(connection);
}

static void a_server_that_stops_answers_who_waits(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    int connection = ask(&stage, "{\"controlId\":\"soc2:CC8.1\"}");
    g_autofree char *id = queued(&stage);
    g_clear_pointer(&stage.api, api_stop);
    g_auto(Answer) answer = stage_read(connection, false);
    assert_problem(&answer, 503, "SERVICE_UNAVAILABLE");
    close(connection);
}

static void nothing_that_serves_the_control_is_answered_at_once(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) manual =
        stage_get(&stage, ROLE_OWNER, "/api/controls?framework=soc2&status=manual");
    const Json *control = json_item(json_member(manual.json, "controls"), 0);
    g_autofree char *body =
        g_strdup_printf("{\"controlId\":\"soc2:%s\"}", json_member_string(control, "id", "none"));
    g_auto(Answer) answer = stage_send(&stage, ROLE_OWNER, "POST", PATH, body);
    g_assert_cmpuint(answer.status, ==, 200);
    g_assert_cmpstr(answer_text(&answer, "complianceStatus"), ==, "manual");
    g_assert_cmpint(json_member_int(answer.json, "evidenceCount", -1), ==, 0);
    g_assert_cmpuint(json_count(json_member(answer.json, "jobs")), ==, 0);
}

static bool change_status(DbUnit *unit, void *data, GError **error) {
    IntegrationStatus status = {.status = data};
    return integration_update_status(unit, INTEGRATION_A, &status, error);
}

static void what_is_paused_is_not_collected_from(void) {
    char paused[] = INTEGRATION_PAUSED;
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    must(db_run(stage.db, &scope, DB_WRITE, change_status, paused, &error));
    g_auto(Answer) answer =
        stage_send(&stage, ROLE_OWNER, "POST", PATH, "{\"controlId\":\"soc2:CC8.1\"}");
    g_assert_cmpuint(answer.status, ==, 200);
    g_assert_cmpuint(json_count(json_member(answer.json, "jobs")), ==, 0);
}

static void only_who_may_asks_for_what_there_is(void) {
    static const struct {
        Role role;
        const char *body;
        unsigned status;
    } cases[] = {
        {ROLE_AUDITOR, "{\"controlId\":\"soc2:CC8.1\"}", 403},
        {ROLE_SCANNER, "{\"controlId\":\"soc2:CC8.1\"}", 403},
        {ROLE_OWNER, "{}", 400},
        {ROLE_OWNER, "{\"controlId\":\"XX9.9\"}", 404},
        {ROLE_OWNER, "{\"controlId\":\"CC8.1\",\"companyId\":\"Beta\"}", 404},
    };
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Answer) answer = stage_send(&stage, cases[i].role, "POST", PATH, cases[i].body);
        g_test_message("%s: %s", cases[i].body, answer.body);
        g_assert_cmpuint(answer.status, ==, cases[i].status);
    }
    g_assert_cmpuint(stage.queued, ==, 0);
}

static const ApiTest tests[] = {
    {"whoever_asks_waits_for_the_evidence_of_the_control",
     whoever_asks_waits_for_the_evidence_of_the_control},
    {"what_takes_too_long_goes_on_as_jobs", what_takes_too_long_goes_on_as_jobs},
    {"a_job_that_is_called_off_ends_the_wait", a_job_that_is_called_off_ends_the_wait},
    {"a_server_that_stops_answers_who_waits", a_server_that_stops_answers_who_waits},
    {"nothing_that_serves_the_control_is_answered_at_once",
     nothing_that_serves_the_control_is_answered_at_once},
    {"what_is_paused_is_not_collected_from", what_is_paused_is_not_collected_from},
    {"only_who_may_asks_for_what_there_is", only_who_may_asks_for_what_there_is},
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "collect", tests, G_N_ELEMENTS(tests));
}
