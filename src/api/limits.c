#include "api/limits.h"

#include "api/call.h"
#include "sync/budget_view.h"
#include "sync/limit_choice.h"
#include "sync/limit_object.h"

/* --- looking ---------------------------------------------------------------------------------- */

/* Redis is asked on a connection of its own; when it does not answer, the object says so. */
static bool list(Call *call, GError **error) {
    const ApiConfig *config = &call->desk->config;
    g_autoptr(Redis) redis = config->redis_url ? redis_new(config->redis_url, error) : NULL;
    g_auto(BudgetOverview) overview = {0};
    if ((config->redis_url && !redis) ||
        !budget_overview_read(call_db(call), redis, &overview, error))
        return false;
    return call_answer(call, 200,
                       limit_overview_object(&overview, desk_tuning(call->desk)->limits));
}

/* --- the operator's own ----------------------------------------------------------------------- */

/* The provider's id, of an id or alias. */
static const char *find_provider(Call *call, GError **error) {
    Registry *registry = call_registry(call, error);
    const Definition *definition =
        registry ? registry_find(registry, call_parameter(call, "provider"), error) : NULL;
    return definition ? definition->id : NULL;
}

static bool set(Call *call, GError **error) {
    AuditActor actor = call_actor(call);
    g_autofree char *text = NULL;
    g_autoptr(GError) failure = NULL;
    const char *provider = find_provider(call, error);
    const char *rate = json_member_string(call->body, "limit", "");
    if (!provider)
        return false;
    if (limit_choose(call_db(call), &actor, provider, rate, &text, &failure))
        return call_answer(call, 200, limit_choice_object(provider, text));
    if (error_code_of(failure) == ERROR_CONFIGURATION)
        return call_wrong(call, error, "/limit", "%s", failure->message);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool clear(Call *call, GError **error) {
    AuditActor actor = call_actor(call);
    const char *provider = find_provider(call, error);
    return provider && limit_forget(call_db(call), &actor, provider, error) &&
           call_answer(call, 200, limit_choice_object(provider, NULL));
}

/* --- shapes ----------------------------------------------------------------------------------- */

#define REQ SHAPE_REQUIRED
#define MAYBE (SHAPE_REQUIRED | SHAPE_NULLABLE)

static const char *const kinds[] = {"rate", "quota", "concurrency", NULL};
static const char *const authorities[] = {"provider", "declared", "operator", NULL};
static const char *const origins[] = {"command", "configuration", NULL};

static const ShapeField limit_fields[] = {
    SHAPE_FIELD("key", STRING, REQ, "Whoever shares it counts under this key."),
    SHAPE_FIELD("provider", STRING, REQ, NULL),
    SHAPE_FIELD("integrationId", STRING, MAYBE, "null: several connections share it."),
    SHAPE_FIELD("accountId", STRING, MAYBE, "All connections to this account of AWS share it."),
    SHAPE_FIELD("kind", STRING, REQ, NULL, .words = kinds),
    SHAPE_FIELD("declared", STRING, MAYBE, "50/1m; null: calls at a time only."),
    SHAPE_FIELD("inForce", STRING, MAYBE, NULL),
    SHAPE_FIELD("authority", STRING, REQ, "Who said what is in force.", .words = authorities),
    SHAPE_FIELD("remaining", INTEGER, MAYBE, NULL),
    SHAPE_FIELD("resetAt", TIME, MAYBE, NULL),
    SHAPE_FIELD("heldUntil", TIME, MAYBE, "The service asked to wait until then."),
    SHAPE_FIELD("pace", NUMBER, REQ, "1: full; less after answers that said \"too many\"."),
    SHAPE_FIELD("usedAt", TIME, MAYBE, NULL),
    {0}};
static const Shape limit_shape = {.name = "Limit", .fields = limit_fields};

static const ShapeField own_fields[] = {
    SHAPE_FIELD("provider", STRING, REQ, NULL),
    SHAPE_FIELD("limit", STRING, REQ, "30/1m."),
    SHAPE_FIELD("origin", STRING, REQ, NULL, .words = origins),
    SHAPE_FIELD("setAt", TIME, MAYBE, "null: it stands in the configuration."),
    {0}};
static const Shape own_shape = {.name = "OperatorLimit", .fields = own_fields};

static const ShapeField counted_fields[] = {
    SHAPE_FIELD("in", STRING, REQ, "database or redis."),
    SHAPE_FIELD("since", TIME, MAYBE, NULL),
    SHAPE_FIELD("reachable", BOOLEAN, REQ, "false: Redis does not answer here."),
    {0}};
static const Shape counted_shape = {.fields = counted_fields};

static const ShapeField overview_fields[] = {
    SHAPE_FIELD("limits", ARRAY, REQ, NULL, .of = &limit_shape, .most = BUDGET_VIEW_MAX),
    SHAPE_FIELD("operator", ARRAY, REQ, "The operator's own.", .of = &own_shape),
    SHAPE_FIELD("counted", OBJECT, REQ, "Where all workers count.", .of = &counted_shape),
    {0}};
static const Shape overview_shape = {.name = "Limits", .fields = overview_fields};

static const ShapeField wish_fields[] = {
    SHAPE_FIELD("limit", STRING, REQ, "Calls per time, such as 30/1m.", .most = 32), {0}};
static const Shape wish_shape = {.name = "LimitChoice", .fields = wish_fields};

static const ShapeField chosen_fields[] = {
    SHAPE_FIELD("provider", STRING, REQ, NULL),
    SHAPE_FIELD("limit", STRING, MAYBE, "null: there is none any more."),
    {0}};
static const Shape chosen_shape = {.name = "LimitChosen", .fields = chosen_fields};

/* --- routes ----------------------------------------------------------------------------------- */

const Route limit_routes[] = {
    {.method = "GET",
     .path = "/api/limits",
     .id = "listLimits",
     .tag = "Operations",
     .summary = "How often services may be called, and what is left of it.",
     .access = ACCESS_OPERATOR,
     .action = ACTION_INSTALLATION_READ,
     .handle = list,
     .reply = &overview_shape},
    {.method = "PUT",
     .path = "/api/limits/{provider}",
     .id = "setLimit",
     .tag = "Operations",
     .summary = "Calls a service less often than it allows, for each connection.",
     .access = ACCESS_OPERATOR,
     .action = ACTION_INSTALLATION_CHANGE,
     .handle = set,
     .body = &wish_shape,
     .reply = &chosen_shape},
    {.method = "DELETE",
     .path = "/api/limits/{provider}",
     .id = "clearLimit",
     .tag = "Operations",
     .summary = "Takes the operator's own limit of a service away.",
     .access = ACCESS_OPERATOR,
     .action = ACTION_INSTALLATION_CHANGE,
     .handle = clear,
     .reply = &chosen_shape},
    {0}};
