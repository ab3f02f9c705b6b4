#include "provider/arena.h"

typedef struct {
    void *object;
    GDestroyNotify destroy;
} Owned;

struct Arena {
    GArray *owned;
};

Arena *arena_new(void) {
    Arena *arena = g_new0(Arena, 1);
    arena->owned = g_array_new(FALSE, FALSE, sizeof(Owned));
    return arena;
}

void arena_free(Arena *arena) {
    if (arena == NULL)
        return;
    for (size_t i = arena->owned->len; i > 0; i--) {
        Owned *owned = &g_array_index(arena->owned, Owned, i - 1);
        owned->destroy(owned->object);
    }
    g_array_unref(arena->owned);
    g_free(arena);
}

void *arena_take(Arena *arena, void *object, GDestroyNotify destroy) {
    Owned owned = {object, destroy};
    g_array_append_val(arena->owned, owned);
    return object;
}

void *arena_alloc(Arena *arena, size_t count, size_t size) {
    return arena_take(arena, g_malloc0_n(count == 0 ? 1 : count, size), g_free);
}

const char *arena_text(Arena *arena, const char *text) {
    return text == NULL ? NULL : arena_take(arena, g_strdup(text), g_free);
}

const char *const *arena_texts(Arena *arena, const char *const *texts, size_t count) {
    const char **copy = arena_alloc(arena, count + 1, sizeof(*copy));
    for (size_t i = 0; i < count; i++)
        copy[i] = arena_text(arena, texts[i]);
    return copy;
}
