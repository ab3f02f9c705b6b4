#include "store/schedule.h"

#include "base/clock.h"
#include "store/event.h"

static const RecordColumn columns[] = {
    RECORD_COLUMN(Schedule, organization_id, RECORD_TEXT, 0),
    RECORD_COLUMN(Schedule, id, RECORD_TEXT, 0),
    RECORD_COLUMN(Schedule, integration_id, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(Schedule, rule, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(Schedule, time_zone, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(Schedule, paused, RECORD_BOOL, 0),
    RECORD_COLUMN(Schedule, due_at, RECORD_INT, 0),
    RECORD_COLUMN(Schedule, look_at, RECORD_INT, 0),
    RECORD_COLUMN(Schedule, last_at, RECORD_INT, 0),
    RECORD_COLUMN(Schedule, claim, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(Schedule, "schedule", columns);

void schedule_free(Schedule *schedule) {
    g_free(schedule);
}

/* Keeps the integration's next_check_at equal; rounds have none. */
static bool mirror(DbUnit *unit, const char *integration_id, int64_t due_at, GError **error) {
    if (!integration_id) {
        return true;
    }
    DbStatement *statement = db_prepare(unit, "schedule_mirror");
    db_bind_text(statement, "id", integration_id);
    db_bind_int(statement, "next_check_at", due_at == SCHEDULE_NEVER ? 0 : due_at);
    return db_exec(statement, error);
}

static bool mirror_rule(DbUnit *unit, const Schedule *row, GError **error) {
    if (!row->integration_id) {
        return true;
    }
    DbStatement *statement = db_prepare(unit, "schedule_mirror_rule");
    db_bind_text(statement, "id", row->integration_id);
    db_bind_text(statement, "rule", row->rule);
    return db_exec(statement, error);
}

bool schedule_begin(DbUnit *unit, const char *integration_id, int64_t due_at, GError **error) {
    DbStatement *statement = db_prepare(unit, "schedule_begin");
    db_bind_text(statement, "id", integration_id);
    db_bind_int(statement, "due_at", due_at);
    if (!db_exec(statement, error)) {
        return false;
    }
    return db_changes(unit) == 0 || mirror(unit, integration_id, due_at, error);
}

bool schedule_begin_organization(DbUnit *unit, const char *organization_id, GError **error) {
    static const char *const rounds[] = {SCHEDULE_DAILY, SCHEDULE_WEEKLY};
    for (size_t i = 0; i < G_N_ELEMENTS(rounds); i++) {
        DbStatement *statement = db_prepare(unit, "schedule_begin_round");
        db_bind_text(statement, "organization", organization_id);
        db_bind_text(statement, "id", rounds[i]);
        if (!db_exec(statement, error)) {
            return false;
        }
    }
    return true;
}

bool schedule_get(DbUnit *unit, const char *id, Schedule **schedule_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "schedule_get");
    db_bind_text(statement, "id", id);
    return record_must(statement, &shape, schedule_out, error);
}

bool schedule_list(DbUnit *unit, const char *after_id, int64_t limit, GPtrArray **schedules_out,
                   GError **error) {
    DbStatement *statement = db_prepare(unit, "schedule_list");
    record_bind_filter(statement, "after", after_id);
    record_bind_limit(statement, limit);
    return record_all(statement, &shape, schedules_out, error);
}

static bool tell(DbUnit *unit, const Schedule *row, GError **error) {
    g_autoptr(Json) data = json_new_object();
    EventNews news = {.kind = EVENT_SCHEDULE, .integration_id = row->integration_id, .data = data};
    json_put_string(data, "id", row->id);
    return event_add(unit, &news, error);
}

bool schedule_change(DbUnit *unit, const Schedule *schedule, GError **error) {
    Schedule row = *schedule;
    row.organization_id = db_unit_scope(unit)->organization;
    if (!record_check(&shape, &row, error)) {
        return false;
    }
    DbStatement *statement = db_prepare(unit, "schedule_change");
    db_bind_text(statement, "id", row.id);
    db_bind_text(statement, "rule", row.rule);
    db_bind_text(statement, "time_zone", row.time_zone);
    db_bind_int(statement, "paused", row.paused);
    db_bind_int(statement, "due_at", row.due_at);
    return record_change(unit, statement, ERROR_NOT_FOUND,
                         "There is no such schedule in this organization.", error) &&
           mirror(unit, row.integration_id, row.due_at, error) && mirror_rule(unit, &row, error) &&
           tell(unit, &row, error);
}

bool schedule_advance(DbUnit *unit, const Schedule *claimed, int64_t due_at, GError **error) {
    DbStatement *statement = db_prepare(unit, "schedule_advance");
    db_bind_text(statement, "id", claimed->id);
    db_bind_int(statement, "claim", claimed->claim);
    db_bind_int(statement, "due_at", due_at);
    return record_change(unit, statement, ERROR_CONFLICT,
                         "Another scheduler has claimed this, or somebody has changed it.",
                         error) &&
           mirror(unit, claimed->integration_id, due_at, error);
}

bool schedule_put_off(DbUnit *unit, const char *id, int64_t due_at, GError **error) {
    DbStatement *statement = db_prepare(unit, "schedule_put_off");
    db_bind_text(statement, "id", id);
    db_bind_int(statement, "due_at", due_at);
    if (!db_exec(statement, error)) {
        return false;
    }
    return db_changes(unit) == 0 || mirror(unit, id, due_at, error);
}

bool schedule_call_due(DbUnit *unit, int64_t since_ms, int64_t *called_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "schedule_call_due");
    db_bind_int(statement, "since", since_ms);
    db_bind_int(statement, "now", clock_now_ms());
    if (!db_exec(statement, error)) {
        return false;
    }
    *called_out = db_changes(unit);
    return true;
}

/* Holds one row; the array gets it as it is held. */
static bool hold(DbUnit *unit, const Schedule *due, int64_t look_at, GPtrArray *held,
                 GError **error) {
    g_autoptr(Schedule) row = NULL;
    DbStatement *statement = db_prepare(unit, "schedule_hold");
    db_bind_text(statement, "organization", due->organization_id);
    db_bind_text(statement, "id", due->id);
    db_bind_int(statement, "look_at", look_at);
    if (!record_must(statement, &shape, &row, error)) {
        return false;
    }
    g_ptr_array_add(held, g_steal_pointer(&row));
    return true;
}

bool schedule_claim(DbUnit *unit, const ScheduleClaim *claim, GPtrArray **schedules_out,
                    GError **error) {
    int64_t now = clock_now_ms();
    g_autoptr(GPtrArray) due = NULL;
    g_autoptr(GPtrArray) held = g_ptr_array_new_with_free_func((GDestroyNotify)schedule_free);
    DbStatement *statement = db_prepare(unit, "schedule_due");
    db_bind_int(statement, "now", now);
    record_bind_limit(statement, claim->limit);
    if (!record_all(statement, &shape, &due, error)) {
        return false;
    }
    for (guint i = 0; i < due->len; i++) {
        if (!hold(unit, g_ptr_array_index(due, i), now + claim->hold_ms, held, error)) {
            return false;
        }
    }
    *schedules_out = g_steal_pointer(&held);
    return true;
}

bool schedule_next_look(DbUnit *unit, int64_t *look_at_out, GError **error) {
    return record_number(db_prepare(unit, "schedule_next_look"), SCHEDULE_NEVER, look_at_out,
                         error);
}
