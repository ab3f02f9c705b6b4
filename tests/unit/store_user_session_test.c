#include "unit/store_support.h"

#include "base/clock.h"
#include "store/user.h"
#include "store/user_session.h"

static void begin(DbUnit *unit, const char *id) {
    g_autofree char *hash = g_strconcat("hash-", id, NULL);
    UserSession row = {.id = id,
                       .user_id = "ada",
                       .token_hash = hash,
                       .address = "192.0.2.1",
                       .agent = "Browser/1",
                       .expires_at = INT64_MAX};
    store_ok(user_session_insert(unit, &row, &error));
}

static void begins(DbUnit *unit) {
    store_adds_ada(unit);
    begin(unit, "s1");
    begin(unit, "s2");
    begin(unit, "s3");
}

static UserSessionCaller *find(DbUnit *unit, const char *hash) {
    UserSessionCaller *caller = NULL;
    store_ok(user_session_find(unit, hash, &caller, &error));
    return caller;
}

static void s1_lives(DbUnit *unit) {
    g_autoptr(UserSessionCaller) caller = find(unit, "hash-s1");
    g_assert_cmpstr(caller->user_id, ==, "ada");
    g_assert_cmpstr(caller->email, ==, "ada@example.com");
    g_assert_cmpint(caller->expires_at, ==, START_MS + USER_SESSION_LIFE_MS);
}

static void s1_is_dead(DbUnit *unit) {
    g_assert_null(find(unit, "hash-s1"));
}

static void finds_nothing(DbUnit *unit) {
    g_assert_null(find(unit, "hash-s9"));
    g_assert_null(find(unit, "s1"));
    g_assert_null(find(unit, ""));
}

static void a_session_is_found_by_the_hash_of_its_token(void) {
    store_system(begins);
    store_system(s1_lives);
    store_system(finds_nothing);
}

static void sees_s1(DbUnit *unit) {
    store_ok(user_session_seen(unit, "s1", &error));
}

static void an_idle_session_is_dead_and_a_used_one_lives(void) {
    store_system(begins);
    clock_advance(USER_SESSION_IDLE_MS - 1);
    store_system(s1_lives);
    store_system(sees_s1);
    clock_advance(USER_SESSION_IDLE_MS - 1);
    store_system(s1_lives);
    clock_advance(1);
    store_system(s1_is_dead);
}

static void use_does_not_keep_a_session_for_ever(void) {
    store_system(begins);
    for (int64_t at = 0; at + USER_SESSION_IDLE_MS / 2 < USER_SESSION_LIFE_MS;
         at += USER_SESSION_IDLE_MS / 2) {
        store_system(s1_lives);
        store_system(sees_s1);
        clock_advance(USER_SESSION_IDLE_MS / 2);
    }
    store_system(sees_s1);
    clock_advance(USER_SESSION_IDLE_MS / 2);
    store_system(s1_is_dead);
}

static void is_not_due(DbUnit *unit) {
    g_autoptr(UserSessionCaller) caller = find(unit, "hash-s1");
    g_assert_false(user_session_is_due(caller));
}

static void is_due(DbUnit *unit) {
    g_autoptr(UserSessionCaller) caller = find(unit, "hash-s1");
    g_assert_true(user_session_is_due(caller));
}

static void last_seen_is_written_once_a_minute(void) {
    store_system(begins);
    clock_advance(USER_SESSION_SEEN_MS - 1);
    store_system(is_not_due);
    clock_advance(1);
    store_system(is_due);
    store_system(sees_s1);
    store_system(is_not_due);
}

static void a_disabled_user_has_no_session(void) {
    store_system(begins);
    store_system(store_disables_ada);
    store_system(s1_is_dead);
}

static void lists_three(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(user_session_list(unit, "ada", &rows, &error));
    g_assert_cmpuint(rows->len, ==, 3);
    const UserSession *first = g_ptr_array_index(rows, 0);
    g_assert_cmpstr(first->agent, ==, "Browser/1");
    g_assert_cmpint(first->created_at, ==, START_MS);
    g_autoptr(GPtrArray) none = NULL;
    store_ok(user_session_list(unit, "eve", &none, &error));
    g_assert_cmpuint(none->len, ==, 0);
}

static void ends_s1(DbUnit *unit) {
    store_fails(ERROR_NOT_FOUND, user_session_end(unit, "eve", "s1", &error));
    store_ok(user_session_end(unit, "ada", "s1", &error));
    store_fails(ERROR_NOT_FOUND, user_session_end(unit, "ada", "s1", &error));
}

static void a_user_ends_one_of_his_own_sessions(void) {
    store_system(begins);
    store_system(lists_three);
    store_system(ends_s1);
    store_system(s1_is_dead);
}

static void ends_others(DbUnit *unit) {
    store_ok(user_session_end_others(unit, "ada", "s1", &error));
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(user_session_list(unit, "ada", &rows, &error));
    g_assert_cmpuint(rows->len, ==, 1);
}

static void ends_all(DbUnit *unit) {
    store_ok(user_session_end_others(unit, "ada", NULL, &error));
}

static void a_new_password_ends_the_other_sessions(void) {
    store_system(begins);
    store_system(ends_others);
    store_system(s1_lives);
    store_system(ends_all);
    store_system(s1_is_dead);
}

static void prunes(DbUnit *unit) {
    store_ok(user_session_prune(unit, &error));
}

static void what_has_ended_is_pruned(void) {
    store_system(begins);
    store_system(prunes);
    store_system(s1_lives);
    clock_advance(USER_SESSION_IDLE_MS);
    store_system(prunes);
    clock_freeze(START_MS);
    store_system(s1_is_dead);
}

static const StoreTest tests[] = {
    {"a_session_is_found_by_the_hash_of_its_token", a_session_is_found_by_the_hash_of_its_token},
    {"an_idle_session_is_dead_and_a_used_one_lives", an_idle_session_is_dead_and_a_used_one_lives},
    {"use_does_not_keep_a_session_for_ever", use_does_not_keep_a_session_for_ever},
    {"last_seen_is_written_once_a_minute", last_seen_is_written_once_a_minute},
    {"a_disabled_user_has_no_session", a_disabled_user_has_no_session},
    {"a_user_ends_one_of_his_own_sessions", a_user_ends_one_of_his_own_sessions},
    {"a_new_password_ends_the_other_sessions", a_new_password_ends_the_other_sessions},
    {"what_has_ended_is_pruned", what_has_ended_is_pruned},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "user_session", tests, G_N_ELEMENTS(tests));
}
