/* evidence_show.h - one evidence item with its data, as collected.
 *
 * Data may be large: it is read chunk by chunk, once to hold it against its hash, once to print it,
 * and never stands in memory whole. As JSON the bytes of the document are printed as they were
 * stored.
 */
#pragma once

#include "cli/command.h"

extern const Command evidence_show_command;
