/* schedule.h - when integrations are collected from, and the rounds of the organization. */
#pragma once

#include "cli/command.h"
#include "cli/session.h"
#include "store/integration.h"
#include "store/schedule.h"
#include "sync/schedule.h"

extern const Command schedule_command;

/* What a name on the command line means: an integration, or a round of the organization. */
typedef struct {
    const char *round;        /* SCHEDULE_DAILY, SCHEDULE_WEEKLY, or NULL: an integration */
    Integration *integration; /* owned */
    const Definition *definition;
} ScheduleTarget;

/* An integration of this name comes before "daily" and "weekly". ERROR_NOT_FOUND. */
bool schedule_target_init(ScheduleTarget *target, Session *session, const char *name,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
void schedule_target_clear(ScheduleTarget *target);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ScheduleTarget, schedule_target_clear)

/* What the installation's settings say of rounds that nobody has set. Texts are the session's. */
ScheduleDefaults schedule_defaults(const Session *session);

/* Changes what the first word names on a server, as PATCH /api/schedules/{id} takes it, and prints
 * the row as it is then. */
bool schedule_change_there(const CommandCall *call, Remote *remote, const Json *change,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Prints the row of a target as it is now. */
bool schedule_print_target(const Output *output, Session *session, const ScheduleTarget *target,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
