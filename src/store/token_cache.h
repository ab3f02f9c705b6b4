/* token_cache.h - sealed access tokens in the database, for as long as they are valid.
 *
 * One a credential, of one version of it: a token of an older version is never given, and never
 * replaces a newer one. Sealed by vault/ before it comes here; the checksum (of sync/ephemeral.h)
 * tells damage from a wrong key. sync/ephemeral.h keeps it in Redis instead when there is one.
 */
#pragma once

#include "store/record.h"

#define TOKEN_CACHE_SEALED_MAX 65536

typedef struct {
    const char *integration_id;
    const char *credential; /* its name */
    int64_t version;        /* of the credential */
    const char *sealed;
    const char *checksum;
    int64_t expires_at;
} CachedToken;

void cached_token_free(CachedToken *token); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CachedToken, cached_token_free)

/* Stores one, and forgets those of the organization that are over at now_ms. */
bool token_cache_put(DbUnit *unit, const CachedToken *token, int64_t now_ms,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The token of wanted's integration, credential and version that is valid at now_ms; NULL when
 * there is none. */
bool token_cache_get(DbUnit *unit, const CachedToken *wanted, int64_t now_ms,
                     CachedToken **token_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Forgets the token of a credential, if there is one. */
bool token_cache_drop(DbUnit *unit, const CachedToken *wanted,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
