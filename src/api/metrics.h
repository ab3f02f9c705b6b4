/* metrics.h - figures of the server, in Prometheus' text format (version 0.0.4).
 *
 * Requests are counted by route and status class, and their time from the first byte handled to the
 * reply handed over is a histogram by route. Gauges of other parts are read when they are asked
 * for. Counting is lock-free. Any thread.
 */
#pragma once

#include "api/route.h"

#include <glib.h>
#include <stdint.h>

typedef struct Metrics Metrics;

/* For the routes of these tables (static). */
Metrics *metrics_new(const Route *const *tables);
void metrics_free(Metrics *metrics);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Metrics, metrics_free)

/* A request was answered. route NULL: no route fitted. */
void metrics_request(Metrics *metrics, const Route *route, unsigned status, int64_t us);

/* What happened elsewhere, by name: counters that only grow. */
typedef enum {
    METRIC_LIMITED,         /* requests refused by the limit */
    METRIC_UNAUTHENTICATED, /* requests without a valid token or session */
    METRIC_REPLAYED,        /* answers given again for an idempotency key */
    METRIC_WAITS_LEFT,      /* waits that ended with 202 */
    METRIC_RECALLED,        /* answers given again because nothing was committed meanwhile */
    METRICS
} Metric;
void metrics_count(Metrics *metrics, Metric metric);

/* Appends all of it. */
void metrics_write(Metrics *metrics, GString *out);

/* Appends one sample, with its HELP and TYPE lines when help is given. labels: "state=\"x\"" or
 * NULL. */
typedef struct {
    const char *name;
    const char *help;
    const char *type; /* "gauge", "counter" */
    const char *labels;
    double value;
} MetricSample;
void metrics_sample(GString *out, const MetricSample *sample);
