/* heartbeat.h - keeps the lease of a running job, on a thread of its own.
 *
 * The thread renews every HEARTBEAT_MS whatever the worker is busy with: collecting, judging for
 * minutes, or waiting for a database that is slow. A wall clock that was set is noticed within a
 * second and answered with a renewal, because leases are told in wall time. What it cannot renew
 * because the database is away it tries again each second; what it may not renew any more (another
 * claim, a job called off) is lost, and the worker has to drop the job.
 */
#pragma once

#include "db/db.h"
#include "store/job.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define HEARTBEAT_MS 5000

typedef struct Heartbeat Heartbeat;

typedef struct {
    Db *db;
    DbScope scope;  /* texts borrowed until heartbeat_stop() */
    JobLease lease; /* texts borrowed until heartbeat_stop() */
    int64_t lease_ms;
} HeartbeatConfig;

Heartbeat *heartbeat_start(const HeartbeatConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the lease is lost. Any thread. */
bool heartbeat_lost(const Heartbeat *heartbeat);

/* Ends the thread, waits for a renewal under way, and frees it. NULL allowed. */
void heartbeat_stop(Heartbeat *heartbeat);
