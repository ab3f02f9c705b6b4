/* freed.h - tells whether a planted text stands in heap memory at the moment it is freed.
 *
 * For tests that secrets are wiped before memory is given back. Included by one test program, which
 * calls freed_watch(marker), does its work, and asks freed_count().
 */
#pragma once

#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

static const char *_Atomic freed_marker;
static atomic_size_t freed_found;

static void freed_look(const void *block, size_t size) {
    const char *marker = atomic_load(&freed_marker);
    if (marker != NULL && block != NULL && memmem(block, size, marker, strlen(marker)) != NULL)
        atomic_fetch_add(&freed_found, 1);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void *, size_t),
                                              void (*free_hook)(const volatile void *));
size_t __sanitizer_get_allocated_size(const volatile void *block);

static void freed_on_malloc(const volatile void *block, size_t size) {
    (void)block;
    (void)size;
}

static void freed_on_free(const volatile void *block) {
    if (atomic_load(&freed_marker) != NULL && block != NULL)
        freed_look((const void *)(size_t)block, __sanitizer_get_allocated_size(block));
}

__attribute__((constructor)) static void freed_install(void) {
    __sanitizer_install_malloc_and_free_hooks(freed_on_malloc, freed_on_free);
}

#else

void __libc_free(void *block);
void free(void *block);

/* Everything that is freed is emptied, so that what a test itself let go of earlier does not turn
 * up in a block that was made of it. */
void free(void *block) {
    size_t size = block != NULL ? malloc_usable_size(block) : 0;
    if (atomic_load(&freed_marker) != NULL && block != NULL)
        freed_look(block, size);
    if (size > 0)
        memset(block, 0, size);
    __libc_free(block);
}

#endif

/* Begins to watch for a marker of static storage; NULL ends it. */
static void freed_watch(const char *marker) {
    atomic_store(&freed_found, 0);
    atomic_store(&freed_marker, marker);
}

/* How many blocks were freed with the marker in them. */
static size_t freed_count(void) {
    return atomic_load(&freed_found);
}
