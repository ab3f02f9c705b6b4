#include "cli/init.h"

#include "cli/session.h"

/* Where the key came from, told before it is taken out of the environment. */
static const char *key_source(void) {
    if (g_getenv("ENCRYPTION_KEY"))
        return "ENCRYPTION_KEY";
    if (g_getenv("ENCRYPTION_KEY_FILE"))
        return "ENCRYPTION_KEY_FILE";
    return NULL;
}

static Json *describe(const Session *session, const char *key_from, bool created) {
    const Place *place = session_place(session);
    Json *json = json_new_object();
    json_put_bool(json, "success", true);
    json_put_bool(json, "created", created);
    json_put_string(json, "dataDir", place->data_dir);
    json_put_string(json, "database", place->database_file);
    json_put_string(json, "organization", session_organization(session));
    json_put_string(json, "organizationId", session_scope(session)->organization);
    json_put_string(json, "encryptionKey", key_from);
    return json;
}

static void print(const Output *output, const Json *json, bool own_key) {
    const char *database = json_member_string(json, "database", "as DATABASE_URL says");
    output_line(output, "%s",
                json_member_bool(json, "created", false) ? "Ready." : "This was set up before.");
    output_line(output, "  data          %s", json_member_string(json, "dataDir", ""));
    output_line(output, "  database      %s", database);
    output_line(output, "  key           %s", json_member_string(json, "encryptionKey", ""));
    output_line(output, "  organization  %s", json_member_string(json, "organization", ""));
    if (own_key)
        output_note(output, "Keep a copy of the key elsewhere: whoever loses it loses every stored "
                            "credential.");
    output_note(output, "Next: assay connect github");
}

static bool run(CommandCall *call, GError **error) {
    g_auto(Place) place = {0};
    if (!place_init(&place, call->arguments, error))
        return false;
    bool created = !place_require(&place, NULL);
    const char *named = key_source();
    g_autofree char *file = g_build_filename(place.data_dir, "encryption.key", NULL);
    g_autoptr(Session) session = session_open(call->arguments, SESSION_MAKE, error);
    if (!session || !session_keyring(session, error))
        return false;
    bool own_key = !named && g_file_test(file, G_FILE_TEST_EXISTS);
    const char *key_from = own_key ? file : named ? named : "a systemd credential";
    g_autoptr(Json) json = describe(session, key_from, created);
    output_json(call->output, json);
    print(call->output, json, own_key);
    return true;
}

const Command init_command = {
    .name = "init",
    .summary = "make the data directory, the database and the key",
    .usage = "[--data DIR] [--organization NAME]",
    .about = "Makes what is missing and leaves the rest as it is; run it as often as you like.\n"
             "The key is ENCRYPTION_KEY or ENCRYPTION_KEY_FILE, else a file made in the data\n"
             "directory. `assay connect` does the same by itself.",
    .examples = "assay init\n"
                "assay init --data /srv/assay\n"
                "ENCRYPTION_KEY_FILE=/run/secrets/assay assay init",
    .run = run,
};
