/* users.h - people of the installation, and what they are in an organization. */
#pragma once

#include "cli/command.h"

extern const Command users_list_command;
extern const Command users_add_command;
extern const Command users_invite_command;
extern const Command users_role_command;
extern const Command users_remove_command;
extern const Command users_disable_command;
extern const Command users_enable_command;
extern const Command users_password_command;
