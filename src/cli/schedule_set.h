/* schedule_set.h - changes when something is due: set, pause, resume. */
#pragma once

#include "cli/command.h"

extern const Command schedule_set_command;
extern const Command schedule_pause_command;
extern const Command schedule_resume_command;
