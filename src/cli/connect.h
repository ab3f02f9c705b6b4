/* connect.h - connects a service: asks for what is missing, tests it, then stores it sealed. */
#pragma once

#include "cli/command.h"

extern const Command connect_command;
