/* user_session.h - browsers that are logged in.
 *
 * The session's token (vault/ticket.h) lives in the cookie
 *
 *     __Host-assay=TOKEN; Path=/; Secure; HttpOnly; SameSite=Lax
 *
 * and is stored as its SHA-256. (Without TLS, on the loopback only, the name is "assay" and Secure
 * is left out; browsers refuse __Host- there.) The CSRF token of a session is
 * ticket_csrf(session token): the browser gets it from GET /api/session, sends it back in the
 * header X-CSRF-Token with everything that changes something, and nothing of it is stored.
 *
 * A session ends USER_SESSION_IDLE_MS after it was last seen, USER_SESSION_LIFE_MS after it began,
 * when it is ended, when its user is disabled or changes the password elsewhere. "Last seen" is
 * written once a minute at most.
 *
 * All functions run in any scope: no row belongs to an organization.
 */
#pragma once

#include "store/record.h"

#define USER_SESSION_IDLE_MS (12 * 3600 * (int64_t)1000)
#define USER_SESSION_LIFE_MS (7 * 24 * 3600 * (int64_t)1000)
#define USER_SESSION_SEEN_MS (60 * (int64_t)1000)

typedef struct {
    const char *id; /* for lists; not secret */
    const char *user_id;
    const char *token_hash; /* SHA-256, hexadecimal */
    const char *address;    /* of the client at login */
    const char *agent;      /* User-Agent, cut; or NULL */
    int64_t created_at;
    int64_t last_seen_at;
    int64_t expires_at; /* absolute */
} UserSession;

/* A live session with its user: what a request needs to know. */
typedef struct {
    const char *id;
    const char *user_id;
    const char *email;
    const char *name;
    int64_t last_seen_at;
    int64_t expires_at;
} UserSessionCaller;

void user_session_caller_free(UserSessionCaller *caller); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UserSessionCaller, user_session_caller_free)

/* Begins a session; all times are set from the clock. */
bool user_session_insert(DbUnit *unit, const UserSession *session,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The live session of a token; *caller_out is NULL when there is none: unknown, idle too long,
 * expired, or its user disabled. Changes nothing. */
bool user_session_find(DbUnit *unit, const char *token_hash, UserSessionCaller **caller_out,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether last_seen_at is old enough to be written. */
bool user_session_is_due(const UserSessionCaller *caller);

/* Writes last_seen_at from the clock. */
bool user_session_seen(DbUnit *unit, const char *id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* UserSession* of a user that are alive, by id. */
bool user_session_list(DbUnit *unit, const char *user_id, GPtrArray **sessions_out,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends one session of a user. ERROR_NOT_FOUND. */
bool user_session_end(DbUnit *unit, const char *user_id, const char *id,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends all sessions of a user but this one (NULL: all). */
bool user_session_end_others(DbUnit *unit, const char *user_id, const char *keep_id,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Deletes what has ended (scheduler, hourly). */
bool user_session_prune(DbUnit *unit, GError **error) G_GNUC_WARN_UNUSED_RESULT;
