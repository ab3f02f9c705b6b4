#include "api/stream.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define BLOCK (64 * 1024)
#define KEPT_MAX (16 * 1024) /* bytes of memory that an empty stream keeps */

struct Stream {
    atomic_int references;
    pthread_mutex_t lock;
    StreamSource source;
    StreamSleeper sleeper;
    GString *waiting;
    size_t sent; /* of waiting */
    bool asleep;
    bool ended;
    bool broken;
    bool abandoned;
    bool must_be_whole;
};

Stream *stream_new(const StreamSource *source) {
    Stream *stream = g_new0(Stream, 1);
    atomic_init(&stream->references, 1);
    pthread_mutex_init(&stream->lock, NULL);
    stream->source = *source;
    stream->waiting = g_string_new(NULL);
    return stream;
}

Stream *stream_ref(Stream *stream) {
    atomic_fetch_add(&stream->references, 1);
    return stream;
}

void stream_unref(Stream *stream) {
    if (!stream || atomic_fetch_sub(&stream->references, 1) > 1)
        return;
    if (stream->source.closed)
        stream->source.closed(stream->source.data);
    g_string_free(stream->waiting, TRUE);
    pthread_mutex_destroy(&stream->lock);
    g_free(stream);
}

/* Under the lock. */
static void wake(Stream *stream) {
    if (!stream->asleep)
        return;
    stream->asleep = false;
    stream->sleeper.wake(stream->sleeper.connection);
}

static bool append(Stream *stream, const char *bytes, size_t size, bool last) {
    pthread_mutex_lock(&stream->lock);
    bool wanted = !stream->abandoned && !stream->ended;
    bool fits = stream->waiting->len - stream->sent + size <= STREAM_WAITING_MAX;
    if (wanted && fits)
        g_string_append_len(stream->waiting, bytes, (gssize)size);
    if (wanted && !fits)
        stream->ended = stream->broken = true;
    if (wanted && last)
        stream->ended = true;
    if (wanted)
        wake(stream);
    pthread_mutex_unlock(&stream->lock);
    return wanted && fits;
}

bool stream_write(Stream *stream, const char *bytes, size_t size) {
    return append(stream, bytes, size, false);
}

bool stream_write_last(Stream *stream, const char *bytes, size_t size) {
    return append(stream, bytes, size, true);
}

void stream_end(Stream *stream, bool broken) {
    pthread_mutex_lock(&stream->lock);
    if (!stream->ended && !stream->abandoned) {
        stream->ended = true;
        stream->broken = broken || stream->must_be_whole;
        wake(stream);
    }
    pthread_mutex_unlock(&stream->lock);
}

void stream_must_be_whole(Stream *stream) {
    stream->must_be_whole = true;
}

bool stream_is_wanted(Stream *stream) {
    pthread_mutex_lock(&stream->lock);
    bool wanted = !stream->abandoned && !stream->ended;
    pthread_mutex_unlock(&stream->lock);
    return wanted;
}

size_t stream_waiting(Stream *stream) {
    pthread_mutex_lock(&stream->lock);
    size_t waiting = stream->waiting->len - stream->sent;
    pthread_mutex_unlock(&stream->lock);
    return waiting;
}

size_t stream_block(const Stream *stream) {
    return stream->source.block ? stream->source.block : BLOCK;
}

void stream_attach(Stream *stream, const StreamSleeper *sleeper) {
    stream->sleeper = *sleeper;
}

/* Under the lock. */
static void empty(Stream *stream) {
    stream->sent = 0;
    if (stream->waiting->allocated_len <= KEPT_MAX) {
        g_string_truncate(stream->waiting, 0);
        return;
    }
    g_string_free(stream->waiting, TRUE);
    stream->waiting = g_string_new(NULL);
}

/* Under the lock. */
static ssize_t take(Stream *stream, char *out, size_t size) {
    size_t length = MIN(size, stream->waiting->len - stream->sent);
    memcpy(out, stream->waiting->str + stream->sent, length);
    stream->sent += length;
    if (stream->sent == stream->waiting->len) {
        empty(stream);
    }
    return (ssize_t)length;
}

ssize_t stream_read(Stream *stream, char *out, size_t size) {
    pthread_mutex_lock(&stream->lock);
    bool hungry = false;
    ssize_t result = 0;
    if (stream->waiting->len > stream->sent) {
        result = take(stream, out, size);
    } else if (stream->ended) {
        result = stream->broken ? STREAM_BROKEN : STREAM_DONE;
    } else {
        stream->asleep = true;
        hungry = true;
        stream->sleeper.sleep(stream->sleeper.connection);
    }
    /* The connection may be woken, and end, as soon as the lock is let go. */
    g_autoptr(Stream) held = hungry ? stream_ref(stream) : NULL;
    pthread_mutex_unlock(&stream->lock);
    if (hungry && stream->source.hungry)
        stream->source.hungry(stream, stream->source.data);
    return result;
}

void stream_abandon(Stream *stream) {
    pthread_mutex_lock(&stream->lock);
    stream->abandoned = true;
    stream->asleep = false;
    pthread_mutex_unlock(&stream->lock);
}
