#include "provider/arena.h"

#include <stdint.h>
#include <string.h>

/* Small pieces are cut from blocks; a large one has a block of its own. Sanitizers see each piece.
 */
#define BLOCK_SIZE ((size_t)16 * 1024)
#ifdef ASSAY_SANITIZED
#define PIECE_MAX ((size_t)0)
#else
#define PIECE_MAX (BLOCK_SIZE / 8)
#endif
#define ALIGNMENT _Alignof(max_align_t)

typedef struct {
    void *object;
    GDestroyNotify destroy;
} Owned;

struct Arena {
    GArray *owned;
    GPtrArray *blocks;
    char *at; /* free room of the last block that is cut */
    size_t left;
};

Arena *arena_new(void) {
    Arena *arena = g_new0(Arena, 1);
    arena->owned = g_array_new(FALSE, FALSE, sizeof(Owned));
    arena->blocks = g_ptr_array_new_with_free_func(g_free);
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
    g_ptr_array_unref(arena->blocks);
    g_free(arena);
}

static void *add_block(Arena *arena, size_t size) {
    void *block = g_malloc0(size);
    g_ptr_array_add(arena->blocks, block);
    return block;
}

static void *cut(Arena *arena, size_t size, size_t alignment) {
    if (size > PIECE_MAX)
        return add_block(arena, size);
    size_t skipped = (size_t)(-(uintptr_t)arena->at) & (alignment - 1);
    if (arena->left < skipped + size) {
        arena->at = add_block(arena, BLOCK_SIZE);
        arena->left = BLOCK_SIZE;
        skipped = 0;
    }
    char *piece = arena->at + skipped;
    arena->at = piece + size;
    arena->left -= skipped + size;
    return piece;
}

void *arena_take(Arena *arena, void *object, GDestroyNotify destroy) {
    Owned owned = {object, destroy};
    g_array_append_val(arena->owned, owned);
    return object;
}

void *arena_alloc(Arena *arena, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        g_error("out of memory: %zu items of %zu bytes", count, size);
    return cut(arena, MAX(bytes, (size_t)1), ALIGNMENT);
}

const char *arena_text(Arena *arena, const char *text) {
    if (text == NULL)
        return NULL;
    size_t size = strlen(text) + 1;
    return memcpy(cut(arena, size, 1), text, size);
}

const char *const *arena_texts(Arena *arena, const char *const *texts, size_t count) {
    const char **copy = arena_alloc(arena, count + 1, sizeof(*copy));
    for (size_t i = 0; i < count; i++)
        copy[i] = arena_text(arena, texts[i]);
    return copy;
}
