#include "store/setup.h"

#include "base/clock.h"
#include "store/user.h"

bool setup_offer(DbUnit *unit, const char *token_hash, bool *needed_out, GError **error) {
    int64_t users = 0;
    if (!user_count(unit, &users, error))
        return false;
    *needed_out = users == 0;
    if (users > 0)
        return true;
    int64_t now = clock_now_ms();
    DbStatement *statement = db_prepare(unit, "setup_offer");
    db_bind_text(statement, "token_hash", token_hash);
    db_bind_int(statement, "now", now);
    db_bind_int(statement, "expires_at", now + SETUP_LIFE_MS);
    return db_exec(statement, error);
}

bool setup_is_open(DbUnit *unit, const char *token_hash, bool *open_out, GError **error) {
    int64_t count = 0;
    DbStatement *statement = db_prepare(unit, "setup_is_open");
    db_bind_text(statement, "token_hash", token_hash);
    db_bind_int(statement, "now", clock_now_ms());
    if (!record_number(statement, 0, &count, error))
        return false;
    *open_out = count > 0;
    return true;
}

bool setup_redeem(DbUnit *unit, const char *token_hash, GError **error) {
    DbStatement *statement = db_prepare(unit, "setup_redeem");
    db_bind_text(statement, "token_hash", token_hash);
    db_bind_int(statement, "now", clock_now_ms());
    return record_change(unit, statement, ERROR_NOT_FOUND,
                         "This setup link was used or has expired; restart `assay serve` for a new "
                         "one if nobody has an account yet.",
                         error);
}
