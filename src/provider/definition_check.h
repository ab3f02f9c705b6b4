/* definition_check.h - what is allowed in a definition but probably a mistake.
 *
 * Every expression is compiled (about 20 ms each), which loading does not do: errors. The warnings
 * of `assay provider check`: a host not declared, an evidence type with no check, a call with no
 * `needs`, a call that nothing uses, facts checked too long ago, a control that no framework has.
 */
#pragma once

#include "provider/definition.h"
#include "provider/diagnostic.h"

#define DEFINITION_STALE_DAYS 180

/* Whether the framework exists and has the control; false for an unknown framework. */
typedef bool (*DefinitionControlKnown)(void *data, const char *framework, const char *control);

/* Adds the warnings to diagnostics. known may be NULL: controls are not looked at then. */
void definition_check(const Definition *definition, DefinitionControlKnown known, void *data,
                      Diagnostics *diagnostics);
