/* help.h - what `assay help` prints, from the table of commands, and the texts that it shares with
 * the manual (manual.h).
 */
#pragma once

#include "cli/command.h"

#define HELP_SUMMARY "collects compliance evidence, and proves it"
#define HELP_ABOUT                                                                                 \
    "Assay connects services, collects evidence from them, enters it in a Merkle log, judges it "  \
    "against frameworks such as SOC 2 and ISO 27001, and says what to fix.\n\n"                    \
    "Commands work on a data directory of this machine or, with --server, on a server that was "   \
    "started by `assay serve`."
#define HELP_EXAMPLES                                                                              \
    "assay connect github --name acme\n"                                                           \
    "assay sync acme\n"                                                                            \
    "assay controls --framework soc2"

typedef struct {
    int status;
    const char *meaning; /* NULL ends the table */
} HelpStatus;

/* What exit statuses mean. */
extern const HelpStatus help_statuses[];

/* What the commands with this first word are about, in one line; NULL when there are none. */
const char *help_summary(const Command *const *commands, const char *word);

/* One command with options and examples. */
void help_command(const Output *output, const Command *command);

/* The commands whose name begins with this word. Tables end in NULL. */
void help_group(const Output *output, const Command *const *commands, const char *word);

/* All commands. */
void help_program(const Output *output, const Command *const *commands);
