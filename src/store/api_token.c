#include "store/api_token.h"

#include "base/clock.h"

static const RecordColumn columns[] = {
    RECORD_COLUMN(ApiToken, id, RECORD_TEXT, 0),
    RECORD_COLUMN(ApiToken, name, RECORD_TEXT, 0),
    RECORD_COLUMN(ApiToken, token_hash, RECORD_TEXT, 0),
    RECORD_COLUMN(ApiToken, hint, RECORD_TEXT, 0),
    RECORD_COLUMN(ApiToken, operator, RECORD_BOOL, 0),
    RECORD_COLUMN(ApiToken, created_by, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(ApiToken, created_at, RECORD_INT, 0),
    RECORD_COLUMN(ApiToken, expires_at, RECORD_INT, 0),
    RECORD_COLUMN(ApiToken, revoked_at, RECORD_INT, 0),
    RECORD_COLUMN(ApiToken, last_used_at, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(ApiToken, "token", columns);

static const RecordColumn access_columns[] = {
    RECORD_COLUMN(ApiTokenAccess, id, RECORD_TEXT, 0),
    RECORD_COLUMN(ApiTokenAccess, name, RECORD_TEXT, 0),
    RECORD_COLUMN(ApiTokenAccess, hint, RECORD_TEXT, 0),
    RECORD_COLUMN(ApiTokenAccess, role, RECORD_TEXT, 0),
    RECORD_COLUMN(ApiTokenAccess, grants, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(ApiTokenAccess, integrations, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(ApiTokenAccess, period_from, RECORD_INT, 0),
    RECORD_COLUMN(ApiTokenAccess, period_until, RECORD_INT, 0),
    RECORD_COLUMN(ApiTokenAccess, created_by, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(ApiTokenAccess, created_at, RECORD_INT, 0),
    RECORD_COLUMN(ApiTokenAccess, expires_at, RECORD_INT, 0),
    RECORD_COLUMN(ApiTokenAccess, revoked_at, RECORD_INT, 0),
    RECORD_COLUMN(ApiTokenAccess, last_used_at, RECORD_INT, 0),
};
static const RecordShape access_shape = RECORD_SHAPE(ApiTokenAccess, "token", access_columns);

/* An access, read and written as the membership that it is; user_id is the token's. */
static const RecordColumn membership_columns[] = {
    RECORD_COLUMN(Membership, user_id, RECORD_TEXT, 0),
    RECORD_COLUMN(Membership, role, RECORD_TEXT, 0),
    RECORD_COLUMN(Membership, grants, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(Membership, integrations, RECORD_OPTIONAL, MEMBERSHIP_LIST_MAX),
    RECORD_COLUMN(Membership, period_from, RECORD_INT, 0),
    RECORD_COLUMN(Membership, period_until, RECORD_INT, 0),
    RECORD_COLUMN(Membership, expires_at, RECORD_INT, 0),
    RECORD_COLUMN(Membership, created_at, RECORD_INT, 0),
};
static const RecordShape membership_shape =
    RECORD_SHAPE(Membership, "access of the token", membership_columns);

static const char *const not_found = "There is no such token that still works.";

void api_token_free(ApiToken *token) {
    g_free(token);
}

bool api_token_insert(DbUnit *unit, const ApiToken *token, GError **error) {
    ApiToken row = *token;
    row.created_at = clock_now_ms();
    row.revoked_at = row.last_used_at = 0;
    if (row.expires_at != 0 && row.expires_at <= row.created_at) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                            "The token would have expired already; choose a later time.");
        return false;
    }
    return record_write(unit, "api_token_insert", &shape, &row, error);
}

bool api_token_allow(DbUnit *unit, const Membership *access, GError **error) {
    return api_token_allow_by(unit, NULL, access, error);
}

bool api_token_maker(DbUnit *unit, const char *token_id, char **user_id_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "api_token_maker");
    bool row = false;
    db_bind_text(statement, "token_id", token_id);
    *user_id_out = NULL;
    if (!db_step(statement, &row, error))
        return false;
    if (row) {
        *user_id_out = g_strdup(db_column_text(statement, 0));
        db_reset(statement);
    }
    return true;
}

bool api_token_allow_by(DbUnit *unit, const char *user_id, const Membership *access,
                        GError **error) {
    Membership row = *access;
    row.created_at = clock_now_ms();
    if (!membership_check(&row, error) || !record_check(&membership_shape, &row, error))
        return false;
    DbStatement *statement = db_prepare(unit, "api_token_allow");
    record_bind(statement, &membership_shape, &row);
    db_bind_text(statement, "created_by", user_id);
    return record_change(unit, statement, ERROR_CONFLICT,
                         "This token reaches the organization already, or did; what was ended "
                         "stays ended, make a new token.",
                         error);
}

bool api_token_get(DbUnit *unit, const char *id, ApiToken **token_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "api_token_get");
    g_autoptr(ApiToken) found = NULL;
    db_bind_text(statement, "id", id);
    if (!record_one(statement, &shape, &found, error))
        return false;
    if (!found) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_NOT_FOUND, "There is no such token.");
        return false;
    }
    *token_out = g_steal_pointer(&found);
    return true;
}

bool api_token_find(DbUnit *unit, const char *token_hash, ApiToken **token_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "api_token_find");
    db_bind_text(statement, "token_hash", token_hash);
    db_bind_int(statement, "now", clock_now_ms());
    return record_one(statement, &shape, token_out, error);
}

bool api_token_find_access(DbUnit *unit, const char *token_id, Membership **access_out,
                           GError **error) {
    DbStatement *statement = db_prepare(unit, "api_token_find_access");
    db_bind_text(statement, "token_id", token_id);
    db_bind_int(statement, "now", clock_now_ms());
    return record_one(statement, &membership_shape, access_out, error);
}

bool api_token_list_reach(DbUnit *unit, const char *token_id, GPtrArray **memberships_out,
                          GError **error) {
    DbStatement *statement = db_prepare(unit, "api_token_list_reach");
    db_bind_text(statement, "token_id", token_id);
    db_bind_int(statement, "now", clock_now_ms());
    record_bind_limit(statement, STORE_LIST_MAX);
    return record_all(statement, &user_membership_shape, memberships_out, error);
}

bool api_token_list(DbUnit *unit, const char *after_id, int64_t limit, GPtrArray **accesses_out,
                    GError **error) {
    DbStatement *statement = db_prepare(unit, "api_token_list");
    record_bind_filter(statement, "after", after_id);
    record_bind_limit(statement, limit);
    return record_all(statement, &access_shape, accesses_out, error);
}

bool api_token_list_all(DbUnit *unit, const char *after_id, int64_t limit, GPtrArray **tokens_out,
                        GError **error) {
    DbStatement *statement = db_prepare(unit, "api_token_list_all");
    record_bind_filter(statement, "after", after_id);
    record_bind_limit(statement, limit);
    return record_all(statement, &shape, tokens_out, error);
}

bool api_token_disallow(DbUnit *unit, const char *token_id, GError **error) {
    DbStatement *statement = db_prepare(unit, "api_token_disallow");
    db_bind_text(statement, "token_id", token_id);
    db_bind_int(statement, "now", clock_now_ms());
    return record_change(unit, statement, ERROR_NOT_FOUND, not_found, error);
}

bool api_token_revoke(DbUnit *unit, const char *token_id, GError **error) {
    DbStatement *statement = db_prepare(unit, "api_token_revoke");
    db_bind_text(statement, "id", token_id);
    db_bind_int(statement, "now", clock_now_ms());
    return record_change(unit, statement, ERROR_NOT_FOUND, not_found, error);
}

bool api_token_used(DbUnit *unit, const char *token_id, int64_t at, GError **error) {
    DbStatement *statement = db_prepare(unit, "api_token_used");
    db_bind_text(statement, "id", token_id);
    db_bind_int(statement, "at", at);
    return db_exec(statement, error);
}
