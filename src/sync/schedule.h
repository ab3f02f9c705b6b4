/* schedule.h - what is due, and when it is due next.
 *
 * An integration has an interval within its definition's range (the definition's default unless
 * somebody chose another), or a cron expression with a time zone. An organization has besides a
 * daily sync, which makes everything due that has not completed a run that day, and a weekly
 * renewal, which collects again what approved evidence covers. Rows are in store/schedule.h.
 *
 * schedule_tick() is all that a scheduler does: it claims a small batch of due rows, queues their
 * jobs (sync/queue.h; one unit of work an integration), and plans their next times. Its cost does
 * not depend on how many integrations there are. Any number of schedulers may tick at once; one
 * that dies leaves its batch to the others after SCHEDULE_HOLD_MS.
 *
 * Rules of planning:
 *   - A run that was missed (nobody ticked) is queued once, and the next is planned from now on.
 *   - An interval is added to the planned time, so that it does not drift; to the time of queueing
 *     when that was missed, or when a run that somebody asked for has just ended.
 *   - Jitter: the first time of an interval and every time of a cron expression are later by a time
 *     that is always the same for one integration: at most a tenth of the interval or 10 minutes.
 *   - Paused and disconnected integrations are not queued; those with a run that collects as much,
 *     waiting or running, join it.
 */
#pragma once

#include "db/db.h"
#include "provider/registry.h"
#include "store/integration.h"
#include "store/schedule.h"

/* How long a claimed batch is this scheduler's. */
#define SCHEDULE_HOLD_MS 60000

/* The longest that a scheduler may sleep without a look: new rows may be due earlier than what it
 * was told. */
#define SCHEDULE_LOOK_MS 15000

/* The most that jitter adds. */
#define SCHEDULE_JITTER_MS 600000

/* Of the installation; a NULL text is the default. */
typedef struct {
    const char *daily_sync;     /* "0 9 * * *" */
    const char *weekly_renewal; /* "0 0 * * 0" */
    const char *time_zone;      /* "UTC" */
} ScheduleDefaults;

typedef struct {
    int64_t queued;  /* jobs */
    int64_t served;  /* rows that were due */
    int64_t look_at; /* tick again at this time, which may be now: there was more than a batch */
} ScheduleTick;

/* One batch. defaults may be NULL. Not from a database thread; the registry is the caller's own. A
 * row that cannot be served (its definition is gone or wrong) is put off, logged, and does not hold
 * up the others. */
bool schedule_tick(Db *db, Registry *registry, const ScheduleDefaults *defaults,
                   ScheduleTick *tick_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* In the unit in which a run of all its evidence types ends: an interval counts from now on when
 * the next time would be too soon, because somebody asked for this run in between. */
bool schedule_note_run(DbUnit *unit, const Integration *integration, const Definition *definition,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether an integration is collected from by schedule: it is neither paused nor disconnected. */
bool schedule_runs(const Integration *integration);

/* The time after a scanner has been there, by the integration's rule. Inside a unit of the
 * organization. */
bool schedule_after_scan(DbUnit *unit, const Integration *integration, const Definition *definition,
                         int64_t *next_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The rule that holds, for people: "every 4h", "0 6 * * 1-5 Europe/Berlin". definition is NULL for
 * a round of the organization. Caller frees. */
char *schedule_rule_text(const Schedule *schedule, const Definition *definition,
                         const ScheduleDefaults *defaults);

/* --- for those who choose ------------------------------------------------------------------- */

/* What somebody wants; NULL and NULL: the default again. */
typedef struct {
    const char *every;     /* "4h" */
    const char *cron;      /* "0 6 * * 1-5" */
    const char *time_zone; /* of cron; NULL: the installation's */
} ScheduleWish;

typedef enum { SCHEDULE_PAUSE_AS_IS, SCHEDULE_PAUSE_BEGIN, SCHEDULE_PAUSE_END } SchedulePause;

/* A change of one row; all borrowed. */
typedef struct {
    const Integration *integration;   /* as read in this unit, or a moment ago; NULL: a round */
    const Definition *definition;     /* of the integration */
    const char *round;                /* SCHEDULE_DAILY or SCHEDULE_WEEKLY */
    const ScheduleDefaults *defaults; /* NULL: the usual ones */
    const ScheduleWish *wish;         /* NULL: the rule stays */
    SchedulePause pause;
} ScheduleEdit;

/* Makes the change, within a unit of the organization. ERROR_USAGE names the range of an interval
 * that is outside of it or of an expression that comes more often, the field of a wrong expression,
 * an unknown time zone, an interval for a round. ERROR_CONFLICT when an integration that is
 * disconnected is to be paused or resumed. */
bool schedule_edit(DbUnit *unit, const ScheduleEdit *edit,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* In the unit in which an integration was connected again (connect/connection.h,
 * NewConnection.stored): plans it, and queues a sync; not when it is paused. */
bool schedule_go_on(DbUnit *unit, const Integration *integration, const Definition *definition,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
