#include "net/wiping.h"

#include <glib.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_SIZE (16 * 1024 + 1) /* of libcurl's buffer for what it receives */
#define BUFFER_ROOM (BUFFER_SIZE + 64)
#define KEPT_MAX 32

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *kept[KEPT_MAX];
static size_t kept_count;

static void *take_kept(void) {
    pthread_mutex_lock(&lock);
    void *memory = kept_count > 0 ? kept[--kept_count] : NULL;
    pthread_mutex_unlock(&lock);
    return memory;
}

static bool keep(void *memory) {
    pthread_mutex_lock(&lock);
    bool room = kept_count < KEPT_MAX;
    if (room)
        kept[kept_count++] = memory;
    pthread_mutex_unlock(&lock);
    return room;
}

void *wiping_alloc(size_t size) {
    void *memory = size == BUFFER_SIZE ? take_kept() : NULL;
    return memory ? memory : malloc(size);
}

/* glibc's calloc() passes by the thread's cache of freed blocks, and libcurl asks for many small
 * ones with every transfer. */
void *wiping_zeroed(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    void *memory = malloc(MAX(bytes, (size_t)1));
    return memory ? memset(memory, 0, bytes) : NULL;
}

static void wipe_and_free(void *memory, size_t size) {
    memset(memory, 0, size);
    __asm__ __volatile__("" : : "r"(memory) : "memory"); /* it is read: not to be left out */
    free(memory);
}

void wiping_free(void *memory) {
    if (!memory)
        return;
    size_t size = malloc_usable_size(memory);
    if (size >= BUFFER_SIZE && size < BUFFER_ROOM && keep(memory))
        return;
    wipe_and_free(memory, size);
}

void *wiping_realloc(void *memory, size_t size) {
    size_t had = memory ? malloc_usable_size(memory) : 0;
    if (memory && size && size <= had)
        return memory;
    void *moved = malloc(MAX(size, (size_t)1));
    if (moved && memory) {
        memcpy(moved, memory, MIN(had, size));
        wipe_and_free(memory, had);
    }
    return moved;
}

void wiping_drain(void) {
    void *memory;
    while ((memory = take_kept()) != NULL)
        wipe_and_free(memory, malloc_usable_size(memory));
}
