/* definition_load.h - from the text of a definition to its model, or to all that is wrong with it.
 *
 * Loading needs no network and no clock and evaluates nothing. Grammar, names, expressions, read
 * graphs and types are checked whole; every message carries file, line and column.
 */
#pragma once

#include "provider/definition.h"
#include "provider/diagnostic.h"

/* Loads a definition; name is what messages call the file. Everything that is wrong is added to
 * diagnostics when it is not NULL; error carries the first and the number of the others
 * (ERROR_CONFIGURATION). The caller owns the result. */
Definition *definition_load(const char *name, const char *text, size_t size,
                            Diagnostics *diagnostics, GError **error) G_GNUC_WARN_UNUSED_RESULT;
