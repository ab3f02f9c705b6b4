#include "api/organizations.h"

#include "api/call.h"
#include "api/entry.h"
#include "api/people_shape.h"
#include "api/revision.h"
#include "present/people_object.h"
#include "store/audit.h"
#include "store/organization.h"
#include "store/organization_end.h"

#include <string.h>

/* --- lists ------------------------------------------------------------------------------------ */

static bool list_all(Call *call, GError **error) {
    return call_answer_roll(call, &organization_roll, error);
}

/* --- one -------------------------------------------------------------------------------------- */

typedef struct {
    Call *call;
    const char *id;
    const char *name; /* a new one */
    Organization *row;
} OneWork;

static void one_work_clear(OneWork *work) {
    g_clear_pointer(&work->row, organization_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(OneWork, one_work_clear)

static bool get_work(DbUnit *unit, void *data, GError **error) {
    OneWork *work = data;
    one_work_clear(work);
    return organization_get(unit, &work->row, error);
}

static bool get(Call *call, GError **error) {
    g_auto(OneWork) work = {.call = call};
    return call_run(call, DB_READ, get_work, &work, error) &&
           call_answer(call, 200, organization_object(work.row));
}

static bool note(DbUnit *unit, const OneWork *work, AuditAction action, GError **error) {
    AuditActor actor = call_actor(work->call);
    AuditEntry entry = {.action = action,
                        .actor = &actor,
                        .target_kind = "organization",
                        .target_id = work->row->id,
                        .target_name = work->row->name};
    return audit_add(unit, &entry, error);
}

static Json *show_one(const Call *call, const void *data) {
    (void)call;
    return organization_object(((const OneWork *)data)->row);
}

static bool write_name(DbUnit *unit, Call *call, void *data, GError **error) {
    OneWork *work = data;
    (void)call;
    return organization_rename(unit, work->name, error) && get_work(unit, work, error) &&
           note(unit, work, AUDIT_ORGANIZATION_RENAMED, error);
}

static const Revision renaming = {.read = get_work, .show = show_one, .write = write_name};

static bool change(Call *call, GError **error) {
    g_auto(OneWork) work = {.call = call, .name = json_member_string(call->body, "name", "")};
    return revision_make(call, &renaming, &work, error) &&
           call_answer(call, 200, organization_object(work.row));
}

/* --- any of the installation ------------------------------------------------------------------ */

static bool find_work(DbUnit *unit, void *data, GError **error) {
    OneWork *work = data;
    one_work_clear(work);
    if (!organization_find_by_name(unit, work->id, &work->row, error))
        return false;
    if (!work->row)
        g_set_error_literal(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                            "There is no such organization in this installation.");
    return work->row != NULL;
}

static bool change_any(Call *call, GError **error) {
    g_auto(OneWork) work = {.call = call,
                            .id = call_parameter(call, "id"),
                            .name = json_member_string(call->body, "name", "")};
    if (!call_run(call, DB_READ, find_work, &work, error))
        return false;
    g_autofree char *id = g_strdup(work.row->id);
    DbScope scope = call->scope;
    call->scope.organization = id;
    bool ok = revision_make(call, &renaming, &work, error);
    call->scope = scope;
    return ok && call_answer(call, 200, organization_object(work.row));
}

/* --- making one ------------------------------------------------------------------------------- */

static bool create_work(DbUnit *unit, void *data, GError **error) {
    const OneWork *work = data;
    Organization row = {.id = work->id, .name = work->name};
    return organization_insert(unit, &row, error) && get_work(unit, data, error) &&
           note(unit, data, AUDIT_ORGANIZATION_CREATED, error);
}

static bool create(Call *call, GError **error) {
    char id[ID_SIZE];
    id_write(id);
    g_auto(OneWork)
        work = {.call = call, .id = id, .name = json_member_string(call->body, "name", "")};
    DbScope both = {
        .organization = id, .actor = call->caller->id, .role = "operator", .system = true};
    return db_run(call_db(call), &both, DB_WRITE, create_work, &work, error) &&
           call_answer(call, 201, organization_object(work.row));
}

/* --- deleting it ------------------------------------------------------------------------------ */

typedef struct {
    OneWork one;
    int64_t running;
} EndWork;

static bool end_work(DbUnit *unit, void *data, GError **error) {
    EndWork *work = data;
    const char *name = call_query(work->one.call, "confirm");
    return get_work(unit, &work->one, error) &&
           organization_end(unit, name ? name : "", &work->running, error) &&
           (work->running > 0 || note(unit, &work->one, AUDIT_ORGANIZATION_DELETED, error));
}

static bool told_work(DbUnit *unit, void *data, GError **error) {
    return note(unit, data, AUDIT_ORGANIZATION_DELETED, error);
}

/* The organization's own log has nobody left to read it: the installation's says it, too. */
static bool tell_operator(EndWork *work, GError **error) {
    DbScope scope = work->one.call->scope;
    scope.organization = AUDIT_INSTALLATION;
    return db_run(call_db(work->one.call), &scope, DB_WRITE, told_work, &work->one, error);
}

static bool end(Call *call, GError **error) {
    EndWork work = {.one = {.call = call}};
    bool ok = call_run(call, DB_WRITE, end_work, &work, error);
    if (ok && work.running > 0)
        ok = call_refuse(call, PROBLEM_CONFLICT, error, "%s",
                         "Jobs are being run; they were called off. Send this again in a moment.");
    ok = ok && tell_operator(&work, error);
    one_work_clear(&work.one);
    if (!ok)
        return false;
    return call_answer_success(call);
}

/* --- routes ----------------------------------------------------------------------------------- */

static const ShapeField name_fields[] = {SHAPE_FIELD("name", STRING, SHAPE_REQUIRED,
                                                     "Unique in the installation.",
                                                     .most = ORGANIZATION_NAME_MAX),
                                         {0}};
static const Shape name_shape = {.name = "OrganizationName", .fields = name_fields};
static const ShapeField end_fields[] = {
    SHAPE_FIELD("confirm", STRING, SHAPE_REQUIRED, "The organization's name once more."), {0}};
static const Shape end_query = {.fields = end_fields};

const Route organization_routes[] = {
    {.method = "GET",
     .path = "/api/organizations",
     .id = "listOrganizations",
     .tag = "Organizations",
     .summary = "All organizations of the installation; one's own are in GET /api/session.",
     .access = ACCESS_OPERATOR,
     .action = ACTION_ORGANIZATION_LIST,
     .flags = ROUTE_LIST,
     .handle = list_all,
     .reply = &organization_list_shape},
    {.method = "POST",
     .path = "/api/organizations",
     .id = "createOrganization",
     .tag = "Organizations",
     .summary = "Make an organization.",
     .access = ACCESS_OPERATOR,
     .action = ACTION_ORGANIZATION_CREATE,
     .handle = create,
     .body = &name_shape,
     .status = 201,
     .reply = &organization_shape},
    {.method = "PATCH",
     .path = "/api/organizations/{id}",
     .id = "changeAnyOrganization",
     .tag = "Organizations",
     .summary = "Give an organization, by id or name, another name.",
     .access = ACCESS_OPERATOR,
     .action = ACTION_INSTALLATION_CHANGE,
     .flags = ROUTE_OBJECT,
     .handle = change_any,
     .body = &name_shape,
     .reply = &organization_shape},
    {.method = "GET",
     .path = "/api/organization",
     .id = "getOrganization",
     .tag = "Organizations",
     .summary = "The organization that the request is about.",
     .access = ACCESS_ROLE,
     .action = ACTION_ORGANIZATION_READ,
     .flags = ROUTE_OBJECT | ROUTE_BRIEF | ROUTE_LASTING,
     .handle = get,
     .reply = &organization_shape},
    {.method = "PATCH",
     .path = "/api/organization",
     .id = "changeOrganization",
     .tag = "Organizations",
     .summary = "Give it another name.",
     .access = ACCESS_ROLE,
     .action = ACTION_SETTINGS_CHANGE,
     .flags = ROUTE_OBJECT,
     .handle = change,
     .body = &name_shape,
     .reply = &organization_shape},
    {.method = "DELETE",
     .path = "/api/organization",
     .id = "deleteOrganization",
     .tag = "Organizations",
     .summary = "Delete it with everything that it has; 409 while jobs of it still end.",
     .access = ACCESS_ROLE,
     .action = ACTION_ORGANIZATION_DELETE,
     .handle = end,
     .query = &end_query,
     .reply = &success_shape},
    {0}};
