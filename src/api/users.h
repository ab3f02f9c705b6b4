/* users.h - the members of an organization. */
#pragma once

#include "api/route.h"

/* Ends with a route without a method. */
extern const Route user_routes[];
