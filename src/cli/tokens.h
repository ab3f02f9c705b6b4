/* tokens.h - tokens of programs. */
#pragma once

#include "cli/command.h"

extern const Command tokens_create_command;
extern const Command tokens_allow_command;
extern const Command tokens_list_command;
extern const Command tokens_revoke_command;
