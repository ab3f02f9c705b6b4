/* The small machines of the server: limiter, alarms, pool, streams, pages, metrics. */

#include "api/alarm.h"
#include "api/limiter.h"
#include "api/metrics.h"
#include "api/page.h"
#include "api/pool.h"
#include "api/stream.h"
#include "base/clock.h"
#include "unit/api_support.h"

#include <pthread.h>
#include <string.h>

/* --- limiter ---------------------------------------------------------------------------------- */

static void no_minute_sees_more_than_the_limit(void) {
    Limiter *limiter = limiter_new(10);
    GQueue taken = G_QUEUE_INIT; /* seconds */
    unsigned wait = 0;
    clock_freeze(1760000000000);
    for (int step = 0; step < 400; step++) {
        int64_t now = clock_mono_ms() / 1000;
        if (limiter_take(limiter, "a", &wait))
            g_queue_push_tail(&taken, GINT_TO_POINTER((int)now));
        while (!g_queue_is_empty(&taken) &&
               GPOINTER_TO_INT(g_queue_peek_head(&taken)) <= now - LIMITER_WINDOW_S)
            g_queue_pop_head(&taken);
        g_assert_cmpuint(taken.length, <=, 10);
        clock_advance(step % 7 == 0 ? 3000 : 400);
    }
    g_queue_clear(&taken);
    limiter_free(limiter);
    clock_thaw();
}

static void who_waits_as_told_is_let_in(void) {
    Limiter *limiter = limiter_new(2);
    unsigned wait = 0;
    clock_freeze(1760000000000);
    g_assert_true(limiter_take(limiter, "a", &wait));
    clock_advance(20000);
    g_assert_true(limiter_take(limiter, "a", &wait));
    g_assert_false(limiter_take(limiter, "a", &wait));
    g_assert_cmpuint(wait, ==, 40);
    g_assert_true(limiter_take(limiter, "b", &wait));
    clock_advance((int64_t)wait * 1000);
    g_assert_true(limiter_take(limiter, "a", &wait));
    g_assert_false(limiter_take(limiter, "a", &wait));
    clock_advance(1000000);
    g_assert_true(limiter_take(limiter, "a", &wait));
    limiter_free(limiter);
    clock_thaw();
}

/* --- alarms and pool -------------------------------------------------------------------------- */

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int count;
} Counter;

static void counter_init(Counter *counter) {
    pthread_mutex_init(&counter->lock, NULL);
    pthread_cond_init(&counter->changed, NULL);
    counter->count = 0;
}

static void count_up(void *data) {
    Counter *counter = data;
    pthread_mutex_lock(&counter->lock);
    counter->count++;
    pthread_cond_broadcast(&counter->changed);
    pthread_mutex_unlock(&counter->lock);
}

static void await_count(Counter *counter, int count) {
    pthread_mutex_lock(&counter->lock);
    while (counter->count < count)
        pthread_cond_wait(&counter->changed, &counter->lock);
    pthread_mutex_unlock(&counter->lock);
}

static void alarms_ring_once_or_again_and_not_when_cancelled(void) {
    Counter once;
    Counter again;
    Counter never;
    counter_init(&once);
    counter_init(&again);
    counter_init(&never);
    Alarms *alarms = alarms_new();
    uint64_t late = alarm_set(alarms, 3600000, 0, count_up, &never);
    uint64_t periodic = alarm_set(alarms, 1, 1, count_up, &again);
    (void)alarm_set(alarms, 0, 0, count_up, &once);
    await_count(&once, 1);
    await_count(&again, 3);
    g_assert_false(alarm_cancel(alarms, 0));
    g_assert_true(alarm_cancel(alarms, late));
    g_assert_false(alarm_cancel(alarms, late));
    (void)alarm_cancel(alarms, periodic);
    int count = again.count;
    Counter after;
    counter_init(&after);
    (void)alarm_set(alarms, 5, 0, count_up, &after);
    await_count(&after, 1);
    g_assert_cmpint(again.count, ==, count);
    g_assert_cmpint(once.count, ==, 1);
    alarms_free(alarms);
    g_assert_cmpint(never.count, ==, 0);
}

static void run_task(PoolSeat *seat, void *data) {
    (void)seat;
    count_up(data);
}

typedef struct {
    Counter started;
    Counter let_go;
} Block;

static void block(PoolSeat *seat, void *data) {
    Block *held = data;
    (void)seat;
    count_up(&held->started);
    await_count(&held->let_go, 1);
}

static void a_full_queue_refuses_but_what_must_be_done_is_done(void) {
    Block held;
    Counter counter;
    counter_init(&held.started);
    counter_init(&held.let_go);
    counter_init(&counter);
    Pool *pool = pool_new(1, 2);
    g_assert_true(pool_submit(pool, block, &held));
    await_count(&held.started, 1);
    g_assert_true(pool_submit(pool, run_task, &counter));
    g_assert_true(pool_submit(pool, run_task, &counter));
    g_assert_false(pool_submit(pool, run_task, &counter));
    g_assert_cmpuint(pool_waiting(pool), ==, 2);
    pool_insist(pool, run_task, &counter);
    count_up(&held.let_go);
    pool_free(pool);
    g_assert_cmpint(counter.count, ==, 3);
}

/* --- streams ---------------------------------------------------------------------------------- */

typedef struct {
    int slept;
    int woken;
    int hungry;
    int closed;
} Sleeper;

static void note_sleep(void *connection) {
    ((Sleeper *)connection)->slept++;
}

static void note_wake(void *connection) {
    ((Sleeper *)connection)->woken++;
}

static void note_hungry(Stream *stream, void *data) {
    (void)stream;
    ((Sleeper *)data)->hungry++;
}

static void note_closed(void *data) {
    ((Sleeper *)data)->closed++;
}

static Stream *make_stream(Sleeper *sleeper) {
    Stream *stream =
        stream_new(&(StreamSource){.hungry = note_hungry, .closed = note_closed, .data = sleeper});
    stream_attach(stream, &(StreamSleeper){note_sleep, note_wake, sleeper});
    return stream;
}

static void a_stream_sleeps_until_there_is_something(void) {
    Sleeper sleeper = {0};
    char out[8];
    Stream *stream = make_stream(&sleeper);
    g_assert_cmpint(stream_read(stream, out, sizeof out), ==, 0);
    g_assert_cmpint(sleeper.slept, ==, 1);
    g_assert_cmpint(sleeper.hungry, ==, 1);
    g_assert_true(stream_write(stream, "0123456789", 10));
    g_assert_true(stream_write(stream, "ab", 2));
    g_assert_cmpint(sleeper.woken, ==, 1);
    g_assert_cmpint(stream_read(stream, out, 8), ==, 8);
    g_assert_cmpint(stream_read(stream, out, 8), ==, 4);
    g_assert_cmpint(memcmp(out, "89ab", 4), ==, 0);
    g_assert_true(stream_write_last(stream, "z", 1));
    g_assert_cmpint(stream_read(stream, out, 8), ==, 1);
    g_assert_cmpint(stream_read(stream, out, 8), ==, STREAM_DONE);
    g_assert_cmpint(sleeper.hungry, ==, 1);
    g_assert_false(stream_write(stream, "x", 1));
    stream_unref(stream);
    g_assert_cmpint(sleeper.closed, ==, 1);
}

static void a_stream_that_nobody_reads_is_broken_off(void) {
    Sleeper sleeper = {0};
    char out[8];
    g_autofree char *much = g_malloc0(STREAM_WAITING_MAX);
    Stream *stream = make_stream(&sleeper);
    g_assert_true(stream_write(stream, much, STREAM_WAITING_MAX));
    g_assert_false(stream_write(stream, "x", 1));
    while (stream_read(stream, out, sizeof out) > 0)
        continue;
    g_assert_cmpint(stream_read(stream, out, sizeof out), ==, STREAM_BROKEN);
    stream_unref(stream);
    stream = make_stream(&sleeper);
    stream_abandon(stream);
    g_assert_false(stream_write(stream, "x", 1));
    stream_end(stream, false);
    g_assert_cmpint(sleeper.woken, ==, 0);
    stream_unref(stream);
}

static void a_stream_tells_what_waits_and_whether_anybody_reads(void) {
    Sleeper sleeper = {0};
    char out[8];
    g_autofree char *much = g_malloc0(100000);
    Stream *stream = make_stream(&sleeper);
    g_assert_true(stream_is_wanted(stream));
    g_assert_cmpuint(stream_waiting(stream), ==, 0);
    g_assert_true(stream_write(stream, much, 100000));
    g_assert_cmpint(stream_read(stream, out, sizeof out), ==, 8);
    g_assert_cmpuint(stream_waiting(stream), ==, 100000 - 8);
    while (stream_waiting(stream) > 0)
        g_assert_cmpint(stream_read(stream, out, sizeof out), >, 0);
    g_assert_true(stream_write(stream, "again", 5));
    g_assert_cmpint(stream_read(stream, out, sizeof out), ==, 5);
    g_assert_cmpint(memcmp(out, "again", 5), ==, 0);
    g_assert_cmpuint(stream_block(stream), ==, 64 * 1024);
    stream_end(stream, false);
    g_assert_false(stream_is_wanted(stream));
    stream_unref(stream);
    stream = stream_new(&(StreamSource){.block = STREAM_EVENTS_BLOCK});
    g_assert_cmpuint(stream_block(stream), ==, STREAM_EVENTS_BLOCK);
    stream_abandon(stream);
    g_assert_false(stream_is_wanted(stream));
    stream_unref(stream);
}

/* --- pages ------------------------------------------------------------------------------------ */

/* Rows are "000" to "099"; those with an odd number are kept. */
static bool read_rows(DbUnit *unit, void *data, const char *cursor, int64_t limit,
                      GPtrArray **rows_out, GError **error) {
    int from = cursor ? (int)g_ascii_strtoll(cursor, NULL, 10) + 1 : 0;
    (void)unit;
    (void)data;
    (void)error;
    *rows_out = g_ptr_array_new_with_free_func(g_free);
    for (int i = from; i < 100 && i < from + limit; i++)
        g_ptr_array_add(*rows_out, g_strdup_printf("%03d", i));
    return true;
}

static bool is_odd(const void *row, void *data) {
    (void)data;
    return g_ascii_strtoll(row, NULL, 10) % 2 == 1;
}

static const char *itself(const void *row) {
    return row;
}

static void pages_of_a_narrowed_list_leave_nothing_out(void) {
    static const PageSource source = {read_rows, is_odd, itself, g_free};
    g_autofree char *cursor = NULL;
    int next = 1;
    for (int pages = 0; pages == 0 || cursor; pages++) {
        g_auto(Page) page = {.source = &source, .cursor = cursor, .limit = 7};
        must(page_read(NULL, &page, &error));
        for (guint i = 0; i < page.rows->len; i++, next += 2)
            g_assert_cmpint(g_ascii_strtoll(g_ptr_array_index(page.rows, i), NULL, 10), ==, next);
        g_free(cursor);
        cursor = g_strdup(page.next);
        g_assert_cmpint(pages, <, 20);
    }
    g_assert_cmpint(next, ==, 101);
}

static void a_page_that_ends_the_list_has_no_cursor(void) {
    static const PageSource source = {read_rows, NULL, itself, g_free};
    g_auto(Page) page = {.source = &source, .cursor = "089", .limit = 10};
    must(page_read(NULL, &page, &error));
    g_assert_cmpuint(page.rows->len, ==, 10);
    g_assert_null(page.next);
    g_auto(Page) before = {.source = &source, .cursor = "088", .limit = 10};
    must(page_read(NULL, &before, &error));
    g_assert_cmpstr(before.next, ==, "098");
}

/* --- metrics ---------------------------------------------------------------------------------- */

static const Route table[] = {{.method = "GET", .path = "/x/{id}"}, {0}};
static const Route *const tables[] = {table, NULL};

static void figures_add_up(void) {
    Metrics *metrics = metrics_new(tables);
    g_autoptr(GString) out = g_string_new(NULL);
    metrics_request(metrics, &table[0], 200, 400);
    metrics_request(metrics, &table[0], 204, 3000);
    metrics_request(metrics, &table[0], 500, 99000000);
    metrics_request(metrics, NULL, 404, 10);
    metrics_count(metrics, METRIC_LIMITED);
    metrics_write(metrics, out);
    static const char *const lines[] = {
        "assay_http_requests_total{method=\"GET\",route=\"/x/{id}\",status=\"2xx\"} 2\n",
        "assay_http_requests_total{method=\"\",route=\"\",status=\"4xx\"} 1\n",
        "assay_http_request_seconds_bucket{method=\"GET\",route=\"/x/{id}\",le=\"0.0005\"} 1\n",
        "assay_http_request_seconds_bucket{method=\"GET\",route=\"/x/{id}\",le=\"0.005\"} 2\n",
        "assay_http_request_seconds_bucket{method=\"GET\",route=\"/x/{id}\",le=\"30\"} 2\n",
        "assay_http_request_seconds_bucket{method=\"GET\",route=\"/x/{id}\",le=\"+Inf\"} 3\n",
        "assay_http_request_seconds_count{method=\"GET\",route=\"/x/{id}\"} 3\n",
        "assay_http_request_seconds_sum{method=\"GET\",route=\"/x/{id}\"} 99.0034\n",
        "assay_http_limited_total 1\n",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
        g_assert_nonnull(strstr(out->str, lines[i]));
    metrics_free(metrics);
}

/* Alarms wait by the system's clock and come first: a clock that was moved on stays ahead of it. */
static const ApiTest tests[] = {
    {"alarms_ring_once_or_again_and_not_when_cancelled",
     alarms_ring_once_or_again_and_not_when_cancelled},
    {"no_minute_sees_more_than_the_limit", no_minute_sees_more_than_the_limit},
    {"who_waits_as_told_is_let_in", who_waits_as_told_is_let_in},
    {"a_full_queue_refuses_but_what_must_be_done_is_done",
     a_full_queue_refuses_but_what_must_be_done_is_done},
    {"a_stream_sleeps_until_there_is_something", a_stream_sleeps_until_there_is_something},
    {"a_stream_that_nobody_reads_is_broken_off", a_stream_that_nobody_reads_is_broken_off},
    {"a_stream_tells_what_waits_and_whether_anybody_reads",
     a_stream_tells_what_waits_and_whether_anybody_reads},
    {"pages_of_a_narrowed_list_leave_nothing_out", pages_of_a_narrowed_list_leave_nothing_out},
    {"a_page_that_ends_the_list_has_no_cursor", a_page_that_ends_the_list_has_no_cursor},
    {"figures_add_up", figures_add_up},
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "parts", tests, G_N_ELEMENTS(tests));
}
