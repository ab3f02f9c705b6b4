#include "cli/schedule_set.h"

#include "base/error.h"
#include "cli/access.h"
#include "cli/schedule.h"
#include "sync/schedule.h"

/* The change, and what of it stands in the log: the body of the API's request that makes it. */
typedef struct {
    ScheduleEdit edit;
    const Json *body;
} ChangeWork;

static bool note(DbUnit *unit, const ChangeWork *work, GError **error) {
    const Integration *integration = work->edit.integration;
    AuditEntry entry = {.action = AUDIT_SCHEDULE_CHANGED,
                        .actor = session_actor(),
                        .target_kind = "schedule",
                        .target_id = integration ? integration->id : work->edit.round,
                        .target_name = integration ? integration->name : work->edit.round,
                        .details = work->body};
    return audit_add(unit, &entry, error);
}

static bool change_work(DbUnit *unit, void *data, GError **error) {
    const ChangeWork *work = data;
    return schedule_edit(unit, &work->edit, error) && note(unit, work, error);
}

static bool change_target(Session *session, const ScheduleTarget *target, const ChangeWork *wanted,
                          GError **error) {
    const ScheduleDefaults defaults = schedule_defaults(session);
    const ScheduleWish *wanted_rule = wanted->edit.wish;
    ScheduleWish wish = wanted_rule ? *wanted_rule : (ScheduleWish){0};
    ChangeWork work = {.edit = {.integration = target->integration,
                                .definition = target->definition,
                                .round = target->round,
                                .defaults = &defaults,
                                .wish = wanted_rule ? &wish : NULL,
                                .pause = wanted->edit.pause},
                       .body = wanted->body};
    if (wish.cron && !wish.time_zone)
        wish.time_zone = defaults.time_zone; /* also when the installation moves */
    return session_run(session, DB_WRITE, change_work, &work, error);
}

/* Finds what the first word names, changes it, and shows it as it is then. */
static bool change(CommandCall *call, const ChangeWork *wanted, GError **error) {
    g_auto(ScheduleTarget) target = {0};
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    return session &&
           schedule_target_init(&target, session, arguments_word(call->arguments, 0), error) &&
           change_target(session, &target, wanted, error) &&
           schedule_print_target(call->output, session, &target, error);
}

/* --- set -------------------------------------------------------------------------------------- */

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

static Json *wish_body(const ScheduleWish *wish) {
    Json *body = json_new_object();
    json_put_string(body, "every", wish->every);
    json_put_string(body, "cron", wish->cron);
    if (wish->time_zone)
        json_put_string(body, "timeZone", wish->time_zone);
    return body;
}

static bool run_set(CommandCall *call, GError **error) {
    ScheduleWish wish;
    if (!read_wish(call, &wish, error))
        return false;
    g_autoptr(Json) body = wish_body(&wish);
    return change(call, &(ChangeWork){.edit = {.wish = &wish}, .body = body}, error);
}

static bool set_there(CommandCall *call, Remote *remote, GError **error) {
    ScheduleWish wish;
    if (!read_wish(call, &wish, error))
        return false;
    g_autoptr(Json) body = wish_body(&wish);
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

static Json *pause_body(bool paused) {
    Json *body = json_new_object();
    json_put_bool(body, "paused", paused);
    return body;
}

static bool pause_here(CommandCall *call, bool paused, GError **error) {
    g_autoptr(Json) body = pause_body(paused);
    ChangeWork work = {.edit = {.pause = paused ? SCHEDULE_PAUSE_BEGIN : SCHEDULE_PAUSE_END},
                       .body = body};
    return change(call, &work, error);
}

static bool pause_there(CommandCall *call, Remote *remote, bool paused, GError **error) {
    g_autoptr(Json) body = pause_body(paused);
    return schedule_change_there(call, remote, body, error);
}

static void say_paused(const CommandCall *call) {
    output_note(call->output, "What was collected stays. Next: assay schedule resume %s",
                arguments_word(call->arguments, 0));
}

static bool run_pause(CommandCall *call, GError **error) {
    if (!pause_here(call, true, error))
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

static bool run_resume(CommandCall *call, GError **error) {
    return pause_here(call, false, error);
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
