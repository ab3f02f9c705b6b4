/* execute.h - runs one job from claim to result, inside a worker process.
 *
 * claim (attempt counted, fence taken) -> open the credential -> collect (cassette first) -> judge
 * every stored evidence item -> evaluate controls -> record the sync on the integration -> complete
 * the job. Killed anywhere, the next claim replays the cassette and goes on. What is under way is
 * held by a lease that a thread renews while the run lasts (sync/heartbeat.h).
 *
 * How it ends: completed; parked until a limit allows to go on; failed, when another attempt would
 * meet the same; retried 5 s later (doubling, three attempts) after a failure of the database or
 * one that passes; released at once when the work is not wanted any more; lost to another claim;
 * cancelled when somebody has called it off.
 */
#pragma once

#include "base/json.h"
#include "connect/aws_identity.h"
#include "db/db.h"
#include "net/budget.h"
#include "net/client.h"
#include "provider/registry.h"
#include "store/job.h"
#include "sync/owner.h"
#include "sync/pinned.h"
#include "vault/keyring.h"

#include <glib.h>
#include <stdbool.h>

#define EXECUTE_LEASE_MS 60000

/* What a worker has; everything borrowed. */
typedef struct {
    Db *db;
    const Keyring *keyring;
    Registry *registry;
    Pinned *pinned; /* of this registry */
    NetClient *client;
    BudgetSet *budgets;
    const Owner *owner;
    const AwsAmbient *aws; /* NULL: the installation has no AWS identity of its own */
    const char *data_dir;
    /* Told at the claim. May be NULL. */
    void (*claimed)(const Job *job, void *data);
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

typedef enum {
    EXECUTE_NOTHING, /* no job is due */
    EXECUTE_COMPLETED,
    EXECUTE_PARKED,
    EXECUTE_RETRIED,
    EXECUTE_RELEASED,
    EXECUTE_LOST,
    EXECUTE_FAILED,
    EXECUTE_CALLED_OFF,
    EXECUTE_DECLINED,
} ExecuteOutcome;

/* "completed". Static storage. */
const char *execute_outcome_name(ExecuteOutcome outcome);

typedef struct {
    ExecuteOutcome outcome;
    Json *result;    /* of a completed or parked job */
    GError *failure; /* why it was not that */
} ExecuteReport;

void execute_report_clear(ExecuteReport *report);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ExecuteReport, execute_report_clear)

/* Claims the next due job of any organization and runs it. False when the claim failed, or when a
 * job could not be let go of: then the lock of this owner must be given up, so that others see. */
bool execute_next(const ExecuteContext *context, ExecuteReport *report_out,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
