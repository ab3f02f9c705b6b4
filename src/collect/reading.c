#include "collect/reading.h"

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

/* Whether rows of this reading are emitted one by one as they come. */
static bool is_list(const Reading *reading) {
    return read_node(reading)->mode == READ_ROWS && read_node(reading)->list;
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
    if (is_list(row->reading))
        row->reading->run->rows_live--;
    g_free(row);
}

static bool row_is_whole(const Row *row) {
    return row->started && row->open_children == 0;
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
    if (is_list(reading))
        run->rows_live++;
    g_queue_push_tail(&reading->rows, row);
    for (size_t i = 0; i < node->child_count; i++)
        row->children[i] = reading_start(run, node->children[i], row);
    row->started = true;
}

static bool is_current(const Reading *reading) {
    for (; reading->parent; reading = reading->parent->reading)
        if (g_queue_peek_head(&reading->parent->reading->rows) != reading->parent)
            return false;
    return true;
}

/* Leaves a reading for a later turn of the pump. */
static void stall(Reading *reading) {
    if (reading->stalled || reading->over)
        return;
    reading->stalled = true;
    g_queue_push_tail(&reading->run->stalled, reading);
}

/* Lists below a row that has just become the first may emit now. */
static void wake_children(Row *row) {
    const PlanNode *node = plan_node(row->reading);
    for (size_t i = 0; i < node->child_count; i++)
        if (row->children[i])
            stall(row->children[i]);
    if (node->child_count > 0)
        run_wake(row->reading->run);
}

/* Emits whole rows from the front. The one row of a reading that is no list leaves together with
 * the row that it hangs on; others look at it until then. */
static void emit_front(Reading *reading) {
    if (!is_list(reading))
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
        .path = read_node(reading)->call->rows, .row = note_row, .data = &splitting, .rest = rest};
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
    g_autofree char *needs = refused ? refusal_needs(node->node->call) : NULL;
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

/* An answer that is one value. */
static void take_value(Reading *reading, const Answer *answer) {
    g_autoptr(GError) error = NULL;
    Value value = value_new_null();
    const GString *kept = *answer->kept;
    reading->ended = true;
    if (kept->len > 0) {
        value_clear(&value);
        if (!value_parse_named(reading->run->names, kept->str, kept->len, &value, &error)) {
            count_answer(reading, OUTCOME_BROKEN, error->message);
            fail_reading(reading, OUTCOME_BROKEN);
            return;
        }
    }
    count_answer(reading, OUTCOME_OK, NULL);
    add_row(reading, value);
}

static void take_answer(Reading *reading, const Answer *answer) {
    reading->then = answer->then;
    if (answer->outcome != OUTCOME_OK) {
        count_answer(reading, answer->outcome, answer->message);
        if (answer->outcome == OUTCOME_ABSENT)
            count_list(reading, (Counted){.ended = read_node(reading)->call->rows != NULL});
        fail_reading(reading, answer->outcome);
    } else if (read_node(reading)->call->rows) {
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

static void take_row(Reading *reading) {
    Sheet *sheet = g_queue_peek_head(&reading->sheets);
    SheetRange range = g_array_index(sheet->ranges, SheetRange, sheet->next++);
    g_autoptr(GError) error = NULL;
    Value value = VALUE_NONE;
    if (!value_parse_named(reading->run->names, sheet->bytes->str + range.start, range.size, &value,
                           &error) ||
        !absorb(reading, value, &error))
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
    if (!is_list(reading) || reading->run->rows_live < RUN_ROWS_LIVE)
        return true;
    return reading->rows.length == 0 && is_current(reading);
}

static bool wants_page(const Reading *reading) {
    return !reading->ended && !reading->asking && reading->sheets.length < SHEETS_AHEAD;
}

/* --- the end ---------------------------------------------------------------------------------- */

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
    ReadMode mode = reading->outcome == OUTCOME_OK ? read_node(reading)->mode : READ_ROWS;
    if (mode == READ_COLLECT)
        add_row(reading, value_take(&reading->collected));
    else
        add_row(reading, mode == READ_FOLD ? fold_value(reading) : value_new_null());
}

static void child_is_over(Row *row) {
    row->open_children--;
    if (row_is_whole(row) && !row->reading->run->error)
        reading_advance(row->reading);
}

static void end_reading(Reading *reading) {
    reading->over = true;
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
    if (reading->over)
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
    else if (reading->ended && !reading->asking && !is_list(reading))
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
    if (is_list(above) || !value_is_null(reading->parent->value))
        return false;
    reading->outcome = above->outcome == OUTCOME_OK ? OUTCOME_ABSENT : above->outcome;
    reading->then = above->then;
    reading->ended = true;
    return true;
}

static void begin(Reading *reading) {
    const ReadNode *node = read_node(reading);
    Run *run = reading->run;
    reading->page = page_new(run->pager, node->call);
    if (node->call->rows)
        count_list(reading, (Counted){.begun = 1});
    if (node->mode == READ_COLLECT)
        reading->collected = value_new_array();
    if (node->mode == READ_FOLD)
        reading->fold =
            summary_new_with(run->folds[reading->node], run->settings, run->config.clock_ms);
    ask_next(reading, take_answer);
}

Reading *reading_start(Run *run, size_t node, Row *parent) {
    Reading *reading = g_new0(Reading, 1);
    reading->run = run;
    reading->node = node;
    reading->parent = parent;
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
    page_free(reading->page);
    value_clear(&reading->collected);
    summary_free(reading->fold);
    g_free(reading);
}
