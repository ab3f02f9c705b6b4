#include "api/schedules.h"

#include "api/call.h"
#include "api/object_shape.h"
#include "present/schedule_object.h"
#include "store/audit.h"
#include "store/integration.h"
#include "sync/schedule.h"

#include <string.h>

/* --- objects ---------------------------------------------------------------------------------- */

static const ScheduleDefaults *defaults_of(const Call *call) {
    return &call->desk->config.schedule;
}

/* provider is NULL for a round of the organization. A definition that cannot be read leaves the
 * rule untold, and nothing else. */
static Json *object_of(Call *call, const Schedule *row, const char *provider) {
    g_autoptr(GError) ignored = NULL;
    Registry *registry = provider ? call_registry(call, &ignored) : NULL;
    const Definition *definition = registry ? registry_find(registry, provider, &ignored) : NULL;
    g_autofree char *when =
        provider && !definition ? NULL : schedule_rule_text(row, definition, defaults_of(call));
    return schedule_object_when(row, when);
}

/* --- reading ---------------------------------------------------------------------------------- */

typedef struct {
    const char *after_id;
    int64_t limit;
    GPtrArray *rows;
    GPtrArray *providers; /* char *, one a row; NULL: a round */
} ListWork;

static void list_work_clear(ListWork *work) {
    g_clear_pointer(&work->rows, g_ptr_array_unref);
    g_clear_pointer(&work->providers, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ListWork, list_work_clear)

static bool list_work(DbUnit *unit, void *data, GError **error) {
    ListWork *work = data;
    list_work_clear(work);
    work->providers = g_ptr_array_new_with_free_func(g_free);
    if (!schedule_list(unit, work->after_id, work->limit, &work->rows, error))
        return false;
    for (guint i = 0; i < work->rows->len; i++) {
        const Schedule *row = g_ptr_array_index(work->rows, i);
        g_autoptr(Integration) integration = NULL;
        if (row->integration_id && !integration_get(unit, row->integration_id, &integration, error))
            return false;
        g_ptr_array_add(work->providers, integration ? g_strdup(integration->provider) : NULL);
    }
    return true;
}

static bool may_see(const Call *call, const Schedule *row) {
    RoleResource resource = {.integration_id = row->integration_id};
    return call_may(call, &resource);
}

static bool list(Call *call, GError **error) {
    g_auto(ListWork) work = {.after_id = call_query(call, "cursor")};
    if (!call_limit(call, &work.limit, error) || !call_run(call, DB_READ, list_work, &work, error))
        return false;
    const GPtrArray *rows = work.rows;
    Json *all = json_new_array();
    for (guint i = 0; i < rows->len; i++)
        if (may_see(call, g_ptr_array_index(rows, i)))
            json_add(all, object_of(call, g_ptr_array_index(rows, i),
                                    g_ptr_array_index(work.providers, i)));
    bool full = rows->len > 0 && (int64_t)rows->len == work.limit;
    const Schedule *last = full ? g_ptr_array_index(rows, rows->len - 1) : NULL;
    return call_answer_list(call, "schedules", all, last ? last->id : NULL);
}

typedef struct {
    const char *id;
    Schedule *row;
    Integration *integration; /* NULL: a round of the organization */
} GetWork;

static void get_work_clear(GetWork *work) {
    g_clear_pointer(&work->row, schedule_free);
    g_clear_pointer(&work->integration, integration_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GetWork, get_work_clear)

static bool get_work(DbUnit *unit, void *data, GError **error) {
    GetWork *work = data;
    get_work_clear(work);
    return schedule_get(unit, work->id, &work->row, error) &&
           (!work->row->integration_id ||
            integration_get(unit, work->row->integration_id, &work->integration, error));
}

static Json *object_of_work(Call *call, const GetWork *work) {
    return object_of(call, work->row, work->integration ? work->integration->provider : NULL);
}

static bool get(Call *call, GError **error) {
    g_auto(GetWork) work = {.id = call_parameter(call, "id")};
    if (!call_run(call, DB_READ, get_work, &work, error))
        return false;
    return may_see(call, work.row)
               ? call_answer(call, 200, object_of_work(call, &work))
               : call_refuse(call, PROBLEM_NOT_FOUND, error, "%s", "There is no such schedule.");
}

/* --- changing --------------------------------------------------------------------------------- */

static bool check_owner(Call *call, const GetWork *work, GError **error) {
    const Integration *integration = work->integration;
    RoleResource resource = {.integration_id = integration ? integration->id : NULL,
                             .owner_user_id = integration ? integration->owner_user_id : NULL};
    return call_require(call, integration ? &resource : NULL, error);
}

static bool choose_rule(Call *call, const GetWork *work, GError **error) {
    ScheduleWish wish = {.every = json_member_string(call->body, "every", NULL),
                         .cron = json_member_string(call->body, "cron", NULL),
                         .time_zone = json_member_string(call->body, "timeZone", NULL)};
    if (wish.every && wish.cron)
        return call_wrong(call, error, "/cron", "goes without every");
    if (wish.cron && !wish.time_zone)
        wish.time_zone = defaults_of(call)->time_zone; /* also when the installation moves */
    if (!work->integration)
        return schedule_choose_round(call_db(call), &call->scope, work->id, defaults_of(call),
                                     &wish, error);
    Registry *registry = call_registry(call, error);
    const Definition *definition =
        registry ? registry_find(registry, work->integration->provider, error) : NULL;
    return definition && schedule_choose(call_db(call), &call->scope, work->integration, definition,
                                         &wish, error);
}

static bool set_paused(Call *call, const GetWork *work, bool paused, GError **error) {
    Db *db = call_db(call);
    const DbScope *scope = &call->scope;
    if (!work->integration)
        return paused ? schedule_pause_round(db, scope, work->id, error)
                      : schedule_resume_round(db, scope, work->id, defaults_of(call), error);
    Registry *registry = call_registry(call, error);
    const Definition *definition =
        registry ? registry_find(registry, work->integration->provider, error) : NULL;
    if (!definition)
        return false;
    return paused ? schedule_pause(db, scope, work->integration, definition, error)
                  : schedule_resume(db, scope, work->integration, definition, error);
}

static bool names_rule(const Json *body) {
    return json_member(body, "every") || json_member(body, "cron") || json_member(body, "timeZone");
}

typedef struct {
    const AuditEntry *entry;
} AuditWork;

static bool audit_work(DbUnit *unit, void *data, GError **error) {
    const AuditWork *work = data;
    return audit_add(unit, work->entry, error);
}

static bool audit(Call *call, const GetWork *work, GError **error) {
    AuditActor actor = call_actor(call);
    AuditEntry entry = {.action = AUDIT_SCHEDULE_CHANGED,
                        .actor = &actor,
                        .target_kind = "schedule",
                        .target_id = work->id,
                        .target_name = work->integration ? work->integration->name : work->id,
                        .details = call->body};
    AuditWork audited = {&entry};
    return call_run(call, DB_WRITE, audit_work, &audited, error);
}

static bool change(Call *call, GError **error) {
    g_auto(GetWork) work = {.id = call_parameter(call, "id")};
    const Json *paused = json_member(call->body, "paused");
    if (!call_run(call, DB_READ, get_work, &work, error) || !check_owner(call, &work, error))
        return false;
    g_autoptr(Json) now = object_of_work(call, &work);
    return call_unchanged(call, now, error) &&
           (!names_rule(call->body) || choose_rule(call, &work, error)) &&
           (!paused || json_truth(paused) == work.row->paused ||
            set_paused(call, &work, json_truth(paused), error)) &&
           audit(call, &work, error) && get(call, error);
}

/* --- routes ----------------------------------------------------------------------------------- */

static const ShapeField change_fields[] = {
    SHAPE_FIELD("every", STRING, SHAPE_NULLABLE, "An interval, such as 4h.", .most = 32),
    SHAPE_FIELD("cron", STRING, SHAPE_NULLABLE, "Five fields: 0 6 * * 1-5.", .most = 200),
    SHAPE_FIELD("timeZone", STRING, SHAPE_NULLABLE, "Of cron: Europe/Berlin.", .most = 64),
    SHAPE_FIELD("paused", BOOLEAN, 0, NULL),
    {0}};
static const Shape change_shape = {.name = "ScheduleChange",
                                   .about = "every and cron null: the default again.",
                                   .fields = change_fields};

const Route schedule_routes[] = {
    {.method = "GET",
     .path = "/api/schedules",
     .id = "listSchedules",
     .tag = "Schedules",
     .summary = "When integrations are due, and the daily and weekly rounds.",
     .access = ACCESS_ROLE,
     .action = ACTION_INTEGRATION_READ,
     .flags = ROUTE_LIST,
     .handle = list,
     .reply = &schedule_list_shape},
    {.method = "GET",
     .path = "/api/schedules/{id}",
     .id = "getSchedule",
     .tag = "Schedules",
     .summary = "One of them, by the integration's id, daily_sync or weekly_renewal.",
     .access = ACCESS_ROLE,
     .action = ACTION_INTEGRATION_READ,
     .flags = ROUTE_OBJECT,
     .handle = get,
     .reply = &schedule_shape},
    {.method = "PATCH",
     .path = "/api/schedules/{id}",
     .id = "changeSchedule",
     .tag = "Schedules",
     .summary = "Another interval or cron expression; pause and resume.",
     .access = ACCESS_ROLE,
     .action = ACTION_INTEGRATION_CHANGE,
     .flags = ROUTE_OBJECT,
     .handle = change,
     .body = &change_shape,
     .reply = &schedule_shape},
    {0}};
