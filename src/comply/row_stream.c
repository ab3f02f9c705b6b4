#include "comply/row_stream.h"

#include "base/error.h"

#include <stdint.h>
#include <string.h>

static const char opening[] = "{\"details\":[";

typedef enum {
    STATE_OPENING, /* within the opening */
    STATE_FIRST,   /* behind it: a row or the end */
    STATE_BEHIND,  /* behind a row: a comma or the end */
    STATE_NEXT,    /* behind a comma: a row */
    STATE_ROW,
    STATE_DONE
} State;

struct RowStream {
    RowStreamFunc row;
    void *data;
    State state;
    size_t opened; /* bytes of the opening that were seen */
    unsigned depth;
    bool quoted;
    bool escaped;
    GString *held; /* the beginning of a row that began in an earlier piece */
};

RowStream *row_stream_new(RowStreamFunc row, void *data) {
    RowStream *stream = g_new0(RowStream, 1);
    stream->row = row;
    stream->data = data;
    stream->held = g_string_new(NULL);
    return stream;
}

void row_stream_free(RowStream *stream) {
    if (stream == NULL)
        return;
    g_string_free(stream->held, TRUE);
    g_free(stream);
}

static bool damaged(GError **error) {
    g_set_error_literal(error, ASSAY_ERROR, ERROR_DATABASE,
                        "The evidence document is damaged: its rows cannot be read.");
    return false;
}

static bool hold(RowStream *stream, const char *bytes, size_t size, GError **error) {
    if (size > ROW_STREAM_MAX - stream->held->len) {
        g_set_error(error, ASSAY_ERROR, ERROR_LIMIT, "A row of the evidence is longer than %d MiB.",
                    ROW_STREAM_MAX / (1024 * 1024));
        return false;
    }
    g_string_append_len(stream->held, bytes, (gssize)size);
    return true;
}

static bool give(RowStream *stream, const char *bytes, size_t size, GError **error) {
    if (stream->held->len == 0 && size <= ROW_STREAM_MAX)
        return stream->row(bytes, size, stream->data, error);
    bool ok = hold(stream, bytes, size, error) &&
              stream->row(stream->held->str, stream->held->len, stream->data, error);
    g_string_truncate(stream->held, 0);
    return ok;
}

/* The end of a string that is open at the beginning of the bytes; size when it is not there. */
static size_t skip_text(RowStream *stream, const char *bytes, size_t size) {
    size_t at = 0;
    while (at < size) {
        if (stream->escaped)
            stream->escaped = false;
        else if (bytes[at] == '\\')
            stream->escaped = true;
        else if (bytes[at] == '"')
            break;
        at++;
    }
    return at;
}

/* Goes on within a row: the number of its bytes here. The row has ended when the depth is 0. */
static size_t skip_row(RowStream *stream, const char *bytes, size_t size) {
    size_t at = 0;
    while (at < size) {
        if (stream->quoted) {
            at += skip_text(stream, bytes + at, size - at);
            stream->quoted = at >= size;
            at += at < size;
            continue;
        }
        char byte = bytes[at++];
        stream->quoted = byte == '"';
        if (byte == '{' || byte == '[')
            stream->depth++;
        else if ((byte == '}' || byte == ']') && --stream->depth == 0)
            break;
    }
    return at;
}

static bool take_row(RowStream *stream, const char *bytes, size_t size, size_t *taken_out,
                     GError **error) {
    size_t length = skip_row(stream, bytes, size);
    *taken_out = length;
    if (stream->depth > 0)
        return hold(stream, bytes, length, error);
    stream->state = STATE_BEHIND;
    return give(stream, bytes, length, error);
}

/* One byte between rows. */
static bool take_mark(RowStream *stream, char byte, size_t *taken_out, GError **error) {
    State state = stream->state;
    *taken_out = 1;
    if (state == STATE_OPENING && byte == opening[stream->opened]) {
        stream->opened++;
        stream->state = stream->opened == strlen(opening) ? STATE_FIRST : STATE_OPENING;
    } else if (byte == '{' && (state == STATE_FIRST || state == STATE_NEXT)) {
        *taken_out = 0;
        stream->state = STATE_ROW;
    } else if (byte == ',' && state == STATE_BEHIND) {
        stream->state = STATE_NEXT;
    } else if (byte == ']' && (state == STATE_FIRST || state == STATE_BEHIND)) {
        stream->state = STATE_DONE;
    } else {
        return damaged(error);
    }
    return true;
}

bool row_stream_feed(RowStream *stream, const char *bytes, size_t size, GError **error) {
    size_t at = 0;
    while (at < size && stream->state != STATE_DONE) {
        size_t taken = 0;
        bool ok = stream->state == STATE_ROW
                      ? take_row(stream, bytes + at, size - at, &taken, error)
                      : take_mark(stream, bytes[at], &taken, error);
        if (!ok)
            return false;
        at += taken;
    }
    return true;
}

bool row_stream_end(const RowStream *stream, GError **error) {
    return stream->state == STATE_DONE || damaged(error);
}
