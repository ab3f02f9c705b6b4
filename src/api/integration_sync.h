/* integration_sync.h - queues a run of an integration, for a person or a scanner. */
#pragma once

#include "api/integration_row.h"
#include "store/job.h"
#include "sync/queue.h"

bool integration_sync(Call *call, GError **error) G_GNUC_WARN_UNUSED_RESULT;
extern const Shape integration_sync_shape;

/* Inside a unit: queues a run of the integration as it was read there, and writes the audit log.
 * What is paused or disconnected is refused. *job_out is the caller's. */
bool integration_sync_in(DbUnit *unit, Call *call, const IntegrationTarget *target,
                         const SyncRequest *request, Job **job_out,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Inside a unit: the same for a job that was queued by other means. */
bool integration_sync_noted(DbUnit *unit, const Call *call, const Integration *row,
                            const char *job_id, Job **job_out,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Behind the unit: wakes whoever runs jobs, and says {jobId, events, job}, which the caller owns.
 */
Json *integration_sync_told(Call *call, const Job *job);

/* Before the unit: jobs of workers that are gone are let go, so that nothing waits for them. */
bool integration_sync_prepare(Call *call, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Refuses what cannot be collected from: paused and disconnected integrations. */
bool integration_sync_runs(Call *call, const Integration *row,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
