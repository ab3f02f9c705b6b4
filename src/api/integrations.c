#include "api/integrations.h"

#include "api/integration_row.h"
#include "api/object_shape.h"
#include "api/page.h"
#include "base/clock.h"
#include "base/text.h"
#include "connect/settings.h"
#include "present/integration_object.h"
#include "present/job_object.h"
#include "store/job.h"
#include "sync/queue.h"
#include "sync/schedule.h"

#include <string.h>

#define DISCONNECTED "Disconnected on request."

/* --- lists ------------------------------------------------------------------------------------ */

typedef struct {
    const Call *call;
    const char *provider; /* NULL: any */
    const char *status;   /* a filter; NULL: any */
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
    IntegrationFilter filter = {.provider = work->provider, .after_id = cursor, .limit = limit};
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

static bool list_work(DbUnit *unit, void *data, GError **error) {
    ListWork *work = data;
    g_clear_pointer(&work->objects, g_ptr_array_unref);
    work->objects = g_ptr_array_new_with_free_func(free_json);
    if (!page_read(unit, &work->page, error))
        return false;
    for (guint i = 0; i < work->page.rows->len; i++)
        if (!add_object(unit, work, g_ptr_array_index(work->page.rows, i), error))
            return false;
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
    if (!call_limit(call, &work.page.limit, error) ||
        !call_cursor(call, &work.page.cursor, error) || !read_provider(call, &work, error) ||
        !call_run(call, DB_READ, list_work, &work, error))
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

/* --- change ----------------------------------------------------------------------------------- */

typedef struct {
    const Call *call;
    Integration row; /* borrows from the found one, with what is new */
    Json *details;   /* names of what was changed */
} ChangeWork;

static bool change_work(DbUnit *unit, void *data, GError **error) {
    const ChangeWork *work = data;
    return integration_change(unit, &work->row, error) &&
           integration_row_audit(unit, work->call, AUDIT_INTEGRATION_CHANGED, &work->row,
                                 work->details, error);
}

/* The auth method that the integration was connected with. */
static const DefinitionAuth *auth_of(const Definition *definition, const Integration *row) {
    const DefinitionAuth *auth = definition_auth(definition, row->auth);
    return auth ? auth : &definition->auth[0];
}

static bool is_host_setting(const DefinitionInput *setting) {
    return setting->engine || setting->format == INPUT_FORMAT_URL ||
           setting->format == INPUT_FORMAT_HOST;
}

static bool is_same(const Json *a, const Json *b) {
    g_autofree char *one = a ? json_print(a, JSON_SORTED) : g_strdup("");
    g_autofree char *other = b ? json_print(b, JSON_SORTED) : g_strdup("");
    return strcmp(one, other) == 0;
}

/* Where a credential is sent is not changed without the credential: whoever may only edit settings
 * could have it sent to himself. */
static bool check_hosts(Call *call, const Definition *definition, const Json *before,
                        const Json *after, GError **error) {
    for (size_t i = 0; i < definition->setting_count; i++) {
        const DefinitionInput *setting = &definition->settings[i];
        if (!is_host_setting(setting) ||
            is_same(json_member(before, setting->name), json_member(after, setting->name)))
            continue;
        g_autofree char *name = text_camel(setting->name);
        g_autofree char *pointer = g_strconcat("/settings/", name, NULL);
        return call_wrong(call, error, pointer,
                          "says where the credential is sent; connect again to change it");
    }
    return true;
}

/* What was there, with what was given in its place; null takes a setting away. */
static Json *merge(const Definition *definition, const Json *before, const Json *given) {
    Json *merged = json_copy_deep(before);
    void *iterator = NULL;
    const char *name;
    Json *value;
    while (json_next(given, &iterator, &name, &value)) {
        g_autofree char *snake = text_snake(name);
        const char *known = definition_setting(definition, name) ? name : snake;
        if (json_kind(value) == JSON_KIND_NULL)
            json_remove(merged, known);
        else
            json_put(merged, known, json_copy_deep(value));
    }
    return merged;
}

static bool check_settings(Call *call, const Integration *row, char **settings_out,
                           GError **error) {
    const Definition *definition = integration_row_definition(call, row, error);
    if (!definition)
        return false;
    g_autoptr(Json) before =
        json_parse(row->settings, strlen(row->settings), STORE_JSON_MAX, error);
    g_autoptr(Json) after = NULL;
    g_autoptr(GError) wrong = NULL;
    if (!before)
        return false;
    g_autoptr(Json) merged = merge(definition, before, json_member(call->body, "settings"));
    SettingsRules rules = {.definition = definition,
                           .auth = auth_of(definition, row),
                           .operator_allowed = true}; /* hosts are held below */
    if (!settings_check(&rules, merged, &after, &wrong))
        return call_wrong(call, error, "/settings", "%s", wrong->message);
    if (!check_hosts(call, definition, before, after, error))
        return false;
    *settings_out = json_print(after, JSON_COMPACT);
    return true;
}

/* A list of names that the definition must know; null: all of them. */
static bool check_names(Call *call, const Integration *row, const char *member, char **text_out,
                        GError **error) {
    const Json *names = json_member(call->body, member);
    const Definition *definition = integration_row_definition(call, row, error);
    if (!definition)
        return false;
    for (size_t i = 0; i < json_count(names); i++) {
        const char *name = json_text(json_item(names, i));
        g_auto(GStrv) parts = g_strsplit(name, ".", 2);
        const EvidenceType *type = parts[0] ? definition_type(definition, parts[0]) : NULL;
        bool check = strcmp(member, "enabledChecks") == 0;
        if (type && (!check || (parts[1] && evidence_type_check(type, parts[1]))))
            continue;
        g_autofree char *pointer = g_strdup_printf("/%s/%zu", member, i);
        return call_wrong(call, error, pointer, "%s does not have this", definition->name);
    }
    *text_out = json_kind(names) == JSON_KIND_ARRAY ? json_print(names, JSON_COMPACT) : NULL;
    return true;
}

static bool check_name(Call *call, const char *name, GError **error) {
    g_autofree char *line = text_one_line(name, 100);
    if (*name != '\0' && strcmp(line, name) == 0)
        return true;
    return call_wrong(call, error, "/name", "has 1 to 100 bytes and no control characters");
}

typedef struct {
    char *settings;
    char *evidence_types;
    char *enabled_checks;
} Texts;

static void texts_clear(Texts *texts) {
    g_free(texts->settings);
    g_free(texts->evidence_types);
    g_free(texts->enabled_checks);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Texts, texts_clear)

static bool read_change(Call *call, Integration *row, Texts *texts, GError **error) {
    const Json *body = call->body;
    const char *name = json_member_string(body, "name", NULL);
    if (name && !check_name(call, name, error))
        return false;
    row->name = name ? name : row->name;
    if (json_member(body, "settings")) {
        if (!check_settings(call, row, &texts->settings, error))
            return false;
        row->settings = texts->settings;
    }
    if (json_member(body, "evidenceTypes")) {
        if (!check_names(call, row, "evidenceTypes", &texts->evidence_types, error))
            return false;
        row->evidence_types = texts->evidence_types;
    }
    if (json_member(body, "enabledChecks")) {
        if (!check_names(call, row, "enabledChecks", &texts->enabled_checks, error))
            return false;
        row->enabled_checks = texts->enabled_checks;
    }
    return true;
}

static bool store_change(Call *call, const Integration *found, GError **error) {
    static const char *const members[] = {"name", "settings", "evidenceTypes", "enabledChecks"};
    g_auto(Texts) texts = {0};
    g_autoptr(Json) details = json_new_object();
    Json *changed = json_new_array();
    ChangeWork work = {.call = call, .row = *found, .details = details};
    json_put(details, "changed", changed);
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++)
        if (json_member(call->body, members[i]))
            json_add_string(changed, members[i]);
    return json_count(changed) == 0 || (read_change(call, &work.row, &texts, error) &&
                                        call_run(call, DB_WRITE, change_work, &work, error));
}

typedef struct {
    const Call *call;
    const Integration *row;
    AuditAction action;
} AuditWork;

static bool audit_work(DbUnit *unit, void *data, GError **error) {
    const AuditWork *work = data;
    return integration_row_audit(unit, work->call, work->action, work->row, NULL, error);
}

static bool audit(Call *call, AuditAction action, const Integration *row, GError **error) {
    AuditWork work = {call, row, action};
    return call_run(call, DB_WRITE, audit_work, &work, error);
}

/* "paused" and "connected" are what a person may ask for. */
static bool store_status(Call *call, const Integration *row, GError **error) {
    const char *status = json_member_string(call->body, "status", NULL);
    bool wants_pause = g_strcmp0(status, INTEGRATION_PAUSED) == 0;
    bool is_paused = strcmp(row->status, INTEGRATION_PAUSED) == 0;
    if (!status || wants_pause == is_paused)
        return true;
    const Definition *definition = integration_row_definition(call, row, error);
    if (!definition)
        return false;
    bool ok = wants_pause ? schedule_pause(call_db(call), &call->scope, row, definition, error)
                          : schedule_resume(call_db(call), &call->scope, row, definition, error);
    return ok && audit(call, wants_pause ? AUDIT_INTEGRATION_PAUSED : AUDIT_INTEGRATION_RESUMED,
                       row, error);
}

static bool change(Call *call, GError **error) {
    g_auto(IntegrationRow) found = {0};
    if (!integration_row_find(call, &found, error) ||
        !integration_row_require(call, found.row, error))
        return false;
    g_autoptr(Json) now = integration_row_object(call, &found);
    if (strcmp(found.row->status, INTEGRATION_DISCONNECTED) == 0)
        return call_refuse(call, PROBLEM_CONFLICT, error, "%s",
                           "This integration is disconnected; connect it again.");
    if (!call_unchanged(call, now, error) || !store_change(call, found.row, error) ||
        !store_status(call, found.row, error))
        return false;
    call->values[0] = found.row->id; /* the name may be another by now */
    return get(call, error);
}

/* --- sync and scan ---------------------------------------------------------------------------- */

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

static bool answer_queued(Call *call, const Integration *row, const char *job_id, GError **error) {
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
    return call_answer(call, 202, json);
}

/* What cannot be collected from is told at once. */
static bool check_runs(Call *call, const Integration *row, GError **error) {
    if (schedule_runs(row))
        return true;
    return call_refuse(call, PROBLEM_CONFLICT, error, "This integration is %s.", row->status);
}

static bool queue(Call *call, const Integration *row, const SyncRequest *request, GError **error) {
    const Definition *definition = integration_row_definition(call, row, error);
    g_autofree char *job_id = NULL;
    return definition && check_runs(call, row, error) &&
           queue_sync(call_db(call), &call->scope, row, definition, request, &job_id, error) &&
           answer_queued(call, row, job_id, error);
}

static bool sync_now(Call *call, GError **error) {
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
    return integration_row_find(call, &found, error) &&
           integration_row_require(call, found.row, error) &&
           queue(call, found.row, &request, error);
}

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

static bool disconnect(Call *call, GError **error) {
    g_auto(IntegrationRow) found = {0};
    if (!integration_row_find(call, &found, error) ||
        !integration_row_require(call, found.row, error))
        return false;
    g_autoptr(Json) now = integration_row_object(call, &found);
    DisconnectWork work = {call, found.row};
    if (!call_unchanged(call, now, error) ||
        !call_run(call, DB_WRITE, disconnect_work, &work, error))
        return false;
    g_autofree char *step = g_strdup_printf(
        "What was stored here is wiped. The credential itself was made at %s and goes on to work "
        "until it is removed there.",
        found.row->provider);
    Json *json = json_new_object();
    json_put_bool(json, "success", true);
    json_put_string(json, "id", found.row->id);
    json_put_string(json, "status", INTEGRATION_DISCONNECTED);
    json_put_bool(json, "revoked", false);
    json_put_string(json, "manualStep", step);
    return call_answer(call, 200, json);
}

/* --- shapes ----------------------------------------------------------------------------------- */

static const char *const filters[] = {INTEGRATION_CONNECTED,
                                      INTEGRATION_DEGRADED,
                                      INTEGRATION_RECONNECT_NEEDED,
                                      INTEGRATION_PAUSED,
                                      INTEGRATION_DISCONNECTED,
                                      "active",
                                      "error",
                                      NULL};
static const ShapeField list_fields[] = {
    SHAPE_FIELD("status", STRING, 0, "active: connected or degraded; error: needs somebody.",
                .words = filters),
    SHAPE_FIELD("integrationType", STRING, 0, "A provider, by id or alias."),
    {0}};
static const Shape list_query = {.fields = list_fields};

static const char *const wanted_statuses[] = {INTEGRATION_CONNECTED, INTEGRATION_PAUSED, NULL};
static const ShapeField any_fields[] = {{0}};
static const Shape any_object = {.fields = any_fields, .open = true};
static const ShapeField change_fields[] = {
    SHAPE_FIELD("name", STRING, 0, NULL, .most = 100),
    SHAPE_FIELD("settings", OBJECT, 0, "Those given; null takes one away.", .of = &any_object),
    SHAPE_FIELD("evidenceTypes", ARRAY, SHAPE_NULLABLE, "null: all.", .items = SHAPE_STRING),
    SHAPE_FIELD("enabledChecks", ARRAY, SHAPE_NULLABLE, "TYPE.CHECK; null: all.",
                .items = SHAPE_STRING),
    SHAPE_FIELD("status", STRING, 0, "paused, or connected to resume.", .words = wanted_statuses),
    {0}};
static const Shape change_shape = {.name = "IntegrationChange", .fields = change_fields};

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
static const Shape sync_shape = {.name = "SyncRequest", .fields = sync_fields};

static const ShapeField gone_fields[] = {
    SHAPE_FIELD("success", BOOLEAN, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("id", ID, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("status", STRING, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("revoked", BOOLEAN, SHAPE_REQUIRED, "Whether the service has taken it back."),
    SHAPE_FIELD("manualStep", STRING, SHAPE_REQUIRED | SHAPE_NULLABLE, "What is left to do."),
    {0}};
static const Shape gone_shape = {.name = "Disconnected", .fields = gone_fields};

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
     .flags = ROUTE_OBJECT,
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
     .handle = change,
     .body = &change_shape,
     .reply = &integration_shape},
    {.method = "DELETE",
     .path = "/api/integrations/{id}",
     .id = "disconnectIntegration",
     .tag = TAG,
     .summary = "Wipes the credential; evidence and id stay.",
     .access = ACCESS_ROLE,
     .action = ACTION_INTEGRATION_CHANGE,
     .flags = ROUTE_OBJECT,
     .handle = disconnect,
     .reply = &gone_shape},
    {.method = "POST",
     .path = "/api/integrations/{id}/sync",
     .id = "syncIntegration",
     .tag = TAG,
     .summary = "Collects evidence now.",
     .access = ACCESS_ROLE,
     .action = ACTION_INTEGRATION_SYNC,
     .handle = sync_now,
     .body = &sync_shape,
     .body_optional = true,
     .status = 202,
     .reply = &queued_shape},
    {.method = "POST",
     .path = "/api/integrations/{id}/scan",
     .id = "scanIntegration",
     .tag = TAG,
     .summary = "Queues a sync of all that the integration collects.",
     .access = ACCESS_ROLE,
     .action = ACTION_INTEGRATION_SCAN,
     .handle = sync_now,
     .status = 202,
     .reply = &queued_shape},
    {0}};
