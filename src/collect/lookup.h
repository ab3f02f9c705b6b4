/* lookup.h - shared lists and those who look something up in them.
 *
 * A read with an `index` is two plan nodes (provider/plan.h): the shared list, whose rows go into
 * an index under their key, and a lookup per row below `for`, whose value is what the list holds
 * under its key. A lookup waits until the list is over, or for the row that the list hangs on.
 */
#pragma once

#include "collect/walk.h"

bool lookup_is(const Reading *reading);

/* Begins a lookup: it goes on at once, or when its list is there. */
void lookup_begin(Reading *lookup);

/* Takes what the shared list has into lookup->collected; false while that is still being read. */
bool lookup_take(Reading *lookup);

/* Puts a row of a shared list into its index; rows without a key are nobody's. */
bool lookup_index_row(Reading *shared, const char *json, size_t size, Value row,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Lookups that waited for this reading go on with the next turn of the pump. */
void lookup_wake(Reading *reading);
