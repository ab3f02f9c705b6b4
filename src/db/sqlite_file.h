/* sqlite_file.h - a database file of SQLite as a whole: copied while it is used, and checked.
 *
 * Beside the driver (sqlite.h), with connections of its own: nothing that the driver does waits for
 * them. Blocks the calling thread.
 */
#pragma once

#include "base/error.h"

/* Copies a database as it is at one moment into a new file (mode 0600) that needs no other beside
 * it, and syncs it. What others write meanwhile is not in it. ERROR_CONFLICT when `to` exists; a
 * copy that failed is removed. */
bool sqlite_file_copy(const char *from, const char *to, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef enum {
    SQLITE_FILE_QUICK, /* pages and rows */
    SQLITE_FILE_WHOLE  /* indexes and foreign keys as well */
} SqliteFileDepth;

/* Reads everything. ERROR_DATABASE with what was found first when the file is damaged. */
bool sqlite_file_check(const char *path, SqliteFileDepth depth,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes a database file and what SQLite and the driver keep beside it. */
void sqlite_file_remove(const char *path);
