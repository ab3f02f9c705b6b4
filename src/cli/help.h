/* help.h - what `assay help` prints, from the table of commands. */
#pragma once

#include "cli/command.h"

/* One command with options and examples. */
void help_command(const Output *output, const Command *command);

/* The commands whose name begins with this word. Tables end in NULL. */
void help_group(const Output *output, const Command *const *commands, const char *word);

/* All commands. */
void help_program(const Output *output, const Command *const *commands);
