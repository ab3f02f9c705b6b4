/* init.h - makes the data directory, the database, the key and the organization. */
#pragma once

#include "cli/command.h"

extern const Command init_command;
