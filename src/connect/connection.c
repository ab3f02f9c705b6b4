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
#include "store/token_cache.h"

#include <string.h>

#define MAIN_CREDENTIAL "main"
#define NAMES_MAX 1000
#define NAME_SIZE_MAX 100
#define DAY_MS (24 * 3600 * INT64_C(1000))

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
                        "backup or connect the integration again with `assay reconnect`");
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

/* Roles and the like have nothing that could be replaced: 0. */
static int64_t rotation_due(const NewConnection *connection) {
    bool has_secret = false;
    for (size_t i = 0; i < credentials_count(connection->credentials); i++) {
        const DefinitionInput *field =
            auth_field(connection->auth, credentials_field(connection->credentials, i));
        has_secret = has_secret || (field && field->secret);
    }
    return has_secret && connection->rotation_days > 0
               ? clock_now_ms() + connection->rotation_days * DAY_MS
               : 0;
}

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

static bool run_hooks(DbUnit *unit, const NewConnection *connection, const Integration *integration,
                      GError **error) {
    return (!connection->stored ||
            connection->stored(unit, integration, connection->definition, error)) &&
           (!connection->noted || connection->noted(unit, integration, connection->data, error));
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
        .rotation_due_at = rotation_due(connection),
        .owner_user_id = connection->owner_user_id,
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
           run_hooks(unit, connection, &integration, error);
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

/* --- connect again ---------------------------------------------------------------------------- */

static const Credential *find_main(const GPtrArray *credentials) {
    for (guint i = 0; i < credentials->len; i++) {
        const Credential *credential = g_ptr_array_index(credentials, i);
        if (strcmp(credential->name, MAIN_CREDENTIAL) == 0)
            return credential;
    }
    return NULL;
}

static bool is_same_text(const Json *a, const Json *b, const char *member) {
    const char *one = json_member_string(a, member, NULL);
    const char *other = json_member_string(b, member, NULL);
    return !one || !other || strcmp(one, other) == 0;
}

static bool is_same_setting(const Json *a, const Json *b, const char *name) {
    const Json *one = json_member(a, name);
    const Json *other = json_member(b, name);
    g_autofree char *text = one ? json_print(one, JSON_SORTED) : g_strdup("");
    g_autofree char *other_text = other ? json_print(other, JSON_SORTED) : g_strdup("");
    return strcmp(text, other_text) == 0;
}

static bool names_place(const DefinitionInput *setting) {
    return !setting->optional || setting->format == INPUT_FORMAT_URL ||
           setting->format == INPUT_FORMAT_HOST;
}

bool connection_is_same(const Integration *integration, const NewConnection *connection) {
    const Definition *definition = connection->definition;
    g_autoptr(Json) account =
        json_parse(integration->account, strlen(integration->account), STORE_JSON_MAX, NULL);
    g_autoptr(Json) settings =
        json_parse(integration->settings, strlen(integration->settings), STORE_JSON_MAX, NULL);
    for (size_t i = 0; i < definition->setting_count; i++)
        if (names_place(&definition->settings[i]) &&
            !is_same_setting(settings, connection->settings, definition->settings[i].name))
            return false;
    return is_same_text(account, connection->account, "accountId") &&
           is_same_text(account, connection->account, "user");
}

/* What there is now; sealing is bound to the credential's id and version. */
typedef struct {
    const char *integration_id;
    Integration *integration;
    char *credential_id;
    int64_t version; /* the next */
    bool has;        /* there is a credential to be replaced */
} Present;

static void present_clear(Present *present) {
    g_clear_pointer(&present->integration, integration_free);
    g_clear_pointer(&present->credential_id, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Present, present_clear)

/* Versions of a credential that was wiped are not given again: tokens are cached by them. */
#define WIPED_VERSIONS 1000000

static bool present_work(DbUnit *unit, void *data, GError **error) {
    Present *present = data;
    g_autoptr(GPtrArray) credentials = NULL;
    present_clear(present);
    if (!integration_get(unit, present->integration_id, &present->integration, error) ||
        !credential_list_for_integration(unit, present->integration_id, &credentials, error))
        return false;
    const Credential *found = find_main(credentials);
    present->has = found != NULL;
    present->credential_id = found ? g_strdup(found->id) : id_new();
    present->version =
        found ? found->version + 1 : present->integration->connection * WIPED_VERSIONS;
    return true;
}

typedef struct {
    const NewConnection *connection;
    const Present *present;
    const char *fields;
    char *settings;
    char *account;
} RenewWork;

static bool put_credential(DbUnit *unit, const RenewWork *work, GError **error) {
    CachedToken token = {.integration_id = work->present->integration_id,
                         .credential = MAIN_CREDENTIAL};
    Credential credential = {.id = work->present->credential_id,
                             .integration_id = work->present->integration_id,
                             .name = MAIN_CREDENTIAL,
                             .fields = work->fields,
                             .metadata = "{}",
                             .version = work->present->version};
    return token_cache_drop(unit, &token, error) &&
           (work->present->has ? credential_replace(unit, &credential, error)
                               : credential_insert(unit, &credential, error));
}

static bool check_account(const Integration *row, const NewConnection *connection, GError **error) {
    if (connection->may_be_another || connection_is_same(row, connection))
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_CONFLICT,
                "this is another account than the one that %s was connected to: its evidence "
                "would be mixed with what is there; connect it by another name, or say that it "
                "may be another account",
                row->name);
    return false;
}

static bool renew_work(DbUnit *unit, void *data, GError **error) {
    const RenewWork *work = data;
    const NewConnection *connection = work->connection;
    const Definition *definition = connection->definition;
    g_autoptr(Integration) before = NULL;
    g_autoptr(Integration) after = NULL;
    DefinitionText text = {
        .sha256 = definition->sha256, .provider = definition->id, .body = definition->text};
    Integration wanted = {.id = work->present->integration_id,
                          .auth = connection->auth->name,
                          .settings = work->settings,
                          .account = work->account,
                          .allow_private = settings_allow_private(connection->settings),
                          .rotation_due_at = rotation_due(connection)};
    return integration_get(unit, wanted.id, &before, error) &&
           check_account(before, connection, error) && definition_text_put(unit, &text, error) &&
           put_credential(unit, work, error) && integration_reconnect(unit, &wanted, error) &&
           integration_get(unit, wanted.id, &after, error) &&
           run_hooks(unit, connection, after, error);
}

bool connection_renew(Db *db, const DbScope *scope, const Keyring *keyring,
                      const char *integration_id, const NewConnection *connection, GError **error) {
    g_autoptr(DataKey) key = NULL;
    g_auto(Present) present = {.integration_id = integration_id};
    g_autofree char *fields = NULL;
    if (!open_data_key(db, scope, keyring, KEY_MAKE, &key, error) ||
        !db_run(db, scope, DB_READ, present_work, &present, error))
        return false;
    CredentialPlace place = {.organization_id = scope->organization,
                             .integration_id = integration_id,
                             .credential_id = present.credential_id,
                             .version = present.version};
    if (!credentials_seal(connection->credentials, key, &place, &fields, error))
        return false;
    g_autofree char *settings = json_print(connection->settings, JSON_COMPACT);
    g_autofree char *account = json_print(connection->account, JSON_COMPACT);
    RenewWork work = {connection, &present, fields, settings, account};
    return db_run(db, scope, DB_WRITE, renew_work, &work, error);
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

bool connection_open(Db *db, const DbScope *scope, const Keyring *keyring,
                     const char *integration_id, Credentials **credentials_out, GError **error) {
    OpenWork work = {.integration_id = integration_id};
    bool read = db_run(db, scope, DB_READ, open_work, &work, error);
    g_autoptr(GPtrArray) credentials = work.credentials;
    if (!read)
        return false;
    const Credential *found = find_main(credentials);
    if (!found) {
        g_set_error_literal(
            error, ASSAY_ERROR, ERROR_NOT_FOUND,
            "this integration has no credential; connect it again with `assay reconnect`");
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
