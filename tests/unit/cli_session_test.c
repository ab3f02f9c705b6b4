/* What a command works with: made once, found again, never half-opened. */
#include "base/text.h"
#include "cli/session.h"
#include "store/organization.h"
#include "unit/cli_support.h"
#include "unit/database_stage.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static Session *open_named(SessionMode mode, const char *organization, GError **error) {
    const char *const vector[] = {"--data", desk_data(), organization ? "--organization" : NULL,
                                  organization, NULL};
    g_autoptr(Arguments) arguments = arguments_parse(NULL, vector, error);
    return arguments ? session_open(arguments, mode, error) : NULL;
}

static char *key_file(void) {
    return g_build_filename(desk_data(), "encryption.key", NULL);
}

static void reading_makes_nothing(void) {
    must_fail(ERROR_NOT_FOUND, "run `assay init` or `assay connect` first",
              open_named(SESSION_READ, NULL, &error) != NULL);
    g_assert_false(g_file_test(desk_data(), G_FILE_TEST_EXISTS));
}

static void making_makes_directory_database_key_and_organization(void) {
    g_autoptr(Session) session = NULL;
    g_autofree char *key = key_file();
    struct stat status;
    must((session = open_named(SESSION_MAKE, NULL, &error)) != NULL);
    g_assert_cmpstr(session_organization(session), ==, "default");
    g_assert_cmpint(stat(key, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 07777, ==, 0600);
    if (stage_is_postgres())
        return;
    g_assert_cmpint(stat(session_place(session)->database_file, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 07777, ==, 0600);
}

static void what_was_made_is_found_again(void) {
    g_autoptr(Session) first = NULL;
    g_autoptr(Session) second = NULL;
    must((first = open_named(SESSION_MAKE, NULL, &error)) != NULL);
    must((second = open_named(SESSION_READ, NULL, &error)) != NULL);
    g_assert_cmpstr(session_scope(first)->organization, ==, session_scope(second)->organization);
    g_assert_cmpstr(keyring_id(session_keyring(first, NULL)), ==,
                    keyring_id(session_keyring(second, NULL)));
}

static void organizations_are_kept_apart(void) {
    g_autoptr(Session) first = NULL;
    g_autoptr(Session) second = NULL;
    must((first = open_named(SESSION_MAKE, NULL, &error)) != NULL);
    must_fail(ERROR_NOT_FOUND, "there is no organization \"other\"",
              open_named(SESSION_READ, "other", &error) != NULL);
    must((second = open_named(SESSION_MAKE, "other", &error)) != NULL);
    g_assert_cmpstr(session_scope(first)->organization, !=, session_scope(second)->organization);
    must_fail(ERROR_USAGE, "--organization wants a name",
              open_named(SESSION_MAKE, "", &error) != NULL);
}

/* --- who made the organization ---------------------------------------------------------------- */

static void the_first_organization_is_made_by_somebody(void) {
    g_autoptr(Session) first = NULL;
    g_autoptr(Session) again = NULL;
    must((first = open_named(SESSION_MAKE, NULL, &error)) != NULL);
    must((again = open_named(SESSION_MAKE, NULL, &error)) != NULL);
    g_autoptr(Json) rows = desk_noted("organization.create", 1);
    const Json *row = json_item(rows, 0);
    g_assert_cmpstr(json_text(json_path(row, "actor.kind")), ==, "cli");
    g_assert_cmpstr(json_text(json_path(row, "actor.name")), ==, g_get_user_name());
    g_assert_cmpstr(json_text(json_path(row, "target.kind")), ==, "organization");
    g_assert_cmpstr(json_text(json_path(row, "target.name")), ==, "default");
    g_assert_cmpstr(json_text(json_path(row, "target.id")), ==, session_scope(first)->organization);
}

/* Every way says the same, in the log of the organization that was made. */
static void every_way_to_make_an_organization_is_noted_alike(void) {
    static const char *const lines[] = {"init", "init --organization second",
                                        "organizations create third"};
    static const char *const names[] = {"default", "second", "third"};
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *log = g_strdup_printf("audit --organization %s", names[i]);
        g_autoptr(Json) made = desk_json(lines[i], 0);
        g_autoptr(Json) reply = desk_json(log, 0);
        const Json *rows = json_member(reply, "audit");
        const Json *row = json_item(rows, 0);
        g_assert_cmpuint(json_count(rows), ==, 1);
        g_assert_cmpstr(json_member_string(row, "action", ""), ==, "organization.create");
        g_assert_cmpstr(json_text(json_path(row, "actor.kind")), ==, "cli");
        g_assert_cmpstr(json_text(json_path(row, "target.name")), ==, names[i]);
    }
}

static bool found_default(DbUnit *unit, void *id, GError **error) {
    return session_found(unit, id, "default", error);
}

static bool count_entries(DbUnit *unit, void *count, GError **error) {
    AuditFilter filter = {.limit = 10};
    g_autoptr(GPtrArray) rows = NULL;
    if (!audit_list(unit, &filter, &rows, error))
        return false;
    *(guint *)count = rows->len;
    return true;
}

static void an_organization_that_is_not_made_is_not_noted(void) {
    static char id[] = "01890000-0000-7000-8000-000000000001";
    g_autoptr(Session) session = desk_session();
    DbScope scope = session_founding_scope(id);
    DbScope its_own = {.organization = id, .actor = "cli", .role = "owner"};
    guint entries = 1;
    must_fail(ERROR_CONFLICT, "choose another name",
              db_run(session_db(session), &scope, DB_WRITE, found_default, id, &error));
    must(db_run(session_db(session), &its_own, DB_READ, count_entries, &entries, &error));
    g_assert_cmpuint(entries, ==, 0);
}

/* A new key would not open what the lost one has sealed. */
static void a_lost_key_is_not_replaced(void) {
    g_autofree char *key = key_file();
    g_autoptr(Session) session = desk_session();
    g_clear_pointer(&session, session_free);
    g_unlink(key);
    session = desk_session(); /* the organization is there: no key is needed to read */
    must_fail(ERROR_CRYPTO, "There is no encryption key", session_keyring(session, &error));
    must_fail(ERROR_CRYPTO, "There is no encryption key",
              open_named(SESSION_MAKE, "second", &error) != NULL);
    g_assert_false(g_file_test(key, G_FILE_TEST_EXISTS));
}

static bool set_key(DbUnit *unit, void *wrapped, GError **error) {
    return organization_set_key(unit, "", wrapped, error);
}

static void wrap_data_key(Session *session) {
    g_autofree char *wrapped = NULL;
    g_autoptr(DataKey) key = NULL;
    must(keyring_make_data_key(session_keyring(session, &error),
                               session_scope(session)->organization, &wrapped, &key, &error));
    must(session_run(session, DB_WRITE, set_key, wrapped, &error));
}

static void a_wrong_key_is_told_before_anything_is_done(void) {
    g_setenv("ENCRYPTION_KEY", KEY_A, TRUE);
    g_autoptr(Session) session = desk_session();
    g_assert_null(g_getenv("ENCRYPTION_KEY"));
    wrap_data_key(session);
    g_clear_pointer(&session, session_free);
    g_setenv("ENCRYPTION_KEY", KEY_B, TRUE);
    session = desk_session();
    must_fail(ERROR_CRYPTO, "", session_keyring(session, &error));
    must_fail(ERROR_CRYPTO, "", session_crew(session, &error));
    g_clear_pointer(&session, session_free);
    g_setenv("ENCRYPTION_KEY", KEY_A, TRUE);
    session = desk_session();
    must(session_keyring(session, &error) != NULL);
}

static void a_key_that_is_none_is_not_passed_over(void) {
    g_autofree char *key = key_file();
    g_setenv("ENCRYPTION_KEY", "not a key", TRUE);
    must_fail(ERROR_CRYPTO, "ENCRYPTION_KEY", open_named(SESSION_MAKE, NULL, &error) != NULL);
    g_assert_false(g_file_test(key, G_FILE_TEST_EXISTS));
}

static void another_database_is_refused_without_its_password(void) {
    g_setenv("DATABASE_URL", "postgres://assay:" PLANTED "@db/assay", TRUE);
    must_fail(ERROR_CONFIGURATION, "", open_named(SESSION_MAKE, NULL, &error) != NULL);
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"reading_makes_nothing", reading_makes_nothing},
        {"making_makes_directory_database_key_and_organization",
         making_makes_directory_database_key_and_organization},
        {"what_was_made_is_found_again", what_was_made_is_found_again},
        {"organizations_are_kept_apart", organizations_are_kept_apart},
        {"the_first_organization_is_made_by_somebody", the_first_organization_is_made_by_somebody},
        {"every_way_to_make_an_organization_is_noted_alike",
         every_way_to_make_an_organization_is_noted_alike},
        {"an_organization_that_is_not_made_is_not_noted",
         an_organization_that_is_not_made_is_not_noted},
        {"a_lost_key_is_not_replaced", a_lost_key_is_not_replaced},
        {"a_wrong_key_is_told_before_anything_is_done",
         a_wrong_key_is_told_before_anything_is_done},
        {"a_key_that_is_none_is_not_passed_over", a_key_that_is_none_is_not_passed_over},
        {"another_database_is_refused_without_its_password",
         another_database_is_refused_without_its_password},
    };
    return desk_main(argc, argv, "session", tests, G_N_ELEMENTS(tests));
}
