/* finish.h - from the last row of an evidence type to its stored record.
 */
#pragma once

#include "collect/walk.h"

/* Ends the document of a type whose rows are all emitted, and stores the record when everything it
 * rests on is durable. Called by the pump until type->stored or type->error. */
void finish_type(Run *run, TypeState *type);
