/* provider_policy.h - the least rights that collecting evidence needs, and what given rights miss.
 */
#pragma once

#include "cli/command.h"

extern const Command provider_policy_command;
