/* provider_form.h - what connecting asks for, as a server says it.
 *
 * The object of GET /api/providers/{id} becomes a Definition that has id, name, settings and ways
 * to sign in, and nothing else: enough for cli/answers.h. So the questions are always those of the
 * server's definition, which may be another version than the one in this program, or one that this
 * program does not know at all. The server checks again whatever is answered.
 *
 * All texts are the form's own, with control characters replaced where people see them.
 */
#pragma once

#include "base/json.h"
#include "provider/definition.h"

#include <glib.h>
#include <stdbool.h>

typedef struct {
    Definition definition;
    GStringChunk *texts;
    GPtrArray *tables; /* of settings, ways to sign in and their fields */
} ProviderForm;

/* ERROR_SERVICE_UNAVAILABLE when the object is none of a provider. */
bool provider_form_init(ProviderForm *form, const Json *object,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
void provider_form_clear(ProviderForm *form);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProviderForm, provider_form_clear)
