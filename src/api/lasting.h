/* lasting.h - answers that stay the same until something is committed.
 *
 * What a route with ROUTE_LASTING answers follows from the caller, the target and the rows of the
 * database alone: not from the clock, other headers or what another request has done. Such an
 * answer is given again to the same caller without asking the database, for as long as nobody has
 * committed anything (api/recall.h), and its tag is made once. The gate is passed before, always:
 * who is no longer let in does not come here.
 */
#pragma once

#include "api/call.h"

/* Answers from memory; false when there is nothing, and the handler must. */
bool lasting_answer(Call *call);

/* Remembers what the handler has answered, and sets its tag. */
void lasting_keep(Call *call);
