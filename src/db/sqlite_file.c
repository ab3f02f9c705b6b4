#include "db/sqlite_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define BUSY_MS 30000

static bool fail(GError **error, const char *path, const char *what, const char *why) {
    g_set_error(error, ASSAY_ERROR, ERROR_DATABASE, "the database file %s cannot be %s: %s", path,
                what, why);
    return false;
}

static sqlite3 *open_file(const char *path, int flags, GError **error) {
    sqlite3 *handle = NULL;
    int result = sqlite3_open_v2(path, &handle,
                                 flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
    if (result == SQLITE_OK) {
        sqlite3_busy_timeout(handle, BUSY_MS);
        return handle;
    }
    fail(error, path, "opened", sqlite3_errstr(result));
    sqlite3_close(handle);
    return NULL;
}

/* --- copying ---------------------------------------------------------------------------------- */

static bool make_file(const char *path, GError **error) {
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file >= 0) {
        close(file);
        return true;
    }
    int code = errno;
    if (code == EEXIST)
        g_set_error(error, ASSAY_ERROR, ERROR_CONFLICT,
                    "there is a file %s already: name another one", path);
    else
        fail(error, path, "made", g_strerror(code));
    return false;
}

/* All pages in one step are one read transaction of the source:
 * https://www.sqlite.org/c3ref/backup_finish.html */
static int copy_pages(sqlite3 *from, sqlite3 *to) {
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (!backup)
        return sqlite3_errcode(to);
    int result = sqlite3_backup_step(backup, -1);
    int finished = sqlite3_backup_finish(backup);
    return result == SQLITE_DONE ? finished : result;
}

/* The source's write-ahead log is a second file; the copy is to be one. */
static bool copy_into(sqlite3 *from, sqlite3 *to, const char *path, GError **error) {
    int result = copy_pages(from, to);
    if (result == SQLITE_OK)
        result = sqlite3_exec(to, "pragma journal_mode = delete", NULL, NULL, NULL);
    return result == SQLITE_OK || fail(error, path, "written", sqlite3_errstr(result));
}

bool sqlite_file_copy(const char *from, const char *to, GError **error) {
    sqlite3 *source = open_file(from, SQLITE_OPEN_READONLY, error);
    if (!source || !make_file(to, error)) {
        sqlite3_close(source);
        return false;
    }
    sqlite3 *target = open_file(to, SQLITE_OPEN_READWRITE, error);
    bool ok = target && copy_into(source, target, to, error);
    sqlite3_close(target);
    sqlite3_close(source);
    if (!ok)
        sqlite_file_remove(to);
    return ok;
}

void sqlite_file_remove(const char *path) {
    static const char *const endings[] = {"", "-wal", "-shm", "-journal", "-turn"};
    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++) {
        g_autofree char *file = g_strconcat(path, endings[i], NULL);
        (void)unlink(file);
    }
}

/* --- checking --------------------------------------------------------------------------------- */

static bool damaged(const char *path, const char *found, GError **error) {
    g_set_error(error, ASSAY_ERROR, ERROR_DATABASE,
                "the database file %s is damaged (%s): restore it from a backup", path, found);
    return false;
}

/* Whether the pragma's first row is "ok". What it finds names tables and pages, never a value. */
static bool says_ok(sqlite3 *handle, const char *path, const char *sql, GError **error) {
    sqlite3_stmt *statement = NULL;
    bool row = sqlite3_prepare_v2(handle, sql, -1, &statement, NULL) == SQLITE_OK &&
               sqlite3_step(statement) == SQLITE_ROW;
    const char *said =
        row ? (const char *)sqlite3_column_text(statement, 0) : sqlite3_errmsg(handle);
    bool ok = row && g_strcmp0(said, "ok") == 0;
    if (!ok)
        damaged(path, said ? said : "nothing can be read", error);
    sqlite3_finalize(statement);
    return ok;
}

static bool has_parents(sqlite3 *handle, const char *path, GError **error) {
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(handle, "pragma foreign_key_check", -1, &statement, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_step(statement);
    if (result != SQLITE_DONE)
        damaged(path, "rows refer to others that are not there", error);
    sqlite3_finalize(statement);
    return result == SQLITE_DONE;
}

bool sqlite_file_check(const char *path, SqliteFileDepth depth, GError **error) {
    sqlite3 *handle = open_file(path, SQLITE_OPEN_READONLY, error);
    bool ok = handle != NULL;
    if (ok && depth == SQLITE_FILE_QUICK)
        ok = says_ok(handle, path, "pragma quick_check(1)", error);
    else if (ok)
        ok = says_ok(handle, path, "pragma integrity_check(1)", error) &&
             has_parents(handle, path, error);
    sqlite3_close(handle);
    return ok;
}
