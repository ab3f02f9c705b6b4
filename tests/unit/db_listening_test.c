/* News: who is called after which commit, in this process and from another one. */
#include "db_support.h"
#include <pthread.h>
#include <string.h>

/* Counts calls; a test waits until as many have come as it needs. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int calls;
    bool holds; /* the call waits until let_go() */
} Ear;

#define EAR_INIT                                                                                   \
    { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER }

static void hear(void *data) {
    Ear *ear = data;
    pthread_mutex_lock(&ear->lock);
    ear->calls++;
    pthread_cond_broadcast(&ear->changed);
    while (ear->holds)
        pthread_cond_wait(&ear->changed, &ear->lock);
    pthread_mutex_unlock(&ear->lock);
}

static int calls_of(Ear *ear) {
    pthread_mutex_lock(&ear->lock);
    int calls = ear->calls;
    pthread_mutex_unlock(&ear->lock);
    return calls;
}

static void wait_for_calls(Ear *ear, int calls) {
    pthread_mutex_lock(&ear->lock);
    while (ear->calls < calls)
        pthread_cond_wait(&ear->changed, &ear->lock);
    pthread_mutex_unlock(&ear->lock);
}

static void hold(Ear *ear, bool holds) {
    pthread_mutex_lock(&ear->lock);
    ear->holds = holds;
    pthread_cond_broadcast(&ear->changed);
    pthread_mutex_unlock(&ear->lock);
}

static DbListener *listen_to(Db *db, const char *channel, Ear *ear) {
    g_autoptr(GError) error = NULL;
    DbListener *listener = db_listen(db, channel, hear, ear, &error);
    g_assert_no_error(error);
    g_assert_nonnull(listener);
    return listener;
}

static bool notify(DbUnit *unit, void *channel, GError **error) {
    db_notify(unit, channel);
    return add_to_counter(unit, NULL, error);
}

static bool notify_twice(DbUnit *unit, void *channel, GError **error) {
    db_notify(unit, channel);
    db_notify(unit, channel);
    return add_to_counter(unit, NULL, error);
}

static bool notify_and_fail(DbUnit *unit, void *channel, GError **error) {
    db_notify(unit, channel);
    g_set_error_literal(error, ASSAY_ERROR, ERROR_NOT_FOUND, "no such thing");
    return false;
}

static char jobs[] = "jobs", events[] = "events.org-1";

static void listener_is_called_once_when_it_begins(void) {
    Fixture f;
    fixture_init(&f);
    Ear ear = EAR_INIT;
    DbListener *listener = listen_to(f.db, jobs, &ear);
    wait_for_calls(&ear, 1);
    Ear late = EAR_INIT;
    DbListener *second = listen_to(f.db, events, &late);
    wait_for_calls(&late, 1);
    db_listen_end(second);
    db_listen_end(listener);
    fixture_clear(&f);
}

static void listener_is_called_after_a_commit(void) {
    Fixture f;
    fixture_init(&f);
    Ear ear = EAR_INIT;
    DbListener *listener = listen_to(f.db, jobs, &ear);
    wait_for_calls(&ear, 1);
    for (int i = 0; i < 5; i++) {
        int before = calls_of(&ear);
        expect_run(f.db, &scope_one, DB_WRITE, i % 2 ? notify : notify_twice, jobs);
        wait_for_calls(&ear, before + 1);
    }
    db_listen_end(listener);
    fixture_clear(&f);
}

static void another_process_is_noticed(void) {
    Fixture f;
    fixture_init(&f);
    Db *other = support_open(f.url, NULL);
    Ear ear = EAR_INIT;
    DbListener *listener = listen_to(f.db, jobs, &ear);
    wait_for_calls(&ear, 1);
    for (int i = 0; i < 2; i++) {
        int before = calls_of(&ear);
        expect_run(other, &scope_one, DB_WRITE, notify, jobs);
        wait_for_calls(&ear, before + 1);
    }
    db_listen_end(listener);
    db_close(other);
    fixture_clear(&f);
}

/* What is told while the function runs is one call more, however often. */
static void calls_are_coalesced(void) {
    Fixture f;
    fixture_init(&f);
    Ear ear = EAR_INIT;
    hold(&ear, true);
    DbListener *listener = listen_to(f.db, jobs, &ear);
    wait_for_calls(&ear, 1);
    for (int i = 0; i < 50; i++)
        expect_run(f.db, &scope_one, DB_WRITE, notify, jobs);
    g_assert_cmpint(calls_of(&ear), ==, 1);
    hold(&ear, false);
    wait_for_calls(&ear, 2);
    db_listen_end(listener);
    g_assert_cmpint(calls_of(&ear), <, 10);
    fixture_clear(&f);
}

/* By then the listener would have been called: another one, told later, was. */
static void unit_that_fails_tells_nobody(void) {
    Fixture f;
    fixture_init(&f);
    Ear ear = EAR_INIT, witness = EAR_INIT;
    DbListener *first = listen_to(f.db, jobs, &ear);
    DbListener *second = listen_to(f.db, events, &witness);
    wait_for_calls(&ear, 1);
    wait_for_calls(&witness, 1);
    hold(&witness, true);
    expect_run(f.db, &scope_one, DB_WRITE, notify, events);
    wait_for_calls(&witness, 2);
    int before = calls_of(&ear);
    expect_error(f.db, &scope_one, DB_WRITE, notify_and_fail, jobs, ERROR_NOT_FOUND, "no such");
    hold(&witness, false);
    db_listen_end(second);
    db_listen_end(first);
    g_assert_cmpint(calls_of(&ear), <=, before + 1);
    fixture_clear(&f);
}

static void nothing_is_called_after_the_end(void) {
    Fixture f;
    fixture_init(&f);
    Ear ear = EAR_INIT, other = EAR_INIT;
    DbListener *listener = listen_to(f.db, jobs, &ear);
    DbListener *witness = listen_to(f.db, jobs, &other);
    wait_for_calls(&ear, 1);
    db_listen_end(listener);
    int calls = calls_of(&ear), before = calls_of(&other);
    expect_run(f.db, &scope_one, DB_WRITE, notify, jobs);
    wait_for_calls(&other, before + 1);
    g_assert_cmpint(calls_of(&ear), ==, calls);
    db_listen_end(witness);
    db_listen_end(NULL);
    fixture_clear(&f);
}

static void closing_ends_those_who_still_listen(void) {
    Fixture f;
    fixture_init(&f);
    Ear ear = EAR_INIT;
    (void)listen_to(f.db, jobs, &ear);
    wait_for_calls(&ear, 1);
    fixture_clear(&f);
}

typedef struct {
    Db *db;
    Ear done;
} Echo;

static void echo_done(void *data, const GError *error) {
    g_assert_null(error);
    hear(&((Echo *)data)->done);
}

static bool echo_work(DbUnit *unit, void *data, GError **error) {
    (void)data;
    return db_exec(db_prepare(unit, "note_count"), error);
}

static void submit_echo(void *data) {
    Echo *echo = data;
    const DbJob job = {
        .scope = scope_one, .mode = DB_READ, .work = echo_work, .done = echo_done, .data = echo};
    g_assert_true(db_submit(echo->db, &job, NULL));
}

static void listener_may_submit_units(void) {
    Fixture f;
    fixture_init(&f);
    Echo echo = {.db = f.db, .done = EAR_INIT};
    DbListener *listener = db_listen(f.db, jobs, submit_echo, &echo, NULL);
    wait_for_calls(&echo.done, 1);
    db_listen_end(listener);
    fixture_clear(&f);
}

static void notifying_mistakes_are_errors(void) {
    static const char *const names[] = {
        "", "Jobs", "a b", "jobs;", "ä", "a23456789a23456789a23456789a23456789a23456789a234"};
    Fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *name = g_strdup(names[i]);
        g_assert_null(db_listen(f.db, name, hear, NULL, &error));
        g_assert_error(error, ASSAY_ERROR, ERROR_INTERNAL);
        expect_error(f.db, &scope_one, DB_WRITE, notify, name, ERROR_INTERNAL, "is no channel");
    }
    expect_error(f.db, &scope_one, DB_READ, notify, jobs, ERROR_INTERNAL, "nothing to notify");
    fixture_clear(&f);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/db/listening/" #name, name)
    ADD(listener_is_called_once_when_it_begins);
    ADD(listener_is_called_after_a_commit);
    ADD(another_process_is_noticed);
    ADD(calls_are_coalesced);
    ADD(unit_that_fails_tells_nobody);
    ADD(nothing_is_called_after_the_end);
    ADD(closing_ends_those_who_still_listen);
    ADD(listener_may_submit_units);
    ADD(notifying_mistakes_are_errors);
    return g_test_run();
}
