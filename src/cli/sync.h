/* sync.h - runs one collection of an integration to its end. */
#pragma once

#include "cli/command.h"

extern const Command sync_command;

/* The reply that scripts rely on, made of a job's result: exactly evidenceCollected,
 * evidenceFailed, controlsUpdated, errors [{evidenceType, code, message, retryable, details}] and
 * jobId; parkedUntil too when the sync waits for a limit. */
Json *sync_reply(const Json *result, const char *job_id);

/* The exit status of a result: 0 when errors is empty, 4 when every error is
 * AUTHENTICATION_FAILED, 6 when nothing was collected and every error is retryable or when the job
 * is parked, else 5. */
int sync_exit_status(const Json *result);
