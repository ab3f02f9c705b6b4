#include "store/oauth_state.h"

static const RecordColumn columns[] = {
    RECORD_COLUMN(OauthState, state_hash, RECORD_TEXT, 0),
    RECORD_COLUMN(OauthState, content, RECORD_TEXT, OAUTH_STATE_CONTENT_MAX),
    RECORD_COLUMN(OauthState, expires_at, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(OauthState, "state", columns);

bool oauth_state_put(DbUnit *unit, const OauthState *state, int64_t now_ms, GError **error) {
    DbStatement *sweep = db_prepare(unit, "oauth_state_sweep");
    db_bind_int(sweep, "now", now_ms);
    return db_exec(sweep, error) && record_write(unit, "oauth_state_insert", &shape, state, error);
}

bool oauth_state_take(DbUnit *unit, const char *state_hash, int64_t now_ms, char **content_out,
                      GError **error) {
    DbStatement *statement = db_prepare(unit, "oauth_state_take");
    db_bind_text(statement, "state_hash", state_hash);
    bool row = false;
    if (!db_step(statement, &row, error)) {
        return false;
    }
    bool good = row && db_column_int(statement, 1) > now_ms;
    g_autofree char *content = good ? db_column_dup(statement, 0) : NULL;
    while (row) {
        if (!db_step(statement, &row, error)) {
            return false;
        }
    }
    *content_out = g_steal_pointer(&content);
    return true;
}
