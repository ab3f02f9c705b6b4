#include "unit/store_support.h"

#include "base/clock.h"
#include "store/budget.h"
#include "store/provider_limit.h"

#define DAY_MS (86400LL * 1000)

/* --- clock and rows -------------------------------------------------------------------------- */

static void ask_the_clock(DbUnit *unit) {
    int64_t now = 0;
    store_ok(budget_clock(unit, 4242, &now, &error));
    g_assert_cmpint(now, ==, 4242);
    store_ok(budget_clock(unit, 0, &now, &error));
    /* The database's own, whatever the program's clock says. */
    g_assert_cmpint(now, >, 1700000000000);
    g_assert_cmpint(now, <, 4000000000000);
}

static void time_is_the_databases_unless_another_is_given(void) {
    store_in(ORG_A, ask_the_clock);
    store_system(ask_the_clock);
}

static void lock_new(DbUnit *unit) {
    g_autoptr(BudgetRow) row = NULL;
    store_ok(budget_lock(unit, "slack/0/app", START_MS, &row, &error));
    g_assert_cmpstr(row->budget_key, ==, "slack/0/app");
    g_assert_cmpint(row->window_ms, ==, 0);
    g_assert_cmpint(row->epoch, ==, 0);
}

static void save(DbUnit *unit) {
    BudgetRow row = {.budget_key = "slack/0/app",
                     .epoch = 3,
                     .kind = 1,
                     .window_ms = 60000,
                     .limit_calls = 50,
                     .told_limit = 40,
                     .level_units = -123456789012,
                     .level_at = 1,
                     .spent_until = 2,
                     .remaining = 7,
                     .reset_at = 4,
                     .heard_at = 5,
                     .held_until = 6,
                     .factor = 500,
                     .factor_at = 8,
                     .touched_at = START_MS};
    store_ok(budget_save(unit, &row, &error));
}

static void read_saved(DbUnit *unit) {
    g_autoptr(BudgetRow) row = NULL;
    store_ok(budget_lock(unit, "slack/0/app", START_MS, &row, &error));
    g_assert_cmpint(row->epoch, ==, 3);
    g_assert_cmpint(row->level_units, ==, -123456789012);
    g_assert_cmpint(row->remaining, ==, 7);
    g_assert_cmpint(row->factor_at, ==, 8);
    int64_t used = 0;
    store_ok(budget_last_use(unit, &used, &error));
    g_assert_cmpint(used, ==, START_MS);
}

static void a_row_is_made_when_it_is_missing_and_keeps_what_is_saved(void) {
    store_in(ORG_A, lock_new);
    store_in(ORG_A, save);
    store_in(ORG_B, read_saved); /* of no organization */
    store_system(read_saved);
}

static void last_use_is_never_without_rows(DbUnit *unit) {
    int64_t used = 5;
    store_ok(budget_last_use(unit, &used, &error));
    g_assert_cmpint(used, ==, 0);
}

static void nothing_was_used_in_a_new_database(void) {
    store_system(last_use_is_never_without_rows);
}

static void make_old_and_new(DbUnit *unit) {
    g_autoptr(BudgetRow) old = NULL;
    g_autoptr(BudgetRow) new = NULL;
    BudgetHolder dead = {.key = "old", .holder = "dead", .until_at = START_MS - 1};
    store_ok(budget_lock(unit, "old", START_MS - 40 * DAY_MS, &old, &error));
    store_ok(budget_holder_put(unit, &dead, &error));
    store_ok(budget_lock(unit, "new", START_MS, &new, &error));
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(budget_list(unit, NULL, 0, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 1);
    g_assert_cmpstr(((BudgetRow *)g_ptr_array_index(rows, 0))->budget_key, ==, "new");
}

static void what_nobody_used_for_long_is_forgotten_when_another_is_made(void) {
    store_in(ORG_A, make_old_and_new);
}

static void list_pages(DbUnit *unit) {
    static const char *const keys[] = {"c", "a", "b"};
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autoptr(BudgetRow) row = NULL;
        store_ok(budget_lock(unit, keys[i], START_MS, &row, &error));
    }
    g_autoptr(GPtrArray) first = NULL;
    g_autoptr(GPtrArray) rest = NULL;
    store_ok(budget_list(unit, NULL, 2, &first, &error));
    g_assert_cmpuint(first->len, ==, 2);
    store_ok(budget_list(unit, "b", 2, &rest, &error));
    g_assert_cmpuint(rest->len, ==, 1);
    g_assert_cmpstr(((BudgetRow *)g_ptr_array_index(rest, 0))->budget_key, ==, "c");
}

static void rows_are_listed_by_key_in_pages(void) {
    store_in(ORG_A, list_pages);
}

static void too_long_a_key(DbUnit *unit) {
    g_autofree char *key = g_strnfill(300, 'k');
    BudgetRow row = {.budget_key = key};
    store_fails(ERROR_LIMIT, budget_save(unit, &row, &error));
}

static void too_long_a_key_is_refused(void) {
    store_in(ORG_A, too_long_a_key);
}

/* --- holders --------------------------------------------------------------------------------- */

static void expect_others(DbUnit *unit, const char *holder, int64_t at, int64_t count,
                          int64_t calls) {
    BudgetHolder self = {.key = "k", .holder = holder};
    int64_t count_got = -1;
    int64_t calls_got = -1;
    store_ok(budget_others(unit, &self, at, &count_got, &calls_got, &error));
    g_assert_cmpint(count_got, ==, count);
    g_assert_cmpint(calls_got, ==, calls);
}

static void hold(DbUnit *unit) {
    BudgetHolder one = {.key = "k", .holder = "one", .calls = 5, .until_at = 100};
    BudgetHolder two = {.key = "k", .holder = "two", .calls = 7, .until_at = 200};
    BudgetHolder else_where = {.key = "l", .holder = "three", .calls = 9, .until_at = 300};
    store_ok(budget_holder_put(unit, &one, &error));
    store_ok(budget_holder_put(unit, &two, &error));
    store_ok(budget_holder_put(unit, &else_where, &error));
    expect_others(unit, "one", 50, 1, 7);
    expect_others(unit, "new", 50, 2, 12);
    expect_others(unit, "new", 100, 1, 7); /* one is over */
    expect_others(unit, "new", 200, 0, 0);
    one.calls = 1;
    one.until_at = 400;
    store_ok(budget_holder_put(unit, &one, &error));
    expect_others(unit, "two", 300, 1, 1);
    store_ok(budget_holder_drop(unit, &one, &error));
    store_ok(budget_holder_drop(unit, &one, &error)); /* was not there */
    expect_others(unit, "two", 50, 0, 0);
    store_ok(budget_holder_forget(unit, "two", &error)); /* it is dead */
    expect_others(unit, "one", 50, 0, 0);
}

static void others_are_counted_until_they_are_over_or_leave(void) {
    store_in(ORG_A, hold);
}

/* --- authority ------------------------------------------------------------------------------- */

static void read_first(DbUnit *unit) {
    g_autoptr(BudgetAuthority) authority = NULL;
    store_ok(budget_authority_get(unit, &authority, &error));
    g_assert_cmpint(authority->epoch, ==, 0);
    g_assert_cmpstr(authority->place, ==, BUDGET_IN_DATABASE);
}

static void move_twice(DbUnit *unit) {
    bool moved = false;
    BudgetAuthority wanted = {
        .epoch = 1, .place = BUDGET_IN_REDIS, .effective_at = 10, .changed_at = 5};
    store_ok(budget_authority_move(unit, &wanted, &moved, &error));
    g_assert_true(moved);
    store_ok(budget_authority_move(unit, &wanted, &moved, &error)); /* somebody was faster */
    g_assert_false(moved);
    wanted = (BudgetAuthority){.epoch = 2, .place = BUDGET_IN_DATABASE, .effective_at = 20};
    store_ok(budget_authority_move(unit, &wanted, &moved, &error));
    g_assert_true(moved);
    g_autoptr(BudgetAuthority) authority = NULL;
    store_ok(budget_authority_get(unit, &authority, &error));
    g_assert_cmpint(authority->epoch, ==, 2);
    g_assert_cmpint(authority->effective_at, ==, 20);
    g_assert_cmpstr(authority->place, ==, BUDGET_IN_DATABASE);
}

static void counting_is_moved_by_one_only(void) {
    store_in(ORG_A, read_first);
    store_in(ORG_A, move_twice);
}

/* --- the operator's limits ------------------------------------------------------------------- */

static void set_limits(DbUnit *unit) {
    ProviderLimit slack = {.provider = "slack", .limit_calls = 30, .window_ms = 60000};
    ProviderLimit aws = {.provider = "aws", .limit_calls = 5, .window_ms = 1000};
    store_ok(provider_limit_put(unit, &slack, &error));
    store_ok(provider_limit_put(unit, &aws, &error));
    slack.limit_calls = 20;
    store_ok(provider_limit_put(unit, &slack, &error));
    g_autoptr(GPtrArray) limits = NULL;
    store_ok(provider_limit_list(unit, &limits, &error));
    g_assert_cmpuint(limits->len, ==, 2);
    const ProviderLimit *second = g_ptr_array_index(limits, 1);
    g_assert_cmpstr(second->provider, ==, "slack");
    g_assert_cmpint(second->limit_calls, ==, 20);
    g_assert_cmpint(second->set_at, ==, START_MS);
}

static void drop_limits(DbUnit *unit) {
    store_ok(provider_limit_drop(unit, "slack", &error));
    store_fails(ERROR_NOT_FOUND, provider_limit_drop(unit, "slack", &error));
    store_fails(ERROR_NOT_FOUND, provider_limit_drop(unit, "jira", &error));
}

static void limits_of_the_operator_are_set_replaced_and_taken_away(void) {
    store_in(ORG_A, set_limits);
    store_system(drop_limits);
}

static const StoreTest tests[] = {
    {"time_is_the_databases_unless_another_is_given",
     time_is_the_databases_unless_another_is_given},
    {"a_row_is_made_when_it_is_missing_and_keeps_what_is_saved",
     a_row_is_made_when_it_is_missing_and_keeps_what_is_saved},
    {"nothing_was_used_in_a_new_database", nothing_was_used_in_a_new_database},
    {"what_nobody_used_for_long_is_forgotten_when_another_is_made",
     what_nobody_used_for_long_is_forgotten_when_another_is_made},
    {"rows_are_listed_by_key_in_pages", rows_are_listed_by_key_in_pages},
    {"too_long_a_key_is_refused", too_long_a_key_is_refused},
    {"others_are_counted_until_they_are_over_or_leave",
     others_are_counted_until_they_are_over_or_leave},
    {"counting_is_moved_by_one_only", counting_is_moved_by_one_only},
    {"limits_of_the_operator_are_set_replaced_and_taken_away",
     limits_of_the_operator_are_set_replaced_and_taken_away},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "budget", tests, G_N_ELEMENTS(tests));
}
