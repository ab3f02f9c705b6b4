/* aws_assume.h - one call of STS AssumeRole.
 *
 * The request is signed by the base identity's pen and sent to the endpoint of one region. The
 * answer's bodies are wiped; the credentials leave as Secrets. A clock that was wrong is corrected
 * in the pen and the call is made once more.
 */
#pragma once

#include "connect/aws_identity.h"
#include "connect/aws_pen.h"
#include "net/client.h"

#include <glib.h>
#include <stdbool.h>

#define AWS_ASSUME_SECONDS 3600 /* the most that a role assumed by a role may have */

typedef struct {
    const char *endpoint; /* "https://sts.eu-west-1.amazonaws.com", without a path */
    const char *region;
    const char *role_arn;
    const char *external_id;
    const char *session_name;
    bool allow_private;
} AwsAssume;

/* identity is NULL when it failed; it is borrowed, as is the failure. */
typedef void (*AwsAssumeDone)(const AwsIdentity *identity, const GError *failure, void *data);

typedef struct AwsAssumeFlight AwsAssumeFlight;

/* Starts a call; done is called once, from the client's loop, unless the flight is called off. The
 * pen must live until then. */
AwsAssumeFlight *aws_assume_start(NetClient *client, AwsPen *pen, const AwsAssume *what,
                                  AwsAssumeDone done, void *data);

/* Calls a flight off that is not done yet: nobody is told. */
void aws_assume_stop(AwsAssumeFlight *flight);
