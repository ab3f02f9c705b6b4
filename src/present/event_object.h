/* event_object.h - something that has happened, as the data of a server-sent event.
 *
 *     progress     {organizationId, integrationId, jobId, status}
 *     done         the job, with jobId
 *     evidence     {organizationId, integrationId, jobId, id, evidenceType, collectedAt}
 *     finding      {organizationId, integrationId, jobId, state, check, resource, severity, title,
 *                   evidenceId}
 *     integration  {organizationId, integrationId, integrationType, name, status, statusReason,
 *                   errorMessage, lastSyncAt, nextCheckAt, updatedAt}; {..., removed: true}
 *     schedule     {organizationId, integrationId, scheduleId, schedule}
 *
 * What would be too much for a stream has {organizationId, integrationId, jobId, status,
 * shortened: true} only.
 */
#pragma once

#include "base/json.h"
#include "store/event.h"
#include "store/integration.h"
#include "store/job.h"
#include "store/schedule.h"

#include <glib.h>

/* What an event is about, as it is now; NULL: it is not there (any more), or not needed. */
typedef struct {
    const Job *job;
    const JobResult *result;
    const Integration *integration;
    const Schedule *schedule;
} EventFacts;

/* What a stream calls this kind ("progress" for a job's); NULL for one that is not known. */
const char *event_name(const char *kind);

/* NULL when there is nothing to tell any more: what it was about is gone. The caller owns it. */
Json *event_object(const char *organization_id, const Event *event, const EventFacts *facts);

/* What a running job tells, with whose it is. The caller owns it. */
Json *event_progress_object(const char *organization_id, const char *integration_id,
                            const char *job_id, const Json *progress);
