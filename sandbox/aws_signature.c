#include "sandbox/aws_signature.h"

#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

#define ALGORITHM "AWS4-HMAC-SHA256"
#define MESSAGE_MAX 512
#define PARAMETERS_MAX 64

static void prepare(const uint8_t *secret, size_t size, AwsSigningKey *key) {
    uint8_t block[AWS_BLOCK] = {0};
    if (size > AWS_BLOCK) {
        digest_sha256(secret, size, block);
    } else {
        memcpy(block, secret, size);
    }
    for (size_t i = 0; i < AWS_BLOCK; i++) {
        key->inner[i] = block[i] ^ 0x36;
        key->outer[i] = block[i] ^ 0x5c;
    }
}

/* HMAC of a message of at most MESSAGE_MAX bytes. */
static void authenticate(const AwsSigningKey *key, const char *message, size_t size,
                         uint8_t out[DIGEST_SIZE]) {
    uint8_t inner[AWS_BLOCK + MESSAGE_MAX];
    uint8_t outer[AWS_BLOCK + DIGEST_SIZE];
    g_assert(size <= MESSAGE_MAX);
    memcpy(inner, key->inner, AWS_BLOCK);
    memcpy(inner + AWS_BLOCK, message, size);
    memcpy(outer, key->outer, AWS_BLOCK);
    digest_sha256(inner, AWS_BLOCK + size, outer + AWS_BLOCK);
    digest_sha256(outer, sizeof(outer), out);
}

static void chain(AwsSigningKey *key, const char *text) {
    uint8_t next[DIGEST_SIZE];
    authenticate(key, text, MIN(strlen(text), MESSAGE_MAX), next);
    prepare(next, sizeof(next), key);
}

void aws_signing_key(const char *secret, const AwsScope *scope, AwsSigningKey *key_out) {
    g_autofree char *first = g_strconcat("AWS4", secret, NULL);
    prepare((const uint8_t *)first, strlen(first), key_out);
    chain(key_out, scope->date);
    chain(key_out, scope->region);
    chain(key_out, scope->service);
    chain(key_out, "aws4_request");
}

static bool is_unreserved(char c) {
    return g_ascii_isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~';
}

static void encode_byte(GString *out, char c, bool slash) {
    static const char digits[] = "0123456789ABCDEF";
    if (is_unreserved(c) || (slash && c == '/')) {
        g_string_append_c(out, c);
        return;
    }
    const char encoded[] = {'%', digits[((unsigned char)c) >> 4], digits[c & 15]};
    g_string_append_len(out, encoded, sizeof(encoded));
}

/* Decodes what was sent and encodes it as it must be, once. */
static void encode_again(GString *out, const char *text, size_t length, bool slash) {
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '%' && i + 2 < length && g_ascii_isxdigit(text[i + 1]) &&
            g_ascii_isxdigit(text[i + 2])) {
            c = (char)(g_ascii_xdigit_value(text[i + 1]) * 16 + g_ascii_xdigit_value(text[i + 2]));
            i += 2;
        }
        encode_byte(out, c, slash);
    }
}

static void remove_segment(GString *path, size_t start) {
    size_t end = path->len;
    while (end > start && path->str[end - 1] != '/') {
        end--;
    }
    g_string_truncate(path, end > start ? end - 1 : start);
}

/* RFC 3986 section 5.2.4, with empty segments left out, and each segment encoded a second time. */
static void append_normal_path(GString *out, const char *path, size_t length) {
    size_t start = out->len;
    const char *end = path + length;
    const char *at = path;
    bool slash = false;
    while (at < end) {
        const char *next = memchr(at, '/', (size_t)(end - at));
        size_t size = (size_t)((next == NULL ? end : next) - at);
        slash = next != NULL;
        if (size == 2 && memcmp(at, "..", 2) == 0) {
            remove_segment(out, start);
            slash = true;
        } else if (size > 0 && !(size == 1 && *at == '.')) {
            g_string_append_c(out, '/');
            for (size_t i = 0; i < size; i++) {
                encode_byte(out, at[i], false);
            }
        } else {
            slash = true;
        }
        at += size + 1;
    }
    if (slash || out->len == start) {
        g_string_append_c(out, '/');
    }
}

static void append_path(const AwsSigned *request, GString *out) {
    size_t length = strcspn(request->target, "?");
    if (length <= 1) {
        g_string_append_c(out, '/');
    } else if (request->s3) {
        encode_again(out, request->target, length, true);
    } else {
        append_normal_path(out, request->target, length);
    }
}

static int compare_parts(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names are followed by a byte below all that an encoded one may have, so that they are compared
 * before the values; "=" is not below "-" and ".". */
static void append_query(const char *query, GString *out) {
    g_auto(GStrv) parts = g_strsplit(query, "&", PARAMETERS_MAX);
    g_autoptr(GString) one = g_string_new(NULL);
    guint count = 0;
    for (char **part = parts; *part != NULL; part++) {
        size_t name = strcspn(*part, "=");
        const char *value = (*part)[name] == '=' ? *part + name + 1 : "";
        if ((*part)[0] == '\0') {
            continue;
        }
        g_string_truncate(one, 0);
        encode_again(one, *part, name, false);
        g_string_append_c(one, '\x01');
        encode_again(one, value, strlen(value), false);
        char *encoded = g_strdup(one->str);
        g_free(*part);
        *part = parts[count];
        parts[count++] = encoded;
    }
    qsort(parts, count, sizeof(char *), compare_parts);
    for (guint i = 0; i < count; i++) {
        char *mark = strchr(parts[i], '\x01');
        *mark = '=';
        g_string_append_printf(out, "%s%s", i == 0 ? "" : "&", parts[i]);
    }
}

/* Blanks around are cut off, and runs of them inside become one. */
static void append_value(GString *out, const char *value) {
    value += strspn(value, " \t");
    for (; *value != '\0'; value++) {
        if (*value != ' ' && *value != '\t') {
            g_string_append_c(out, *value);
        } else if (value[1] != ' ' && value[1] != '\t' && value[1] != '\0') {
            g_string_append_c(out, ' ');
        }
    }
}

static bool append_headers(const AwsSigned *request, GString *out) {
    const char *name = request->signed_headers;
    while (*name != '\0') {
        char plain[128];
        size_t length = strcspn(name, ";");
        if (length == 0 || length >= sizeof(plain)) {
            return false;
        }
        memcpy(plain, name, length);
        plain[length] = '\0';
        const char *value = request->header(request->data, plain);
        if (value == NULL) {
            return false;
        }
        g_string_append_len(out, plain, (gssize)length);
        g_string_append_c(out, ':');
        append_value(out, value);
        g_string_append_c(out, '\n');
        name += length + (name[length] == ';' ? 1 : 0);
    }
    return true;
}

bool aws_canonical_request(const AwsSigned *request, GString *out) {
    const char *query = strchr(request->target, '?');
    g_string_append(out, request->method);
    g_string_append_c(out, '\n');
    append_path(request, out);
    g_string_append_c(out, '\n');
    if (query != NULL) {
        append_query(query + 1, out);
    }
    g_string_append_c(out, '\n');
    if (!append_headers(request, out)) {
        return false;
    }
    g_string_append_c(out, '\n');
    g_string_append(out, request->signed_headers);
    g_string_append_c(out, '\n');
    g_string_append(out, request->payload_hash);
    return true;
}

static void write_hex(const uint8_t bytes[DIGEST_SIZE], char out[AWS_SIGNATURE_HEX]) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[AWS_SIGNATURE_HEX - 1] = '\0';
}

bool aws_signature(const AwsSigned *request, const AwsSigningKey *key, GString *scratch,
                   char hex_out[AWS_SIGNATURE_HEX]) {
    uint8_t hash[DIGEST_SIZE];
    char hex[AWS_SIGNATURE_HEX];
    g_string_truncate(scratch, 0);
    if (!aws_canonical_request(request, scratch)) {
        return false;
    }
    digest_sha256(scratch->str, scratch->len, hash);
    write_hex(hash, hex);
    g_string_truncate(scratch, 0);
    const char *const pieces[] = {ALGORITHM,
                                  "\n",
                                  request->time,
                                  "\n",
                                  request->scope->date,
                                  "/",
                                  request->scope->region,
                                  "/",
                                  request->scope->service,
                                  "/aws4_request\n",
                                  hex};
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        g_string_append(scratch, pieces[i]);
    }
    if (scratch->len > MESSAGE_MAX) {
        return false;
    }
    authenticate(key, scratch->str, scratch->len, hash);
    write_hex(hash, hex_out);
    return true;
}
