#include "collect/reading.h"

#include "base/clock.h"
#include "base/error.h"
#include "collect/ask.h"
#include "collect/emit.h"
#include "connect/refusal.h"

#include <string.h>

#define SHEETS_AHEAD 2 /* pages that are held while rows are still being taken */

static const PlanNode *plan_node(const Reading *reading) {
    return &reading->run->plan->nodes[reading->node];
}

static const ReadNode *read_node(const Reading *reading) {
    return plan_node(reading)->node;
}

static const char *node_name(const Reading *reading) {
    return read_node(reading)->name;
}

/* --- rows ------------------------------------------------------------------------------------- */

static void row_free(Row *row) {
    const PlanNode *node = plan_node(row->reading);
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

/* Leaves a reading for a later turn of the pump. */
static void stall(Reading *reading) {
    if (reading->stalled || reading->over)
        return;
    reading->stalled = true;
    g_queue_push_tail(&reading->run->stalled, reading);
}

/* Lookups that waited for this reading go on with the next turn of the pump. */
static void wake_lookups(Reading *reading) {
    for (guint i = 0; reading->waiting && i < reading->waiting->len; i++) {
        Reading *lookup = g_ptr_array_index(reading->waiting, i);
        lookup->wanted = NULL;
        stall(lookup);
    }
    if (reading->waiting)
        g_ptr_array_set_size(reading->waiting, 0);
}

/* Adds a row with this value (taken) behind the others, and starts what hangs on it. */
static void add_row(Reading *reading, Value value) {
    const PlanNode *node = plan_node(reading);
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
    wake_lookups(reading); /* the lists that hang on the row have been begun */
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
    const PlanNode *node = plan_node(row->reading);
    for (size_t i = 0; i < node->child_count; i++) {
        Reading *child = row->children[i];
        if (!child)
            continue;
        stall(child);
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

/* --- one page --------------------------------------------------------------------------------- */

static void sheet_free(Sheet *sheet) {
    g_string_free(sheet->bytes, TRUE);
    g_array_unref(sheet->ranges);
    g_free(sheet);
}

typedef struct {
    const char *start;
    GArray *ranges;
} Splitting;

static bool note_row(const char *bytes, size_t size, void *data, GError **error) {
    (void)error;
    Splitting *splitting = data;
    SheetRange range = {(size_t)(bytes - splitting->start), size};
    g_array_append_val(splitting->ranges, range);
    return true;
}

/* Cuts a page into its rows; NULL when there is no array where the definition expects it. */
static Sheet *split_page(Reading *reading, const Answer *answer, Value *rest_out, GError **error) {
    g_autoptr(GString) rest = page_needs_body(reading->page) ? g_string_new(NULL) : NULL;
    Sheet *sheet = g_new0(Sheet, 1);
    sheet->bytes = g_steal_pointer(answer->kept);
    sheet->ranges = g_array_new(FALSE, FALSE, sizeof(SheetRange));
    Splitting splitting = {sheet->bytes->str, sheet->ranges};
    ScanRows rows = {
        .path = reading->call->rows, .row = note_row, .data = &splitting, .rest = rest};
    int64_t count = 0;
    bool ok = scan_rows(&rows, sheet->bytes->str, sheet->bytes->len, &count, error);
    if (ok && count < 0) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE,
                            "the answer has no list where one is expected");
        ok = false;
    }
    ok = ok && (!rest || value_parse(rest->str, rest->len, rest_out, error));
    if (ok)
        return sheet;
    sheet_free(sheet);
    return NULL;
}

/* --- outcomes --------------------------------------------------------------------------------- */

static void fail_reading(Reading *reading, Outcome outcome) {
    reading->ended = true;
    if (reading->outcome == OUTCOME_OK)
        reading->outcome = outcome;
}

/* Tells every type that uses this node. */
static void count_answer(Reading *reading, Outcome outcome, const char *message) {
    const PlanNode *node = plan_node(reading);
    bool refused = outcome == OUTCOME_FORBIDDEN;
    g_autofree char *needs = refused ? refusal_needs(reading->call) : NULL;
    for (size_t i = 0; i < node->use_count; i++)
        completeness_answer(reading->run->types[node->uses[i].type].completeness,
                            node->uses[i].node, outcome, message, needs);
}

typedef struct {
    unsigned pages;
    unsigned rows;
    unsigned begun;
    unsigned ended;
} Counted;

static void count_list(const Reading *reading, Counted counted) {
    const PlanNode *node = plan_node(reading);
    for (size_t i = 0; i < node->use_count; i++) {
        ReadCount *count = completeness_node(reading->run->types[node->uses[i].type].completeness,
                                             node->uses[i].node);
        count->pages += counted.pages;
        count->rows += counted.rows;
        count->lists += counted.begun;
        count->lists_ended += counted.ended;
    }
}

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
        count_list(reading, (Counted){.ended = 1});
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
    Sheet *sheet = split_page(reading, answer, &rest, &error);
    if (!sheet) {
        count_answer(reading, OUTCOME_BROKEN, error->message);
        fail_reading(reading, OUTCOME_BROKEN);
        return;
    }
    guint rows = sheet->ranges->len;
    g_queue_push_tail(&reading->sheets, sheet);
    count_list(reading, (Counted){.pages = 1, .rows = rows});
    Outcome outcome = turn_page(reading, answer, rest, rows);
    count_answer(reading, outcome, outcome == OUTCOME_OK ? NULL : page_reason(reading->page));
    if (outcome != OUTCOME_OK)
        fail_reading(reading, outcome);
}

static void take_answer(Reading *reading, const Answer *answer);

static void ask_again(void *data) {
    Reading *reading = data;
    reading->poll_timer = 0;
    ask_next(reading, take_answer);
}

/* Asks again in a while; false when the time for it is over. */
static bool poll_on(Reading *reading, const Answer *answer) {
    const CallPoll *poll = reading->call->poll;
    int64_t now = clock_mono_ms();
    if (reading->poll_until == 0)
        reading->poll_until = now + poll->for_ms;
    if (answer->replayed) {
        ask_next(reading, take_answer);
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
    count_answer(reading, outcome,
                 !ok     ? error->message
                 : !done ? "it was not ready in time"
                         : NULL);
    reading->ended = true;
    if (outcome == OUTCOME_OK)
        add_row(reading, value_take(&value));
    else
        fail_reading(reading, outcome);
}

static void ask_call(Reading *reading, const DefinitionCall *call) {
    reading->call = call;
    page_free(reading->page);
    reading->page = page_new(reading->run->pager, call);
    if (call->rows)
        count_list(reading, (Counted){.begun = 1});
    ask_next(reading, take_answer);
}

/* `first`: the next call is tried when this one says that there is nothing. */
static bool try_next_call(Reading *reading, const Answer *answer) {
    const ReadNode *node = read_node(reading);
    if (answer->outcome != OUTCOME_ABSENT || reading->attempt >= node->first_count)
        return false;
    count_answer(reading, OUTCOME_ABSENT, NULL);
    count_list(reading, (Counted){.ended = reading->call->rows != NULL});
    ask_call(reading, node->first[reading->attempt++]);
    return true;
}

static void take_answer(Reading *reading, const Answer *answer) {
    reading->then = answer->then;
    if (try_next_call(reading, answer))
        return;
    if (answer->outcome != OUTCOME_OK) {
        count_answer(reading, answer->outcome, answer->message);
        if (answer->outcome == OUTCOME_ABSENT)
            count_list(reading, (Counted){.ended = reading->call->rows != NULL});
        fail_reading(reading, answer->outcome);
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

static void fail_users(Reading *reading, const GError *error) {
    const PlanNode *node = plan_node(reading);
    for (size_t i = 0; i < node->use_count; i++)
        run_fail_type(&reading->run->types[node->uses[i].type], g_error_copy(error));
    fail_reading(reading, OUTCOME_BAD_REQUEST);
}

/* Gives one row of the service to the reading: as a row, into the array, or to the reducers. */
static bool absorb(Reading *reading, Value value, GError **error) {
    bool passes;
    if (!passes_filter(reading, value, &passes, error)) {
        value_clear(&value);
        return false;
    }
    const ReadNode *node = read_node(reading);
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
        count_answer(reading, OUTCOME_ENDLESS, "the list has more rows than may be collected");
        fail_reading(reading, OUTCOME_ENDLESS);
    }
    return ok;
}

/* The text that rows and lookups meet under; NULL for what cannot be a key. */
static char *key_text(Value value) {
    ValueKind kind = value_kind(value);
    if (kind == VALUE_KIND_STRING)
        return g_strdup(value_text(value));
    return kind == VALUE_KIND_NUMBER || kind == VALUE_KIND_BOOL ? value_to_json(value) : NULL;
}

static bool eval_key(Reading *reading, Value root, char **key_out, GError **error) {
    Run *run = reading->run;
    ExprInput input = {.root = root, .settings = run->settings, .now_ms = run->config.clock_ms};
    g_auto(ExprResult) result = {0};
    if (!expr_program_eval(run->keys[reading->node], &input, &result, error))
        return false;
    *key_out = result.outcome == EXPR_ONE ? key_text(result.value) : NULL;
    return true;
}

/* Puts a row of a shared list into its index; rows without a key are nobody's. */
static bool index_row(Reading *reading, const char *json, size_t size, Value value,
                      GError **error) {
    g_autofree char *key = NULL;
    if (!eval_key(reading, value, &key, error))
        return false;
    if (key && !row_index_add(reading->index, key, json, size)) {
        count_answer(reading, OUTCOME_ENDLESS, "the list is too large to be joined");
        fail_reading(reading, OUTCOME_ENDLESS);
    }
    return true;
}

static bool take_parsed(Reading *reading, const char *json, size_t size, Value value,
                        GError **error) {
    if (!reading->index)
        return absorb(reading, value, error);
    bool passes = false;
    bool ok = passes_filter(reading, value, &passes, error) &&
              (!passes || index_row(reading, json, size, value, error));
    value_clear(&value);
    return ok;
}

static void take_row(Reading *reading) {
    Sheet *sheet = g_queue_peek_head(&reading->sheets);
    SheetRange range = g_array_index(sheet->ranges, SheetRange, sheet->next++);
    g_autoptr(GError) error = NULL;
    Value value = VALUE_NONE;
    if (!value_parse(sheet->bytes->str + range.start, range.size, &value, &error) ||
        !take_parsed(reading, sheet->bytes->str + range.start, range.size, value, &error))
        fail_users(reading, error);
    if (sheet->next >= sheet->ranges->len)
        sheet_free(g_queue_pop_head(&reading->sheets));
}

static void drop_empty_sheets(Reading *reading) {
    Sheet *sheet;
    while ((sheet = g_queue_peek_head(&reading->sheets)) != NULL && sheet->ranges->len == 0)
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
    return reading->call && !reading->ended && !reading->asking &&
           reading->sheets.length < SHEETS_AHEAD;
}

/* --- the end ---------------------------------------------------------------------------------- */

static bool is_lookup(const Reading *reading) {
    return plan_node(reading)->source != PLAN_NO_SOURCE;
}

static Value fold_value(Reading *reading) {
    g_autoptr(GError) error = NULL;
    if (!summary_finish(reading->fold, &error)) {
        fail_users(reading, error);
        return value_new_null();
    }
    return summary_object(reading->fold);
}

/* What others see of a reading that is not a list: its value, or null when absent or unread. */
static void add_final_row(Reading *reading) {
    bool ok = reading->outcome == OUTCOME_OK;
    ReadMode mode = ok ? read_node(reading)->mode : READ_ROWS;
    if (ok && (mode == READ_COLLECT || is_lookup(reading)))
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
    wake_lookups(reading);
    Run *run = reading->run;
    for (size_t i = 0; !reading->parent && i < run->plan->node_count; i++) {
        Row *first = run->roots[i] ? g_queue_peek_head(&run->roots[i]->rows) : NULL;
        if (run->roots[i])
            stall(run->roots[i]);
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

/* --- lookups ---------------------------------------------------------------------------------- */

/* The row once per which the list of a lookup is read: one above it, or the only one of a root. */
static Row *row_of_shared(const Reading *lookup, size_t above) {
    Row *row = lookup->parent;
    while (row && row->reading->node != above)
        row = row->reading->parent;
    const Reading *root = lookup->run->roots[above];
    return row || !root ? row : g_queue_peek_head((GQueue *)(uintptr_t)&root->rows);
}

/* The shared list that a lookup rests on; NULL while it has not been begun. */
static Reading *shared_of(const Reading *lookup) {
    const Run *run = lookup->run;
    int source = run->plan->nodes[lookup->node].source;
    int above = run->plan->nodes[source].parent;
    if (above == READ_NO_PARENT)
        return run->roots[source];
    const Row *row = row_of_shared(lookup, (size_t)above);
    const PlanNode *node = row ? &run->plan->nodes[above] : NULL;
    for (size_t i = 0; node && i < node->child_count; i++)
        if (node->children[i] == (size_t)source)
            return row->children[i];
    return NULL;
}

static bool take_match(const char *json, size_t size, void *data) {
    Reading *lookup = data;
    Value value = VALUE_NONE;
    if (!value_parse(json, size, &value, NULL))
        return true; /* it was parsed once before */
    if (read_node(lookup)->mode != READ_COLLECT) {
        value_clear(&lookup->collected);
        lookup->collected = value;
        return false;
    }
    if (lookup->collected_count >= read_node(lookup)->collect) {
        value_clear(&value);
        count_answer(lookup, OUTCOME_ENDLESS, "more rows match than may be collected");
        fail_reading(lookup, OUTCOME_ENDLESS);
        return false;
    }
    lookup->collected_count++;
    value_push(&lookup->collected, value);
    return true;
}

/* Waits for the list, or for the root below which it will be read; false when neither is to come.
 */
static bool wait_for_list(Reading *lookup) {
    const Run *run = lookup->run;
    Reading *wanted = shared_of(lookup);
    int above = run->plan->nodes[run->plan->nodes[lookup->node].source].parent;
    if (!wanted && above != READ_NO_PARENT)
        wanted = run->roots[above];
    if (!wanted || wanted->over)
        return false;
    if (lookup->wanted)
        return true;
    if (!wanted->waiting)
        wanted->waiting = g_ptr_array_new();
    g_ptr_array_add(wanted->waiting, lookup);
    lookup->wanted = wanted;
    return true;
}

/* Takes what the shared list has; false while that is still being read. */
static bool look_up(Reading *lookup) {
    if (lookup->ended)
        return true;
    Reading *shared = shared_of(lookup);
    if (!shared || !shared->over) {
        wait_for_list(lookup);
        return false;
    }
    lookup->ended = true;
    if (!outcome_judgeable(shared->outcome)) {
        lookup->outcome = shared->outcome;
        lookup->then = shared->then;
        return true;
    }
    g_autoptr(GError) error = NULL;
    g_autofree char *key = NULL;
    lookup->collected =
        read_node(lookup)->mode == READ_COLLECT ? value_new_array() : value_new_null();
    if (!eval_key(lookup, lookup->parent->environment, &key, &error))
        fail_users(lookup, error);
    else if (key && shared->index)
        row_index_find(shared->index, key, take_match, lookup);
    return true;
}

static void begin_lookup(Reading *lookup) {
    if (wait_for_list(lookup))
        return;
    stall(lookup);
    run_wake(lookup->run);
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
    if (reading->over || (is_lookup(reading) && !look_up(reading)))
        return;
    drop_empty_sheets(reading);
    while (reading->sheets.length > 0 && has_room(reading)) {
        take_row(reading);
        emit_front(reading);
        drop_empty_sheets(reading);
    }
    if (wants_page(reading))
        ask_next(reading, take_answer);
    emit_front(reading);
    if (reading->sheets.length > 0)
        stall(reading);
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
    const DefinitionCall *call = read_node(reading)->call;
    return call && !call->rows;
}

/* An array of rows; at most one in place of an answer that is one value (none: as if absent). */
static bool are_rows(const Reading *reading, Value value) {
    return value_kind(value) == VALUE_KIND_ARRAY &&
           (!gives_one(reading) || value_count(value) <= 1);
}

/* Rows that an expression gives: written as a page, so that they are taken like any others. */
static void give_rows(Reading *reading, Value rows) {
    Sheet *sheet = g_new0(Sheet, 1);
    sheet->bytes = g_string_new(NULL);
    sheet->ranges = g_array_new(FALSE, FALSE, sizeof(SheetRange));
    size_t count = value_count(rows);
    for (size_t i = 0; i < count; i++) {
        g_auto(Value) row = value_at(rows, i);
        SheetRange range = {.start = sheet->bytes->len};
        value_append_json(sheet->bytes, row);
        range.size = sheet->bytes->len - range.start;
        g_array_append_val(sheet->ranges, range);
    }
    g_queue_push_tail(&reading->sheets, sheet);
    reading->ended = true;
    if (!gives_one(reading))
        count_list(reading, (Counted){.begun = 1, .ended = 1, .rows = (unsigned)count});
    stall(reading);
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
        fail_users(reading, error);
        return true;
    }
    if (result.outcome == EXPR_ONE && are_rows(reading, result.value)) {
        give_rows(reading, result.value);
        return true;
    }
    if (read_node(reading)->given && result.outcome == EXPR_ONE && value_is_null(result.value))
        return false;
    g_set_error(&error, ASSAY_ERROR, ERROR_CONFIGURATION, "%s does not give an array of rows",
                node_name(reading));
    fail_users(reading, error);
    return true;
}

static void begin(Reading *reading) {
    const ReadNode *node = read_node(reading);
    Run *run = reading->run;
    if (is_lookup(reading)) {
        begin_lookup(reading);
        return;
    }
    if (plan_node(reading)->shared)
        reading->index = row_index_new();
    else if (node->mode == READ_COLLECT)
        reading->collected = value_new_array();
    else if (node->mode == READ_FOLD)
        reading->fold =
            summary_new_with(run->folds[reading->node], run->settings, run->config.clock_ms);
    if (!take_given(reading))
        ask_call(reading, node->call);
}

Reading *reading_start(Run *run, size_t node, Row *parent) {
    Reading *reading = g_new0(Reading, 1);
    reading->run = run;
    reading->node = node;
    reading->parent = parent;
    const PlanNode *plan = plan_node(reading);
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
    page_free(reading->page);
    value_clear(&reading->collected);
    summary_free(reading->fold);
    row_index_free(reading->index);
    g_free(reading);
}
