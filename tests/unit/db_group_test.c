/* Group commit against a scripted engine: who is run, what is undone, who hears what. */
#include "base/clock.h"
#include "db/group.h"
#include <string.h>

/* An engine that only writes down what it is asked, one letter a call, and fails on demand. */
typedef struct {
    GString *calls;
    int begins_to_fail;
    int commits_to_fail;
    bool in_transaction;
    Queue *queue;
} Engine;

typedef struct {
    DriverTask driver;
    Engine *engine;
    char name;
    int failures;          /* attempts that fail */
    int losses;            /* attempts that lose the transaction */
    bool fails_next_begin; /* when it loses the transaction */
    int attempts;
    int finishes;
    char *message; /* of the error that it heard; NULL: committed */
} Step;

static bool take(int *count) {
    if (*count == 0)
        return false;
    --*count;
    return true;
}

static bool fail(GError **error, const char *message) {
    g_set_error_literal(error, ASSAY_ERROR, ERROR_DATABASE, message);
    return false;
}

static bool engine_begin(void *data, GError **error) {
    Engine *engine = data;
    g_assert_false(engine->in_transaction);
    g_string_append_c(engine->calls, 'B');
    if (take(&engine->begins_to_fail))
        return fail(error, "locked");
    engine->in_transaction = true;
    return true;
}

static bool engine_commit(void *data, GError **error) {
    Engine *engine = data;
    g_assert_true(engine->in_transaction);
    g_string_append_c(engine->calls, 'C');
    if (take(&engine->commits_to_fail))
        return fail(error, "full");
    engine->in_transaction = false;
    return true;
}

static void engine_rollback(void *data) {
    Engine *engine = data;
    g_string_append_c(engine->calls, 'R');
    engine->in_transaction = false;
}

static bool engine_mark(void *data, GError **error) {
    Engine *engine = data;
    g_assert_true(engine->in_transaction);
    (void)error;
    g_string_append_c(engine->calls, '(');
    return true;
}

static bool engine_release(void *data, GError **error) {
    Engine *engine = data;
    (void)error;
    g_string_append_c(engine->calls, ')');
    return true;
}

static void engine_undo(void *data) {
    Engine *engine = data;
    g_assert_true(engine->in_transaction);
    g_string_append_c(engine->calls, 'u');
}

static bool engine_is_lost(void *data) {
    return !((Engine *)data)->in_transaction;
}

static void engine_reset(void *data) {
    (void)data;
}

static bool step_attempt(DriverTask *task, DriverSession *session, GError **error) {
    Step *step = (Step *)task;
    (void)session;
    step->attempts++;
    g_string_append_c(step->engine->calls, step->name);
    if (take(&step->losses)) {
        step->engine->in_transaction = false;
        step->engine->begins_to_fail += step->fails_next_begin;
        return fail(error, "lost");
    }
    return take(&step->failures) ? fail(error, "refused") : true;
}

static void step_finish(DriverTask *task, const GError *error) {
    Step *step = (Step *)task;
    g_assert_false(step->engine->in_transaction);
    step->finishes++;
    step->message = error ? g_strdup(error->message) : NULL;
}

static void engine_init(Engine *engine) {
    *engine = (Engine){.calls = g_string_new(NULL), .queue = queue_new(1000)};
}

static void engine_clear(Engine *engine) {
    g_string_free(engine->calls, TRUE);
    queue_free(engine->queue);
}

/* Runs the steps named a, b, ... as one queue. */
static void run_steps(Engine *engine, Step *steps, unsigned count) {
    const GroupEngine table = {
        .connection = engine,
        .begin = engine_begin,
        .commit = engine_commit,
        .rollback = engine_rollback,
        .mark = engine_mark,
        .release = engine_release,
        .undo = engine_undo,
        .is_lost = engine_is_lost,
        .reset_statements = engine_reset,
    };
    for (unsigned i = 0; i < count; i++) {
        steps[i].engine = engine;
        steps[i].name = (char)('a' + i % 26);
        steps[i].driver.attempt = step_attempt;
        steps[i].driver.finish = step_finish;
        steps[i].driver.mode = DB_WRITE;
        g_assert_true(queue_push(engine->queue, &steps[i].driver, NULL));
    }
    DriverTask *first;
    while ((first = queue_pop_now(engine->queue)))
        group_run(&table, engine->queue, first);
}

static void expect_step(Step *step, int attempts, const char *message) {
    g_assert_cmpint(step->finishes, ==, 1);
    g_assert_cmpint(step->attempts, ==, attempts);
    g_assert_cmpstr(step->message, ==, message);
    g_clear_pointer(&step->message, g_free);
}

static void waiting_tasks_share_one_commit(void) {
    Engine engine;
    engine_init(&engine);
    Step steps[3] = {{.failures = 0}};
    run_steps(&engine, steps, 3);
    g_assert_cmpstr(engine.calls->str, ==, "B(a)(b)(c)C");
    for (int i = 0; i < 3; i++)
        expect_step(&steps[i], 1, NULL);
    engine_clear(&engine);
}

static void failing_task_is_undone_alone(void) {
    Engine engine;
    engine_init(&engine);
    Step steps[3] = {{.failures = 0}, {.failures = 1}, {.failures = 0}};
    run_steps(&engine, steps, 3);
    g_assert_cmpstr(engine.calls->str, ==, "B(a)(bu(c)C");
    expect_step(&steps[0], 1, NULL);
    expect_step(&steps[1], 1, "refused");
    expect_step(&steps[2], 1, NULL);
    engine_clear(&engine);
}

static void group_of_failures_commits_nothing(void) {
    Engine engine;
    engine_init(&engine);
    Step steps[2] = {{.failures = 1}, {.failures = 1}};
    run_steps(&engine, steps, 2);
    g_assert_cmpstr(engine.calls->str, ==, "B(au(buR");
    expect_step(&steps[0], 1, "refused");
    expect_step(&steps[1], 1, "refused");
    engine_clear(&engine);
}

static void lost_transaction_runs_each_again_by_itself(void) {
    Engine engine;
    engine_init(&engine);
    Step steps[3] = {{.failures = 0}, {.losses = 2}, {.failures = 0}};
    run_steps(&engine, steps, 3);
    /* The third had not been reached: it makes the next group. */
    g_assert_cmpstr(engine.calls->str, ==, "B(a)(bRB(a)CB(bRB(c)C");
    expect_step(&steps[0], 2, NULL);
    expect_step(&steps[1], 2, "lost");
    expect_step(&steps[2], 1, NULL);
    engine_clear(&engine);
}

static void failed_commit_runs_each_again_by_itself(void) {
    Engine engine;
    engine_init(&engine);
    engine.commits_to_fail = 2;
    Step steps[2] = {{.failures = 0}};
    run_steps(&engine, steps, 2);
    g_assert_cmpstr(engine.calls->str, ==, "B(a)(b)CRB(a)CRB(b)C");
    expect_step(&steps[0], 2, "full");
    expect_step(&steps[1], 2, NULL);
    engine_clear(&engine);
}

static void lonely_task_is_not_run_again_when_it_loses(void) {
    Engine engine;
    engine_init(&engine);
    Step steps[1] = {{.losses = 1}};
    run_steps(&engine, steps, 1);
    g_assert_cmpstr(engine.calls->str, ==, "B(aR");
    expect_step(&steps[0], 1, "lost");
    engine_clear(&engine);
}

static void lonely_task_hears_of_its_failed_commit(void) {
    Engine engine;
    engine_init(&engine);
    engine.commits_to_fail = 1;
    Step steps[1] = {{.failures = 0}};
    run_steps(&engine, steps, 1);
    g_assert_cmpstr(engine.calls->str, ==, "B(a)CR");
    expect_step(&steps[0], 1, "full");
    engine_clear(&engine);
}

static void all_that_wait_fail_when_nothing_can_begin(void) {
    Engine engine;
    engine_init(&engine);
    engine.begins_to_fail = 1;
    Step steps[2] = {{.failures = 0}};
    run_steps(&engine, steps, 2);
    g_assert_cmpstr(engine.calls->str, ==, "B");
    expect_step(&steps[0], 0, "locked");
    expect_step(&steps[1], 0, "locked");
    engine_clear(&engine);
}

static void begin_that_fails_the_second_time_fails_that_task_only(void) {
    Engine engine;
    engine_init(&engine);
    Step steps[2] = {{.failures = 0}, {.losses = 1, .fails_next_begin = true}};
    run_steps(&engine, steps, 2);
    g_assert_cmpstr(engine.calls->str, ==, "B(a)(bRBB(b)C");
    expect_step(&steps[0], 1, "locked");
    expect_step(&steps[1], 2, NULL);
    engine_clear(&engine);
}

static void group_has_a_limit(void) {
    Engine engine;
    engine_init(&engine);
    Step steps[GROUP_TASKS_MAX + 1] = {{.failures = 0}};
    run_steps(&engine, steps, G_N_ELEMENTS(steps));
    unsigned commits = 0;
    for (const char *at = engine.calls->str; (at = strchr(at, 'C')); at++)
        commits++;
    g_assert_cmpuint(commits, ==, 2);
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
        expect_step(&steps[i], 1, NULL);
    engine_clear(&engine);
}

static void rehearsed_task_is_undone_and_run_again(void) {
    Engine engine;
    engine_init(&engine);
    Step steps[1] = {{.driver = {.rehearse = true}}};
    run_steps(&engine, steps, 1);
    g_assert_cmpstr(engine.calls->str, ==, "B(au(a)C");
    expect_step(&steps[0], 2, NULL);
    engine_clear(&engine);
}

static void transaction_lost_in_rehearsal_begins_no_other(void) {
    Engine engine;
    engine_init(&engine);
    Step steps[1] = {{.driver = {.rehearse = true}, .losses = 1}};
    run_steps(&engine, steps, 1);
    g_assert_cmpstr(engine.calls->str, ==, "B(aR");
    expect_step(&steps[0], 1, "lost");
    engine_clear(&engine);
}

/* --- The queue ----------------------------------------------------------------------------- */

static void queue_keeps_order_and_refuses_beyond_its_limit(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Queue) queue = queue_new(2);
    DriverTask tasks[4] = {{.waits = false}, {.waits = false}, {.waits = false}, {.waits = true}};
    g_assert_true(queue_push(queue, &tasks[0], NULL));
    g_assert_true(queue_push(queue, &tasks[1], NULL));
    g_assert_false(queue_push(queue, &tasks[2], &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_LIMIT);
    g_assert_true(queue_push(queue, &tasks[3], NULL));
    g_assert_true(queue_pop(queue) == &tasks[0]);
    g_assert_true(queue_pop_now(queue) == &tasks[1]);
    g_assert_true(queue_pop(queue) == &tasks[3]);
    g_assert_null(queue_pop_now(queue));
}

static void closed_queue_is_drained_and_takes_nothing(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Queue) queue = queue_new(2);
    DriverTask task = {.waits = true}, late = {.waits = true};
    g_assert_true(queue_push(queue, &task, NULL));
    queue_close(queue);
    g_assert_false(queue_push(queue, &late, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CANCELLED);
    g_assert_true(queue_pop(queue) == &task);
    g_assert_null(queue_pop(queue));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    clock_freeze(1000000); /* groups end by their size, not by time */
#define ADD(name) g_test_add_func("/db/group/" #name, name)
    ADD(waiting_tasks_share_one_commit);
    ADD(failing_task_is_undone_alone);
    ADD(group_of_failures_commits_nothing);
    ADD(lost_transaction_runs_each_again_by_itself);
    ADD(failed_commit_runs_each_again_by_itself);
    ADD(lonely_task_is_not_run_again_when_it_loses);
    ADD(lonely_task_hears_of_its_failed_commit);
    ADD(all_that_wait_fail_when_nothing_can_begin);
    ADD(begin_that_fails_the_second_time_fails_that_task_only);
    ADD(group_has_a_limit);
    ADD(rehearsed_task_is_undone_and_run_again);
    ADD(transaction_lost_in_rehearsal_begins_no_other);
    ADD(queue_keeps_order_and_refuses_beyond_its_limit);
    ADD(closed_queue_is_drained_and_takes_nothing);
    return g_test_run();
}
