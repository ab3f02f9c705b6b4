/* value.h - JSON values of provider bodies, rows and expressions.
 *
 * Ownership in two lines: a returned Value is owned (value_clear releases it), unless it is said to
 * be borrowed; an argument is borrowed, unless the function's name says put, push or take, which
 * consume it.
 *
 * A Value is two words, reference counted and immutable to everybody else: value_copy() costs an
 * increment, value_put() and value_push() copy first when the container is shared. The counts are
 * not atomic: a Value and everything it shares parts with belong to one thread at a time. A parsed
 * body is one block of memory, which lives until the last part of it is released.
 * A zeroed Value is VALUE_NONE, "no value", which may be cleared. Numbers are doubles; whole
 * numbers beyond 2^53 arrive as strings, because provider/scan makes them so. Objects remember the
 * order in which their members came.
 *
 *     g_auto(Value) body = VALUE_NONE;
 *     if (!value_parse(bytes, size, &body, error))
 *         return false;
 *     g_auto(Value) login = value_get(body, "login");
 *     const char *text = value_text(login);
 */
#pragma once

#include "provider/value_json.h"
#include "provider/value_type.h"

/* NULL gives null; bad UTF-8 becomes U+FFFD. value_new_text takes a length, NULs allowed. */
Value value_new_string(const char *text);
Value value_new_text(const char *text, size_t length);
/* Sets a member; *object must be an object. Takes value (VALUE_NONE puts null). */
void value_put(Value *object, const char *key, Value value);
/* The same with a name that is a string already: cheaper when the same name is put often. */
void value_set(Value *object, Value key, Value value);
/* Appends an item; *array must be an array. Takes value. */
void value_push(Value *array, Value value);
/* Appends a text; *text must be a string. A text that nobody shares grows in place. */
void value_append(Value *text, Value more);
/* Removes a member when it is there. */
void value_remove(Value *object, const char *key);

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

/* The same, borrowed: they live as long as the container does, unchanged. */
Value value_member(Value object, const char *name, size_t length);
Value value_item(Value array, size_t index);
/* A member by its place in the order of coming, borrowed; index must be below the count. */
Value value_member_name(Value object, size_t index);
Value value_member_at(Value object, size_t index);

/* Whether it is a whole number within 2^53, written to integer_out when it is. */
bool value_integer(Value value, int64_t *integer_out);
/* Deep equality; numbers by value, objects whatever their order. */
bool value_equal(Value a, Value b);
/* jq's order, in which not-a-number is less than every number: null < false < true < numbers <
 * strings < arrays < objects. Negative, 0, positive. */
int value_compare(Value a, Value b);

/* Owned: an equal value that shares nothing with the body it came from, for a part that is kept for
 * long: every part of a body keeps the whole of it in memory. */
Value value_apart(Value value);

/* Called for each member, sorted by the bytes of its key; both arguments are borrowed. Returning
 * false stops. */
typedef bool (*ValueMemberFunc)(const char *key, Value value, void *data);
void value_each_member(Value object, ValueMemberFunc function, void *data);

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
/* Its steps (path.h), borrowed. */
const struct Path *value_path_steps(const ValuePath *path);
/* The name of a step, or NULL when it is an index, written to index_out (may be NULL). Borrowed. */
const char *value_path_step(const ValuePath *path, size_t step, int64_t *index_out);

/* Follows the path as jq does: a missing member or item, and any step into null, gives null.
 * False (nothing written) when a step meets a value of another kind, where jq raises an error.
 * *value_out is owned by the caller. */
bool value_path_get(const ValuePath *path, Value root, Value *value_out);
/* The same, with null in place of a failure. Owned. */
Value value_path_find(const ValuePath *path, Value root);
