#include "store/inspection.h"

#include "base/clock.h"
#include "store/budget.h"

#define SILENCE_MS (2 * 60 * 1000) /* two leases */

void inspection_clear(Inspection *inspection) {
    g_clear_pointer(&inspection->version, g_free);
    g_clear_pointer(&inspection->login, g_free);
}

bool inspection_server(DbUnit *unit, Inspection *inspection, GError **error) {
    DbStatement *statement = db_prepare(unit, "inspection_server");
    bool row = false;
    inspection_clear(inspection);
    if (!db_step(statement, &row, error))
        return false;
    if (!row)
        return true;
    inspection->version = db_column_dup(statement, 0);
    inspection->login = db_column_dup(statement, 1);
    inspection->superuser = db_column_int(statement, 2) != 0;
    inspection->bypasses = db_column_int(statement, 3) != 0;
    inspection->owned = db_column_int(statement, 4);
    inspection->unguarded = db_column_int(statement, 5);
    db_reset(statement);
    return true;
}

bool inspection_work(DbUnit *unit, Inspection *inspection, GError **error) {
    bool row = false;
    if (!budget_clock(unit, 0, &inspection->now_ms, error))
        return false;
    DbStatement *statement = db_prepare(unit, "inspection_leases");
    db_bind_int(statement, "before", clock_now_ms() - SILENCE_MS);
    if (!db_step(statement, &row, error))
        return false;
    inspection->dead_leases = row ? db_column_int(statement, 0) : 0;
    db_reset(statement);
    return true;
}
