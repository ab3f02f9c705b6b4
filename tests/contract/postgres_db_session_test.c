/* Units on PostgreSQL: order, isolation, what is tried again, and the pool. */
#include "unit/database_stage.h"
#include "unit/db_support.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

/* --- Gates --------------------------------------------------------------------------------- */

/* Holds up a unit until the test lets it go. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int entered;
    bool released;
} Gate;

#define GATE_INIT                                                                                  \
    { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER }

static void pass_gate(Gate *gate) {
    pthread_mutex_lock(&gate->lock);
    gate->entered++;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->released)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static void wait_until_entered(Gate *gate, int count) {
    pthread_mutex_lock(&gate->lock);
    while (gate->entered < count)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static void release_gate(Gate *gate) {
    pthread_mutex_lock(&gate->lock);
    gate->released = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

static bool add_and_wait(DbUnit *unit, void *gate, GError **error) {
    if (!add_to_counter(unit, NULL, error))
        return false;
    pass_gate(gate);
    return true;
}

static void submit(Db *db, const DbScope *scope, DbMode mode, DbWork work, void *data) {
    const DbJob job = {.scope = *scope, .mode = mode, .work = work, .data = data};
    g_assert_true(db_submit(db, &job, NULL));
}

/* --- Rows ---------------------------------------------------------------------------------- */

static DbStatement *many(DbUnit *unit, int64_t count) {
    DbStatement *statement = db_prepare(unit, "note_many");
    db_bind_int(statement, "count", count);
    return statement;
}

static bool read_all_rows(DbStatement *statement, int64_t from, int64_t *last_out, GError **error) {
    bool row = true;
    for (int64_t n = from;; n++) {
        if (!db_step(statement, &row, error))
            return false;
        if (!row)
            return true;
        g_assert_cmpint(db_column_int(statement, 0), ==, n);
        g_assert_cmpuint(strlen(db_column_text(statement, 1)), ==, 1000);
        *last_out = n;
    }
}

/* The rest of the outer one is set aside twice. */
static bool read_while_reading(DbUnit *unit, void *last_out, GError **error) {
    DbStatement *outer = many(unit, 3000);
    bool row = false;
    for (int i = 1; i <= 2; i++) {
        int64_t inner = 0;
        if (!db_step(outer, &row, error))
            return false;
        g_assert_cmpint(db_column_int(outer, 0), ==, i);
        if (!count_notes(unit, &inner, error))
            return false;
        g_assert_cmpuint(strlen(db_column_text(outer, 1)), ==, 1000);
    }
    return read_all_rows(outer, 3, last_out, error);
}

static void statements_run_while_another_is_half_read(void) {
    Fixture f;
    fixture_init(&f);
    int64_t last = 0;
    expect_run(f.db, &scope_one, DB_READ, read_while_reading, &last);
    g_assert_cmpint(last, ==, 3000);
    fixture_clear(&f);
}

static bool read_very_many(DbUnit *unit, void *last_out, GError **error) {
    return read_all_rows(many(unit, 100000), 1, last_out, error);
}

static bool leave_very_many(DbUnit *unit, void *unused, GError **error) {
    (void)unused;
    bool row = false;
    return db_step(many(unit, 100000), &row, error);
}

static bool set_very_many_aside(DbUnit *unit, void *unused, GError **error) {
    int64_t count = 0;
    return leave_very_many(unit, unused, error) && count_notes(unit, &count, error);
}

static void rows_without_end_are_read_one_by_one(void) {
    Fixture f;
    fixture_init(&f);
    int64_t last = 0;
    expect_run(f.db, &scope_one, DB_READ, read_very_many, &last);
    g_assert_cmpint(last, ==, 100000);
    expect_run(f.db, &scope_one, DB_READ, leave_very_many, NULL);
    expect_error(f.db, &scope_one, DB_READ, set_very_many_aside, NULL, ERROR_LIMIT,
                 "note_many gives too many rows to be left half read");
    g_assert_cmpint(support_note_count(f.db, &scope_one), ==, 0);
    fixture_clear(&f);
}

/* --- Isolation ----------------------------------------------------------------------------- */

/* Reads, thinks, writes: what is lost when two do it at once. */
static bool count_by_reading(DbUnit *unit, void *unused, GError **error) {
    (void)unused;
    int64_t value = 0;
    if (!read_counter(unit, &value, error))
        return false;
    if (value == 0)
        return add_to_counter(unit, NULL, error);
    DbStatement *set = db_prepare(unit, "counter_set");
    db_bind_int(set, "value", value + 1);
    return db_exec(set, error);
}

#define THREADS 4
#define UNITS 25

static void *count_often(void *db) {
    for (int i = 0; i < UNITS; i++)
        expect_run(db, &scope_one, DB_WRITE, count_by_reading, NULL);
    return NULL;
}

/* Two programs of two threads each. */
static void writes_of_one_organization_follow_one_another(void) {
    Fixture f;
    fixture_init(&f);
    Db *other = support_open(f.url, NULL);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, count_often, i % 2 ? other : f.db), ==,
                        0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    g_assert_cmpint(support_counter(f.db, &scope_one), ==, THREADS * UNITS);
    db_close(other);
    fixture_clear(&f);
}

static void organizations_do_not_wait_for_each_other(void) {
    Fixture f;
    fixture_init(&f);
    Db *other = support_open(f.url, NULL);
    Gate gate = GATE_INIT;
    submit(f.db, &scope_one, DB_WRITE, add_and_wait, &gate);
    wait_until_entered(&gate, 1);
    expect_run(other, &scope_two, DB_WRITE, add_to_counter, NULL);
    g_assert_cmpint(support_counter(f.db, &scope_two), ==, 1);
    release_gate(&gate);
    db_close(other);
    fixture_clear(&f);
}

static void reads_go_on_while_all_writes_wait(void) {
    Fixture f;
    fixture_init(&f);
    Db *other = support_open(f.url, NULL);
    Gate gate = GATE_INIT;
    submit(other, &scope_one, DB_WRITE, add_and_wait, &gate);
    wait_until_entered(&gate, 1);
    for (int i = 0; i < 20; i++)
        submit(f.db, &scope_one, DB_WRITE, add_to_counter, NULL);
    for (int i = 0; i < 20; i++)
        g_assert_cmpint(support_counter(f.db, &scope_one), ==, 0);
    release_gate(&gate);
    expect_run(f.db, &scope_one, DB_WRITE, add_to_counter, NULL);
    g_assert_cmpint(support_counter(f.db, &scope_one), ==, 22);
    db_close(other);
    fixture_clear(&f);
}

typedef struct {
    Gate gate;
    int64_t before, after;
} Look;

static bool look_twice(DbUnit *unit, void *data, GError **error) {
    Look *look = data;
    if (!read_counter(unit, &look->before, error))
        return false;
    pass_gate(&look->gate);
    return read_counter(unit, &look->after, error);
}

static void read_unit_sees_one_moment(void) {
    Fixture f;
    fixture_init(&f);
    Look look = {.gate = GATE_INIT, .before = -1, .after = -1};
    submit(f.db, &scope_one, DB_READ, look_twice, &look);
    wait_until_entered(&look.gate, 1);
    expect_run(f.db, &scope_one, DB_WRITE, add_to_counter, NULL);
    release_gate(&look.gate);
    fixture_close(&f);
    g_assert_cmpint(look.before, ==, 0);
    g_assert_cmpint(look.after, ==, 0);
    fixture_clear(&f);
}

/* --- Order --------------------------------------------------------------------------------- */

typedef struct {
    atomic_int *next;
    int number;
    atomic_int *disorder;
} Numbered;

static bool set_counter(DbUnit *unit, void *data, GError **error) {
    const Numbered *numbered = data;
    if (numbered->number == 0)
        return add_to_counter(unit, NULL, error);
    DbStatement *set = db_prepare(unit, "counter_set");
    db_bind_int(set, "value", numbered->number);
    return db_exec(set, error);
}

static void check_order(void *data, const GError *error) {
    const Numbered *numbered = data;
    g_assert_null(error);
    if (atomic_fetch_add(numbered->next, 1) != numbered->number)
        atomic_fetch_add(numbered->disorder, 1);
}

static void writes_of_one_thread_commit_in_their_order(void) {
    Fixture f;
    fixture_init(&f);
    enum { COUNT = 200 };
    Numbered all[COUNT];
    atomic_int next = 0, disorder = 0;
    for (int i = 0; i < COUNT; i++) {
        all[i] = (Numbered){&next, i, &disorder};
        const DbJob job = {.scope = scope_one,
                           .mode = DB_WRITE,
                           .work = set_counter,
                           .done = check_order,
                           .data = &all[i]};
        g_assert_true(db_submit(f.db, &job, NULL));
    }
    fixture_close(&f);
    g_assert_cmpint(atomic_load(&next), ==, COUNT);
    g_assert_cmpint(atomic_load(&disorder), ==, 0);
    fixture_open(&f);
    g_assert_cmpint(support_counter(f.db, &scope_one), ==, COUNT - 1);
    fixture_clear(&f);
}

/* --- Trying again -------------------------------------------------------------------------- */

/* The first two inserts into note fail with this SQLSTATE. A sequence does not roll back. */
static void make_it_fail(const char *url, const char *state) {
    g_autofree char *sql = g_strdup_printf(
        "create sequence tries; grant usage on sequence tries to assay_app;"
        "create function fail() returns trigger language plpgsql as $$ begin"
        " if nextval('tries') <= 2 then raise exception 'n is secret' using errcode = '%s'; end if;"
        " return new; end $$;"
        "create trigger fail before insert on note for each row execute function fail()",
        state);
    g_free(stage_database_ask(url, sql));
}

typedef struct {
    Note note;
    int attempts;
} Trial;

static bool try_note(DbUnit *unit, void *data, GError **error) {
    Trial *trial = data;
    trial->attempts++;
    return insert_note(unit, &trial->note, error);
}

static void what_passes_is_tried_again(void) {
    static const char *const states[] = {"40001", "40P01", "55P03", "57P01", "25P03"};
    for (size_t i = 0; i < G_N_ELEMENTS(states); i++) {
        Fixture f;
        fixture_init(&f);
        make_it_fail(f.url, states[i]);
        Trial trial = {.note = {"n", "body"}};
        expect_run(f.db, &scope_one, DB_WRITE, try_note, &trial);
        g_assert_cmpint(trial.attempts, ==, 3);
        g_assert_cmpint(support_note_count(f.db, &scope_one), ==, 1);
        fixture_clear(&f);
    }
}

static void what_does_not_pass_is_an_error_at_once(void) {
    static const struct {
        const char *state;
        ErrorCode code;
        const char *says;
    } cases[] = {
        {"23505", ERROR_CONFLICT, "a row with this key exists already"},
        {"23514", ERROR_DATABASE, "a rule of the schema was broken (PostgreSQL: 23514)"},
        {"22P02", ERROR_DATABASE, "a value is of the wrong kind"},
        {"53100", ERROR_DATABASE, "no space is left"},
        {"P0001", ERROR_DATABASE, "it refused the statement"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Fixture f;
        fixture_init(&f);
        make_it_fail(f.url, cases[i].state);
        Trial trial = {.note = {"n", "body"}};
        expect_error(f.db, &scope_one, DB_WRITE, try_note, &trial, cases[i].code, cases[i].says);
        g_assert_cmpint(trial.attempts, ==, 1);
        g_autoptr(GError) error = NULL;
        g_assert_false(db_run(f.db, &scope_one, DB_WRITE, try_note, &trial, &error));
        g_assert_null(strstr(error->message, "secret"));
        fixture_clear(&f);
    }
}

static void what_never_passes_ends_with_the_busy_limit(void) {
    Fixture f;
    fixture_init(&f);
    make_it_fail(f.url, "40001");
    g_free(
        stage_database_ask(f.url, "alter sequence tries minvalue -1000000 restart with -1000000"));
    fixture_close(&f);
    const DbOptions options = {.busy_limit_ms = 50};
    f.db = support_open(f.url, &options);
    Trial trial = {.note = {"n", "body"}};
    expect_error(f.db, &scope_one, DB_WRITE, try_note, &trial, ERROR_DATABASE,
                 "others have changed the same rows");
    g_assert_cmpint(trial.attempts, >, 3);
    fixture_clear(&f);
}

static void lock_held_too_long_is_a_clear_error(void) {
    Fixture f;
    fixture_init(&f);
    const DbOptions options = {.busy_limit_ms = 40};
    Db *other = support_open(f.url, &options);
    Gate gate = GATE_INIT;
    submit(f.db, &scope_one, DB_WRITE, add_and_wait, &gate);
    wait_until_entered(&gate, 1);
    expect_error(other, &scope_one, DB_WRITE, add_to_counter, NULL, ERROR_DATABASE,
                 "another process held a lock too long");
    release_gate(&gate);
    expect_run(f.db, &scope_one, DB_WRITE, add_to_counter, NULL);
    expect_run(other, &scope_one, DB_WRITE, add_to_counter, NULL);
    g_assert_cmpint(support_counter(other, &scope_one), ==, 3);
    db_close(other);
    fixture_clear(&f);
}

typedef struct {
    const char *first, *second;
    pthread_barrier_t *both; /* each has the first one's lock */
    atomic_int attempts;
    Db *db;
} Crossing;

static bool put(DbUnit *unit, const char *name, GError **error) {
    DbStatement *statement = db_prepare(unit, "setting_put");
    db_bind_text(statement, "name", name);
    db_bind_text(statement, "value", "x");
    return db_exec(statement, error);
}

static bool cross(DbUnit *unit, void *data, GError **error) {
    Crossing *crossing = data;
    if (!put(unit, crossing->first, error))
        return false;
    if (atomic_fetch_add(&crossing->attempts, 1) == 0)
        pthread_barrier_wait(crossing->both);
    return put(unit, crossing->second, error);
}

static void *cross_thread(void *data) {
    Crossing *crossing = data;
    expect_run(crossing->db, &scope_nobody, DB_WRITE, cross, crossing);
    return NULL;
}

static void deadlock_is_undone_and_tried_again(void) {
    Fixture f;
    fixture_init(&f);
    pthread_barrier_t both;
    pthread_barrier_init(&both, NULL, 2);
    Crossing one = {"a", "b", &both, 0, f.db}, two = {"b", "a", &both, 0, f.db};
    pthread_t threads[2];
    g_assert_cmpint(pthread_create(&threads[0], NULL, cross_thread, &one), ==, 0);
    g_assert_cmpint(pthread_create(&threads[1], NULL, cross_thread, &two), ==, 0);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    g_assert_cmpint(atomic_load(&one.attempts) + atomic_load(&two.attempts), >=, 3);
    pthread_barrier_destroy(&both);
    fixture_clear(&f);
}

/* --- The pool ------------------------------------------------------------------------------ */

static int count_connections(const char *url, const char *query) {
    g_autofree char *sql = g_strdup_printf("select count(*) from pg_stat_activity where"
                                           " application_name = 'assay' and"
                                           " datname = current_database() %s",
                                           query);
    g_autofree char *answer = stage_database_ask(url, sql);
    return (int)g_ascii_strtoll(answer, NULL, 10);
}

/* Closed ones stay for a moment. */
static void expect_connections(const char *url, const char *query, int expected) {
    int count = -1;
    for (int i = 0; i < 200 && count != expected; i++)
        count = count_connections(url, query);
    g_assert_cmpint(count, ==, expected);
}

static void pool_grows_with_the_work_and_no_further(void) {
    Fixture f;
    fixture_init(&f);
    fixture_close(&f);
    g_autofree char *url = g_strconcat(f.url, "&pool=3", NULL);
    f.db = support_open(url, NULL);
    expect_connections(f.url, "", 1);
    Look looks[5] = {{.gate = GATE_INIT},
                     {.gate = GATE_INIT},
                     {.gate = GATE_INIT},
                     {.gate = GATE_INIT},
                     {.gate = GATE_INIT}};
    for (int i = 0; i < 5; i++)
        submit(f.db, &scope_one, DB_READ, look_twice, &looks[i]);
    for (int i = 0; i < 3; i++)
        wait_until_entered(&looks[i].gate, 1);
    expect_connections(f.url, "", 3);
    for (int i = 0; i < 5; i++)
        release_gate(&looks[i].gate);
    fixture_clear(&f);
}

static bool write_nothing(DbUnit *unit, void *unused, GError **error) {
    (void)unit;
    (void)unused;
    (void)error;
    return true;
}

static void unit_without_statements_asks_nothing(void) {
    Fixture f;
    fixture_init(&f);
    const char *age = "select count(*) from pg_stat_activity where application_name = 'assay'"
                      " and datname = current_database() and xact_start > now() - interval '0'";
    expect_run(f.db, &scope_one, DB_WRITE, write_nothing, NULL);
    expect_run(f.db, &scope_one, DB_READ, write_nothing, NULL);
    g_autofree char *answer = stage_database_ask(f.url, age);
    g_assert_cmpstr(answer, ==, "0");
    expect_connections(f.url, "and state = 'idle'", 1);
    fixture_clear(&f);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/db/session/" #name, name)
    ADD(statements_run_while_another_is_half_read);
    ADD(rows_without_end_are_read_one_by_one);
    ADD(writes_of_one_organization_follow_one_another);
    ADD(organizations_do_not_wait_for_each_other);
    ADD(reads_go_on_while_all_writes_wait);
    ADD(read_unit_sees_one_moment);
    ADD(writes_of_one_thread_commit_in_their_order);
    ADD(what_passes_is_tried_again);
    ADD(what_does_not_pass_is_an_error_at_once);
    ADD(what_never_passes_ends_with_the_busy_limit);
    ADD(lock_held_too_long_is_a_clear_error);
    ADD(deadlock_is_undone_and_tried_again);
    ADD(pool_grows_with_the_work_and_no_further);
    ADD(unit_without_statements_asks_nothing);
    return g_test_run();
}
