/* What an organization has changed in the mapping of checks to controls. */
#include "unit/store_support.h"

#include "base/clock.h"
#include "base/error.h"
#include "store/control_mapping.h"

#include <string.h>

static ControlMapping row_of(const char *control, const char *check, bool added) {
    return (ControlMapping){.framework = "soc2",
                            .control_id = control,
                            .provider = "github",
                            .check_id = check,
                            .added = added,
                            .who = "mona",
                            .why = "ours"};
}

static void adds_two(DbUnit *unit) {
    ControlMapping first = row_of("CC8.1", "branches.b", true);
    ControlMapping second = row_of("CC8.1", "branches.a", false);
    ControlMapping other = row_of("5.1", "branches.a", true);
    other.framework = "iso27001_2022";
    store_ok(control_mapping_insert(unit, &first, &error));
    store_ok(control_mapping_insert(unit, &second, &error));
    store_ok(control_mapping_insert(unit, &other, &error));
}

static void has_two_of_soc2(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = NULL;
    g_autoptr(GPtrArray) all = NULL;
    store_ok(control_mapping_list(unit, "soc2", &rows, &error));
    g_assert_cmpuint(rows->len, ==, 2);
    const ControlMapping *first = g_ptr_array_index(rows, 0);
    const ControlMapping *second = g_ptr_array_index(rows, 1);
    g_assert_cmpstr(first->check_id, ==, "branches.a");
    g_assert_false(first->added);
    g_assert_cmpstr(second->check_id, ==, "branches.b");
    g_assert_true(second->added);
    g_assert_cmpstr(second->who, ==, "mona");
    g_assert_cmpstr(second->why, ==, "ours");
    g_assert_cmpint(second->created_at, ==, START_MS);
    store_ok(control_mapping_list(unit, NULL, &all, &error));
    g_assert_cmpuint(all->len, ==, 3);
}

static void has_none(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(control_mapping_list(unit, NULL, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 0);
}

static void changes_are_listed_by_control_and_check(void) {
    store_in(ORG_A, adds_two);
    store_in(ORG_A, has_two_of_soc2);
    store_in(ORG_B, has_none);
}

static void clears(DbUnit *unit) {
    int64_t count = 0;
    store_ok(control_mapping_clear(unit, "soc2", "CC8.1", &count, &error));
    g_assert_cmpint(count, ==, 2);
    store_ok(control_mapping_clear(unit, "soc2", "CC8.1", &count, &error));
    g_assert_cmpint(count, ==, 0);
    store_ok(control_mapping_clear(unit, "soc2", "CC8.2", NULL, &error));
}

static void has_the_other(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(control_mapping_list(unit, NULL, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 1);
}

static void clears_nothing(DbUnit *unit) {
    int64_t count = 1;
    store_ok(control_mapping_clear(unit, "soc2", "CC8.1", &count, &error));
    g_assert_cmpint(count, ==, 0);
}

static void a_control_is_cleared_and_nothing_else(void) {
    store_in(ORG_A, adds_two);
    store_in(ORG_B, clears_nothing);
    store_in(ORG_A, clears);
    store_in(ORG_A, has_the_other);
}

static void refuses_nameless(DbUnit *unit) {
    ControlMapping row = row_of("", "branches.a", true);
    store_fails(ERROR_CONFIGURATION, control_mapping_insert(unit, &row, &error));
}

static void refuses_reasonless(DbUnit *unit) {
    ControlMapping row = row_of("CC8.1", "branches.a", true);
    row.why = NULL;
    store_fails(ERROR_CONFIGURATION, control_mapping_insert(unit, &row, &error));
}

static void a_change_says_what_and_why(void) {
    store_in(ORG_A, refuses_nameless);
    store_in(ORG_A, refuses_reasonless);
}

static void fills_up(DbUnit *unit) {
    for (int i = 0; i < CONTROL_MAPPINGS_MAX; i++) {
        g_autofree char *check = g_strdup_printf("branches.c%d", i);
        ControlMapping row = row_of("CC8.1", check, true);
        store_ok(control_mapping_insert(unit, &row, &error));
    }
    ControlMapping last = row_of("CC8.1", "branches.last", true);
    store_fails(ERROR_LIMIT, control_mapping_insert(unit, &last, &error));
}

static void there_are_so_many_changes(void) {
    store_in(ORG_A, fills_up);
}

static const StoreTest tests[] = {
    {"changes_are_listed_by_control_and_check", changes_are_listed_by_control_and_check},
    {"a_control_is_cleared_and_nothing_else", a_control_is_cleared_and_nothing_else},
    {"a_change_says_what_and_why", a_change_says_what_and_why},
    {"there_are_so_many_changes", there_are_so_many_changes},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "control_mapping", tests, G_N_ELEMENTS(tests));
}
