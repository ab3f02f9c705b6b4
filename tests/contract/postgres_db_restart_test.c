/* Connections that are lost: ended by the server, by the network, by the server's own end; between
 * units, within them and in the middle of a commit. */
#include "postgres_relay.h"
#include "unit/database_stage.h"
#include "unit/db_support.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define END_OTHERS                                                                                 \
    "select count(pg_terminate_backend(pid)) from pg_stat_activity where"                          \
    " application_name = 'assay' and datname = current_database()"

static void end_connections(const char *url) {
    g_autofree char *ended = stage_database_ask(url, END_OTHERS);
    g_assert_cmpstr(ended, !=, "0");
}

/* --- The server ---------------------------------------------------------------------------- */

static int server_id(void) {
    g_autofree char *path = g_build_filename(g_getenv("PGHOST"), "data/postmaster.pid", NULL);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    return (int)g_ascii_strtoll(text, NULL, 10);
}

static void pause_briefly(void) {
    g_usleep(5000);
}

/* As a power cut would, for the processes; scripts/with-postgres starts it again. */
static void kill_server(void) {
    int id;
    while ((id = server_id()) <= 1)
        pause_briefly();
    g_assert_cmpint(kill(id, SIGQUIT), ==, 0);
    while (kill(id, 0) == 0 && server_id() == id)
        pause_briefly();
}

static void hold_server(bool holds) {
    g_autofree char *path = g_build_filename(g_getenv("PGHOST"), "hold", NULL);
    if (holds)
        g_assert_true(g_file_set_contents(path, "", 0, NULL));
    else
        g_assert_cmpint(g_unlink(path), ==, 0);
}

/* --- Within a unit ------------------------------------------------------------------------- */

typedef struct {
    const char *url;
    void (*harm)(const char *url);
    bool at_end; /* after the last statement, so that the commit fails */
    int attempts;
    int64_t seen;
} Trial;

static bool count_harmed(DbUnit *unit, void *data, GError **error) {
    Trial *trial = data;
    bool first = ++trial->attempts == 1;
    if (trial->at_end && !add_to_counter(unit, NULL, error))
        return false;
    if (!trial->at_end && !read_counter(unit, &trial->seen, error))
        return false;
    if (first)
        trial->harm(trial->url);
    return trial->at_end || add_to_counter(unit, NULL, error);
}

static bool read_harmed(DbUnit *unit, void *data, GError **error) {
    Trial *trial = data;
    bool first = ++trial->attempts == 1;
    if (!read_counter(unit, &trial->seen, error))
        return false;
    if (first)
        trial->harm(trial->url);
    return read_counter(unit, &trial->seen, error);
}

static void kill_server_of(const char *url) {
    (void)url;
    kill_server();
}

static void expect_run_again(void (*harm)(const char *url)) {
    Fixture f;
    fixture_init(&f);
    for (int i = 0; i < 2; i++) {
        Trial trial = {.url = f.url, .harm = harm, .at_end = i == 1};
        expect_run(f.db, &scope_one, DB_WRITE, count_harmed, &trial);
        g_assert_cmpint(trial.attempts, ==, 2);
        g_assert_cmpint(support_counter(f.db, &scope_one), ==, i + 1);
    }
    Trial trial = {.url = f.url, .harm = harm};
    expect_run(f.db, &scope_one, DB_READ, read_harmed, &trial);
    g_assert_cmpint(trial.attempts, ==, 2);
    g_assert_cmpint(trial.seen, ==, 2);
    fixture_clear(&f);
}

static void unit_whose_connection_is_ended_runs_again(void) {
    expect_run_again(end_connections);
}

static void unit_whose_server_dies_runs_again_when_it_is_back(void) {
    expect_run_again(kill_server_of);
}

static void connection_that_was_ended_between_units_is_not_noticed(void) {
    Fixture f;
    fixture_init(&f);
    for (int i = 0; i < 5; i++) {
        expect_run(f.db, &scope_one, DB_WRITE, add_to_counter, NULL);
        end_connections(f.url);
        g_assert_cmpint(support_counter(f.db, &scope_one), ==, i + 1);
        end_connections(f.url);
    }
    fixture_clear(&f);
}

/* --- Many units, a server that dies --------------------------------------------------------- */

#define THREADS 4
#define UNITS 60
#define DEATHS 3

typedef struct {
    Db *db;
    atomic_int done;
} Crowd;

static void *count_on(void *data) {
    Crowd *crowd = data;
    for (int i = 0; i < UNITS; i++) {
        expect_run(crowd->db, i % 2 ? &scope_one : &scope_two, DB_WRITE, add_to_counter, NULL);
        atomic_fetch_add(&crowd->done, 1);
    }
    return NULL;
}

/* Whatever was going on, each unit has happened once. */
static void no_unit_is_lost_or_done_twice_while_the_server_dies(void) {
    Fixture f;
    fixture_init(&f);
    Crowd crowd = {.db = f.db};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, count_on, &crowd), ==, 0);
    for (int death = 1; death <= DEATHS; death++) {
        while (atomic_load(&crowd.done) < death * THREADS * UNITS / (DEATHS + 1))
            pause_briefly();
        kill_server();
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    g_assert_cmpint(support_counter(f.db, &scope_one) + support_counter(f.db, &scope_two), ==,
                    THREADS * UNITS);
    fixture_clear(&f);
}

static void server_that_stays_away_is_an_error_and_is_found_again(void) {
    Fixture f;
    fixture_init(&f);
    const DbOptions options = {.busy_limit_ms = 50};
    Db *hasty = support_open(f.url, &options);
    hold_server(true);
    kill_server();
    expect_error(hasty, &scope_one, DB_WRITE, add_to_counter, NULL, ERROR_DATABASE,
                 "it cannot be reached");
    hold_server(false);
    expect_run(f.db, &scope_one, DB_WRITE, add_to_counter, NULL);
    expect_run(hasty, &scope_one, DB_WRITE, add_to_counter, NULL);
    g_assert_cmpint(support_counter(hasty, &scope_one), ==, 2);
    db_close(hasty);
    fixture_clear(&f);
}

/* --- In the middle of a commit -------------------------------------------------------------- */

typedef struct {
    Fixture fixture;
    Relay *relay;
    Db *db; /* through the relay */
    int attempts;
} Line;

static void line_init(Line *line, int64_t busy_limit_ms) {
    *line = (Line){0};
    fixture_init(&line->fixture);
    line->relay = relay_new((int)g_ascii_strtoll(g_getenv("PGPORT"), NULL, 10));
    g_autofree char *name = stage_database_ask(line->fixture.url, "select current_database()");
    g_autofree char *url =
        g_strdup_printf("postgres://%s:%s@127.0.0.1:%d/%s?sslmode=disable", g_getenv("PGUSER"),
                        g_getenv("PGPASSWORD"), relay_port(line->relay), name);
    const DbOptions options = {.busy_limit_ms = busy_limit_ms};
    line->db = support_open(url, &options);
}

static void line_clear(Line *line) {
    db_close(line->db);
    relay_free(line->relay);
    fixture_clear(&line->fixture);
}

/* What ends a unit that reads is sent without waiting: after a write nothing is on its way. */
static void lose(Line *line, RelayLoss loss, const char *word) {
    expect_run(line->db, &scope_two, DB_WRITE, add_to_counter, NULL);
    relay_lose(line->relay, loss, word);
    line->attempts = 0;
}

static bool count_attempts(DbUnit *unit, void *data, GError **error) {
    ((Line *)data)->attempts++;
    return add_to_counter(unit, NULL, error);
}

static void commit_whose_answer_is_lost_is_not_repeated(void) {
    Line line;
    line_init(&line, 0);
    for (int i = 1; i <= 3; i++) {
        lose(&line, RELAY_ANSWER, ".commit");
        expect_run(line.db, &scope_one, DB_WRITE, count_attempts, &line);
        g_assert_cmpint(line.attempts, ==, 1);
        g_assert_cmpint(support_counter(line.db, &scope_one), ==, i);
    }
    line_clear(&line);
}

static void commit_that_never_arrived_is_run_again(void) {
    Line line;
    line_init(&line, 0);
    for (int i = 1; i <= 3; i++) {
        lose(&line, RELAY_REQUEST, ".commit");
        expect_run(line.db, &scope_one, DB_WRITE, count_attempts, &line);
        g_assert_cmpint(line.attempts, ==, 2);
        g_assert_cmpint(support_counter(line.db, &scope_one), ==, i);
    }
    line_clear(&line);
}

/* The answer is lost, and nobody can be asked. */
static void commit_that_cannot_be_found_out_is_said_to_be_unknown(void) {
    Line line;
    line_init(&line, 30);
    lose(&line, RELAY_ANSWER_AND_ALL, ".commit");
    expect_error(line.db, &scope_one, DB_WRITE, count_attempts, &line, ERROR_DATABASE,
                 "it could not be found out in time whether it was");
    g_assert_cmpint(line.attempts, ==, 1);
    relay_mend(line.relay);
    g_assert_cmpint(support_counter(line.db, &scope_one), ==, 1);
    line_clear(&line);
}

static void statement_whose_answer_is_lost_is_run_again(void) {
    Line line;
    line_init(&line, 0);
    lose(&line, RELAY_ANSWER, "counter_add");
    expect_run(line.db, &scope_one, DB_WRITE, count_attempts, &line);
    g_assert_cmpint(line.attempts, ==, 2);
    g_assert_cmpint(support_counter(line.db, &scope_one), ==, 1);
    line_clear(&line);
}

/* --- Listening ------------------------------------------------------------------------------ */

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int calls;
} Ear;

static void hear(void *data) {
    Ear *ear = data;
    pthread_mutex_lock(&ear->lock);
    ear->calls++;
    pthread_cond_broadcast(&ear->changed);
    pthread_mutex_unlock(&ear->lock);
}

static int wait_for_calls(Ear *ear, int calls) {
    pthread_mutex_lock(&ear->lock);
    while (ear->calls < calls)
        pthread_cond_wait(&ear->changed, &ear->lock);
    calls = ear->calls;
    pthread_mutex_unlock(&ear->lock);
    return calls;
}

static bool notify(DbUnit *unit, void *channel, GError **error) {
    (void)error;
    db_notify(unit, channel);
    return true;
}

/* What was told while it was away may have been missed: it is called without a cause. */
static void listener_is_called_when_it_is_connected_again(void) {
    static char jobs[] = "jobs";
    Fixture f;
    fixture_init(&f);
    Ear ear = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    DbListener *listener = db_listen(f.db, jobs, hear, &ear, NULL);
    int calls = wait_for_calls(&ear, 1);
    end_connections(f.url);
    calls = wait_for_calls(&ear, calls + 1);
    kill_server();
    calls = wait_for_calls(&ear, calls + 1);
    expect_run(f.db, &scope_one, DB_WRITE, notify, jobs);
    wait_for_calls(&ear, calls + 1);
    db_listen_end(listener);
    fixture_clear(&f);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    signal(SIGPIPE, SIG_IGN);
#define ADD(name) g_test_add_func("/db/restart/" #name, name)
    ADD(unit_whose_connection_is_ended_runs_again);
    ADD(unit_whose_server_dies_runs_again_when_it_is_back);
    ADD(connection_that_was_ended_between_units_is_not_noticed);
    ADD(no_unit_is_lost_or_done_twice_while_the_server_dies);
    ADD(server_that_stays_away_is_an_error_and_is_found_again);
    ADD(commit_whose_answer_is_lost_is_not_repeated);
    ADD(commit_that_never_arrived_is_run_again);
    ADD(commit_that_cannot_be_found_out_is_said_to_be_unknown);
    ADD(statement_whose_answer_is_lost_is_run_again);
    ADD(listener_is_called_when_it_is_connected_again);
    return g_test_run();
}
