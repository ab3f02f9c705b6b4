#include "sync/upkeep.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/job_prune.h"
#include "store/login_attempt.h"
#include "store/user_session.h"

#define BATCH 200

static bool prune_jobs(DbUnit *unit, void *data, GError **error) {
    int64_t now = clock_now_ms();
    JobPrune prune = {.results_before_ms = now - JOB_PRUNE_RESULTS_MS,
                      .journals_before_ms = now - JOB_PRUNE_JOURNALS_MS,
                      .limit = BATCH};
    return job_prune(unit, &prune, data, error);
}

static bool prune_logins(DbUnit *unit, void *data, GError **error) {
    (void)data;
    return login_attempt_prune(unit, error) && user_session_prune(unit, error);
}

bool upkeep_run(Db *db, bool *more_out, GError **error) {
    static const DbScope system_scope = {.actor = "scheduler", .system = true};
    JobPruned pruned = {0};
    if (!db_run(db, &system_scope, DB_WRITE, prune_jobs, &pruned, error) ||
        !db_run(db, &system_scope, DB_WRITE, prune_logins, NULL, error))
        return false;
    if (pruned.results + pruned.jobs > 0)
        log_line(LOG_INFO, "upkeep_removed", LOG_INT("results", pruned.results),
                 LOG_INT("jobs", pruned.jobs));
    *more_out = pruned.results == BATCH || pruned.jobs == BATCH;
    return true;
}
