#include "store/backlog.h"

#include "base/clock.h"

bool backlog_next_due(DbUnit *unit, int64_t *due_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "backlog_next_due");
    db_bind_int(statement, "now", clock_now_ms());
    bool found = false;
    if (!db_step(statement, &found, error))
        return false;
    bool none = !found || db_column_is_null(statement, 0);
    int64_t due = none ? BACKLOG_NEVER : db_column_int(statement, 0);
    db_reset(statement);
    *due_out = due;
    return true;
}

bool backlog_rewind(DbUnit *unit, int64_t before_ms, GError **error) {
    static const char *const statements[] = {"backlog_rewind_queue", "backlog_rewind_jobs"};
    int64_t now = clock_now_ms();
    for (size_t i = 0; i < G_N_ELEMENTS(statements); i++) {
        DbStatement *statement = db_prepare(unit, statements[i]);
        db_bind_int(statement, "before", before_ms);
        db_bind_int(statement, "now", now);
        if (!db_exec(statement, error))
            return false;
    }
    return true;
}
