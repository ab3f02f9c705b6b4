/* People, asked of a server: the same objects and sentences as on the data directory, as far as the
 * token's role and the operator's word go. */
#include "base/clock.h"
#include "unit/cli_support.h"

#include <string.h>

#define PASSWORD "planted-token-4242 and more" /* contains PLANTED: it must turn up nowhere */

/* Ada owns the desk's organization. */
static void serve_ada(const char *role, bool operator) {
    g_autoptr(Json) ada = desk_json_with_password(
        "users add ada@example.com --role owner --name Ada --password env:NEW_PASSWORD", PASSWORD);
    desk_serve(role, operator);
}

static Json *add_there(const char *email, const char *more) {
    g_autofree char *line =
        g_strdup_printf("users add %s --password env:NEW_PASSWORD %s", email, more);
    return desk_json_with_password(desk_there(line), PASSWORD);
}

/* --- list ------------------------------------------------------------------------------------- */

static void members_and_users_are_listed_as_here(void) {
    clock_freeze(1790000000000);
    serve_ada("owner", true);
    desk_same("users list", 0);
    desk_same("users list --all", 0);
    desk_same("users list --limit 1", 0);
    g_autoptr(Json) page = desk_json(desk_there("users list --all --limit 1"), 0);
    g_autofree char *next = g_strdup_printf("users list --all --limit 1 --cursor %s",
                                            json_member_string(page, "nextCursor", ""));
    desk_same(next, 0);
}

static void an_empty_organization_says_the_same(void) {
    desk_serve("owner", false);
    desk_same("users list", 0);
}

static void everybody_is_for_the_operator(void) {
    serve_ada("owner", false);
    desk_fails_there("users list --all", 4, "operator");
}

static void a_role_that_may_not_look_is_told_so(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    desk_serve("scanner --integration acme", false);
    desk_fails_there("users list", 4, "The role scanner does not allow this");
}

/* --- add -------------------------------------------------------------------------------------- */

static void the_operator_adds_people_with_a_password(void) {
    serve_ada("owner", true);
    g_autoptr(Json) eve = add_there("Eve@Example.com", "--role member --name Eve --expires 90d");
    g_assert_cmpstr(json_text_at(eve, "user.email"), ==, "eve@example.com");
    g_assert_cmpstr(json_text_at(eve, "user.name"), ==, "Eve");
    g_assert_cmpstr(json_text_at(eve, "organization.name"), ==, "default");
    g_assert_true(json_truth(json_path(eve, "user.hasPassword")));
    g_assert_true(json_truth(json_path(eve, "isNew")));
    g_assert_null(g_getenv("NEW_PASSWORD"));
    g_autoptr(Json) members = desk_json("users list", 0);
    const Json *row = json_item(json_member(members, "users"), 1);
    g_assert_cmpstr(json_member_string(row, "role", ""), ==, "member");
    g_assert_nonnull(json_member_string(row, "expiresAt", NULL));
    desk_fails_there("users add eve@example.com", 1, "member");
}

/* What add prints has the same members both ways. */
static void what_is_added_looks_as_here(void) {
    serve_ada("owner", true);
    g_autoptr(Json) there = add_there("eve@example.com", "--role auditor --from 2026-01-01");
    g_autoptr(Json) here = desk_json_with_password(
        "users add bob@example.com --password env:NEW_PASSWORD --role auditor", PASSWORD);
    void *iterator = NULL;
    const char *name;
    Json *value;
    g_assert_cmpuint(json_count(here), ==, json_count(there));
    while (json_next(here, &iterator, &name, &value))
        g_assert_nonnull(json_member(there, name));
    g_assert_cmpuint(json_count(json_member(here, "user")), ==,
                     json_count(json_member(there, "user")));
    g_autoptr(Json) members = desk_json("users list", 0);
    const Json *row = json_item(json_member(members, "users"), 1);
    g_assert_cmpstr(json_member_string(row, "periodFrom", ""), ==, "2026-01-01T00:00:00.000Z");
}

static void nobody_with_an_account_is_asked_for_a_password(void) {
    serve_ada("owner", true);
    g_autoptr(Json) made = desk_json("organizations create acme", 0);
    g_autoptr(Json) ada =
        desk_json(desk_there("users add ada@example.com --role owner --organization acme"), 0);
    g_assert_false(json_truth(json_path(ada, "isNew")));
    g_assert_cmpstr(json_text_at(ada, "organization.name"), ==, "acme");
    g_autoptr(Json) users = desk_json("users list --all", 0);
    g_assert_cmpuint(json_count(json_member(users, "users")), ==, 1);
    desk_fails_there("users add eve@example.com --organization acme", 2, "--password");
}

static void passwords_are_held_to_the_same_rules(void) {
    serve_ada("owner", true);
    const char *file = desk_file("weak", "short\n");
    g_autofree char *line = g_strdup_printf("users add eve@example.com --password @%s", file);
    desk_fails_there(line, 2, "at least 12 characters");
    desk_fails_there("users add eve@example.com --password " PLANTED "-and-more", 2, "--password");
    desk_fails_there("users add nobody --password @x", 2, "no e-mail address");
    desk_fails_there("users add eve@example.com --role emperor", 2, "no such role");
    desk_fails_there("users add eve@example.com --role scanner", 2, "integrations");
}

static void whoever_is_no_operator_is_told_to_invite(void) {
    serve_ada("owner", false);
    desk_fails_there("users add eve@example.com", 4, "assay users invite");
}

static void an_organization_of_others_takes_nobody(void) {
    serve_ada("owner", true);
    g_autoptr(Json) made = desk_json("organizations create acme", 0);
    g_autoptr(Json) eve = add_there("eve@example.com", "--role owner --organization acme");
    desk_fails_there("users add ada@example.com --organization nowhere", 3, "organization");
    desk_fails_there("users add ada@example.com --role owner --organization acme", 4,
                     "owners and admins invite");
}

/* --- invite ----------------------------------------------------------------------------------- */

static void an_invitation_is_the_servers_link(void) {
    serve_ada("admin", false);
    g_autoptr(Json) invited =
        desk_json(desk_there("users invite Eve@example.com --role auditor --from 2026-01-01"), 0);
    const char *link = json_member_string(invited, "link", "");
    g_assert_true(g_str_has_prefix(link, "http://127.0.0.1:"));
    assert_holds(link, "/invite#assay_invite_");
    g_assert_true(json_truth(json_path(invited, "success")));
    g_assert_cmpstr(json_text_at(invited, "invitation.email"), ==, "eve@example.com");
    g_assert_cmpstr(json_text_at(invited, "invitation.periodFrom"), ==, "2026-01-01T00:00:00.000Z");
    desk_fails_there("users invite ada@example.com", 1, "member");
    desk_fails_there("users invite bob@example.com --role owner", 4, "admins any but owner");
    g_auto(Said) said = desk_run(desk_there("users invite bob@example.com"));
    g_assert_cmpint(said.status, ==, 0);
    assert_holds(said.out, "/invite#assay_invite_");
    assert_holds(said.err, "Give this link to bob@example.com; it is shown once");
}

/* --- role and remove -------------------------------------------------------------------------- */

static void roles_are_changed_within_the_same_rules(void) {
    serve_ada("owner", true);
    g_autoptr(Json) eve = add_there("eve@example.com", "--role member");
    desk_fails_there("users role ada@example.com member", 1, "last owner");
    desk_fails_there("users role ada@example.com emperor", 2, "no such role");
    desk_fails_there("users role ada@example.com", 2, "--role");
    desk_fails_there("users role bob@example.com member", 3, "no such user");
    desk_fails_there("users role eve@example.com scanner --integration nothing", 3,
                     "no integration");
    desk_same("users role EVE@example.com admin --grant credentials:read", 0);
    g_autoptr(Json) changed = desk_json(desk_there("users role eve@example.com admin"), 0);
    g_assert_cmpstr(json_text_at(changed, "user.role"), ==, "admin");
    g_assert_cmpuint(json_count(json_path(changed, "user.grants")), ==, 0);
    g_autofree char *by_id =
        g_strdup_printf("users role %s auditor --from 2026-01-01", json_text_at(eve, "user.id"));
    desk_same(by_id, 0);
}

static void a_scanner_names_the_servers_integrations(void) {
    serve_ada("owner", true);
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    g_autofree char *other = desk_add_integration(session, "labs", INTEGRATION_CONNECTED);
    g_autoptr(Json) eve = add_there("eve@example.com", "--role member");
    g_autofree char *line = g_strdup_printf(
        "users role eve@example.com scanner --integration acme --integration %s", other);
    g_autoptr(Json) changed = desk_json(desk_there(line), 0);
    const Json *named = json_path(changed, "user.integrations");
    g_assert_cmpstr(json_text(json_item(named, 0)), ==, id);
    g_assert_cmpstr(json_text(json_item(named, 1)), ==, other);
}

static void a_member_is_removed_and_the_account_stays(void) {
    serve_ada("owner", true);
    g_autoptr(Json) eve = add_there("eve@example.com", "--role auditor");
    g_autoptr(Json) removed = desk_json(desk_there("users remove eve@example.com"), 0);
    g_assert_cmpstr(json_text_at(removed, "user.role"), ==, "auditor");
    desk_fails_there("users remove eve@example.com", 3, "no such user");
    desk_fails_there("users remove ada@example.com", 1, "last owner");
    g_autoptr(Json) users = desk_json("users list --all", 0);
    g_assert_cmpuint(json_count(json_member(users, "users")), ==, 2);
}

static void an_admin_does_not_touch_owners(void) {
    serve_ada("admin", false);
    desk_fails_there("users remove ada@example.com", 4, "admins any but owner");
    desk_fails_there("users role ada@example.com member", 4, "admins any but owner");
}

/* --- out, in, password ------------------------------------------------------------------------ */

static void the_operator_keeps_out_and_lets_in(void) {
    clock_freeze(1790000000000);
    serve_ada("owner", true);
    desk_same("users disable ADA@example.com", 0);
    g_auto(Said) said = desk_run(desk_there("users list"));
    assert_holds(said.out, "disabled");
    desk_same("users enable ada@example.com", 0);
    desk_fails_there("users disable eve@example.com", 3, "no such user");
}

static void the_operator_sets_a_lost_password(void) {
    serve_ada("owner", true);
    g_autoptr(Json) set = desk_json_with_password(
        desk_there("users password Ada@example.com --password env:NEW_PASSWORD"), PASSWORD " 2");
    g_assert_cmpstr(json_text_at(set, "user.email"), ==, "ada@example.com");
    desk_fails_there("users password eve@example.com --password env:NEW_PASSWORD", 3,
                     "no such user");
    desk_fails_there("users password ada@example.com", 2, "--password");
    g_autoptr(Json) log = desk_json("audit --action password.change", 0);
    g_assert_cmpuint(json_count(json_member(log, "audit")), ==, 1);
}

static void owners_do_not_reach_into_accounts(void) {
    serve_ada("owner", false);
    desk_fails_there("users disable ada@example.com", 4, "assay users remove");
    desk_fails_there("users enable ada@example.com", 4, "operator of the installation");
    desk_fails_there("users password ada@example.com --password env:NEW_PASSWORD", 4,
                     "changes his own password");
}

/* --- what is kept of it ----------------------------------------------------------------------- */

static void every_change_is_in_the_log_with_the_token(void) {
    serve_ada("owner", true);
    g_autoptr(Json) eve = add_there("eve@example.com", "--role member");
    g_autoptr(Json) role = desk_json(desk_there("users role eve@example.com admin"), 0);
    g_autoptr(Json) gone = desk_json(desk_there("users remove eve@example.com"), 0);
    g_autoptr(Json) log = desk_json("audit --actor desk --oldest-first", 0);
    static const char *const actions[] = {"user.add", "member.change", "member.change",
                                          "member.remove"};
    const Json *rows = json_member(log, "audit");
    g_assert_cmpuint(json_count(rows), ==, G_N_ELEMENTS(actions));
    for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
        g_assert_cmpstr(json_text_at(json_item(rows, i), "action"), ==, actions[i]);
        g_assert_cmpstr(json_text_at(json_item(rows, i), "target.name"), ==, "eve@example.com");
    }
}

static const DeskTest tests[] = {
    {"members_and_users_are_listed_as_here", members_and_users_are_listed_as_here},
    {"an_empty_organization_says_the_same", an_empty_organization_says_the_same},
    {"everybody_is_for_the_operator", everybody_is_for_the_operator},
    {"a_role_that_may_not_look_is_told_so", a_role_that_may_not_look_is_told_so},
    {"the_operator_adds_people_with_a_password", the_operator_adds_people_with_a_password},
    {"what_is_added_looks_as_here", what_is_added_looks_as_here},
    {"nobody_with_an_account_is_asked_for_a_password",
     nobody_with_an_account_is_asked_for_a_password},
    {"passwords_are_held_to_the_same_rules", passwords_are_held_to_the_same_rules},
    {"whoever_is_no_operator_is_told_to_invite", whoever_is_no_operator_is_told_to_invite},
    {"an_organization_of_others_takes_nobody", an_organization_of_others_takes_nobody},
    {"an_invitation_is_the_servers_link", an_invitation_is_the_servers_link},
    {"roles_are_changed_within_the_same_rules", roles_are_changed_within_the_same_rules},
    {"a_scanner_names_the_servers_integrations", a_scanner_names_the_servers_integrations},
    {"a_member_is_removed_and_the_account_stays", a_member_is_removed_and_the_account_stays},
    {"an_admin_does_not_touch_owners", an_admin_does_not_touch_owners},
    {"the_operator_keeps_out_and_lets_in", the_operator_keeps_out_and_lets_in},
    {"the_operator_sets_a_lost_password", the_operator_sets_a_lost_password},
    {"owners_do_not_reach_into_accounts", owners_do_not_reach_into_accounts},
    {"every_change_is_in_the_log_with_the_token", every_change_is_in_the_log_with_the_token},
};

int main(int argc, char **argv) {
    return desk_main(argc, argv, "users_remote", tests, G_N_ELEMENTS(tests));
}
