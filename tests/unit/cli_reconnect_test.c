/* Connecting again, as far as nobody answers: what is refused, what is asked for, and that a failed
 * attempt changes nothing and is in the log. */
#include "unit/cli_support.h"

#include "store/audit.h"
#include "store/membership.h"
#include "store/user.h"

#include <string.h>

#define ADA "01890000-0000-7000-8000-000000000ada"

static char *add(const char *status) {
    g_autoptr(Session) session = desk_session();
    return desk_add_integration(session, "acme", status);
}

/* --- what is stored --------------------------------------------------------------------------- */

typedef struct {
    const char *id;
    Integration *row;
    GPtrArray *entries;
} Look;

static bool look_work(DbUnit *unit, void *data, GError **error) {
    Look *look = data;
    AuditFilter filter = {.action = "integration.reconnect", .limit = 10};
    g_clear_pointer(&look->row, integration_free);
    g_clear_pointer(&look->entries, g_ptr_array_unref);
    return integration_get(unit, look->id, &look->row, error) &&
           audit_list(unit, &filter, &look->entries, error);
}

/* As it was, with so many failed attempts in the log. */
static void assert_unchanged(const char *id, const char *status, guint attempts) {
    g_autoptr(Session) session = desk_session();
    Look look = {.id = id};
    must(session_run(session, DB_READ, look_work, &look, &error));
    g_assert_cmpstr(look.row->status, ==, status);
    g_assert_cmpint(look.row->connection, ==, 1);
    g_assert_cmpuint(look.entries->len, ==, attempts);
    for (guint i = 0; i < look.entries->len; i++)
        assert_holds(((const AuditRow *)g_ptr_array_index(look.entries, i))->record,
                     "\"result\":\"failed\"");
    integration_free(look.row);
    g_ptr_array_unref(look.entries);
}

/* --- what is refused -------------------------------------------------------------------------- */

static void what_is_not_there_is_not_connected_again(void) {
    g_autofree char *id = add(INTEGRATION_CONNECTED);
    g_autofree char *line = desk_with_token("reconnect globex");
    desk_fails(line, 3, "there is no integration");
    desk_fails("reconnect", 2, "");
    assert_unchanged(id, INTEGRATION_CONNECTED, 0);
}

static void secrets_as_arguments_are_refused(void) {
    g_autofree char *id = add(INTEGRATION_RECONNECT_NEEDED);
    desk_fails("reconnect acme --set access_token=" PLANTED, 2, "is not taken as an argument");
    desk_fails("reconnect acme --credential " PLANTED, 2, "--credential wants NAME=@FILE");
    assert_unchanged(id, INTEGRATION_RECONNECT_NEEDED, 0);
}

static void a_missing_secret_is_named_and_no_setting_is(void) {
    g_autofree char *id = add(INTEGRATION_DISCONNECTED);
    g_auto(Said) said = desk_run("reconnect acme");
    g_assert_cmpint(said.status, ==, 2);
    assert_holds(said.err, "access_token");
    assert_lacks(said.err, "organization");
    assert_unchanged(id, INTEGRATION_DISCONNECTED, 0);
}

static void unknown_settings_are_refused_before_anybody_is_asked(void) {
    g_autofree char *id = add(INTEGRATION_CONNECTED);
    g_autofree char *line = desk_with_token("reconnect acme --set colour=red");
    desk_fails(line, 2, "colour");
    assert_unchanged(id, INTEGRATION_CONNECTED, 0);
}

/* Nobody listens on port 1: the settings that there are were used. */
static void a_failed_attempt_changes_nothing_and_is_told(void) {
    g_autofree char *id = add(INTEGRATION_DISCONNECTED);
    g_autofree char *line = desk_with_token("reconnect acme");
    desk_fails(line, 6, "does not accept connections");
    assert_unchanged(id, INTEGRATION_DISCONNECTED, 1);
}

/* --- connecting under such a name ------------------------------------------------------------- */

#define GITHUB                                                                                     \
    "connect github --set organization=acme --set allow_private=true "                             \
    "--set api_url=http://127.0.0.1:1"

static void a_name_of_something_disconnected_leads_to_the_way_back(void) {
    g_autofree char *id = add(INTEGRATION_DISCONNECTED);
    g_autofree char *line = desk_with_token(GITHUB " --name acme");
    desk_fails(line, 1, "`assay reconnect` connects it again");
    assert_unchanged(id, INTEGRATION_DISCONNECTED, 0);
}

static void what_is_no_name_is_refused_before_anybody_is_asked(void) {
    static const char *const names[] = {"list", "connect", "01890000-0000-7000-8000-0000000000bb"};
    g_autofree char *id = add(INTEGRATION_CONNECTED);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *named = g_strdup_printf(GITHUB " --name %s", names[i]);
        g_autofree char *line = desk_with_token(named);
        g_auto(Said) said = desk_run(line);
        g_assert_cmpint(said.status, !=, 0);
        assert_lacks(said.err, "does not accept connections");
    }
}

static bool add_person(DbUnit *unit, void *data, GError **error) {
    User ada = {.id = ADA, .email = "ada@example.com", .name = "Ada", .password_hash = ""};
    (void)data;
    return user_insert(unit, &ada, error);
}

static bool let_in(DbUnit *unit, void *data, GError **error) {
    Membership member = {.user_id = ADA, .role = "member"};
    (void)data;
    return membership_insert(unit, &member, error);
}

static void whom_it_is_for_is_a_member(void) {
    g_autofree char *id = add(INTEGRATION_CONNECTED);
    g_autofree char *line = desk_with_token(GITHUB " --name mine --owner ada@example.com");
    desk_fails(line, 3, "no member of this organization is ada@example.com");
    g_autoptr(Session) session = desk_session();
    DbScope whole = *session_scope(session);
    whole.system = true;
    must(db_run(session_db(session), &whole, DB_WRITE, add_person, NULL, &error));
    desk_fails(line, 3, "no member of this organization is ada@example.com");
    must(db_run(session_db(session), &whole, DB_WRITE, let_in, NULL, &error));
    desk_fails(line, 6, "does not accept connections");
    g_autofree char *loud = desk_with_token(GITHUB " --name mine --owner ADA@example.com");
    desk_fails(loud, 6, "does not accept connections");
}

static const DeskTest tests[] = {
    {"what_is_not_there_is_not_connected_again", what_is_not_there_is_not_connected_again},
    {"secrets_as_arguments_are_refused", secrets_as_arguments_are_refused},
    {"a_missing_secret_is_named_and_no_setting_is", a_missing_secret_is_named_and_no_setting_is},
    {"unknown_settings_are_refused_before_anybody_is_asked",
     unknown_settings_are_refused_before_anybody_is_asked},
    {"a_failed_attempt_changes_nothing_and_is_told", a_failed_attempt_changes_nothing_and_is_told},
    {"a_name_of_something_disconnected_leads_to_the_way_back",
     a_name_of_something_disconnected_leads_to_the_way_back},
    {"what_is_no_name_is_refused_before_anybody_is_asked",
     what_is_no_name_is_refused_before_anybody_is_asked},
    {"whom_it_is_for_is_a_member", whom_it_is_for_is_a_member},
};

int main(int argc, char **argv) {
    return desk_main(argc, argv, "reconnect", tests, G_N_ELEMENTS(tests));
}
