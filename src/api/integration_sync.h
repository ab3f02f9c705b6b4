/* integration_sync.h - queues a run of an integration, for a person or a scanner. */
#pragma once

#include "api/route.h"

bool integration_sync(Call *call, GError **error) G_GNUC_WARN_UNUSED_RESULT;
extern const Shape integration_sync_shape;
