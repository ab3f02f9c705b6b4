#include "unit/store_support.h"

#include "base/clock.h"
#include "store/control_exception.h"
#include "store/control_status.h"
#include "store/score.h"

static const ControlStatus status_row = {.framework = "soc2",
                                         .control_id = "CC8.1",
                                         .status = "stale",
                                         .verdict_beside = "compliant",
                                         .reason = "The newest evidence is past its validity.",
                                         .confidence = 0.25,
                                         .detail = "{\"checks\":[]}"};

static const ControlException exception_row = {.framework = "soc2",
                                               .control_id = "CC8.1",
                                               .who = "ann@example.com",
                                               .why = "Accepted by the board.",
                                               .until_at = START_MS + 1000};

static const Score score_row = {.framework = "soc2",
                                .met_weight = 3,
                                .applicable_weight = 4,
                                .score = 0.75,
                                .counts = "{\"compliant\":3}"};

static void stores_status(DbUnit *unit) {
    bool changed = false;
    store_ok(control_status_upsert(unit, &status_row, &changed, &error));
    g_assert_true(changed);
}

static void reads_status(DbUnit *unit) {
    g_autoptr(ControlStatus) row = NULL;
    store_ok(control_status_get(unit, "soc2", "CC8.1", &row, &error));
    g_assert_cmpstr(row->framework, ==, "soc2");
    g_assert_cmpstr(row->control_id, ==, "CC8.1");
    g_assert_cmpstr(row->status, ==, "stale");
    g_assert_cmpstr(row->verdict_beside, ==, "compliant");
    g_assert_cmpstr(row->reason, ==, status_row.reason);
    g_assert_cmpfloat(row->confidence, ==, 0.25);
    g_assert_cmpstr(row->detail, ==, "{\"checks\":[]}");
    g_assert_cmpint(row->updated_at, ==, START_MS);
}

static void a_status_comes_back_as_it_was_stored(void) {
    store_in(ORG_A, stores_status);
    store_in(ORG_A, reads_status);
}

static void changes_status(DbUnit *unit) {
    bool changed = true;
    ControlStatus row = status_row;
    row.confidence = 0.5;
    store_ok(control_status_upsert(unit, &row, &changed, &error));
    g_assert_false(changed);
    row.verdict_beside = "partial";
    store_ok(control_status_upsert(unit, &row, &changed, &error));
    g_assert_true(changed);
    row.status = "compliant";
    row.verdict_beside = NULL;
    store_ok(control_status_upsert(unit, &row, &changed, &error));
    g_assert_true(changed);
    g_autoptr(ControlStatus) stored = NULL;
    store_ok(control_status_get(unit, "soc2", "CC8.1", &stored, &error));
    g_assert_cmpstr(stored->status, ==, "compliant");
    g_assert_null(stored->verdict_beside);
    g_assert_cmpfloat(stored->confidence, ==, 0.5);
}

static void a_change_is_of_status_or_verdict(void) {
    store_in(ORG_A, stores_status);
    store_in(ORG_A, changes_status);
}

static void sees_no_status(DbUnit *unit) {
    g_autoptr(ControlStatus) row = NULL;
    store_ok(control_status_get(unit, "soc2", "CC8.1", &row, &error));
    g_assert_null(row);
    ControlStatusFilter all = {.framework = "soc2"};
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(control_status_list(unit, &all, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 0);
    ControlStatus other = status_row;
    other.status = "compliant";
    bool changed = false;
    store_ok(control_status_upsert(unit, &other, &changed, &error));
    g_assert_true(changed);
}

static void a_status_is_seen_by_its_organization_only(void) {
    store_in(ORG_A, stores_status);
    store_in(ORG_B, sees_no_status);
    store_in(ORG_A, reads_status);
}

static void lists_statuses(DbUnit *unit) {
    static const char *const controls[] = {"CC6.1", "CC9.1", "CC7.1"};
    for (size_t i = 0; i < G_N_ELEMENTS(controls); i++) {
        ControlStatus row = status_row;
        row.control_id = controls[i];
        row.status = i == 0 ? "partial" : "compliant";
        store_ok(control_status_upsert(unit, &row, NULL, &error));
    }
    ControlStatusFilter two = {.framework = "soc2", .limit = 2};
    g_autoptr(GPtrArray) page = NULL;
    store_ok(control_status_list(unit, &two, &page, &error));
    g_assert_cmpuint(page->len, ==, 2);
    two.after_control_id = ((const ControlStatus *)g_ptr_array_index(page, 1))->control_id;
    g_assert_cmpstr(two.after_control_id, ==, "CC7.1");
    g_autoptr(GPtrArray) rest = NULL;
    store_ok(control_status_list(unit, &two, &rest, &error));
    g_assert_cmpuint(rest->len, ==, 1);
    ControlStatusFilter partial = {.framework = "soc2", .status = "partial"};
    g_autoptr(GPtrArray) one = NULL;
    store_ok(control_status_list(unit, &partial, &one, &error));
    g_assert_cmpuint(one->len, ==, 1);
    ControlStatusFilter other = {.framework = "iso27001_2022"};
    g_autoptr(GPtrArray) none = NULL;
    store_ok(control_status_list(unit, &other, &none, &error));
    g_assert_cmpuint(none->len, ==, 0);
}

static void statuses_are_filtered_and_paged(void) {
    store_in(ORG_A, lists_statuses);
}

static guint open_exceptions(DbUnit *unit, int64_t at) {
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(control_exception_list(unit, "soc2", at, &rows, &error));
    return rows->len;
}

static void stores_exception(DbUnit *unit) {
    store_ok(control_exception_upsert(unit, &exception_row, &error));
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(control_exception_list(unit, "soc2", START_MS, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 1);
    const ControlException *row = g_ptr_array_index(rows, 0);
    g_assert_cmpstr(row->control_id, ==, "CC8.1");
    g_assert_cmpstr(row->who, ==, "ann@example.com");
    g_assert_cmpstr(row->why, ==, "Accepted by the board.");
    g_assert_cmpint(row->until_at, ==, START_MS + 1000);
    g_assert_cmpint(row->created_at, ==, START_MS);
}

static void ends_exception(DbUnit *unit) {
    g_assert_cmpuint(open_exceptions(unit, START_MS + 999), ==, 1);
    g_assert_cmpuint(open_exceptions(unit, START_MS + 1000), ==, 0);
    ControlException endless = exception_row;
    endless.until_at = 0;
    store_ok(control_exception_upsert(unit, &endless, &error));
    g_assert_cmpuint(open_exceptions(unit, INT64_MAX), ==, 1);
    store_ok(control_exception_delete(unit, "soc2", "CC8.1", &error));
    store_fails(ERROR_NOT_FOUND, control_exception_delete(unit, "soc2", "CC8.1", &error));
    g_assert_cmpuint(open_exceptions(unit, START_MS), ==, 0);
}

static void an_exception_is_open_until_its_end(void) {
    store_in(ORG_A, stores_exception);
    store_in(ORG_A, ends_exception);
}

static void sees_no_exception(DbUnit *unit) {
    g_assert_cmpuint(open_exceptions(unit, START_MS), ==, 0);
    store_fails(ERROR_NOT_FOUND, control_exception_delete(unit, "soc2", "CC8.1", &error));
    ControlException nameless = exception_row;
    nameless.who = NULL;
    store_fails(ERROR_CONFIGURATION, control_exception_upsert(unit, &nameless, &error));
}

static void an_exception_is_seen_by_its_organization_only(void) {
    store_in(ORG_A, stores_exception);
    store_in(ORG_B, sees_no_exception);
}

static void stores_score(DbUnit *unit) {
    store_ok(score_insert(unit, &score_row, &error));
    g_autoptr(Score) row = NULL;
    store_ok(score_latest(unit, "soc2", &row, &error));
    g_assert_cmpstr(row->framework, ==, "soc2");
    g_assert_cmpint(row->taken_at, ==, clock_now_ms());
    g_assert_cmpfloat(row->met_weight, ==, 3);
    g_assert_cmpfloat(row->applicable_weight, ==, 4);
    g_assert_cmpfloat(row->score, ==, 0.75);
    g_assert_cmpstr(row->counts, ==, "{\"compliant\":3}");
}

static void takes_scores(DbUnit *unit) {
    Score again = score_row;
    again.score = 0.5;
    store_ok(score_insert(unit, &again, &error));
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(score_list(unit, "soc2", 0, 0, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 2);
    const Score *newest = g_ptr_array_index(rows, 0);
    g_assert_cmpfloat(newest->score, ==, 0.5);
    g_assert_cmpint(newest->taken_at, ==, START_MS + 10);
    g_autoptr(GPtrArray) earlier = NULL;
    store_ok(score_list(unit, "soc2", newest->taken_at, 0, &earlier, &error));
    g_assert_cmpuint(earlier->len, ==, 1);
    g_autoptr(Score) none = NULL;
    store_ok(score_latest(unit, "iso27001_2013", &none, &error));
    g_assert_null(none);
}

static void scores_are_kept_over_time_one_a_moment(void) {
    store_in(ORG_A, stores_score);
    clock_advance(10);
    store_in(ORG_A, stores_score);
    store_in(ORG_A, takes_scores);
}

static void sees_no_score(DbUnit *unit) {
    g_autoptr(Score) none = NULL;
    store_ok(score_latest(unit, "soc2", &none, &error));
    g_assert_null(none);
}

static void a_score_is_seen_by_its_organization_only(void) {
    store_in(ORG_A, stores_score);
    store_in(ORG_B, sees_no_score);
}

static const StoreTest tests[] = {
    {"a_status_comes_back_as_it_was_stored", a_status_comes_back_as_it_was_stored},
    {"a_change_is_of_status_or_verdict", a_change_is_of_status_or_verdict},
    {"a_status_is_seen_by_its_organization_only", a_status_is_seen_by_its_organization_only},
    {"statuses_are_filtered_and_paged", statuses_are_filtered_and_paged},
    {"an_exception_is_open_until_its_end", an_exception_is_open_until_its_end},
    {"an_exception_is_seen_by_its_organization_only",
     an_exception_is_seen_by_its_organization_only},
    {"scores_are_kept_over_time_one_a_moment", scores_are_kept_over_time_one_a_moment},
    {"a_score_is_seen_by_its_organization_only", a_score_is_seen_by_its_organization_only},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "control", tests, G_N_ELEMENTS(tests));
}
