/* emit.h - from a whole row of the read graph to a typed row of evidence.
 */
#pragma once

#include "collect/walk.h"

/* Gives a whole row to every evidence type that is made of rows of its node. */
void emit_row(Run *run, Row *row);
