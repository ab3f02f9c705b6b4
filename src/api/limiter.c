#include "api/limiter.h"

#include "base/clock.h"

#include <pthread.h>
#include <string.h>

typedef struct {
    int64_t second; /* of the newest slot */
    unsigned sum;
    uint16_t slots[LIMITER_WINDOW_S]; /* by second modulo the window */
} Window;

struct Limiter {
    pthread_mutex_t lock;
    unsigned a_minute;
    GHashTable *windows; /* key -> Window */
    int64_t swept;       /* the second of the last sweep */
};

Limiter *limiter_new(unsigned a_minute) {
    Limiter *limiter = g_new0(Limiter, 1);
    pthread_mutex_init(&limiter->lock, NULL);
    limiter->a_minute = MIN(a_minute, G_MAXUINT16);
    limiter->windows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return limiter;
}

void limiter_set(Limiter *limiter, unsigned a_minute) {
    pthread_mutex_lock(&limiter->lock);
    limiter->a_minute = MIN(a_minute, G_MAXUINT16);
    pthread_mutex_unlock(&limiter->lock);
}

void limiter_free(Limiter *limiter) {
    if (!limiter)
        return;
    g_hash_table_unref(limiter->windows);
    pthread_mutex_destroy(&limiter->lock);
    g_free(limiter);
}

static uint16_t *slot(Window *window, int64_t second) {
    return &window->slots[second % LIMITER_WINDOW_S];
}

/* Drops what has left the window. */
static void slide(Window *window, int64_t second) {
    if (second - window->second >= LIMITER_WINDOW_S)
        memset(window->slots, 0, sizeof window->slots);
    for (int64_t s = window->second + 1; s <= second && s - window->second < LIMITER_WINDOW_S; s++)
        *slot(window, s) = 0;
    window->second = MAX(window->second, second);
    window->sum = 0;
    for (size_t i = 0; i < LIMITER_WINDOW_S; i++)
        window->sum += window->slots[i];
}

static gboolean is_past(void *key, void *value, void *data) {
    const Window *window = value;
    (void)key;
    return *(const int64_t *)data - window->second >= LIMITER_WINDOW_S;
}

static Window *find(Limiter *limiter, const char *key, int64_t second) {
    Window *window = g_hash_table_lookup(limiter->windows, key);
    if (window)
        return window;
    if (second != limiter->swept && (second % LIMITER_WINDOW_S == 0 ||
                                     g_hash_table_size(limiter->windows) >= LIMITER_KEYS_MAX)) {
        limiter->swept = second;
        g_hash_table_foreach_remove(limiter->windows, is_past, &second);
    }
    if (g_hash_table_size(limiter->windows) >= LIMITER_KEYS_MAX)
        return NULL;
    window = g_new0(Window, 1);
    window->second = second;
    g_hash_table_insert(limiter->windows, g_strdup(key), window);
    return window;
}

/* Until the oldest slot that counts leaves the window. */
static unsigned wait_of(Window *window) {
    for (int64_t s = window->second - LIMITER_WINDOW_S + 1; s <= window->second; s++)
        if (s >= 0 && *slot(window, s) > 0)
            return (unsigned)(s + LIMITER_WINDOW_S - window->second);
    return LIMITER_WINDOW_S;
}

bool limiter_take(Limiter *limiter, const char *key, unsigned *retry_after_s_out) {
    int64_t second = clock_mono_ms() / 1000;
    bool taken = false;
    pthread_mutex_lock(&limiter->lock);
    Window *window = find(limiter, key, second);
    if (window) {
        if (window->second != second)
            slide(window, second);
        taken = window->sum < limiter->a_minute;
    }
    if (taken) {
        window->sum++;
        (*slot(window, window->second))++;
    } else {
        *retry_after_s_out = window ? wait_of(window) : LIMITER_WINDOW_S;
    }
    pthread_mutex_unlock(&limiter->lock);
    return taken;
}
