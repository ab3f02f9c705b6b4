#include "api/reconnecting.h"

#include "api/attempt.h"
#include "api/connect_form.h"
#include "api/integration_row.h"
#include "connect/aws_trust.h"
#include "sync/schedule.h"

#include <string.h>

/* --- storing ---------------------------------------------------------------------------------- */

static bool store(const Attempt *attempt, const DbScope *scope, NewConnection *connection,
                  GError **error) {
    const ApiConfig *config = &attempt->desk->config;
    connection->stored = schedule_go_on;
    return connection_renew(config->db, scope, config->keyring, attempt->integration_id, connection,
                            error);
}

static bool reconnect_work(Crew *crew, void *data, Json **body_out, GError **error) {
    static const AttemptWay way = {AUDIT_INTEGRATION_RECONNECTED, store};
    return attempt_connect(crew, data, &way, body_out, error);
}

/* The role's trust policy demands the external id that it was given once: no other one is made as
 * long as that is known. */
static void keep_external_id(Call *call, Attempt *attempt) {
    const ApiConfig *config = &call->desk->config;
    g_autoptr(Credentials) before = NULL;
    g_autoptr(GError) gone = NULL;
    if (!attempt->external_id_made || !connection_open(config->db, &call->scope, config->keyring,
                                                       attempt->integration_id, &before, &gone))
        return;
    const Secret *known = credentials_get(before, AWS_FIELD_EXTERNAL_ID);
    const char *id = known ? secret_text(known) : NULL;
    Secret *copy = id ? secret_new(id, strlen(id), &gone) : NULL;
    if (!copy)
        return;
    credentials_put(attempt->credentials, AWS_FIELD_EXTERNAL_ID, copy);
    attempt->external_id_made = false;
}

/* --- the request ------------------------------------------------------------------------------ */

bool reconnecting_begin(Call *call, GError **error) {
    g_auto(IntegrationTarget) target = {0};
    g_auto(IntegrationRow) found = {0};
    g_auto(ConnectForm) form = {0};
    if (!integration_row_find(call, &found, error) ||
        !integration_row_require(call, found.row, error) ||
        !integration_target_init_row(&target, call, found.row, error) ||
        !connect_form_init_again(&form, call, target.definition, found.row->settings, error))
        return false;
    Attempt *attempt = attempt_new(call);
    attempt_take_form(attempt, &form);
    attempt->integration_id = g_strdup(found.row->id);
    attempt->integration = g_strdup(found.row->name);
    keep_external_id(call, attempt);
    attempt->may_be_another = json_member_bool(call->body, "anotherAccount", false);
    return attempt_begin(call, attempt,
                         &(ErrandWish){.kind = "reconnect", .status = 200, .work = reconnect_work});
}

/* --- shape ------------------------------------------------------------------------------------ */

static const ShapeField reconnect_fields[] = {
    SHAPE_FIELD("organizationId", STRING, 0, "When the caller is in several."),
    SHAPE_FIELD("companyId", STRING, 0, "The same."),
    SHAPE_FIELD("accountId", STRING, 0, "The same."),
    SHAPE_FIELD("auth", STRING, 0, "May be left out when the fields fit one way only.",
                .most = 100),
    SHAPE_FIELD("credentials", OBJECT, SHAPE_REQUIRED | SHAPE_SECRET, "As for connecting."),
    SHAPE_FIELD("settings", OBJECT, 0, "Those that change; the others stay."),
    SHAPE_FIELD("anotherAccount", BOOLEAN, 0,
                "It may be another account than before, whose evidence stays."),
    {0}};
const Shape reconnecting_shape = {.name = "ReconnectRequest", .fields = reconnect_fields};
