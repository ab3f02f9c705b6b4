#include "store/control_status.h"

#include "base/clock.h"

static const RecordColumn columns[] = {
    RECORD_COLUMN(ControlStatus, framework, RECORD_TEXT, 0),
    RECORD_COLUMN(ControlStatus, control_id, RECORD_TEXT, 0),
    RECORD_COLUMN(ControlStatus, status, RECORD_TEXT, 0),
    RECORD_COLUMN(ControlStatus, verdict_beside, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(ControlStatus, reason, RECORD_OPTIONAL, STORE_SENTENCE_MAX),
    RECORD_COLUMN(ControlStatus, confidence, RECORD_REAL, 0),
    RECORD_COLUMN(ControlStatus, detail, RECORD_TEXT, STORE_JSON_MAX),
    RECORD_COLUMN(ControlStatus, updated_at, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(ControlStatus, "control status", columns);

void control_status_free(ControlStatus *status) {
    g_free(status);
}

bool control_status_upsert(DbUnit *unit, const ControlStatus *status, bool *changed_out,
                           GError **error) {
    ControlStatus row = *status;
    row.updated_at = row.updated_at ? row.updated_at : clock_now_ms();
    g_autoptr(ControlStatus) before = NULL;
    if (!record_check(&shape, &row, error) ||
        (changed_out && !control_status_get(unit, row.framework, row.control_id, &before, error)) ||
        !record_write(unit, "control_status_upsert", &shape, &row, error)) {
        return false;
    }
    if (changed_out) {
        *changed_out = !before || g_strcmp0(before->status, row.status) != 0 ||
                       g_strcmp0(before->verdict_beside, row.verdict_beside) != 0;
    }
    return true;
}

bool control_status_get(DbUnit *unit, const char *framework, const char *control_id,
                        ControlStatus **status_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "control_status_get");
    db_bind_text(statement, "framework", framework);
    db_bind_text(statement, "control_id", control_id);
    return record_one(statement, &shape, status_out, error);
}

bool control_status_list(DbUnit *unit, const ControlStatusFilter *filter, GPtrArray **statuses_out,
                         GError **error) {
    DbStatement *statement = db_prepare(unit, "control_status_list");
    db_bind_text(statement, "framework", filter->framework);
    record_bind_filter(statement, "status", filter->status);
    record_bind_filter(statement, "after", filter->after_control_id);
    record_bind_limit(statement, filter->limit);
    return record_all(statement, &shape, statuses_out, error);
}
