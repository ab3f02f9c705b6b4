/* viewer.h - one open stream of events: whose it is, what he may see, and how far he has seen.
 *
 * A viewer has a seat in each organization that he watches. A seat knows his role there, and the
 * number of the last event that has passed him (store/event.h), seen or not his to see. All seats
 * together are the `id:` of what is sent ("ORGANIZATION.NUMBER", by commas), which a client that
 * comes back shows as Last-Event-ID.
 *
 * Nothing here locks or waits: whoever has the viewers (feed.h) does.
 */
#pragma once

#include "api/caller.h"
#include "api/stream.h"
#include "base/json.h"
#include "store/access.h"
#include "store/event.h"

/* Organizations of one stream. */
#define VIEWER_SEATS_MAX 16
/* Bytes that wait for a slow client; more is sent when it has read them. */
#define VIEWER_WAITING_MAX (256 * 1024)

typedef struct Viewer Viewer;

/* Something to be told, printed once for all viewers. */
typedef struct {
    const char *organization;
    int64_t seq; /* 0: it has no number, and moves nobody */
    RoleAction action;
    RoleResource resource;
    int64_t since;    /* another time that must be the viewer's to see; 0: none */
    const char *name; /* of the event; NULL: nothing is told any more, it only has a number */
    const char *data; /* JSON */
} Notice;

/* The caller's organizations: the one that he has entered, else all that he reaches. The stream's
 * reference is the viewer's. */
Viewer *viewer_new(const Caller *caller, Stream *stream);
void viewer_free(Viewer *viewer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Viewer, viewer_free)

/* Of the session or token. */
const char *viewer_caller(const Viewer *viewer);
/* Whose session it is; NULL: it is a token. */
const char *viewer_user(const Viewer *viewer);

size_t viewer_seats(const Viewer *viewer);
/* NULL when the seat was taken away. */
const char *viewer_organization(const Viewer *viewer, size_t seat);
int64_t viewer_seen(const Viewer *viewer, size_t seat);
bool viewer_sits_in(const Viewer *viewer, const char *organization);

/* Goes on behind Last-Event-ID where that can be, else behind the last event of `ranges` (one a
 * seat), and says so: "ready" {organizationIds, missed: those of which something was lost}. */
void viewer_begin(Viewer *viewer, const char *last_event, const EventRange *ranges);

/* Whether the client takes more, or still has enough to read. */
bool viewer_is_hungry(const Viewer *viewer);

/* Tells what the viewer has not seen and may see. */
void viewer_tell(Viewer *viewer, const Notice *notice);

/* A comment, unless something was sent since. */
void viewer_beat(Viewer *viewer, int64_t since_mono_ms);

/* What the caller may in an organization from now on; NULL: nothing, and his seat is gone. */
void viewer_admit(Viewer *viewer, const char *organization, const Access *access);

/* The last event: "end" {reason}. */
void viewer_end(Viewer *viewer, const char *reason);

/* Whether anybody still reads. */
bool viewer_is_there(const Viewer *viewer);
