/* integration_end.h - disconnects an integration, or removes it with all that came from it.
 *
 * Disconnecting calls off its jobs and wipes its credentials; id, evidence and audit stay. An owner
 * purges (store/purge.h): a job that is still being run is called off first, and the request is to
 * be sent again when it has ended.
 */
#pragma once

#include "api/route.h"

bool integration_end(Call *call, GError **error) G_GNUC_WARN_UNUSED_RESULT;
extern const Shape integration_end_query;
extern const Shape integration_end_shape;
