#include "cli/users.h"

#include "base/clock.h"
#include "base/id.h"
#include "cli/access.h"
#include "cli/grid.h"
#include "cli/roll.h"
#include "present/people_object.h"
#include "store/invitation.h"
#include "vault/ticket.h"

#include <string.h>

bool users_note(DbUnit *unit, AuditAction action, const User *user, GError **error) {
    AuditEntry entry = {.action = action,
                        .actor = session_actor(),
                        .target_kind = "user",
                        .target_id = user->id,
                        .target_name = user->email};
    return audit_add(unit, &entry, error);
}

bool users_find(DbUnit *unit, const char *wanted, User **user_out, GError **error) {
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

void users_print_changed(const Output *output, Json *take_user, const char *done) {
    g_autoptr(Json) json = json_new_object();
    json_put_bool(json, "success", true);
    json_put(json, "user", take_user);
    output_json(output, json);
    output_line(output, "%s %s", json_member_string(take_user, "email", ""), done);
}

/* --- list ------------------------------------------------------------------------------------- */

static const RollPlace members = {&member_roll, "/api/users", SESSION_READ};
static const RollPlace everybody = {&user_roll, "/api/installation/users", SESSION_INSTALLATION};

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

static bool show(const CommandCall *call, const Json *page) {
    if (!page)
        return false;
    output_json(call->output, page);
    print_users(call->output, json_member(page, "users"), arguments_flag(call->arguments, "all"));
    return true;
}

static const RollPlace *place_of(const CommandCall *call) {
    return arguments_flag(call->arguments, "all") ? &everybody : &members;
}

static bool run_list(CommandCall *call, GError **error) {
    g_autoptr(Json) page = roll_here(place_of(call), call->arguments, error);
    return show(call, page);
}

static bool ask_list(CommandCall *call, Remote *remote, GError **error) {
    g_autoptr(Json) page = roll_there(place_of(call), call->arguments, remote, error);
    return show(call, page);
}

static const Option list_options[] = {
    {"all", OPTION_FLAG, NULL, "everybody in the installation, not only this organization"},
    ROLL_OPTIONS,
    {0}};

const Command users_list_command = {
    .name = "users list",
    .summary = "who is a member, and what he may",
    .usage = "[--all]",
    .examples = "assay users list\n"
                "assay users list --all --json",
    .options = list_options,
    .run = run_list,
    .remote = ask_list,
};

/* --- invite ----------------------------------------------------------------------------------- */

static bool invite_work(DbUnit *unit, void *data, GError **error) {
    const Invitation *row = data;
    AuditEntry entry = {.action = AUDIT_MEMBER_INVITED,
                        .actor = session_actor(),
                        .target_kind = "invitation",
                        .target_id = row->id,
                        .target_name = row->email};
    return invitation_insert(unit, row, error) && audit_add(unit, &entry, error);
}

static void print_invitation(const Output *output, Json *take_invitation, const char *link) {
    g_autoptr(Json) json = json_new_object();
    json_put_bool(json, "success", true);
    json_put(json, "invitation", take_invitation);
    json_put_string(json, "link", link);
    output_json(output, json);
    output_line(output, "%s", link);
    output_note(output,
                "Give this link to %s; it is shown once, is good for one use, and for seven "
                "days.",
                json_member_string(take_invitation, "email", ""));
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
    if (!session_run(session, DB_WRITE, invite_work, &row, error))
        return false;
    char *link = access_link("invite", secret_text(token));
    print_invitation(call->output, invitation_object(&row), link);
    secmem_free_text(link);
    return true;
}

static bool ask_invite(CommandCall *call, Remote *remote, GError **error) {
    const Arguments *arguments = call->arguments;
    g_autofree char *email = user_email_normal(arguments_word(arguments, 0), error);
    g_auto(Access) access = {0};
    if (!email || !access_init_remote(&access, remote, arguments, "member", error))
        return false;
    g_autoptr(Json) body = access_body(&access);
    json_put_string(body, "email", email);
    g_autoptr(Json) invited = remote_send(remote, "POST", "/api/invitations", body, error);
    if (!invited)
        return false;
    print_invitation(call->output, json_ref(json_member(invited, "invitation")),
                     json_member_string(invited, "link", ""));
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
    .remote = ask_invite,
};

/* --- one member is changed -------------------------------------------------------------------- */

typedef struct {
    const char *wanted;
    const Membership *may; /* NULL: is removed */
    Member *member;        /* as it is afterwards, or was */
} MemberWork;

static void member_work_clear(MemberWork *work) {
    g_clear_pointer(&work->member, member_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MemberWork, member_work_clear)

static bool refuse_stranger(GError **error) {
    g_set_error_literal(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                        "there is no such user in the organization; `assay users list` lists those "
                        "there are");
    return false;
}

static bool get_member(DbUnit *unit, MemberWork *work, const char *id, GError **error) {
    g_autoptr(GError) failure = NULL;
    member_work_clear(work);
    if (member_get(unit, id, &work->member, &failure))
        return true;
    if (error_code_of(failure) == ERROR_NOT_FOUND)
        return refuse_stranger(error);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool role_work(DbUnit *unit, void *data, GError **error) {
    MemberWork *work = data;
    g_autoptr(User) user = NULL;
    Membership membership = *work->may;
    if (!users_find(unit, work->wanted, &user, error) || !get_member(unit, work, user->id, error))
        return false;
    membership.user_id = user->id;
    return membership_update(unit, &membership, error) &&
           users_note(unit, AUDIT_MEMBER_CHANGED, user, error) &&
           get_member(unit, work, user->id, error);
}

static bool remove_work(DbUnit *unit, void *data, GError **error) {
    MemberWork *work = data;
    g_autoptr(User) user = NULL;
    return users_find(unit, work->wanted, &user, error) &&
           get_member(unit, work, user->id, error) && membership_delete(unit, user->id, error) &&
           users_note(unit, AUDIT_MEMBER_REMOVED, user, error);
}

/* The member of a server by id or e-mail address; the caller owns it. */
static Json *find_there(Remote *remote, const char *wanted, GError **error) {
    g_autofree char *email = user_email_normal(wanted, NULL);
    g_autoptr(Json) list = remote_list(remote, members.path, NULL, members.roll->name, error);
    if (!list)
        return NULL;
    for (size_t i = 0; i < json_count(list); i++) {
        Json *item = json_item(list, i);
        if (strcmp(json_member_string(item, "userId", ""), wanted) == 0 ||
            g_strcmp0(json_member_string(item, "email", ""), email) == 0)
            return json_ref(item);
    }
    (void)refuse_stranger(error);
    return NULL;
}

static char *path_of(const Json *member) {
    return remote_path("/api/users/{id}", json_member_string(member, "userId", ""));
}

static const char *role_of(const Arguments *arguments) {
    return arguments_words(arguments) > 1 ? arguments_word(arguments, 1) : NULL;
}

static bool run_role(CommandCall *call, GError **error) {
    const Arguments *arguments = call->arguments;
    g_auto(Access) access = {0};
    g_auto(MemberWork) work = {.wanted = arguments_word(arguments, 0), .may = &access.membership};
    g_autoptr(Session) session = session_open(arguments, SESSION_READ, error);
    if (!session || !access_init(&access, session, arguments, role_of(arguments), error) ||
        !access_expiry(arguments, &access.membership.expires_at, error) ||
        !session_run(session, DB_WRITE, role_work, &work, error))
        return false;
    users_print_changed(call->output, member_object(work.member), "has the new role.");
    return true;
}

static bool ask_role(CommandCall *call, Remote *remote, GError **error) {
    const Arguments *arguments = call->arguments;
    g_auto(Access) access = {0};
    if (!access_init_remote(&access, remote, arguments, role_of(arguments), error) ||
        !access_expiry(arguments, &access.membership.expires_at, error))
        return false;
    g_autoptr(Json) member = find_there(remote, arguments_word(arguments, 0), error);
    if (!member)
        return false;
    g_autofree char *path = path_of(member);
    g_autoptr(Json) body = access_body(&access);
    Json *changed = remote_send(remote, "PATCH", path, body, error);
    if (!changed)
        return false;
    users_print_changed(call->output, changed, "has the new role.");
    return true;
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
    .remote = ask_role,
};

static bool run_remove(CommandCall *call, GError **error) {
    g_auto(MemberWork) work = {.wanted = arguments_word(call->arguments, 0)};
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    if (!session || !session_run(session, DB_WRITE, remove_work, &work, error))
        return false;
    users_print_changed(call->output, member_object(work.member), "is no member any more.");
    return true;
}

static bool ask_remove(CommandCall *call, Remote *remote, GError **error) {
    g_autoptr(Json) member = find_there(remote, arguments_word(call->arguments, 0), error);
    if (!member)
        return false;
    g_autofree char *path = path_of(member);
    g_autoptr(Json) removed = remote_send(remote, "DELETE", path, NULL, error);
    if (!removed)
        return false;
    users_print_changed(call->output, g_steal_pointer(&member), "is no member any more.");
    return true;
}

const Command users_remove_command = {
    .name = "users remove",
    .summary = "end a membership; the account stays",
    .usage = "E-MAIL",
    .examples = "assay users remove eve@example.com --organization acme",
    .least = 1,
    .most = 1,
    .run = run_remove,
    .remote = ask_remove,
};
