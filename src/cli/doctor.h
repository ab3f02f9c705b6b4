/* doctor.h - `assay doctor`: whether this installation is in order, and what to do if not.
 */
#pragma once

#include "cli/command.h"

extern const Command doctor_command;
