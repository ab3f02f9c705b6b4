/* touched.h - which controls a run has renewed the evidence of.
 */
#pragma once

#include "base/json.h"
#include "provider/definition.h"

#include <stddef.h>

/* The number of different controls, over all frameworks that this program knows, that the checks
 * of these evidence types (an array of names) support. */
size_t touched_controls(const Definition *definition, const Json *evidence_types);
