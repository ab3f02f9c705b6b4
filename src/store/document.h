/* document.h - the bytes of evidence data, in chunks.
 *
 * Life: document_begin; document_append_chunk for seq 0, 1, 2 ...; document_finish with the hash
 * and size of the raw bytes. Equal documents of an organization are stored once: finishing returns
 * the id of the earlier one and removes the new one. A document that was begun and not finished has
 * no hash, is referred to by nobody, and is removed by document_sweep when its job is claimed
 * again, or by document_left_prune when nobody will do that.
 *
 * The hash is over the exact raw bytes; chunks hold a compressed form of at most
 * DOCUMENT_CHUNK_RAW bytes each (one large value would cost the database its size in memory).
 */
#pragma once

#include "store/record.h"

/* Most raw bytes in one chunk, and most bytes of its stored form. */
#define DOCUMENT_CHUNK_RAW (256 * 1024)
#define DOCUMENT_CHUNK_STORED (DOCUMENT_CHUNK_RAW + 4096)

typedef struct {
    const char *id;
    const char *job_id; /* the job that writes it, or NULL */
    const char *sha256; /* NULL while it is written */
    int64_t size;       /* raw bytes; 0 while it is written */
    int64_t created_at;
} Document;

typedef struct {
    int64_t seq; /* from 0 without gaps */
    int64_t raw_size;
    RecordBytes bytes;
} DocumentChunk;

void document_free(Document *document); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Document, document_free)
void document_chunk_free(DocumentChunk *chunk); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DocumentChunk, document_chunk_free)

/* Begins a document under the caller's id (id_new()). job_id may be NULL. ERROR_CONFLICT when the
 * id is taken. */
bool document_begin(DbUnit *unit, const char *id, const char *job_id,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Appends a chunk. ERROR_CONFLICT when seq is not the next one or the document is not being
 * written; ERROR_LIMIT when the chunk is too large. */
bool document_append_chunk(DbUnit *unit, const char *id, const DocumentChunk *chunk,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
    const char *id;
    const char *sha256; /* 64 hexadecimal digits, over the raw bytes */
    int64_t size;       /* raw bytes; must be the sum of the chunks (ERROR_INTERNAL) */
} DocumentEnd;

/* Finishes a document; *id_out (caller frees) is its id, or that of an equal earlier one.
 * ERROR_CONFLICT when it is not being written, or when an equal one was finished by another unit
 * at this very moment: finish again. */
bool document_finish(DbUnit *unit, const DocumentEnd *end, char **id_out,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A finished document. ERROR_NOT_FOUND. */
bool document_get(DbUnit *unit, const char *id, Document **document_out,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One chunk of a finished document; *chunk_out is NULL behind the last. */
bool document_read_chunk(DbUnit *unit, const char *id, int64_t seq, DocumentChunk **chunk_out,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes the unfinished documents of a job: a worker that has just claimed it sweeps what the
 * worker before it left. *removed_out, which may be NULL, is their number. */
bool document_sweep(DbUnit *unit, const char *job_id, int64_t *removed_out,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What nobody will finish or sweep: unfinished documents of jobs that have ended or are gone, and
 * those without a job that were begun before before_ms. A job that waits or runs is left alone,
 * since its worker may be writing. Whether there are any is a look that writes nothing. */
bool document_left_due(DbUnit *unit, int64_t before_ms, bool *due_out,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes them, at most `limit` in this unit. *removed_out says how many; when it is the limit
 * there may be more. */
bool document_left_prune(DbUnit *unit, int64_t before_ms, int64_t limit, int64_t *removed_out,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
