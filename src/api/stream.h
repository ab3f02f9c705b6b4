/* stream.h - a reply whose bytes come while it is sent: events, and documents read piece by piece.
 *
 * The producer writes, the server reads. When the server finds nothing to send it lets the
 * connection sleep and calls `hungry`; the next write wakes it. The producer never waits: whoever
 * must not run ahead of the client writes only when it is asked to by `hungry`, and stops when
 * stream_write() says that nobody listens any more.
 *
 * Life: stream_new() with one reference for the producer; stream_ref() for the reply. When the
 * connection ends, whichever way, the server abandons the stream and drops its reference. All
 * functions may be called from any thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define STREAM_WAITING_MAX (1024 * 1024) /* bytes that may wait to be sent */
#define STREAM_EVENTS_BLOCK (4 * 1024)   /* of a stream that is open for long, and quiet */

typedef struct Stream Stream;

/* There is nothing left to send. Called from a thread of the server: must not wait. */
typedef void (*StreamHungry)(Stream *stream, void *data);

typedef struct {
    StreamHungry hungry;   /* may be NULL */
    GDestroyNotify closed; /* of data, with the stream; may be NULL */
    void *data;
    size_t block; /* most bytes that are sent at once, kept while the stream is open; 0: 64 KiB */
} StreamSource;

Stream *stream_new(const StreamSource *source);
Stream *stream_ref(Stream *stream);
void stream_unref(Stream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Stream, stream_unref)

/* Appends bytes. False when nobody will read them: the connection is gone, the stream was ended,
 * or more waits than STREAM_WAITING_MAX (then the stream is broken off). */
bool stream_write(Stream *stream, const char *bytes, size_t size);

/* The last bytes: appends and ends in one, so that nobody is hungry in between. */
bool stream_write_last(Stream *stream, const char *bytes, size_t size);

/* No more bytes; broken: the client must see that the reply is not whole. */
void stream_end(Stream *stream, bool broken);

/* Only stream_write_last() ends it well: when something else ends it (a server that stops), it is
 * broken off. Before it is replied with. */
void stream_must_be_whole(Stream *stream);

/* Whether anybody will read what is written. */
bool stream_is_wanted(Stream *stream);
/* Bytes that have not been sent. */
size_t stream_waiting(Stream *stream);

/* --- the server's side ------------------------------------------------------------------------ */

#define STREAM_DONE (-1)
#define STREAM_BROKEN (-2)

/* How the connection is put to sleep and woken. Both are called under the stream's lock. */
typedef struct {
    void (*sleep)(void *connection);
    void (*wake)(void *connection);
    void *connection;
} StreamSleeper;

void stream_attach(Stream *stream, const StreamSleeper *sleeper);

size_t stream_block(const Stream *stream);

/* Copies what waits; 0 when the connection was put to sleep, else STREAM_DONE or STREAM_BROKEN. */
ssize_t stream_read(Stream *stream, char *out, size_t size);

/* The connection has ended. */
void stream_abandon(Stream *stream);
