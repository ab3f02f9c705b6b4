/* definition_load_check.h - the checks of one evidence type, as read from a definition. */
#pragma once

#include "provider/definition_read.h"

/* Reads `checks` into type, whose reads, rows and fields have been read. fields is what the typed
 * row has. */
void definition_load_checks(Loading *loading, const YamlNode *checks, const ReadSlot *fields,
                            EvidenceType *type);

/* Reports order comparisons on nullable fields (null < 90 is true in jq), unless the expression or
 * guard (may be NULL) compares the field with null. */
void definition_check_order(Loading *loading, const YamlNode *node, const FieldSet *fields,
                            const Expr *expr, const Expr *guard);
