/* What a sync answers to scripts, and its exit status. */
#include "base/clock.h"
#include "cli/sync.h"
#include "store/job.h"
#include "store/job_claim.h"
#include "unit/cli_support.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define REFUSED "{\"evidenceType\":\"a\",\"code\":\"AUTHENTICATION_FAILED\",\"retryable\":false}"
#define DENIED "{\"evidenceType\":\"b\",\"code\":\"PERMISSION_DENIED\",\"retryable\":false}"
#define LATER "{\"evidenceType\":\"c\",\"code\":\"SERVICE_UNAVAILABLE\",\"retryable\":true}"
#define LIMITED "{\"evidenceType\":\"d\",\"code\":\"RATE_LIMITED\",\"retryable\":true}"
#define BROKEN "{\"evidenceType\":\"e\",\"code\":\"SERVICE_UNAVAILABLE\",\"retryable\":false}"

static void the_exit_status_follows_the_errors(void) {
    static const struct {
        int collected;
        const char *errors;
        int status;
    } cases[] = {
        {2, "", 0},
        {0, "", 0},
        {0, REFUSED, 4},
        {0, REFUSED "," REFUSED, 4},
        {2, REFUSED, 4},
        {1, REFUSED "," LATER, 5},
        {0, REFUSED "," LATER, 5},
        {0, LATER, 6},
        {0, LATER "," LIMITED, 6},
        {1, LATER, 5},
        {0, LATER "," BROKEN, 5},
        {0, DENIED, 5},
        {2, DENIED, 5},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strdup_printf("{\"evidenceCollected\":%d,\"errors\":[%s]}",
                                                cases[i].collected, cases[i].errors);
        g_autoptr(Json) result = json_of(text);
        g_assert_cmpint(sync_exit_status(result), ==, cases[i].status);
    }
}

static void a_parked_run_is_to_be_tried_later(void) {
    g_autoptr(Json) result =
        json_of("{\"evidenceCollected\":1,\"errors\":[],\"parkedUntil\":\"2026-11-20T08:00:00Z\"}");
    g_assert_cmpint(sync_exit_status(result), ==, 6);
}

static void the_reply_has_what_scripts_rely_on_and_no_more(void) {
    g_autoptr(Json) result =
        json_of("{\"evidenceCollected\":3,\"evidenceFailed\":1,\"controlsUpdated\":5,\"secret\":1,"
                "\"errors\":[{\"evidenceType\":\"a\",\"code\":\"TIMEOUT\",\"message\":\"m\","
                "\"retryable\":true,\"details\":{\"calls\":2},\"more\":1},"
                "{\"evidenceType\":\"b\",\"code\":\"RATE_LIMITED\",\"message\":\"n\"}]}");
    g_autoptr(Json) reply = sync_reply(result, "job");
    g_autofree char *text = json_print(reply, JSON_COMPACT);
    g_assert_cmpstr(
        text, ==,
        "{\"evidenceCollected\":3,\"evidenceFailed\":1,\"controlsUpdated\":5,\"errors\":["
        "{\"evidenceType\":\"a\",\"code\":\"TIMEOUT\",\"message\":\"m\","
        "\"retryable\":true,\"details\":{\"calls\":2}},"
        "{\"evidenceType\":\"b\",\"code\":\"RATE_LIMITED\",\"message\":\"n\","
        "\"retryable\":true,\"details\":{}}],\"jobId\":\"job\"}");
}

static void an_unknown_integration_is_not_found(void) {
    g_autoptr(Session) session = desk_session();
    desk_fails("sync acme", 3, "there is no integration \"acme\"; `assay integrations`");
    g_autoptr(Json) reply = desk_json("sync acme", 3);
    g_assert_false(json_member_bool(reply, "success", true));
    g_assert_cmpstr(json_text(json_path(reply, "error.code")), ==, "NOT_FOUND");
}

static void wrong_wishes_make_no_job(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    desk_fails("sync acme --evidence branch_protektion", 2, "no evidence type");
    desk_fails("sync acme --controls soc2:CC1.1", 2, "CC1.1");
    desk_fails("sync acme --from 2026-11-20 --to 2026-11-19", 2, "--from must be earlier");
    desk_fails("sync acme --from yesterday", 2, "--from wants a time");
    desk_fails("sync", 2, "something is missing; the usage is: assay sync INTEGRATION");
    g_autoptr(Json) log = desk_noted("sync.start", 0);
}

static void an_integration_without_credential_fails_as_a_whole(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    g_autoptr(Json) reply = desk_json("sync acme", 3);
    g_assert_false(json_member_bool(reply, "success", true));
    assert_holds(json_text(json_path(reply, "error.message")), "credential");
    g_autoptr(Json) log = desk_noted("sync.start", 1);
    g_assert_cmpstr(json_text(json_path(json_item(log, 0), "target.id")), ==, id);
    g_assert_cmpstr(json_text(json_path(json_item(log, 0), "target.name")), ==, "acme");
    g_assert_cmpstr(json_text(json_path(json_item(log, 0), "actor.kind")), ==, "cli");
}

/* --- on a server ------------------------------------------------------------------------------ */

#define LATER_MS INT64_C(86400000)

/* Somebody who runs jobs as workers do: claims what waits, and ends it in one way. */
typedef struct {
    const Session *session;
    const char *result;  /* it completes with this, */
    const char *failure; /* or fails with this; neither: it is parked */
    Job *job;
    char *request;
    int64_t parked_until;
    atomic_bool over;
    pthread_t thread;
} Helper;

static bool claim_work(DbUnit *unit, void *data, GError **error) {
    Helper *helper = data;
    const JobClaim claim = {.owner = "host:1", .lease_ms = 3600000};
    const JobFilter waiting = {.status = JOB_PENDING, .limit = 1};
    g_autoptr(GPtrArray) jobs = NULL;
    g_clear_pointer(&helper->job, job_free);
    if (!job_list(unit, &waiting, &jobs, error))
        return false;
    return jobs->len == 0 || job_claim_one(unit, db_unit_scope(unit)->organization,
                                           ((const Job *)g_ptr_array_index(jobs, 0))->id, &claim,
                                           &helper->job, error);
}

static bool end_work(DbUnit *unit, void *data, GError **error) {
    Helper *helper = data;
    JobLease lease = job_lease(helper->job);
    if (helper->result)
        return job_complete(unit, &lease, helper->result, error);
    return helper->failure ? job_fail(unit, &lease, helper->failure, error)
                           : job_park(unit, &lease, helper->parked_until, error);
}

static void *help(void *data) {
    Helper *helper = data;
    DbScope scope = *session_scope(helper->session);
    scope.system = true;
    while (!helper->job && !atomic_load(&helper->over)) {
        must(db_run(session_db(helper->session), &scope, DB_WRITE, claim_work, helper, &error));
        poll(NULL, 0, 2);
    }
    if (!helper->job)
        return NULL;
    helper->request = g_strdup(helper->job->request);
    must(session_run(helper->session, DB_WRITE, end_work, helper, &error));
    return NULL;
}

static void helper_start(Helper *helper, const Session *session) {
    helper->session = session;
    helper->parked_until = clock_now_ms() + LATER_MS;
    g_assert_cmpint(pthread_create(&helper->thread, NULL, help, helper), ==, 0);
}

static void helper_join(Helper *helper) {
    atomic_store(&helper->over, true);
    pthread_join(helper->thread, NULL);
}

static void helper_end(Helper *helper) {
    helper_join(helper);
    job_free(helper->job);
    g_free(helper->request);
}

#define COLLECTED                                                                                  \
    "{\"evidenceCollected\":2,\"evidenceFailed\":0,\"controlsUpdated\":7,\"errors\":[]}"
#define PARTLY                                                                                     \
    "{\"evidenceCollected\":1,\"evidenceFailed\":1,\"controlsUpdated\":7,\"errors\":[" DENIED "]}"
#define FAILED "{\"code\":\"SERVICE_UNAVAILABLE\",\"message\":\"Nobody is there.\"}"

static void what_a_server_collects_is_told_like_what_is_collected_here(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    desk_serve("member", false);
    Helper helper = {.result = COLLECTED};
    helper_start(&helper, session);
    g_autoptr(Json) reply = desk_json(
        desk_there("sync acme --evidence branch_protection --from 2026-01-01 --to 2026-02-01"), 0);
    g_assert_cmpint(json_member_int(reply, "evidenceCollected", 0), ==, 2);
    g_assert_cmpint(json_member_int(reply, "controlsUpdated", 0), ==, 7);
    g_assert_cmpuint(json_count(reply), ==, 5);
    helper_join(&helper);
    assert_holds(helper.request, "\"evidenceTypes\":[\"branch_protection\"]");
    assert_holds(helper.request, "1767225600000");
    assert_holds(helper.request, "1769904000000");
    g_autofree char *line =
        g_strdup_printf("jobs show %s", json_member_string(reply, "jobId", "?"));
    g_autoptr(Json) job = desk_json(line, 0);
    g_assert_cmpstr(json_member_string(job, "status", ""), ==, JOB_COMPLETED);
    job_free(helper.job);
    g_free(helper.request);
}

static void people_see_what_was_not_whole_there(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    desk_serve("member", false);
    Helper helper = {.result = PARTLY};
    helper_start(&helper, session);
    g_auto(Said) said = desk_run(desk_there("sync acme"));
    g_assert_cmpint(said.status, ==, 5);
    assert_holds(said.out, "acme: 1 collected, 1 failed, 7 controls updated.");
    assert_holds(said.out, "PERMISSION_DENIED");
    assert_holds(said.err, "Next: assay controls");
    helper_end(&helper);
}

static void a_run_that_fails_there_says_why(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    desk_serve("member", false);
    Helper helper = {.failure = FAILED};
    helper_start(&helper, session);
    desk_fails(desk_there("sync acme"), 6, "assay: Nobody is there.\n");
    helper_end(&helper);
}

static void a_run_that_is_parked_there_is_to_be_tried_later(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    desk_serve("member", false);
    Helper helper = {0};
    helper_start(&helper, session);
    g_autoptr(Json) reply = desk_json(desk_there("sync acme"), 6);
    g_autofree char *until = clock_format(helper.parked_until);
    g_assert_cmpstr(json_member_string(reply, "parkedUntil", ""), ==, until);
    g_assert_cmpint(json_member_int(reply, "evidenceCollected", -1), ==, 0);
    helper_end(&helper);
}

static void wrong_wishes_make_no_job_there_either(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    desk_serve("member", false);
    desk_refuse_same("sync acme --evidence branch_protektion", 2);
    desk_refuse_same("sync acme --controls soc2:CC1.1", 2);
    desk_refuse_same("sync acme --from 2026-11-20 --to 2026-11-19", 2);
    desk_refuse_same("sync nobody", 3);
    g_autoptr(Json) jobs = desk_json("jobs list", 0);
    g_assert_cmpuint(json_count(json_member(jobs, "jobs")), ==, 0);
}

static void what_is_paused_is_not_collected_from_there(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_PAUSED);
    desk_serve("member", false);
    desk_fails(desk_there("sync acme"), 1, "paused");
}

static void whoever_only_reads_collects_nothing(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    desk_serve("auditor", false);
    desk_fails(desk_there("sync acme"), 4, "The role auditor does not allow this");
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"the_exit_status_follows_the_errors", the_exit_status_follows_the_errors},
        {"a_parked_run_is_to_be_tried_later", a_parked_run_is_to_be_tried_later},
        {"the_reply_has_what_scripts_rely_on_and_no_more",
         the_reply_has_what_scripts_rely_on_and_no_more},
        {"an_unknown_integration_is_not_found", an_unknown_integration_is_not_found},
        {"wrong_wishes_make_no_job", wrong_wishes_make_no_job},
        {"an_integration_without_credential_fails_as_a_whole",
         an_integration_without_credential_fails_as_a_whole},
        {"what_a_server_collects_is_told_like_what_is_collected_here",
         what_a_server_collects_is_told_like_what_is_collected_here},
        {"people_see_what_was_not_whole_there", people_see_what_was_not_whole_there},
        {"a_run_that_fails_there_says_why", a_run_that_fails_there_says_why},
        {"a_run_that_is_parked_there_is_to_be_tried_later",
         a_run_that_is_parked_there_is_to_be_tried_later},
        {"wrong_wishes_make_no_job_there_either", wrong_wishes_make_no_job_there_either},
        {"what_is_paused_is_not_collected_from_there", what_is_paused_is_not_collected_from_there},
        {"whoever_only_reads_collects_nothing", whoever_only_reads_collects_nothing},
    };
    return desk_main(argc, argv, "sync", tests, G_N_ELEMENTS(tests));
}
