/* certificate.h - what the API answers TLS with: a chain of certificates and its key, of PEM files.
 *
 * Read once, at the start: another certificate wants a restart. The key's file is the service's
 * alone, as the key-encryption key is; in memory libgnutls has a copy outside of guarded memory.
 */
#pragma once

#include "base/secmem.h"
#include "cli/config.h"

#include <glib.h>
#include <stdbool.h>

typedef struct {
    char *chain; /* PEM, the server's own first; NULL: plain HTTP */
    Secret *key; /* PEM */
} Certificate;

/* By tls_certificate and tls_key. ERROR_CONFIGURATION when one is set without the other, a file
 * cannot be read or is none of PEM, the key may be read by others, or public_url says http. */
bool certificate_init(Certificate *certificate, const Config *settings,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
void certificate_clear(Certificate *certificate);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Certificate, certificate_clear)

/* Whether the settings ask for TLS. */
bool certificate_is_wanted(const Config *settings);
