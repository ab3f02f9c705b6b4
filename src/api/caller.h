/* caller.h - who sends a request, and what he is in an organization.
 *
 * A caller shows an API token ("Authorization: Bearer assay_...") or the cookie of a session. Both
 * are looked up by their hash; nothing of them is kept here but what CSRF protection needs. What a
 * token shows is remembered until something is committed (recall.h) or one of its times has come,
 * so that a token that was revoked, here or by another process, is refused from the next request
 * on. Then he enters the organization that the request names, or the only one that he reaches. An
 * organization that he does not reach is not found, whether it exists or not.
 *
 * Requests that come with a cookie and change something must prove that the application sent them:
 * the header X-CSRF-Token carries the session's CSRF token (store/user_session.h), and Origin, when
 * a browser sends it, is the public address of the installation.
 */
#pragma once

#include "api/recall.h"
#include "store/audit.h"
#include "store/role.h"

#include <glib.h>
#include <stdbool.h>

#define CALLER_COOKIE "__Host-assay"
#define CALLER_COOKIE_PLAIN "assay" /* without TLS, on the loopback only */

typedef struct {
    const char *kind; /* AUDIT_USER or AUDIT_TOKEN */
    const char *id;
    const char *name; /* e-mail address, or name of the token */
    bool operator;
    char *session;          /* the session's ticket; NULL: a token */
    const char *session_id; /* or NULL */
    bool seen_due;          /* the session's last_seen_at is to be written */
    const GPtrArray *reach; /* UserMembership */
    /* Once he has entered an organization: */
    const char *organization; /* its id; NULL: none */
    RoleSubject subject;
    /* Where the database was before he was looked for. */
    RecallMark mark;
    struct CallerFacts *facts; /* what the texts above are borrowed from */
} Caller;

typedef struct {
    const char *authorization; /* headers; NULL when absent */
    const char *cookie;
    bool secure; /* the installation is reached over TLS */
} CallerProof;

/* Whether an Authorization header shows a token, valid or not; a session is not asked for then. */
bool caller_shows_token(const char *authorization);

/* ERROR_AUTHENTICATION_FAILED when nothing valid was shown. */
bool caller_find(Db *db, Recall *recall, const CallerProof *proof, Caller **caller_out,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
void caller_free(Caller *caller); /* wipes; NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Caller, caller_free)

/* Enters an organization by id or name; NULL: the only one. ERROR_NOT_FOUND when he does not reach
 * it, ERROR_USAGE when he must say which. */
bool caller_enter(Caller *caller, const char *wanted, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether a request that changes something may be believed. */
typedef struct {
    const char *token;      /* header X-CSRF-Token, or NULL */
    const char *origin;     /* header Origin, or NULL */
    const char *public_url; /* of the installation */
} CallerOrigin;
bool caller_meant_it(const Caller *caller, const CallerOrigin *origin);

/* The value of a cookie; NULL when there is none. Caller frees. */
char *caller_cookie(const char *header, const char *name);
