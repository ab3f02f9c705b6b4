/* schedule.h - when integrations are due, and when an organization's daily and weekly rounds are.
 *
 * One row an integration (its id), and two an organization (SCHEDULE_DAILY, SCHEDULE_WEEKLY). A row
 * has a rule (an interval such as "6h", or a cron expression; null: the default, which the caller
 * knows) and the time at which it is due next. This floor moves rows; sync/schedule.h knows what
 * rules mean.
 *
 *   due_at 0           nobody has planned the row yet: it is looked at once to be planned
 *   claim              looks at due rows of all organizations, the longest due first, and holds
 *                      them: nobody else sees them before the hold is over
 *   advance            plans the next time, in the unit that queued what was due, and lets go
 *   (died in between)  the hold ends, and the row is claimed again, still due at the same time
 *
 * A claim has a number; advancing with an old one changes nothing (ERROR_CONFLICT), so that two
 * schedulers never queue the same due time twice. The integration's next_check_at is kept equal to
 * its row's due_at, but for scanners (scan.h).
 */
#pragma once

#include "store/record.h"

/* Ids of an organization's own rows. */
#define SCHEDULE_DAILY "daily_sync"
#define SCHEDULE_WEEKLY "weekly_renewal"

/* due_at of a row that is paused: never. */
#define SCHEDULE_NEVER INT64_MAX

typedef struct {
    const char *organization_id;
    const char *id;             /* the integration's, SCHEDULE_DAILY or SCHEDULE_WEEKLY */
    const char *integration_id; /* NULL: the organization's own */
    const char *rule;           /* NULL: the default */
    const char *time_zone;      /* of a cron expression; NULL: the installation's */
    bool paused;
    int64_t due_at;  /* planned; 0: not yet; SCHEDULE_NEVER: paused */
    int64_t look_at; /* when a scheduler looks next: due_at, or the end of a hold */
    int64_t last_at; /* the planned time that was served last; 0: none */
    int64_t claim;   /* grows with every claim and every change of the row */
} Schedule;

void schedule_free(Schedule *schedule); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Schedule, schedule_free)

/* Adds a row that has none yet for its id; nothing is changed when there is one. due_at is read, of
 * an integration it must be there. */
bool schedule_begin(DbUnit *unit, const char *integration_id, int64_t due_at,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds the organization's own two rows, to be planned (system scope: a new organization). */
bool schedule_begin_organization(DbUnit *unit, const char *organization_id,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ERROR_NOT_FOUND. */
bool schedule_get(DbUnit *unit, const char *id, Schedule **schedule_out,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Schedule* by id, behind after_id or from the first. The array frees its rows. */
bool schedule_list(DbUnit *unit, const char *after_id, int64_t limit, GPtrArray **schedules_out,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Replaces rule, time zone and pause, and plans due_at; a claim that is held is void. All but
 * organization_id, look_at, last_at and claim is read. ERROR_NOT_FOUND. */
bool schedule_change(DbUnit *unit, const Schedule *schedule,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Plans the next time of a claimed row and lets go of it; the time that it was due is remembered as
 * last_at. ERROR_CONFLICT when somebody else has claimed or changed it since. */
bool schedule_advance(DbUnit *unit, const Schedule *claimed, int64_t due_at,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Puts a row that is due earlier than due_at off until then, for a run that was asked for in
 * between. Nothing is changed when it is due later, paused or held. */
bool schedule_put_off(DbUnit *unit, const char *id, int64_t due_at,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes the integrations of the organization due now that have not completed a run since since_ms,
 * but for those that are paused or disconnected; *called_out is their number. */
bool schedule_call_due(DbUnit *unit, int64_t since_ms, int64_t *called_out,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
    int64_t hold_ms; /* how long the rows are the caller's */
    int64_t limit;
} ScheduleClaim;

/* Claims due rows of any organization (system scope): Schedule*, the longest due first, also when
 * there are none. */
bool schedule_claim(DbUnit *unit, const ScheduleClaim *claim, GPtrArray **schedules_out,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* When the next row of any organization is to be looked at (system scope); SCHEDULE_NEVER when
 * none is. */
bool schedule_next_look(DbUnit *unit, int64_t *look_at_out,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
