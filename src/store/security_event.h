/* security_event.h - the newest security events of an organization, in the database.
 *
 * Shown and searched for patterns, not kept for proof: the audit log is another thing. At most
 * SECURITY_EVENT_KEPT are kept, and now and then a few more. sync/ephemeral.h keeps them in Redis
 * instead when there is one.
 */
#pragma once

#include "store/record.h"

#define SECURITY_EVENT_KEPT 10000
#define SECURITY_EVENT_MAX 8192 /* bytes of one */

typedef struct {
    const char *id;    /* UUIDv7: the order of the events */
    const char *event; /* JSON object */
    int64_t at;
} SecurityEvent;

void security_event_free(SecurityEvent *event); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SecurityEvent, security_event_free)

bool security_event_put(DbUnit *unit, const SecurityEvent *event,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SecurityEvent*, the newest first, older than before_id (NULL: from the newest). The array frees
 * its rows. */
bool security_event_list(DbUnit *unit, const char *before_id, int64_t limit, GPtrArray **events_out,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Forgets all but the newest `keep`. */
bool security_event_trim(DbUnit *unit, int64_t keep, GError **error) G_GNUC_WARN_UNUSED_RESULT;
