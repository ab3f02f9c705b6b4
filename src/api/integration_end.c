#include "api/integration_end.h"

#include "api/integration_row.h"
#include "api/revision.h"
#include "store/job.h"
#include "store/purge.h"

#include <string.h>

#define DISCONNECTED "Disconnected on request."

typedef struct {
    IntegrationTarget target;
    bool purges;
    Purged purged;
} End;

/* --- disconnect ------------------------------------------------------------------------------- */

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

static bool disconnect(DbUnit *unit, Call *call, void *data, GError **error) {
    const Integration *row = ((const End *)data)->target.found.row;
    IntegrationStatus status = {.status = INTEGRATION_DISCONNECTED, .reason = DISCONNECTED};
    return call_off(unit, row->id, error) && credential_delete_all(unit, row->id, NULL, error) &&
           integration_update_status(unit, row->id, &status, error) &&
           integration_row_audit(unit, call, AUDIT_INTEGRATION_DISCONNECTED, row, NULL, error);
}

/* --- purge ------------------------------------------------------------------------------------ */

static Json *purged_json(const Purged *purged) {
    Json *json = json_new_object();
    json_put_int(json, "jobs", purged->jobs);
    json_put_int(json, "evidence", purged->evidence);
    json_put_int(json, "documents", purged->documents);
    json_put_int(json, "findings", purged->findings);
    json_put_int(json, "assessments", purged->assessments);
    return json;
}

static bool purge(DbUnit *unit, Call *call, void *data, GError **error) {
    End *end = data;
    const Integration *row = end->target.found.row;
    if (!purge_integration(unit, row->id, &end->purged, error))
        return false;
    g_autoptr(Json) details = purged_json(&end->purged);
    return integration_row_audit(unit, call, AUDIT_INTEGRATION_PURGED, row, details, error);
}

static bool may_end(Call *call, const void *data, GError **error) {
    const End *end = data;
    const Integration *row = end->target.found.row;
    RoleResource resource = {.integration_id = row->id, .owner_user_id = row->owner_user_id};
    if (!integration_target_may(call, data, error))
        return false;
    return !end->purges ||
           role_allows(&call->caller->subject, ACTION_INTEGRATION_PURGE, &resource) ||
           call_refuse(call, PROBLEM_FORBIDDEN, error, "The role %s does not allow this (%s).",
                       role_name(call->caller->subject.role),
                       role_action_name(ACTION_INTEGRATION_PURGE));
}

/* --- the request ------------------------------------------------------------------------------ */

static const Revision ending = {.read = integration_target_read,
                                .may = may_end,
                                .show = integration_target_show,
                                .write = disconnect,
                                .removes = true};

typedef struct {
    Call *call;
    End *end;
} PurgeWork;

/* Somebody may have connected it again since it was disconnected. */
static bool is_gone(const PurgeWork *work, GError **error) {
    const Integration *row = work->end->target.found.row;
    call_forget_refusal(work->call);
    return strcmp(row->status, INTEGRATION_DISCONNECTED) == 0 ||
           call_refuse(work->call, PROBLEM_CONFLICT, error, "%s",
                       "The integration was connected again meanwhile; nothing was removed.");
}

static bool purge_work(DbUnit *unit, void *data, GError **error) {
    const PurgeWork *work = data;
    return integration_target_read(unit, &work->end->target, error) && is_gone(work, error) &&
           purge(unit, work->call, work->end, error);
}

/* In a unit of its own: what is disconnected stays so when a job is still being run. */
static bool purge_now(Call *call, End *end, GError **error) {
    PurgeWork work = {call, end};
    return !end->purges || call_run(call, DB_WRITE, purge_work, &work, error);
}

static Json *gone_json(const End *end) {
    const Integration *row = end->target.found.row;
    g_autofree char *step = g_strdup_printf(
        "What was stored here is wiped. The credential itself was made at %s and goes on to work "
        "until it is removed there.",
        row->provider);
    Json *json = json_new_object();
    json_put_bool(json, "success", true);
    json_put_string(json, "id", row->id);
    json_put_string(json, "status", end->purges ? "purged" : INTEGRATION_DISCONNECTED);
    json_put_bool(json, "revoked", false);
    json_put_string(json, "manualStep", step);
    if (!end->purges)
        return json;
    json_put(json, "removed", purged_json(&end->purged));
    json_put_string(json, "kept", "The leaves of the ledger, which are hashes, and the audit log.");
    return json;
}

static void end_clear(End *end) {
    integration_target_clear(&end->target);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(End, end_clear)

bool integration_end(Call *call, GError **error) {
    g_auto(End) end = {.purges = g_strcmp0(call_query(call, "purge"), "true") == 0};
    return integration_target_init_bare(&end.target, call, error) &&
           revision_make(call, &ending, &end, error) && purge_now(call, &end, error) &&
           call_answer(call, 200, gone_json(&end));
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
