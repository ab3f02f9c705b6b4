/* writer.h - writes one evidence document while its rows arrive.
 *
 * The document's bytes are {"details":[ rows ], then the summary members in the definition's order
 * }. They are hashed as they pass, cut into chunks of at most 256 KiB, compressed and submitted to
 * the database; memory does not grow with the document. writer_backlog() tells the reader of rows
 * when to hold back.
 *
 * Life: writer_new, writer_row ..., writer_end (once), then wait until writer_backlog() is 0; the
 * result is a finished document: writer_document_id() and writer_sha256(). A writer that is freed
 * before leaves an unfinished document that is swept later.
 */
#pragma once

#include "base/digest.h"
#include "db/db.h"
#include "net/client.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Writer Writer;

typedef struct {
    NetClient *client; /* borrowed: the loop that completions are posted to */
    Db *db;            /* borrowed */
    DbScope scope;
} WriterConfig;

Writer *writer_new(const WriterConfig *config);
void writer_free(Writer *writer); /* may be called with writes in flight */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Writer, writer_free)

/* Appends one row, printed by the caller as JSON with sorted keys. */
void writer_row(Writer *writer, const char *json, size_t size);

/* Ends the document with the summary's members, printed as `"name":value,...` (may be empty). */
void writer_end(Writer *writer, const char *members, size_t size);

/* Chunks not yet durable. */
unsigned writer_backlog(const Writer *writer);

/* The first failure, or NULL. */
const GError *writer_error(const Writer *writer);

uint64_t writer_rows(const Writer *writer);
uint64_t writer_size(const Writer *writer); /* bytes of the document so far */

/* After writer_end(): the document's hash; and its surrogate id (borrowed). */
const char *writer_sha256(const Writer *writer);
const char *writer_document_id(const Writer *writer);
