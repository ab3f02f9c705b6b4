#include "db/wal_header.h"
#include <string.h>

#define WORDS (WAL_HEADER_SIZE / sizeof(uint32_t))
#define VERSION 3007000 /* the only one there is */
#define INITIALIZED 0x01

/* In the order of the copy and word by word, since another process may be writing. */
static void copy_words(const volatile uint32_t *from, uint32_t to[WORDS]) {
    for (size_t i = 0; i < WORDS; i++)
        to[i] = __atomic_load_n(&from[i], __ATOMIC_ACQUIRE);
}

bool wal_header_read(const volatile void *index, uint8_t header_out[WAL_HEADER_SIZE]) {
    const volatile uint32_t *words = index;
    uint32_t first[WORDS];
    uint32_t second[WORDS];
    copy_words(words, first);
    copy_words(words + WORDS, second);
    uint8_t initialized = ((const uint8_t *)first)[12];
    if (memcmp(first, second, sizeof first) != 0 || first[0] != VERSION ||
        initialized != INITIALIZED)
        return false;
    memcpy(header_out, first, sizeof first);
    return true;
}
