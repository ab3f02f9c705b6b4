/* identity.h - who a credential belongs to, read off the answer of the definition's identity call.
 */
#pragma once

#include "provider/definition.h"
#include "provider/value.h"

typedef struct {
    char *user; /* NULL when not known */
    char *account_id;
    char *arn;
    GPtrArray *organizations; /* char *, at most IDENTITY_MAX_ORGANIZATIONS; NULL when not asked */
} Identity;

#define IDENTITY_MAX_ORGANIZATIONS 1000

/* Reads an answer of identity.call into identity_out. ERROR_SERVICE_UNAVAILABLE when the answer has
 * not the declared shape. */
bool identity_read(const Definition *definition, Value answer, Identity *identity_out,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds the organization in one row of identity.organizations_call. */
void identity_add_organization(Identity *identity, const Definition *definition, Value row);
void identity_clear(Identity *identity);
