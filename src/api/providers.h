/* providers.h - what can be connected: the marketplace. */
#pragma once

#include "api/route.h"

extern const Route provider_routes[];
