#include "api/exceptions.h"

#include "api/call.h"
#include "api/control_ref.h"
#include "api/people_shape.h"
#include "base/clock.h"
#include "store/control_exception.h"

typedef struct {
    const Call *call;
    ControlException row;
} ExceptionWork;

static bool find(Call *call, ExceptionWork *work, GError **error) {
    ControlRef ref;
    if (!control_ref_find(call, call_query(call, "framework"), call_parameter(call, "id"), &ref,
                          error))
        return false;
    work->call = call;
    work->row.framework = ref.framework->id;
    work->row.control_id = ref.control->id;
    return true;
}

static bool audit(DbUnit *unit, const ExceptionWork *work, AuditAction action, GError **error) {
    AuditActor actor = call_actor(work->call);
    g_autofree char *target = g_strdup_printf("%s:%s", work->row.framework, work->row.control_id);
    g_autoptr(Json) details = json_new_object();
    json_put_string(details, "why", work->row.why);
    json_put_time(details, "until", work->row.until_at);
    AuditEntry entry = {.action = action,
                        .actor = &actor,
                        .target_kind = "control",
                        .target_id = target,
                        .target_name = target,
                        .details = action == AUDIT_EXCEPTION_SET ? details : NULL};
    return audit_add(unit, &entry, error);
}

static bool put_work(DbUnit *unit, void *data, GError **error) {
    const ExceptionWork *work = data;
    return control_exception_upsert(unit, &work->row, error) &&
           audit(unit, work, AUDIT_EXCEPTION_SET, error);
}

static bool read_end(Call *call, int64_t now_ms, int64_t *until_out, GError **error) {
    const char *text = json_member_string(call->body, "until", NULL);
    if (!text || (clock_parse(text, until_out) && *until_out > now_ms))
        return true;
    return call_wrong(call, error, "/until", "must be in the future");
}

static bool put(Call *call, GError **error) {
    const Caller *caller = call->caller;
    ExceptionWork work = {.row = {.who = caller->name ? caller->name : caller->id,
                                  .why = json_member_string(call->body, "reason", NULL),
                                  .created_at = clock_now_ms()}};
    if (!find(call, &work, error) ||
        !read_end(call, work.row.created_at, &work.row.until_at, error) ||
        !call_run(call, DB_WRITE, put_work, &work, error))
        return false;
    Json *json = json_new_object();
    json_put_string(json, "framework", work.row.framework);
    json_put_string(json, "controlId", work.row.control_id);
    json_put_string(json, "reason", work.row.why);
    json_put_string(json, "by", work.row.who);
    json_put_time(json, "until", work.row.until_at);
    json_put_time(json, "createdAt", work.row.created_at);
    return call_answer(call, 200, json);
}

static bool delete_work(DbUnit *unit, void *data, GError **error) {
    const ExceptionWork *work = data;
    return control_exception_delete(unit, work->row.framework, work->row.control_id, error) &&
           audit(unit, work, AUDIT_EXCEPTION_REMOVED, error);
}

static bool delete (Call *call, GError **error) {
    ExceptionWork work = {0};
    if (!find(call, &work, error) || !call_run(call, DB_WRITE, delete_work, &work, error))
        return false;
    return call_answer_success(call);
}

/* --- routes ----------------------------------------------------------------------------------- */

static const ShapeField query_fields[] = {
    SHAPE_FIELD("framework", STRING, 0, "Its id, or another of its names."), {0}};
static const Shape query = {.fields = query_fields};
static const ShapeField wish_fields[] = {
    SHAPE_FIELD("reason", STRING, SHAPE_REQUIRED | SHAPE_LINES, "Why.", .most = STORE_SENTENCE_MAX),
    SHAPE_FIELD("until", TIME, 0, "By default without end."),
    {0}};
static const Shape wish_shape = {.name = "ExceptionRequest", .fields = wish_fields};
static const ShapeField exception_fields[] = {
    SHAPE_FIELD("framework", STRING, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("controlId", STRING, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("reason", STRING, SHAPE_REQUIRED | SHAPE_LINES, NULL),
    SHAPE_FIELD("by", STRING, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("until", TIME, SHAPE_REQUIRED | SHAPE_NULLABLE, "null: without end."),
    SHAPE_FIELD("createdAt", TIME, SHAPE_REQUIRED, NULL),
    {0}};
static const Shape exception_shape = {.name = "ControlException", .fields = exception_fields};

const Route exception_routes[] = {
    {.method = "PUT",
     .path = "/api/controls/{id}/exception",
     .id = "setException",
     .tag = "Compliance",
     .summary = "Excepts a control; it is not counted until the exception ends.",
     .access = ACCESS_ROLE,
     .action = ACTION_CONTROL_CHANGE,
     .handle = put,
     .query = &query,
     .body = &wish_shape,
     .reply = &exception_shape},
    {.method = "DELETE",
     .path = "/api/controls/{id}/exception",
     .id = "removeException",
     .tag = "Compliance",
     .summary = "Ends the exception of a control.",
     .access = ACCESS_ROLE,
     .action = ACTION_CONTROL_CHANGE,
     .handle = delete,
     .query = &query,
     .reply = &success_shape},
    {0}};
