#include "collect/reading.h"

#include "base/clock.h"
#include "base/error.h"
#include "collect/account.h"
#include "collect/ask.h"
#include "collect/emit.h"
#include "collect/lookup.h"

#include <string.h>

#define SHEETS_AHEAD 2 /* pages that are held while rows are still being taken */

static const char *node_name(const Reading *reading) {
    return reading_node(reading)->name;
}

/* --- rows ------------------------------------------------------------------------------------- */

static void row_free(Row *row) {
    const PlanNode *node = reading_plan(row->reading);
    for (size_t i = 0; i < node->child_count; i++)
        if (row->children[i])
            reading_free(row->children[i]);
    g_free(row->children);
    value_clear(&row->value);
    value_clear(&row->environment);
    if (row->reading->list)
        row->reading->run->rows_live--;
    g_free(row);
}

static bool row_is_whole(const Row *row) {
    return row->started && row->open_children == 0;
}

/* Adds a row with this value (taken) behind the others, and starts what hangs on it. */
static void add_row(Reading *reading, Value value) {
    const PlanNode *node = reading_plan(reading);
    Run *run = reading->run;
    Row *row = g_new0(Row, 1);
    row->reading = reading;
    row->value = value;
    row->environment = value_copy(reading->parent ? reading->parent->environment : run->base);
    if (node->child_count > 0)
        value_put(&row->environment, node_name(reading), value_copy(value));
    row->children = g_new0(Reading *, node->child_count);
    row->open_children = (unsigned)node->child_count;
    if (reading->list)
        run->rows_live++;
    g_queue_push_tail(&reading->rows, row);
    for (size_t i = 0; i < node->child_count; i++)
        row->children[i] = reading_start(run, node->children[i], row);
    row->started = true;
    lookup_wake(reading); /* the lists that hang on the row have been begun */
}

static bool is_current(const Reading *reading) {
    for (; reading->parent; reading = reading->parent->reading)
        if (g_queue_peek_head(&reading->parent->reading->rows) != reading->parent)
            return false;
    return run_sides_are_over(reading->run, reading->node);
}

/* Lists below a row that has just become the first may emit now, and so may those below the first
 * of their rows. */
static void wake_children(Row *row) {
    const PlanNode *node = reading_plan(row->reading);
    for (size_t i = 0; i < node->child_count; i++) {
        Reading *child = row->children[i];
        if (!child)
            continue;
        run_stall(child);
        Row *first = g_queue_peek_head(&child->rows);
        if (first)
            wake_children(first);
    }
    if (node->child_count > 0)
        run_wake(row->reading->run);
}

/* Emits whole rows from the front. The one row of a reading that is no list leaves together with
 * the row that it hangs on; others look at it until then. */
static void emit_front(Reading *reading) {
    if (!reading->list)
        return;
    while (is_current(reading)) {
        Row *row = g_queue_peek_head(&reading->rows);
        if (!row || !row_is_whole(row))
            return;
        emit_row(reading->run, row);
        g_queue_pop_head(&reading->rows);
        row_free(row);
        if (reading->run->stalled.length > 0)
            run_wake(reading->run);
        Row *first = g_queue_peek_head(&reading->rows);
        if (first)
            wake_children(first);
    }
}

/* --- answers ---------------------------------------------------------------------------------- */

static Outcome turn_page(Reading *reading, const Answer *answer, Value rest, size_t rows) {
    PageAnswer turn = {.header = answer->header,
                       .header_data = answer->header_data,
                       .body = rest,
                       .url = answer->url,
                       .rows = rows,
                       .bytes = answer->size};
    switch (page_next(reading->page, &turn)) {
    case PAGE_MORE:
        return OUTCOME_OK;
    case PAGE_END:
        reading->ended = true;
        account_list(reading, (Counted){.ended = 1});
        return OUTCOME_OK;
    case PAGE_STOPPED:
        return OUTCOME_ENDLESS;
    case PAGE_BROKEN:
        break;
    }
    return OUTCOME_BROKEN;
}

static void take_page(Reading *reading, const Answer *answer) {
    g_auto(Value) rest = VALUE_NONE;
    g_autoptr(GError) error = NULL;
    Sheet *sheet = sheet_new(g_steal_pointer(answer->kept), reading->call->rows,
                             page_needs_body(reading->page) ? &rest : NULL, &error);
    if (!sheet) {
        account_answer(reading, OUTCOME_BROKEN, error->message);
        account_end(reading, OUTCOME_BROKEN);
        return;
    }
    size_t rows = sheet_count(sheet);
    if (reading->ended) { /* it gave up, and asks on for its echoes */
        sheet_free(sheet);
        (void)turn_page(reading, answer, rest, rows);
        return;
    }
    g_queue_push_tail(&reading->sheets, sheet);
    account_list(reading, (Counted){.pages = 1, .rows = (unsigned)rows});
    Outcome outcome = turn_page(reading, answer, rest, rows);
    account_answer(reading, outcome, outcome == OUTCOME_OK ? NULL : page_reason(reading->page));
    if (outcome != OUTCOME_OK)
        account_end(reading, outcome);
}

static void take_answer(Reading *reading, const Answer *answer);

/* Asks for the next page, unless another reading asks for both. */
static void ask(Reading *reading) {
    if (reading->echo)
        reading->asking = true;
    else
        ask_next(reading, take_answer);
}

static void ask_again(void *data) {
    Reading *reading = data;
    reading->poll_timer = 0;
    ask(reading);
}

/* Asks again in a while; false when the time for it is over. */
static bool poll_on(Reading *reading, const Answer *answer) {
    const CallPoll *poll = reading->call->poll;
    int64_t now = clock_mono_ms();
    if (reading->poll_until == 0)
        reading->poll_until = now + poll->for_ms;
    if (answer->replayed) {
        ask(reading);
        return true;
    }
    if (now >= reading->poll_until)
        return false;
    reading->asking = true; /* the wait belongs to the question */
    reading->poll_timer =
        net_client_after(reading->run->config.client, poll->every_ms, ask_again, reading);
    return true;
}

static bool poll_is_done(Reading *reading, Value value, bool *done_out, GError **error) {
    Run *run = reading->run;
    ExprInput input = {.root = value, .settings = run->settings, .now_ms = run->config.clock_ms};
    g_auto(ExprResult) result = {0};
    if (!expr_program_eval(run->polls[reading->node], &input, &result, error))
        return false;
    *done_out = false;
    return expr_result_bool(&result, done_out) || true;
}

static bool parse_kept(const Answer *answer, Value *value_out, GError **error) {
    const GString *kept = *answer->kept;
    *value_out = VALUE_NONE;
    if (kept->len > 0)
        return value_parse(kept->str, kept->len, value_out, error);
    *value_out = value_new_null();
    return true;
}

/* An answer that is one value. */
static void take_value(Reading *reading, const Answer *answer) {
    g_autoptr(GError) error = NULL;
    g_auto(Value) value = VALUE_NONE;
    bool done = true;
    bool ok = parse_kept(answer, &value, &error);
    if (ok && reading->call->poll)
        ok = poll_is_done(reading, value, &done, &error);
    if (ok && !done && poll_on(reading, answer))
        return;
    Outcome outcome = !ok ? OUTCOME_BROKEN : !done ? OUTCOME_TIMEOUT : OUTCOME_OK;
    account_answer(reading, outcome,
                   !ok     ? error->message
                   : !done ? "it was not ready in time"
                           : NULL);
    reading->ended = true;
    if (outcome == OUTCOME_OK)
        add_row(reading, value_take(&value));
    else
        account_end(reading, outcome);
}

static void ask_call(Reading *reading, const DefinitionCall *call) {
    reading->call = call;
    page_free(reading->page);
    reading->page = page_new(reading->run->pager, call);
    if (call->rows)
        account_list(reading, (Counted){.begun = 1});
    ask(reading);
}

/* `first`: the next call is tried when this one says that there is nothing. */
static bool try_next_call(Reading *reading, const Answer *answer) {
    const ReadNode *node = reading_node(reading);
    if (answer->outcome != OUTCOME_ABSENT || reading->attempt >= node->first_count)
        return false;
    account_answer(reading, OUTCOME_ABSENT, NULL);
    account_list(reading, (Counted){.ended = reading->call->rows != NULL});
    ask_call(reading, node->first[reading->attempt++]);
    return true;
}

/* Gives an answer to those who read the same call in another way. They keep up by themselves:
 * waiting for them could be waiting for what waits for this reading. */
static void echo_answer(const Reading *reading, const Answer *answer) {
    for (guint i = 0; reading->echoes && i < reading->echoes->len; i++) {
        Reading *echo = g_ptr_array_index(reading->echoes, i);
        GString *kept = g_string_new_len((*answer->kept)->str, (gssize)(*answer->kept)->len);
        Answer same = *answer;
        same.kept = &kept;
        echo->asking = false;
        if (!echo->ended)
            take_answer(echo, &same);
        if (kept)
            g_string_free(kept, TRUE);
    }
}

static bool echoes_want(const Reading *reading) {
    for (guint i = 0; reading->echoes && i < reading->echoes->len; i++) {
        const Reading *echo = g_ptr_array_index(reading->echoes, i);
        if (!echo->ended)
            return true;
    }
    return false;
}

static void take_answer(Reading *reading, const Answer *answer) {
    echo_answer(reading, answer);
    reading->then = answer->then;
    if (try_next_call(reading, answer))
        return;
    if (answer->outcome != OUTCOME_OK) {
        account_answer(reading, answer->outcome, answer->message);
        if (answer->outcome == OUTCOME_ABSENT)
            account_list(reading, (Counted){.ended = reading->call->rows != NULL});
        account_end(reading, answer->outcome);
    } else if (reading->call->rows) {
        take_page(reading, answer);
    } else {
        take_value(reading, answer);
    }
    reading_advance(reading);
}

/* --- taking rows ------------------------------------------------------------------------------ */

/* Whether a row passes the node's `where`, which sees what the row's own environment shows. */
static bool passes_filter(Reading *reading, Value row, bool *passes_out, GError **error) {
    Run *run = reading->run;
    ExprProgram *filter = run->filters[reading->node];
    *passes_out = true;
    if (!filter)
        return true;
    g_auto(Value) environment =
        value_copy(reading->parent ? reading->parent->environment : run->base);
    value_put(&environment, node_name(reading), value_copy(row));
    ExprInput input = {
        .root = environment, .settings = run->settings, .now_ms = run->config.clock_ms};
    g_auto(ExprResult) result = {0};
    if (!expr_program_eval(filter, &input, &result, error))
        return false;
    if (!expr_result_bool(&result, passes_out)) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "the `where` of %s does not give true or false", node_name(reading));
        return false;
    }
    return true;
}

/* Gives one row of the service to the reading: as a row, into the array, or to the reducers. */
static bool absorb(Reading *reading, Value value, GError **error) {
    bool passes;
    if (!passes_filter(reading, value, &passes, error)) {
        value_clear(&value);
        return false;
    }
    const ReadNode *node = reading_node(reading);
    bool ok = true;
    if (!passes || !outcome_judgeable(reading->outcome)) {
        value_clear(&value);
    } else if (node->mode == READ_ROWS) {
        add_row(reading, value);
    } else if (node->mode == READ_FOLD) {
        ok = summary_feed(reading->fold, value, NULL, error);
        value_clear(&value);
    } else if (reading->collected_count < node->collect) {
        reading->collected_count++;
        value_push(&reading->collected, value);
    } else {
        value_clear(&value);
        account_answer(reading, OUTCOME_ENDLESS, "the list has more rows than may be collected");
        account_end(reading, OUTCOME_ENDLESS);
    }
    return ok;
}

static bool take_parsed(Reading *reading, const char *json, size_t size, Value value,
                        GError **error) {
    if (!reading->index)
        return absorb(reading, value, error);
    bool passes = false;
    bool ok = passes_filter(reading, value, &passes, error) &&
              (!passes || lookup_index_row(reading, json, size, value, error));
    value_clear(&value);
    return ok;
}

/* Takes the next row of the first page, which has one. */
static void take_row(Reading *reading) {
    const char *json = NULL;
    size_t size = 0;
    g_autoptr(GError) error = NULL;
    Value value = VALUE_NONE;
    if (sheet_take(g_queue_peek_head(&reading->sheets), &json, &size) &&
        (!value_parse(json, size, &value, &error) ||
         !take_parsed(reading, json, size, value, &error)))
        account_failure(reading, error);
}

static void drop_empty_sheets(Reading *reading) {
    Sheet *sheet;
    while ((sheet = g_queue_peek_head(&reading->sheets)) != NULL && sheet_is_empty(sheet))
        sheet_free(g_queue_pop_head(&reading->sheets));
}

/* The rows in work are bounded; the reading whose turn it is may always have one. */
static bool has_room(const Reading *reading) {
    if (!run_may_take(reading->run))
        return false;
    if (!reading->list || reading->run->rows_live < RUN_ROWS_LIVE)
        return true;
    return reading->rows.length == 0 && is_current(reading);
}

static bool wants_page(const Reading *reading) {
    return reading->call && !reading->asking && reading->sheets.length < SHEETS_AHEAD &&
           (!reading->ended || echoes_want(reading));
}

/* --- the end ---------------------------------------------------------------------------------- */

static Value fold_value(Reading *reading) {
    g_autoptr(GError) error = NULL;
    if (!summary_finish(reading->fold, &error)) {
        account_failure(reading, error);
        return value_new_null();
    }
    return summary_object(reading->fold);
}

/* What others see of a reading that is not a list: its value, or null when absent or unread. */
static void add_final_row(Reading *reading) {
    bool ok = reading->outcome == OUTCOME_OK;
    ReadMode mode = ok ? reading_node(reading)->mode : READ_ROWS;
    if (ok && (mode == READ_COLLECT || lookup_is(reading)))
        add_row(reading, value_take(&reading->collected));
    else
        add_row(reading, mode == READ_FOLD ? fold_value(reading) : value_new_null());
}

static void child_is_over(Row *row) {
    row->open_children--;
    if (row_is_whole(row) && !row->reading->run->error)
        reading_advance(row->reading);
}

/* Those who waited for this reading go on with the next turn of the pump. */
static void wake_waiting(Reading *reading) {
    lookup_wake(reading);
    Run *run = reading->run;
    for (size_t i = 0; !reading->parent && i < run->plan->node_count; i++) {
        Row *first = run->roots[i] ? g_queue_peek_head(&run->roots[i]->rows) : NULL;
        if (run->roots[i])
            run_stall(run->roots[i]);
        if (first)
            wake_children(first);
    }
}

static void end_reading(Reading *reading) {
    reading->over = true;
    wake_waiting(reading);
    run_wake(reading->run);
    if (reading->parent)
        child_is_over(reading->parent); /* may free the reading */
}

/* The end of a reading that has one row: it is over when all that hangs on the row is. */
static void settle_one(Reading *reading) {
    if (reading->rows.length == 0)
        add_final_row(reading);
    Row *row = g_queue_peek_head(&reading->rows);
    if (!row_is_whole(row))
        return;
    if (!reading->parent)
        emit_row(reading->run, row);
    end_reading(reading);
}

void reading_advance(Reading *reading) {
    if (reading->over || (lookup_is(reading) && !lookup_take(reading)))
        return;
    drop_empty_sheets(reading);
    while (reading->sheets.length > 0 && has_room(reading)) {
        take_row(reading);
        emit_front(reading);
        drop_empty_sheets(reading);
    }
    if (wants_page(reading))
        ask(reading);
    emit_front(reading);
    if (reading->sheets.length > 0)
        run_stall(reading);
    else if (reading->ended && !reading->asking && !reading->list)
        settle_one(reading);
    else if (reading->ended && !reading->asking && reading->rows.length == 0)
        end_reading(reading);
}

/* --- life ------------------------------------------------------------------------------------- */

/* A read below something that was not read is not read either; below an absent thing it is absent.
 */
static bool inherits(Reading *reading) {
    if (!reading->parent)
        return false;
    const Reading *above = reading->parent->reading;
    if (above->list || !value_is_null(reading->parent->value))
        return false;
    reading->outcome = above->outcome == OUTCOME_OK ? OUTCOME_ABSENT : above->outcome;
    reading->then = above->then;
    reading->ended = true;
    return true;
}

/* Whether the answer to its call is one value. */
static bool gives_one(const Reading *reading) {
    const DefinitionCall *call = reading_node(reading)->call;
    return call && !call->rows;
}

/* An array of rows; at most one in place of an answer that is one value (none: as if absent). */
static bool are_rows(const Reading *reading, Value value) {
    return value_kind(value) == VALUE_KIND_ARRAY &&
           (!gives_one(reading) || value_count(value) <= 1);
}

/* Rows that an expression gives are taken like a page of any others. */
static void give_rows(Reading *reading, Value rows) {
    g_queue_push_tail(&reading->sheets, sheet_new_of(rows));
    reading->ended = true;
    if (!gives_one(reading))
        account_list(reading,
                     (Counted){.begun = 1, .ended = 1, .rows = (unsigned)value_count(rows)});
    run_stall(reading);
    run_wake(reading->run);
}

/* Whether `each` or `given` has given the rows; false: the call is made. */
static bool take_given(Reading *reading) {
    Run *run = reading->run;
    if (!run->givens[reading->node])
        return false;
    Value environment = reading->parent ? reading->parent->environment : run->base;
    ExprInput input = {
        .root = environment, .settings = run->settings, .now_ms = run->config.clock_ms};
    g_auto(ExprResult) result = {0};
    g_autoptr(GError) error = NULL;
    if (!expr_program_eval(run->givens[reading->node], &input, &result, &error)) {
        account_failure(reading, error);
        return true;
    }
    if (result.outcome == EXPR_ONE && are_rows(reading, result.value)) {
        give_rows(reading, result.value);
        return true;
    }
    if (reading_node(reading)->given && result.outcome == EXPR_ONE && value_is_null(result.value))
        return false;
    g_set_error(&error, ASSAY_ERROR, ERROR_CONFIGURATION, "%s does not give an array of rows",
                node_name(reading));
    account_failure(reading, error);
    return true;
}

/* The reading of another node below the same parent row, which was started before. */
static Reading *sibling(const Reading *reading, size_t node) {
    const Run *run = reading->run;
    if (!reading->parent)
        return run->roots[node];
    const PlanNode *parent = reading_plan(reading->parent->reading);
    size_t i = 0;
    while (parent->children[i] != node)
        i++;
    return reading->parent->children[i];
}

/* Joins the reading of the same parent row that asks for this one too. */
static void join_leader(Reading *reading) {
    int leader_node = reading_plan(reading)->echo_of;
    if (leader_node == PLAN_NO_SOURCE)
        return;
    Reading *leader = sibling(reading, (size_t)leader_node);
    if (!leader->echoes)
        leader->echoes = g_ptr_array_new();
    g_ptr_array_add(leader->echoes, reading);
    reading->echo = true;
}

static void begin(Reading *reading) {
    const ReadNode *node = reading_node(reading);
    Run *run = reading->run;
    if (lookup_is(reading)) {
        lookup_begin(reading);
        return;
    }
    if (reading_plan(reading)->shared)
        reading->index = row_index_new();
    else if (node->mode == READ_COLLECT)
        reading->collected = value_new_array();
    else if (node->mode == READ_FOLD)
        reading->fold =
            summary_new_with(run->folds[reading->node], run->settings, run->config.clock_ms);
    if (take_given(reading))
        return;
    join_leader(reading);
    ask_call(reading, node->call);
}

Reading *reading_start(Run *run, size_t node, Row *parent) {
    Reading *reading = g_new0(Reading, 1);
    reading->run = run;
    reading->node = node;
    reading->parent = parent;
    const PlanNode *plan = reading_plan(reading);
    reading->list = plan->node->mode == READ_ROWS && plan->node->list && !plan->shared &&
                    plan->source == PLAN_NO_SOURCE;
    g_queue_init(&reading->sheets);
    g_queue_init(&reading->rows);
    if (inherits(reading))
        reading_advance(reading);
    else
        begin(reading);
    return reading;
}

void reading_free(Reading *reading) {
    Sheet *sheet;
    while ((sheet = g_queue_pop_head(&reading->sheets)) != NULL)
        sheet_free(sheet);
    Row *row;
    while ((row = g_queue_pop_head(&reading->rows)) != NULL)
        row_free(row);
    if (reading->stalled)
        g_queue_remove(&reading->run->stalled, reading);
    if (reading->poll_timer != 0)
        net_client_cancel_timer(reading->run->config.client, reading->poll_timer);
    g_clear_pointer(&reading->waiting, g_ptr_array_unref);
    g_clear_pointer(&reading->echoes, g_ptr_array_unref);
    page_free(reading->page);
    value_clear(&reading->collected);
    summary_free(reading->fold);
    row_index_free(reading->index);
    g_free(reading);
}
