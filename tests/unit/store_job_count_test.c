/* How many jobs there are, for figures. */
#include "unit/store_support.h"

#include "base/clock.h"
#include "store/job.h"
#include "store/job_claim.h"
#include "store/job_count.h"

static void count(DbUnit *unit, JobCount *count_out) {
    *count_out = (JobCount){.pending = -1};
    store_ok(job_count(unit, count_out, &error));
}

static void assert_ended(DbUnit *unit, int64_t completed, int64_t failed, int64_t cancelled) {
    JobCount jobs;
    count(unit, &jobs);
    g_assert_cmpint(jobs.completed, ==, completed);
    g_assert_cmpint(jobs.failed, ==, failed);
    g_assert_cmpint(jobs.cancelled, ==, cancelled);
}

static void claim(DbUnit *unit, const char *organization, const char *id) {
    JobClaim wish = {.owner = "worker-1", .lease_ms = 60000};
    g_autoptr(Job) job = NULL;
    store_ok(job_claim_one(unit, organization, id, &wish, &job, &error));
    g_assert_nonnull(job);
}

/* Of a job that was claimed. */
static JobLease lease_of(DbUnit *unit, const char *id) {
    g_autoptr(Job) job = NULL;
    store_ok(job_get(unit, id, &job, &error));
    return (JobLease){.job_id = id, .owner = "worker-1", .fence = job->fence};
}

static void adds_three(DbUnit *unit) {
    const char *integration =
        g_str_equal(db_unit_scope(unit)->organization, ORG_A) ? INTEGRATION_A : INTEGRATION_B;
    store_add_job(unit, integration, "job-1");
    store_add_integration(unit, "more-2");
    store_add_integration(unit, "more-3");
    store_add_job(unit, "more-2", "job-2");
    store_add_job(unit, "more-3", "job-3");
}

static void claims_of_both(DbUnit *unit) {
    claim(unit, ORG_A, "job-1");
    claim(unit, ORG_B, "job-2");
}

static void there_are_none(DbUnit *unit) {
    JobCount jobs;
    count(unit, &jobs);
    g_assert_cmpint(jobs.pending, ==, 0);
    g_assert_cmpint(jobs.running, ==, 0);
    g_assert_cmpint(jobs.parked, ==, 0);
    g_assert_cmpint(jobs.oldest_due_at, ==, 0);
    assert_ended(unit, 0, 0, 0);
}

static void an_installation_without_jobs_counts_none(void) {
    store_system(there_are_none);
}

static void four_wait_and_two_run(DbUnit *unit) {
    JobCount jobs;
    count(unit, &jobs);
    g_assert_cmpint(jobs.pending, ==, 4);
    g_assert_cmpint(jobs.running, ==, 2);
    g_assert_cmpint(jobs.oldest_due_at, ==, START_MS);
}

static void jobs_of_all_organizations_are_counted(void) {
    store_in(ORG_A, adds_three);
    store_in(ORG_B, adds_three);
    store_system(claims_of_both);
    store_system(four_wait_and_two_run);
}

/* --- those that have ended -------------------------------------------------------------------- */

static void claims_two(DbUnit *unit) {
    claim(unit, ORG_A, "job-1");
    claim(unit, ORG_A, "job-2");
}

static void ends_in_three_ways(DbUnit *unit) {
    JobLease first = lease_of(unit, "job-1");
    JobLease second = lease_of(unit, "job-2");
    JobCancel how;
    store_ok(job_complete(unit, &first, "{}", &error));
    store_ok(job_fail(unit, &second, "{\"code\":\"TIMEOUT\",\"message\":\"late\"}", &error));
    store_ok(job_cancel(unit, "job-3", &how, &error));
}

static void one_of_each(DbUnit *unit) {
    assert_ended(unit, 1, 1, 1);
}

static void none_any_more(DbUnit *unit) {
    assert_ended(unit, 0, 0, 0);
}

static void what_ended_is_counted_for_an_hour(void) {
    store_in(ORG_A, adds_three);
    store_system(claims_two);
    store_in(ORG_A, ends_in_three_ways);
    store_system(one_of_each);
    clock_advance(JOB_COUNT_ENDED_MS - 1);
    store_system(one_of_each);
    clock_advance(1);
    store_system(none_any_more);
}

/* --- those that wait -------------------------------------------------------------------------- */

static void parks_until_tomorrow(DbUnit *unit) {
    JobLease lease = lease_of(unit, "job-1");
    store_ok(job_park(unit, &lease, START_MS + 86400000, &error));
}

static void one_is_parked(DbUnit *unit, int64_t oldest_due_at) {
    JobCount jobs;
    count(unit, &jobs);
    g_assert_cmpint(jobs.parked, ==, 1);
    g_assert_cmpint(jobs.pending + jobs.running, ==, 0);
    g_assert_cmpint(jobs.oldest_due_at, ==, oldest_due_at);
}

static void none_is_due(DbUnit *unit) {
    one_is_parked(unit, 0);
}

static void it_is_due_since_then(DbUnit *unit) {
    one_is_parked(unit, START_MS + 86400000);
}

static void what_waits_is_due_when_its_time_has_come(void) {
    store_in(ORG_A, store_adds_job);
    store_system(store_claims_job);
    store_in(ORG_A, parks_until_tomorrow);
    store_system(none_is_due);
    clock_advance(86400000 + 5000);
    store_system(it_is_due_since_then);
}

static const StoreTest tests[] = {
    {"an_installation_without_jobs_counts_none", an_installation_without_jobs_counts_none},
    {"jobs_of_all_organizations_are_counted", jobs_of_all_organizations_are_counted},
    {"what_ended_is_counted_for_an_hour", what_ended_is_counted_for_an_hour},
    {"what_waits_is_due_when_its_time_has_come", what_waits_is_due_when_its_time_has_come},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "job_count", tests, G_N_ELEMENTS(tests));
}
