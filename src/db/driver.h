/* driver.h - the contract between units of work (db.c) and an engine.
 *
 * db.c knows scopes, names, poisoning and waiting; a driver knows one engine: its connections, its
 * threads, how transactions are begun, grouped and committed, and how its errors read.
 *
 * A driver receives tasks. For each it calls attempt() inside a transaction of its own, on one of
 * its threads, and then finish() exactly once, also on one of its threads; both may be called from
 * within submit() for a read that the submitting thread waits for. What every driver guarantees:
 *
 *  - attempt() returning true means "commit me", false means "roll back everything of mine"; no
 *    other task is affected by the latter. A task may be attempted again when its transaction was
 *    lost (busy, serialization failure, deadlock, a group that could not commit).
 *  - finish() is called with NULL only after the commit is durable.
 *  - Write tasks of one submitting thread are committed in the order in which they were submitted.
 *    A write task sees all commits before it; a read task sees those before its first statement and
 *    no later ones, and cannot change rows.
 *    Writes of one organization follow one another in all processes; each sees what those before
 *    it have committed.
 *  - A session is used by one thread at a time and only during attempt().
 *  - Statements are prepared lazily, once per connection, and are all reset when attempt() ends.
 *  - Errors are of ASSAY_ERROR with the codes of db.h; no message carries a bound value.
 */
#pragma once

#include "db/db.h"

typedef struct DriverDatabase DriverDatabase; /* an open database of the driver */
typedef struct DriverSession DriverSession;   /* the connection that runs a task */
typedef struct DriverTask DriverTask;
typedef struct DriverWatch DriverWatch; /* looks out for commits of other processes */

/* Told by a watch: something was committed for the channel; NULL: for any, or it is not known. */
typedef void (*DriverTell)(void *data, const char *channel);

/* The common head of a driver's prepared statements. */
typedef struct {
    const StatementText *text;
    const void *holder; /* db.c's: the handle that uses it now */
} DriverStatement;

/* One unit of work. Embedded in a struct of db.c, which owns it; the driver may use the last two
 * fields while it holds the task. */
struct DriverTask {
    bool (*attempt)(DriverTask *task, DriverSession *session, GError **error);
    void (*finish)(DriverTask *task, const GError *error); /* the task may be gone afterwards */
    const char *organization;                              /* of the scope; NULL: none */
    DbMode mode;
    bool waits;    /* the submitting thread waits, so the queue limit does not apply */
    bool rehearse; /* attempt, roll back, attempt again */
    DriverTask *next;
    GError *error;
};

typedef struct {
    const char *url;
    const char *path; /* what follows the scheme in the URL */
    int64_t busy_limit_ms;
    unsigned queue_limit;
    unsigned pool; /* 0: the driver's own choice */
} DriverSettings;

/* A value to bind. */
typedef enum { VALUE_NULL, VALUE_INT, VALUE_REAL, VALUE_TEXT, VALUE_BLOB } ValueKind;

typedef struct {
    ValueKind kind;
    int64_t integer;
    double real;
    const void *bytes; /* text and blobs */
    size_t size;
    bool lent; /* the bytes live until reset(); others are copied by the driver */
} DriverValue;

typedef struct {
    /* Life. close() runs what is queued, then ends the threads. */
    DriverDatabase *(*open)(const DriverSettings *settings, GError **error);
    void (*close)(DriverDatabase *database);

    bool reads_here; /* a read that is waited for usually runs within submit() */

    /* What db_stamp() gives; NULL when the engine cannot. */
    bool (*stamp)(const DriverDatabase *database, DbStamp *stamp_out);

    /* A number that is another one in each transaction of the session, and after each unit that was
     * rolled back in one; asked on the thread of a write, of which there is one. NULL: a unit is a
     * transaction. */
    uint64_t (*era)(const DriverSession *session);

    /* Takes the task, or fails with ERROR_LIMIT or ERROR_CANCELLED and does not. */
    bool (*submit)(DriverDatabase *database, DriverTask *task, GError **error);

    /* Sessions. prepare() gives the session's cached statement, reset and with nothing bound.
     * lock_schema() is the first of a unit that migrates: no other one migrates until it ends, and
     * it runs as who may; NULL when writing is lock enough. migrate() runs the statements of one
     * migration. */
    DriverStatement *(*prepare)(DriverSession *session, const StatementText *text, GError **error);
    bool (*lock_schema)(DriverSession *session, GError **error);
    bool (*migrate)(DriverSession *session, const MigrationText *migration, GError **error);

    /* Statements. step() past the last row resets the statement; reset() also forgets what was
     * bound. changes() is of the run that ended last, 0 for a statement that changes nothing. */
    bool (*bind)(DriverStatement *statement, int parameter, const DriverValue *value,
                 GError **error);
    bool (*step)(DriverStatement *statement, bool *row_out, GError **error);
    void (*reset)(DriverStatement *statement);
    int64_t (*changes)(DriverStatement *statement);

    /* News. notify() tells the channel's listeners in all processes when the session's transaction
     * commits; NULL when the engine cannot, and db.c tells those of this process. The watch is used
     * by one thread: wait() returns when wake_fd is readable, when something was told, or sooner.
     * It tells of each channel once when it begins to see it, and of all when it may have missed
     * something. It never fails: what is lost it opens again. */
    bool (*notify)(DriverSession *session, const char *channel, GError **error);
    DriverWatch *(*watch_begin)(DriverDatabase *database);
    void (*watch_wait)(DriverWatch *watch, const GPtrArray *channels, int wake_fd, DriverTell tell,
                       void *data);
    void (*watch_end)(DriverWatch *watch);

    /* The current row; the index is below columns(). */
    int (*columns)(DriverStatement *statement);
    bool (*is_null)(DriverStatement *statement, int index);
    int64_t (*read_int)(DriverStatement *statement, int index);
    double (*read_real)(DriverStatement *statement, int index);
    const char *(*read_text)(DriverStatement *statement, int index);
    const void *(*read_blob)(DriverStatement *statement, int index, size_t *size_out);
} Driver;

/* Inside a unit, for migrate.c: the driver's functions of these names. */
bool driver_lock_schema(DbUnit *unit, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool driver_migrate(DbUnit *unit, const MigrationText *migration,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
