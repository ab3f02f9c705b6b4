#include "api/login.h"

#include "api/entry.h"
#include "api/people_shape.h"
#include "present/people_object.h"
#include "store/login_attempt.h"
#include "store/user.h"
#include "store/user_session.h"
#include "vault/password.h"
#include "vault/ticket.h"

#include <string.h>

/* --- coming in -------------------------------------------------------------------------------- */

/* What the two halves of a login share; the halves lie on two sides of a sleep. */
typedef struct {
    char *email;  /* as it is counted: also of nobody */
    bool address; /* it has the form of one */
    User *user;   /* NULL: nobody's address */
} Login;

static void login_free(void *data) {
    Login *login = data;
    g_free(login->email);
    user_free(login->user);
    g_free(login);
}

typedef struct {
    Call *call;
    Login *login;
    const Entry *entry;
    GPtrArray *reach; /* UserMembership */
    int64_t wait_ms;
} LoginWork;

static LoginSource source_of(const LoginWork *work) {
    return (LoginSource){.email = work->login->email, .address = work->call->client_text};
}

/* By address alone: an id would be a second name, whose failures are counted for themselves. */
static bool take_work(DbUnit *unit, void *data, GError **error) {
    LoginWork *work = data;
    Login *login = work->login;
    LoginSource source = source_of(work);
    g_clear_pointer(&login->user, user_free);
    return login_attempt_take(unit, &source, &work->wait_ms, error) &&
           (!login->address || user_find(unit, login->email, &login->user, error));
}

static void set_retry_after(Call *call, int64_t wait_ms) {
    g_autofree char *seconds = g_strdup_printf("%" G_GINT64_FORMAT, (wait_ms + 999) / 1000);
    if (wait_ms > 0)
        reply_set_header(&call->reply, "Retry-After", seconds);
}

/* Who mixes up the two fields has typed a password, which is not for the log. */
static AuditActor actor_of(const Call *call, const Login *login) {
    return (AuditActor){.kind = AUDIT_USER,
                        .id = login->user ? login->user->id : NULL,
                        .name = login->address ? login->email : NULL,
                        .address = call->client_text,
                        .request_id = call->request_id};
}

static bool deny_work(DbUnit *unit, void *data, GError **error) {
    const LoginWork *work = data;
    AuditActor actor = actor_of(work->call, work->login);
    AuditEntry entry = {.action = AUDIT_SESSION_LOGIN, .actor = &actor, .result = AUDIT_DENIED};
    return audit_add(unit, &entry, error);
}

static bool deny(Call *call, Login *login, GError **error) {
    LoginWork work = {.call = call, .login = login};
    return db_run(call_db(call), &entry_scope, DB_WRITE, deny_work, &work, error) &&
           call_refuse(call, PROBLEM_UNAUTHENTICATED, error, "%s",
                       "E-mail address and password do not belong together.");
}

/* The password may have been changed, or the user disabled, while it was looked at. */
static bool is_unchanged(DbUnit *unit, const Login *login, bool *unchanged_out, GError **error) {
    g_autoptr(User) now = NULL;
    if (!user_get(unit, login->user->id, &now, error))
        return false;
    *unchanged_out =
        now->disabled_at == 0 && g_strcmp0(now->password_hash, login->user->password_hash) == 0;
    return true;
}

static bool admit_work(DbUnit *unit, void *data, GError **error) {
    LoginWork *work = data;
    const User *user = work->login->user;
    const char *new_hash = work->call->password_hash;
    LoginSource source = source_of(work);
    AuditActor actor = actor_of(work->call, work->login);
    AuditEntry entry = {.action = AUDIT_SESSION_LOGIN, .actor = &actor};
    bool unchanged = false;
    g_clear_pointer(&work->reach, g_ptr_array_unref);
    if (!is_unchanged(unit, work->login, &unchanged, error))
        return false;
    if (!unchanged) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_AUTHENTICATION_FAILED,
                            "E-mail address and password do not belong together.");
        return false;
    }
    return login_attempt_forgive(unit, &source, error) &&
           (!new_hash || user_rehash(unit, user->id, user->password_hash, new_hash, error)) &&
           entry_store(unit, work->entry, work->call, user->id, error) &&
           membership_list_of_user(unit, user->id, &work->reach, error) &&
           audit_add(unit, &entry, error);
}

static bool admit(Call *call, GError **error) {
    Login *login = call->asked.held;
    g_auto(Entry) entry = {0};
    if (!call->password_matches)
        return deny(call, login, error);
    LoginWork work = {.call = call, .login = login, .entry = &entry};
    bool ok = entry_init(&entry, error) &&
              db_run(call_db(call), &entry_scope, DB_WRITE, admit_work, &work, error);
    g_autoptr(GPtrArray) reach = work.reach;
    AuditActor actor = actor_of(call, login);
    AuditEntry told = {.action = AUDIT_SESSION_LOGIN, .actor = &actor};
    return ok && entry_tell(call, reach, &told, error) && entry_answer(call, &entry, 200, error);
}

/* What cannot be an address is counted and looked at like any other. */
static void set_email(Login *login, const char *text) {
    login->email = user_email_normal(text, NULL);
    login->address = login->email != NULL;
    if (!login->email)
        login->email = g_ascii_strdown(text, (gssize)MIN(strlen(text), USER_EMAIL_MAX));
}

static bool log_in(Call *call, GError **error) {
    Login *login = g_new0(Login, 1);
    set_email(login, json_member_string(call->body, "email", ""));
    LoginWork work = {.call = call, .login = login};
    g_autoptr(Secret) password = entry_password(call, "password", error);
    if (!password || !db_run(call_db(call), &entry_scope, DB_WRITE, take_work, &work, error)) {
        set_retry_after(call, work.wait_ms);
        login_free(login);
        return false;
    }
    bool open = login->user && login->user->disabled_at == 0;
    return call_ask_password(call, &(CallPassword){.password = password,
                                                   .hash = open ? login->user->password_hash : NULL,
                                                   .resume = admit,
                                                   .held = login,
                                                   .free_held = login_free});
}

/* --- who one is ------------------------------------------------------------------------------- */

static bool who(Call *call, GError **error) {
    (void)error;
    return call_answer(call, 200, entry_object(call->caller));
}

static bool require_session(Call *call, GError **error) {
    return call->caller->session_id != NULL ||
           call_refuse(call, PROBLEM_UNPROCESSABLE, error, "%s",
                       "A token has no session; revoke it instead.");
}

/* --- sessions --------------------------------------------------------------------------------- */

typedef struct {
    Call *call;
    const char *id;
    AuditAction action;
    GPtrArray *rows;
} SessionWork;

static bool end_work(DbUnit *unit, void *data, GError **error) {
    const SessionWork *work = data;
    AuditActor actor = call_actor(work->call);
    AuditEntry entry = {
        .action = work->action, .actor = &actor, .target_kind = "session", .target_id = work->id};
    return user_session_end(unit, work->call->caller->id, work->id, error) &&
           audit_add(unit, &entry, error);
}

static bool end_session(Call *call, const char *id, AuditAction action, GError **error) {
    SessionWork work = {.call = call, .id = id, .action = action};
    if (!db_run(call_db(call), &entry_scope, DB_WRITE, end_work, &work, error))
        return false;
    if (strcmp(id, call->caller->session_id) == 0)
        entry_forget(call);
    return call_answer_success(call);
}

static bool log_out(Call *call, GError **error) {
    return require_session(call, error) &&
           end_session(call, call->caller->session_id, AUDIT_SESSION_LOGOUT, error);
}

static bool end_one(Call *call, GError **error) {
    return require_session(call, error) &&
           end_session(call, call_parameter(call, "id"), AUDIT_SESSION_REVOKED, error);
}

static bool list_work(DbUnit *unit, void *data, GError **error) {
    SessionWork *work = data;
    g_clear_pointer(&work->rows, g_ptr_array_unref);
    return user_session_list(unit, work->call->caller->id, &work->rows, error);
}

static bool list(Call *call, GError **error) {
    SessionWork work = {.call = call};
    bool ok = require_session(call, error) &&
              db_run(call_db(call), &entry_scope, DB_READ, list_work, &work, error);
    g_autoptr(GPtrArray) rows = work.rows;
    if (!ok)
        return false;
    Json *sessions = json_new_array();
    for (guint i = 0; i < rows->len; i++)
        json_add(sessions, session_object(g_ptr_array_index(rows, i), call->caller->session_id));
    return call_answer_list(call, "sessions", sessions, NULL);
}

/* --- one's own password ----------------------------------------------------------------------- */

typedef struct {
    Call *call;
    const Entry *entry;
} PasswordWork;

/* Held while the new password is hashed: the hash that the present one fitted. Every session ends,
 * so that a copy of this one's cookie is worth nothing; another one begins for the browser. */
static bool store_work(DbUnit *unit, void *data, GError **error) {
    const PasswordWork *work = data;
    Call *call = work->call;
    const char *present = call->asked.held;
    AuditActor actor = call_actor(call);
    AuditEntry entry = {.action = AUDIT_PASSWORD_CHANGED,
                        .actor = &actor,
                        .target_kind = "user",
                        .target_id = call->caller->id,
                        .target_name = call->caller->name};
    return user_change_password(unit, call->caller->id, present, call->password_hash, error) &&
           user_session_end_others(unit, call->caller->id, NULL, error) &&
           entry_store(unit, work->entry, call, call->caller->id, error) &&
           audit_add(unit, &entry, error);
}

static bool store_password(Call *call, GError **error) {
    g_auto(Entry) entry = {0};
    PasswordWork work = {.call = call, .entry = &entry};
    if (!entry_init(&entry, error) ||
        !db_run(call_db(call), &entry_scope, DB_WRITE, store_work, &work, error))
        return false;
    char *csrf = ticket_csrf(secret_text(entry.ticket));
    Json *json = json_new_object();
    json_put_bool(json, "success", true);
    json_put_string(json, "csrfToken", csrf);
    secmem_free_text(csrf);
    entry_give(call, &entry);
    return call_answer(call, 200, json);
}

static bool forgive_work(DbUnit *unit, void *data, GError **error) {
    LoginSource source = source_of(data);
    return login_attempt_forgive(unit, &source, error);
}

/* The present password was right: now the new one is hashed. */
static bool make_password(Call *call, GError **error) {
    Login *login = call->asked.held;
    LoginWork work = {.call = call, .login = login};
    if (!call->password_matches)
        return call_refuse(call, PROBLEM_FORBIDDEN, error, "%s",
                           "The present password is another one.");
    g_autoptr(Secret) password = entry_password(call, "newPassword", error);
    g_autofree char *present = g_strdup(login->user->password_hash);
    if (!password || !db_run(call_db(call), &entry_scope, DB_WRITE, forgive_work, &work, error))
        return false;
    call_forget_password(call);
    return call_ask_password(call, &(CallPassword){.password = password,
                                                   .make = true,
                                                   .resume = store_password,
                                                   .held = g_steal_pointer(&present),
                                                   .free_held = g_free});
}

/* Guessing is as hard here as at the door. */
static bool change_password(Call *call, GError **error) {
    g_autoptr(Secret) present = NULL;
    g_autoptr(Secret) wanted = NULL;
    if (!require_session(call, error) || !(present = entry_password(call, "password", error)) ||
        !(wanted = entry_password(call, "newPassword", error)) ||
        !password_check(wanted, call->caller->name, error))
        return false;
    Login *login = g_new0(Login, 1);
    set_email(login, call->caller->name);
    LoginWork work = {.call = call, .login = login};
    if (!db_run(call_db(call), &entry_scope, DB_WRITE, take_work, &work, error)) {
        set_retry_after(call, work.wait_ms);
        login_free(login);
        return false;
    }
    return call_ask_password(
        call, &(CallPassword){.password = present,
                              .hash = login->user ? login->user->password_hash : NULL,
                              .resume = make_password,
                              .held = login,
                              .free_held = login_free});
}

/* --- routes ----------------------------------------------------------------------------------- */

static const ShapeField login_fields[] = {
    SHAPE_FIELD("email", STRING, SHAPE_REQUIRED, NULL, .most = 320),
    SHAPE_FIELD("password", STRING, SHAPE_REQUIRED | SHAPE_SECRET, NULL, .most = PASSWORD_MOST),
    {0}};
static const Shape login_shape = {.name = "Login", .fields = login_fields};

static const ShapeField password_fields[] = {
    SHAPE_FIELD("password", STRING, SHAPE_REQUIRED | SHAPE_SECRET, "The present one.",
                .most = PASSWORD_MOST),
    SHAPE_FIELD("newPassword", STRING, SHAPE_REQUIRED | SHAPE_SECRET, "12 characters or more.",
                .most = PASSWORD_MOST),
    {0}};
static const Shape password_shape = {.name = "PasswordChange", .fields = password_fields};

static const ShapeField changed_fields[] = {
    SHAPE_FIELD("success", BOOLEAN, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("csrfToken", STRING, SHAPE_REQUIRED, "For X-CSRF-Token, of the new session."),
    {0}};
static const Shape changed_shape = {.name = "PasswordChanged", .fields = changed_fields};

const Route login_routes[] = {
    {.method = "POST",
     .path = "/api/session",
     .id = "logIn",
     .tag = "Sessions",
     .summary = "Log in; the session comes as a cookie.",
     .access = ACCESS_PUBLIC,
     .flags = ROUTE_SECRET,
     .handle = log_in,
     .body = &login_shape,
     .reply = &entry_shape},
    {.method = "GET",
     .path = "/api/session",
     .id = "getSession",
     .tag = "Sessions",
     .summary = "Who sends this, in which organizations he is, and the CSRF token.",
     .access = ACCESS_SIGNED_IN,
     .handle = who,
     .reply = &entry_shape},
    {.method = "DELETE",
     .path = "/api/session",
     .id = "logOut",
     .tag = "Sessions",
     .summary = "Log out.",
     .access = ACCESS_SIGNED_IN,
     .handle = log_out,
     .reply = &success_shape},
    {.method = "POST",
     .path = "/api/session/password",
     .id = "changePassword",
     .tag = "Sessions",
     .summary = "Change one's own password; all sessions end, and a new one comes as a cookie.",
     .access = ACCESS_SIGNED_IN,
     .flags = ROUTE_SECRET,
     .handle = change_password,
     .body = &password_shape,
     .reply = &changed_shape},
    {.method = "GET",
     .path = "/api/sessions",
     .id = "listSessions",
     .tag = "Sessions",
     .summary = "One's own sessions.",
     .access = ACCESS_SIGNED_IN,
     .handle = list,
     .reply = &session_list_shape},
    {.method = "DELETE",
     .path = "/api/sessions/{id}",
     .id = "endSession",
     .tag = "Sessions",
     .summary = "End one of one's own sessions.",
     .access = ACCESS_SIGNED_IN,
     .handle = end_one,
     .reply = &success_shape},
    {0}};
