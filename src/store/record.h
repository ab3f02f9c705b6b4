/* record.h - rows as plain structs: one table of columns per noun instead of code.
 *
 * A noun's row struct has plain fields: `const char *` for text, int64_t for integers and times
 * (milliseconds; 0 means never), bool, double, RecordBytes. The same struct serves both ways:
 *   - a row that you fill borrows your texts;
 *   - a row that was read is one heap block with its texts behind the struct; the noun's free
 *     function releases all of it.
 *
 * Only store/ uses the functions of this file. A RecordShape lists a noun's columns in the order
 * of the select lists of its statements, with the limits that rows are held to before they are
 * written.
 */
#pragma once

#include "db/db.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lists never return more than this many rows; ask again with the cursor. */
#define STORE_LIST_MAX 1000

/* What a limit of 0 in a filter means. */
#define STORE_LIST_DEFAULT 100

/* Most bytes of a key or name, of a sentence for people, and of a JSON text. */
#define STORE_NAME_MAX 256
#define STORE_SENTENCE_MAX 4096
#define STORE_JSON_MAX (1024 * 1024)

typedef struct {
    const void *bytes; /* NULL: none */
    size_t size;
} RecordBytes;

typedef enum {
    RECORD_TEXT,     /* const char *, must be there and not empty */
    RECORD_OPTIONAL, /* const char *, NULL or empty allowed; NULL is SQL null */
    RECORD_INT,      /* int64_t */
    RECORD_BOOL,     /* bool, stored as 0 or 1 */
    RECORD_REAL,     /* double */
    RECORD_BYTES     /* RecordBytes, must be there; may be empty */
} RecordKind;

typedef struct {
    const char *name; /* of the column and of its parameter */
    size_t offset;
    RecordKind kind;
    size_t max; /* most bytes of a text or blob; 0: STORE_NAME_MAX */
} RecordColumn;

typedef struct {
    const char *noun; /* for messages */
    const RecordColumn *columns;
    size_t count;
    size_t size; /* of the row struct */
} RecordShape;

#define RECORD_COLUMN(type, field, column_kind, most)                                              \
    { .name = #field, .offset = offsetof(type, field), .kind = (column_kind), .max = (most) }
#define RECORD_SHAPE(type, title, table)                                                           \
    { .noun = (title), .columns = (table), .count = G_N_ELEMENTS(table), .size = sizeof(type) }

/* Holds a row that is to be written against its shape: ERROR_CONFIGURATION when a value is
 * missing, ERROR_LIMIT when one is too long. */
bool record_check(const RecordShape *shape, const void *row,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Binds every column of a row to the parameter of its name. */
void record_bind(DbStatement *statement, const RecordShape *shape, const void *row);

/* record_check, then runs the statement of this name with the row bound and all its rows ignored.
 */
bool record_write(DbUnit *unit, const char *statement, const RecordShape *shape, const void *row,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The current row of a statement as a new struct; the caller frees it with g_free(). */
void *record_read(DbStatement *statement, const RecordShape *shape);

/* Runs a bound statement and reads its first row; row_out is the address of a pointer to the row's
 * struct, which is NULL when there is none. */
bool record_one(DbStatement *statement, const RecordShape *shape, void *row_out,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* As record_one, and ERROR_NOT_FOUND naming the noun when there is none. */
bool record_must(DbStatement *statement, const RecordShape *shape, void *row_out,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Runs a bound statement and reads all its rows into an array that frees them. */
bool record_all(DbStatement *statement, const RecordShape *shape, GPtrArray **rows_out,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Runs a bound statement whose first row is one number; fallback when it has no row. */
bool record_number(DbStatement *statement, int64_t fallback, int64_t *number_out,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Runs a bound statement that must change a row; code and message when it changes none. */
bool record_change(DbUnit *unit, DbStatement *statement, ErrorCode code, const char *message,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Binds the parameter :limit: 1..STORE_LIST_MAX, STORE_LIST_DEFAULT for 0 and less. */
void record_bind_limit(DbStatement *statement, int64_t wish);

/* Binds an optional filter: NULL becomes "", which statements take as "any". */
void record_bind_filter(DbStatement *statement, const char *name, const char *text);

/* Binds a descending cursor on ids: NULL becomes a text behind every id. */
void record_bind_before(DbStatement *statement, const char *name, const char *id);
