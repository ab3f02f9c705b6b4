#include "present/schedule_object.h"

Json *schedule_object(const Schedule *schedule) {
    Json *json = json_new_object();
    json_put_string(json, "id", schedule->id);
    json_put_string(json, "integrationId", schedule->integration_id);
    json_put_string(json, "rule", schedule->rule);
    json_put_string(json, "timeZone", schedule->time_zone);
    json_put_bool(json, "paused", schedule->paused);
    json_put_time(json, "dueAt", schedule->due_at == SCHEDULE_NEVER ? 0 : schedule->due_at);
    json_put_time(json, "lastAt", schedule->last_at);
    return json;
}

Json *schedule_object_when(const Schedule *schedule, const char *when) {
    Json *json = schedule_object(schedule);
    json_put_string(json, "when", when);
    return json;
}
