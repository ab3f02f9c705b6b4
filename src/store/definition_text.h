/* definition_text.h - provider definitions by the hash of their text.
 *
 * Installation-wide and immutable: a job and a check result name a definition by its SHA-256 (64
 * hexadecimal digits), so that a later version never changes what was collected. Any scope.
 */
#pragma once

#include "store/record.h"

typedef struct {
    const char *sha256; /* of body */
    const char *provider;
    const char *body;
    int64_t created_at;
} DefinitionText;

void definition_text_free(DefinitionText *definition); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DefinitionText, definition_text_free)

/* Stores a text unless it is there already. sha256 must be the hash of body (ERROR_INTERNAL). */
bool definition_text_put(DbUnit *unit, const DefinitionText *definition,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ERROR_NOT_FOUND. */
bool definition_text_get(DbUnit *unit, const char *sha256, DefinitionText **definition_out,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
