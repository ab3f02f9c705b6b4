/* lookout.h - looks for work that is due, so that workers need not.
 *
 * One thread of `assay serve` asks the database when the next job is due, sleeps until then, until
 * somebody tells it to look, or for LOOKOUT_POLL_MS (other processes queue jobs, too), and calls
 * due() when there is something to claim. On its way it does what has to be done now and then:
 * makes the jobs of schedules, lets the leases of dead owners on this machine go, prunes, and heeds
 * a wall clock that was set back. So neither the supervisor's loop nor an idle worker ever waits
 * for the database.
 *
 * A database that is away is told once in the log, and asked again with growing pauses.
 */
#pragma once

#include "db/db.h"
#include "sync/schedule.h"
#include "sync/upkeep.h"

#include <glib.h>
#include <stdbool.h>

/* Whoever queues a job tells JOB_CHANNEL (store/job.h); the poll is for what is not told. */
#define LOOKOUT_POLL_MS 2000

typedef struct Lookout Lookout;

/* What may change while it looks; the texts are borrowed until lookout_stop(). */
typedef struct {
    ScheduleDefaults schedule;
    Retention retention;
} LookoutTuning;

/* All borrowed until lookout_stop(). */
typedef struct {
    Db *db;
    const char *data_dir;
    const char *providers_dir; /* definitions of the operator */
    LookoutTuning tuning;
    void (*due)(void *data); /* something may be claimed; called on the lookout's thread */
    void *data;
} LookoutConfig;

Lookout *lookout_start(const LookoutConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Look now; an owner has died, so let its leases go and look now; read the definitions again, and
 * remove what is to be removed. Any thread. */
void lookout_look(Lookout *lookout);
void lookout_bury(Lookout *lookout);
void lookout_reload(Lookout *lookout);

/* Holds from the next look on. Any thread. */
void lookout_tune(Lookout *lookout, const LookoutTuning *tuning);

/* Ends the thread, waiting for what it is at. NULL allowed. */
void lookout_stop(Lookout *lookout);
