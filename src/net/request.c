#include "net/request.h"

#include "base/secmem.h"

#include <string.h>

NetRequest *net_request_new(const char *method, const char *url) {
    NetRequest *request = g_new0(NetRequest, 1);
    request->method = g_strdup(method);
    request->url = g_strdup(url);
    request->headers = net_headers_new(NET_MAX_HEADER_BYTES);
    request->total_timeout_ms = NET_TOTAL_TIMEOUT_MS;
    request->connect_timeout_ms = NET_CONNECT_TIMEOUT_MS;
    request->max_body = NET_MAX_BODY;
    request->max_header_bytes = NET_MAX_HEADER_BYTES;
    return request;
}

static void drop_body(NetRequest *request) {
    if (request->body && request->secret) {
        secmem_wipe(request->body, request->body_size);
    }
    g_clear_pointer(&request->body, g_free);
    request->body_size = 0;
}

void net_request_free(NetRequest *request) {
    if (!request) {
        return;
    }
    drop_body(request);
    net_headers_free(request->headers);
    g_free(request->method);
    g_free(request->url);
    g_free(request);
}

void net_request_set_body(NetRequest *request, const void *bytes, size_t size) {
    drop_body(request);
    request->body = g_malloc(size + 1);
    if (size) {
        memcpy(request->body, bytes, size);
    }
    request->body[size] = '\0';
    request->body_size = size;
}

void net_request_charge(NetRequest *request, Budget *budget, int64_t cost) {
    g_assert(request->charge_count < NET_MAX_CHARGES);
    request->charges[request->charge_count++] = (NetCharge){budget, cost};
}

char *net_result_take_body(NetResult *result, size_t *size_out) {
    NetBuffer *buffer = result->buffer;
    if (!buffer || !buffer->bytes) {
        *size_out = 0;
        return g_strdup("");
    }
    char *bytes = buffer->bytes;
    *size_out = buffer->size;
    *buffer = (NetBuffer){.secret = buffer->secret};
    result->response.body = "";
    result->response.body_size = 0;
    return bytes;
}

/* First match wins. */
static const struct {
    int from;
    int to;
    Outcome outcome;
} status_table[] = {
    {200, 399, OUTCOME_OK},      {401, 401, OUTCOME_AUTH_EXPIRED}, {403, 403, OUTCOME_FORBIDDEN},
    {408, 408, OUTCOME_TIMEOUT}, {429, 429, OUTCOME_RATE_LIMITED}, {500, 599, OUTCOME_UNAVAILABLE},
};

NetJudgement net_classify_status(const NetResponse *response, void *data) {
    (void)data;
    for (size_t i = 0; i < G_N_ELEMENTS(status_table); i++) {
        if (response->status >= status_table[i].from && response->status <= status_table[i].to) {
            return (NetJudgement){status_table[i].outcome, -1};
        }
    }
    return (NetJudgement){OUTCOME_BAD_REQUEST, -1};
}

/* Secret bytes are never moved by realloc, which leaves a copy behind. */
static void buffer_grow(NetBuffer *buffer, size_t allocated) {
    if (!buffer->secret) {
        buffer->bytes = g_realloc(buffer->bytes, allocated + 1);
        buffer->allocated = allocated;
        return;
    }
    char *bytes = g_malloc(allocated + 1);
    if (buffer->bytes) {
        memcpy(bytes, buffer->bytes, buffer->size);
        secmem_wipe(buffer->bytes, buffer->size);
        g_free(buffer->bytes);
    }
    buffer->bytes = bytes;
    buffer->allocated = allocated;
}

bool net_buffer_append(NetBuffer *buffer, const void *bytes, size_t size, size_t max) {
    if (size > max || buffer->size > max - size) {
        return false;
    }
    size_t needed = buffer->size + size;
    if (!buffer->bytes || needed > buffer->allocated) {
        size_t doubled = MIN(buffer->allocated * 2, max);
        buffer_grow(buffer, MAX(MAX(needed, doubled), (size_t)1024));
    }
    if (size) {
        memcpy(buffer->bytes + buffer->size, bytes, size);
    }
    buffer->size = needed;
    buffer->bytes[needed] = '\0';
    return true;
}

void net_buffer_reset(NetBuffer *buffer, size_t keep) {
    if (buffer->secret && buffer->bytes) {
        secmem_wipe(buffer->bytes, buffer->size);
    }
    if (buffer->allocated > keep) {
        g_clear_pointer(&buffer->bytes, g_free);
        buffer->allocated = 0;
    }
    buffer->size = 0;
    buffer->secret = false;
}

void net_buffer_clear(NetBuffer *buffer) {
    net_buffer_reset(buffer, 0);
    g_clear_pointer(&buffer->bytes, g_free);
}
