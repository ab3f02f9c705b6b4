#include "unit/store_support.h"

#include "base/clock.h"
#include "store/api_token.h"
#include "store/user.h"

#include <string.h>

#define DAY_MS (24 * 3600 * (int64_t)1000)

static void add_token(DbUnit *unit) {
    ApiToken row = {.id = "t1",
                    .name = "nightly",
                    .token_hash = "hash-1",
                    .hint = "assay_api_…abcd",
                    .expires_at = START_MS + DAY_MS,
                    .revoked_at = 5,
                    .last_used_at = 5};
    store_ok(api_token_insert(unit, &row, &error));
}

static void allow_member(DbUnit *unit) {
    Membership access = {.user_id = "t1", .role = "member"};
    store_ok(api_token_allow(unit, &access, &error));
}

static void allow_scanner(DbUnit *unit) {
    Membership access = {.user_id = "t1", .role = "scanner", .integrations = INTEGRATION_B};
    store_ok(api_token_allow(unit, &access, &error));
}

static ApiToken *find(DbUnit *unit, const char *hash) {
    ApiToken *token = NULL;
    store_ok(api_token_find(unit, hash, &token, &error));
    return token;
}

static void t1_lives(DbUnit *unit) {
    g_autoptr(ApiToken) token = find(unit, "hash-1");
    g_assert_cmpstr(token->name, ==, "nightly");
    g_assert_false(token->operator);
    g_assert_cmpint(token->revoked_at, ==, 0);
    g_assert_cmpint(token->last_used_at, ==, 0);
}

static void t1_is_known_by_its_id(DbUnit *unit) {
    g_autoptr(ApiToken) token = NULL;
    store_ok(api_token_get(unit, "t1", &token, &error));
    g_assert_cmpstr(token->name, ==, "nightly");
    g_assert_cmpint(token->revoked_at, ==, START_MS);
    store_fails(ERROR_NOT_FOUND, api_token_get(unit, "hash-1", &token, &error));
    g_assert_cmpstr(token->name, ==, "nightly");
}

static void t1_is_dead(DbUnit *unit) {
    g_assert_null(find(unit, "hash-1"));
}

static void finds_nothing(DbUnit *unit) {
    g_assert_null(find(unit, "hash-2"));
    g_assert_null(find(unit, "Hash-1"));
    g_assert_null(find(unit, "t1"));
    g_assert_null(find(unit, ""));
}

static void a_token_is_found_by_its_hash_and_nothing_else(void) {
    store_system(add_token);
    store_in(ORG_B, t1_lives);
    store_system(finds_nothing);
}

static void a_token_expires(void) {
    store_system(add_token);
    clock_advance(DAY_MS - 1);
    store_system(t1_lives);
    clock_advance(1);
    store_system(t1_is_dead);
}

static void revokes(DbUnit *unit) {
    store_ok(api_token_revoke(unit, "t1", &error));
    store_fails(ERROR_NOT_FOUND, api_token_revoke(unit, "t1", &error));
    store_fails(ERROR_NOT_FOUND, api_token_revoke(unit, "t9", &error));
}

static void a_revoked_token_is_dead(void) {
    store_system(add_token);
    store_system(revokes);
    store_system(t1_is_dead);
    store_system(t1_is_known_by_its_id);
}

static void inserts_expired(DbUnit *unit) {
    ApiToken row = {
        .id = "t2", .name = "late", .token_hash = "h", .hint = "x", .expires_at = START_MS};
    store_fails(ERROR_CONFIGURATION, api_token_insert(unit, &row, &error));
}

static void a_token_is_not_born_dead(void) {
    store_system(inserts_expired);
}

/* --- access ----------------------------------------------------------------------------------- */

static void access_is_member(DbUnit *unit) {
    g_autoptr(Membership) access = NULL;
    store_ok(api_token_find_access(unit, "t1", &access, &error));
    g_assert_cmpstr(access->role, ==, "member");
}

static void access_is_scanner(DbUnit *unit) {
    g_autoptr(Membership) access = NULL;
    store_ok(api_token_find_access(unit, "t1", &access, &error));
    RoleSubject subject = membership_subject(access);
    RoleResource own = {.integration_id = INTEGRATION_B};
    RoleResource other = {.integration_id = INTEGRATION_A};
    g_assert_true(role_allows(&subject, ACTION_CREDENTIAL_READ, &own));
    g_assert_false(role_allows(&subject, ACTION_CREDENTIAL_READ, &other));
}

static void has_no_access(DbUnit *unit) {
    g_autoptr(Membership) access = NULL;
    store_ok(api_token_find_access(unit, "t1", &access, &error));
    g_assert_null(access);
}

static void reaches_both(DbUnit *unit) {
    g_autoptr(GPtrArray) reach = NULL;
    store_ok(api_token_list_reach(unit, "t1", &reach, &error));
    g_assert_cmpuint(reach->len, ==, 2);
    const UserMembership *beta = g_ptr_array_index(reach, 1);
    g_assert_cmpstr(beta->organization_id, ==, ORG_B);
    g_assert_cmpstr(beta->role, ==, "scanner");
}

static void a_token_has_a_role_of_its_own_in_each_organization(void) {
    store_system(add_token);
    store_in(ORG_A, has_no_access);
    store_in(ORG_A, allow_member);
    store_in(ORG_B, has_no_access);
    store_in(ORG_B, allow_scanner);
    store_in(ORG_A, access_is_member);
    store_in(ORG_B, access_is_scanner);
    store_system(reaches_both);
}

static void disallows(DbUnit *unit) {
    store_ok(api_token_disallow(unit, "t1", &error));
    store_fails(ERROR_NOT_FOUND, api_token_disallow(unit, "t1", &error));
    Membership again = {.user_id = "t1", .role = "owner"};
    store_fails(ERROR_CONFLICT, api_token_allow(unit, &again, &error));
}

static void an_organization_ends_its_own_access_only(void) {
    store_system(add_token);
    store_in(ORG_A, allow_member);
    store_in(ORG_B, allow_scanner);
    store_in(ORG_A, disallows);
    store_in(ORG_A, has_no_access);
    store_in(ORG_B, access_is_scanner);
    store_system(t1_lives);
}

static void allows_wrongly(DbUnit *unit) {
    Membership nobody = {.user_id = "t1", .role = "scanner"};
    Membership unknown = {.user_id = "t1", .role = "god"};
    store_fails(ERROR_CONFIGURATION, api_token_allow(unit, &nobody, &error));
    store_fails(ERROR_CONFIGURATION, api_token_allow(unit, &unknown, &error));
}

static void an_access_is_held_to_the_rules_of_memberships(void) {
    store_system(add_token);
    store_in(ORG_A, allows_wrongly);
}

static void lists_one(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(api_token_list(unit, NULL, 0, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 1);
    const ApiTokenAccess *access = g_ptr_array_index(rows, 0);
    g_assert_cmpstr(access->hint, ==, "assay_api_…abcd");
    g_assert_cmpint(access->expires_at, ==, START_MS + DAY_MS);
    g_assert_cmpint(access->revoked_at, ==, START_MS);
}

static void lists_none(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(api_token_list(unit, NULL, 0, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 0);
}

static void lists_all(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(api_token_list_all(unit, NULL, 0, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 1);
}

static void an_organization_lists_what_reaches_it(void) {
    store_system(add_token);
    store_in(ORG_A, allow_member);
    store_in(ORG_A, disallows);
    store_in(ORG_A, lists_one);
    store_in(ORG_B, lists_none);
    store_system(lists_all);
}

/* --- what users have given -------------------------------------------------------------------- */

static const char *given_role;
static const char *given_grants;

static void add_people(DbUnit *unit) {
    static const char *const names[] = {"ada", "eve"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *email = g_strdup_printf("%s@example.com", names[i]);
        User row = {.id = names[i], .email = email, .name = names[i], .password_hash = "x"};
        store_ok(user_insert(unit, &row, &error));
    }
}

static void add_owners(DbUnit *unit) {
    Membership ada = {.user_id = "ada", .role = "owner"};
    Membership eve = {.user_id = "eve", .role = "owner"};
    store_ok(membership_insert(unit, &ada, &error));
    store_ok(membership_insert(unit, &eve, &error));
}

static void ada_gives(DbUnit *unit) {
    bool scanner = strcmp(given_role, "scanner") == 0;
    g_autofree char *id = g_strdup_printf("t-%s%s", given_role, given_grants ? "-granted" : "");
    g_autofree char *hash = g_strconcat("hash-", id, NULL);
    ApiToken row = {.id = id, .name = id, .token_hash = hash, .hint = "x", .created_by = "ada"};
    Membership access = {.user_id = id,
                         .role = given_role,
                         .grants = given_grants,
                         .integrations = scanner ? INTEGRATION_A : NULL};
    g_autofree char *maker = NULL;
    store_ok(api_token_insert(unit, &row, &error));
    store_ok(api_token_allow_by(unit, "ada", &access, &error));
    store_ok(api_token_maker(unit, id, &maker, &error));
    g_assert_cmpstr(maker, ==, "ada");
}

static bool works(DbUnit *unit, const char *id) {
    g_autoptr(Membership) access = NULL;
    store_ok(api_token_find_access(unit, id, &access, &error));
    return access != NULL;
}

/* The statements and role_may_assign() agree for each token that ada has made. */
static void compare(DbUnit *unit, const RoleSubject *ada) {
    for (Role role = ROLE_OWNER; role < ROLE_NONE; role++) {
        g_autofree char *id = g_strdup_printf("t-%s", role_name(role));
        bool may = ada && role_may_assign(ada, role, NULL);
        if (works(unit, id) != may)
            g_error("a token of %s whose maker is %s", role_name(role),
                    ada ? role_name(ada->role) : "nobody any more");
    }
    g_assert_true(works(unit, "t-admin-granted") ==
                  (ada && role_may_assign(ada, ROLE_ADMIN, ROLE_GRANT_CREDENTIALS)));
}

static Role ada_is;

static void ada_changes(DbUnit *unit) {
    Membership ada = {.user_id = "ada",
                      .role = role_name(ada_is),
                      .integrations = ada_is == ROLE_SCANNER ? INTEGRATION_A : NULL};
    RoleSubject subject = {.role = ada_is, .user_id = "ada"};
    store_ok(membership_update(unit, &ada, &error));
    compare(unit, &subject);
}

static void reach_is_alike(DbUnit *unit) {
    for (Role role = ROLE_OWNER; role < ROLE_NONE; role++) {
        g_autofree char *id = g_strdup_printf("t-%s", role_name(role));
        RoleSubject ada = {.role = ada_is, .user_id = "ada"};
        g_autoptr(GPtrArray) reach = NULL;
        store_ok(api_token_list_reach(unit, id, &reach, &error));
        g_assert_cmpuint(reach->len, ==, role_may_assign(&ada, role, NULL) ? 1 : 0);
    }
}

static void ada_gives_all(void) {
    static const char *const roles[] = {"owner", "admin", "member", "auditor", "scanner"};
    store_system(add_people);
    store_in(ORG_A, add_owners);
    given_grants = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(roles); i++) {
        given_role = roles[i];
        store_in(ORG_A, ada_gives);
    }
    given_role = "admin";
    given_grants = ROLE_GRANT_CREDENTIALS;
    store_in(ORG_A, ada_gives);
}

static void a_token_may_what_its_maker_could_give_now(void) {
    ada_gives_all();
    for (ada_is = ROLE_OWNER; ada_is < ROLE_NONE; ada_is++) {
        store_in(ORG_A, ada_changes);
        store_system(reach_is_alike);
    }
    ada_is = ROLE_OWNER;
    store_in(ORG_A, ada_changes);
}

static void nothing_works(DbUnit *unit) {
    compare(unit, NULL);
}

static void all_works(DbUnit *unit) {
    compare(unit, &(RoleSubject){.role = ROLE_OWNER});
}

static void enable_ada(DbUnit *unit) {
    store_ok(user_set_disabled(unit, "ada", false, &error));
}

static void end_ada(DbUnit *unit) {
    Membership ada = {.user_id = "ada", .role = "owner", .expires_at = START_MS + DAY_MS};
    store_ok(membership_update(unit, &ada, &error));
    compare(unit, &(RoleSubject){.role = ROLE_OWNER});
}

static void remove_ada(DbUnit *unit) {
    store_ok(membership_delete(unit, "ada", &error));
}

static void a_token_ends_with_its_maker_and_comes_back_with_him(void) {
    ada_gives_all();
    store_in(ORG_A, all_works);
    store_system(store_disables_ada);
    store_in(ORG_A, nothing_works);
    store_system(enable_ada);
    store_in(ORG_A, end_ada);
    clock_advance(DAY_MS);
    store_in(ORG_A, nothing_works);
    store_in(ORG_A, remove_ada);
    store_in(ORG_A, nothing_works);
}

static void uses(DbUnit *unit) {
    store_ok(api_token_used(unit, "t1", START_MS + 10, &error));
    store_ok(api_token_used(unit, "t1", START_MS + 5, &error));
    g_autoptr(ApiToken) token = find(unit, "hash-1");
    g_assert_cmpint(token->last_used_at, ==, START_MS + 10);
}

static void last_used_moves_forward_only(void) {
    store_system(add_token);
    store_in(ORG_A, uses);
}

static const StoreTest tests[] = {
    {"a_token_is_found_by_its_hash_and_nothing_else",
     a_token_is_found_by_its_hash_and_nothing_else},
    {"a_token_expires", a_token_expires},
    {"a_revoked_token_is_dead", a_revoked_token_is_dead},
    {"a_token_is_not_born_dead", a_token_is_not_born_dead},
    {"a_token_has_a_role_of_its_own_in_each_organization",
     a_token_has_a_role_of_its_own_in_each_organization},
    {"an_organization_ends_its_own_access_only", an_organization_ends_its_own_access_only},
    {"an_access_is_held_to_the_rules_of_memberships",
     an_access_is_held_to_the_rules_of_memberships},
    {"an_organization_lists_what_reaches_it", an_organization_lists_what_reaches_it},
    {"a_token_may_what_its_maker_could_give_now", a_token_may_what_its_maker_could_give_now},
    {"a_token_ends_with_its_maker_and_comes_back_with_him",
     a_token_ends_with_its_maker_and_comes_back_with_him},
    {"last_used_moves_forward_only", last_used_moves_forward_only},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "api_token", tests, G_N_ELEMENTS(tests));
}
