#include "unit/store_support.h"

#include "base/clock.h"
#include "store/job.h"
#include "store/job_claim.h"

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
    g_autoptr(Job) active = NULL;
    store_ok(job_find_active(unit, INTEGRATION_A, &active, &error));
    g_assert_null(active);
    JobFilter all = {0};
    g_autoptr(GPtrArray) jobs = NULL;
    store_ok(job_list(unit, &all, &jobs, &error));
    g_assert_cmpuint(jobs->len, ==, 0);
    store_fails(ERROR_CONFLICT, job_guard(unit, &first_lease, &error));
    store_fails(ERROR_CONFLICT, job_renew(unit, &first_lease, 1, &error));
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
    g_autoptr(Job) active = NULL;
    store_ok(job_find_active(unit, INTEGRATION_A, &active, &error));
    g_assert_null(active);
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
        store_fails(ERROR_CONFLICT, job_renew(unit, &stale[i], 1, &error));
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

static void renews(DbUnit *unit) {
    store_ok(job_guard(unit, &first_lease, &error));
    store_ok(job_renew(unit, &first_lease, 90000, &error));
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
    g_autoptr(Job) active = NULL;
    store_ok(job_find_active(unit, INTEGRATION_A, &active, &error));
    g_assert_cmpstr(active->id, ==, "job-3");
}

static void jobs_are_listed_newest_first_in_pages(void) {
    store_in(ORG_A, adds_three);
    store_system(claims);
    store_in(ORG_A, lists);
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
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "job", tests, G_N_ELEMENTS(tests));
}
