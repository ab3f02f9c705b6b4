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
        {"a_lost_key_is_not_replaced", a_lost_key_is_not_replaced},
        {"a_wrong_key_is_told_before_anything_is_done",
         a_wrong_key_is_told_before_anything_is_done},
        {"a_key_that_is_none_is_not_passed_over", a_key_that_is_none_is_not_passed_over},
        {"another_database_is_refused_without_its_password",
         another_database_is_refused_without_its_password},
    };
    return desk_main(argc, argv, "session", tests, G_N_ELEMENTS(tests));
}
