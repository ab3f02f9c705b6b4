#include "store/provider_limit.h"

#include "base/clock.h"

static const RecordColumn columns[] = {
    RECORD_COLUMN(ProviderLimit, provider, RECORD_TEXT, 0),
    RECORD_COLUMN(ProviderLimit, limit_calls, RECORD_INT, 0),
    RECORD_COLUMN(ProviderLimit, window_ms, RECORD_INT, 0),
    RECORD_COLUMN(ProviderLimit, set_at, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(ProviderLimit, "limit", columns);

bool provider_limit_list(DbUnit *unit, GPtrArray **limits_out, GError **error) {
    return record_all(db_prepare(unit, "provider_limit_list"), &shape, limits_out, error);
}

bool provider_limit_put(DbUnit *unit, const ProviderLimit *limit, GError **error) {
    ProviderLimit row = *limit;
    row.set_at = row.set_at ? row.set_at : clock_now_ms();
    return record_write(unit, "provider_limit_put", &shape, &row, error);
}

bool provider_limit_drop(DbUnit *unit, const char *provider, GError **error) {
    DbStatement *statement = db_prepare(unit, "provider_limit_drop");
    db_bind_text(statement, "provider", provider);
    return record_change(unit, statement, ERROR_NOT_FOUND,
                         "There is no limit of the operator for this provider.", error);
}
