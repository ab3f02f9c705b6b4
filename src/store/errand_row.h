/* errand_row.h - tests of connections that took longer than whoever asked for them waited.
 *
 * He was given an id to ask for, maybe of another process; so what was announced is a row, with
 * what came of it, for a day. What ends in time is told at once and is no row. The process that
 * does the work renews the row's lease; when it stops doing so it has died, and nobody will end the
 * row any more (errand_row_is_lost()).
 *
 * result and problem are what the request would have been answered: no secrets are in them. (The
 * external id of a role on AWS is none to AWS, and must not be lost.)
 */
#pragma once

#include "store/record.h"

#define ERRAND_ROW_KEEP_MS (24 * 3600 * (int64_t)1000)
#define ERRAND_ROW_LEASE_MS (2 * 60 * (int64_t)1000)

#define ERRAND_RUNNING "running"
#define ERRAND_COMPLETED "completed"
#define ERRAND_FAILED "failed"

typedef struct {
    const char *id;
    const char *kind;
    const char *integration_id; /* NULL: it makes a new one */
    const char *actor_id;
    const char *status;
    const char *result;  /* JSON, or NULL */
    const char *problem; /* JSON, or NULL */
    int64_t started_at;
    int64_t ended_at; /* 0: not yet */
    int64_t lease_until;
    int64_t expires_at;
} ErrandRow;

void errand_row_free(ErrandRow *row); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ErrandRow, errand_row_free)

/* Stores one, leased and kept from now on; it may have ended. ERROR_NOT_FOUND when the organization
 * is gone. */
bool errand_row_insert(DbUnit *unit, const ErrandRow *row,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Both leave alone what has ended, and what is gone. */
bool errand_row_renew(DbUnit *unit, const char *id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* status, result, problem and ended_at of the row. */
bool errand_row_end(DbUnit *unit, const ErrandRow *row, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* *row_out is NULL when there is none. */
bool errand_row_get(DbUnit *unit, const char *id, ErrandRow **row_out,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether its process has died before it ended. */
bool errand_row_is_lost(const ErrandRow *row);

/* Whether there is something to remove, and removes it; of the unit's organization. */
bool errand_row_due(DbUnit *unit, bool *due_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool errand_row_prune(DbUnit *unit, GError **error) G_GNUC_WARN_UNUSED_RESULT;
