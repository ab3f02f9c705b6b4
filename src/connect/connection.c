#include "connect/connection.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text.h"
#include "connect/settings.h"
#include "store/credential.h"
#include "store/definition_text.h"
#include "store/organization.h"
#include "store/schedule.h"

#include <string.h>

#define MAIN_CREDENTIAL "main"
#define NAMES_MAX 1000
#define NAME_SIZE_MAX 100

/* --- the organization's data key -------------------------------------------------------------- */

typedef struct {
    const char *wrapped; /* to set, or NULL: only read */
    Organization *organization;
} KeyWork;

static bool key_work(DbUnit *unit, void *data, GError **error) {
    KeyWork *work = data;
    g_clear_pointer(&work->organization, organization_free);
    if (work->wrapped && !organization_set_key(unit, "", work->wrapped, error))
        return false;
    return organization_get(unit, &work->organization, error);
}

static bool has_key(const Organization *organization) {
    return organization->wrapped_key && *organization->wrapped_key != '\0';
}

/* Makes the data key; when another process was faster, takes that one. */
static bool make_key(Db *db, const DbScope *scope, const Keyring *keyring, KeyWork *work,
                     GError **error) {
    g_autofree char *wrapped = NULL;
    g_autoptr(DataKey) key = NULL;
    if (!keyring_make_data_key(keyring, work->organization->id, &wrapped, &key, error))
        return false;
    work->wrapped = wrapped;
    g_autoptr(GError) conflict = NULL;
    bool ok = db_run(db, scope, DB_WRITE, key_work, work, &conflict);
    work->wrapped = NULL;
    if (ok)
        return true;
    if (error_code_of(conflict) == ERROR_CONFLICT)
        return db_run(db, scope, DB_READ, key_work, work, error);
    g_propagate_error(error, g_steal_pointer(&conflict));
    return false;
}

static bool no_key(GError **error) {
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CRYPTO,
                        "the data key of this organization is missing; restore the database from a "
                        "backup or connect the integration again");
    return false;
}

typedef enum { KEY_REQUIRE, KEY_MAKE } KeyMissing;

static bool open_data_key(Db *db, const DbScope *scope, const Keyring *keyring, KeyMissing missing,
                          DataKey **key_out, GError **error) {
    KeyWork work = {0};
    bool ok =
        db_run(db, scope, DB_READ, key_work, &work, error) &&
        (has_key(work.organization) ||
         (missing == KEY_MAKE ? make_key(db, scope, keyring, &work, error) : no_key(error))) &&
        keyring_open_data_key(keyring, work.organization->id, work.organization->wrapped_key,
                              key_out, error);
    organization_free(work.organization);
    return ok;
}

/* --- connect ---------------------------------------------------------------------------------- */

typedef struct {
    const NewConnection *connection;
    const DbScope *scope;
    const char *integration_id;
    const char *credential_id;
    const char *fields;
    char *settings;
    char *account;
} StoreWork;

/* The provider's id, or the first free "ID-2", "ID-3" ... */
static bool free_name(DbUnit *unit, const char *provider, char **name_out, GError **error) {
    for (int number = 1; number <= NAMES_MAX; number++) {
        g_autofree char *name =
            number == 1 ? g_strdup(provider) : g_strdup_printf("%s-%d", provider, number);
        g_autoptr(Integration) taken = NULL;
        g_autoptr(GError) missing = NULL;
        if (!integration_find(unit, name, &taken, &missing)) {
            if (error_code_of(missing) != ERROR_NOT_FOUND) {
                g_propagate_error(error, g_steal_pointer(&missing));
                return false;
            }
            *name_out = g_steal_pointer(&name);
            return true;
        }
    }
    g_set_error(error, ASSAY_ERROR, ERROR_LIMIT, "too many connections named %s; give a name",
                provider);
    return false;
}

static bool store_rows(DbUnit *unit, const StoreWork *work, const char *name, GError **error) {
    const NewConnection *connection = work->connection;
    const Definition *definition = connection->definition;
    DefinitionText text = {
        .sha256 = definition->sha256, .provider = definition->id, .body = definition->text};
    Integration integration = {
        .id = work->integration_id,
        .provider = definition->id,
        .name = name,
        .auth = connection->auth->name,
        .status = INTEGRATION_CONNECTED,
        .settings = work->settings,
        .account = work->account,
        .allow_private = settings_allow_private(connection->settings),
        .next_check_at = clock_now_ms() + definition->schedule_ms,
    };
    Credential credential = {.id = work->credential_id,
                             .integration_id = work->integration_id,
                             .name = MAIN_CREDENTIAL,
                             .fields = work->fields,
                             .metadata = "{}",
                             .version = 1};
    return definition_text_put(unit, &text, error) &&
           integration_insert(unit, &integration, error) &&
           schedule_begin(unit, integration.id, integration.next_check_at, error) &&
           credential_insert(unit, &credential, error) &&
           (!connection->stored || connection->stored(unit, &integration, definition, error));
}

static bool store_work(DbUnit *unit, void *data, GError **error) {
    const StoreWork *work = data;
    if (work->connection->name)
        return store_rows(unit, work, work->connection->name, error);
    g_autofree char *name = NULL;
    return free_name(unit, work->connection->definition->id, &name, error) &&
           store_rows(unit, work, name, error);
}

/* Last segments of addresses under /api/integrations. */
static const char *const reserved[] = {"list", "connect", "collect-evidence", "oauth", NULL};

static bool is_blank(const char *name) {
    return name[strspn(name, " ")] == '\0';
}

/* A name stands in lines of terminals and logs, and in addresses where an id may stand. */
bool connection_check_name(const char *name, GError **error) {
    const char *wrong = NULL;
    if (is_blank(name) || strlen(name) > NAME_SIZE_MAX || !text_is_plain(name))
        wrong = "the name of an integration has 1 to 100 bytes and no control characters";
    else if (*name == ' ' || g_str_has_suffix(name, " "))
        wrong = "the name of an integration does not begin or end with a space";
    else if (id_is_valid(name) || g_uuid_string_is_valid(name))
        wrong = "the name of an integration must not look like an id";
    else if (g_strv_contains(reserved, name))
        wrong = "this name is a word of the API; choose another one";
    if (!wrong)
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION, wrong);
    return false;
}

bool connection_store(Db *db, const DbScope *scope, const Keyring *keyring,
                      const NewConnection *connection, char **id_out, GError **error) {
    g_autoptr(DataKey) key = NULL;
    if ((connection->name && !connection_check_name(connection->name, error)) ||
        !open_data_key(db, scope, keyring, KEY_MAKE, &key, error))
        return false;
    g_autofree char *integration_id = id_new();
    g_autofree char *credential_id = id_new();
    CredentialPlace place = {.organization_id = scope->organization,
                             .integration_id = integration_id,
                             .credential_id = credential_id,
                             .version = 1};
    g_autofree char *fields = NULL;
    if (!credentials_seal(connection->credentials, key, &place, &fields, error))
        return false;
    g_autofree char *settings = json_print(connection->settings, JSON_COMPACT);
    g_autofree char *account = json_print(connection->account, JSON_COMPACT);
    StoreWork work = {connection, scope, integration_id, credential_id, fields, settings, account};
    if (!db_run(db, scope, DB_WRITE, store_work, &work, error)) {
        if (error && *error && error_code_of(*error) == ERROR_CONFLICT && connection->name) {
            g_clear_error(error);
            g_set_error(error, ASSAY_ERROR, ERROR_CONFLICT,
                        "there is already an integration named \"%s\"; choose another name",
                        connection->name);
        }
        return false;
    }
    *id_out = g_steal_pointer(&integration_id);
    return true;
}

/* --- open ------------------------------------------------------------------------------------- */

typedef struct {
    const char *integration_id;
    GPtrArray *credentials;
} OpenWork;

static bool open_work(DbUnit *unit, void *data, GError **error) {
    OpenWork *work = data;
    g_clear_pointer(&work->credentials, g_ptr_array_unref);
    return credential_list_for_integration(unit, work->integration_id, &work->credentials, error);
}

static const Credential *find_main(const GPtrArray *credentials) {
    for (guint i = 0; i < credentials->len; i++) {
        const Credential *credential = g_ptr_array_index(credentials, i);
        if (strcmp(credential->name, MAIN_CREDENTIAL) == 0)
            return credential;
    }
    return NULL;
}

bool connection_open(Db *db, const DbScope *scope, const Keyring *keyring,
                     const char *integration_id, Credentials **credentials_out, GError **error) {
    OpenWork work = {.integration_id = integration_id};
    bool read = db_run(db, scope, DB_READ, open_work, &work, error);
    g_autoptr(GPtrArray) credentials = work.credentials;
    if (!read)
        return false;
    const Credential *found = find_main(credentials);
    if (!found) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                            "this integration has no credential; connect it again");
        return false;
    }
    g_autoptr(DataKey) key = NULL;
    if (!open_data_key(db, scope, keyring, KEY_REQUIRE, &key, error))
        return false;
    CredentialPlace place = {.organization_id = scope->organization,
                             .integration_id = integration_id,
                             .credential_id = found->id,
                             .version = found->version,
                             .expires_at = found->expires_at};
    return credentials_open(found->fields, key, &place, credentials_out, error);
}
