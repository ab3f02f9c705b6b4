/* evidence.h - what was collected. */
#pragma once

#include "cli/command.h"

extern const Command evidence_list_command;
