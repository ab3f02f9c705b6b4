#include "sync/follow.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/job.h"

#include <poll.h>
#include <string.h>

typedef struct {
    const char *job_id;
    Job *job;
} GetWork;

static bool get_work(DbUnit *unit, void *data, GError **error) {
    GetWork *work = data;
    g_clear_pointer(&work->job, job_free);
    return job_get(unit, work->job_id, &work->job, error);
}

static bool is_run(const Job *job) {
    return strcmp(job->status, JOB_RUNNING) == 0 && *job->lease_owner != '\0' &&
           job->lease_until > clock_now_ms();
}

/* After a failed attempt it is tried again in a moment. */
static bool waits_for_retry(const Job *job) {
    return strcmp(job->status, JOB_PENDING) == 0 && job->due_at > clock_now_ms();
}

static void tell(const Job *job, CrewProgress progress, void *data) {
    g_autoptr(Json) report = json_new_object();
    if (!progress)
        return;
    json_put_string(report, "message",
                    is_run(job) ? "collected by another process" : "waits for another attempt");
    progress(report, data);
}

bool follow_job(Db *db, const DbScope *scope, const char *job_id, CrewProgress progress, void *data,
                GError **error) {
    log_line(LOG_DEBUG, "job_followed", LOG_TEXT("job", job_id));
    for (bool over = false; !over;) {
        GetWork work = {.job_id = job_id};
        poll(NULL, 0, FOLLOW_MS);
        if (!db_run(db, scope, DB_READ, get_work, &work, error))
            return false;
        over = !is_run(work.job) && !waits_for_retry(work.job);
        if (!over)
            tell(work.job, progress, data);
        job_free(work.job);
    }
    return true;
}
