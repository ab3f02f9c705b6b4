/* listener.h - who listens to the stream of a job, and whether he still may.
 *
 * A stream is older than the request that opened it: the session may have ended meanwhile, the
 * token been revoked, the role changed. So the one who listens is looked at again while it is open
 * (watch.h), by the same rows as for a request.
 */
#pragma once

#include "api/caller.h"
#include "db/db.h"
#include "store/job.h"

typedef struct Listener Listener;

/* Copies what it needs of the caller. */
Listener *listener_new(const Caller *caller);
void listener_free(Listener *listener); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Listener, listener_free)

/* Id of the token or user. */
const char *listener_id(const Listener *listener);

/* Whether he may see the job now (scope: its organization); NULL: something of the organization's
 * that is no job's. */
bool listener_may(DbUnit *unit, const Listener *listener, const Job *job, bool *may_out,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
