/* job_wait.h - requests that wait for jobs: no thread is held, and the database is asked now and
 * then.
 *
 * The looks begin close together and then come every JOB_WAIT_LOOK_MS, until all jobs of the call
 * have ended, its patience has (as that of errand.h), or the server stops.
 */
#pragma once

#include "api/call.h"

#define JOB_WAIT_FIRST_MS 25
#define JOB_WAIT_LOOK_MS 500

/* Begins to wait for call->jobs. told gets the call on a thread of the pool, once. */
void job_wait_begin(Call *call, PoolTask told);
