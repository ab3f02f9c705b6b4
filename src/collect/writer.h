/* writer.h - writes one evidence document while its rows arrive.
 *
 * The document's bytes are {"details":[ rows ], then the summary's members in the definition's
 * order }. They are hashed as they pass, cut into chunks, compressed and submitted to the database;
 * memory does not grow with the document. writer_backlog() tells the reader of rows when to hold
 * back.
 *
 * Life: writer_new, writer_row ..., writer_end (once), then wait until writer_backlog() is 0: all
 * chunks are durable, and the document can be finished in the unit of work that stores the
 * evidence record (writer_document()). A writer that is freed before leaves an unfinished document
 * that is swept later.
 */
#pragma once

#include "base/digest.h"
#include "collect/unit.h"
#include "store/document.h"
#include "store/job.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Writer Writer;

/* The place's texts, job_id and the lease must outlive the writer. job_id may be NULL. So may the
 * lease; with one, nothing is written after it was lost (ERROR_CONFLICT): whoever has claimed the
 * job has swept what was unfinished, and nobody would sweep that. */
Writer *writer_new(const UnitPlace *place, const char *job_id, const JobLease *lease);

/* Waits for writes in flight by stepping the client. */
void writer_free(Writer *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Writer, writer_free)

/* Tells wake on the client's thread after each write. */
void writer_watch(Writer *writer, NetCall wake, void *data);

/* Appends one row: a JSON object printed by the caller. */
void writer_row(Writer *writer, const char *json, size_t size);

/* Ends the document with the summary's members, `"name":value,...` (size may be 0). */
void writer_end(Writer *writer, const char *members, size_t size);

/* Chunks that are not durable yet. */
unsigned writer_backlog(const Writer *writer);

/* The first failure, or NULL. */
const GError *writer_error(const Writer *writer);

uint64_t writer_rows(const Writer *writer);

/* After writer_end(): what document_finish() wants; texts borrowed from the writer. */
DocumentEnd writer_document(const Writer *writer);
