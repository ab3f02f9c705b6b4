/* control_collect.h - evidence for one control, now: POST /api/integrations/collect-evidence.
 *
 * Every integration that is collected from and whose provider has a check for the control gets a
 * job of a person's priority, of those evidence types only. The request waits for all of them
 * (job_wait.h) and answers with what they have collected and where the control stands then; when
 * that takes too long, 202 with the jobs.
 */
#pragma once

#include "api/route.h"

extern const Route control_collect_routes[];
