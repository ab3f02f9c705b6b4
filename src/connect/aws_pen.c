#include "connect/aws_pen.h"

#include "base/clock.h"
#include "base/error.h"
#include "connect/aws_signer.h"
#include "net/retry.h"

#include <string.h>

/* Signatures are refused from five minutes on. */
#define SKEW_STEP_MS (4 * 60 * 1000)
#define DATE_ROOM 64

struct AwsPen {
    AwsIdentity identity;
    AwsSigner *signer; /* NULL: nothing to sign with yet */
    int64_t skew_ms;
    char seen[DATE_ROOM]; /* the Date header that was read last */
};

AwsPen *aws_pen_new(void) {
    return g_new0(AwsPen, 1);
}

void aws_pen_free(AwsPen *pen) {
    if (!pen)
        return;
    aws_signer_free(pen->signer);
    aws_identity_clear(&pen->identity);
    g_free(pen);
}

void aws_pen_use(AwsPen *pen, const AwsIdentity *identity) {
    AwsIdentity kept = {.key_id = secret_ref(identity->key_id),
                        .secret = secret_ref(identity->secret),
                        .token = identity->token ? secret_ref(identity->token) : NULL,
                        .expires_ms = identity->expires_ms};
    g_clear_pointer(&pen->signer, aws_signer_free);
    aws_identity_clear(&pen->identity);
    pen->identity = kept;
    pen->signer = aws_signer_new(secret_text(kept.key_id), kept.secret, kept.token);
}

int64_t aws_pen_now_ms(const AwsPen *pen) {
    return clock_now_ms() + pen->skew_ms;
}

void aws_pen_follow_clock(AwsPen *pen, const AwsPen *other) {
    pen->skew_ms = other->skew_ms;
}

/* --- signing ---------------------------------------------------------------------------------- */

static bool cannot_sign(GError **error) {
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                        "AWS: a request cannot be signed; only calls of AWS services can be sent "
                        "with this auth method");
    return false;
}

bool aws_pen_sign(AwsPen *pen, const AuthorizerAttempt *attempt, NetHeaders *extra,
                  AuthorizerStamp *stamp, GError **error) {
    const NetRequest *request = attempt->request;
    size_t count = net_headers_count(request->headers);
    if (!pen->signer || !attempt->service || !attempt->region || count > AWS_SIGNER_MAX_HEADERS)
        return cannot_sign(error);
    NetHeader headers[AWS_SIGNER_MAX_HEADERS];
    for (size_t i = 0; i < count; i++)
        headers[i] = net_headers_at(request->headers, i);
    AwsSigning signing = {.method = request->method,
                          .url = request->url,
                          .headers = headers,
                          .header_count = count,
                          .body = request->body,
                          .body_size = request->body_size,
                          .region = attempt->region,
                          .service = attempt->service->sign_as,
                          .s3 = attempt->service->s3,
                          .now_ms = aws_pen_now_ms(pen)};
    stamp->skew_ms = pen->skew_ms;
    return aws_sign(pen->signer, &signing, extra, error);
}

/* --- clocks ----------------------------------------------------------------------------------- */

/* By how much the clock of the service is ahead of ours. */
static bool read_skew(const NetResponse *response, int64_t *skew_out) {
    const char *date = net_headers_get(response->headers, "date");
    int64_t time_ms;
    if (!date || !retry_http_date(date, &time_ms))
        return false;
    int64_t skew = time_ms - clock_now_ms();
    if (ABS(skew) > AWS_PEN_MAX_SKEW_MS)
        return false;
    *skew_out = skew;
    return true;
}

/* Answers of one second have one Date, which is read once. */
void aws_pen_observe(AwsPen *pen, const NetResponse *response) {
    const char *date = net_headers_get(response->headers, "date");
    int64_t skew;
    if (!date || strncmp(date, pen->seen, sizeof pen->seen) == 0)
        return;
    g_strlcpy(pen->seen, date, sizeof pen->seen);
    if (read_skew(response, &skew) && ABS(skew - pen->skew_ms) > SKEW_STEP_MS)
        pen->skew_ms = skew;
}

bool aws_pen_clock_was_wrong(AwsPen *pen, const AuthorizerAnswer *answer) {
    int64_t skew;
    bool refused = answer->response->status >= 400 && answer->response->status < 500;
    if (!refused || !read_skew(answer->response, &skew))
        return false;
    if (answer->aws != AWS_ERROR_CLOCK && ABS(skew - answer->stamp.skew_ms) <= SKEW_STEP_MS)
        return false;
    pen->skew_ms = skew;
    return true;
}
