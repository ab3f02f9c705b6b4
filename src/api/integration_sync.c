#include "api/integration_sync.h"

#include "api/revision.h"
#include "base/clock.h"
#include "present/job_object.h"
#include "sync/owner.h"
#include "sync/schedule.h"

#include <string.h>

/* --- the job ---------------------------------------------------------------------------- */

static const char **texts_of(const Json *list) {
    const char **texts = g_new0(const char *, json_count(list) + 1);
    for (size_t i = 0; i < json_count(list); i++)
        texts[i] = json_text(json_item(list, i));
    return texts;
}

static int64_t time_of(const Json *range, const char *member) {
    int64_t time = 0;
    const char *text = json_member_string(range, member, NULL);
    return text && clock_parse(text, &time) ? time : 0;
}

bool integration_sync_prepare(Call *call, GError **error) {
    const char *data_dir = call->desk->config.data_dir;
    return !data_dir || owner_release_dead(data_dir, call_db(call), error);
}

bool integration_sync_runs(Call *call, const Integration *row, GError **error) {
    if (schedule_runs(row))
        return true;
    return call_refuse(call, PROBLEM_CONFLICT, error, "This integration is %s.", row->status);
}

bool integration_sync_noted(DbUnit *unit, const Call *call, const Integration *row,
                            const char *job_id, Job **job_out, GError **error) {
    g_autoptr(Json) details = queue_details(job_id);
    g_clear_pointer(job_out, job_free);
    return job_get(unit, job_id, job_out, error) &&
           integration_row_audit(unit, call, AUDIT_SYNC_STARTED, row, details, error);
}

bool integration_sync_in(DbUnit *unit, Call *call, const IntegrationTarget *target,
                         const SyncRequest *request, Job **job_out, GError **error) {
    const Integration *row = target->found.row;
    g_autofree char *id = NULL;
    return integration_sync_runs(call, row, error) &&
           queue_sync_in(unit, row, target->definition, request, &id, NULL, error) &&
           integration_sync_noted(unit, call, row, id, job_out, error);
}

Json *integration_sync_told(Call *call, const Job *job) {
    const ApiConfig *config = &call->desk->config;
    g_autofree char *events = g_strdup_printf("/api/jobs/%s/events", job->id);
    g_autofree char *location = g_strdup_printf("/api/jobs/%s", job->id);
    Json *json = json_new_object();
    json_put_string(json, "jobId", job->id);
    json_put_string(json, "events", events);
    json_put(json, "job", job_object(job, NULL, NULL));
    reply_set_header(&call->reply, "Location", location);
    if (config->queued)
        config->queued(config->data);
    return json;
}

/* --- the request ------------------------------------------------------------------------------ */

typedef struct {
    IntegrationTarget target;
    SyncRequest request;
    Job *job;
} Sync;

static void sync_clear(Sync *sync) {
    job_free(sync->job);
    integration_target_clear(&sync->target);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sync, sync_clear)

static bool write_job(DbUnit *unit, Call *call, void *data, GError **error) {
    Sync *sync = data;
    return integration_sync_in(unit, call, &sync->target, &sync->request, &sync->job, error);
}

static const Revision syncing = {.read = integration_target_read,
                                 .may = integration_target_may,
                                 .show = integration_target_show,
                                 .write = write_job,
                                 .removes = true};

/* A range without an end ends now. */
static bool check_range(Call *call, const SyncRequest *request, GError **error) {
    if (request->from_ms == 0)
        return true;
    if (request->to_ms != 0)
        return request->from_ms < request->to_ms ||
               call_wrong(call, error, "/dateRange/start", "must be earlier than end");
    return request->from_ms < clock_now_ms() ||
           call_wrong(call, error, "/dateRange/start", "must not be in the future");
}

bool integration_sync(Call *call, GError **error) {
    g_auto(Sync) sync = {0};
    const Json *range = json_member(call->body, "dateRange");
    g_autofree const char **types = texts_of(json_member(call->body, "evidenceTypes"));
    g_autofree const char **controls = texts_of(json_member(call->body, "controlIds"));
    sync.request = (SyncRequest){.evidence_types = types,
                                 .controls = controls,
                                 .from_ms = time_of(range, "start"),
                                 .to_ms = time_of(range, "end"),
                                 .cause = SYNC_PERSON};
    if (!check_range(call, &sync.request, error))
        return false;
    return integration_target_init(&sync.target, call, error) &&
           integration_sync_prepare(call, error) && revision_make(call, &syncing, &sync, error) &&
           call_answer(call, 202, integration_sync_told(call, sync.job));
}

/* --- shape ------------------------------------------------------------------------------------ */

static const ShapeField range_fields[] = {
    SHAPE_FIELD("start", TIME, 0, NULL), SHAPE_FIELD("end", TIME, 0, NULL), {0}};
static const Shape range_shape = {.fields = range_fields};
static const ShapeField sync_fields[] = {
    SHAPE_FIELD("organizationId", STRING, 0, NULL),
    SHAPE_FIELD("companyId", STRING, 0, NULL),
    SHAPE_FIELD("accountId", STRING, 0, NULL),
    SHAPE_FIELD("evidenceTypes", ARRAY, 0, "By default all.", .items = SHAPE_STRING),
    SHAPE_FIELD("controlIds", ARRAY, 0, "Only what supports these.", .items = SHAPE_STRING),
    SHAPE_FIELD("dateRange", OBJECT, 0, "Of logs.", .of = &range_shape),
    {0}};
const Shape integration_sync_shape = {.name = "SyncRequest", .fields = sync_fields};
