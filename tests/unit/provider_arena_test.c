/* Memory that dies together. */
#include "provider/arena.h"

#include <stdint.h>
#include <string.h>

static GString *order;

static void note(void *object) {
    g_string_append(order, object);
}

static void objects_are_released_last_first(void) {
    order = g_string_new(NULL);
    Arena *arena = arena_new();
    static char names[3][2] = {"a", "b", "c"};
    for (size_t i = 0; i < 3; i++)
        g_assert_true(arena_take(arena, names[i], note) == names[i]);
    arena_free(arena);
    g_assert_cmpstr(order->str, ==, "cba");
    g_string_free(order, TRUE);
    arena_free(NULL);
}

static void memory_is_zeroed_and_never_null(void) {
    g_autoptr(Arena) arena = arena_new();
    const char *bytes = arena_alloc(arena, 100, 3);
    for (size_t i = 0; i < 300; i++)
        g_assert_cmpint(bytes[i], ==, 0);
    g_assert_nonnull(arena_alloc(arena, 0, 8));
}

static void texts_are_copies(void) {
    g_autoptr(Arena) arena = arena_new();
    char text[] = "abc";
    const char *copy = arena_text(arena, text);
    text[0] = 'x';
    g_assert_cmpstr(copy, ==, "abc");
    g_assert_null(arena_text(arena, NULL));
    const char *const list[] = {"one", "two", "three"};
    const char *const *two = arena_texts(arena, list, 2);
    g_assert_cmpstr(two[1], ==, "two");
    g_assert_null(two[2]);
    g_assert_null(arena_texts(arena, list, 0)[0]);
}

/* Pieces of all sizes, in an order that fills blocks to their end. */
static void pieces_are_aligned_and_do_not_overlap(void) {
    g_autoptr(Arena) arena = arena_new();
    unsigned char *pieces[500];
    size_t sizes[500];
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        sizes[i] = i * i * 7 % 5000;
        pieces[i] = arena_alloc(arena, sizes[i], 1);
        g_assert_cmpuint((uintptr_t)pieces[i] % _Alignof(max_align_t), ==, 0);
        g_assert_nonnull(arena_text(arena, i % 3 == 0 ? "" : "odd"));
        for (size_t k = 0; k < sizes[i]; k++)
            g_assert_cmpint(pieces[i][k], ==, 0);
        memset(pieces[i], (int)(i % 255) + 1, sizes[i]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        for (size_t k = 0; k < sizes[i]; k++)
            g_assert_cmpint(pieces[i][k], ==, (int)(i % 255) + 1);
    }
}

static void read_text(void *object) {
    g_string_append(order, *(const char *const *)object);
}

static void memory_outlives_the_objects_that_point_into_it(void) {
    order = g_string_new(NULL);
    Arena *arena = arena_new();
    const char **holder = arena_alloc(arena, 1, sizeof(*holder));
    arena_take(arena, holder, read_text);
    *holder = arena_text(arena, "later");
    arena_free(arena);
    g_assert_cmpstr(order->str, ==, "later");
    g_string_free(order, TRUE);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/provider/arena/objects_are_released_last_first",
                    objects_are_released_last_first);
    g_test_add_func("/provider/arena/memory_is_zeroed_and_never_null",
                    memory_is_zeroed_and_never_null);
    g_test_add_func("/provider/arena/texts_are_copies", texts_are_copies);
    g_test_add_func("/provider/arena/pieces_are_aligned_and_do_not_overlap",
                    pieces_are_aligned_and_do_not_overlap);
    g_test_add_func("/provider/arena/memory_outlives_the_objects_that_point_into_it",
                    memory_outlives_the_objects_that_point_into_it);
    return g_test_run();
}
