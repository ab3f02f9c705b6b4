#include "api/gate.h"

#include "api/limiter.h"
#include "api/metrics.h"
#include "api/token_use.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "store/audit.h"
#include "store/user_session.h"

#include <string.h>

/* --- how often -------------------------------------------------------------------------------- */

static bool take(Call *call, Limiter *limiter, const char *key, GError **error) {
    unsigned wait_s = 0;
    if (limiter_take(limiter, key, &wait_s))
        return true;
    g_autofree char *wait = g_strdup_printf("%u", wait_s);
    reply_set_header(&call->reply, "Retry-After", wait);
    metrics_count(call->desk->metrics, METRIC_LIMITED);
    return call_refuse(call, PROBLEM_TOO_MANY, error,
                       "The limit of requests a minute is spent; try again in %u seconds.", wait_s);
}

static bool take_as_stranger(Call *call, GError **error) {
    char address[ADDRESS_TEXT_SIZE];
    Address near = address_neighbourhood(&call->client);
    address_write(&near, address);
    return take(call, call->desk->strangers, address, error);
}

/* --- who -------------------------------------------------------------------------------------- */

static bool seen_work(DbUnit *unit, void *data, GError **error) {
    const Caller *caller = data;
    return user_session_seen(unit, caller->session_id, error);
}

static bool note_use(Call *call, GError **error) {
    static const DbScope looking = {.actor = "api", .system = true};
    Caller *caller = call->caller;
    if (strcmp(caller->kind, AUDIT_TOKEN) == 0)
        token_use_note(call->desk->token_use, caller->id);
    return !caller->seen_due || db_run(call_db(call), &looking, DB_WRITE, seen_work, caller, error);
}

static bool find_caller(Call *call, GError **error) {
    CallerProof proof = {.authorization = call_header(call, "Authorization"),
                         .cookie = call_header(call, "Cookie"),
                         .secure = call->desk->secure};
    if (caller_find(call_db(call), call->desk->recall, &proof, &call->caller, error))
        return take(call, call->desk->limiter, call->caller->id, error) && note_use(call, error);
    if (!g_error_matches(*error, ASSAY_ERROR, ERROR_AUTHENTICATION_FAILED))
        return false;
    metrics_count(call->desk->metrics, METRIC_UNAUTHENTICATED);
    reply_set_header(&call->reply, "WWW-Authenticate", "Bearer realm=\"assay\"");
    g_autoptr(GError) limited = NULL;
    if (take_as_stranger(call, &limited))
        return false;
    g_clear_error(error);
    g_propagate_error(error, g_steal_pointer(&limited));
    return false;
}

static bool is_safe(const Call *call) {
    return strcmp(call->route->method, "GET") == 0;
}

static bool check_origin(Call *call, GError **error) {
    CallerOrigin origin = {.token = call_header(call, "X-CSRF-Token"),
                           .origin = call_header(call, "Origin"),
                           .public_url = call->desk->public_url};
    return is_safe(call) || caller_meant_it(call->caller, &origin) ||
           call_refuse(call, PROBLEM_CSRF, error, "%s",
                       "Send the header X-CSRF-Token with the token of GET /api/session, from the "
                       "installation's own pages.");
}

/* --- what ------------------------------------------------------------------------------------- */

static const char *const organization_names[] = {"organizationId", "companyId", "accountId", NULL};

static const ShapeField organization_fields[] = {
    SHAPE_FIELD("organizationId", STRING, 0, "When the caller is in several."),
    SHAPE_FIELD("companyId", STRING, 0, "The same."),
    SHAPE_FIELD("accountId", STRING, 0, "The same."),
    {0}};
const Shape gate_organization_shape = {.fields = organization_fields};

static bool is_json(const char *type) {
    static const char json[] = "application/json";
    if (!type || g_ascii_strncasecmp(type, json, sizeof json - 1) != 0)
        return false;
    const char *rest = type + sizeof json - 1;
    rest += strspn(rest, " \t");
    return *rest == '\0' || *rest == ';';
}

static bool has_field(const Shape *shape, const char *name) {
    for (const ShapeField *field = shape ? shape->fields : NULL; field && field->name; field++)
        if (strcmp(field->name, name) == 0)
            return true;
    return false;
}

/* Which organization is meant may be said in any body; handlers do not see it. */
static bool take_organization(Call *call, GError **error) {
    bool ok = true;
    for (size_t i = 0; organization_names[i]; i++) {
        const char *name = organization_names[i];
        const Json *named = json_member(call->body, name);
        if (!named || has_field(call->route->body, name))
            continue;
        if (json_kind(named) == JSON_KIND_STRING) {
            json_remove(call->body, name);
            continue;
        }
        g_autofree char *pointer = g_strconcat("/", name, NULL);
        ok = call_wrong(call, error, pointer, "must be a string");
    }
    return ok;
}

/* An empty object is as good as nothing: many clients send one with every POST. */
static bool check_no_body(Call *call, GError **error) {
    if (json_kind(call->body) == JSON_KIND_OBJECT && json_count(call->body) == 0)
        return true;
    return call_refuse(call, PROBLEM_BAD_REQUEST, error, "%s", "No body is expected here.");
}

/* Whether it is what the route takes; whoever may not ask is not told. */
static bool check_body(Call *call, GError **error) {
    size_t size = 0;
    (void)exchange_body(call->exchange, &size);
    if (call->route->access == ACCESS_ROLE && !take_organization(call, error))
        return false;
    if (!call->route->body)
        return check_no_body(call, error);
    if (size == 0)
        return call->route->body_optional || call_wrong(call, error, "", "is missing");
    g_autoptr(GPtrArray) wrongs = shape_check(call->route->body, call->body);
    for (guint i = 0; i < wrongs->len; i++) {
        const ShapeWrong *wrong = g_ptr_array_index(wrongs, i);
        (void)call_wrong(call, error, wrong->pointer, "%s", wrong->detail);
    }
    return wrongs->len == 0;
}

/* It may say which organization is meant. */
static bool read_body(Call *call, GError **error) {
    size_t size = 0;
    const char *text = exchange_body(call->exchange, &size);
    if (size > 0 && !is_json(call_header(call, "Content-Type")))
        return call_refuse(call, PROBLEM_MEDIA_TYPE, error, "%s",
                           "Bodies are sent as application/json.");
    call->body = size > 0 ? json_parse(text, size, SERVER_BODY_MAX, error) : json_new_object();
    if (call->body && call->route->body)
        shape_respell(call->route->body, call->body);
    if (call->body && call->route->access == ACCESS_ROLE)
        shape_respell(&gate_organization_shape, call->body);
    if (call->body)
        return true;
    g_prefix_error(error, "The body is no JSON that can be read: ");
    call->refused = true;
    call->refusal = (Problem){.kind = PROBLEM_BAD_REQUEST};
    return false;
}

/* --- query ------------------------------------------------------------------------------------ */

static bool is_known(const Route *route, const char *name) {
    bool list = (route->flags & ROUTE_LIST) != 0;
    if (g_strv_contains(organization_names, name) ||
        (list && (strcmp(name, "limit") == 0 || strcmp(name, "cursor") == 0)))
        return true;
    return has_field(route->query, name);
}

static bool check_word(const ShapeField *field, const char *value, GError **error) {
    if (!field->words || *value == '\0' || g_strv_contains(field->words, value))
        return true;
    g_autofree char *words = g_strjoinv(", ", (char **)(uintptr_t)field->words);
    g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "%s is one of %s.", field->name, words);
    return false;
}

/* A filter that is misspelt would show more than was asked for. */
static bool check_query(const Call *call, GError **error) {
    const Target *target = &call->target;
    for (size_t i = 0; i < target->query_count; i++) {
        if ((call->route->flags & ROUTE_FOREIGN) || is_known(call->route, target->query[i].name))
            continue;
        g_autofree char *shown = text_name(target->query[i].name);
        g_set_error(error, ASSAY_ERROR, ERROR_USAGE,
                    "There is no parameter \"%s\" here; see /api/docs.", shown);
        return false;
    }
    const ShapeField *field = call->route->query ? call->route->query->fields : NULL;
    for (; field && field->name; field++) {
        const char *value = target_query(target, field->name);
        if (value && !check_word(field, value, error))
            return false;
    }
    return true;
}

/* --- where ------------------------------------------------------------------------------------ */

const char *gate_organization(const Call *call) {
    const char *wanted = call_header(call, "X-Assay-Organization");
    for (size_t i = 0; !wanted && organization_names[i]; i++)
        wanted = json_member_string(call->body, organization_names[i], NULL);
    for (size_t i = 0; !wanted && organization_names[i]; i++)
        wanted = call_query(call, organization_names[i]);
    return wanted;
}

static bool agrees(const char **named, const char *next) {
    if (!next || *next == '\0')
        return true;
    if (!*named)
        *named = next;
    return strcmp(*named, next) == 0;
}

/* Of two names one would be passed over, and something done to the wrong organization. */
static bool names_one_organization(Call *call, GError **error) {
    const char *named = NULL;
    bool one = agrees(&named, call_header(call, "X-Assay-Organization"));
    for (size_t i = 0; organization_names[i]; i++)
        one = agrees(&named, json_member_string(call->body, organization_names[i], NULL)) && one;
    for (size_t i = 0; i < call->target.query_count; i++)
        if (g_strv_contains(organization_names, call->target.query[i].name))
            one = agrees(&named, call->target.query[i].value) && one;
    return one || call_refuse(call, PROBLEM_BAD_REQUEST, error, "%s",
                              "The request names two organizations (organizationId, companyId, "
                              "accountId, X-Assay-Organization); name one.");
}

static bool denied_work(DbUnit *unit, void *data, GError **error) {
    const Call *call = data;
    AuditActor actor = call_actor(call);
    const char *id =
        route_parameter(call->route->path, "id") < 0 ? NULL : call_parameter(call, "id");
    g_autoptr(Json) details = json_new_object();
    json_put_string(details, "operation", call->route->id);
    if (id && id_is_valid(id))
        json_put_string(details, "id", id);
    AuditEntry entry = {.action = AUDIT_REQUEST_DENIED,
                        .actor = &actor,
                        .result = AUDIT_DENIED,
                        .details = details};
    return audit_add(unit, &entry, error);
}

/* The log is for ever: whoever may do nothing must not be able to fill it. */
static bool has_room_for_denial(const Call *call) {
    unsigned ignored = 0;
    return limiter_take(call->desk->denials, call->caller->id, &ignored);
}

void gate_note_denied(Call *call) {
    DbScope scope = call->scope;
    g_autoptr(GError) error = NULL;
    if ((is_safe(call) && call->route->action != ACTION_CREDENTIAL_READ) ||
        !has_room_for_denial(call))
        return;
    if (!scope.organization)
        scope.organization = AUDIT_INSTALLATION;
    if (!db_run(call_db(call), &scope, DB_WRITE, denied_work, call, &error))
        log_line(LOG_WARN, "denial_not_noted", LOG_TEXT("requestId", call->request_id),
                 LOG_TEXT("why", error->message));
}

static bool enter(Call *call, GError **error) {
    Caller *caller = call->caller;
    if (!names_one_organization(call, error) ||
        !caller_enter(caller, gate_organization(call), error))
        return false;
    call->scope = (DbScope){.organization = caller->organization,
                            .actor = caller->id,
                            .role = role_name(caller->subject.role)};
    if (call_may(call, NULL))
        return true;
    return call_refuse(call, PROBLEM_FORBIDDEN, error, "The role %s does not allow this (%s).",
                       role_name(caller->subject.role), role_action_name(call->route->action));
}

static bool check_operator(Call *call, GError **error) {
    call->caller->subject = (RoleSubject){.role = ROLE_NONE, .operator= call->caller->operator};
    call->scope = (DbScope){.actor = call->caller->id, .role = "operator", .system = true};
    if (call_may(call, NULL))
        return names_one_organization(call, error);
    return call_refuse(call, PROBLEM_FORBIDDEN, error, "%s",
                       "This is for the operator of the installation; `assay tokens create NAME "
                       "--operator` on its own machine makes a token for him.");
}

static bool check_role(Call *call, GError **error) {
    switch (call->route->access) {
    case ACCESS_ROLE:
        return enter(call, error);
    case ACCESS_OPERATOR:
        return check_operator(call, error);
    case ACCESS_SIGNED_IN:
        call->scope = (DbScope){.actor = call->caller->id, .system = true};
        return true;
    default:
        return true;
    }
}

bool gate_pass(Call *call, GError **error) {
    bool stranger = call->route->access == ACCESS_PUBLIC;
    if (stranger ? !take_as_stranger(call, error)
                 : !find_caller(call, error) || !check_origin(call, error))
        return false;
    return check_query(call, error) && read_body(call, error) && check_role(call, error) &&
           check_body(call, error);
}
