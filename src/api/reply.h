/* reply.h - what is sent back: status, headers, and a body that is whole or a stream.
 *
 * A plain value in the caller's storage; reply_clear() releases what it owns.
 */
#pragma once

#include "api/stream.h"
#include "base/json.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define REPLY_HEADERS_MAX 24

typedef struct {
    const char *name; /* static */
    char *value;
} ReplyHeader;

typedef struct {
    unsigned status;
    ReplyHeader headers[REPLY_HEADERS_MAX];
    size_t header_count;
    char *body; /* NULL: none */
    size_t body_size;
    Stream *stream; /* instead of body */
} Reply;

void reply_clear(Reply *reply);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reply, reply_clear)

/* Replaces a header of the same name; the name is static text, the value is copied. Values with
 * control characters are left out. */
void reply_set_header(Reply *reply, const char *name, const char *value);
/* NULL when there is none. Borrowed. */
const char *reply_header(const Reply *reply, const char *name);

/* Sets status, body and its type; what was there before is dropped. */
void reply_set_json(Reply *reply, unsigned status, const Json *json);
void reply_set_text(Reply *reply, unsigned status, const char *type, const char *text);
void reply_set_bytes(Reply *reply, unsigned status, const char *type, const char *bytes,
                     size_t size);
/* Takes the stream's reference. */
void reply_take_stream(Reply *reply, unsigned status, const char *type, Stream *stream);
/* No body at all. */
void reply_set_empty(Reply *reply, unsigned status);
