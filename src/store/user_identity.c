#include "store/user_identity.h"

#include "base/clock.h"

static const RecordColumn columns[] = {
    RECORD_COLUMN(UserIdentity, issuer, RECORD_TEXT, USER_IDENTITY_TEXT_MAX),
    RECORD_COLUMN(UserIdentity, subject, RECORD_TEXT, USER_IDENTITY_TEXT_MAX),
    RECORD_COLUMN(UserIdentity, user_id, RECORD_TEXT, 0),
    RECORD_COLUMN(UserIdentity, created_at, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(UserIdentity, "identity", columns);

static const RecordColumn found_columns[] = {
    RECORD_COLUMN(UserIdentity, user_id, RECORD_TEXT, 0),
};
static const RecordShape found_shape = RECORD_SHAPE(UserIdentity, "identity", found_columns);

bool user_identity_insert(DbUnit *unit, const UserIdentity *identity, GError **error) {
    UserIdentity row = *identity;
    row.created_at = clock_now_ms();
    if (!record_check(&shape, &row, error))
        return false;
    DbStatement *statement = db_prepare(unit, "user_identity_insert");
    record_bind(statement, &shape, &row);
    return record_change(unit, statement, ERROR_CONFLICT,
                         "This account belongs to somebody else at the identity provider; ask an "
                         "operator.",
                         error);
}

bool user_identity_find(DbUnit *unit, const char *issuer, const char *subject, User **user_out,
                        GError **error) {
    DbStatement *statement = db_prepare(unit, "user_identity_find");
    db_bind_text(statement, "issuer", issuer);
    db_bind_text(statement, "subject", subject);
    g_autofree UserIdentity *found = NULL;
    *user_out = NULL;
    if (!record_one(statement, &found_shape, &found, error))
        return false;
    return !found || user_get(unit, found->user_id, user_out, error);
}
