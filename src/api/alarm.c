#include "api/alarm.h"

#include "base/clock.h"

#include <pthread.h>
#include <time.h>

typedef struct {
    uint64_t number;
    int64_t due_ms;
    int64_t every_ms;
    AlarmRing ring;
    void *data;
} Alarm;

struct Alarms {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_cond_t rung;
    GSequence *list; /* Alarm by due time */
    GHashTable *by_number;
    uint64_t last;
    uint64_t ringing; /* the one that is being called; 0: none */
    bool stopping;
};

static int compare(const void *a, const void *b, void *data) {
    const Alarm *one = a;
    const Alarm *other = b;
    (void)data;
    if (one->due_ms != other->due_ms)
        return one->due_ms < other->due_ms ? -1 : 1;
    return one->number < other->number ? -1 : one->number > other->number;
}

/* Under the lock. */
static void insert(Alarms *alarms, Alarm *alarm) {
    GSequenceIter *place = g_sequence_insert_sorted(alarms->list, alarm, compare, NULL);
    g_hash_table_insert(alarms->by_number, &alarm->number, place);
    pthread_cond_signal(&alarms->changed);
}

/* Under the lock; the caller owns it. */
static Alarm *take(Alarms *alarms, GSequenceIter *place) {
    Alarm *alarm = g_memdup2(g_sequence_get(place), sizeof(Alarm));
    g_hash_table_remove(alarms->by_number, &alarm->number);
    g_sequence_remove(place); /* and frees what it held */
    return alarm;
}

/* Under the lock; sleeps until the first is due. */
static Alarm *await_due(Alarms *alarms) {
    while (!alarms->stopping) {
        GSequenceIter *first = g_sequence_get_begin_iter(alarms->list);
        if (g_sequence_iter_is_end(first)) {
            pthread_cond_wait(&alarms->changed, &alarms->lock);
            continue;
        }
        const Alarm *alarm = g_sequence_get(first);
        if (alarm->due_ms <= clock_mono_ms())
            return take(alarms, first);
        struct timespec until = {.tv_sec = (time_t)(alarm->due_ms / 1000),
                                 .tv_nsec = (long)(alarm->due_ms % 1000) * 1000000};
        (void)pthread_cond_timedwait(&alarms->changed, &alarms->lock, &until);
    }
    return NULL;
}

static void *run(void *data) {
    Alarms *alarms = data;
    pthread_mutex_lock(&alarms->lock);
    for (Alarm *alarm = await_due(alarms); alarm; alarm = await_due(alarms)) {
        alarms->ringing = alarm->number;
        pthread_mutex_unlock(&alarms->lock);
        alarm->ring(alarm->data);
        pthread_mutex_lock(&alarms->lock);
        bool again = alarm->every_ms > 0 && alarms->ringing != 0;
        alarms->ringing = 0;
        pthread_cond_broadcast(&alarms->rung);
        if (again) {
            alarm->due_ms = clock_mono_ms() + alarm->every_ms;
            insert(alarms, alarm);
        } else {
            g_free(alarm);
        }
    }
    pthread_mutex_unlock(&alarms->lock);
    return NULL;
}

Alarms *alarms_new(void) {
    Alarms *alarms = g_new0(Alarms, 1);
    pthread_condattr_t monotonic;
    pthread_mutex_init(&alarms->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&alarms->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_cond_init(&alarms->rung, NULL);
    alarms->list = g_sequence_new(g_free);
    alarms->by_number = g_hash_table_new(g_int64_hash, g_int64_equal);
    if (pthread_create(&alarms->thread, NULL, run, alarms) != 0)
        g_error("no thread can be started");
    return alarms;
}

void alarms_free(Alarms *alarms) {
    if (!alarms)
        return;
    pthread_mutex_lock(&alarms->lock);
    alarms->stopping = true;
    pthread_cond_signal(&alarms->changed);
    pthread_mutex_unlock(&alarms->lock);
    pthread_join(alarms->thread, NULL);
    g_hash_table_unref(alarms->by_number);
    g_sequence_free(alarms->list);
    pthread_mutex_destroy(&alarms->lock);
    pthread_cond_destroy(&alarms->changed);
    pthread_cond_destroy(&alarms->rung);
    g_free(alarms);
}

uint64_t alarm_set(Alarms *alarms, int64_t after_ms, int64_t every_ms, AlarmRing ring, void *data) {
    Alarm *alarm = g_new0(Alarm, 1);
    *alarm = (Alarm){
        .due_ms = clock_mono_ms() + after_ms, .every_ms = every_ms, .ring = ring, .data = data};
    pthread_mutex_lock(&alarms->lock);
    uint64_t number = alarm->number = ++alarms->last;
    insert(alarms, alarm);
    pthread_mutex_unlock(&alarms->lock);
    return number;
}

bool alarm_cancel(Alarms *alarms, uint64_t number) {
    pthread_mutex_lock(&alarms->lock);
    GSequenceIter *place = g_hash_table_lookup(alarms->by_number, &number);
    bool waiting = place != NULL;
    if (waiting)
        g_free(take(alarms, place));
    bool now = !waiting && number != 0 && alarms->ringing == number;
    /* It is not set again. */
    while (now && alarms->ringing == number) {
        alarms->ringing = 0;
        pthread_cond_wait(&alarms->rung, &alarms->lock);
    }
    pthread_mutex_unlock(&alarms->lock);
    return waiting;
}
