/* migrate.h - `assay migrate`: brings the schema up to date, or copies a whole database.
 */
#pragma once

#include "cli/command.h"

extern const Command migrate_command;
