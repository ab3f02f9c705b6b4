/* configuration.h - `assay config`: the effective settings, and where each comes from.
 */
#pragma once

#include "cli/command.h"

extern const Command config_command;
