/* id_token.h - what an id token must say before it proves who somebody is.
 *
 * The claims come from vault/jose.h, so that the signature is right already. They are held against
 * what this login expects (OpenID Connect Core 3.1.3.7): issuer, audience, nonce, times, and the
 * access token that came along. Refusals say which rule was broken and repeat nothing of the token.
 */
#pragma once

#include "base/json.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define ID_TOKEN_SKEW_MS (60 * (int64_t)1000)     /* what the two clocks may differ by */
#define ID_TOKEN_AGE_MS (10 * 60 * (int64_t)1000) /* since it was issued */
#define ID_TOKEN_SUBJECT_MAX 255

typedef struct {
    const char *issuer;
    const char *client_id;
    const char *nonce;
    const char *access_token; /* at_hash is held against it; NULL: none came */
    int64_t now_ms;
} IdTokenExpected;

/* ERROR_AUTHENTICATION_FAILED. */
bool id_token_check(const Json *claims, const IdTokenExpected *expected,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
