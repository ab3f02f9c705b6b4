/* reach.h - which controls the checks of a definition speak for: mapping.h the other way round.
 *
 * Over all frameworks of this program, with the organization's changes laid over what the
 * definition says. It is made once for a definition and asked for any number of its checks, so that
 * a page of findings, or the result of a run, reads the changes once.
 */
#pragma once

#include "comply/mapping.h"

typedef struct Reach Reach;

/* Of a definition that the registry has, or of another one (which a run has pinned): the same, but
 * what follows from the former is worked out once (law.h). changes: ControlMapping* of the
 * organization, of all frameworks; NULL: none. They are not needed any more afterwards; the
 * definition must outlive the reach. */
Reach *reach_new(const Definition *definition, Registry *registry, const GPtrArray *changes);
void reach_free(Reach *reach);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Reach, reach_free)

/* The controls that a check of this definition supports, frameworks in alphabetic order and each
 * one's controls in its own; *count_out is their number. Borrowed. */
const ControlRef *reach_controls(const Reach *reach, const DefinitionCheck *check,
                                 size_t *count_out);
