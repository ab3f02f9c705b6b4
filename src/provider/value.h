/* value.h - JSON values of provider bodies, rows and expressions (libjq inside).
 *
 * Ownership in two lines: a returned Value is owned (value_clear releases it); an argument is
 * borrowed, unless the function's name says put, push or take, which consume it.
 *
 * A Value is two words, reference counted and immutable to everybody else: value_copy() costs an
 * increment, value_put() and value_push() copy first when the container is shared. The counts are
 * not atomic: a Value and everything it shares parts with belong to one thread at a time.
 * A zeroed Value is VALUE_NONE, "no value", which may be cleared. Numbers are doubles; whole
 * numbers beyond 2^53 arrive as strings, because provider/scan makes them so.
 *
 *     g_auto(Value) body = VALUE_NONE;
 *     if (!value_parse(bytes, size, &body, error))
 *         return false;
 *     g_auto(Value) login = value_get(body, "login");
 *     const char *text = value_text(login);
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Value {
    uint64_t words[2];
} Value;

#define VALUE_NONE ((Value){{0, 0}})

typedef enum {
    VALUE_KIND_NONE, /* no value at all */
    VALUE_KIND_NULL,
    VALUE_KIND_BOOL,
    VALUE_KIND_NUMBER,
    VALUE_KIND_STRING,
    VALUE_KIND_ARRAY,
    VALUE_KIND_OBJECT
} ValueKind;

/* Values nested deeper than this are not printed: value_append_json writes null in their place. */
#define VALUE_MAX_DEPTH 256

/* Releases the value and leaves VALUE_NONE. */
void value_clear(Value *value);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Value, value_clear)

/* Parses exactly one JSON value. The bytes must have passed provider/scan (size, depth, node
 * count, UTF-8); ERROR_SERVICE_UNAVAILABLE when they are no JSON all the same. A repeated key
 * keeps its last value. */
bool value_parse(const char *bytes, size_t size, Value *value_out,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Names of members that were met before: values with the same names, such as the rows of a list,
 * are parsed faster and share them, so they belong to one thread with it. Bounded. */
typedef struct ValueNames ValueNames;

ValueNames *value_names_new(void);
/* The values live on. */
void value_names_free(ValueNames *names);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ValueNames, value_names_free)

/* The same as value_parse(). */
bool value_parse_named(ValueNames *names, const char *bytes, size_t size, Value *value_out,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

Value value_new_null(void);
Value value_new_bool(bool truth);
Value value_new_number(double number);
/* NULL gives null; bad UTF-8 becomes U+FFFD. value_new_text takes a length, NULs allowed. */
Value value_new_string(const char *text);
Value value_new_text(const char *text, size_t length);
Value value_new_array(void);
Value value_new_object(void);
/* Another reference to the same value. */
Value value_copy(Value value);
/* Moves the value out and leaves VALUE_NONE behind. */
Value value_take(Value *value);

/* Sets a member; *object must be an object. Takes value (VALUE_NONE puts null). */
void value_put(Value *object, const char *key, Value value);
/* The same with a name that is a string already: cheaper when the same name is put often. */
void value_set(Value *object, Value key, Value value);
/* Appends an item; *array must be an array. Takes value. */
void value_push(Value *array, Value value);
/* Removes a member when it is there. */
void value_remove(Value *object, const char *key);

ValueKind value_kind(Value value);
/* "null", "a string", "an object" ..., for messages. Static storage. */
const char *value_kind_name(ValueKind kind);
static inline bool value_is_null(Value value) {
    return value_kind(value) <= VALUE_KIND_NULL;
}
/* Members of an object, items of an array, else 0. */
size_t value_count(Value value);

/* Owned. A member: VALUE_NONE when it is absent or the parent is no object. */
Value value_get(Value object, const char *key);
bool value_has(Value object, const char *key);
/* Owned. An item: VALUE_NONE when there is none. Costs the same for every index, so rows are
 * walked with it. */
Value value_at(Value array, size_t index);

/* Borrowed from the value: valid while this reference to it lives. NULL unless it is a string. The
 * text ends in a NUL; value_length counts its bytes. */
const char *value_text(Value value);
size_t value_length(Value value);
/* The number, or fallback for any other kind. */
double value_number(Value value, double fallback);
/* Whether it is a whole number within 2^53, written to integer_out when it is. */
bool value_integer(Value value, int64_t *integer_out);
/* true only for the value true. */
bool value_truth(Value value);
/* Deep equality; numbers by value, objects whatever their order. */
bool value_equal(Value a, Value b);
/* jq's order: null < false < true < numbers < strings < arrays < objects. Negative, 0, positive. */
int value_compare(Value a, Value b);

/* Called for each member, sorted by the bytes of its key; both arguments are borrowed. Returning
 * false stops. */
typedef bool (*ValueMemberFunc)(const char *key, Value value, void *data);
void value_each_member(Value object, ValueMemberFunc function, void *data);

/* Appends the value as compact JSON: keys sorted by their bytes, whole numbers without exponent
 * up to 1e17, other numbers in the shortest form that reads back the same, not-a-number as null,
 * infinities as the largest double. Equal values give equal bytes; the result is valid UTF-8. */
void value_append_json(GString *out, Value value);
/* The same as a string. Caller frees. */
char *value_to_json(Value value);

/* A plain path, compiled: `.`, `.a.b`, `.["x-y"].c`, `.items[0]`, `."a b"`. Immutable; may be
 * shared between threads. */
typedef struct ValuePath ValuePath;

/* At most 64 steps. ERROR_CONFIGURATION when the text is not a plain path. */
ValuePath *value_path_parse(const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void value_path_free(ValuePath *path);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ValuePath, value_path_free)

/* The path's own text. Borrowed. */
const char *value_path_text(const ValuePath *path);
size_t value_path_count(const ValuePath *path);
/* The name of a step, or NULL when it is an index, written to index_out (may be NULL). Borrowed. */
const char *value_path_step(const ValuePath *path, size_t step, int64_t *index_out);

/* Follows the path as jq does: a missing member or item, and any step into null, gives null.
 * False (nothing written) when a step meets a value of another kind, where jq raises an error.
 * *value_out is owned by the caller. */
bool value_path_get(const ValuePath *path, Value root, Value *value_out);
/* The same, with null in place of a failure. Owned. */
Value value_path_find(const ValuePath *path, Value root);
