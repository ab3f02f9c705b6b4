/* organizations.h - the organizations one is in; all of them, and new ones, for the operator. */
#pragma once

#include "api/route.h"

/* Ends with a route without a method. */
extern const Route organization_routes[];
