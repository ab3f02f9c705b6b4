/* document_reader.h - the bytes of a finished document, in order.
 *
 * Each chunk is read in a short unit of work of its own, so that a long document is never a long
 * read, and unpacked before it is handed on; memory holds one chunk.
 */
#pragma once

#include "db/db.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Takes the next bytes. Returning false stops the reading with the error that it has set. */
typedef bool (*DocumentTake)(const char *bytes, size_t size, void *data, GError **error);

/* Reads a document to its end; not from a database thread. ERROR_DATABASE when it is damaged. */
bool document_each(Db *db, const DbScope *scope, const char *document_id, DocumentTake take,
                   void *data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
