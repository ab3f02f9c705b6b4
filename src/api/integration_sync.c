#include "api/integration_sync.h"

#include "api/integration_row.h"
#include "base/clock.h"
#include "present/job_object.h"
#include "store/job.h"
#include "sync/queue.h"
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

typedef struct {
    const Call *call;
    const Integration *row;
    const char *job_id;
    Job *job;
} SyncWork;

static bool sync_work(DbUnit *unit, void *data, GError **error) {
    SyncWork *work = data;
    g_clear_pointer(&work->job, job_free);
    return job_get(unit, work->job_id, &work->job, error) &&
           integration_row_audit(unit, work->call, AUDIT_SYNC_STARTED, work->row, NULL, error);
}

static void announce(const Call *call) {
    const ApiConfig *config = &call->desk->config;
    if (config->queued)
        config->queued(config->data);
}

bool integration_sync_queued(Call *call, const Integration *row, const char *job_id,
                             Json **json_out, GError **error) {
    SyncWork work = {.call = call, .row = row, .job_id = job_id};
    if (!call_run(call, DB_WRITE, sync_work, &work, error)) {
        g_clear_pointer(&work.job, job_free);
        return false;
    }
    g_autofree char *events = g_strdup_printf("/api/jobs/%s/events", job_id);
    g_autofree char *location = g_strdup_printf("/api/jobs/%s", job_id);
    Json *json = json_new_object();
    json_put_string(json, "jobId", job_id);
    json_put_string(json, "events", events);
    json_put(json, "job", job_object(work.job, NULL, NULL));
    job_free(work.job);
    reply_set_header(&call->reply, "Location", location);
    announce(call);
    *json_out = json;
    return true;
}

bool integration_sync_runs(Call *call, const Integration *row, GError **error) {
    if (schedule_runs(row))
        return true;
    return call_refuse(call, PROBLEM_CONFLICT, error, "This integration is %s.", row->status);
}

static bool queue(Call *call, const Integration *row, const SyncRequest *request, Json **json_out,
                  GError **error) {
    const Definition *definition = integration_row_definition(call, row, error);
    g_autofree char *job_id = NULL;
    return definition && integration_sync_runs(call, row, error) &&
           queue_sync(call_db(call), &call->scope, row, definition, request, &job_id, error) &&
           integration_sync_queued(call, row, job_id, json_out, error);
}

bool integration_sync_all(Call *call, const Integration *row, Json **json_out, GError **error) {
    SyncRequest request = {.data_dir = call->desk->config.data_dir, .cause = SYNC_PERSON};
    return queue(call, row, &request, json_out, error);
}

bool integration_sync(Call *call, GError **error) {
    g_auto(IntegrationRow) found = {0};
    const Json *range = json_member(call->body, "dateRange");
    g_autofree const char **types = texts_of(json_member(call->body, "evidenceTypes"));
    g_autofree const char **controls = texts_of(json_member(call->body, "controlIds"));
    SyncRequest request = {.evidence_types = types,
                           .controls = controls,
                           .from_ms = time_of(range, "start"),
                           .to_ms = time_of(range, "end"),
                           .data_dir = call->desk->config.data_dir,
                           .cause = SYNC_PERSON};
    if (request.from_ms && request.to_ms && request.from_ms >= request.to_ms)
        return call_wrong(call, error, "/dateRange/start", "must be earlier than end");
    Json *json = NULL;
    return integration_row_find(call, &found, error) &&
           integration_row_require(call, found.row, error) &&
           queue(call, found.row, &request, &json, error) && call_answer(call, 202, json);
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
