#include "store/integration.h"

#include "base/clock.h"
#include "store/event.h"

#include <string.h>

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
    RECORD_COLUMN(Integration, health, RECORD_TEXT, 0),
    RECORD_COLUMN(Integration, connection, RECORD_INT, 0),
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

/* Whether a person has stopped it, whatever its health. */
static bool is_held(const char *status) {
    return g_strcmp0(status, INTEGRATION_PAUSED) == 0 ||
           g_strcmp0(status, INTEGRATION_DISCONNECTED) == 0;
}

bool integration_insert(DbUnit *unit, const Integration *integration, GError **error) {
    Integration row = *integration;
    row.created_at = row.updated_at = clock_now_ms();
    row.health = is_held(row.status) ? INTEGRATION_CONNECTED : row.status;
    row.connection = 1;
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
    db_bind_text(statement, "owner_user_id", integration->owner_user_id);
    db_bind_int(statement, "now", clock_now_ms());
    return record_change(unit, statement, ERROR_NOT_FOUND, not_found, error) &&
           tell(unit, integration->id, error);
}

bool integration_share_all(DbUnit *unit, const char *user_id, int64_t *count_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "integration_share_all");
    db_bind_text(statement, "user_id", user_id);
    db_bind_int(statement, "now", clock_now_ms());
    if (!db_exec(statement, error))
        return false;
    *count_out = db_changes(unit);
    return true;
}

/* --- status and health ------------------------------------------------------------------------ */

typedef enum { ACT_FIND, ACT_PASS, ACT_PAUSE, ACT_RESUME, ACT_DISCONNECT, ACT_RECONNECT } Act;

/* What an act does to one that runs, is paused, is disconnected. */
typedef enum {
    STAY,
    REFUSE,
    HEAL,    /* its health is what was found */
    HOLD,    /* its status is what the person wants */
    RELEASE, /* its status is its health */
    REVIVE   /* both */
} Effect;

static const Effect effects[][3] = {
    [ACT_FIND] = {REVIVE, HEAL, STAY},     [ACT_PASS] = {REVIVE, HEAL, STAY},
    [ACT_PAUSE] = {HOLD, STAY, REFUSE},    [ACT_RESUME] = {STAY, RELEASE, REFUSE},
    [ACT_DISCONNECT] = {HOLD, HOLD, STAY}, [ACT_RECONNECT] = {REVIVE, HEAL, REVIVE},
};

static Effect effect_of(const Integration *row, Act act, const IntegrationStatus *wanted) {
    bool paused = strcmp(row->status, INTEGRATION_PAUSED) == 0;
    bool gone = strcmp(row->status, INTEGRATION_DISCONNECTED) == 0;
    bool late = wanted->connection != 0 && wanted->connection != row->connection;
    bool well = strcmp(row->health, INTEGRATION_RECONNECT_NEEDED) != 0;
    if (late || (act == ACT_PASS && well) || (act == ACT_FIND && is_held(wanted->status)))
        return STAY;
    return effects[act][gone ? 2 : paused ? 1 : 0];
}

static bool refuse(const Integration *row, GError **error) {
    g_set_error(error, ASSAY_ERROR, ERROR_CONFLICT,
                "%s is disconnected; connect it again: assay reconnect %s", row->name, row->name);
    return false;
}

static bool store_move(DbUnit *unit, const Integration *was, const Integration *now,
                       GError **error) {
    DbStatement *statement = db_prepare(unit, "integration_move");
    db_bind_text(statement, "id", was->id);
    db_bind_text(statement, "from_status", was->status);
    db_bind_int(statement, "connection", was->connection);
    db_bind_text(statement, "status", now->status);
    db_bind_text(statement, "health", now->health);
    db_bind_text(statement, "status_reason", now->status_reason);
    db_bind_text(statement, "error_message", now->error_message);
    db_bind_int(statement, "now", clock_now_ms());
    return record_change(unit, statement, ERROR_CONFLICT,
                         "The integration was changed meanwhile; try again.", error);
}

/* Reasons belong to health; only disconnecting brings its own. */
static bool move(DbUnit *unit, const char *id, Act act, const IntegrationStatus *wanted,
                 GError **error) {
    g_autoptr(Integration) row = NULL;
    if (!integration_get(unit, id, &row, error))
        return false;
    Integration now = *row;
    Effect effect = effect_of(row, act, wanted);
    if (effect == STAY)
        return true;
    if (effect == REFUSE)
        return refuse(row, error);
    if (effect == HEAL || effect == REVIVE)
        now.health = wanted->status;
    if (effect == HEAL || effect == REVIVE || act == ACT_DISCONNECT) {
        now.status_reason = wanted->reason;
        now.error_message = wanted->error_message;
    }
    if (effect == HOLD)
        now.status = wanted->status;
    if (effect == RELEASE || effect == REVIVE)
        now.status = now.health;
    return store_move(unit, row, &now, error);
}

static bool act(DbUnit *unit, const char *id, Act act, const IntegrationStatus *wanted,
                GError **error) {
    return move(unit, id, act, wanted, error) && tell(unit, id, error);
}

static Act act_for(const char *status) {
    return strcmp(status, INTEGRATION_PAUSED) == 0         ? ACT_PAUSE
           : strcmp(status, INTEGRATION_DISCONNECTED) == 0 ? ACT_DISCONNECT
                                                           : ACT_FIND;
}

bool integration_update_status(DbUnit *unit, const char *id, const IntegrationStatus *status,
                               GError **error) {
    return act(unit, id, act_for(status->status), status, error);
}

bool integration_pass_test(DbUnit *unit, const char *id, int64_t connection, GError **error) {
    IntegrationStatus works = {.status = INTEGRATION_CONNECTED, .connection = connection};
    return act(unit, id, ACT_PASS, &works, error);
}

bool integration_resume(DbUnit *unit, const char *id, GError **error) {
    return act(unit, id, ACT_RESUME, &(IntegrationStatus){0}, error);
}

bool integration_reconnect(DbUnit *unit, const Integration *integration, GError **error) {
    IntegrationStatus works = {.status = INTEGRATION_CONNECTED};
    DbStatement *statement = db_prepare(unit, "integration_reconnect");
    db_bind_text(statement, "id", integration->id);
    db_bind_text(statement, "auth", integration->auth);
    db_bind_text(statement, "settings", integration->settings);
    db_bind_text(statement, "account", integration->account);
    db_bind_int(statement, "allow_private", integration->allow_private);
    db_bind_int(statement, "rotation_due_at", integration->rotation_due_at);
    db_bind_int(statement, "now", clock_now_ms());
    return record_change(unit, statement, ERROR_NOT_FOUND, not_found, error) &&
           act(unit, integration->id, ACT_RECONNECT, &works, error);
}

bool integration_record_sync(DbUnit *unit, const char *id, const IntegrationSync *sync,
                             GError **error) {
    DbStatement *statement = db_prepare(unit, "integration_record_sync");
    db_bind_text(statement, "id", id);
    db_bind_text(statement, "result", sync->result);
    db_bind_int(statement, "synced_at", sync->synced_at);
    db_bind_int(statement, "now", clock_now_ms());
    return record_change(unit, statement, ERROR_NOT_FOUND, not_found, error) &&
           move(unit, id, ACT_FIND, &sync->status, error) && tell(unit, id, error);
}
