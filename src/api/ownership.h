/* ownership.h - whose an integration is: the organization's, or one member's.
 *
 * Everybody in the organization sees a member's integration as his role allows; but besides owners
 * and admins only he changes it, syncs it and calls its jobs off (docs/roles.md, "own"). Members
 * take for themselves what they connect; owners and admins say of any integration whose it is.
 */
#pragma once

#include "api/call.h"

/* Inside a unit: whether the caller may say that an integration belongs to this user (NULL: to the
 * organization), who has to be a member. PROBLEM_FORBIDDEN, or /ownerUserId is wrong. */
bool ownership_may(DbUnit *unit, Call *call, const char *user_id,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Inside a unit, without a call: ERROR_CONFLICT unless the user (or NULL) is still a member. */
bool ownership_holds(DbUnit *unit, const char *user_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Of a request to connect: `ownerUserId`, or `personal` for the caller himself. Asks the database.
 * *user_id_out is borrowed from the call; NULL: the organization's. */
bool ownership_read(Call *call, const char **user_id_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
