/* organizations_delete.h - an organization and everything that it has, gone. */
#pragma once

#include "cli/command.h"

extern const Command organizations_delete_command;
