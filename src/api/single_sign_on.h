/* single_sign_on.h - coming in by an identity provider (OpenID Connect): there and back.
 *
 * GET /api/session/oidc/start sends the browser to the provider with a state, a nonce and a PKCE
 * challenge; GET /api/session/oidc/callback is where the provider sends it back to. A login is
 * bound to its browser: a cookie holds 256 random bits, from which nonce and verifier are made, and
 * the state (sync/ephemeral.h: good once, for ten minutes) is stored with its hash. So nothing
 * secret is stored, and a code that was brought to another browser is of no use there.
 *
 * Who comes back is found by issuer and subject; the first time by an e-mail address that the
 * provider has verified, which must be a user's or have an open invitation. Invitations of the
 * address are taken up. Nobody else gets an account.
 */
#pragma once

#include "api/desk.h"
#include "api/route.h"

/* Ends with a route without a method. */
extern const Route single_sign_on_routes[];

/* Where the provider sends browsers back to. Caller frees. */
char *single_sign_on_address(const Desk *desk);
