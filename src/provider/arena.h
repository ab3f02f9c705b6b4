/* arena.h - memory that dies together: everything a definition or a plan is made of. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct Arena Arena;

Arena *arena_new(void);
/* Releases all objects, the last one first, then all memory. */
void arena_free(Arena *arena);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Arena, arena_free)

/* Zeroed memory for count items; never NULL, also for none. Borrowed. */
void *arena_alloc(Arena *arena, size_t count, size_t size);

/* A copy of the text; NULL gives NULL. Borrowed. */
const char *arena_text(Arena *arena, const char *text);

/* Takes an object, which will be released by destroy, and returns it. */
void *arena_take(Arena *arena, void *object, GDestroyNotify destroy);

/* A NULL-terminated copy of the first count texts. Borrowed. */
const char *const *arena_texts(Arena *arena, const char *const *texts, size_t count);
