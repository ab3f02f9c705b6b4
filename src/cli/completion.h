/* completion.h - completes command lines in bash, zsh and fish.
 *
 * `assay completion SHELL` prints a script of a few lines, which asks `assay completion words` for
 * what fits at each press of the key. So a script never knows other commands than the program has.
 */
#pragma once

#include "cli/command.h"

#include <glib.h>

extern const Command completion_command;

/* What may stand in place of the last word, as lines "WORD<tab>what it is": commands, options, or
 * nothing where a value is meant. words end in NULL and do not hold the program's name. The caller
 * frees the array, which frees the lines. */
GPtrArray *completion_candidates(const Command *const *commands, const char *const *words);
