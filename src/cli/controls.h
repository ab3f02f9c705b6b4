/* controls.h - where the controls of a framework stand, its score, and what to fix next. */
#pragma once

#include "cli/command.h"

extern const Command controls_command;
