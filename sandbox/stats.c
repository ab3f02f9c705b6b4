#include "sandbox/stats.h"

#include <string.h>

#define RING_SIZE 65536 /* arrivals that are remembered for the busiest window */

typedef struct {
    char *line; /* "GET /user" */
    uint64_t count;
} Line;

struct Stats {
    StatsOptions options;
    uint64_t requests;
    uint64_t other;
    uint64_t repeated; /* requests whose line had been seen before */
    unsigned in_flight;
    unsigned max_in_flight;
    GHashTable *lines;    /* Line by its text */
    GHashTable *statuses; /* count by status */
    GHashTable *patterns; /* count by pattern of the route, borrowed */
    GPtrArray *log;       /* Line, borrowed */
    uint64_t dropped;
    int64_t *ring;
    uint64_t ring_head;
    uint64_t ring_tail;
    uint64_t max_in_window;
};

static void line_free(gpointer data) {
    Line *line = data;
    g_free(line->line);
    g_free(line);
}

Stats *stats_new(const StatsOptions *options) {
    Stats *stats = g_new0(Stats, 1);
    stats->options = *options;
    stats->lines = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, line_free);
    stats->statuses = g_hash_table_new(NULL, NULL);
    stats->patterns = g_hash_table_new(g_str_hash, g_str_equal);
    stats->log = g_ptr_array_new();
    stats->ring = g_new(int64_t, RING_SIZE);
    return stats;
}

void stats_free(Stats *stats) {
    if (stats != NULL) {
        g_ptr_array_unref(stats->log);
        g_hash_table_unref(stats->lines);
        g_hash_table_unref(stats->statuses);
        g_hash_table_unref(stats->patterns);
        g_free(stats->ring);
        g_free(stats);
    }
}

void stats_reset(Stats *stats) {
    g_ptr_array_set_size(stats->log, 0);
    g_hash_table_remove_all(stats->lines);
    g_hash_table_remove_all(stats->statuses);
    g_hash_table_remove_all(stats->patterns);
    stats->requests = stats->other = stats->repeated = stats->dropped = 0;
    stats->max_in_flight = stats->in_flight;
    stats->ring_tail = stats->ring_head;
    stats->max_in_window = 0;
}

static void count_window(Stats *stats, int64_t mono_ms) {
    stats->ring[stats->ring_head++ % RING_SIZE] = mono_ms;
    while (stats->ring_head - stats->ring_tail > RING_SIZE ||
           stats->ring[stats->ring_tail % RING_SIZE] <= mono_ms - stats->options.window_ms) {
        stats->ring_tail++;
    }
    stats->max_in_window = MAX(stats->max_in_window, stats->ring_head - stats->ring_tail);
}

static Line *find_line(Stats *stats, const char *method, const char *target) {
    g_autofree char *text = g_strconcat(method, " ", target, NULL);
    Line *line = g_hash_table_lookup(stats->lines, text);
    if (line == NULL && g_hash_table_size(stats->lines) < stats->options.lines_max) {
        line = g_new0(Line, 1);
        line->line = g_steal_pointer(&text);
        g_hash_table_insert(stats->lines, line->line, line);
    }
    return line;
}

void stats_arrive(Stats *stats, const char *method, const char *target, int64_t mono_ms) {
    stats->requests++;
    stats->in_flight++;
    stats->max_in_flight = MAX(stats->max_in_flight, stats->in_flight);
    count_window(stats, mono_ms);
    Line *line = find_line(stats, method, target);
    if (line == NULL) {
        stats->other++;
    } else {
        stats->repeated += line->count++ > 0 ? 1 : 0;
    }
    if (line != NULL && stats->log->len < stats->options.log_max) {
        g_ptr_array_add(stats->log, line);
    } else if (stats->options.log_max > 0) {
        stats->dropped++;
    }
}

static void count_in(GHashTable *table, gpointer key) {
    g_hash_table_insert(table, key,
                        GSIZE_TO_POINTER(GPOINTER_TO_SIZE(g_hash_table_lookup(table, key)) + 1));
}

void stats_answer(Stats *stats, const char *pattern, unsigned status) {
    count_in(stats->statuses, GUINT_TO_POINTER(status));
    count_in(stats->patterns, (gpointer)(uintptr_t)pattern);
}

void stats_leave(Stats *stats) {
    stats->in_flight--;
}

uint64_t stats_requests(const Stats *stats) {
    return stats->requests;
}

Json *stats_describe(const Stats *stats) {
    Json *json = json_new_object();
    Json *statuses = json_new_object();
    Json *patterns = json_new_object();
    GHashTableIter iterator;
    gpointer key;
    gpointer value;
    g_hash_table_iter_init(&iterator, stats->statuses);
    while (g_hash_table_iter_next(&iterator, &key, &value)) {
        g_autofree char *status = g_strdup_printf("%u", GPOINTER_TO_UINT(key));
        json_put_int(statuses, status, (int64_t)GPOINTER_TO_SIZE(value));
    }
    g_hash_table_iter_init(&iterator, stats->patterns);
    while (g_hash_table_iter_next(&iterator, &key, &value)) {
        json_put_int(patterns, *(const char *)key == '\0' ? "other" : key,
                     (int64_t)GPOINTER_TO_SIZE(value));
    }
    json_put_int(json, "requests", (int64_t)stats->requests);
    json_put_int(json, "repeated", (int64_t)stats->repeated);
    json_put_int(json, "inFlight", stats->in_flight);
    json_put_int(json, "maxConcurrent", stats->max_in_flight);
    json_put_int(json, "maxPerWindow", (int64_t)stats->max_in_window);
    json_put_int(json, "windowMs", stats->options.window_ms);
    json_put(json, "byStatus", statuses);
    json_put(json, "byPath", patterns);
    return json;
}

bool stats_glob(const char *pattern, const char *text) {
    const char *star = NULL;
    const char *retry = NULL;
    while (*text != '\0') {
        if (*pattern == '*') {
            star = ++pattern;
            retry = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star;
            text = ++retry;
        } else {
            return false;
        }
    }
    return pattern[strspn(pattern, "*")] == '\0';
}

static bool matches(const Line *line, const char *match) {
    return match == NULL || stats_glob(match, strchr(line->line, ' ') + 1);
}

static int compare_lines(gconstpointer a, gconstpointer b) {
    const Line *const *first = a;
    const Line *const *second = b;
    return strcmp((*first)->line, (*second)->line);
}

Json *stats_lines(const Stats *stats, const char *match) {
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    GHashTableIter iterator;
    gpointer value;
    g_hash_table_iter_init(&iterator, stats->lines);
    while (g_hash_table_iter_next(&iterator, NULL, &value)) {
        if (matches(value, match)) {
            g_ptr_array_add(sorted, value);
        }
    }
    g_ptr_array_sort(sorted, compare_lines);
    Json *list = json_new_array();
    for (guint i = 0; i < sorted->len; i++) {
        const Line *line = g_ptr_array_index(sorted, i);
        Json *row = json_new_object();
        json_put_string(row, "request", line->line);
        json_put_int(row, "count", (int64_t)line->count);
        json_add(list, row);
    }
    Json *json = json_new_object();
    json_put(json, "requests", list);
    json_put_int(json, "other", (int64_t)stats->other);
    return json;
}

Json *stats_log(const Stats *stats, const char *match) {
    Json *list = json_new_array();
    for (guint i = 0; i < stats->log->len; i++) {
        const Line *line = g_ptr_array_index(stats->log, i);
        if (matches(line, match)) {
            json_add_string(list, line->line);
        }
    }
    Json *json = json_new_object();
    json_put(json, "requests", list);
    json_put_int(json, "dropped", (int64_t)stats->dropped);
    return json;
}
