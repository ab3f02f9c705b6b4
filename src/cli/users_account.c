#include "cli/users_account.h"

#include "base/id.h"
#include "cli/access.h"
#include "cli/naming.h"
#include "cli/password_source.h"
#include "cli/users.h"
#include "present/people_object.h"
#include "store/organization.h"
#include "store/user.h"
#include "store/user_session.h"

#define ACCOUNT "/api/installation/users/{id}"
#define FOR_OPERATOR "on a server this is for the operator of the installation; "

/* Whoever is not the operator is told what else there is. */
static void say_instead(GError **error, const char *instead) {
    if (error_code_of(*error) != ERROR_PERMISSION_DENIED)
        return;
    g_clear_error(error);
    g_set_error_literal(error, ASSAY_ERROR, ERROR_PERMISSION_DENIED, instead);
}

/* --- add -------------------------------------------------------------------------------------- */

typedef struct {
    const char *id; /* of a new user */
    const char *email;
    const char *name;
    const char *hash;
    const Membership *may;
    User *user;                 /* the result */
    Organization *organization; /* ... */
    bool is_new;                /* ... */
} AddWork;

static void add_work_clear(AddWork *work) {
    g_clear_pointer(&work->user, user_free);
    g_clear_pointer(&work->organization, organization_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AddWork, add_work_clear)

static bool add_user(DbUnit *unit, AddWork *work, GError **error) {
    User row = {
        .id = work->id, .email = work->email, .name = work->name, .password_hash = work->hash};
    return user_insert(unit, &row, error) && user_get(unit, work->id, &work->user, error) &&
           users_note(unit, AUDIT_USER_ADDED, work->user, error);
}

static bool add_work(DbUnit *unit, void *data, GError **error) {
    AddWork *work = data;
    add_work_clear(work);
    if (!user_find(unit, work->email, &work->user, error))
        return false;
    work->is_new = work->user == NULL;
    if (work->is_new && !add_user(unit, work, error))
        return false;
    Membership membership = *work->may;
    membership.user_id = work->user->id;
    return membership_insert(unit, &membership, error) &&
           users_note(unit, AUDIT_MEMBER_CHANGED, work->user, error) &&
           organization_get(unit, &work->organization, error);
}

typedef struct {
    const char *email;
    User *found;
} LookWork;

static bool look_work(DbUnit *unit, void *data, GError **error) {
    LookWork *work = data;
    g_clear_pointer(&work->found, user_free);
    return user_find(unit, work->email, &work->found, error);
}

static bool look(const Session *session, const char *email, bool *known_out, GError **error) {
    LookWork work = {.email = email};
    bool ok = session_run(session, DB_READ, look_work, &work, error);
    *known_out = work.found != NULL;
    user_free(work.found);
    return ok;
}

/* Only a new user needs a password. */
static bool read_hash(const Session *session, const Arguments *arguments, const char *email,
                      char **hash_out, GError **error) {
    bool known = false;
    return look(session, email, &known, error) &&
           (known ||
            password_source_hash(arguments_text(arguments, "password"), email, hash_out, error));
}

/* {"success", "user", "organization", "isNew"}; takes both. */
static void print_added(const Output *output, Json *take_user, Json *take_organization,
                        bool is_new) {
    g_autoptr(Json) json = json_new_object();
    json_put_bool(json, "success", true);
    json_put(json, "user", take_user);
    json_put(json, "organization", take_organization);
    json_put_bool(json, "isNew", is_new);
    output_json(output, json);
    output_line(output,
                is_new ? "%s was added to %s."
                       : "%s is in %s now, with the account that was there before.",
                json_member_string(take_user, "email", ""),
                json_member_string(take_organization, "name", ""));
}

/* The address of who is to be added, when that and the name will do; the caller frees it. */
static char *whom(const Arguments *arguments, GError **error) {
    return naming_check("--name", arguments_text(arguments, "name"), USER_NAME_MAX, error)
               ? user_email_normal(arguments_word(arguments, 0), error)
               : NULL;
}

static bool run_add(CommandCall *call, GError **error) {
    const Arguments *arguments = call->arguments;
    g_autofree char *email = whom(arguments, error);
    g_auto(Access) access = {0};
    g_autofree char *hash = NULL;
    g_autofree char *id = id_new();
    const char *name = arguments_text(arguments, "name");
    g_autoptr(Session) session = email ? session_open(arguments, SESSION_MAKE, error) : NULL;
    if (!session || !access_init(&access, session, arguments, "member", error) ||
        !access_expiry(arguments, &access.membership.expires_at, error) ||
        !read_hash(session, arguments, email, &hash, error))
        return false;
    g_auto(AddWork) work = {.id = id,
                            .email = email,
                            .name = name ? name : email,
                            .hash = hash,
                            .may = &access.membership};
    if (!session_run(session, DB_WRITE, add_work, &work, error))
        return false;
    print_added(call->output, user_object(work.user), organization_object(work.organization),
                work.is_new);
    return true;
}

/* Whether a server has an account of this address. */
static bool look_there(Remote *remote, const char *email, bool *known_out, GError **error) {
    g_autofree char *path = remote_path(ACCOUNT, email);
    g_autoptr(GError) failure = NULL;
    g_autoptr(Json) user = remote_get(remote, path, NULL, &failure);
    *known_out = user != NULL;
    if (user || error_code_of(failure) == ERROR_NOT_FOUND)
        return true;
    say_instead(&failure, FOR_OPERATOR "`assay users invite` makes a link by which somebody joins");
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static Json *send_added(Remote *remote, const Arguments *arguments, const Json *body, bool known,
                        GError **error) {
    static const char path[] = "/api/installation/users";
    const char *email = json_member_string(body, "email", "");
    g_autoptr(Secret) password = NULL;
    if (known)
        return remote_send(remote, "POST", path, body, error);
    if (!password_source_read(arguments_text(arguments, "password"), email, &password, error))
        return NULL;
    const RemoteSecret secrets[] = {{"password", password}, {0}};
    return remote_send_secrets(remote, "POST", path, body, NULL, secrets, error);
}

static bool ask_add(CommandCall *call, Remote *remote, GError **error) {
    const Arguments *arguments = call->arguments;
    g_autofree char *email = whom(arguments, error);
    g_auto(Access) access = {0};
    bool known = false;
    if (!email || !look_there(remote, email, &known, error) ||
        !access_init_remote(&access, remote, arguments, "member", error) ||
        !access_expiry(arguments, &access.membership.expires_at, error))
        return false;
    g_autoptr(Json) body = access_body(&access);
    json_put_string(body, "email", email);
    if (arguments_text(arguments, "name"))
        json_put_string(body, "name", arguments_text(arguments, "name"));
    g_autoptr(Json) added = send_added(remote, arguments, body, known, error);
    if (!added)
        return false;
    print_added(call->output, json_ref(json_member(added, "user")),
                json_ref(json_member(added, "organization")),
                json_member_bool(added, "isNew", false));
    return true;
}

static const Option add_options[] = {
    ACCESS_OPTIONS,
    {"name", OPTION_TEXT, "NAME", "the person's name (else the e-mail address)"},
    {"password", OPTION_TEXT, "SOURCE", "@FILE, env:VARIABLE or - (else it is asked for)"},
    {"expires", OPTION_TEXT, "TIME", "when the membership ends: a date, or 90d from now"},
    {0}};

const Command users_add_command = {
    .name = "users add",
    .summary = "add a person with a password",
    .usage = "E-MAIL [--role ROLE] [--name NAME] [--password SOURCE]",
    .about = "The password is asked for without echo, twice. Whoever has an account already gets\n"
             "a role in this organization and keeps his password.",
    .examples = "assay users add ada@example.com --role owner\n"
                "assay users add eve@example.com --role auditor --from 2026-01-01 "
                "--until 2027-01-01\n"
                "assay users add bob@example.com --password env:BOBS_PASSWORD",
    .options = add_options,
    .least = 1,
    .most = 1,
    .run = run_add,
    .remote = ask_add,
};

/* --- out, in, and the password ---------------------------------------------------------------- */

typedef struct Change Change;
struct Change {
    const char *wanted;
    bool (*apply)(DbUnit *unit, const Change *change, const User *user, GError **error);
    AuditAction action;
    const char *done;
    const char *hash;
    User *user; /* the result */
};

static bool change_work(DbUnit *unit, void *data, GError **error) {
    Change *change = data;
    g_autoptr(User) user = NULL;
    g_clear_pointer(&change->user, user_free);
    return users_find(unit, change->wanted, &user, error) &&
           change->apply(unit, change, user, error) &&
           users_note(unit, change->action, user, error) &&
           user_get(unit, user->id, &change->user, error);
}

static bool change_here(CommandCall *call, const Session *session, Change *change, GError **error) {
    bool ok = session_run(session, DB_WRITE, change_work, change, error);
    g_autoptr(User) user = change->user;
    if (ok)
        users_print_changed(call->output, user_object(user), change->done);
    return ok;
}

static bool apply_disabled(DbUnit *unit, const Change *change, const User *user, GError **error) {
    return user_set_disabled(unit, user->id, change->action == AUDIT_USER_DISABLED, error) &&
           user_session_end_others(unit, user->id, NULL, error);
}

static const Change disabling = {.apply = apply_disabled,
                                 .action = AUDIT_USER_DISABLED,
                                 .done = "is disabled, and logged out everywhere."};
static const Change enabling = {
    .apply = apply_disabled, .action = AUDIT_USER_ENABLED, .done = "is enabled."};

static bool set_disabled(CommandCall *call, const Change *kind, GError **error) {
    Change change = *kind;
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    change.wanted = arguments_word(call->arguments, 0);
    return session && change_here(call, session, &change, error);
}

static bool run_disable(CommandCall *call, GError **error) {
    return set_disabled(call, &disabling, error);
}

static bool run_enable(CommandCall *call, GError **error) {
    return set_disabled(call, &enabling, error);
}

/* Prints what a server has answered, which it takes, or says why not. */
static bool changed_there(CommandCall *call, Json *take_user, const char *done, GError **error) {
    if (take_user)
        users_print_changed(call->output, take_user, done);
    else
        say_instead(error, FOR_OPERATOR "`assay users remove` ends a membership");
    return take_user != NULL;
}

static bool ask_disabled(CommandCall *call, Remote *remote, const Change *kind, GError **error) {
    g_autofree char *path = remote_path(ACCOUNT, arguments_word(call->arguments, 0));
    g_autoptr(Json) body = json_new_object();
    json_put_bool(body, "disabled", kind->action == AUDIT_USER_DISABLED);
    return changed_there(call, remote_send(remote, "PATCH", path, body, error), kind->done, error);
}

static bool ask_disable(CommandCall *call, Remote *remote, GError **error) {
    return ask_disabled(call, remote, &disabling, error);
}

static bool ask_enable(CommandCall *call, Remote *remote, GError **error) {
    return ask_disabled(call, remote, &enabling, error);
}

static bool apply_password(DbUnit *unit, const Change *change, const User *user, GError **error) {
    return user_set_password(unit, user->id, change->hash, error) &&
           user_session_end_others(unit, user->id, NULL, error);
}

#define PASSWORD_DONE "has the new password, and is logged out everywhere."

static bool run_password(CommandCall *call, GError **error) {
    const Arguments *arguments = call->arguments;
    g_autofree char *email = user_email_normal(arguments_word(arguments, 0), error);
    g_autofree char *hash = NULL;
    bool known = false;
    g_autoptr(Session) session = email ? session_open(arguments, SESSION_READ, error) : NULL;
    /* Nobody is asked for a password of nobody. */
    if (!session || !look(session, email, &known, error) ||
        (known &&
         !password_source_hash(arguments_text(arguments, "password"), email, &hash, error)))
        return false;
    Change change = {.wanted = email,
                     .apply = apply_password,
                     .action = AUDIT_PASSWORD_CHANGED,
                     .done = PASSWORD_DONE,
                     .hash = hash};
    return change_here(call, session, &change, error);
}

static bool ask_password(CommandCall *call, Remote *remote, GError **error) {
    const Arguments *arguments = call->arguments;
    g_autofree char *email = user_email_normal(arguments_word(arguments, 0), error);
    g_autofree char *account = email ? remote_path(ACCOUNT, email) : NULL;
    g_autoptr(Json) user = account ? remote_get(remote, account, NULL, error) : NULL;
    g_autoptr(Secret) password = NULL;
    if (!user) {
        say_instead(error, FOR_OPERATOR "whoever is logged in changes his own password");
        return false;
    }
    if (!password_source_read(arguments_text(arguments, "password"), email, &password, error))
        return false;
    g_autofree char *path = g_strconcat(account, "/password", NULL);
    g_autoptr(Json) body = json_new_object();
    const RemoteSecret secrets[] = {{"password", password}, {0}};
    Json *changed = remote_send_secrets(remote, "PUT", path, body, NULL, secrets, error);
    return changed_there(call, changed, PASSWORD_DONE, error);
}

const Command users_disable_command = {
    .name = "users disable",
    .summary = "keep somebody out of the whole installation",
    .usage = "E-MAIL",
    .about = "Ends all sessions at once. Memberships stay and work again after `users enable`.",
    .examples = "assay users disable eve@example.com",
    .least = 1,
    .most = 1,
    .run = run_disable,
    .remote = ask_disable,
};

const Command users_enable_command = {
    .name = "users enable",
    .summary = "let a disabled person in again",
    .usage = "E-MAIL",
    .examples = "assay users enable eve@example.com",
    .least = 1,
    .most = 1,
    .run = run_enable,
    .remote = ask_enable,
};

static const Option password_options[] = {
    {"password", OPTION_TEXT, "SOURCE", "@FILE, env:VARIABLE or - (else it is asked for)"}, {0}};

const Command users_password_command = {
    .name = "users password",
    .summary = "set a new password for somebody who lost his",
    .usage = "E-MAIL [--password SOURCE]",
    .about = "Ends all sessions of the user.",
    .examples = "assay users password ada@example.com",
    .options = password_options,
    .least = 1,
    .most = 1,
    .run = run_password,
    .remote = ask_password,
};
