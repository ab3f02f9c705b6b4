#include "store/control_exception.h"

#include "base/clock.h"

static const RecordColumn columns[] = {
    RECORD_COLUMN(ControlException, framework, RECORD_TEXT, 0),
    RECORD_COLUMN(ControlException, control_id, RECORD_TEXT, 0),
    RECORD_COLUMN(ControlException, who, RECORD_TEXT, 0),
    RECORD_COLUMN(ControlException, why, RECORD_TEXT, STORE_SENTENCE_MAX),
    RECORD_COLUMN(ControlException, until_at, RECORD_INT, 0),
    RECORD_COLUMN(ControlException, created_at, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(ControlException, "exception", columns);

bool control_exception_upsert(DbUnit *unit, const ControlException *exception, GError **error) {
    ControlException row = *exception;
    row.created_at = row.created_at ? row.created_at : clock_now_ms();
    return record_write(unit, "control_exception_upsert", &shape, &row, error);
}

bool control_exception_delete(DbUnit *unit, const char *framework, const char *control_id,
                              GError **error) {
    DbStatement *statement = db_prepare(unit, "control_exception_delete");
    db_bind_text(statement, "framework", framework);
    db_bind_text(statement, "control_id", control_id);
    return record_change(unit, statement, ERROR_NOT_FOUND,
                         "There is no exception for this control.", error);
}

bool control_exception_list(DbUnit *unit, const char *framework, int64_t at,
                            GPtrArray **exceptions_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "control_exception_list");
    db_bind_text(statement, "framework", framework);
    db_bind_int(statement, "at", at);
    record_bind_limit(statement, STORE_LIST_MAX);
    return record_all(statement, &shape, exceptions_out, error);
}
