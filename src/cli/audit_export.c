#include "cli/audit_export.h"

#include "base/error.h"
#include "cli/access.h"
#include "cli/audit.h"
#include "present/audit_object.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Entries that are asked for at once. */
#define PART 10000
#define PART_TEXT G_STRINGIFY(PART)

/* --- the file --------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    FILE *stream; /* NULL: not opened */
    int64_t entries;
} Export;

static bool fail(const Export *export, GError **error) {
    int code = errno;
    g_set_error(error, ASSAY_ERROR, code == EEXIST ? ERROR_CONFLICT : ERROR_CONFIGURATION,
                "the log cannot be written into %s: %s; name another file", export->name,
                g_strerror(code));
    return false;
}

static bool export_open(Export *export, const char *name, GError **error) {
    *export = (Export){.name = name};
    int descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return fail(export, error);
    export->stream = fdopen(descriptor, "w");
    g_assert(export->stream);
    return true;
}

static bool export_write(Export *export, const char *text, size_t size, GError **error) {
    if (size > 0 && fwrite(text, size, 1, export->stream) != 1)
        return fail(export, error);
    for (size_t i = 0; i < size; i++)
        export->entries += text[i] == '\n';
    return true;
}

/* What is not whole is taken away. */
static bool export_close(Export *export, bool ok, GError **error) {
    if (!export->stream)
        return ok;
    bool whole = ok && fflush(export->stream) == 0 && fsync(fileno(export->stream)) == 0;
    if (ok && !whole)
        (void)fail(export, error);
    fclose(export->stream);
    if (!whole)
        (void)unlink(export->name);
    return whole;
}

static void print_exported(const Output *output, const Export *export) {
    g_autoptr(Json) json = json_new_object();
    g_autofree char *count = output_number(export->entries);
    json_put_bool(json, "success", true);
    json_put_string(json, "file", export->name);
    json_put_int(json, "entries", export->entries);
    output_json(output, json);
    output_line(output, "%s entries are in %s.", count, export->name);
    output_note(output, "Next: assay audit --proof ID says that one of them is in the sealed log");
}

/* --- the data directory ----------------------------------------------------------------------- */

typedef struct {
    AuditFilter filter;
    GPtrArray *rows;
} PageWork;

static bool note_work(DbUnit *unit, void *data, GError **error) {
    AuditEntry entry = {.action = AUDIT_EXPORTED, .actor = session_actor()};
    (void)data;
    return audit_add(unit, &entry, error);
}

static bool page_work(DbUnit *unit, void *data, GError **error) {
    PageWork *work = data;
    g_clear_pointer(&work->rows, g_ptr_array_unref);
    return audit_list(unit, &work->filter, &work->rows, error);
}

static bool write_row(Export *export, const Json *object, GError **error) {
    g_autofree char *printed = json_print(object, JSON_COMPACT);
    g_autofree char *line = g_strconcat(printed, "\n", NULL);
    return export_write(export, line, strlen(line), error);
}

static bool refuse_damaged(const AuditRow *row, GError **error) {
    g_set_error(error, ASSAY_ERROR, ERROR_DATABASE,
                "the entry %s of the audit log is damaged; restore the database", row->id);
    return false;
}

static bool write_rows(Export *export, const GPtrArray *rows, GError **error) {
    bool ok = true;
    for (guint i = 0; ok && i < rows->len; i++) {
        const AuditRow *row = g_ptr_array_index(rows, i);
        g_autoptr(Json) object = audit_object(row);
        ok = object ? write_row(export, object, error) : refuse_damaged(row, error);
    }
    return ok;
}

static bool write_here(Export *export, const Session *session, const DbScope *scope,
                       AuditFilter filter, GError **error) {
    PageWork work = {.filter = filter};
    g_autofree char *last = NULL;
    bool more = true;
    bool ok = true;
    work.filter.oldest_first = true;
    work.filter.limit = STORE_LIST_MAX;
    while (ok && more) {
        ok = db_run(session_db(session), scope, DB_READ, page_work, &work, error) &&
             write_rows(export, work.rows, error);
        more = ok && work.rows->len == STORE_LIST_MAX;
        g_free(last);
        last = more ? g_strdup(((AuditRow *)g_ptr_array_index(work.rows, work.rows->len - 1))->id)
                    : NULL;
        work.filter.after_id = last;
    }
    g_clear_pointer(&work.rows, g_ptr_array_unref);
    return ok;
}

static bool run(CommandCall *call, GError **error) {
    AuditFilter filter;
    Export export;
    if (!audit_filter(call->arguments, &filter, error))
        return false;
    g_autoptr(Session) session = audit_open(call->arguments, error);
    if (!session)
        return false;
    const DbScope *scope = audit_scope(call->arguments, session);
    bool ok = export_open(&export, arguments_word(call->arguments, 0), error) &&
              db_run(session_db(session), scope, DB_WRITE, note_work, NULL, error) &&
              write_here(&export, session, scope, filter, error);
    if (!export_close(&export, ok, error))
        return false;
    print_exported(call->output, &export);
    return true;
}

/* --- a server --------------------------------------------------------------------------------- */

/* The id of the entry on the last of so many lines; NULL: there were fewer, and it was the end. */
static char *cursor_behind(const char *part, size_t size, guint64 lines) {
    size_t line = 0;
    const char *last = part;
    for (const char *c = part; c < part + size; c++)
        if (*c == '\n' && ++line < lines)
            last = c + 1;
    if (line < lines)
        return NULL;
    g_autoptr(Json) entry = json_parse(last, (size_t)(part + size - last), size, NULL);
    return g_strdup(json_member_string(entry, "id", NULL));
}

/* Part by part, since a part is held in memory. */
static bool write_there(Export *export, Remote *remote, const Arguments *arguments,
                        const AuditFilter *filter, GError **error) {
    g_autofree char *path = g_strconcat(audit_path(arguments), "/export", NULL);
    g_autofree char *cursor = NULL;
    bool ok = true;
    do {
        g_auto(AuditQuery) query = {0};
        size_t size = 0;
        audit_query_init(&query, filter);
        audit_query_add(&query, "order", "oldest");
        audit_query_add(&query, "limit", PART_TEXT);
        audit_query_add(&query, "cursor", cursor);
        g_autofree char *part = remote_body(remote, path, query.fields, &size, error);
        ok = part && export_write(export, part, size, error);
        g_free(cursor);
        cursor = ok ? cursor_behind(part, size, PART) : NULL;
    } while (cursor);
    return ok;
}

static bool ask(CommandCall *call, Remote *remote, GError **error) {
    AuditFilter filter;
    Export export;
    if (!audit_filter(call->arguments, &filter, error))
        return false;
    bool ok = export_open(&export, arguments_word(call->arguments, 0), error) &&
              write_there(&export, remote, call->arguments, &filter, error);
    if (!export_close(&export, ok, error))
        return false;
    print_exported(call->output, &export);
    return true;
}

static const Option options[] = {AUDIT_OPTIONS, {0}};

const Command audit_export_command = {
    .name = "audit export",
    .summary = "write the audit log into a file, one JSON object a line",
    .usage = "FILE [--action ACTION] [--actor WHO] [--from TIME] [--installation]",
    .about = "Oldest first, into a new FILE that only you can read. The export stands in the log\n"
             "itself.",
    .examples = "assay audit export audit.ndjson --from 2026-01-01\n"
                "assay audit export logins.ndjson --installation --action session.",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
    .remote = ask,
};
