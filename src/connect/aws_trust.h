/* aws_trust.h - what a customer sets up so that a role can be assumed: external id, trust policy.
 *
 * The external id is made by Assay, one for each connection, and never chosen by who connects: a
 * role that demands it can be used through this one connection only (the confused deputy problem).
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
 */
#pragma once

#include "connect/credentials.h"

#include <glib.h>

#define AWS_FIELD_ROLE_ARN "role_arn"
#define AWS_FIELD_EXTERNAL_ID "external_id"

/* "assay-" and 32 random hexadecimal digits. Caller frees. */
char *aws_trust_make_external_id(void);

/* The first such id in a text, NULL when there is none: a server that made one says so in the
 * sentence with which it refuses the first attempt. Caller frees. */
char *aws_trust_find_external_id(const char *text);

/* The trust policy of the role as JSON text for people; principal is the ARN of the account, user
 * or role that Assay signs with. Caller frees. */
char *aws_trust_policy(const char *principal, const char *external_id);
