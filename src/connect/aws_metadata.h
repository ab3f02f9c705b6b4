/* aws_metadata.h - the credentials of the role of the machine that Assay runs on.
 *
 * Version 2 of the instance metadata service only: a token is asked for with PUT, then the name of
 * the role and its credentials with that token. The service's address hands out credentials to
 * whoever can reach it, so these three requests are the only ones in the program that may go there
 * (NetRequest.instance_metadata), and no setting leads to them.
 *
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
 */
#pragma once

#include "connect/aws_identity.h"
#include "net/client.h"

#include <glib.h>

/* identity is NULL when it failed; both are borrowed. ERROR_CONFIGURATION when no such service
 * answers, or the machine has no role. */
typedef void (*AwsMetadataDone)(const AwsIdentity *identity, const GError *failure, void *data);

typedef struct AwsMetadataFlight AwsMetadataFlight;

/* done is called once, from the client's loop, unless the flight is called off. */
AwsMetadataFlight *aws_metadata_start(NetClient *client, AwsMetadataDone done, void *data);

/* Calls a flight off that is not done yet: nobody is told. */
void aws_metadata_stop(AwsMetadataFlight *flight);
