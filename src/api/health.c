#include "api/health.h"

#include "api/call.h"
#include "api/etag.h"
#include "api/feed.h"
#include "api/limit_figures.h"
#include "api/metrics.h"
#include "api/service_figures.h"
#include "base/clock.h"
#include "store/job_count.h"
#include "store/organization.h"

#include <string.h>
#include <sys/statvfs.h>

#define SPACE_LEAST (256 * 1024) /* bytes; a unit of work wants more than that */
#define TEXT_METRICS "text/plain; version=0.0.4; charset=utf-8"

/* --- alive and ready -------------------------------------------------------------------------- */

static bool say(Call *call, unsigned status, const char *word) {
    Json *json = json_new_object();
    json_put_string(json, "status", word);
    return call_answer(call, status, json);
}

static bool alive(Call *call, GError **error) {
    (void)error;
    return say(call, 200, "ok");
}

static bool look_work(DbUnit *unit, void *data, GError **error) {
    g_autoptr(GPtrArray) some = NULL;
    (void)data;
    return organization_list(unit, NULL, 1, &some, error);
}

/* A database of its own that is on a full disk can be read, and that is all. */
static bool is_full(const ApiConfig *config) {
    struct statvfs disk;
    return config->database_url && g_str_has_prefix(config->database_url, "sqlite:") &&
           statvfs(config->data_dir, &disk) == 0 &&
           (uint64_t)disk.f_bavail * disk.f_frsize < SPACE_LEAST;
}

static bool ready(Call *call, GError **error) {
    static const DbScope looking = {.actor = "api", .system = true};
    g_autoptr(GError) failure = NULL;
    if (atomic_load(&call->desk->stopping))
        return call_refuse(call, PROBLEM_UNAVAILABLE, error, "%s", "The server is stopping.");
    if (is_full(&call->desk->config))
        return call_refuse(call, PROBLEM_UNAVAILABLE, error, "%s",
                           "There is no space left on the disk of the database; free some.");
    if (db_run(call_db(call), &looking, DB_READ, look_work, NULL, &failure))
        return say(call, 200, "ready");
    return call_refuse(call, PROBLEM_UNAVAILABLE, error, "%s", "The database does not answer.");
}

/* --- figures ---------------------------------------------------------------------------------- */

static void write_server(Desk *desk, GString *out) {
    ServerFigures figures = server_figures(desk->server);
    const MetricSample samples[] = {
        {"assay_http_connections", "Connections that are open.", "gauge", NULL,
         (double)figures.connections},
        {"assay_http_exchanges", "Requests being answered, streams among them.", "gauge", NULL,
         (double)figures.exchanges},
        {"assay_http_refused_connections_total", "Connections refused for their number.", "counter",
         NULL, (double)figures.refused},
        {"assay_http_slow_requests_total", "Connections closed because a request did not arrive.",
         "counter", NULL, (double)figures.timed_out},
        {"assay_http_waiting_requests", "Requests that wait for a thread.", "gauge", NULL,
         (double)pool_waiting(desk->pool)},
        {"assay_event_streams", "Streams of GET /api/events that are open.", "gauge", NULL,
         (double)feed_streams(desk->feed)},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(samples); i++)
        metrics_sample(out, &samples[i]);
}

static bool count_work(DbUnit *unit, void *data, GError **error) {
    return job_count(unit, data, error);
}

static bool write_jobs(Call *call, GString *out, GError **error) {
    JobCount count = {0};
    if (!call_run(call, DB_READ, count_work, &count, error))
        return false;
    const MetricSample samples[] = {
        {"assay_jobs", "Jobs that have not ended, by status.", "gauge", "status=\"pending\"",
         (double)count.pending},
        {"assay_jobs", NULL, NULL, "status=\"running\"", (double)count.running},
        {"assay_jobs", NULL, NULL, "status=\"parked\"", (double)count.parked},
        {"assay_jobs_ended_last_hour", "Jobs that ended in the last hour, by status.", "gauge",
         "status=\"completed\"", (double)count.completed},
        {"assay_jobs_ended_last_hour", NULL, NULL, "status=\"failed\"", (double)count.failed},
        {"assay_jobs_ended_last_hour", NULL, NULL, "status=\"cancelled\"", (double)count.cancelled},
        {"assay_job_oldest_due_seconds",
         "For how long the job that waits longest has been due; 0: none is.", "gauge", NULL,
         count.oldest_due_at > 0 ? (double)(clock_now_ms() - count.oldest_due_at) / 1000 : 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(samples); i++)
        metrics_sample(out, &samples[i]);
    return true;
}

static bool figures(Call *call, GError **error) {
    g_autoptr(GString) out = g_string_new(NULL);
    metrics_sample(out, &(MetricSample){.name = "assay_info",
                                        .help = "The version.",
                                        .type = "gauge",
                                        .labels = "version=\"" ASSAY_VERSION "\"",
                                        .value = 1});
    metrics_write(call->desk->metrics, out);
    write_server(call->desk, out);
    if (!write_jobs(call, out, error) || !service_figures_write(call_db(call), out, error) ||
        !limit_figures_write(call_db(call), call->desk->redis, out, error))
        return false;
    reply_set_text(&call->reply, 200, TEXT_METRICS, out->str);
    return true;
}

/* --- the description -------------------------------------------------------------------------- */

static bool describe(Call *call, GError **error) {
    const Desk *desk = call->desk;
    const char *known = call_header(call, "If-None-Match");
    (void)error;
    if (known && etag_listed(known, desk->openapi_tag, true))
        reply_set_empty(&call->reply, 304);
    else
        reply_set_text(&call->reply, 200, "application/json", desk->openapi);
    reply_set_header(&call->reply, "ETag", desk->openapi_tag);
    reply_set_header(&call->reply, "Cache-Control", "no-cache");
    return true;
}

static bool show(Call *call, GError **error) {
    (void)error;
    reply_set_text(&call->reply, 200, "text/html; charset=utf-8", call->desk->reference);
    reply_set_header(&call->reply, "Content-Security-Policy", call->desk->reference_policy);
    return true;
}

/* --- routes ----------------------------------------------------------------------------------- */

static const char *const words[] = {"ok", "ready", NULL};
static const ShapeField status_fields[] = {
    SHAPE_FIELD("status", STRING, SHAPE_REQUIRED, NULL, .words = words), {0}};
static const Shape status_shape = {.name = "Health", .fields = status_fields};
static const ShapeField any_fields[] = {{0}};
static const Shape document_shape = {
    .about = "The OpenAPI document.", .fields = any_fields, .open = true};

const Route health_routes[] = {{.method = "GET",
                                .path = "/healthz",
                                .id = "getHealth",
                                .tag = "Operations",
                                .summary = "The process is alive.",
                                .access = ACCESS_PUBLIC,
                                .flags = ROUTE_AT_ONCE,
                                .handle = alive,
                                .reply = &status_shape},
                               {.method = "GET",
                                .path = "/readyz",
                                .id = "getReadiness",
                                .tag = "Operations",
                                .summary = "The database answers, and the server is not stopping.",
                                .access = ACCESS_PUBLIC,
                                .handle = ready,
                                .reply = &status_shape},
                               {.method = "GET",
                                .path = "/metrics",
                                .id = "getMetrics",
                                .tag = "Operations",
                                .summary = "Figures in Prometheus' text format.",
                                .access = ACCESS_OPERATOR,
                                .action = ACTION_INSTALLATION_READ,
                                .handle = figures,
                                .media = TEXT_METRICS},
                               {.method = "GET",
                                .path = "/api/openapi.json",
                                .id = "getOpenApi",
                                .tag = "Operations",
                                .summary = "This API as an OpenAPI 3.1 document.",
                                .access = ACCESS_PUBLIC,
                                .flags = ROUTE_AT_ONCE,
                                .handle = describe,
                                .reply = &document_shape},
                               {.method = "GET",
                                .path = "/api/docs",
                                .id = "getReference",
                                .tag = "Operations",
                                .summary = "This API as a page.",
                                .access = ACCESS_PUBLIC,
                                .flags = ROUTE_AT_ONCE,
                                .handle = show,
                                .media = "text/html"},
                               {0}};
