#include "provider/operate.h"

#include <jv.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "provider/value_jq.h"

/* The kind as jq tells it: true and false are two. */
static jv_kind kind_of(Value value) {
    static const jv_kind kinds[] = {
        [VALUE_KIND_NONE] = JV_KIND_INVALID,  [VALUE_KIND_NULL] = JV_KIND_NULL,
        [VALUE_KIND_BOOL] = JV_KIND_FALSE,    [VALUE_KIND_NUMBER] = JV_KIND_NUMBER,
        [VALUE_KIND_STRING] = JV_KIND_STRING, [VALUE_KIND_ARRAY] = JV_KIND_ARRAY,
        [VALUE_KIND_OBJECT] = JV_KIND_OBJECT,
    };
    return value_truth(value) ? JV_KIND_TRUE : kinds[value_kind(value)];
}

static Value or_null(Value value) {
    return value_kind(value) == VALUE_KIND_NONE ? value_new_null() : value;
}

/* Complaints, in jq's words. */

#define EXCERPT_SIZE 15 /* as in jq's own */

static const char *excerpt(Value value, char buffer[EXCERPT_SIZE]) {
    return jv_dump_string_trunc(value_to_jq(value), buffer, EXCERPT_SIZE);
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
        *value_out = value_take_jq(result);
        return true;
    }
    jv told = jv_invalid_get_msg(result);
    *message = g_strdup(jv_get_kind(told) == JV_KIND_STRING ? jv_string_value(told) : "");
    jv_free(told);
    return false;
}

/* Parts. */

/* A member by its name; a null has every member, and they are null. */
static bool step_by_name(Value from, Value name, Value *value_out) {
    ValueKind kind = value_kind(from);
    if (kind == VALUE_KIND_OBJECT)
        *value_out = or_null(value_member(from, value_text(name), value_length(name)));
    else if (kind == VALUE_KIND_NULL)
        *value_out = from;
    return kind == VALUE_KIND_OBJECT || kind == VALUE_KIND_NULL;
}

static bool step_by_index(Value from, Value key, Value *value_out) {
    ValueKind kind = value_kind(from);
    double number = value_number(key, 0);
    bool within = fabs(number) <= INT_MAX && trunc(number) == number;
    if (kind != VALUE_KIND_ARRAY || !within) {
        *value_out = value_new_null();
        return kind == VALUE_KIND_ARRAY || kind == VALUE_KIND_NULL;
    }
    int64_t index = (int64_t)number + (number < 0 ? (int64_t)value_count(from) : 0);
    *value_out = or_null(index < 0 ? VALUE_NONE : value_item(from, (size_t)index));
    return true;
}

bool operate_step(Value from, Value key, Value *value_out) {
    ValueKind kind = value_kind(key);
    if (kind == VALUE_KIND_STRING)
        return step_by_name(from, key, value_out);
    return kind == VALUE_KIND_NUMBER && step_by_index(from, key, value_out);
}

/* Whether the items of part stand in the array from an index on. */
static bool stands_at(Value array, size_t index, Value part) {
    for (size_t i = 0; i < value_count(part); i++) {
        Value item = value_item(array, index + i);
        if (value_kind(item) == VALUE_KIND_NONE || !value_equal(item, value_item(part, i)))
            return false;
    }
    return value_count(part) > 0;
}

/* Where a part begins. */
static Value positions(Value array, Value part) {
    Value out = value_new_array();
    for (size_t i = 0; i < value_count(array); i++) {
        if (stands_at(array, i, part))
            value_push(&out, value_new_number((double)i));
    }
    return out;
}

static bool both(Value left, Value right, ValueKind kind) {
    return value_kind(left) == kind && value_kind(right) == kind;
}

/* Has libjq slice a list of the places instead of the items themselves. */
static bool slice(Value array, Value key, Value *value_out, char **message) {
    jv places = jv_array();
    for (size_t i = 0; i < value_count(array); i++)
        places = jv_array_append(places, jv_number((double)i));
    g_auto(Value) sliced = VALUE_NONE;
    if (!take_result(jv_get(places, value_to_jq(key)), &sliced, message))
        return false;
    if (value_kind(sliced) != VALUE_KIND_ARRAY) {
        *value_out = value_copy(or_null(sliced));
        return true;
    }
    *value_out = value_new_array();
    for (size_t i = 0; i < value_count(sliced); i++) {
        size_t place = (size_t)value_number(value_item(sliced, i), 0);
        value_push(value_out, value_copy(value_item(array, place)));
    }
    return true;
}

bool operate_index(Value from, Value key, Value *value_out, char **message) {
    if (both(from, key, VALUE_KIND_ARRAY)) {
        *value_out = positions(from, key);
        return true;
    }
    if (value_kind(from) == VALUE_KIND_ARRAY && value_kind(key) == VALUE_KIND_OBJECT)
        return slice(from, key, value_out, message);
    Value part;
    if (operate_step(from, key, &part)) {
        *value_out = value_copy(part);
        return true;
    }
    return take_result(jv_get(value_to_jq(from), value_to_jq(key)), value_out, message);
}

bool operate_items_init(OperateItems *items, Value container) {
    ValueKind kind = value_kind(container);
    *items = (OperateItems){.container = container, .object = kind == VALUE_KIND_OBJECT};
    items->count = value_count(container);
    return kind == VALUE_KIND_ARRAY || kind == VALUE_KIND_OBJECT;
}

bool operate_items_next(OperateItems *items, Value *value_out) {
    if (items->at == items->count)
        return false;
    size_t at = items->at++;
    *value_out =
        items->object ? value_member_at(items->container, at) : value_item(items->container, at);
    return true;
}

/* Arithmetic. */

static void concatenate(Value *array, Value more) {
    for (size_t i = 0; i < value_count(more); i++)
        value_push(array, value_copy(value_item(more, i)));
}

static void merge(Value *object, Value more) {
    for (size_t i = 0; i < value_count(more); i++)
        value_set(object, value_member_name(more, i), value_copy(value_member_at(more, i)));
}

/* The sum of two of one kind; false when there is none. Takes left when there is. */
static bool sum_of(ValueKind kind, Value left, Value right, Value *value_out) {
    *value_out = left;
    switch (kind) {
    case VALUE_KIND_NUMBER:
        *value_out = value_new_number(value_number(left, 0) + value_number(right, 0));
        return true;
    case VALUE_KIND_STRING:
        value_append(value_out, right);
        return true;
    case VALUE_KIND_ARRAY:
        concatenate(value_out, right);
        return true;
    case VALUE_KIND_OBJECT:
        merge(value_out, right);
        return true;
    default:
        return false;
    }
}

bool operate_add(Value left_taken, Value right, Value *value_out, char **message) {
    ValueKind kind = value_kind(left_taken), other = value_kind(right);
    if (kind == VALUE_KIND_NULL) {
        *value_out = value_copy(right);
        return true;
    }
    if (other == VALUE_KIND_NULL) {
        *value_out = left_taken;
        return true;
    }
    if (kind == other && sum_of(kind, left_taken, right, value_out))
        return true;
    fail_two(left_taken, right, "cannot be added", message);
    value_clear(&left_taken);
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
    if (both(left, right, VALUE_KIND_NUMBER)) {
        *value_out = value_new_number(value_number(left, 0) - value_number(right, 0));
        return true;
    }
    if (!both(left, right, VALUE_KIND_ARRAY))
        return fail_two(left, right, "cannot be subtracted", message);
    *value_out = without(left, right);
    return true;
}

static Value merged_deep(Value object, Value more) {
    Value merged = value_copy(object);
    for (size_t i = 0; i < value_count(more); i++) {
        Value name = value_member_name(more, i), value = value_member_at(more, i);
        Value before = value_member(object, value_text(name), value_length(name));
        bool deep = both(before, value, VALUE_KIND_OBJECT);
        value_set(&merged, name, deep ? merged_deep(before, value) : value_copy(value));
    }
    return merged;
}

bool operate_multiply(Value left, Value right, Value *value_out, char **message) {
    if (both(left, right, VALUE_KIND_NUMBER)) {
        *value_out = value_new_number(value_number(left, 0) * value_number(right, 0));
        return true;
    }
    if (!both(left, right, VALUE_KIND_OBJECT))
        return fail_two(left, right, "cannot be multiplied", message);
    *value_out = merged_deep(left, right);
    return true;
}

bool operate_divide(Value left, Value right, Value *value_out, char **message) {
    if (both(left, right, VALUE_KIND_STRING)) {
        *value_out = value_take_jq(jv_string_split(value_to_jq(left), value_to_jq(right)));
        return true;
    }
    if (!both(left, right, VALUE_KIND_NUMBER))
        return fail_two(left, right, "cannot be divided", message);
    double divisor = value_number(right, 0);
    if (divisor == 0)
        return fail_two(left, right, "cannot be divided because the divisor is zero", message);
    *value_out = value_new_number(value_number(left, 0) / divisor);
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
    if (value_kind(from) == VALUE_KIND_OBJECT && value_kind(key) == VALUE_KIND_STRING) {
        Value found = value_member(from, value_text(key), value_length(key));
        *truth_out = value_kind(found) != VALUE_KIND_NONE;
        return true;
    }
    if (value_kind(from) == VALUE_KIND_ARRAY && value_kind(key) == VALUE_KIND_NUMBER) {
        double place = trunc(value_number(key, 0));
        *truth_out = place >= 0 && place < (double)value_count(from);
        return true;
    }
    return take_truth(jv_has(value_to_jq(from), value_to_jq(key)), truth_out, message);
}

static bool contains(Value whole, Value part);

static bool contains_members(Value whole, Value part) {
    for (size_t i = 0; i < value_count(part); i++) {
        Value name = value_member_name(part, i);
        Value found = value_member(whole, value_text(name), value_length(name));
        if (!contains(found, value_member_at(part, i)))
            return false;
    }
    return true;
}

static bool contains_item(Value array, Value part) {
    for (size_t i = 0; i < value_count(array); i++) {
        if (contains(value_item(array, i), part))
            return true;
    }
    return false;
}

static bool contains_items(Value whole, Value part) {
    for (size_t i = 0; i < value_count(part); i++) {
        if (!contains_item(whole, value_item(part, i)))
            return false;
    }
    return true;
}

/* Texts are searched as jq 1.6 does it: up to a NUL. */
static bool contains(Value whole, Value part) {
    if (kind_of(whole) != kind_of(part))
        return false;
    switch (value_kind(whole)) {
    case VALUE_KIND_STRING:
        return strstr(value_text(whole), value_text(part)) != NULL;
    case VALUE_KIND_ARRAY:
        return contains_items(whole, part);
    case VALUE_KIND_OBJECT:
        return contains_members(whole, part);
    default:
        return value_equal(whole, part);
    }
}

bool operate_contains(Value whole, Value part, bool *truth_out, char **message) {
    if (kind_of(whole) != kind_of(part))
        return fail_two(whole, part, "cannot have their containment checked", message);
    *truth_out = contains(whole, part);
    return true;
}

static Value keys_of(Value from) {
    Value keys = value_new_array();
    bool object = value_kind(from) == VALUE_KIND_OBJECT;
    for (size_t i = 0; i < value_count(from); i++)
        value_push(&keys,
                   object ? value_copy(value_member_name(from, i)) : value_new_number((double)i));
    return keys;
}

bool operate_keys(Value from, bool sorted, Value *value_out, char **message) {
    ValueKind kind = value_kind(from);
    if (kind != VALUE_KIND_OBJECT && kind != VALUE_KIND_ARRAY) {
        *message = operate_complaint(from, "has no keys");
        return false;
    }
    Value keys = keys_of(from);
    bool good = true;
    if (sorted && kind == VALUE_KIND_OBJECT) {
        good = operate_sort(keys, false, value_out, message);
        value_clear(&keys);
    } else {
        *value_out = keys;
    }
    return good;
}

bool operate_number(Value from, Value *value_out, char **message) {
    ValueKind kind = value_kind(from);
    if (kind == VALUE_KIND_NUMBER) {
        *value_out = value_copy(from);
        return true;
    }
    jv parsed = jv_null();
    if (kind == VALUE_KIND_STRING)
        parsed = jv_parse(value_text(from));
    if (!jv_is_valid(parsed) || jv_get_kind(parsed) == JV_KIND_NUMBER)
        return take_result(parsed, value_out, message);
    jv_free(parsed);
    *message = operate_complaint(from, "cannot be parsed as a number");
    return false;
}

bool operate_split(Value text, Value separator, Value *value_out, char **message) {
    if (!both(text, separator, VALUE_KIND_STRING)) {
        *message = g_strdup("split input and separator must be strings");
        return false;
    }
    *value_out = value_take_jq(jv_string_split(value_to_jq(text), value_to_jq(separator)));
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
    if (value_kind(array) != VALUE_KIND_ARRAY) {
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
    return value_take_jq(jv_dump_string(value_to_jq(from), 0));
}

size_t operate_characters(Value text) {
    size_t characters = 0;
    for (size_t i = 0; i < value_length(text); i++)
        characters += ((unsigned char)value_text(text)[i] & 0xc0) != 0x80;
    return characters;
}

void operate_put(Value *object, Value key, Value value_taken) {
    value_set(object, key, value_taken);
}
