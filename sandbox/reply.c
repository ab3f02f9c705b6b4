#include "sandbox/reply.h"

#include <string.h>

void reply_init(Reply *reply) {
    memset(reply, 0, sizeof(*reply));
    reply->status = 200;
    reply->body = g_string_sized_new(2048);
    reply->text = g_string_sized_new(1536);
}

void reply_clear(Reply *reply) {
    if (reply->body != NULL) {
        g_string_free(reply->body, TRUE);
    }
    g_string_free(reply->text, TRUE);
}

static size_t keep(Reply *reply, const char *text) {
    size_t start = reply->text->len;
    g_string_append_len(reply->text, text, (gssize)strlen(text) + 1);
    return start;
}

void reply_add(Reply *reply, const char *name, const char *value) {
    if (reply->header_count < REPLY_HEADERS) {
        size_t at = reply->header_count++;
        reply->headers[at].name = keep(reply, name);
        reply->headers[at].value = keep(reply, value);
    }
}

void reply_set(Reply *reply, const char *name, const char *value) {
    size_t kept = 0;
    for (size_t i = 0; i < reply->header_count; i++) {
        if (g_ascii_strcasecmp(reply_header_name(reply, i), name) != 0) {
            reply->headers[kept++] = reply->headers[i];
        }
    }
    reply->header_count = kept;
    if (value != NULL) {
        reply_add(reply, name, value);
    }
}

const char *reply_header_name(const Reply *reply, size_t index) {
    return reply->text->str + reply->headers[index].name;
}

const char *reply_header_value(const Reply *reply, size_t index) {
    return reply->text->str + reply->headers[index].value;
}

const char *reply_find(const Reply *reply, const char *name) {
    for (size_t i = 0; i < reply->header_count; i++) {
        if (g_ascii_strcasecmp(reply_header_name(reply, i), name) == 0) {
            return reply_header_value(reply, i);
        }
    }
    return NULL;
}
