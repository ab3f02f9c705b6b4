/* mapping.h - which checks of which providers support which control of one framework.
 *
 * Made from the definitions of a registry, which must outlive it. Mappings to other frameworks, to
 * frameworks that this version does not have, and to ids that the framework does not have are left
 * out; a definition that cannot be loaded has no checks.
 */
#pragma once

#include "comply/framework.h"
#include "provider/registry.h"

typedef struct {
    const Definition *definition;
    const EvidenceType *type;
    const DefinitionCheck *check;
} MappedCheck;

typedef struct Mapping Mapping;

Mapping *mapping_new(const Framework *framework, Registry *registry);
void mapping_free(Mapping *mapping);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Mapping, mapping_free)

/* The checks mapped to a control (its index in the framework), providers in alphabetic order and
 * each one's checks by type; *count_out is their number. Borrowed. */
const MappedCheck *mapping_checks(const Mapping *mapping, size_t control, size_t *count_out);
