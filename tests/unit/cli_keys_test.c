/* Exporting the key: where it goes, who is asked, and what is written down. */
#include "base/secmem.h"
#include "base/text.h"
#include "cli/key_check.h"
#include "store/organization.h"
#include "unit/cli_support.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

static char *digits_of(Session *session) {
    const Keyring *keyring = NULL;
    must((keyring = session_keyring(session, &error)) != NULL);
    const Secret *key = keyring_kek(keyring);
    return text_hex(secret_bytes(key), secret_size(key));
}

/* Gives the organization a data key under this keyring. */
static bool seal_work(DbUnit *unit, void *data, GError **error) {
    return organization_set_key(unit, "", data, error);
}

static void seal(const Session *session, const Keyring *keyring) {
    g_autoptr(DataKey) key = NULL;
    g_autofree char *wrapped = NULL;
    const char *id = session_scope(session)->organization;
    must(keyring_make_data_key(keyring, id, &wrapped, &key, &error));
    must(session_run(session, DB_WRITE, seal_work, wrapped, &error));
}

static Keyring *other_keyring(void) {
    g_autoptr(Secret) bytes = NULL;
    Keyring *keyring = NULL;
    must((bytes = secret_random(DATA_KEY_SIZE, &error)) != NULL);
    must((keyring = keyring_from_secret(bytes, &error)) != NULL);
    return keyring;
}

static size_t exports_noted(void) {
    g_autoptr(Json) json = desk_json("audit --installation --action keys.export", 0);
    return json_count(json_member(json, "audit"));
}

/* --- exporting -------------------------------------------------------------------------------- */

static void the_key_goes_into_a_new_private_file(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *digits = digits_of(session);
    g_autofree char *file = g_build_filename(desk_folder(), "key", NULL);
    g_autofree char *line = g_strdup_printf("keys export %s --force", file);
    g_autoptr(Json) json = desk_json(line, 0);
    g_autofree char *text = NULL;
    struct stat status;
    must(g_file_get_contents(file, &text, NULL, &error));
    g_assert_true(g_str_has_prefix(text, digits));
    g_assert_cmpstr(text + strlen(digits), ==, "\n");
    g_assert_cmpint(stat(file, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 0777, ==, 0600);
    g_assert_cmpstr(json_member_string(json, "file", ""), ==, file);
    g_assert_cmpuint(strlen(json_member_string(json, "keyId", "")), ==, 8);
    g_assert_cmpuint(exports_noted(), ==, 1);
}

static void an_exported_key_opens_the_same_database(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *digits = digits_of(session);
    const Keyring *keyring = NULL;
    must((keyring = session_keyring(session, &error)) != NULL);
    seal(session, keyring);
    g_autofree char *file = g_build_filename(desk_folder(), "key", NULL);
    g_autofree char *line = g_strdup_printf("keys export %s --force --quiet", file);
    g_auto(Said) said = desk_run(line);
    g_assert_cmpint(said.status, ==, 0);
    assert_lacks(said.out, digits);
    assert_lacks(said.err, digits);
    g_autofree char *own = g_build_filename(desk_data(), "encryption.key", NULL);
    g_assert_cmpint(g_remove(own), ==, 0);
    g_setenv("ENCRYPTION_KEY_FILE", file, TRUE);
    g_autofree char *again = g_strdup_printf("keys export %s.2 --force", file);
    g_autoptr(Json) json = desk_json(again, 0);
    g_assert_true(json_member_bool(json, "success", false));
}

static void a_file_that_is_there_is_not_touched(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *digits = digits_of(session);
    const char *file = desk_file("taken", "precious");
    g_autofree char *line = g_strdup_printf("keys export %s --force", file);
    g_autofree char *text = NULL;
    desk_fails(line, 1, "name another file");
    must(g_file_get_contents(file, &text, NULL, &error));
    g_assert_cmpstr(text, ==, "precious");
}

static void a_pipe_gets_the_key_by_force_only(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *digits = digits_of(session);
    desk_fails("keys export", 2, "pipe");
    g_autoptr(Json) json = desk_json("keys export --force", 2);
    g_assert_false(json_member_bool(json, "success", true));
    g_assert_cmpuint(exports_noted(), ==, 0);
    g_auto(Said) said = desk_run("keys export --force");
    g_assert_cmpint(said.status, ==, 0);
    g_assert_true(g_str_has_prefix(said.out, digits));
    assert_lacks(said.err, digits);
    g_assert_cmpuint(exports_noted(), ==, 1);
}

static void nobody_to_ask_is_a_refusal(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *digits = digits_of(session);
    g_autofree char *file = g_build_filename(desk_folder(), "key", NULL);
    g_autofree char *line = g_strdup_printf("keys export %s", file);
    desk_fails(line, 2, "nobody is there to be asked");
    g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
    g_assert_cmpuint(exports_noted(), ==, 0);
}

static void without_an_installation_there_is_no_key(void) {
    desk_fails("keys export --force", 3, "assay init");
    g_autoptr(Session) session = desk_session();
    g_autofree char *digits = digits_of(session);
    g_autofree char *own = g_build_filename(desk_data(), "encryption.key", NULL);
    g_assert_cmpint(g_remove(own), ==, 0);
    desk_fails("keys export --force", 1, "no encryption key");
}

/* --- the right key ---------------------------------------------------------------------------- */

static void a_key_of_another_database_is_not_exported(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *digits = digits_of(session);
    g_autoptr(Keyring) other = other_keyring();
    seal(session, other);
    desk_fails("keys export --force", 1, "\"default\"");
    g_assert_cmpuint(exports_noted(), ==, 0);
}

static void organizations_without_a_data_key_are_not_asked(void) {
    g_autoptr(Session) session = desk_session();
    g_autoptr(Keyring) other = other_keyring();
    g_auto(KeyCheck) check = {0};
    must(key_check_run(session_db(session), other, &check, &error));
    g_assert_cmpint(check.organizations, ==, 0);
    must(key_check_judge(&check, &error));
}

static void every_organization_is_asked(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *digits = digits_of(session);
    const Keyring *keyring = NULL;
    must((keyring = session_keyring(session, &error)) != NULL);
    seal(session, keyring);
    g_autoptr(Keyring) other = other_keyring();
    g_auto(KeyCheck) right = {0};
    g_auto(KeyCheck) wrong = {0};
    must(key_check_run(session_db(session), keyring, &right, &error));
    must(key_check_judge(&right, &error));
    g_assert_cmpint(right.organizations, ==, 1);
    must(key_check_run(session_db(session), other, &wrong, &error));
    g_assert_cmpint(wrong.refused, ==, 1);
    must_fail(ERROR_CRYPTO, "key that this database was made with",
              key_check_judge(&wrong, &error));
}

static const DeskTest tests[] = {
    {"the_key_goes_into_a_new_private_file", the_key_goes_into_a_new_private_file},
    {"an_exported_key_opens_the_same_database", an_exported_key_opens_the_same_database},
    {"a_file_that_is_there_is_not_touched", a_file_that_is_there_is_not_touched},
    {"a_pipe_gets_the_key_by_force_only", a_pipe_gets_the_key_by_force_only},
    {"nobody_to_ask_is_a_refusal", nobody_to_ask_is_a_refusal},
    {"without_an_installation_there_is_no_key", without_an_installation_there_is_no_key},
    {"a_key_of_another_database_is_not_exported", a_key_of_another_database_is_not_exported},
    {"organizations_without_a_data_key_are_not_asked",
     organizations_without_a_data_key_are_not_asked},
    {"every_organization_is_asked", every_organization_is_asked},
};

int main(int argc, char **argv) {
    return desk_main(argc, argv, "keys", tests, G_N_ELEMENTS(tests));
}
