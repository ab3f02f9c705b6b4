#include "unit/connect_support.h"

#include "base/error.h"
#include "db/migrate.h"
#include "store/organization.h"
#include "unit/database_stage.h"
#include "unit/provider_support.h"

#include <glib/gstdio.h>
#include <string.h>

const DbScope scope_a = {.organization = ORG_A, .actor = "test", .role = "owner"};
const DbScope scope_b = {.organization = ORG_B, .actor = "test", .role = "owner"};
const DbScope scope_system = {.actor = "test", .system = true};

const char small_calls[] = "calls:\n"
                           "  users: {get: /users, rows: .}\n";
const char small_evidence[] = "evidence:\n"
                              "  users:\n"
                              "    title: Users\n"
                              "    description: Everybody\n"
                              "    type: config\n"
                              "    read: {user: {call: users}}\n"
                              "    row: {name: .user.name}\n"
                              "    fields: {name: string}\n";

void assert_holds(const char *text, const char *part) {
    if (!text || !strstr(text, part))
        g_error("\"%s\" is not in: %s", part, text ? text : "(nothing)");
}

void assert_lacks(const char *text, const char *part) {
    if (text && strstr(text, part))
        g_error("\"%s\" is in: %s", part, text);
}

void connect_test_init(int *argc, char ***argv) {
    g_test_init(argc, argv, NULL);
    must(secmem_start(&error));
}

Secret *secret_of(const char *text) {
    Secret *secret = NULL;
    must((secret = secret_new(text, strlen(text), &error)) != NULL);
    return secret;
}

Json *json_of(const char *text) {
    Json *json = NULL;
    must((json = json_parse(text, strlen(text), 1024 * 1024, &error)) != NULL);
    return json;
}

Credentials *credentials_of(const char *field, const char *text) {
    Credentials *credentials = credentials_new();
    credentials_put(credentials, field, secret_of(text));
    return credentials;
}

static bool add_organizations(DbUnit *unit, void *data, GError **error) {
    (void)data;
    Organization a = {.id = ORG_A, .name = "Alpha"};
    Organization b = {.id = ORG_B, .name = "Beta"};
    return organization_insert(unit, &a, error) && organization_insert(unit, &b, error);
}

void place_init(Place *place) {
    g_autoptr(Secret) kek = NULL;
    must((kek = secret_random(DATA_KEY_SIZE, &error)) != NULL);
    must((place->keyring = keyring_from_secret(kek, &error)) != NULL);
    must((place->folder = g_dir_make_tmp("assay-connect-XXXXXX", &error)) != NULL);
    g_autofree char *url = stage_url(place->folder, "assay.db");
    DbOptions options = {.rehearse = true};
    must((place->db = db_open_with(url, &options, &error)) != NULL);
    must(migrate_apply(place->db, &error));
    must(db_run(place->db, &scope_system, DB_WRITE, add_organizations, NULL, &error));
}

static void remove_folder(const char *folder) {
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name = g_dir_read_name(dir); name; name = g_dir_read_name(dir)) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            remove_folder(path);
        else
            g_unlink(path);
    }
    g_rmdir(folder);
}

void place_clear(Place *place) {
    db_close(place->db);
    keyring_free(place->keyring);
    remove_folder(place->folder);
    stage_leave(place->folder);
    g_free(place->folder);
}

void wire_init(Wire *wire, const char *http, const char *identity, const char *calls) {
    NetClientConfig config = {.wait_scale = 0.001, .seed = 7};
    must((wire->client = net_client_new(&config, &error)) != NULL);
    wire->budgets = budget_set_new(&budget_memory, NULL);
    g_autofree char *all = g_strconcat(small_calls, calls, NULL);
    SupportParts parts = {
        .http = http, .identity = identity, .calls = all, .evidence = small_evidence};
    wire->definition = support_load(&parts);
    wire->settings = json_of("{\"team\": \"a\", \"allow_private\": true}");
}

void wire_clear(Wire *wire) {
    g_clear_pointer(&wire->client, net_client_free);
    g_clear_pointer(&wire->budgets, budget_set_free);
    g_clear_pointer(&wire->definition, definition_free);
    g_clear_pointer(&wire->settings, json_free);
}

Sender *wire_sender(const Wire *wire, const char *integration_id, const char *token) {
    SenderConfig config = {.client = wire->client,
                           .budgets = wire->budgets,
                           .definition = wire->definition,
                           .auth = &wire->definition->auth[0],
                           .settings = wire->settings,
                           .integration_id = integration_id,
                           .credentials = credentials_of("access_token", token)};
    Sender *sender = NULL;
    must(sender_new(&config, &sender, &error));
    return sender;
}
