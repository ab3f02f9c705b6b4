/* oauth_state.h - states of authorization requests (RFC 6749 section 10.12), in the database.
 *
 * Only the SHA-256 of a state is stored, with what the callback needs. A state is taken once: of
 * two callers with the same state one gets the row. sync/ephemeral.h puts it in Redis instead when
 * there is one.
 */
#pragma once

#include "store/record.h"

#define OAUTH_STATE_CONTENT_MAX 16384

typedef struct {
    const char *state_hash; /* hexadecimal */
    const char *content;    /* JSON object, without secrets or sealed */
    int64_t expires_at;
} OauthState;

/* Stores one, and forgets those of the organization that are over at now_ms. */
bool oauth_state_put(DbUnit *unit, const OauthState *state, int64_t now_ms,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Takes the state away. *content_out (caller frees) is NULL when there is none, it was taken
 * before, or it is over at now_ms. */
bool oauth_state_take(DbUnit *unit, const char *state_hash, int64_t now_ms, char **content_out,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
