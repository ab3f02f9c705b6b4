/* The file of settings is read again: what changes, what waits, and what no file changes. */
#include "base/error.h"
#include "cli/config.h"

#include <glib/gstdio.h>
#include <string.h>

static char *path;

static void write_file(const char *text) {
    GError *error = NULL;
    g_file_set_contents(path, text, -1, &error);
    g_assert_no_error(error);
}

static Config *started_with(const char *text) {
    GError *error = NULL;
    write_file(text);
    Config *config = config_read(path, &error);
    g_assert_no_error(error);
    return config;
}

static void set_flag(Config *config, const char *name, const char *text) {
    GError *error = NULL;
    g_assert_true(config_set_flag(config, name, text, &error));
    g_assert_no_error(error);
}

static void assert_names(const Json *names, const char *expected) {
    g_autoptr(GString) text = g_string_new(NULL);
    for (size_t i = 0; i < json_count(names); i++)
        g_string_append_printf(text, "%s%s", i > 0 ? " " : "", json_text(json_item(names, i)));
    g_assert_cmpstr(text->str, ==, expected);
}

/* Reads it again with another text; by spaces: what changes and what waits. */
static ConfigReload reloaded(const Config *running, const char *text, const char *changed,
                             const char *waiting) {
    ConfigReload reload = {0};
    GError *error = NULL;
    write_file(text);
    g_assert_true(config_reload(running, &reload, &error));
    g_assert_no_error(error);
    assert_names(reload.changed, changed);
    assert_names(reload.waiting, waiting);
    return reload;
}

static void assert_refused(const Config *running, const char *part) {
    g_auto(ConfigReload) reload = {0};
    g_autoptr(GError) error = NULL;
    g_assert_false(config_reload(running, &reload, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    g_assert_nonnull(strstr(error->message, part));
    g_assert_null(reload.config);
}

/* --- what the table says ---------------------------------------------------------------------- */

static void each_setting_says_whether_it_is_live(void) {
    static const char *const live[] = {"trusted_proxies",
                                       "grace",
                                       "log_level",
                                       "limits.api",
                                       "schedule.daily_sync",
                                       "schedule.weekly_renewal",
                                       "timezone",
                                       "security.credential_rotation_days",
                                       "retention.responses_days",
                                       "retention.evidence_years",
                                       NULL};
    ConfigSetting setting;
    size_t count = 0;
    for (size_t i = 0; config_setting(i, &setting); i++) {
        g_assert_cmpint(setting.live, ==, g_strv_contains(live, setting.name));
        count += setting.live;
    }
    g_assert_cmpuint(count, ==, g_strv_length((char **)(uintptr_t)live));
}

static void the_description_says_it_too(void) {
    g_autoptr(Config) config = started_with("limits: {slack: 30/1m}\n");
    g_autoptr(Json) rows = config_describe(config);
    ConfigSetting setting;
    for (size_t i = 0; config_setting(i, &setting); i++)
        g_assert_cmpint(json_member_bool(json_item(rows, i), "live", !setting.live), ==,
                        setting.live);
    const Json *limit = json_item(rows, json_count(rows) - 1);
    g_assert_cmpstr(json_member_string(limit, "name", ""), ==, "limits.slack");
    g_assert_true(json_member_bool(limit, "live", false));
}

/* Another value of each setting, alone: it changes or waits as the table says. */
static const struct {
    const char *text;
    const char *name;
    bool changes;
} cases[] = {
    {"database_url: sqlite:/other.db\n", "database_url", false},
    {"redis_url: redis://other\n", "redis_url", false},
    {"public_url: https://other.example\n", "public_url", false},
    {"listen: ':9'\n", "listen", false},
    {"trusted_proxies: [10.0.0.1]\n", "trusted_proxies", true},
    {"tls_certificate: /other.pem\n", "tls_certificate", false},
    {"tls_key: /other.key\n", "tls_key", false},
    {"workers: 9\n", "workers", false},
    {"grace: 9s\n", "grace", true},
    {"log_level: debug\n", "log_level", true},
    {"limits: {api: 9/1m}\n", "limits.api", true},
    {"schedule: {daily_sync: '9 9 * * *'}\n", "schedule.daily_sync", true},
    {"schedule: {weekly_renewal: '9 9 * * 0'}\n", "schedule.weekly_renewal", true},
    {"timezone: Europe/Berlin\n", "timezone", true},
    {"security: {credential_rotation_days: 9}\n", "security.credential_rotation_days", true},
    {"retention: {responses_days: 9}\n", "retention.responses_days", true},
    {"retention: {evidence_years: 9}\n", "retention.evidence_years", true},
    {"oidc: {issuer: 'https://other.example'}\n", "oidc.issuer", false},
    {"oidc: {client_id: other}\n", "oidc.client_id", false},
    {"oidc: {client_secret: other}\n", "oidc.client_secret", false},
    {"oidc: {allow_private: yes}\n", "oidc.allow_private", false},
};

static size_t case_of(const char *name) {
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        if (strcmp(cases[i].name, name) == 0)
            return i;
    g_error("nothing says what becomes of another %s", name);
}

static void each_setting_does_as_the_table_says(void) {
    ConfigSetting setting;
    for (size_t i = 0; config_setting(i, &setting); i++) {
        const size_t which = case_of(setting.name);
        const bool changes = cases[which].changes;
        g_autoptr(Config) running = started_with("# all defaults\n");
        g_assert_cmpint(setting.live, ==, changes);
        g_auto(ConfigReload) reload = reloaded(
            running, cases[which].text, changes ? setting.name : "", changes ? "" : setting.name);
        g_assert_cmpint(config_origin(reload.config, setting.name), ==,
                        changes ? CONFIG_FILE : CONFIG_DEFAULT);
    }
}

/* --- what holds ------------------------------------------------------------------------------- */

static void what_waits_keeps_its_value_and_is_told_each_time(void) {
    g_autoptr(Config) running = started_with("workers: 2\ngrace: 1m\n");
    static const char text[] = "workers: 3\ngrace: 2m\nlisten: ':9'\n";
    g_auto(ConfigReload) first = reloaded(running, text, "grace", "listen workers");
    g_assert_cmpint(config_number(first.config, "workers"), ==, 2);
    g_assert_cmpint(config_number(first.config, "grace"), ==, 120000);
    g_assert_cmpstr(config_text(first.config, "listen"), ==, "127.0.0.1:8080");
    g_auto(ConfigReload) second = reloaded(first.config, text, "", "listen workers");
    g_assert_cmpint(config_number(second.config, "workers"), ==, 2);
    g_auto(ConfigReload) back = reloaded(second.config, "workers: 2\ngrace: 2m\n", "", "");
    g_assert_cmpint(config_number(back.config, "workers"), ==, 2);
}

static void what_is_gone_from_the_file_is_the_default_again(void) {
    g_autoptr(Config) running =
        started_with("limits: {api: 9/1m}\ntrusted_proxies: [10.0.0.1]\nworkers: 2\n");
    g_auto(ConfigReload) reload =
        reloaded(running, "# nothing\n", "trusted_proxies limits.api", "workers");
    g_assert_cmpstr(config_text(reload.config, "limits.api"), ==, "1000/1m");
    g_assert_null(config_list(reload.config, "trusted_proxies")[0]);
    g_assert_cmpint(config_number(reload.config, "workers"), ==, 2);
    g_assert_cmpint(config_origin(reload.config, "workers"), ==, CONFIG_FILE);
}

static void the_same_text_in_other_words_changes_nothing(void) {
    g_autoptr(Config) running = started_with("limits: {api: 9/1m, slack: 3/1s}\nworkers: 4\n");
    g_auto(ConfigReload) reload =
        reloaded(running, "limits:\n  slack: 3/1s\n  api: 9/1m\n", "", "");
    g_assert_cmpstr(config_text(reload.config, "limits.slack"), ==, "3/1s");
}

static void limits_of_services_change_come_and_go(void) {
    g_autoptr(Config) running = started_with("limits: {aws: 5/1s, github: 1/1s, slack: 30/1m}\n");
    g_auto(ConfigReload) reload =
        reloaded(running, "limits: {aws: 5/1s, jira: 9/1m, slack: 20/1m}\n",
                 "limits.jira limits.slack limits.github", "");
    g_assert_cmpstr(config_text(reload.config, "limits.slack"), ==, "20/1m");
    g_assert_null(config_text(reload.config, "limits.github"));
}

static void flags_and_the_environment_stay_before_the_file(void) {
    g_setenv("ASSAY_LOG", "warn", TRUE);
    g_setenv("ASSAY_LIMITS_API", "7/1m", TRUE);
    g_autoptr(Config) running = started_with("log_level: debug\n");
    set_flag(running, "grace", "5s");
    set_flag(running, "workers", "2");
    g_auto(ConfigReload) reload =
        reloaded(running, "log_level: error\ngrace: 1m\nworkers: 9\nlimits: {api: 8/1m}\n", "", "");
    g_assert_cmpstr(config_text(reload.config, "log_level"), ==, "warn");
    g_assert_cmpstr(config_text(reload.config, "limits.api"), ==, "7/1m");
    g_assert_cmpint(config_number(reload.config, "grace"), ==, 5000);
    g_assert_cmpint(config_origin(reload.config, "grace"), ==, CONFIG_FLAG);
    g_assert_cmpint(config_origin(reload.config, "log_level"), ==, CONFIG_ENVIRONMENT);
    g_unsetenv("ASSAY_LOG");
    g_unsetenv("ASSAY_LIMITS_API");
}

/* Both were taken out of the environment when they were read. */
static void secrets_of_the_environment_are_still_known(void) {
    g_setenv("OIDC_CLIENT_SECRET", "Planted-1", TRUE);
    g_setenv("DATABASE_URL", "postgres://assay:s3cret@db/assay", TRUE);
    g_autoptr(Config) running = started_with("grace: 1m\n");
    g_assert_null(g_getenv("OIDC_CLIENT_SECRET"));
    g_auto(ConfigReload) reload =
        reloaded(running, "grace: 2m\noidc: {client_secret: other}\n", "grace", "");
    g_clear_pointer(&running, config_free);
    g_assert_cmpstr(secret_text(config_secret(reload.config, "oidc.client_secret")), ==,
                    "Planted-1");
    g_assert_cmpstr(config_text(reload.config, "database_url"), ==,
                    "postgres://assay:s3cret@db/assay");
    config_forget_environment();
}

static void a_secret_of_the_file_waits_and_is_not_told(void) {
    g_autoptr(Config) running = started_with("oidc: {client_secret: Planted-1}\n");
    g_auto(ConfigReload) same = reloaded(running, "oidc: {client_secret: Planted-1}\n", "", "");
    g_auto(ConfigReload) other =
        reloaded(running, "oidc: {client_secret: Planted-22}\n", "", "oidc.client_secret");
    g_auto(ConfigReload) gone = reloaded(running, "# none\n", "", "oidc.client_secret");
    g_assert_cmpstr(secret_text(config_secret(other.config, "oidc.client_secret")), ==,
                    "Planted-1");
    g_assert_cmpstr(secret_text(config_secret(gone.config, "oidc.client_secret")), ==, "Planted-1");
}

/* --- files that are none ---------------------------------------------------------------------- */

static void a_wrong_file_changes_nothing(void) {
    g_autoptr(Config) running = started_with("grace: 1m\n");
    write_file("grace: 2m\nworkers: many\n");
    assert_refused(running, ":2:10: workers is a whole number");
    write_file("grace: 2m\ngrce: 3m\n");
    assert_refused(running, "there is no setting grce");
    write_file("grace: [2m\n");
    assert_refused(running, path);
    g_unlink(path);
    assert_refused(running, "the settings cannot be read");
    g_assert_cmpint(config_number(running, "grace"), ==, 60000);
}

static void without_a_file_there_is_nothing_to_read(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) running = config_read(NULL, &error);
    g_assert_no_error(error);
    set_flag(running, "workers", "7");
    g_auto(ConfigReload) reload = reloaded(running, "workers: 9\ngrace: 9s\n", "", "");
    g_assert_cmpint(config_number(reload.config, "workers"), ==, 7);
    g_assert_cmpint(config_number(reload.config, "grace"), ==, 30000);
}

static void the_file_that_the_environment_named_is_read_again(void) {
    g_autoptr(GError) error = NULL;
    write_file("grace: 1m\n");
    g_setenv("ASSAY_CONFIG", path, TRUE);
    g_autoptr(Config) running = config_read(NULL, &error);
    g_assert_no_error(error);
    g_unsetenv("ASSAY_CONFIG");
    g_auto(ConfigReload) reload = reloaded(running, "grace: 2m\n", "grace", "");
    g_assert_cmpint(config_number(reload.config, "grace"), ==, 120000);
}

/* What the environment names no file changes, and tests run beside servers that it names. */
static void clean_environment(void) {
    static const char *const names[] = {"ASSAY_CONFIG", "ASSAY_DATA", "DATABASE_URL", "REDIS_URL"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        g_unsetenv(names[i]);
}

int main(int argc, char **argv) {
    g_autoptr(GError) secmem_error = NULL;
    g_autofree char *folder = g_dir_make_tmp("assay-reload-XXXXXX", NULL);
    path = g_build_filename(folder, "assay.yaml", NULL);
    g_test_init(&argc, &argv, NULL);
    clean_environment();
    g_assert_true(secmem_start(&secmem_error));
#define ADD(name) g_test_add_func("/cli/config_reload/" #name, name)
    ADD(each_setting_says_whether_it_is_live);
    ADD(the_description_says_it_too);
    ADD(each_setting_does_as_the_table_says);
    ADD(what_waits_keeps_its_value_and_is_told_each_time);
    ADD(what_is_gone_from_the_file_is_the_default_again);
    ADD(the_same_text_in_other_words_changes_nothing);
    ADD(limits_of_services_change_come_and_go);
    ADD(flags_and_the_environment_stay_before_the_file);
    ADD(secrets_of_the_environment_are_still_known);
    ADD(a_secret_of_the_file_waits_and_is_not_told);
    ADD(a_wrong_file_changes_nothing);
    ADD(without_a_file_there_is_nothing_to_read);
    ADD(the_file_that_the_environment_named_is_read_again);
    int status = g_test_run();
    g_unlink(path);
    g_rmdir(folder);
    g_free(path);
    return status;
}
