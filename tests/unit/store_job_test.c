#include "unit/store_support.h"

#include "base/clock.h"
#include "store/job.h"
#include "store/job_claim.h"

#include <string.h>

static const JobClaim worker = {.owner = "worker-1", .lease_ms = 60000};
static const JobLease first_lease = {.job_id = "job-1", .owner = "worker-1", .fence = 1};

static void adds(DbUnit *unit) {
    Job job = {.id = "job-1",
               .integration_id = INTEGRATION_A,
               .request = "{\"evidenceTypes\":[\"x\"]}",
               .definition_sha256 = "0f",
               .priority = 7};
    store_ok(job_insert(unit, &job, &error));
}

static void claims(DbUnit *unit) {
    g_autoptr(Job) job = NULL;
    store_ok(job_claim_one(unit, ORG_A, "job-1", &worker, &job, &error));
    g_assert_nonnull(job);
    JobLease lease = job_lease(job);
    g_assert_cmpstr(lease.job_id, ==, "job-1");
    g_assert_cmpstr(lease.owner, ==, "worker-1");
    g_assert_cmpint(lease.fence, ==, 1);
}

static void reads_pending(DbUnit *unit) {
    g_autoptr(Job) job = NULL;
    store_ok(job_get(unit, "job-1", &job, &error));
    g_assert_cmpstr(job->organization_id, ==, ORG_A);
    g_assert_cmpstr(job->integration_id, ==, INTEGRATION_A);
    g_assert_cmpstr(job->status, ==, JOB_PENDING);
    g_assert_cmpstr(job->request, ==, "{\"evidenceTypes\":[\"x\"]}");
    g_assert_cmpstr(job->definition_sha256, ==, "0f");
    g_assert_cmpint(job->run_clock, ==, 0);
    g_assert_cmpint(job->attempt, ==, 0);
    g_assert_cmpint(job->priority, ==, 7);
    g_assert_cmpint(job->due_at, ==, START_MS);
    g_assert_cmpstr(job->lease_owner, ==, "");
    g_assert_cmpint(job->lease_until, ==, 0);
    g_assert_cmpint(job->fence, ==, 0);
    g_assert_cmpint(job->created_at, ==, START_MS);
    g_assert_cmpint(job->started_at, ==, 0);
    g_assert_cmpint(job->completed_at, ==, 0);
    JobResult *result = NULL;
    store_fails(ERROR_NOT_FOUND, job_result_get(unit, "job-1", &result, &error));
}

static void a_new_job_is_pending_and_due(void) {
    store_in(ORG_A, adds);
    store_in(ORG_A, reads_pending);
}

static void adds_badly(DbUnit *unit) {
    Job job = {
        .id = "job-1", .integration_id = INTEGRATION_A, .request = "{}", .definition_sha256 = "0f"};
    store_fails(ERROR_CONFLICT, job_insert(unit, &job, &error));
    job.id = "job-2";
    job.integration_id = INTEGRATION_B;
    store_fails(ERROR_NOT_FOUND, job_insert(unit, &job, &error));
    job.integration_id = INTEGRATION_A;
    job.definition_sha256 = NULL;
    store_fails(ERROR_CONFIGURATION, job_insert(unit, &job, &error));
}

static void a_job_needs_its_own_id_integration_and_definition(void) {
    store_in(ORG_A, adds);
    store_in(ORG_A, adds_badly);
}

static void sees_nothing(DbUnit *unit) {
    Job *job = NULL;
    store_fails(ERROR_NOT_FOUND, job_get(unit, "job-1", &job, &error));
    g_autoptr(GPtrArray) active = NULL;
    store_ok(job_list_active(unit, INTEGRATION_A, &active, &error));
    g_assert_cmpuint(active->len, ==, 0);
    JobFilter all = {0};
    g_autoptr(GPtrArray) jobs = NULL;
    store_ok(job_list(unit, &all, &jobs, &error));
    g_assert_cmpuint(jobs->len, ==, 0);
    store_fails(ERROR_CONFLICT, job_guard(unit, &first_lease, &error));
    store_fails(ERROR_CONFLICT, job_renew(unit, &first_lease, 1, NULL, &error));
    store_fails(ERROR_CONFLICT, job_complete(unit, &first_lease, "{}", &error));
    store_fails(ERROR_CONFLICT, job_park(unit, &first_lease, 1, &error));
}

static void reads_result_of_a(DbUnit *unit) {
    JobResult *result = NULL;
    store_fails(ERROR_NOT_FOUND, job_result_get(unit, "job-1", &result, &error));
}

static void completes(DbUnit *unit) {
    store_ok(job_complete(unit, &first_lease, "{\"evidenceCollected\":2}", &error));
}

static void another_organization_sees_and_changes_nothing(void) {
    store_in(ORG_A, adds);
    store_system(claims);
    store_in(ORG_B, sees_nothing);
    store_in(ORG_A, completes);
    store_in(ORG_B, reads_result_of_a);
}

static void reads_completed(DbUnit *unit) {
    g_autoptr(Job) job = NULL;
    store_ok(job_get(unit, "job-1", &job, &error));
    g_assert_cmpstr(job->status, ==, JOB_COMPLETED);
    g_assert_cmpstr(job->lease_owner, ==, "");
    g_assert_cmpint(job->started_at, ==, START_MS);
    g_assert_cmpint(job->completed_at, ==, START_MS + 500);
    g_autoptr(JobResult) result = NULL;
    store_ok(job_result_get(unit, "job-1", &result, &error));
    g_assert_cmpstr(result->result, ==, "{\"evidenceCollected\":2}");
    g_assert_null(result->error);
    g_autoptr(GPtrArray) active = NULL;
    store_ok(job_list_active(unit, INTEGRATION_A, &active, &error));
    g_assert_cmpuint(active->len, ==, 0);
    store_fails(ERROR_CONFLICT, job_fail(unit, &first_lease, "{}", &error));
}

static void a_completed_job_keeps_its_result(void) {
    store_in(ORG_A, adds);
    store_system(claims);
    clock_advance(500);
    store_in(ORG_A, completes);
    store_in(ORG_A, reads_completed);
}

static void fails_job(DbUnit *unit) {
    store_ok(job_fail(unit, &first_lease, "{\"code\":\"TIMEOUT\"}", &error));
    g_autoptr(Job) job = NULL;
    store_ok(job_get(unit, "job-1", &job, &error));
    g_assert_cmpstr(job->status, ==, JOB_FAILED);
    g_autoptr(JobResult) result = NULL;
    store_ok(job_result_get(unit, "job-1", &result, &error));
    g_assert_cmpstr(result->error, ==, "{\"code\":\"TIMEOUT\"}");
    g_assert_null(result->result);
}

static void a_failed_job_keeps_its_error(void) {
    store_in(ORG_A, adds);
    store_system(claims);
    store_in(ORG_A, fails_job);
}

static void uses_stale_leases(DbUnit *unit) {
    static const JobLease stale[] = {
        {.job_id = "job-1", .owner = "worker-1", .fence = 0},
        {.job_id = "job-1", .owner = "worker-1", .fence = 2},
        {.job_id = "job-1", .owner = "worker-2", .fence = 1},
        {.job_id = "job-2", .owner = "worker-1", .fence = 1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(stale); i++) {
        store_fails(ERROR_CONFLICT, job_guard(unit, &stale[i], &error));
        store_fails(ERROR_CONFLICT, job_renew(unit, &stale[i], 1, NULL, &error));
        store_fails(ERROR_CONFLICT, job_complete(unit, &stale[i], "{}", &error));
        store_fails(ERROR_CONFLICT, job_fail(unit, &stale[i], "{}", &error));
        store_fails(ERROR_CONFLICT, job_park(unit, &stale[i], 1, &error));
        store_fails(ERROR_CONFLICT, job_retry(unit, &stale[i], 1, &error));
    }
}

static void reads_running(DbUnit *unit) {
    g_autoptr(Job) job = NULL;
    store_ok(job_get(unit, "job-1", &job, &error));
    g_assert_cmpstr(job->status, ==, JOB_RUNNING);
    g_assert_cmpstr(job->lease_owner, ==, "worker-1");
    g_assert_cmpint(job->lease_until, ==, START_MS + 60000);
    g_assert_cmpint(job->run_clock, ==, START_MS);
    g_assert_cmpint(job->attempt, ==, 1);
    JobResult *result = NULL;
    store_fails(ERROR_NOT_FOUND, job_result_get(unit, "job-1", &result, &error));
}

static void a_stale_fence_changes_nothing(void) {
    store_in(ORG_A, adds);
    store_system(claims);
    store_in(ORG_A, uses_stale_leases);
    store_in(ORG_A, reads_running);
}

static void assert_progress(DbUnit *unit, const char *expected) {
    g_autofree char *progress = NULL;
    store_ok(job_progress(unit, "job-1", &progress, &error));
    g_assert_cmpstr(progress, ==, expected);
}

static void renews(DbUnit *unit) {
    store_ok(job_guard(unit, &first_lease, &error));
    assert_progress(unit, NULL);
    store_ok(job_renew(unit, &first_lease, 60000, "{\"rows\":1}", &error));
    assert_progress(unit, "{\"rows\":1}");
    store_ok(job_renew(unit, &first_lease, 90000, NULL, &error));
    assert_progress(unit, "{\"rows\":1}");
    g_autoptr(Job) job = NULL;
    store_ok(job_get(unit, "job-1", &job, &error));
    g_assert_cmpint(job->lease_until, ==, clock_now_ms() + 90000);
    g_assert_cmpint(job->due_at, ==, job->lease_until);
}

static void a_lease_is_renewed_from_now(void) {
    store_in(ORG_A, adds);
    store_system(claims);
    clock_advance(30000);
    store_in(ORG_A, renews);
}

static void adds_three(DbUnit *unit) {
    store_add_job(unit, INTEGRATION_A, "job-1");
    store_add_job(unit, INTEGRATION_A, "job-2");
    store_add_job(unit, INTEGRATION_A, "job-3");
}

static guint count(DbUnit *unit, const JobFilter *filter) {
    g_autoptr(GPtrArray) jobs = NULL;
    store_ok(job_list(unit, filter, &jobs, &error));
    return jobs->len;
}

static void lists(DbUnit *unit) {
    JobFilter two = {.limit = 2};
    g_autoptr(GPtrArray) page = NULL;
    store_ok(job_list(unit, &two, &page, &error));
    g_assert_cmpuint(page->len, ==, 2);
    const Job *newest = g_ptr_array_index(page, 0);
    const Job *last = g_ptr_array_index(page, 1);
    g_assert_cmpstr(newest->id, ==, "job-3");
    g_assert_cmpstr(last->id, ==, "job-2");
    JobFilter rest = {.before_id = last->id};
    g_assert_cmpuint(count(unit, &rest), ==, 1);
    JobFilter running = {.status = JOB_RUNNING};
    g_assert_cmpuint(count(unit, &running), ==, 1);
    JobFilter other = {.integration_id = INTEGRATION_B};
    g_assert_cmpuint(count(unit, &other), ==, 0);
    g_autoptr(GPtrArray) active = NULL;
    store_ok(job_list_active(unit, INTEGRATION_A, &active, &error));
    g_assert_cmpuint(active->len, ==, 3);
    g_assert_cmpstr(((Job *)g_ptr_array_index(active, 0))->id, ==, "job-1");
}

static void jobs_are_listed_newest_first_in_pages(void) {
    store_in(ORG_A, adds_three);
    store_system(claims);
    store_in(ORG_A, lists);
}

/* --- calling off ------------------------------------------------------------------------------ */

static void assert_job(DbUnit *unit, const char *id, const char *status) {
    g_autoptr(Job) job = NULL;
    store_ok(job_get(unit, id, &job, &error));
    g_assert_cmpstr(job->status, ==, status);
}

static void assert_cancelled_result(DbUnit *unit, const char *id) {
    g_autoptr(JobResult) result = NULL;
    store_ok(job_result_get(unit, id, &result, &error));
    g_assert_null(result->result);
    g_assert_nonnull(strstr(result->error, "\"code\":\"CANCELLED\""));
    g_assert_cmpint(result->ended_at, ==, clock_now_ms());
}

static void cancels_at_once(DbUnit *unit) {
    JobCancel how;
    store_ok(job_cancel(unit, "job-1", &how, &error));
    g_assert_cmpint(how, ==, JOB_CANCEL_DONE);
    assert_job(unit, "job-1", JOB_CANCELLED);
    assert_cancelled_result(unit, "job-1");
}

static void cancels_in_vain(DbUnit *unit) {
    JobCancel how;
    store_fails(ERROR_CONFLICT, job_cancel(unit, "job-1", &how, &error));
}

static void cancels_unknown(DbUnit *unit) {
    JobCancel how;
    store_fails(ERROR_NOT_FOUND, job_cancel(unit, "job-9", &how, &error));
}

static void claims_nothing(DbUnit *unit) {
    g_autoptr(Job) job = NULL;
    store_ok(job_claim(unit, &worker, &job, &error));
    g_assert_null(job);
}

static void a_job_that_waits_is_called_off_at_once(void) {
    store_in(ORG_A, adds);
    store_in(ORG_B, cancels_unknown);
    store_in(ORG_A, cancels_unknown);
    store_in(ORG_A, cancels_at_once);
    store_in(ORG_A, cancels_in_vain);
    store_system(claims_nothing);
}

static void asks_the_worker(DbUnit *unit) {
    JobCancel how;
    bool cancelled = true;
    store_ok(job_watch(unit, &first_lease, &cancelled, &error));
    g_assert_false(cancelled);
    store_ok(job_cancel(unit, "job-1", &how, &error));
    g_assert_cmpint(how, ==, JOB_CANCEL_ASKED);
    store_ok(job_cancel(unit, "job-1", &how, &error));
    g_assert_cmpint(how, ==, JOB_CANCEL_ASKED);
    assert_job(unit, "job-1", JOB_RUNNING);
    store_ok(job_renew(unit, &first_lease, 60000, NULL, &error));
    store_ok(job_watch(unit, &first_lease, &cancelled, &error));
    g_assert_true(cancelled);
}

static void worker_ends_it(DbUnit *unit) {
    store_ok(job_end_cancelled(unit, &first_lease, &error));
    assert_job(unit, "job-1", JOB_CANCELLED);
    assert_cancelled_result(unit, "job-1");
    bool cancelled = false;
    store_fails(ERROR_CONFLICT, job_watch(unit, &first_lease, &cancelled, &error));
}

static void a_running_job_is_ended_by_its_worker(void) {
    store_in(ORG_A, adds);
    store_system(claims);
    store_in(ORG_A, asks_the_worker);
    store_in(ORG_A, worker_ends_it);
    store_system(claims_nothing);
}

static void late_worker_is_refused(DbUnit *unit) {
    store_fails(ERROR_CONFLICT, job_complete(unit, &first_lease, "{}", &error));
}

static void a_running_job_whose_lease_is_over_is_called_off_at_once(void) {
    store_in(ORG_A, adds);
    store_system(claims);
    clock_advance(60000);
    store_in(ORG_A, cancels_at_once);
    store_in(ORG_A, late_worker_is_refused);
}

static void claims_what_was_called_off(DbUnit *unit) {
    g_autoptr(Job) job = NULL;
    store_ok(job_claim(unit, &worker, &job, &error));
    g_assert_null(job);
    store_ok(job_claim_one(unit, ORG_A, "job-1", &worker, &job, &error));
    g_assert_null(job);
}

static void is_cancelled(DbUnit *unit) {
    assert_job(unit, "job-1", JOB_CANCELLED);
    assert_cancelled_result(unit, "job-1");
}

static void a_called_off_job_whose_worker_dies_is_ended_by_the_next_claim(void) {
    store_in(ORG_A, adds);
    store_system(claims);
    store_in(ORG_A, asks_the_worker);
    clock_advance(60001);
    store_system(claims_what_was_called_off);
    store_in(ORG_A, is_cancelled);
}

/* --- retries ---------------------------------------------------------------------------------- */

static void the_second_attempt_comes_after_5_s_and_the_third_after_10(void) {
    static const struct {
        int64_t attempt;
        bool again;
        int64_t delay;
    } cases[] = {{1, true, 5000}, {2, true, 10000}, {3, false, 20000}, {0, true, 5000}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Job job = {.attempt = cases[i].attempt};
        g_assert_true(job_may_retry(&job) == cases[i].again);
        g_assert_cmpint(job_retry_delay_ms(&job), ==, cases[i].delay);
    }
}

static void put_off(DbUnit *unit) {
    store_ok(job_retry(unit, &first_lease, START_MS + 5000, &error));
}

static void hurries(DbUnit *unit) {
    store_ok(job_hurry(unit, "job-1", 5, &error));
    g_autoptr(Job) job = NULL;
    store_ok(job_get(unit, "job-1", &job, &error));
    g_assert_cmpint(job->priority, ==, 7);
    g_assert_cmpint(job->due_at, ==, START_MS);
    store_ok(job_hurry(unit, "job-1", 9, &error));
    g_autoptr(Job) higher = NULL;
    store_ok(job_get(unit, "job-1", &higher, &error));
    g_assert_cmpint(higher->priority, ==, 9);
}

static void claims_second_attempt(DbUnit *unit) {
    g_autoptr(Job) job = NULL;
    store_ok(job_claim(unit, &worker, &job, &error));
    g_assert_cmpstr(job->id, ==, "job-1");
    g_assert_cmpint(job->attempt, ==, 2);
}

static void whoever_joins_a_failed_attempt_makes_it_due_at_once(void) {
    store_in(ORG_A, adds);
    store_system(claims);
    store_in(ORG_A, put_off);
    store_system(claims_nothing);
    store_in(ORG_A, hurries);
    store_system(claims_second_attempt);
}

static void parks(DbUnit *unit) {
    store_ok(job_park(unit, &first_lease, START_MS + 5000, &error));
    store_ok(job_hurry(unit, "job-1", 9, &error));
    g_autoptr(Job) job = NULL;
    store_ok(job_get(unit, "job-1", &job, &error));
    g_assert_cmpint(job->due_at, ==, START_MS + 5000);
    g_assert_cmpint(job->priority, ==, 9);
}

static void resumes(DbUnit *unit) {
    store_ok(job_resume(unit, "job-1", &error));
    g_autoptr(Job) job = NULL;
    store_ok(job_get(unit, "job-1", &job, &error));
    g_assert_cmpint(job->due_at, ==, START_MS);
}

static void resumes_in_vain(DbUnit *unit) {
    store_fails(ERROR_CONFLICT, job_resume(unit, "job-1", &error));
}

static void a_spent_limit_waits_for_whoever_joins_but_not_for_who_resumes(void) {
    store_in(ORG_A, adds);
    store_system(claims);
    store_in(ORG_A, resumes_in_vain);
    store_in(ORG_A, parks);
    store_in(ORG_A, resumes);
    store_in(ORG_B, resumes_in_vain);
}

static const StoreTest tests[] = {
    {"a_new_job_is_pending_and_due", a_new_job_is_pending_and_due},
    {"a_job_needs_its_own_id_integration_and_definition",
     a_job_needs_its_own_id_integration_and_definition},
    {"another_organization_sees_and_changes_nothing",
     another_organization_sees_and_changes_nothing},
    {"a_completed_job_keeps_its_result", a_completed_job_keeps_its_result},
    {"a_failed_job_keeps_its_error", a_failed_job_keeps_its_error},
    {"a_stale_fence_changes_nothing", a_stale_fence_changes_nothing},
    {"a_lease_is_renewed_from_now", a_lease_is_renewed_from_now},
    {"jobs_are_listed_newest_first_in_pages", jobs_are_listed_newest_first_in_pages},
    {"a_job_that_waits_is_called_off_at_once", a_job_that_waits_is_called_off_at_once},
    {"a_running_job_is_ended_by_its_worker", a_running_job_is_ended_by_its_worker},
    {"a_running_job_whose_lease_is_over_is_called_off_at_once",
     a_running_job_whose_lease_is_over_is_called_off_at_once},
    {"a_called_off_job_whose_worker_dies_is_ended_by_the_next_claim",
     a_called_off_job_whose_worker_dies_is_ended_by_the_next_claim},
    {"the_second_attempt_comes_after_5_s_and_the_third_after_10",
     the_second_attempt_comes_after_5_s_and_the_third_after_10},
    {"whoever_joins_a_failed_attempt_makes_it_due_at_once",
     whoever_joins_a_failed_attempt_makes_it_due_at_once},
    {"a_spent_limit_waits_for_whoever_joins_but_not_for_who_resumes",
     a_spent_limit_waits_for_whoever_joins_but_not_for_who_resumes},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "job", tests, G_N_ELEMENTS(tests));
}
