/* schedules.h - when integrations are due, and the rounds of the organization. */
#pragma once

#include "api/route.h"

extern const Route schedule_routes[];
