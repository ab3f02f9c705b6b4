/* manual.h - `assay manual`: the pages of the manual, made of the tables that help, completion and
 * the settings are made of, so that they say what the program does.
 *
 * There is assay(1), one page for each first word of a command ("assay-jobs" holds jobs list, show
 * ...) and assay.yaml(5). The build has the program write them all (CMakeLists.txt), and they are
 * installed with it.
 */
#pragma once

#include "cli/command.h"

#include <glib.h>

extern const Command manual_command;

/* The names of all pages with their sections, "assay-jobs.1", in the order of the table of
 * commands, which ends in NULL. The caller frees the array, which frees the names. */
GPtrArray *manual_pages(const Command *const *commands);

/* The text of one of them. The caller frees it; NULL when there is no page of that name. */
char *manual_page(const Command *const *commands, const char *name);
