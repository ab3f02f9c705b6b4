/* connection.h - the life of an integration: connect, connect again, open for use.
 *
 * connection_store() is called after the test has passed; it seals the credential under the
 * organization's data key (made on first use) and stores integration and credential in one unit of
 * work. connection_renew() puts a new credential in the place of the one before, also of one that
 * was wiped: id, name and history of the integration stay. connection_open() gives a Sender's
 * ingredients back.
 */
#pragma once

#include "connect/credentials.h"
#include "db/db.h"
#include "provider/definition.h"
#include "store/integration.h"
#include "vault/keyring.h"

#include <glib.h>
#include <stdbool.h>

typedef struct {
    const Definition *definition;
    const DefinitionAuth *auth;
    const char *name;     /* unique in the organization; NULL: the provider's id, numbered */
    const Json *settings; /* as checked by settings_check() */
    const Json *account;  /* from whoami_fetch() */
    const Credentials *credentials;
    /* Runs in the same unit of work, behind it: sync/queue.h queues the first sync. May be NULL. */
    bool (*stored)(DbUnit *unit, const Integration *integration, const Definition *definition,
                   GError **error);
    /* ... and behind that: writes the audit log, with its own data. May be NULL. */
    bool (*noted)(DbUnit *unit, const Integration *integration, void *data, GError **error);
    void *data;
    const char *owner_user_id; /* whom it belongs to; NULL: the organization */
    bool may_be_another;       /* connection_renew(): the account may be another one */
    int64_t rotation_days;     /* its secrets are due to be replaced after so many; 0: never */
} NewConnection;

/* Whether an integration may be called so: ERROR_CONFIGURATION when the name is blank, longer than
 * 100 bytes, no line of text that shows as it is, or could be taken for an id or an address of the
 * API. */
bool connection_check_name(const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Stores a tested connection and its schedule, and pins its definition; *id_out is the new
 * integration's id (caller frees). ERROR_CONFLICT when the name is taken, ERROR_CONFIGURATION when
 * it is no name. */
bool connection_store(Db *db, const DbScope *scope, const Keyring *keyring,
                      const NewConnection *connection, char **id_out,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether a connection leads to the same account as the integration's present one, as far as the
 * service told: accountId and user, and the settings that must be there (an organization, a domain)
 * or that name a host. Evidence of two accounts is not mixed unawares. */
bool connection_is_same(const Integration *integration, const NewConnection *connection);

/* Stores a tested connection in the place of the integration's present one: the credential as a new
 * version, auth method, settings and account. name and owner_user_id are not read. ERROR_NOT_FOUND;
 * ERROR_CONFLICT when the account is another one and may not be, or when somebody connects at the
 * same time. */
bool connection_renew(Db *db, const DbScope *scope, const Keyring *keyring,
                      const char *integration_id, const NewConnection *connection,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens the main credential of an integration. */
bool connection_open(Db *db, const DbScope *scope, const Keyring *keyring,
                     const char *integration_id, Credentials **credentials_out,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
