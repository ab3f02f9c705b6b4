/* job_count.h - how many jobs wait and run, over all organizations: for figures.
 *
 * Wants a unit with the system scope. Ended jobs are not counted: there may be millions.
 */
#pragma once

#include "db/db.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int64_t pending;
    int64_t running;
    int64_t parked;
} JobCount;

bool job_count(DbUnit *unit, JobCount *count_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
