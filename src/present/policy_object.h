/* policy_object.h - the least rights that collecting evidence needs, as the API's JSON object.
 *
 * {provider, evidenceTypes: [...], needs: {VOCABULARY: [names]}, policy}: policy is the document to
 * attach, and only there for providers whose permissions are given by one (AWS).
 */
#pragma once

#include "base/json.h"
#include "provider/definition.h"

#include <stddef.h>

/* Of these evidence types, in this order. The caller owns the object. */
Json *policy_object(const Definition *definition, const EvidenceType *const *types, size_t count);

/* The evidence types of these names, each once; all of them when names is NULL. *count_out of them;
 * the caller frees the array. ERROR_NOT_FOUND for a name that is not one. */
const EvidenceType **policy_types(const Definition *definition, const char *const *names,
                                  size_t *count_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
