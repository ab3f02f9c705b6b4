/* job_object.h - a job and what came of it as the API's JSON objects.
 *
 * A job: {id, integrationId, organizationId, status, evidenceTypes, attempt, priority, createdAt,
 * startedAt, completedAt, dueAt, calledOffAt, progress, result, error}; result and error are null
 * while it has none. A result: {evidenceCollected, evidenceFailed, controlsUpdated, errors:
 * [{evidenceType, code, message, retryable, details}]}.
 */
#pragma once

#include "base/json.h"
#include "store/job.h"

/* result and progress (the last that was heard) may be NULL. The caller owns the object. */
Json *job_object(const Job *job, const JobResult *result, const Json *progress);

/* From the result as it was stored; parkedUntil stays when there is one. The caller owns it. */
Json *job_result_object(const Json *stored);
