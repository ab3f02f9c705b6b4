#include "provider/native_function.h"

#include <math.h>
#include <string.h>

#include "provider/operate.h"

NativeStatus native_fail(NativeMeter *meter, char *message) {
    g_free(meter->message);
    meter->message = message;
    return NATIVE_ERROR;
}

static NativeStatus give(Held *out, Value owned) {
    *out = (Held){owned, true};
    return NATIVE_DONE;
}

static NativeStatus give_bool(Held *out, bool truth) {
    *out = (Held){value_new_bool(truth), false};
    return NATIVE_DONE;
}

static NativeStatus fail_with(NativeMeter *meter, Value value, const char *words) {
    return native_fail(meter, operate_complaint(value, words));
}

/* What an operation of operate.h gave. */
static NativeStatus settle(NativeMeter *meter, bool good, Value value, char *message, Held *out) {
    return good ? give(out, value) : native_fail(meter, message);
}

/* Work that grows with a value's size is paid for by size. */
static void charge(NativeMeter *meter, Value value) {
    ValueKind kind = value_kind(value);
    if (kind >= VALUE_KIND_STRING)
        meter->steps -=
            (int64_t)(kind == VALUE_KIND_STRING ? value_length(value) / 16 : value_count(value));
}

/* Operators. */

static NativeStatus call_add(NativeMeter *meter, Held *input, Value argument, Held *out) {
    Value left = input->owned ? value_take(&input->value) : value_copy(input->value);
    Value sum = VALUE_NONE;
    char *message = NULL;
    charge(meter, argument);
    if (!input->owned)
        charge(meter, left);
    input->owned = false;
    bool good = operate_add(left, argument, &sum, &message);
    return settle(meter, good, sum, message, out);
}

static NativeStatus call_subtract(NativeMeter *meter, Held *input, Value argument, Held *out) {
    Value difference = VALUE_NONE;
    char *message = NULL;
    meter->steps -= (int64_t)(value_count(input->value) * (value_count(argument) + 1));
    if (meter->steps < 0)
        return NATIVE_STOPPED;
    bool good = operate_subtract(input->value, argument, &difference, &message);
    return settle(meter, good, difference, message, out);
}

/* The most that a text is repeated here. */
#define MAX_REPEATS 1000

/* A text times a number is repeated; less than once is null, as jq 1.6 rounds. */
static NativeStatus repeat(NativeMeter *meter, Value text, double times, Held *out) {
    if (!(fabs(times) < MAX_REPEATS))
        return NATIVE_UNABLE;
    int more = (int)(times - 1);
    if (more < 0)
        return give(out, value_new_null());
    g_autoptr(GString) repeated = g_string_new_len(value_text(text), (gssize)value_length(text));
    meter->steps -= (int64_t)(value_length(text) / 16 + 1) * (more + 1);
    if (meter->steps < 0)
        return NATIVE_STOPPED;
    for (; more > 0; more--)
        g_string_append_len(repeated, value_text(text), (gssize)value_length(text));
    return give(out, value_new_text(repeated->str, repeated->len));
}

static NativeStatus call_multiply(NativeMeter *meter, Held *input, Value argument, Held *out) {
    ValueKind left = value_kind(input->value), right = value_kind(argument);
    if (left == VALUE_KIND_STRING && right == VALUE_KIND_NUMBER)
        return repeat(meter, input->value, value_number(argument, 0), out);
    if (left == VALUE_KIND_NUMBER && right == VALUE_KIND_STRING)
        return repeat(meter, argument, value_number(input->value, 0), out);
    Value product = VALUE_NONE;
    char *message = NULL;
    charge(meter, argument);
    bool good = operate_multiply(input->value, argument, &product, &message);
    return settle(meter, good, product, message, out);
}

static NativeStatus call_divide(NativeMeter *meter, Held *input, Value argument, Held *out) {
    Value quotient = VALUE_NONE;
    char *message = NULL;
    charge(meter, input->value);
    bool good = operate_divide(input->value, argument, &quotient, &message);
    return settle(meter, good, quotient, message, out);
}

static NativeStatus call_negate(NativeMeter *meter, Held *input, Value argument G_GNUC_UNUSED,
                                Held *out) {
    if (value_kind(input->value) != VALUE_KIND_NUMBER)
        return fail_with(meter, input->value, "cannot be negated");
    return give(out, value_new_number(-value_number(input->value, 0)));
}

/* Most comparisons are between scalars, or between kinds. */
static bool equal(NativeMeter *meter, Value left, Value right) {
    ValueKind kind = value_kind(left);
    if (kind != value_kind(right))
        return false;
    if (kind == VALUE_KIND_NULL)
        return true;
    if (kind == VALUE_KIND_BOOL)
        return value_truth(left) == value_truth(right);
    charge(meter, right);
    return value_equal(left, right);
}

static NativeStatus call_equal(NativeMeter *meter, Held *input, Value argument, Held *out) {
    return give_bool(out, equal(meter, input->value, argument));
}

static NativeStatus call_differ(NativeMeter *meter, Held *input, Value argument, Held *out) {
    return give_bool(out, !equal(meter, input->value, argument));
}

static NativeStatus call_less(NativeMeter *meter, Held *input, Value argument, Held *out) {
    charge(meter, argument);
    return give_bool(out, value_compare(input->value, argument) < 0);
}

static NativeStatus call_less_equal(NativeMeter *meter, Held *input, Value argument, Held *out) {
    charge(meter, argument);
    return give_bool(out, value_compare(input->value, argument) <= 0);
}

static NativeStatus call_greater(NativeMeter *meter, Held *input, Value argument, Held *out) {
    charge(meter, argument);
    return give_bool(out, value_compare(input->value, argument) > 0);
}

static NativeStatus call_greater_equal(NativeMeter *meter, Held *input, Value argument, Held *out) {
    charge(meter, argument);
    return give_bool(out, value_compare(input->value, argument) >= 0);
}

/* Builtins that look at their input alone. */

static NativeStatus call_not(NativeMeter *meter G_GNUC_UNUSED, Held *input,
                             Value argument G_GNUC_UNUSED, Held *out) {
    bool truthy = !value_is_null(input->value) &&
                  (value_kind(input->value) != VALUE_KIND_BOOL || value_truth(input->value));
    return give_bool(out, !truthy);
}

static NativeStatus call_length(NativeMeter *meter, Held *input, Value argument G_GNUC_UNUSED,
                                Held *out) {
    Value value = input->value;
    switch (value_kind(value)) {
    case VALUE_KIND_NULL:
        return give(out, value_new_number(0));
    case VALUE_KIND_NUMBER:
        return give(out, value_new_number(fabs(value_number(value, 0))));
    case VALUE_KIND_STRING:
        charge(meter, value);
        return give(out, value_new_number((double)operate_characters(value)));
    case VALUE_KIND_ARRAY:
    case VALUE_KIND_OBJECT:
        return give(out, value_new_number((double)value_count(value)));
    default:
        return fail_with(meter, value, "has no length");
    }
}

static NativeStatus call_bytes(NativeMeter *meter, Held *input, Value argument G_GNUC_UNUSED,
                               Held *out) {
    if (value_kind(input->value) != VALUE_KIND_STRING)
        return fail_with(meter, input->value, "only strings have UTF-8 byte length");
    return give(out, value_new_number((double)value_length(input->value)));
}

static NativeStatus call_type(NativeMeter *meter G_GNUC_UNUSED, Held *input,
                              Value argument G_GNUC_UNUSED, Held *out) {
    static const char *const names[] = {
        [VALUE_KIND_NONE] = "null",     [VALUE_KIND_NULL] = "null",
        [VALUE_KIND_BOOL] = "boolean",  [VALUE_KIND_NUMBER] = "number",
        [VALUE_KIND_STRING] = "string", [VALUE_KIND_ARRAY] = "array",
        [VALUE_KIND_OBJECT] = "object",
    };
    return give(out, value_new_string(names[value_kind(input->value)]));
}

static NativeStatus call_json(NativeMeter *meter, Held *input, Value argument G_GNUC_UNUSED,
                              Held *out) {
    Value text = operate_json(input->value);
    meter->steps -= (int64_t)(value_length(text) / 4);
    return give(out, text);
}

static NativeStatus call_tostring(NativeMeter *meter, Held *input, Value argument, Held *out) {
    if (value_kind(input->value) == VALUE_KIND_STRING)
        return give(out, value_copy(input->value));
    return call_json(meter, input, argument, out);
}

static NativeStatus call_tonumber(NativeMeter *meter, Held *input, Value argument G_GNUC_UNUSED,
                                  Held *out) {
    Value number = VALUE_NONE;
    char *message = NULL;
    bool good = operate_number(input->value, &number, &message);
    return settle(meter, good, number, message, out);
}

static NativeStatus keys_of(NativeMeter *meter, Held *input, bool sorted, Held *out) {
    Value keys = VALUE_NONE;
    char *message = NULL;
    meter->steps -= 10 * (int64_t)value_count(input->value);
    bool good = operate_keys(input->value, sorted, &keys, &message);
    return settle(meter, good, keys, message, out);
}

static NativeStatus call_keys(NativeMeter *meter, Held *input, Value argument G_GNUC_UNUSED,
                              Held *out) {
    return keys_of(meter, input, true, out);
}

static NativeStatus call_keys_unsorted(NativeMeter *meter, Held *input,
                                       Value argument G_GNUC_UNUSED, Held *out) {
    return keys_of(meter, input, false, out);
}

static NativeStatus change_case(NativeMeter *meter, Value text, char (*change)(char), Held *out) {
    if (value_kind(text) != VALUE_KIND_STRING)
        return native_fail(meter, g_strdup("explode input must be a string"));
    size_t length = value_length(text);
    charge(meter, text);
    g_autofree char *changed = g_malloc(length + 1);
    const char *bytes = value_text(text);
    for (size_t i = 0; i < length; i++)
        changed[i] = change(bytes[i]);
    return give(out, value_new_text(changed, length));
}

static NativeStatus call_downcase(NativeMeter *meter, Held *input, Value argument G_GNUC_UNUSED,
                                  Held *out) {
    return change_case(meter, input->value, g_ascii_tolower, out);
}

static NativeStatus call_upcase(NativeMeter *meter, Held *input, Value argument G_GNUC_UNUSED,
                                Held *out) {
    return change_case(meter, input->value, g_ascii_toupper, out);
}

static NativeStatus call_add_all(NativeMeter *meter, Held *input, Value argument G_GNUC_UNUSED,
                                 Held *out) {
    OperateItems items;
    Value item;
    if (!operate_items_init(&items, input->value))
        return fail_with(meter, input->value, "cannot be iterated over");
    Value sum = value_new_null();
    while (operate_items_next(&items, &item)) {
        char *message = NULL;
        charge(meter, item);
        if (--meter->steps < 0) {
            value_clear(&sum);
            return NATIVE_STOPPED;
        }
        if (!operate_add(sum, item, &sum, &message))
            return native_fail(meter, message);
    }
    return give(out, sum);
}

/* jq keeps the first of equal minima and the last of equal maxima. */
static NativeStatus extreme(NativeMeter *meter, Value array, bool smallest, Held *out) {
    OperateItems items;
    Value item, best = VALUE_NONE;
    if (value_kind(array) != VALUE_KIND_ARRAY)
        return fail_with(meter, array, "cannot be iterated over");
    operate_items_init(&items, array);
    while (operate_items_next(&items, &item)) {
        charge(meter, item);
        if (--meter->steps < 0)
            return NATIVE_STOPPED;
        if (value_kind(best) == VALUE_KIND_NONE || (value_compare(item, best) < 0) == smallest)
            best = item;
    }
    bool none = value_kind(best) == VALUE_KIND_NONE;
    return give(out, none ? value_new_null() : value_copy(best));
}

static NativeStatus call_min(NativeMeter *meter, Held *input, Value argument G_GNUC_UNUSED,
                             Held *out) {
    return extreme(meter, input->value, true, out);
}

static NativeStatus call_max(NativeMeter *meter, Held *input, Value argument G_GNUC_UNUSED,
                             Held *out) {
    return extreme(meter, input->value, false, out);
}

static NativeStatus sorted(NativeMeter *meter, Value array, bool once, Held *out) {
    Value list = VALUE_NONE;
    char *message = NULL;
    size_t count = value_count(array);
    meter->steps -= (int64_t)(count * (g_bit_storage(count) + 1) * 2);
    if (meter->steps < 0)
        return NATIVE_STOPPED;
    bool good = operate_sort(array, once, &list, &message);
    return settle(meter, good, list, message, out);
}

static NativeStatus call_sort(NativeMeter *meter, Held *input, Value argument G_GNUC_UNUSED,
                              Held *out) {
    return sorted(meter, input->value, false, out);
}

static NativeStatus call_unique(NativeMeter *meter, Held *input, Value argument G_GNUC_UNUSED,
                                Held *out) {
    return sorted(meter, input->value, true, out);
}

/* Builtins with one argument. */

static bool is_string(Value value) {
    return value_kind(value) == VALUE_KIND_STRING;
}

static bool starts(Value text, Value part) {
    size_t length = value_length(part);
    return length <= value_length(text) && memcmp(value_text(text), value_text(part), length) == 0;
}

static bool ends(Value text, Value part) {
    size_t whole = value_length(text), length = value_length(part);
    return length <= whole &&
           memcmp(value_text(text) + (whole - length), value_text(part), length) == 0;
}

static NativeStatus call_startswith(NativeMeter *meter, Held *input, Value argument, Held *out) {
    if (!is_string(input->value) || !is_string(argument))
        return native_fail(meter, g_strdup("startswith() requires string inputs"));
    return give_bool(out, starts(input->value, argument));
}

static NativeStatus call_endswith(NativeMeter *meter, Held *input, Value argument, Held *out) {
    if (!is_string(input->value) || !is_string(argument))
        return native_fail(meter, g_strdup("endswith() requires string inputs"));
    return give_bool(out, ends(input->value, argument));
}

/* As expr.c has jq define them: what is no string, or does not fit, stays. */
static NativeStatus call_ltrimstr(NativeMeter *meter, Held *input, Value argument, Held *out) {
    Value text = input->value;
    charge(meter, text);
    if (!is_string(text) || !is_string(argument) || !starts(text, argument))
        return give(out, value_copy(text));
    size_t cut = value_length(argument);
    return give(out, value_new_text(value_text(text) + cut, value_length(text) - cut));
}

static NativeStatus call_rtrimstr(NativeMeter *meter, Held *input, Value argument, Held *out) {
    Value text = input->value;
    charge(meter, text);
    if (!is_string(text) || !is_string(argument) || !ends(text, argument))
        return give(out, value_copy(text));
    return give(out, value_new_text(value_text(text), value_length(text) - value_length(argument)));
}

static NativeStatus call_contains(NativeMeter *meter, Held *input, Value argument, Held *out) {
    bool truth = false;
    char *message = NULL;
    charge(meter, input->value);
    if (!operate_contains(input->value, argument, &truth, &message))
        return native_fail(meter, message);
    return give_bool(out, truth);
}

static NativeStatus call_has(NativeMeter *meter, Held *input, Value argument, Held *out) {
    bool truth = false;
    char *message = NULL;
    if (!operate_has(input->value, argument, &truth, &message))
        return native_fail(meter, message);
    return give_bool(out, truth);
}

static NativeStatus call_split(NativeMeter *meter, Held *input, Value argument, Held *out) {
    Value list = VALUE_NONE;
    char *message = NULL;
    charge(meter, input->value);
    bool good = operate_split(input->value, argument, &list, &message);
    return settle(meter, good, list, message, out);
}

static const NativeFunction functions[] = {
    {"+", 2, call_add},
    {"-", 2, call_subtract},
    {"*", 2, call_multiply},
    {"/", 2, call_divide},
    {"-x", 2, call_negate},
    {"==", 2, call_equal},
    {"!=", 2, call_differ},
    {"<", 2, call_less},
    {"<=", 2, call_less_equal},
    {">", 2, call_greater},
    {">=", 2, call_greater_equal},
    {"not", 0, call_not},
    {"length", 0, call_length},
    {"utf8bytelength", 0, call_bytes},
    {"type", 0, call_type},
    {"tojson", 0, call_json},
    {"tostring", 0, call_tostring},
    {"tonumber", 0, call_tonumber},
    {"keys", 0, call_keys},
    {"keys_unsorted", 0, call_keys_unsorted},
    {"ascii_downcase", 0, call_downcase},
    {"ascii_upcase", 0, call_upcase},
    {"add", 0, call_add_all},
    {"min", 0, call_min},
    {"max", 0, call_max},
    {"sort", 0, call_sort},
    {"unique", 0, call_unique},
    {"startswith", 1, call_startswith},
    {"endswith", 1, call_endswith},
    {"ltrimstr", 1, call_ltrimstr},
    {"rtrimstr", 1, call_rtrimstr},
    {"contains", 1, call_contains},
    {"has", 1, call_has},
    {"split", 1, call_split},
};

const NativeFunction *native_function_find(const char *name, size_t length, unsigned arguments) {
    for (size_t i = 0; i < G_N_ELEMENTS(functions); i++) {
        const NativeFunction *function = &functions[i];
        if (function->arguments == arguments && strlen(function->name) == length &&
            memcmp(function->name, name, length) == 0)
            return function;
    }
    return NULL;
}
