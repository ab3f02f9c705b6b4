#include "store/integration.h"

#include "base/clock.h"
#include "store/event.h"

static const RecordColumn columns[] = {
    RECORD_COLUMN(Integration, id, RECORD_TEXT, 0),
    RECORD_COLUMN(Integration, provider, RECORD_TEXT, 0),
    RECORD_COLUMN(Integration, name, RECORD_TEXT, 0),
    RECORD_COLUMN(Integration, auth, RECORD_TEXT, 0),
    RECORD_COLUMN(Integration, status, RECORD_TEXT, 0),
    RECORD_COLUMN(Integration, status_reason, RECORD_OPTIONAL, STORE_SENTENCE_MAX),
    RECORD_COLUMN(Integration, error_message, RECORD_OPTIONAL, STORE_SENTENCE_MAX),
    RECORD_COLUMN(Integration, settings, RECORD_TEXT, STORE_JSON_MAX),
    RECORD_COLUMN(Integration, account, RECORD_TEXT, STORE_JSON_MAX),
    RECORD_COLUMN(Integration, allow_private, RECORD_BOOL, 0),
    RECORD_COLUMN(Integration, enabled_checks, RECORD_OPTIONAL, STORE_JSON_MAX),
    RECORD_COLUMN(Integration, evidence_types, RECORD_OPTIONAL, STORE_JSON_MAX),
    RECORD_COLUMN(Integration, scan_schedule, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(Integration, last_sync_at, RECORD_INT, 0),
    RECORD_COLUMN(Integration, last_checked_at, RECORD_INT, 0),
    RECORD_COLUMN(Integration, next_check_at, RECORD_INT, 0),
    RECORD_COLUMN(Integration, last_sync_result, RECORD_OPTIONAL, STORE_JSON_MAX),
    RECORD_COLUMN(Integration, rotation_due_at, RECORD_INT, 0),
    RECORD_COLUMN(Integration, owner_user_id, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(Integration, created_at, RECORD_INT, 0),
    RECORD_COLUMN(Integration, updated_at, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(Integration, "integration", columns);

static const char *const not_found = "There is no such integration in this organization.";

void integration_free(Integration *integration) {
    g_free(integration);
}

static bool tell(DbUnit *unit, const char *id, GError **error) {
    EventNews news = {.kind = EVENT_INTEGRATION, .integration_id = id};
    return event_add(unit, &news, error);
}

bool integration_insert(DbUnit *unit, const Integration *integration, GError **error) {
    Integration row = *integration;
    row.created_at = row.updated_at = clock_now_ms();
    if (!record_check(&shape, &row, error)) {
        return false;
    }
    DbStatement *statement = db_prepare(unit, "integration_insert");
    record_bind(statement, &shape, &row);
    return record_change(unit, statement, ERROR_CONFLICT,
                         "There is an integration of this name; choose another name.", error) &&
           tell(unit, row.id, error);
}

bool integration_require(DbUnit *unit, const char *id, GError **error) {
    DbStatement *statement = db_prepare(unit, "integration_exists");
    db_bind_text(statement, "id", id);
    int64_t count = 0;
    if (!record_number(statement, 0, &count, error)) {
        return false;
    }
    if (count == 0) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_NOT_FOUND, not_found);
        return false;
    }
    return true;
}

bool integration_get(DbUnit *unit, const char *id, Integration **integration_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "integration_get");
    db_bind_text(statement, "id", id);
    return record_must(statement, &shape, integration_out, error);
}

bool integration_find(DbUnit *unit, const char *id_or_name, Integration **integration_out,
                      GError **error) {
    DbStatement *statement = db_prepare(unit, "integration_find");
    db_bind_text(statement, "wanted", id_or_name);
    return record_must(statement, &shape, integration_out, error);
}

bool integration_list(DbUnit *unit, const IntegrationFilter *filter, GPtrArray **integrations_out,
                      GError **error) {
    DbStatement *statement = db_prepare(unit, "integration_list");
    record_bind_filter(statement, "provider", filter->provider);
    record_bind_filter(statement, "status", filter->status);
    db_bind_int(statement, "due_at", filter->due_at);
    record_bind_filter(statement, "after", filter->after_id);
    record_bind_limit(statement, filter->limit);
    return record_all(statement, &shape, integrations_out, error);
}

bool integration_update_status(DbUnit *unit, const char *id, const IntegrationStatus *status,
                               GError **error) {
    DbStatement *statement = db_prepare(unit, "integration_update_status");
    db_bind_text(statement, "id", id);
    db_bind_text(statement, "status", status->status);
    db_bind_text(statement, "status_reason", status->reason);
    db_bind_text(statement, "error_message", status->error_message);
    db_bind_int(statement, "now", clock_now_ms());
    return record_change(unit, statement, ERROR_NOT_FOUND, not_found, error) &&
           tell(unit, id, error);
}

static bool check_name_free(DbUnit *unit, const Integration *integration, GError **error) {
    DbStatement *statement = db_prepare(unit, "integration_named");
    db_bind_text(statement, "id", integration->id);
    db_bind_text(statement, "name", integration->name);
    int64_t count = 0;
    if (!record_number(statement, 0, &count, error)) {
        return false;
    }
    if (count > 0) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFLICT,
                            "There is an integration of this name; choose another name.");
        return false;
    }
    return true;
}

bool integration_change(DbUnit *unit, const Integration *integration, GError **error) {
    if (!record_check(&shape, integration, error) || !check_name_free(unit, integration, error)) {
        return false;
    }
    DbStatement *statement = db_prepare(unit, "integration_change");
    db_bind_text(statement, "id", integration->id);
    db_bind_text(statement, "name", integration->name);
    db_bind_text(statement, "settings", integration->settings);
    db_bind_int(statement, "allow_private", integration->allow_private);
    db_bind_text(statement, "evidence_types", integration->evidence_types);
    db_bind_text(statement, "enabled_checks", integration->enabled_checks);
    db_bind_int(statement, "now", clock_now_ms());
    return record_change(unit, statement, ERROR_NOT_FOUND, not_found, error) &&
           tell(unit, integration->id, error);
}

bool integration_record_sync(DbUnit *unit, const char *id, const IntegrationSync *sync,
                             GError **error) {
    DbStatement *statement = db_prepare(unit, "integration_record_sync");
    db_bind_text(statement, "id", id);
    db_bind_text(statement, "result", sync->result);
    db_bind_int(statement, "synced_at", sync->synced_at);
    db_bind_text(statement, "status", sync->status.status);
    db_bind_text(statement, "status_reason", sync->status.reason);
    db_bind_text(statement, "error_message", sync->status.error_message);
    db_bind_int(statement, "now", clock_now_ms());
    return record_change(unit, statement, ERROR_NOT_FOUND, not_found, error) &&
           tell(unit, id, error);
}
