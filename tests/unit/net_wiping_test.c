/* The memory of libcurl: wiped when it is let go of, buffers when they are drained. */
#include "net/wiping.h"

#include <glib.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "unit/freed.h"

#define MARKER "Watched-Secret-77"
#define BUFFER (16 * 1024 + 1)

static char *marked(size_t size) {
    char *memory = wiping_alloc(size);
    g_assert_nonnull(memory);
    memcpy(memory + size - sizeof MARKER, MARKER, sizeof MARKER);
    return memory;
}

static void what_is_freed_is_wiped_first(void) {
    static const size_t sizes[] = {24, 100, 4096, BUFFER - 100, 100000};
    freed_watch(MARKER);
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
        wiping_free(marked(sizes[i]));
    wiping_free(NULL);
    g_assert_cmpuint(freed_count(), ==, 0);
    freed_watch(NULL);
}

static void what_moves_leaves_nothing_behind(void) {
    freed_watch(MARKER);
    char *memory = marked(100);
    memory = wiping_realloc(memory, 100000);
    g_assert_cmpstr(memory + 100 - sizeof MARKER, ==, MARKER);
    memory = wiping_realloc(memory, 50);
    wiping_free(memory);
    wiping_free(wiping_realloc(NULL, 0));
    g_assert_cmpuint(freed_count(), ==, 0);
    freed_watch(NULL);
}

static void a_buffer_is_used_again_and_wiped_when_drained(void) {
    wiping_drain();
    freed_watch(MARKER);
    char *first = marked(BUFFER);
    uintptr_t place = (uintptr_t)first;
    wiping_free(first);
    char *again = wiping_alloc(BUFFER);
    g_assert_true((uintptr_t)again == place);
    wiping_free(again);
    g_assert_cmpuint(freed_count(), ==, 0);
    wiping_drain();
    wiping_drain();
    g_assert_cmpuint(freed_count(), ==, 0);
    freed_watch(NULL);
}

static void only_a_few_buffers_are_kept(void) {
    enum { MANY = 200 };
    char *buffers[MANY];
    freed_watch(MARKER);
    for (int i = 0; i < MANY; i++)
        buffers[i] = marked(BUFFER);
    for (int i = 0; i < MANY; i++)
        wiping_free(buffers[i]);
    wiping_drain();
    g_assert_cmpuint(freed_count(), ==, 0);
    freed_watch(NULL);
}

static void zeroed_memory_is_zero_and_bounded(void) {
    char *memory = wiping_zeroed(10, 10);
    for (int i = 0; i < 100; i++)
        g_assert_cmpint(memory[i], ==, 0);
    wiping_free(memory);
    wiping_free(wiping_zeroed(0, 0));
    g_assert_null(wiping_zeroed(SIZE_MAX / 2, 3));
}

static void *churn(void *data) {
    (void)data;
    for (int i = 0; i < 2000; i++) {
        char *memory = wiping_alloc(BUFFER);
        memset(memory, i, BUFFER);
        for (int k = 0; k < BUFFER; k += 1024)
            g_assert_cmpint(memory[k], ==, (char)i);
        wiping_free(memory);
        if (i % 100 == 0)
            wiping_drain();
    }
    return NULL;
}

static void threads_share_the_buffers(void) {
    pthread_t threads[4];
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, churn, NULL), ==, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_assert_cmpint(pthread_join(threads[i], NULL), ==, 0);
    wiping_drain();
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/net/wiping/" #name, name)
    TEST(what_is_freed_is_wiped_first);
    TEST(what_moves_leaves_nothing_behind);
    TEST(a_buffer_is_used_again_and_wiped_when_drained);
    TEST(only_a_few_buffers_are_kept);
    TEST(zeroed_memory_is_zero_and_bounded);
    TEST(threads_share_the_buffers);
    return g_test_run();
}
