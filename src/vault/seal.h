/* seal.h - secrets sealed for one place in the database (AES-256-GCM, NIST SP 800-38D).
 *
 * A sealed secret is text: v1.keyid.iv.tag.ciphertext, the last three in base64url. It opens only
 * with the data key of its organization and only in the place it was made for: the associated data
 * names organization, integration, credential, field, version, expiry and data key. Whoever moves
 * the text to another row, edits the expiry beside it or changes one bit gets ERROR_CRYPTO and no
 * byte of the secret.
 *
 * The nonce is 96 random bits, fresh for each sealing; one data key is good for 2^32 sealings.
 * Plaintext stands only in secret memory (base/secmem.h). Everything here may be called from any
 * thread; a DataKey is immutable and reference counted.
 */
#pragma once

#include "base/secmem.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define DATA_KEY_SIZE 32   /* bytes of key */
#define DATA_KEY_ID_SIZE 9 /* 8 hexadecimal digits and the final NUL */

typedef struct DataKey DataKey;

/* Finds the algorithms, which the first use does otherwise: for a process that forks, so that
 * they are found once. Touches no secret and starts no thread. */
void seal_prepare(void);

/* Where a secret belongs. Text that does not apply (the client secret of an organization has no
 * integration) is NULL or empty, which mean the same. Nothing of it is secret. */
typedef struct {
    const char *organization_id;
    const char *integration_id;
    const char *credential_id;
    const char *field;  /* "access_token" */
    int64_t version;    /* of the credential */
    int64_t expires_at; /* milliseconds as stored beside the sealed text; 0 when it never expires */
} SealContext;

/* A data key around 32 random bytes; keeps its own reference to them. The purpose ("data-key")
 * keeps the ids of different kinds of keys apart. ERROR_CRYPTO when the size is wrong. */
DataKey *data_key_new(Secret *bytes, const char *purpose, GError **error) G_GNUC_WARN_UNUSED_RESULT;
DataKey *data_key_ref(DataKey *key);
void data_key_free(DataKey *key); /* drops one reference; NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DataKey, data_key_free)

/* Names the key in sealed text: the first 8 hexadecimal digits of a SHA-256 over purpose and key.
 * Borrowed. */
const char *data_key_id(const DataKey *key);

/* The key itself, for handing it to another process of ours. Borrowed. */
Secret *data_key_bytes(const DataKey *key);

/* Seals a secret (also an empty one) for its place. The caller frees *sealed_out. */
bool seal_secret(const DataKey *key, const SealContext *context, const Secret *secret,
                 char **sealed_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens what was sealed with this key for this place. ERROR_CRYPTO for everything else: another
 * key, another place, another version prefix, altered, truncated or no sealed text at all;
 * ERROR_LIMIT when secret memory is full. */
bool seal_open(const DataKey *key, const SealContext *context, const char *sealed,
               Secret **secret_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
