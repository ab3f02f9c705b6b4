/* credentials.h - the opened secret fields of one credential, while they are in use.
 *
 * A Credentials maps field names of an auth method (snake_case) to Secrets. It is made from what a
 * person typed (credentials_new, credentials_put) or opened from its sealed form
 * (credentials_open); credentials_seal() turns it into the JSON object that the store keeps: field
 * name -> sealed text. It never leaves connect/, vault/ and the worker's socket.
 */
#pragma once

#include "base/json.h"
#include "base/secmem.h"
#include "vault/keyring.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Credentials Credentials;

/* Where a credential lives; every part is bound into the sealed form (see vault/seal.h). */
typedef struct {
    const char *organization_id;
    const char *integration_id;
    const char *credential_id;
    int64_t version;
    int64_t expires_at; /* milliseconds; 0: does not expire */
} CredentialPlace;

Credentials *credentials_new(void);
void credentials_free(Credentials *credentials);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Credentials, credentials_free)

/* Sets a field, taking the secret. */
void credentials_put(Credentials *credentials, const char *field, Secret *secret);

/* Borrowed; NULL when the field is not set. */
const Secret *credentials_get(const Credentials *credentials, const char *field);

size_t credentials_count(const Credentials *credentials);

/* The name at an index below credentials_count(), in the order of insertion. Borrowed. */
const char *credentials_field(const Credentials *credentials, size_t index);

/* Seals every field for its place; *fields_out is the JSON text for the store (caller frees). */
bool credentials_seal(const Credentials *credentials, const DataKey *key,
                      const CredentialPlace *place, char **fields_out,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens the stored JSON text. ERROR_CRYPTO when any field does not open: nothing is half-opened. */
bool credentials_open(const char *fields, const DataKey *key, const CredentialPlace *place,
                      Credentials **credentials_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
