/* feed.h - everybody who watches what happens: GET /api/events.
 *
 * One stream carries all that its caller may see in his organizations, as server-sent events:
 *
 *     ready        {organizationIds, missed}: first, always; missed: read these again
 *     progress     of a job: {organizationId, integrationId, jobId, status, ...}
 *     evidence, finding, done, integration, schedule (present/event_object.h)
 *     end          {reason: replaced | revoked}: last; "replaced": do not come back by yourself
 *
 * What has happened is read from the database (store/event.h), so that everybody hears of it,
 * whichever process did it, once and in order; whoever comes back with Last-Event-ID misses
 * nothing. Rows and calls of running jobs are heard from this process's own workers (feed_progress)
 * and have no number of their own.
 *
 * One look serves all streams. It is made by the pool, one at a time, when the database tells of
 * events: one query says in which organizations something has happened, and each of these that is
 * watched is read once, whoever watches it. While nothing happens the only queries are those of the
 * heartbeat: every FEED_HEARTBEAT_MS, one unit for each organization that is watched, which says
 * who may still see it (store/access.h). A session or token that was ended, or a role that was
 * taken away, ends the stream then at the latest.
 *
 * A stream that is idle has no thread and no query of its own; with its connection it takes some
 * 33 KiB (measured with 1,000 of them).
 *
 * A session has one stream: the newest; the one before is told "replaced" and ends. A browser that
 * lost its connection is not kept out by its own dead stream that way, and several windows share
 * one stream. All together have half of the server's connections, and share them (api/audience.h):
 * what comes then is refused.
 */
#pragma once

#include "api/caller.h"
#include "api/desk.h"
#include "api/stream.h"
#include "base/json.h"

#include <glib.h>
#include <stdbool.h>

#define FEED_HEARTBEAT_MS 15000

typedef struct Feed Feed;

/* The desk is borrowed; its pool, alarms and database are there already. */
bool feed_new(Desk *desk, Feed **feed_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Looks no more; streams are the server's to end. Before the pool goes. */
void feed_stop(Feed *feed);
/* After the server, whose streams may still say that they are hungry. NULL allowed. */
void feed_free(Feed *feed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Feed, feed_free)

/* A stream for a caller, of the organization that he has entered, else of all that he reaches (at
 * least one); last_event may be NULL. Waits for the database. The caller owns a reference. NULL:
 * ERROR_RATE_LIMITED when the token, user or organization has too many, ERROR_SERVICE_UNAVAILABLE
 * when all together have, ERROR_USAGE when there are more organizations than a stream has. */
Stream *feed_open(Feed *feed, const Caller *caller, const char *last_event, GError **error);

/* What a running job tells. Any thread; does not wait. */
void feed_progress(Feed *feed, const char *organization_id, const char *job_id,
                   const Json *progress);

/* Streams that are open. */
unsigned feed_streams(Feed *feed);
