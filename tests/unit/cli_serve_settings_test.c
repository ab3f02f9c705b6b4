/* Settings of a running service: what the parts are given, and what the log is told. */
#include "base/error.h"
#include "base/log.h"
#include "cli/serve_settings.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static char *folder;
static char *path;
static char *log_path;

static void write_file(const char *text) {
    GError *error = NULL;
    g_file_set_contents(path, text, -1, &error);
    g_assert_no_error(error);
}

/* --- a service -------------------------------------------------------------------------------- */

typedef struct {
    Config *config;
    ServeSettings *settings;
    const ServeState *taken; /* by a part that keeps what it was given */
    unsigned takes;
    bool refuses;
} Service;

static Service started_with(const char *text) {
    GError *error = NULL;
    Service service = {0};
    write_file(text);
    service.config = config_read(path, &error);
    g_assert_no_error(error);
    service.settings = serve_settings_new(service.config);
    return service;
}

static void service_clear(Service *service) {
    serve_settings_free(service->settings);
    config_free(service->config);
    log_set_level(LOG_INFO);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Service, service_clear)

static bool take(const ServeState *state, void *data, GError **error) {
    Service *service = data;
    service->takes++;
    service->taken = state;
    if (service->refuses)
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION, "this part cannot");
    return !service->refuses;
}

/* What a hangup with this file logs; *changed_out: whether other settings hold. */
static char *hang_up(Service *service, const char *text, bool *changed_out) {
    char *said = NULL;
    int log = g_open(log_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    g_assert_cmpint(log, >=, 0);
    write_file(text);
    log_set_descriptor(log);
    *changed_out = serve_settings_reload(service->settings, take, service);
    log_set_descriptor(-1);
    close(log);
    g_assert_true(g_file_get_contents(log_path, &said, NULL, NULL));
    return said;
}

static void must_say(Service *service, const char *text, bool changes, const char *const *parts) {
    bool changed = false;
    g_autofree char *said = hang_up(service, text, &changed);
    size_t lines = 0;
    g_assert_cmpint(changed, ==, changes);
    for (; parts[lines]; lines++)
        if (!strstr(said, parts[lines]))
            g_error("\"%s\" is not in \"%s\"", parts[lines], said);
    for (const char *end = said; (end = strchr(end, '\n')); end++)
        lines--;
    g_assert_cmpuint(lines, ==, 0);
}

#define LINES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NOTHING ((const char *const[]){NULL})

/* --- tests ------------------------------------------------------------------------------------ */

static void what_is_live_is_taken_and_told_in_one_line(void) {
    g_auto(Service) service = started_with("grace: 1m\nlimits: {slack: 30/1m}\n");
    const ServeState *before = serve_settings_now(service.settings);
    must_say(
        &service, "grace: 2m\nlimits: {slack: 20/1m}\ntimezone: Europe/Berlin\n", true,
        LINES("\"event\":\"settings_changed\",\"settings\":\"grace, timezone, limits.slack\""));
    const ServeState *now = serve_settings_now(service.settings);
    g_assert_cmpuint(service.takes, ==, 1);
    g_assert_true(service.taken == now && now != before);
    g_assert_cmpint(config_number(now->config, "grace"), ==, 120000);
    g_assert_cmpstr(now->schedule.time_zone, ==, "Europe/Berlin");
    g_assert_cmpstr(json_member_string(now->limits, "slack", ""), ==, "20/1m");
    /* Whoever still looks at the one before sees what it was. */
    g_assert_cmpstr(before->schedule.time_zone, ==, "UTC");
    g_assert_cmpstr(json_member_string(before->limits, "slack", ""), ==, "30/1m");
}

static void what_needs_a_restart_is_named_in_one_line(void) {
    g_auto(Service) service = started_with("workers: 2\n");
    const ServeState *before = serve_settings_now(service.settings);
    must_say(&service, "workers: 3\nlisten: ':9'\n", false,
             LINES("\"level\":\"warn\",\"event\":\"settings_waiting\",\"settings\":\"listen, "
                   "workers\",\"message\":\"needs a restart: listen, workers\""));
    g_assert_cmpuint(service.takes, ==, 0);
    g_assert_true(serve_settings_now(service.settings) == before);
}

static void both_are_told(void) {
    g_auto(Service) service = started_with("workers: 2\n");
    must_say(&service, "workers: 3\ngrace: 9s\n", true,
             LINES("\"settings\":\"grace\"", "needs a restart: workers"));
    const Config *now = serve_settings_now(service.settings)->config;
    g_assert_cmpint(config_number(now, "workers"), ==, 2);
    g_assert_cmpint(config_number(now, "grace"), ==, 9000);
}

static void a_file_as_it_was_says_nothing(void) {
    g_auto(Service) service = started_with("workers: 2\n");
    must_say(&service, "workers: 2\n", false, NOTHING);
    g_assert_cmpuint(service.takes, ==, 0);
}

static void a_wrong_file_is_told_in_one_line_and_changes_nothing(void) {
    g_auto(Service) service = started_with("grace: 1m\n");
    const ServeState *before = serve_settings_now(service.settings);
    must_say(&service, "grace: 2m\nlisten: ':9'\nworkers: many\n", false,
             LINES("\"level\":\"error\",\"event\":\"settings_refused\",\"message\":\""));
    g_assert_cmpuint(service.takes, ==, 0);
    g_assert_true(serve_settings_now(service.settings) == before);
    must_say(&service, "grace: 3m\n", true, LINES("\"settings\":\"grace\""));
}

static void what_a_part_cannot_take_changes_nothing(void) {
    g_auto(Service) service = started_with("grace: 1m\n");
    const ServeState *before = serve_settings_now(service.settings);
    service.refuses = true;
    must_say(&service, "grace: 2m\nworkers: 9\nlog_level: debug\n", false,
             LINES("\"event\":\"settings_refused\",\"message\":\"this part cannot\""));
    g_assert_true(serve_settings_now(service.settings) == before);
    service.refuses = false;
    must_say(&service, "grace: 2m\n", true, LINES("\"settings\":\"grace\""));
}

static bool logs_debug(void) {
    char *said = NULL;
    int log = g_open(log_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    log_set_descriptor(log);
    log_line(LOG_DEBUG, "probe", LOG_INT("n", 1));
    log_set_descriptor(-1);
    close(log);
    g_assert_true(g_file_get_contents(log_path, &said, NULL, NULL));
    bool any = *said != '\0';
    g_free(said);
    return any;
}

/* Told at the level that says more: of silence as well. */
static void the_level_of_the_log_changes_and_is_told_either_way(void) {
    g_auto(Service) service = started_with("log_level: error\n");
    g_assert_false(logs_debug());
    must_say(&service, "log_level: debug\nworkers: 9\n", true,
             LINES("\"settings\":\"log_level\"", "needs a restart: workers"));
    g_assert_true(logs_debug());
    must_say(&service, "log_level: error\n", true, LINES("\"settings\":\"log_level\""));
    g_assert_false(logs_debug());
}

static void all_that_have_held_are_kept(void) {
    g_auto(Service) service = started_with("timezone: UTC\n");
    const char *zones[20];
    bool changed = false;
    for (size_t i = 0; i < G_N_ELEMENTS(zones); i++) {
        g_autofree char *said =
            hang_up(&service, i % 2 ? "timezone: UTC\n" : "timezone: Asia/Tokyo\n", &changed);
        g_assert_true(changed);
        zones[i] = serve_settings_now(service.settings)->schedule.time_zone;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(zones); i++)
        g_assert_cmpstr(zones[i], ==, i % 2 ? "UTC" : "Asia/Tokyo");
    serve_settings_free(NULL);
}

int main(int argc, char **argv) {
    folder = g_dir_make_tmp("assay-settings-XXXXXX", NULL);
    path = g_build_filename(folder, "assay.yaml", NULL);
    log_path = g_build_filename(folder, "log", NULL);
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/cli/serve_settings/" #name, name)
    ADD(what_is_live_is_taken_and_told_in_one_line);
    ADD(what_needs_a_restart_is_named_in_one_line);
    ADD(both_are_told);
    ADD(a_file_as_it_was_says_nothing);
    ADD(a_wrong_file_is_told_in_one_line_and_changes_nothing);
    ADD(what_a_part_cannot_take_changes_nothing);
    ADD(the_level_of_the_log_changes_and_is_told_either_way);
    ADD(all_that_have_held_are_kept);
    int status = g_test_run();
    g_unlink(path);
    g_unlink(log_path);
    g_rmdir(folder);
    g_free(path);
    g_free(log_path);
    g_free(folder);
    return status;
}
