#include "api/control_collect.h"

#include "api/call.h"
#include "api/control_ref.h"
#include "api/integration_sync.h"
#include "api/object_shape.h"
#include "base/error.h"
#include "store/job.h"
#include "sync/queue.h"
#include "sync/schedule.h"

#include <string.h>

/* What is kept while the call waits. */
typedef struct {
    ControlRef ref;
    Json *errors;
} Collecting;

static void collecting_free(void *data) {
    Collecting *collecting = data;
    json_free(collecting->errors);
    g_free(collecting);
}

static void add_error(Json *errors, const char *integration_id, const GError *error) {
    ErrorCode code = error_code_of(error);
    Json *json = json_new_object();
    json_put_string(json, "integrationId", integration_id);
    json_put_string(json, "code", error_code_name(code));
    json_put_string(json, "message", error->message);
    json_put_bool(json, "retryable", error_code_retryable(code));
    json_add(errors, json);
}

/* --- integrations ----------------------------------------------------------------------------- */

typedef struct {
    GPtrArray *rows; /* Integration */
} ListWork;

static void free_row(void *row) {
    integration_free(row);
}

static bool list_work(DbUnit *unit, void *data, GError **error) {
    ListWork *work = data;
    IntegrationFilter filter = {.limit = STORE_LIST_MAX};
    guint read = 0;
    g_clear_pointer(&work->rows, g_ptr_array_unref);
    work->rows = g_ptr_array_new_with_free_func(free_row);
    do {
        GPtrArray *page = NULL;
        if (!integration_list(unit, &filter, &page, error))
            return false;
        read = page->len;
        g_ptr_array_extend_and_steal(work->rows, page);
        if (read > 0)
            filter.after_id =
                ((const Integration *)g_ptr_array_index(work->rows, work->rows->len - 1))->id;
    } while (read == STORE_LIST_MAX);
    return true;
}

/* Whoever may not sync an integration does not do so by way of a control. */
static bool may_sync(const Call *call, const Integration *row) {
    RoleResource resource = {.integration_id = row->id, .owner_user_id = row->owner_user_id};
    return schedule_runs(row) &&
           role_allows(&call->caller->subject, ACTION_INTEGRATION_SYNC, &resource);
}

/* --- queueing --------------------------------------------------------------------------------- */

typedef struct {
    Call *call;
    IntegrationTarget target;
    const SyncRequest *request;
    Job *job;
} QueueWork;

static void queue_work_clear(QueueWork *work) {
    g_clear_pointer(&work->job, job_free);
    integration_target_clear(&work->target);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(QueueWork, queue_work_clear)

/* It may have been paused, or given to somebody, since it was listed. */
static bool queue_work(DbUnit *unit, void *data, GError **error) {
    QueueWork *work = data;
    g_clear_pointer(&work->job, job_free);
    return integration_target_read(unit, &work->target, error) &&
           (!may_sync(work->call, work->target.found.row) ||
            integration_sync_in(unit, work->call, &work->target, work->request, &work->job, error));
}

/* *job_out is NULL when nothing of the integration supports the control. */
static bool queue_one(Call *call, const Integration *row, const char *control, char **job_out,
                      GError **error) {
    const char *const controls[] = {control, NULL};
    const SyncRequest request = {.controls = controls, .cause = SYNC_PERSON};
    g_auto(QueueWork) work = {.call = call, .request = &request};
    g_autoptr(GError) failure = NULL;
    if (!integration_target_init_row(&work.target, call, row, error))
        return false;
    if (call_run(call, DB_WRITE, queue_work, &work, &failure)) {
        *job_out = work.job ? g_strdup(work.job->id) : NULL;
        return true;
    }
    if (error_code_of(failure) == ERROR_USAGE)
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

/* Ids of the jobs, ends in NULL. An integration that cannot be asked does not hold up the others.
 */
static char **queue_all(Call *call, const GPtrArray *rows, const Collecting *collecting) {
    const ControlRef *ref = &collecting->ref;
    g_autofree char *control = g_strdup_printf("%s:%s", ref->framework->id, ref->control->id);
    GPtrArray *ids = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++) {
        const Integration *row = g_ptr_array_index(rows, i);
        g_autoptr(GError) failure = NULL;
        char *id = NULL;
        if (may_sync(call, row) && !queue_one(call, row, control, &id, &failure))
            add_error(collecting->errors, row->id, failure);
        if (id)
            g_ptr_array_add(ids, id);
    }
    if (ids->len > 0 && call->desk->config.queued)
        call->desk->config.queued(call->desk->config.data);
    g_ptr_array_add(ids, NULL);
    return (char **)g_ptr_array_free(ids, FALSE);
}

/* --- answers ---------------------------------------------------------------------------------- */

static Json *list_of(char *const *ids) {
    Json *list = json_new_array();
    for (; ids && *ids; ids++)
        json_add_string(list, *ids);
    return list;
}

typedef struct {
    char **ids;
    int64_t evidence;
    GPtrArray *errors; /* Json, of this try */
} ResultWork;

static void free_json(void *json) {
    json_free(json);
}

static void take_errors(ResultWork *work, const Job *job, const char *text) {
    g_autoptr(Json) result = text ? json_parse(text, strlen(text), STORE_JSON_MAX, NULL) : NULL;
    const Json *errors = json_member(result, "errors");
    work->evidence += json_member_int(result, "evidenceCollected", 0);
    for (size_t i = 0; i < json_count(errors); i++) {
        Json *json = json_copy_deep(json_item(errors, i));
        json_put_string(json, "integrationId", job->integration_id);
        g_ptr_array_add(work->errors, json);
    }
}

static void take_failure(ResultWork *work, const Job *job, const char *text) {
    Json *json = text ? json_parse(text, strlen(text), STORE_JSON_MAX, NULL) : NULL;
    if (!json)
        return;
    json_put_string(json, "integrationId", job->integration_id);
    g_ptr_array_add(work->errors, json);
}

/* One that was called off before it ran has left nothing. */
static bool read_result(DbUnit *unit, const char *id, JobResult **result_out, GError **error) {
    g_autoptr(GError) failure = NULL;
    if (job_result_get(unit, id, result_out, &failure) ||
        g_error_matches(failure, ASSAY_ERROR, ERROR_NOT_FOUND))
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool result_work(DbUnit *unit, void *data, GError **error) {
    ResultWork *work = data;
    work->evidence = 0;
    g_clear_pointer(&work->errors, g_ptr_array_unref);
    work->errors = g_ptr_array_new_with_free_func(free_json);
    for (char **id = work->ids; *id; id++) {
        g_autoptr(Job) job = NULL;
        g_autoptr(JobResult) result = NULL;
        if (!job_get(unit, *id, &job, error) || !read_result(unit, *id, &result, error))
            return false;
        take_errors(work, job, result ? result->result : NULL);
        take_failure(work, job, result ? result->error : NULL);
    }
    return true;
}

static bool answer(Call *call, const Collecting *collecting, char **ids, GError **error) {
    ResultWork work = {.ids = ids};
    const ControlRef *ref = &collecting->ref;
    bool ok = call_run(call, DB_READ, result_work, &work, error);
    g_autoptr(GPtrArray) errors = work.errors;
    Json *control = ok ? control_ref_object(call, ref, error) : NULL;
    if (!control)
        return false;
    Json *json = json_new_object();
    for (guint i = 0; i < errors->len; i++)
        json_add(collecting->errors, json_ref(g_ptr_array_index(errors, i)));
    json_put_string(json, "framework", ref->framework->id);
    json_put_string(json, "controlId", ref->control->id);
    json_put_int(json, "evidenceCount", work.evidence);
    json_put_string(json, "complianceStatus", json_member_string(control, "status", NULL));
    json_put_real(json, "confidence", json_member_real(control, "confidence", 0));
    json_put(json, "control", control);
    json_put(json, "jobs", list_of(ids));
    json_put(json, "errors", json_ref(collecting->errors));
    return call_answer(call, 200, json);
}

static bool answer_later(Call *call, char *const *ids) {
    g_autofree char *events = g_strdup_printf("/api/jobs/%s/events", ids[0]);
    g_autofree char *location = g_strdup_printf("/api/jobs/%s", ids[0]);
    Json *json = json_new_object();
    json_put_string(json, "jobId", ids[0]);
    json_put_string(json, "events", events);
    json_put(json, "jobs", list_of(ids));
    reply_set_header(&call->reply, "Location", location);
    return call_answer(call, 202, json);
}

static bool go_on(Call *call, GError **error) {
    return call->jobs.ended ? answer(call, call->jobs.held, call->jobs.ids, error)
                            : answer_later(call, call->jobs.ids);
}

/* --- the request ------------------------------------------------------------------------------ */

static bool collect(Call *call, GError **error) {
    ListWork work = {0};
    ControlRef ref;
    const char *framework = json_member_string(call->body, "framework", NULL);
    const char *control = json_member_string(call->body, "controlId", "");
    if (!control_ref_find(call, framework, control, &ref, error))
        return false;
    bool ok = call_run(call, DB_READ, list_work, &work, error);
    g_autoptr(GPtrArray) rows = work.rows;
    if (!ok)
        return false;
    Collecting *collecting = g_new0(Collecting, 1);
    collecting->ref = ref;
    collecting->errors = json_new_array();
    CallJobs jobs = {.resume = go_on, .held = collecting, .free_held = collecting_free};
    if (!integration_sync_prepare(call, error)) {
        collecting_free(collecting);
        return false;
    }
    jobs.ids = queue_all(call, rows, collecting);
    if (jobs.ids[0])
        return call_wait_jobs(call, &jobs);
    ok = answer(call, collecting, jobs.ids, error);
    g_strfreev(jobs.ids);
    collecting_free(collecting);
    return ok;
}

/* --- routes ----------------------------------------------------------------------------------- */

static const ShapeField wish_fields[] = {
    SHAPE_FIELD("organizationId", STRING, 0, NULL),
    SHAPE_FIELD("companyId", STRING, 0, NULL),
    SHAPE_FIELD("accountId", STRING, 0, NULL),
    SHAPE_FIELD("controlId", STRING, SHAPE_REQUIRED,
                "By any style of its id: IA.1.076, soc2:CC8.1."),
    SHAPE_FIELD("framework", STRING, 0, "When several have a control of this id."),
    {0}};
static const Shape wish_shape = {.name = "CollectRequest", .fields = wish_fields};

static const ShapeField error_fields[] = {
    SHAPE_FIELD("integrationId", STRING, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("evidenceType", STRING, SHAPE_NULLABLE, NULL),
    SHAPE_FIELD("code", STRING, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("message", STRING, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("retryable", BOOLEAN, 0, NULL),
    {0}};
static const Shape error_shape = {.name = "CollectError", .fields = error_fields, .open = true};

static const ShapeField reply_fields[] = {
    SHAPE_FIELD("framework", STRING, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("controlId", STRING, SHAPE_REQUIRED, "As the framework writes it."),
    SHAPE_FIELD("evidenceCount", INTEGER, SHAPE_REQUIRED, "Records that were made."),
    SHAPE_FIELD("complianceStatus", STRING, SHAPE_REQUIRED, "The control's status, as of now."),
    SHAPE_FIELD("confidence", NUMBER, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("control", OBJECT, SHAPE_REQUIRED, NULL, .of = &control_shape),
    SHAPE_FIELD("jobs", ARRAY, SHAPE_REQUIRED, "Ids.", .items = SHAPE_STRING),
    SHAPE_FIELD("errors", ARRAY, SHAPE_REQUIRED, "What could not be collected.",
                .of = &error_shape),
    {0}};
static const Shape reply_shape = {.name = "Collected", .fields = reply_fields};

const Route control_collect_routes[] = {
    {.method = "POST",
     .path = "/api/integrations/collect-evidence",
     .id = "collectEvidence",
     .tag = "Compliance",
     .summary = "Collects, from all that is connected, what supports a control.",
     .access = ACCESS_ROLE,
     .action = ACTION_CONTROL_COLLECT,
     .flags = ROUTE_WAITS,
     .handle = collect,
     .body = &wish_shape,
     .reply = &reply_shape},
    {0}};
