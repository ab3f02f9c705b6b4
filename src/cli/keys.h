/* keys.h - `assay keys export`: the key-encryption key, for keeping elsewhere.
 */
#pragma once

#include "cli/command.h"

extern const Command keys_export_command;
