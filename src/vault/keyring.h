/* keyring.h - the key-encryption key, and the data keys of organizations that it wraps.
 *
 * The key-encryption key (KEK) stays in this process and the workers it starts. Each organization
 * has a data key of its own, which is stored wrapped: sealed with the KEK for that organization in
 * the form of vault/seal.h, so the wrapped text names the KEK by its id. Losing the KEK loses every
 * stored credential; whoever holds the KEK and the database has them all.
 *
 * keyring_open() takes the KEK from the first of
 *   ENCRYPTION_KEY                      overwritten in the environment, then unset
 *   ENCRYPTION_KEY_FILE                 the path of a file; its mode is its owner's business
 *                                       (containers mount secrets readable)
 *   $CREDENTIALS_DIRECTORY/encryption_key   when that file exists (systemd LoadCredential=)
 *   DATA/encryption.key                 mode 0600
 * A key is 64 hexadecimal digits, or base64 or base64url of exactly 32 bytes; white space around it
 * is ignored. A source that is set but holds no key is an error, never passed over: data must not
 * be sealed with another key than the one that was meant.
 *
 * A Keyring is immutable and may be used from any thread.
 */
#pragma once

#include "base/secmem.h"
#include "vault/seal.h"

#include <glib.h>
#include <stdbool.h>

typedef struct Keyring Keyring;

/* What to do when no source has a key. An existing database was sealed with some key: a new one
 * would not open it. */
typedef enum {
    KEYRING_REQUIRE, /* ERROR_CRYPTO */
    KEYRING_CREATE   /* the first start: make DATA/encryption.key */
} KeyringMissing;

/* Finds or makes the KEK. When two processes make one at the same time, both get the same key.
 * ERROR_CRYPTO with what to do when there is no usable key, and when DATA/encryption.key may be
 * read by others than its owner. */
Keyring *keyring_open(const char *data_directory, KeyringMissing missing,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Around a KEK that came over a worker's socket; keeps its own reference. ERROR_CRYPTO unless it is
 * 32 bytes. */
Keyring *keyring_from_secret(Secret *kek, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void keyring_free(Keyring *keyring);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Keyring, keyring_free)

/* The KEK, for handing it on to a worker. Borrowed. */
Secret *keyring_kek(const Keyring *keyring);

/* Names the KEK, as in wrapped data keys: 8 hexadecimal digits. Borrowed. */
const char *keyring_id(const Keyring *keyring);

/* Makes a new data key for an organization. The caller stores *wrapped_out (and frees it). */
bool keyring_make_data_key(const Keyring *keyring, const char *organization_id, char **wrapped_out,
                           DataKey **key_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Unwraps the data key of an organization. ERROR_CRYPTO when it was wrapped with another KEK, for
 * another organization, or was altered. */
bool keyring_open_data_key(const Keyring *keyring, const char *organization_id, const char *wrapped,
                           DataKey **key_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
