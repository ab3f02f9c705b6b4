#include "unit/store_support.h"

#include "base/clock.h"
#include "store/api_token.h"

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
    {"last_used_moves_forward_only", last_used_moves_forward_only},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "api_token", tests, G_N_ELEMENTS(tests));
}
