/* password_source.h - a person's new password: asked for without echo, twice, or from a source.
 *
 * A source is @FILE, env:VAR or - (cli/secret_source.h); never the command line itself.
 */
#pragma once

#include "base/secmem.h"

#include <glib.h>
#include <stdbool.h>

/* Reads a password for the user with this address, holds it against the rules (vault/password.h)
 * and hashes it. source may be NULL. Caller frees *hash_out. ERROR_USAGE when nobody can be asked,
 * or the two do not agree. */
bool password_source_hash(const char *source, const char *email, char **hash_out,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same without hashing, for a server; the caller owns *password_out. */
bool password_source_read(const char *source, const char *email, Secret **password_out,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
