/* access_body.h - what a person or token is to be allowed, as a request says it.
 *
 * {role, grants?, integrations?, periodFrom?, periodUntil?, expiresAt?} (ACCESS_BODY_FIELDS).
 */
#pragma once

#include "api/call.h"
#include "store/membership.h"

/* The texts of the membership are the struct's or the call's body's. */
typedef struct {
    Membership membership; /* without user_id */
    char *grants;
    char *integrations;
} AccessBody;

/* Fails when it does not fit together, and with PROBLEM_FORBIDDEN when the caller may not give so
 * much. */
bool access_body_init(AccessBody *access, Call *call, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void access_body_clear(AccessBody *access);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AccessBody, access_body_clear)

/* The same without asking what the caller may. */
bool access_body_read(AccessBody *access, Call *call, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the caller may give this role, or take it away. Fails with PROBLEM_FORBIDDEN. */
bool access_body_may(Call *call, const char *role, const char *grants,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Inside a unit: every integration that is named is the organization's. ERROR_NOT_FOUND. */
bool access_body_require(DbUnit *unit, const Membership *membership,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
