/* testing.h - whether the stored credential of an integration works, asked of its service.
 *
 * What comes of it moves the integration's health (store/integration.h), unless it was connected
 * again meanwhile: a refused credential needs reconnecting, one that works no longer does. Other
 * failures say nothing of the credential.
 */
#pragma once

#include "api/route.h"

bool testing_begin(Call *call, GError **error) G_GNUC_WARN_UNUSED_RESULT;
extern const Shape testing_shape;
