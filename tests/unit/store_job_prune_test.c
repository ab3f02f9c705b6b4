/* What is removed of ended jobs, and what stays. */
#include "unit/store_support.h"

#include "base/clock.h"
#include "store/evidence.h"
#include "store/job_claim.h"
#include "store/job_prune.h"
#include "store/journal.h"

#define DAY_MS (24LL * 60 * 60 * 1000)

static const JobClaim worker = {.owner = "worker-1", .lease_ms = 60000};

static void adds(DbUnit *unit) {
    store_add_integration(unit, "second");
    store_add_job(unit, INTEGRATION_A, "ended");
    store_add_job(unit, "second", "running");
    store_add_job(unit, INTEGRATION_A, "waiting");
}

static void claims(DbUnit *unit) {
    static const char *const ids[] = {"ended", "running"};
    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
        g_autoptr(Job) job = NULL;
        store_ok(job_claim_one(unit, ORG_A, ids[i], &worker, &job, &error));
        g_assert_nonnull(job);
    }
}

static const JobLease lease = {.job_id = "ended", .owner = "worker-1", .fence = 1};

static void ends(DbUnit *unit) {
    JournalBatch batch = {.entries = 1, .raw_size = 1, .bytes = {"x", 1}};
    Evidence evidence = {.id = "evidence",
                         .integration_id = INTEGRATION_A,
                         .job_id = "ended",
                         .evidence_type = "branches",
                         .source = "github",
                         .record = "{}",
                         .completeness = 1};
    store_ok(journal_append(unit, &lease, &batch, NULL, &error));
    store_ok(evidence_insert(unit, &evidence, &lease, NULL, &error));
    store_ok(job_complete(unit, &lease, "{}", &error));
}

static void set_up(void) {
    store_in(ORG_A, adds);
    store_system(claims);
    store_in(ORG_A, ends);
}

static JobPruned prune(DbUnit *unit, int64_t results_days, int64_t journals_days) {
    int64_t now = clock_now_ms();
    JobPrune limits = {.results_before_ms = now - results_days * DAY_MS,
                       .journals_before_ms = now - journals_days * DAY_MS,
                       .limit = 10};
    JobPruned pruned = {0};
    store_ok(job_prune(unit, &limits, &pruned, &error));
    return pruned;
}

static void prunes_nothing(DbUnit *unit) {
    JobPruned pruned = prune(unit, 30, 400);
    g_assert_cmpint(pruned.results, ==, 0);
    g_assert_cmpint(pruned.jobs, ==, 0);
}

static void prunes_the_result(DbUnit *unit) {
    JobPruned pruned = prune(unit, 30, 400);
    g_assert_cmpint(pruned.results, ==, 1);
    g_assert_cmpint(pruned.jobs, ==, 0);
}

static void has_job_and_journal(DbUnit *unit) {
    JobResult *result = NULL;
    g_autoptr(Job) job = NULL;
    int64_t batches = 0;
    store_fails(ERROR_NOT_FOUND, job_result_get(unit, "ended", &result, &error));
    store_ok(job_get(unit, "ended", &job, &error));
    store_ok(journal_count(unit, "ended", &batches, &error));
    g_assert_cmpint(batches, ==, 1);
}

static void results_go_after_a_month_and_what_evidence_rests_on_stays(void) {
    set_up();
    clock_advance(30 * DAY_MS);
    store_system(prunes_nothing);
    clock_advance(1);
    store_system(prunes_the_result);
    store_in(ORG_A, has_job_and_journal);
    store_system(prunes_nothing);
}

static void prunes_the_job(DbUnit *unit) {
    JobPruned pruned = prune(unit, 30, 400);
    g_assert_cmpint(pruned.jobs, ==, 1);
}

static void has_evidence_only(DbUnit *unit) {
    Job *gone = NULL;
    int64_t batches = -1;
    g_autoptr(Job) running = NULL;
    g_autoptr(Job) waiting = NULL;
    g_autoptr(Evidence) evidence = NULL;
    store_fails(ERROR_NOT_FOUND, job_get(unit, "ended", &gone, &error));
    store_ok(journal_count(unit, "ended", &batches, &error));
    g_assert_cmpint(batches, ==, 0);
    store_ok(job_get(unit, "running", &running, &error));
    store_ok(job_get(unit, "waiting", &waiting, &error));
    store_ok(evidence_get(unit, "evidence", &evidence, &error));
}

static void ended_jobs_go_with_their_journal_and_no_others(void) {
    set_up();
    clock_advance(400 * DAY_MS + 1);
    store_system(prunes_the_job);
    store_in(ORG_A, has_evidence_only);
    store_system(prunes_nothing);
}

static void adds_many(DbUnit *unit) {
    for (int i = 0; i < 25; i++) {
        JobCancel how;
        g_autofree char *id = g_strdup_printf("job-%02d", i);
        store_add_job(unit, INTEGRATION_A, id);
        store_ok(job_cancel(unit, id, &how, &error));
    }
}

static void prunes_in_batches(DbUnit *unit) {
    g_assert_cmpint(prune(unit, 30, 400).jobs, ==, 10);
    g_assert_cmpint(prune(unit, 30, 400).jobs, ==, 10);
    g_assert_cmpint(prune(unit, 30, 400).jobs, ==, 5);
    g_assert_cmpint(prune(unit, 30, 400).jobs, ==, 0);
}

static void a_unit_removes_no_more_than_a_batch(void) {
    store_in(ORG_A, adds_many);
    clock_advance(500 * DAY_MS);
    store_system(prunes_in_batches);
}

static const StoreTest tests[] = {
    {"results_go_after_a_month_and_what_evidence_rests_on_stays",
     results_go_after_a_month_and_what_evidence_rests_on_stays},
    {"ended_jobs_go_with_their_journal_and_no_others",
     ended_jobs_go_with_their_journal_and_no_others},
    {"a_unit_removes_no_more_than_a_batch", a_unit_removes_no_more_than_a_batch},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "job_prune", tests, G_N_ELEMENTS(tests));
}
