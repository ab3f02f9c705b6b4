#include "store/access.h"

#include "base/clock.h"
#include "store/membership.h"
#include "store/user_session.h"

static const RecordColumn columns[] = {
    RECORD_COLUMN(Access, caller_id, RECORD_TEXT, 0),
    RECORD_COLUMN(Access, role, RECORD_TEXT, 0),
    RECORD_COLUMN(Access, grants, RECORD_OPTIONAL, MEMBERSHIP_LIST_MAX),
    RECORD_COLUMN(Access, integrations, RECORD_OPTIONAL, MEMBERSHIP_LIST_MAX),
    RECORD_COLUMN(Access, period_from, RECORD_INT, 0),
    RECORD_COLUMN(Access, period_until, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(Access, "access", columns);

void access_free(Access *access) {
    g_free(access);
}

bool access_list(DbUnit *unit, const char *after_id, GPtrArray **accesses_out, GError **error) {
    int64_t now = clock_now_ms();
    DbStatement *statement = db_prepare(unit, "access_list");
    db_bind_int(statement, "now", now);
    db_bind_int(statement, "idle_since", now - USER_SESSION_IDLE_MS);
    record_bind_filter(statement, "after", after_id);
    record_bind_limit(statement, STORE_LIST_MAX);
    return record_all(statement, &shape, accesses_out, error);
}
