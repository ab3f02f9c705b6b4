/* backlog.h - what waits to be claimed, over all organizations: for whoever wakes workers.
 *
 * Wants a unit with the system scope. The answers are bounds and no promises: another process may
 * claim in the same moment, and a bound that is too low is corrected by the claim that finds it so.
 */
#pragma once

#include "db/db.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define BACKLOG_NEVER INT64_MAX

/* The time from which on a claim may find something; BACKLOG_NEVER when nothing is queued. */
bool backlog_next_due(DbUnit *unit, int64_t *due_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The wall clock was set back from before_ms: what was due then is due now. Jobs that wait for a
 * later time on purpose keep waiting for it. */
bool backlog_rewind(DbUnit *unit, int64_t before_ms, GError **error) G_GNUC_WARN_UNUSED_RESULT;
