/* Rows of schedules: claimed once, held, advanced once. */
#include "unit/store_support.h"

#include "base/clock.h"
#include "store/integration.h"
#include "store/organization.h"
#include "store/schedule.h"

#define HOLD_MS 60000
#define HOUR_MS 3600000LL

static const ScheduleClaim all = {.hold_ms = HOLD_MS, .limit = 10};

static void begins(DbUnit *unit) {
    bool is_a = g_str_equal(db_unit_scope(unit)->organization, ORG_A);
    store_ok(
        schedule_begin(unit, is_a ? INTEGRATION_A : INTEGRATION_B, START_MS + HOUR_MS, &error));
}

/* The rounds of both organizations are planned, so that they do not stand in the way. */
static void plans_rounds(DbUnit *unit) {
    static const char *const rounds[] = {SCHEDULE_DAILY, SCHEDULE_WEEKLY};
    for (size_t i = 0; i < G_N_ELEMENTS(rounds); i++) {
        Schedule row = {.id = rounds[i], .due_at = SCHEDULE_NEVER};
        store_ok(schedule_change(unit, &row, &error));
    }
}

static void start(void) {
    store_in(ORG_A, plans_rounds);
    store_in(ORG_B, plans_rounds);
    store_in(ORG_A, begins);
    store_in(ORG_B, begins);
}

static Schedule *read_row(DbUnit *unit, const char *id) {
    Schedule *row = NULL;
    store_ok(schedule_get(unit, id, &row, &error));
    return row;
}

static void assert_next_check(DbUnit *unit, const char *id, int64_t expected) {
    g_autoptr(Integration) integration = NULL;
    store_ok(integration_get(unit, id, &integration, &error));
    g_assert_cmpint(integration->next_check_at, ==, expected);
}

/* --- beginning -------------------------------------------------------------------------------- */

static void is_begun(DbUnit *unit) {
    g_autoptr(Schedule) row = read_row(unit, INTEGRATION_A);
    g_assert_cmpstr(row->organization_id, ==, ORG_A);
    g_assert_cmpstr(row->integration_id, ==, INTEGRATION_A);
    g_assert_null(row->rule);
    g_assert_null(row->time_zone);
    g_assert_false(row->paused);
    g_assert_cmpint(row->due_at, ==, START_MS + HOUR_MS);
    g_assert_cmpint(row->look_at, ==, START_MS + HOUR_MS);
    g_assert_cmpint(row->last_at, ==, 0);
    assert_next_check(unit, INTEGRATION_A, START_MS + HOUR_MS);
}

static void begins_later(DbUnit *unit) {
    store_ok(schedule_begin(unit, INTEGRATION_A, START_MS + 9 * HOUR_MS, &error));
}

static void a_schedule_is_begun_once(void) {
    start();
    store_in(ORG_A, is_begun);
    store_in(ORG_A, begins_later);
    store_in(ORG_A, is_begun);
}

static void has_rounds(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(schedule_list(unit, NULL, 0, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 2);
    const Schedule *daily = g_ptr_array_index(rows, 0);
    const Schedule *weekly = g_ptr_array_index(rows, 1);
    g_assert_cmpstr(daily->id, ==, SCHEDULE_DAILY);
    g_assert_cmpstr(weekly->id, ==, SCHEDULE_WEEKLY);
    g_assert_null(daily->integration_id);
    g_assert_cmpint(daily->due_at, ==, 0);
}

static void claims_unplanned(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(schedule_claim(unit, &all, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 4);
}

static void an_organization_has_two_rounds_that_want_to_be_planned(void) {
    store_in(ORG_A, has_rounds);
    store_system(claims_unplanned);
}

static void sees_nothing_of_a(DbUnit *unit) {
    Schedule *row = NULL;
    store_fails(ERROR_NOT_FOUND, schedule_get(unit, INTEGRATION_A, &row, &error));
    Schedule change = {.id = INTEGRATION_A, .due_at = 5};
    store_fails(ERROR_NOT_FOUND, schedule_change(unit, &change, &error));
    Schedule claimed = {.id = INTEGRATION_A, .claim = 0};
    store_fails(ERROR_CONFLICT, schedule_advance(unit, &claimed, 5, &error));
    store_ok(schedule_put_off(unit, INTEGRATION_A, START_MS + 99 * HOUR_MS, &error));
}

static void another_organization_sees_and_changes_nothing(void) {
    start();
    store_in(ORG_B, sees_nothing_of_a);
    store_in(ORG_A, is_begun);
}

/* --- claiming --------------------------------------------------------------------------------- */

static void claims_nothing(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(schedule_claim(unit, &all, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 0);
}

static void looks_in_an_hour(DbUnit *unit) {
    int64_t look_at = 0;
    store_ok(schedule_next_look(unit, &look_at, &error));
    g_assert_cmpint(look_at, ==, START_MS + HOUR_MS);
}

static void claims_both(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(schedule_claim(unit, &all, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 2);
    for (guint i = 0; i < rows->len; i++) {
        const Schedule *row = g_ptr_array_index(rows, i);
        g_assert_cmpint(row->due_at, ==, START_MS + HOUR_MS);
        g_assert_cmpint(row->look_at, ==, clock_now_ms() + HOLD_MS);
    }
}

static void due_rows_are_claimed_once_and_again_after_the_hold(void) {
    start();
    store_system(looks_in_an_hour);
    clock_advance(HOUR_MS - 1);
    store_system(claims_nothing);
    clock_advance(1);
    store_system(claims_both);
    store_system(claims_nothing);
    clock_advance(HOLD_MS - 1);
    store_system(claims_nothing);
    clock_advance(1);
    store_system(claims_both);
}

static void claims_one(DbUnit *unit) {
    const ScheduleClaim one = {.hold_ms = HOLD_MS, .limit = 1};
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(schedule_claim(unit, &one, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 1);
}

static void a_batch_is_no_larger_than_asked_for(void) {
    start();
    clock_advance(HOUR_MS);
    store_system(claims_one);
    store_system(claims_one);
    store_system(claims_nothing);
}

/* --- advancing -------------------------------------------------------------------------------- */

static void advances(DbUnit *unit) {
    g_autoptr(Schedule) held = read_row(unit, INTEGRATION_A);
    store_ok(schedule_advance(unit, held, START_MS + 5 * HOUR_MS, &error));
    g_autoptr(Schedule) row = read_row(unit, INTEGRATION_A);
    g_assert_cmpint(row->due_at, ==, START_MS + 5 * HOUR_MS);
    g_assert_cmpint(row->look_at, ==, START_MS + 5 * HOUR_MS);
    g_assert_cmpint(row->last_at, ==, START_MS + HOUR_MS);
    assert_next_check(unit, INTEGRATION_A, START_MS + 5 * HOUR_MS);
    store_fails(ERROR_CONFLICT, schedule_advance(unit, held, START_MS + 9 * HOUR_MS, &error));
}

static void a_claim_is_advanced_once(void) {
    start();
    clock_advance(HOUR_MS);
    store_system(claims_both);
    store_in(ORG_A, advances);
}

static void late_scheduler_is_refused(DbUnit *unit) {
    g_autoptr(Schedule) row = read_row(unit, INTEGRATION_A);
    Schedule late = *row;
    late.claim--;
    store_fails(ERROR_CONFLICT, schedule_advance(unit, &late, START_MS + 5 * HOUR_MS, &error));
}

static void a_scheduler_that_was_too_slow_queues_nothing(void) {
    start();
    clock_advance(HOUR_MS);
    store_system(claims_both);
    clock_advance(HOLD_MS);
    store_system(claims_both);
    store_in(ORG_A, late_scheduler_is_refused);
    store_in(ORG_A, advances);
}

/* --- changing --------------------------------------------------------------------------------- */

static void changes(DbUnit *unit) {
    g_autoptr(Schedule) held = read_row(unit, INTEGRATION_A);
    Schedule wish = {.id = INTEGRATION_A,
                     .integration_id = INTEGRATION_A,
                     .rule = "0 6 * * *",
                     .time_zone = "Europe/Berlin",
                     .due_at = START_MS + 7 * HOUR_MS};
    store_ok(schedule_change(unit, &wish, &error));
    store_fails(ERROR_CONFLICT, schedule_advance(unit, held, START_MS + 9 * HOUR_MS, &error));
    g_autoptr(Schedule) row = read_row(unit, INTEGRATION_A);
    g_assert_cmpstr(row->rule, ==, "0 6 * * *");
    g_assert_cmpstr(row->time_zone, ==, "Europe/Berlin");
    g_assert_cmpint(row->due_at, ==, START_MS + 7 * HOUR_MS);
    g_autoptr(Integration) integration = NULL;
    store_ok(integration_get(unit, INTEGRATION_A, &integration, &error));
    g_assert_cmpstr(integration->scan_schedule, ==, "0 6 * * *");
    g_assert_cmpint(integration->next_check_at, ==, START_MS + 7 * HOUR_MS);
}

static void a_change_is_mirrored_and_voids_a_claim(void) {
    start();
    clock_advance(HOUR_MS);
    store_system(claims_both);
    store_in(ORG_A, changes);
}

static void pauses(DbUnit *unit) {
    Schedule wish = {.id = INTEGRATION_A,
                     .integration_id = INTEGRATION_A,
                     .paused = true,
                     .due_at = SCHEDULE_NEVER};
    store_ok(schedule_change(unit, &wish, &error));
    assert_next_check(unit, INTEGRATION_A, 0);
}

static void claims_b_only(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(schedule_claim(unit, &all, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 1);
    g_assert_cmpstr(((Schedule *)g_ptr_array_index(rows, 0))->organization_id, ==, ORG_B);
}

static void looks_never(DbUnit *unit) {
    int64_t look_at = 0;
    store_ok(schedule_next_look(unit, &look_at, &error));
    g_assert_cmpint(look_at, ==, START_MS + 1000 * HOUR_MS + HOLD_MS);
}

static void what_is_paused_is_due_never(void) {
    start();
    store_in(ORG_A, pauses);
    clock_advance(1000 * HOUR_MS);
    store_system(claims_b_only);
    store_system(looks_never); /* but for the end of that hold */
}

/* --- putting off and calling ------------------------------------------------------------------ */

static void puts_off(DbUnit *unit) {
    store_ok(schedule_put_off(unit, INTEGRATION_A, START_MS + 30000, &error)); /* is due later */
    assert_next_check(unit, INTEGRATION_A, START_MS + HOUR_MS);
    store_ok(schedule_put_off(unit, INTEGRATION_A, START_MS + 4 * HOUR_MS, &error));
    assert_next_check(unit, INTEGRATION_A, START_MS + 4 * HOUR_MS);
    store_ok(schedule_put_off(unit, "unknown", START_MS + 4 * HOUR_MS, &error));
}

static void a_row_that_is_due_earlier_is_put_off(void) {
    start();
    store_in(ORG_A, puts_off);
}

static void puts_off_held(DbUnit *unit) {
    store_ok(schedule_put_off(unit, INTEGRATION_A, START_MS + 9 * HOUR_MS, &error));
    assert_next_check(unit, INTEGRATION_A, START_MS + HOUR_MS);
}

static void puts_off_paused(DbUnit *unit) {
    store_ok(schedule_put_off(unit, INTEGRATION_A, START_MS + 9 * HOUR_MS, &error));
    assert_next_check(unit, INTEGRATION_A, 0);
}

static void a_row_that_is_held_or_paused_is_not_put_off(void) {
    start();
    clock_advance(HOUR_MS);
    store_system(claims_both);
    store_in(ORG_A, puts_off_held);
    store_in(ORG_A, pauses);
    store_in(ORG_A, puts_off_paused);
}

static void runs(DbUnit *unit, const char *id, int64_t at) {
    IntegrationSync sync = {
        .result = "{}", .synced_at = at, .status = {.status = INTEGRATION_CONNECTED}};
    store_ok(integration_record_sync(unit, id, &sync, &error));
}

static void adds_others(DbUnit *unit) {
    static const char *const ids[] = {"ran", "never", "paused", "gone"};
    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
        store_add_integration(unit, ids[i]);
        store_ok(schedule_begin(unit, ids[i], START_MS + HOUR_MS, &error));
    }
    runs(unit, "ran", START_MS - 10);
    runs(unit, INTEGRATION_A, START_MS - 1000);
    IntegrationStatus gone = {.status = INTEGRATION_DISCONNECTED};
    store_ok(integration_update_status(unit, "gone", &gone, &error));
    Schedule wish = {
        .id = "paused", .integration_id = "paused", .paused = true, .due_at = SCHEDULE_NEVER};
    store_ok(schedule_change(unit, &wish, &error));
}

static void calls(DbUnit *unit) {
    int64_t called = 0;
    store_ok(schedule_call_due(unit, START_MS - 100, &called, &error));
    g_assert_cmpint(called, ==, 2);
    g_autoptr(Schedule) old = read_row(unit, INTEGRATION_A);
    g_autoptr(Schedule) never = read_row(unit, "never");
    g_autoptr(Schedule) ran = read_row(unit, "ran");
    g_assert_cmpint(old->due_at, ==, START_MS);
    g_assert_cmpint(never->due_at, ==, START_MS);
    g_assert_cmpint(ran->due_at, ==, START_MS + HOUR_MS);
    store_ok(schedule_call_due(unit, START_MS - 100, &called, &error));
    g_assert_cmpint(called, ==, 0);
}

static void is_not_called(DbUnit *unit) {
    g_autoptr(Schedule) row = read_row(unit, INTEGRATION_B);
    g_assert_cmpint(row->due_at, ==, START_MS + HOUR_MS);
}

static void what_has_not_run_is_called_due(void) {
    start();
    store_in(ORG_A, adds_others);
    store_in(ORG_A, calls);
    store_in(ORG_B, is_not_called);
}

static const StoreTest tests[] = {
    {"a_schedule_is_begun_once", a_schedule_is_begun_once},
    {"an_organization_has_two_rounds_that_want_to_be_planned",
     an_organization_has_two_rounds_that_want_to_be_planned},
    {"another_organization_sees_and_changes_nothing",
     another_organization_sees_and_changes_nothing},
    {"due_rows_are_claimed_once_and_again_after_the_hold",
     due_rows_are_claimed_once_and_again_after_the_hold},
    {"a_batch_is_no_larger_than_asked_for", a_batch_is_no_larger_than_asked_for},
    {"a_claim_is_advanced_once", a_claim_is_advanced_once},
    {"a_scheduler_that_was_too_slow_queues_nothing", a_scheduler_that_was_too_slow_queues_nothing},
    {"a_change_is_mirrored_and_voids_a_claim", a_change_is_mirrored_and_voids_a_claim},
    {"what_is_paused_is_due_never", what_is_paused_is_due_never},
    {"a_row_that_is_due_earlier_is_put_off", a_row_that_is_due_earlier_is_put_off},
    {"a_row_that_is_held_or_paused_is_not_put_off", a_row_that_is_held_or_paused_is_not_put_off},
    {"what_has_not_run_is_called_due", what_has_not_run_is_called_due},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "schedule", tests, G_N_ELEMENTS(tests));
}
