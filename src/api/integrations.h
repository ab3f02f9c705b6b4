/* integrations.h - connections of an organization: list, read, change, sync, disconnect.
 *
 * Connecting and testing, which ask the service, are in connecting.h.
 */
#pragma once

#include "api/route.h"

extern const Route integration_routes[];
