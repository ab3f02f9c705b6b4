/* reading.h - the life of one read: pages, rows, what hangs on them, the end (see walk.h).
 */
#pragma once

#include "collect/walk.h"

/* Starts the reading of a plan node; parent is NULL for a root. */
Reading *reading_start(Run *run, size_t node, Row *parent);
void reading_free(Reading *reading); /* and all rows below it */

/* Takes rows, emits what is whole, and ends the reading when nothing is left. */
void reading_advance(Reading *reading);
