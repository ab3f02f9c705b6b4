#include "cli/doctor_key.h"

#include "cli/key_check.h"
#include "store/audit.h"

static void judge(Checkup *checkup, const Keyring *keyring, const KeyCheck *check) {
    if (check->refused > 0)
        checkup_fail(checkup,
                     "Give the key that this database was made with; without it their credentials "
                     "are lost and have to be connected again.",
                     "key %s does not open %d of %d organizations, such as \"%s\"",
                     keyring_id(keyring), (int)check->refused, (int)check->organizations,
                     check->first);
    else
        checkup_ok(checkup, "key %s opens the data keys of %d organization%s", keyring_id(keyring),
                   (int)check->organizations, check->organizations == 1 ? "" : "s");
}

static void check_organizations(Examination *examination, const Keyring *keyring) {
    g_auto(KeyCheck) check = {0};
    g_autoptr(GError) error = NULL;
    if (key_check_run(examination->db, keyring, &check, &error))
        judge(examination->checkup, keyring, &check);
    else
        checkup_fail(examination->checkup, "Look at what is said about the database.",
                     "the organizations cannot be read: %s", error->message);
}

/* --- kept elsewhere --------------------------------------------------------------------------- */

typedef struct {
    const char *key_id;
    bool exported;
} ExportedWork;

static bool exported_work(DbUnit *unit, void *data, GError **error) {
    ExportedWork *work = data;
    g_autoptr(GPtrArray) rows = NULL;
    AuditFilter filter = {
        .action = audit_action_name(AUDIT_KEYS_EXPORTED), .target_id = work->key_id, .limit = 1};
    if (!audit_list(unit, &filter, &rows, error))
        return false;
    work->exported = rows->len > 0;
    return true;
}

/* A key that comes from elsewhere is kept there. */
static void check_escrow(Examination *examination, const Keyring *keyring) {
    const DbScope scope = {
        .organization = AUDIT_INSTALLATION, .actor = "cli", .role = "operator", .system = true};
    g_autofree char *file = g_build_filename(examination->place->data_dir, "encryption.key", NULL);
    ExportedWork work = {.key_id = keyring_id(keyring)};
    g_autoptr(GError) error = NULL;
    if (!g_file_test(file, G_FILE_TEST_EXISTS))
        return;
    if (!db_run(examination->db, &scope, DB_READ, exported_work, &work, &error))
        checkup_fail(examination->checkup, "Run `assay migrate`.",
                     "the audit log cannot be read: %s", error->message);
    else if (!work.exported)
        checkup_warn(examination->checkup,
                     "Run `assay keys export FILE` and keep the file apart from the backups.",
                     "the key was never exported: with this disk all credentials would be lost");
    else
        checkup_ok(examination->checkup, "it was exported");
}

void doctor_key(Examination *examination) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Keyring) opened =
        examination->keyring ? NULL
                             : keyring_open(examination->place->data_dir, KEYRING_REQUIRE, &error);
    const Keyring *keyring = opened ? opened : examination->keyring;
    if (!keyring) {
        checkup_fail(examination->checkup,
                     "Put the key back: ENCRYPTION_KEY_FILE, or encryption.key in the data "
                     "directory.",
                     "%s", error->message);
        return;
    }
    if (!examination->db) {
        checkup_ok(examination->checkup, "key %s is there", keyring_id(keyring));
        return;
    }
    check_organizations(examination, keyring);
    check_escrow(examination, keyring);
}
