#include "store/errand_row.h"

#include "base/clock.h"
#include "store/organization.h"

static const RecordColumn columns[] = {
    RECORD_COLUMN(ErrandRow, id, RECORD_TEXT, 0),
    RECORD_COLUMN(ErrandRow, kind, RECORD_TEXT, 0),
    RECORD_COLUMN(ErrandRow, integration_id, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(ErrandRow, actor_id, RECORD_TEXT, 0),
    RECORD_COLUMN(ErrandRow, status, RECORD_TEXT, 0),
    RECORD_COLUMN(ErrandRow, result, RECORD_OPTIONAL, STORE_JSON_MAX),
    RECORD_COLUMN(ErrandRow, problem, RECORD_OPTIONAL, STORE_JSON_MAX),
    RECORD_COLUMN(ErrandRow, started_at, RECORD_INT, 0),
    RECORD_COLUMN(ErrandRow, ended_at, RECORD_INT, 0),
    RECORD_COLUMN(ErrandRow, lease_until, RECORD_INT, 0),
    RECORD_COLUMN(ErrandRow, expires_at, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(ErrandRow, "test of a connection", columns);

void errand_row_free(ErrandRow *row) {
    g_free(row);
}

bool errand_row_insert(DbUnit *unit, const ErrandRow *row, GError **error) {
    g_autoptr(Organization) organization = NULL;
    ErrandRow whole = *row;
    whole.lease_until = clock_now_ms() + ERRAND_ROW_LEASE_MS;
    whole.expires_at = clock_now_ms() + ERRAND_ROW_KEEP_MS;
    return organization_get(unit, &organization, error) &&
           record_write(unit, "errand_row_insert", &shape, &whole, error);
}

bool errand_row_renew(DbUnit *unit, const char *id, GError **error) {
    DbStatement *statement = db_prepare(unit, "errand_row_renew");
    db_bind_text(statement, "id", id);
    db_bind_int(statement, "lease_until", clock_now_ms() + ERRAND_ROW_LEASE_MS);
    return db_exec(statement, error);
}

bool errand_row_end(DbUnit *unit, const ErrandRow *row, GError **error) {
    if (!record_check(&shape, row, error))
        return false;
    DbStatement *statement = db_prepare(unit, "errand_row_end");
    db_bind_text(statement, "id", row->id);
    db_bind_text(statement, "status", row->status);
    db_bind_text(statement, "result", row->result);
    db_bind_text(statement, "problem", row->problem);
    db_bind_int(statement, "ended_at", row->ended_at);
    db_bind_int(statement, "expires_at", clock_now_ms() + ERRAND_ROW_KEEP_MS);
    return db_exec(statement, error);
}

bool errand_row_get(DbUnit *unit, const char *id, ErrandRow **row_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "errand_row_get");
    db_bind_text(statement, "id", id);
    db_bind_int(statement, "now", clock_now_ms());
    return record_one(statement, &shape, row_out, error);
}

bool errand_row_is_lost(const ErrandRow *row) {
    return row->ended_at == 0 && row->lease_until <= clock_now_ms();
}

bool errand_row_due(DbUnit *unit, bool *due_out, GError **error) {
    int64_t count = 0;
    DbStatement *statement = db_prepare(unit, "errand_row_due");
    db_bind_int(statement, "now", clock_now_ms());
    if (!record_number(statement, 0, &count, error))
        return false;
    *due_out = count > 0;
    return true;
}

bool errand_row_prune(DbUnit *unit, GError **error) {
    DbStatement *statement = db_prepare(unit, "errand_row_prune");
    db_bind_int(statement, "now", clock_now_ms());
    return db_exec(statement, error);
}
