#include "store/job_prune.h"

#include "store/record.h"

/* The key of a job across organizations. */
typedef struct {
    const char *organization_id;
    const char *job_id;
} JobKey;

static const RecordColumn columns[] = {
    RECORD_COLUMN(JobKey, organization_id, RECORD_TEXT, 0),
    RECORD_COLUMN(JobKey, job_id, RECORD_TEXT, 0),
};
static const RecordShape shape = RECORD_SHAPE(JobKey, "job", columns);

static bool list(DbUnit *unit, const char *name, int64_t before_ms, int64_t limit,
                 GPtrArray **keys_out, GError **error) {
    DbStatement *statement = db_prepare(unit, name);
    db_bind_int(statement, "before", before_ms);
    record_bind_limit(statement, limit);
    return record_all(statement, &shape, keys_out, error);
}

static bool run_for(DbUnit *unit, const char *name, const JobKey *key, GError **error) {
    DbStatement *statement = db_prepare(unit, name);
    db_bind_text(statement, "organization", key->organization_id);
    db_bind_text(statement, "id", key->job_id);
    return db_exec(statement, error);
}

static bool prune_results(DbUnit *unit, const JobPrune *prune, int64_t *count_out, GError **error) {
    g_autoptr(GPtrArray) keys = NULL;
    if (!list(unit, "job_prune_results", prune->results_before_ms, prune->limit, &keys, error)) {
        return false;
    }
    for (guint i = 0; i < keys->len; i++) {
        if (!run_for(unit, "job_prune_result", g_ptr_array_index(keys, i), error)) {
            return false;
        }
    }
    *count_out = keys->len;
    return true;
}

static bool prune_jobs(DbUnit *unit, const JobPrune *prune, int64_t *count_out, GError **error) {
    static const char *const steps[] = {"job_prune_journal", "job_prune_result", "job_prune_job"};
    g_autoptr(GPtrArray) keys = NULL;
    if (!list(unit, "job_prune_jobs", prune->journals_before_ms, prune->limit, &keys, error)) {
        return false;
    }
    for (guint i = 0; i < keys->len; i++) {
        for (size_t step = 0; step < G_N_ELEMENTS(steps); step++) {
            if (!run_for(unit, steps[step], g_ptr_array_index(keys, i), error)) {
                return false;
            }
        }
    }
    *count_out = keys->len;
    return true;
}

bool job_prune(DbUnit *unit, const JobPrune *prune, JobPruned *pruned_out, GError **error) {
    JobPruned pruned = {0};
    if (!prune_results(unit, prune, &pruned.results, error) ||
        !prune_jobs(unit, prune, &pruned.jobs, error)) {
        return false;
    }
    *pruned_out = pruned;
    return true;
}
