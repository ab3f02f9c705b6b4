#include "api/reply.h"

#include <string.h>

static void drop_body(Reply *reply) {
    g_clear_pointer(&reply->body, g_free);
    reply->body_size = 0;
    if (reply->stream) {
        stream_end(reply->stream, true);
        g_clear_pointer(&reply->stream, stream_unref);
    }
}

void reply_clear(Reply *reply) {
    drop_body(reply);
    for (size_t i = 0; i < reply->header_count; i++)
        g_free(reply->headers[i].value);
    *reply = (Reply){0};
}

static bool is_sendable(const char *value) {
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return false;
    return true;
}

/* The index of a header, or header_count. */
static size_t find(const Reply *reply, const char *name) {
    size_t i = 0;
    while (i < reply->header_count && g_ascii_strcasecmp(reply->headers[i].name, name) != 0)
        i++;
    return i;
}

void reply_set_header(Reply *reply, const char *name, const char *value) {
    if (!is_sendable(value))
        return;
    size_t index = find(reply, name);
    g_assert(index < REPLY_HEADERS_MAX);
    if (index == reply->header_count)
        reply->header_count++;
    g_free(reply->headers[index].value);
    reply->headers[index] = (ReplyHeader){.name = name, .value = g_strdup(value)};
}

const char *reply_header(const Reply *reply, const char *name) {
    size_t index = find(reply, name);
    return index < reply->header_count ? reply->headers[index].value : NULL;
}

void reply_set_json(Reply *reply, unsigned status, const Json *json) {
    drop_body(reply);
    reply->status = status;
    reply->body = json_print(json, JSON_COMPACT);
    reply->body_size = strlen(reply->body);
    reply_set_header(reply, "Content-Type", "application/json");
}

void reply_set_bytes(Reply *reply, unsigned status, const char *type, const char *bytes,
                     size_t size) {
    drop_body(reply);
    reply->status = status;
    reply->body = g_malloc(size + 1);
    memcpy(reply->body, bytes, size);
    reply->body[size] = '\0';
    reply->body_size = size;
    reply_set_header(reply, "Content-Type", type);
}

void reply_set_text(Reply *reply, unsigned status, const char *type, const char *text) {
    reply_set_bytes(reply, status, type, text, strlen(text));
}

void reply_take_stream(Reply *reply, unsigned status, const char *type, Stream *stream) {
    drop_body(reply);
    reply->status = status;
    reply->stream = stream;
    reply_set_header(reply, "Content-Type", type);
}

void reply_set_empty(Reply *reply, unsigned status) {
    drop_body(reply);
    reply->status = status;
}
