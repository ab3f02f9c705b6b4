#include "unit/store_support.h"

#include "store/job_claim.h"
#include "store/journal.h"

#include <string.h>

static const JobLease lease = {.job_id = "job-1", .owner = "worker-1", .fence = 1};

static void appends(DbUnit *unit) {
    JournalBatch first = {.entries = 3, .raw_size = 300, .bytes = {"a\0b", 3}};
    JournalBatch second = {.entries = 1, .raw_size = 5, .bytes = {"cd", 2}};
    int64_t number = -1;
    store_ok(journal_append(unit, &lease, &first, &number, &error));
    g_assert_cmpint(number, ==, 0);
    store_ok(journal_append(unit, &lease, &second, &number, &error));
    g_assert_cmpint(number, ==, 1);
}

static void reads(DbUnit *unit) {
    int64_t count = 0;
    store_ok(journal_count(unit, "job-1", &count, &error));
    g_assert_cmpint(count, ==, 2);
    g_autoptr(JournalBatch) first = NULL;
    store_ok(journal_read(unit, "job-1", 0, &first, &error));
    g_assert_cmpint(first->batch, ==, 0);
    g_assert_cmpint(first->entries, ==, 3);
    g_assert_cmpint(first->raw_size, ==, 300);
    g_assert_cmpuint(first->bytes.size, ==, 3);
    g_assert_cmpint(memcmp(first->bytes.bytes, "a\0b", 3), ==, 0);
    g_autoptr(JournalBatch) second = NULL;
    store_ok(journal_read(unit, "job-1", 1, &second, &error));
    g_assert_cmpint(second->entries, ==, 1);
    g_autoptr(JournalBatch) behind = NULL;
    store_ok(journal_read(unit, "job-1", 2, &behind, &error));
    g_assert_null(behind);
}

static void batches_come_back_in_their_order(void) {
    store_in(ORG_A, store_adds_job);
    store_system(store_claims_job);
    store_in(ORG_A, appends);
    store_in(ORG_A, reads);
}

static void sees_nothing(DbUnit *unit) {
    int64_t count = -1;
    store_ok(journal_count(unit, "job-1", &count, &error));
    g_assert_cmpint(count, ==, 0);
    g_autoptr(JournalBatch) batch = NULL;
    store_ok(journal_read(unit, "job-1", 0, &batch, &error));
    g_assert_null(batch);
    JournalBatch row = {.entries = 1, .raw_size = 1, .bytes = {"x", 1}};
    store_fails(ERROR_CONFLICT, journal_append(unit, &lease, &row, NULL, &error));
}

static void another_organization_sees_and_adds_nothing(void) {
    store_in(ORG_A, store_adds_job);
    store_system(store_claims_job);
    store_in(ORG_A, appends);
    store_in(ORG_B, sees_nothing);
    store_in(ORG_A, reads);
}

static void appends_stale(DbUnit *unit) {
    JobLease stale = lease;
    stale.fence = 0;
    JournalBatch row = {.entries = 1, .raw_size = 1, .bytes = {"x", 1}};
    store_fails(ERROR_CONFLICT, journal_append(unit, &stale, &row, NULL, &error));
    stale = lease;
    stale.owner = "worker-2";
    store_fails(ERROR_CONFLICT, journal_append(unit, &stale, &row, NULL, &error));
    int64_t count = -1;
    store_ok(journal_count(unit, "job-1", &count, &error));
    g_assert_cmpint(count, ==, 0);
    g_autoptr(Job) job = NULL;
    store_ok(job_get(unit, "job-1", &job, &error));
    g_assert_cmpint(job->journal_batches, ==, 0);
}

static void a_stale_fence_appends_nothing(void) {
    store_in(ORG_A, store_adds_job);
    store_system(store_claims_job);
    store_in(ORG_A, appends_stale);
}

static void appends_too_much(DbUnit *unit) {
    g_autofree char *bytes = g_malloc0(JOURNAL_BATCH_MAX + 1);
    JournalBatch row = {.entries = 1, .raw_size = 1, .bytes = {bytes, JOURNAL_BATCH_MAX + 1}};
    store_fails(ERROR_LIMIT, journal_append(unit, &lease, &row, NULL, &error));
}

static void a_batch_has_a_largest_size(void) {
    store_in(ORG_A, store_adds_job);
    store_system(store_claims_job);
    store_in(ORG_A, appends_too_much);
}

static const StoreTest tests[] = {
    {"batches_come_back_in_their_order", batches_come_back_in_their_order},
    {"another_organization_sees_and_adds_nothing", another_organization_sees_and_adds_nothing},
    {"a_stale_fence_appends_nothing", a_stale_fence_appends_nothing},
    {"a_batch_has_a_largest_size", a_batch_has_a_largest_size},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "journal", tests, G_N_ELEMENTS(tests));
}
