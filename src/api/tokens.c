#include "api/tokens.h"

#include "api/access_body.h"
#include "api/entry.h"
#include "api/people_shape.h"
#include "base/clock.h"
#include "base/id.h"
#include "present/people_object.h"
#include "store/api_token.h"
#include "store/audit.h"
#include "vault/ticket.h"

#include <string.h>

/* --- lists ------------------------------------------------------------------------------------ */

static bool list(Call *call, GError **error) {
    return call_answer_roll(call, &token_roll, error);
}

static bool list_all(Call *call, GError **error) {
    return call_answer_roll(call, &whole_token_roll, error);
}

/* --- making one ------------------------------------------------------------------------------- */

typedef struct {
    Call *call;
    const ApiToken *row;
    const Membership *access;
} MakeWork;

static bool note(DbUnit *unit, const Call *call, AuditAction action, const ApiToken *row,
                 GError **error) {
    AuditActor actor = call_actor(call);
    AuditEntry entry = {.action = action,
                        .actor = &actor,
                        .target_kind = "token",
                        .target_id = row->id,
                        .target_name = row->name};
    return audit_add(unit, &entry, error);
}

/* A token that makes another one does so for whoever has made it. */
static bool find_maker(DbUnit *unit, const Call *call, char **user_id_out, GError **error) {
    const Caller *caller = call->caller;
    *user_id_out = g_strdup(caller->subject.user_id);
    return *user_id_out || api_token_maker(unit, caller->id, user_id_out, error);
}

static int64_t earlier(int64_t end, int64_t other) {
    return end == 0 || (other != 0 && other < end) ? other : end;
}

/* When the token that asks ends, or its access; 0: never, or a person asks. */
static bool find_own_end(DbUnit *unit, const Call *call, int64_t *end_out, GError **error) {
    const Caller *caller = call->caller;
    g_autoptr(ApiToken) token = NULL;
    g_autoptr(Membership) access = NULL;
    *end_out = 0;
    if (caller->subject.user_id)
        return true;
    if (!api_token_get(unit, caller->id, &token, error) ||
        !api_token_find_access(unit, caller->id, &access, error))
        return false;
    *end_out = earlier(token->expires_at, access ? access->expires_at : 0);
    return true;
}

/* Else the end of a token would be no end: it could leave another one behind. */
static bool ends_in_time(DbUnit *unit, const Call *call, int64_t end, GError **error) {
    int64_t own = 0;
    if (!find_own_end(unit, call, &own, error))
        return false;
    if (own == 0 || (end != 0 && end <= own))
        return true;
    g_autofree char *shown = clock_format(own);
    g_set_error(error, ASSAY_ERROR, ERROR_PERMISSION_DENIED,
                "A token that ends gives nothing that lasts longer; say an expiresAt of %s or "
                "before.",
                shown);
    return false;
}

/* end: of what the token will be able to do with it; 0: never. */
static bool give(DbUnit *unit, const Call *call, const Membership *access, int64_t end,
                 GError **error) {
    g_autofree char *maker = NULL;
    return ends_in_time(unit, call, end, error) && find_maker(unit, call, &maker, error) &&
           access_body_require(unit, access, error) &&
           api_token_allow_by(unit, maker, access, error);
}

static bool make_work(DbUnit *unit, void *data, GError **error) {
    const MakeWork *work = data;
    return api_token_insert(unit, work->row, error) &&
           give(unit, work->call, work->access, work->row->expires_at, error) &&
           note(unit, work->call, AUDIT_TOKEN_CREATED, work->row, error);
}

static bool answer_made(Call *call, const ApiToken *row, const char *token) {
    Json *json = json_new_object();
    json_put_string(json, "token", token);
    json_put(json, "tokenInfo", token_object(row));
    return call_answer(call, 201, json);
}

static bool make(Call *call, GError **error) {
    g_auto(AccessBody) access = {0};
    char hash[DIGEST_HEX_SIZE];
    char id[ID_SIZE];
    if (!access_body_init(&access, call, error))
        return false;
    bool scanner = strcmp(access.membership.role, role_name(ROLE_SCANNER)) == 0;
    g_autoptr(Secret) ticket = ticket_new(scanner ? TICKET_SCANNER : TICKET_API, error);
    if (!ticket)
        return false;
    id_write(id);
    ticket_hash(secret_text(ticket), hash);
    g_autofree char *hint = ticket_hint(secret_text(ticket));
    ApiToken row = {.id = id,
                    .name = json_member_string(call->body, "name", ""),
                    .token_hash = hash,
                    .hint = hint,
                    .created_by = call->caller->subject.user_id,
                    .created_at = clock_now_ms(),
                    .expires_at = access.membership.expires_at};
    access.membership.user_id = id;
    access.membership.expires_at = 0; /* the token's own end is the access' */
    MakeWork work = {.call = call, .row = &row, .access = &access.membership};
    return call_run(call, DB_WRITE, make_work, &work, error) &&
           answer_made(call, &row, secret_text(ticket));
}

/* --- one more organization -------------------------------------------------------------------- */

typedef struct {
    Call *call;
    const char *id;
    const Membership *access; /* to be given */
    bool seen;
} AllowWork;

static bool see_work(DbUnit *unit, void *data, GError **error) {
    AllowWork *work = data;
    g_autoptr(Membership) access = NULL;
    bool ok = api_token_find_access(unit, work->id, &access, error);
    work->seen = access != NULL;
    return ok;
}

static bool may_list(const UserMembership *membership) {
    RoleSubject subject = {.role = ROLE_NONE};
    return role_from_name(membership->role, &subject.role) &&
           role_allows(&subject, ACTION_TOKEN_READ, NULL);
}

/* Whoever names a token has it in a list of his: an organization's, or the operator's. */
static bool require_seen(AllowWork *work, GError **error) {
    Call *call = work->call;
    const GPtrArray *reach = call->caller->reach;
    work->seen = call_is_operator(call);
    for (guint i = 0; i < reach->len && !work->seen; i++) {
        const UserMembership *membership = g_ptr_array_index(reach, i);
        DbScope scope = {.organization = membership->organization_id, .actor = call->caller->id};
        if (may_list(membership) && !db_run(call_db(call), &scope, DB_READ, see_work, work, error))
            return false;
    }
    return work->seen ||
           call_refuse(call, PROBLEM_NOT_FOUND, error, "%s",
                       "There is no such token in the organizations whose tokens you see.");
}

static bool allow_work(DbUnit *unit, void *data, GError **error) {
    const AllowWork *work = data;
    g_autoptr(ApiToken) token = NULL;
    if (!api_token_get(unit, work->id, &token, error))
        return false;
    if (token->revoked_at != 0) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFLICT,
                            "This token is revoked everywhere; make a new one.");
        return false;
    }
    int64_t end = earlier(token->expires_at, work->access->expires_at);
    return give(unit, work->call, work->access, end, error) &&
           note(unit, work->call, AUDIT_TOKEN_CREATED, token, error);
}

static bool allow(Call *call, GError **error) {
    g_auto(AccessBody) access = {0};
    AllowWork work = {.call = call, .id = call_parameter(call, "id"), .access = &access.membership};
    if (!require_seen(&work, error) || !access_body_init(&access, call, error))
        return false;
    access.membership.user_id = work.id;
    if (!call_run(call, DB_WRITE, allow_work, &work, error))
        return false;
    Json *json = json_new_object();
    json_put_bool(json, "success", true);
    return call_answer(call, 201, json);
}

/* --- ending it -------------------------------------------------------------------------------- */

static bool revoke_work(DbUnit *unit, void *data, GError **error) {
    Call *call = data;
    const char *id = call_parameter(call, "id");
    g_autoptr(ApiToken) token = NULL;
    return api_token_disallow(unit, id, error) && api_token_get(unit, id, &token, error) &&
           note(unit, call, AUDIT_TOKEN_REVOKED, token, error);
}

static bool end_one(Call *call, GError **error) {
    if (!call_run(call, DB_WRITE, revoke_work, call, error))
        return false;
    return call_answer_success(call);
}

typedef struct {
    Call *call;
    ApiToken *token;
    GPtrArray *reach; /* UserMembership */
} EndWork;

static bool end_work(DbUnit *unit, void *data, GError **error) {
    EndWork *work = data;
    const char *id = call_parameter(work->call, "id");
    g_clear_pointer(&work->token, api_token_free);
    g_clear_pointer(&work->reach, g_ptr_array_unref);
    return api_token_get(unit, id, &work->token, error) &&
           api_token_list_reach(unit, id, &work->reach, error) &&
           api_token_revoke(unit, id, error) &&
           note(unit, work->call, AUDIT_TOKEN_REVOKED, work->token, error);
}

/* Every organization that it reached has it in its log. */
static bool tell_ended(Call *call, const EndWork *work, GError **error) {
    AuditActor actor = call_actor(call);
    AuditEntry entry = {.action = AUDIT_TOKEN_REVOKED,
                        .actor = &actor,
                        .target_kind = "token",
                        .target_id = work->token->id,
                        .target_name = work->token->name};
    return entry_tell(call, work->reach, &entry, error);
}

static bool end_whole(Call *call, GError **error) {
    EndWork work = {.call = call};
    DbScope scope = call->scope;
    scope.organization = AUDIT_INSTALLATION;
    bool ok = db_run(call_db(call), &scope, DB_WRITE, end_work, &work, error) &&
              tell_ended(call, &work, error);
    g_clear_pointer(&work.token, api_token_free);
    g_clear_pointer(&work.reach, g_ptr_array_unref);
    if (!ok)
        return false;
    return call_answer_success(call);
}

/* --- routes ----------------------------------------------------------------------------------- */

static const ShapeField make_fields[] = {
    SHAPE_FIELD("name", STRING, SHAPE_REQUIRED, "For people.", .most = API_TOKEN_NAME_MAX),
    ACCESS_BODY_FIELDS,
    SHAPE_FIELD("expiresAt", TIME, SHAPE_NULLABLE, "Never, when it is not said."),
    SHAPE_FIELD("organizationId", STRING, 0, "When the caller is in several."),
    {0}};
static const Shape make_shape = {.name = "TokenWish", .fields = make_fields};

static const ShapeField allow_fields[] = {
    ACCESS_BODY_FIELDS,
    SHAPE_FIELD("expiresAt", TIME, SHAPE_NULLABLE, "When this access ends."),
    SHAPE_FIELD("organizationId", STRING, 0, "The one that it is to reach."),
    {0}};
static const Shape allow_shape = {.name = "TokenAccessWish", .fields = allow_fields};

const Route token_routes[] = {{.method = "GET",
                               .path = "/api/tokens",
                               .id = "listTokens",
                               .tag = "Tokens",
                               .summary = "Tokens that reach the organization, ended ones too.",
                               .access = ACCESS_ROLE,
                               .action = ACTION_TOKEN_READ,
                               .flags = ROUTE_LIST,
                               .handle = list,
                               .reply = &token_list_shape},
                              {.method = "POST",
                               .path = "/api/tokens",
                               .id = "createToken",
                               .tag = "Tokens",
                               .summary = "Make a token for a program; it is shown once.",
                               .access = ACCESS_ROLE,
                               .action = ACTION_TOKEN_CHANGE,
                               .flags = ROUTE_SECRET,
                               .handle = make,
                               .body = &make_shape,
                               .status = 201,
                               .reply = &token_made_shape},
                              {.method = "DELETE",
                               .path = "/api/tokens/{id}",
                               .id = "revokeToken",
                               .tag = "Tokens",
                               .summary = "End a token's access to the organization.",
                               .access = ACCESS_ROLE,
                               .action = ACTION_TOKEN_CHANGE,
                               .handle = end_one,
                               .reply = &success_shape},
                              {.method = "POST",
                               .path = "/api/tokens/{id}/access",
                               .id = "allowToken",
                               .tag = "Tokens",
                               .summary = "Let a token that you see reach the organization, too.",
                               .access = ACCESS_ROLE,
                               .action = ACTION_TOKEN_CHANGE,
                               .handle = allow,
                               .body = &allow_shape,
                               .status = 201,
                               .reply = &success_shape},
                              {.method = "DELETE",
                               .path = "/api/installation/tokens/{id}",
                               .id = "revokeWholeToken",
                               .tag = "Operations",
                               .summary = "Make a token worthless everywhere.",
                               .access = ACCESS_OPERATOR,
                               .action = ACTION_INSTALLATION_CHANGE,
                               .handle = end_whole,
                               .reply = &success_shape},
                              {.method = "GET",
                               .path = "/api/installation/tokens",
                               .id = "listAllTokens",
                               .tag = "Operations",
                               .summary = "All tokens of the installation.",
                               .access = ACCESS_OPERATOR,
                               .action = ACTION_INSTALLATION_READ,
                               .flags = ROUTE_LIST,
                               .handle = list_all,
                               .reply = &operator_token_list_shape},
                              {0}};
