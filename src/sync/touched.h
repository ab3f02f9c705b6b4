/* touched.h - which controls a run has renewed the evidence of.
 */
#pragma once

#include "base/json.h"
#include "provider/registry.h"

#include <glib.h>
#include <stddef.h>

/* What a run has gone by; all borrowed. */
typedef struct {
    Registry *registry;
    const Definition *definition; /* the registry's, or the one that the job has pinned */
    const GPtrArray *changes;     /* ControlMapping*, of all frameworks; NULL: none */
} TouchedPlace;

/* The number of different controls, over all frameworks that this program knows, that the checks
 * of these evidence types (an array of names) support (comply/reach.h). */
size_t touched_controls(const TouchedPlace *place, const Json *evidence_types);
