/* ephemeral.h - what is kept for minutes or shown for a while: states of logins, sealed access
 * tokens, the newest security events. In Redis when there is one, else in the database.
 *
 * A call that Redis does not answer goes to the database within the same call. Nothing that must
 * not be lost is here, and nothing that is open: tokens were sealed by vault/ before they come.
 *
 * - A state (RFC 6749 section 10.12) is accepted once, in STATE_LIFE_MS. Its text says where it was
 *   put, and it is taken from there or not at all: while Redis is gone the states that it held are
 *   refused, and a Redis that starts again, even from a copy, does not know them. People then start
 *   again; nobody gets in twice. Only hashes of states are stored.
 * - A token is kept until it expires, for one version of its credential; an older one is never
 * given and never replaces a newer one. Its checksum tells damage (ERROR_CRYPTO, and it is
 * forgotten).
 * - Of the events of an organization the newest EPHEMERAL_EVENTS are kept. Those that were written
 *   while Redis was gone are in the database, and are shown among the others.
 *
 * From any thread but that of a network loop: calls wait for Redis and for the database.
 */
#pragma once

#include "db/db.h"
#include "net/redis.h"
#include "store/security_event.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define STATE_LIFE_MS (10LL * 60 * 1000)
#define STATE_TEXT_MAX 320
#define EPHEMERAL_EVENTS SECURITY_EVENT_KEPT

typedef struct Ephemeral Ephemeral;

/* Both are borrowed; redis may be NULL. */
Ephemeral *ephemeral_new(Db *db, Redis *redis);
void ephemeral_free(Ephemeral *ephemeral);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ephemeral, ephemeral_free)

/* --- states ---------------------------------------------------------------------------------- */

/* A new random state; content (JSON, sealed where it is secret) comes back with it. */
bool ephemeral_state_new(Ephemeral *ephemeral, const char *organization, const char *content,
                         char **state_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What was put with a state, for the first who asks. ERROR_AUTHENTICATION_FAILED when it is none of
 * ours, was taken, is over, or cannot be looked up. Both outputs are the caller's. */
bool ephemeral_state_take(Ephemeral *ephemeral, const char *state, char **organization_out,
                          char **content_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* --- tokens ---------------------------------------------------------------------------------- */

typedef struct {
    const char *organization;
    const char *integration;
    const char *credential; /* its name */
    int64_t version;        /* of the credential */
} EphemeralTokenKey;

/* expires_at: wall time; a token that is over is not kept. */
bool ephemeral_token_put(Ephemeral *ephemeral, const EphemeralTokenKey *key, const char *sealed,
                         int64_t expires_at, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* *sealed_out (the caller's) is NULL when there is none of this version. */
bool ephemeral_token_get(Ephemeral *ephemeral, const EphemeralTokenKey *key, char **sealed_out,
                         int64_t *expires_at_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Forgets the tokens of a credential, of any version. */
bool ephemeral_token_drop(Ephemeral *ephemeral, const EphemeralTokenKey *key,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* --- events ---------------------------------------------------------------------------------- */

/* Adds an event, a JSON object without secrets. */
bool ephemeral_event_add(Ephemeral *ephemeral, const char *organization, const char *event,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SecurityEvent*, the newest first, at most limit (to STORE_LIST_MAX). The array frees its rows. */
bool ephemeral_event_list(Ephemeral *ephemeral, const char *organization, int64_t limit,
                          GPtrArray **events_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
