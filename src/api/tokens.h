/* tokens.h - tokens of programs that reach an organization. */
#pragma once

#include "api/route.h"

/* Ends with a route without a method. */
extern const Route token_routes[];
