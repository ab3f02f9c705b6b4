#include "api/connecting.h"

#include "api/attempt.h"
#include "api/connect_form.h"
#include "api/object_shape.h"
#include "api/ownership.h"
#include "api/reconnecting.h"
#include "api/testing.h"
#include "sync/queue.h"

#include <string.h>

/* --- storing ---------------------------------------------------------------------------------- */

/* Whom it is to belong to may have left while the service was asked. */
static bool noted(DbUnit *unit, const Integration *integration, void *data, GError **error) {
    return ownership_holds(unit, integration->owner_user_id, error) &&
           attempt_noted(unit, integration, data, error);
}

static bool store(const Attempt *attempt, const DbScope *scope, NewConnection *connection,
                  GError **error) {
    const ApiConfig *config = &attempt->desk->config;
    g_autofree char *id = NULL;
    connection->stored = queue_first_sync;
    connection->noted = noted;
    return connection_store(config->db, scope, config->keyring, connection, &id, error);
}

static bool connect_work(Crew *crew, void *data, Json **body_out, GError **error) {
    static const AttemptWay way = {AUDIT_INTEGRATION_CONNECTED, store};
    return attempt_connect(crew, data, &way, body_out, error);
}

/* --- the request ------------------------------------------------------------------------------ */

typedef struct {
    const char *name;
    char *taken; /* the status of the one that has it; NULL: none */
} NameWork;

static bool name_work(DbUnit *unit, void *data, GError **error) {
    NameWork *work = data;
    g_autoptr(Integration) found = NULL;
    g_autoptr(GError) missing = NULL;
    g_clear_pointer(&work->taken, g_free);
    if (integration_find(unit, work->name, &found, &missing)) {
        work->taken = g_strdup(found->status);
        return true;
    }
    if (g_error_matches(missing, ASSAY_ERROR, ERROR_NOT_FOUND))
        return true;
    g_propagate_error(error, g_steal_pointer(&missing));
    return false;
}

/* A name that is taken, or none, is told before the service is asked anything. */
static bool check_name(Call *call, const char *name, GError **error) {
    g_autoptr(GError) wrong = NULL;
    NameWork work = {.name = name};
    if (!name)
        return true;
    if (!connection_check_name(name, &wrong))
        return call_wrong(call, error, "/name", "%s", wrong->message);
    bool ok = call_run(call, DB_READ, name_work, &work, error);
    g_autofree char *taken = work.taken;
    if (!ok || !taken)
        return ok;
    bool gone = strcmp(taken, INTEGRATION_DISCONNECTED) == 0;
    return call_refuse(call, PROBLEM_CONFLICT, error, "%s",
                       gone ? "There is a disconnected integration of this name: connect it again "
                              "with POST /api/integrations/{id}/reconnect, or choose another name."
                            : "There is an integration of this name; choose another.");
}

/* What belongs to somebody else is not for everybody to connect. */
static bool check_owner(Call *call, const char **owner_out, GError **error) {
    if (!ownership_read(call, owner_out, error))
        return false;
    RoleResource resource = {.owner_user_id = *owner_out};
    return call_require(call, &resource, error);
}

static bool connect_now(Call *call, GError **error) {
    g_auto(ConnectForm) form = {0};
    const char *name = json_member_string(call->body, "name", NULL);
    const char *owner = NULL;
    if (!check_name(call, name, error) || !check_owner(call, &owner, error) ||
        !connect_form_init(&form, call, error))
        return false;
    Attempt *attempt = attempt_new(call);
    attempt_take_form(attempt, &form);
    attempt->name = g_strdup(name);
    attempt->owner_user_id = g_strdup(owner);
    return attempt_begin(call, attempt,
                         &(ErrandWish){.kind = "connect", .status = 201, .work = connect_work});
}

/* --- routes ----------------------------------------------------------------------------------- */

static const ShapeField connect_fields[] = {
    SHAPE_FIELD("organizationId", STRING, 0, "When the caller is in several."),
    SHAPE_FIELD("companyId", STRING, 0, "The same."),
    SHAPE_FIELD("accountId", STRING, 0, "The same."),
    SHAPE_FIELD("integrationType", STRING, SHAPE_REQUIRED, "A provider, by id or alias.",
                .most = 100),
    SHAPE_FIELD("name", STRING, 0, "Unique in the organization; by default the provider's id.",
                .most = 100),
    SHAPE_FIELD("auth", STRING, 0, "May be left out when the fields fit one way only.",
                .most = 100),
    SHAPE_FIELD("credentials", OBJECT, SHAPE_REQUIRED | SHAPE_SECRET,
                "accessToken; accessKeyId and secretAccessKey; roleArn ...; what is no secret "
                "(region) is a setting."),
    SHAPE_FIELD("settings", OBJECT, 0, "See the provider."),
    SHAPE_FIELD("ownerUserId", ID, SHAPE_NULLABLE,
                "Whom it is to belong to; by default the organization. Others than oneself are "
                "for owners and admins."),
    SHAPE_FIELD("personal", BOOLEAN, 0, "It is to belong to who is signed in."),
    {0}};
static const Shape connect_shape = {.name = "ConnectRequest", .fields = connect_fields};

const Route connecting_routes[] = {
    {.method = "POST",
     .path = "/api/integrations/connect",
     .id = "connectIntegration",
     .tag = "Integrations",
     .summary = "Tests a credential and stores it sealed; the first sync is queued.",
     .access = ACCESS_ROLE,
     .action = ACTION_INTEGRATION_CONNECT,
     .flags = ROUTE_WAITS,
     .handle = connect_now,
     .body = &connect_shape,
     .status = 201,
     .reply = &attempt_stored_shape},
    {.method = "POST",
     .path = "/api/integrations/{id}/test",
     .id = "testIntegration",
     .tag = "Integrations",
     .summary = "Asks the service whether the stored credential works.",
     .access = ACCESS_ROLE,
     .action = ACTION_INTEGRATION_CHANGE,
     .flags = ROUTE_WAITS,
     .handle = testing_begin,
     .reply = &testing_shape},
    {.method = "POST",
     .path = "/api/integrations/{id}/reconnect",
     .id = "reconnectIntegration",
     .tag = "Integrations",
     .summary = "Tests another credential and puts it in the place of the one before; id and "
                "history stay.",
     .access = ACCESS_ROLE,
     .action = ACTION_INTEGRATION_CHANGE,
     .flags = ROUTE_WAITS,
     .handle = reconnecting_begin,
     .body = &reconnecting_shape,
     .reply = &attempt_stored_shape},
    {0}};
