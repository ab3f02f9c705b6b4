/* condition.h - {"field": ["a", "b"], ...}: whether an item's fields have one of the given values.
 *
 * All members must hold; a single value may be written without the list. Compiled once at start.
 */
#pragma once

#include "base/json.h"
#include "sandbox/field.h"

#include <glib.h>
#include <stdbool.h>

typedef struct Condition Condition;

/* Compiles a condition for items of this collection. ERROR_CONFIGURATION for an unknown field. */
Condition *condition_compile(const Json *json, const Collection *collection,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
void condition_free(Condition *condition);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Condition, condition_free)

/* True for every item when condition is NULL. */
bool condition_holds(const Condition *condition, Item *item);

/* Whether a value is the text, or one of a comma list of texts. */
bool condition_lists(const char *list, FieldValue value);
