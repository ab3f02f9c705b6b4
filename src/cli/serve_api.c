#include "cli/serve_api.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/secmem.h"
#include "cli/certificate.h"
#include "cli/doctor.h"

#include <string.h>

#define MINUTE_MS 60000

/* "1000/1m", which was checked when it was read. */
static unsigned requests_a_minute(const Config *settings) {
    const char *rate = config_text(settings, "limits.api");
    const char *slash = rate ? strchr(rate, '/') : NULL;
    int64_t window_ms = 0;
    if (!slash || !clock_parse_duration(slash + 1, &window_ms) || window_ms <= 0)
        return 0;
    guint64 count = g_ascii_strtoull(rate, NULL, 10);
    return (unsigned)CLAMP(count * MINUTE_MS / (guint64)window_ms, 1, G_MAXUINT16);
}

/* As it is now. */
static const Config *config_of(const ServeApi *wish) {
    return serve_settings_now(wish->settings)->config;
}

static ApiTuning tuning_of(const ServeState *state) {
    return (ApiTuning){.trusted_proxies = config_list(state->config, "trusted_proxies"),
                       .requests_a_minute = requests_a_minute(state->config),
                       .schedule = state->schedule,
                       .limits = state->limits,
                       .rotation_days =
                           config_number(state->config, "security.credential_rotation_days")};
}

static Json *describe(void *data) {
    const ServeApi *wish = data;
    Json *json = json_new_object();
    json_put(json, "settings", config_describe(config_of(wish)));
    return json;
}

static Json *examine(bool network, void *data) {
    const ServeApi *wish = data;
    return doctor_of_service(wish->session, config_of(wish), wish->station->keyring, network);
}

static void tell_queued(void *data) {
    const ServeApi *wish = data;
    wish->queued(wish->data);
}

static const char *public_url(const Config *settings) {
    /* The default names the usual port; the port that is listened on may be another. */
    return config_origin(settings, "public_url") == CONFIG_DEFAULT
               ? NULL
               : config_text(settings, "public_url");
}

static bool take_sign_on(const Config *settings, ApiSignOn *sign_on_out, GError **error) {
    *sign_on_out = (ApiSignOn){.issuer = config_text(settings, "oidc.issuer"),
                               .client_id = config_text(settings, "oidc.client_id"),
                               .client_secret = config_secret(settings, "oidc.client_secret"),
                               .allow_private = config_is_yes(settings, "oidc.allow_private")};
    if (!sign_on_out->issuer == !sign_on_out->client_id)
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                        "single sign-on wants both oidc.issuer and oidc.client_id");
    return false;
}

/* Tests do not wait as long as clients do; not in releases. */
static int64_t patience_ms(void) {
#ifdef ASSAY_TEST_HOOKS
    const char *patience = g_getenv("ASSAY_TEST_PATIENCE_MS");
    if (patience)
        return g_ascii_strtoll(patience, NULL, 10);
#endif
    return 0;
}

bool serve_api_start(const ServeApi *wish, ApiServer **server_out, GError **error) {
    const Keyring *keyring = session_keyring(wish->session, error);
    const Config *settings = config_of(wish);
    g_auto(Certificate) certificate = {0};
    ApiSignOn sign_on = {0};
    if (!keyring || !take_sign_on(settings, &sign_on, error) ||
        !certificate_init(&certificate, settings, error))
        return false;
    ApiConfig config = {.listen = config_text(settings, "listen"),
                        .public_url = public_url(settings),
                        .certificate = certificate.chain,
                        .certificate_key = certificate.key,
                        .tuning = tuning_of(serve_settings_now(wish->settings)),
                        .db = session_db(wish->session),
                        .data_dir = session_place(wish->session)->data_dir,
                        .database_url = wish->station->database_url,
                        .providers_dir = session_place(wish->session)->providers_dir,
                        .keyring = keyring,
                        .aws = wish->station->aws,
                        .wait_scale = wish->station->wait_scale,
                        .sign_on = sign_on,
                        .redis_url = wish->station->redis_url,
                        .patience_ms = patience_ms(),
                        .queued = tell_queued,
                        .configuration = describe,
                        .doctor = examine,
                        .data = (void *)(uintptr_t)wish};
    return api_start(&config, server_out, error);
}

bool serve_api_take(ApiServer *server, const ServeState *state, GError **error) {
    const ApiTuning tuning = tuning_of(state);
    return api_tune(server, &tuning, error);
}

char *serve_api_address(const ServeApi *wish, const ApiServer *server) {
    const char *listen = config_text(config_of(wish), "listen");
    const char *colon = strrchr(listen, ':');
    g_autofree char *host = colon > listen ? g_strndup(listen, (size_t)(colon - listen)) : NULL;
    return g_strdup_printf("%s://%s:%u", certificate_is_wanted(config_of(wish)) ? "https" : "http",
                           host ? host : "localhost", api_port(server));
}

bool serve_api_show_setup(const ApiServer *server, const Output *output, Json *ready,
                          GError **error) {
    char *link = NULL;
    if (!api_setup_link(server, &link, error))
        return false;
    json_put_string(ready, "setup", link);
    if (link)
        output_note(output, "There are no users yet. Make the first one here, once: %s", link);
    secmem_free_text(link);
    return true;
}
