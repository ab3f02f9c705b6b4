#include "cli/schedule.h"

#include "base/clock.h"
#include "base/error.h"
#include "cli/grid.h"
#include "cli/integrations.h"
#include "cli/mark.h"
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

/* --- for people ------------------------------------------------------------------------------- */

static const GridColumn columns[] = {{.title = "NAME"},
                                     {.title = "SERVICE"},
                                     {.title = "WHEN"},
                                     {.title = "LAST"},
                                     {.title = "NEXT"},
                                     {.title = "STATUS"},
                                     {0}};

static char *next_text(const Schedule *row) {
    int64_t now = clock_now_ms();
    if (row->due_at == SCHEDULE_NEVER)
        return g_strdup("never");
    if (row->due_at == 0)
        return g_strdup("to be planned");
    return row->due_at <= now ? g_strdup("due") : output_age(row->due_at, now);
}

static void add_integration(Grid *grid, const Schedule *row, const Integration *integration,
                            const char *when) {
    g_autofree char *last = output_age(integration->last_checked_at, clock_now_ms());
    g_autofree char *next = next_text(row);
    grid_add(grid, integration->name);
    grid_add(grid, integration->provider);
    grid_add(grid, when);
    grid_add(grid, last);
    grid_add(grid, next);
    mark_add(grid, integration->status, NULL);
}

static void add_round(Grid *grid, const Schedule *row, const char *when) {
    g_autofree char *last = output_age(row->last_at, clock_now_ms());
    g_autofree char *next = next_text(row);
    grid_add(grid, round_title(row->id));
    grid_add(grid, "");
    grid_add(grid, when);
    grid_add(grid, last);
    grid_add(grid, next);
    mark_add(grid, row->paused ? INTEGRATION_PAUSED : "", NULL);
}

static const Integration *find_integration(const GPtrArray *integrations, const char *id) {
    for (guint i = 0; i < integrations->len; i++) {
        const Integration *integration = g_ptr_array_index(integrations, i);
        if (strcmp(integration->id, id) == 0)
            return integration;
    }
    return NULL;
}

static bool add_row(Grid *grid, Session *session, const Schedule *row,
                    const GPtrArray *integrations, GError **error) {
    const Definition *definition = NULL;
    const ScheduleDefaults defaults = schedule_defaults(session);
    const Integration *integration =
        row->integration_id ? find_integration(integrations, row->integration_id) : NULL;
    if (integration && !find_definition(session, integration->provider, &definition, error))
        return false;
    g_autofree char *when = schedule_rule_text(row, definition, &defaults);
    if (integration)
        add_integration(grid, row, integration, when);
    else if (!row->integration_id)
        add_round(grid, row, when);
    return true;
}

static bool print(const Output *output, Session *session, const GPtrArray *schedules,
                  GError **error) {
    g_autoptr(GPtrArray) integrations = NULL;
    g_autoptr(Grid) grid = grid_new(columns);
    if (output->json)
        return true;
    if (!integrations_read(session, &integrations, error))
        return false;
    for (guint i = 0; i < schedules->len; i++)
        if (!add_row(grid, session, g_ptr_array_index(schedules, i), integrations, error))
            return false;
    if (integrations->len == 0) {
        output_line(output, "Nothing is connected, so nothing is due.");
        output_note(output, "Next: assay connect github");
        return true;
    }
    grid_print(grid, output);
    output_note(output,
                "`assay serve` keeps these times. Next: assay schedule set NAME --every 6h");
    return true;
}

bool schedule_print_target(const Output *output, Session *session, const ScheduleTarget *target,
                           GError **error) {
    g_autoptr(Grid) grid = grid_new(columns);
    GetWork work = {.id = target->round ? target->round : target->integration->id};
    bool ok = session_run(session, DB_READ, get_work, &work, error);
    g_autoptr(Schedule) row = work.row;
    g_autoptr(Integration) now = NULL;
    if (!ok || (!target->round && !integrations_find(session, work.id, &now, error)))
        return false;
    const ScheduleDefaults defaults = schedule_defaults(session);
    g_autofree char *when = schedule_rule_text(row, target->definition, &defaults);
    g_autoptr(Json) json = schedule_object(row);
    output_json(output, json);
    if (target->round)
        add_round(grid, row, when);
    else
        add_integration(grid, row, now, when);
    grid_print(grid, output);
    return true;
}

static bool run(CommandCall *call, GError **error) {
    g_autoptr(GPtrArray) schedules = NULL;
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    if (!session || !read_all(session, &schedules, error))
        return false;
    g_autoptr(Json) reply = json_new_object();
    Json *list = json_new_array();
    for (guint i = 0; i < schedules->len; i++)
        json_add(list, schedule_object(g_ptr_array_index(schedules, i)));
    json_put(reply, "schedules", list);
    json_put(reply, "nextCursor", NULL);
    output_json(call->output, reply);
    return print(call->output, session, schedules, error);
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
};
