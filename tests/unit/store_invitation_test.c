#include "unit/store_support.h"

#include "base/clock.h"
#include "store/invitation.h"
#include "store/user.h"

static void invite(DbUnit *unit, const char *id, const char *hash) {
    Invitation row = {.id = id,
                      .email = "ada@example.com",
                      .role = "auditor",
                      .period_from = 5,
                      .period_until = 9,
                      .token_hash = hash,
                      .closed_at = 77,
                      .accepted_by = "forged"};
    store_ok(invitation_insert(unit, &row, &error));
}

static void invites(DbUnit *unit) {
    invite(unit, "inv-1", "hash-1");
}

static void invites_again(DbUnit *unit) {
    invite(unit, "inv-2", "hash-2");
}

static InvitationOffer *find(DbUnit *unit, const char *hash) {
    InvitationOffer *offer = NULL;
    store_ok(invitation_find_by_token(unit, hash, &offer, &error));
    return offer;
}

static void finds_first(DbUnit *unit) {
    g_autoptr(InvitationOffer) offer = find(unit, "hash-1");
    g_assert_cmpstr(offer->organization_id, ==, ORG_A);
    g_assert_cmpstr(offer->organization, ==, "Alpha");
    g_assert_cmpstr(offer->email, ==, "ada@example.com");
    g_assert_cmpstr(offer->role, ==, "auditor");
    g_assert_cmpint(offer->expires_at, ==, START_MS + INVITATION_LIFE_MS);
    g_assert_null(find(unit, "hash-9"));
}

static void first_is_dead(DbUnit *unit) {
    g_assert_null(find(unit, "hash-1"));
}

static void accepts_first(DbUnit *unit) {
    store_ok(invitation_accept(unit, "inv-1", "ada", &error));
    g_autoptr(Membership) row = NULL;
    store_ok(membership_find(unit, "ada", &row, &error));
    g_assert_cmpstr(row->role, ==, "auditor");
    g_assert_cmpint(row->period_from, ==, 5);
    g_assert_cmpint(row->period_until, ==, 9);
}

static void cannot_accept_first(DbUnit *unit) {
    store_fails(ERROR_NOT_FOUND, invitation_accept(unit, "inv-1", "eve", &error));
    store_fails(ERROR_NOT_FOUND, invitation_revoke(unit, "inv-1", &error));
    g_autoptr(Membership) row = NULL;
    store_ok(membership_find(unit, "eve", &row, &error));
    g_assert_null(row);
}

static void an_invitation_makes_a_member_once(void) {
    store_system(store_adds_ada_and_eve);
    store_in(ORG_A, invites);
    store_system(finds_first);
    store_in(ORG_A, accepts_first);
    store_in(ORG_A, cannot_accept_first);
    store_system(first_is_dead);
}

static void an_invitation_is_dead_after_seven_days(void) {
    store_system(store_adds_ada_and_eve);
    store_in(ORG_A, invites);
    clock_advance(INVITATION_LIFE_MS - 1);
    store_system(finds_first);
    clock_advance(1);
    store_system(first_is_dead);
    store_in(ORG_A, cannot_accept_first);
}

static void lists_second(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(invitation_list(unit, NULL, 0, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 1);
    g_assert_cmpstr(((const Invitation *)g_ptr_array_index(rows, 0))->id, ==, "inv-2");
}

static void inviting_again_replaces_the_open_invitation(void) {
    store_system(store_adds_ada_and_eve);
    store_in(ORG_A, invites);
    store_in(ORG_A, invites_again);
    store_system(first_is_dead);
    store_in(ORG_A, lists_second);
}

static void invites_elsewhere(DbUnit *unit) {
    invite(unit, "inv-0", "hash-0");
}

static void finds_both_by_email(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = NULL;
    g_autoptr(GPtrArray) none = NULL;
    store_ok(invitation_find_by_email(unit, "ada@example.com", &rows, &error));
    g_assert_cmpuint(rows->len, ==, 2);
    const InvitationOffer *first = g_ptr_array_index(rows, 0);
    const InvitationOffer *second = g_ptr_array_index(rows, 1);
    g_assert_cmpstr(first->organization_id, ==, ORG_B);
    g_assert_cmpstr(second->organization_id, ==, ORG_A);
    g_assert_cmpstr(second->id, ==, "inv-1");
    store_ok(invitation_find_by_email(unit, "eve@example.com", &none, &error));
    g_assert_cmpuint(none->len, ==, 0);
}

static void finds_nothing_by_email(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(invitation_find_by_email(unit, "ada@example.com", &rows, &error));
    g_assert_cmpuint(rows->len, ==, 0);
}

static void open_invitations_of_an_address_are_found_in_every_organization(void) {
    store_system(store_adds_ada_and_eve);
    store_in(ORG_A, invites);
    store_in(ORG_B, invites_elsewhere);
    store_system(finds_both_by_email);
    clock_advance(INVITATION_LIFE_MS);
    store_system(finds_nothing_by_email);
}

static void revokes(DbUnit *unit) {
    store_ok(invitation_revoke(unit, "inv-1", &error));
}

static void an_invitation_is_taken_back(void) {
    store_system(store_adds_ada_and_eve);
    store_in(ORG_A, invites);
    store_in(ORG_A, revokes);
    store_system(first_is_dead);
    store_in(ORG_A, cannot_accept_first);
}

static void an_invitation_of_another_organization_is_not_found(void) {
    store_system(store_adds_ada_and_eve);
    store_in(ORG_A, invites);
    store_in(ORG_B, cannot_accept_first);
    store_system(finds_first);
}

static void invites_member(DbUnit *unit) {
    Invitation row = {
        .id = "inv-3", .email = "ada@example.com", .role = "member", .token_hash = "hash-3"};
    store_fails(ERROR_CONFLICT, invitation_insert(unit, &row, &error));
    Invitation odd = {
        .id = "inv-4", .email = "new@example.com", .role = "emperor", .token_hash = "hash-4"};
    store_fails(ERROR_CONFIGURATION, invitation_insert(unit, &odd, &error));
}

static void members_are_not_invited(void) {
    store_system(store_adds_ada_and_eve);
    store_in(ORG_A, invites);
    store_in(ORG_A, accepts_first);
    store_in(ORG_A, invites_member);
}

/* --- who has invited -------------------------------------------------------------------------- */

static const char *eve_is;
static const char *offered_role;
static const char *offered_grants;

static void eve_joins(DbUnit *unit) {
    Membership ada = {.user_id = "ada", .role = "owner"};
    Membership eve = {.user_id = "eve", .role = "owner"};
    store_ok(membership_insert(unit, &ada, &error));
    store_ok(membership_insert(unit, &eve, &error));
}

static void eve_invites(DbUnit *unit) {
    Invitation row = {.id = "inv-5",
                      .email = "new@example.com",
                      .role = offered_role,
                      .grants = offered_grants,
                      .token_hash = "hash-5",
                      .invited_by = "eve"};
    store_ok(invitation_insert(unit, &row, &error));
}

/* The one before is replaced. */
static void eve_invites_again(DbUnit *unit) {
    Invitation row = {.id = "inv-6",
                      .email = "new@example.com",
                      .role = offered_role,
                      .token_hash = "hash-5",
                      .invited_by = "eve"};
    store_ok(invitation_insert(unit, &row, &error));
}

static void eve_changes(DbUnit *unit) {
    Membership eve = {.user_id = "eve", .role = eve_is};
    store_ok(membership_update(unit, &eve, &error));
}

static void eve_goes(DbUnit *unit) {
    store_ok(membership_delete(unit, "eve", &error));
}

static void eve_is_disabled(DbUnit *unit) {
    store_ok(user_set_disabled(unit, "eve", true, &error));
}

static void eve_is_enabled(DbUnit *unit) {
    store_ok(user_set_disabled(unit, "eve", false, &error));
}

static void offer_stands(DbUnit *unit) {
    g_autoptr(InvitationOffer) offer = find(unit, "hash-5");
    g_autoptr(GPtrArray) rows = NULL;
    g_assert_nonnull(offer);
    store_ok(invitation_find_by_email(unit, "new@example.com", &rows, &error));
    g_assert_cmpuint(rows->len, ==, 1);
}

static void offer_is_void(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = NULL;
    g_assert_null(find(unit, "hash-5"));
    store_ok(invitation_find_by_email(unit, "new@example.com", &rows, &error));
    g_assert_cmpuint(rows->len, ==, 0);
}

static void offer_is_no_way_in(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = NULL;
    store_fails(ERROR_NOT_FOUND, invitation_accept(unit, "inv-5", "new", &error));
    store_ok(invitation_list(unit, NULL, 0, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 0);
}

static void eve_offers(const char *role, const char *grants) {
    offered_role = role;
    offered_grants = grants;
    store_system(store_adds_ada_and_eve);
    store_in(ORG_A, eve_joins);
    store_in(ORG_A, eve_invites);
    store_system(offer_stands);
}

static void whoever_is_removed_leaves_no_invitation_behind(void) {
    eve_offers("admin", NULL);
    store_in(ORG_A, eve_goes);
    store_system(offer_is_void);
    store_in(ORG_A, offer_is_no_way_in);
}

static void whoever_is_disabled_has_no_invitation_taken_up(void) {
    eve_offers("member", NULL);
    store_system(eve_is_disabled);
    store_system(offer_is_void);
    store_in(ORG_A, offer_is_no_way_in);
    store_system(eve_is_enabled);
    store_system(offer_stands);
}

static void eve_becomes(const char *role) {
    eve_is = role;
    store_in(ORG_A, eve_changes);
}

static void an_invitation_offers_what_who_invites_could_give_now(void) {
    eve_offers("owner", NULL);
    eve_becomes("admin");
    store_system(offer_is_void);
    offered_role = "admin";
    store_in(ORG_A, eve_invites_again);
    store_system(offer_stands);
    eve_becomes("member");
    store_system(offer_is_void);
    eve_becomes("owner");
    store_system(offer_stands);
}

static void an_invitation_with_a_grant_is_of_owners(void) {
    eve_offers("admin", "credentials:read");
    eve_becomes("admin");
    store_system(offer_is_void);
    store_in(ORG_A, offer_is_no_way_in);
    eve_becomes("owner");
    store_system(offer_stands);
}

static const StoreTest tests[] = {
    {"an_invitation_makes_a_member_once", an_invitation_makes_a_member_once},
    {"an_invitation_is_dead_after_seven_days", an_invitation_is_dead_after_seven_days},
    {"inviting_again_replaces_the_open_invitation", inviting_again_replaces_the_open_invitation},
    {"open_invitations_of_an_address_are_found_in_every_organization",
     open_invitations_of_an_address_are_found_in_every_organization},
    {"an_invitation_is_taken_back", an_invitation_is_taken_back},
    {"an_invitation_of_another_organization_is_not_found",
     an_invitation_of_another_organization_is_not_found},
    {"members_are_not_invited", members_are_not_invited},
    {"whoever_is_removed_leaves_no_invitation_behind",
     whoever_is_removed_leaves_no_invitation_behind},
    {"whoever_is_disabled_has_no_invitation_taken_up",
     whoever_is_disabled_has_no_invitation_taken_up},
    {"an_invitation_offers_what_who_invites_could_give_now",
     an_invitation_offers_what_who_invites_could_give_now},
    {"an_invitation_with_a_grant_is_of_owners", an_invitation_with_a_grant_is_of_owners},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "invitation", tests, G_N_ELEMENTS(tests));
}
