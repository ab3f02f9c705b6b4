/* audit.h - who did what, and the proof that nobody has changed it since. */
#pragma once

#include "cli/command.h"

extern const Command audit_command;
