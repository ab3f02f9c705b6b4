#include "cli/backup.h"

#include "cli/access.h"
#include "cli/backup_file.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "db/copy.h"
#include "db/sqlite_file.h"

#include <glib/gstdio.h>

/* --- both engines ----------------------------------------------------------------------------- */

static void show(const CopyProgress *copied, void *data) {
    g_autofree char *rows = output_number((int64_t)copied->rows);
    g_autofree char *message = g_strdup_printf("%s, %s rows", copied->table, rows);
    g_autoptr(Json) report = json_new_object();
    json_put_string(report, "message", message);
    progress_show(report, data);
}

static bool copy_server(const CommandCall *call, const Place *place, const char *draft,
                        GError **error) {
    g_autofree char *to = g_strconcat("sqlite:", draft, NULL);
    g_autofree char *folder = g_path_get_dirname(draft);
    g_autofree char *flat = g_strconcat(draft, ".copy", NULL);
    Progress progress;
    CopyReport report = {0};
    progress_init(&progress, call->output, "Backup");
    CopyPlan plan = {
        .from = place->database_url, .to = to, .spool = folder, .told = show, .data = &progress};
    bool ok = copy_database(&plan, &report, error);
    progress_clear(&progress);
    /* Once more, as one file without a log beside it. */
    ok = ok && sqlite_file_copy(draft, flat, error);
    sqlite_file_remove(draft);
    if (ok && g_rename(flat, draft) != 0)
        ok = backup_file_failed(draft, "named", error);
    sqlite_file_remove(flat);
    return ok;
}

static bool make_draft(const CommandCall *call, const Place *place, const char *draft,
                       GError **error) {
    bool ok = place->database_file ? sqlite_file_copy(place->database_file, draft, error)
                                   : copy_server(call, place, draft, error);
    return ok && sqlite_file_check(draft, SQLITE_FILE_WHOLE, error);
}

/* --- the command ------------------------------------------------------------------------------ */

typedef struct {
    const char *file;
    const BackupSeal *seal;
} NoteWork;

static bool note_work(DbUnit *unit, void *data, GError **error) {
    const NoteWork *work = data;
    g_autoptr(Json) details = json_new_object();
    json_put_string(details, "sha256", work->seal->sha256);
    json_put_int(details, "bytes", work->seal->size);
    AuditEntry entry = {.action = AUDIT_BACKUP_MADE,
                        .actor = session_actor(),
                        .target_kind = "backup",
                        .target_name = work->file,
                        .details = details};
    return audit_add(unit, &entry, error);
}

static bool note(const Session *session, NoteWork *work, GError **error) {
    const DbScope scope = {
        .organization = AUDIT_INSTALLATION, .actor = "cli", .role = "operator", .system = true};
    return db_run(session_db(session), &scope, DB_WRITE, note_work, work, error);
}

static void tell(const CommandCall *call, const char *file, const BackupSeal *seal) {
    g_autofree char *bytes = output_number(seal->size);
    g_autoptr(Json) json = json_new_object();
    json_put_bool(json, "success", true);
    json_put_string(json, "file", file);
    json_put_int(json, "bytes", seal->size);
    json_put_string(json, "sha256", seal->sha256);
    json_put_bool(json, "verified", true);
    output_json(call->output, json);
    output_line(call->output, "%s: %s bytes, read again and found whole.", file, bytes);
    output_line(call->output, "sha256 %s", seal->sha256);
    output_note(call->output, "The key is not in it: `assay keys export` writes it out.");
}

static bool run(CommandCall *call, GError **error) {
    BackupSeal seal;
    g_autofree char *file = g_canonicalize_filename(arguments_word(call->arguments, 0), NULL);
    g_autofree char *draft = backup_file_draft(file);
    g_autoptr(Session) session = session_open(call->arguments, SESSION_INSTALLATION, error);
    if (!session || !backup_file_is_new(file, error))
        return false;
    if (!make_draft(call, session_place(session), draft, error) ||
        !backup_file_publish(draft, file, &seal, error)) {
        sqlite_file_remove(draft);
        return false;
    }
    if (!note(session, &(NoteWork){file, &seal}, error))
        return false;
    tell(call, file, &seal);
    return true;
}

const Command backup_command = {
    .name = "backup",
    .summary = "everything into one file, while Assay runs",
    .usage = "FILE",
    .about =
        "FILE is a database of SQLite, also when PostgreSQL is backed up, and FILE.sha256 its\n"
        "checksum; both are new (mode 0600). It is read again when it is written. `assay\n"
        "serve` may go on meanwhile. The encryption key is not in it, and credentials are\n"
        "sealed with it: keep both, apart from each other.",
    .examples = "assay backup /srv/backup/assay-$(date +%F).db\n"
                "assay backup /srv/backup/assay.db --json",
    .least = 1,
    .most = 1,
    .run = run,
};
