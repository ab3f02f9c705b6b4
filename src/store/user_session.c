#include "store/user_session.h"

#include "base/clock.h"

#define AGENT_MAX 512

static const RecordColumn columns[] = {
    RECORD_COLUMN(UserSession, id, RECORD_TEXT, 0),
    RECORD_COLUMN(UserSession, user_id, RECORD_TEXT, 0),
    RECORD_COLUMN(UserSession, token_hash, RECORD_TEXT, 0),
    RECORD_COLUMN(UserSession, address, RECORD_TEXT, 0),
    RECORD_COLUMN(UserSession, agent, RECORD_OPTIONAL, AGENT_MAX),
    RECORD_COLUMN(UserSession, created_at, RECORD_INT, 0),
    RECORD_COLUMN(UserSession, last_seen_at, RECORD_INT, 0),
    RECORD_COLUMN(UserSession, expires_at, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(UserSession, "session", columns);

static const RecordColumn caller_columns[] = {
    RECORD_COLUMN(UserSessionCaller, id, RECORD_TEXT, 0),
    RECORD_COLUMN(UserSessionCaller, user_id, RECORD_TEXT, 0),
    RECORD_COLUMN(UserSessionCaller, email, RECORD_TEXT, 0),
    RECORD_COLUMN(UserSessionCaller, name, RECORD_TEXT, 0),
    RECORD_COLUMN(UserSessionCaller, last_seen_at, RECORD_INT, 0),
    RECORD_COLUMN(UserSessionCaller, expires_at, RECORD_INT, 0),
};
static const RecordShape caller_shape = RECORD_SHAPE(UserSessionCaller, "session", caller_columns);

void user_session_caller_free(UserSessionCaller *caller) {
    g_free(caller);
}

/* What is alive now. */
static void bind_now(DbStatement *statement) {
    int64_t now = clock_now_ms();
    db_bind_int(statement, "now", now);
    db_bind_int(statement, "idle_since", now - USER_SESSION_IDLE_MS);
}

bool user_session_insert(DbUnit *unit, const UserSession *session, GError **error) {
    UserSession row = *session;
    row.created_at = row.last_seen_at = clock_now_ms();
    row.expires_at = row.created_at + USER_SESSION_LIFE_MS;
    return record_write(unit, "user_session_insert", &shape, &row, error);
}

bool user_session_find(DbUnit *unit, const char *token_hash, UserSessionCaller **caller_out,
                       GError **error) {
    DbStatement *statement = db_prepare(unit, "user_session_find");
    db_bind_text(statement, "token_hash", token_hash);
    bind_now(statement);
    return record_one(statement, &caller_shape, caller_out, error);
}

bool user_session_is_due(const UserSessionCaller *caller) {
    return clock_now_ms() - caller->last_seen_at >= USER_SESSION_SEEN_MS;
}

bool user_session_seen(DbUnit *unit, const char *id, GError **error) {
    DbStatement *statement = db_prepare(unit, "user_session_seen");
    db_bind_text(statement, "id", id);
    db_bind_int(statement, "now", clock_now_ms());
    return db_exec(statement, error);
}

bool user_session_list(DbUnit *unit, const char *user_id, GPtrArray **sessions_out,
                       GError **error) {
    DbStatement *statement = db_prepare(unit, "user_session_list");
    db_bind_text(statement, "user_id", user_id);
    bind_now(statement);
    record_bind_limit(statement, STORE_LIST_MAX);
    return record_all(statement, &shape, sessions_out, error);
}

bool user_session_end(DbUnit *unit, const char *user_id, const char *id, GError **error) {
    DbStatement *statement = db_prepare(unit, "user_session_end");
    db_bind_text(statement, "user_id", user_id);
    db_bind_text(statement, "id", id);
    return record_change(unit, statement, ERROR_NOT_FOUND, "There is no such session.", error);
}

bool user_session_end_others(DbUnit *unit, const char *user_id, const char *keep_id,
                             GError **error) {
    DbStatement *statement = db_prepare(unit, "user_session_end_others");
    db_bind_text(statement, "user_id", user_id);
    record_bind_filter(statement, "keep", keep_id);
    return db_exec(statement, error);
}

bool user_session_prune(DbUnit *unit, GError **error) {
    DbStatement *statement = db_prepare(unit, "user_session_prune");
    bind_now(statement);
    return db_exec(statement, error);
}
