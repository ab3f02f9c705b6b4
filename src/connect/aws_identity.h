/* aws_identity.h - an access key of AWS: long-lived, or temporary with a session token.
 *
 * An AwsIdentity holds references on its Secrets. AwsAmbient is what the installation itself offers
 * as the identity that assumes the roles of connections: the variables AWS_ACCESS_KEY_ID,
 * AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, which are taken out of the environment of the parent
 * process and travel to its workers over their socket, or else the instance's metadata service.
 */
#pragma once

#include "base/secmem.h"
#include "connect/credentials.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define AWS_FIELD_KEY_ID "access_key_id"
#define AWS_FIELD_SECRET "secret_access_key"
#define AWS_FIELD_TOKEN "session_token"

typedef struct {
    Secret *key_id;
    Secret *secret;
    Secret *token;      /* NULL: long-lived */
    int64_t expires_ms; /* wall time; 0: not known, or never */
} AwsIdentity;

void aws_identity_clear(AwsIdentity *identity);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AwsIdentity, aws_identity_clear)

/* Whether any part of an access key stands in the fields. */
bool aws_identity_is_in(const Credentials *credentials);

/* The access key of these fields; *identity_out (empty) is filled. ERROR_CONFIGURATION when a part
 * is missing or holds a character that no key has; the message names the field. */
bool aws_identity_read(const Credentials *credentials, AwsIdentity *identity_out,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct AwsAmbient {
    Credentials *environment; /* with the fields above; NULL: nothing is there */
    bool no_metadata;         /* the instance's metadata service is not to be asked */
} AwsAmbient;

/* Takes the variables out of the environment (they are overwritten and unset), and heeds
 * AWS_EC2_METADATA_DISABLED=true. *ambient_out is cleared by the caller. */
bool aws_ambient_take(AwsAmbient *ambient_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void aws_ambient_clear(AwsAmbient *ambient);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AwsAmbient, aws_ambient_clear)
