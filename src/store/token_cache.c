#include "store/token_cache.h"

static const RecordColumn columns[] = {
    RECORD_COLUMN(CachedToken, integration_id, RECORD_TEXT, 0),
    RECORD_COLUMN(CachedToken, credential, RECORD_TEXT, 0),
    RECORD_COLUMN(CachedToken, version, RECORD_INT, 0),
    RECORD_COLUMN(CachedToken, sealed, RECORD_TEXT, TOKEN_CACHE_SEALED_MAX),
    RECORD_COLUMN(CachedToken, checksum, RECORD_TEXT, 0),
    RECORD_COLUMN(CachedToken, expires_at, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(CachedToken, "token", columns);

void cached_token_free(CachedToken *token) {
    g_free(token);
}

bool token_cache_put(DbUnit *unit, const CachedToken *token, int64_t now_ms, GError **error) {
    DbStatement *sweep = db_prepare(unit, "token_cache_sweep");
    db_bind_int(sweep, "now", now_ms);
    return db_exec(sweep, error) && record_write(unit, "token_cache_put", &shape, token, error);
}

static DbStatement *prepare(DbUnit *unit, const char *name, const CachedToken *wanted) {
    DbStatement *statement = db_prepare(unit, name);
    db_bind_text(statement, "integration_id", wanted->integration_id);
    db_bind_text(statement, "credential", wanted->credential);
    return statement;
}

bool token_cache_get(DbUnit *unit, const CachedToken *wanted, int64_t now_ms,
                     CachedToken **token_out, GError **error) {
    DbStatement *statement = prepare(unit, "token_cache_get", wanted);
    db_bind_int(statement, "version", wanted->version);
    db_bind_int(statement, "now", now_ms);
    return record_one(statement, &shape, token_out, error);
}

bool token_cache_drop(DbUnit *unit, const CachedToken *wanted, GError **error) {
    return db_exec(prepare(unit, "token_cache_drop", wanted), error);
}
