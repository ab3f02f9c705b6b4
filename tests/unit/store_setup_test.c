#include "unit/store_support.h"

#include "base/clock.h"
#include "store/setup.h"
#include "store/user.h"

static void offer(DbUnit *unit, const char *hash, bool expected) {
    bool needed = !expected;
    store_ok(setup_offer(unit, hash, &needed, &error));
    g_assert_true(needed == expected);
}

static void offers_first(DbUnit *unit) {
    offer(unit, "hash-1", true);
}

static void offers_second(DbUnit *unit) {
    offer(unit, "hash-2", true);
}

static bool is_open(DbUnit *unit, const char *hash) {
    bool open = false;
    store_ok(setup_is_open(unit, hash, &open, &error));
    return open;
}

static void first_is_open(DbUnit *unit) {
    g_assert_true(is_open(unit, "hash-1"));
    g_assert_false(is_open(unit, "hash-2"));
}

static void only_second_is_open(DbUnit *unit) {
    g_assert_false(is_open(unit, "hash-1"));
    g_assert_true(is_open(unit, "hash-2"));
}

static void redeems_first(DbUnit *unit) {
    store_ok(setup_redeem(unit, "hash-1", &error));
    store_adds_ada(unit);
}

static void first_is_refused(DbUnit *unit) {
    g_assert_false(is_open(unit, "hash-1"));
    store_fails(ERROR_NOT_FOUND, setup_redeem(unit, "hash-1", &error));
}

static void offers_nothing(DbUnit *unit) {
    offer(unit, "hash-9", false);
    g_assert_false(is_open(unit, "hash-9"));
    store_fails(ERROR_NOT_FOUND, setup_redeem(unit, "hash-9", &error));
}

static void a_setup_link_makes_the_first_user_once(void) {
    store_system(offers_first);
    store_system(first_is_open);
    store_system(redeems_first);
    store_system(first_is_refused);
    store_system(offers_nothing);
}

static void a_new_link_replaces_the_old_one(void) {
    store_system(offers_first);
    store_system(offers_second);
    store_system(only_second_is_open);
    store_system(first_is_refused);
}

static void a_setup_link_is_dead_after_a_day(void) {
    store_system(offers_first);
    clock_advance(SETUP_LIFE_MS - 1);
    store_system(first_is_open);
    clock_advance(1);
    store_system(first_is_refused);
}

static void a_link_is_dead_when_a_user_came_another_way(void) {
    store_system(offers_first);
    store_system(store_adds_ada);
    store_system(first_is_refused);
}

static const StoreTest tests[] = {
    {"a_setup_link_makes_the_first_user_once", a_setup_link_makes_the_first_user_once},
    {"a_new_link_replaces_the_old_one", a_new_link_replaces_the_old_one},
    {"a_setup_link_is_dead_after_a_day", a_setup_link_is_dead_after_a_day},
    {"a_link_is_dead_when_a_user_came_another_way", a_link_is_dead_when_a_user_came_another_way},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "setup", tests, G_N_ELEMENTS(tests));
}
