#include "api/integration_end.h"

#include "api/integration_row.h"
#include "store/job.h"
#include "store/purge.h"

#include <string.h>

#define DISCONNECTED "Disconnected on request."

/* --- disconnect ------------------------------------------------------------------------------- */

typedef struct {
    const Call *call;
    const Integration *row;
} DisconnectWork;

static bool call_off(DbUnit *unit, const char *integration_id, GError **error) {
    g_autoptr(GPtrArray) jobs = NULL;
    if (!job_list_active(unit, integration_id, &jobs, error))
        return false;
    for (guint i = 0; i < jobs->len; i++) {
        JobCancel how;
        if (!job_cancel(unit, ((const Job *)g_ptr_array_index(jobs, i))->id, &how, error))
            return false;
    }
    return true;
}

static bool disconnect_work(DbUnit *unit, void *data, GError **error) {
    const DisconnectWork *work = data;
    IntegrationStatus status = {.status = INTEGRATION_DISCONNECTED, .reason = DISCONNECTED};
    return call_off(unit, work->row->id, error) &&
           credential_delete_all(unit, work->row->id, NULL, error) &&
           integration_update_status(unit, work->row->id, &status, error) &&
           integration_row_audit(unit, work->call, AUDIT_INTEGRATION_DISCONNECTED, work->row, NULL,
                                 error);
}

static bool disconnect(Call *call, const Integration *row, GError **error) {
    DisconnectWork work = {call, row};
    return call_run(call, DB_WRITE, disconnect_work, &work, error);
}

/* --- purge ------------------------------------------------------------------------------------ */

typedef struct {
    const Call *call;
    const Integration *row;
    Purged purged;
} PurgeWork;

static Json *purged_json(const Purged *purged) {
    Json *json = json_new_object();
    json_put_int(json, "jobs", purged->jobs);
    json_put_int(json, "evidence", purged->evidence);
    json_put_int(json, "documents", purged->documents);
    json_put_int(json, "findings", purged->findings);
    json_put_int(json, "assessments", purged->assessments);
    return json;
}

static bool purge_work(DbUnit *unit, void *data, GError **error) {
    PurgeWork *work = data;
    if (!purge_integration(unit, work->row->id, &work->purged, error))
        return false;
    g_autoptr(Json) details = purged_json(&work->purged);
    return integration_row_audit(unit, work->call, AUDIT_INTEGRATION_PURGED, work->row, details,
                                 error);
}

static bool check_may_purge(Call *call, const Integration *row, GError **error) {
    RoleResource resource = {.integration_id = row->id, .owner_user_id = row->owner_user_id};
    return role_allows(&call->caller->subject, ACTION_INTEGRATION_PURGE, &resource) ||
           call_refuse(call, PROBLEM_FORBIDDEN, error, "The role %s does not allow this (%s).",
                       role_name(call->caller->subject.role),
                       role_action_name(ACTION_INTEGRATION_PURGE));
}

static bool purge(Call *call, const Integration *row, Json *removed_out, GError **error) {
    PurgeWork work = {.call = call, .row = row};
    if (!call_run(call, DB_WRITE, purge_work, &work, error))
        return false;
    json_put(removed_out, "removed", purged_json(&work.purged));
    json_put_string(removed_out, "kept",
                    "The leaves of the ledger, which are hashes, and the audit log.");
    return true;
}

/* --- the request ------------------------------------------------------------------------------ */

static Json *gone_json(const Integration *row, bool purged) {
    g_autofree char *step = g_strdup_printf(
        "What was stored here is wiped. The credential itself was made at %s and goes on to work "
        "until it is removed there.",
        row->provider);
    Json *json = json_new_object();
    json_put_bool(json, "success", true);
    json_put_string(json, "id", row->id);
    json_put_string(json, "status", purged ? "purged" : INTEGRATION_DISCONNECTED);
    json_put_bool(json, "revoked", false);
    json_put_string(json, "manualStep", step);
    return json;
}

bool integration_end(Call *call, GError **error) {
    g_auto(IntegrationRow) found = {0};
    bool purges = g_strcmp0(call_query(call, "purge"), "true") == 0;
    if (!integration_row_find(call, &found, error) ||
        !integration_row_require(call, found.row, error) ||
        (purges && !check_may_purge(call, found.row, error)))
        return false;
    g_autoptr(Json) now = integration_row_object(call, &found);
    g_autoptr(Json) json = gone_json(found.row, purges);
    return call_unchanged(call, now, error) && disconnect(call, found.row, error) &&
           (!purges || purge(call, found.row, json, error)) &&
           call_answer(call, 200, g_steal_pointer(&json));
}

/* --- shapes ----------------------------------------------------------------------------------- */

static const char *const truths[] = {"true", "false", NULL};
static const ShapeField query_fields[] = {
    SHAPE_FIELD("purge", STRING, 0, "true: remove it and all that came from it; for owners.",
                .words = truths),
    {0}};
const Shape integration_end_query = {.fields = query_fields};

static const ShapeField removed_fields[] = {
    SHAPE_FIELD("jobs", INTEGER, SHAPE_REQUIRED, "With their journals."),
    SHAPE_FIELD("evidence", INTEGER, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("documents", INTEGER, SHAPE_REQUIRED, "Data that nothing else refers to."),
    SHAPE_FIELD("findings", INTEGER, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("assessments", INTEGER, SHAPE_REQUIRED, NULL),
    {0}};
static const Shape removed_shape = {.name = "Removed", .fields = removed_fields};

static const ShapeField gone_fields[] = {
    SHAPE_FIELD("success", BOOLEAN, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("id", ID, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("status", STRING, SHAPE_REQUIRED, "disconnected, or purged."),
    SHAPE_FIELD("revoked", BOOLEAN, SHAPE_REQUIRED, "Whether the service has taken it back."),
    SHAPE_FIELD("manualStep", STRING, SHAPE_REQUIRED | SHAPE_NULLABLE, "What is left to do."),
    SHAPE_FIELD("removed", OBJECT, 0, "By a purge.", .of = &removed_shape),
    SHAPE_FIELD("kept", STRING, 0, "What a purge leaves."),
    {0}};
const Shape integration_end_shape = {.name = "Disconnected", .fields = gone_fields};
