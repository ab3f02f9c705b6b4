#include "api/schedules.h"

#include "api/call.h"
#include "api/object_shape.h"
#include "api/revision.h"
#include "api/schedule_body.h"
#include "present/schedule_object.h"
#include "store/audit.h"
#include "store/integration.h"
#include "sync/schedule.h"

#include <string.h>

/* --- objects ---------------------------------------------------------------------------------- */

static const ScheduleDefaults *defaults_of(const Call *call) {
    return &desk_tuning(call->desk)->schedule;
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

typedef struct {
    GetWork found; /* read anew in the unit */
    const Definition *definition;
    ScheduleBody body;
} Change;

static bool read_again(DbUnit *unit, void *data, GError **error) {
    return get_work(unit, &((Change *)data)->found, error);
}

/* The rounds of the organization run everybody's integrations: they are nobody's own. */
static bool may_change(Call *call, const void *data, GError **error) {
    const Integration *integration = ((const Change *)data)->found.integration;
    const RoleSubject *subject = &call->caller->subject;
    if (!integration)
        return role_allows(subject, ACTION_SETTINGS_CHANGE, NULL) ||
               call_refuse(call, PROBLEM_FORBIDDEN, error, "%s",
                           "The rounds of the organization are changed by its owners and admins.");
    RoleResource resource = {.integration_id = integration->id,
                             .owner_user_id = integration->owner_user_id};
    return call_require(call, &resource, error);
}

static Json *show(const Call *call, const void *data) {
    const Change *change = data;
    const Schedule *row = change->found.row;
    g_autofree char *when = row->integration_id && !change->definition
                                ? NULL
                                : schedule_rule_text(row, change->definition, defaults_of(call));
    return schedule_object_when(row, when);
}

static bool note(DbUnit *unit, const Call *call, const Change *change, GError **error) {
    const GetWork *found = &change->found;
    AuditActor actor = call_actor(call);
    AuditEntry entry = {.action = AUDIT_SCHEDULE_CHANGED,
                        .actor = &actor,
                        .target_kind = "schedule",
                        .target_id = found->id,
                        .target_name = found->integration ? found->integration->name : found->id,
                        .details = call->body};
    return audit_add(unit, &entry, error);
}

static bool write_change(DbUnit *unit, Call *call, void *data, GError **error) {
    const Change *change = data;
    const GetWork *found = &change->found;
    bool is_paused = found->row->paused;
    ScheduleEdit edit = {.integration = found->integration,
                         .definition = change->definition,
                         .round = found->integration ? NULL : found->id,
                         .defaults = defaults_of(call),
                         .wish = change->body.rules ? &change->body.wish : NULL,
                         .pause = change->body.pause};
    if (edit.pause == (is_paused ? SCHEDULE_PAUSE_BEGIN : SCHEDULE_PAUSE_END))
        edit.pause = SCHEDULE_PAUSE_AS_IS;
    bool nothing = !edit.wish && edit.pause == SCHEDULE_PAUSE_AS_IS;
    return nothing || (schedule_edit(unit, &edit, error) && note(unit, call, change, error));
}

static const Revision change_revision = {
    .read = read_again, .may = may_change, .show = show, .write = write_change};

static void change_clear(Change *change) {
    get_work_clear(&change->found);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Change, change_clear)

static bool find_definition(Call *call, Change *change, GError **error) {
    const Integration *integration = change->found.integration;
    Registry *registry = integration ? call_registry(call, error) : NULL;
    if (registry)
        change->definition = registry_find(registry, integration->provider, error);
    return !integration || change->definition;
}

static bool change(Call *call, GError **error) {
    g_auto(Change) work = {.found = {.id = call_parameter(call, "id")}};
    return call_run(call, DB_READ, get_work, &work.found, error) &&
           may_change(call, &work, error) && find_definition(call, &work, error) &&
           schedule_body_read(call, call->body, "", &work.body, error) &&
           revision_make(call, &change_revision, &work, error) &&
           call_answer(call, 200, show(call, &work));
}

/* --- routes ----------------------------------------------------------------------------------- */

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
     .body = &schedule_body_shape,
     .reply = &schedule_shape},
    {0}};
