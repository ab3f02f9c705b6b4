/* copy_table.h - the tables of the schema as data, for db/copy.h.
 *
 * Made from src/store/sql/migrations by scripts/embed-copy, so that a new table is copied without
 * anybody thinking of it. A table has the statements copy_first_TABLE(limit), copy_insert_TABLE(all
 * columns) and, when it has places, copy_next_TABLE(places of the last row, limit).
 */
#pragma once

#include "db/statement.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum { COPY_TEXT, COPY_INT, COPY_REAL, COPY_BLOB } CopyType;

typedef struct {
    const char *name;
    CopyType type;
    bool place; /* of the primary key, the organization aside: text or integer, never null */
} CopyColumn;

typedef struct {
    const char *name;
    const CopyColumn *columns;
    size_t column_count;
    bool tenant; /* has organization_id */
    bool bulky;  /* has a blob: read a few rows at a time */
    bool places; /* may have more than one row in an organization */
} CopyTable;

/* Parents before their children. */
extern const CopyTable copy_tables[];
extern const size_t copy_table_count;

extern const StatementText copy_statements[]; /* sorted by name */
extern const size_t copy_statement_count;
