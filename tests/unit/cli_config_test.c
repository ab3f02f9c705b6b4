/* Settings: which source wins, what is refused and how it is said, what is shown. */
#include "base/error.h"
#include "cli/config.h"

#include <glib/gstdio.h>
#include <string.h>

static char *path;

static const char *const variables[] = {
    "ASSAY_CONFIG",       "DATABASE_URL",          "REDIS_URL",
    "ASSAY_PUBLIC_URL",   "ASSAY_LISTEN",          "ASSAY_WORKERS",
    "ASSAY_GRACE",        "ASSAY_TRUSTED_PROXIES", "ASSAY_LOG",
    "ASSAY_LIMITS_API",   "ASSAY_DAILY_SYNC",      "ASSAY_WEEKLY_RENEWAL",
    "ASSAY_TIMEZONE",     "OIDC_ISSUER",           "OIDC_CLIENT_ID",
    "OIDC_CLIENT_SECRET", "OIDC_ALLOW_PRIVATE",    NULL};

static void start(void) {
    for (size_t i = 0; variables[i]; i++)
        g_unsetenv(variables[i]);
    config_forget_environment();
}

static void write_file(const char *text) {
    GError *error = NULL;
    g_file_set_contents(path, text, -1, &error);
    g_assert_no_error(error);
}

static Config *read_with(const char *file) {
    GError *error = NULL;
    Config *config = config_read(file, &error);
    g_assert_no_error(error);
    g_assert_nonnull(config);
    return config;
}

static Config *read_text(const char *text) {
    write_file(text);
    return read_with(path);
}

static void assert_refused(const char *text, const char *part) {
    g_autoptr(GError) error = NULL;
    write_file(text);
    g_assert_null(config_read(path, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    if (!strstr(error->message, part))
        g_error("\"%s\" is not in \"%s\"", part, error->message);
}

static void set_flag(Config *config, const char *name, const char *text) {
    GError *error = NULL;
    g_assert_true(config_set_flag(config, name, text, &error));
    g_assert_no_error(error);
}

static void without_anything_the_defaults_hold(void) {
    start();
    g_autoptr(Config) config = read_with(NULL);
    g_assert_cmpstr(config_text(config, "listen"), ==, "127.0.0.1:8080");
    g_assert_cmpint(config_number(config, "workers"), ==, 4);
    g_assert_cmpint(config_number(config, "grace"), ==, 30000);
    g_assert_null(config_text(config, "database_url"));
    g_assert_null(config_text(config, "limits.slack"));
    g_assert_null(config_list(config, "trusted_proxies")[0]);
    g_assert_cmpint(config_origin(config, "listen"), ==, CONFIG_DEFAULT);
}

static void a_flag_beats_the_environment_beats_the_file(void) {
    start();
    write_file("workers: 2\nlisten: ':1'\ngrace: 1m\n");
    g_setenv("ASSAY_WORKERS", "3", TRUE);
    g_setenv("ASSAY_LISTEN", ":2", TRUE);
    g_autoptr(Config) config = read_with(path);
    set_flag(config, "workers", "5");
    set_flag(config, "grace", NULL);
    g_assert_cmpint(config_number(config, "workers"), ==, 5);
    g_assert_cmpint(config_origin(config, "workers"), ==, CONFIG_FLAG);
    g_assert_cmpstr(config_text(config, "listen"), ==, ":2");
    g_assert_cmpint(config_origin(config, "listen"), ==, CONFIG_ENVIRONMENT);
    g_assert_cmpint(config_number(config, "grace"), ==, 60000);
    g_assert_cmpint(config_origin(config, "grace"), ==, CONFIG_FILE);
}

static void the_file_may_be_named_by_the_environment(void) {
    start();
    write_file("timezone: Europe/Berlin\n");
    g_setenv("ASSAY_CONFIG", path, TRUE);
    g_autoptr(Config) config = read_with(NULL);
    g_assert_cmpstr(config_text(config, "timezone"), ==, "Europe/Berlin");
}

static void sections_and_lists_are_read(void) {
    start();
    g_autoptr(Config) config = read_text("trusted_proxies: [10.0.0.0/8, '::1']\n"
                                         "schedule:\n"
                                         "  daily_sync: '0 6 * * 1-5'\n"
                                         "limits: {api: 2000/1m, slack: 30/1m, aws: 5/1s}\n");
    const char *const *proxies = config_list(config, "trusted_proxies");
    g_assert_cmpstr(proxies[0], ==, "10.0.0.0/8");
    g_assert_cmpstr(proxies[1], ==, "::1");
    g_assert_null(proxies[2]);
    g_assert_cmpstr(config_text(config, "schedule.daily_sync"), ==, "0 6 * * 1-5");
    g_assert_cmpstr(config_text(config, "schedule.weekly_renewal"), ==, "0 0 * * 0");
    g_assert_cmpstr(config_text(config, "limits.api"), ==, "2000/1m");
    g_assert_cmpstr(config_text(config, "limits.slack"), ==, "30/1m");
}

static void count_limit(const char *provider, const char *limit, void *data) {
    g_string_append_printf(data, "%s=%s ", provider, limit);
}

static void limits_of_services_come_in_order(void) {
    start();
    g_autoptr(Config) config = read_text("limits: {slack: 30/1m, api: 9/1m, aws: 5/1s}\n");
    g_autoptr(GString) text = g_string_new(NULL);
    config_each_limit(config, count_limit, text);
    g_assert_cmpstr(text->str, ==, "aws=5/1s slack=30/1m ");
}

static void an_empty_file_sets_nothing(void) {
    start();
    g_autoptr(Config) config = read_text("# nothing yet\n");
    g_assert_cmpint(config_origin(config, "workers"), ==, CONFIG_DEFAULT);
}

static void what_is_wrong_in_the_file_is_said_with_its_line(void) {
    start();
    assert_refused("listn: ':1'\n", ":1:1: there is no setting listn; did you mean listen?");
    assert_refused("workers: 4\nworkers: 5\n", ":2:1: this key is given twice");
    assert_refused("workers: many\n", ":1:10: workers is a whole number from 1, at most 256");
    assert_refused("workers: 0\n", "workers is a whole number from 1, at most 256");
    assert_refused("\nschedule: {daily_sync: every day}\n", ":2:24: schedule.daily_sync is five");
    assert_refused("schedule: {daily: '0 9 * * *'}\n", "there is no setting schedule.daily");
    assert_refused("limits: {slack: fast}\n", "limits.slack is a rate such as 50/1m");
    assert_refused("limits: {slack: {a: b}}\n", "limits.slack is a rate");
    assert_refused("listen: [a]\n", "listen is an address");
    assert_refused("listen: somewhere\n", "listen is an address");
    assert_refused("listen: ':70000'\n", "listen is an address");
    assert_refused("timezone: Mars/Phobos\n", "timezone is a time zone");
    assert_refused("database_url: mysql://x\n", "database_url is sqlite:PATH or postgres://...");
    assert_refused("redis_url: http://x\n", "redis_url is redis://");
    assert_refused("public_url: assay.example\n", "public_url is a URL");
    assert_refused("log_level: loud\n", "log_level is debug, info, warn or error");
    assert_refused("trusted_proxies: [[a]]\n", "trusted_proxies is a list");
    assert_refused("- a\n", "settings are names with values");
}

static void a_wrong_value_is_not_repeated(void) {
    start();
    g_autoptr(GError) error = NULL;
    write_file("database_url: 'mysql://user:planted-password@db/x'\n");
    g_assert_null(config_read(path, &error));
    g_assert_null(strstr(error->message, "planted-password"));
}

static void a_missing_file_is_an_error(void) {
    start();
    g_autoptr(GError) error = NULL;
    g_assert_null(config_read("/nowhere/assay.yaml", &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
}

static void a_file_that_is_too_large_is_refused(void) {
    start();
    g_autofree char *text = g_strnfill(CONFIG_FILE_MAX + 1, '#');
    assert_refused(text, "is larger than 256 KiB");
}

static void a_wrong_variable_and_a_wrong_flag_are_named(void) {
    start();
    g_autoptr(GError) error = NULL;
    g_setenv("ASSAY_GRACE", "long", TRUE);
    g_assert_null(config_read(NULL, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    g_assert_cmpstr(error->message, ==, "ASSAY_GRACE is a duration such as 30s or 2m");
    g_clear_error(&error);
    start();
    g_autoptr(Config) config = read_with(NULL);
    g_assert_false(config_set_flag(config, "workers", "none", &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_USAGE);
    g_assert_cmpstr(error->message, ==, "--workers is a whole number from 1, at most 256");
}

/* The row of a setting in the description; borrowed from it. */
static const Json *row_of(const Json *rows, const char *name) {
    for (size_t i = 0; i < json_count(rows); i++)
        if (strcmp(json_member_string(json_item(rows, i), "name", ""), name) == 0)
            return json_item(rows, i);
    g_error("no row %s", name);
}

static void passwords_are_not_shown(void) {
    static const struct {
        const char *url;
        const char *shown;
    } cases[] = {
        {"postgres://assay:s3cret@db.internal/assay",
         "postgres://assay:[secret]@db.internal/assay"},
        {"postgres://assay:a@b@db/assay?sslmode=require",
         "postgres://assay:[secret]@db/assay?sslmode=require"},
        {"postgres://assay:s3c/ret@db/assay", "postgres://assay:[secret]@db/assay"},
        {"postgres://assay@db/assay", "postgres://assay@db/assay"},
        {"postgres://db/assay?user=a&password=s3cret", "[secret]"},
        {"sqlite:/var/lib/assay/assay.db", "sqlite:/var/lib/assay/assay.db"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        start();
        g_setenv("DATABASE_URL", cases[i].url, TRUE);
        g_autoptr(Config) config = read_with(NULL);
        g_autoptr(Json) rows = config_describe(config);
        const Json *row = row_of(rows, "database_url");
        g_assert_cmpstr(json_member_string(row, "value", NULL), ==, cases[i].shown);
        g_assert_cmpstr(json_member_string(row, "origin", NULL), ==, "environment");
        g_assert_cmpstr(config_text(config, "database_url"), ==, cases[i].url);
    }
}

static void passwords_leave_the_environment_and_are_still_known(void) {
    static const char url[] = "postgres://assay:s3cret@db.internal/assay";
    start();
    g_setenv("DATABASE_URL", url, TRUE);
    g_setenv("REDIS_URL", "redis://db.internal", TRUE);
    for (int i = 0; i < 2; i++) {
        g_autoptr(Config) config = read_with(NULL);
        g_assert_cmpstr(config_text(config, "database_url"), ==, url);
        g_assert_cmpint(config_origin(config, "database_url"), ==, CONFIG_ENVIRONMENT);
        g_assert_null(g_getenv("DATABASE_URL"));
        g_assert_cmpstr(g_getenv("REDIS_URL"), ==, "redis://db.internal");
    }
    g_setenv("DATABASE_URL", "sqlite:/other.db", TRUE);
    g_autoptr(Config) other = read_with(NULL);
    g_assert_cmpstr(config_text(other, "database_url"), ==, "sqlite:/other.db");
    config_forget_environment();
    g_unsetenv("DATABASE_URL");
    g_autoptr(Config) none = read_with(NULL);
    g_assert_null(config_text(none, "database_url"));
}

static void assert_secret(const Config *config, const char *origin) {
    g_autoptr(Json) rows = config_describe(config);
    g_autofree char *printed = json_print(rows, JSON_COMPACT);
    const Json *row = row_of(rows, "oidc.client_secret");
    g_assert_cmpstr(json_member_string(row, "value", NULL), ==, "[secret]");
    g_assert_cmpstr(json_member_string(row, "origin", NULL), ==, origin);
    g_assert_null(strstr(printed, "Planted"));
    g_assert_null(config_text(config, "oidc.client_secret"));
    g_assert_cmpstr(secret_text(config_secret(config, "oidc.client_secret")), ==, "Planted-1");
}

static void a_secret_has_no_text_and_leaves_the_environment(void) {
    start();
    g_autoptr(Config) none = read_with(NULL);
    g_assert_null(config_secret(none, "oidc.client_secret"));
    g_autoptr(Config) filed = read_text("oidc: {client_secret: Planted-1}\n");
    assert_secret(filed, "file");
    g_setenv("OIDC_CLIENT_SECRET", "Planted-1", TRUE);
    g_autoptr(Config) config = read_text("oidc: {client_secret: another}\n");
    assert_secret(config, "environment");
    g_assert_null(g_getenv("OIDC_CLIENT_SECRET"));
    g_setenv("OIDC_CLIENT_SECRET", "", TRUE);
    g_autoptr(Config) empty = read_text("oidc: {client_secret: Planted-1}\n");
    assert_secret(empty, "file");
    assert_refused("oidc: {client_secret: ''}\n", "a text that is not empty");
    assert_refused("oidc: {client_secret: [Planted]}\n", "a text that is not empty");
}

static char *hash_of(const Config *config, const char *salt, const char *name) {
    g_autoptr(Json) hashes = config_hashes(config, salt, strlen(salt));
    return g_strdup(json_member_string(hashes, name, NULL));
}

static void hashes_tell_whether_a_value_is_another_and_not_what_it_is(void) {
    static const char *const names[] = {"workers", "oidc.client_secret", "limits.slack"};
    start();
    g_autoptr(Config) one =
        read_text("workers: 2\noidc: {client_secret: Planted-1}\nlimits: {slack: 1/1s}\n");
    g_autoptr(Config) same =
        read_text("limits: {slack: 1/1s}\noidc: {client_secret: Planted-1}\nworkers: 2\n");
    g_autoptr(Config) other =
        read_text("workers: 3\noidc: {client_secret: Planted-2}\nlimits: {slack: 2/1s}\n");
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *hash = hash_of(one, "salt", names[i]);
        g_autofree char *again = hash_of(same, "salt", names[i]);
        g_autofree char *changed = hash_of(other, "salt", names[i]);
        g_autofree char *salted = hash_of(one, "other", names[i]);
        g_assert_cmpuint(strlen(hash), ==, 64);
        g_assert_cmpstr(hash, ==, again);
        g_assert_cmpstr(hash, !=, changed);
        g_assert_cmpstr(hash, !=, salted);
    }
    g_autofree char *none = hash_of(one, "salt", "redis_url");
    g_assert_null(none);
}

static void a_choice_is_yes_or_no(void) {
    start();
    g_autoptr(Config) usual = read_with(NULL);
    g_autoptr(Config) yes = read_text("oidc: {allow_private: yes}\n");
    g_autoptr(Config) also = read_text("oidc: {allow_private: true}\n");
    g_autoptr(Config) no = read_text("oidc: {allow_private: no}\n");
    g_assert_false(config_is_yes(usual, "oidc.allow_private"));
    g_assert_true(config_is_yes(yes, "oidc.allow_private"));
    g_assert_true(config_is_yes(also, "oidc.allow_private"));
    g_assert_false(config_is_yes(no, "oidc.allow_private"));
    assert_refused("oidc: {allow_private: maybe}\n", "yes or no");
    assert_refused("oidc: {issuer: id.example}\n", "oidc.issuer is a URL");
}

static void every_setting_is_described(void) {
    start();
    g_autoptr(Config) config = read_text("limits: {slack: 30/1m}\nworkers: 2\n");
    g_autoptr(Json) rows = config_describe(config);
    g_assert_cmpuint(json_count(rows), ==, 22);
    const Json *slack = row_of(rows, "limits.slack");
    g_assert_cmpstr(json_member_string(slack, "value", NULL), ==, "30/1m");
    const Json *workers = row_of(rows, "workers");
    g_assert_cmpstr(json_member_string(workers, "origin", NULL), ==, "file");
    g_assert_cmpstr(json_member_string(workers, "environment", NULL), ==, "ASSAY_WORKERS");
}

#define TEST(name)                                                                                 \
    { "/cli/config/" #name, name }

int main(int argc, char **argv) {
    static const struct {
        const char *path;
        void (*run)(void);
    } tests[] = {
        TEST(without_anything_the_defaults_hold),
        TEST(a_flag_beats_the_environment_beats_the_file),
        TEST(the_file_may_be_named_by_the_environment),
        TEST(sections_and_lists_are_read),
        TEST(limits_of_services_come_in_order),
        TEST(an_empty_file_sets_nothing),
        TEST(what_is_wrong_in_the_file_is_said_with_its_line),
        TEST(a_wrong_value_is_not_repeated),
        TEST(a_missing_file_is_an_error),
        TEST(a_file_that_is_too_large_is_refused),
        TEST(a_wrong_variable_and_a_wrong_flag_are_named),
        TEST(passwords_are_not_shown),
        TEST(passwords_leave_the_environment_and_are_still_known),
        TEST(a_secret_has_no_text_and_leaves_the_environment),
        TEST(hashes_tell_whether_a_value_is_another_and_not_what_it_is),
        TEST(a_choice_is_yes_or_no),
        TEST(every_setting_is_described),
    };
    g_autoptr(GError) secmem_error = NULL;
    g_test_init(&argc, &argv, NULL);
    g_assert_true(secmem_start(&secmem_error));
    GError *error = NULL;
    g_autofree char *folder = g_dir_make_tmp("assay-config-XXXXXX", &error);
    g_assert_no_error(error);
    path = g_build_filename(folder, "assay.yaml", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add_func(tests[i].path, tests[i].run);
    int status = g_test_run();
    g_unlink(path);
    g_rmdir(folder);
    g_free(path);
    return status;
}
