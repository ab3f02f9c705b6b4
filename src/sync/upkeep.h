/* upkeep.h - what is removed when its time is over.
 *
 * Results and journals of ended jobs (store/job_prune.h), data of old evidence
 * (store/evidence_prune.h), what jobs that have ended left half written (store/document.h), tests
 * of connections (store/errand_row.h), sessions and counts of failed logins. Records of evidence
 * and the ledger stay. One call deals with a batch of each, in units of work of their own, so that
 * nothing else waits for long.
 */
#pragma once

#include "db/db.h"

#include <glib.h>
#include <stdbool.h>

/* Between two rounds when nothing is left to remove. */
#define UPKEEP_MS (60 * 60 * 1000)

/* How long what is kept; 0: the usual time. */
typedef struct {
    int64_t responses_days; /* jobs and what services have answered them; 400 */
    int64_t evidence_years; /* data of evidence, of 365 days; 7 */
} Retention;

/* *more_out says whether there is more to remove. */
bool upkeep_run(Db *db, const Retention *retention, bool *more_out,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;
