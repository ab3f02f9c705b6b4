/* doctor.h - `assay doctor`: whether this installation is in order, and what to do if not.
 */
#pragma once

#include "cli/command.h"
#include "cli/session.h"

extern const Command doctor_command;

/* The findings about the installation that this process serves, {healthy, errors, warnings,
 * findings, at}: with the session's database, the settings that hold now and the key that it has
 * open. Any thread; waits. The caller owns the object. */
Json *doctor_of_service(const Session *session, const Config *settings, const Keyring *keyring,
                        bool network);
