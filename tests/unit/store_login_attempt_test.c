/* Lockout with back-off, on a frozen clock. The tests drive units of their own, because each
 * attempt is one. */
#include "unit/store_support.h"

#include "base/clock.h"
#include "store/login_attempt.h"

static LoginSource source;
static int64_t wait_ms;

static void takes(DbUnit *unit) {
    store_ok(login_attempt_take(unit, &source, &wait_ms, &error));
    g_assert_cmpint(wait_ms, ==, 0);
}

static void is_refused(DbUnit *unit) {
    store_fails(ERROR_RATE_LIMITED, login_attempt_take(unit, &source, &wait_ms, &error));
    g_assert_cmpint(wait_ms, >, 0);
}

static void forgives(DbUnit *unit) {
    store_ok(login_attempt_forgive(unit, &source, &error));
}

static void prunes(DbUnit *unit) {
    store_ok(login_attempt_prune(unit, &error));
}

static void fail_times(int times) {
    for (int i = 0; i < times; i++)
        store_system(takes);
}

static void begin(const char *email, const char *address) {
    source = (LoginSource){.email = email, .address = address};
}

static void a_user_is_locked_after_five_failures_and_longer_each_time(void) {
    begin("ada@example.com", "192.0.2.1");
    fail_times(LOGIN_USER_FREE);
    for (int64_t lock = 1000; lock < LOGIN_LOCK_MAX_MS; lock *= 2) {
        store_system(is_refused);
        g_assert_cmpint(wait_ms, ==, lock);
        clock_advance(lock - 1);
        store_system(is_refused);
        g_assert_cmpint(wait_ms, ==, 1);
        clock_advance(1);
        store_system(takes);
    }
    store_system(is_refused);
    g_assert_cmpint(wait_ms, ==, LOGIN_LOCK_MAX_MS);
}

static void a_refused_attempt_is_not_counted(void) {
    begin("ada@example.com", "192.0.2.1");
    fail_times(LOGIN_USER_FREE);
    for (int i = 0; i < 20; i++)
        store_system(is_refused);
    clock_advance(1000);
    store_system(takes);
    store_system(is_refused);
    g_assert_cmpint(wait_ms, ==, 2000);
}

static void a_right_password_forgets_the_failures(void) {
    begin("ada@example.com", "192.0.2.1");
    fail_times(LOGIN_USER_FREE - 1);
    store_system(takes);
    store_system(forgives);
    fail_times(LOGIN_USER_FREE);
    store_system(is_refused);
}

static void a_user_is_locked_for_all_addresses(void) {
    begin("ada@example.com", "192.0.2.1");
    fail_times(LOGIN_USER_FREE);
    begin("ada@example.com", "198.51.100.7");
    store_system(is_refused);
    begin("eve@example.com", "192.0.2.1");
    store_system(takes);
}

static void an_address_is_locked_for_all_users(void) {
    for (int i = 0; i < LOGIN_ADDRESS_FREE; i++) {
        g_autofree char *email = g_strdup_printf("user%d@example.com", i);
        begin(email, "192.0.2.1");
        store_system(takes);
    }
    begin("ada@example.com", "192.0.2.1");
    store_system(is_refused);
    begin("ada@example.com", "192.0.2.2");
    store_system(takes);
}

static void an_own_account_does_not_wash_an_address_clean(void) {
    for (int i = 0; i < LOGIN_ADDRESS_FREE - 1; i++) {
        g_autofree char *email = g_strdup_printf("user%d@example.com", i);
        begin(email, "192.0.2.1");
        store_system(takes);
        begin("eve@example.com", "192.0.2.1");
        store_system(takes);
        store_system(forgives);
    }
    begin("ada@example.com", "192.0.2.1");
    store_system(takes);
    store_system(is_refused);
}

static void addresses_of_one_ipv6_network_count_together(void) {
    for (int i = 0; i < LOGIN_ADDRESS_FREE; i++) {
        g_autofree char *email = g_strdup_printf("user%d@example.com", i);
        g_autofree char *address = g_strdup_printf("2001:db8::%x", i + 1);
        begin(email, address);
        store_system(takes);
    }
    begin("ada@example.com", "2001:db8::ffff");
    store_system(is_refused);
    begin("ada@example.com", "2001:db8:0:1::1");
    store_system(takes);
}

static void failures_are_forgotten_after_a_day(void) {
    begin("ada@example.com", "192.0.2.1");
    fail_times(LOGIN_USER_FREE);
    clock_advance(LOGIN_FORGET_MS);
    fail_times(LOGIN_USER_FREE);
    store_system(is_refused);
    clock_advance(LOGIN_FORGET_MS + 1);
    store_system(prunes);
    store_system(takes);
}

static void what_nobody_has_counts_as_well(void) {
    begin("", "192.0.2.1");
    fail_times(LOGIN_USER_FREE);
    store_system(is_refused);
    begin(NULL, NULL);
    store_system(is_refused);
}

static const StoreTest tests[] = {
    {"a_user_is_locked_after_five_failures_and_longer_each_time",
     a_user_is_locked_after_five_failures_and_longer_each_time},
    {"a_refused_attempt_is_not_counted", a_refused_attempt_is_not_counted},
    {"a_right_password_forgets_the_failures", a_right_password_forgets_the_failures},
    {"a_user_is_locked_for_all_addresses", a_user_is_locked_for_all_addresses},
    {"an_address_is_locked_for_all_users", an_address_is_locked_for_all_users},
    {"an_own_account_does_not_wash_an_address_clean",
     an_own_account_does_not_wash_an_address_clean},
    {"addresses_of_one_ipv6_network_count_together", addresses_of_one_ipv6_network_count_together},
    {"failures_are_forgotten_after_a_day", failures_are_forgotten_after_a_day},
    {"what_nobody_has_counts_as_well", what_nobody_has_counts_as_well},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "login_attempt", tests, G_N_ELEMENTS(tests));
}
