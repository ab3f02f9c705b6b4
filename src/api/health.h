/* health.h - for whoever runs the installation: alive, ready, figures, the description of the API.
 */
#pragma once

#include "api/route.h"

extern const Route health_routes[];
