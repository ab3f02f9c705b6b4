/* job_count.h - how many jobs wait, run and have just ended, over all organizations: for figures.
 *
 * Wants a unit with the system scope. Of ended jobs only those of the last JOB_COUNT_ENDED_MS are
 * counted: there may be millions.
 */
#pragma once

#include "db/db.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define JOB_COUNT_ENDED_MS (60 * 60 * 1000)

typedef struct {
    int64_t pending;
    int64_t running;
    int64_t parked;
    int64_t completed; /* in the last JOB_COUNT_ENDED_MS, and so the next two */
    int64_t failed;
    int64_t cancelled;
    int64_t oldest_due_at; /* of those that are due and wait; 0: none */
} JobCount;

bool job_count(DbUnit *unit, JobCount *count_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
