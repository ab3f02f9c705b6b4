/* The settings that a service was last started with. */
#include "unit/store_support.h"

#include "base/error.h"
#include "store/settings_mark.h"

static void has_none(DbUnit *unit) {
    g_autoptr(SettingsMark) mark = NULL;
    store_ok(settings_mark_find(unit, "all", &mark, &error));
    g_assert_null(mark);
}

static void puts_one(DbUnit *unit) {
    const SettingsMark mark = {.role = "all", .salt = "ab", .hashes = "{\"workers\":\"01\"}"};
    const SettingsMark other = {.role = "api", .salt = "cd", .hashes = "{}"};
    store_ok(settings_mark_put(unit, &mark, &error));
    store_ok(settings_mark_put(unit, &other, &error));
}

static void puts_another(DbUnit *unit) {
    const SettingsMark mark = {.role = "all", .salt = "ef", .hashes = "{\"workers\":\"02\"}"};
    store_ok(settings_mark_put(unit, &mark, &error));
}

static void has_the_last(DbUnit *unit) {
    g_autoptr(SettingsMark) mark = NULL;
    g_autoptr(SettingsMark) other = NULL;
    store_ok(settings_mark_find(unit, "all", &mark, &error));
    store_ok(settings_mark_find(unit, "api", &other, &error));
    g_assert_cmpstr(mark->salt, ==, "ef");
    g_assert_cmpstr(mark->hashes, ==, "{\"workers\":\"02\"}");
    g_assert_cmpstr(other->salt, ==, "cd");
}

static void each_role_has_one_mark_the_last(void) {
    store_system(has_none);
    store_system(puts_one);
    store_system(puts_another);
    store_system(has_the_last);
}

static void refuses_a_bare_one(DbUnit *unit) {
    const SettingsMark nobody = {.salt = "ab", .hashes = "{}"};
    const SettingsMark nothing = {.role = "all", .salt = "ab"};
    store_fails(ERROR_CONFIGURATION, settings_mark_put(unit, &nobody, &error));
    store_fails(ERROR_CONFIGURATION, settings_mark_put(unit, &nothing, &error));
}

static void a_mark_is_whole(void) {
    store_system(refuses_a_bare_one);
}

static const StoreTest tests[] = {
    {"each_role_has_one_mark_the_last", each_role_has_one_mark_the_last},
    {"a_mark_is_whole", a_mark_is_whole},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "settings_mark", tests, G_N_ELEMENTS(tests));
}
