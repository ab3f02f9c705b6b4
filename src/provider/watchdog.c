#include "provider/watchdog.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#define ROUND_MS 20

/* The low bits of a watch's word say what it does, the others count its pieces of work. */
enum { IDLE, RUNNING, STOPPING, STOPPED, STATES = 4 };

struct Watchdog {
    _Atomic uint64_t word;
    _Atomic clockid_t processor; /* the clock of the thread that works */
    uint64_t seen;               /* what the thread saw last, in how many rounds, and since when */
    unsigned rounds;
    int64_t since;
    unsigned limit; /* rounds */
    unsigned limit_ms;
    WatchdogStopFunc stop;
    void *data;
    Watchdog *next;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Watchdog *watches; /* all of them, and whether the thread lives: under the mutex */
static bool alive;

/* How long the thread that works has had the processor. One that has ended has had it for ever: it
 * has ended its work, too. */
static int64_t processor_ms(const Watchdog *watch) {
    struct timespec used;
    if (clock_gettime(atomic_load(&watch->processor), &used) != 0)
        return INT64_MAX;
    return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

static void look_at(Watchdog *watch) {
    uint64_t word = atomic_load(&watch->word);
    if (word % STATES != RUNNING)
        return;
    if (word != watch->seen) {
        watch->seen = word;
        watch->rounds = 0;
        watch->since = processor_ms(watch);
        return;
    }
    if (++watch->rounds < watch->limit)
        return;
    if (processor_ms(watch) - watch->since < watch->limit_ms)
        return;
    if (!atomic_compare_exchange_strong(&watch->word, &word, word - RUNNING + STOPPING))
        return; /* it ended just now */
    watch->stop(watch->data);
    atomic_store(&watch->word, word - RUNNING + STOPPED);
}

static void *look(void *data) {
    const struct timespec pause = {.tv_nsec = ROUND_MS * 1000000L};
    for (;;) {
        nanosleep(&pause, NULL);
        pthread_mutex_lock(&mutex);
        for (Watchdog *watch = watches; watch != NULL; watch = watch->next)
            look_at(watch);
        alive = watches != NULL;
        bool go_on = alive;
        pthread_mutex_unlock(&mutex);
        if (!go_on)
            return data;
    }
}

/* Signals belong to the program's own threads. */
static bool start(void) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    bool started = pthread_create(&thread, &attributes, look, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return started;
}

Watchdog *watchdog_new(unsigned limit_ms, WatchdogStopFunc stop, void *data) {
    Watchdog *watch = g_new0(Watchdog, 1);
    watch->limit = limit_ms / ROUND_MS + 1;
    watch->limit_ms = limit_ms;
    watch->stop = stop;
    watch->data = data;
    pthread_mutex_lock(&mutex);
    alive = alive || start();
    bool watched = alive;
    if (watched) {
        watch->next = watches;
        watches = watch;
    }
    pthread_mutex_unlock(&mutex);
    if (watched)
        return watch;
    g_free(watch);
    return NULL;
}

void watchdog_free(Watchdog *watch) {
    if (watch == NULL)
        return;
    pthread_mutex_lock(&mutex);
    Watchdog **at = &watches;
    while (*at != watch)
        at = &(*at)->next;
    *at = watch->next;
    pthread_mutex_unlock(&mutex);
    g_free(watch);
}

void watchdog_begin(Watchdog *watch) {
    uint64_t word = atomic_load_explicit(&watch->word, memory_order_relaxed);
    clockid_t processor = CLOCK_MONOTONIC;
    (void)pthread_getcpuclockid(pthread_self(), &processor);
    atomic_store_explicit(&watch->processor, processor, memory_order_relaxed);
    atomic_store(&watch->word, word - word % STATES + STATES + RUNNING);
}

bool watchdog_end(Watchdog *watch) {
    uint64_t word = atomic_load_explicit(&watch->word, memory_order_relaxed);
    word += RUNNING - word % STATES;
    if (atomic_compare_exchange_strong(&watch->word, &word, word - RUNNING))
        return true;
    while (atomic_load(&watch->word) % STATES != STOPPED)
        sched_yield();
    return false;
}
