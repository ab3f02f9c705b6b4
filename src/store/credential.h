/* credential.h - the sealed credentials of an integration.
 *
 * This floor sees sealed texts only: `fields` is a JSON object of field name -> sealed text, bound
 * by the vault to organization, integration, credential, field, version and expiry. Plaintext
 * facts (scopes, project id) stand beside it in `metadata`.
 */
#pragma once

#include "store/record.h"

typedef struct {
    const char *id;
    const char *integration_id;
    const char *name;     /* unique in the integration: "main", "bot" ... */
    const char *fields;   /* JSON object: field -> sealed text */
    const char *metadata; /* JSON object, plaintext */
    int64_t version;      /* 1 for the first */
    int64_t expires_at;   /* 0: does not expire */
    int64_t created_at;
    int64_t updated_at;
} Credential;

void credential_free(Credential *credential); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Credential, credential_free)

/* Adds a credential with the version given (1 when 0). ERROR_CONFLICT when the integration has one
 * of this name, ERROR_NOT_FOUND when there is no such integration. */
bool credential_insert(DbUnit *unit, const Credential *credential,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Credential* by name; an integration has few. The array frees its rows. */
bool credential_list_for_integration(DbUnit *unit, const char *integration_id,
                                     GPtrArray **credentials_out,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Deletes all credentials of an integration; *count_out, which may be NULL, is their number. */
bool credential_delete_all(DbUnit *unit, const char *integration_id, int64_t *count_out,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Compare-and-swap: replaces fields, metadata and expires_at of credential->id and stores
 * credential->version, which must be the stored version + 1. ERROR_CONFLICT when somebody was
 * faster (or the credential is gone): read again. */
bool credential_replace(DbUnit *unit, const Credential *credential,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
