/* schema_part.h - what a database is made of: its tables, indexes, views and triggers.
 *
 * A database file that comes from elsewhere may have more or less of them than migrations make, and
 * a trigger does what it likes with each later change. So it is held against one that was just made
 * (SQLite: to the letter).
 */
#pragma once

#include "store/record.h"

typedef struct {
    const char *name; /* "trigger audit_keeps_rows" */
    const char *text; /* by which it was made */
} SchemaPart;

void schema_part_free(SchemaPart *part); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SchemaPart, schema_part_free)

/* SchemaPart* by name (any scope). */
bool schema_part_list(DbUnit *unit, GPtrArray **parts_out,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The name of the first part that only one list has, or that differs; NULL: none. Borrowed. */
const char *schema_part_difference(const GPtrArray *parts, const GPtrArray *others);
