#include "cli/schedule.h"

#include "base/clock.h"
#include "base/error.h"
#include "cli/grid.h"
#include "cli/integrations.h"
#include "cli/mark.h"
#include "present/integration_object.h"
#include "present/schedule_object.h"
#include "sync/schedule.h"

#include <string.h>

static const struct {
    const char *name;
    const char *id;
    const char *title;
} rounds[] = {
    {"daily", SCHEDULE_DAILY, "daily sync"},
    {"weekly", SCHEDULE_WEEKLY, "weekly renewal"},
};

/* --- reading ---------------------------------------------------------------------------------- */

typedef struct {
    const char *after_id;
    GPtrArray *page;
} ListWork;

static bool list_work(DbUnit *unit, void *data, GError **error) {
    ListWork *work = data;
    g_clear_pointer(&work->page, g_ptr_array_unref);
    return schedule_list(unit, work->after_id, STORE_LIST_MAX, &work->page, error);
}

static bool read_all(const Session *session, GPtrArray **schedules_out, GError **error) {
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)schedule_free);
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
            work.after_id = ((Schedule *)g_ptr_array_index(all, all->len - 1))->id;
    }
    *schedules_out = g_steal_pointer(&all);
    return true;
}

typedef struct {
    const char *id;
    Schedule *row;
} GetWork;

static bool get_work(DbUnit *unit, void *data, GError **error) {
    GetWork *work = data;
    g_clear_pointer(&work->row, schedule_free);
    return schedule_get(unit, work->id, &work->row, error);
}

/* --- names ------------------------------------------------------------------------------------ */

static const char *round_named(const char *name) {
    for (size_t i = 0; i < G_N_ELEMENTS(rounds); i++)
        if (strcmp(name, rounds[i].name) == 0 || strcmp(name, rounds[i].id) == 0)
            return rounds[i].id;
    return NULL;
}

static const char *round_title(const char *id) {
    for (size_t i = 0; i < G_N_ELEMENTS(rounds); i++)
        if (strcmp(id, rounds[i].id) == 0)
            return rounds[i].title;
    return id;
}

static bool find_definition(Session *session, const char *provider, const Definition **out,
                            GError **error) {
    Registry *registry = session_registry(session, error);
    *out = registry ? registry_find(registry, provider, error) : NULL;
    return *out != NULL;
}

bool schedule_target_init(ScheduleTarget *target, Session *session, const char *name,
                          GError **error) {
    g_autoptr(GError) failure = NULL;
    *target = (ScheduleTarget){0};
    if (integrations_find(session, name, &target->integration, &failure))
        return find_definition(session, target->integration->provider, &target->definition, error);
    target->round = error_code_of(failure) == ERROR_NOT_FOUND ? round_named(name) : NULL;
    if (target->round)
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

void schedule_target_clear(ScheduleTarget *target) {
    g_clear_pointer(&target->integration, integration_free);
}

ScheduleDefaults schedule_defaults(const Session *session) {
    const Config *settings = session_place(session)->config;
    return (ScheduleDefaults){.daily_sync = config_text(settings, "schedule.daily_sync"),
                              .weekly_renewal = config_text(settings, "schedule.weekly_renewal"),
                              .time_zone = config_text(settings, "timezone")};
}

/* --- objects ---------------------------------------------------------------------------------- */

/* A definition that cannot be read leaves the rule untold, and nothing else. */
static Json *object_of(Session *session, const Schedule *row, const char *provider) {
    g_autoptr(GError) ignored = NULL;
    const Definition *definition = NULL;
    const ScheduleDefaults defaults = schedule_defaults(session);
    bool known = !provider || find_definition(session, provider, &definition, &ignored);
    g_autofree char *when = known ? schedule_rule_text(row, definition, &defaults) : NULL;
    return schedule_object_when(row, when);
}

static const char *provider_of(const GPtrArray *integrations, const char *id) {
    for (guint i = 0; i < integrations->len; i++) {
        const Integration *integration = g_ptr_array_index(integrations, i);
        if (g_strcmp0(integration->id, id) == 0)
            return integration->provider;
    }
    return NULL;
}

static Json *reply_of(Json *take) {
    Json *reply = json_new_object();
    json_put(reply, "schedules", take);
    json_put(reply, "nextCursor", NULL);
    return reply;
}

static Json *integrations_json(const Session *session, const GPtrArray *integrations) {
    Json *list = json_new_array();
    for (guint i = 0; i < integrations->len; i++)
        json_add(list, integration_object(g_ptr_array_index(integrations, i),
                                          session_scope(session)->organization, NULL));
    return list;
}

/* --- for people ------------------------------------------------------------------------------- */

static const GridColumn columns[] = {{.title = "NAME"},
                                     {.title = "SERVICE"},
                                     {.title = "WHEN"},
                                     {.title = "LAST"},
                                     {.title = "NEXT"},
                                     {.title = "STATUS"},
                                     {0}};

static int64_t time_of(const Json *json, const char *name) {
    int64_t time = 0;
    const char *text = json_member_string(json, name, NULL);
    return text && clock_parse(text, &time) ? time : 0;
}

static char *next_text(const Json *row) {
    int64_t now = clock_now_ms();
    int64_t due = time_of(row, "dueAt");
    if (due == 0)
        return g_strdup(json_member_bool(row, "paused", false) ? "never" : "to be planned");
    return due <= now ? g_strdup("due") : output_age(due, now);
}

/* integration is NULL for a round of the organization. */
static void add_row(Grid *grid, const Json *row, const Json *integration) {
    int64_t at = integration ? time_of(integration, "lastCheckedAt") : time_of(row, "lastAt");
    const char *paused = json_member_bool(row, "paused", false) ? INTEGRATION_PAUSED : "";
    g_autofree char *last = output_age(at, clock_now_ms());
    g_autofree char *next = next_text(row);
    grid_add(grid, integration ? json_member_string(integration, "name", "")
                               : round_title(json_member_string(row, "id", "")));
    grid_add(grid, json_member_string(integration, "integrationType", ""));
    grid_add(grid, json_member_string(row, "when", ""));
    grid_add(grid, last);
    grid_add(grid, next);
    mark_add(grid, integration ? json_member_string(integration, "status", "") : paused, NULL);
}

static const Json *find_integration(const Json *integrations, const char *id) {
    for (size_t i = 0; i < json_count(integrations); i++) {
        const Json *integration = json_item(integrations, i);
        if (strcmp(json_member_string(integration, "id", ""), id) == 0)
            return integration;
    }
    return NULL;
}

static void print(const Output *output, const Json *schedules, const Json *integrations) {
    g_autoptr(Grid) grid = grid_new(columns);
    if (json_count(integrations) == 0) {
        output_line(output, "Nothing is connected, so nothing is due.");
        output_note(output, "Next: assay connect github");
        return;
    }
    for (size_t i = 0; i < json_count(schedules); i++) {
        const Json *row = json_item(schedules, i);
        const char *id = json_member_string(row, "integrationId", NULL);
        const Json *integration = id ? find_integration(integrations, id) : NULL;
        if (!id || integration)
            add_row(grid, row, integration);
    }
    grid_print(grid, output);
    output_note(output,
                "`assay serve` keeps these times. Next: assay schedule set NAME --every 6h");
}

static void print_one(const Output *output, const Json *row, const Json *integration) {
    g_autoptr(Grid) grid = grid_new(columns);
    output_json(output, row);
    add_row(grid, row, integration);
    grid_print(grid, output);
}

bool schedule_print_target(const Output *output, Session *session, const ScheduleTarget *target,
                           GError **error) {
    GetWork work = {.id = target->round ? target->round : target->integration->id};
    bool ok = session_run(session, DB_READ, get_work, &work, error);
    g_autoptr(Schedule) row = work.row;
    g_autoptr(Integration) now = NULL;
    if (!ok || (!target->round && !integrations_find(session, work.id, &now, error)))
        return false;
    g_autoptr(Json) json = object_of(session, row, now ? now->provider : NULL);
    g_autoptr(Json) integration =
        now ? integration_object(now, session_scope(session)->organization, NULL) : NULL;
    print_one(output, json, integration);
    return true;
}

/* --- the same of a server --------------------------------------------------------------------- */

bool schedule_change_there(const CommandCall *call, Remote *remote, const Json *change,
                           GError **error) {
    const char *name = arguments_word(call->arguments, 0);
    GError *failure = NULL;
    g_autoptr(Json) before = remote_integration(remote, name, &failure);
    const char *round = error_code_of(failure) == ERROR_NOT_FOUND ? round_named(name) : NULL;
    if (!before && !round) {
        g_propagate_error(error, failure);
        return false;
    }
    g_clear_error(&failure);
    const char *id = before ? json_member_string(before, "id", "") : round;
    g_autofree char *path = remote_path("/api/schedules/{id}", id);
    g_autoptr(Json) row = remote_send(remote, "PATCH", path, change, error);
    g_autoptr(Json) now = row && before ? remote_integration(remote, id, error) : NULL;
    if (!row || (before && !now))
        return false;
    print_one(call->output, row, now);
    return true;
}

/* --- schedule --------------------------------------------------------------------------------- */

static bool run(CommandCall *call, GError **error) {
    g_autoptr(GPtrArray) schedules = NULL;
    g_autoptr(GPtrArray) integrations = NULL;
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    if (!session || !read_all(session, &schedules, error) ||
        !integrations_read(session, &integrations, error))
        return false;
    Json *list = json_new_array();
    for (guint i = 0; i < schedules->len; i++) {
        const Schedule *row = g_ptr_array_index(schedules, i);
        json_add(list, object_of(session, row, provider_of(integrations, row->integration_id)));
    }
    g_autoptr(Json) reply = reply_of(list);
    g_autoptr(Json) names = integrations_json(session, integrations);
    output_json(call->output, reply);
    print(call->output, list, names);
    return true;
}

static bool run_remote(CommandCall *call, Remote *remote, GError **error) {
    Json *list = remote_list(remote, "/api/schedules", NULL, "schedules", error);
    if (!list)
        return false;
    g_autoptr(Json) reply = reply_of(list);
    g_autoptr(Json) integrations = integrations_there(remote, error);
    if (!integrations)
        return false;
    output_json(call->output, reply);
    print(call->output, list, integrations);
    return true;
}

const Command schedule_command = {
    .name = "schedule",
    .summary = "when integrations are collected from, and when next",
    .usage = "",
    .about = "An integration is collected from at an interval (its service's usual one unless\n"
             "another was set) or by a cron expression. Besides, the daily sync runs what has not\n"
             "run that day, and the weekly renewal collects again what approved evidence covers.\n"
             "Others: schedule set, schedule pause, schedule resume.",
    .examples = "assay schedule\n"
                "assay schedule --json",
    .run = run,
    .remote = run_remote,
};
