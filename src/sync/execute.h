/* execute.h - runs one job from claim to result, inside a worker process.
 *
 * claim (attempt counted, fence taken) -> open the credential -> collect (cassette first) -> judge
 * every stored evidence item -> evaluate controls -> record the sync on the integration -> complete
 * the job. Killed anywhere, the next claim replays the cassette and goes on. What is under way is
 * held by a lease that is renewed while the run lasts.
 */
#pragma once

#include "base/json.h"
#include "connect/aws_identity.h"
#include "db/db.h"
#include "net/budget.h"
#include "net/client.h"
#include "provider/registry.h"
#include "sync/owner.h"
#include "vault/keyring.h"

#include <glib.h>
#include <stdbool.h>

#define EXECUTE_LEASE_MS 60000

/* What a worker has; everything borrowed. */
typedef struct {
    Db *db;
    const Keyring *keyring;
    Registry *registry;
    NetClient *client;
    BudgetSet *budgets;
    const Owner *owner;
    const AwsAmbient *aws; /* NULL: the installation has no AWS identity of its own */
    const char *data_dir;
    /* Told while the job runs, with a JSON object {evidenceType, rows, calls} or {phase}. */
    void (*progress)(const Json *progress, void *data);
    /* Whether the work is still wanted; asked a few times a second. */
    bool (*wanted)(void *data);
    void *data;
} ExecuteContext;

/* *result_out: {evidenceCollected, evidenceFailed, controlsUpdated, errors}; for a parked job also
 * parkedUntil. A job that had ended before gives the result that it ended with.
 * ERROR_CONFLICT when another living worker has the job, ERROR_CANCELLED when it was no longer
 * wanted. */
bool execute_job(const ExecuteContext *context, const char *organization_id, const char *job_id,
                 Json **result_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
