#include "api/accounts.h"

#include "api/access_body.h"
#include "api/entry.h"
#include "api/gate.h"
#include "api/people_shape.h"
#include "api/revision.h"
#include "present/people_object.h"
#include "store/audit.h"
#include "store/organization.h"
#include "store/user.h"
#include "store/user_session.h"
#include "vault/password.h"

#include <string.h>

static bool list(Call *call, GError **error) {
    return call_answer_roll(call, &user_roll, error);
}

/* --- one account ------------------------------------------------------------------------------ */

typedef struct Change Change;
struct Change {
    Call *call;
    bool (*apply)(DbUnit *unit, const Change *change, GError **error);
    AuditAction action;
    User *user;
    GPtrArray *reach; /* UserMembership */
};

static void change_clear(Change *change) {
    g_clear_pointer(&change->user, user_free);
    g_clear_pointer(&change->reach, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Change, change_clear)

static void change_free(void *change) {
    change_clear(change);
    g_free(change);
}

static bool read_account(DbUnit *unit, void *data, GError **error) {
    Change *change = data;
    const char *wanted = call_parameter(change->call, "id");
    g_autofree char *email = user_email_normal(wanted, NULL);
    g_clear_pointer(&change->user, user_free);
    if (!user_find(unit, email ? email : wanted, &change->user, error))
        return false;
    if (!change->user)
        g_set_error_literal(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                            "There is no such user in this installation.");
    return change->user != NULL;
}

static Json *show_account(const Call *call, const void *data) {
    (void)call;
    return user_object(((const Change *)data)->user);
}

static AuditEntry entry_of(const Change *change, const AuditActor *actor) {
    return (AuditEntry){.action = change->action,
                        .actor = actor,
                        .target_kind = "user",
                        .target_id = change->user->id,
                        .target_name = change->user->email};
}

static bool write_account(DbUnit *unit, Call *call, void *data, GError **error) {
    Change *change = data;
    AuditActor actor = call_actor(call);
    AuditEntry entry = entry_of(change, &actor);
    g_clear_pointer(&change->reach, g_ptr_array_unref);
    return change->apply(unit, change, error) && audit_add(unit, &entry, error) &&
           membership_list_of_user(unit, change->user->id, &change->reach, error);
}

static const Revision changing = {
    .read = read_account, .show = show_account, .write = write_account};

/* The installation has it in its log, and so has every organization that the person is in. */
static bool answer_changed(Call *call, Change *change, GError **error) {
    DbScope scope = call->scope;
    call->scope.organization = AUDIT_INSTALLATION;
    bool ok = revision_make(call, &changing, change, error);
    call->scope = scope;
    if (!ok)
        return false;
    AuditActor actor = call_actor(call);
    AuditEntry entry = entry_of(change, &actor);
    return entry_tell(call, change->reach, &entry, error) &&
           call_answer(call, 200, user_object(change->user));
}

static bool get(Call *call, GError **error) {
    g_auto(Change) look = {.call = call};
    return call_run(call, DB_READ, read_account, &look, error) &&
           call_answer(call, 200, user_object(look.user));
}

static bool apply_disabled(DbUnit *unit, const Change *change, GError **error) {
    bool disabled = change->action == AUDIT_USER_DISABLED;
    return user_set_disabled(unit, change->user->id, disabled, error) &&
           (!disabled || user_session_end_others(unit, change->user->id, NULL, error));
}

static bool set_disabled(Call *call, GError **error) {
    bool disabled = json_member_bool(call->body, "disabled", false);
    g_auto(Change) change = {.call = call,
                             .apply = apply_disabled,
                             .action = disabled ? AUDIT_USER_DISABLED : AUDIT_USER_ENABLED};
    return answer_changed(call, &change, error);
}

/* --- a new password --------------------------------------------------------------------------- */

static bool apply_password(DbUnit *unit, const Change *change, GError **error) {
    return user_set_password(unit, change->user->id, change->call->password_hash, error) &&
           user_session_end_others(unit, change->user->id, NULL, error);
}

static bool store_password(Call *call, GError **error) {
    return answer_changed(call, call->asked.held, error);
}

static bool hash_password(Call *call, Change *change, GError **error) {
    g_autoptr(Secret) password = entry_password(call, "password", error);
    if (!password || !call_run(call, DB_READ, read_account, change, error) ||
        !password_check(password, change->user->email, error))
        return false;
    change->apply = apply_password;
    return call_ask_password(call, &(CallPassword){.password = password,
                                                   .make = true,
                                                   .resume = store_password,
                                                   .held = change,
                                                   .free_held = change_free});
}

static bool set_password(Call *call, GError **error) {
    Change *change = g_new0(Change, 1);
    *change = (Change){.call = call, .action = AUDIT_PASSWORD_CHANGED};
    if (hash_password(call, change, error))
        return true;
    change_free(change);
    return false;
}

/* --- adding somebody -------------------------------------------------------------------------- */

typedef struct {
    Call *call;
    AccessBody access;
    char *email;
    char new_id[ID_SIZE];
    char *organization_id;
    bool first;                 /* the caller may only give an organization its first owner */
    User *user;                 /* NULL: nobody has the address yet */
    bool is_new;                /* what came of it */
    Organization *organization; /* ... */
} Adding;

static void adding_free(void *data) {
    Adding *adding = data;
    access_body_clear(&adding->access);
    g_free(adding->email);
    g_free(adding->organization_id);
    user_free(adding->user);
    organization_free(adding->organization);
    g_free(adding);
}

static bool look_work(DbUnit *unit, void *data, GError **error) {
    Adding *adding = data;
    g_clear_pointer(&adding->user, user_free);
    g_clear_pointer(&adding->organization, organization_free);
    return user_find(unit, adding->email, &adding->user, error) &&
           organization_find_by_name(unit, adding->organization_id, &adding->organization, error);
}

/* Where he has no role, the operator still knows what organizations there are. */
static bool enter(Adding *adding, GError **error) {
    Call *call = adding->call;
    const Membership *may = &adding->access.membership;
    const char *wanted = gate_organization(call);
    g_autoptr(GError) outside = NULL;
    if (!caller_enter(call->caller, wanted, &outside)) {
        adding->first = error_code_of(outside) == ERROR_NOT_FOUND && wanted;
        adding->organization_id = g_strdup(wanted);
    } else if (access_body_may(call, may->role, may->grants, error)) {
        adding->organization_id = g_strdup(call->caller->organization);
    } else {
        return false;
    }
    if (adding->organization_id && !call_run(call, DB_READ, look_work, adding, error))
        return false;
    if (adding->organization)
        return true;
    if (!wanted && error_code_of(outside) == ERROR_NOT_FOUND)
        return call_refuse(call, PROBLEM_BAD_REQUEST, error, "%s",
                           "Say which organization is meant: your token has a role in none.");
    g_propagate_error(error, g_steal_pointer(&outside));
    return false;
}

static bool add_user(DbUnit *unit, Adding *adding, const AuditEntry *entry, GError **error) {
    const Call *call = adding->call;
    User row = {.id = adding->new_id,
                .email = adding->email,
                .name = json_member_string(call->body, "name", adding->email),
                .password_hash = call->password_hash};
    adding->is_new = true;
    return user_insert(unit, &row, error) && user_get(unit, adding->new_id, &adding->user, error) &&
           audit_add(unit, entry, error);
}

static bool check_first(DbUnit *unit, const Adding *adding, GError **error) {
    g_autoptr(GPtrArray) members = NULL;
    if (!adding->first)
        return true;
    if (!membership_list(unit, NULL, 1, &members, error))
        return false;
    if (members->len > 0)
        g_set_error_literal(error, ASSAY_ERROR, ERROR_PERMISSION_DENIED,
                            "This organization has members already; its owners and admins invite "
                            "people.");
    return members->len == 0;
}

static bool add_work(DbUnit *unit, void *data, GError **error) {
    Adding *adding = data;
    AuditActor actor = call_actor(adding->call);
    Membership membership = adding->access.membership;
    AuditEntry entry = {.action = AUDIT_USER_ADDED,
                        .actor = &actor,
                        .target_kind = "user",
                        .target_id = adding->new_id,
                        .target_name = adding->email};
    adding->is_new = false;
    g_clear_pointer(&adding->user, user_free);
    if (!check_first(unit, adding, error) || !access_body_require(unit, &membership, error) ||
        !user_find(unit, adding->email, &adding->user, error) ||
        (!adding->user && !add_user(unit, adding, &entry, error)))
        return false;
    entry.action = AUDIT_MEMBER_CHANGED;
    entry.target_id = membership.user_id = adding->user->id;
    return membership_insert(unit, &membership, error) && audit_add(unit, &entry, error);
}

static bool store(Call *call, Adding *adding, GError **error) {
    DbScope scope = {
        .organization = adding->organization->id, .actor = call->caller->id, .role = "operator"};
    if (!db_run(call_db(call), &scope, DB_WRITE, add_work, adding, error))
        return false;
    Json *json = json_new_object();
    json_put(json, "user", user_object(adding->user));
    json_put(json, "organization", organization_object(adding->organization));
    json_put_bool(json, "isNew", adding->is_new);
    return call_answer(call, 201, json);
}

static bool store_hashed(Call *call, GError **error) {
    return store(call, call->asked.held, error);
}

/* Reads the wish. */
static bool prepare(Adding *adding, GError **error) {
    Call *call = adding->call;
    adding->email = user_email_normal(json_member_string(call->body, "email", ""), error);
    if (!adding->email || !access_body_read(&adding->access, call, error) || !enter(adding, error))
        return false;
    if (adding->first && strcmp(adding->access.membership.role, role_name(ROLE_OWNER)) != 0)
        return call_wrong(call, error, "/role", "is owner for the first in an organization");
    if (!adding->user && !json_member(call->body, "password"))
        return call_wrong(call, error, "/password", "is missing: nobody has this address yet");
    return true;
}

static bool ask_password(Call *call, Adding *adding, GError **error) {
    g_autoptr(Secret) password = entry_password(call, "password", error);
    return password && password_check(password, adding->email, error) &&
           call_ask_password(call, &(CallPassword){.password = password,
                                                   .make = true,
                                                   .resume = store_hashed,
                                                   .held = adding,
                                                   .free_held = adding_free});
}

static bool add(Call *call, GError **error) {
    Adding *adding = g_new0(Adding, 1);
    adding->call = call;
    id_write(adding->new_id);
    bool ok = prepare(adding, error);
    if (ok && !adding->user && ask_password(call, adding, error))
        return true;
    ok = ok && adding->user && store(call, adding, error);
    adding_free(adding);
    return ok;
}

/* --- routes ----------------------------------------------------------------------------------- */

static const ShapeField add_fields[] = {
    SHAPE_FIELD("email", STRING, SHAPE_REQUIRED, NULL, .most = 320),
    SHAPE_FIELD("name", STRING, 0, "Of a new user.", .most = USER_NAME_MAX),
    SHAPE_FIELD("password", STRING, SHAPE_SECRET,
                "Of a new user; whoever has an account keeps his.", .most = PASSWORD_MOST),
    ACCESS_BODY_FIELDS,
    SHAPE_FIELD("expiresAt", TIME, SHAPE_NULLABLE, "When the membership ends."),
    SHAPE_FIELD("organizationId", STRING, 0, "When the caller is in several, or in none."),
    {0}};
static const Shape add_shape = {.name = "UserWish", .fields = add_fields};

static const ShapeField change_fields[] = {
    SHAPE_FIELD("disabled", BOOLEAN, SHAPE_REQUIRED, "true ends all sessions, too."), {0}};
static const Shape change_shape = {.name = "UserChange", .fields = change_fields};

static const ShapeField password_fields[] = {
    SHAPE_FIELD("password", STRING, SHAPE_REQUIRED | SHAPE_SECRET, "12 characters or more.",
                .most = PASSWORD_MOST),
    {0}};
static const Shape password_shape = {.name = "UserPassword", .fields = password_fields};

const Route account_routes[] = {
    {.method = "GET",
     .path = "/api/installation/users",
     .id = "listAllUsers",
     .tag = "Operations",
     .summary = "All users of the installation.",
     .access = ACCESS_OPERATOR,
     .action = ACTION_INSTALLATION_READ,
     .flags = ROUTE_LIST,
     .handle = list,
     .reply = &user_list_shape},
    {.method = "POST",
     .path = "/api/installation/users",
     .id = "addUser",
     .tag = "Operations",
     .summary = "Make somebody a member, with a password when he has no account yet.",
     .access = ACCESS_OPERATOR,
     .action = ACTION_INSTALLATION_CHANGE,
     .flags = ROUTE_SECRET,
     .handle = add,
     .body = &add_shape,
     .status = 201,
     .reply = &user_added_shape},
    {.method = "GET",
     .path = "/api/installation/users/{id}",
     .id = "getAccount",
     .tag = "Operations",
     .summary = "One user, by id or e-mail address.",
     .access = ACCESS_OPERATOR,
     .action = ACTION_INSTALLATION_READ,
     .flags = ROUTE_OBJECT | ROUTE_BRIEF,
     .handle = get,
     .reply = &user_shape_of_api},
    {.method = "PATCH",
     .path = "/api/installation/users/{id}",
     .id = "changeAccount",
     .tag = "Operations",
     .summary = "Keep a user out of the whole installation, or let him in again.",
     .access = ACCESS_OPERATOR,
     .action = ACTION_INSTALLATION_CHANGE,
     .flags = ROUTE_OBJECT,
     .handle = set_disabled,
     .body = &change_shape,
     .reply = &user_shape_of_api},
    {.method = "PUT",
     .path = "/api/installation/users/{id}/password",
     .id = "setAccountPassword",
     .tag = "Operations",
     .summary = "Set a new password for somebody who lost his; all his sessions end.",
     .access = ACCESS_OPERATOR,
     .action = ACTION_INSTALLATION_CHANGE,
     .flags = ROUTE_SECRET,
     .handle = set_password,
     .body = &password_shape,
     .reply = &user_shape_of_api},
    {0}};
