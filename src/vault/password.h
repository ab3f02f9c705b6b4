/* password.h - passwords of people: Argon2id (RFC 9106), by libsodium.
 *
 * A hash is libsodium's text ("$argon2id$v=19$m=...$salt$..."), with its parameters inside. Hashing
 * takes tens of megabytes and milliseconds on purpose: servers do it in a PasswordQueue
 * (vault/password_queue.h), never on a thread that serves.
 */
#pragma once

#include "base/secmem.h"

#include <glib.h>
#include <stdbool.h>

/* In characters and bytes (NIST SP 800-63B section 3.1.1.2: length over rules of composition). */
#define PASSWORD_LEAST 12
#define PASSWORD_MOST 1024

/* What one hash costs. The zero value means the program's own: 64 MiB, two passes. */
typedef struct {
    unsigned long long passes;
    size_t bytes;
} PasswordCost;

/* Whether this may become a password: PASSWORD_LEAST to PASSWORD_MOST, UTF-8, not the user's own
 * e-mail address or its first part, not one character over and over. ERROR_CONFIGURATION. */
bool password_check(const Secret *password, const char *email,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Hashes a password; the caller frees *hash_out. cost may be NULL. ERROR_LIMIT when there is not
 * enough memory. */
bool password_hash(const Secret *password, const PasswordCost *cost, char **hash_out,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the password belongs to the hash. A NULL hash (no such user, no password) costs as much
 * and is false. cost may be NULL. */
bool password_verify(const Secret *password, const char *hash, const PasswordCost *cost);

/* Whether the hash was made with other parameters than the cost. */
bool password_is_outdated(const char *hash, const PasswordCost *cost);
