/* findings.h - what is wrong, and where. */
#pragma once

#include "api/route.h"

extern const Route finding_routes[];
