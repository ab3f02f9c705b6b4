#include "collect/run.h"

#include "base/clock.h"
#include "base/error.h"
#include "collect/ask.h"
#include "collect/finish.h"
#include "collect/reading.h"
#include "connect/refusal.h"
#include "connect/settings.h"

#include <string.h>

#define BACKLOG_MAX 8 /* chunks or batches on their way to the disk before reading holds back */
#define PROGRESS_MS 100

/* --- the types -------------------------------------------------------------------------------- */

static ExprProgram *row_program(const EvidenceType *type, ExprResult **results_out) {
    size_t count = type->row ? 1 : type->row_field_count;
    g_autofree const Expr **leaves = g_new0(const Expr *, count + 1);
    if (type->row)
        leaves[0] = type->row;
    for (size_t i = 0; !type->row && i < count; i++)
        leaves[i] = type->row_fields[i].expr;
    *results_out = g_new0(ExprResult, count + 1);
    /* The program keeps the leaves, which are the definition's, not the array. */
    return expr_program_new(leaves, count);
}

static void type_init(Run *run, size_t index, const EvidenceType *type) {
    TypeState *state = &run->types[index];
    state->type = type;
    state->plan_nodes = g_new0(size_t, type->node_count);
    g_autofree const char **names = g_new0(const char *, type->node_count);
    for (size_t node = 0; node < type->node_count; node++) {
        state->plan_nodes[node] = read_plan_find(run->plan, index, node);
        names[node] = type->nodes[node].name;
    }
    size_t root = type->row_of;
    while (type->nodes[root].parent != READ_NO_PARENT)
        root = (size_t)type->nodes[root].parent;
    state->root = state->plan_nodes[root];
    state->completeness = completeness_new(names, type->node_count);
    state->program = row_program(type, &state->results);
    if (!type->row)
        state->shape = row_shape_new(type);
    state->names = g_new0(Value, type->node_count);
    for (size_t node = 0; node < type->node_count; node++)
        state->names[node] = value_new_string(type->nodes[node].name);
    state->seen = value_copy(run->base);
    if (type->summary)
        state->summary = summary_new(type->summary, run->settings, run->config.clock_ms);
    state->writer = writer_new(&run->place, run->job_id, run->config.lease);
    writer_watch(state->writer, (NetCall)run_wake, run);
}

static void type_clear(TypeState *state) {
    writer_free(state->writer);
    summary_free(state->summary);
    expr_program_free(state->program);
    g_free(state->results);
    row_shape_free(state->shape);
    for (size_t node = 0; state->names && node < state->type->node_count; node++)
        value_clear(&state->names[node]);
    g_free(state->names);
    value_clear(&state->seen);
    g_free(state->plan_nodes);
    completeness_free(state->completeness);
    g_clear_error(&state->error);
}

void run_fail_type(TypeState *type, GError *error) {
    /* An expression that ran too long runs as long again: the definition is wrong. */
    if (error->domain == ASSAY_ERROR && error->code == ERROR_TIMEOUT)
        error->code = ERROR_CONFIGURATION;
    if (type->error)
        g_error_free(error);
    else
        type->error = error;
}

/* --- making a run ----------------------------------------------------------------------------- */

static bool make_plan(Run *run, const char *const *names, GError **error) {
    g_autoptr(GPtrArray) types = g_ptr_array_new();
    for (; *names; names++) {
        const EvidenceType *type = definition_type(run->config.definition, *names);
        if (!type) {
            g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "%s has no evidence type \"%s\"",
                        run->config.definition->name, *names);
            return false;
        }
        if (!g_ptr_array_find(types, type, NULL))
            g_ptr_array_add(types, (void *)(uintptr_t)type);
    }
    run->type_count = types->len;
    run->plan = read_plan_new(run->config.definition, (const EvidenceType *const *)types->pdata,
                              types->len, error);
    return run->plan != NULL;
}

/* {start, end} as RFC 3339 and {startMs, endMs} for services that count. */
static Value make_range(const RunConfig *config) {
    int64_t window = 0;
    for (size_t i = 0; i < config->definition->type_count; i++)
        window = MAX(window, config->definition->types[i].range_ms);
    int64_t end = config->to_ms > 0 ? config->to_ms : config->clock_ms;
    int64_t start = config->from_ms > 0 ? config->from_ms : end - window;
    g_autofree char *start_text = clock_format(start);
    g_autofree char *end_text = clock_format(end);
    Value range = value_new_object();
    value_put(&range, "start", value_new_string(start_text));
    value_put(&range, "end", value_new_string(end_text));
    value_put(&range, "startMs", value_new_number((double)start));
    value_put(&range, "endMs", value_new_number((double)end));
    return range;
}

/* A program of one expression; NULL for none. */
static ExprProgram *program_of(const Expr *expr) {
    return expr ? expr_program_new(&expr, 1) : NULL;
}

static void make_programs(Run *run) {
    run->filters = g_new0(ExprProgram *, run->plan->node_count);
    run->folds = g_new0(SummaryProgram *, run->plan->node_count);
    run->givens = g_new0(ExprProgram *, run->plan->node_count);
    run->keys = g_new0(ExprProgram *, run->plan->node_count);
    run->polls = g_new0(ExprProgram *, run->plan->node_count);
    run->roots = g_new0(Reading *, run->plan->node_count);
    for (size_t i = 0; i < run->plan->node_count; i++) {
        const ReadNode *node = run->plan->nodes[i].node;
        run->filters[i] = program_of(node->where);
        if (node->mode == READ_FOLD)
            run->folds[i] = summary_program_new(node->fold);
        run->givens[i] = program_of(node->each ? node->each : node->given);
        if (run->plan->nodes[i].shared)
            run->keys[i] = program_of(node->index_on);
        else if (run->plan->nodes[i].source != PLAN_NO_SOURCE)
            run->keys[i] = program_of(node->index_key);
        if (node->call && node->call->poll)
            run->polls[i] = program_of(node->call->poll->until);
    }
}

bool run_new(const RunConfig *config, Run **run_out, GError **error) {
    g_autoptr(Run) run = g_new0(Run, 1);
    run->config = *config;
    run->place = (UnitPlace){config->client, config->db, config->scope};
    run->integration_id = g_strdup(config->integration_id);
    run->job_id = g_strdup(config->job_id);
    run->settings_json = json_copy_deep(config->settings);
    run->line = g_string_new(NULL);
    run->unread = g_ptr_array_new();
    run->tripped = OUTCOME_OK;
    g_queue_init(&run->asks);
    g_queue_init(&run->spare_asks);
    g_queue_init(&run->stalled);
    if (!settings_value(config->settings, &run->settings, error) ||
        !make_plan(run, config->evidence_types, error))
        return false;
    run->render = render_new(config->definition, run->settings, config->clock_ms, error);
    if (!run->render)
        return false;
    run->pager = pager_new(config->definition, config->clock_ms);
    run->range = make_range(config);
    run->base = value_new_object();
    value_put(&run->base, "settings", value_copy(run->settings));
    value_put(&run->base, "range", value_copy(run->range));
    make_programs(run);
    run->types = g_new0(TypeState, run->type_count);
    for (size_t i = 0; i < run->type_count; i++)
        type_init(run, i, run->plan->types[i]);
    cassette_watch(config->cassette, (NetCall)run_wake, run);
    *run_out = g_steal_pointer(&run);
    return true;
}

static bool is_storing(const Run *run) {
    for (size_t i = 0; i < run->type_count; i++)
        if (run->types && run->types[i].storing)
            return true;
    return false;
}

/* Callbacks of requests and writes under way still point here; answers are not waited for. */
static void wait_for_callbacks(Run *run) {
    if (run->in_flight > 0)
        net_client_cancel_all(run->config.client);
    while ((run->in_flight > 0 || run->pump_posted || is_storing(run)) &&
           net_client_step(run->config.client, -1, NULL))
        continue;
}

void run_free(Run *run) {
    if (!run)
        return;
    run->over = true;
    cassette_watch(run->config.cassette, NULL, NULL);
    if (run->flush_timer != 0)
        net_client_cancel_timer(run->config.client, run->flush_timer);
    wait_for_callbacks(run);
    for (size_t i = 0; run->types && i < run->type_count; i++)
        type_clear(&run->types[i]);
    wait_for_callbacks(run);
    ask_drop_all(run);
    g_queue_clear(&run->stalled);
    for (size_t i = 0; run->plan && run->filters && i < run->plan->node_count; i++) {
        if (run->roots[i])
            reading_free(run->roots[i]);
        expr_program_free(run->filters[i]);
        summary_program_free(run->folds[i]);
        expr_program_free(run->givens[i]);
        expr_program_free(run->keys[i]);
        expr_program_free(run->polls[i]);
    }
    g_free(run->filters);
    g_free(run->folds);
    g_free(run->givens);
    g_free(run->keys);
    g_free(run->polls);
    g_free(run->roots);
    g_free(run->types);
    pager_free(run->pager);
    render_free(run->render);
    read_plan_free(run->plan);
    value_clear(&run->base);
    value_clear(&run->range);
    value_clear(&run->settings);
    json_free(run->settings_json);
    g_string_free(run->line, TRUE);
    g_ptr_array_unref(run->unread);
    g_clear_error(&run->error);
    g_free(run->tripped_message);
    g_free(run->integration_id);
    g_free(run->job_id);
    g_free(run);
}

/* --- the pump --------------------------------------------------------------------------------- */

bool run_may_take(const Run *run) {
    if (run->parked_until != 0 || run->error || run->over)
        return false;
    if (cassette_pending(run->config.cassette) > BACKLOG_MAX)
        return false;
    for (size_t i = 0; i < run->type_count; i++)
        if (writer_backlog(run->types[i].writer) > BACKLOG_MAX)
            return false;
    return true;
}

/* Whether the roots of a type, its own chain's left aside, are over. */
static bool sides_of_type_are_over(const Run *run, const TypeState *type) {
    for (size_t node = 0; node < type->type->node_count; node++) {
        size_t index = type->plan_nodes[node];
        if (type->type->nodes[node].parent != READ_NO_PARENT || index == type->root)
            continue;
        if (run->plan->nodes[index].parent == READ_NO_PARENT &&
            (!run->roots[index] || !run->roots[index]->over))
            return false;
    }
    return true;
}

bool run_sides_are_over(const Run *run, size_t root) {
    for (size_t i = 0; i < run->type_count; i++)
        if (run->types[i].root == root && !sides_of_type_are_over(run, &run->types[i]))
            return false;
    return true;
}

void run_stall(Reading *reading) {
    if (reading->stalled || reading->over)
        return;
    reading->stalled = true;
    g_queue_push_tail(&reading->run->stalled, reading);
}

static void resume_stalled(Run *run) {
    for (guint left = run->stalled.length; left > 0 && run_may_take(run); left--) {
        Reading *reading = g_queue_pop_head(&run->stalled);
        if (!reading) /* those that were freed by others' turns have left */
            return;
        reading->stalled = false;
        reading_advance(reading);
    }
}

static bool types_are_settled(const Run *run) {
    for (size_t i = 0; i < run->type_count; i++)
        if (!run->types[i].stored && !run->types[i].error)
            return false;
    return true;
}

static void finish_types(Run *run) {
    for (size_t i = 0; i < run->type_count; i++) {
        TypeState *type = &run->types[i];
        type->read = run->roots[type->root]->over && run_sides_are_over(run, type->root);
        finish_type(run, type);
    }
}

static void take_cassette_error(Run *run) {
    const GError *error = cassette_error(run->config.cassette);
    if (error && !run->error)
        run->error = g_error_copy(error);
}

static void pump(void *data) {
    Run *run = data;
    run->pump_posted = false;
    if (run->over)
        return;
    take_cassette_error(run);
    ask_pump(run);
    resume_stalled(run);
    ask_pump(run);
    finish_types(run);
    bool stopped = run->error || run->parked_until != 0;
    if (stopped)
        cassette_flush(run->config.cassette);
    bool quiet = run->in_flight == 0 && !is_storing(run);
    if (quiet && (types_are_settled(run) ||
                  (stopped && (run->error || cassette_pending(run->config.cassette) == 0))))
        run->over = true;
}

void run_wake(Run *run) {
    if (run->pump_posted || run->over)
        return;
    run->pump_posted = true;
    net_client_post(run->config.client, pump, run);
}

static void flush_now(void *data) {
    Run *run = data;
    run->flush_timer = 0;
    cassette_flush(run->config.cassette);
}

void run_flush_soon(Run *run) {
    if (run->flush_timer == 0 && !run->over)
        run->flush_timer = net_client_after(run->config.client, RUN_COMMIT_MS, flush_now, run);
}

void run_start(Run *run) {
    for (size_t i = 0; i < run->plan->node_count; i++)
        if (run->plan->nodes[i].parent == READ_NO_PARENT)
            run->roots[i] = reading_start(run, i, NULL);
    run_wake(run);
}

bool run_is_over(const Run *run) {
    return run->over;
}

int64_t run_parked_until(const Run *run) {
    return run->parked_until;
}

const GError *run_held(const Run *run) {
    for (size_t i = 0; i < run->type_count; i++)
        if (run->types[i].held)
            return run->types[i].error;
    return NULL;
}

const GError *run_error(const Run *run) {
    return run->error;
}

/* --- telling ---------------------------------------------------------------------------------- */

void run_tell_progress(Run *run, const TypeState *type) {
    int64_t now = clock_mono_ms();
    if (!run->config.observer.progress || now - run->told_at < PROGRESS_MS)
        return;
    run->told_at = now;
    run->config.observer.progress(type->type->name, writer_rows(type->writer), run->calls,
                                  run->config.observer.data);
}

static Json *error_entry(const char *type, ErrorCode code, const char *message) {
    Json *entry = json_new_object();
    json_put_string(entry, "evidenceType", type);
    json_put_string(entry, "code", error_code_name(code));
    json_put_string(entry, "message", message ? message : "");
    json_put_bool(entry, "retryable", error_code_retryable(code));
    return entry;
}

static Json *parked_entry(const Run *run, const char *type) {
    g_autofree char *message = g_strdup_printf(
        "Rate limit exceeded for %s. Please try again later.", run->config.definition->name);
    Json *entry = error_entry(type, ERROR_RATE_LIMITED, message);
    Json *details = json_new_object();
    json_put_time(details, "parkedUntil", run->parked_until);
    json_put(entry, "details", details);
    return entry;
}

static void add_errors(const Run *run, const TypeState *type, Json *errors) {
    const char *name = type->type->name;
    if (type->error) {
        json_add(errors, error_entry(name, error_code_of(type->error), type->error->message));
        return;
    }
    if (run->parked_until > 0 && !type->stored) {
        json_add(errors, parked_entry(run, name));
        return;
    }
    Outcome outcome;
    const char *message;
    if (!completeness_failure(type->completeness, &outcome, &message))
        return;
    g_autofree char *needs = completeness_needs(type->completeness);
    g_autofree char *all = needs && outcome == OUTCOME_FORBIDDEN
                               ? refusal_permissions(run->config.definition, needs)
                               : NULL;
    Json *entry = error_entry(name, outcome_error_code(outcome), all ? all : message);
    if (outcome == OUTCOME_BROKEN)
        json_put_bool(entry, "retryable", false);
    Json *details = json_new_object();
    json_put_string(details, "outcome", outcome_name(outcome));
    if (needs)
        json_put_string(details, "needs", needs);
    json_put(entry, "details", details);
    json_add(errors, entry);
}

Json *run_result(const Run *run) {
    int64_t collected = 0;
    Json *errors = json_new_array();
    for (size_t i = 0; i < run->type_count; i++) {
        collected += run->types[i].stored;
        add_errors(run, &run->types[i], errors);
    }
    Json *result = json_new_object();
    json_put_int(result, "evidenceCollected", collected);
    json_put_int(result, "evidenceFailed", (int64_t)run->type_count - collected);
    json_put(result, "errors", errors);
    return result;
}
