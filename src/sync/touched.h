/* touched.h - which controls a run has renewed the evidence of.
 */
#pragma once

#include "base/json.h"
#include "provider/definition.h"

#include <glib.h>
#include <stddef.h>

/* The number of different controls, over all frameworks that this program knows, that the checks
 * of these evidence types (an array of names) support. changes: ControlMapping* of the organization
 * (comply/mapping.h), of all frameworks; NULL: none. */
size_t touched_controls(const Definition *definition, const Json *evidence_types,
                        const GPtrArray *changes);
