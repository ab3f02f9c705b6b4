/* law.h - which checks the definitions say support the controls of a framework, before an
 * organization has changed anything (comply/mapping.h lays its changes over it).
 *
 * It follows from the definitions and the framework alone, and both stay as they are for as long as
 * a registry lives. So law_of() works it out when it is first asked for and lends it from then on:
 * whoever evaluates one organization after the other with the same registry, as a worker does, pays
 * once. There is one for each framework of this program, of some ten kilobytes; they are freed with
 * the registry. A definition that could not be loaded then is missed until the next registry.
 * As the registry they are for one thread at a time.
 */
#pragma once

#include "comply/framework.h"
#include "provider/registry.h"
#include "store/control_mapping.h"

/* Who says that a check supports a control. */
typedef enum {
    MAPPING_DEFINITION,  /* the definition, by the control's own id */
    MAPPING_FRAMEWORK,   /* the definition, by an id that the framework knows as this control's */
    MAPPING_ORGANIZATION /* the organization: never in a law */
} MappingOrigin;

typedef struct {
    const Definition *definition;
    const EvidenceType *type;
    const DefinitionCheck *check;
    MappingOrigin origin;
    const ControlMapping *change; /* the organization's, or NULL: always in a law; borrowed */
} MappedCheck;

typedef struct Law Law;

/* Of one definition, which must outlive it. */
Law *law_new(const Framework *framework, const Definition *definition);
void law_free(Law *law);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Law, law_free)

/* Of all that the registry knows; borrowed, and kept by the registry. The framework is one of this
 * program's own (framework_find()). */
const Law *law_of(const Framework *framework, Registry *registry);

const Framework *law_framework(const Law *law);

/* The checks that support a control (its index in the framework), providers in alphabetic order and
 * each one's checks as its definition has them; *count_out is their number. Borrowed. */
const MappedCheck *law_checks(const Law *law, size_t control, size_t *count_out);

/* The definition of this id, or NULL. */
const Definition *law_definition(const Law *law, const char *id);
