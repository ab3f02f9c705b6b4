/* job_claim.h - who works on which job next: claims, and letting go of what the dead held.
 *
 * These are the scheduler's and want a unit with the system scope. See job.h for leases, fences
 * and attempts.
 *
 * A claim serves the organization that has the fewest running jobs, among those the one that was
 * served longest ago, and of its jobs the one of the highest priority, then the longest due. So an
 * organization with 5,000 due jobs takes all workers only while nobody else wants one, and
 * another's single job waits for the first worker that is free. Jobs whose integration has another
 * run are passed by until it has let go; those that were called off are ended instead of claimed.
 *
 * job_queue holds one row per organization with a lower bound of its next due time, so that a claim
 * does not look at idle organizations; a bound that turns out too low is corrected by the claim
 * that finds it so. On PostgreSQL the row is locked while its organization is served: claims of
 * several workers serve different organizations at the same moment, and one organization in turn.
 */
#pragma once

#include "store/job.h"

typedef struct {
    const char *owner; /* who claims; unique among all workers */
    int64_t lease_ms;  /* how long without a renewal */
    int64_t most;      /* an organization with so many running jobs is passed by; 0: no such cap */
} JobClaim;

/* Claims the next job; *job_out is NULL when nothing is due. Jobs whose attempts are used up
 * become failed on the way, called off ones cancelled. */
bool job_claim(DbUnit *unit, const JobClaim *claim, Job **job_out,
               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Claims this job by the same rules; *job_out is NULL when it is not claimable: leased to a living
 * owner, not yet due, waiting for another run of its integration, ended, or ended just now because
 * its attempts are used up or it was called off (read it to see which). ERROR_NOT_FOUND. */
bool job_claim_one(DbUnit *unit, const char *organization_id, const char *job_id,
                   const JobClaim *claim, Job **job_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes the running jobs of a dead owner claimable at once; *released_out, which may be NULL, is
 * their number. */
bool job_release_owner(DbUnit *unit, const char *owner, int64_t *released_out,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
