/* membership.h - what a user is in an organization.
 *
 * One row per organization and user: role, grants, what a scanner may see, an auditor's period, and
 * when the membership ends. Lists are words separated by one space (store/role.h).
 *
 * An organization never loses its last owner: changes that would do so are ERROR_CONFLICT, also
 * when two are made at once (the organization's row is locked first).
 */
#pragma once

#include "store/record.h"
#include "store/role.h"

/* Most bytes of a list of integration ids. */
#define MEMBERSHIP_LIST_MAX 16384

typedef struct {
    const char *user_id;
    const char *role;         /* role_name() */
    const char *grants;       /* or NULL */
    const char *integrations; /* ids, for scanners; or NULL */
    int64_t period_from;      /* for auditors; 0: open */
    int64_t period_until;
    int64_t expires_at; /* of the membership; 0: never */
    int64_t created_at;
    int64_t updated_at;
} Membership;

/* With the user beside it, for lists of people. */
typedef struct {
    const char *user_id;
    const char *email;
    const char *name;
    const char *role;
    const char *grants;
    const char *integrations;
    int64_t period_from;
    int64_t period_until;
    int64_t expires_at;
    int64_t disabled_at;
    int64_t last_login_at;
    int64_t created_at;
} Member;

/* With the organization beside it, for a user's own list. */
typedef struct {
    const char *organization_id;
    const char *organization;
    const char *role;
    const char *grants;
    const char *integrations;
    int64_t period_from;
    int64_t period_until;
    int64_t expires_at;
} UserMembership;

void membership_free(Membership *membership); /* NULL allowed */
void member_free(Member *member);             /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Membership, membership_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Member, member_free)

/* For the statements of store/ that read a UserMembership. */
extern const RecordShape user_membership_shape;

/* Whether the parts of a membership fit each other: a known role, known grants, integrations for a
 * scanner and for nobody else, a period for auditors only and not backwards. ERROR_CONFIGURATION.
 * Tokens and invitations are held to the same rule. */
bool membership_check(const Membership *membership, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes the user a member; created_at and updated_at are set from the clock. ERROR_CONFLICT when it
 * is one. */
bool membership_insert(DbUnit *unit, const Membership *membership,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The membership of a user in the unit's organization; *membership_out is NULL when there is none
 * or it has ended. */
bool membership_find(DbUnit *unit, const char *user_id, Membership **membership_out,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Replaces role, grants, integrations, period and end. ERROR_NOT_FOUND; ERROR_CONFLICT for the last
 * owner. */
bool membership_update(DbUnit *unit, const Membership *membership,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Integrations that belonged to the user become the organization's: they go on. ERROR_NOT_FOUND;
 * ERROR_CONFLICT for the last owner. */
bool membership_delete(DbUnit *unit, const char *user_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The member with this user id, ended or not. ERROR_NOT_FOUND. */
bool member_get(DbUnit *unit, const char *user_id, Member **member_out,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Member* by user id behind after_id (NULL: from the first); ended ones too. */
bool membership_list(DbUnit *unit, const char *after_user_id, int64_t limit,
                     GPtrArray **members_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* UserMembership* of a user that have not ended, by the organization's name (system scope). */
bool membership_list_of_user(DbUnit *unit, const char *user_id, GPtrArray **memberships_out,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Who this makes the user. Borrows from the membership. */
RoleSubject membership_subject(const Membership *membership);
