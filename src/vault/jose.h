/* jose.h - signed tokens of others: JSON Web Keys, and signatures made with them (cjose inside).
 *
 * jose_keys_parse() reads a published key set (RFC 7517); jose_verify() accepts a compact JWS
 * (RFC 7515) that one of its keys has signed, and gives what was signed. What may be trusted is
 * decided here and never by the token (RFC 8725): the algorithm is RS256, PS256 or ES256, which is
 * to say never "none" and never a shared secret; a key is used with the algorithm of its own type
 * only; keys within a token are not looked at; a token that wants an extension (crit) is refused.
 *
 * Also here: the two hashes that authorization codes and access tokens are bound by.
 */
#pragma once

#include "base/json.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define JOSE_TOKEN_MAX (16 * 1024)
#define JOSE_KEYS_MAX (256 * 1024) /* of a key set's text */

typedef struct JoseKeys JoseKeys;

typedef enum {
    JOSE_VALID,
    JOSE_UNKNOWN_KEY, /* the token names a key that is not in the set: the set may be old */
    JOSE_INVALID
} JoseVerdict;

/* Keys that are not for checking signatures of the three algorithms are left out, and so are RSA
 * keys of less than 2,048 bits. ERROR_SERVICE_UNAVAILABLE when it is no key set. */
JoseKeys *jose_keys_parse(const char *text, size_t size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void jose_keys_free(JoseKeys *keys); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JoseKeys, jose_keys_free)

/* How many can be used. */
size_t jose_keys_count(const JoseKeys *keys);

/* *claims_out, an object, is the caller's when the token is valid. Otherwise the error is set:
 * ERROR_AUTHENTICATION_FAILED. A token that names no key is checked with the only one that fits. */
JoseVerdict jose_verify(const JoseKeys *keys, const char *token, Json **claims_out, GError **error);

/* The S256 challenge of a PKCE verifier (RFC 7636 section 4.2). Caller frees. */
char *jose_challenge(const char *verifier);

/* at_hash of an access token for these algorithms (OpenID Connect Core 3.1.3.6). Caller frees. */
char *jose_half_hash(const char *text);
