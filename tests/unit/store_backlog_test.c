/* When the next job can be claimed, told without claiming. */
#include "unit/store_support.h"

#include "base/clock.h"
#include "store/backlog.h"
#include "store/job.h"
#include "store/job_claim.h"

#define LEASE_MS 60000

static void assert_next(DbUnit *unit, int64_t expected) {
    int64_t due = 0;
    store_ok(backlog_next_due(unit, &due, &error));
    g_assert_cmpint(due, ==, expected);
}

static void add(DbUnit *unit, const char *integration, const char *id, int64_t due_at) {
    Job job = {.id = id,
               .integration_id = integration,
               .request = "{}",
               .definition_sha256 = "0f",
               .due_at = due_at};
    store_ok(job_insert(unit, &job, &error));
}

static void claim(DbUnit *unit, const char *expected) {
    JobClaim wish = {.owner = "worker-1", .lease_ms = LEASE_MS};
    g_autoptr(Job) job = NULL;
    store_ok(job_claim(unit, &wish, &job, &error));
    g_assert_cmpstr(job ? job->id : NULL, ==, expected);
}

static void is_never(DbUnit *unit) {
    assert_next(unit, BACKLOG_NEVER);
}

static void is_now(DbUnit *unit) {
    assert_next(unit, START_MS);
}

static void adds_one_now(DbUnit *unit) {
    add(unit, INTEGRATION_A, "job-1", START_MS);
}

static void adds_one_in_an_hour(DbUnit *unit) {
    add(unit, INTEGRATION_A, "job-2", START_MS + 3600000);
}

static void claims_the_first(DbUnit *unit) {
    claim(unit, "job-1");
}

static void an_empty_queue_is_never_due(void) {
    store_system(is_never);
}

static void a_waiting_job_is_due(void) {
    store_in(ORG_A, adds_one_now);
    store_system(is_now);
}

static void is_at_the_end_of_the_lease(DbUnit *unit) {
    assert_next(unit, START_MS + LEASE_MS);
}

static void a_running_job_is_due_when_its_lease_ends(void) {
    store_in(ORG_A, adds_one_now);
    store_system(claims_the_first);
    store_system(is_at_the_end_of_the_lease);
}

static void adds_two_of_one_integration(DbUnit *unit) {
    add(unit, INTEGRATION_A, "job-1", START_MS);
    add(unit, INTEGRATION_A, "job-2", START_MS);
}

static void what_waits_for_another_run_of_its_integration_is_not_due(void) {
    store_in(ORG_A, adds_two_of_one_integration);
    store_system(claims_the_first);
    store_system(is_at_the_end_of_the_lease);
}

static void adds_one_of_the_other(DbUnit *unit) {
    add(unit, INTEGRATION_B, "job-b", START_MS);
}

static void what_runs_in_one_organization_does_not_hide_another(void) {
    store_in(ORG_A, adds_one_now);
    store_system(claims_the_first);
    store_in(ORG_B, adds_one_of_the_other);
    store_system(is_now);
}

static void is_in_an_hour(DbUnit *unit) {
    assert_next(unit, START_MS + 3600000);
}

static void a_job_for_later_is_due_then(void) {
    store_in(ORG_A, adds_one_in_an_hour);
    store_system(is_in_an_hour);
}

static void rewinds_an_hour(DbUnit *unit) {
    store_ok(backlog_rewind(unit, START_MS + 3600000, &error));
}

static void is_due_at_the_new_time(DbUnit *unit) {
    assert_next(unit, clock_now_ms());
    claim(unit, "job-2");
}

static void what_was_due_before_the_clock_went_back_is_due_now(void) {
    store_in(ORG_A, adds_one_in_an_hour);
    store_system(rewinds_an_hour);
    store_system(is_due_at_the_new_time);
}

static void rewinds_a_minute(DbUnit *unit) {
    store_ok(backlog_rewind(unit, START_MS + 60000, &error));
}

static void what_was_not_due_then_keeps_its_time(void) {
    store_in(ORG_A, adds_one_in_an_hour);
    store_system(rewinds_a_minute);
    store_system(is_in_an_hour);
}

static bool looks(DbUnit *unit, void *data, GError **error) {
    return backlog_next_due(unit, data, error);
}

static void an_organization_may_not_look(void) {
    DbScope scope = {.organization = ORG_A, .actor = "test"};
    int64_t due = 0;
    store_fails(ERROR_INTERNAL, db_run(store_database(), &scope, DB_READ, looks, &due, &error));
}

int main(int argc, char **argv) {
    static const StoreTest tests[] = {
        {"an_empty_queue_is_never_due", an_empty_queue_is_never_due},
        {"a_waiting_job_is_due", a_waiting_job_is_due},
        {"a_running_job_is_due_when_its_lease_ends", a_running_job_is_due_when_its_lease_ends},
        {"what_waits_for_another_run_of_its_integration_is_not_due",
         what_waits_for_another_run_of_its_integration_is_not_due},
        {"what_runs_in_one_organization_does_not_hide_another",
         what_runs_in_one_organization_does_not_hide_another},
        {"a_job_for_later_is_due_then", a_job_for_later_is_due_then},
        {"what_was_due_before_the_clock_went_back_is_due_now",
         what_was_due_before_the_clock_went_back_is_due_now},
        {"what_was_not_due_then_keeps_its_time", what_was_not_due_then_keeps_its_time},
        {"an_organization_may_not_look", an_organization_may_not_look},
    };
    return store_main(argc, argv, "backlog", tests, G_N_ELEMENTS(tests));
}
