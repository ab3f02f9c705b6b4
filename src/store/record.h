/* record.h - rows as plain structs: one table of columns per noun instead of code.
 *
 * A noun's row struct has plain fields: `const char *` for text, int64_t for integers and times
 * (milliseconds; 0 means never), bool, double, RecordBytes. Its last member is a RecordText. The
 * same struct serves both ways:
 *   - a row that you fill borrows your texts, and its `own` stays zero;
 *   - a row that was read owns its texts (in `own`) and dies by the noun's free function.
 * The columns of a noun are a table of RecordColumn in the order of the statements' select lists.
 *
 * Only store/ uses the functions of this file; the types are part of the row structs.
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

/* The texts of a row that was read. */
typedef struct {
    GStringChunk *chunk;
} RecordText;

typedef struct {
    const void *bytes;
    size_t size;
} RecordBytes;

typedef enum {
    RECORD_TEXT, /* const char *; SQL null is NULL */
    RECORD_INT,  /* int64_t */
    RECORD_BOOL, /* bool, stored as 0 or 1 */
    RECORD_REAL, /* double */
    RECORD_BYTES /* RecordBytes; SQL null has bytes NULL */
} RecordKind;

typedef struct {
    const char *name; /* of the parameter, without the colon */
    size_t offset;
    RecordKind kind;
} RecordColumn;

/* The shape of a noun: its columns, its size, and where its RecordText is. */
typedef struct {
    const RecordColumn *columns;
    size_t count;
    size_t size;
    size_t own;
} RecordShape;

/* The limit to use for a wish: 1..STORE_LIST_MAX, STORE_LIST_DEFAULT for 0. */
int64_t record_limit(int64_t wish);

/* An SQL null for comparisons: optional filters compare with "". */
const char *record_filter(const char *text);

/* Fails with ERROR_CONFIGURATION naming the field when text is NULL or empty, and with ERROR_LIMIT
 * when it is longer than max bytes. */
bool record_check_text(const char *noun, const char *field, const char *text, size_t max,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
