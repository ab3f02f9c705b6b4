/* policy.h - the rights that evidence needs, in the words of the one who grants them.
 *
 * Every call says in `needs` which IAM actions it needs; calls of AWS services that say nothing
 * need the action of their operation. The least policy for some evidence is the union over all
 * calls that collecting it can make, with those that test the connection and discover settings.
 */
#pragma once

#include "base/json.h"
#include "provider/definition.h"

/* The names of one vocabulary ("iam", "scope") for these types in the order of their bytes, without
 * doubles; borrowed from the definition. Caller frees the array. */
GPtrArray *policy_names(const Definition *definition, const char *vocabulary,
                        const EvidenceType *const *types, size_t type_count);

/* The vocabularies that the definition's calls speak, likewise. A provider with several wants the
 * names of one of them. */
GPtrArray *policy_vocabularies(const Definition *definition);

/* The names of "iam". */
GPtrArray *policy_actions(const Definition *definition, const EvidenceType *const *types,
                          size_t type_count);

/* The policy document that grants them (version 2012-10-17, one statement). Caller frees. */
Json *policy_document(const Definition *definition, const EvidenceType *const *types,
                      size_t type_count);
