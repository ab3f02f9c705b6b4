/* provider_object.h - what can be connected, as the API's JSON objects.
 *
 * A card is what a list shows, with the controls that its checks support in each framework; the
 * whole object has besides settings, ways to sign in, evidence types with their checks and the
 * permissions that they need.
 */
#pragma once

#include "base/json.h"
#include "provider/definition.h"

/* The caller owns the objects. */
Json *provider_object(const Definition *definition);
Json *provider_card(const Definition *definition);

/* The permissions that an evidence type needs, in any vocabulary: an array of texts. */
Json *provider_needs(const EvidenceType *type);
