#include "collect/lookup.h"

#include "base/error.h"
#include "collect/account.h"

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

bool lookup_index_row(Reading *shared, const char *json, size_t size, Value row, GError **error) {
    g_autofree char *key = NULL;
    if (!eval_key(shared, row, &key, error))
        return false;
    if (key && !row_index_add(shared->index, key, json, size)) {
        account_answer(shared, OUTCOME_ENDLESS, "the list is too large to be joined");
        account_end(shared, OUTCOME_ENDLESS);
    }
    return true;
}

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
    if (reading_node(lookup)->mode != READ_COLLECT) {
        value_clear(&lookup->collected);
        lookup->collected = value;
        return false;
    }
    if (lookup->collected_count >= reading_node(lookup)->collect) {
        value_clear(&value);
        account_answer(lookup, OUTCOME_ENDLESS, "more rows match than may be collected");
        account_end(lookup, OUTCOME_ENDLESS);
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

bool lookup_take(Reading *lookup) {
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
        reading_node(lookup)->mode == READ_COLLECT ? value_new_array() : value_new_null();
    if (!eval_key(lookup, lookup->parent->environment, &key, &error))
        account_failure(lookup, error);
    else if (key && shared->index)
        row_index_find(shared->index, key, take_match, lookup);
    return true;
}

void lookup_begin(Reading *lookup) {
    if (wait_for_list(lookup))
        return;
    run_stall(lookup);
    run_wake(lookup->run);
}

bool lookup_is(const Reading *reading) {
    return reading_plan(reading)->source != PLAN_NO_SOURCE;
}

void lookup_wake(Reading *reading) {
    for (guint i = 0; reading->waiting && i < reading->waiting->len; i++) {
        Reading *lookup = g_ptr_array_index(reading->waiting, i);
        lookup->wanted = NULL;
        run_stall(lookup);
    }
    if (reading->waiting)
        g_ptr_array_set_size(reading->waiting, 0);
}
