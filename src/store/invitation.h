/* invitation.h - a membership offered to an e-mail address.
 *
 * The token (vault/ticket.h) is sent or shown once and stored as its SHA-256. It is good for one
 * use within INVITATION_LIFE_MS. Inviting an address again replaces the open invitation. Accepting
 * is one unit of work: the invitation is found by its hash, the user found or added, the membership
 * made, the invitation closed by invitation_close(), which one of two callers wins. It stands for
 * as long as who has invited could do so: whoever is removed leaves no way in behind.
 */
#pragma once

#include "store/membership.h"

#define INVITATION_LIFE_MS (7 * 24 * 3600 * (int64_t)1000)

typedef struct {
    const char *id;
    const char *email; /* normal form */
    const char *role;
    const char *grants;
    const char *integrations;
    int64_t period_from;
    int64_t period_until;
    const char *token_hash; /* SHA-256, hexadecimal */
    const char *invited_by; /* user id; NULL: the command line, or a token of no user */
    int64_t created_at;
    int64_t expires_at;
    int64_t closed_at;       /* accepted, replaced or taken back; 0: open */
    const char *accepted_by; /* user id or NULL */
} Invitation;

/* An open invitation found by its token, with where it leads. */
typedef struct {
    const char *organization_id;
    const char *organization; /* its name */
    const char *id;
    const char *email;
    const char *role;
    int64_t expires_at;
} InvitationOffer;

void invitation_free(Invitation *invitation);       /* NULL allowed */
void invitation_offer_free(InvitationOffer *offer); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Invitation, invitation_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(InvitationOffer, invitation_offer_free)

/* Stores an invitation; created_at and expires_at are set from the clock, an open one of the same
 * address is closed. ERROR_CONFLICT when the address belongs to a member. */
bool invitation_insert(DbUnit *unit, const Invitation *invitation,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Invitation* by id behind after_id that are open and not expired. */
bool invitation_list(DbUnit *unit, const char *after_id, int64_t limit, GPtrArray **invitations_out,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The open, unexpired invitation of a token (system scope); *offer_out is NULL when there is none.
 */
bool invitation_find_by_token(DbUnit *unit, const char *token_hash, InvitationOffer **offer_out,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* InvitationOffer* of an address in normal form that are open and not expired, oldest first (system
 * scope). For whoever is known to own the address. */
bool invitation_find_by_email(DbUnit *unit, const char *email, GPtrArray **offers_out,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes the user a member as the invitation says and closes it (scope: the organization of the
 * offer). ERROR_NOT_FOUND when it is not open any more; ERROR_CONFLICT when the user is a member.
 */
bool invitation_accept(DbUnit *unit, const char *id, const char *user_id,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Takes an open invitation back. ERROR_NOT_FOUND. */
bool invitation_revoke(DbUnit *unit, const char *id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
