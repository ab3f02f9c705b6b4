/* aws_pen.h - signs attempts with one AWS identity at the time that the service has.
 *
 * What aws_keys.h and aws_role.h share: the signer of the identity in use, and by how much the
 * clocks of the services differ from ours. A signature is refused when its time is off by more than
 * five minutes, so an answer whose Date header is off by more than four sets the difference, for
 * all requests to come.
 */
#pragma once

#include "connect/authorizer.h"
#include "connect/aws_identity.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* A clock that is further off than this is not followed. */
#define AWS_PEN_MAX_SKEW_MS (24LL * 3600 * 1000)

typedef struct AwsPen AwsPen;

AwsPen *aws_pen_new(void);
void aws_pen_free(AwsPen *pen);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsPen, aws_pen_free)

/* Signs with this identity from now on; takes references on its secrets. */
void aws_pen_use(AwsPen *pen, const AwsIdentity *identity);

/* Wall time as the services have it. */
int64_t aws_pen_now_ms(const AwsPen *pen);

/* Takes over by how much the clocks differ. */
void aws_pen_follow_clock(AwsPen *pen, const AwsPen *other);

/* Adds the signature of a request to extra. ERROR_CONFIGURATION when there is nothing to sign
 * with, or the request is none of AWS. */
bool aws_pen_sign(AwsPen *pen, const AuthorizerAttempt *attempt, NetHeaders *extra,
                  AuthorizerStamp *stamp, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads the Date header of any answer. */
void aws_pen_observe(AwsPen *pen, const NetResponse *response);

/* Whether a refused answer is one of the clock: of class clock, or dated more than four minutes
 * from what was signed. The difference is set by then, so that the next signature is a good one. */
bool aws_pen_clock_was_wrong(AwsPen *pen, const AuthorizerAnswer *answer);
