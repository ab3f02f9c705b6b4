#include "api/integrations.h"

#include "api/integration_edit.h"
#include "api/integration_end.h"
#include "api/integration_row.h"
#include "api/integration_sync.h"
#include "api/object_shape.h"
#include "api/page.h"
#include "base/clock.h"
#include "present/integration_object.h"
#include "store/scan.h"

#include <string.h>

/* --- lists ------------------------------------------------------------------------------------ */

typedef struct {
    const Call *call;
    const char *provider; /* NULL: any */
    const char *status;   /* a filter; NULL: any */
    int64_t due_at;       /* 0: whether it is due for scanners or not */
    Page page;
    GPtrArray *objects; /* Json */
} ListWork;

static void list_work_clear(ListWork *work) {
    page_clear(&work->page);
    g_clear_pointer(&work->objects, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ListWork, list_work_clear)

static bool keep(const void *row, void *data) {
    const Integration *integration = row;
    const ListWork *work = data;
    return integration_row_may(work->call, integration) &&
           (!work->status || integration_status_fits(work->status, integration->status));
}

static bool read_rows(DbUnit *unit, void *data, const char *cursor, int64_t limit,
                      GPtrArray **rows_out, GError **error) {
    const ListWork *work = data;
    IntegrationFilter filter = {
        .provider = work->provider, .due_at = work->due_at, .after_id = cursor, .limit = limit};
    return integration_list(unit, &filter, rows_out, error);
}

static const char *cursor_of(const void *row) {
    return ((const Integration *)row)->id;
}

static void free_row(void *row) {
    integration_free(row);
}

static void free_json(void *json) {
    json_free(json);
}

static const PageSource source = {read_rows, keep, cursor_of, free_row};

static bool add_object(DbUnit *unit, ListWork *work, const Integration *row, GError **error) {
    g_autoptr(GPtrArray) credentials = NULL;
    if (!credential_list_for_integration(unit, row->id, &credentials, error))
        return false;
    const Credential *first = credentials->len > 0 ? g_ptr_array_index(credentials, 0) : NULL;
    g_ptr_array_add(work->objects, integration_object(row, work->call->scope.organization, first));
    return true;
}

/* A scanner takes what it is shown as due; others only look. */
static bool take(DbUnit *unit, const ListWork *work, const Integration *row, bool *taken_out,
                 GError **error) {
    const Caller *caller = work->call->caller;
    *taken_out = true;
    return work->due_at == 0 || caller->subject.role != ROLE_SCANNER ||
           scan_lease(unit, row->id, caller->id, taken_out, error);
}

static bool list_work(DbUnit *unit, void *data, GError **error) {
    ListWork *work = data;
    g_clear_pointer(&work->objects, g_ptr_array_unref);
    work->objects = g_ptr_array_new_with_free_func(free_json);
    if (!page_read(unit, &work->page, error))
        return false;
    for (guint i = 0; i < work->page.rows->len; i++) {
        const Integration *row = g_ptr_array_index(work->page.rows, i);
        bool taken = false;
        if (!take(unit, work, row, &taken, error) || (taken && !add_object(unit, work, row, error)))
            return false;
    }
    return true;
}

static bool read_provider(Call *call, ListWork *work, GError **error) {
    const char *name = call_query(call, "integrationType");
    Registry *registry = name ? call_registry(call, error) : NULL;
    if (name && !registry)
        return false;
    const char *id = registry ? registry_resolve(registry, name) : NULL;
    work->provider = id ? id : name;
    return true;
}

static bool list(Call *call, GError **error) {
    g_auto(ListWork) work = {.call = call, .status = call_query(call, "status")};
    work.page.source = &source;
    work.page.data = &work;
    if (g_strcmp0(call_query(call, "due"), "true") == 0)
        work.due_at = clock_now_ms();
    if (!call_limit(call, &work.page.limit, error) ||
        !call_cursor(call, &work.page.cursor, error) || !read_provider(call, &work, error) ||
        !call_run(call, work.due_at > 0 ? DB_WRITE : DB_READ, list_work, &work, error))
        return false;
    Json *all = json_new_array();
    for (guint i = 0; i < work.objects->len; i++)
        json_add(all, json_ref(g_ptr_array_index(work.objects, i)));
    return call_answer_list(call, "integrations", all, work.page.next);
}

static bool get(Call *call, GError **error) {
    g_auto(IntegrationRow) found = {0};
    return integration_row_find(call, &found, error) &&
           call_answer(call, 200, integration_row_object(call, &found));
}

/* --- shapes ----------------------------------------------------------------------------------- */

static const char *const truths[] = {"true", "false", NULL};
static const ShapeField list_fields[] = {
    SHAPE_FIELD("status", STRING, 0, "active: connected or degraded; error: needs somebody.",
                .words = integration_status_filters),
    SHAPE_FIELD("integrationType", STRING, 0, "A provider, by id or alias."),
    SHAPE_FIELD("due", STRING, 0,
                "true: due for scanners and taken by none. A scanner takes them by it, for 10 "
                "minutes.",
                .words = truths),
    {0}};
static const Shape list_query = {.fields = list_fields};

/* --- routes ----------------------------------------------------------------------------------- */

#define TAG "Integrations"

const Route integration_routes[] = {
    {.method = "GET",
     .path = "/api/integrations",
     .id = "listIntegrations",
     .tag = TAG,
     .summary = "What is connected, and how it is.",
     .access = ACCESS_ROLE,
     .action = ACTION_INTEGRATION_READ,
     .flags = ROUTE_LIST,
     .handle = list,
     .query = &list_query,
     .reply = &integration_list_shape},
    {.method = "GET",
     .path = "/api/integrations/list",
     .id = "listIntegrationsOfCompany",
     .tag = TAG,
     .summary = "The same, for ?companyId=.",
     .access = ACCESS_ROLE,
     .action = ACTION_INTEGRATION_READ,
     .flags = ROUTE_LIST,
     .handle = list,
     .query = &list_query,
     .reply = &integration_list_shape},
    {.method = "GET",
     .path = "/api/integrations/{id}",
     .id = "getIntegration",
     .tag = TAG,
     .summary = "One of them, by id or name.",
     .access = ACCESS_ROLE,
     .action = ACTION_INTEGRATION_READ,
     .flags = ROUTE_OBJECT | ROUTE_BRIEF | ROUTE_LASTING,
     .handle = get,
     .reply = &integration_shape},
    {.method = "PATCH",
     .path = "/api/integrations/{id}",
     .id = "changeIntegration",
     .tag = TAG,
     .summary = "Another name, settings, evidence types or checks; pause and resume.",
     .access = ACCESS_ROLE,
     .action = ACTION_INTEGRATION_CHANGE,
     .flags = ROUTE_OBJECT,
     .handle = integration_edit,
     .body = &integration_edit_shape,
     .reply = &integration_shape},
    {.method = "DELETE",
     .path = "/api/integrations/{id}",
     .id = "disconnectIntegration",
     .tag = TAG,
     .summary =
         "Wipes the credential; evidence and id stay. An owner removes all of it with purge.",
     .access = ACCESS_ROLE,
     .action = ACTION_INTEGRATION_CHANGE,
     .flags = ROUTE_OBJECT,
     .handle = integration_end,
     .query = &integration_end_query,
     .reply = &integration_end_shape},
    {.method = "POST",
     .path = "/api/integrations/{id}/sync",
     .id = "syncIntegration",
     .tag = TAG,
     .summary = "Collects evidence now.",
     .access = ACCESS_ROLE,
     .action = ACTION_INTEGRATION_SYNC,
     .handle = integration_sync,
     .body = &integration_sync_shape,
     .body_optional = true,
     .status = 202,
     .reply = &queued_shape},
    {0}};
