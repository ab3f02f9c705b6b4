/* event.h - what has happened in an organization, in order, for those who watch it.
 *
 * Whoever changes something that people look at adds an event in the same unit of work. Events of
 * an organization are numbered from 1 without gaps, and a number is seen only after all smaller
 * ones: adding locks the organization's counter until the unit ends, so units add their events as
 * late as they can. Who has seen a number asks for those behind it and misses nothing.
 *
 * An event says what has happened to what, and not what it is like now: readers look that up. The
 * last EVENTS_KEPT of an organization are kept, and those of an integration that is purged are
 * removed; event_range() tells what is left.
 *
 * Listeners of EVENT_CHANNEL (db/db.h) are called after the commit.
 */
#pragma once

#include "base/json.h"
#include "store/record.h"

#define EVENT_CHANNEL "event"
#define EVENTS_KEPT 10000

/* Values of Event.kind, and what their data says. */
#define EVENT_JOB "job"           /* {status}: pending, running, parked */
#define EVENT_DONE "done"         /* {status}: a job has ended */
#define EVENT_EVIDENCE "evidence" /* {id, evidenceType, collectedAt} */
/* {state, check, resource, severity, title, evidenceId}: opened, regressed or resolved */
#define EVENT_FINDING "finding"
#define EVENT_INTEGRATION "integration" /* {}, or {removed: true} */
#define EVENT_SCHEDULE "schedule"       /* {id} */

typedef struct {
    int64_t seq;
    int64_t at;
    const char *kind;
    const char *integration_id; /* or NULL */
    const char *job_id;         /* or NULL */
    const char *data;           /* JSON object */
} Event;

/* An event to be added; all borrowed. */
typedef struct {
    const char *kind;
    const char *integration_id; /* NULL: the job's, when there is one */
    const char *job_id;         /* or NULL */
    const Json *data;           /* NULL: {} */
} EventNews;

void event_free(Event *event); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Event, event_free)

bool event_add(DbUnit *unit, const EventNews *news, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* For another organization than the unit's (system scope); integration_id is there. */
bool event_add_of(DbUnit *unit, const char *organization_id, const EventNews *news,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Event* behind a number, in order; the array frees them. */
bool event_list(DbUnit *unit, int64_t after, int64_t limit, GPtrArray **events_out,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
    int64_t oldest; /* the first number that is kept; last + 1: none is */
    int64_t last;   /* 0: nothing has ever happened */
} EventRange;

bool event_range(DbUnit *unit, EventRange *range_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Where something has happened. */
typedef struct {
    const char *organization_id;
    int64_t last;
} EventPlace;

/* EventPlace* of the organizations with an event since a time, the last ones first, at most
 * STORE_LIST_MAX (system scope). The array frees them. */
bool event_news(DbUnit *unit, int64_t since_ms, GPtrArray **places_out,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;
