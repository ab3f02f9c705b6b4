#include "api/metrics.h"

#include <stdatomic.h>
#include <string.h>

#define CLASSES 6 /* 1xx to 5xx; 0 is not used */
#define BUCKETS 12

/* Upper bounds, in microseconds. */
static const int64_t bounds[BUCKETS] = {500,   1000,   2500,   5000,    10000,   25000,
                                        50000, 100000, 250000, 1000000, 5000000, 30000000};

typedef struct {
    const Route *route; /* NULL: requests that fit none */
    atomic_uint_fast64_t by_class[CLASSES];
    atomic_uint_fast64_t buckets[BUCKETS + 1];
    atomic_uint_fast64_t sum_us;
} RouteFigures;

struct Metrics {
    RouteFigures *routes; /* the first is of no route */
    size_t count;
    GHashTable *by_route; /* Route -> RouteFigures; never changed after metrics_new() */
    atomic_uint_fast64_t counters[METRICS];
};

static const struct {
    const char *name;
    const char *help;
} counters[METRICS] = {
    [METRIC_LIMITED] = {"assay_http_limited_total", "Requests refused by the limit a minute."},
    [METRIC_UNAUTHENTICATED] = {"assay_http_unauthenticated_total",
                                "Requests without a valid token or session."},
    [METRIC_REPLAYED] = {"assay_http_replayed_total", "Answers given again for a key."},
    [METRIC_WAITS_LEFT] = {"assay_http_waits_left_total", "Waits that ended with 202."},
    [METRIC_RECALLED] = {"assay_http_recalled_total",
                         "Answers given from memory, nothing having been committed since."},
};

Metrics *metrics_new(const Route *const *tables) {
    Metrics *metrics = g_new0(Metrics, 1);
    metrics->count = 1;
    for (const Route *const *table = tables; *table; table++)
        for (const Route *route = *table; route->method; route++)
            metrics->count++;
    metrics->routes = g_new0(RouteFigures, metrics->count);
    metrics->by_route = g_hash_table_new(NULL, NULL);
    RouteFigures *next = metrics->routes + 1;
    for (const Route *const *table = tables; *table; table++) {
        for (const Route *route = *table; route->method; route++, next++) {
            next->route = route;
            g_hash_table_insert(metrics->by_route, (void *)(uintptr_t)route, next);
        }
    }
    return metrics;
}

void metrics_free(Metrics *metrics) {
    if (!metrics)
        return;
    g_hash_table_unref(metrics->by_route);
    g_free(metrics->routes);
    g_free(metrics);
}

void metrics_request(Metrics *metrics, const Route *route, unsigned status, int64_t us) {
    RouteFigures *figures = route ? g_hash_table_lookup(metrics->by_route, route) : NULL;
    size_t bucket = 0;
    if (!figures)
        figures = metrics->routes;
    while (bucket < BUCKETS && us > bounds[bucket])
        bucket++;
    atomic_fetch_add_explicit(&figures->by_class[MIN(status / 100, CLASSES - 1)], 1,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&figures->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&figures->sum_us, (uint64_t)MAX(us, 0), memory_order_relaxed);
}

void metrics_count(Metrics *metrics, Metric metric) {
    atomic_fetch_add_explicit(&metrics->counters[metric], 1, memory_order_relaxed);
}

/* --- text ------------------------------------------------------------------------------------- */

static uint64_t load(atomic_uint_fast64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void metrics_sample(GString *out, const MetricSample *sample) {
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    if (sample->help)
        g_string_append_printf(out, "# HELP %s %s\n# TYPE %s %s\n", sample->name, sample->help,
                               sample->name, sample->type);
    g_string_append(out, sample->name);
    if (sample->labels)
        g_string_append_printf(out, "{%s}", sample->labels);
    g_string_append_printf(out, " %s\n",
                           g_ascii_formatd(number, sizeof number, "%.15g", sample->value));
}

static char *labels_of(const RouteFigures *figures, const char *more) {
    const Route *route = figures->route;
    return g_strdup_printf("method=\"%s\",route=\"%s\"%s", route ? route->method : "",
                           route ? route->path : "", more);
}

static void write_requests(Metrics *metrics, GString *out) {
    g_string_append(out, "# HELP assay_http_requests_total Requests answered.\n"
                         "# TYPE assay_http_requests_total counter\n");
    for (size_t i = 0; i < metrics->count; i++) {
        for (unsigned class = 1; class < CLASSES; class ++) {
            uint64_t count = load(&metrics->routes[i].by_class[class]);
            g_autofree char *more = g_strdup_printf(",status=\"%uxx\"", class);
            g_autofree char *labels = labels_of(&metrics->routes[i], more);
            if (count > 0)
                metrics_sample(out, &(MetricSample){.name = "assay_http_requests_total",
                                                    .labels = labels,
                                                    .value = (double)count});
        }
    }
}

static void write_histogram(RouteFigures *figures, GString *out) {
    uint64_t total = 0;
    for (size_t i = 0; i <= BUCKETS; i++) {
        char bound[G_ASCII_DTOSTR_BUF_SIZE] = "+Inf";
        if (i < BUCKETS)
            g_ascii_formatd(bound, sizeof bound, "%.15g", (double)bounds[i] / 1e6);
        g_autofree char *more = g_strdup_printf(",le=\"%s\"", bound);
        g_autofree char *labels = labels_of(figures, more);
        total += load(&figures->buckets[i]);
        metrics_sample(out, &(MetricSample){.name = "assay_http_request_seconds_bucket",
                                            .labels = labels,
                                            .value = (double)total});
    }
    g_autofree char *labels = labels_of(figures, "");
    metrics_sample(out, &(MetricSample){.name = "assay_http_request_seconds_sum",
                                        .labels = labels,
                                        .value = (double)load(&figures->sum_us) / 1e6});
    metrics_sample(out, &(MetricSample){.name = "assay_http_request_seconds_count",
                                        .labels = labels,
                                        .value = (double)total});
}

static bool was_used(RouteFigures *figures) {
    for (size_t i = 0; i <= BUCKETS; i++)
        if (load(&figures->buckets[i]) > 0)
            return true;
    return false;
}

void metrics_write(Metrics *metrics, GString *out) {
    write_requests(metrics, out);
    g_string_append(out, "# HELP assay_http_request_seconds Time from a request that is there to "
                         "its reply.\n# TYPE assay_http_request_seconds histogram\n");
    for (size_t i = 0; i < metrics->count; i++)
        if (was_used(&metrics->routes[i]))
            write_histogram(&metrics->routes[i], out);
    for (size_t i = 0; i < METRICS; i++)
        metrics_sample(out, &(MetricSample){.name = counters[i].name,
                                            .help = counters[i].help,
                                            .type = "counter",
                                            .value = (double)load(&metrics->counters[i])});
}
