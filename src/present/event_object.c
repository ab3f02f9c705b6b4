#include "present/event_object.h"

#include "present/job_object.h"
#include "present/schedule_object.h"

#include <string.h>

typedef bool (*PutFacts)(Json *json, const EventFacts *facts);

static void put_all(Json *json, const Json *more) {
    void *iterator = NULL;
    const char *name;
    Json *value;
    while (more && json_next(more, &iterator, &name, &value))
        json_put(json, name, json_ref(value));
}

/* --- what is looked up ------------------------------------------------------------------------ */

static bool put_job(Json *json, const EventFacts *facts) {
    if (!facts->job)
        return false;
    g_autoptr(Json) job = job_object(facts->job, facts->result, NULL);
    put_all(json, job);
    return true;
}

static bool put_integration(Json *json, const EventFacts *facts) {
    const Integration *row = facts->integration;
    if (json_member_bool(json, "removed", false))
        return true;
    if (!row)
        return false;
    json_put_string(json, "integrationType", row->provider);
    json_put_string(json, "name", row->name);
    json_put_string(json, "status", row->status);
    json_put_string(json, "statusReason", row->status_reason);
    json_put_string(json, "errorMessage", row->error_message);
    json_put_time(json, "lastSyncAt", row->last_sync_at);
    json_put_time(json, "nextCheckAt", row->next_check_at);
    json_put_time(json, "updatedAt", row->updated_at);
    return true;
}

static bool put_schedule(Json *json, const EventFacts *facts) {
    if (!facts->schedule)
        return false;
    json_put_string(json, "scheduleId", facts->schedule->id);
    json_remove(json, "id");
    json_put(json, "schedule", schedule_object(facts->schedule));
    return true;
}

/* --- kinds ------------------------------------------------------------------------------------ */

static const struct {
    const char *kind;
    const char *name;
    PutFacts put; /* NULL: the event says all itself */
} kinds[] = {
    {EVENT_JOB, "progress", NULL},
    {EVENT_DONE, "done", put_job},
    {EVENT_EVIDENCE, "evidence", NULL},
    {EVENT_FINDING, "finding", NULL},
    {EVENT_INTEGRATION, "integration", put_integration},
    {EVENT_SCHEDULE, "schedule", put_schedule},
};

static int index_of(const char *kind) {
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (strcmp(kinds[i].kind, kind) == 0)
            return (int)i;
    return -1;
}

const char *event_name(const char *kind) {
    int index = index_of(kind);
    return index < 0 ? NULL : kinds[index].name;
}

static Json *about(const char *organization_id, const char *integration_id, const char *job_id) {
    Json *json = json_new_object();
    json_put_string(json, "organizationId", organization_id);
    json_put_string(json, "integrationId", integration_id);
    if (job_id)
        json_put_string(json, "jobId", job_id);
    return json;
}

Json *event_object(const char *organization_id, const Event *event, const EventFacts *facts) {
    int index = index_of(event->kind);
    g_autoptr(Json) json = about(organization_id, event->integration_id, event->job_id);
    g_autoptr(Json) data = json_parse(event->data, strlen(event->data), STORE_JSON_MAX, NULL);
    if (index < 0 || !data)
        return NULL;
    put_all(json, data);
    if (kinds[index].put && !kinds[index].put(json, facts))
        return NULL;
    return g_steal_pointer(&json);
}

Json *event_progress_object(const char *organization_id, const char *integration_id,
                            const char *job_id, const Json *progress) {
    Json *json = about(organization_id, integration_id, job_id);
    json_put_string(json, "status", JOB_RUNNING);
    put_all(json, progress);
    return json;
}
