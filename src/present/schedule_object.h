/* schedule_object.h - when something is due, as the API's JSON object.
 *
 * {id, integrationId, rule, timeZone, paused, dueAt, lastAt}: the id is the integration's, or
 * daily_sync or weekly_renewal, whose integrationId is null; rule is null for the default; dueAt is
 * null while paused, lastAt while nothing was due.
 */
#pragma once

#include "base/json.h"
#include "store/schedule.h"

/* The caller owns the object. */
Json *schedule_object(const Schedule *schedule);

/* The same with `when`: which rule holds, for people; null when the definition, which knows the
 * default, cannot be read. */
Json *schedule_object_when(const Schedule *schedule, const char *when);
