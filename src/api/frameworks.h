/* frameworks.h - frameworks, where their controls stand, and scores over time. */
#pragma once

#include "api/route.h"

extern const Route framework_routes[];
