#include "cli/integrations.h"

#include "base/clock.h"
#include "base/text.h"
#include "cli/mark.h"
#include "present/integration_object.h"
#include "store/credential.h"

#include <string.h>

static bool check_filter(const char *filter, GError **error) {
    g_autoptr(GString) known = g_string_new(NULL);
    for (size_t i = 0; filter && integration_status_filters[i]; i++) {
        if (strcmp(integration_status_filters[i], filter) == 0)
            return true;
        g_string_append_printf(known, "%s%s", i > 0 ? ", " : "", integration_status_filters[i]);
    }
    if (!filter)
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "--status wants one of %s", known->str);
    return false;
}

/* --- reading ---------------------------------------------------------------------------------- */

typedef struct {
    const char *after_id;
    GPtrArray *page;
} ListWork;

static bool list_work(DbUnit *unit, void *data, GError **error) {
    ListWork *work = data;
    g_clear_pointer(&work->page, g_ptr_array_unref);
    IntegrationFilter filter = {.after_id = work->after_id, .limit = STORE_LIST_MAX};
    return integration_list(unit, &filter, &work->page, error);
}

bool integrations_read(const Session *session, GPtrArray **integrations_out, GError **error) {
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)integration_free);
    ListWork work = {0};
    bool more = true;
    while (more) {
        if (!session_run(session, DB_READ, list_work, &work, error)) {
            g_clear_pointer(&work.page, g_ptr_array_unref);
            return false;
        }
        more = work.page->len == STORE_LIST_MAX;
        g_ptr_array_extend_and_steal(all, g_steal_pointer(&work.page));
        if (more)
            work.after_id = ((Integration *)g_ptr_array_index(all, all->len - 1))->id;
    }
    *integrations_out = g_steal_pointer(&all);
    return true;
}

typedef struct {
    const char *wanted;
    Integration *found;
} FindWork;

static bool find_work(DbUnit *unit, void *data, GError **error) {
    FindWork *work = data;
    g_clear_pointer(&work->found, integration_free);
    return integration_find(unit, work->wanted, &work->found, error);
}

bool integrations_find(const Session *session, const char *id_or_name,
                       Integration **integration_out, GError **error) {
    FindWork work = {.wanted = id_or_name};
    g_autoptr(GError) failure = NULL;
    if (session_run(session, DB_READ, find_work, &work, &failure)) {
        *integration_out = work.found;
        return true;
    }
    integration_free(work.found);
    if (error_code_of(failure) == ERROR_NOT_FOUND)
        g_set_error(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                    "there is no integration \"%s\"; `assay integrations` lists those there are",
                    id_or_name);
    else
        g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

Json *integrations_here(const Session *session, GError **error) {
    g_autoptr(GPtrArray) rows = NULL;
    if (!integrations_read(session, &rows, error))
        return NULL;
    Json *list = json_new_array();
    for (guint i = 0; i < rows->len; i++) {
        const Integration *row = g_ptr_array_index(rows, i);
        Json *item = json_new_object();
        json_put_string(item, "id", row->id);
        json_put_string(item, "name", row->name);
        json_put_time(item, "lastSyncAt", row->last_sync_at);
        json_add(list, item);
    }
    return list;
}

Json *integrations_there(Remote *remote, GError **error) {
    return remote_list(remote, "/api/integrations", NULL, "integrations", error);
}

const char *integrations_called(const Json *integrations, const char *id) {
    for (size_t i = 0; i < json_count(integrations); i++) {
        const Json *integration = json_item(integrations, i);
        if (g_strcmp0(json_member_string(integration, "id", NULL), id) == 0)
            return json_member_string(integration, "name", id);
    }
    return id;
}

/* --- the main credential's plaintext facts ---------------------------------------------------- */

typedef struct {
    const char *integration_id;
    GPtrArray *credentials;
} FactsWork;

static bool facts_work(DbUnit *unit, void *data, GError **error) {
    FactsWork *work = data;
    g_clear_pointer(&work->credentials, g_ptr_array_unref);
    return credential_list_for_integration(unit, work->integration_id, &work->credentials, error);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static bool integration_json(const Session *session, const Integration *row, Json **json_out,
                             GError **error) {
    FactsWork work = {.integration_id = row->id};
    bool ok = session_run(session, DB_READ, facts_work, &work, error);
    g_autoptr(GPtrArray) credentials = work.credentials;
    if (!ok)
        return false;
    const Credential *first = credentials->len > 0 ? g_ptr_array_index(credentials, 0) : NULL;
    *json_out = integration_object(row, session_scope(session)->organization, first);
    return true;
}

static bool list_json(const Session *session, const GPtrArray *rows, const char *filter,
                      Json **json_out, GError **error) {
    g_autoptr(Json) json = json_new_object();
    Json *list = json_new_array();
    json_put(json, "integrations", list);
    for (guint i = 0; i < rows->len; i++) {
        const Integration *row = g_ptr_array_index(rows, i);
        Json *item = NULL;
        if (filter && !integration_status_fits(filter, row->status))
            continue;
        if (!integration_json(session, row, &item, error))
            return false;
        json_add(list, item);
    }
    json_put(json, "nextCursor", NULL);
    *json_out = g_steal_pointer(&json);
    return true;
}

/* --- for people ------------------------------------------------------------------------------- */

static const GridColumn columns[] = {{.title = "NAME"},
                                     {.title = "SERVICE"},
                                     {.title = "STATUS"},
                                     {.title = "ACCOUNT", .gives_way = true},
                                     {.title = "LAST SYNC"},
                                     {.title = "COLLECTED", .right = true},
                                     {.title = "FAILED", .right = true},
                                     {0}};

static void add_count(Grid *grid, const Json *item, const char *key) {
    const Json *result = json_member(item, "lastSyncResult");
    g_autofree char *count =
        json_member(result, key) ? output_number(json_member_int(result, key, 0)) : NULL;
    grid_add(grid, count);
}

static void add_row(Grid *grid, const Json *item) {
    const Json *account = json_path(item, "config.account");
    const char *who = json_member_string(account, "user", NULL);
    int64_t synced = 0;
    const char *at = json_member_string(item, "lastSyncAt", NULL);
    if (at && !clock_parse(at, &synced))
        synced = 0;
    g_autofree char *age = output_age(synced, clock_now_ms());
    grid_add(grid, json_member_string(item, "name", ""));
    grid_add(grid, json_member_string(item, "integrationType", ""));
    mark_add(grid, json_member_string(item, "status", ""), NULL);
    grid_add(grid, who ? who : json_member_string(account, "accountId", ""));
    grid_add(grid, age);
    add_count(grid, item, "evidenceCollected");
    add_count(grid, item, "evidenceFailed");
}

/* The way on for what is not collected from, or soon will not be. */
static void advise(const Output *output, const Json *item) {
    const char *status = json_member_string(item, "status", "");
    g_autofree char *name = output_text(json_member_string(item, "name", ""));
    if (strcmp(status, INTEGRATION_RECONNECT_NEEDED) == 0)
        output_note(output, "Next: assay reconnect %s", name);
}

static void print(const Output *output, const Json *json, const char *filter) {
    const Json *list = json_member(json, "integrations");
    g_autoptr(Grid) grid = grid_new(columns);
    if (json_count(list) == 0) {
        output_line(output, filter ? "No integration has this status." : "Nothing is connected.");
        output_note(output, filter ? "Next: assay integrations" : "Next: assay connect github");
        return;
    }
    for (size_t i = 0; i < json_count(list); i++)
        add_row(grid, json_item(list, i));
    grid_print(grid, output);
    for (size_t i = 0; i < json_count(list); i++) {
        const Json *item = json_item(list, i);
        g_autofree char *why = output_text(json_member_string(item, "errorMessage", NULL));
        if (*why != '\0')
            output_line(output, "%s: %s", json_member_string(item, "name", ""), why);
        advise(output, item);
    }
}

static bool run(CommandCall *call, GError **error) {
    const char *filter = arguments_text(call->arguments, "status");
    g_autoptr(GPtrArray) rows = NULL;
    g_autoptr(Json) json = NULL;
    if (!check_filter(filter, error))
        return false;
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    if (!session || !integrations_read(session, &rows, error) ||
        !list_json(session, rows, filter, &json, error))
        return false;
    output_json(call->output, json);
    print(call->output, json, filter);
    return true;
}

static bool run_remote(CommandCall *call, Remote *remote, GError **error) {
    const char *filter = arguments_text(call->arguments, "status");
    const RemoteField query[] = {{"status", filter}, {0}};
    g_autoptr(Json) json = json_new_object();
    if (!check_filter(filter, error))
        return false;
    Json *list = remote_list(remote, "/api/integrations", query, "integrations", error);
    if (!list)
        return false;
    json_put(json, "integrations", list);
    json_put(json, "nextCursor", NULL);
    output_json(call->output, json);
    print(call->output, json, filter);
    return true;
}

static const Option options[] = {
    {"status", OPTION_TEXT, "STATUS",
     "connected, degraded, reconnect_needed, paused, disconnected, active or error"},
    {0}};

const Command integrations_command = {
    .name = "integrations",
    .summary = "what is connected, and how it is",
    .usage = "[--status STATUS]",
    .examples = "assay integrations\n"
                "assay integrations --status error\n"
                "assay integrations --json",
    .options = options,
    .run = run,
    .remote = run_remote,
};
