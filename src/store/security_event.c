#include "store/security_event.h"

static const RecordColumn columns[] = {
    RECORD_COLUMN(SecurityEvent, id, RECORD_TEXT, 0),
    RECORD_COLUMN(SecurityEvent, event, RECORD_TEXT, SECURITY_EVENT_MAX),
    RECORD_COLUMN(SecurityEvent, at, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(SecurityEvent, "security event", columns);

void security_event_free(SecurityEvent *event) {
    g_free(event);
}

bool security_event_put(DbUnit *unit, const SecurityEvent *event, GError **error) {
    return record_write(unit, "security_event_insert", &shape, event, error);
}

bool security_event_list(DbUnit *unit, const char *before_id, int64_t limit, GPtrArray **events_out,
                         GError **error) {
    DbStatement *statement = db_prepare(unit, "security_event_list");
    record_bind_before(statement, "before", before_id);
    record_bind_limit(statement, limit);
    return record_all(statement, &shape, events_out, error);
}

bool security_event_trim(DbUnit *unit, int64_t keep, GError **error) {
    DbStatement *statement = db_prepare(unit, "security_event_trim");
    db_bind_int(statement, "keep", keep);
    return db_exec(statement, error);
}
