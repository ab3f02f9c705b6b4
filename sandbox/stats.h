/* stats.h - what the sandbox was asked: totals, counts by request line, and a log if wanted.
 *
 * Counted are requests to the provider's API, not those to /_sandbox/. Tables are bounded: request
 * lines past the bound are counted together as "other". "In flight" is from a request's arrival to
 * the end of its answer; the sandbox answers one request after the other, so it passes 1 only where
 * answers are delayed or held.
 */
#pragma once

#include "base/json.h"

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Stats Stats;

typedef struct {
    size_t lines_max;  /* different request lines that are counted */
    size_t log_max;    /* requests that are kept in order; 0: none */
    int64_t window_ms; /* for the most requests within any such time */
} StatsOptions;

Stats *stats_new(const StatsOptions *options);
void stats_free(Stats *stats);

/* One request has arrived. pattern is that of its route ("" if none); monotonic time. */
void stats_arrive(Stats *stats, const char *method, const char *target, int64_t mono_ms);
/* What was answered, at which route. */
void stats_answer(Stats *stats, const char *pattern, unsigned status);
/* The answer has ended or the client has gone. */
void stats_leave(Stats *stats);

uint64_t stats_requests(const Stats *stats);

/* Forgets everything but what is in flight. */
void stats_reset(Stats *stats);

/* {"requests", "inFlight", "maxConcurrent", "maxPerWindow", "repeated", "byStatus", "byPath"} */
Json *stats_describe(const Stats *stats);

/* {"requests": [{"request": "GET /user", "count": 1}, ...], "other": 0} sorted by line; those that
 * match a glob of the target, or all when match is NULL. */
Json *stats_lines(const Stats *stats, const char *match);

/* {"requests": ["GET /user", ...], "dropped": 0} in the order of arrival. */
Json *stats_log(const Stats *stats, const char *match);

/* Whether text matches a pattern in which * stands for any text. */
bool stats_glob(const char *pattern, const char *text);
