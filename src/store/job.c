#include "store/job.h"

#include "base/clock.h"
#include "store/event.h"
#include "store/integration.h"

#include <string.h>

static const RecordColumn columns[] = {
    RECORD_COLUMN(Job, organization_id, RECORD_TEXT, 0),
    RECORD_COLUMN(Job, id, RECORD_TEXT, 0),
    RECORD_COLUMN(Job, integration_id, RECORD_TEXT, 0),
    RECORD_COLUMN(Job, status, RECORD_TEXT, 0),
    RECORD_COLUMN(Job, request, RECORD_TEXT, STORE_JSON_MAX),
    RECORD_COLUMN(Job, definition_sha256, RECORD_TEXT, 0),
    RECORD_COLUMN(Job, run_clock, RECORD_INT, 0),
    RECORD_COLUMN(Job, attempt, RECORD_INT, 0),
    RECORD_COLUMN(Job, journal_batches, RECORD_INT, 0),
    RECORD_COLUMN(Job, journal_mark, RECORD_INT, 0),
    RECORD_COLUMN(Job, priority, RECORD_INT, 0),
    RECORD_COLUMN(Job, due_at, RECORD_INT, 0),
    RECORD_COLUMN(Job, lease_owner, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(Job, lease_until, RECORD_INT, 0),
    RECORD_COLUMN(Job, fence, RECORD_INT, 0),
    RECORD_COLUMN(Job, created_at, RECORD_INT, 0),
    RECORD_COLUMN(Job, started_at, RECORD_INT, 0),
    RECORD_COLUMN(Job, completed_at, RECORD_INT, 0),
    RECORD_COLUMN(Job, cancel_at, RECORD_INT, 0),
};
const RecordShape job_shape = RECORD_SHAPE(Job, "job", columns);

static const RecordColumn result_columns[] = {
    RECORD_COLUMN(JobResult, job_id, RECORD_TEXT, 0),
    RECORD_COLUMN(JobResult, result, RECORD_OPTIONAL, STORE_JSON_MAX),
    RECORD_COLUMN(JobResult, error, RECORD_OPTIONAL, STORE_JSON_MAX),
    RECORD_COLUMN(JobResult, ended_at, RECORD_INT, 0),
};
static const RecordShape result_shape = RECORD_SHAPE(JobResult, "job result", result_columns);

#define RETRY_FIRST_MS 5000

/* Jobs of one integration that are looked at together; queues do not let more come up. */
#define ACTIVE_MAX 100

const char *const job_cancelled_error =
    "{\"code\":\"CANCELLED\",\"message\":\"The run was called off. What it had stored "
    "stays.\",\"retryable\":false}";

void job_free(Job *job) {
    g_free(job);
}

void job_result_free(JobResult *result) {
    g_free(result);
}

JobLease job_lease(const Job *job) {
    return (JobLease){.job_id = job->id, .owner = job->lease_owner, .fence = job->fence};
}

/* Makes the queue look at the organization of the unit from due_at on. */
static bool lower_queue(DbUnit *unit, int64_t due_at, GError **error) {
    DbStatement *statement = db_prepare(unit, "job_queue_lower");
    db_bind_int(statement, "due_at", due_at);
    db_notify(unit, JOB_CHANNEL);
    return db_exec(statement, error);
}

/* The organization runs one job less, and has perhaps one due at due_at. */
static bool free_queue(DbUnit *unit, int64_t due_at, GError **error) {
    DbStatement *statement = db_prepare(unit, "job_queue_free");
    db_bind_int(statement, "due_at", due_at);
    return db_exec(statement, error);
}

static bool is_ended(const char *status) {
    return strcmp(status, JOB_COMPLETED) == 0 || strcmp(status, JOB_FAILED) == 0 ||
           strcmp(status, JOB_CANCELLED) == 0;
}

bool job_tell(DbUnit *unit, const char *id, const char *status, GError **error) {
    g_autoptr(Json) data = json_new_object();
    EventNews news = {
        .kind = is_ended(status) ? EVENT_DONE : EVENT_JOB, .job_id = id, .data = data};
    json_put_string(data, "status", status);
    return event_add(unit, &news, error);
}

bool job_insert(DbUnit *unit, const Job *job, GError **error) {
    Job row = *job;
    int64_t now = clock_now_ms();
    row.organization_id = db_unit_scope(unit)->organization;
    row.status = JOB_PENDING;
    row.due_at = row.due_at ? row.due_at : now;
    if (!record_check(&job_shape, &row, error) ||
        !integration_require(unit, row.integration_id, error)) {
        return false;
    }
    DbStatement *statement = db_prepare(unit, "job_insert");
    db_bind_text(statement, "id", row.id);
    db_bind_text(statement, "integration_id", row.integration_id);
    db_bind_text(statement, "request", row.request);
    db_bind_text(statement, "definition_sha256", row.definition_sha256);
    db_bind_int(statement, "priority", row.priority);
    db_bind_int(statement, "due_at", row.due_at);
    db_bind_int(statement, "now", now);
    return record_change(unit, statement, ERROR_CONFLICT,
                         "There is a job with this id; make a new id.", error) &&
           lower_queue(unit, row.due_at, error) && job_tell(unit, row.id, JOB_PENDING, error);
}

bool job_get(DbUnit *unit, const char *id, Job **job_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "job_get");
    db_bind_text(statement, "id", id);
    return record_must(statement, &job_shape, job_out, error);
}

bool job_list_active(DbUnit *unit, const char *integration_id, GPtrArray **jobs_out,
                     GError **error) {
    DbStatement *statement = db_prepare(unit, "job_list_active");
    db_bind_text(statement, "integration_id", integration_id);
    record_bind_limit(statement, ACTIVE_MAX);
    return record_all(statement, &job_shape, jobs_out, error);
}

bool job_list(DbUnit *unit, const JobFilter *filter, GPtrArray **jobs_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "job_list");
    record_bind_before(statement, "before", filter->before_id);
    record_bind_filter(statement, "integration_id", filter->integration_id);
    record_bind_filter(statement, "status", filter->status);
    record_bind_limit(statement, filter->limit);
    return record_all(statement, &job_shape, jobs_out, error);
}

bool job_result_get(DbUnit *unit, const char *job_id, JobResult **result_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "job_result_get");
    db_bind_text(statement, "job_id", job_id);
    return record_must(statement, &result_shape, result_out, error);
}

void job_bind_lease(DbStatement *statement, const JobLease *lease) {
    db_bind_text(statement, "job_id", lease->job_id);
    db_bind_text(statement, "owner", lease->owner);
    db_bind_int(statement, "fence", lease->fence);
}

void job_set_lost(GError **error) {
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFLICT,
                        "The lease of the job was lost to another worker; its work goes on there.");
}

/* Runs a bound, fenced update. */
static bool fenced(DbUnit *unit, DbStatement *statement, GError **error) {
    if (!db_exec(statement, error)) {
        return false;
    }
    if (db_changes(unit) == 0) {
        job_set_lost(error);
        return false;
    }
    return true;
}

bool job_guard(DbUnit *unit, const JobLease *lease, GError **error) {
    DbStatement *statement = db_prepare(unit, "job_guard");
    job_bind_lease(statement, lease);
    return fenced(unit, statement, error);
}

bool job_progress(DbUnit *unit, const char *id, char **progress_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "job_progress");
    bool row = false;
    *progress_out = NULL;
    db_bind_text(statement, "job_id", id);
    if (!db_step(statement, &row, error)) {
        return false;
    }
    if (row) {
        *progress_out = g_strdup(db_column_text(statement, 0));
        db_reset(statement);
    }
    return true;
}

bool job_renew(DbUnit *unit, const JobLease *lease, int64_t lease_ms, const char *progress,
               GError **error) {
    DbStatement *statement = db_prepare(unit, "job_renew");
    job_bind_lease(statement, lease);
    db_bind_text(statement, "progress", progress);
    db_bind_int(statement, "lease_until", clock_now_ms() + lease_ms);
    return fenced(unit, statement, error);
}

bool job_watch(DbUnit *unit, const JobLease *lease, bool *cancelled_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "job_watch");
    job_bind_lease(statement, lease);
    int64_t cancel_at = 0;
    if (!record_number(statement, -1, &cancel_at, error)) {
        return false;
    }
    if (cancel_at < 0) {
        job_set_lost(error);
        return false;
    }
    *cancelled_out = cancel_at > 0;
    return true;
}

/* --- the end ---------------------------------------------------------------------------------- */

/* Ends the job with this status; result holds what is left behind. */
static bool end_job(DbUnit *unit, const JobLease *lease, const char *status, JobResult *result,
                    GError **error) {
    int64_t now = clock_now_ms();
    result->job_id = lease->job_id;
    result->ended_at = now;
    if (!record_check(&result_shape, result, error)) {
        return false;
    }
    DbStatement *statement = db_prepare(unit, "job_end");
    job_bind_lease(statement, lease);
    db_bind_text(statement, "status", status);
    db_bind_int(statement, "now", now);
    return fenced(unit, statement, error) && free_queue(unit, now, error) &&
           record_write(unit, "job_result_put", &result_shape, result, error) &&
           job_tell(unit, lease->job_id, status, error);
}

bool job_complete(DbUnit *unit, const JobLease *lease, const char *result, GError **error) {
    JobResult row = {.result = result};
    return end_job(unit, lease, JOB_COMPLETED, &row, error);
}

bool job_fail(DbUnit *unit, const JobLease *lease, const char *failure, GError **error) {
    JobResult row = {.error = failure};
    return end_job(unit, lease, JOB_FAILED, &row, error);
}

bool job_end_cancelled(DbUnit *unit, const JobLease *lease, GError **error) {
    JobResult row = {.error = job_cancelled_error};
    return end_job(unit, lease, JOB_CANCELLED, &row, error);
}

/* --- letting go ------------------------------------------------------------------------------- */

/* How a job is let go of. */
typedef struct {
    const char *status;
    int64_t due_at;
    int64_t given_back; /* attempts */
    bool failed;        /* the attempt counts, whatever it has read */
} Leave;

static bool leave_job(DbUnit *unit, const JobLease *lease, const Leave *leave, GError **error) {
    DbStatement *statement = db_prepare(unit, "job_leave");
    job_bind_lease(statement, lease);
    db_bind_text(statement, "status", leave->status);
    db_bind_int(statement, "due_at", leave->due_at);
    db_bind_int(statement, "given_back", leave->given_back);
    db_bind_int(statement, "failed", leave->failed);
    /* The bound is now, not due_at: other jobs of the integration need wait no longer. */
    return fenced(unit, statement, error) && free_queue(unit, clock_now_ms(), error) &&
           job_tell(unit, lease->job_id, leave->status, error);
}

bool job_park(DbUnit *unit, const JobLease *lease, int64_t due_at, GError **error) {
    Leave leave = {.status = JOB_PARKED, .due_at = due_at, .given_back = 1};
    return leave_job(unit, lease, &leave, error);
}

bool job_retry(DbUnit *unit, const JobLease *lease, int64_t due_at, GError **error) {
    Leave leave = {.status = JOB_PENDING, .due_at = due_at, .failed = true};
    return leave_job(unit, lease, &leave, error);
}

bool job_may_retry(const Job *job) {
    return job->attempt < JOB_ATTEMPTS;
}

int64_t job_retry_delay_ms(const Job *job) {
    return (int64_t)RETRY_FIRST_MS << CLAMP(job->attempt - 1, 0, JOB_ATTEMPTS);
}

/* --- calling off ------------------------------------------------------------------------------ */

/* Ends the job if it still has this status and nobody runs it; *done_out says whether. */
static bool cancel_idle(DbUnit *unit, const Job *job, bool *done_out, GError **error) {
    JobResult result = {
        .job_id = job->id, .error = job_cancelled_error, .ended_at = clock_now_ms()};
    DbStatement *statement = db_prepare(unit, "job_cancel");
    db_bind_text(statement, "id", job->id);
    db_bind_text(statement, "status", job->status);
    db_bind_int(statement, "now", result.ended_at);
    if (!db_exec(statement, error)) {
        return false;
    }
    *done_out = db_changes(unit) > 0;
    if (!*done_out) {
        return true;
    }
    return record_write(unit, "job_result_put", &result_shape, &result, error) &&
           (strcmp(job->status, JOB_RUNNING) != 0 || free_queue(unit, result.ended_at, error)) &&
           job_tell(unit, job->id, JOB_CANCELLED, error);
}

static bool cancel_running(DbUnit *unit, const char *id, bool *asked_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "job_cancel_running");
    db_bind_text(statement, "id", id);
    db_bind_int(statement, "now", clock_now_ms());
    if (!db_exec(statement, error)) {
        return false;
    }
    *asked_out = db_changes(unit) > 0;
    return true;
}

bool job_cancel(DbUnit *unit, const char *id, JobCancel *how_out, GError **error) {
    g_autoptr(Job) job = NULL;
    bool done = false;
    bool asked = false;
    if (!job_get(unit, id, &job, error) || !cancel_idle(unit, job, &done, error)) {
        return false;
    }
    if (!done && !cancel_running(unit, id, &asked, error)) {
        return false;
    }
    if (!done && !asked) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFLICT,
                            "the job has ended already; there is nothing to call off");
        return false;
    }
    *how_out = done ? JOB_CANCEL_DONE : JOB_CANCEL_ASKED;
    return true;
}

/* --- for those who wait ----------------------------------------------------------------------- */

bool job_hurry(DbUnit *unit, const char *id, int64_t priority, GError **error) {
    int64_t now = clock_now_ms();
    DbStatement *statement = db_prepare(unit, "job_hurry");
    db_bind_text(statement, "id", id);
    db_bind_int(statement, "priority", priority);
    db_bind_int(statement, "now", now);
    return db_exec(statement, error) && lower_queue(unit, now, error);
}

bool job_resume(DbUnit *unit, const char *id, GError **error) {
    int64_t now = clock_now_ms();
    DbStatement *statement = db_prepare(unit, "job_resume");
    db_bind_text(statement, "id", id);
    db_bind_int(statement, "now", now);
    return record_change(unit, statement, ERROR_CONFLICT,
                         "the job is running or has ended; there is nothing to resume", error) &&
           lower_queue(unit, now, error);
}
