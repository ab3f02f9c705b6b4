#include "store/credential.h"

#include "base/clock.h"
#include "store/integration.h"

static const RecordColumn columns[] = {
    RECORD_COLUMN(Credential, id, RECORD_TEXT, 0),
    RECORD_COLUMN(Credential, integration_id, RECORD_TEXT, 0),
    RECORD_COLUMN(Credential, name, RECORD_TEXT, 0),
    RECORD_COLUMN(Credential, fields, RECORD_TEXT, STORE_JSON_MAX),
    RECORD_COLUMN(Credential, metadata, RECORD_TEXT, STORE_JSON_MAX),
    RECORD_COLUMN(Credential, version, RECORD_INT, 0),
    RECORD_COLUMN(Credential, expires_at, RECORD_INT, 0),
    RECORD_COLUMN(Credential, created_at, RECORD_INT, 0),
    RECORD_COLUMN(Credential, updated_at, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(Credential, "credential", columns);

void credential_free(Credential *credential) {
    g_free(credential);
}

bool credential_insert(DbUnit *unit, const Credential *credential, GError **error) {
    Credential row = *credential;
    row.version = row.version ? row.version : 1;
    row.created_at = row.updated_at = clock_now_ms();
    if (!record_check(&shape, &row, error) ||
        !integration_require(unit, row.integration_id, error)) {
        return false;
    }
    DbStatement *statement = db_prepare(unit, "credential_insert");
    record_bind(statement, &shape, &row);
    return record_change(unit, statement, ERROR_CONFLICT,
                         "The integration has a credential of this name; replace it instead.",
                         error);
}

bool credential_list_for_integration(DbUnit *unit, const char *integration_id,
                                     GPtrArray **credentials_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "credential_list_for_integration");
    db_bind_text(statement, "integration_id", integration_id);
    record_bind_limit(statement, STORE_LIST_MAX);
    return record_all(statement, &shape, credentials_out, error);
}

bool credential_replace(DbUnit *unit, const Credential *credential, GError **error) {
    DbStatement *statement = db_prepare(unit, "credential_replace");
    db_bind_text(statement, "id", credential->id);
    db_bind_text(statement, "fields", credential->fields);
    db_bind_text(statement, "metadata", credential->metadata);
    db_bind_int(statement, "version", credential->version);
    db_bind_int(statement, "expires_at", credential->expires_at);
    db_bind_int(statement, "updated_at", clock_now_ms());
    return record_change(unit, statement, ERROR_CONFLICT,
                         "The credential was replaced by somebody else; read it again.", error);
}

bool credential_delete_all(DbUnit *unit, const char *integration_id, int64_t *count_out,
                           GError **error) {
    DbStatement *statement = db_prepare(unit, "credential_delete_all");
    db_bind_text(statement, "integration_id", integration_id);
    if (!db_exec(statement, error)) {
        return false;
    }
    if (count_out) {
        *count_out = db_changes(unit);
    }
    return true;
}
