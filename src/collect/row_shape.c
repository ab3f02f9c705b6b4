#include "collect/row_shape.h"

#include "base/json.h"
#include "provider/unread.h"

#include <string.h>

#define NO_RESULT SIZE_MAX

/* A declared field, in the order of declaration. */
typedef struct {
    const char *name;
    const FieldType *type;
    size_t result; /* index among the results */
} Declared;

/* A member of the printed row, in the order of the names' bytes. */
typedef struct {
    const char *name;
    char *quoted; /* with the colon */
    size_t length;
    size_t result; /* NO_RESULT: what was unread */
} Printed;

struct RowShape {
    Declared *declared;
    size_t declared_count;
    Printed *printed;
    size_t printed_count;
    Value *keys; /* by result: the name, when the summary looks at it, else VALUE_NONE */
    size_t result_count;
    Value summarized;
};

/* --- making ----------------------------------------------------------------------------------- */

static size_t result_named(const EvidenceType *type, const char *name) {
    for (size_t i = 0; i < type->row_field_count; i++)
        if (strcmp(type->row_fields[i].name, name) == 0)
            return i;
    g_assert_not_reached();
}

static void declare(RowShape *shape, const EvidenceType *type) {
    shape->declared_count = field_set_count(type->fields);
    shape->declared = g_new0(Declared, shape->declared_count + 1);
    for (size_t i = 0; i < shape->declared_count; i++) {
        const char *name = field_set_name(type->fields, i);
        shape->declared[i] =
            (Declared){name, field_set_type(type->fields, i), result_named(type, name)};
    }
}

static int compare_printed(const void *a, const void *b) {
    return strcmp(((const Printed *)a)->name, ((const Printed *)b)->name);
}

static Printed printed_as(const char *name, size_t result) {
    g_autoptr(GString) quoted = g_string_new(NULL);
    json_append_quoted(quoted, name, strlen(name));
    g_string_append_c(quoted, ':');
    return (Printed){name, g_strdup(quoted->str), quoted->len, result};
}

static void order(RowShape *shape, const EvidenceType *type) {
    shape->printed_count = type->row_field_count + 1;
    shape->printed = g_new0(Printed, shape->printed_count);
    for (size_t i = 0; i < type->row_field_count; i++)
        shape->printed[i] = printed_as(type->row_fields[i].name, i);
    shape->printed[type->row_field_count] = printed_as(UNREAD_MEMBER, NO_RESULT);
    qsort(shape->printed, shape->printed_count, sizeof *shape->printed, compare_printed);
}

static bool mentions(const Expr *expr, const char *name) {
    return expr && expr_mentions(expr, name);
}

static bool is_summarized(const SummaryPlan *summary, const char *name) {
    for (size_t i = 0; summary && i < summary_plan_count(summary); i++)
        if (mentions(summary_plan_expr(summary, i), name) ||
            mentions(summary_plan_where(summary, i), name))
            return true;
    return false;
}

RowShape *row_shape_new(const EvidenceType *type) {
    RowShape *shape = g_new0(RowShape, 1);
    declare(shape, type);
    order(shape, type);
    shape->result_count = type->row_field_count;
    shape->keys = g_new0(Value, shape->result_count + 1);
    shape->summarized = value_new_object();
    for (size_t i = 0; i < shape->result_count; i++)
        if (is_summarized(type->summary, type->row_fields[i].name))
            shape->keys[i] = value_new_string(type->row_fields[i].name);
    return shape;
}

void row_shape_free(RowShape *shape) {
    if (!shape)
        return;
    for (size_t i = 0; i < shape->printed_count; i++)
        g_free(shape->printed[i].quoted);
    for (size_t i = 0; i < shape->result_count; i++)
        value_clear(&shape->keys[i]);
    g_free(shape->printed);
    g_free(shape->declared);
    g_free(shape->keys);
    value_clear(&shape->summarized);
    g_free(shape);
}

/* --- a row ------------------------------------------------------------------------------------ */

static bool is_noted(const GPtrArray *names, guint count, const char *name) {
    for (guint i = 0; i < count; i++)
        if (strcmp(g_ptr_array_index(names, i), name) == 0)
            return true;
    return false;
}

void row_shape_check(const RowShape *shape, const ExprResult *results, GPtrArray *unread) {
    guint before = unread->len;
    for (size_t i = 0; i < shape->declared_count; i++) {
        const Declared *field = &shape->declared[i];
        if (!field_check(field->type, results[field->result].value) &&
            !is_noted(unread, before, field->name))
            g_ptr_array_add(unread, (void *)(uintptr_t)field->name);
    }
}

Value row_shape_summarized(RowShape *shape, const ExprResult *results) {
    for (size_t i = 0; i < shape->result_count; i++) {
        if (value_kind(shape->keys[i]) == VALUE_KIND_NONE)
            continue;
        if (results[i].outcome == EXPR_ONE)
            value_set(&shape->summarized, shape->keys[i], value_copy(results[i].value));
        else
            value_remove(&shape->summarized, value_text(shape->keys[i]));
    }
    return shape->summarized;
}

void row_shape_append_json(const RowShape *shape, const ExprResult *results, Value unread,
                           GString *out) {
    char separator = '{';
    for (size_t i = 0; i < shape->printed_count; i++) {
        const Printed *member = &shape->printed[i];
        bool own = member->result != NO_RESULT;
        bool there = own ? results[member->result].outcome == EXPR_ONE
                         : value_kind(unread) != VALUE_KIND_NONE;
        if (!there)
            continue;
        g_string_append_c(out, separator);
        g_string_append_len(out, member->quoted, (gssize)member->length);
        value_append_json(out, own ? results[member->result].value : unread);
        separator = ',';
    }
    g_string_append(out, separator == '{' ? "{}" : "}");
}
