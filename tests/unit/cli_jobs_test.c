/* Runs on the command line: listed, shown, called off, run again. */
#include "base/clock.h"
#include "cli/jobs.h"
#include "store/definition_text.h"
#include "store/job_claim.h"
#include "unit/cli_support.h"

#include <string.h>

#define NOW INT64_C(1760000000000)

typedef struct {
    const char *id;
    const char *integration_id;
    int64_t priority;
    Job *job;
    const char *result;
    const char *failure;
} Work;

static bool add_work(DbUnit *unit, void *data, GError **error) {
    const Work *work = data;
    Job job = {.id = work->id,
               .integration_id = work->integration_id,
               .request = "{\"evidenceTypes\":[\"branch_protection\",\"security_alerts\"],"
                          "\"from\":0,\"to\":0}",
               .definition_sha256 = "0f",
               .priority = work->priority};
    return job_insert(unit, &job, error);
}

static void add_job(const Session *session, const char *integration_id, const char *id,
                    int64_t priority) {
    Work work = {.id = id, .integration_id = integration_id, .priority = priority};
    must(session_run(session, DB_WRITE, add_work, &work, &error));
}

static bool claim_work(DbUnit *unit, void *data, GError **error) {
    Work *work = data;
    const JobClaim claim = {.owner = "host:1", .lease_ms = 3600000};
    g_clear_pointer(&work->job, job_free);
    return job_claim_one(unit, db_unit_scope(unit)->organization, work->id, &claim, &work->job,
                         error);
}

static Job *claim(const Session *session, const char *id) {
    Work work = {.id = id};
    DbScope system = {
        .organization = session_scope(session)->organization, .actor = "test", .system = true};
    must(db_run(session_db(session), &system, DB_WRITE, claim_work, &work, &error));
    g_assert_nonnull(work.job);
    return work.job;
}

static bool end_work(DbUnit *unit, void *data, GError **error) {
    const Work *work = data;
    JobLease lease = job_lease(work->job);
    return work->result ? job_complete(unit, &lease, work->result, error)
                        : job_fail(unit, &lease, work->failure, error);
}

static void end_job(const Session *session, const char *id, const char *result,
                    const char *failure) {
    Work work = {.job = claim(session, id), .result = result, .failure = failure};
    must(session_run(session, DB_WRITE, end_work, &work, &error));
    job_free(work.job);
}

static bool park_work(DbUnit *unit, void *data, GError **error) {
    const Work *work = data;
    JobLease lease = job_lease(work->job);
    return job_park(unit, &lease, NOW + 3600000, error);
}

static void park_job(const Session *session, const char *id) {
    Work work = {.job = claim(session, id)};
    must(session_run(session, DB_WRITE, park_work, &work, &error));
    job_free(work.job);
}

/* --- jobs list -------------------------------------------------------------------------------- */

static void empty_lists_say_what_to_do(void) {
    desk_fails("jobs list", 3, "");
    g_autoptr(Session) session = desk_session();
    g_auto(Said) nothing = desk_run("jobs list");
    assert_holds(nothing.out, "There is no such job.");
    assert_holds(nothing.err, "Next: assay connect github");
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    g_auto(Said) none = desk_run("jobs list");
    assert_holds(none.err, "Next: assay sync INTEGRATION");
    g_autoptr(Json) reply = desk_json("jobs list", 0);
    g_assert_cmpuint(json_count(json_member(reply, "jobs")), ==, 0);
    g_assert_true(json_kind(json_member(reply, "nextCursor")) == JSON_KIND_NULL);
}

#define RESULT                                                                                     \
    "{\"evidenceCollected\":1,\"evidenceFailed\":1,\"controlsUpdated\":7,\"errors\":["             \
    "{\"evidenceType\":\"security_alerts\",\"code\":\"PERMISSION_DENIED\",\"message\":\"Insuffi"   \
    "cient permissions\",\"retryable\":false}]}"

static void jobs_are_listed_with_what_came_of_them(void) {
    clock_freeze(NOW);
    g_autoptr(Session) session = desk_session();
    g_autofree char *acme = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    g_autofree char *beta = desk_add_integration(session, "beta", INTEGRATION_CONNECTED);
    add_job(session, acme, "job-1", JOB_PRIORITY_PERSON);
    add_job(session, beta, "job-2", JOB_PRIORITY_SCHEDULE);
    add_job(session, beta, "job-3", JOB_PRIORITY_RENEWAL);
    end_job(session, "job-1", RESULT, NULL);
    g_auto(Said) said = desk_run("jobs list");
    assert_holds(said.out, "job-1  acme         ✓ completed  a person");
    assert_holds(said.out, "job-2  beta         ◌ pending    schedule");
    assert_holds(said.out, "job-3  beta         ◌ pending    renewal");
    assert_holds(said.out, "2 evidence types");
    g_autoptr(Json) of_beta = desk_json("jobs list --integration beta", 0);
    g_autoptr(Json) completed = desk_json("jobs list --status completed", 0);
    g_assert_cmpuint(json_count(json_member(of_beta, "jobs")), ==, 2);
    const Json *job = json_item(json_member(completed, "jobs"), 0);
    g_assert_cmpstr(json_member_string(job, "id", ""), ==, "job-1");
    g_assert_cmpint(json_member_int(json_member(job, "result"), "controlsUpdated", 0), ==, 7);
    g_assert_true(json_kind(json_member(job, "error")) == JSON_KIND_NULL);
}

static void lists_are_paged(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *acme = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    for (int i = 0; i < 5; i++) {
        g_autofree char *id = g_strdup_printf("job-%d", i);
        add_job(session, acme, id, 0);
    }
    g_autoptr(Json) first = desk_json("jobs list --limit 3", 0);
    g_assert_cmpstr(json_member_string(first, "nextCursor", ""), ==, "job-2");
    g_autoptr(Json) rest = desk_json("jobs list --limit 3 --cursor job-2", 0);
    g_assert_cmpuint(json_count(json_member(rest, "jobs")), ==, 2);
    g_assert_true(json_kind(json_member(rest, "nextCursor")) == JSON_KIND_NULL);
    g_auto(Said) said = desk_run("jobs list --limit 3");
    assert_holds(said.err, "There is more: --cursor job-2");
}

static void wrong_filters_are_refused(void) {
    g_autoptr(Session) session = desk_session();
    desk_fails("jobs list --status broken", 2, "--status wants one of pending, running, parked");
    desk_fails("jobs list --integration nobody", 3, "no integration \"nobody\"");
    desk_fails("jobs", 2, "which command? jobs list, jobs show");
    desk_fails("jobs lisst", 2, "did you mean assay jobs list?");
}

/* --- jobs show -------------------------------------------------------------------------------- */

static void a_job_shows_how_it_stands(void) {
    clock_freeze(NOW);
    g_autoptr(Session) session = desk_session();
    g_autofree char *acme = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    add_job(session, acme, "job-1", JOB_PRIORITY_PERSON);
    end_job(session, "job-1", RESULT, NULL);
    g_auto(Said) said = desk_run("jobs show job-1");
    assert_holds(said.out, "Job job-1");
    assert_holds(said.out, "integration  acme");
    assert_holds(said.out, "status       ✓ completed");
    assert_holds(said.out, "evidence     branch_protection, security_alerts");
    assert_holds(said.out, "attempt      1 of 3");
    assert_holds(said.out, "1 collected, 1 failed, 7 controls updated");
    assert_holds(said.out, "PERMISSION_DENIED");
    g_autoptr(Json) json = desk_json("jobs show job-1", 0);
    g_assert_cmpstr(json_member_string(json, "integrationId", ""), ==, acme);
    g_assert_cmpint(json_member_int(json, "attempt", 0), ==, 1);
}

static void a_failed_job_says_why(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *acme = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    add_job(session, acme, "job-1", 0);
    end_job(session, "job-1", NULL, "{\"code\":\"TIMEOUT\",\"message\":\"No answer in time.\"}");
    g_auto(Said) said = desk_run("jobs show job-1");
    assert_holds(said.out, "▲ failed");
    assert_holds(said.out, "No answer in time.");
    g_autoptr(Json) json = desk_json("jobs show job-1", 0);
    g_assert_cmpstr(json_text(json_path(json, "error.code")), ==, "TIMEOUT");
}

static void unknown_jobs_are_not_found_anywhere(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *acme = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    add_job(session, acme, "job-1", 0);
    g_autoptr(Json) other = desk_json("init --organization other", 0);
    static const char *const commands[] = {"show", "cancel", "retry"};
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_autofree char *unknown = g_strdup_printf("jobs %s job-9", commands[i]);
        g_autofree char *foreign =
            g_strdup_printf("jobs %s job-1 --organization other", commands[i]);
        g_autofree char *missing = g_strdup_printf("jobs %s", commands[i]);
        desk_fails(unknown, 3, "there is no job \"job-9\"; `assay jobs list`");
        desk_fails(foreign, 3, "there is no job \"job-1\"");
        desk_fails(missing, 2, "something is missing");
    }
}

/* --- jobs cancel ------------------------------------------------------------------------------ */

static void a_waiting_job_is_called_off_at_once(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *acme = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    add_job(session, acme, "job-1", 0);
    g_auto(Said) said = desk_run("jobs cancel job-1");
    g_assert_cmpint(said.status, ==, 0);
    assert_holds(said.out, "– cancelled");
    assert_holds(said.err, "Next: assay jobs retry job-1");
    desk_fails("jobs cancel job-1", 1, "the job has ended already");
    g_autoptr(Json) log = desk_noted("job.cancel", 1);
    g_assert_cmpstr(json_text(json_path(json_item(log, 0), "target.id")), ==, "job-1");
    g_assert_cmpstr(json_text(json_path(json_item(log, 0), "actor.kind")), ==, "cli");
    g_autoptr(Json) json = desk_json("jobs show job-1", 0);
    g_assert_cmpstr(json_text(json_path(json, "error.code")), ==, "CANCELLED");
}

static void a_running_job_is_told_to_end(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *acme = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    add_job(session, acme, "job-1", 0);
    g_autoptr(Job) job = claim(session, "job-1");
    g_auto(Said) said = desk_run("jobs cancel job-1");
    g_assert_cmpint(said.status, ==, 0);
    assert_holds(said.out, "◐ running");
    assert_holds(said.out, "its worker ends it within seconds");
}

/* --- jobs retry ------------------------------------------------------------------------------- */

static void an_ended_job_is_queued_again(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *acme = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    add_job(session, acme, "job-1", 0);
    end_job(session, "job-1", NULL, "{\"code\":\"TIMEOUT\",\"message\":\"No answer in time.\"}");
    g_autoptr(Json) again = desk_json("jobs retry job-1", 0);
    g_assert_cmpstr(json_member_string(again, "id", ""), !=, "job-1");
    g_assert_cmpstr(json_member_string(again, "status", ""), ==, JOB_PENDING);
    g_assert_cmpuint(json_count(json_member(again, "evidenceTypes")), ==, 2);
    g_assert_cmpint(json_member_int(again, "priority", 0), ==, JOB_PRIORITY_PERSON);
}

static void a_parked_job_is_due_at_once_and_a_running_one_is_left_alone(void) {
    clock_freeze(NOW);
    g_autoptr(Session) session = desk_session();
    g_autofree char *acme = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    add_job(session, acme, "job-1", 0);
    park_job(session, "job-1");
    g_autoptr(Json) parked = desk_json("jobs show job-1", 0);
    g_assert_cmpstr(json_member_string(parked, "dueAt", ""), ==, "2025-10-09T09:53:20.000Z");
    g_autoptr(Json) resumed = desk_json("jobs retry job-1", 0);
    g_assert_cmpstr(json_member_string(resumed, "id", ""), ==, "job-1");
    g_assert_cmpstr(json_member_string(resumed, "dueAt", ""), ==, "2025-10-09T08:53:20.000Z");
    g_autoptr(Job) job = claim(session, "job-1");
    desk_fails("jobs retry job-1", 1, "the job is running");
    g_autoptr(Json) log = desk_noted("sync.start", 1);
}

/* --- the same of a server --------------------------------------------------------------------- */

#define JOB_1 "01890000-0000-7000-8000-000000000001"
#define JOB_2 "01890000-0000-7000-8000-000000000002"
#define JOB_3 "01890000-0000-7000-8000-000000000003"

static void both_ways_tell_the_same_of_jobs(void) {
    clock_freeze(NOW);
    g_autoptr(Session) session = desk_session();
    desk_serve("member", false);
    desk_same("jobs list", 0);
    g_autofree char *acme = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    g_autofree char *beta = desk_add_integration(session, "beta", INTEGRATION_CONNECTED);
    add_job(session, acme, JOB_1, JOB_PRIORITY_PERSON);
    add_job(session, beta, JOB_2, JOB_PRIORITY_SCHEDULE);
    add_job(session, acme, JOB_3, JOB_PRIORITY_RENEWAL);
    end_job(session, JOB_1, RESULT, NULL);
    park_job(session, JOB_2);
    g_autoptr(Job) job = claim(session, JOB_3);
    static const char *const lines[] = {"jobs list",
                                        "jobs list --integration acme",
                                        "jobs list --status completed",
                                        "jobs list --limit 2",
                                        "jobs list --limit 2 --cursor " JOB_2,
                                        "jobs show " JOB_1,
                                        "jobs show " JOB_2,
                                        "jobs show " JOB_3};
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
        desk_same(lines[i], 0);
}

static void both_ways_refuse_the_same(void) {
    g_autoptr(Session) session = desk_session();
    desk_serve("member", false);
    g_autofree char *acme = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    add_job(session, acme, JOB_1, 0);
    g_autoptr(Job) job = claim(session, JOB_1);
    desk_same("jobs list --status broken", 2);
    desk_same("jobs list --integration nobody", 3);
    desk_same("jobs show " JOB_2, 3);
    desk_same("jobs show job-1", 3);
    desk_same("jobs cancel " JOB_2, 3);
    desk_same("jobs retry " JOB_2, 3);
    desk_same("jobs retry " JOB_1, 1);
}

static void a_job_is_called_off_there(void) {
    g_autoptr(Session) session = desk_session();
    desk_serve("member", false);
    g_autofree char *acme = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    add_job(session, acme, JOB_1, 0);
    add_job(session, acme, JOB_2, 0);
    g_autoptr(Job) job = claim(session, JOB_1);
    g_auto(Said) told = desk_run(desk_there("jobs cancel " JOB_1));
    g_assert_cmpint(told.status, ==, 0);
    assert_holds(told.out, "its worker ends it within seconds");
    desk_same("jobs show " JOB_1, 0);
    g_auto(Said) ended = desk_run(desk_there("jobs cancel " JOB_2));
    assert_holds(ended.out, "– cancelled");
    assert_holds(ended.err, "Next: assay jobs retry " JOB_2);
    desk_fails(desk_there("jobs cancel " JOB_2), 1, "the job has ended already");
}

static void a_job_is_run_again_there(void) {
    g_autoptr(Session) session = desk_session();
    desk_serve("member", false);
    g_autofree char *acme = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    add_job(session, acme, JOB_1, 0);
    end_job(session, JOB_1, NULL, "{\"code\":\"TIMEOUT\",\"message\":\"No answer in time.\"}");
    g_autoptr(Json) again = desk_json(desk_there("jobs retry " JOB_1), 0);
    const char *id = json_member_string(again, "id", "");
    g_assert_cmpstr(id, !=, JOB_1);
    g_assert_cmpstr(json_member_string(again, "status", ""), ==, JOB_PENDING);
    g_autofree char *line = g_strdup_printf("jobs show %s", id);
    desk_same(line, 0);
    park_job(session, id);
    g_autofree char *retry = g_strdup_printf("jobs retry %s", id);
    g_auto(Said) resumed = desk_run(desk_there(retry));
    assert_holds(resumed.out, id);
    assert_holds(resumed.err, "A worker there runs it. Next: assay jobs show ");
}

static void both_ways_note_who_has_run_it_again(void) {
    g_autoptr(Session) session = desk_session();
    desk_serve("member", false);
    g_autofree char *acme = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    add_job(session, acme, JOB_1, 0);
    g_auto(Said) here = desk_run("jobs retry " JOB_1);
    g_assert_cmpint(here.status, ==, 0);
    g_auto(Said) there = desk_run(desk_there("jobs retry " JOB_1));
    g_assert_cmpint(there.status, ==, 0);
    desk_noted_same("sync.start");
}

static void whoever_only_reads_calls_nothing_off(void) {
    g_autoptr(Session) session = desk_session();
    desk_serve("auditor", false);
    g_autofree char *acme = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    add_job(session, acme, JOB_1, 0);
    desk_same("jobs show " JOB_1, 0);
    desk_fails(desk_there("jobs cancel " JOB_1), 4, "");
    desk_fails(desk_there("jobs retry " JOB_1), 4, "");
    g_autoptr(Json) job = desk_json("jobs show " JOB_1, 0);
    g_assert_cmpstr(json_member_string(job, "status", ""), ==, JOB_PENDING);
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"empty_lists_say_what_to_do", empty_lists_say_what_to_do},
        {"jobs_are_listed_with_what_came_of_them", jobs_are_listed_with_what_came_of_them},
        {"lists_are_paged", lists_are_paged},
        {"wrong_filters_are_refused", wrong_filters_are_refused},
        {"a_job_shows_how_it_stands", a_job_shows_how_it_stands},
        {"a_failed_job_says_why", a_failed_job_says_why},
        {"unknown_jobs_are_not_found_anywhere", unknown_jobs_are_not_found_anywhere},
        {"a_waiting_job_is_called_off_at_once", a_waiting_job_is_called_off_at_once},
        {"a_running_job_is_told_to_end", a_running_job_is_told_to_end},
        {"an_ended_job_is_queued_again", an_ended_job_is_queued_again},
        {"a_parked_job_is_due_at_once_and_a_running_one_is_left_alone",
         a_parked_job_is_due_at_once_and_a_running_one_is_left_alone},
        {"both_ways_tell_the_same_of_jobs", both_ways_tell_the_same_of_jobs},
        {"both_ways_refuse_the_same", both_ways_refuse_the_same},
        {"a_job_is_called_off_there", a_job_is_called_off_there},
        {"a_job_is_run_again_there", a_job_is_run_again_there},
        {"both_ways_note_who_has_run_it_again", both_ways_note_who_has_run_it_again},
        {"whoever_only_reads_calls_nothing_off", whoever_only_reads_calls_nothing_off},
    };
    return desk_main(argc, argv, "jobs", tests, G_N_ELEMENTS(tests));
}
