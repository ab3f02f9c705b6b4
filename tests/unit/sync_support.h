/* sync_support.h - jobs of an integration, for the tests of sync/.
 */
#pragma once

#include "store/integration.h"
#include "store/job.h"
#include "unit/connect_support.h"

/* Adds an integration of this name and definition; owned by the caller. */
Integration *sync_integration(const Place *place, const DbScope *scope, const char *name);

/* Adds a pending job to an integration. */
void sync_add_job(const Place *place, const DbScope *scope, const char *integration_id,
                  const char *job_id);

/* Claims a job for this owner; whether it could be. The lease lasts an hour. */
bool sync_claim(const Place *place, const DbScope *scope, const char *job_id, const char *owner);

/* Parks a job that was claimed by this owner. */
void sync_park(const Place *place, const DbScope *scope, const char *job_id);

/* The job as stored; owned by the caller. */
Job *sync_job(const Place *place, const DbScope *scope, const char *job_id);
