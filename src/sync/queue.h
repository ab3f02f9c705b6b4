/* queue.h - from a wish ("sync acme, these types, these controls") to a job.
 *
 * One run at a time per integration: its jobs wait for each other (store/job.h). A wish joins a job
 * that has not ended and asks for the same, which continues where it was; a person's wish raises
 * its priority. What is due by schedule joins any job that collects at least as much. Jobs that
 * wait and would collect nothing that the new one does not are called off; others keep their place.
 * A run that began more than a day ago is not joined but called off: its answers are old.
 */
#pragma once

#include "base/json.h"
#include "db/db.h"
#include "provider/definition.h"
#include "provider/registry.h"
#include "store/audit.h"
#include "store/integration.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Jobs of one integration that may wait at the same time. */
#define QUEUE_WAITING_MAX 20

/* Why a sync is wanted; decides its priority. */
typedef enum {
    SYNC_PERSON,   /* somebody waits for it */
    SYNC_SCHEDULE, /* it is time */
    SYNC_RENEWAL   /* approved evidence is to be renewed */
} SyncCause;

typedef struct {
    const char *const
        *evidence_types;         /* NULL-terminated; NULL or empty: those of the integration,
                                    which are all of the definition unless it says otherwise */
    const char *const *controls; /* NULL-terminated "CC8.1" or "soc2:CC8.1"; narrows the types */
    int64_t from_ms;             /* range of logs; 0: the definition's default */
    int64_t to_ms;
    const char *data_dir; /* where the locks of owners are; NULL: leases are only let go in time */
    SyncCause cause;
    const AuditActor *actor; /* who asks, to be noted as sync.start; NULL: the caller notes it */
} SyncRequest;

/* *job_id_out is the job to run (caller frees). ERROR_USAGE names an unknown evidence type or a
 * control that nothing of this integration supports; ERROR_LIMIT when too many different wishes
 * wait. */
bool queue_sync(Db *db, const DbScope *scope, const Integration *integration,
                const Definition *definition, const SyncRequest *request, char **job_id_out,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same inside a unit of work of the organization; data_dir and actor are not looked at.
 * *added_out, which may be NULL, says whether there is a new job. */
bool queue_sync_in(DbUnit *unit, const Integration *integration, const Definition *definition,
                   const SyncRequest *request, char **job_id_out, bool *added_out,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What the audit log says of a sync that somebody asked for: which job does it. One that joins a
 * job names that one. */
Json *queue_details(const char *job_id);

/* Queues the first sync of a new connection, of all its evidence types, in the unit that stores it
 * (connect/connection.h, NewConnection.stored). */
bool queue_first_sync(DbUnit *unit, const Integration *integration, const Definition *definition,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Runs a job again: one that waits is due at once, for one that failed, was called off or completed
 * a new job asks for the same. actor, who asks, is noted. ERROR_CONFLICT when it is running. */
bool queue_retry(Db *db, const DbScope *scope, Registry *registry, const AuditActor *actor,
                 const char *job_id, char **job_id_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same inside a unit of work, of a job of this integration. */
bool queue_retry_in(DbUnit *unit, const char *job_id, const Integration *integration,
                    const Definition *definition, char **job_id_out,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
