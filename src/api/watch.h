/* watch.h - those who watch jobs: server-sent events.
 *
 * A watcher is a stream of events of one job:
 *
 *     event: progress   {status, phase, evidenceType, rows, calls, message}
 *     event: evidence   {id, evidenceType, collectedAt}, with its id as the event's id
 *     event: finding    {check, resource, severity, title}: opened by this job, when it has ended
 *     event: done       the job; the stream ends
 *     event: end        {reason}: "revoked", when the session or token has ended, or its role is
 *                       none that sees the job; looked at with the heartbeat
 *
 * What is sent is read from the database, so that a watcher sees the same whichever process runs
 * the job, and one that comes back with Last-Event-ID goes on behind the evidence that it has seen.
 * The rows and calls of a running type are heard from the process's own workers (watch_progress)
 * at once, and from those of others every HEARTBEAT_MS (watch_read_progress). Every
 * WATCH_HEARTBEAT_MS without an event a comment is sent: a client that is gone is noticed by it.
 *
 * Looks are made by the pool, one at a time, when the database tells of changes, and every
 * WATCH_LOOK_MS while somebody watches.
 */
#pragma once

#include "api/caller.h"
#include "api/desk.h"
#include "api/stream.h"
#include "base/json.h"
#include "db/db.h"
#include "store/job.h"

#include <glib.h>
#include <stdbool.h>

#define WATCH_HEARTBEAT_MS 15000
#define WATCH_LOOK_MS 1000
#define WATCHERS_MAX 1000
#define WATCHERS_OF_ORGANIZATION 200
#define WATCHERS_OF_CALLER 50 /* a token or user */

typedef struct Watch Watch;

/* The desk is borrowed; its pool, alarms and database are there already. */
bool watch_new(Desk *desk, Watch **watch_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Looks no more; streams are the server's to end. Before the pool goes. */
void watch_stop(Watch *watch);
void watch_free(Watch *watch); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Watch, watch_free)

typedef struct {
    const char *organization;
    const Caller *caller;
    const char *job_id;
    const char *last_event; /* Last-Event-ID, or NULL */
} WatchWish;

/* A stream of the job's events; the caller owns a reference. NULL when there are too many: of the
 * caller or the organization (ERROR_RATE_LIMITED), or in all (ERROR_SERVICE_UNAVAILABLE). The job
 * must be the organization's. */
Stream *watch_job(Watch *watch, const WatchWish *wish, GError **error);

/* What a running job tells. Any thread. */
void watch_progress(Watch *watch, const char *organization, const char *job_id,
                    const Json *progress);

/* How far a job is, by the process's own workers, else by what its worker has told the database
 * with its last renewal (sync/heartbeat.h): so it is known whichever process runs the job. NULL
 * while it is not being run, and when nothing was told. The caller owns it. */
bool watch_read_progress(Watch *watch, DbUnit *unit, const Job *job, Json **progress_out,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The last that was heard of a running job; NULL: nothing. The caller owns it. */
Json *watch_last_progress(Watch *watch, const char *organization, const char *job_id);
