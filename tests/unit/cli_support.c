#include "unit/cli_support.h"

#include "api/api.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/secmem.h"
#include "cli/config.h"
#include "cli/doctor.h"
#include "cli/program.h"
#include "cli/schedule.h"
#include "sync/worker.h"
#include "unit/database_stage.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

static char *folder;
static char *data;
static GPtrArray *files; /* texts that live as long as the test */

static struct {
    Session *session;
    ApiServer *api;
    const char *token;
} served;

void assert_holds(const char *text, const char *part) {
    if (!text || !strstr(text, part))
        g_error("\"%s\" is not in: %s", part, text ? text : "(nothing)");
}

void assert_lacks(const char *text, const char *part) {
    if (text && strstr(text, part))
        g_error("\"%s\" is in: %s", part, text);
}

/* --- the desk --------------------------------------------------------------------------------- */

static void clean_environment(void) {
    static const char *const names[] = {
        "ASSAY_DATA", "ASSAY_LOG",           "DATABASE_URL",          "ENCRYPTION_KEY",
        "NO_COLOR",   "ENCRYPTION_KEY_FILE", "CREDENTIALS_DIRECTORY", "XDG_DATA_HOME",
        "REDIS_URL",  "ASSAY_TOKEN",         "ASSAY_SERVER",          "ASSAY_CA_FILE",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        g_unsetenv(names[i]);
    config_forget_environment();
    g_setenv("ASSAY_TEST_WAIT_SCALE", "0.001", TRUE);
}

/* A server's database is named to the program; a file is where it looks by itself. */
static void set_database_url(void) {
    if (!stage_is_postgres())
        return;
    g_autofree char *url = stage_url(folder, "assay.db");
    g_setenv("DATABASE_URL", url, TRUE);
}

static void remove_tree(const char *path) {
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name = dir ? g_dir_read_name(dir) : NULL; name; name = g_dir_read_name(dir)) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        remove_tree(inner);
    }
    g_remove(path);
}

static void end_service(void) {
    g_clear_pointer(&served.api, api_stop);
    g_clear_pointer(&served.session, session_free);
    served.token = NULL;
}

static void run_test(const void *test) {
    clean_environment();
    must((folder = g_dir_make_tmp("assay-cli-XXXXXX", &error)) != NULL);
    data = g_build_filename(folder, "data", NULL);
    files = g_ptr_array_new_with_free_func(g_free);
    set_database_url();
    ((const DeskTest *)test)->run();
    end_service();
    remove_tree(folder);
    stage_leave(folder);
    g_ptr_array_unref(files);
    g_clear_pointer(&folder, g_free);
    g_clear_pointer(&data, g_free);
    clock_thaw();
}

int desk_main(int argc, char **argv, const char *noun, const DeskTest *tests, size_t count) {
    bool is_worker = argc == 2 && strcmp(argv[1], WORKER_COMMAND) == 0;
    must(secmem_start(&error));
    if (is_worker)
        return worker_main();
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < count; i++) {
        g_autofree char *path = g_strdup_printf("/cli/%s/%s", noun, tests[i].name);
        g_test_add_data_func(path, &tests[i], run_test);
    }
    return g_test_run();
}

const char *desk_data(void) {
    return data;
}

const char *desk_folder(void) {
    return folder;
}

const char *desk_file(const char *name, const char *text) {
    char *path = g_build_filename(folder, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    g_ptr_array_add(files, path);
    g_assert_cmpint(g_mkdir_with_parents(parent, 0700), ==, 0);
    must(g_file_set_contents(path, text, -1, &error));
    return path;
}

/* --- command lines ---------------------------------------------------------------------------- */

void screen_init(Screen *screen) {
    *screen = (Screen){0};
    FILE *out = open_memstream(&screen->out, &screen->out_size);
    FILE *err = open_memstream(&screen->err, &screen->err_size);
    g_assert_true(out && err);
    output_init(&screen->output, out, err);
}

void screen_flush(Screen *screen) {
    fflush(screen->output.result);
    fflush(screen->output.notes);
}

void screen_clear(Screen *screen) {
    if (screen->output.result)
        fclose(screen->output.result);
    if (screen->output.notes)
        fclose(screen->output.notes);
    free(screen->out);
    free(screen->err);
    *screen = (Screen){0};
}

Said desk_run(const char *line) {
    g_auto(Screen) screen = {0};
    g_autofree char *whole = g_strdup_printf("--data %s %s", data, line);
    g_auto(GStrv) parts = g_strsplit(whole, " ", -1);
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    for (char **part = parts; *part; part++)
        if (**part != '\0')
            g_ptr_array_add(words, *part);
    g_ptr_array_add(words, NULL);
    screen_init(&screen);
    Said said = {.status = program_run((const char *const *)words->pdata, &screen.output)};
    screen_flush(&screen);
    said.out = g_strdup(screen.out);
    said.err = g_strdup(screen.err);
    return said;
}

void said_clear(Said *said) {
    g_free(said->out);
    g_free(said->err);
    *said = (Said){0};
}

Json *desk_noted(const char *action, size_t count) {
    g_autofree char *line = g_strdup_printf("audit --action %s", action);
    g_autoptr(Json) log = desk_json(line, 0);
    Json *rows = json_member(log, "audit");
    g_assert_cmpuint(json_count(rows), ==, count);
    return json_ref(rows);
}

static void assert_same_member(const Json *rows, const char *name) {
    g_autofree char *there = json_print(json_member(json_item(rows, 0), name), JSON_SORTED);
    g_autofree char *here = json_print(json_member(json_item(rows, 1), name), JSON_SORTED);
    g_assert_cmpstr(here, ==, there);
}

void desk_noted_same(const char *action) {
    g_autoptr(Json) rows = desk_noted(action, 2);
    static const char *const same[] = {"action", "result", "target", "details"};
    for (size_t i = 0; i < G_N_ELEMENTS(same); i++)
        assert_same_member(rows, same[i]);
    g_assert_cmpstr(json_text(json_path(json_item(rows, 1), "actor.kind")), ==, "cli");
    g_assert_cmpstr(json_text(json_path(json_item(rows, 1), "actor.name")), ==, g_get_user_name());
    g_assert_cmpstr(json_text(json_path(json_item(rows, 0), "actor.kind")), ==, "token");
}

Json *json_of(const char *text) {
    Json *json = NULL;
    must((json = json_parse(text, strlen(text), 4 * 1024 * 1024, &error)) != NULL);
    return json;
}

Json *desk_json(const char *line, int status) {
    g_autofree char *whole = g_strdup_printf("%s --json", line);
    g_auto(Said) said = desk_run(whole);
    if (said.status != status)
        g_error("%s: status %d: %s%s", line, said.status, said.out, said.err);
    assert_lacks(said.out, PLANTED);
    assert_lacks(said.err, PLANTED);
    g_assert_true(g_str_has_suffix(said.out, "}\n"));
    Json *json = json_of(said.out);
    g_assert_true(json_kind(json) == JSON_KIND_OBJECT);
    return json;
}

void desk_fails(const char *line, int status, const char *part) {
    g_auto(Said) said = desk_run(line);
    if (said.status != status)
        g_error("%s: status %d: %s%s", line, said.status, said.out, said.err);
    assert_holds(said.err, "assay: ");
    assert_holds(said.err, part);
    assert_lacks(said.err, PLANTED);
    g_assert_cmpstr(said.out, ==, "");
}

/* --- data ------------------------------------------------------------------------------------- */

Session *desk_session(void) {
    const char *const vector[] = {"--data", data, NULL};
    g_autoptr(Arguments) arguments = NULL;
    Session *session = NULL;
    must((arguments = arguments_parse(NULL, vector, &error)) != NULL);
    must((session = session_open(arguments, SESSION_MAKE, &error)) != NULL);
    return session;
}

static bool add_work(DbUnit *unit, void *integration, GError **error) {
    return integration_insert(unit, integration, error);
}

char *desk_add_integration(const Session *session, const char *name, const char *status) {
    g_autofree char *id = id_new();
    Integration row = {.id = id,
                       .provider = "github",
                       .name = name,
                       .auth = "pat",
                       .status = status,
                       .settings = "{\"organization\":\"acme\",\"api_url\":\"http://127.0.0.1:1\","
                                   "\"allow_private\":true}",
                       .account = "{\"user\":\"mona\"}",
                       .allow_private = true};
    must(session_run(session, DB_WRITE, add_work, &row, &error));
    return g_steal_pointer(&id);
}

/* --- the desk as a server --------------------------------------------------------------------- */

static Json *no_settings(void *context) {
    (void)context;
    Json *json = json_new_object();
    json_put(json, "settings", json_new_array());
    return json;
}

static Json *examine(bool network, void *context) {
    g_autoptr(GError) ignored = NULL;
    (void)context;
    return doctor_of_service(served.session, session_place(served.session)->config,
                             session_keyring(served.session, &ignored), network);
}

void desk_serve(const char *role, bool operator) {
    const Keyring *keyring = NULL;
    g_autofree char *line =
        g_strdup_printf("tokens create desk --role %s%s", role, operator? " --operator" : "");
    served.session = desk_session();
    must((keyring = session_keyring(served.session, &error)) != NULL);
    const Place *place = session_place(served.session);
    ApiConfig config = {
        .listen = "127.0.0.1:0",
        .tuning = {.requests_a_minute = 60000, .schedule = schedule_defaults(served.session)},
        .db = session_db(served.session),
        .data_dir = place->data_dir,
        .database_url = place->database_url,
        .providers_dir = place->providers_dir,
        .keyring = keyring,
        .wait_scale = 0.001,
        .configuration = no_settings,
        .doctor = examine};
    must(api_start(&config, &served.api, &error));
    g_autoptr(Json) made = desk_json(line, 0);
    served.token = desk_file("server.token", json_member_string(made, "token", ""));
}

const char *desk_there(const char *line) {
    char *whole = g_strdup_printf("%s --server http://127.0.0.1:%u --token @%s", line,
                                  api_port(served.api), served.token);
    g_ptr_array_add(files, whole);
    return whole;
}

static void same_object(const char *line, int status) {
    g_autoptr(Json) here = desk_json(line, status);
    g_autoptr(Json) there = desk_json(desk_there(line), status);
    g_autofree char *a = json_print(here, JSON_SORTED);
    g_autofree char *b = json_print(there, JSON_SORTED);
    g_assert_cmpstr(a, ==, b);
}

void desk_same(const char *line, int status) {
    same_object(line, status);
    g_auto(Said) here = desk_run(line);
    g_auto(Said) there = desk_run(desk_there(line));
    g_assert_cmpint(here.status, ==, status);
    g_assert_cmpint(there.status, ==, status);
    g_assert_cmpstr(here.out, ==, there.out);
    g_assert_cmpstr(here.err, ==, there.err);
}

void desk_refuse_same(const char *line, int status) {
    g_auto(Said) here = desk_run(line);
    g_auto(Said) there = desk_run(desk_there(line));
    g_assert_cmpint(here.status, ==, status);
    g_assert_cmpint(there.status, ==, status);
    g_assert_cmpstr(here.err, ==, there.err);
    assert_lacks(there.err, PLANTED);
}

char *desk_with_token(const char *line) {
    return g_strdup_printf("%s --credential access_token=@%s", line,
                           desk_file("token", PLANTED "\n"));
}

const char *json_text_at(const Json *json, const char *path) {
    const char *text = json_text(json_path(json, path));
    return text ? text : "";
}

Json *desk_json_with_password(const char *line, const char *password) {
    g_setenv("NEW_PASSWORD", password, TRUE);
    return desk_json(line, 0);
}

void desk_fails_there(const char *line, int status, const char *part) {
    desk_fails(desk_there(line), status, part);
}
