#include "api/jobs.h"

#include "api/call.h"
#include "api/errand_view.h"
#include "api/integration_sync.h"
#include "api/object_shape.h"
#include "api/page.h"
#include "api/revision.h"
#include "api/watch.h"
#include "base/id.h"
#include "present/job_object.h"
#include "store/integration.h"
#include "store/job.h"
#include "sync/queue.h"

#include <string.h>

#define RETRY_AFTER "15" /* a stream that is gone is noticed by the heartbeat */

/* --- rows ------------------------------------------------------------------------------------- */

static bool may_see(const Call *call, const Job *job) {
    RoleResource resource = {.integration_id = job->integration_id, .at = job->created_at};
    return role_allows(&call->caller->subject, ACTION_JOB_READ, &resource);
}

/* *result_out is NULL while there is none, and when it was pruned. */
static bool read_result(DbUnit *unit, const Job *job, JobResult **result_out, GError **error) {
    g_autoptr(GError) missing = NULL;
    if (job->completed_at == 0 || job_result_get(unit, job->id, result_out, &missing) ||
        g_error_matches(missing, ASSAY_ERROR, ERROR_NOT_FOUND))
        return true;
    g_propagate_error(error, g_steal_pointer(&missing));
    return false;
}

/* --- lists ------------------------------------------------------------------------------------ */

typedef struct {
    const Call *call;
    JobFilter filter;
    char *integration_id;
    Page page;
    GPtrArray *objects; /* Json */
} ListWork;

static void list_work_clear(ListWork *work) {
    page_clear(&work->page);
    g_clear_pointer(&work->integration_id, g_free);
    g_clear_pointer(&work->objects, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ListWork, list_work_clear)

static bool keep(const void *row, void *data) {
    return may_see(((const ListWork *)data)->call, row);
}

static bool read_rows(DbUnit *unit, void *data, const char *cursor, int64_t limit,
                      GPtrArray **rows_out, GError **error) {
    JobFilter filter = ((const ListWork *)data)->filter;
    filter.before_id = cursor;
    filter.limit = limit;
    return job_list(unit, &filter, rows_out, error);
}

static const char *cursor_of(const void *row) {
    return ((const Job *)row)->id;
}

static void free_row(void *row) {
    job_free(row);
}

static void free_json(void *json) {
    json_free(json);
}

static const PageSource source = {read_rows, keep, cursor_of, free_row};

static bool list_work(DbUnit *unit, void *data, GError **error) {
    ListWork *work = data;
    g_clear_pointer(&work->objects, g_ptr_array_unref);
    work->objects = g_ptr_array_new_with_free_func(free_json);
    if (!page_read(unit, &work->page, error))
        return false;
    for (guint i = 0; i < work->page.rows->len; i++) {
        const Job *job = g_ptr_array_index(work->page.rows, i);
        g_autoptr(JobResult) result = NULL;
        g_autoptr(Json) progress = NULL;
        if (!read_result(unit, job, &result, error) ||
            !watch_read_progress(work->call->desk->watch, unit, job, &progress, error))
            return false;
        g_ptr_array_add(work->objects, job_object(job, result, progress));
    }
    return true;
}

static bool list(Call *call, GError **error) {
    g_auto(ListWork) work = {.call = call, .filter = {.status = call_query(call, "status")}};
    work.page.source = &source;
    work.page.data = &work;
    if (!integration_row_filter(call, &work.integration_id, error))
        return false;
    work.filter.integration_id = work.integration_id;
    if (!call_limit(call, &work.page.limit, error) ||
        !call_cursor(call, &work.page.cursor, error) ||
        !call_run(call, DB_READ, list_work, &work, error))
        return false;
    Json *all = json_new_array();
    for (guint i = 0; i < work.objects->len; i++)
        json_add(all, json_ref(g_ptr_array_index(work.objects, i)));
    return call_answer_list(call, "jobs", all, work.page.next);
}

/* --- one -------------------------------------------------------------------------------------- */

typedef struct {
    const Call *call;
    const char *id;
    Job *job;
    JobResult *result;
    Json *progress;
    Integration *integration;
    JobCancel how;
} JobWork;

static void job_work_clear(JobWork *work) {
    g_clear_pointer(&work->job, job_free);
    g_clear_pointer(&work->result, job_result_free);
    g_clear_pointer(&work->progress, json_free);
    g_clear_pointer(&work->integration, integration_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(JobWork, job_work_clear)

static bool get_work(DbUnit *unit, void *data, GError **error) {
    JobWork *work = data;
    job_work_clear(work);
    return job_get(unit, work->id, &work->job, error) &&
           read_result(unit, work->job, &work->result, error) &&
           watch_read_progress(work->call->desk->watch, unit, work->job, &work->progress, error) &&
           integration_get(unit, work->job->integration_id, &work->integration, error);
}

static bool set_missing(Call *call, GError **error) {
    (void)call_refuse(call, PROBLEM_NOT_FOUND, error, "%s",
                      "There is no such job in this organization.");
    return false;
}

/* An errand that makes an integration is about none that a role could name. */
static bool may_see_errand(const Call *call, const ErrandView *errand) {
    RoleResource resource = {.integration_id = errand->integration_id, .at = errand->created_ms};
    return role_allows(&call->caller->subject, ACTION_JOB_READ, &resource);
}

static bool find_errand(Call *call, const char *id, ErrandView **errand_out, GError **error) {
    g_autoptr(ErrandView) found = NULL;
    if (!errand_view_read(call->desk->errands, call->scope.organization, id, &found, error))
        return false;
    if (!found || !may_see_errand(call, found))
        return set_missing(call, error);
    *errand_out = g_steal_pointer(&found);
    return true;
}

/* The job of the path, or an errand; both NULL with the error. */
static bool find(Call *call, JobWork *work, ErrandView **errand_out, GError **error) {
    g_autoptr(GError) failure = NULL;
    work->call = call;
    work->id = call_parameter(call, "id");
    *errand_out = NULL;
    if (!id_is_valid(work->id))
        return set_missing(call, error);
    if (call_run(call, DB_READ, get_work, work, &failure))
        return may_see(call, work->job) || set_missing(call, error);
    if (g_error_matches(failure, ASSAY_ERROR, ERROR_NOT_FOUND))
        return find_errand(call, work->id, errand_out, error);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool get(Call *call, GError **error) {
    g_auto(JobWork) work = {0};
    g_autoptr(ErrandView) errand = NULL;
    if (!find(call, &work, &errand, error))
        return false;
    return call_answer(call, 200,
                       errand ? json_ref(errand->object)
                              : job_object(work.job, work.result, work.progress));
}

static bool require(Call *call, const JobWork *work, GError **error) {
    RoleResource resource = {.integration_id = work->integration->id,
                             .owner_user_id = work->integration->owner_user_id};
    return call_require(call, &resource, error);
}

/* --- calling off, running again --------------------------------------------------------------- */

static bool cancel_work(DbUnit *unit, void *data, GError **error) {
    JobWork *work = data;
    AuditActor actor = call_actor(work->call);
    AuditEntry entry = {.action = AUDIT_JOB_CANCELLED,
                        .actor = &actor,
                        .target_kind = "job",
                        .target_id = work->id};
    return job_cancel(unit, work->id, &work->how, error) && audit_add(unit, &entry, error);
}

static bool cancel(Call *call, GError **error) {
    g_auto(JobWork) work = {0};
    g_autoptr(ErrandView) errand = NULL;
    if (!find(call, &work, &errand, error))
        return false;
    if (errand)
        return call_refuse(call, PROBLEM_CONFLICT, error, "%s",
                           "A test of a connection cannot be called off; it ends by itself.");
    if (!require(call, &work, error) || !call_run(call, DB_WRITE, cancel_work, &work, error) ||
        !call_run(call, DB_READ, get_work, &work, error))
        return false;
    /* 202: whoever runs it will see it within seconds. */
    return call_answer(call, work.how == JOB_CANCEL_DONE ? 200 : 202,
                       job_object(work.job, work.result, work.progress));
}

typedef struct {
    const char *id;
    IntegrationTarget target;
    Job *job; /* the new one, or the same */
} Retry;

static void retry_clear(Retry *retry) {
    g_clear_pointer(&retry->job, job_free);
    integration_target_clear(&retry->target);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Retry, retry_clear)

static bool read_target(DbUnit *unit, void *data, GError **error) {
    return integration_target_read(unit, &((Retry *)data)->target, error);
}

static bool may_retry(Call *call, const void *data, GError **error) {
    return integration_target_may(call, &((const Retry *)data)->target, error);
}

static Json *show_target(const Call *call, const void *data) {
    return integration_target_show(call, &((const Retry *)data)->target);
}

static bool write_retry(DbUnit *unit, Call *call, void *data, GError **error) {
    Retry *retry = data;
    const Integration *row = retry->target.found.row;
    g_autofree char *id = NULL;
    return integration_sync_runs(call, row, error) &&
           queue_retry_in(unit, retry->id, row, retry->target.definition, &id, error) &&
           integration_sync_noted(unit, call, row, id, &retry->job, error);
}

static const Revision retrying = {.read = read_target,
                                  .may = may_retry,
                                  .show = show_target,
                                  .write = write_retry,
                                  .removes = true};

/* What waits is due at once; for what has ended a new job asks for the same. */
static bool retry(Call *call, GError **error) {
    g_auto(JobWork) work = {0};
    g_auto(Retry) again = {0};
    g_autoptr(ErrandView) errand = NULL;
    if (!find(call, &work, &errand, error))
        return false;
    if (errand)
        return call_refuse(call, PROBLEM_CONFLICT, error, "%s",
                           "A test of a connection is not run again; ask for another one.");
    again.id = work.id;
    return require(call, &work, error) &&
           integration_target_init_row(&again.target, call, work.integration, error) &&
           integration_sync_prepare(call, error) && revision_make(call, &retrying, &again, error) &&
           call_answer(call, 202, integration_sync_told(call, again.job));
}

/* --- watching --------------------------------------------------------------------------------- */

static bool events(Call *call, GError **error) {
    g_auto(JobWork) work = {0};
    g_autoptr(ErrandView) errand = NULL;
    if (!find(call, &work, &errand, error))
        return false;
    WatchWish wish = {.organization = call->scope.organization,
                      .caller = call->caller,
                      .job_id = work.id,
                      .last_event = call_header(call, "Last-Event-ID")};
    Stream *stream = watch_job(call->desk->watch, &wish, error);
    if (!stream) {
        reply_set_header(&call->reply, "Retry-After", RETRY_AFTER);
        return false;
    }
    reply_take_stream(&call->reply, 200, "text/event-stream", stream);
    reply_set_header(&call->reply, "X-Accel-Buffering", "no");
    return true;
}

/* --- routes ----------------------------------------------------------------------------------- */

static const char *const statuses[] = {JOB_PENDING, JOB_RUNNING,   JOB_PARKED, JOB_COMPLETED,
                                       JOB_FAILED,  JOB_CANCELLED, NULL};
static const ShapeField list_fields[] = {SHAPE_FIELD("integrationId", STRING, 0, "Or its name."),
                                         SHAPE_FIELD("status", STRING, 0, NULL, .words = statuses),
                                         {0}};
static const Shape list_query = {.fields = list_fields};

const Route job_routes[] = {
    {.method = "GET",
     .path = "/api/jobs",
     .id = "listJobs",
     .tag = "Jobs",
     .summary = "Syncs, the newest first.",
     .access = ACCESS_ROLE,
     .action = ACTION_JOB_READ,
     .flags = ROUTE_LIST,
     .handle = list,
     .query = &list_query,
     .reply = &job_list_shape},
    {.method = "GET",
     .path = "/api/jobs/{id}",
     .id = "getJob",
     .tag = "Jobs",
     .summary = "One job: how far it is, or what came of it.",
     .access = ACCESS_ROLE,
     .action = ACTION_JOB_READ,
     .flags = ROUTE_OBJECT,
     .handle = get,
     .reply = &job_shape_of_api},
    {.method = "POST",
     .path = "/api/jobs/{id}/cancel",
     .id = "cancelJob",
     .tag = "Jobs",
     .summary = "Calls a job off; 202 when it is being run and ends within seconds.",
     .access = ACCESS_ROLE,
     .action = ACTION_JOB_CANCEL,
     .flags = ROUTE_LATER,
     .handle = cancel,
     .reply = &job_shape_of_api},
    {.method = "POST",
     .path = "/api/jobs/{id}/retry",
     .id = "retryJob",
     .tag = "Jobs",
     .summary = "Makes a job that waits due at once, and asks again for what one that ended asked.",
     .access = ACCESS_ROLE,
     .action = ACTION_INTEGRATION_SYNC,
     .handle = retry,
     .status = 202,
     .reply = &queued_shape},
    {.method = "GET",
     .path = "/api/jobs/{id}/events",
     .id = "watchJob",
     .tag = "Jobs",
     .summary = "What happens to a job, as server-sent events: progress, evidence, finding, done.",
     .access = ACCESS_ROLE,
     .action = ACTION_JOB_READ,
     .flags = ROUTE_STREAM,
     .handle = events,
     .media = "text/event-stream"},
    {0}};
