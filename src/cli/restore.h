/* restore.h - `assay restore`: a backup into an empty place.
 */
#pragma once

#include "cli/command.h"

extern const Command restore_command;
