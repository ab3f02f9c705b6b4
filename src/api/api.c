#include "api/api.h"

#include "api/alarm.h"
#include "api/desk.h"
#include "api/errand.h"
#include "api/etag.h"
#include "api/feed.h"
#include "api/first_user.h"
#include "api/front.h"
#include "api/limiter.h"
#include "api/metrics.h"
#include "api/openapi.h"
#include "api/pool.h"
#include "api/recall.h"
#include "api/reference.h"
#include "api/routes.h"
#include "api/server.h"
#include "api/single_sign_on.h"
#include "api/token_use.h"
#include "api/watch.h"
#include "base/log.h"
#include "connect/openid.h"
#include "store/audit_tree.h"
#include "sync/ephemeral.h"
#include "vault/password_queue.h"

#include <string.h>

#define REQUESTS_A_MINUTE 1000
#define STRANGERS_A_MINUTE 600 /* requests of one address without, or with a wrong, credential */
#define DENIALS_A_MINUTE 60    /* refusals of one caller that the audit log takes */
#define CONNECTIONS 4096
#define CONNECTIONS_PER_ADDRESS 2048
#define POLLING_THREADS 2
#define THREADS 4
#define QUEUE_MAX 1024
#define SWEEP_MS 1000
#define STOP_MS 10000
#define SEAL_MS 1000
#define SEAL_ROUNDS 8 /* units of a round, so that it ends under load */

/* A tuning, and what was made of it. */
typedef struct {
    ApiTuning tuning;
    AddressSet *trusted;
} Tuned;

struct ApiServer {
    Desk desk;
    GPtrArray *tuned; /* all that have held: a handler may be looking at one */
    uint64_t sweeping;
    uint64_t writing;
    uint64_t sealing;
    atomic_bool seals; /* one round at a time */
};

static void tuned_free(void *data) {
    Tuned *tuned = data;
    address_set_free(tuned->trusted);
    g_free(tuned);
}

/* Keeps it; whoever calls has it hold. NULL when it is wrong. */
static const Tuned *add_tuned(ApiServer *api, const ApiTuning *tuning, GError **error) {
    g_autoptr(AddressSet) trusted = address_set_new(tuning->trusted_proxies, error);
    if (!trusted)
        return NULL;
    Tuned *tuned = g_new0(Tuned, 1);
    tuned->tuning = *tuning;
    if (tuned->tuning.requests_a_minute == 0)
        tuned->tuning.requests_a_minute = REQUESTS_A_MINUTE;
    tuned->trusted = g_steal_pointer(&trusted);
    g_ptr_array_add(api->tuned, tuned);
    return tuned;
}

bool api_tune(ApiServer *api, const ApiTuning *tuning, GError **error) {
    Desk *desk = &api->desk;
    const Tuned *tuned = add_tuned(api, tuning, error);
    if (!tuned)
        return false;
    atomic_store(&desk->tuning, &tuned->tuning);
    limiter_set(desk->limiter, tuned->tuning.requests_a_minute);
    server_trust(desk->server, tuned->trusted);
    return true;
}

static void fill_in(ApiConfig *config) {
    const struct {
        unsigned *value;
        unsigned usual;
    } numbers[] = {
        {&config->connections, CONNECTIONS},
        {&config->connections_per_address, CONNECTIONS_PER_ADDRESS},
        {&config->threads, THREADS},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (*numbers[i].value == 0)
            *numbers[i].value = numbers[i].usual;
    if (config->wait_scale <= 0)
        config->wait_scale = 1.0;
}

/* --- what is done now and then ---------------------------------------------------------------- */

static void sweep(void *data) {
    const Desk *desk = data;
    server_sweep(desk->server);
}

static void write_use(PoolSeat *seat, void *data) {
    const Desk *desk = data;
    g_autoptr(GError) error = NULL;
    (void)seat;
    if (!token_use_write(desk->token_use, desk->config.db, &error))
        log_line(LOG_WARN, "token_use_not_written", LOG_TEXT("why", error->message));
}

static void ask_to_write(void *data) {
    Desk *desk = data;
    (void)pool_submit(desk->pool, write_use, desk);
}

static void seal(PoolSeat *seat, void *data) {
    ApiServer *api = data;
    g_autoptr(GError) error = NULL;
    int64_t sealed = 0;
    (void)seat;
    if (!audit_tree_sequence(api->desk.config.db, SEAL_ROUNDS, &sealed, &error))
        log_line(LOG_WARN, "audit_not_sealed", LOG_TEXT("why", error->message));
    atomic_store(&api->seals, false);
}

static void ask_to_seal(void *data) {
    ApiServer *api = data;
    if (!atomic_exchange(&api->seals, true) && !pool_submit(api->desk.pool, seal, api))
        atomic_store(&api->seals, false);
}

/* --- start ------------------------------------------------------------------------------------ */

/* After the port is known. */
static void describe(Desk *desk) {
    const char *listen = desk->config.listen;
    const char *colon = strrchr(listen, ':');
    int host = colon ? (int)(colon - listen) : 0;
    desk->public_url =
        desk->config.public_url
            ? g_strdup(desk->config.public_url)
            : g_strdup_printf("%s://%.*s:%u", desk->config.certificate ? "https" : "http",
                              host > 0 ? host : 9, host > 0 ? listen : "localhost",
                              server_port(desk->server));
    desk->secure = g_str_has_prefix(desk->public_url, "https://");
    g_autoptr(Json) document = openapi_json(desk->tables, desk->public_url);
    desk->openapi = json_print(document, JSON_COMPACT);
    desk->openapi_tag = etag_of(desk->openapi, strlen(desk->openapi));
    desk->reference = reference_page(document);
    desk->reference_policy = reference_policy();
}

static void make_parts(Desk *desk) {
    const ApiConfig *config = &desk->config;
    CrewConfig crew = {.data_dir = config->data_dir,
                       .database_url = config->database_url,
                       .keyring = config->keyring,
                       .aws = config->aws,
                       .wait_scale = config->wait_scale};
    desk->tables = routes;
    desk->alarms = alarms_new();
    desk->pool = pool_new(config->threads, QUEUE_MAX);
    desk->limiter = limiter_new(desk_tuning(desk)->requests_a_minute);
    desk->strangers = limiter_new(STRANGERS_A_MINUTE);
    desk->denials = limiter_new(DENIALS_A_MINUTE);
    desk->metrics = metrics_new(desk->tables);
    desk->token_use = token_use_new();
    desk->recall = recall_new(config->db);
    desk->errand_book = errand_book_new(config->db, desk->pool, desk->alarms, 0);
    desk->errands = errands_new(&(ErrandsConfig){.crew = crew,
                                                 .alarms = desk->alarms,
                                                 .book = desk->errand_book,
                                                 .patience_ms = config->patience_ms});
}

/* After the public address is known. */
static bool start_sign_on(Desk *desk, GError **error) {
    const ApiSignOn *wish = &desk->config.sign_on;
    g_autofree char *back = single_sign_on_address(desk);
    OpenidConfig config = {.issuer = wish->issuer,
                           .client_id = wish->client_id,
                           .client_secret = wish->client_secret,
                           .redirect_uri = back,
                           .allow_private = wish->allow_private};
    desk->openid = openid_new(&config, error);
    return desk->openid != NULL;
}

static bool open_redis(Desk *desk, GError **error) {
    const Secret *url = desk->config.redis_url;
    if (url && !(desk->redis = redis_new(url, error)))
        return false;
    desk->ephemeral = ephemeral_new(desk->config.db, desk->redis);
    return true;
}

static bool open_door(Desk *desk, const AddressSet *trusted, GError **error) {
    const ApiConfig *config = &desk->config;
    ServerConfig server = {.listen = desk->config.listen,
                           .trusted = trusted,
                           .threads = POLLING_THREADS,
                           .connections = desk->config.connections,
                           .connections_per_address = desk->config.connections_per_address,
                           .certificate = config->certificate,
                           .key = config->certificate_key,
                           .handle = front_handle,
                           .data = desk};
    if (!server_new(&server, &desk->server, error))
        return false;
    describe(desk);
    if (config->sign_on.issuer && !start_sign_on(desk, error))
        return false;
    return server_start(desk->server, error);
}

bool api_start(const ApiConfig *config, ApiServer **server_out, GError **error) {
    g_autoptr(ApiServer) api = g_new0(ApiServer, 1);
    Desk *desk = &api->desk;
    desk->config = *config;
    fill_in(&desk->config);
    api->tuned = g_ptr_array_new_with_free_func(tuned_free);
    const Tuned *first = add_tuned(api, &config->tuning, error);
    if (!first)
        return false;
    atomic_init(&desk->tuning, &first->tuning);
    make_parts(desk);
    desk->passwords = password_queue_new(NULL, error);
    if (!open_redis(desk, error) || !desk->passwords || !watch_new(desk, &desk->watch, error) ||
        !feed_new(desk, &desk->feed, error) || !open_door(desk, first->trusted, error))
        return false;
    api->sweeping = alarm_set(desk->alarms, SWEEP_MS, SWEEP_MS, sweep, desk);
    api->writing =
        alarm_set(desk->alarms, TOKEN_USE_WRITE_MS, TOKEN_USE_WRITE_MS, ask_to_write, desk);
    api->sealing = alarm_set(desk->alarms, SEAL_MS, SEAL_MS, ask_to_seal, api);
    *server_out = g_steal_pointer(&api);
    return true;
}

bool api_setup_link(const ApiServer *server, char **link_out, GError **error) {
    return first_user_link(server->desk.config.db, server->desk.public_url, link_out, error);
}

uint16_t api_port(const ApiServer *server) {
    return server_port(server->desk.server);
}

void api_progress(ApiServer *server, const char *organization_id, const char *job_id,
                  const Json *progress) {
    watch_progress(server->desk.watch, organization_id, job_id, progress);
    feed_progress(server->desk.feed, organization_id, job_id, progress);
}

/* --- stop ------------------------------------------------------------------------------------- */

static void close_door(ApiServer *api) {
    Desk *desk = &api->desk;
    atomic_store(&desk->stopping, true);
    server_quiesce(desk->server);
    errands_stop(desk->errands);
    openid_stop(desk->openid);
    if (!server_wait(desk->server, STOP_MS))
        log_line(LOG_WARN, "api_stop_late",
                 LOG_INT("exchanges", server_figures(desk->server).exchanges));
    (void)alarm_cancel(desk->alarms, api->sweeping);
    (void)alarm_cancel(desk->alarms, api->writing);
    (void)alarm_cancel(desk->alarms, api->sealing);
}

void api_stop(ApiServer *api) {
    if (!api)
        return;
    Desk *desk = &api->desk;
    if (desk->server)
        close_door(api);
    if (desk->token_use)
        write_use(NULL, desk);
    password_queue_free(desk->passwords);
    if (desk->watch)
        watch_stop(desk->watch);
    if (desk->feed)
        feed_stop(desk->feed);
    if (desk->errand_book)
        errand_book_stop(desk->errand_book);
    /* What the pool still has is replied to before the server goes. */
    pool_free(desk->pool);
    errands_free(desk->errands);
    errand_book_free(desk->errand_book);
    openid_free(desk->openid);
    ephemeral_free(desk->ephemeral);
    redis_free(desk->redis);
    watch_free(desk->watch);
    server_free(desk->server);
    feed_free(desk->feed);
    alarms_free(desk->alarms);
    limiter_free(desk->limiter);
    limiter_free(desk->strangers);
    limiter_free(desk->denials);
    metrics_free(desk->metrics);
    token_use_free(desk->token_use);
    recall_free(desk->recall);
    g_ptr_array_unref(api->tuned);
    g_free(desk->public_url);
    g_free(desk->openapi);
    g_free(desk->openapi_tag);
    g_free(desk->reference);
    g_free(desk->reference_policy);
    g_free(api);
}
