/* refusal.h - the sentence that a person reads when a provider's answer was no.
 *
 * It names the provider, what was asked (path only) and what to do; never a query, a credential or
 * the provider's own body.
 */
#pragma once

#include "base/outcome.h"
#include "provider/definition.h"

typedef struct {
    const Definition *definition;
    const DefinitionCall *call; /* may be NULL */
    Outcome outcome;
    int status;            /* 0: no answer */
    const char *url;       /* what was asked */
    const char *transport; /* why there was no usable answer, or NULL */
} Refusal;

/* The sentence; NULL for ok and absent. Caller frees. */
char *refusal_sentence(const Refusal *refusal);

/* The sentence for what was forbidden; needs, as below or NULL, says which permissions to look at.
 * Caller frees. */
char *refusal_permissions(const Definition *definition, const char *needs);

/* The permissions that the call needs, "repo or administration:read" by vocabulary; NULL when the
 * definition names none. Caller frees. */
char *refusal_needs(const DefinitionCall *call);
