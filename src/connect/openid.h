/* openid.h - the identity provider of an installation: what is asked of it to log somebody in.
 *
 * One Openid has one network loop on a thread of its own. A login asks it twice: openid_ask()
 * without a code learns where to send the browser; with the code that the browser brought back it
 * exchanges the code (once, on a connection of its own, never repeated), verifies the id token
 * (vault/jose.h, vault/id_token.h) and, when the token has no e-mail address, reads the userinfo.
 * Whoever asked is told on the loop's thread, once, and must not block there.
 *
 * The provider's description is read when it is first needed and kept for an hour; its keys too,
 * and again when a token names one that is not known, but not more than once a minute. Whatever is
 * asked for at once by many is asked of the provider once.
 *
 * Everything is https to public addresses. With allow_private the provider may have a private
 * address, and plain http on the loopback.
 */
#pragma once

#include "base/json.h"
#include "base/secmem.h"

#include <glib.h>
#include <stdbool.h>

#define OPENID_KEEP_MS (3600 * 1000)
#define OPENID_REFRESH_MS (60 * 1000)
#define OPENID_TIMEOUT_MS 10000 /* of one request */
#define OPENID_ASKS_MAX 256     /* at once */

typedef struct Openid Openid;

/* Texts are copied, the secret is referenced. */
typedef struct {
    const char *issuer; /* exactly as the provider writes it */
    const char *client_id;
    Secret *client_secret;    /* NULL: a public client, by PKCE alone */
    const char *redirect_uri; /* where the provider sends the browser back to */
    const char *ca_bundle;    /* NULL: the system's */
    bool allow_private;
} OpenidConfig;

/* ERROR_CONFIGURATION when the issuer may not be used. */
Openid *openid_new(const OpenidConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Everybody who waits is told ERROR_CANCELLED; the thread ends. Asks that come later are refused.
 * NULL allowed, and so are several calls. */
void openid_stop(Openid *openid);
void openid_free(Openid *openid); /* stops; NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Openid, openid_free)

const char *openid_issuer(const Openid *openid);

/* What came of it, borrowed for the call. With an error there is nothing else. */
typedef struct {
    const GError *error;
    /* For who asked without a code. */
    const char *authorization_endpoint;
    /* For who asked with one: claims of the id token, completed by those of the userinfo. They may
     * be kept by a reference; nobody else holds them then. */
    Json *claims;
} OpenidAnswer;
typedef void (*OpenidTold)(const OpenidAnswer *answer, void *data);

typedef struct {
    const char *code; /* NULL: to begin a login */
    const char *verifier;
    const char *nonce;
    OpenidTold told;
    void *data;
} OpenidWish;

/* From any thread. ERROR_RATE_LIMITED when OPENID_ASKS_MAX are under way, ERROR_CANCELLED when it
 * was stopped; nobody is told then. */
bool openid_ask(Openid *openid, const OpenidWish *wish, GError **error) G_GNUC_WARN_UNUSED_RESULT;
