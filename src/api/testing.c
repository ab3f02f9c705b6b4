#include "api/testing.h"

#include "api/attempt.h"
#include "api/integration_row.h"

#include <string.h>

/* --- what comes of it ------------------------------------------------------------------------- */

typedef struct {
    const Attempt *attempt;
    AttemptEntry entry;
    char *status; /* as it is then; NULL: the integration is gone */
} EndWork;

static bool move(DbUnit *unit, const EndWork *work, GError **error) {
    const Attempt *attempt = work->attempt;
    const GError *failure = work->entry.failure;
    if (!failure)
        return integration_pass_test(unit, attempt->integration_id, attempt->connection, error);
    if (error_code_of(failure) != ERROR_AUTHENTICATION_FAILED)
        return true;
    IntegrationStatus refused = {.status = INTEGRATION_RECONNECT_NEEDED,
                                 .reason = "The service refuses the credential.",
                                 .error_message = failure->message,
                                 .connection = attempt->connection};
    return integration_update_status(unit, attempt->integration_id, &refused, error);
}

static bool end_work(DbUnit *unit, void *data, GError **error) {
    EndWork *work = data;
    g_autoptr(Integration) now = NULL;
    g_clear_pointer(&work->status, g_free);
    if (!move(unit, work, error) ||
        !integration_get(unit, work->attempt->integration_id, &now, error))
        return false;
    work->status = g_strdup(now->status);
    return attempt_note(unit, work->attempt, &work->entry, error);
}

static Json *reply_of(const EndWork *work, const Json *account) {
    Json *reply = json_new_object();
    json_put_bool(reply, "success", true);
    json_put_string(reply, "id", work->attempt->integration_id);
    json_put_string(reply, "status", work->status);
    attempt_put_account(reply, account);
    return reply;
}

static bool test_work(Crew *crew, void *data, Json **body_out, GError **error) {
    const Attempt *attempt = data;
    g_autoptr(Json) account = NULL;
    GError *failure = NULL;
    g_autoptr(GError) lost = NULL;
    EndWork work = {.attempt = attempt,
                    .entry = {.action = AUDIT_INTEGRATION_TESTED,
                              .id = attempt->integration_id,
                              .name = attempt->integration}};
    bool passed = attempt_ask(crew, attempt, &account, &failure);
    work.entry.failure = failure;
    bool stored = attempt_run(attempt, DB_WRITE, end_work, &work, &lost);
    g_autofree char *status = work.status;
    if (passed && stored) {
        *body_out = reply_of(&work, account);
        return true;
    }
    g_propagate_error(error, passed ? g_steal_pointer(&lost) : failure);
    return false;
}

/* --- the request ------------------------------------------------------------------------------ */

static bool open_credential(Call *call, const Integration *row, Attempt *attempt, GError **error) {
    const ApiConfig *config = &call->desk->config;
    attempt->auth = definition_auth(attempt->definition, row->auth);
    if (!attempt->auth)
        return call_refuse(call, PROBLEM_CONFLICT, error,
                           "%s is no longer connected in this way; connect it again: POST "
                           "/api/integrations/{id}/reconnect.",
                           attempt->definition->name);
    attempt->settings = json_parse(row->settings, strlen(row->settings), STORE_JSON_MAX, error);
    return attempt->settings && connection_open(config->db, &call->scope, config->keyring, row->id,
                                                &attempt->credentials, error);
}

bool testing_begin(Call *call, GError **error) {
    g_auto(IntegrationRow) found = {0};
    g_autoptr(Attempt) attempt = attempt_new(call);
    if (!integration_row_find(call, &found, error) ||
        !integration_row_require(call, found.row, error))
        return false;
    if (strcmp(found.row->status, INTEGRATION_DISCONNECTED) == 0)
        return call_refuse(call, PROBLEM_CONFLICT, error, "%s", INTEGRATION_ROW_GONE);
    const Definition *definition = integration_row_definition(call, found.row, error);
    if (!definition)
        return false;
    attempt->definition = definition_ref(definition);
    attempt->integration_id = g_strdup(found.row->id);
    attempt->integration = g_strdup(found.row->name);
    attempt->connection = found.row->connection;
    if (!open_credential(call, found.row, attempt, error))
        return false;
    return attempt_begin(call, g_steal_pointer(&attempt),
                         &(ErrandWish){.kind = "test", .status = 200, .work = test_work});
}

/* --- shape ------------------------------------------------------------------------------------ */

static const ShapeField tested_fields[] = {
    SHAPE_FIELD("success", BOOLEAN, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("id", ID, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("status", STRING, SHAPE_REQUIRED, "As it is now."),
    ATTEMPT_ACCOUNT,
    {0}};
const Shape testing_shape = {.name = "Tested", .fields = tested_fields, .open = true};
