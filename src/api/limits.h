/* limits.h - how often services may be called, what is left of it, and the operator's own limits.
 *
 * All of it belongs to the installation and is the operator's.
 */
#pragma once

#include "api/route.h"

extern const Route limit_routes[];
