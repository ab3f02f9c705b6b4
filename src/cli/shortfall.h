/* shortfall.h - what a run did not collect, and what to do about it, as a table for people. */
#pragma once

#include "base/json.h"
#include "cli/output.h"

/* errors: of a job's result. Prints nothing when there are none. */
void shortfall_print(const Output *output, const Json *errors);
