/* field.h - the declared types of an evidence type's rows.
 *
 * jq has no types to rely on (`null < 90` and `"0" > 5` are true there), so every row is held
 * against its declaration before anything judges it:
 *
 *     fields: {maxAge: int, lastUsed: 'time?', tags: '[string]', counts: '{total: int, high: int}',
 *              labels: '{string: string}?'}
 *
 * Types: string, int (a whole number within 2^53), number, bool, time (RFC 3339 date and time with
 * offset), [T], {name: T, ...} (no other names), {string: T} (any names), and T? (null or absent
 * as well). A field that is absent or of another type makes its row "could not read" for whoever
 * needs that field; a row with a key that is not declared is an error of the definition.
 *
 * Immutable after construction; may be shared between threads.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "provider/value.h"

/* Deepest nesting of a type, and most names in one object or set. */
#define FIELD_MAX_DEPTH 8
#define FIELD_MAX_NAMES 200

typedef enum {
    FIELD_STRING,
    FIELD_INT,
    FIELD_NUMBER,
    FIELD_BOOL,
    FIELD_TIME,
    FIELD_LIST,   /* [T] */
    FIELD_OBJECT, /* {name: T, ...} */
    FIELD_MAP     /* {string: T} */
} FieldKind;

typedef struct FieldType FieldType;

/* ERROR_CONFIGURATION with the position in the text. */
FieldType *field_type_parse(const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void field_type_free(FieldType *type);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldType, field_type_free)

FieldKind field_type_kind(const FieldType *type);
/* Whether null and absence are allowed. */
bool field_type_nullable(const FieldType *type);
/* The canonical text, "[{total: int}]?". Caller frees. */
char *field_type_text(const FieldType *type);

/* Whether the value (VALUE_NONE: absent) has the type. */
bool field_check(const FieldType *type, Value value);

/* An ordered set of named fields. */
typedef struct FieldSet FieldSet;

FieldSet *field_set_new(void);
void field_set_free(FieldSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldSet, field_set_free)

/* Appends a field; parses its type. ERROR_CONFIGURATION for a bad type or a name used twice. */
bool field_set_add(FieldSet *set, const char *name, const char *type,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
size_t field_set_count(const FieldSet *set);
const char *field_set_name(const FieldSet *set, size_t index);
const FieldType *field_set_type(const FieldSet *set, size_t index);
/* Whether there is such a field; its index to index_out (may be NULL). */
bool field_set_find(const FieldSet *set, const char *name, size_t *index_out);

/* Holds a row against the set. Appends the names of unread fields (absent or mistyped), borrowed
 * from the set and in its order, to unread (may be NULL); *readable_out (may be NULL) says that
 * there were none. ERROR_CONFIGURATION when the row is no object or has a key that is not
 * declared. */
bool field_set_check(const FieldSet *set, Value row, GPtrArray *unread, bool *readable_out,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
