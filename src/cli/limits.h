/* limits.h - assay limits: how often services may be called, and what is left of it. */
#pragma once

#include "cli/command.h"

extern const Command limits_command;
extern const Command limits_set_command;
extern const Command limits_clear_command;
