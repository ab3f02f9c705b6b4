/* job_prune.h - what is removed of ended jobs, and when.
 *
 * The result of a job (what was collected, what failed) is kept for a month. The job itself stays
 * as long as its journal, because evidence is performed again from the two; when the retention of
 * responses is over, both go together. Evidence, its documents and the ledger are not touched.
 *
 * Wants a unit with the system scope, looks at no more than a batch, and costs the same however
 * many jobs there are.
 */
#pragma once

#include "db/db.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define JOB_PRUNE_RESULTS_MS (30LL * 24 * 60 * 60 * 1000)

typedef struct {
    int64_t results_before_ms;  /* results of jobs that ended before this time */
    int64_t journals_before_ms; /* jobs that ended before this time, with journal and result */
    int64_t limit;              /* most of each kind in this unit */
} JobPrune;

typedef struct {
    int64_t results;
    int64_t jobs;
} JobPruned;

/* *pruned_out says how many were removed; when a number is the limit there may be more. */
bool job_prune(DbUnit *unit, const JobPrune *prune, JobPruned *pruned_out,
               GError **error) G_GNUC_WARN_UNUSED_RESULT;
