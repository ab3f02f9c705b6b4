/* audit_export.h - the audit log in a file, one JSON object a line, oldest first.
 *
 * That it was exported stands in the log itself.
 */
#pragma once

#include "cli/command.h"

extern const Command audit_export_command;
