#include "store/service_call.h"

static const RecordColumn columns[] = {
    RECORD_COLUMN(ServiceCall, provider, RECORD_TEXT, 0),
    RECORD_COLUMN(ServiceCall, outcome, RECORD_TEXT, 0),
    RECORD_COLUMN(ServiceCall, calls, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(ServiceCall, "calls of a service", columns);

bool service_call_add(DbUnit *unit, const ServiceCall *call, GError **error) {
    return record_write(unit, "service_call_add", &shape, call, error);
}

bool service_call_list(DbUnit *unit, GPtrArray **calls_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "service_call_list");
    record_bind_limit(statement, STORE_LIST_MAX);
    return record_all(statement, &shape, calls_out, error);
}
