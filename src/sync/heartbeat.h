/* heartbeat.h - keeps the lease of a running job, on a thread of its own.
 *
 * The thread renews every HEARTBEAT_MS whatever the worker is busy with: collecting, judging for
 * minutes, or waiting for a database that is slow. A wall clock that was set is noticed within a
 * second and answered with a renewal, because leases are told in wall time. What it cannot renew
 * because the database is away it tries again each second. A job that another worker has claimed is
 * lost, and the worker has to drop it; one that somebody has called off is to be ended.
 */
#pragma once

#include "base/json.h"
#include "db/db.h"
#include "store/job.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define HEARTBEAT_MS 5000
#define HEARTBEAT_TICK_MS                                                                          \
    1000 /* between looks at the clock, and at whether the job was called off */

typedef struct Heartbeat Heartbeat;

typedef struct {
    Db *db;
    DbScope scope;  /* texts borrowed until heartbeat_stop() */
    JobLease lease; /* texts borrowed until heartbeat_stop() */
    int64_t lease_ms;
} HeartbeatConfig;

Heartbeat *heartbeat_start(const HeartbeatConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef enum { HEARTBEAT_HELD, HEARTBEAT_LOST, HEARTBEAT_CALLED_OFF } HeartbeatState;

/* How far the job is, a JSON object: told with the next renewal, to whoever asks the database. Any
 * thread; does not wait for the database. */
void heartbeat_tell(Heartbeat *heartbeat, const Json *progress);

/* What is known of the job. Any thread. */
HeartbeatState heartbeat_state(const Heartbeat *heartbeat);

/* Ends the thread, waits for a renewal under way, and frees it. NULL allowed. */
void heartbeat_stop(Heartbeat *heartbeat);
