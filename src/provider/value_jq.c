#include "provider/value_jq.h"

static jv text_to_jq(Value text) {
    return jv_string_sized(value_text(text), (int)value_length(text));
}

static jv array_to_jq(Value array) {
    size_t count = value_count(array);
    jv to = jv_array_sized((int)MAX(count, 1));
    for (size_t i = 0; i < count; i++)
        to = jv_array_append(to, value_to_jq(value_item(array, i)));
    return to;
}

static jv object_to_jq(Value object) {
    jv to = jv_object();
    for (size_t i = 0; i < value_count(object); i++)
        to = jv_object_set(to, text_to_jq(value_member_name(object, i)),
                           value_to_jq(value_member_at(object, i)));
    return to;
}

jv value_to_jq(Value value) {
    switch (value_kind(value)) {
    case VALUE_KIND_BOOL:
        return jv_bool(value_truth(value));
    case VALUE_KIND_NUMBER:
        return jv_number(value_number(value, 0));
    case VALUE_KIND_STRING:
        return text_to_jq(value);
    case VALUE_KIND_ARRAY:
        return array_to_jq(value);
    case VALUE_KIND_OBJECT:
        return object_to_jq(value);
    default:
        return jv_null();
    }
}

jv value_to_jq_only(Value value, const char *const *names) {
    if (value_kind(value) != VALUE_KIND_OBJECT)
        return value_to_jq(value);
    jv to = jv_object();
    for (size_t i = 0; names[i] != NULL; i++) {
        Value member = value_member(value, names[i], strlen(names[i]));
        if (value_kind(member) != VALUE_KIND_NONE)
            to = jv_object_set(to, jv_string(names[i]), value_to_jq(member));
    }
    return to;
}

static Value from_jq(jv from, unsigned depth);

static Value array_from_jq(jv array, unsigned depth) {
    Value to = value_new_array();
    int count = jv_array_length(jv_copy(array));
    for (int i = 0; i < count; i++)
        value_push(&to, from_jq(jv_array_get(jv_copy(array), i), depth + 1));
    return to;
}

static Value object_from_jq(jv object, unsigned depth) {
    Value to = value_new_object();
    for (int at = jv_object_iter(object); jv_object_iter_valid(object, at);
         at = jv_object_iter_next(object, at)) {
        Value name = from_jq(jv_object_iter_key(object, at), depth + 1);
        value_set(&to, name, from_jq(jv_object_iter_value(object, at), depth + 1));
        value_clear(&name);
    }
    return to;
}

static Value convert(jv from, unsigned depth) {
    switch (jv_get_kind(from)) {
    case JV_KIND_INVALID:
        return VALUE_NONE;
    case JV_KIND_FALSE:
    case JV_KIND_TRUE:
        return value_new_bool(jv_get_kind(from) == JV_KIND_TRUE);
    case JV_KIND_NUMBER:
        return value_new_number(jv_number_value(from));
    case JV_KIND_STRING:
        return value_new_text(jv_string_value(from), (size_t)jv_string_length_bytes(jv_copy(from)));
    case JV_KIND_ARRAY:
        return array_from_jq(from, depth);
    case JV_KIND_OBJECT:
        return object_from_jq(from, depth);
    default:
        return value_new_null();
    }
}

static Value from_jq(jv from, unsigned depth) {
    Value to = depth > VALUE_JQ_MAX_DEPTH ? value_new_null() : convert(from, depth);
    jv_free(from);
    return to;
}

Value value_take_jq(jv from) {
    return from_jq(from, 0);
}
