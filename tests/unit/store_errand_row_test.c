/* Tests of connections that were announced, as rows that any process reads. */
#include "unit/store_support.h"

#include "base/clock.h"
#include "base/error.h"
#include "store/errand_row.h"
#include "store/organization.h"
#include "store/organization_end.h"
#include "store/purge.h"

#define ERRAND "01890000-0000-7000-8000-0000000e0001"

static const ErrandRow under_way = {.id = ERRAND,
                                    .kind = "test",
                                    .integration_id = INTEGRATION_A,
                                    .actor_id = "ada",
                                    .status = ERRAND_RUNNING,
                                    .started_at = START_MS - 25000};

static ErrandRow *read_row(DbUnit *unit) {
    ErrandRow *row = NULL;
    store_ok(errand_row_get(unit, ERRAND, &row, &error));
    return row;
}

static void is_announced(DbUnit *unit) {
    store_ok(errand_row_insert(unit, &under_way, &error));
}

static void is_announced_when_it_has_ended(DbUnit *unit) {
    ErrandRow row = under_way;
    row.status = ERRAND_COMPLETED;
    row.result = "{\"success\":true}";
    row.ended_at = START_MS;
    store_ok(errand_row_insert(unit, &row, &error));
}

static void makes_a_new_one(DbUnit *unit) {
    ErrandRow row = under_way;
    row.integration_id = NULL;
    store_ok(errand_row_insert(unit, &row, &error));
}

static void cannot_be_announced(DbUnit *unit) {
    store_fails(ERROR_NOT_FOUND, errand_row_insert(unit, &under_way, &error));
}

static void is_renewed(DbUnit *unit) {
    store_ok(errand_row_renew(unit, ERRAND, &error));
}

static void fails(DbUnit *unit) {
    ErrandRow row = under_way;
    row.status = ERRAND_FAILED;
    row.problem = "{\"code\":\"TIMEOUT\"}";
    row.ended_at = clock_now_ms();
    store_ok(errand_row_end(unit, &row, &error));
}

static void completes(DbUnit *unit) {
    ErrandRow row = under_way;
    row.status = ERRAND_COMPLETED;
    row.result = "{\"success\":true}";
    row.ended_at = clock_now_ms();
    store_ok(errand_row_end(unit, &row, &error));
}

static void is_under_way(DbUnit *unit) {
    g_autoptr(ErrandRow) row = read_row(unit);
    g_assert_cmpstr(row->kind, ==, "test");
    g_assert_cmpstr(row->integration_id, ==, INTEGRATION_A);
    g_assert_cmpstr(row->actor_id, ==, "ada");
    g_assert_cmpstr(row->status, ==, ERRAND_RUNNING);
    g_assert_cmpint(row->started_at, ==, START_MS - 25000);
    g_assert_null(row->result);
    g_assert_null(row->problem);
    g_assert_false(errand_row_is_lost(row));
}

static void is_lost(DbUnit *unit) {
    g_autoptr(ErrandRow) row = read_row(unit);
    g_assert_true(errand_row_is_lost(row));
}

static void has_failed(DbUnit *unit) {
    g_autoptr(ErrandRow) row = read_row(unit);
    g_assert_cmpstr(row->status, ==, ERRAND_FAILED);
    g_assert_cmpstr(row->problem, ==, "{\"code\":\"TIMEOUT\"}");
    g_assert_null(row->result);
    g_assert_cmpint(row->ended_at, >, 0);
    g_assert_false(errand_row_is_lost(row));
}

static void has_completed(DbUnit *unit) {
    g_autoptr(ErrandRow) row = read_row(unit);
    g_assert_cmpstr(row->status, ==, ERRAND_COMPLETED);
    g_assert_cmpstr(row->result, ==, "{\"success\":true}");
    g_assert_false(errand_row_is_lost(row));
}

static void is_not_there(DbUnit *unit) {
    g_autoptr(ErrandRow) row = read_row(unit);
    g_assert_null(row);
}

static void is_due(DbUnit *unit) {
    bool due = false;
    store_ok(errand_row_due(unit, &due, &error));
    g_assert_true(due);
}

static void is_not_due(DbUnit *unit) {
    bool due = true;
    store_ok(errand_row_due(unit, &due, &error));
    g_assert_false(due);
}

static void is_pruned(DbUnit *unit) {
    store_ok(errand_row_prune(unit, &error));
}

static void purges_its_integration(DbUnit *unit) {
    Purged purged;
    store_ok(purge_integration(unit, INTEGRATION_A, &purged, &error));
}

static void ends_the_organization(DbUnit *unit) {
    g_autoptr(Organization) row = NULL;
    int64_t running = -1;
    store_ok(organization_get(unit, &row, &error));
    store_ok(organization_end(unit, row->name, &running, &error));
}

static void whatever_comes_of_it_is_told_once(void) {
    store_in(ORG_A, is_announced);
    store_in(ORG_A, is_under_way);
    store_in(ORG_A, fails);
    store_in(ORG_A, has_failed);
    store_in(ORG_A, completes);
    store_in(ORG_A, has_failed);
}

static void one_that_ended_before_it_was_announced_is_whole(void) {
    store_in(ORG_A, is_announced_when_it_has_ended);
    store_in(ORG_A, has_completed);
    clock_advance(ERRAND_ROW_LEASE_MS * 2);
    store_in(ORG_A, has_completed);
}

static void a_process_that_lives_keeps_its_own(void) {
    store_in(ORG_A, is_announced);
    clock_advance(ERRAND_ROW_LEASE_MS - 1);
    store_in(ORG_A, is_under_way);
    store_in(ORG_A, is_renewed);
    clock_advance(ERRAND_ROW_LEASE_MS - 1);
    store_in(ORG_A, is_under_way);
    clock_advance(1);
    store_in(ORG_A, is_lost);
    store_in(ORG_A, completes);
    store_in(ORG_A, has_completed);
}

static void it_is_nobody_elses(void) {
    store_in(ORG_A, is_announced);
    store_in(ORG_B, is_not_there);
    store_in(ORG_B, fails);
    store_in(ORG_B, is_pruned);
    store_in(ORG_A, is_under_way);
}

static void it_is_kept_for_a_day(void) {
    store_in(ORG_A, is_announced);
    clock_advance(1000);
    store_in(ORG_A, completes);
    clock_advance(ERRAND_ROW_KEEP_MS - 1);
    store_in(ORG_A, has_completed);
    store_in(ORG_A, is_not_due);
    store_in(ORG_A, is_pruned);
    store_in(ORG_A, has_completed);
    clock_advance(1);
    store_in(ORG_A, is_not_there);
    store_in(ORG_A, is_due);
    store_in(ORG_B, is_not_due);
    store_in(ORG_A, is_pruned);
    store_in(ORG_A, is_not_due);
}

static void it_goes_with_its_integration(void) {
    store_in(ORG_A, is_announced);
    store_in(ORG_A, purges_its_integration);
    store_in(ORG_A, is_not_there);
}

static void it_goes_with_its_organization_and_does_not_come_back(void) {
    store_in(ORG_A, makes_a_new_one);
    store_in(ORG_A, ends_the_organization);
    store_in(ORG_A, is_not_there);
    store_in(ORG_A, completes);
    store_in(ORG_A, is_not_there);
    store_in(ORG_A, cannot_be_announced);
}

int main(int argc, char **argv) {
    static const StoreTest tests[] = {
#define TEST(name) {#name, name}
        TEST(whatever_comes_of_it_is_told_once),
        TEST(one_that_ended_before_it_was_announced_is_whole),
        TEST(a_process_that_lives_keeps_its_own),
        TEST(it_is_nobody_elses),
        TEST(it_is_kept_for_a_day),
        TEST(it_goes_with_its_integration),
        TEST(it_goes_with_its_organization_and_does_not_come_back),
    };
    return store_main(argc, argv, "errand_row", tests, G_N_ELEMENTS(tests));
}
