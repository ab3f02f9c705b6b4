/* reconnect.h - another credential for an integration that is there: tested, then stored in the
 * place of the one before. Its id, name and history stay. */
#pragma once

#include "cli/command.h"

extern const Command reconnect_command;
