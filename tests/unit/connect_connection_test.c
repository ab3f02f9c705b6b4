/* The life of an integration: stored sealed, opened in its own place only. */
#include "unit/connect_support.h"
#include "unit/freed.h"
#include "unit/provider_support.h"

#include "base/clock.h"
#include "base/error.h"
#include "connect/connection.h"
#include "store/credential.h"
#include "store/definition_text.h"
#include "store/integration.h"
#include "store/organization.h"
#include "unit/database_stage.h"

#include <pthread.h>
#include <string.h>

#define NOW_MS 1760000000000

static Definition *definition;

/* --- connecting and looking ------------------------------------------------------------------- */

static bool store_in(Db *db, const Keyring *keyring, const DbScope *scope, const char *name,
                     char **id_out, GError **error) {
    g_autoptr(Json) settings = json_of("{\"team\": \"a\", \"allow_private\": true}");
    g_autoptr(Json) account = json_of("{\"user\": \"mona\"}");
    g_autoptr(Credentials) credentials = credentials_of("access_token", PLANTED);
    NewConnection connection = {.definition = definition,
                                .auth = &definition->auth[0],
                                .name = name,
                                .settings = settings,
                                .account = account,
                                .credentials = credentials};
    return connection_store(db, scope, keyring, &connection, id_out, error);
}

static char *stored(const Place *place, const DbScope *scope, const char *name) {
    char *id = NULL;
    must(store_in(place->db, place->keyring, scope, name, &id, &error));
    return id;
}

static void assert_opens(const Place *place, const DbScope *scope, const char *id) {
    g_autoptr(Credentials) credentials = NULL;
    must(connection_open(place->db, scope, place->keyring, id, &credentials, &error));
    g_assert_cmpuint(credentials_count(credentials), ==, 1);
    g_assert_cmpstr(secret_text(credentials_get(credentials, "access_token")), ==, PLANTED);
}

static void assert_closed(const Place *place, const DbScope *scope, const char *id, ErrorCode code,
                          const char *part) {
    Credentials *credentials = NULL;
    must_fail(code, part,
              connection_open(place->db, scope, place->keyring, id, &credentials, &error));
    g_assert_null(credentials);
}

/* Everything that is stored, read in one unit. */
typedef struct {
    const char *id;
    Integration *integration;
    GPtrArray *integrations;
    GPtrArray *credentials;
    Organization *organization;
    DefinitionText *text;
} Rows;

static void rows_clear(Rows *rows) {
    g_clear_pointer(&rows->integration, integration_free);
    g_clear_pointer(&rows->integrations, g_ptr_array_unref);
    g_clear_pointer(&rows->credentials, g_ptr_array_unref);
    g_clear_pointer(&rows->organization, organization_free);
    g_clear_pointer(&rows->text, definition_text_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Rows, rows_clear)

static bool read_rows(DbUnit *unit, void *data, GError **error) {
    Rows *rows = data;
    rows_clear(rows);
    IntegrationFilter all = {.limit = 100};
    return integration_list(unit, &all, &rows->integrations, error) &&
           organization_get(unit, &rows->organization, error) &&
           (!rows->id ||
            (integration_get(unit, rows->id, &rows->integration, error) &&
             credential_list_for_integration(unit, rows->id, &rows->credentials, error) &&
             definition_text_get(unit, definition->sha256, &rows->text, error)));
}

static void look(const Place *place, const DbScope *scope, const char *id, Rows *rows) {
    rows->id = id;
    must(db_run(place->db, scope, DB_READ, read_rows, rows, &error));
}

static void change(const Place *place, const DbScope *scope, DbWork work, const void *data) {
    must(db_run(place->db, scope, DB_WRITE, work, (void *)(uintptr_t)data, &error));
}

/* --- storing ---------------------------------------------------------------------------------- */

static void a_connection_is_stored_whole_and_sealed(void) {
    clock_freeze(NOW_MS);
    g_auto(Place) place = {0};
    place_init(&place);
    g_autofree char *id = stored(&place, &scope_a, "acme");
    g_auto(Rows) rows = {0};
    look(&place, &scope_a, id, &rows);
    const Integration *integration = rows.integration;
    g_assert_cmpstr(integration->provider, ==, "demo");
    g_assert_cmpstr(integration->name, ==, "acme");
    g_assert_cmpstr(integration->auth, ==, "token");
    g_assert_cmpstr(integration->status, ==, INTEGRATION_CONNECTED);
    g_assert_cmpstr(integration->settings, ==, "{\"team\":\"a\",\"allow_private\":true}");
    g_assert_cmpstr(integration->account, ==, "{\"user\":\"mona\"}");
    g_assert_true(integration->allow_private);
    g_assert_cmpint(integration->next_check_at, ==, NOW_MS + definition->schedule_ms);
    g_assert_cmpint(integration->next_check_at, >, NOW_MS);
    g_assert_cmpuint(rows.credentials->len, ==, 1);
    const Credential *credential = g_ptr_array_index(rows.credentials, 0);
    g_assert_cmpstr(credential->name, ==, "main");
    g_assert_cmpint(credential->version, ==, 1);
    g_assert_cmpint(credential->expires_at, ==, 0);
    assert_holds(credential->fields, "{\"access_token\":\"v1.");
    assert_lacks(credential->fields, PLANTED);
    g_assert_cmpstr(rows.text->body, ==, definition->text);
    assert_opens(&place, &scope_a, id);
    clock_thaw();
}

#define DAY_MS (24 * 3600 * INT64_C(1000))

static int64_t due_at(const Place *place, const char *id) {
    g_auto(Rows) rows = {0};
    look(place, &scope_a, id, &rows);
    return rows.integration->rotation_due_at;
}

/* Of so many days, of credentials with this field; by connecting or by connecting again. */
static int64_t due_after(const Place *place, int64_t days, const char *field, char **id) {
    g_autoptr(Json) settings = json_of("{\"team\": \"a\"}");
    g_autoptr(Json) account = json_of("{}");
    g_autoptr(Credentials) credentials = credentials_of(field, PLANTED);
    NewConnection connection = {.definition = definition,
                                .auth = &definition->auth[0],
                                .settings = settings,
                                .account = account,
                                .credentials = credentials,
                                .rotation_days = days};
    if (*id)
        must(connection_renew(place->db, &scope_a, place->keyring, *id, &connection, &error));
    else
        must(connection_store(place->db, &scope_a, place->keyring, &connection, id, &error));
    return due_at(place, *id);
}

static void secrets_are_due_to_be_replaced_from_the_day_they_came(void) {
    clock_freeze(NOW_MS);
    g_auto(Place) place = {0};
    place_init(&place);
    g_autofree char *id = NULL;
    g_assert_cmpint(due_after(&place, 90, "access_token", &id), ==, NOW_MS + 90 * DAY_MS);
    clock_advance(DAY_MS);
    g_assert_cmpint(due_at(&place, id), ==, NOW_MS + 90 * DAY_MS);
    g_assert_cmpint(due_after(&place, 30, "access_token", &id), ==, NOW_MS + 31 * DAY_MS);
    g_assert_cmpint(due_after(&place, 0, "access_token", &id), ==, 0);
    clock_thaw();
}

static void what_has_no_secret_is_never_due(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    g_autofree char *id = NULL;
    g_assert_cmpint(due_after(&place, 90, "account_name", &id), ==, 0);
    g_assert_cmpint(due_after(&place, 90, "access_token", &id), >, 0);
}

static void connections_without_a_name_are_numbered(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    g_autofree char *taken = stored(&place, &scope_a, "demo-3");
    static const char *const names[] = {"demo", "demo-2", "demo-4"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *id = stored(&place, &scope_a, NULL);
        g_auto(Rows) rows = {0};
        look(&place, &scope_a, id, &rows);
        g_assert_cmpstr(rows.integration->name, ==, names[i]);
        assert_opens(&place, &scope_a, id);
    }
    g_autofree char *other = stored(&place, &scope_b, NULL);
    g_auto(Rows) rows = {0};
    look(&place, &scope_b, other, &rows);
    g_assert_cmpstr(rows.integration->name, ==, "demo");
}

static void a_name_that_is_taken_is_refused_and_stores_nothing(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    g_autofree char *first = stored(&place, &scope_a, "acme");
    char *id = NULL;
    must_fail(ERROR_CONFLICT, "already an integration named \"acme\"; choose another name",
              store_in(place.db, place.keyring, &scope_a, "acme", &id, &error));
    g_assert_null(id);
    g_assert_false(store_in(place.db, place.keyring, &scope_a, "acme", &id, NULL));
    g_auto(Rows) rows = {0};
    look(&place, &scope_a, first, &rows);
    g_assert_cmpuint(rows.integrations->len, ==, 1);
    assert_opens(&place, &scope_a, first);
}

static void a_name_fits_on_a_line(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    g_autofree char *longest = g_strnfill(100, 'n');
    g_autofree char *over = g_strnfill(101, 'n');
    const char *const bad[] = {"", "a\nb", "\x1b[2J", "a\xff", over};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        char *id = NULL;
        must_fail(ERROR_CONFIGURATION, "the name of an integration",
                  store_in(place.db, place.keyring, &scope_a, bad[i], &id, &error));
    }
    g_autofree char *first = stored(&place, &scope_a, longest);
    g_autofree char *second = stored(&place, &scope_a, "Größe 1: prod/eu");
    assert_opens(&place, &scope_a, first);
    assert_opens(&place, &scope_a, second);
}

static void organizations_may_use_the_same_name(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    g_autofree char *a = stored(&place, &scope_a, "acme");
    g_autofree char *b = stored(&place, &scope_b, "acme");
    assert_opens(&place, &scope_a, a);
    assert_opens(&place, &scope_b, b);
    g_auto(Rows) in_a = {0};
    g_auto(Rows) in_b = {0};
    look(&place, &scope_a, NULL, &in_a);
    look(&place, &scope_b, NULL, &in_b);
    g_assert_cmpstr(in_a.organization->wrapped_key, !=, in_b.organization->wrapped_key);
}

static void an_organization_that_does_not_exist_is_not_found(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    DbScope nobody = {.organization = "nobody", .actor = "test"};
    char *id = NULL;
    must_fail(ERROR_NOT_FOUND, "", store_in(place.db, place.keyring, &nobody, NULL, &id, &error));
    assert_closed(&place, &nobody, "any", ERROR_NOT_FOUND, "");
}

/* --- the data key ----------------------------------------------------------------------------- */

static void the_data_key_is_made_once(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    g_auto(Rows) before = {0};
    look(&place, &scope_a, NULL, &before);
    g_assert_cmpstr(before.organization->wrapped_key, ==, "");
    g_autofree char *first = stored(&place, &scope_a, NULL);
    g_auto(Rows) once = {0};
    look(&place, &scope_a, NULL, &once);
    assert_holds(once.organization->wrapped_key, "v1.");
    g_autofree char *second = stored(&place, &scope_a, NULL);
    g_auto(Rows) twice = {0};
    look(&place, &scope_a, NULL, &twice);
    g_assert_cmpstr(once.organization->wrapped_key, ==, twice.organization->wrapped_key);
    assert_opens(&place, &scope_a, first);
    assert_opens(&place, &scope_a, second);
}

#define CONNECTORS 6

typedef struct {
    Db *db;
    const Keyring *keyring;
    pthread_barrier_t *start;
    char *id;
} Connector;

static void *connect_at_once(void *data) {
    Connector *connector = data;
    pthread_barrier_wait(connector->start);
    must(store_in(connector->db, connector->keyring, &scope_a, NULL, &connector->id, &error));
    return NULL;
}

/* As from two processes on one file, all for an organization that has no key yet. */
static void connections_at_the_same_moment_share_one_data_key(void) {
    for (int round = 0; round < 5; round++) {
        g_auto(Place) place = {0};
        place_init(&place);
        g_autofree char *url = stage_url(place.folder, "assay.db");
        g_autoptr(Db) other = NULL;
        must((other = db_open(url, &error)) != NULL);
        pthread_barrier_t start;
        pthread_barrier_init(&start, NULL, CONNECTORS);
        pthread_t threads[CONNECTORS];
        Connector connectors[CONNECTORS];
        for (int i = 0; i < CONNECTORS; i++) {
            connectors[i] = (Connector){i % 2 ? other : place.db, place.keyring, &start, NULL};
            g_assert_cmpint(pthread_create(&threads[i], NULL, connect_at_once, &connectors[i]), ==,
                            0);
        }
        for (int i = 0; i < CONNECTORS; i++)
            pthread_join(threads[i], NULL);
        pthread_barrier_destroy(&start);
        for (int i = 0; i < CONNECTORS; i++) {
            assert_opens(&place, &scope_a, connectors[i].id);
            g_free(connectors[i].id);
        }
        g_auto(Rows) rows = {0};
        look(&place, &scope_a, NULL, &rows);
        g_assert_cmpuint(rows.integrations->len, ==, CONNECTORS);
    }
}

static bool drop_key(DbUnit *unit, void *data, GError **error) {
    return organization_set_key(unit, data, "", error);
}

/* A new key would not open what the old one sealed, and would hide the loss. */
static void reading_does_not_replace_a_lost_data_key(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    g_autofree char *id = stored(&place, &scope_a, NULL);
    g_auto(Rows) rows = {0};
    look(&place, &scope_a, NULL, &rows);
    change(&place, &scope_a, drop_key, rows.organization->wrapped_key);
    assert_closed(&place, &scope_a, id, ERROR_CRYPTO, "data key of this organization is missing");
    g_auto(Rows) after = {0};
    look(&place, &scope_a, NULL, &after);
    g_assert_cmpstr(after.organization->wrapped_key, ==, "");
}

static void another_encryption_key_opens_nothing(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    g_autofree char *id = stored(&place, &scope_a, NULL);
    g_autoptr(Secret) kek = NULL;
    must((kek = secret_random(DATA_KEY_SIZE, &error)) != NULL);
    g_autoptr(Keyring) keyring = NULL;
    must((keyring = keyring_from_secret(kek, &error)) != NULL);
    Credentials *credentials = NULL;
    must_fail(ERROR_CRYPTO, "",
              connection_open(place.db, &scope_a, keyring, id, &credentials, &error));
    g_assert_null(credentials);
    char *new_id = NULL;
    must_fail(ERROR_CRYPTO, "", store_in(place.db, keyring, &scope_a, "new", &new_id, &error));
    g_auto(Rows) rows = {0};
    look(&place, &scope_a, NULL, &rows);
    g_assert_cmpuint(rows.integrations->len, ==, 1);
}

/* --- rows that were moved or edited ----------------------------------------------------------- */

static void another_organization_does_not_find_it(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    g_autofree char *id = stored(&place, &scope_a, NULL);
    g_autofree char *own = stored(&place, &scope_b, NULL);
    assert_closed(&place, &scope_b, id, ERROR_NOT_FOUND, "connect it again");
    assert_opens(&place, &scope_b, own);
}

typedef struct {
    const char *id;
    const Credential *from; /* its fields are copied */
    const char *name;
} Copy;

static bool copy_credential(DbUnit *unit, void *data, GError **error) {
    const Copy *copy = data;
    Integration integration = {.id = copy->id,
                               .provider = "demo",
                               .name = "copy",
                               .auth = "token",
                               .status = INTEGRATION_CONNECTED,
                               .settings = "{}",
                               .account = "{}"};
    if (!integration_insert(unit, &integration, error))
        return false;
    if (!copy->from)
        return true;
    Credential credential = {.id = copy->from->id,
                             .integration_id = copy->id,
                             .name = copy->name,
                             .fields = copy->from->fields,
                             .metadata = "{}",
                             .version = 1};
    g_autofree char *id = g_strconcat(copy->from->id, "-copy", NULL);
    if (strcmp(db_unit_scope(unit)->organization, ORG_A) == 0)
        credential.id = id;
    return credential_insert(unit, &credential, error);
}

/* Somebody who can write to the database copies the sealed text to where they may use it. */
static void a_copy_in_another_integration_or_organization_does_not_open(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    g_autofree char *id = stored(&place, &scope_a, NULL);
    g_autofree char *own = stored(&place, &scope_b, NULL);
    g_auto(Rows) rows = {0};
    look(&place, &scope_a, id, &rows);
    Copy copy = {"copy", g_ptr_array_index(rows.credentials, 0), "main"};
    change(&place, &scope_a, copy_credential, &copy);
    assert_closed(&place, &scope_a, "copy", ERROR_CRYPTO, "");
    Copy same_ids = {id, copy.from, "main"};
    change(&place, &scope_b, copy_credential, &same_ids);
    assert_closed(&place, &scope_b, id, ERROR_CRYPTO, "");
    assert_opens(&place, &scope_a, id);
}

static void an_integration_without_its_main_credential_must_be_connected_again(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    g_autofree char *id = stored(&place, &scope_a, NULL);
    g_auto(Rows) rows = {0};
    look(&place, &scope_a, id, &rows);
    Copy bare = {.id = "bare"};
    change(&place, &scope_b, copy_credential, &bare);
    assert_closed(&place, &scope_b, "bare", ERROR_NOT_FOUND, "has no credential");
    Copy bot = {"bot", g_ptr_array_index(rows.credentials, 0), "bot"};
    change(&place, &scope_a, copy_credential, &bot);
    assert_closed(&place, &scope_a, "bot", ERROR_NOT_FOUND, "has no credential");
}

static bool replace_credential(DbUnit *unit, void *data, GError **error) {
    return credential_replace(unit, data, error);
}

static char *seal_again(const Place *place, const Rows *rows, const Credential *credential,
                        int64_t expires_at) {
    g_autoptr(DataKey) key = NULL;
    must(keyring_open_data_key(place->keyring, ORG_A, rows->organization->wrapped_key, &key,
                               &error));
    CredentialPlace at = {.organization_id = ORG_A,
                          .integration_id = credential->integration_id,
                          .credential_id = credential->id,
                          .version = credential->version + 1,
                          .expires_at = expires_at};
    g_autoptr(Credentials) fresh = credentials_of("access_token", PLANTED);
    char *fields = NULL;
    must(credentials_seal(fresh, key, &at, &fields, &error));
    return fields;
}

static void put_version(const Place *place, const Rows *rows, const char *fields,
                        int64_t expires_at) {
    const Credential *old = g_ptr_array_index(rows->credentials, 0);
    Credential next = *old;
    next.version = old->version + 1;
    next.fields = fields;
    next.expires_at = expires_at;
    change(place, &scope_a, replace_credential, &next);
}

static void a_replaced_credential_opens_with_its_own_expiry_only(void) {
    static const int64_t kept[] = {NOW_MS, NOW_MS + 1, 0};
    for (size_t i = 0; i < G_N_ELEMENTS(kept); i++) {
        g_auto(Place) place = {0};
        place_init(&place);
        g_autofree char *id = stored(&place, &scope_a, NULL);
        g_auto(Rows) rows = {0};
        look(&place, &scope_a, id, &rows);
        g_autofree char *fields =
            seal_again(&place, &rows, g_ptr_array_index(rows.credentials, 0), NOW_MS);
        put_version(&place, &rows, fields, kept[i]);
        if (kept[i] == NOW_MS)
            assert_opens(&place, &scope_a, id);
        else
            assert_closed(&place, &scope_a, id, ERROR_CRYPTO, "");
    }
}

static void an_old_credential_put_back_does_not_open(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    g_autofree char *id = stored(&place, &scope_a, NULL);
    g_auto(Rows) rows = {0};
    look(&place, &scope_a, id, &rows);
    const Credential *old = g_ptr_array_index(rows.credentials, 0);
    put_version(&place, &rows, old->fields, old->expires_at);
    assert_closed(&place, &scope_a, id, ERROR_CRYPTO, "");
}

static void damaged_fields_are_an_error(void) {
    static const char *const damaged[] = {"[]", "{\"access_token\":\"v1.0.0.0.0\"}",
                                          "{\"access_token\":17}", "{"};
    for (size_t i = 0; i < G_N_ELEMENTS(damaged); i++) {
        g_auto(Place) place = {0};
        place_init(&place);
        g_autofree char *id = stored(&place, &scope_a, NULL);
        g_auto(Rows) rows = {0};
        look(&place, &scope_a, id, &rows);
        put_version(&place, &rows, damaged[i], 0);
        assert_closed(&place, &scope_a, id, ERROR_CRYPTO, "");
    }
}

/* --- the planted secret ----------------------------------------------------------------------- */

/* PostgreSQL's files are out of reach: there the table is read as text. */
static void assert_token_is_in_no_row(const Place *place) {
    g_autofree char *url = stage_url(place->folder, "assay.db");
    g_autofree char *rows =
        stage_database_ask(url, "select (select string_agg(credential::text, '') from credential)"
                                " || (select string_agg(integration::text, '') from integration)");
    g_assert_cmpuint(strlen(rows), >, 100);
    g_assert_null(strstr(rows, PLANTED));
}

static void the_token_is_in_no_file(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    g_autofree char *id = stored(&place, &scope_a, NULL);
    assert_opens(&place, &scope_a, id);
    if (stage_is_postgres()) {
        assert_token_is_in_no_row(&place);
        return;
    }
    g_autoptr(GDir) dir = g_dir_open(place.folder, 0, NULL);
    size_t read = 0;
    for (const char *name = g_dir_read_name(dir); name; name = g_dir_read_name(dir)) {
        g_autofree char *path = g_build_filename(place.folder, name, NULL);
        g_autofree char *bytes = NULL;
        gsize size = 0;
        must(g_file_get_contents(path, &bytes, &size, &error));
        g_assert_null(memmem(bytes, size, PLANTED, strlen(PLANTED)));
        read += size;
    }
    g_assert_cmpuint(read, >, 1000);
}

static void the_token_stays_in_no_freed_memory(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    freed_watch(PLANTED);
    char *id = stored(&place, &scope_a, NULL);
    assert_opens(&place, &scope_a, id);
    char *again = NULL;
    g_assert_true(store_in(place.db, place.keyring, &scope_a, "acme", &again, NULL));
    g_free(again);
    g_assert_false(store_in(place.db, place.keyring, &scope_a, "acme", &again, NULL));
    size_t found = freed_count();
    freed_watch(NULL);
    g_free(id);
    g_assert_cmpuint(found, ==, 0);
}

#define ADD(name) g_test_add_func("/connect/connection/" #name, name)

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
    SupportParts parts = {.calls = small_calls, .evidence = small_evidence};
    definition = support_load(&parts);
    ADD(a_connection_is_stored_whole_and_sealed);
    ADD(secrets_are_due_to_be_replaced_from_the_day_they_came);
    ADD(what_has_no_secret_is_never_due);
    ADD(connections_without_a_name_are_numbered);
    ADD(a_name_that_is_taken_is_refused_and_stores_nothing);
    ADD(a_name_fits_on_a_line);
    ADD(organizations_may_use_the_same_name);
    ADD(an_organization_that_does_not_exist_is_not_found);
    ADD(the_data_key_is_made_once);
    ADD(connections_at_the_same_moment_share_one_data_key);
    ADD(reading_does_not_replace_a_lost_data_key);
    ADD(another_encryption_key_opens_nothing);
    ADD(another_organization_does_not_find_it);
    ADD(a_copy_in_another_integration_or_organization_does_not_open);
    ADD(an_integration_without_its_main_credential_must_be_connected_again);
    ADD(a_replaced_credential_opens_with_its_own_expiry_only);
    ADD(an_old_credential_put_back_does_not_open);
    ADD(damaged_fields_are_an_error);
    ADD(the_token_is_in_no_file);
    ADD(the_token_stays_in_no_freed_memory);
    int failed = g_test_run();
    definition_free(definition);
    return failed;
}
