/* provider_test.h - replays the recorded exchanges of definitions, offline. */
#pragma once

#include "cli/command.h"

extern const Command provider_test_command;
