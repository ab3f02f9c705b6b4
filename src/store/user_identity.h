/* user_identity.h - who a user is at an identity provider (OpenID Connect).
 *
 * A person is known there by issuer and subject, which never change; an e-mail address may pass to
 * somebody else. A user has at most one subject of an issuer.
 *
 * All functions run in any scope: no row belongs to an organization.
 */
#pragma once

#include "store/record.h"
#include "store/user.h"

#define USER_IDENTITY_TEXT_MAX 512

typedef struct {
    const char *issuer;
    const char *subject;
    const char *user_id;
    int64_t created_at;
} UserIdentity;

/* Binds a user to a subject; created_at is set from the clock. ERROR_CONFLICT when the subject is
 * bound already, or the user to another subject of the issuer. */
bool user_identity_insert(DbUnit *unit, const UserIdentity *identity,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whose subject this is, disabled or not; *user_out is NULL when it is nobody's. */
bool user_identity_find(DbUnit *unit, const char *issuer, const char *subject, User **user_out,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
