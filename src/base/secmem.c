#include "base/secmem.h"

#include "base/error.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* All secrets share one arena between two guard pages. It is handed out in runs of small units; a
 * byte beside it says whether a unit is in use. The arena is small and short-lived secrets
 * dominate, so first fit from the lowest free unit is enough. The record of a Secret is ordinary
 * memory: it holds nothing worth guarding. */
#define UNIT 64
#define UNITS 16384
#define ARENA_SIZE ((size_t)UNIT * UNITS)

struct Secret {
    atomic_uint references;
    size_t size;
    unsigned char *bytes; /* size bytes and a NUL, in the arena */
};

static pthread_once_t arena_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t arena_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned char *arena;           /* NULL when the system gave none */
static unsigned char unit_used[UNITS]; /* guarded by arena_lock */
static size_t lowest_free;             /* no unit below it is free; guarded by arena_lock */

/* Pages are locked when they are first used, so that a process that has few secrets stays small. As
 * with sodium_malloc(), a system that lets nothing be locked is used all the same. */
static void create_arena(void) {
    long page = sysconf(_SC_PAGESIZE);
    if (sodium_init() < 0 || page <= 0)
        return;
    size_t guard = (size_t)page;
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    /* cppcheck-suppress invalidFunctionArg */
    unsigned char *place = mmap(NULL, ARENA_SIZE + 2 * guard, PROT_NONE, flags, -1, 0);
    if (place == MAP_FAILED)
        return;
    if (mprotect(place + guard, ARENA_SIZE, PROT_READ | PROT_WRITE) != 0) {
        munmap(place, ARENA_SIZE + 2 * guard);
        return;
    }
    (void)madvise(place + guard, ARENA_SIZE, MADV_DONTDUMP);
    (void)mlock2(place + guard, ARENA_SIZE, MLOCK_ONFAULT);
    arena = place + guard;
}

static bool arena_ready(void) {
    pthread_once(&arena_once, create_arena);
    return arena != NULL;
}

static size_t units_of(size_t size) {
    return (size + UNIT) / UNIT; /* rounded up, with the NUL */
}

/* The first of `count` free units in a row, or UNITS. */
static size_t find_run(size_t count) {
    size_t length = 0;
    for (size_t i = lowest_free; i < UNITS; i++) {
        length = unit_used[i] ? 0 : length + 1;
        if (length == count)
            return i + 1 - count;
    }
    return UNITS;
}

static unsigned char *arena_take(size_t size) {
    size_t count = units_of(size);
    pthread_mutex_lock(&arena_lock);
    size_t first = find_run(count);
    if (first < UNITS) {
        memset(&unit_used[first], 1, count);
        while (lowest_free < UNITS && unit_used[lowest_free])
            lowest_free++;
    }
    pthread_mutex_unlock(&arena_lock);
    return first < UNITS ? arena + first * UNIT : NULL;
}

static void arena_give(unsigned char *bytes, size_t size) {
    size_t count = units_of(size);
    size_t first = (size_t)(bytes - arena) / UNIT;
    secmem_wipe(bytes, count * UNIT);
    pthread_mutex_lock(&arena_lock);
    memset(&unit_used[first], 0, count);
    lowest_free = MIN(lowest_free, first);
    pthread_mutex_unlock(&arena_lock);
}

bool secmem_start(GError **error) {
    const struct rlimit no_core = {0, 0};
    bool hidden = setrlimit(RLIMIT_CORE, &no_core) == 0;
#ifndef ASSAY_SANITIZED /* LeakSanitizer attaches to its own process, which this forbids */
    hidden = hidden && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
#endif
    if (hidden && arena_ready())
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_INTERNAL,
                "The system gives no protected memory for secrets; allow at least %zu KiB of "
                "locked memory (ulimit -l).",
                ARENA_SIZE / 1024);
    return false;
}

Secret *secret_blank(size_t size, GError **error) {
    if (size > SECRET_MAX) {
        g_set_error(error, ASSAY_ERROR, ERROR_LIMIT,
                    "A secret of %zu bytes is larger than the %d allowed.", size, SECRET_MAX);
        return NULL;
    }
    unsigned char *bytes = arena_ready() ? arena_take(size) : NULL;
    if (bytes == NULL) {
        g_set_error(error, ASSAY_ERROR, ERROR_LIMIT,
                    "The protected memory for secrets is full; lower the number of workers.");
        return NULL;
    }
    Secret *secret = g_new0(Secret, 1);
    atomic_init(&secret->references, 1);
    secret->size = size;
    secret->bytes = bytes;
    memset(bytes, 0, size + 1);
    return secret;
}

unsigned char *secret_room(Secret *secret) {
    return secret->bytes;
}

Secret *secret_new(const void *bytes, size_t size, GError **error) {
    Secret *secret = secret_blank(size, error);
    if (secret != NULL && size > 0)
        memcpy(secret->bytes, bytes, size);
    return secret;
}

Secret *secret_take(void *bytes, size_t size, GError **error) {
    Secret *secret = secret_new(bytes, size, error);
    secmem_wipe(bytes, size);
    return secret;
}

Secret *secret_random(size_t size, GError **error) {
    Secret *secret = secret_blank(size, error);
    if (secret != NULL)
        secmem_random(secret->bytes, size);
    return secret;
}

Secret *secret_from_environment(const char *name, GError **error) {
    char *value = getenv(name);
    if (value == NULL)
        return NULL;
    /* unsetenv alone leaves the text where the kernel put it, readable in /proc/self/environ. */
    Secret *secret = secret_take(value, strlen(value), error);
    unsetenv(name);
    return secret;
}

Secret *secret_ref(Secret *secret) {
    atomic_fetch_add(&secret->references, 1);
    return secret;
}

void secret_free(Secret *secret) {
    if (secret == NULL || atomic_fetch_sub(&secret->references, 1) > 1)
        return;
    arena_give(secret->bytes, secret->size);
    g_free(secret);
}

const unsigned char *secret_bytes(const Secret *secret) {
    return secret->bytes;
}

const char *secret_text(const Secret *secret) {
    return (const char *)secret->bytes;
}

size_t secret_size(const Secret *secret) {
    return secret->size;
}

bool secmem_equal(const void *a, size_t a_size, const void *b, size_t b_size) {
    return a_size == b_size && sodium_memcmp(a, b, a_size) == 0;
}

void secmem_wipe(void *bytes, size_t size) {
    if (size > 0)
        sodium_memzero(bytes, size);
}

void secmem_random(void *out, size_t size) {
    randombytes_buf(out, size);
}

void secmem_free_text(char *text) {
    if (text != NULL)
        secmem_wipe(text, strlen(text));
    g_free(text);
}
