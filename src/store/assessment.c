#include "store/assessment.h"

#include "base/clock.h"
#include "store/integration.h"

static const RecordColumn columns[] = {
    RECORD_COLUMN(Assessment, id, RECORD_TEXT, 0),
    RECORD_COLUMN(Assessment, integration_id, RECORD_TEXT, 0),
    RECORD_COLUMN(Assessment, check_name, RECORD_TEXT, 0),
    RECORD_COLUMN(Assessment, resource, RECORD_TEXT, ASSESSMENT_RESOURCE_MAX),
    RECORD_COLUMN(Assessment, result, RECORD_TEXT, 0),
    RECORD_COLUMN(Assessment, details, RECORD_OPTIONAL, ASSESSMENT_DETAILS_MAX),
    RECORD_COLUMN(Assessment, scanner, RECORD_TEXT, 0),
    RECORD_COLUMN(Assessment, scanner_name, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(Assessment, assessed_at, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(Assessment, "assessment", columns);

void assessment_free(Assessment *assessment) {
    g_free(assessment);
}

bool assessment_insert(DbUnit *unit, const Assessment *assessment, GError **error) {
    Assessment row = *assessment;
    row.assessed_at = clock_now_ms();
    return integration_require(unit, row.integration_id, error) &&
           record_write(unit, "assessment_insert", &shape, &row, error);
}

bool assessment_list(DbUnit *unit, const AssessmentFilter *filter, GPtrArray **assessments_out,
                     GError **error) {
    DbStatement *statement = db_prepare(unit, "assessment_list");
    record_bind_before(statement, "before", filter->before_id);
    record_bind_filter(statement, "integration_id", filter->integration_id);
    record_bind_filter(statement, "check_name", filter->check_name);
    record_bind_filter(statement, "result", filter->result);
    record_bind_limit(statement, filter->limit);
    return record_all(statement, &shape, assessments_out, error);
}
