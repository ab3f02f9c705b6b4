#include "sync/lookout.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "provider/registry.h"
#include "store/audit_tree.h"
#include "store/backlog.h"
#include "store/job.h"
#include "sync/heartbeat.h"
#include "sync/owner.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SWEEP_MS 5000 /* between looks for dead owners that nobody told of */
#define STEP_MS 5000  /* a wall clock that moves this far against the monotonic one was set */
#define RENEWAL_MS (2 * HEARTBEAT_TICK_MS)
#define PAUSE_MOST_MS 5000
#define SEAL_ROUNDS 4 /* units of a look, so that it stays short */

enum { ASKED_LOOK = 1, ASKED_BURY = 2, ASKED_RELOAD = 4, ASKED_STOP = 8 };

struct Lookout {
    LookoutConfig config;
    pthread_t thread;
    bool running;
    DbListener *listener;
    int wake; /* an eventfd */
    atomic_uint asked;
    pthread_mutex_t lock; /* of config.tuning */
    /* of the thread */
    Registry *registry;
    int64_t sweep_at;   /* monotonic */
    int64_t upkeep_at;  /* monotonic */
    int64_t tick_at;    /* wall */
    int64_t drift;      /* wall minus monotonic */
    int64_t hold_until; /* monotonic: no claims before */
    int64_t pause_ms;   /* after a failure; 0: none */
};

static const DbScope system_scope = {.actor = "scheduler", .system = true};

/* --- what is done on the way ------------------------------------------------------------------ */

static bool rewind_work(DbUnit *unit, void *data, GError **error) {
    return backlog_rewind(unit, *(const int64_t *)data, error);
}

/* Leases and due times are told in wall time. Set forward, all leases look as if they were over:
 * their owners get a moment to renew them. Set back, what was due would wait for as long as the
 * clock was set back. */
static bool heed_clock(Lookout *lookout, GError **error) {
    int64_t now = clock_now_ms();
    int64_t drift = now - clock_mono_ms();
    int64_t step = drift - lookout->drift;
    if (llabs(step) < STEP_MS)
        return true;
    int64_t before = now - step;
    log_line(LOG_WARN, step > 0 ? "clock_set_forward" : "clock_set_back",
             LOG_INT("ms", llabs(step)));
    if (step < 0 &&
        !db_run(lookout->config.db, &system_scope, DB_WRITE, rewind_work, &before, error))
        return false;
    lookout->hold_until = clock_mono_ms() + (step > 0 ? RENEWAL_MS : 0);
    lookout->drift = drift;
    lookout->tick_at = 0;
    return true;
}

static bool sweep(Lookout *lookout, bool asked, GError **error) {
    int64_t mono = clock_mono_ms();
    if (!asked && mono < lookout->sweep_at)
        return true;
    if (!owner_release_dead(lookout->config.data_dir, lookout->config.db, error))
        return false;
    lookout->sweep_at = mono + SWEEP_MS;
    return true;
}

static bool open_registry(Lookout *lookout, GError **error) {
    if (!lookout->registry)
        lookout->registry = registry_new(lookout->config.providers_dir, error);
    return lookout->registry != NULL;
}

static LookoutTuning tuning_of(Lookout *lookout) {
    pthread_mutex_lock(&lookout->lock);
    LookoutTuning tuning = lookout->config.tuning;
    pthread_mutex_unlock(&lookout->lock);
    return tuning;
}

static bool schedule(Lookout *lookout, GError **error) {
    const LookoutTuning tuning = tuning_of(lookout);
    if (clock_now_ms() < lookout->tick_at)
        return true;
    ScheduleTick tick = {0};
    if (!open_registry(lookout, error) ||
        !schedule_tick(lookout->config.db, lookout->registry, &tuning.schedule, &tick, error))
        return false;
    lookout->tick_at = MIN(tick.look_at, clock_now_ms() + SCHEDULE_LOOK_MS);
    if (tick.queued == 0)
        return true;
    log_line(LOG_INFO, "schedule_queued", LOG_INT("jobs", tick.queued));
    lookout_look(lookout);
    return true;
}

/* The API does it as well; this is for what workers and command lines have written. */
static bool seal(const Lookout *lookout, GError **error) {
    int64_t sealed = 0;
    return audit_tree_sequence(lookout->config.db, SEAL_ROUNDS, &sealed, error);
}

static bool keep_up(Lookout *lookout, GError **error) {
    const LookoutTuning tuning = tuning_of(lookout);
    bool more = false;
    if (clock_mono_ms() < lookout->upkeep_at)
        return true;
    if (!upkeep_run(lookout->config.db, &tuning.retention, &more, error))
        return false;
    lookout->upkeep_at = clock_mono_ms() + (more ? 0 : UPKEEP_MS);
    return true;
}

/* --- looking ---------------------------------------------------------------------------------- */

static bool next_due_work(DbUnit *unit, void *data, GError **error) {
    return backlog_next_due(unit, data, error);
}

/* Several supervisors do not look at the same moment. */
static int64_t jitter(void) {
    return (clock_mono_ms() * 31 + getpid()) % (LOOKOUT_POLL_MS / 4);
}

/* Calls for a worker when something is due; else *wait_out becomes shorter when the time is near.
 */
static bool call_for_due(Lookout *lookout, int64_t *wait_out, GError **error) {
    int64_t due = BACKLOG_NEVER;
    if (!db_run(lookout->config.db, &system_scope, DB_READ, next_due_work, &due, error))
        return false;
    int64_t now = clock_now_ms();
    int64_t held = lookout->hold_until - clock_mono_ms();
    if (held > 0)
        *wait_out = held;
    else if (due <= now)
        lookout->config.due(lookout->config.data);
    else
        *wait_out = MIN(*wait_out, due - now);
    return true;
}

/* What is queued already comes first: a schedule that cannot be served keeps no job waiting. */
static bool look(Lookout *lookout, unsigned asked, int64_t *wait_out, GError **error) {
    int64_t wait = LOOKOUT_POLL_MS + jitter();
    if (!heed_clock(lookout, error) || !sweep(lookout, asked & ASKED_BURY, error) ||
        !call_for_due(lookout, &wait, error) || !schedule(lookout, error) ||
        !seal(lookout, error) || !keep_up(lookout, error))
        return false;
    *wait_out = CLAMP(lookout->tick_at - clock_now_ms(), 0, wait);
    return true;
}

/* How long to wait before the next look. */
static int64_t look_and_tell(Lookout *lookout, unsigned asked) {
    g_autoptr(GError) error = NULL;
    int64_t wait;
    if (look(lookout, asked, &wait, &error)) {
        if (lookout->pause_ms > 0)
            log_line(LOG_INFO, "lookout_recovered", LOG_INT("ok", 1));
        lookout->pause_ms = 0;
        return wait;
    }
    if (lookout->pause_ms == 0)
        log_line(LOG_ERROR, "lookout_failed", LOG_TEXT("message", error->message));
    lookout->sweep_at = 0;
    lookout->pause_ms = CLAMP(lookout->pause_ms * 2, LOOKOUT_POLL_MS / 4, PAUSE_MOST_MS);
    return lookout->pause_ms;
}

/* --- the thread ------------------------------------------------------------------------------- */

static void await(const Lookout *lookout, int64_t wait) {
    struct pollfd wake = {.fd = lookout->wake, .events = POLLIN};
    eventfd_t count;
    if (poll(&wake, 1, (int)wait) > 0)
        eventfd_read(lookout->wake, &count);
}

static void forget_what_was_read(Lookout *lookout) {
    g_clear_pointer(&lookout->registry, registry_free);
    lookout->upkeep_at = 0;
}

static void *run(void *data) {
    Lookout *lookout = data;
    unsigned asked = ASKED_BURY; /* the dead of before */
    while (!(asked & ASKED_STOP)) {
        if (asked & ASKED_RELOAD)
            forget_what_was_read(lookout);
        await(lookout, look_and_tell(lookout, asked));
        asked = atomic_exchange(&lookout->asked, 0);
    }
    return NULL;
}

static void ask(Lookout *lookout, unsigned what) {
    atomic_fetch_or(&lookout->asked, what);
    eventfd_write(lookout->wake, 1);
}

void lookout_look(Lookout *lookout) {
    ask(lookout, ASKED_LOOK);
}

void lookout_bury(Lookout *lookout) {
    ask(lookout, ASKED_BURY);
}

void lookout_reload(Lookout *lookout) {
    ask(lookout, ASKED_RELOAD);
}

void lookout_tune(Lookout *lookout, const LookoutTuning *tuning) {
    pthread_mutex_lock(&lookout->lock);
    lookout->config.tuning = *tuning;
    pthread_mutex_unlock(&lookout->lock);
}

static void heard(void *data) {
    lookout_look(data);
}

static bool start(Lookout *lookout, GError **error) {
    lookout->wake = eventfd(0, EFD_CLOEXEC);
    if (lookout->wake < 0 || pthread_create(&lookout->thread, NULL, run, lookout) != 0) {
        g_set_error(error, ASSAY_ERROR, ERROR_INTERNAL,
                    "cannot start the thread that looks for work: %s", g_strerror(errno));
        return false;
    }
    lookout->running = true;
    lookout->listener = db_listen(lookout->config.db, JOB_CHANNEL, heard, lookout, error);
    return lookout->listener != NULL;
}

Lookout *lookout_start(const LookoutConfig *config, GError **error) {
    Lookout *lookout = g_new0(Lookout, 1);
    lookout->config = *config;
    pthread_mutex_init(&lookout->lock, NULL);
    lookout->drift = clock_now_ms() - clock_mono_ms();
    if (start(lookout, error))
        return lookout;
    lookout_stop(lookout);
    return NULL;
}

void lookout_stop(Lookout *lookout) {
    if (!lookout)
        return;
    db_listen_end(lookout->listener);
    if (lookout->running) {
        ask(lookout, ASKED_STOP);
        pthread_join(lookout->thread, NULL);
    }
    if (lookout->wake >= 0)
        close(lookout->wake);
    registry_free(lookout->registry);
    pthread_mutex_destroy(&lookout->lock);
    g_free(lookout);
}
