/* queue.h - from a wish ("sync acme, these types, these controls") to a job.
 *
 * One run at a time per integration: when a job of the integration is still pending, running or
 * parked and asks for the same, that job is returned and continues where it was. A job that asks
 * for something else is called off, unless somebody is running it.
 */
#pragma once

#include "base/json.h"
#include "db/db.h"
#include "provider/definition.h"
#include "store/integration.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *const *evidence_types; /* NULL-terminated; NULL or empty: all of the definition */
    const char *const *controls; /* NULL-terminated "CC8.1" or "soc2:CC8.1"; narrows the types */
    int64_t from_ms;             /* range of logs; 0: the definition's default */
    int64_t to_ms;
    const char *data_dir; /* where the locks of owners are; NULL: leases are only let go in time */
} SyncRequest;

/* *job_id_out is the job to run (caller frees). ERROR_USAGE names an unknown evidence type or a
 * control that nothing of this integration supports; ERROR_CONFLICT when another sync of it is
 * running. */
bool queue_sync(Db *db, const DbScope *scope, const Integration *integration,
                const Definition *definition, const SyncRequest *request, char **job_id_out,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;
