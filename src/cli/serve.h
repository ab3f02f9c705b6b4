/* serve.h - runs Assay as a service: workers, schedules, the API. */
#pragma once

#include "cli/command.h"

extern const Command serve_command;
