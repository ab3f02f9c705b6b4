#include "store/control_mapping.h"

#include "base/clock.h"

static const RecordColumn columns[] = {
    RECORD_COLUMN(ControlMapping, framework, RECORD_TEXT, 0),
    RECORD_COLUMN(ControlMapping, control_id, RECORD_TEXT, 0),
    RECORD_COLUMN(ControlMapping, provider, RECORD_TEXT, 0),
    RECORD_COLUMN(ControlMapping, check_id, RECORD_TEXT, 0),
    RECORD_COLUMN(ControlMapping, added, RECORD_BOOL, 0),
    RECORD_COLUMN(ControlMapping, who, RECORD_TEXT, 0),
    RECORD_COLUMN(ControlMapping, why, RECORD_TEXT, STORE_SENTENCE_MAX),
    RECORD_COLUMN(ControlMapping, created_at, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(ControlMapping, "mapping", columns);

static bool check_room(DbUnit *unit, GError **error) {
    int64_t count = 0;
    if (!record_number(db_prepare(unit, "control_mapping_count"), 0, &count, error)) {
        return false;
    }
    if (count < CONTROL_MAPPINGS_MAX) {
        return true;
    }
    g_set_error(error, ASSAY_ERROR, ERROR_LIMIT,
                "An organization changes the mapping of at most %d checks.", CONTROL_MAPPINGS_MAX);
    return false;
}

bool control_mapping_insert(DbUnit *unit, const ControlMapping *mapping, GError **error) {
    ControlMapping row = *mapping;
    row.created_at = row.created_at ? row.created_at : clock_now_ms();
    return check_room(unit, error) &&
           record_write(unit, "control_mapping_insert", &shape, &row, error);
}

bool control_mapping_clear(DbUnit *unit, const char *framework, const char *control_id,
                           int64_t *count_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "control_mapping_clear");
    db_bind_text(statement, "framework", framework);
    db_bind_text(statement, "control_id", control_id);
    if (!db_exec(statement, error)) {
        return false;
    }
    if (count_out) {
        *count_out = db_changes(unit);
    }
    return true;
}

bool control_mapping_list(DbUnit *unit, const char *framework, GPtrArray **mappings_out,
                          GError **error) {
    DbStatement *statement = db_prepare(unit, "control_mapping_list");
    record_bind_filter(statement, "framework", framework);
    record_bind_limit(statement, CONTROL_MAPPINGS_MAX);
    return record_all(statement, &shape, mappings_out, error);
}
