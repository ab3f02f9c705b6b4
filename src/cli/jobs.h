/* jobs.h - the runs of the organization: what waits, what runs, what came of it. */
#pragma once

#include "cli/command.h"

extern const Command jobs_list_command;
extern const Command jobs_show_command;
extern const Command jobs_cancel_command;
extern const Command jobs_retry_command;
