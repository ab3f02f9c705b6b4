/* postgres_address.h - which PostgreSQL a URL means: postgres://USER:PASSWORD@HOST:PORT/NAME?...
 *
 * The URL is libpq's (https://www.postgresql.org/docs/15/libpq-connect.html): several hosts,
 * sslmode, sslrootcert and all else work as they do there, and so do PGHOST, PGPASSFILE and the
 * other variables for what the URL leaves out. One setting is our own and taken out: pool=N.
 *
 * What the URL does not say is set so that a server that went away is noticed, and that of several
 * hosts the one that can be written is used.
 *
 * A password never leaves the address but to libpq. A URL in which one seems to have a character
 * that is not percent-encoded is refused, because parts of it would be taken for the host.
 */
#pragma once

#include "base/error.h"

#define POSTGRES_POOL_MAX 64

typedef struct {
    char **names; /* libpq's parameters, NULL at the end */
    char **values;
    char *label;   /* host and database, for messages */
    unsigned pool; /* 0 when the URL does not say */
} PostgresAddress;

/* ERROR_CONFIGURATION, in words that do not repeat the URL. */
PostgresAddress *postgres_address_new(const char *url, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void postgres_address_free(PostgresAddress *address); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PostgresAddress, postgres_address_free)
