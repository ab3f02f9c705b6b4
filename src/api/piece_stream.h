/* piece_stream.h - a reply that is made a piece at a time, as fast as its client reads.
 *
 * Each time the connection has nothing left to send, one task of the pool makes the next piece. So
 * memory holds about one piece of a reply, however long it is and however slow its client; and
 * because each piece is a task at the end of the queue, long replies and requests of all
 * organizations take turns on the pool's threads.
 *
 * Life: piece_stream_new() takes the data; they are freed with the stream, so not while a piece is
 * being made. There is one piece under way at a time. A piece that cannot be made is logged and
 * breaks the reply off: nobody takes a part for the whole.
 */
#pragma once

#include "api/pool.h"
#include "api/stream.h"
#include "base/log.h"

/* Makes the next piece: ends with one stream_write(), or with stream_write_last(). After that the
 * data are not touched any more, for the next turn may have come already. On a thread of the pool.
 */
typedef bool (*PieceMake)(Stream *stream, void *data, GError **error);

typedef struct {
    Pool *pool;
    PieceMake make;
    void *data;
    GDestroyNotify free_data;
    const char *failed; /* the event that is logged when a piece cannot be made */
    LogField of_what;   /* in its line; lives in the data */
} PieceSource;

/* The caller owns one reference. */
Stream *piece_stream_new(const PieceSource *source);
