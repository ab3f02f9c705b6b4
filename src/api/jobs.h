/* jobs.h - runs: list, read, call off, watch. Tests and connects that take long are jobs, too. */
#pragma once

#include "api/route.h"

extern const Route job_routes[];
