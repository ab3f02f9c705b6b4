/* program.h - the command line of Assay: the table of subcommands and what surrounds them.
 *
 * Exit status: 0 done, 1 internal, 2 usage or definition, 3 not found, 4 authentication or
 * permission, 5 partly collected, 6 try later.
 */
#pragma once

#include "cli/output.h"

/* Runs a command line (without the program's name, ending in NULL) and returns its exit status.
 * json and quiet of the output are set from the line. */
int program_run(const char *const *vector, Output *output);

/* The whole program, for main(). */
int program_main(int argc, char **argv);
