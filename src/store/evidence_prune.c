#include "store/evidence_prune.h"

/* The least UUIDv7 of a time (RFC 9562, section 5.7): ids of evidence grow with the time, so the
 * old stand at the beginning of their key. */
static char *least_id(int64_t time_ms) {
    return g_strdup_printf("%08x-%04x-7000-8000-000000000000", (unsigned)(time_ms >> 16),
                           (unsigned)(time_ms & 0xffff));
}

static bool list(DbUnit *unit, int64_t before_ms, int64_t limit, GPtrArray *ids, GError **error) {
    g_autofree char *bound = least_id(before_ms);
    DbStatement *statement = db_prepare(unit, "evidence_prune_documents");
    bool more = false;
    db_bind_text(statement, "bound", bound);
    db_bind_int(statement, "before_ms", before_ms);
    db_bind_int(statement, "limit", limit);
    do {
        if (!db_step(statement, &more, error))
            return false;
        if (more)
            g_ptr_array_add(ids, db_column_dup(statement, 0));
    } while (more);
    return true;
}

bool evidence_prune_due(DbUnit *unit, int64_t before_ms, bool *due_out, GError **error) {
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    bool ok = before_ms <= 0 || list(unit, before_ms, 1, ids, error);
    *due_out = ids->len > 0;
    return ok;
}

static bool run_for(DbUnit *unit, const char *name, const char *document_id, GError **error) {
    DbStatement *statement = db_prepare(unit, name);
    db_bind_text(statement, "document_id", document_id);
    return db_exec(statement, error);
}

static bool forget(DbUnit *unit, const char *document_id, int64_t before_ms, GError **error) {
    DbStatement *statement = db_prepare(unit, "evidence_prune_forget");
    db_bind_text(statement, "document_id", document_id);
    db_bind_int(statement, "before_ms", before_ms);
    return db_exec(statement, error);
}

bool evidence_prune(DbUnit *unit, int64_t before_ms, int64_t limit, int64_t *removed_out,
                    GError **error) {
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    *removed_out = 0;
    if (before_ms <= 0)
        return true;
    if (!list(unit, before_ms, limit, ids, error))
        return false;
    for (guint i = 0; i < ids->len; i++) {
        const char *id = g_ptr_array_index(ids, i);
        if (!forget(unit, id, before_ms, error) ||
            !run_for(unit, "evidence_prune_chunks", id, error) ||
            !run_for(unit, "evidence_prune_document", id, error))
            return false;
    }
    *removed_out = ids->len;
    return true;
}
