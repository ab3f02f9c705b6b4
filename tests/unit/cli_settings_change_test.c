/* A service that starts with other settings than before says so in the log. */
#include "cli/settings_change.h"
#include "store/settings_mark.h"
#include "unit/cli_support.h"

#include <string.h>

static const DbScope installation = {
    .organization = "installation", .actor = "test", .role = "none", .system = true};

/* A start with these settings. */
static void start_as(const Session *session, const char *role, const char *settings) {
    const char *file = desk_file("assay.yaml", settings);
    g_autoptr(Config) config = NULL;
    must((config = config_read(file, &error)) != NULL);
    must(settings_change_note(session_db(session), config, role, &error));
}

static void start(const Session *session, const char *settings) {
    start_as(session, "all", settings);
}

/* The newest of so many entries: the names that it has, with commas. */
static char *noted(size_t count) {
    g_autoptr(Json) log = desk_json("audit --installation --action settings.change", 0);
    const Json *rows = json_member(log, "audit");
    const Json *names = json_path(json_item(rows, 0), "details.settings");
    g_autoptr(GString) text = g_string_new(NULL);
    g_assert_cmpuint(json_count(rows), ==, count);
    for (size_t i = 0; i < json_count(names); i++)
        g_string_append_printf(text, "%s%s", i > 0 ? "," : "", json_text(json_item(names, i)));
    return g_strdup(text->str);
}

static void assert_noted(size_t count, const char *names) {
    g_autofree char *text = noted(count);
    g_assert_cmpstr(text, ==, names);
}

static void the_first_start_and_one_like_it_note_nothing(void) {
    g_autoptr(Session) session = desk_session();
    start(session, "workers: 2\n");
    start(session, "workers: 2\n");
    assert_noted(0, "");
}

static void what_is_another_than_before_is_named_once(void) {
    g_autoptr(Session) session = desk_session();
    start(session, "workers: 2\n");
    start(session, "workers: 3\nlimits: {slack: 30/1m}\n");
    assert_noted(1, "workers,limits.slack");
    start(session, "limits: {slack: 30/1m}\nworkers: 3\n");
    assert_noted(1, "workers,limits.slack");
}

static void what_is_gone_is_another_too(void) {
    g_autoptr(Session) session = desk_session();
    start(session, "limits: {slack: 30/1m, github: 5/1s}\n");
    start(session, "limits: {github: 5/1s}\n");
    assert_noted(1, "limits.slack");
}

static void a_value_that_is_the_default_is_no_change(void) {
    g_autoptr(Session) session = desk_session();
    start(session, "workers: 4\n");
    start(session, "# workers: 4\n");
    assert_noted(0, "");
}

static void the_service_is_who_did_it(void) {
    g_autoptr(Session) session = desk_session();
    start_as(session, "worker", "workers: 2\n");
    start_as(session, "worker", "workers: 3\n");
    g_autoptr(Json) log = desk_json("audit --installation --action settings.change", 0);
    const Json *row = json_item(json_member(log, "audit"), 0);
    g_assert_cmpstr(json_text(json_path(row, "actor.kind")), ==, "system");
    g_assert_cmpstr(json_text(json_path(row, "actor.name")), ==, "assay serve");
    g_assert_cmpstr(json_text(json_path(row, "details.role")), ==, "worker");
}

/* Processes of other roles may well have others. */
static void each_role_has_settings_of_its_own(void) {
    g_autoptr(Session) session = desk_session();
    start_as(session, "api", "listen: 127.0.0.1:1\n");
    start_as(session, "worker", "workers: 2\n");
    start_as(session, "api", "listen: 127.0.0.1:1\n");
    assert_noted(0, "");
    start_as(session, "api", "listen: 127.0.0.1:2\n");
    assert_noted(1, "listen");
}

static bool find_work(DbUnit *unit, void *data, GError **error) {
    return settings_mark_find(unit, "all", data, error);
}

static void a_secret_is_noticed_and_neither_kept_nor_told(void) {
    g_autoptr(Session) session = desk_session();
    g_autoptr(SettingsMark) mark = NULL;
    start(session, "oidc: {client_secret: " PLANTED "}\n");
    start(session, "oidc: {client_secret: another}\n");
    assert_noted(1, "oidc.client_secret");
    start(session, "oidc: {client_secret: " PLANTED "}\n");
    g_auto(Said) log = desk_run("audit --installation --json");
    assert_lacks(log.out, PLANTED);
    must(db_run(session_db(session), &installation, DB_READ, find_work, &mark, &error));
    assert_lacks(mark->hashes, PLANTED);
    assert_holds(mark->hashes, "oidc.client_secret");
}

static void very_many_names_still_fit_into_an_entry(void) {
    g_autoptr(Session) session = desk_session();
    g_autoptr(GString) settings = g_string_new("limits:\n");
    for (int i = 0; i < 300; i++)
        g_string_append_printf(settings, "  service_with_a_rather_long_name_%d: 1/1s\n", i);
    start(session, "workers: 2\n");
    start(session, settings->str);
    g_autofree char *names = noted(1);
    g_auto(GStrv) all = g_strsplit(names, ",", -1);
    g_assert_cmpuint(g_strv_length(all), ==, 100);
}

/* A change in a service that runs; it is noted by the time that the database is closed. */
static void a_change_while_the_service_runs_is_noted_at_once(void) {
    g_autoptr(Session) session = desk_session();
    start_as(session, "api", "grace: 1m\n");
    g_autoptr(Config) config = NULL;
    must((config = config_read(desk_file("assay.yaml", "grace: 2m\n"), &error)) != NULL);
    settings_change_tell(session_db(session), config, "api");
    g_clear_pointer(&session, session_free);
    assert_noted(1, "grace");
    session = desk_session();
    start_as(session, "api", "grace: 2m\n");
    assert_noted(1, "grace");
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"the_first_start_and_one_like_it_note_nothing",
         the_first_start_and_one_like_it_note_nothing},
        {"what_is_another_than_before_is_named_once", what_is_another_than_before_is_named_once},
        {"what_is_gone_is_another_too", what_is_gone_is_another_too},
        {"a_value_that_is_the_default_is_no_change", a_value_that_is_the_default_is_no_change},
        {"the_service_is_who_did_it", the_service_is_who_did_it},
        {"each_role_has_settings_of_its_own", each_role_has_settings_of_its_own},
        {"a_secret_is_noticed_and_neither_kept_nor_told",
         a_secret_is_noticed_and_neither_kept_nor_told},
        {"a_change_while_the_service_runs_is_noted_at_once",
         a_change_while_the_service_runs_is_noted_at_once},
        {"very_many_names_still_fit_into_an_entry", very_many_names_still_fit_into_an_entry},
    };
    return desk_main(argc, argv, "settings_change", tests, G_N_ELEMENTS(tests));
}
