/* mapping.h - which checks of which providers support which control of one framework.
 *
 * Made from the definitions of a registry, which must outlive it (comply/law.h: what follows from
 * them alone is worked out once and lent). Mappings to other frameworks, to frameworks that this
 * version does not have, and to ids that the framework does not have are left out; a definition
 * that cannot be loaded has no checks.
 *
 * An organization may change it (store/control_mapping.h): further checks support a control, others
 * are set aside. The definitions' mapping, which has that of the source documents in it, is the law
 * that is added to: an evidence type that they map to a control stays mapped, so at least one of
 * its checks that they name is never set aside. Changes that name what does
 * not exist (any more), and those that would break the law after a definition has changed, are
 * passed over.
 */
#pragma once

#include "comply/law.h"

/* "definition", "framework", "organization". Static storage. */
const char *mapping_origin_name(MappingOrigin origin);

typedef struct Mapping Mapping;

/* changes: ControlMapping* of the organization, of this framework or of all; must outlive the
 * mapping. NULL: none. */
Mapping *mapping_new(const Framework *framework, Registry *registry, const GPtrArray *changes);

/* As mapping_new(), of one definition alone: what an organization may change of a service's checks
 * does not depend on other services. */
Mapping *mapping_of(const Framework *framework, const Definition *definition,
                    const GPtrArray *changes);
void mapping_free(Mapping *mapping);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Mapping, mapping_free)

/* The checks mapped to a control (its index in the framework), providers in alphabetic order and
 * each one's checks by type; *count_out is their number. Borrowed. */
const MappedCheck *mapping_checks(const Mapping *mapping, size_t control, size_t *count_out);

/* Those that the organization has set aside, in the same way. */
const MappedCheck *mapping_set_aside(const Mapping *mapping, size_t control, size_t *count_out);

/* Whether a definition's evidence type has a check that supports the control. */
bool mapping_supports(const Definition *definition, const EvidenceType *type, const ControlRef *ref,
                      const GPtrArray *changes);
