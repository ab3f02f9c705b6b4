#include "sandbox/aws_gate.h"

#include "base/clock.h"
#include "base/digest.h"

#include <string.h>

#define DATE_DIGITS 8
#define UNSIGNED "UNSIGNED-PAYLOAD"
#define HEADER_HASH "x-amz-content-sha256"
#define HEADER_DATE "x-amz-date"
#define HEADER_TOKEN "x-amz-security-token"
#define HEADER_TARGET "x-amz-target"
#define HEADER_HOST "host"

/* Whoever sends one of these must sign it. */
static const char *const signed_when_sent[] = {HEADER_DATE, HEADER_TOKEN, HEADER_TARGET,
                                               HEADER_HASH, "x-amz-account-id"};

static const char *find(const AwsVisit *visit, const char *name) {
    return visit->incoming->header(visit->incoming->data, name);
}

void aws_gate_time(int64_t time_ms, char out[AWS_TIME_SIZE]) {
    g_autofree char *text = clock_format(time_ms);
    size_t length = 0;
    for (const char *at = text; *at != '.' && *at != '\0' && length < AWS_TIME_SIZE - 2; at++) {
        if (*at != '-' && *at != ':') {
            out[length++] = *at;
        }
    }
    out[length++] = 'Z';
    out[length] = '\0';
}

/* Milliseconds of "20261120T075000Z". */
static bool read_time(const char *text, int64_t *time_ms_out) {
    char iso[] = "0000-00-00T00:00:00Z";
    static const size_t places[] = {0, 1, 2, 3, 5, 6, 8, 9, 10, 11, 12, 14, 15, 17, 18};
    if (text == NULL || strlen(text) != AWS_TIME_SIZE - 1 || text[DATE_DIGITS] != 'T' ||
        text[AWS_TIME_SIZE - 2] != 'Z') {
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        if (i != DATE_DIGITS && !g_ascii_isdigit(text[i])) {
            return false;
        }
        iso[places[i]] = text[i];
    }
    return clock_parse(iso, time_ms_out);
}

static bool is_signed(const char *list, const char *name) {
    size_t length = strlen(name);
    for (const char *at = strstr(list, name); at != NULL; at = strstr(at + 1, name)) {
        if ((at == list || at[-1] == ';') && (at[length] == ';' || at[length] == '\0')) {
            return true;
        }
    }
    return false;
}

static AwsErrorKind check_key(const AwsGate *gate, const AwsVisit *visit,
                              AwsIdentity **identity_out) {
    const AwsRequest *request = visit->request;
    if (!request->authorized) {
        return AWS_MISSING_AUTHENTICATION;
    }
    if (!request->sound) {
        return AWS_INCOMPLETE_SIGNATURE;
    }
    AwsIdentity *identity = aws_identity_find(gate->identities, request->access_key);
    if (identity == NULL) {
        return AWS_UNKNOWN_KEY;
    }
    *identity_out = identity;
    identity->calls++;
    return g_strcmp0(identity->token, find(visit, HEADER_TOKEN)) == 0 ? AWS_NO_ERROR
                                                                      : AWS_BAD_TOKEN;
}

static AwsErrorKind check_time(const AwsVisit *visit) {
    const char *text = find(visit, HEADER_DATE);
    int64_t time_ms;
    if (!read_time(text, &time_ms) || strncmp(text, visit->request->scope.date, DATE_DIGITS) != 0 ||
        strlen(visit->request->scope.date) != DATE_DIGITS) {
        return AWS_INCOMPLETE_SIGNATURE;
    }
    if (time_ms < visit->now_ms - visit->service->skew_ms) {
        return AWS_SKEWED_LATE;
    }
    return time_ms > visit->now_ms + visit->service->skew_ms ? AWS_SKEWED_EARLY : AWS_NO_ERROR;
}

static AwsErrorKind check_scope(const AwsGate *gate, const AwsVisit *visit) {
    const char *region = visit->request->scope.region;
    if (visit->service->global != NULL) {
        return strcmp(region, visit->service->global) == 0 ? AWS_NO_ERROR : AWS_WRONG_SCOPE;
    }
    bool anywhere = !visit->service->regional_root && strcmp(region, gate->global_region) == 0;
    return anywhere || g_hash_table_contains(gate->regions, region) ? AWS_NO_ERROR : AWS_REGION_OFF;
}

static AwsErrorKind check_headers(const AwsVisit *visit) {
    const char *list = visit->request->signed_headers;
    if (!is_signed(list, HEADER_HOST)) {
        return AWS_UNSIGNED_HEADER;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(signed_when_sent); i++) {
        if (!is_signed(list, signed_when_sent[i]) && find(visit, signed_when_sent[i]) != NULL) {
            return AWS_UNSIGNED_HEADER;
        }
    }
    return AWS_NO_ERROR;
}

/* What the payload's hash must be: S3 is told in a header, the others hash what they got. Without
 * TLS an unsigned payload is refused. */
static bool find_hash(const AwsVisit *visit, char out[DIGEST_HEX_SIZE]) {
    const ServiceRequest *incoming = visit->incoming;
    const char *told = find(visit, HEADER_HASH);
    bool s3 = visit->service->protocol == AWS_REST_XML;
    digest_sha256_hex(incoming->body, incoming->body_size, out);
    return (told == NULL && !s3) || (told != NULL && g_ascii_strcasecmp(told, out) == 0);
}

static AwsErrorKind check_signature(const AwsGate *gate, const AwsVisit *visit,
                                    const AwsIdentity *identity) {
    const AwsRequest *request = visit->request;
    char hash[DIGEST_HEX_SIZE];
    char signature[AWS_SIGNATURE_HEX];
    AwsErrorKind headers = check_headers(visit);
    if (headers != AWS_NO_ERROR) {
        return headers;
    }
    if (!find_hash(visit, hash)) {
        return AWS_BAD_SIGNATURE;
    }
    const AwsSigned what = {.method = visit->incoming->method,
                            .target = visit->incoming->target,
                            .signed_headers = request->signed_headers,
                            .payload_hash = hash,
                            .time = find(visit, HEADER_DATE),
                            .scope = &request->scope,
                            .s3 = visit->service->protocol == AWS_REST_XML,
                            .header = visit->incoming->header,
                            .data = visit->incoming->data};
    const AwsSigningKey *key =
        aws_identity_key(gate->identities, identity, request->credential, &request->scope);
    bool right = aws_signature(&what, key, gate->scratch, signature) &&
                 strcmp(signature, request->signature) == 0;
    return right ? AWS_NO_ERROR : AWS_BAD_SIGNATURE;
}

AwsErrorKind aws_gate_check(const AwsGate *gate, const AwsVisit *visit,
                            AwsIdentity **identity_out) {
    AwsErrorKind kind = check_key(gate, visit, identity_out);
    kind = kind == AWS_NO_ERROR ? check_time(visit) : kind;
    kind = kind == AWS_NO_ERROR ? check_scope(gate, visit) : kind;
    kind = kind == AWS_NO_ERROR ? check_signature(gate, visit, *identity_out) : kind;
    const AwsIdentity *identity = *identity_out;
    if (kind == AWS_NO_ERROR && identity->expires_ms > 0 && identity->expires_ms <= visit->now_ms) {
        kind = AWS_EXPIRED;
    }
    return kind;
}
