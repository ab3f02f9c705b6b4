#include "api/job_wait.h"

#include "api/alarm.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/job.h"

typedef struct {
    Call *call;
    PoolTask told;
    bool ended;
} JobWait;

static void look_later(JobWait *wait);

/* --- one look --------------------------------------------------------------------------------- */

static bool look_work(DbUnit *unit, void *data, GError **error) {
    JobWait *wait = data;
    wait->ended = true;
    for (char **id = wait->call->jobs.ids; *id && wait->ended; id++) {
        g_autoptr(Job) job = NULL;
        if (!job_get(unit, *id, &job, error))
            return false;
        wait->ended = job->completed_at > 0;
    }
    return true;
}

/* A database that does not answer is asked again with the next look. */
static bool have_ended(JobWait *wait) {
    g_autoptr(GError) error = NULL;
    if (call_run(wait->call, DB_READ, look_work, wait, &error))
        return wait->ended;
    log_line(LOG_WARN, "job_not_looked_at", LOG_TEXT("requestId", wait->call->request_id),
             LOG_TEXT("why", error->message));
    return false;
}

static void look(PoolSeat *seat, void *data) {
    JobWait *wait = data;
    Call *call = wait->call;
    CallJobs *jobs = &call->jobs;
    jobs->ended = have_ended(wait);
    if (!jobs->ended && clock_mono_ms() < jobs->until_ms && !atomic_load(&call->desk->stopping)) {
        look_later(wait);
        return;
    }
    PoolTask told = wait->told;
    g_free(wait);
    told(seat, call);
}

/* --- between looks ---------------------------------------------------------------------------- */

static void ring(void *data) {
    JobWait *wait = data;
    pool_insist(wait->call->desk->pool, look, wait);
}

static void look_later(JobWait *wait) {
    CallJobs *jobs = &wait->call->jobs;
    int64_t pause = jobs->pause_ms;
    jobs->pause_ms = MIN(2 * pause, JOB_WAIT_LOOK_MS);
    (void)alarm_set(wait->call->desk->alarms, pause, 0, ring, wait);
}

void job_wait_begin(Call *call, PoolTask told) {
    int64_t patience = call->desk->config.patience_ms;
    JobWait *wait = g_new0(JobWait, 1);
    wait->call = call;
    wait->told = told;
    call->jobs.until_ms = clock_mono_ms() + (patience > 0 ? patience : ERRAND_PATIENCE_MS);
    call->jobs.pause_ms = JOB_WAIT_FIRST_MS;
    look_later(wait);
}
