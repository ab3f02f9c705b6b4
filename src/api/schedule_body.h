/* schedule_body.h - what a request says about when an integration, or a round, is due. */
#pragma once

#include "api/call.h"
#include "sync/schedule.h"

typedef struct {
    bool rules;        /* `wish` is wanted */
    ScheduleWish wish; /* borrows from the body */
    SchedulePause pause;
} ScheduleBody;

/* {every, cron, timeZone, paused}, what was not said as it is. pointer is where it stands in the
 * body. A cron expression without a zone has the installation's of today. */
extern const Shape schedule_body_shape;
bool schedule_body_read(Call *call, const Json *json, const char *pointer, ScheduleBody *out,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One text, as integrations show it: an interval or a cron expression; NULL: the default. */
void schedule_body_read_text(const Call *call, const char *text, ScheduleBody *out);
