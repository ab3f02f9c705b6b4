/* supervisor.h - the process that `assay serve` is: worker processes, the lookout, and signals.
 *
 * One loop waits for signals, for the lookout (sync/lookout.h) and for the workers (sync/roster.h),
 * and for nothing else: it never asks the database, evaluates nothing and opens no credential, so
 * that nothing that a job does can stop it. Any number of supervisors may work on one database, on
 * one machine or on several.
 *
 *   SIGTERM, SIGINT   no further jobs; those under way may end within the grace. Then they are let
 *                     go of (what was answered is kept, and another worker goes on by replay). A
 *                     second signal ends at once; leases of killed workers are let go of as well.
 *   SIGHUP            settings (reload(), supervisor_tune()) and definitions are read again: new
 *                     jobs pin the new ones, workers are replaced as they become free.
 *
 * Life: supervisor_take_signals() before the first thread of the process is started (db_open()
 * starts some), supervisor_new(), supervisor_run() once, supervisor_free().
 */
#pragma once

#include "db/db.h"
#include "sync/lookout.h"
#include "sync/station.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define SUPERVISOR_GRACE_MS 30000

typedef struct Supervisor Supervisor;

/* What may change while it runs; borrowed until supervisor_free(). */
typedef struct {
    LookoutTuning lookout;
    int64_t grace_ms;   /* -1: SUPERVISOR_GRACE_MS */
    const Json *limits; /* provider -> "30/1m"; NULL: none */
} SupervisorTuning;

/* All borrowed until supervisor_free(). */
typedef struct {
    StationConfig station; /* its limits are those of the tuning */
    Db *db;
    const char *providers_dir;
    SupervisorTuning tuning;
    unsigned workers; /* 0: no jobs are run and none are scheduled here */
    /* What a running job tells ({phase, evidenceType, rows, calls, message}); may be NULL. */
    void (*progress)(const char *organization_id, const char *job_id, const Json *progress,
                     void *data);
    /* What was read is to be read again, before definitions are; may be NULL. On the thread of
     * supervisor_run(). */
    void (*reload)(void *data);
    void *data;
} SupervisorConfig;

/* Blocks the signals above for this thread and all that it starts. */
void supervisor_take_signals(void);

/* Works from now on, once supervisor_run() is called. */
Supervisor *supervisor_new(const SupervisorConfig *config,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
void supervisor_free(Supervisor *supervisor); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Supervisor, supervisor_free)

/* A job was queued: it is looked for at once. Any thread. */
void supervisor_look(Supervisor *supervisor);

/* Holds from now on; workers are given the limits when they are started. On the thread of
 * supervisor_run(): by reload(). */
void supervisor_tune(Supervisor *supervisor, const SupervisorTuning *tuning);

/* Until a signal ends it. True when all that was under way was ended or let go of in order; false
 * with ERROR_CANCELLED when a second signal ended it at once. */
bool supervisor_run(Supervisor *supervisor, GError **error) G_GNUC_WARN_UNUSED_RESULT;
