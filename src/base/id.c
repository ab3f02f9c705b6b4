#include "base/id.h"

#include "base/clock.h"
#include "base/secmem.h"

#include <glib.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#define COUNTER_MAX 0xfff

/* A counter in the 12 bits of rand_a keeps the order within one millisecond (RFC 9562 section 6.2,
 * method 1). It starts in its lower half; when it is used up, or the clock steps back, the
 * timestamp runs ahead of the clock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t last_ms = -1;
static unsigned counter;

static void next_stamp(uint16_t seed, int64_t *ms_out, unsigned *counter_out) {
    int64_t now = clock_now_ms();
    pthread_mutex_lock(&lock);
    if (now > last_ms) {
        last_ms = now;
        counter = seed & (COUNTER_MAX >> 1);
    } else if (counter < COUNTER_MAX) {
        counter++;
    } else {
        last_ms++;
        counter = seed & (COUNTER_MAX >> 1);
    }
    *ms_out = last_ms;
    *counter_out = counter;
    pthread_mutex_unlock(&lock);
}

/* Random bytes are asked for many at a time; ids are no secrets. */
static void take_random(uint8_t *bytes, size_t size) {
    static _Thread_local uint8_t pool[1024];
    static _Thread_local size_t left;
    if (left < size) {
        secmem_random(pool, sizeof pool);
        left = sizeof pool;
    }
    left -= size;
    memcpy(bytes, pool + left, size);
}

void id_write(char out[ID_SIZE]) {
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[18]; /* two more, for the counter's seed */
    int64_t ms;
    unsigned count;
    take_random(bytes, sizeof bytes);
    next_stamp((uint16_t)(bytes[16] << 8 | bytes[17]), &ms, &count);
    for (int i = 0; i < 6; i++)
        bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    bytes[6] = (uint8_t)(0x70 | count >> 8);
    bytes[7] = (uint8_t)count;
    bytes[8] = (uint8_t)(0x80 | (bytes[8] & 0x3f));
    char *at = out;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
    *at = '\0';
}

char *id_new(void) {
    char *id = g_malloc(ID_SIZE);
    id_write(id);
    return id;
}

bool id_is_valid(const char *text) {
    if (text == NULL)
        return false;
    for (int i = 0; i < ID_SIZE - 1; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool digit = g_ascii_isdigit(text[i]) || (text[i] >= 'a' && text[i] <= 'f');
        if (dash ? text[i] != '-' : !digit)
            return false;
    }
    return text[ID_SIZE - 1] == '\0';
}
