#include "cli/doctor_settings.h"

#include "net/redis.h"
#include "net/url.h"

#include <string.h>

/* --- addresses -------------------------------------------------------------------------------- */

static bool is_loopback(const char *host) {
    return g_ascii_strcasecmp(host, "localhost") == 0 || g_str_has_prefix(host, "127.") ||
           strcmp(host, "::1") == 0 || strcmp(host, "[::1]") == 0;
}

/* What stands before the port. */
static bool listens_to_all(const Config *config) {
    const char *listen = config_text(config, "listen");
    const char *colon = strrchr(listen, ':');
    g_autofree char *host = g_strndup(listen, (gsize)(colon - listen));
    return *host == '\0' || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "[::]") == 0 ||
           strcmp(host, "*") == 0;
}

static bool is_public_plain(const Config *config) {
    Url url;
    if (!url_parse(config_text(config, "public_url"), &url, NULL))
        return false;
    g_autofree char *host = url_dup_host(&url);
    return !url.tls && !is_loopback(host);
}

static bool lacks_proxy(const Config *config) {
    return listens_to_all(config) && !config_text(config, "trusted_proxies") &&
           !config_text(config, "tls_certificate");
}

static bool trusts_everybody(const Config *config) {
    const char *const *networks = config_list(config, "trusted_proxies");
    for (; networks && *networks; networks++)
        if (g_str_has_suffix(*networks, "/0"))
            return true;
    return false;
}

static bool is_reached_elsewhere(const Config *config) {
    return listens_to_all(config) && config_origin(config, "public_url") == CONFIG_DEFAULT;
}

/* --- the rest --------------------------------------------------------------------------------- */

static bool key_in_environment(const Config *config) {
    (void)config;
    return g_getenv("ENCRYPTION_KEY") != NULL;
}

static bool logs_everything(const Config *config) {
    return g_strcmp0(config_text(config, "log_level"), "debug") == 0;
}

static bool database_is_plain(const Config *config) {
    const char *url = config_text(config, "database_url");
    return url && strstr(url, "sslmode=disable");
}

typedef struct {
    bool (*applies)(const Config *config);
    bool grave;
    const char *message;
    const char *advice;
} Rule;

static const Rule rules[] = {
    {is_public_plain, true, "public_url is http on an address that is not this machine's own",
     "Put a proxy with TLS in front, or set tls_certificate and tls_key, and set public_url to the "
     "https address: passwords and cookies go over this line."},
    {trusts_everybody, true, "trusted_proxies believes everybody's X-Forwarded-For",
     "Name the addresses of your proxies only: lockout and limits count by address."},
    {lacks_proxy, false, "listen takes all addresses, and no trusted_proxies are set",
     "Listen on 127.0.0.1 behind a proxy with TLS, and name it in trusted_proxies; or set "
     "tls_certificate and tls_key."},
    {is_reached_elsewhere, false, "listen takes all addresses, and public_url is the default",
     "Set public_url to what browsers use: links and Origin checks go by it."},
    {key_in_environment, false, "ENCRYPTION_KEY stands in the environment",
     "Use ENCRYPTION_KEY_FILE or a systemd credential: the environment is inherited and shown "
     "by tools."},
    {logs_everything, false, "log_level is debug",
     "Set log_level to info: debug names resources and fills disks."},
    {database_is_plain, false, "the line to the database is not encrypted (sslmode=disable)",
     "Use sslmode=verify-full unless the server is on this machine."},
};

void doctor_settings(Examination *examination) {
    const Config *config = examination->place->config;
    size_t found = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
        const Rule *rule = &rules[i];
        if (!rule->applies(config))
            continue;
        found++;
        if (rule->grave)
            checkup_fail(examination->checkup, rule->advice, "%s", rule->message);
        else
            checkup_warn(examination->checkup, rule->advice, "%s", rule->message);
    }
    if (found == 0)
        checkup_ok(examination->checkup, "%d rules, nothing to say", (int)G_N_ELEMENTS(rules));
}

/* --- Redis ------------------------------------------------------------------------------------ */

static bool ping(const char *text, GError **error) {
    g_autoptr(Secret) url = secret_new(text, strlen(text), error);
    g_autoptr(Redis) redis = url ? redis_new(url, error) : NULL;
    g_autoptr(RedisReply) reply = NULL;
    return redis && redis_run(redis, redis_command_new("PING"), &reply, error);
}

void doctor_redis(Examination *examination) {
    const char *url = config_text(examination->place->config, "redis_url");
    g_autoptr(GError) error = NULL;
    if (!url)
        checkup_ok(examination->checkup, "not used");
    else if (ping(url, &error))
        checkup_ok(examination->checkup, "it answers");
    else
        checkup_warn(examination->checkup,
                     "Start it, or unset REDIS_URL; limits are counted in the database meanwhile.",
                     "%s", error->message);
}
