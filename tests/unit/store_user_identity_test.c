/* Who users are at an identity provider. */
#include "unit/store_support.h"

#include "base/clock.h"
#include "base/error.h"
#include "store/user_identity.h"

#define ISSUER "https://id.example"

static UserIdentity of(const char *issuer, const char *subject, const char *user_id) {
    return (UserIdentity){.issuer = issuer, .subject = subject, .user_id = user_id};
}

static void binds_ada(DbUnit *unit) {
    UserIdentity row = of(ISSUER, "1", "ada");
    store_ok(user_identity_insert(unit, &row, &error));
}

static void assert_found(DbUnit *unit, const char *issuer, const char *subject, const char *id) {
    g_autoptr(User) user = NULL;
    store_ok(user_identity_find(unit, issuer, subject, &user, &error));
    g_assert_cmpstr(user ? user->id : NULL, ==, id);
}

static void finds_ada_alone(DbUnit *unit) {
    assert_found(unit, ISSUER, "1", "ada");
    assert_found(unit, ISSUER, "2", NULL);
    assert_found(unit, "https://other.example", "1", NULL);
    assert_found(unit, ISSUER, "ada@example.com", NULL);
}

static void a_user_is_found_by_issuer_and_subject_and_nothing_else(void) {
    store_system(store_adds_ada_and_eve);
    store_system(binds_ada);
    store_system(finds_ada_alone);
    store_in(ORG_A, finds_ada_alone);
}

static void binds_others(DbUnit *unit) {
    UserIdentity taken = of(ISSUER, "1", "eve");
    UserIdentity second = of(ISSUER, "2", "ada");
    UserIdentity elsewhere = of("https://other.example", "1", "ada");
    store_fails(ERROR_CONFLICT, user_identity_insert(unit, &taken, &error));
    store_fails(ERROR_CONFLICT, user_identity_insert(unit, &second, &error));
    store_ok(user_identity_insert(unit, &elsewhere, &error));
    assert_found(unit, ISSUER, "1", "ada");
    assert_found(unit, ISSUER, "2", NULL);
    assert_found(unit, "https://other.example", "1", "ada");
}

static void a_subject_has_one_user_and_a_user_one_subject_of_an_issuer(void) {
    store_system(store_adds_ada_and_eve);
    store_system(binds_ada);
    store_system(binds_others);
}

static void binds_too_much(DbUnit *unit) {
    g_autofree char *text = g_strnfill(USER_IDENTITY_TEXT_MAX + 1, 's');
    UserIdentity subject = of(ISSUER, text, "ada");
    UserIdentity issuer = of(text, "1", "ada");
    GError *error = NULL;
    g_assert_false(user_identity_insert(unit, &subject, &error));
    g_clear_error(&error);
    g_assert_false(user_identity_insert(unit, &issuer, &error));
    g_clear_error(&error);
}

static void names_that_are_too_long_are_refused(void) {
    store_system(store_adds_ada_and_eve);
    store_system(binds_too_much);
}

static void binds_nobody(DbUnit *unit) {
    UserIdentity row = of(ISSUER, "1", "nobody");
    GError *error = NULL;
    if (!user_identity_insert(unit, &row, &error))
        g_assert_nonnull(error);
    g_clear_error(&error);
}

static void a_user_must_exist(void) {
    store_system_fails(binds_nobody);
}

int main(int argc, char **argv) {
    static const StoreTest tests[] = {
        {"a_user_is_found_by_issuer_and_subject_and_nothing_else",
         a_user_is_found_by_issuer_and_subject_and_nothing_else},
        {"a_subject_has_one_user_and_a_user_one_subject_of_an_issuer",
         a_subject_has_one_user_and_a_user_one_subject_of_an_issuer},
        {"names_that_are_too_long_are_refused", names_that_are_too_long_are_refused},
        {"a_user_must_exist", a_user_must_exist},
    };
    return store_main(argc, argv, "user_identity", tests, G_N_ELEMENTS(tests));
}
