/* provider_check.h - what is wrong with a definition, by line. */
#pragma once

#include "cli/command.h"

extern const Command provider_check_command;
