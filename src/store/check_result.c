#include "store/check_result.h"

#include "store/integration.h"

static const RecordColumn columns[] = {
    RECORD_COLUMN(CheckResult, integration_id, RECORD_TEXT, 0),
    RECORD_COLUMN(CheckResult, check_id, RECORD_TEXT, 0),
    RECORD_COLUMN(CheckResult, evidence_type, RECORD_TEXT, 0),
    RECORD_COLUMN(CheckResult, evidence_id, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(CheckResult, verdict, RECORD_TEXT, 0),
    RECORD_COLUMN(CheckResult, reason, RECORD_OPTIONAL, STORE_SENTENCE_MAX),
    RECORD_COLUMN(CheckResult, judged, RECORD_INT, 0),
    RECORD_COLUMN(CheckResult, passed, RECORD_INT, 0),
    RECORD_COLUMN(CheckResult, failed, RECORD_INT, 0),
    RECORD_COLUMN(CheckResult, could_not_read, RECORD_INT, 0),
    RECORD_COLUMN(CheckResult, not_applicable, RECORD_INT, 0),
    RECORD_COLUMN(CheckResult, severity, RECORD_TEXT, 0),
    RECORD_COLUMN(CheckResult, definition_sha256, RECORD_TEXT, 0),
    RECORD_COLUMN(CheckResult, checked_at, RECORD_INT, 0),
    RECORD_COLUMN(CheckResult, valid_until, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(CheckResult, "check result", columns);

void check_result_free(CheckResult *result) {
    g_free(result);
}

bool check_result_upsert(DbUnit *unit, const CheckResult *result, GError **error) {
    return record_check(&shape, result, error) &&
           integration_require(unit, result->integration_id, error) &&
           record_write(unit, "check_result_upsert", &shape, result, error);
}

bool check_result_list(DbUnit *unit, const CheckResultFilter *filter, GPtrArray **results_out,
                       GError **error) {
    DbStatement *statement = db_prepare(unit, "check_result_list");
    record_bind_filter(statement, "integration_id", filter->integration_id);
    record_bind_filter(statement, "after_integration_id", filter->after_integration_id);
    record_bind_filter(statement, "after_check_id", filter->after_check_id);
    record_bind_limit(statement, filter->limit);
    return record_all(statement, &shape, results_out, error);
}
