/* events.h - everything that one may see, as it happens: one stream for a browser or a program. */
#pragma once

#include "api/route.h"

/* Ends with a route without a method. */
extern const Route event_routes[];
