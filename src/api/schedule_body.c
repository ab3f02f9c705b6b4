#include "api/schedule_body.h"

#include "base/clock.h"

static void settle_zone(const Call *call, ScheduleWish *wish) {
    if (wish->cron && !wish->time_zone)
        wish->time_zone =
            desk_tuning(call->desk)->schedule.time_zone; /* also when that is changed */
}

static bool names_rule(const Json *json) {
    return json_member(json, "every") || json_member(json, "cron") || json_member(json, "timeZone");
}

bool schedule_body_read(Call *call, const Json *json, const char *pointer, ScheduleBody *out,
                        GError **error) {
    const Json *paused = json_member(json, "paused");
    ScheduleBody body = {.rules = names_rule(json),
                         .wish = {.every = json_member_string(json, "every", NULL),
                                  .cron = json_member_string(json, "cron", NULL),
                                  .time_zone = json_member_string(json, "timeZone", NULL)}};
    if (paused)
        body.pause = json_truth(paused) ? SCHEDULE_PAUSE_BEGIN : SCHEDULE_PAUSE_END;
    g_autofree char *at = g_strconcat(pointer, "/cron", NULL);
    if (body.wish.every && body.wish.cron)
        return call_wrong(call, error, at, "goes without every");
    settle_zone(call, &body.wish);
    *out = body;
    return true;
}

void schedule_body_read_text(const Call *call, const char *text, ScheduleBody *out) {
    int64_t interval = 0;
    bool every = text && clock_parse_duration(text, &interval);
    *out = (ScheduleBody){.rules = true,
                          .wish = {.every = every ? text : NULL, .cron = every ? NULL : text}};
    settle_zone(call, &out->wish);
}

static const ShapeField body_fields[] = {
    SHAPE_FIELD("every", STRING, SHAPE_NULLABLE, "An interval, such as 4h.", .most = 32),
    SHAPE_FIELD("cron", STRING, SHAPE_NULLABLE, "Five fields: 0 6 * * 1-5.", .most = 200),
    SHAPE_FIELD("timeZone", STRING, SHAPE_NULLABLE, "Of cron: Europe/Berlin.", .most = 64),
    SHAPE_FIELD("paused", BOOLEAN, 0, NULL),
    {0}};
const Shape schedule_body_shape = {.name = "ScheduleChange",
                                   .about = "every and cron null: the default again.",
                                   .fields = body_fields};
