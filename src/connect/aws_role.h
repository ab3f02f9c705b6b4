/* aws_role.h - the scheme aws_role: temporary credentials of a role in the customer's account.
 *
 * The role is assumed by a base identity: the access key in the connection's own fields, else that
 * of the environment, else the one that the instance's metadata service gives (AwsAmbient). The
 * credentials live for an hour. They are made when the first request needs them, made anew five
 * minutes before they end, also in the middle of a run, and when a service says that they have
 * expired; whoever needs them meanwhile waits for the one renewal that is under way. They are never
 * stored.
 *
 * Fields: role_arn, external_id (which Assay makes, see aws_trust.h), and optionally an access key.
 *
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
#pragma once

#include "connect/authorizer.h"

/* An AuthorizerMake. */
bool aws_role_new(const AuthorizerConfig *config, Authorizer **authorizer_out,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
