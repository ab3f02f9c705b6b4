#include "net/header.h"

#include "base/error.h"
#include "base/secmem.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    uint32_t name;
    uint32_t name_length;
    uint32_t value;
} Field;

struct NetHeaders {
    char *text; /* names and values, each with a NUL behind it */
    size_t used;
    size_t allocated;
    size_t max_bytes;
    Field *fields;
    size_t count;
    size_t room; /* of fields */
};

/* RFC 9110 section 5.6.2: tchar. */
static bool is_token(const char *text) {
    static const char marks[] = "!#$%&'*+-.^_`|~";
    if (!*text) {
        return false;
    }
    for (const char *at = text; *at; at++) {
        if (!g_ascii_isalnum(*at) && *at != '-' && !strchr(marks, *at)) {
            return false;
        }
    }
    return true;
}

#define EACH_BYTE(byte) (UINT64_MAX / 255 * (byte))

/* Whether one of eight bytes may be below 0x20 or 0x7f. */
static bool is_suspicious(uint64_t bytes) {
    uint64_t deleted = bytes ^ EACH_BYTE(0x7f);
    uint64_t low = (bytes - EACH_BYTE(0x20)) & ~bytes;
    return ((low | ((deleted - EACH_BYTE(0x01)) & ~deleted)) & EACH_BYTE(0x80)) != 0;
}

static bool is_field_value(const char *text, size_t length) {
    for (const char *at = text, *end = text + length; at < end;) {
        uint64_t eight;
        if (end - at >= (ptrdiff_t)sizeof(eight)) {
            memcpy(&eight, at, sizeof(eight));
            if (!is_suspicious(eight)) {
                at += sizeof(eight);
                continue;
            }
        }
        if ((unsigned char)*at < 0x20 ? *at != '\t' : *at == 0x7f) {
            return false;
        }
        at++;
    }
    return true;
}

NetHeaders *net_headers_new(size_t max_bytes) {
    NetHeaders *headers = g_new0(NetHeaders, 1);
    net_headers_limit(headers, max_bytes);
    return headers;
}

void net_headers_free(NetHeaders *headers) {
    if (!headers) {
        return;
    }
    net_headers_wipe(headers);
    g_free(headers->text);
    g_free(headers->fields);
    g_free(headers);
}

void net_headers_limit(NetHeaders *headers, size_t max_bytes) {
    headers->max_bytes = MIN(max_bytes, (size_t)UINT32_MAX / 4);
}

/* Storage may have carried credentials, so it is never moved by realloc, which leaves a copy. */
static void grow(NetHeaders *headers, size_t needed) {
    size_t allocated = MAX(headers->allocated * 2, MAX(needed, (size_t)512));
    char *text = g_malloc(allocated);
    if (headers->used) {
        memcpy(text, headers->text, headers->used);
        secmem_wipe(headers->text, headers->used);
    }
    g_free(headers->text);
    headers->text = text;
    headers->allocated = allocated;
}

/* Makes room for one more field of so many bytes, NULs included. */
static bool make_room(NetHeaders *headers, size_t bytes) {
    size_t needed = headers->used + bytes;
    if (needed > headers->max_bytes) {
        return false;
    }
    if (needed > headers->allocated) {
        grow(headers, needed);
    }
    if (headers->count == headers->room) {
        headers->room = MAX(headers->room * 2, (size_t)16);
        headers->fields = g_renew(Field, headers->fields, headers->room);
    }
    return true;
}

static uint32_t put(NetHeaders *headers, const char *bytes, size_t length) {
    uint32_t at = (uint32_t)headers->used;
    memcpy(headers->text + at, bytes, length);
    headers->text[at + length] = '\0';
    headers->used += length + 1;
    return at;
}

static bool append(NetHeaders *headers, const NetHeader *field, size_t name_length,
                   size_t value_length) {
    if (!make_room(headers, name_length + value_length + 2)) {
        return false;
    }
    Field *slot = &headers->fields[headers->count++];
    slot->name = put(headers, field->name, name_length);
    slot->name_length = (uint32_t)name_length;
    slot->value = put(headers, field->value, value_length);
    return true;
}

bool net_headers_add(NetHeaders *headers, const char *name, const char *value, GError **error) {
    if (!is_token(name)) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                            "a header name may hold letters, digits and !#$%&'*+-.^_`|~ only");
        return false;
    }
    size_t length = strlen(value);
    if (!is_field_value(value, length)) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "the value of header %s holds a line break or another control character: "
                    "check the setting or credential it is made of",
                    name);
        return false;
    }
    NetHeader field = {name, value};
    if (!append(headers, &field, strlen(name), length)) {
        g_set_error(error, ASSAY_ERROR, ERROR_LIMIT,
                    "header %s makes the headers of the request larger than %zu bytes", name,
                    headers->max_bytes);
        return false;
    }
    return true;
}

static bool field_is(const NetHeaders *headers, const Field *field, const char *name,
                     size_t length) {
    const char *own = headers->text + field->name;
    return field->name_length == length && (own[0] | 0x20) == (name[0] | 0x20) &&
           (memcmp(own, name, length) == 0 || g_ascii_strncasecmp(own, name, length) == 0);
}

static void remove_named(NetHeaders *headers, const char *name, size_t before) {
    size_t length = strlen(name);
    size_t kept = 0;
    for (size_t i = 0; i < headers->count; i++) {
        if (i < before && field_is(headers, &headers->fields[i], name, length)) {
            continue;
        }
        headers->fields[kept++] = headers->fields[i];
    }
    headers->count = kept;
}

bool net_headers_set(NetHeaders *headers, const char *name, const char *value, GError **error) {
    size_t before = headers->count;
    if (!net_headers_add(headers, name, value, error)) {
        return false;
    }
    remove_named(headers, name, before);
    return true;
}

static void put_lowered(char *to, const char *from, size_t length) {
    for (size_t i = 0; i < length; i++) {
        to[i] = (char)(from[i] | (from[i] >= 'A' && from[i] <= 'Z' ? 0x20 : 0));
    }
    to[length] = '\0';
}

bool net_headers_add_line(NetHeaders *headers, const char *line, size_t length) {
    const char *colon = memchr(line, ':', length);
    if (!colon || colon == line || memchr(line, '\0', length)) {
        return true;
    }
    const char *value = colon + 1;
    const char *end = line + length;
    while (end > value && (unsigned char)end[-1] <= ' ') {
        end--;
    }
    while (value < end && (*value == ' ' || *value == '\t')) {
        value++;
    }
    size_t name_length = (size_t)(colon - line);
    size_t value_length = (size_t)(end - value);
    if (!make_room(headers, name_length + value_length + 2)) {
        return false;
    }
    Field *slot = &headers->fields[headers->count++];
    slot->name = (uint32_t)headers->used;
    slot->name_length = (uint32_t)name_length;
    slot->value = slot->name + slot->name_length + 1;
    put_lowered(headers->text + slot->name, line, name_length);
    memcpy(headers->text + slot->value, value, value_length);
    headers->text[slot->value + value_length] = '\0';
    headers->used += name_length + value_length + 2;
    return true;
}

const char *net_headers_get(const NetHeaders *headers, const char *name) {
    return net_headers_get_nth(headers, name, 0);
}

const char *net_headers_get_nth(const NetHeaders *headers, const char *name, size_t nth) {
    size_t length = strlen(name);
    for (size_t i = 0; i < headers->count; i++) {
        const Field *field = &headers->fields[i];
        if (field_is(headers, field, name, length) && nth-- == 0) {
            return headers->text + field->value;
        }
    }
    return NULL;
}

size_t net_headers_count(const NetHeaders *headers) {
    return headers->count;
}

NetHeader net_headers_at(const NetHeaders *headers, size_t index) {
    g_assert(index < headers->count);
    const Field *field = &headers->fields[index];
    return (NetHeader){headers->text + field->name, headers->text + field->value};
}

void net_headers_clear(NetHeaders *headers) {
    headers->used = 0;
    headers->count = 0;
}

/* What was cleared before without a wipe may still lie behind `used`, so all storage is wiped. */
void net_headers_wipe(NetHeaders *headers) {
    if (headers->allocated) {
        secmem_wipe(headers->text, headers->allocated);
    }
    net_headers_clear(headers);
}
