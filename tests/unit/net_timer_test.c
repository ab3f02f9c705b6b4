#include "net/timer.h"

#include <string.h>

typedef struct {
    GString *fired;
    char mark;
    TimerHeap *heap; /* if set, fires another one at once */
} Mark;

static void fire(void *data) {
    Mark *mark = data;
    g_string_append_c(mark->fired, mark->mark);
    if (mark->heap) {
        timer_heap_add(mark->heap, 0, fire, mark);
    }
}

static void timers_fire_in_order_of_time_then_of_adding(void) {
    g_autoptr(TimerHeap) heap = timer_heap_new();
    g_autoptr(GString) fired = g_string_new(NULL);
    static const int64_t due[] = {30, 10, 20, 10, 10, 5};
    Mark marks[G_N_ELEMENTS(due)];
    for (unsigned i = 0; i < G_N_ELEMENTS(due); i++) {
        marks[i] = (Mark){.fired = fired, .mark = (char)('a' + i)};
        g_assert_cmpuint(timer_heap_add(heap, due[i], fire, &marks[i]), !=, 0);
    }
    int64_t next;
    g_assert_true(timer_heap_next(heap, &next));
    g_assert_cmpint(next, ==, 5);
    g_assert_cmpuint(timer_heap_fire(heap, 4), ==, 0);
    g_assert_cmpuint(timer_heap_fire(heap, 10), ==, 4);
    g_assert_cmpstr(fired->str, ==, "fbde");
    g_assert_cmpuint(timer_heap_fire(heap, 100), ==, 2);
    g_assert_cmpstr(fired->str, ==, "fbdeca");
    g_assert_false(timer_heap_next(heap, &next));
    g_assert_cmpuint(timer_heap_count(heap), ==, 0);
}

static void cancelled_timers_do_not_fire(void) {
    g_autoptr(TimerHeap) heap = timer_heap_new();
    g_autoptr(GString) fired = g_string_new(NULL);
    Mark kept = {.fired = fired, .mark = 'k'};
    Mark dropped = {.fired = fired, .mark = 'd'};
    uint64_t ids[100];
    for (unsigned i = 0; i < 100; i++) {
        ids[i] = timer_heap_add(heap, (int64_t)(i * 37 % 100), fire, i % 2 ? &kept : &dropped);
    }
    for (unsigned i = 0; i < 100; i += 2) {
        g_assert_true(timer_heap_cancel(heap, ids[i]));
        g_assert_false(timer_heap_cancel(heap, ids[i]));
    }
    g_assert_false(timer_heap_cancel(heap, 0));
    g_assert_cmpuint(timer_heap_fire(heap, 1000), ==, 50);
    g_assert_null(strchr(fired->str, 'd'));
    g_assert_false(timer_heap_cancel(heap, ids[1]));
}

static void random_heaps_fire_sorted(void) {
    for (unsigned round = 0; round < 50; round++) {
        g_autoptr(TimerHeap) heap = timer_heap_new();
        g_autoptr(GString) fired = g_string_new(NULL);
        Mark mark = {.fired = fired, .mark = '.'};
        g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
        for (unsigned i = 0; i < 200; i++) {
            uint64_t id = timer_heap_add(heap, g_test_rand_int_range(0, 1000), fire, &mark);
            g_array_append_val(ids, id);
            if (g_test_rand_int_range(0, 3) == 0) {
                guint victim = (guint)g_test_rand_int_range(0, (gint)ids->len);
                (void)timer_heap_cancel(heap, g_array_index(ids, uint64_t, victim));
            }
        }
        unsigned left = timer_heap_count(heap);
        int64_t last = -1;
        int64_t next;
        while (timer_heap_next(heap, &next)) {
            g_assert_cmpint(next, >, last);
            last = next;
            left -= timer_heap_fire(heap, next);
            g_assert_cmpuint(timer_heap_count(heap), ==, left);
        }
        g_assert_cmpuint(left, ==, 0);
    }
}

static void timer_added_while_firing_waits_for_the_next_turn(void) {
    g_autoptr(TimerHeap) heap = timer_heap_new();
    g_autoptr(GString) fired = g_string_new(NULL);
    Mark mark = {.fired = fired, .mark = 'x', .heap = heap};
    timer_heap_add(heap, 0, fire, &mark);
    g_assert_cmpuint(timer_heap_fire(heap, 10), ==, 1);
    g_assert_cmpuint(timer_heap_fire(heap, 10), ==, 1);
    g_assert_cmpstr(fired->str, ==, "xx");
    timer_heap_free(NULL);
}

#define ADD(name) g_test_add_func("/net/timer/" #name, name)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD(timers_fire_in_order_of_time_then_of_adding);
    ADD(cancelled_timers_do_not_fire);
    ADD(random_heaps_fire_sorted);
    ADD(timer_added_while_firing_waits_for_the_next_turn);
    return g_test_run();
}
