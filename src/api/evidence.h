/* evidence.h - what was collected: lists, one item with its data.
 *
 * Data may be large: it is sent piece by piece, read as the client takes it, and held against its
 * hash on the way; when the hash is not the one that was logged, the reply is broken off.
 */
#pragma once

#include "api/route.h"

extern const Route evidence_routes[];
