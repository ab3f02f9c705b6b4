/* aws_identity.h - who may sign: the access key of the command line, and the sessions of the role.
 *
 * A session is made by assume-role, has its own key, secret and token, and expires. Signing keys
 * are kept by credential ("AKIA.../20261120/us-east-1/iam/aws4_request"). Not thread-safe.
 */
#pragma once

#include "sandbox/aws_signature.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define AWS_SESSIONS_MAX 10000
#define AWS_CREDENTIALS_MAX 10000

typedef struct {
    char *access_key;
    char *secret;
    char *token; /* NULL: none is sent */
    char *arn;
    char *id;
    int64_t expires_ms; /* 0: never */
    bool session;       /* of the role */
    uint64_t calls;
} AwsIdentity;

typedef struct {
    const char *access_key;
    const char *secret;
    const char *token;       /* or NULL */
    const char *role_arn;    /* or NULL: no role can be assumed */
    const char *external_id; /* or NULL: none is asked for */
    const char *account;
    const char *partition;
    int64_t session_seconds; /* how long a session lives; 0: as long as was asked */
} AwsIdentityOptions;

typedef struct AwsIdentities AwsIdentities;

AwsIdentities *aws_identities_new(const AwsIdentityOptions *options);
void aws_identities_free(AwsIdentities *identities);

/* Forgets sessions and counts. */
void aws_identities_reset(AwsIdentities *identities);

/* The identity with this access key, or NULL. */
AwsIdentity *aws_identity_find(AwsIdentities *identities, const char *access_key);

/* The signing key of an identity in a scope; credential is the whole text of the request. */
const AwsSigningKey *aws_identity_key(AwsIdentities *identities, const AwsIdentity *identity,
                                      const char *credential, const AwsScope *scope);

/* Whether role and external id (NULL: not sent) are those of the trust policy. */
bool aws_role_trusts(const AwsIdentities *identities, const char *role_arn,
                     const char *external_id);

/* Makes a session of the role. The identity belongs to the table; the oldest one gives way. */
const AwsIdentity *aws_role_assume(AwsIdentities *identities, const char *session_name,
                                   int64_t seconds, int64_t now_ms);

/* Calls with the access key of the command line, and with all sessions. */
uint64_t aws_identity_calls(const AwsIdentities *identities, bool session);
