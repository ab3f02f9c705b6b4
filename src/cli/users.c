#include "cli/users.h"

#include "base/clock.h"
#include "base/id.h"
#include "cli/access.h"
#include "cli/grid.h"
#include "cli/password_source.h"
#include "present/people_object.h"
#include "store/audit.h"
#include "store/invitation.h"
#include "store/user.h"
#include "store/user_session.h"
#include "vault/password.h"
#include "vault/ticket.h"

#include <string.h>

/* --- what happened ---------------------------------------------------------------------------- */

static bool note(DbUnit *unit, AuditAction action, const User *user, GError **error) {
    AuditEntry entry = {.action = action,
                        .actor = access_actor(),
                        .target_kind = "user",
                        .target_id = user->id,
                        .target_name = user->email};
    return audit_add(unit, &entry, error);
}

static bool find_user(DbUnit *unit, const char *wanted, User **user_out, GError **error) {
    g_autofree char *normal = user_email_normal(wanted, NULL);
    g_autoptr(User) user = NULL;
    if (!user_find(unit, normal ? normal : wanted, &user, error))
        return false;
    if (!user) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                            "there is no such user; `assay users list --all` lists those there "
                            "are");
        return false;
    }
    *user_out = g_steal_pointer(&user);
    return true;
}

/* {"success": true, ...} around an object. */
static Json *success(const char *name, Json *take) {
    Json *json = json_new_object();
    json_put_bool(json, "success", true);
    json_put(json, name, take);
    return json;
}

/* --- list ------------------------------------------------------------------------------------- */

typedef struct {
    bool all;
    const char *after;
    int64_t limit;
    GPtrArray *rows; /* User or Member */
} ListWork;

static bool list_work(DbUnit *unit, void *data, GError **error) {
    ListWork *work = data;
    g_clear_pointer(&work->rows, g_ptr_array_unref);
    return work->all ? user_list(unit, work->after, work->limit, &work->rows, error)
                     : membership_list(unit, work->after, work->limit, &work->rows, error);
}

static const GridColumn member_columns[] = {
    {.title = "E-MAIL"}, {.title = "NAME", .gives_way = true},
    {.title = "ROLE"},   {.title = "LAST LOGIN"},
    {.title = "STATE"},  {0}};
static const GridColumn user_columns[] = {{.title = "E-MAIL"},
                                          {.title = "NAME", .gives_way = true},
                                          {.title = "LAST LOGIN"},
                                          {.title = "STATE"},
                                          {0}};

static int64_t time_of(const Json *item, const char *key) {
    int64_t at = 0;
    return clock_parse(json_member_string(item, key, ""), &at) ? at : 0;
}

static const char *state_of(const Json *item) {
    int64_t ends = time_of(item, "expiresAt");
    if (time_of(item, "disabledAt") != 0)
        return "disabled";
    return ends != 0 && ends <= clock_now_ms() ? "ended" : "active";
}

static void print_users(const Output *output, const Json *list, bool all) {
    g_autoptr(Grid) grid = grid_new(all ? user_columns : member_columns);
    if (json_count(list) == 0) {
        output_line(output, all ? "There are no users." : "Nobody is a member.");
        output_note(output, "Next: assay users add ada@example.com --role owner");
        return;
    }
    for (size_t i = 0; i < json_count(list); i++) {
        const Json *item = json_item(list, i);
        g_autofree char *age = output_age(time_of(item, "lastLoginAt"), clock_now_ms());
        grid_add(grid, json_member_string(item, "email", ""));
        grid_add(grid, json_member_string(item, "name", ""));
        if (!all)
            grid_add(grid, json_member_string(item, "role", ""));
        grid_add(grid, age);
        grid_add(grid, state_of(item));
    }
    grid_print(grid, output);
}

static Json *users_json(const GPtrArray *rows, bool all, int64_t limit) {
    Json *json = json_new_object();
    Json *list = json_new_array();
    for (guint i = 0; i < rows->len; i++) {
        const void *row = g_ptr_array_index(rows, i);
        json_add(list, all ? user_object(row) : member_object(row));
    }
    json_put(json, "users", list);
    const Json *last = rows->len == limit ? json_item(list, rows->len - 1) : NULL;
    json_put_string(json, "nextCursor",
                    last ? json_member_string(last, all ? "id" : "userId", NULL) : NULL);
    return json;
}

static bool run_list(CommandCall *call, GError **error) {
    const Arguments *arguments = call->arguments;
    ListWork work = {.all = arguments_flag(arguments, "all"),
                     .after = arguments_text(arguments, "cursor")};
    work.limit = MIN(arguments_count(arguments, "limit", STORE_LIST_MAX), STORE_LIST_MAX);
    g_autoptr(Session) session =
        session_open(arguments, work.all ? SESSION_INSTALLATION : SESSION_READ, error);
    if (!session || !session_run(session, DB_READ, list_work, &work, error)) {
        g_clear_pointer(&work.rows, g_ptr_array_unref);
        return false;
    }
    g_autoptr(GPtrArray) rows = work.rows;
    g_autoptr(Json) json = users_json(rows, work.all, work.limit);
    output_json(call->output, json);
    print_users(call->output, json_member(json, "users"), work.all);
    return true;
}

static const Option list_options[] = {
    {"all", OPTION_FLAG, NULL, "everybody in the installation, not only this organization"},
    {"limit", OPTION_COUNT, "N", "at most so many (1,000)"},
    {"cursor", OPTION_TEXT, "CURSOR", "go on behind a nextCursor"},
    {0}};

const Command users_list_command = {
    .name = "users list",
    .summary = "who is a member, and what he may",
    .usage = "[--all]",
    .examples = "assay users list\n"
                "assay users list --all --json",
    .options = list_options,
    .run = run_list,
};

/* --- add -------------------------------------------------------------------------------------- */

typedef struct {
    const char *id; /* of a new user */
    const char *email;
    const char *name;
    const char *hash;
    const Membership *may;
    User *user; /* the result */
    bool known; /* the user was there before */
} AddWork;

static bool add_user(DbUnit *unit, AddWork *work, GError **error) {
    User row = {
        .id = work->id, .email = work->email, .name = work->name, .password_hash = work->hash};
    return user_insert(unit, &row, error) && user_get(unit, work->id, &work->user, error) &&
           note(unit, AUDIT_USER_ADDED, work->user, error);
}

static bool add_work(DbUnit *unit, void *data, GError **error) {
    AddWork *work = data;
    g_clear_pointer(&work->user, user_free);
    if (!user_find(unit, work->email, &work->user, error))
        return false;
    work->known = work->user != NULL;
    if (!work->known && !add_user(unit, work, error))
        return false;
    Membership membership = *work->may;
    membership.user_id = work->user->id;
    return membership_insert(unit, &membership, error) &&
           note(unit, AUDIT_MEMBER_CHANGED, work->user, error);
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

/* Only a new user needs a password. */
static bool read_hash(const Session *session, const Arguments *arguments, const char *email,
                      char **hash_out, GError **error) {
    LookWork look = {.email = email};
    bool ok = session_run(session, DB_READ, look_work, &look, error);
    g_autoptr(User) known = look.found;
    if (!ok || known)
        return ok;
    return password_source_hash(arguments_text(arguments, "password"), email, hash_out, error);
}

static void print_added(const Output *output, const AddWork *work, const Session *session) {
    output_line(output,
                work->known ? "%s is now %s of %s; the account was there before."
                            : "%s was added as %s of %s.",
                work->email, work->may->role, session_organization(session));
}

static bool run_add(CommandCall *call, GError **error) {
    const Arguments *arguments = call->arguments;
    g_autofree char *email = user_email_normal(arguments_word(arguments, 0), error);
    g_auto(Access) access = {0};
    g_autofree char *hash = NULL;
    g_autofree char *id = id_new();
    const char *name = arguments_text(arguments, "name");
    g_autoptr(Session) session = email ? session_open(arguments, SESSION_MAKE, error) : NULL;
    if (!session || !access_init(&access, session, arguments, "member", error) ||
        !access_expiry(arguments, &access.membership.expires_at, error) ||
        !read_hash(session, arguments, email, &hash, error))
        return false;
    AddWork work = {.id = id,
                    .email = email,
                    .name = name ? name : email,
                    .hash = hash,
                    .may = &access.membership};
    bool ok = session_run(session, DB_WRITE, add_work, &work, error);
    g_autoptr(User) user = work.user;
    if (!ok)
        return false;
    g_autoptr(Json) json = success("user", user_object(user));
    output_json(call->output, json);
    print_added(call->output, &work, session);
    return true;
}

static const Option add_options[] = {
    ACCESS_OPTIONS,
    {"name", OPTION_TEXT, "NAME", "the person's name (else the e-mail address)"},
    {"password", OPTION_TEXT, "SOURCE", "@FILE, env:VAR or - (else it is asked for)"},
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
};

/* --- invite ----------------------------------------------------------------------------------- */

typedef struct {
    const Invitation *row;
} InviteWork;

static bool invite_work(DbUnit *unit, void *data, GError **error) {
    const Invitation *row = ((InviteWork *)data)->row;
    AuditEntry entry = {.action = AUDIT_MEMBER_INVITED,
                        .actor = access_actor(),
                        .target_kind = "invitation",
                        .target_id = row->id,
                        .target_name = row->email};
    return invitation_insert(unit, row, error) && audit_add(unit, &entry, error);
}

static void print_invitation(const Output *output, const Invitation *row, const char *token) {
    char *link = access_link("invite", token);
    g_autoptr(Json) json = success("invitation", invitation_object(row));
    json_put_string(json, "link", link);
    output_json(output, json);
    output_line(output, "%s", link);
    output_note(output,
                "Give this link to %s; it is shown once, is good for one use, and for seven "
                "days.",
                row->email);
    secmem_free_text(link);
}

static bool run_invite(CommandCall *call, GError **error) {
    const Arguments *arguments = call->arguments;
    g_autofree char *email = user_email_normal(arguments_word(arguments, 0), error);
    g_auto(Access) access = {0};
    char hash[DIGEST_HEX_SIZE];
    g_autofree char *id = id_new();
    g_autoptr(Session) session = email ? session_open(arguments, SESSION_READ, error) : NULL;
    if (!session || !access_init(&access, session, arguments, "member", error))
        return false;
    g_autoptr(Secret) token = ticket_new(TICKET_INVITATION, error);
    if (!token)
        return false;
    ticket_hash(secret_text(token), hash);
    Invitation row = {.id = id,
                      .email = email,
                      .role = access.membership.role,
                      .grants = access.grants,
                      .integrations = access.integrations,
                      .period_from = access.membership.period_from,
                      .period_until = access.membership.period_until,
                      .token_hash = hash,
                      .created_at = clock_now_ms()};
    row.expires_at = row.created_at + INVITATION_LIFE_MS;
    InviteWork work = {.row = &row};
    if (!session_run(session, DB_WRITE, invite_work, &work, error))
        return false;
    print_invitation(call->output, &row, secret_text(token));
    return true;
}

static const Option invite_options[] = {ACCESS_OPTIONS, {0}};

const Command users_invite_command = {
    .name = "users invite",
    .summary = "make a link by which somebody joins",
    .usage = "E-MAIL [--role ROLE]",
    .about = "Prints a link that is good for one use within seven days. Inviting the same\n"
             "address again makes the earlier link worthless. ASSAY_PUBLIC_URL says where the\n"
             "installation is reached.",
    .examples = "assay users invite ada@example.com --role admin\n"
                "assay users invite eve@example.com --role auditor --from 2026-01-01",
    .options = invite_options,
    .least = 1,
    .most = 1,
    .run = run_invite,
};

/* --- one user is changed ---------------------------------------------------------------------- */

typedef struct Change Change;
struct Change {
    const char *wanted;
    bool (*apply)(DbUnit *unit, const Change *change, const User *user, GError **error);
    AuditAction action;
    const Membership *may;
    const char *hash;
    User *user; /* the result */
};

static bool change_work(DbUnit *unit, void *data, GError **error) {
    Change *change = data;
    g_autoptr(User) user = NULL;
    g_clear_pointer(&change->user, user_free);
    return find_user(unit, change->wanted, &user, error) &&
           change->apply(unit, change, user, error) && note(unit, change->action, user, error) &&
           user_get(unit, user->id, &change->user, error);
}

/* Runs the change and says it; done has %s for the address. */
static bool run_change(CommandCall *call, const Session *session, Change *change, const char *done,
                       GError **error) {
    bool ok = session_run(session, DB_WRITE, change_work, change, error);
    g_autoptr(User) user = change->user;
    if (!ok)
        return false;
    g_autoptr(Json) json = success("user", user_object(user));
    output_json(call->output, json);
    output_line(call->output, "%s %s", user->email, done);
    return true;
}

static bool apply_role(DbUnit *unit, const Change *change, const User *user, GError **error) {
    Membership membership = *change->may;
    membership.user_id = user->id;
    return membership_update(unit, &membership, error);
}

static bool run_role(CommandCall *call, GError **error) {
    const Arguments *arguments = call->arguments;
    g_auto(Access) access = {0};
    const char *role = arguments_words(arguments) > 1 ? arguments_word(arguments, 1) : NULL;
    g_autoptr(Session) session = session_open(arguments, SESSION_READ, error);
    if (!session || !access_init(&access, session, arguments, role, error) ||
        !access_expiry(arguments, &access.membership.expires_at, error))
        return false;
    Change change = {.wanted = arguments_word(arguments, 0),
                     .apply = apply_role,
                     .action = AUDIT_MEMBER_CHANGED,
                     .may = &access.membership};
    return run_change(call, session, &change, "has the new role.", error);
}

static const Option role_options[] = {
    ACCESS_OPTIONS,
    {"expires", OPTION_TEXT, "TIME", "when the membership ends: a date, or 90d from now"},
    {0}};

const Command users_role_command = {
    .name = "users role",
    .summary = "give a member another role",
    .usage = "E-MAIL ROLE [--grant GRANT] [--integration NAME] [--expires TIME]",
    .about = "Replaces role, grants, period and end together: what is not said is taken away.\n"
             "The last owner of an organization stays owner. docs/roles.md says who may what.",
    .examples = "assay users role ada@example.com admin\n"
                "assay users role ada@example.com owner --grant credentials:read\n"
                "assay users role eve@example.com auditor --from 2026-01-01 --expires 90d",
    .options = role_options,
    .least = 1,
    .most = 2,
    .run = run_role,
};

static bool apply_remove(DbUnit *unit, const Change *change, const User *user, GError **error) {
    (void)change;
    return membership_delete(unit, user->id, error);
}

static bool apply_disable(DbUnit *unit, const Change *change, const User *user, GError **error) {
    return user_set_disabled(unit, user->id, change->action == AUDIT_USER_DISABLED, error) &&
           user_session_end_others(unit, user->id, NULL, error);
}

static bool apply_password(DbUnit *unit, const Change *change, const User *user, GError **error) {
    return user_set_password(unit, user->id, change->hash, error) &&
           user_session_end_others(unit, user->id, NULL, error);
}

static bool run_simple(CommandCall *call, Change change, const char *done, GError **error) {
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    change.wanted = arguments_word(call->arguments, 0);
    return session && run_change(call, session, &change, done, error);
}

static bool run_remove(CommandCall *call, GError **error) {
    return run_simple(call, (Change){.apply = apply_remove, .action = AUDIT_MEMBER_REMOVED},
                      "is no member any more.", error);
}

static bool run_disable(CommandCall *call, GError **error) {
    return run_simple(call, (Change){.apply = apply_disable, .action = AUDIT_USER_DISABLED},
                      "is disabled, and logged out everywhere.", error);
}

static bool run_enable(CommandCall *call, GError **error) {
    return run_simple(call, (Change){.apply = apply_disable, .action = AUDIT_USER_ENABLED},
                      "is enabled.", error);
}

static bool run_password(CommandCall *call, GError **error) {
    const Arguments *arguments = call->arguments;
    g_autofree char *email = user_email_normal(arguments_word(arguments, 0), error);
    g_autofree char *hash = NULL;
    LookWork look = {.email = email};
    g_autoptr(Session) session = email ? session_open(arguments, SESSION_READ, error) : NULL;
    bool ok = session && session_run(session, DB_READ, look_work, &look, error);
    bool known = look.found != NULL;
    user_free(look.found);
    /* Nobody is asked for a password of nobody. */
    if (!ok || (known &&
                !password_source_hash(arguments_text(arguments, "password"), email, &hash, error)))
        return false;
    Change change = {
        .wanted = email, .apply = apply_password, .action = AUDIT_PASSWORD_CHANGED, .hash = hash};
    return run_change(call, session, &change, "has the new password, and is logged out everywhere.",
                      error);
}

const Command users_remove_command = {
    .name = "users remove",
    .summary = "end a membership; the account stays",
    .usage = "E-MAIL",
    .examples = "assay users remove eve@example.com --organization acme",
    .least = 1,
    .most = 1,
    .run = run_remove,
};

const Command users_disable_command = {
    .name = "users disable",
    .summary = "keep somebody out of the whole installation",
    .usage = "E-MAIL",
    .about = "Ends all sessions at once. Memberships stay and work again after `users enable`.",
    .examples = "assay users disable eve@example.com",
    .least = 1,
    .most = 1,
    .run = run_disable,
};

const Command users_enable_command = {
    .name = "users enable",
    .summary = "let a disabled person in again",
    .usage = "E-MAIL",
    .examples = "assay users enable eve@example.com",
    .least = 1,
    .most = 1,
    .run = run_enable,
};

static const Option password_options[] = {
    {"password", OPTION_TEXT, "SOURCE", "@FILE, env:VAR or - (else it is asked for)"}, {0}};

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
};
