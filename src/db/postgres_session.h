/* postgres_session.h - a connection to PostgreSQL as the place where units of work run.
 *
 * A unit is one transaction. Nothing is sent until its first statement, and then all at once:
 * begin, role and organization, the statement (prepared, if it is new to the connection), so that a
 * unit of one statement that reads costs one round trip; what ends a unit that reads or fails is
 * sent and not waited for.
 *
 *  - A unit that reads is "repeatable read, read only": one snapshot, no change, no conflict.
 *  - A unit that writes is "read committed" under a lock of its organization that it takes first
 *    and holds to its end (pg_advisory_xact_lock). So the units of one organization follow one
 *    another in all processes, as they do with SQLite, each sees what the ones before it have
 *    committed, and none fails for another's sake; organizations do not wait for each other.
 *    Units without an organization take what locks their statements take.
 *
 * Roles: a statement runs as assay_app, where row-level security shows the rows of the unit's
 * organization, or as assay_scheduler if it is marked "-- system". Both last as long as the
 * transaction: nothing is left on the connection for the next unit.
 *
 * A unit that has changed something leaves a mark with its commit (postgres_mark.h).
 *
 * Rows come one by one; when another statement is run meanwhile, the rest is set aside in memory,
 * up to a limit. Used by one thread at a time.
 */
#pragma once

#include "db/driver.h"
#include "db/postgres_address.h"
#include "db/postgres_error.h"
#include "db/postgres_mark.h"

#define POSTGRES_SCHEMA_LOCK "1097079154" /* "Asy2" */

typedef struct {
    const PostgresAddress *address;
    int64_t lock_limit_ms; /* how long one statement waits for a lock */
} SessionSettings;

DriverSession *postgres_session_new(const SessionSettings *settings);
void postgres_session_free(DriverSession *session); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DriverSession, postgres_session_free)

/* Connects if it is not. *passes_out: it may succeed later. */
bool postgres_session_connect(DriverSession *session, bool *passes_out,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
void postgres_session_disconnect(DriverSession *session);

/* Makes sure that the two roles exist and that the user may take them. */
bool postgres_session_prepare_roles(DriverSession *session,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A unit: begin, the driver's functions below, and one of the ends. */
void postgres_session_begin(DriverSession *session, const DriverTask *task);
void postgres_session_roll_back(DriverSession *session);

typedef enum {
    COMMIT_DONE,
    COMMIT_FAILED,  /* the error is set, nothing has happened */
    COMMIT_UNKNOWN, /* the connection was lost on the way: postgres_session_find_out() */
} CommitOutcome;

CommitOutcome postgres_session_commit(DriverSession *session,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The mark of the last commit; false when its unit has changed nothing, or may just as well be run
 * again because it migrates. */
bool postgres_session_marked(const DriverSession *session, CommitMark *mark_out);

/* Whether a commit has happened, asked on a new connection; if not, it will not any more. False
 * when it could not be asked. */
bool postgres_session_find_out(DriverSession *session, const CommitMark *mark, bool *committed_out,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the last failure of the session passes by itself. */
PostgresRetry postgres_session_retry(const DriverSession *session);

/* The driver's functions (driver.h). */
DriverStatement *postgres_session_prepare(DriverSession *session, const StatementText *text,
                                          GError **error);
bool postgres_session_lock_schema(DriverSession *session, GError **error);
bool postgres_session_migrate(DriverSession *session, const MigrationText *migration,
                              GError **error);
bool postgres_session_notify(DriverSession *session, const char *channel, GError **error);
bool postgres_session_bind(DriverStatement *head, int parameter, const DriverValue *value,
                           GError **error);
bool postgres_session_step(DriverStatement *head, bool *row_out, GError **error);
void postgres_session_reset(DriverStatement *head);
int64_t postgres_session_changes(DriverStatement *head);
int postgres_session_columns(DriverStatement *head);
bool postgres_session_is_null(DriverStatement *head, int index);
int64_t postgres_session_read_int(DriverStatement *head, int index);
double postgres_session_read_real(DriverStatement *head, int index);
const char *postgres_session_read_text(DriverStatement *head, int index);
const void *postgres_session_read_blob(DriverStatement *head, int index, size_t *size_out);
