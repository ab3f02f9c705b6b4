#include "store/document.h"

#include "base/clock.h"

static const RecordColumn columns[] = {
    RECORD_COLUMN(Document, id, RECORD_TEXT, 0),
    RECORD_COLUMN(Document, job_id, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(Document, sha256, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(Document, size, RECORD_INT, 0),
    RECORD_COLUMN(Document, created_at, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(Document, "document", columns);

static const RecordColumn chunk_columns[] = {
    RECORD_COLUMN(DocumentChunk, seq, RECORD_INT, 0),
    RECORD_COLUMN(DocumentChunk, raw_size, RECORD_INT, 0),
    RECORD_COLUMN(DocumentChunk, bytes, RECORD_BYTES, DOCUMENT_CHUNK_STORED),
};
static const RecordShape chunk_shape = RECORD_SHAPE(DocumentChunk, "document chunk", chunk_columns);

void document_free(Document *document) {
    g_free(document);
}

void document_chunk_free(DocumentChunk *chunk) {
    g_free(chunk);
}

bool document_begin(DbUnit *unit, const char *id, const char *job_id, GError **error) {
    Document row = {.id = id, .job_id = job_id};
    if (!record_check(&shape, &row, error)) {
        return false;
    }
    DbStatement *statement = db_prepare(unit, "document_begin");
    db_bind_text(statement, "id", id);
    db_bind_text(statement, "job_id", job_id);
    db_bind_int(statement, "now", clock_now_ms());
    return record_change(unit, statement, ERROR_CONFLICT,
                         "There is a document with this id; make a new id.", error);
}

static bool check_chunk(const DocumentChunk *chunk, GError **error) {
    if (chunk->raw_size < 0 || chunk->raw_size > DOCUMENT_CHUNK_RAW) {
        g_set_error(error, ASSAY_ERROR, ERROR_LIMIT,
                    "A document chunk may hold at most %d bytes of data.", DOCUMENT_CHUNK_RAW);
        return false;
    }
    return record_check(&chunk_shape, chunk, error);
}

/* The number of chunks of a document that is being written; -1 when it is not. */
static bool count_written(DbUnit *unit, const char *id, int64_t *count_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "document_writing");
    db_bind_text(statement, "id", id);
    return record_number(statement, -1, count_out, error);
}

static void set_not_writing(GError **error) {
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFLICT,
                        "The document is not being written; begin a new one.");
}

bool document_append_chunk(DbUnit *unit, const char *id, const DocumentChunk *chunk,
                           GError **error) {
    int64_t written = 0;
    if (!check_chunk(chunk, error) || !count_written(unit, id, &written, error)) {
        return false;
    }
    if (written < 0) {
        set_not_writing(error);
        return false;
    }
    if (written != chunk->seq) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFLICT,
                            "A document chunk is out of order; begin the document again.");
        return false;
    }
    DbStatement *statement = db_prepare(unit, "document_append_chunk");
    db_bind_text(statement, "id", id);
    record_bind(statement, &chunk_shape, chunk);
    return db_exec(statement, error);
}

/* Removes an unfinished document with what was written of it. */
static bool drop(DbUnit *unit, const char *id, GError **error) {
    DbStatement *chunks = db_prepare(unit, "document_drop_chunks");
    db_bind_text(chunks, "id", id);
    if (!db_exec(chunks, error)) {
        return false;
    }
    DbStatement *document = db_prepare(unit, "document_drop");
    db_bind_text(document, "id", id);
    return db_exec(document, error);
}

/* Whether the document is being written and its chunks add up to the size. */
static bool check_end(DbUnit *unit, const DocumentEnd *end, GError **error) {
    int64_t written = 0;
    if (!count_written(unit, end->id, &written, error)) {
        return false;
    }
    if (written < 0) {
        set_not_writing(error);
        return false;
    }
    DbStatement *statement = db_prepare(unit, "document_raw_size");
    db_bind_text(statement, "id", end->id);
    int64_t size = 0;
    if (!record_number(statement, 0, &size, error)) {
        return false;
    }
    if (size != end->size) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_INTERNAL,
                            "The chunks of a document do not add up to its size.");
        return false;
    }
    return true;
}

static bool find_equal(DbUnit *unit, const char *sha256, Document **document_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "document_equal");
    db_bind_text(statement, "sha256", sha256);
    return record_one(statement, &shape, document_out, error);
}

bool document_finish(DbUnit *unit, const DocumentEnd *end, char **id_out, GError **error) {
    g_autoptr(Document) equal = NULL;
    Document row = {.id = end->id, .sha256 = end->sha256};
    if (!record_check(&shape, &row, error) || !check_end(unit, end, error) ||
        !find_equal(unit, end->sha256, &equal, error)) {
        return false;
    }
    if (equal) {
        if (!drop(unit, end->id, error)) {
            return false;
        }
        *id_out = g_strdup(equal->id);
        return true;
    }
    DbStatement *statement = db_prepare(unit, "document_finish");
    db_bind_text(statement, "id", end->id);
    db_bind_text(statement, "sha256", end->sha256);
    db_bind_int(statement, "size", end->size);
    if (!db_exec(statement, error)) {
        return false;
    }
    *id_out = g_strdup(end->id);
    return true;
}

bool document_get(DbUnit *unit, const char *id, Document **document_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "document_get");
    db_bind_text(statement, "id", id);
    return record_must(statement, &shape, document_out, error);
}

bool document_read_chunk(DbUnit *unit, const char *id, int64_t seq, DocumentChunk **chunk_out,
                         GError **error) {
    DbStatement *statement = db_prepare(unit, "document_read_chunk");
    db_bind_text(statement, "id", id);
    db_bind_int(statement, "seq", seq);
    return record_one(statement, &chunk_shape, chunk_out, error);
}

static bool sweep_with(DbUnit *unit, const char *statement_name, const char *job_id,
                       GError **error) {
    DbStatement *statement = db_prepare(unit, statement_name);
    db_bind_text(statement, "job_id", job_id);
    return db_exec(statement, error);
}

bool document_sweep(DbUnit *unit, const char *job_id, int64_t *removed_out, GError **error) {
    if (!sweep_with(unit, "document_sweep_chunks", job_id, error) ||
        !sweep_with(unit, "document_sweep", job_id, error)) {
        return false;
    }
    if (removed_out) {
        *removed_out = db_changes(unit);
    }
    return true;
}

/* --- what was left ---------------------------------------------------------------------------- */

/* Document*, at most limit. */
static bool list_left(DbUnit *unit, int64_t before_ms, int64_t limit, GPtrArray **left_out,
                      GError **error) {
    DbStatement *statement = db_prepare(unit, "document_left");
    db_bind_int(statement, "before", before_ms);
    db_bind_int(statement, "limit", limit);
    return record_all(statement, &shape, left_out, error);
}

bool document_left_due(DbUnit *unit, int64_t before_ms, bool *due_out, GError **error) {
    g_autoptr(GPtrArray) left = NULL;
    if (!list_left(unit, before_ms, 1, &left, error)) {
        return false;
    }
    *due_out = left->len > 0;
    return true;
}

bool document_left_prune(DbUnit *unit, int64_t before_ms, int64_t limit, int64_t *removed_out,
                         GError **error) {
    g_autoptr(GPtrArray) left = NULL;
    if (!list_left(unit, before_ms, limit, &left, error)) {
        return false;
    }
    for (guint i = 0; i < left->len; i++) {
        const Document *document = g_ptr_array_index(left, i);
        if (!drop(unit, document->id, error)) {
            return false;
        }
    }
    *removed_out = left->len;
    return true;
}
