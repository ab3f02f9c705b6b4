#include "unit/store_support.h"

#include "base/clock.h"
#include "store/user.h"

#include <string.h>

static void add(DbUnit *unit, const char *id, const char *email, const char *hash) {
    User row = {.id = id, .email = email, .name = "Ada", .password_hash = hash};
    store_ok(user_insert(unit, &row, &error));
}

static User *get(DbUnit *unit, const char *id) {
    User *row = NULL;
    store_ok(user_get(unit, id, &row, &error));
    return row;
}

/* --- addresses -------------------------------------------------------------------------------- */

static void addresses_are_trimmed_and_lower_case(void) {
    g_autoptr(GError) error = NULL;
    g_autofree char *normal = user_email_normal("  Ada.Lovelace@Example.COM\n", &error);
    g_assert_no_error(error);
    g_assert_cmpstr(normal, ==, "ada.lovelace@example.com");
}

static void what_is_no_address_is_refused(void) {
    g_autofree char *too_long = g_strnfill(USER_EMAIL_MAX, 'a');
    too_long[100] = '@';
    g_autofree char *longer = g_strconcat(too_long, "a", NULL);
    g_autofree char *huge = g_strnfill(100000, 'a');
    const char *const wrong[] = {
        "",         "ada",       "@example.com", "ada@", "a@b@c", "a b@c", "a\x01@b",
        "a@b\n\nc", "\xff@\xff", "ad\xc3\xa4@b", longer, huge,    NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(user_email_normal(wrong[i], &error));
        g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    }
    g_autofree char *longest = user_email_normal(too_long, NULL);
    g_assert_cmpstr(longest, ==, too_long);
}

/* --- rows ------------------------------------------------------------------------------------- */

static void adds(DbUnit *unit) {
    add(unit, "u1", "ada@example.com", "hash");
    add(unit, "u2", "eve@example.com", NULL);
    g_autoptr(User) ada = get(unit, "u1");
    g_autoptr(User) eve = get(unit, "u2");
    g_assert_cmpint(ada->password_changed_at, ==, START_MS);
    g_assert_cmpint(ada->created_at, ==, START_MS);
    g_assert_cmpint(eve->password_changed_at, ==, 0);
    g_assert_null(eve->password_hash);
}

static void counts_two(DbUnit *unit) {
    int64_t count = 0;
    store_ok(user_count(unit, &count, &error));
    g_assert_cmpint(count, ==, 2);
}

static void users_belong_to_no_organization(void) {
    store_in(ORG_A, adds);
    store_in(ORG_B, counts_two);
    store_system(counts_two);
}

static void finds(DbUnit *unit) {
    add(unit, "u1", "ada@example.com", NULL);
    g_autoptr(User) by_id = NULL;
    g_autoptr(User) by_email = NULL;
    g_autoptr(User) none = NULL;
    store_ok(user_find(unit, "u1", &by_id, &error));
    store_ok(user_find(unit, "ada@example.com", &by_email, &error));
    store_ok(user_find(unit, "ADA@example.com", &none, &error));
    g_assert_cmpstr(by_id->email, ==, "ada@example.com");
    g_assert_cmpstr(by_email->id, ==, "u1");
    g_assert_null(none);
}

static void a_user_is_found_by_id_or_address(void) {
    store_system(finds);
}

static void adds_taken(DbUnit *unit) {
    add(unit, "u1", "ada@example.com", NULL);
    User same_email = {.id = "u2", .email = "ada@example.com", .name = "Other"};
    User same_id = {.id = "u1", .email = "other@example.com", .name = "Other"};
    User nameless = {.id = "u3", .email = "third@example.com"};
    store_fails(ERROR_CONFLICT, user_insert(unit, &same_email, &error));
    store_fails(ERROR_CONFLICT, user_insert(unit, &same_id, &error));
    store_fails(ERROR_CONFIGURATION, user_insert(unit, &nameless, &error));
}

static void an_address_belongs_to_one_user(void) {
    store_system(adds_taken);
}

static void changes_missing(DbUnit *unit) {
    User *row = NULL;
    store_fails(ERROR_NOT_FOUND, user_get(unit, "nobody", &row, &error));
    store_fails(ERROR_NOT_FOUND, user_set_password(unit, "nobody", "hash", &error));
    store_fails(ERROR_NOT_FOUND, user_set_disabled(unit, "nobody", true, &error));
    store_fails(ERROR_NOT_FOUND, user_logged_in(unit, "nobody", &error));
    store_ok(user_rehash(unit, "nobody", "a", "b", &error));
}

static void nobody_is_not_found(void) {
    store_system(changes_missing);
}

static void adds_ada(DbUnit *unit) {
    add(unit, "u1", "ada@example.com", "hash-1");
}

static void changes_password(DbUnit *unit) {
    store_ok(user_set_password(unit, "u1", "hash-2", &error));
    g_autoptr(User) row = get(unit, "u1");
    g_assert_cmpstr(row->password_hash, ==, "hash-2");
    g_assert_cmpint(row->password_changed_at, ==, START_MS + 1000);
}

static void changes_once(DbUnit *unit) {
    store_ok(user_change_password(unit, "u1", "hash-1", "hash-2", &error));
    store_fails(ERROR_CONFLICT, user_change_password(unit, "u1", "hash-1", "late", &error));
    store_ok(user_set_disabled(unit, "u1", true, &error));
    store_fails(ERROR_CONFLICT, user_change_password(unit, "u1", "hash-2", "late", &error));
    g_autoptr(User) row = get(unit, "u1");
    g_assert_cmpstr(row->password_hash, ==, "hash-2");
}

static void of_two_changes_of_a_password_one_is_made(void) {
    store_system(adds_ada);
    store_system(changes_once);
}

static void rehashes(DbUnit *unit) {
    store_ok(user_rehash(unit, "u1", "hash-1", "late", &error));
    g_autoptr(User) kept = get(unit, "u1");
    g_assert_cmpstr(kept->password_hash, ==, "hash-2");
    store_ok(user_rehash(unit, "u1", "hash-2", "hash-3", &error));
    g_autoptr(User) row = get(unit, "u1");
    g_assert_cmpstr(row->password_hash, ==, "hash-3");
    g_assert_cmpint(row->password_changed_at, ==, START_MS + 1000);
}

static void a_late_rehash_does_not_bring_the_old_password_back(void) {
    store_system(adds_ada);
    clock_advance(1000);
    store_system(changes_password);
    clock_advance(1000);
    store_system(rehashes);
}

static void disables(DbUnit *unit) {
    store_ok(user_set_disabled(unit, "u1", true, &error));
    g_autoptr(User) off = get(unit, "u1");
    g_assert_cmpint(off->disabled_at, ==, START_MS + 5);
    store_ok(user_set_disabled(unit, "u1", false, &error));
    store_ok(user_logged_in(unit, "u1", &error));
    g_autoptr(User) on = get(unit, "u1");
    g_assert_cmpint(on->disabled_at, ==, 0);
    g_assert_cmpint(on->last_login_at, ==, START_MS + 5);
}

static void a_user_is_disabled_and_enabled(void) {
    store_system(adds_ada);
    clock_advance(5);
    store_system(disables);
}

static void lists(DbUnit *unit) {
    add(unit, "u1", "ada@example.com", NULL);
    add(unit, "u2", "eve@example.com", NULL);
    add(unit, "u3", "bob@example.com", NULL);
    g_autoptr(GPtrArray) first = NULL;
    g_autoptr(GPtrArray) rest = NULL;
    store_ok(user_list(unit, NULL, 2, &first, &error));
    store_ok(user_list(unit, "u2", 2, &rest, &error));
    g_assert_cmpuint(first->len, ==, 2);
    g_assert_cmpuint(rest->len, ==, 1);
    g_assert_cmpstr(((const User *)g_ptr_array_index(rest, 0))->id, ==, "u3");
}

static void users_are_listed_in_pages(void) {
    store_system(lists);
}

static const StoreTest tests[] = {
    {"addresses_are_trimmed_and_lower_case", addresses_are_trimmed_and_lower_case},
    {"what_is_no_address_is_refused", what_is_no_address_is_refused},
    {"users_belong_to_no_organization", users_belong_to_no_organization},
    {"a_user_is_found_by_id_or_address", a_user_is_found_by_id_or_address},
    {"an_address_belongs_to_one_user", an_address_belongs_to_one_user},
    {"of_two_changes_of_a_password_one_is_made", of_two_changes_of_a_password_one_is_made},
    {"nobody_is_not_found", nobody_is_not_found},
    {"a_late_rehash_does_not_bring_the_old_password_back",
     a_late_rehash_does_not_bring_the_old_password_back},
    {"a_user_is_disabled_and_enabled", a_user_is_disabled_and_enabled},
    {"users_are_listed_in_pages", users_are_listed_in_pages},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "user", tests, G_N_ELEMENTS(tests));
}
