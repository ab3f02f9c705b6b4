/* What is due for scanners, and what they have found. */
#include "unit/store_support.h"

#include "base/clock.h"
#include "base/error.h"
#include "store/assessment.h"
#include "store/integration.h"
#include "store/scan.h"

#define HOUR (60 * 60 * 1000)

static bool leases(DbUnit *unit, const char *scanner) {
    bool leased = false;
    store_ok(scan_lease(unit, INTEGRATION_A, scanner, &leased, &error));
    return leased;
}

static guint due(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = NULL;
    IntegrationFilter filter = {.due_at = clock_now_ms()};
    store_ok(integration_list(unit, &filter, &rows, &error));
    return rows->len;
}

static void first_takes(DbUnit *unit) {
    g_assert_cmpuint(due(unit), ==, 1);
    g_assert_true(leases(unit, "one"));
    g_assert_cmpuint(due(unit), ==, 0);
}

static void nobody_takes(DbUnit *unit) {
    g_assert_cmpuint(due(unit), ==, 0);
    g_assert_false(leases(unit, "one"));
    g_assert_false(leases(unit, "two"));
}

static void second_takes(DbUnit *unit) {
    g_assert_cmpuint(due(unit), ==, 1);
    g_assert_true(leases(unit, "two"));
}

static void a_lease_is_one_scanners_until_it_is_over(void) {
    store_in(ORG_A, first_takes);
    store_in(ORG_A, nobody_takes);
    clock_advance(SCAN_LEASE_MS - 1);
    store_in(ORG_A, nobody_takes);
    clock_advance(1);
    store_in(ORG_A, second_takes);
}

static void visit(DbUnit *unit, bool done) {
    ScanVisit wish = {
        .integration_id = INTEGRATION_A, .next_at = clock_now_ms() + 4 * HOUR, .done = done};
    store_ok(scan_note(unit, &wish, &error));
}

static void notes(DbUnit *unit) {
    visit(unit, false);
    g_autoptr(Scan) scan = NULL;
    store_ok(scan_get(unit, INTEGRATION_A, &scan, &error));
    g_assert_cmpstr(scan->scanner, ==, "one");
    g_assert_cmpint(scan->leased_until, ==, START_MS + SCAN_LEASE_MS);
    g_assert_cmpint(scan->scanned_at, ==, START_MS);
}

static void ends(DbUnit *unit) {
    visit(unit, true);
    g_autoptr(Scan) scan = NULL;
    g_autoptr(Integration) row = NULL;
    store_ok(scan_get(unit, INTEGRATION_A, &scan, &error));
    g_assert_cmpint(scan->leased_until, ==, 0);
    g_assert_cmpint(scan->due_at, ==, START_MS + 4 * HOUR);
    store_ok(integration_get(unit, INTEGRATION_A, &row, &error));
    g_assert_cmpint(row->last_checked_at, ==, START_MS);
    g_assert_cmpint(row->next_check_at, ==, START_MS + 4 * HOUR);
    g_assert_cmpint(row->last_sync_at, ==, 0);
}

static void calls(DbUnit *unit) {
    store_ok(scan_call(unit, INTEGRATION_A, &error));
    g_assert_cmpuint(due(unit), ==, 1);
}

static void a_scan_moves_the_times_and_somebody_may_ask_for_another(void) {
    store_in(ORG_A, first_takes);
    store_in(ORG_A, notes);
    store_in(ORG_A, ends);
    store_in(ORG_A, nobody_takes);
    store_in(ORG_A, calls);
    store_in(ORG_A, second_takes);
    store_in(ORG_A, ends);
    clock_advance(4 * HOUR);
    store_in(ORG_A, second_takes);
}

static void foreign_is_not_there(DbUnit *unit) {
    ScanVisit wish = {.integration_id = INTEGRATION_A, .next_at = START_MS};
    Assessment row = {.id = "a",
                      .integration_id = INTEGRATION_A,
                      .check_name = "c",
                      .resource = "r",
                      .result = "pass",
                      .scanner = "one"};
    store_fails(ERROR_NOT_FOUND, scan_call(unit, INTEGRATION_A, &error));
    store_fails(ERROR_NOT_FOUND, scan_note(unit, &wish, &error));
    store_fails(ERROR_NOT_FOUND, assessment_insert(unit, &row, &error));
}

static void another_organizations_integration_is_not_there(void) {
    store_in(ORG_B, foreign_is_not_there);
}

static void assesses(DbUnit *unit) {
    static const char *const results[] = {"pass", "fail", "could_not_read"};
    for (size_t i = 0; i < G_N_ELEMENTS(results); i++) {
        g_autofree char *id = g_strdup_printf("a-%zu", i);
        Assessment row = {.id = id,
                          .integration_id = INTEGRATION_A,
                          .check_name = i == 0 ? "mfa" : "logs",
                          .resource = "user/1",
                          .result = results[i],
                          .details = "{\"n\":1}",
                          .scanner = "one"};
        store_ok(assessment_insert(unit, &row, &error));
    }
}

static void lists(DbUnit *unit) {
    static const struct {
        AssessmentFilter filter;
        guint count;
        const char *first;
    } cases[] = {
        {{0}, 3, "a-2"},
        {{.result = "fail"}, 1, "a-1"},
        {{.check_name = "logs"}, 2, "a-2"},
        {{.before_id = "a-2"}, 2, "a-1"},
        {{.limit = 1}, 1, "a-2"},
        {{.integration_id = INTEGRATION_B}, 0, NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) rows = NULL;
        store_ok(assessment_list(unit, &cases[i].filter, &rows, &error));
        g_assert_cmpuint(rows->len, ==, cases[i].count);
        const Assessment *first = rows->len > 0 ? g_ptr_array_index(rows, 0) : NULL;
        g_assert_cmpstr(first ? first->id : NULL, ==, cases[i].first);
    }
}

static void lists_nothing(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = NULL;
    AssessmentFilter filter = {0};
    store_ok(assessment_list(unit, &filter, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 0);
}

static void assessments_are_listed_the_newest_first(void) {
    store_in(ORG_A, assesses);
    store_in(ORG_A, lists);
    store_in(ORG_B, lists_nothing);
}

int main(int argc, char **argv) {
    static const StoreTest tests[] = {
        {"a_lease_is_one_scanners_until_it_is_over", a_lease_is_one_scanners_until_it_is_over},
        {"a_scan_moves_the_times_and_somebody_may_ask_for_another",
         a_scan_moves_the_times_and_somebody_may_ask_for_another},
        {"another_organizations_integration_is_not_there",
         another_organizations_integration_is_not_there},
        {"assessments_are_listed_the_newest_first", assessments_are_listed_the_newest_first},
    };
    return store_main(argc, argv, "scan", tests, G_N_ELEMENTS(tests));
}
