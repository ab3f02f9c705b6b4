/* configuration.h - the effective settings of the installation. */
#pragma once

#include "api/route.h"

extern const Route configuration_routes[];
