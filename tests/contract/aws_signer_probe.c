/* Signs what it is told: one request as a JSON object per line of standard input (keyId, secret,
 * token, method, url, headers as pairs, body in base64, region, service, s3, now), and for each one
 * line of output, an object of the headers that were added. Requests of one key share a signer. */
#include "base/json.h"
#include "base/text.h"
#include "connect/aws_signer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_SIZE (1 << 20)

typedef struct {
    Secret *secret;
    Secret *token;
    AwsSigner *signer;
} Key;

static void key_free(void *data) {
    Key *key = data;
    aws_signer_free(key->signer);
    secret_free(key->secret);
    secret_free(key->token);
    g_free(key);
}

static void check(bool good, const GError *error) {
    if (good)
        return;
    fprintf(stderr, "aws_signer_probe: %s\n", error != NULL ? error->message : "a bad request");
    exit(1);
}

static Secret *secret_of(const char *text) {
    g_autoptr(GError) error = NULL;
    Secret *secret = text != NULL ? secret_new(text, strlen(text), &error) : NULL;
    check(error == NULL, error);
    return secret;
}

static AwsSigner *signer_of(GHashTable *keys, const Json *request) {
    const char *id = json_member_string(request, "keyId", "");
    Key *key = g_hash_table_lookup(keys, id);
    if (key == NULL) {
        key = g_new0(Key, 1);
        key->secret = secret_of(json_member_string(request, "secret", ""));
        key->token = secret_of(json_member_string(request, "token", NULL));
        key->signer = aws_signer_new(id, key->secret, key->token);
        g_hash_table_insert(keys, g_strdup(id), key);
    }
    return key->signer;
}

static void print_headers(const NetHeaders *headers) {
    g_autoptr(Json) object = json_new_object();
    for (size_t i = 0; i < net_headers_count(headers); i++) {
        NetHeader header = net_headers_at(headers, i);
        json_put_string(object, header.name, header.value);
    }
    g_autofree char *text = json_print(object, JSON_COMPACT);
    puts(text);
}

static void sign_line(GHashTable *keys, const char *line, size_t size) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Json) request = json_parse(line, size, LINE_MAX_SIZE, &error);
    check(request != NULL, error);
    NetHeader headers[AWS_SIGNER_MAX_HEADERS];
    const Json *given = json_member(request, "headers");
    check(json_count(given) <= G_N_ELEMENTS(headers), NULL);
    for (size_t i = 0; i < json_count(given); i++) {
        const Json *pair = json_item(given, i);
        headers[i] = (NetHeader){json_text(json_item(pair, 0)), json_text(json_item(pair, 1))};
    }
    const char *encoded = json_member_string(request, "body", "");
    g_autofree uint8_t *body = NULL;
    size_t body_size;
    check(text_unbase64(encoded, strlen(encoded), &body, &body_size), NULL);
    const AwsSigning what = {
        .method = json_member_string(request, "method", NULL),
        .url = json_member_string(request, "url", NULL),
        .headers = headers,
        .header_count = json_count(given),
        .body = body,
        .body_size = body_size,
        .region = json_member_string(request, "region", NULL),
        .service = json_member_string(request, "service", NULL),
        .s3 = json_member_bool(request, "s3", false),
        .now_ms = json_member_int(request, "now", 0),
    };
    g_autoptr(NetHeaders) out = net_headers_new(LINE_MAX_SIZE);
    check(aws_sign(signer_of(keys, request), &what, out, &error), error);
    print_headers(out);
}

int main(void) {
    GHashTable *keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, key_free);
    char *line = NULL;
    size_t room = 0;
    for (ssize_t size; (size = getline(&line, &room, stdin)) > 0;)
        sign_line(keys, line, (size_t)size);
    free(line);
    g_hash_table_unref(keys);
    return 0;
}
