/* organizations.h - the tenants of the installation. */
#pragma once

#include "cli/command.h"

extern const Command organizations_list_command;
extern const Command organizations_create_command;
extern const Command organizations_rename_command;
