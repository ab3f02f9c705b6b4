/* job.h - the queue of runs: claim, lease, fence, attempts, calling off.
 *
 * A job is pending until a worker claims it. The claim gives a lease (until lease_until, renewed
 * while the work goes on) and a fence, a number that grows with every claim. Whatever the worker
 * then writes for the job names its JobLease; when somebody else has claimed the job since, the
 * function changes nothing and reports ERROR_CONFLICT, and the worker has to drop the job.
 *
 *   pending --claim--> running --complete--> completed
 *      ^                 | | \----fail-----> failed
 *      |                 | \------park-----> parked (until due_at, then claimable again)
 *      +------retry------+
 *   running, lease over or owner dead --claim--> running, with a new fence
 *   pending, parked --cancel--> cancelled;  running --cancel--> (its worker is told) --> cancelled
 *
 * Attempts count claims that made no progress: a claim finds out whether the journal has grown
 * since the claim before and then starts at 1 again, so that kills do not use up a working job. A
 * job that would be claimed for the fourth time without progress becomes failed instead; parking
 * gives the attempt back. A failed attempt (job_retry) counts whatever it has read.
 *
 * One run at a time: of the jobs of an integration at most one is running (a unique index holds
 * it), and the others are not claimed until it has let go.
 *
 * Claims are in job_claim.h. Everything here belongs to one organization.
 */
#pragma once

#include "store/record.h"

/* Values of Job.status. */
#define JOB_PENDING "pending"
#define JOB_RUNNING "running"
#define JOB_PARKED "parked"
#define JOB_COMPLETED "completed"
#define JOB_FAILED "failed"
#define JOB_CANCELLED "cancelled"

/* Told (db.h) when a job may be due earlier than was known: whoever claims looks again. */
#define JOB_CHANNEL "job"

/* Claims without progress that a job survives. */
#define JOB_ATTEMPTS 3

/* Values of Job.priority: somebody waits, it is time, it would be nice. */
#define JOB_PRIORITY_PERSON 10
#define JOB_PRIORITY_SCHEDULE 0
#define JOB_PRIORITY_RENEWAL (-10)

typedef struct {
    const char *organization_id;
    const char *id;
    const char *integration_id;
    const char *status;
    const char *request;           /* JSON object: evidenceTypes, controlIds, range */
    const char *definition_sha256; /* the pinned definition */
    int64_t run_clock;             /* the clock of the run; 0 before the first claim */
    int64_t attempt;
    int64_t journal_batches; /* batches in the journal */
    int64_t journal_mark;    /* batches in the journal at the last claim */
    int64_t priority;        /* higher is sooner */
    int64_t due_at;          /* claimable from; while running: the end of the lease */
    const char *lease_owner; /* "" when nobody has it */
    int64_t lease_until;
    int64_t fence;
    int64_t created_at;
    int64_t started_at;
    int64_t completed_at;
    int64_t cancel_at; /* when somebody called it off; 0: nobody did */
} Job;

/* What a worker shows with everything that it writes for a claimed job. Texts are borrowed. */
typedef struct {
    const char *job_id;
    const char *owner;
    int64_t fence;
} JobLease;

typedef struct {
    const char *integration_id; /* NULL: any */
    const char *status;         /* NULL: any */
    const char *before_id;      /* cursor: jobs older than this one; NULL: from the newest */
    int64_t limit;
} JobFilter;

/* How a job ended. */
typedef struct {
    const char *job_id;
    const char *result; /* JSON object or NULL */
    const char *error;  /* JSON object {code, message, retryable} or NULL */
    int64_t ended_at;
} JobResult;

/* What calling off has come to. */
typedef enum {
    JOB_CANCEL_DONE, /* it was not being run, and has ended */
    JOB_CANCEL_ASKED /* whoever runs it will see it within seconds */
} JobCancel;

void job_free(Job *job); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Job, job_free)
void job_result_free(JobResult *result); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JobResult, job_result_free)

/* The lease of a claimed job; borrows the job's texts. */
JobLease job_lease(const Job *job);

/* Adds a pending job: id, integration_id, request, definition_sha256, priority and due_at (0: now)
 * are read. ERROR_NOT_FOUND when there is no such integration, ERROR_CONFLICT when the id is taken.
 */
bool job_insert(DbUnit *unit, const Job *job, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ERROR_NOT_FOUND. */
bool job_get(DbUnit *unit, const char *id, Job **job_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Job*: the pending, running and parked jobs of an integration, the oldest first. The array frees
 * its rows. */
bool job_list_active(DbUnit *unit, const char *integration_id, GPtrArray **jobs_out,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Job*, the newest first. The array frees its rows. */
bool job_list(DbUnit *unit, const JobFilter *filter, GPtrArray **jobs_out,
              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The result of an ended job; ERROR_NOT_FOUND while it has none, and after it was pruned. */
bool job_result_get(DbUnit *unit, const char *job_id, JobResult **result_out,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Calls a job off. What it has stored stays. ERROR_NOT_FOUND; ERROR_CONFLICT when it has ended. */
bool job_cancel(DbUnit *unit, const char *id, JobCancel *how_out,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Somebody joins a job that waits: its priority becomes this one unless it is higher, and a failed
 * attempt is made up for at once. Parked jobs stay parked; others are left alone. */
bool job_hurry(DbUnit *unit, const char *id, int64_t priority,
               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes a pending or parked job due at once. ERROR_CONFLICT when it is neither. */
bool job_resume(DbUnit *unit, const char *id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The fenced calls: ERROR_CONFLICT when the lease was lost. */

/* Holds the lease until the unit ends, for units that write for the job elsewhere. */
bool job_guard(DbUnit *unit, const JobLease *lease, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Renews the lease for lease_ms from now. progress is a JSON object; NULL: what was told before. */
bool job_renew(DbUnit *unit, const JobLease *lease, int64_t lease_ms, const char *progress,
               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How far a running job is, as was told last; *progress_out is NULL when nothing was. The caller
 * frees it. */
bool job_progress(DbUnit *unit, const char *id, char **progress_out,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the job was called off; reads only, for asking every other second. */
bool job_watch(DbUnit *unit, const JobLease *lease, bool *cancelled_out,
               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends the job with its result (a JSON object). */
bool job_complete(DbUnit *unit, const JobLease *lease, const char *result,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends the job with an error (a JSON object). */
bool job_fail(DbUnit *unit, const JobLease *lease, const char *failure,
              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends a job that was called off. */
bool job_end_cancelled(DbUnit *unit, const JobLease *lease,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Lets go of the job until due_at, a wall time; it resumes by replay. The attempt is given back. */
bool job_park(DbUnit *unit, const JobLease *lease, int64_t due_at,
              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Lets go of the job after a failed attempt, to be claimed again from due_at on. Only while
 * job_may_retry(). */
bool job_retry(DbUnit *unit, const JobLease *lease, int64_t due_at,
               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether a failed attempt of a claimed job is followed by another, and how long after it: 5 s,
 * then 10 s. */
bool job_may_retry(const Job *job);
int64_t job_retry_delay_ms(const Job *job);

/* Adds the event that the job has this status now (event.h). The functions of this file do so by
 * themselves; a claim, which is the system's, leaves it to whoever begins the run. */
bool job_tell(DbUnit *unit, const char *id, const char *status,
              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* For the other files of store/. */
extern const RecordShape job_shape;

/* The error of a job that was called off, as JSON. */
extern const char *const job_cancelled_error;

/* Binds :job_id, :owner and :fence. */
void job_bind_lease(DbStatement *statement, const JobLease *lease);

/* Sets the error of a lost lease. */
void job_set_lost(GError **error);
