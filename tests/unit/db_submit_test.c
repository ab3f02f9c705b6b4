/* Submitting: what is promised to whoever submits units, on either engine. */
#include "db_support.h"

#include "base/clock.h"
#include "unit/database_stage.h"

#include <pthread.h>
#include <string.h>

typedef struct {
    Tally *tally;
    Note note;
    char id[24];
} Submission;

static bool submission_work(DbUnit *unit, void *data, GError **error) {
    Submission *submission = data;
    submission->note = (Note){submission->id, "body"};
    return insert_note(unit, &submission->note, error);
}

static void submission_done(void *data, const GError *error) {
    tally_count(((Submission *)data)->tally, error);
}

static void submit(Db *db, Submission *submission) {
    g_autoptr(GError) error = NULL;
    const DbJob job = {.scope = scope_one,
                       .mode = DB_WRITE,
                       .work = submission_work,
                       .done = submission_done,
                       .data = submission};
    bool taken = db_submit(db, &job, &error);
    g_assert_no_error(error);
    g_assert_true(taken);
}

static void failing_unit_leaves_the_others_of_its_group(void) {
    Fixture f;
    fixture_init(&f);
    Tally tally = TALLY_INIT;
    Submission submissions[60];
    for (int i = 0; i < 60; i++) {
        submissions[i].tally = &tally;
        /* Every third is the twin of the one before it. */
        g_snprintf(submissions[i].id, sizeof submissions[i].id, "%d", i % 3 == 2 ? i - 1 : i);
        submit(f.db, &submissions[i]);
    }
    tally_wait(&tally, 60);
    g_assert_cmpint(tally.failed, ==, 20);
    g_assert_cmpint(support_note_count(f.db, &scope_one), ==, 40);
    g_free(tally.last_error);
    fixture_clear(&f);
}

typedef struct {
    Db *db;
    Tally *tally;
    int64_t seen;
} Witness;

static void done_is_called_after_the_commit_done(void *data, const GError *error) {
    tally_count(((Witness *)data)->tally, error);
}

static bool witness_work(DbUnit *unit, void *data, GError **error) {
    (void)data;
    return add_to_counter(unit, NULL, error);
}

static void done_is_called_after_the_commit(void) {
    Fixture f;
    fixture_init(&f);
    Db *other = support_open(f.url, NULL);
    Tally tally = TALLY_INIT;
    Witness witness = {.db = other, .tally = &tally};
    for (int i = 1; i <= 20; i++) {
        const DbJob job = {.scope = scope_one,
                           .mode = DB_WRITE,
                           .work = witness_work,
                           .done = done_is_called_after_the_commit_done,
                           .data = &witness};
        g_assert_true(db_submit(f.db, &job, NULL));
        tally_wait(&tally, i);
        /* Another connection, as another process would have, sees it at once. */
        g_assert_cmpint(support_counter(other, &scope_one), ==, i);
    }
    db_close(other);
    fixture_clear(&f);
}

/* Holds up the organization's writes until the test lets it go. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool entered, released;
} Gate;

#define GATE_INIT                                                                                  \
    { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER }

static bool wait_at_gate(DbUnit *unit, void *data, GError **error) {
    Gate *gate = data;
    if (!db_exec(db_prepare(unit, "note_count"), error))
        return false;
    pthread_mutex_lock(&gate->lock);
    gate->entered = true;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->released)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
    return true;
}

static void wait_until_entered(Gate *gate) {
    pthread_mutex_lock(&gate->lock);
    while (!gate->entered)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static void release_gate(Gate *gate) {
    pthread_mutex_lock(&gate->lock);
    gate->released = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

static void submit_gate(Db *db, Gate *gate) {
    const DbJob job = {.scope = scope_one, .mode = DB_WRITE, .work = wait_at_gate, .data = gate};
    g_assert_true(db_submit(db, &job, NULL));
    wait_until_entered(gate);
}

static void full_queue_refuses_but_waiting_threads_are_served(void) {
    Fixture f;
    fixture_init(&f);
    fixture_close(&f);
    const DbOptions options = {.queue_limit = 2};
    f.db = support_open(f.url, &options);
    Gate gate = GATE_INIT;
    Tally tally = TALLY_INIT;
    Submission submissions[3] = {{.tally = &tally, .id = "a"}, {.tally = &tally, .id = "b"}};
    submit_gate(f.db, &gate);
    submit(f.db, &submissions[0]);
    submit(f.db, &submissions[1]);
    g_autoptr(GError) error = NULL;
    const DbJob job = {
        .scope = scope_one, .mode = DB_WRITE, .work = submission_work, .data = &submissions[2]};
    g_assert_false(db_submit(f.db, &job, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_LIMIT);
    release_gate(&gate);
    expect_run(f.db, &scope_one, DB_WRITE, add_to_counter, NULL);
    g_assert_cmpint(tally.done, ==, 2);
    g_assert_cmpint(tally.failed, ==, 0);
    fixture_clear(&f);
}

static void closing_ends_what_is_queued(void) {
    Fixture f;
    fixture_init(&f);
    Tally tally = TALLY_INIT;
    Submission submissions[10];
    for (int i = 0; i < 10; i++) {
        submissions[i].tally = &tally;
        g_snprintf(submissions[i].id, sizeof submissions[i].id, "%d", i);
        submit(f.db, &submissions[i]);
    }
    fixture_close(&f);
    g_assert_cmpint(tally.done, ==, 10);
    fixture_open(&f);
    g_assert_cmpint(support_note_count(f.db, &scope_one), ==, 10);
    fixture_clear(&f);
}

static bool count_and_add(DbUnit *unit, void *calls, GError **error) {
    ++*(int *)calls;
    return add_to_counter(unit, NULL, error);
}

static void rehearsed_unit_runs_twice_and_counts_once(void) {
    Fixture f;
    fixture_init(&f);
    fixture_close(&f);
    const DbOptions options = {.rehearse = true};
    f.db = support_open(f.url, &options);
    int calls = 0;
    expect_run(f.db, &scope_one, DB_WRITE, count_and_add, &calls);
    g_assert_cmpint(calls, ==, 2);
    g_assert_cmpint(support_counter(f.db, &scope_one), ==, 1);
    fixture_clear(&f);
}

#define THREADS 6
#define UNITS 40

typedef struct {
    Db *db;
    Tally *tally;
} Crowd;

static void crowd_done(void *data, const GError *error) {
    tally_count(data, error);
}

static bool crowd_work(DbUnit *unit, void *data, GError **error) {
    (void)data;
    return add_to_counter(unit, NULL, error);
}

/* Mixes waiting and submitted writes with reads. */
static void *crowd_thread(void *data) {
    Crowd *crowd = data;
    const DbJob job = {.scope = scope_one,
                       .mode = DB_WRITE,
                       .work = crowd_work,
                       .done = crowd_done,
                       .data = crowd->tally};
    int64_t before = 0;
    for (int i = 0; i < UNITS; i++) {
        if (i % 2)
            expect_run(crowd->db, &scope_one, DB_WRITE, add_to_counter, NULL);
        else
            g_assert_true(db_submit(crowd->db, &job, NULL));
        int64_t now = support_counter(crowd->db, &scope_one);
        g_assert_cmpint(now, >=, before);
        before = now;
    }
    return NULL;
}

static void many_threads_lose_no_unit(void) {
    Fixture f;
    fixture_init(&f);
    Tally tally = TALLY_INIT;
    Crowd crowd = {.db = f.db, .tally = &tally};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, crowd_thread, &crowd), ==, 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    tally_wait(&tally, THREADS * UNITS / 2);
    g_assert_cmpint(tally.failed, ==, 0);
    g_assert_cmpint(support_counter(f.db, &scope_one), ==, THREADS * UNITS);
    fixture_clear(&f);
}

/* --- Another connection with the lock ------------------------------------------------------ */

static void lock_held_too_long_is_a_clear_error(void) {
    Fixture f;
    fixture_init(&f);
    const DbOptions options = {.busy_limit_ms = 20};
    Db *other = support_open(f.url, &options);
    Gate gate = GATE_INIT;
    submit_gate(f.db, &gate);
    expect_error(other, &scope_one, DB_WRITE, add_to_counter, NULL, ERROR_DATABASE,
                 "another process held");
    g_assert_cmpint(support_counter(other, &scope_one), ==, 0);
    release_gate(&gate);
    expect_run(f.db, &scope_one, DB_WRITE, add_to_counter, NULL);
    expect_run(other, &scope_one, DB_WRITE, add_to_counter, NULL);
    g_assert_cmpint(support_counter(other, &scope_one), ==, 2);
    db_close(other);
    fixture_clear(&f);
}

/* --- what a transaction knows ----------------------------------------------------------------- */

#define FACT "fact"

typedef struct {
    const DbScope *scope;
    bool learn, forget, fail;
    bool expected; /* where units share a transaction */
    bool knew;
} Lesson;

static bool take_lesson(DbUnit *unit, void *data, GError **error) {
    Lesson *lesson = data;
    lesson->knew = db_knows(unit, FACT);
    if (lesson->learn)
        db_learn(unit, FACT);
    if (lesson->forget)
        db_forget(unit, FACT);
    if (lesson->fail)
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CANCELLED, "as wished");
    return !lesson->fail;
}

/* The clocks stand still, so that no group ends because of its time. */
static void units_learn_from_those_before_them_in_a_transaction(void) {
    Fixture f;
    fixture_init(&f);
    clock_freeze(1760000000000);
    Lesson lessons[] = {
        {.scope = &scope_one, .learn = true},
        {.scope = &scope_one, .expected = true},
        {.scope = &scope_two},
        {.scope = &scope_two, .learn = true, .fail = true},
        {.scope = &scope_two},
        {.scope = &scope_one}, /* a unit was rolled back */
        {.scope = &scope_one, .learn = true},
        {.scope = &scope_one, .expected = true, .forget = true},
        {.scope = &scope_one, .learn = true},
        {.scope = &scope_nobody, .learn = true},
    };
    Lesson last = {0}, later = {0};
    Gate gate = GATE_INIT;
    submit_gate(f.db, &gate);
    for (size_t i = 0; i < G_N_ELEMENTS(lessons); i++) {
        const DbJob job = {
            .scope = *lessons[i].scope, .mode = DB_WRITE, .work = take_lesson, .data = &lessons[i]};
        g_assert_true(db_submit(f.db, &job, NULL));
    }
    release_gate(&gate);
    expect_run(f.db, &scope_one, DB_WRITE, add_to_counter, NULL); /* all are done */
    for (size_t i = 0; i < G_N_ELEMENTS(lessons); i++)
        g_assert_true(lessons[i].knew == (lessons[i].expected && !stage_is_postgres()));
    expect_run(f.db, &scope_one, DB_WRITE, take_lesson, &last);
    expect_run(f.db, &scope_one, DB_READ, take_lesson, &later);
    g_assert_false(last.knew);
    g_assert_false(later.knew);
    clock_thaw();
    fixture_clear(&f);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/db/submit/" #name, name)
    ADD(failing_unit_leaves_the_others_of_its_group);
    ADD(done_is_called_after_the_commit);
    ADD(full_queue_refuses_but_waiting_threads_are_served);
    ADD(closing_ends_what_is_queued);
    ADD(rehearsed_unit_runs_twice_and_counts_once);
    ADD(many_threads_lose_no_unit);
    ADD(lock_held_too_long_is_a_clear_error);
    ADD(units_learn_from_those_before_them_in_a_transaction);
    return g_test_run();
}
