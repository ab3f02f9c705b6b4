/* People on the command line. */
#include "store/user.h"
#include "store/user_session.h"
#include "unit/cli_support.h"

#include <string.h>

#define PASSWORD "planted-token-4242 and more" /* contains PLANTED: it must turn up nowhere */

static void add_ada(void) {
    g_autoptr(Json) reply = desk_json_with_password(
        "users add Ada@Example.com --role owner --name Ada --password env:NEW_PASSWORD", PASSWORD);
    g_assert_cmpstr(json_text(json_path(reply, "user.email")), ==, "ada@example.com");
    g_assert_true(json_truth(json_path(reply, "user.hasPassword")));
}

static const Json *user_at(const Json *reply, size_t index) {
    return json_item(json_member(reply, "users"), index);
}

static void the_first_user_makes_the_installation(void) {
    add_ada();
    g_autoptr(Json) members = desk_json("users list", 0);
    g_autoptr(Json) users = desk_json("users list --all", 0);
    g_assert_cmpuint(json_count(json_member(members, "users")), ==, 1);
    g_assert_cmpstr(json_member_string(user_at(members, 0), "role", ""), ==, "owner");
    g_assert_cmpstr(json_member_string(user_at(users, 0), "name", ""), ==, "Ada");
    g_assert_null(json_member(user_at(users, 0), "passwordHash"));
    g_assert_null(g_getenv("NEW_PASSWORD"));
}

static void people_are_shown_in_a_table(void) {
    add_ada();
    g_auto(Said) said = desk_run("users list");
    assert_holds(said.out, "E-MAIL");
    assert_holds(said.out, "ada@example.com");
    assert_holds(said.out, "owner");
    assert_holds(said.out, "never");
}

static void a_password_is_never_an_argument(void) {
    desk_fails("users add ada@example.com --password " PLANTED "-and-more", 2, "--password");
    desk_fails("users add ada@example.com --password env:NOT_SET_ANYWHERE", 2, "--password");
    desk_fails("users add ada@example.com", 2, "--password");
}

static void weak_passwords_and_odd_addresses_are_refused(void) {
    const char *file = desk_file("weak", "short\n");
    g_autofree char *line = g_strdup_printf("users add ada@example.com --password @%s", file);
    desk_fails(line, 2, "at least 12 characters");
    desk_fails("users add nobody --password @x", 2, "no e-mail address");
}

static void an_account_that_is_there_gets_a_role_and_keeps_its_password(void) {
    add_ada();
    g_autoptr(Json) made = desk_json("organizations create acme", 0);
    g_autoptr(Json) again =
        desk_json("users add ada@example.com --role auditor --organization acme", 0);
    g_autoptr(Json) members = desk_json("users list --organization acme", 0);
    g_autoptr(Json) users = desk_json("users list --all", 0);
    g_assert_cmpstr(json_member_string(user_at(members, 0), "role", ""), ==, "auditor");
    g_assert_cmpuint(json_count(json_member(users, "users")), ==, 1);
    desk_fails("users add ada@example.com --organization acme", 1, "member");
}

static void roles_are_changed_within_their_rules(void) {
    add_ada();
    desk_fails("users role ada@example.com member", 1, "last owner");
    desk_fails("users role ada@example.com emperor", 2, "no such role");
    desk_fails("users role ada@example.com scanner", 2, "integrations");
    desk_fails("users role ada@example.com", 2, "--role");
    desk_fails("users role eve@example.com member", 3, "no such user");
    desk_fails("users remove ada@example.com", 1, "last owner");
    g_autoptr(Json) changed =
        desk_json("users role ada@example.com owner --grant credentials:read", 0);
    g_autoptr(Json) members = desk_json("users list", 0);
    const Json *grants = json_member(user_at(members, 0), "grants");
    g_assert_cmpstr(json_text(json_item(grants, 0)), ==, "credentials:read");
}

static void a_scanner_names_integrations_by_name(void) {
    add_ada();
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    g_autoptr(Json) added = desk_json_with_password(
        "users add eve@example.com --role scanner --integration acme --password env:NEW_PASSWORD",
        PASSWORD);
    g_autoptr(Json) members = desk_json("users list", 0);
    const Json *named = json_member(user_at(members, 1), "integrations");
    g_assert_cmpstr(json_text(json_item(named, 0)), ==, id);
    desk_fails("users role eve@example.com scanner --integration nothing", 3, "no integration");
}

/* --- out, and in again ------------------------------------------------------------------------ */

static bool begin_session_work(DbUnit *unit, void *data, GError **error) {
    g_autoptr(User) user = NULL;
    (void)data;
    if (!user_find(unit, "ada@example.com", &user, error))
        return false;
    UserSession row = {.id = "s1", .user_id = user->id, .token_hash = "h", .address = "::1"};
    return user_session_insert(unit, &row, error);
}

static bool find_session_work(DbUnit *unit, void *found, GError **error) {
    g_autoptr(UserSessionCaller) caller = NULL;
    bool ok = user_session_find(unit, "h", &caller, error);
    *(bool *)found = caller != NULL;
    return ok;
}

static bool is_logged_in(const Session *session) {
    bool found = false;
    must(session_run(session, DB_READ, find_session_work, &found, &error));
    return found;
}

static void whoever_is_disabled_is_logged_out(void) {
    add_ada();
    g_autoptr(Session) session = desk_session();
    must(session_run(session, DB_WRITE, begin_session_work, NULL, &error));
    g_assert_true(is_logged_in(session));
    g_autoptr(Json) off = desk_json("users disable ADA@example.com", 0);
    g_assert_false(is_logged_in(session));
    g_auto(Said) said = desk_run("users list");
    assert_holds(said.out, "disabled");
    g_autoptr(Json) on = desk_json("users enable ada@example.com", 0);
    g_assert_true(json_kind(json_path(on, "user.disabledAt")) == JSON_KIND_NULL);
    desk_fails("users disable eve@example.com", 3, "no such user");
}

static void a_new_password_logs_out(void) {
    add_ada();
    g_autoptr(Session) session = desk_session();
    must(session_run(session, DB_WRITE, begin_session_work, NULL, &error));
    g_autoptr(Json) reply = desk_json_with_password(
        "users password ada@example.com --password env:NEW_PASSWORD", PASSWORD " 2");
    g_assert_false(is_logged_in(session));
    desk_fails("users password eve@example.com --password env:NEW_PASSWORD", 3, "no such user");
}

/* --- invitations ------------------------------------------------------------------------------ */

static void an_invitation_is_a_link_that_is_shown_once(void) {
    add_ada();
    g_setenv("ASSAY_PUBLIC_URL", "https://assay.example/", TRUE);
    g_autoptr(Json) invited =
        desk_json("users invite Eve@example.com --role auditor --from 2026-01-01", 0);
    g_unsetenv("ASSAY_PUBLIC_URL");
    const char *link = json_member_string(invited, "link", "");
    g_assert_true(g_str_has_prefix(link, "https://assay.example/invite#assay_invite_"));
    g_assert_cmpstr(json_text(json_path(invited, "invitation.email")), ==, "eve@example.com");
    g_assert_cmpstr(json_text(json_path(invited, "invitation.periodFrom")), ==,
                    "2026-01-01T00:00:00.000Z");
    desk_fails("users invite ada@example.com", 1, "member");
    g_auto(Said) said = desk_run("users invite bob@example.com");
    g_assert_true(g_str_has_prefix(said.out, "http://127.0.0.1:8080/invite#assay_invite_"));
    assert_holds(said.err, "shown once");
}

static void an_empty_organization_says_what_to_do(void) {
    g_autoptr(Session) session = desk_session();
    g_auto(Said) said = desk_run("users list");
    assert_holds(said.out, "Nobody is a member.");
    assert_holds(said.err, "Next: assay users add");
}

static void every_change_is_in_the_audit_log(void) {
    add_ada();
    g_autoptr(Json) invited = desk_json("users invite eve@example.com", 0);
    g_autoptr(Json) off = desk_json("users disable ada@example.com", 0);
    g_autoptr(Json) log = desk_json("audit --oldest-first", 0);
    static const char *const actions[] = {"organization.create", "user.add", "member.change",
                                          "member.invite", "user.disable"};
    const Json *rows = json_member(log, "audit");
    g_assert_cmpuint(json_count(rows), ==, G_N_ELEMENTS(actions));
    for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
        const Json *row = json_item(rows, i);
        g_assert_cmpstr(json_member_string(row, "action", ""), ==, actions[i]);
        g_assert_cmpstr(json_text(json_path(row, "actor.kind")), ==, "cli");
        g_assert_cmpstr(json_text(json_path(row, "actor.name")), ==, g_get_user_name());
    }
}

static const DeskTest tests[] = {
    {"the_first_user_makes_the_installation", the_first_user_makes_the_installation},
    {"people_are_shown_in_a_table", people_are_shown_in_a_table},
    {"a_password_is_never_an_argument", a_password_is_never_an_argument},
    {"weak_passwords_and_odd_addresses_are_refused", weak_passwords_and_odd_addresses_are_refused},
    {"an_account_that_is_there_gets_a_role_and_keeps_its_password",
     an_account_that_is_there_gets_a_role_and_keeps_its_password},
    {"roles_are_changed_within_their_rules", roles_are_changed_within_their_rules},
    {"a_scanner_names_integrations_by_name", a_scanner_names_integrations_by_name},
    {"whoever_is_disabled_is_logged_out", whoever_is_disabled_is_logged_out},
    {"a_new_password_logs_out", a_new_password_logs_out},
    {"an_invitation_is_a_link_that_is_shown_once", an_invitation_is_a_link_that_is_shown_once},
    {"an_empty_organization_says_what_to_do", an_empty_organization_says_what_to_do},
    {"every_change_is_in_the_audit_log", every_change_is_in_the_audit_log},
};

int main(int argc, char **argv) {
    return desk_main(argc, argv, "users", tests, G_N_ELEMENTS(tests));
}
