#include "cli/config.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "net/budget.h"
#include "provider/diagnostic.h"
#include "provider/schema.h"
#include "provider/yaml.h"
#include "sync/cron.h"

#include <stdlib.h>
#include <string.h>

#define LIMITS "limits."
#define SECRET_SHOWN "[secret]"
#define TEXT_MAX 4096
#define COUNT_MAX 256
#define SPAN_MAX 36500

/* --- what a value may be ---------------------------------------------------------------------- */

typedef struct {
    const char *expected; /* for messages */
    bool (*accepts)(const char *text);
} Kind;

static bool begins_with_any(const char *text, const char *const *prefixes) {
    for (; *prefixes; prefixes++)
        if (g_str_has_prefix(text, *prefixes))
            return true;
    return false;
}

static bool is_database(const char *text) {
    static const char *const schemes[] = {"sqlite:", "postgres://", "postgresql://", NULL};
    return begins_with_any(text, schemes);
}

static bool is_redis(const char *text) {
    static const char *const schemes[] = {"redis://", "unix:", NULL};
    return begins_with_any(text, schemes);
}

static bool is_web(const char *text) {
    static const char *const schemes[] = {"http://", "https://", NULL};
    return begins_with_any(text, schemes);
}

static bool is_address(const char *text) {
    const char *colon = strrchr(text, ':');
    char *end = NULL;
    unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;
    return colon && g_ascii_isdigit(colon[1]) && *end == '\0' && port <= 65535;
}

static bool is_count(const char *text) {
    char *end = NULL;
    unsigned long number = strtoul(text, &end, 10);
    return g_ascii_isdigit(*text) && *end == '\0' && number >= 1 && number <= COUNT_MAX;
}

static bool is_span(const char *text) {
    guint64 number = 0;
    return g_ascii_string_to_unsigned(text, 10, 1, SPAN_MAX, &number, NULL);
}

static bool is_duration(const char *text) {
    int64_t ms = 0;
    return clock_parse_duration(text, &ms);
}

static bool is_rate(const char *text) {
    BudgetSpec spec = {0};
    return budget_parse_rate(text, &spec, NULL);
}

static bool is_cron(const char *text) {
    Cron cron;
    return cron_parse(text, &cron, NULL);
}

static bool is_zone(const char *text) {
    GTimeZone *zone = cron_zone(text, NULL);
    if (zone)
        g_time_zone_unref(zone);
    return zone != NULL;
}

static bool is_level(const char *text) {
    static const char *const levels[] = {"debug", "info", "warn", "error", NULL};
    return g_strv_contains(levels, text);
}

static bool is_any(const char *text) {
    return *text != '\0';
}

static bool is_choice(const char *text) {
    static const char *const words[] = {"yes", "no", "true", "false", NULL};
    return g_strv_contains(words, text);
}

static const Kind database = {"sqlite:PATH or postgres://...", is_database};
static const Kind redis = {"redis://HOST:PORT or unix:PATH", is_redis};
static const Kind web = {"a URL that begins with http:// or https://", is_web};
static const Kind address = {"an address such as 127.0.0.1:8080 or :8080", is_address};
static const Kind count = {"a whole number from 1, at most 256", is_count};
static const Kind span = {"a whole number from 1, at most 36500", is_span};
static const Kind duration = {"a duration such as 30s or 2m", is_duration};
static const Kind rate = {"a rate such as 50/1m", is_rate};
static const Kind cron = {"five cron fields such as '0 9 * * *'", is_cron};
static const Kind zone = {"a time zone such as Europe/Berlin", is_zone};
static const Kind level = {"debug, info, warn or error", is_level};
static const Kind words = {"a text that is not empty", is_any};
static const Kind secrecy = {"a text that is not empty", is_any};
static const Kind choice = {"yes or no", is_choice};
static const Kind list = {"a list", is_any};

/* --- the settings ----------------------------------------------------------------------------- */

/* What it takes for another value of the file to hold. */
typedef enum {
    RESTART, /* it was built upon: a socket, threads, links that were given out */
    LIVE     /* is looked at when it is needed, or can be exchanged: SIGHUP */
} Takes;

typedef struct {
    const char *name;
    const char *environment;
    const Kind *kind;
    const char *fallback; /* NULL: none */
    const char *about;
    Takes takes;
} Setting;

static const Setting settings[] = {
    {"database_url", "DATABASE_URL", &database, NULL,
     "where everything is kept; assay.db in the data directory without it", RESTART},
    {"redis_url", "REDIS_URL", &redis, NULL,
     "shares limits between processes faster than the database; may be left out", RESTART},
    {"public_url", "ASSAY_PUBLIC_URL", &web, "http://127.0.0.1:8080",
     "where people and browsers reach the API", RESTART},
    {"listen", "ASSAY_LISTEN", &address, "127.0.0.1:8080", "where the API listens", RESTART},
    {"trusted_proxies", "ASSAY_TRUSTED_PROXIES", &list, NULL,
     "addresses and networks whose X-Forwarded-For is believed", LIVE},
    {"tls_certificate", "ASSAY_TLS_CERTIFICATE", &words, NULL,
     "PEM file of the API's certificate and its chain; without it the API answers plain HTTP",
     RESTART},
    {"tls_key", "ASSAY_TLS_KEY", &words, NULL, "PEM file of the certificate's key", RESTART},
    {"workers", "ASSAY_WORKERS", &count, "4", "worker processes of one `assay serve`", RESTART},
    {"grace", "ASSAY_GRACE", &duration, "30s",
     "what running jobs get to end in when the service stops", LIVE},
    {"log_level", "ASSAY_LOG", &level, "info", "the least that is logged", LIVE},
    {"limits.api", "ASSAY_LIMITS_API", &rate, "1000/1m", "requests of one token or user to the API",
     LIVE},
    {"schedule.daily_sync", "ASSAY_DAILY_SYNC", &cron, "0 9 * * *",
     "when everything runs that has not run within the day", LIVE},
    {"schedule.weekly_renewal", "ASSAY_WEEKLY_RENEWAL", &cron, "0 0 * * 0",
     "when approved evidence is collected again", LIVE},
    {"timezone", "ASSAY_TIMEZONE", &zone, "UTC",
     "the time zone of these times, and of schedules that name none", LIVE},
    {"security.credential_rotation_days", "ASSAY_CREDENTIAL_ROTATION_DAYS", &span, "90",
     "after how many days the secrets of a connection are due to be replaced", LIVE},
    {"retention.responses_days", "ASSAY_RETENTION_RESPONSES_DAYS", &span, "400",
     "how long jobs and the answers of services are kept, in days", LIVE},
    {"retention.evidence_years", "ASSAY_RETENTION_EVIDENCE_YEARS", &span, "7",
     "how long the data of evidence are kept; records and the ledger stay", LIVE},
    {"oidc.issuer", "OIDC_ISSUER", &web, NULL,
     "identity provider for single sign-on, as it writes itself", RESTART},
    {"oidc.client_id", "OIDC_CLIENT_ID", &words, NULL, "what Assay is called there", RESTART},
    {"oidc.client_secret", "OIDC_CLIENT_SECRET", &secrecy, NULL,
     "its secret there; may be left out of a public client", RESTART},
    {"oidc.allow_private", "OIDC_ALLOW_PRIVATE", &choice, "no",
     "the identity provider may have a private address", RESTART},
};

typedef struct {
    char *text; /* NULL: not set, or secret */
    Secret *secret;
    char **parts;
    ConfigOrigin origin;
} Value;

struct Config {
    Value values[G_N_ELEMENTS(settings)];
    GHashTable *limits; /* provider -> rate, from the file */
    char *file;         /* NULL: none was named */
};

static const Setting *setting_named(const char *name) {
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++)
        if (strcmp(settings[i].name, name) == 0)
            return &settings[i];
    return NULL;
}

static size_t index_of(const Setting *setting) {
    return (size_t)(setting - settings);
}

static void set_value(Config *config, const Setting *setting, const char *text,
                      ConfigOrigin origin) {
    Value *value = &config->values[index_of(setting)];
    g_free(value->text);
    g_strfreev(value->parts);
    g_clear_pointer(&value->secret, secret_free);
    value->text = setting->kind == &secrecy ? NULL : g_strdup(text);
    value->parts = text && setting->kind == &list ? g_strsplit_set(text, ", ", -1) : NULL;
    value->origin = origin;
}

/* As it was read; the text is wiped by whoever has it. */
static bool set_secret(Config *config, const Setting *setting, Secret *take, ConfigOrigin origin) {
    Value *value = &config->values[index_of(setting)];
    secret_free(value->secret);
    value->secret = take;
    value->origin = origin;
    return take != NULL;
}

/* --- the file --------------------------------------------------------------------------------- */

static void refuse_unknown(const YamlNode *key, const char *name, Diagnostics *diagnostics) {
    const char *names[G_N_ELEMENTS(settings) + 1] = {0};
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++)
        names[i] = settings[i].name;
    const char *near = diagnostics_nearest(name, names);
    g_autofree char *shown = text_name(name);
    diagnostics_error(diagnostics, key->line, key->column, "there is no setting %s%s%s%s", shown,
                      near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static void refuse_value(const YamlNode *node, const char *name, const Kind *kind,
                         Diagnostics *diagnostics) {
    diagnostics_error(diagnostics, node->line, node->column, "%s is %s", name, kind->expected);
}

/* A list of scalars as one text. NULL when it is none. */
static char *join_list(const YamlNode *node) {
    g_autoptr(GString) text = g_string_new(NULL);
    for (size_t i = 0; i < node->count; i++) {
        if (node->items[i]->kind != YAML_KIND_SCALAR)
            return NULL;
        g_string_append_printf(text, "%s%s", i > 0 ? "," : "", node->items[i]->text);
    }
    return g_strdup(text->str);
}

static char *text_of(const YamlNode *node, const Kind *kind) {
    if (kind == &list && node->kind == YAML_KIND_LIST)
        return join_list(node);
    return node->kind == YAML_KIND_SCALAR && node->length <= TEXT_MAX ? g_strdup(node->text) : NULL;
}

static void take_limit(Config *config, const char *name, const YamlNode *node,
                       Diagnostics *diagnostics) {
    if (node->kind != YAML_KIND_SCALAR || !is_rate(node->text))
        refuse_value(node, name, &rate, diagnostics);
    else
        g_hash_table_insert(config->limits, g_strdup(name + strlen(LIMITS)), g_strdup(node->text));
}

static void take_node(Config *config, const char *name, const YamlNode *key, const YamlNode *node,
                      Diagnostics *diagnostics) {
    const Setting *setting = setting_named(name);
    if (!setting && g_str_has_prefix(name, LIMITS) && schema_is_name(key)) {
        take_limit(config, name, node, diagnostics);
        return;
    }
    if (!setting) {
        refuse_unknown(key, name, diagnostics);
        return;
    }
    char *given = text_of(node, setting->kind);
    bool fits = given && setting->kind->accepts(given);
    if (fits && setting->kind == &secrecy)
        fits = set_secret(config, setting, secret_new(given, strlen(given), NULL), CONFIG_FILE);
    else if (fits)
        set_value(config, setting, given, CONFIG_FILE);
    if (!fits)
        refuse_value(node, name, setting->kind, diagnostics);
    secmem_free_text(given);
}

static void take_section(Config *config, const YamlNode *section, const char *prefix,
                         Diagnostics *diagnostics) {
    for (size_t i = 0; i < section->count; i++) {
        const YamlNode *key = section->keys[i];
        const YamlNode *node = section->items[i];
        g_autofree char *name = g_strconcat(prefix, key->text, NULL);
        if (node->kind == YAML_KIND_MAP && *prefix == '\0') {
            g_autofree char *inner = g_strconcat(name, ".", NULL);
            take_section(config, node, inner, diagnostics);
        } else {
            take_node(config, name, key, node, diagnostics);
        }
    }
}

/* A file of comments only, such as one whose settings are all left at their defaults. */
static bool says_nothing(const char *text) {
    for (const char *line = text; *line != '\0'; line = strchrnul(line, '\n')) {
        line += strspn(line, " \t\r\n");
        if (*line != '\0' && *line != '#')
            return false;
    }
    return true;
}

static bool take_file(Config *config, const char *file, const char *content, size_t size,
                      GError **error) {
    if (size > CONFIG_FILE_MAX) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "%s is larger than %d KiB", file,
                    CONFIG_FILE_MAX / 1024);
        return false;
    }
    if (says_nothing(content))
        return true;
    g_autoptr(Diagnostics) diagnostics = diagnostics_new(file);
    g_autoptr(YamlTree) tree = yaml_tree_parse(content, size, diagnostics);
    const YamlNode *root = tree ? yaml_tree_root(tree) : NULL;
    if (root && root->kind == YAML_KIND_MAP)
        take_section(config, root, "", diagnostics);
    else if (root)
        diagnostics_error(diagnostics, root->line, root->column,
                          "settings are names with values, such as `listen: 127.0.0.1:8080`");
    return diagnostics_result(diagnostics, error);
}

static bool read_file(Config *config, const char *file, GError **error) {
    char *content = NULL;
    gsize size = 0;
    g_autoptr(GError) cause = NULL;
    if (!g_file_get_contents(file, &content, &size, &cause)) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "the settings cannot be read: %s",
                    cause->message);
        return false;
    }
    bool ok = take_file(config, file, content, size, error);
    secmem_wipe(content, size);
    g_free(content);
    return ok;
}

/* --- passwords within URLs -------------------------------------------------------------------- */

/* "postgres://user:[secret]@host/db": a password stands between the first colon of the authority
 * and its last @ (RFC 3986 section 3.2.1), also when somebody forgot to encode a '/' in it. */
static char *masked(const char *text) {
    const char *authority = text ? strstr(text, "://") : NULL;
    const char *end = authority ? strchrnul(authority + 3, '?') : NULL;
    const char *at = end ? memrchr(authority + 3, '@', (size_t)(end - authority - 3)) : NULL;
    const char *colon = at ? memchr(authority + 3, ':', (size_t)(at - authority - 3)) : NULL;
    const char *query = text ? strstr(text, "password=") : NULL;
    if (query)
        return g_strdup(SECRET_SHOWN);
    if (!colon)
        return g_strdup(text);
    return g_strdup_printf("%.*s" SECRET_SHOWN "%s", (int)(colon + 1 - text), text, at);
}

static bool has_password(const char *text) {
    g_autofree char *shown = masked(text);
    return strcmp(shown, text) != 0;
}

/* --- environment and flags -------------------------------------------------------------------- */

static bool check(const Setting *setting, const char *text, bool flag, GError **error) {
    if (strlen(text) <= TEXT_MAX && setting->kind->accepts(text))
        return true;
    g_set_error(error, ASSAY_ERROR, flag ? ERROR_USAGE : ERROR_CONFIGURATION, "%s%s is %s",
                flag ? "--" : "", flag ? setting->name : setting->environment,
                setting->kind->expected);
    return false;
}

static bool read_secret(Config *config, const Setting *setting, GError **error) {
    g_autoptr(GError) why = NULL;
    Secret *read = secret_from_environment(setting->environment, &why);
    if (why) {
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
    if (read && secret_size(read) > 0)
        (void)set_secret(config, setting, read, CONFIG_ENVIRONMENT);
    else
        secret_free(read);
    return true;
}

/* Variables that held a password: the environment of a process is shown in /proc and inherited, so
 * that they are kept here instead. A process reads its settings more than once. */
static Secret *taken[G_N_ELEMENTS(settings)];

void config_forget_environment(void) {
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++)
        g_clear_pointer(&taken[i], secret_free);
}

static char *text_from_environment(const Setting *setting, GError **error) {
    Secret **kept = &taken[index_of(setting)];
    const char *text = g_getenv(setting->environment);
    if (text && has_password(text)) {
        secret_free(*kept);
        *kept = secret_from_environment(setting->environment, error);
        return *kept ? g_strdup(secret_text(*kept)) : NULL;
    }
    return text || !*kept ? g_strdup(text) : g_strdup(secret_text(*kept));
}

static bool read_environment(Config *config, GError **error) {
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        if (settings[i].kind == &secrecy && !read_secret(config, &settings[i], error))
            return false;
        g_autoptr(GError) why = NULL;
        g_autofree char *text = text_from_environment(&settings[i], &why);
        if (why) {
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
        if (!text || *text == '\0')
            continue;
        if (!check(&settings[i], text, false, error))
            return false;
        set_value(config, &settings[i], text, CONFIG_ENVIRONMENT);
    }
    return true;
}

bool config_check_flag(const char *name, const char *text, GError **error) {
    return !text || check(setting_named(name), text, true, error);
}

bool config_set_flag(Config *config, const char *name, const char *text, GError **error) {
    if (!config_check_flag(name, text, error))
        return false;
    if (text)
        set_value(config, setting_named(name), text, CONFIG_FLAG);
    return true;
}

/* All defaults. */
static Config *config_new(const char *file) {
    Config *config = g_new0(Config, 1);
    config->limits = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    config->file = g_strdup(file);
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++)
        set_value(config, &settings[i], settings[i].fallback, CONFIG_DEFAULT);
    return config;
}

Config *config_read(const char *file, GError **error) {
    const char *named = file ? file : g_getenv("ASSAY_CONFIG");
    g_autoptr(Config) config = config_new(named && *named != '\0' ? named : NULL);
    if ((config->file && !read_file(config, config->file, error)) ||
        !read_environment(config, error))
        return NULL;
    return g_steal_pointer(&config);
}

void config_free(Config *config) {
    if (!config)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        g_free(config->values[i].text);
        secret_free(config->values[i].secret);
        g_strfreev(config->values[i].parts);
    }
    g_hash_table_unref(config->limits);
    g_free(config->file);
    g_free(config);
}

/* --- values ----------------------------------------------------------------------------------- */

static const Value *value_named(const Config *config, const char *name) {
    const Setting *setting = setting_named(name);
    g_assert(setting);
    return &config->values[index_of(setting)];
}

const char *config_text(const Config *config, const char *name) {
    if (!setting_named(name) && g_str_has_prefix(name, LIMITS))
        return g_hash_table_lookup(config->limits, name + strlen(LIMITS));
    return value_named(config, name)->text;
}

int64_t config_number(const Config *config, const char *name) {
    const char *text = value_named(config, name)->text;
    int64_t number = 0;
    if (text && setting_named(name)->kind == &duration)
        (void)clock_parse_duration(text, &number);
    else if (text)
        number = strtoll(text, NULL, 10);
    return number;
}

const char *const *config_list(const Config *config, const char *name) {
    static const char *const none[] = {NULL};
    char **parts = value_named(config, name)->parts;
    return parts ? (const char *const *)parts : none;
}

Secret *config_secret(const Config *config, const char *name) {
    return value_named(config, name)->secret;
}

bool config_is_yes(const Config *config, const char *name) {
    const char *word = value_named(config, name)->text;
    return word && (strcmp(word, "yes") == 0 || strcmp(word, "true") == 0);
}

ConfigOrigin config_origin(const Config *config, const char *name) {
    return value_named(config, name)->origin;
}

void config_each_limit(const Config *config, ConfigLimit function, void *data) {
    g_autoptr(GList) names =
        g_list_sort(g_hash_table_get_keys(config->limits), (GCompareFunc)(void (*)(void))strcmp);
    for (GList *name = names; name; name = name->next)
        function(name->data, g_hash_table_lookup(config->limits, name->data), data);
}

/* --- reading the file again ------------------------------------------------------------------- */

static bool same_secret(const Secret *one, const Secret *other) {
    if (!one || !other)
        return one == other;
    return secret_size(one) == secret_size(other) &&
           memcmp(secret_bytes(one), secret_bytes(other), secret_size(one)) == 0;
}

static bool same_value(const Value *one, const Value *other) {
    return g_strcmp0(one->text, other->text) == 0 && same_secret(one->secret, other->secret);
}

static void keep_value(Config *fresh, const Config *running, size_t index) {
    const Value *value = &running->values[index];
    set_value(fresh, &settings[index], value->text, value->origin);
    if (value->secret)
        (void)set_secret(fresh, &settings[index], secret_ref(value->secret), value->origin);
}

/* A flag and the environment are as they were: nobody can change them from outside. */
static void compare(Config *fresh, const Config *running, ConfigReload *reload) {
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        bool fixed = running->values[i].origin > CONFIG_FILE;
        bool other = !fixed && !same_value(&fresh->values[i], &running->values[i]);
        bool takes = other && settings[i].takes == LIVE;
        if (other)
            json_add_string(takes ? reload->changed : reload->waiting, settings[i].name);
        if (fixed || (other && !takes))
            keep_value(fresh, running, i);
    }
}

typedef struct {
    const GHashTable *other;
    bool lacking; /* only what is not there at all */
    Json *names;
} LimitSearch;

static void find_other(const char *provider, const char *limit, void *data) {
    const LimitSearch *search = data;
    const char *there = g_hash_table_lookup((GHashTable *)(uintptr_t)search->other, provider);
    g_autofree char *name = g_strconcat(LIMITS, provider, NULL);
    if (!there || (!search->lacking && strcmp(there, limit) != 0))
        json_add_string(search->names, name);
}

static void compare_limits(const Config *fresh, const Config *running, Json *changed) {
    LimitSearch now = {.other = running->limits, .names = changed};
    LimitSearch gone = {.other = fresh->limits, .lacking = true, .names = changed};
    config_each_limit(fresh, find_other, &now);
    config_each_limit(running, find_other, &gone);
}

void config_reload_clear(ConfigReload *reload) {
    config_free(reload->config);
    json_free(reload->changed);
    json_free(reload->waiting);
    *reload = (ConfigReload){0};
}

bool config_reload(const Config *running, ConfigReload *reload_out, GError **error) {
    g_autoptr(Config) fresh = config_new(running->file);
    if (fresh->file && !read_file(fresh, fresh->file, error))
        return false;
    *reload_out = (ConfigReload){.changed = json_new_array(), .waiting = json_new_array()};
    compare(fresh, running, reload_out);
    compare_limits(fresh, running, reload_out->changed);
    reload_out->config = g_steal_pointer(&fresh);
    return true;
}

/* --- showing them ----------------------------------------------------------------------------- */

static const char *const origins[] = {"default", "file", "environment", "flag"};

bool config_setting(size_t index, ConfigSetting *setting_out) {
    if (index >= G_N_ELEMENTS(settings))
        return false;
    const Setting *setting = &settings[index];
    *setting_out = (ConfigSetting){.name = setting->name,
                                   .environment = setting->environment,
                                   .expected = setting->kind->expected,
                                   .fallback = setting->fallback,
                                   .about = setting->about,
                                   .live = setting->takes == LIVE};
    return true;
}

static void describe_limit(const char *provider, const char *limit, void *data) {
    g_autofree char *name = g_strconcat(LIMITS, provider, NULL);
    Json *row = json_new_object();
    json_put_string(row, "name", name);
    json_put_string(row, "value", limit);
    json_put_string(row, "origin", origins[CONFIG_FILE]);
    json_put_string(row, "environment", NULL);
    json_put_string(row, "about", CONFIG_LIMIT_ABOUT);
    json_put_bool(row, "live", true);
    json_add(data, row);
}

Json *config_describe(const Config *config) {
    Json *rows = json_new_array();
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        const Setting *setting = &settings[i];
        const Value *value = &config->values[i];
        g_autofree char *shown = value->secret ? g_strdup(SECRET_SHOWN) : masked(value->text);
        Json *row = json_new_object();
        json_put_string(row, "name", setting->name);
        json_put_string(row, "value", shown);
        json_put_string(row, "origin", origins[value->origin]);
        json_put_string(row, "environment", setting->environment);
        json_put_string(row, "about", setting->about);
        json_put_bool(row, "live", setting->takes == LIVE);
        json_add(rows, row);
    }
    config_each_limit(config, describe_limit, rows);
    return rows;
}

/* --- whether they are the same ---------------------------------------------------------------- */

typedef struct {
    const void *salt;
    size_t size;
    Json *hashes;
} Hashing;

/* The name is in it: two settings with one value do not look alike. */
static void hash_value(const Hashing *hashing, const char *name, const char *value) {
    uint8_t hash[DIGEST_SIZE];
    char *text = g_strconcat(name, "=", value, NULL);
    digest_hmac_sha256(hashing->salt, hashing->size, text, strlen(text), hash);
    secmem_free_text(text);
    g_autofree char *hex = text_hex(hash, sizeof hash);
    json_put_string(hashing->hashes, name, hex);
}

static void hash_limit(const char *provider, const char *limit, void *data) {
    g_autofree char *name = g_strconcat(LIMITS, provider, NULL);
    hash_value(data, name, limit);
}

Json *config_hashes(const Config *config, const void *salt, size_t size) {
    Hashing hashing = {.salt = salt, .size = size, .hashes = json_new_object()};
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        const Value *value = &config->values[i];
        const char *text = value->secret ? secret_text(value->secret) : value->text;
        if (text)
            hash_value(&hashing, settings[i].name, text);
    }
    config_each_limit(config, hash_limit, &hashing);
    return hashing.hashes;
}
