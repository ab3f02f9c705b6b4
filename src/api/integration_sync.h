/* integration_sync.h - queues a run of an integration, for a person or a scanner. */
#pragma once

#include "api/integration_row.h"

bool integration_sync(Call *call, GError **error) G_GNUC_WARN_UNUSED_RESULT;
extern const Shape integration_sync_shape;

/* Queues a run of all its evidence types and tells whoever runs jobs: {jobId, events, job}, which
 * the caller owns. */
bool integration_sync_all(Call *call, const Integration *row, Json **json_out,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* For a job that was asked for and queued by other means: writes the audit log, wakes whoever runs
 * jobs, and gives the same answer. The caller owns it. */
bool integration_sync_queued(Call *call, const Integration *row, const char *job_id,
                             Json **json_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Refuses what cannot be collected from: paused and disconnected integrations. */
bool integration_sync_runs(Call *call, const Integration *row,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
