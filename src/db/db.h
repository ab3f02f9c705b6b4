/* db.h - the database: units of work, submitted to threads that own the connections.
 *
 * All access is a unit of work: a function that runs on a database thread inside one transaction.
 *
 *     static bool rename_work(DbUnit *unit, void *data, GError **error) {
 *         DbStatement *statement = db_prepare(unit, "integration_rename");
 *         db_bind_text(statement, "name", data);
 *         return db_exec(statement, error);
 *     }
 *     DbScope scope = {.organization = id, .actor = "cli", .role = "owner"};
 *     if (!db_run(db, &scope, DB_WRITE, rename_work, name, error)) ...
 *
 * Rules for the work function: it may be run again (the engine was busy, or the group commit that
 * it was part of was lost), so it has no side effects but its statements and what it writes to its
 * data, which it sets anew each time; it is short; it calls neither db_run() nor anything that
 * waits. Returning false rolls everything back. **A failed statement poisons the unit**: all later
 * statements fail with the first error and the unit cannot commit even if the function returns
 * true, so that both engines behave alike (PostgreSQL aborts the transaction).
 *
 * Scope: a unit acts for one organization, or explicitly for the system (the scheduler), or both.
 * :org is bound from it by the driver, so a store function cannot reach another organization's
 * rows; statements marked "-- system" fail outside system scope.
 *
 * Durability: done callbacks and the return of db_run() mean that the unit has been committed and
 * synced. Waiting writes share one transaction and one sync (group commit); one of them failing
 * leaves the others whole.
 *
 * When the connection to a server is lost, a unit is run again on a new one, for as long as the
 * busy limit. Lost in the middle of a commit, the server is asked what became of it; only if it
 * cannot tell within the limit, the error says that it is not known.
 *
 * Life: db_open() once per process and file, migrate_apply() (migrate.h), any number of units from
 * any thread, db_close() last. All functions without a DbUnit or DbStatement argument may be called
 * from any thread; the others only inside the work function.
 *
 * Errors: ERROR_CONFLICT when a unique key is taken, ERROR_LIMIT when too much is queued,
 * ERROR_CONFIGURATION when the URL or the file is not usable, ERROR_CANCELLED after db_close()
 * began, ERROR_DATABASE for the rest (full disk, a lock held too long, damage). Messages name the
 * statement and never a bound value.
 */
#pragma once

#include "base/error.h"
#include "db/statement.h"
#include <stdint.h>

typedef struct Db Db;
typedef struct DbUnit DbUnit;
typedef struct DbStatement DbStatement;

/* Who acts, and on whose rows. Plain values; db_run() and db_submit() copy them. */
typedef struct {
    const char *organization; /* NULL: none */
    const char *actor;        /* user, token or program, for the records; may be NULL */
    const char *role;         /* may be NULL */
    bool system;              /* may run "-- system" statements */
} DbScope;

typedef enum { DB_READ, DB_WRITE } DbMode;

/* One unit of work; true commits. See the rules above. */
typedef bool (*DbWork)(DbUnit *unit, void *data, GError **error);

/* Called once on a database thread after the unit has committed (error is NULL) or failed. It may
 * submit further units, and must not wait. The error is borrowed. */
typedef void (*DbDone)(void *data, const GError *error);

/* For tests and tools; the zero value of every field is the default. */
typedef struct {
    const StatementCatalogue *catalogue; /* other statements than the program's own */
    int64_t busy_limit_ms;               /* wait for another process's write lock, or for a server
                                            that went away; 30,000 */
    unsigned queue_limit;                /* units that db_submit() lets wait; 4,096 */
    unsigned pool; /* connections to a server at most; 4, or pool= in the URL */
    bool rehearse; /* run every unit twice and keep the second: finds work
                      functions that cannot be run again */
} DbOptions;

/* Opens "sqlite:PATH", and creates the file (mode 0600) when it is missing; its folder must exist.
 * Or connects to "postgres://USER:PASSWORD@HOST:PORT/NAME", which must exist (docs/postgresql.md).
 * NULL with the error set. */
Db *db_open(const char *url, GError **error) G_GNUC_WARN_UNUSED_RESULT;
Db *db_open_with(const char *url, const DbOptions *options,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Refuses new units, ends the queued ones, joins the threads, closes the files. NULL allowed. Not
 * from a database thread. */
void db_close(Db *db);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Db, db_close)

/* Runs the unit and waits for its commit. Not from a database thread. A read may run on the calling
 * thread itself, which is a database thread for as long. */
bool db_run(Db *db, const DbScope *scope, DbMode mode, DbWork work, void *data,
            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether a read that is waited for usually runs on the calling thread, and takes as long as its
 * statements do; not so with a server. */
bool db_reads_here(const Db *db);

/* A unit for db_submit(). */
typedef struct {
    DbScope scope;
    DbMode mode;
    DbWork work;
    DbDone done; /* may be NULL */
    void *data;  /* for work and done; must live until done was called */
} DbJob;

/* Queues the unit and returns at once. False (ERROR_LIMIT, ERROR_CANCELLED) means that it was not
 * taken and done will not be called. Writes of one thread commit in the order of submission. */
bool db_submit(Db *db, const DbJob *job, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* --- Stamps -------------------------------------------------------------------------------- */

#define DB_STAMP_SIZE 48

/* Stands for all that is committed at a moment: as long as the stamp is the same, nobody has
 * committed anything, in any process, and what was read by a unit that began after it was taken is
 * still so. */
typedef struct {
    uint8_t bytes[DB_STAMP_SIZE];
} DbStamp;

/* The stamp of now; every commit that has been reported as done, here or elsewhere, is behind it.
 * A look at memory, cheaper than any read. False when it cannot be told without asking (a server),
 * and in the instant in which somebody commits: then nothing may be kept. */
bool db_stamp(const Db *db, DbStamp *stamp_out);

/* --- News ---------------------------------------------------------------------------------- */

/* Units tell with db_notify() on which channels something has changed; whoever listens there, in
 * any process, is called after the commit. A call says "look again", and nothing more: calls are
 * coalesced, come once for sure when listening has begun and again after the connection to the
 * server was lost, and may come without a cause (SQLite shows a process that another one has
 * written, not what).
 *
 * A channel is 1 to 48 characters of a-z, 0-9, "_", "." and "-". */
typedef struct DbListener DbListener;

/* Called on one database thread, never twice at a time. It may submit units, and must not wait. */
typedef void (*DbHeard)(void *data);

/* Listens until db_listen_end(). NULL (ERROR_INTERNAL) for a channel that is none, or when the
 * system has no more threads. */
DbListener *db_listen(Db *db, const char *channel, DbHeard heard, void *data,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Waits for a call that runs now; afterwards there is none. Before db_close(), and not from a
 * database thread. NULL allowed. */
void db_listen_end(DbListener *listener);

/* The statements of this database. */
const StatementCatalogue *db_catalogue(const Db *db);

/* --- What a transaction knows -------------------------------------------------------------- */

/* With group commit a transaction is that of many units. What one of them has found out about its
 * organization, and nobody else can change until the commit, it may learn for those behind it. It
 * is forgotten when the transaction ends or a unit of it is rolled back; a unit that makes it
 * untrue forgets it. `fact` is a word that its users agree on. In a unit that reads, and on an
 * engine whose units are transactions, nothing is ever known. */
bool db_knows(const DbUnit *unit, const char *fact);
void db_learn(DbUnit *unit, const char *fact);
void db_forget(DbUnit *unit, const char *fact);

/* --- Inside a unit ------------------------------------------------------------------------- */

/* The scope of the unit; borrowed. */
const DbScope *db_unit_scope(const DbUnit *unit);

/* Fails the unit from outside a statement; the first error wins. Takes the error. */
void db_unit_poison(DbUnit *unit, GError *error);

/* The statement with this name, ready to be bound; owned by the unit. Never NULL: an unknown name
 * or a scope that may not run it poisons the unit. Preparing the same name again ends the earlier
 * use, and stepping the earlier handle is an error then. */
DbStatement *db_prepare(DbUnit *unit, const char *name) G_GNUC_WARN_UNUSED_RESULT;

/* Bind by name, without the colon. The value is copied. A NULL text or blob binds null. Text must
 * be UTF-8. Errors are sticky in the unit and reported by the next db_step() or db_exec(). Every
 * parameter but :org is bound before each run; a forgotten one is an error, never a silent null. */
void db_bind_text(DbStatement *statement, const char *name, const char *text);
void db_bind_int(DbStatement *statement, const char *name, int64_t value);
void db_bind_real(DbStatement *statement, const char *name, double value);
void db_bind_blob(DbStatement *statement, const char *name, const void *bytes, size_t size);
void db_bind_null(DbStatement *statement, const char *name);

/* What is bound after this is not copied: it must live until the statement has run to its end or
 * was reset. */
void db_lend(DbStatement *statement);

/* Goes to the next row: *row_out says whether there is one. After the last row the statement can be
 * bound and run again. */
bool db_step(DbStatement *statement, bool *row_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Runs a statement to its end, ignoring its rows. */
bool db_exec(DbStatement *statement, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends a run before its last row, so that the statement can be bound and run again. */
void db_reset(DbStatement *statement);

/* The columns of the current row, from 0. Text and blobs are borrowed until the next step; null is
 * NULL, 0 or 0.0. Reading without a row poisons the unit. */
const char *db_column_text(DbStatement *statement, int index);
char *db_column_dup(DbStatement *statement, int index); /* a copy of the text; caller frees */
int64_t db_column_int(DbStatement *statement, int index);
double db_column_real(DbStatement *statement, int index);
const void *db_column_blob(DbStatement *statement, int index, size_t *size_out);
bool db_column_is_null(DbStatement *statement, int index);

/* Rows that the statement last run in this unit inserted, updated or deleted. */
int64_t db_changes(const DbUnit *unit);

/* Tells the listeners of the channel when the unit has committed; telling twice is telling once.
 * A unit that reads, or a channel that is none, is poisoned. */
void db_notify(DbUnit *unit, const char *channel);
