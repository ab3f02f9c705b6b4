#include "provider/operate.h"

#include <jv.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(Value) == sizeof(jv), "a Value holds one jv");

static inline jv to_jv(Value value) {
    jv out;
    memcpy(&out, &value, sizeof out);
    return out;
}

static inline Value from_jv(jv value) {
    Value out;
    memcpy(&out, &value, sizeof out);
    return out;
}

/* A second reference, for jv functions that consume their argument. */
static inline jv borrow(Value value) {
    return jv_copy(to_jv(value));
}

static inline jv_kind kind_of(Value value) {
    return jv_get_kind(to_jv(value));
}

/* Complaints, in jq's words. */

#define EXCERPT_SIZE 15 /* as in jq's own */

static const char *excerpt(Value value, char buffer[EXCERPT_SIZE]) {
    return jv_dump_string_trunc(borrow(value), buffer, EXCERPT_SIZE);
}

char *operate_complaint(Value value, const char *words) {
    char buffer[EXCERPT_SIZE];
    g_autofree char *text =
        g_strdup_printf("%s (%s) %s", jv_kind_name(kind_of(value)), excerpt(value, buffer), words);
    return g_utf8_make_valid(text, -1);
}

char *operate_complaint_two(Value left, Value right, const char *words) {
    char first[EXCERPT_SIZE], second[EXCERPT_SIZE];
    g_autofree char *text =
        g_strdup_printf("%s (%s) and %s (%s) %s", jv_kind_name(kind_of(left)), excerpt(left, first),
                        jv_kind_name(kind_of(right)), excerpt(right, second), words);
    return g_utf8_make_valid(text, -1);
}

static bool fail_two(Value left, Value right, const char *words, char **message) {
    *message = operate_complaint_two(left, right, words);
    return false;
}

/* Takes a result of libjq: a value, or an error with its message. */
static bool take_result(jv result, Value *value_out, char **message) {
    if (jv_is_valid(result)) {
        *value_out = from_jv(result);
        return true;
    }
    jv told = jv_invalid_get_msg(result);
    *message = g_strdup(jv_get_kind(told) == JV_KIND_STRING ? jv_string_value(told) : "");
    jv_free(told);
    return false;
}

/* Parts. */

/* The part that a container holds, without the reference that libjq gave with it. */
static Value lend(jv part) {
    if (!jv_is_valid(part)) {
        jv_free(part);
        return value_new_null();
    }
    jv_free(part);
    return from_jv(part);
}

/* A member by its name; a null has every member, and they are null. */
static bool step_by_name(Value from, Value name, Value *value_out) {
    jv_kind kind = kind_of(from);
    if (kind == JV_KIND_OBJECT)
        *value_out = lend(jv_object_get(borrow(from), borrow(name)));
    else if (kind == JV_KIND_NULL)
        *value_out = from;
    return kind == JV_KIND_OBJECT || kind == JV_KIND_NULL;
}

static bool step_by_index(Value from, Value key, Value *value_out) {
    jv_kind kind = kind_of(from);
    double number = jv_number_value(to_jv(key));
    bool within = jv_is_integer(to_jv(key)) && fabs(number) <= INT_MAX;
    if (kind != JV_KIND_ARRAY || !within) {
        *value_out = value_new_null();
        return kind == JV_KIND_ARRAY || kind == JV_KIND_NULL;
    }
    int index = (int)number;
    index += index < 0 ? jv_array_length(borrow(from)) : 0;
    *value_out = lend(jv_array_get(borrow(from), index));
    return true;
}

bool operate_step(Value from, Value key, Value *value_out) {
    jv_kind kind = kind_of(key);
    if (kind == JV_KIND_STRING)
        return step_by_name(from, key, value_out);
    return kind == JV_KIND_NUMBER && step_by_index(from, key, value_out);
}

/* Whether the items of part stand in the array from an index on. */
static bool stands_at(Value array, size_t index, Value part) {
    for (size_t i = 0; i < value_count(part); i++) {
        g_auto(Value) item = value_at(array, index + i);
        g_auto(Value) wanted = value_at(part, i);
        if (value_kind(item) == VALUE_KIND_NONE || !value_equal(item, wanted))
            return false;
    }
    return value_count(part) > 0;
}

/* Where a part begins. jq's own function leaks. */
static Value positions(Value array, Value part) {
    Value out = value_new_array();
    for (size_t i = 0; i < value_count(array); i++) {
        if (stands_at(array, i, part))
            value_push(&out, value_new_number((double)i));
    }
    return out;
}

static bool both(Value left, Value right, jv_kind kind) {
    return kind_of(left) == kind && kind_of(right) == kind;
}

bool operate_index(Value from, Value key, Value *value_out, char **message) {
    if (both(from, key, JV_KIND_ARRAY)) {
        *value_out = positions(from, key);
        return true;
    }
    return take_result(jv_get(borrow(from), borrow(key)), value_out, message);
}

bool operate_items_init(OperateItems *items, Value container) {
    jv_kind kind = kind_of(container);
    *items = (OperateItems){.container = container, .object = kind == JV_KIND_OBJECT};
    items->at = items->object ? jv_object_iter(to_jv(container)) : 0;
    return items->object || kind == JV_KIND_ARRAY;
}

bool operate_items_next(OperateItems *items, Value *value_out) {
    jv container = to_jv(items->container);
    if (!items->object) {
        jv item = jv_array_get(jv_copy(container), items->at++);
        bool more = jv_is_valid(item);
        *value_out = more ? lend(item) : VALUE_NONE;
        if (!more)
            jv_free(item);
        return more;
    }
    if (!jv_object_iter_valid(container, items->at))
        return false;
    *value_out = lend(jv_object_iter_value(container, items->at));
    items->at = jv_object_iter_next(container, items->at);
    return true;
}

/* Arithmetic. */

bool operate_add(Value left_taken, Value right, Value *value_out, char **message) {
    jv left = to_jv(left_taken);
    jv_kind kind = jv_get_kind(left), other = kind_of(right);
    if (kind == JV_KIND_NULL) {
        *value_out = value_copy(right);
        return true;
    }
    if (other == JV_KIND_NULL) {
        *value_out = left_taken;
        return true;
    }
    jv sum = jv_invalid();
    if (kind == other && kind == JV_KIND_NUMBER)
        sum = jv_number(jv_number_value(left) + jv_number_value(to_jv(right)));
    else if (kind == other && kind == JV_KIND_STRING)
        sum = jv_string_concat(left, borrow(right));
    else if (kind == other && kind == JV_KIND_ARRAY)
        sum = jv_array_concat(left, borrow(right));
    else if (kind == other && kind == JV_KIND_OBJECT)
        sum = jv_object_merge(left, borrow(right));
    *value_out = from_jv(sum);
    if (jv_is_valid(sum))
        return true;
    fail_two(left_taken, right, "cannot be added", message);
    jv_free(left);
    return false;
}

static bool holds(Value array, Value item) {
    OperateItems items;
    Value held;
    operate_items_init(&items, array);
    while (operate_items_next(&items, &held)) {
        if (value_equal(item, held))
            return true;
    }
    return false;
}

static Value without(Value array, Value removed) {
    OperateItems items;
    Value item, out = value_new_array();
    operate_items_init(&items, array);
    while (operate_items_next(&items, &item)) {
        if (!holds(removed, item))
            value_push(&out, value_copy(item));
    }
    return out;
}

bool operate_subtract(Value left, Value right, Value *value_out, char **message) {
    if (both(left, right, JV_KIND_NUMBER)) {
        *value_out = value_new_number(jv_number_value(to_jv(left)) - jv_number_value(to_jv(right)));
        return true;
    }
    if (!both(left, right, JV_KIND_ARRAY))
        return fail_two(left, right, "cannot be subtracted", message);
    *value_out = without(left, right);
    return true;
}

bool operate_multiply(Value left, Value right, Value *value_out, char **message) {
    if (both(left, right, JV_KIND_NUMBER)) {
        *value_out = value_new_number(jv_number_value(to_jv(left)) * jv_number_value(to_jv(right)));
        return true;
    }
    if (!both(left, right, JV_KIND_OBJECT))
        return fail_two(left, right, "cannot be multiplied", message);
    *value_out = from_jv(jv_object_merge_recursive(borrow(left), borrow(right)));
    return true;
}

bool operate_divide(Value left, Value right, Value *value_out, char **message) {
    if (both(left, right, JV_KIND_STRING)) {
        *value_out = from_jv(jv_string_split(borrow(left), borrow(right)));
        return true;
    }
    if (!both(left, right, JV_KIND_NUMBER))
        return fail_two(left, right, "cannot be divided", message);
    double divisor = jv_number_value(to_jv(right));
    if (divisor == 0)
        return fail_two(left, right, "cannot be divided because the divisor is zero", message);
    *value_out = value_new_number(jv_number_value(to_jv(left)) / divisor);
    return true;
}

/* Builtins. */

static bool take_truth(jv result, bool *truth_out, char **message) {
    Value value;
    if (!take_result(result, &value, message))
        return false;
    *truth_out = value_truth(value);
    return true;
}

bool operate_has(Value from, Value key, bool *truth_out, char **message) {
    return take_truth(jv_has(borrow(from), borrow(key)), truth_out, message);
}

bool operate_contains(Value whole, Value part, bool *truth_out, char **message) {
    jv_kind kind = kind_of(whole), other = kind_of(part);
    if (kind != other)
        return fail_two(whole, part, "cannot have their containment checked", message);
    *truth_out = jv_contains(borrow(whole), borrow(part)) != 0;
    return true;
}

bool operate_keys(Value from, bool sorted, Value *value_out, char **message) {
    jv_kind kind = kind_of(from);
    if (kind != JV_KIND_OBJECT && kind != JV_KIND_ARRAY) {
        *message = operate_complaint(from, "has no keys");
        return false;
    }
    *value_out = from_jv(sorted ? jv_keys(borrow(from)) : jv_keys_unsorted(borrow(from)));
    return true;
}

bool operate_number(Value from, Value *value_out, char **message) {
    jv_kind kind = kind_of(from);
    if (kind == JV_KIND_NUMBER) {
        *value_out = value_copy(from);
        return true;
    }
    jv parsed = jv_null();
    if (kind == JV_KIND_STRING)
        parsed = jv_parse(jv_string_value(to_jv(from)));
    if (!jv_is_valid(parsed) || jv_get_kind(parsed) == JV_KIND_NUMBER)
        return take_result(parsed, value_out, message);
    jv_free(parsed);
    *message = operate_complaint(from, "cannot be parsed as a number");
    return false;
}

bool operate_split(Value text, Value separator, Value *value_out, char **message) {
    if (!both(text, separator, JV_KIND_STRING)) {
        *message = g_strdup("split input and separator must be strings");
        return false;
    }
    *value_out = from_jv(jv_string_split(borrow(text), borrow(separator)));
    return true;
}

/* An item and its place, which decides between equals. */
typedef struct {
    Value value; /* borrowed */
    size_t place;
} Entry;

static int compare_entries(const void *a, const void *b) {
    const Entry *one = a, *other = b;
    int order = value_compare(one->value, other->value);
    return order != 0 ? order : (one->place > other->place) - (one->place < other->place);
}

bool operate_sort(Value array, bool once, Value *value_out, char **message) {
    OperateItems items;
    if (kind_of(array) != JV_KIND_ARRAY) {
        *message = operate_complaint(array, "cannot be sorted, as it is not an array");
        return false;
    }
    size_t count = value_count(array);
    g_autofree Entry *entries = g_new(Entry, count + 1);
    operate_items_init(&items, array);
    for (size_t i = 0; i < count && operate_items_next(&items, &entries[i].value); i++)
        entries[i].place = i;
    qsort(entries, count, sizeof *entries, compare_entries);
    Value out = value_new_array();
    const Entry *kept = NULL;
    for (size_t i = 0; i < count; i++) {
        if (once && kept != NULL && value_equal(kept->value, entries[i].value))
            continue;
        kept = &entries[i];
        value_push(&out, value_copy(kept->value));
    }
    *value_out = out;
    return true;
}

Value operate_json(Value from) {
    return from_jv(jv_dump_string(borrow(from), 0));
}

size_t operate_characters(Value text) {
    return (size_t)jv_string_length_codepoints(borrow(text));
}

void operate_put(Value *object, Value key, Value value_taken) {
    *object = from_jv(jv_object_set(to_jv(*object), borrow(key), to_jv(value_taken)));
}
