#include "collect/emit.h"

#include "base/error.h"
#include "provider/unread.h"

#include <string.h>

/* A row of evidence in the making. */
typedef struct {
    Run *run;
    TypeState *type;
    const Row
        *found[READ_MAX_NODES]; /* by node of the type; NULL: not read, something was absent */
    uint64_t unread;            /* nodes whose answer does not allow a judgement */
    Value value;                /* of a row that a program makes */
    GPtrArray *unread_fields;   /* the run's buffer */
} Emission;

/* --- the values of the nodes ------------------------------------------------------------------ */

static const Row *only_row(const Reading *reading) {
    return reading ? g_queue_peek_head((GQueue *)(uintptr_t)&reading->rows) : NULL;
}

/* The row of a node that hangs on the row of another. */
static const Row *child_row(const Run *run, const Row *above, size_t plan_index) {
    if (!above)
        return NULL;
    const PlanNode *node = &run->plan->nodes[above->reading->node];
    for (size_t i = 0; i < node->child_count; i++)
        if (node->children[i] == plan_index)
            return only_row(above->children[i]);
    return NULL;
}

static bool is_unread(const Row *row) {
    return !row->reading->list && !outcome_judgeable(row->reading->outcome);
}

static void find_rows(Emission *emission, const Row *row) {
    const TypeState *type = emission->type;
    const Row *chain = row;
    for (size_t node = type->type->row_of;;) {
        emission->found[node] = chain;
        int parent = type->type->nodes[node].parent;
        if (parent == READ_NO_PARENT)
            break;
        node = (size_t)parent;
        chain = chain->reading->parent;
    }
    for (size_t node = 0; node < type->type->node_count; node++) {
        int parent = type->type->nodes[node].parent;
        if (!emission->found[node] && parent == READ_NO_PARENT)
            emission->found[node] = only_row(emission->run->roots[type->plan_nodes[node]]);
        else if (!emission->found[node])
            emission->found[node] =
                child_row(emission->run, emission->found[parent], type->plan_nodes[node]);
        if (emission->found[node] && is_unread(emission->found[node]))
            emission->unread |= UINT64_C(1) << node;
    }
}

/* The object is kept between rows, so that most of it need not be made again. */
static Value environment_of(const Emission *emission) {
    TypeState *type = emission->type;
    for (size_t node = 0; node < type->type->node_count; node++) {
        const Row *row = emission->found[node];
        value_set(&type->seen, type->names[node], row ? value_copy(row->value) : value_new_null());
    }
    return type->seen;
}

/* --- the typed row ---------------------------------------------------------------------------- */

static void note_unread(Emission *emission, const char *field) {
    g_ptr_array_add(emission->unread_fields, (void *)(uintptr_t)field);
}

/* A row given as a map: each field knows the reads it depends on. A result that is no readable
 * value becomes null. */
static void settle_fields(Emission *emission, ExprResult *results) {
    const EvidenceType *type = emission->type->type;
    for (size_t i = 0; i < type->row_field_count; i++) {
        const RowField *field = &type->row_fields[i];
        ExprResult *result = &results[i];
        bool readable = (field->nodes & emission->unread) == 0;
        if (readable && (result->outcome == EXPR_ONE || result->outcome == EXPR_NONE))
            continue;
        expr_result_clear(result);
        *result = (ExprResult){.outcome = EXPR_ONE, .value = value_new_null()};
        note_unread(emission, field->name);
    }
}

/* A row given as one program: all of it depends on all that it looks at. */
static bool build_from_program(Emission *emission, ExprResult *result, GError **error) {
    const EvidenceType *type = emission->type->type;
    if (result->outcome != EXPR_ONE || value_kind(result->value) != VALUE_KIND_OBJECT) {
        if ((type->row_nodes & emission->unread) == 0) {
            g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                        "the row of %s does not give one object", type->name);
            return false;
        }
        emission->value = value_new_object();
    } else {
        emission->value = value_take(&result->value);
    }
    if ((type->row_nodes & emission->unread) != 0)
        for (size_t i = 0; i < field_set_count(type->fields); i++)
            note_unread(emission, field_set_name(type->fields, i));
    return true;
}

static bool evaluate(const Emission *emission, GError **error) {
    TypeState *type = emission->type;
    ExprInput input = {.root = environment_of(emission),
                       .settings = emission->run->settings,
                       .now_ms = emission->run->config.clock_ms};
    return expr_program_eval(type->program, &input, type->results, error);
}

static bool is_noted(const GPtrArray *names, const char *name) {
    for (guint i = 0; i < names->len; i++)
        if (strcmp(g_ptr_array_index(names, i), name) == 0)
            return true;
    return false;
}

/* Fields that are absent or of another type than declared are unread as well. */
static bool check_types(Emission *emission, GError **error) {
    g_autoptr(GPtrArray) mistyped = g_ptr_array_new();
    if (!field_set_check(emission->type->type->fields, emission->value, mistyped, NULL, error))
        return false;
    for (guint i = 0; i < mistyped->len; i++)
        if (!is_noted(emission->unread_fields, g_ptr_array_index(mistyped, i)))
            note_unread(emission, g_ptr_array_index(mistyped, i));
    return true;
}

/* --- what was not read ------------------------------------------------------------------------ */

static const char *unread_word(const Reading *reading) {
    if (reading->outcome == OUTCOME_UNLICENSED && reading->then == THEN_NOT_APPLICABLE)
        return UNREAD_NOT_APPLICABLE;
    return outcome_name(reading->outcome);
}

/* The member UNREAD_MEMBER; VALUE_NONE when all was read. */
static Value unread_value(const Emission *emission) {
    if (emission->unread_fields->len == 0 && emission->unread == 0)
        return VALUE_NONE;
    Value fields = value_new_array();
    for (guint i = 0; i < emission->unread_fields->len; i++)
        value_push(&fields, value_new_string(g_ptr_array_index(emission->unread_fields, i)));
    Value reads = value_new_object();
    const EvidenceType *type = emission->type->type;
    for (size_t node = 0; node < type->node_count; node++)
        if (emission->unread & (UINT64_C(1) << node))
            value_put(&reads, type->nodes[node].name,
                      value_new_string(unread_word(emission->found[node]->reading)));
    Value unread = value_new_object();
    value_put(&unread, UNREAD_FIELDS, fields);
    value_put(&unread, UNREAD_READS, reads);
    return unread;
}

/* --- emission --------------------------------------------------------------------------------- */

static bool summarize(const Emission *emission, Value row, GError **error) {
    Summary *summary = emission->type->summary;
    return !summary || summary_feed(summary, row, emission->unread_fields, error);
}

static bool print_fields(Emission *emission, GString *line, GError **error) {
    RowShape *shape = emission->type->shape;
    ExprResult *results = emission->type->results;
    settle_fields(emission, results);
    row_shape_check(shape, results, emission->unread_fields);
    if (emission->type->summary &&
        !summarize(emission, row_shape_summarized(shape, results), error))
        return false;
    g_auto(Value) unread = unread_value(emission);
    row_shape_append_json(shape, results, unread, line);
    return true;
}

static bool print_program(Emission *emission, GString *line, GError **error) {
    if (!build_from_program(emission, emission->type->results, error) ||
        !check_types(emission, error) || !summarize(emission, emission->value, error))
        return false;
    g_auto(Value) unread = unread_value(emission);
    if (value_kind(unread) != VALUE_KIND_NONE)
        value_put(&emission->value, UNREAD_MEMBER, value_take(&unread));
    value_append_json(line, emission->value);
    return true;
}

static bool write_row(Emission *emission, GError **error) {
    TypeState *type = emission->type;
    GString *line = emission->run->line;
    g_string_truncate(line, 0);
    if (!evaluate(emission, error))
        return false;
    bool printed =
        type->shape ? print_fields(emission, line, error) : print_program(emission, line, error);
    expr_results_clear(type->results, expr_program_count(type->program));
    if (printed)
        writer_row(type->writer, line->str, line->len);
    return printed;
}

static void emit_for_type(Run *run, TypeState *type, const Row *row) {
    Emission emission = {
        .run = run, .type = type, .value = VALUE_NONE, .unread_fields = run->unread};
    GError *error = NULL;
    g_ptr_array_set_size(run->unread, 0);
    find_rows(&emission, row);
    if (!write_row(&emission, &error))
        run_fail_type(type, error);
    value_clear(&emission.value);
    run_tell_progress(run, type);
}

/* An answer that was denied or absent is no row of evidence by itself. */
static bool is_evidence(const Row *row) {
    return row->reading->list || row->reading->outcome == OUTCOME_OK;
}

void emit_row(Run *run, Row *row) {
    size_t node = row->reading->node;
    for (size_t i = 0; i < run->type_count; i++) {
        TypeState *type = &run->types[i];
        if (!type->error && type->plan_nodes[type->type->row_of] == node && is_evidence(row))
            emit_for_type(run, type, row);
    }
    const PlanNode *plan_node = &run->plan->nodes[node];
    for (size_t i = 0; i < plan_node->child_count; i++) {
        Reading *child = row->children[i];
        Row *below = child ? g_queue_peek_head(&child->rows) : NULL;
        if (below && !child->list)
            emit_row(run, below);
    }
}
