/* backup.h - `assay backup` and `assay restore`: everything in one file, and back.
 *
 * A backup is a database of SQLite, of whichever engine it was made, with FILE.sha256 beside it in
 * the form of sha256sum(1). It holds sealed credentials and never the key.
 */
#pragma once

#include "cli/command.h"

extern const Command backup_command;
