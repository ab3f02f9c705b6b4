#include "store/scan.h"

#include "base/clock.h"
#include "store/integration.h"

static const RecordColumn columns[] = {
    RECORD_COLUMN(Scan, integration_id, RECORD_TEXT, 0),
    RECORD_COLUMN(Scan, due_at, RECORD_INT, 0),
    RECORD_COLUMN(Scan, scanner, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(Scan, leased_until, RECORD_INT, 0),
    RECORD_COLUMN(Scan, scanned_at, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(Scan, "scan", columns);

void scan_free(Scan *scan) {
    g_free(scan);
}

bool scan_get(DbUnit *unit, const char *integration_id, Scan **scan_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "scan_get");
    db_bind_text(statement, "integration_id", integration_id);
    return record_one(statement, &shape, scan_out, error);
}

bool scan_lease(DbUnit *unit, const char *integration_id, const char *scanner, bool *leased_out,
                GError **error) {
    int64_t now = clock_now_ms();
    DbStatement *statement = db_prepare(unit, "scan_lease");
    db_bind_text(statement, "integration_id", integration_id);
    db_bind_text(statement, "scanner", scanner);
    db_bind_int(statement, "now", now);
    db_bind_int(statement, "leased_until", now + SCAN_LEASE_MS);
    if (!db_exec(statement, error)) {
        return false;
    }
    *leased_out = db_changes(unit) > 0;
    return true;
}

bool scan_call(DbUnit *unit, const char *integration_id, GError **error) {
    DbStatement *statement = db_prepare(unit, "scan_call");
    db_bind_text(statement, "integration_id", integration_id);
    db_bind_int(statement, "now", clock_now_ms());
    return integration_require(unit, integration_id, error) && db_exec(statement, error);
}

bool scan_note(DbUnit *unit, const ScanVisit *visit, GError **error) {
    int64_t now = clock_now_ms();
    if (!integration_require(unit, visit->integration_id, error)) {
        return false;
    }
    DbStatement *scan = db_prepare(unit, "scan_note");
    db_bind_text(scan, "integration_id", visit->integration_id);
    db_bind_int(scan, "now", now);
    db_bind_int(scan, "next_at", visit->next_at);
    db_bind_int(scan, "done", visit->done);
    if (!db_exec(scan, error)) {
        return false;
    }
    DbStatement *checked = db_prepare(unit, "scan_checked");
    db_bind_text(checked, "integration_id", visit->integration_id);
    db_bind_int(checked, "now", now);
    db_bind_int(checked, "next_at", visit->next_at);
    return db_exec(checked, error);
}
