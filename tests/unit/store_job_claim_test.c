#include "unit/store_support.h"

#include "base/clock.h"
#include "store/job.h"
#include "store/job_claim.h"
#include "store/journal.h"

#include <string.h>

#define LEASE_MS 60000

static const JobClaim worker = {.owner = "worker-1", .lease_ms = LEASE_MS};

/* Claims whatever is next; the id must be this one, NULL: nothing is due. */
static void assert_claims(DbUnit *unit, const char *expected) {
    g_autoptr(Job) job = NULL;
    store_ok(job_claim(unit, &worker, &job, &error));
    g_assert_cmpstr(job ? job->id : NULL, ==, expected);
}

static void claims_one(DbUnit *unit) {
    assert_claims(unit, "job-1");
}

static void claims_nothing(DbUnit *unit) {
    assert_claims(unit, NULL);
}

static void nothing_is_claimed_from_an_empty_queue(void) {
    store_system(claims_nothing);
}

static void claims_and_looks(DbUnit *unit) {
    g_autoptr(Job) job = NULL;
    store_ok(job_claim(unit, &worker, &job, &error));
    g_assert_cmpstr(job->organization_id, ==, ORG_A);
    g_assert_cmpstr(job->status, ==, JOB_RUNNING);
    g_assert_cmpstr(job->lease_owner, ==, "worker-1");
    g_assert_cmpint(job->lease_until, ==, START_MS + LEASE_MS);
    g_assert_cmpint(job->run_clock, ==, START_MS);
    g_assert_cmpint(job->started_at, ==, START_MS);
    g_assert_cmpint(job->attempt, ==, 1);
    g_assert_cmpint(job->fence, ==, 1);
}

static void a_claimed_job_is_not_claimed_again(void) {
    store_in(ORG_A, store_adds_job);
    store_system(claims_and_looks);
    store_system(claims_nothing);
    clock_advance(LEASE_MS - 1);
    store_system(claims_nothing);
}

static void claims_after_the_lease(DbUnit *unit) {
    g_autoptr(Job) job = NULL;
    JobClaim other = {.owner = "worker-2", .lease_ms = LEASE_MS};
    store_ok(job_claim(unit, &other, &job, &error));
    g_assert_cmpstr(job->lease_owner, ==, "worker-2");
    g_assert_cmpint(job->fence, ==, 2);
    g_assert_cmpint(job->attempt, ==, 2);
    g_assert_cmpint(job->run_clock, ==, START_MS);
    g_assert_cmpint(job->started_at, ==, START_MS);
}

static void late_worker_is_refused(DbUnit *unit) {
    JobLease late = {.job_id = "job-1", .owner = "worker-1", .fence = 1};
    store_fails(ERROR_CONFLICT, job_complete(unit, &late, "{}", &error));
    JobLease now = {.job_id = "job-1", .owner = "worker-2", .fence = 2};
    store_ok(job_complete(unit, &now, "{}", &error));
}

static void a_job_whose_lease_is_over_is_claimed_with_a_new_fence(void) {
    store_in(ORG_A, store_adds_job);
    store_system(claims_one);
    clock_advance(LEASE_MS);
    store_system(claims_after_the_lease);
    store_in(ORG_A, late_worker_is_refused);
}

static void is_failed(DbUnit *unit) {
    g_autoptr(Job) job = NULL;
    store_ok(job_get(unit, "job-1", &job, &error));
    g_assert_cmpstr(job->status, ==, JOB_FAILED);
    g_assert_cmpint(job->completed_at, ==, clock_now_ms());
    g_autoptr(JobResult) result = NULL;
    store_ok(job_result_get(unit, "job-1", &result, &error));
    g_assert_nonnull(strstr(result->error, "started 3 times"));
    g_assert_null(result->result);
}

static void three_claims_without_progress_use_a_job_up(void) {
    store_in(ORG_A, store_adds_job);
    for (int attempt = 0; attempt < JOB_ATTEMPTS; attempt++) {
        store_system(claims_one);
        clock_advance(LEASE_MS);
    }
    store_system(claims_nothing);
    store_in(ORG_A, is_failed);
    store_system(claims_nothing);
}

static void claims_used_up_one(DbUnit *unit) {
    g_autoptr(Job) job = NULL;
    store_ok(job_claim_one(unit, ORG_A, "job-1", &worker, &job, &error));
    g_assert_null(job);
}

static void claiming_a_used_up_job_by_id_ends_it(void) {
    store_in(ORG_A, store_adds_job);
    for (int attempt = 0; attempt < JOB_ATTEMPTS; attempt++) {
        store_system(claims_one);
        clock_advance(LEASE_MS);
    }
    store_system(claims_used_up_one);
    store_in(ORG_A, is_failed);
}

static void grows(DbUnit *unit) {
    g_autoptr(Job) job = NULL;
    store_ok(job_get(unit, "job-1", &job, &error));
    JobLease lease = job_lease(job);
    JournalBatch batch = {.entries = 1, .raw_size = 1, .bytes = {"x", 1}};
    store_ok(journal_append(unit, &lease, &batch, NULL, &error));
}

static void claims_first_attempt(DbUnit *unit) {
    g_autoptr(Job) job = NULL;
    store_ok(job_claim(unit, &worker, &job, &error));
    g_assert_cmpint(job->attempt, ==, 1);
    g_assert_cmpint(job->journal_mark, ==, job->journal_batches);
}

static void growth_of_the_journal_starts_the_attempts_again(void) {
    store_in(ORG_A, store_adds_job);
    for (int attempt = 0; attempt < 3 * JOB_ATTEMPTS; attempt++) {
        store_system(claims_first_attempt);
        store_in(ORG_A, grows);
        clock_advance(LEASE_MS);
    }
    for (int attempt = 0; attempt < JOB_ATTEMPTS; attempt++) {
        store_system(claims_one);
        clock_advance(LEASE_MS);
    }
    store_system(claims_nothing);
    store_in(ORG_A, is_failed);
}

static void parks(DbUnit *unit) {
    g_autoptr(Job) job = NULL;
    store_ok(job_get(unit, "job-1", &job, &error));
    JobLease lease = job_lease(job);
    store_ok(job_park(unit, &lease, clock_now_ms() + 31000, &error));
}

static void is_parked(DbUnit *unit) {
    g_autoptr(Job) job = NULL;
    store_ok(job_get(unit, "job-1", &job, &error));
    g_assert_cmpstr(job->status, ==, JOB_PARKED);
    g_assert_cmpint(job->attempt, ==, 0);
    g_assert_cmpstr(job->lease_owner, ==, "");
    JobLease lease = {.job_id = "job-1", .owner = "worker-1", .fence = job->fence};
    store_fails(ERROR_CONFLICT, job_guard(unit, &lease, &error));
}

static void a_parked_job_waits_and_keeps_its_attempts(void) {
    store_in(ORG_A, store_adds_job);
    for (int pause = 0; pause < 2 * JOB_ATTEMPTS; pause++) {
        store_system(claims_one);
        store_system(claims_nothing); /* corrects the queue's bound to the end of the lease */
        store_in(ORG_A, parks);
        store_in(ORG_A, is_parked);
        clock_advance(30999);
        store_system(claims_nothing);
        clock_advance(1);
    }
    store_system(claims_one);
}

static void retries(DbUnit *unit) {
    g_autoptr(Job) job = NULL;
    store_ok(job_get(unit, "job-1", &job, &error));
    JobLease lease = job_lease(job);
    store_ok(job_retry(unit, &lease, clock_now_ms() + 5000, &error));
}

static void a_retried_job_uses_its_attempts_up(void) {
    store_in(ORG_A, store_adds_job);
    for (int attempt = 0; attempt < JOB_ATTEMPTS; attempt++) {
        store_system(claims_one);
        store_in(ORG_A, retries);
        store_system(claims_nothing);
        clock_advance(5000);
    }
    store_system(claims_nothing);
    store_in(ORG_A, is_failed);
}

static void adds_future(DbUnit *unit) {
    Job job = {.id = "job-1",
               .integration_id = INTEGRATION_A,
               .request = "{}",
               .definition_sha256 = "0f",
               .due_at = START_MS + 1000};
    store_ok(job_insert(unit, &job, &error));
}

static void a_job_is_not_claimed_before_it_is_due(void) {
    store_in(ORG_A, adds_future);
    store_system(claims_nothing);
    clock_advance(1000);
    store_system(claims_one);
}

static void adds_job_2(DbUnit *unit) {
    store_add_integration(unit, "second");
    store_add_job(unit, "second", "job-2");
}

static void claims_job_2(DbUnit *unit) {
    assert_claims(unit, "job-2");
}

static void a_new_job_is_found_after_the_queue_was_found_idle(void) {
    store_in(ORG_A, adds_future);
    store_system(claims_nothing);
    store_in(ORG_A, adds_job_2);
    store_system(claims_job_2);
    store_system(claims_nothing);
    clock_advance(1000);
    store_system(claims_one);
}

static void adds_by_urgency(DbUnit *unit) {
    static const struct {
        const char *id;
        int64_t priority;
        int64_t due_at;
    } jobs[] = {{"late", 0, START_MS},
                {"urgent", 9, START_MS},
                {"early", 0, START_MS - 10},
                {"low", -1, START_MS - 99}};
    for (size_t i = 0; i < G_N_ELEMENTS(jobs); i++) {
        store_add_integration(unit, jobs[i].id);
        Job job = {.id = jobs[i].id,
                   .integration_id = jobs[i].id,
                   .request = "{}",
                   .definition_sha256 = "0f",
                   .priority = jobs[i].priority,
                   .due_at = jobs[i].due_at};
        store_ok(job_insert(unit, &job, &error));
    }
}

static void claims_by_urgency(DbUnit *unit) {
    assert_claims(unit, "urgent");
    assert_claims(unit, "early");
    assert_claims(unit, "late");
    assert_claims(unit, "low");
    assert_claims(unit, NULL);
}

static void the_most_urgent_job_comes_first(void) {
    store_in(ORG_A, adds_by_urgency);
    store_system(claims_by_urgency);
}

static void adds_many_for_a(DbUnit *unit) {
    for (int i = 0; i < 6; i++) {
        g_autofree char *id = g_strdup_printf("a-%d", i);
        store_add_integration(unit, id);
        store_add_job(unit, id, id);
    }
}

static void adds_few_for_b(DbUnit *unit) {
    store_add_integration(unit, "b-1");
    store_add_job(unit, INTEGRATION_B, "b-0");
    store_add_job(unit, "b-1", "b-1");
}

static void claims_in_turn(DbUnit *unit) {
    static const char *const turns[] = {"a-0", "b-0", "a-1", "b-1", "a-2", "a-3", "a-4", "a-5"};
    for (size_t i = 0; i < G_N_ELEMENTS(turns); i++) {
        assert_claims(unit, turns[i]);
    }
    assert_claims(unit, NULL);
}

static void organizations_are_served_in_turn(void) {
    store_in(ORG_A, adds_many_for_a);
    store_in(ORG_B, adds_few_for_b);
    store_system(claims_in_turn);
}

static void releases(DbUnit *unit) {
    int64_t released = -1;
    store_ok(job_release_owner(unit, "worker-1", &released, &error));
    g_assert_cmpint(released, ==, 1);
    store_ok(job_release_owner(unit, "worker-1", &released, &error));
    g_assert_cmpint(released, ==, 0);
}

static void dead_owner_is_refused(DbUnit *unit) {
    JobLease dead = {.job_id = "job-1", .owner = "worker-1", .fence = 1};
    store_fails(ERROR_CONFLICT, job_complete(unit, &dead, "{}", &error));
}

static void claims_second_job_elsewhere(DbUnit *unit) {
    JobClaim other = {.owner = "worker-2", .lease_ms = LEASE_MS};
    g_autoptr(Job) job = NULL;
    store_ok(job_claim(unit, &other, &job, &error));
    g_assert_cmpstr(job->id, ==, "job-2");
}

static void job_2_is_running(DbUnit *unit) {
    JobLease lease = {.job_id = "job-2", .owner = "worker-2", .fence = 1};
    store_ok(job_guard(unit, &lease, &error));
}

static void a_dead_owners_jobs_are_claimable_at_once(void) {
    store_in(ORG_A, store_adds_job);
    store_in(ORG_A, adds_job_2);
    store_system(claims_one);
    store_system(claims_second_job_elsewhere);
    store_system(claims_nothing); /* corrects the queue's bound to the end of the leases */
    store_system(releases);
    store_in(ORG_A, dead_owner_is_refused);
    store_in(ORG_A, job_2_is_running);
    store_system(claims_one);
    store_system(claims_nothing);
}

static void claims_by_id(DbUnit *unit) {
    g_autoptr(Job) job = NULL;
    store_ok(job_claim_one(unit, ORG_A, "job-1", &worker, &job, &error));
    g_assert_cmpstr(job->id, ==, "job-1");
    g_autoptr(Job) again = NULL;
    store_ok(job_claim_one(unit, ORG_A, "job-1", &worker, &again, &error));
    g_assert_null(again);
    Job *none = NULL;
    store_fails(ERROR_NOT_FOUND, job_claim_one(unit, ORG_B, "job-1", &worker, &none, &error));
}

static void a_job_is_claimed_by_its_id(void) {
    store_in(ORG_A, adds_job_2);
    store_in(ORG_A, store_adds_job);
    store_system(claims_by_id);
}

/* --- one run at a time ------------------------------------------------------------------------ */

static void adds_two_for_one(DbUnit *unit) {
    store_add_job(unit, INTEGRATION_A, "job-1");
    store_add_job(unit, INTEGRATION_A, "job-2");
}

static void job_2_waits(DbUnit *unit) {
    g_autoptr(Job) job = NULL;
    store_ok(job_claim_one(unit, ORG_A, "job-2", &worker, &job, &error));
    g_assert_null(job);
    assert_claims(unit, NULL);
}

static void completes_job_1(DbUnit *unit) {
    JobLease lease = {.job_id = "job-1", .owner = "worker-1", .fence = 1};
    store_ok(job_complete(unit, &lease, "{}", &error));
}

static void a_job_waits_for_the_other_run_of_its_integration(void) {
    store_in(ORG_A, adds_two_for_one);
    store_system(claims_one);
    store_system(job_2_waits);
    store_in(ORG_A, completes_job_1);
    store_system(claims_job_2);
}

static void a_parked_run_lets_the_others_of_its_integration_go(void) {
    store_in(ORG_A, adds_two_for_one);
    store_system(claims_one);
    store_system(job_2_waits);
    store_in(ORG_A, parks);
    store_system(claims_job_2);
    clock_advance(31000);
    store_system(claims_nothing); /* job-1 is due, and waits for job-2 */
}

static void job_2_waits_for_the_dead(DbUnit *unit) {
    g_autoptr(Job) job = NULL;
    store_ok(job_claim_one(unit, ORG_A, "job-2", &worker, &job, &error));
    g_assert_null(job);
}

static void is_claimed_by_id(DbUnit *unit) {
    g_autoptr(Job) job = NULL;
    store_ok(job_claim_one(unit, ORG_A, "job-1", &worker, &job, &error));
    g_assert_cmpint(job->fence, ==, 2);
}

static void a_run_that_lost_its_worker_comes_before_the_others_of_its_integration(void) {
    store_in(ORG_A, adds_two_for_one);
    store_system(claims_one);
    clock_advance(LEASE_MS);
    store_system(job_2_waits_for_the_dead);
    store_system(is_claimed_by_id);
}

/* The index is the guarantee, whatever a claim thinks that it sees. */
static void takes_what_it_must_not(DbUnit *unit) {
    DbStatement *take = db_prepare(unit, "job_claim_take");
    db_bind_text(take, "organization", ORG_A);
    db_bind_text(take, "id", "job-2");
    db_bind_text(take, "owner", "worker-2");
    db_bind_int(take, "attempt", 1);
    db_bind_int(take, "lease_until", START_MS + LEASE_MS);
    db_bind_int(take, "now", START_MS);
    g_autoptr(GError) error = NULL;
    g_assert_false(db_exec(take, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFLICT);
}

static void two_runs_of_an_integration_cannot_be_stored(void) {
    store_in(ORG_A, adds_two_for_one);
    store_system(claims_one);
    store_system_fails(takes_what_it_must_not);
}

/* --- fairness --------------------------------------------------------------------------------- */

static int64_t running_of(DbUnit *unit, const char *organization) {
    DbStatement *statement = db_prepare(unit, "job_queue_lock");
    db_bind_text(statement, "organization", organization);
    bool found = false;
    store_ok(db_step(statement, &found, &error));
    g_assert_true(found);
    return db_column_int(statement, 1);
}

#define MANY 5000

static void adds_thousands_for_a(DbUnit *unit) {
    for (int i = 0; i < MANY; i++) {
        g_autofree char *id = g_strdup_printf("a-%04d", i);
        store_add_integration(unit, id);
        store_add_job(unit, id, id);
    }
}

static void claims_eight_of_a(DbUnit *unit) {
    for (int i = 0; i < 8; i++) {
        g_autofree char *id = g_strdup_printf("a-%04d", i);
        assert_claims(unit, id);
    }
    g_assert_cmpint(running_of(unit, ORG_A), ==, 8);
}

static void adds_one_for_b(DbUnit *unit) {
    store_add_job(unit, INTEGRATION_B, "b-0");
}

static void claims_that_of_b(DbUnit *unit) {
    assert_claims(unit, "b-0");
    assert_claims(unit, "a-0008");
}

/* Whichever of the eight workers is free first takes it: it waits for less than one job. */
static void a_single_job_is_next_however_many_another_organization_has(void) {
    store_in(ORG_A, adds_thousands_for_a);
    store_system(claims_eight_of_a);
    store_in(ORG_B, adds_one_for_b);
    store_system(claims_that_of_b);
}

static void ends_a_job_of_b(DbUnit *unit) {
    JobLease lease = {.job_id = "b-0", .owner = "worker-1", .fence = 1};
    store_ok(job_complete(unit, &lease, "{}", &error));
}

static void claims_three_in_turn(DbUnit *unit) {
    assert_claims(unit, "a-0");
    assert_claims(unit, "b-0");
    assert_claims(unit, "a-1");
}

/* A was served longer ago, but has two jobs running and B none. */
static void claims_b_before_a(DbUnit *unit) {
    g_assert_cmpint(running_of(unit, ORG_A), ==, 2);
    g_assert_cmpint(running_of(unit, ORG_B), ==, 0);
    assert_claims(unit, "b-1");
    assert_claims(unit, "a-2");
}

static void long_jobs_of_one_organization_do_not_crowd_out_short_ones_of_another(void) {
    store_in(ORG_A, adds_many_for_a);
    store_in(ORG_B, adds_few_for_b);
    store_system(claims_three_in_turn);
    store_in(ORG_B, ends_a_job_of_b);
    store_system(claims_b_before_a);
}

static const JobClaim capped = {.owner = "worker-1", .lease_ms = LEASE_MS, .most = 2};

static void assert_claims_capped(DbUnit *unit, const char *expected) {
    g_autoptr(Job) job = NULL;
    store_ok(job_claim(unit, &capped, &job, &error));
    g_assert_cmpstr(job ? job->id : NULL, ==, expected);
}

static void claims_up_to_the_cap(DbUnit *unit) {
    assert_claims_capped(unit, "a-0");
    assert_claims_capped(unit, "a-1");
    assert_claims_capped(unit, NULL);
    assert_claims(unit, "a-2");
}

static void claims_capped_for_b(DbUnit *unit) {
    assert_claims_capped(unit, "b-0");
    assert_claims_capped(unit, "b-1");
    assert_claims_capped(unit, NULL);
}

static void a_cap_keeps_workers_free_for_others(void) {
    store_in(ORG_A, adds_many_for_a);
    store_system(claims_up_to_the_cap);
    store_in(ORG_B, adds_few_for_b);
    store_system(claims_capped_for_b);
}

/* Every way out of running counts one less, and coming back from the dead none. */
static void runs_none(DbUnit *unit) {
    g_assert_cmpint(running_of(unit, ORG_A), ==, 0);
}

static void runs_one(DbUnit *unit) {
    g_assert_cmpint(running_of(unit, ORG_A), ==, 1);
}

static void fails_it(DbUnit *unit) {
    g_autoptr(Job) job = NULL;
    store_ok(job_get(unit, "job-1", &job, &error));
    JobLease lease = job_lease(job);
    store_ok(job_fail(unit, &lease, "{}", &error));
}

static void ends_called_off(DbUnit *unit) {
    g_autoptr(Job) job = NULL;
    store_ok(job_get(unit, "job-1", &job, &error));
    JobLease lease = job_lease(job);
    store_ok(job_end_cancelled(unit, &lease, &error));
}

static void running_jobs_are_counted_exactly(void) {
    static const StoreStep ways[] = {parks, retries, fails_it};
    store_in(ORG_A, store_adds_job);
    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        store_system(claims_one);
        store_system(runs_one);
        store_in(ORG_A, ways[i]);
        store_system(runs_none);
        clock_advance(LEASE_MS);
    }
}

static void a_run_that_is_claimed_again_is_counted_once(void) {
    store_in(ORG_A, store_adds_job);
    store_system(claims_one);
    clock_advance(LEASE_MS);
    store_system(claims_one);
    store_system(runs_one);
}

static void a_cancelled_and_a_used_up_job_are_counted_out_as_well(void) {
    store_in(ORG_A, store_adds_job);
    store_system(claims_one);
    store_in(ORG_A, ends_called_off);
    store_system(runs_none);
    store_in(ORG_A, adds_job_2);
    for (int attempt = 0; attempt < JOB_ATTEMPTS; attempt++) {
        store_system(claims_job_2);
        clock_advance(LEASE_MS);
    }
    store_system(runs_one);
    store_system(claims_nothing);
    store_system(runs_none);
}

static void fails_after_growth(DbUnit *unit) {
    grows(unit);
    retries(unit);
}

static void what_a_failed_attempt_has_read_does_not_count_for_it(void) {
    store_in(ORG_A, store_adds_job);
    for (int attempt = 0; attempt < JOB_ATTEMPTS; attempt++) {
        store_system(claims_one);
        store_in(ORG_A, fails_after_growth);
        clock_advance(5000);
    }
    store_system(claims_nothing);
    store_in(ORG_A, is_failed);
}

static const StoreTest tests[] = {
    {"a_job_waits_for_the_other_run_of_its_integration",
     a_job_waits_for_the_other_run_of_its_integration},
    {"a_parked_run_lets_the_others_of_its_integration_go",
     a_parked_run_lets_the_others_of_its_integration_go},
    {"a_run_that_lost_its_worker_comes_before_the_others_of_its_integration",
     a_run_that_lost_its_worker_comes_before_the_others_of_its_integration},
    {"two_runs_of_an_integration_cannot_be_stored", two_runs_of_an_integration_cannot_be_stored},
    {"a_single_job_is_next_however_many_another_organization_has",
     a_single_job_is_next_however_many_another_organization_has},
    {"long_jobs_of_one_organization_do_not_crowd_out_short_ones_of_another",
     long_jobs_of_one_organization_do_not_crowd_out_short_ones_of_another},
    {"a_cap_keeps_workers_free_for_others", a_cap_keeps_workers_free_for_others},
    {"running_jobs_are_counted_exactly", running_jobs_are_counted_exactly},
    {"a_run_that_is_claimed_again_is_counted_once", a_run_that_is_claimed_again_is_counted_once},
    {"a_cancelled_and_a_used_up_job_are_counted_out_as_well",
     a_cancelled_and_a_used_up_job_are_counted_out_as_well},
    {"what_a_failed_attempt_has_read_does_not_count_for_it",
     what_a_failed_attempt_has_read_does_not_count_for_it},
    {"nothing_is_claimed_from_an_empty_queue", nothing_is_claimed_from_an_empty_queue},
    {"a_claimed_job_is_not_claimed_again", a_claimed_job_is_not_claimed_again},
    {"a_job_whose_lease_is_over_is_claimed_with_a_new_fence",
     a_job_whose_lease_is_over_is_claimed_with_a_new_fence},
    {"three_claims_without_progress_use_a_job_up", three_claims_without_progress_use_a_job_up},
    {"claiming_a_used_up_job_by_id_ends_it", claiming_a_used_up_job_by_id_ends_it},
    {"growth_of_the_journal_starts_the_attempts_again",
     growth_of_the_journal_starts_the_attempts_again},
    {"a_parked_job_waits_and_keeps_its_attempts", a_parked_job_waits_and_keeps_its_attempts},
    {"a_retried_job_uses_its_attempts_up", a_retried_job_uses_its_attempts_up},
    {"a_job_is_not_claimed_before_it_is_due", a_job_is_not_claimed_before_it_is_due},
    {"a_new_job_is_found_after_the_queue_was_found_idle",
     a_new_job_is_found_after_the_queue_was_found_idle},
    {"the_most_urgent_job_comes_first", the_most_urgent_job_comes_first},
    {"organizations_are_served_in_turn", organizations_are_served_in_turn},
    {"a_dead_owners_jobs_are_claimable_at_once", a_dead_owners_jobs_are_claimable_at_once},
    {"a_job_is_claimed_by_its_id", a_job_is_claimed_by_its_id},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "job_claim", tests, G_N_ELEMENTS(tests));
}
