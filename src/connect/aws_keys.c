#include "connect/aws_keys.h"

#include "connect/aws_identity.h"
#include "connect/aws_pen.h"

/* The state is the pen. */

static bool authorize(void *state, const AuthorizerAttempt *attempt, NetHeaders *extra,
                      AuthorizerStamp *stamp, GError **error) {
    return aws_pen_sign(state, attempt, extra, stamp, error);
}

static void observe(void *state, const NetResponse *response) {
    aws_pen_observe(state, response);
}

static AuthorizerRemedy remedy(void *state, const AuthorizerAnswer *answer) {
    bool corrected = !(answer->used & REMEDY_CLOCK) && aws_pen_clock_was_wrong(state, answer);
    return corrected ? REMEDY_CLOCK : REMEDY_NONE;
}

static void free_pen(void *state) {
    aws_pen_free(state);
}

static const AuthorizerMethods methods = {
    .authorize = authorize, .observe = observe, .remedy = remedy, .free = free_pen};

bool aws_keys_new(const AuthorizerConfig *config, Authorizer **authorizer_out, GError **error) {
    g_auto(AwsIdentity) identity = {0};
    if (!aws_identity_read(config->credentials, &identity, error))
        return false;
    AwsPen *pen = aws_pen_new();
    aws_pen_use(pen, &identity);
    *authorizer_out = authorizer_new(&methods, pen);
    return true;
}
