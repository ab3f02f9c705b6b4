#include "api/audit_export.h"

#include "api/piece_stream.h"
#include "base/error.h"
#include "present/audit_object.h"

/* Entries of a page: all of them together fit into what may wait to be sent. */
#define PAGE 100
G_STATIC_ASSERT((size_t)PAGE *(AUDIT_RECORD_MAX + 256) <= STREAM_WAITING_MAX);

typedef struct {
    Desk *desk;
    char *organization;
    AuditFilter filter; /* of the next page */
    char *texts[4];     /* that the filter borrows */
    char *last_id;      /* of the page before */
    int64_t left;       /* entries that may still be sent */
} Source;

static void free_source(void *data) {
    Source *source = data;
    for (size_t i = 0; i < G_N_ELEMENTS(source->texts); i++)
        g_free(source->texts[i]);
    g_free(source->organization);
    g_free(source->last_id);
    g_free(source);
}

/* --- one page --------------------------------------------------------------------------------- */

typedef struct {
    const Source *source;
    GPtrArray *rows;
} PageWork;

static bool page_work(DbUnit *unit, void *data, GError **error) {
    PageWork *work = data;
    g_clear_pointer(&work->rows, g_ptr_array_unref);
    return audit_list(unit, &work->source->filter, &work->rows, error);
}

static bool append_line(GString *text, const AuditRow *row, GError **error) {
    g_autoptr(Json) object = audit_object(row);
    g_autofree char *line = object ? json_print(object, JSON_COMPACT) : NULL;
    if (line)
        g_string_append_printf(text, "%s\n", line);
    else
        g_set_error(error, ASSAY_ERROR, ERROR_DATABASE, "the entry %s of the audit log is damaged",
                    row->id);
    return line != NULL;
}

static GString *lines_of(const GPtrArray *rows, GError **error) {
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < rows->len; i++)
        if (!append_line(text, g_ptr_array_index(rows, i), error))
            return NULL;
    return g_steal_pointer(&text);
}

/* Goes on behind these; false when they were the last. */
static bool move_on(Source *source, const GPtrArray *rows) {
    bool full = (int64_t)rows->len == source->filter.limit;
    source->left -= rows->len;
    if (!full || source->left <= 0)
        return false;
    const AuditRow *last = g_ptr_array_index(rows, rows->len - 1);
    g_free(source->last_id);
    source->last_id = g_strdup(last->id);
    source->filter.before_id = source->filter.after_id = source->last_id;
    source->filter.limit = MIN(source->left, PAGE);
    return true;
}

static bool send_next(Stream *stream, void *data, GError **error) {
    Source *source = data;
    PageWork work = {.source = source};
    DbScope scope = {.organization = source->organization, .actor = "api"};
    bool ok = db_run(source->desk->config.db, &scope, DB_READ, page_work, &work, error);
    g_autoptr(GPtrArray) rows = work.rows;
    g_autoptr(GString) text = ok ? lines_of(rows, error) : NULL;
    if (!text)
        return false;
    /* The next turn may come as soon as something was written. */
    if (move_on(source, rows))
        (void)stream_write(stream, text->str, text->len);
    else
        (void)stream_write_last(stream, text->str, text->len);
    return true;
}

/* --- the stream ------------------------------------------------------------------------------- */

static void copy_filter(Source *source, const AuditFilter *filter) {
    AuditFilter *own = &source->filter;
    *own = *filter;
    own->action = source->texts[0] = g_strdup(filter->action);
    own->actor_id = source->texts[1] = g_strdup(filter->actor_id);
    own->target_id = source->texts[2] = g_strdup(filter->target_id);
    own->result = source->texts[3] = g_strdup(filter->result);
    source->last_id = g_strdup(filter->oldest_first ? filter->after_id : filter->before_id);
    own->before_id = own->after_id = source->last_id;
    source->left = filter->limit > 0 ? filter->limit : INT64_MAX;
    own->limit = MIN(source->left, PAGE);
}

Stream *audit_export(const AuditExport *wish) {
    Source *source = g_new0(Source, 1);
    source->desk = wish->desk;
    source->organization = g_strdup(wish->scope->organization);
    copy_filter(source, wish->filter);
    PieceSource pieces = {.pool = source->desk->pool,
                          .make = send_next,
                          .data = source,
                          .free_data = free_source,
                          .failed = "audit_not_exported",
                          .of_what = LOG_TEXT("organization", source->organization)};
    Stream *stream = piece_stream_new(&pieces);
    stream_must_be_whole(stream);
    return stream;
}
