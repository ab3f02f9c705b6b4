#include "sync/heartbeat.h"

#include "base/clock.h"
#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define STEP_MS 2000 /* a wall clock that runs this far off the monotonic one was set */

struct Heartbeat {
    HeartbeatConfig config;
    pthread_t thread;
    int stop;         /* an eventfd */
    atomic_int state; /* HeartbeatState */
    pthread_mutex_t lock;
    char *told;       /* under the lock */
    char *progress;   /* being written; of the thread */
    int64_t renew_at; /* monotonic; of the thread */
    bool called_off;  /* of the thread */
    int64_t drift;    /* wall minus monotonic at the last renewal; of the thread */
};

static bool renew_work(DbUnit *unit, void *data, GError **error) {
    const Heartbeat *heartbeat = data;
    const HeartbeatConfig *config = &heartbeat->config;
    return job_renew(unit, &config->lease, config->lease_ms, heartbeat->progress, error);
}

static void take_progress(Heartbeat *heartbeat) {
    pthread_mutex_lock(&heartbeat->lock);
    g_free(heartbeat->progress);
    heartbeat->progress = g_strdup(heartbeat->told);
    pthread_mutex_unlock(&heartbeat->lock);
}

void heartbeat_tell(Heartbeat *heartbeat, const Json *progress) {
    char *text = json_print(progress, JSON_COMPACT);
    pthread_mutex_lock(&heartbeat->lock);
    g_free(heartbeat->told);
    heartbeat->told = text;
    pthread_mutex_unlock(&heartbeat->lock);
}

/* mono and wall are of before the renewal: a clock that was set in the meantime is seen. */
static void note_renewal(Heartbeat *heartbeat, int64_t mono, int64_t wall) {
    heartbeat->renew_at = mono + HEARTBEAT_MS;
    heartbeat->drift = wall - mono;
}

static bool is_due(const Heartbeat *heartbeat) {
    int64_t mono = clock_mono_ms();
    return mono >= heartbeat->renew_at || llabs(clock_now_ms() - mono - heartbeat->drift) > STEP_MS;
}

static bool watch_work(DbUnit *unit, void *data, GError **error) {
    Heartbeat *heartbeat = data;
    heartbeat->called_off = false;
    return job_watch(unit, &heartbeat->config.lease, &heartbeat->called_off, error);
}

/* A database that is away says so by another error, and is asked again with the next tick. */
static void note_failure(Heartbeat *heartbeat, const GError *error) {
    if (error_code_of(error) == ERROR_CONFLICT)
        atomic_store(&heartbeat->state, HEARTBEAT_LOST);
}

static void renew(Heartbeat *heartbeat) {
    g_autoptr(GError) error = NULL;
    HeartbeatConfig *config = &heartbeat->config;
    int64_t mono = clock_mono_ms(), wall = clock_now_ms();
    take_progress(heartbeat);
    if (db_run(config->db, &config->scope, DB_WRITE, renew_work, heartbeat, &error))
        note_renewal(heartbeat, mono, wall);
    else
        note_failure(heartbeat, error);
}

static void watch(Heartbeat *heartbeat) {
    g_autoptr(GError) error = NULL;
    HeartbeatConfig *config = &heartbeat->config;
    if (!db_run(config->db, &config->scope, DB_READ, watch_work, heartbeat, &error))
        note_failure(heartbeat, error);
    else if (heartbeat->called_off)
        atomic_store(&heartbeat->state, HEARTBEAT_CALLED_OFF);
}

/* Whether to go on after a tick. */
static bool tick(const Heartbeat *heartbeat) {
    struct pollfd stop = {.fd = heartbeat->stop, .events = POLLIN};
    int ready = poll(&stop, 1, HEARTBEAT_TICK_MS);
    return ready == 0 || (ready < 0 && errno == EINTR);
}

static void *run(void *data) {
    Heartbeat *heartbeat = data;
    while (tick(heartbeat) && atomic_load(&heartbeat->state) == HEARTBEAT_HELD)
        if (is_due(heartbeat))
            renew(heartbeat);
        else
            watch(heartbeat);
    return NULL;
}

static void heartbeat_free(Heartbeat *heartbeat) {
    pthread_mutex_destroy(&heartbeat->lock);
    g_free(heartbeat->told);
    g_free(heartbeat->progress);
    g_free(heartbeat);
}

Heartbeat *heartbeat_start(const HeartbeatConfig *config, GError **error) {
    Heartbeat *heartbeat = g_new0(Heartbeat, 1);
    heartbeat->config = *config;
    pthread_mutex_init(&heartbeat->lock, NULL);
    note_renewal(heartbeat, clock_mono_ms(), clock_now_ms());
    heartbeat->stop = eventfd(0, EFD_CLOEXEC);
    if (heartbeat->stop >= 0 && pthread_create(&heartbeat->thread, NULL, run, heartbeat) == 0)
        return heartbeat;
    g_set_error(error, ASSAY_ERROR, ERROR_INTERNAL,
                "cannot start the thread that keeps a lease: %s", g_strerror(errno));
    if (heartbeat->stop >= 0)
        close(heartbeat->stop);
    heartbeat_free(heartbeat);
    return NULL;
}

HeartbeatState heartbeat_state(const Heartbeat *heartbeat) {
    return (HeartbeatState)atomic_load(&heartbeat->state);
}

void heartbeat_stop(Heartbeat *heartbeat) {
    if (!heartbeat)
        return;
    eventfd_write(heartbeat->stop, 1);
    pthread_join(heartbeat->thread, NULL);
    close(heartbeat->stop);
    heartbeat_free(heartbeat);
}
