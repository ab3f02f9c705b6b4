#include "sync/message.h"

#include "base/error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER_SIZE 5

static bool write_all(int socket, const void *bytes, size_t size, GError **error) {
    const char *next = bytes;
    while (size > 0) {
        ssize_t sent = send(socket, next, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0) {
            g_set_error_literal(error, ASSAY_ERROR, ERROR_CANCELLED, "the other process has ended");
            return false;
        }
        next += sent;
        size -= (size_t)sent;
    }
    return true;
}

static bool read_all(int socket, void *bytes, size_t size, GError **error) {
    char *next = bytes;
    while (size > 0) {
        ssize_t got = recv(socket, next, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            g_set_error_literal(error, ASSAY_ERROR, ERROR_CANCELLED, "the other process has ended");
            return false;
        }
        next += got;
        size -= (size_t)got;
    }
    return true;
}

static bool send_frame(int socket, MessageKind kind, const void *payload, size_t size,
                       GError **error) {
    if (size > MESSAGE_MAX) {
        g_set_error(error, ASSAY_ERROR, ERROR_LIMIT,
                    "a message of %zu bytes is larger than a worker takes", size);
        return false;
    }
    unsigned char header[HEADER_SIZE];
    uint32_t length = htonl((uint32_t)size);
    memcpy(header, &length, sizeof length);
    header[4] = (unsigned char)kind;
    return write_all(socket, header, sizeof header, error) &&
           write_all(socket, payload, size, error);
}

static bool broken(GError **error) {
    g_set_error_literal(error, ASSAY_ERROR, ERROR_INTERNAL,
                        "the stream between the processes is broken");
    return false;
}

static bool receive_header(int socket, MessageKind kind, size_t *size_out, GError **error) {
    unsigned char header[HEADER_SIZE];
    if (!read_all(socket, header, sizeof header, error))
        return false;
    uint32_t length;
    memcpy(&length, header, sizeof length);
    length = ntohl(length);
    if (header[4] != (unsigned char)kind || length > MESSAGE_MAX) {
        return broken(error);
    }
    *size_out = length;
    return true;
}

bool message_send(int socket, const Json *json, GError **error) {
    g_autofree char *text = json_print(json, JSON_COMPACT);
    return send_frame(socket, MESSAGE_JSON, text, strlen(text), error);
}

bool message_send_secret(int socket, const Secret *secret, GError **error) {
    return send_frame(socket, MESSAGE_SECRET, secret_bytes(secret), secret_size(secret), error);
}

bool message_receive(int socket, Json **json_out, GError **error) {
    size_t size;
    if (!receive_header(socket, MESSAGE_JSON, &size, error))
        return false;
    g_autofree char *text = g_malloc(size + 1);
    if (!read_all(socket, text, size, error))
        return false;
    Json *json = json_parse(text, size, MESSAGE_MAX, NULL);
    if (!json)
        return broken(error);
    *json_out = json;
    return true;
}

bool message_receive_secret(int socket, Secret **secret_out, GError **error) {
    size_t size;
    if (!receive_header(socket, MESSAGE_SECRET, &size, error))
        return false;
    if (size > SECRET_MAX) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_LIMIT, "a secret is too large");
        return false;
    }
    char *bytes = g_malloc(size + 1);
    Secret *secret = NULL;
    if (read_all(socket, bytes, size, error))
        secret = secret_take(bytes, size, error);
    secmem_wipe(bytes, size);
    g_free(bytes);
    if (!secret)
        return false;
    *secret_out = secret;
    return true;
}

bool message_peer_gone(int socket) {
    struct pollfd poll_one = {.fd = socket, .events = POLLIN | POLLRDHUP};
    if (poll(&poll_one, 1, 0) <= 0)
        return false;
    return (poll_one.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

bool message_waits(int socket) {
    struct pollfd poll_one = {.fd = socket, .events = POLLIN};
    return poll(&poll_one, 1, 0) > 0;
}

Json *message_from_error(const GError *error) {
    Json *json = json_new_object();
    json_put_string(json, "code", error_code_name(error_code_of(error)));
    json_put_string(json, "message", error->message);
    return json;
}

GError *message_to_error(const Json *json) {
    ErrorCode code = error_code_from_name(json_member_string(json, "code", "INTERNAL"));
    const char *message = json_member_string(json, "message", "the worker failed");
    return g_error_new_literal(ASSAY_ERROR, (int)code, message);
}
