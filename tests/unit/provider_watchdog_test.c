/* The watchdog: stops what runs too long, once, and nothing else. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "provider/watchdog.h"

typedef struct {
    _Atomic int stops;
} Work;

static void stop(void *data) {
    Work *work = data;
    atomic_fetch_add(&work->stops, 1);
}

/* Runs until it is stopped. */
static void run_away(Work *work) {
    while (atomic_load(&work->stops) == 0)
        sched_yield();
}

static void short_work_is_left_alone(void) {
    Work work = {0};
    g_autoptr(Watchdog) watch = watchdog_new(60000, stop, &work);
    g_assert_nonnull(watch);
    for (int i = 0; i < 100000; i++) {
        watchdog_begin(watch);
        g_assert_true(watchdog_end(watch));
    }
    g_assert_cmpint(work.stops, ==, 0);
}

static void work_past_its_limit_is_stopped_once(void) {
    Work work = {0};
    g_autoptr(Watchdog) watch = watchdog_new(1, stop, &work);
    watchdog_begin(watch);
    run_away(&work);
    g_assert_false(watchdog_end(watch));
    g_assert_cmpint(work.stops, ==, 1);
}

/* As one does that the machine has no time for. */
static void work_that_does_not_get_the_processor_is_left_alone(void) {
    Work work = {0};
    g_autoptr(Watchdog) watch = watchdog_new(100, stop, &work);
    watchdog_begin(watch);
    g_usleep(500000);
    g_assert_true(watchdog_end(watch));
    g_assert_cmpint(work.stops, ==, 0);
}

static void a_watch_works_again_after_a_stop(void) {
    Work work = {0};
    g_autoptr(Watchdog) watch = watchdog_new(1, stop, &work);
    for (int i = 0; i < 3; i++) {
        atomic_store(&work.stops, 0);
        watchdog_begin(watch);
        run_away(&work);
        g_assert_false(watchdog_end(watch));
        watchdog_begin(watch);
        bool left_alone = watchdog_end(watch);
        g_assert_true(left_alone);
    }
}

static void only_the_one_that_runs_away_is_stopped(void) {
    Work slow = {0}, idle = {0}, patient = {0};
    g_autoptr(Watchdog) slow_watch = watchdog_new(1, stop, &slow);
    g_autoptr(Watchdog) idle_watch = watchdog_new(1, stop, &idle);
    g_autoptr(Watchdog) patient_watch = watchdog_new(3600000, stop, &patient);
    watchdog_begin(patient_watch);
    watchdog_begin(slow_watch);
    run_away(&slow);
    g_assert_false(watchdog_end(slow_watch));
    g_assert_true(watchdog_end(patient_watch));
    g_assert_cmpint(idle.stops, ==, 0);
    g_assert_cmpint(patient.stops, ==, 0);
}

static void *work_in_a_thread(void *data) {
    Work *work = data;
    for (int i = 0; i < 2; i++) {
        g_autoptr(Watchdog) watch = watchdog_new(1, stop, work);
        atomic_store(&work->stops, 0);
        watchdog_begin(watch);
        run_away(work);
        if (watchdog_end(watch))
            return NULL;
    }
    return data;
}

static void threads_have_watches_of_their_own(void) {
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    Work works[THREADS] = {0};
    for (int i = 0; i < THREADS; i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, work_in_a_thread, &works[i]), ==, 0);
    for (int i = 0; i < THREADS; i++) {
        void *result = NULL;
        g_assert_cmpint(pthread_join(threads[i], &result), ==, 0);
        g_assert_true(result == &works[i]);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/watchdog/" #name, name)
    TEST(short_work_is_left_alone);
    TEST(work_past_its_limit_is_stopped_once);
    TEST(work_that_does_not_get_the_processor_is_left_alone);
    TEST(a_watch_works_again_after_a_stop);
    TEST(only_the_one_that_runs_away_is_stopped);
    TEST(threads_have_watches_of_their_own);
    return g_test_run();
}
