/* integration_edit.h - what somebody may change of an integration: name, settings, evidence types,
 * checks, whose it is, when it is due, and whether it is paused.
 *
 * A change is made whole or not at all (revision.h). Where the credential is
 * sent (allow_private, endpoint_url, hosts) is never changed here: that needs the credential again.
 */
#pragma once

#include "api/route.h"

bool integration_edit(Call *call, GError **error) G_GNUC_WARN_UNUSED_RESULT;
extern const Shape integration_edit_shape;
