/* api_token.h - tokens of programs.
 *
 * A token (vault/ticket.h) is shown once and stored as its SHA-256. It belongs to the installation
 * and reaches organizations by accesses: one row each, with role, grants, named integrations and
 * period, as a membership has them. An organization sees and ends its own access only; the operator
 * sees and revokes whole tokens. A token made on the data directory may also be the operator's.
 *
 * A token may at most what its maker may: an access that a user has given lasts as long as he is a
 * member who could give it now (role_may_assign()). It comes back with him. One that was given on
 * the data directory is nobody's.
 *
 * Last used: the server collects ids and times in memory and writes them by api_token_used() now
 * and then, not with each request.
 */
#pragma once

#include "store/membership.h"

#define API_TOKEN_NAME_MAX 200

typedef struct {
    const char *id;
    const char *name;
    const char *token_hash; /* SHA-256, hexadecimal */
    const char *hint;       /* ticket_hint(): enough to recognize it by */
    bool operator;
    const char *created_by; /* user id or NULL: the command line */
    int64_t created_at;
    int64_t expires_at; /* 0: never */
    int64_t revoked_at; /* 0: is not */
    int64_t last_used_at;
} ApiToken;

/* A token as one organization sees it. */
typedef struct {
    const char *id;
    const char *name;
    const char *hint;
    const char *role;
    const char *grants;
    const char *integrations;
    int64_t period_from;
    int64_t period_until;
    const char *created_by;
    int64_t created_at;
    int64_t expires_at;
    int64_t revoked_at;
    int64_t last_used_at;
} ApiTokenAccess;

void api_token_free(ApiToken *token); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ApiToken, api_token_free)

/* Adds a token without any access (any scope); created_at is set from the clock. */
bool api_token_insert(DbUnit *unit, const ApiToken *token,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Lets the token reach the unit's organization as this membership says; its user_id is the token's
 * id. ERROR_CONFLICT when it does already, or did. */
bool api_token_allow(DbUnit *unit, const Membership *access,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same, given by a user, or by a token that he has made; user_id NULL: as above. */
bool api_token_allow_by(DbUnit *unit, const char *user_id, const Membership *access,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Which user has given a token its access to the unit's organization; *user_id_out is NULL when
 * none has. The caller frees it. */
bool api_token_maker(DbUnit *unit, const char *token_id, char **user_id_out,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A token by id, also one that has ended (any scope). ERROR_NOT_FOUND. */
bool api_token_get(DbUnit *unit, const char *id, ApiToken **token_out,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The live token of a hash (any scope); *token_out is NULL when it is unknown, expired or revoked.
 */
bool api_token_find(DbUnit *unit, const char *token_hash, ApiToken **token_out,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What the token may in the unit's organization; *access_out is NULL when nothing. */
bool api_token_find_access(DbUnit *unit, const char *token_id, Membership **access_out,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* UserMembership* of the organizations that the token reaches (system scope); expires_at is the end
 * of the access or of its maker's membership, whichever comes first. */
bool api_token_list_reach(DbUnit *unit, const char *token_id, GPtrArray **memberships_out,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ApiTokenAccess* of the unit's organization by id behind after_id; ended ones too. */
bool api_token_list(DbUnit *unit, const char *after_id, int64_t limit, GPtrArray **accesses_out,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ApiToken* of the whole installation by id behind after_id (any scope). */
bool api_token_list_all(DbUnit *unit, const char *after_id, int64_t limit, GPtrArray **tokens_out,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends the access to the unit's organization. ERROR_NOT_FOUND. */
bool api_token_disallow(DbUnit *unit, const char *token_id,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Revokes a whole token (any scope; the operator's). ERROR_NOT_FOUND. */
bool api_token_revoke(DbUnit *unit, const char *token_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Moves last_used_at forward, never back (any scope). */
bool api_token_used(DbUnit *unit, const char *token_id, int64_t at,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
