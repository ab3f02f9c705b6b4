/* Memory that dies together. */
#include "provider/arena.h"

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

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/provider/arena/objects_are_released_last_first",
                    objects_are_released_last_first);
    g_test_add_func("/provider/arena/memory_is_zeroed_and_never_null",
                    memory_is_zeroed_and_never_null);
    g_test_add_func("/provider/arena/texts_are_copies", texts_are_copies);
    return g_test_run();
}
