/* Lanes: which task goes next. */
#include "db/lanes.h"
#include <pthread.h>

typedef struct {
    Lanes *lanes;
    DriverTask *tasks;
    unsigned count;
    unsigned shorts; /* how often another thread would have been of use */
} Submitter;

static void *submit_all(void *data) {
    Submitter *submitter = data;
    for (unsigned i = 0; i < submitter->count; i++) {
        bool is_short = false;
        g_assert_true(lanes_push(submitter->lanes, &submitter->tasks[i], &is_short, NULL));
        submitter->shorts += is_short ? 1 : 0;
    }
    return NULL;
}

/* From a thread of its own, which has ended then. Two such may have the same id: one that must not
 * lives on until the tasks are out. */
static void submit_as_another(Submitter *submitter) {
    pthread_t thread;
    g_assert_cmpint(pthread_create(&thread, NULL, submit_all, submitter), ==, 0);
    pthread_join(thread, NULL);
}

static void release(Lanes *lanes, Lane *lane) {
    lanes_release(lanes, lane);
}

static void expect_next(Lanes *lanes, DriverTask *task, Lane **lane_out) {
    lanes_expect(lanes);
    g_assert_true(lanes_take(lanes, lane_out) == task);
}

static void writes_of_one_thread_go_one_after_another(void) {
    g_autoptr(Lanes) lanes = lanes_new(10, 3);
    DriverTask writes[3] = {{.mode = DB_WRITE}, {.mode = DB_WRITE}, {.mode = DB_WRITE}};
    DriverTask read = {.mode = DB_READ};
    Lane *lane, *none;
    Submitter one = {lanes, writes, 3, 0}, reader = {lanes, &read, 1, 0};
    submit_all(&one);
    submit_all(&reader);
    g_assert_cmpuint(one.shorts, ==,
                     3); /* nobody waits yet: the pool would grow by one each time */
    expect_next(lanes, &read, &none);
    g_assert_null(none);
    for (int i = 0; i < 3; i++) {
        expect_next(lanes, &writes[i], &lane);
        release(lanes, lane);
    }
    release(lanes, none);
}

static void threads_do_not_wait_for_each_other(void) {
    g_autoptr(Lanes) lanes = lanes_new(10, 2);
    DriverTask mine[2] = {{.mode = DB_WRITE}, {.mode = DB_WRITE}}, other = {.mode = DB_WRITE};
    Lane *first, *second;
    Submitter one = {lanes, mine, 2, 0}, two = {lanes, &other, 1, 0};
    submit_all(&one);
    submit_as_another(&two);
    expect_next(lanes, &mine[0], &first);
    expect_next(lanes, &other, &second);
    g_assert_true(first != second);
    release(lanes, second);
    release(lanes, first);
    expect_next(lanes, &mine[1], &first);
    release(lanes, first);
}

static void one_place_is_left_to_reads(void) {
    g_autoptr(Lanes) lanes = lanes_new(10, 1);
    DriverTask mine = {.mode = DB_WRITE}, other = {.mode = DB_WRITE}, read = {.mode = DB_READ};
    Lane *lane, *none;
    Submitter one = {lanes, &mine, 1, 0}, two = {lanes, &other, 1, 0},
              reader = {lanes, &read, 1, 0};
    submit_all(&one);
    submit_as_another(&two);
    expect_next(lanes, &mine, &lane);
    submit_all(&reader);
    expect_next(lanes, &read, &none);
    release(lanes, none);
    release(lanes, lane);
    expect_next(lanes, &other, &lane);
    release(lanes, lane);
}

static void reads_and_writes_go_by_turns(void) {
    g_autoptr(Lanes) lanes = lanes_new(10, 3);
    DriverTask reads[3] = {{.mode = DB_READ}, {.mode = DB_READ}, {.mode = DB_READ}};
    DriverTask writes[2] = {{.mode = DB_WRITE}, {.mode = DB_WRITE}};
    DriverTask *const order[] = {&reads[0], &writes[0], &reads[1], &writes[1], &reads[2]};
    Submitter reader = {lanes, reads, 3, 0}, writer = {lanes, writes, 2, 0};
    submit_all(&writer);
    submit_all(&reader);
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
        Lane *lane;
        expect_next(lanes, order[i], &lane);
        release(lanes, lane);
    }
}

static void thread_that_finishes_is_no_reason_to_grow(void) {
    g_autoptr(Lanes) lanes = lanes_new(10, 1);
    DriverTask tasks[2] = {{.mode = DB_READ}, {.mode = DB_READ}};
    Lane *lane;
    Submitter one = {lanes, &tasks[0], 1, 0}, two = {lanes, &tasks[1], 1, 0};
    submit_all(&one);
    expect_next(lanes, &tasks[0], &lane);
    lanes_expect(lanes);
    submit_all(&two);
    g_assert_cmpuint(two.shorts, ==, 0);
    lanes_release(lanes, lane);
    g_assert_true(lanes_take(lanes, &lane) == &tasks[1]);
    release(lanes, lane);
}

static void full_lanes_refuse_but_waiting_threads_are_served(void) {
    g_autoptr(Lanes) lanes = lanes_new(1, 1);
    g_autoptr(GError) error = NULL;
    DriverTask tasks[3] = {{.mode = DB_READ}, {.mode = DB_READ}, {.mode = DB_READ, .waits = true}};
    bool is_short;
    Lane *lane;
    g_assert_true(lanes_push(lanes, &tasks[0], &is_short, NULL));
    g_assert_false(lanes_push(lanes, &tasks[1], &is_short, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_LIMIT);
    g_assert_true(lanes_push(lanes, &tasks[2], &is_short, NULL));
    expect_next(lanes, &tasks[0], &lane);
    release(lanes, lane);
    expect_next(lanes, &tasks[2], &lane);
    release(lanes, lane);
}

static void closed_lanes_are_drained_and_take_nothing(void) {
    g_autoptr(Lanes) lanes = lanes_new(10, 2);
    g_autoptr(GError) error = NULL;
    DriverTask tasks[2] = {{.mode = DB_WRITE}, {.mode = DB_WRITE}}, late = {.mode = DB_READ};
    Lane *lane;
    bool is_short;
    Submitter one = {lanes, tasks, 2, 0};
    submit_all(&one);
    lanes_close(lanes);
    g_assert_false(lanes_push(lanes, &late, &is_short, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CANCELLED);
    for (int i = 0; i < 2; i++) {
        expect_next(lanes, &tasks[i], &lane);
        release(lanes, lane);
    }
    lanes_expect(lanes);
    g_assert_null(lanes_take(lanes, &lane));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/db/lanes/" #name, name)
    ADD(writes_of_one_thread_go_one_after_another);
    ADD(threads_do_not_wait_for_each_other);
    ADD(one_place_is_left_to_reads);
    ADD(reads_and_writes_go_by_turns);
    ADD(thread_that_finishes_is_no_reason_to_grow);
    ADD(full_lanes_refuse_but_waiting_threads_are_served);
    ADD(closed_lanes_are_drained_and_take_nothing);
    return g_test_run();
}
