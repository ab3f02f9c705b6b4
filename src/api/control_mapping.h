/* control_mapping.h - an organization's own changes of which checks support a control. */
#pragma once

#include "api/route.h"

/* Ends with a route without a method. */
extern const Route control_mapping_routes[];
