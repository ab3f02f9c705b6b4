/* row_stream.h - cuts the rows out of an evidence document while its bytes arrive.
 *
 * A document is {"details":[row,row,...], then further members}. Bytes are fed in pieces of any
 * size; each row is handed on as soon as it is whole, straight from the piece when it lies in one,
 * else from a buffer that holds one row. What stands behind the rows is ignored.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Longest row. */
#define ROW_STREAM_MAX (32 * 1024 * 1024)

typedef struct RowStream RowStream;

/* Called with the bytes of one row (a JSON object), valid for the call. False stops the stream with
 * the error that it set. */
typedef bool (*RowStreamFunc)(const char *bytes, size_t size, void *data, GError **error);

RowStream *row_stream_new(RowStreamFunc row, void *data);
void row_stream_free(RowStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RowStream, row_stream_free)

/* ERROR_DATABASE when the bytes are no such document, ERROR_LIMIT when a row is too long. */
bool row_stream_feed(RowStream *stream, const char *bytes, size_t size,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* After the last piece: ERROR_DATABASE when the list of rows was not closed. */
bool row_stream_end(const RowStream *stream, GError **error) G_GNUC_WARN_UNUSED_RESULT;
