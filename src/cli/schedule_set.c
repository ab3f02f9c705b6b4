#include "cli/schedule_set.h"

#include "base/error.h"
#include "cli/schedule.h"
#include "sync/schedule.h"

typedef bool (*ChangeTarget)(Session *session, const ScheduleTarget *target, const void *data,
                             GError **error);

/* Finds what the first word names, changes it, and shows it as it is then. */
static bool change(CommandCall *call, ChangeTarget function, const void *data, GError **error) {
    g_auto(ScheduleTarget) target = {0};
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    return session &&
           schedule_target_init(&target, session, arguments_word(call->arguments, 0), error) &&
           function(session, &target, data, error) &&
           schedule_print_target(call->output, session, &target, error);
}

/* --- set -------------------------------------------------------------------------------------- */

static bool choose(Session *session, const ScheduleTarget *target, const void *data,
                   GError **error) {
    const ScheduleDefaults defaults = schedule_defaults(session);
    ScheduleWish wish = *(const ScheduleWish *)data;
    if (wish.cron && !wish.time_zone)
        wish.time_zone = defaults.time_zone; /* also when the installation moves */
    Db *db = session_db(session);
    const DbScope *scope = session_scope(session);
    if (target->round)
        return schedule_choose_round(db, scope, target->round, &defaults, &wish, error);
    return schedule_choose(db, scope, target->integration, target->definition, &wish, error);
}

static bool read_wish(const CommandCall *call, ScheduleWish *wish, GError **error) {
    *wish = (ScheduleWish){.every = arguments_text(call->arguments, "every"),
                           .cron = arguments_text(call->arguments, "cron"),
                           .time_zone = arguments_text(call->arguments, "timezone")};
    bool usual = arguments_flag(call->arguments, "default");
    int given = (wish->every != NULL) + (wish->cron != NULL) + usual;
    if (given == 1 && !(usual && wish->time_zone))
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                        given == 1 ? "--timezone goes with --cron"
                                   : "give one of --every 4h, --cron '0 6 * * 1-5' and --default");
    return false;
}

static bool run_set(CommandCall *call, GError **error) {
    ScheduleWish wish;
    return read_wish(call, &wish, error) && change(call, choose, &wish, error);
}

static bool set_there(CommandCall *call, Remote *remote, GError **error) {
    ScheduleWish wish;
    if (!read_wish(call, &wish, error))
        return false;
    g_autoptr(Json) body = json_new_object();
    json_put_string(body, "every", wish.every);
    json_put_string(body, "cron", wish.cron);
    if (wish.time_zone)
        json_put_string(body, "timeZone", wish.time_zone);
    return schedule_change_there(call, remote, body, error);
}

static const Option set_options[] = {
    {"every", OPTION_TEXT, "DURATION", "an interval such as 4h or 90m, within the service's range"},
    {"cron", OPTION_TEXT, "EXPRESSION", "minute, hour, day, month, weekday: '0 6 * * 1-5'"},
    {"timezone", OPTION_TEXT, "ZONE", "of --cron, such as Europe/Berlin (else the installation's)"},
    {"default", OPTION_FLAG, NULL, "as if nothing had been set"},
    {0}};

const Command schedule_set_command = {
    .name = "schedule set",
    .summary = "another interval or cron expression",
    .usage = "NAME --every DURATION | --cron EXPRESSION [--timezone ZONE] | --default",
    .about =
        "NAME is an integration, or daily or weekly for the rounds of the organization, which\n"
        "have cron expressions only. A time that was missed in between is due at once.",
    .examples = "assay schedule set acme --every 4h\n"
                "assay schedule set acme --cron '0 6 * * 1-5' --timezone Europe/Berlin\n"
                "assay schedule set daily --cron '30 7 * * *' --timezone America/New_York\n"
                "assay schedule set acme --default",
    .options = set_options,
    .least = 1,
    .most = 1,
    .run = run_set,
    .remote = set_there,
};

/* --- pause and resume ------------------------------------------------------------------------- */

static bool pause_target(Session *session, const ScheduleTarget *target, const void *data,
                         GError **error) {
    (void)data;
    Db *db = session_db(session);
    const DbScope *scope = session_scope(session);
    if (target->round)
        return schedule_pause_round(db, scope, target->round, error);
    return schedule_pause(db, scope, target->integration, target->definition, error);
}

static bool pause_there(CommandCall *call, Remote *remote, bool paused, GError **error) {
    g_autoptr(Json) body = json_new_object();
    json_put_bool(body, "paused", paused);
    return schedule_change_there(call, remote, body, error);
}

static void say_paused(const CommandCall *call) {
    output_note(call->output, "What was collected stays. Next: assay schedule resume %s",
                arguments_word(call->arguments, 0));
}

static bool run_pause(CommandCall *call, GError **error) {
    if (!change(call, pause_target, NULL, error))
        return false;
    say_paused(call);
    return true;
}

static bool run_pause_there(CommandCall *call, Remote *remote, GError **error) {
    if (!pause_there(call, remote, true, error))
        return false;
    say_paused(call);
    return true;
}

const Command schedule_pause_command = {
    .name = "schedule pause",
    .summary = "collect no more until it is resumed",
    .usage = "NAME",
    .about =
        "NAME is an integration, or daily or weekly. Runs of the integration that wait or go on\n"
        "are called off.",
    .examples = "assay schedule pause acme\n"
                "assay schedule pause weekly",
    .least = 1,
    .most = 1,
    .run = run_pause,
    .remote = run_pause_there,
};

static bool resume_target(Session *session, const ScheduleTarget *target, const void *data,
                          GError **error) {
    (void)data;
    const ScheduleDefaults defaults = schedule_defaults(session);
    Db *db = session_db(session);
    const DbScope *scope = session_scope(session);
    if (target->round)
        return schedule_resume_round(db, scope, target->round, &defaults, error);
    return schedule_resume(db, scope, target->integration, target->definition, error);
}

static bool run_resume(CommandCall *call, GError **error) {
    return change(call, resume_target, NULL, error);
}

static bool run_resume_there(CommandCall *call, Remote *remote, GError **error) {
    return pause_there(call, remote, false, error);
}

const Command schedule_resume_command = {
    .name = "schedule resume",
    .summary = "collect again",
    .usage = "NAME",
    .about = "A time that was missed in between is due at once.",
    .examples = "assay schedule resume acme\n"
                "assay schedule resume weekly",
    .least = 1,
    .most = 1,
    .run = run_resume,
    .remote = run_resume_there,
};
