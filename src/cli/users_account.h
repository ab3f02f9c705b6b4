/* users_account.h - accounts of the installation: made, kept out, let in, given a new password.
 *
 * On a server that is the operator's; whoever is not is told what he may do instead.
 */
#pragma once

#include "cli/command.h"

extern const Command users_add_command;
extern const Command users_disable_command;
extern const Command users_enable_command;
extern const Command users_password_command;
