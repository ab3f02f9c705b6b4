/* Whose errand is next. */
#include "api/errand_queue.h"

#define ITEM(number) GINT_TO_POINTER(number)

static ErrandQueue *queue_of(unsigned waiting, unsigned waiting_of_one, unsigned running_of_one) {
    return errand_queue_new(&(ErrandQueueLimits){
        .waiting = waiting, .waiting_of_one = waiting_of_one, .running_of_one = running_of_one});
}

static void push(ErrandQueue *queue, const char *organization, int item) {
    g_assert_cmpint(errand_queue_push(queue, organization, ITEM(item)), ==, ERRAND_QUEUED);
}

static int take(ErrandQueue *queue) {
    return GPOINTER_TO_INT(errand_queue_take(queue));
}

static void within_an_organization_the_first_is_first(void) {
    g_autoptr(ErrandQueue) queue = queue_of(10, 10, 3);
    push(queue, "a", 1);
    push(queue, "a", 2);
    push(queue, "a", 3);
    g_assert_cmpint(take(queue), ==, 1);
    g_assert_cmpint(take(queue), ==, 2);
    g_assert_cmpint(take(queue), ==, 3);
    g_assert_cmpint(take(queue), ==, 0);
}

static void organizations_take_turns(void) {
    g_autoptr(ErrandQueue) queue = queue_of(10, 10, 3);
    for (int i = 1; i <= 3; i++)
        push(queue, "a", i);
    push(queue, "b", 11);
    push(queue, "b", 12);
    push(queue, "c", 21);
    static const int order[] = {1, 11, 21, 2, 12, 3, 0};
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
        g_assert_cmpint(take(queue), ==, order[i]);
}

static void what_hangs_in_one_leaves_room_for_others(void) {
    g_autoptr(ErrandQueue) queue = queue_of(10, 10, 2);
    for (int i = 1; i <= 5; i++)
        push(queue, "a", i);
    g_assert_cmpint(take(queue), ==, 1);
    g_assert_cmpint(take(queue), ==, 2);
    g_assert_cmpint(take(queue), ==, 0);
    push(queue, "b", 11);
    g_assert_cmpint(take(queue), ==, 11);
    g_assert_cmpint(take(queue), ==, 0);
    errand_queue_done(queue, "a");
    g_assert_cmpint(take(queue), ==, 3);
    g_assert_cmpint(take(queue), ==, 0);
}

static void one_that_has_too_many_is_refused_and_others_are_not(void) {
    g_autoptr(ErrandQueue) queue = queue_of(10, 2, 1);
    push(queue, "a", 1);
    push(queue, "a", 2);
    g_assert_cmpint(errand_queue_push(queue, "a", ITEM(3)), ==, ERRAND_QUEUE_OWN_FULL);
    push(queue, "b", 11);
    g_assert_cmpint(take(queue), ==, 1);
    push(queue, "a", 4);
    g_assert_cmpint(errand_queue_push(queue, "a", ITEM(5)), ==, ERRAND_QUEUE_OWN_FULL);
}

static void there_is_an_end_for_all_together(void) {
    g_autoptr(ErrandQueue) queue = queue_of(3, 2, 1);
    push(queue, "a", 1);
    push(queue, "a", 2);
    push(queue, "b", 11);
    g_assert_cmpint(errand_queue_push(queue, "c", ITEM(21)), ==, ERRAND_QUEUE_FULL);
    g_assert_cmpint(errand_queue_push(queue, "a", ITEM(3)), ==, ERRAND_QUEUE_OWN_FULL);
    g_assert_cmpint(take(queue), ==, 1);
    push(queue, "c", 21);
    g_assert_cmpint(take(queue), ==, 11);
    g_assert_cmpint(take(queue), ==, 21);
}

static void whoever_was_idle_comes_again(void) {
    g_autoptr(ErrandQueue) queue = queue_of(4, 4, 1);
    for (int i = 1; i < 100; i++) {
        push(queue, "a", i);
        g_assert_cmpint(take(queue), ==, i);
        errand_queue_done(queue, "a");
    }
    g_assert_cmpint(take(queue), ==, 0);
}

static void at_the_end_each_that_waits_is_dropped_once(void) {
    g_autoptr(ErrandQueue) queue = queue_of(10, 10, 1);
    int sum = 0;
    push(queue, "a", 1);
    push(queue, "a", 2);
    push(queue, "b", 4);
    push(queue, "b", 8);
    g_assert_cmpint(take(queue), ==, 1);
    for (void *item; (item = errand_queue_drop(queue));)
        sum += GPOINTER_TO_INT(item);
    g_assert_cmpint(sum, ==, 2 + 4 + 8);
    errand_queue_done(queue, "a");
    g_assert_cmpint(take(queue), ==, 0);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/api/errand_queue/" #name, name)
    TEST(within_an_organization_the_first_is_first);
    TEST(organizations_take_turns);
    TEST(what_hangs_in_one_leaves_room_for_others);
    TEST(one_that_has_too_many_is_refused_and_others_are_not);
    TEST(there_is_an_end_for_all_together);
    TEST(whoever_was_idle_comes_again);
    TEST(at_the_end_each_that_waits_is_dropped_once);
    return g_test_run();
}
