#include "cli/restore.h"

#include "base/text.h"
#include "cli/access.h"
#include "cli/backup_file.h"
#include "cli/key_check.h"
#include "cli/session.h"
#include "db/copy.h"
#include "db/migrate.h"
#include "db/sqlite_file.h"
#include "store/organization.h"
#include "store/restored.h"
#include "store/schema_part.h"
#include "store/user.h"

#include <glib/gstdio.h>
#include <string.h>

#define FROM_ENVIRONMENT "env:"
#define SQLITE "sqlite:"
#define NAME_SHOWN 100

typedef enum { KEY_MISSING, KEY_RIGHT } KeyState;

typedef struct {
    const char *file;
    const char *url; /* where to */
    const Place *place;
    bool sealed; /* there was a checksum */
    KeyState key;
    int64_t organizations;
    int64_t marked; /* integrations that want to be connected again */
} Restoring;

static const DbScope everybody = {
    .organization = AUDIT_INSTALLATION, .actor = "cli", .role = "operator", .system = true};

/* --- the place -------------------------------------------------------------------------------- */

static const char *url_of(const CommandCall *call, const Place *place, GError **error) {
    const char *given = arguments_text(call->arguments, "to");
    if (!given)
        return place->database_url;
    if (!g_str_has_prefix(given, FROM_ENVIRONMENT))
        return given;
    const char *url = g_getenv(given + strlen(FROM_ENVIRONMENT));
    if (!url || *url == '\0')
        g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "the environment variable %s is not set",
                    given + strlen(FROM_ENVIRONMENT));
    return url && *url != '\0' ? url : NULL;
}

static const char *file_of(const Restoring *restoring) {
    return g_str_has_prefix(restoring->url, SQLITE) ? restoring->url + strlen(SQLITE) : NULL;
}

static bool refuse_used(GError **error) {
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFLICT,
                        "the database to restore into is not empty: name a new one with --to, or "
                        "move the old one away");
    return false;
}

static bool look_work(DbUnit *unit, void *data, GError **error) {
    bool *used = data;
    g_autoptr(GPtrArray) organizations = NULL;
    g_autoptr(GPtrArray) users = NULL;
    if (!organization_list(unit, NULL, 1, &organizations, error) ||
        !user_list(unit, NULL, 1, &users, error))
        return false;
    *used = organizations->len > 0 || users->len > 0;
    return true;
}

static bool server_is_empty(const char *url, GError **error) {
    g_autoptr(Db) db = db_open(url, error);
    int version = -1;
    bool used = false;
    if (!db || !migrate_version(db, &version, error))
        return false;
    if (version < 0)
        return true;
    if (!migrate_apply(db, error) || !db_run(db, &everybody, DB_READ, look_work, &used, error))
        return false;
    return !used || refuse_used(error);
}

static bool is_empty(const Restoring *restoring, GError **error) {
    const char *file = file_of(restoring);
    if (!file)
        return server_is_empty(restoring->url, error);
    return !g_file_test(file, G_FILE_TEST_EXISTS) || refuse_used(error);
}

/* --- what is restored ------------------------------------------------------------------------- */

typedef struct {
    const char *organization; /* NULL: from the first */
    GPtrArray *ids;
    int64_t marked;
} OrganizationWork;

static bool ids_work(DbUnit *unit, void *data, GError **error) {
    OrganizationWork *work = data;
    g_autoptr(GPtrArray) rows = NULL;
    g_ptr_array_set_size(work->ids, 0);
    if (!organization_list(unit, work->organization, STORE_LIST_MAX, &rows, error))
        return false;
    for (guint i = 0; i < rows->len; i++)
        g_ptr_array_add(work->ids, g_strdup(((Organization *)g_ptr_array_index(rows, i))->id));
    return true;
}

static bool organization_work(DbUnit *unit, void *data, GError **error) {
    OrganizationWork *work = data;
    return restored_organization(unit, &work->marked, error);
}

static bool settle_page(Db *db, const GPtrArray *ids, Restoring *restoring, GError **error) {
    for (guint i = 0; i < ids->len; i++) {
        OrganizationWork work = {0};
        DbScope scope = {
            .organization = g_ptr_array_index(ids, i), .actor = "cli", .role = "owner"};
        if (!db_run(db, &scope, DB_WRITE, organization_work, &work, error))
            return false;
        restoring->marked += work.marked;
        restoring->organizations++;
    }
    return true;
}

static bool settle_organizations(Db *db, Restoring *restoring, GError **error) {
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *after = NULL;
    do {
        OrganizationWork work = {.organization = after, .ids = ids};
        if (!db_run(db, &everybody, DB_READ, ids_work, &work, error) ||
            !settle_page(db, ids, restoring, error))
            return false;
        g_free(after);
        after = ids->len > 0 ? g_strdup(g_ptr_array_index(ids, ids->len - 1)) : NULL;
    } while (ids->len == STORE_LIST_MAX);
    return true;
}

static bool installation_work(DbUnit *unit, void *data, GError **error) {
    AuditEntry entry = {.action = AUDIT_BACKUP_RESTORED,
                        .actor = session_actor(),
                        .target_kind = "backup",
                        .target_name = data};
    return restored_installation(unit, error) && audit_add(unit, &entry, error);
}

/* A key that is there must be the right one; one that is yet to be put back is told. */
static bool check_key(Db *db, Restoring *restoring, GError **error) {
    g_auto(KeyCheck) check = {0};
    g_autoptr(Keyring) keyring = keyring_open(restoring->place->data_dir, KEYRING_REQUIRE, NULL);
    if (!keyring)
        return true;
    restoring->key = KEY_RIGHT;
    return key_check_run(db, keyring, &check, error) && key_check_judge(&check, error);
}

static Db *open_draft(const char *draft, GError **error) {
    g_autofree char *url = g_strconcat(SQLITE, draft, NULL);
    return db_open(url, error);
}

static bool parts_work(DbUnit *unit, void *data, GError **error) {
    GPtrArray **parts = data;
    g_clear_pointer(parts, g_ptr_array_unref);
    return schema_part_list(unit, parts, error);
}

/* What the file is made of once it is up to date; NULL with the error set. */
static GPtrArray *migrate_draft(const char *draft, GError **error) {
    g_autoptr(Db) db = open_draft(draft, error);
    GPtrArray *parts = NULL;
    if (db && migrate_apply(db, error) &&
        db_run(db, &everybody, DB_READ, parts_work, &parts, error))
        return parts;
    g_clear_pointer(&parts, g_ptr_array_unref);
    return NULL;
}

static bool is_as_made(const Restoring *restoring, const GPtrArray *parts, const GPtrArray *made,
                       GError **error) {
    const char *name = schema_part_difference(parts, made);
    g_autofree char *shown = text_one_line(name ? name : "", NAME_SHOWN);
    if (name)
        g_set_error(error, ASSAY_ERROR, ERROR_DATABASE,
                    "%s is not made as `assay backup` makes it (%s): use another backup",
                    restoring->file, shown);
    return !name;
}

/* A trigger that came with the file would do what it likes with each later change, and one that is
 * missing would let the audit log be changed. */
static bool make_current(const Restoring *restoring, const char *draft, GError **error) {
    g_autofree char *model = g_strconcat(draft, ".model", NULL);
    g_autoptr(GPtrArray) parts = migrate_draft(draft, error);
    g_autoptr(GPtrArray) made = parts ? migrate_draft(model, error) : NULL;
    sqlite_file_remove(model);
    return made && is_as_made(restoring, parts, made, error);
}

static bool settle(const char *draft, Restoring *restoring, GError **error) {
    g_autoptr(Db) db = open_draft(draft, error);
    return db && check_key(db, restoring, error) && settle_organizations(db, restoring, error) &&
           db_run(db, &everybody, DB_WRITE, installation_work, (void *)(uintptr_t)restoring->file,
                  error);
}

/* --- putting it there ------------------------------------------------------------------------- */

static bool put(const Restoring *restoring, const char *draft, GError **error) {
    const char *file = file_of(restoring);
    if (file)
        return backup_file_give_name(draft, file, error);
    g_autofree char *from = g_strconcat(SQLITE, draft, NULL);
    CopyPlan plan = {.from = from, .to = restoring->url};
    CopyReport report = {0};
    return copy_database(&plan, &report, error);
}

static bool restore(Restoring *restoring, GError **error) {
    const char *file = file_of(restoring);
    g_autofree char *beside = g_build_filename(restoring->place->data_dir, "restoring.db", NULL);
    g_autofree char *draft = backup_file_draft(file ? file : beside);
    bool ok = sqlite_file_copy(restoring->file, draft, error) &&
              sqlite_file_check(draft, SQLITE_FILE_WHOLE, error) &&
              make_current(restoring, draft, error) && settle(draft, restoring, error) &&
              put(restoring, draft, error);
    sqlite_file_remove(draft);
    return ok;
}

/* --- the command ------------------------------------------------------------------------------ */

static void tell(const CommandCall *call, const Restoring *restoring) {
    bool right = restoring->key == KEY_RIGHT;
    g_autoptr(Json) json = json_new_object();
    json_put_bool(json, "success", true);
    json_put_string(json, "file", restoring->file);
    json_put_int(json, "organizations", restoring->organizations);
    json_put_int(json, "reconnectNeeded", restoring->marked);
    json_put_bool(json, "checksum", restoring->sealed);
    json_put_string(json, "key", right ? "right" : "missing");
    output_json(call->output, json);
    output_line(call->output, "Restored %d organization%s from %s.", (int)restoring->organizations,
                restoring->organizations == 1 ? "" : "s", restoring->file);
    if (restoring->marked > 0)
        output_line(call->output,
                    "%d integrations have refresh tokens that may have been used up since: connect "
                    "them again.",
                    (int)restoring->marked);
    if (!restoring->sealed)
        output_note(call->output, "There was no checksum beside the file.");
    if (!right)
        output_note(call->output, "Next: put the encryption key back (ENCRYPTION_KEY_FILE or "
                                  "encryption.key in the data directory), then `assay doctor`.");
    output_note(call->output, "Everybody has to log in again.");
}

static bool run(CommandCall *call, GError **error) {
    g_auto(Place) place = {0};
    g_autofree char *file = g_canonicalize_filename(arguments_word(call->arguments, 0), NULL);
    if (!place_init(&place, call->arguments, error))
        return false;
    Restoring restoring = {.file = file, .place = &place};
    restoring.url = url_of(call, &place, error);
    if (!restoring.url || !backup_file_verify(file, &restoring.sealed, error) ||
        !place_make(&place, error) || !is_empty(&restoring, error) || !restore(&restoring, error))
        return false;
    tell(call, &restoring);
    return true;
}

static const Option options[] = {
    {"to", OPTION_TEXT, "URL", "the database; without it the one of the settings"}, {0}};

const Command restore_command = {
    .name = "restore",
    .summary = "a backup into an empty database",
    .usage = "FILE [--to URL]",
    .about =
        "The backup may be of an older version of Assay and of the other engine. Sessions are\n"
        "ended and running jobs go on from where they were. Integrations with a refresh\n"
        "token are marked \"reconnect needed\": such a token is good once, and may have been\n"
        "used since. A URL with a password is better given as env:NAME.",
    .examples = "assay restore /srv/backup/assay.db\n"
                "assay restore /srv/backup/assay.db --to env:NEW_DATABASE_URL",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
