#include "signed_call.h"

#include "base/clock.h"
#include "base/secmem.h"
#include "connect/aws_signer.h"

#include <string.h>

#define REGION "us-east-1"
#define HEADER_BYTES 8192
#define FORM "application/x-www-form-urlencoded; charset=utf-8"

static const struct {
    const char *name;
    const char *version;
} services[] = {{"iam", "2010-05-08"}, {"sts", "2011-06-15"}};

struct CallSigner {
    Secret *secret;
    AwsSigner *aws;
    NetHeaders *signature;
    GString *line;
};

/* Everything behind '?', which the log has as plain text. */
static void append_parameters(GString *body, const char *text) {
    g_auto(GStrv) pairs = g_strsplit(text, "&", -1);
    for (char **pair = pairs; *pair != NULL; pair++) {
        char *value = strchr(*pair, '=');
        if (value == NULL || g_str_has_prefix(*pair, "region=")) {
            continue;
        }
        *value++ = '\0';
        g_autofree char *escaped = g_uri_escape_string(value, NULL, false);
        g_string_append_printf(body, "&%s=%s", *pair, escaped);
    }
}

SignedCall *signed_call_new(const char *line) {
    const char *name = strchr(line, ' ');
    name = name == NULL ? line : name + 1;
    for (size_t i = 0; i < G_N_ELEMENTS(services); i++) {
        size_t length = strlen(services[i].name);
        if (strncmp(name, services[i].name, length) != 0 || name[length] != ':') {
            continue;
        }
        const char *operation = name + length + 1;
        size_t size = strcspn(operation, "?");
        SignedCall *call = g_new0(SignedCall, 1);
        GString *body = g_string_new(NULL);
        g_string_append_printf(body, "Action=%.*s&Version=%s", (int)size, operation,
                               services[i].version);
        append_parameters(body, operation[size] == '?' ? operation + size + 1 : "");
        call->service = services[i].name;
        call->body = g_string_free(body, FALSE);
        return call;
    }
    return NULL;
}

void signed_call_free(SignedCall *call) {
    g_free(call->body);
    g_free(call);
}

CallSigner *call_signer_new(const char *key_id, const char *secret, GError **error) {
    if (!secmem_start(error)) {
        return NULL;
    }
    Secret *kept = secret_new(secret, strlen(secret), error);
    if (kept == NULL) {
        return NULL;
    }
    CallSigner *signer = g_new0(CallSigner, 1);
    signer->secret = kept;
    signer->aws = aws_signer_new(key_id, kept, NULL);
    signer->signature = net_headers_new(HEADER_BYTES);
    signer->line = g_string_sized_new(512);
    return signer;
}

void call_signer_free(CallSigner *signer) {
    if (signer != NULL) {
        aws_signer_free(signer->aws);
        secret_free(signer->secret);
        net_headers_free(signer->signature);
        g_string_free(signer->line, TRUE);
        g_free(signer);
    }
}

struct curl_slist *call_signer_headers(CallSigner *signer, const SignedCall *call, const char *url,
                                       GError **error) {
    const NetHeader type = {"Content-Type", FORM};
    const AwsSigning signing = {.method = "POST",
                                .url = url,
                                .headers = &type,
                                .header_count = 1,
                                .body = call->body,
                                .body_size = strlen(call->body),
                                .region = REGION,
                                .service = call->service,
                                .now_ms = clock_now_ms()};
    net_headers_clear(signer->signature);
    if (!aws_sign(signer->aws, &signing, signer->signature, error)) {
        return NULL;
    }
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: " FORM);
    for (size_t i = 0; i < net_headers_count(signer->signature); i++) {
        NetHeader header = net_headers_at(signer->signature, i);
        g_string_printf(signer->line, "%s: %s", header.name, header.value);
        headers = curl_slist_append(headers, signer->line->str);
    }
    return headers;
}
