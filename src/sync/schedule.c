#include "sync/schedule.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "store/job.h"
#include "store/review.h"
#include "sync/cron.h"
#include "sync/queue.h"

#include <string.h>

#define BATCH 50 /* rows of one tick */
#define PAGE 50  /* integrations of one unit of a renewal */
#define NOT_SERVED_MS                                                                              \
    (60LL * 60 * 1000) /* until a row that cannot be served is looked at again                     \
                        */

static const ScheduleDefaults usual = {"0 9 * * *", "0 0 * * 0", "UTC"};
static const DbScope system_scope = {.actor = "scheduler", .system = true};

/* --- rules ------------------------------------------------------------------------------------ */

/* A rule that was understood: an interval, or an expression in a zone. */
typedef struct {
    int64_t interval_ms; /* 0: it is an expression */
    Cron cron;
    GTimeZone *zone;
    int64_t jitter_ms;
} Rule;

static void rule_clear(Rule *rule) {
    g_clear_pointer(&rule->zone, g_time_zone_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Rule, rule_clear)

/* FNV-1a: the same for one row on every machine and for ever. */
static uint64_t hash_of(const char *text) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return hash ^ hash >> 29;
}

static int64_t jitter_of(const char *seed, int64_t span_ms) {
    int64_t most_s = MIN(span_ms / 10, SCHEDULE_JITTER_MS) / 1000;
    return (int64_t)(hash_of(seed) % (uint64_t)(most_s + 1)) * 1000;
}

/* Where a rule comes from. */
typedef struct {
    const char *text;
    const char *time_zone;
    const char *seed; /* of the jitter */
} RuleSource;

static bool read_rule(const RuleSource *source, Rule *rule_out, GError **error) {
    g_auto(Rule) rule = {0};
    if (clock_parse_duration(source->text, &rule.interval_ms) && rule.interval_ms > 0) {
        rule.jitter_ms = jitter_of(source->seed, rule.interval_ms);
    } else {
        rule.interval_ms = 0;
        rule.zone = cron_zone(source->time_zone, error);
        if (!rule.zone || !cron_parse(source->text, &rule.cron, error))
            return false;
        rule.jitter_ms = jitter_of(source->seed, cron_least_gap_ms(&rule.cron));
    }
    *rule_out = rule;
    rule.zone = NULL;
    return true;
}

/* The next time of an expression, SCHEDULE_NEVER when there is none. */
static int64_t next_of_cron(const Rule *rule, int64_t after) {
    int64_t next = 0;
    if (!cron_next(&rule->cron, rule->zone, after - rule->jitter_ms, &next))
        return SCHEDULE_NEVER;
    return next + rule->jitter_ms;
}

/* The time after a run that was due at due_at and is queued now. */
static int64_t next_after(const Rule *rule, int64_t due_at, int64_t now) {
    if (rule->interval_ms == 0)
        return next_of_cron(rule, now);
    bool missed = now - due_at > MIN(rule->interval_ms / 10, SCHEDULE_JITTER_MS);
    return missed ? now + rule->interval_ms + rule->jitter_ms : due_at + rule->interval_ms;
}

/* The time for a rule that holds from now on, when the last run was at last_ms (0: never). What
 * would have come in between is due at once. */
static int64_t first_of(const Rule *rule, int64_t last_ms, int64_t now) {
    int64_t from = last_ms > 0 ? last_ms : now;
    int64_t next = rule->interval_ms > 0 ? from + rule->interval_ms + rule->jitter_ms
                                         : next_of_cron(rule, from);
    return MAX(next, now);
}

static const char *zone_of(const ScheduleDefaults *defaults) {
    return defaults && defaults->time_zone ? defaults->time_zone : usual.time_zone;
}

/* What an organization's own row means when nobody chose. */
static const char *round_text(const char *id, const ScheduleDefaults *defaults) {
    bool daily = strcmp(id, SCHEDULE_DAILY) == 0;
    const char *chosen = !defaults ? NULL : daily ? defaults->daily_sync : defaults->weekly_renewal;
    return chosen ? chosen : daily ? usual.daily_sync : usual.weekly_renewal;
}

static bool rule_of_round(const Schedule *row, const ScheduleDefaults *defaults, Rule *rule_out,
                          GError **error) {
    g_autofree char *seed = g_strconcat(row->organization_id, row->id, NULL);
    RuleSource source = {.text = row->rule ? row->rule : round_text(row->id, defaults),
                         .time_zone = row->time_zone ? row->time_zone : zone_of(defaults),
                         .seed = seed};
    return read_rule(&source, rule_out, error);
}

static bool rule_of_integration(const Schedule *row, const Definition *definition,
                                const ScheduleDefaults *defaults, Rule *rule_out, GError **error) {
    if (!row->rule) {
        *rule_out = (Rule){.interval_ms = definition->schedule_ms,
                           .jitter_ms = jitter_of(row->id, definition->schedule_ms)};
        return true;
    }
    RuleSource source = {.text = row->rule,
                         .time_zone = row->time_zone ? row->time_zone : zone_of(defaults),
                         .seed = row->id};
    return read_rule(&source, rule_out, error);
}

static char *hours_text(int64_t duration_ms) {
    int64_t minutes = duration_ms / 60000;
    return minutes % 60 == 0 ? g_strdup_printf("%" G_GINT64_FORMAT "h", minutes / 60)
                             : g_strdup_printf("%" G_GINT64_FORMAT "m", minutes);
}

char *schedule_rule_text(const Schedule *schedule, const Definition *definition,
                         const ScheduleDefaults *defaults) {
    int64_t interval = 0;
    const char *text = schedule->rule;
    if (!text && definition) {
        g_autofree char *usual_interval = hours_text(definition->schedule_ms);
        return g_strdup_printf("every %s", usual_interval);
    }
    text = text ? text : round_text(schedule->id, defaults);
    if (clock_parse_duration(text, &interval))
        return g_strdup_printf("every %s", text);
    return g_strdup_printf("%s %s", text,
                           schedule->time_zone ? schedule->time_zone : zone_of(defaults));
}

/* --- integrations that are due ---------------------------------------------------------------- */

/* What serves one claimed row; the units of work are its. */
typedef struct {
    Db *db;
    Registry *registry;
    const ScheduleDefaults *defaults;
    const Schedule *row;
    Integration *integration;
    const Definition *definition;
    int64_t next_at;
    bool queued;
} Serving;

static void serving_clear(Serving *serving) {
    g_clear_pointer(&serving->integration, integration_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Serving, serving_clear)

static DbScope scope_of(const Schedule *row) {
    return (DbScope){.organization = row->organization_id, .actor = "scheduler", .role = "owner"};
}

static bool in_organization(Serving *serving, DbMode mode, DbWork work, GError **error) {
    DbScope scope = scope_of(serving->row);
    return db_run(serving->db, &scope, mode, work, serving, error);
}

static bool read_integration(DbUnit *unit, void *data, GError **error) {
    Serving *serving = data;
    serving_clear(serving);
    return integration_get(unit, serving->row->integration_id, &serving->integration, error);
}

bool schedule_runs(const Integration *integration) {
    return strcmp(integration->status, INTEGRATION_PAUSED) != 0 &&
           strcmp(integration->status, INTEGRATION_DISCONNECTED) != 0;
}

static bool queue_and_advance(DbUnit *unit, void *data, GError **error) {
    Serving *serving = data;
    g_autofree char *job_id = NULL;
    SyncRequest request = {.cause = SYNC_SCHEDULE};
    serving->queued = false;
    return (!schedule_runs(serving->integration) ||
            queue_sync_in(unit, serving->integration, serving->definition, &request, &job_id,
                          &serving->queued, error)) &&
           schedule_advance(unit, serving->row, serving->next_at, error);
}

static bool serve_integration(Serving *serving, GError **error) {
    g_auto(Rule) rule = {0};
    if (!in_organization(serving, DB_READ, read_integration, error))
        return false;
    serving->definition = registry_find(serving->registry, serving->integration->provider, error);
    if (!serving->definition ||
        !rule_of_integration(serving->row, serving->definition, serving->defaults, &rule, error))
        return false;
    int64_t now = clock_now_ms();
    serving->next_at = serving->row->due_at > 0 ? next_after(&rule, serving->row->due_at, now)
                                                : now + rule.interval_ms + rule.jitter_ms;
    return in_organization(serving, DB_WRITE, queue_and_advance, error);
}

/* --- the daily sync --------------------------------------------------------------------------- */

typedef struct {
    const Schedule *row;
    int64_t since_ms;
    int64_t next_at;
} Daily;

/* Everything that has not run today becomes due, and so the work of the next ticks. */
static bool call_and_advance(DbUnit *unit, void *data, GError **error) {
    const Daily *daily = data;
    int64_t called = 0;
    return schedule_call_due(unit, daily->since_ms, &called, error) &&
           schedule_advance(unit, daily->row, daily->next_at, error);
}

static bool serve_daily(Serving *serving, const Rule *rule, GError **error) {
    Daily daily = {.row = serving->row,
                   .since_ms = cron_day_begin(rule->zone, clock_now_ms()),
                   .next_at = serving->next_at};
    DbScope scope = scope_of(serving->row);
    return db_run(serving->db, &scope, DB_WRITE, call_and_advance, &daily, error);
}

/* --- the weekly renewal ----------------------------------------------------------------------- */

/* One page of integrations with approved evidence. */
typedef struct {
    Registry *registry;
    char *after_id;
    GPtrArray *integrations; /* Integration*, those that run */
    guint read;              /* ids of the page */
    int64_t queued;
} Renewal;

static void renewal_clear(Renewal *renewal) {
    g_clear_pointer(&renewal->after_id, g_free);
    g_clear_pointer(&renewal->integrations, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Renewal, renewal_clear)

static bool read_page(DbUnit *unit, void *data, GError **error) {
    Renewal *renewal = data;
    g_autoptr(GPtrArray) ids = NULL;
    g_clear_pointer(&renewal->integrations, g_ptr_array_unref);
    renewal->integrations = g_ptr_array_new_with_free_func((GDestroyNotify)integration_free);
    if (!review_approved_integrations(unit, renewal->after_id, PAGE, &ids, error))
        return false;
    renewal->read = ids->len;
    for (guint i = 0; i < ids->len; i++) {
        Integration *integration = NULL;
        if (!integration_get(unit, g_ptr_array_index(ids, i), &integration, error))
            return false;
        g_ptr_array_add(renewal->integrations, integration);
    }
    return true;
}

/* The types of approved evidence that the definition still has; ends in NULL. */
static const char **types_to_renew(const Definition *definition, const GPtrArray *approved) {
    const char **names = g_new0(const char *, approved->len + 1);
    size_t count = 0;
    for (guint i = 0; i < approved->len; i++) {
        const EvidenceType *type = definition_type(definition, g_ptr_array_index(approved, i));
        if (type)
            names[count++] = type->name;
    }
    return names;
}

static bool renew_one(DbUnit *unit, Renewal *renewal, const Integration *integration,
                      GError **error) {
    /* Found by read_page's caller already, so that nothing is parsed here. */
    const Definition *definition = registry_find(renewal->registry, integration->provider, NULL);
    g_autoptr(GPtrArray) approved = NULL;
    g_autofree char *job_id = NULL;
    bool added = false;
    if (!definition || !schedule_runs(integration))
        return true;
    if (!review_approved_types(unit, integration->id, &approved, error))
        return false;
    g_autofree const char **types = types_to_renew(definition, approved);
    SyncRequest request = {.evidence_types = types, .cause = SYNC_RENEWAL};
    if (!types[0])
        return true;
    if (!queue_sync_in(unit, integration, definition, &request, &job_id, &added, error))
        return false;
    renewal->queued += added;
    return true;
}

static bool renew_page(DbUnit *unit, void *data, GError **error) {
    Renewal *renewal = data;
    renewal->queued = 0;
    for (guint i = 0; i < renewal->integrations->len; i++)
        if (!renew_one(unit, renewal, g_ptr_array_index(renewal->integrations, i), error))
            return false;
    return true;
}

/* Definitions are parsed outside of units. One that is wrong keeps its integrations out. */
static void find_definitions(const Renewal *renewal) {
    for (guint i = 0; i < renewal->integrations->len; i++) {
        const Integration *integration = g_ptr_array_index(renewal->integrations, i);
        g_autoptr(GError) wrong = NULL;
        if (!registry_find(renewal->registry, integration->provider, &wrong))
            log_line(LOG_ERROR, "renewal_not_queued", LOG_TEXT("integration", integration->id),
                     LOG_TEXT("message", wrong->message));
    }
}

static bool renew_all(const Serving *serving, int64_t *queued_out, GError **error) {
    g_auto(Renewal) renewal = {.registry = serving->registry};
    DbScope scope = scope_of(serving->row);
    do {
        if (!db_run(serving->db, &scope, DB_READ, read_page, &renewal, error))
            return false;
        find_definitions(&renewal);
        if (renewal.read > 0 && !db_run(serving->db, &scope, DB_WRITE, renew_page, &renewal, error))
            return false;
        *queued_out += renewal.queued;
        g_free(renewal.after_id);
        const Integration *last =
            renewal.read > 0 ? g_ptr_array_index(renewal.integrations, renewal.read - 1) : NULL;
        renewal.after_id = g_strdup(last ? last->id : NULL);
    } while (renewal.read == PAGE);
    return true;
}

static bool only_advance(DbUnit *unit, void *data, GError **error) {
    const Serving *serving = data;
    return schedule_advance(unit, serving->row, serving->next_at, error);
}

/* --- rows ------------------------------------------------------------------------------------- */

static bool serve_round(Serving *serving, int64_t *queued, GError **error) {
    g_auto(Rule) rule = {0};
    if (!rule_of_round(serving->row, serving->defaults, &rule, error))
        return false;
    serving->next_at = next_of_cron(&rule, clock_now_ms());
    bool is_planned = serving->row->due_at > 0;
    if (is_planned && strcmp(serving->row->id, SCHEDULE_DAILY) == 0)
        return serve_daily(serving, &rule, error);
    return (!is_planned || renew_all(serving, queued, error)) &&
           in_organization(serving, DB_WRITE, only_advance, error);
}

static bool serve(Serving *serving, int64_t *queued, GError **error) {
    if (!serving->row->integration_id)
        return serve_round(serving, queued, error);
    if (!serve_integration(serving, error))
        return false;
    *queued += serving->queued;
    return true;
}

/* Whether the failure is the row's and not the database's. */
static bool is_of_row(const GError *failure) {
    ErrorCode code = error_code_of(failure);
    return code != ERROR_DATABASE && code != ERROR_CANCELLED && code != ERROR_INTERNAL;
}

/* A row that cannot be served waits, and does not hold up the others. */
static bool put_off(Serving *serving, const GError *failure, GError **error) {
    if (error_code_of(failure) == ERROR_CONFLICT)
        return true; /* somebody changed it or was faster */
    log_line(LOG_ERROR, "schedule_not_served", LOG_TEXT("schedule", serving->row->id),
             LOG_TEXT("message", failure->message));
    serving->next_at = clock_now_ms() + NOT_SERVED_MS;
    g_autoptr(GError) late = NULL;
    if (in_organization(serving, DB_WRITE, only_advance, &late) ||
        error_code_of(late) == ERROR_CONFLICT)
        return true;
    g_propagate_error(error, g_steal_pointer(&late));
    return false;
}

static bool serve_row(Serving *serving, int64_t *queued, GError **error) {
    g_autoptr(GError) failure = NULL;
    if (serve(serving, queued, &failure))
        return true;
    if (is_of_row(failure))
        return put_off(serving, failure, error);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

/* --- ticking ---------------------------------------------------------------------------------- */

static bool claim_work(DbUnit *unit, void *data, GError **error) {
    GPtrArray **rows = data;
    const ScheduleClaim claim = {.hold_ms = SCHEDULE_HOLD_MS, .limit = BATCH};
    g_clear_pointer(rows, g_ptr_array_unref);
    return schedule_claim(unit, &claim, rows, error);
}

static bool look_work(DbUnit *unit, void *data, GError **error) {
    return schedule_next_look(unit, data, error);
}

bool schedule_tick(Db *db, Registry *registry, const ScheduleDefaults *defaults,
                   ScheduleTick *tick_out, GError **error) {
    g_autoptr(GPtrArray) rows = NULL;
    ScheduleTick tick = {0};
    if (!db_run(db, &system_scope, DB_WRITE, claim_work, &rows, error))
        return false;
    for (guint i = 0; i < rows->len; i++) {
        g_auto(Serving) serving = {.db = db,
                                   .registry = registry,
                                   .defaults = defaults,
                                   .row = g_ptr_array_index(rows, i)};
        if (!serve_row(&serving, &tick.queued, error))
            return false;
    }
    tick.served = rows->len;
    if (!db_run(db, &system_scope, DB_READ, look_work, &tick.look_at, error))
        return false;
    *tick_out = tick;
    return true;
}

/* --- what a run changes ----------------------------------------------------------------------- */

bool schedule_note_run(DbUnit *unit, const Integration *integration, const Definition *definition,
                       GError **error) {
    g_autoptr(Schedule) row = NULL;
    g_auto(Rule) rule = {0};
    int64_t now = clock_now_ms();
    if (!schedule_begin(unit, integration->id, now + definition->schedule_ms, error) ||
        !schedule_get(unit, integration->id, &row, error) ||
        !rule_of_integration(row, definition, NULL, &rule, error))
        return false;
    bool soon = row->due_at < now + rule.interval_ms - rule.interval_ms / 10;
    return rule.interval_ms == 0 || row->paused || !soon ||
           schedule_put_off(unit, row->id, now + rule.interval_ms, error);
}

/* An integration that was never planned has no row. */
static bool find_row(DbUnit *unit, const char *id, Schedule **row_out, GError **error) {
    g_autoptr(GError) failure = NULL;
    if (schedule_get(unit, id, row_out, &failure) ||
        g_error_matches(failure, ASSAY_ERROR, ERROR_NOT_FOUND))
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

bool schedule_after_scan(DbUnit *unit, const Integration *integration, const Definition *definition,
                         int64_t *next_out, GError **error) {
    g_autoptr(Schedule) row = NULL;
    g_auto(Rule) rule = {0};
    Schedule bare = {.id = integration->id, .rule = integration->scan_schedule};
    int64_t now = clock_now_ms();
    if (!find_row(unit, integration->id, &row, error) ||
        !rule_of_integration(row ? row : &bare, definition, NULL, &rule, error))
        return false;
    *next_out = rule.interval_ms > 0 ? now + rule.interval_ms : next_of_cron(&rule, now);
    return true;
}

/* --- for those who choose --------------------------------------------------------------------- */

static bool refuse_range(const Definition *definition, const char *what, GError **error) {
    g_autofree char *least = hours_text(definition->schedule_min_ms);
    g_autofree char *most = hours_text(definition->schedule_max_ms);
    g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "%s: %s is collected every %s to %s", what,
                definition->name, least, most);
    return false;
}

static bool check_interval(const Definition *definition, const char *text, GError **error) {
    int64_t interval = 0;
    if (!clock_parse_duration(text, &interval)) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "an interval is a number with its unit, such as 4h or 90m");
        return false;
    }
    bool within =
        interval >= definition->schedule_min_ms && interval <= definition->schedule_max_ms;
    return within || refuse_range(definition, "the interval is out of range", error);
}

static bool check_cron(const Definition *definition, const ScheduleWish *wish, GError **error) {
    Cron cron;
    int64_t next;
    g_autoptr(GTimeZone) zone = cron_zone(wish->time_zone ? wish->time_zone : "UTC", error);
    if (!zone || !cron_parse(wish->cron, &cron, error))
        return false;
    if (!cron_next(&cron, zone, clock_now_ms(), &next)) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "the cron expression never comes: there is no such day");
        return false;
    }
    return !definition || cron_least_gap_ms(&cron) >= definition->schedule_min_ms ||
           refuse_range(definition, "the cron expression comes too often", error);
}

static bool check_wish(const Definition *definition, const ScheduleWish *wish, GError **error) {
    if (wish->every && (wish->cron || wish->time_zone)) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            wish->cron ? "give an interval or a cron expression, not both"
                                       : "a time zone belongs to a cron expression");
        return false;
    }
    if (wish->every)
        return check_interval(definition, wish->every, error);
    return !wish->cron || check_cron(definition, wish, error);
}

static bool check_edit(const ScheduleEdit *edit, GError **error) {
    if (!edit->wish)
        return true;
    if (edit->integration || !edit->wish->every)
        return check_wish(edit->definition, edit->wish, error);
    g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                        "the rounds of an organization have a cron expression, no interval");
    return false;
}

static const char *id_of(const ScheduleEdit *edit) {
    return edit->integration ? edit->integration->id : edit->round;
}

static bool plan_edit(const ScheduleEdit *edit, Schedule *row, GError **error) {
    g_auto(Rule) rule = {0};
    int64_t last_ms = edit->integration ? edit->integration->last_sync_at : 0;
    bool ok = edit->integration
                  ? rule_of_integration(row, edit->definition, edit->defaults, &rule, error)
                  : rule_of_round(row, edit->defaults, &rule, error);
    if (!ok)
        return false;
    row->due_at = row->paused ? SCHEDULE_NEVER : first_of(&rule, last_ms, clock_now_ms());
    return true;
}

static bool edit_row(DbUnit *unit, const ScheduleEdit *edit, GError **error) {
    g_autoptr(Schedule) stored = NULL;
    if ((edit->integration && !schedule_begin(unit, id_of(edit), clock_now_ms(), error)) ||
        !schedule_get(unit, id_of(edit), &stored, error))
        return false;
    Schedule row = *stored;
    if (edit->wish) {
        row.rule = edit->wish->every ? edit->wish->every : edit->wish->cron;
        row.time_zone = edit->wish->time_zone;
    }
    if (edit->pause != SCHEDULE_PAUSE_AS_IS)
        row.paused = edit->pause == SCHEDULE_PAUSE_BEGIN;
    return plan_edit(edit, &row, error) && schedule_change(unit, &row, error);
}

static bool call_off_waiting(DbUnit *unit, const char *integration_id, GError **error) {
    g_autoptr(GPtrArray) jobs = NULL;
    if (!job_list_active(unit, integration_id, &jobs, error))
        return false;
    for (guint i = 0; i < jobs->len; i++) {
        const Job *job = g_ptr_array_index(jobs, i);
        JobCancel how;
        if (!job_cancel(unit, job->id, &how, error))
            return false;
    }
    return true;
}

/* An integration's status and its row change together. */
static bool hold_or_release(DbUnit *unit, const ScheduleEdit *edit, GError **error) {
    static const IntegrationStatus paused = {.status = INTEGRATION_PAUSED};
    if (!edit->integration || edit->pause == SCHEDULE_PAUSE_AS_IS)
        return true;
    if (edit->pause == SCHEDULE_PAUSE_END)
        return integration_resume(unit, id_of(edit), error);
    return integration_update_status(unit, id_of(edit), &paused, error) &&
           call_off_waiting(unit, id_of(edit), error);
}

bool schedule_edit(DbUnit *unit, const ScheduleEdit *edit, GError **error) {
    return check_edit(edit, error) && hold_or_release(unit, edit, error) &&
           edit_row(unit, edit, error);
}

bool schedule_go_on(DbUnit *unit, const Integration *integration, const Definition *definition,
                    GError **error) {
    /* It may have been paused before it was disconnected. */
    ScheduleEdit edit = {
        .integration = integration, .definition = definition, .pause = SCHEDULE_PAUSE_END};
    return !schedule_runs(integration) || (schedule_edit(unit, &edit, error) &&
                                           queue_first_sync(unit, integration, definition, error));
}
