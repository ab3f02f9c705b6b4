#include "cli/tokens.h"

#include "base/clock.h"
#include "base/id.h"
#include "cli/access.h"
#include "cli/grid.h"
#include "cli/naming.h"
#include "cli/roll.h"
#include "present/people_object.h"
#include "store/api_token.h"
#include "vault/ticket.h"

#include <string.h>

static bool note(DbUnit *unit, AuditAction action, const char *id, const char *name,
                 GError **error) {
    AuditEntry entry = {.action = action,
                        .actor = session_actor(),
                        .target_kind = "token",
                        .target_id = id,
                        .target_name = name};
    return audit_add(unit, &entry, error);
}

/* --- create ----------------------------------------------------------------------------------- */

typedef struct {
    const ApiToken *row;
    const Membership *may; /* NULL: an operator's without a role */
} CreateWork;

static bool create_work(DbUnit *unit, void *data, GError **error) {
    const CreateWork *work = data;
    return api_token_insert(unit, work->row, error) &&
           (!work->may || api_token_allow(unit, work->may, error)) &&
           note(unit, AUDIT_TOKEN_CREATED, work->row->id, work->row->name, error);
}

static TicketKind kind_of(const Membership *may, bool operates) {
    if (operates || !may)
        return TICKET_OPERATOR;
    return strcmp(may->role, role_name(ROLE_SCANNER)) == 0 ? TICKET_SCANNER : TICKET_API;
}

/* {"success", "tokenInfo", "token"}; takes the object. */
static void print_created(const Output *output, Json *take_info, const char *token) {
    g_autoptr(Json) json = json_new_object();
    json_put_bool(json, "success", true);
    json_put(json, "tokenInfo", take_info);
    json_put_string(json, "token", token);
    output_json(output, json);
    output_line(output, "%s", token);
    output_note(output, "This is shown once. Keep it where programs keep their secrets.");
}

static bool create(CommandCall *call, const Session *session, const Membership *may,
                   GError **error) {
    const Arguments *arguments = call->arguments;
    bool operates = arguments_flag(arguments, "operator");
    char hash[DIGEST_HEX_SIZE];
    g_autofree char *id = id_new();
    ApiToken row = {.id = id,
                    .name = arguments_word(arguments, 0),
                    .token_hash = hash,
                    .operator= operates,
                    .created_at = clock_now_ms()};
    g_autoptr(Secret) token = ticket_new(kind_of(may, operates), error);
    if (!token || !access_expiry(arguments, &row.expires_at, error))
        return false;
    g_autofree char *hint = ticket_hint(secret_text(token));
    ticket_hash(secret_text(token), hash);
    row.hint = hint;
    Membership access = may ? *may : (Membership){0};
    access.user_id = id;
    CreateWork work = {.row = &row, .may = may ? &access : NULL};
    if (!session_run(session, DB_WRITE, create_work, &work, error))
        return false;
    print_created(call->output, token_object(&row), secret_text(token));
    return true;
}

static bool check_name(const Arguments *arguments, GError **error) {
    return naming_check("NAME", arguments_word(arguments, 0), API_TOKEN_NAME_MAX, error);
}

static bool run_create(CommandCall *call, GError **error) {
    const Arguments *arguments = call->arguments;
    g_auto(Access) access = {0};
    if (!check_name(arguments, error))
        return false;
    bool bare = arguments_flag(arguments, "operator") && arguments_text(arguments, "role") == NULL;
    g_autoptr(Session) session = session_open(arguments, SESSION_READ, error);
    if (!session || (!bare && !access_init(&access, session, arguments, NULL, error)))
        return false;
    return create(call, session, bare ? NULL : &access.membership, error);
}

static bool ask_create(CommandCall *call, Remote *remote, GError **error) {
    const Arguments *arguments = call->arguments;
    g_auto(Access) access = {0};
    if (arguments_flag(arguments, "operator")) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "a token of the operator is made on the server's own machine: run this "
                            "there without --server");
        return false;
    }
    if (!check_name(arguments, error) ||
        !access_init_remote(&access, remote, arguments, NULL, error) ||
        !access_expiry(arguments, &access.membership.expires_at, error))
        return false;
    g_autoptr(Json) body = access_body(&access);
    json_put_string(body, "name", arguments_word(arguments, 0));
    g_autoptr(Json) made = remote_send(remote, "POST", "/api/tokens", body, error);
    if (!made)
        return false;
    print_created(call->output, json_ref(json_member(made, "tokenInfo")),
                  json_member_string(made, "token", ""));
    return true;
}

static const Option create_options[] = {
    ACCESS_OPTIONS,
    {"operator", OPTION_FLAG, NULL, "may also do what belongs to the installation's operator"},
    {"expires", OPTION_TEXT, "TIME", "a date, or how long from now: 90d (else never)"},
    {0}};

const Command tokens_create_command = {
    .name = "tokens create",
    .summary = "make a token for a program, and print it once",
    .usage = "NAME --role ROLE [--integration NAME] [--expires TIME] [--operator]",
    .about = "The token works with `Authorization: Bearer TOKEN` in this organization, as the\n"
             "role says (docs/roles.md). Only its hash is stored.",
    .examples = "assay tokens create nightly --role member --expires 90d\n"
                "assay tokens create scanner-7 --role scanner --integration acme\n"
                "assay tokens create provisioning --operator",
    .options = create_options,
    .least = 1,
    .most = 1,
    .run = run_create,
    .remote = ask_create,
};

/* --- list ------------------------------------------------------------------------------------- */

static const RollPlace reaching = {&token_roll, "/api/tokens", SESSION_READ};
static const RollPlace whole = {&whole_token_roll, "/api/installation/tokens",
                                SESSION_INSTALLATION};

static const GridColumn columns[] = {{.title = "NAME", .gives_way = true},
                                     {.title = "TOKEN"},
                                     {.title = "ROLE"},
                                     {.title = "STATUS"},
                                     {.title = "LAST USED"},
                                     {.title = "EXPIRES"},
                                     {0}};

static void add_age(Grid *grid, const Json *item, const char *key) {
    int64_t at = 0;
    bool known = clock_parse(json_member_string(item, key, ""), &at);
    g_autofree char *age = output_age(known ? at : 0, clock_now_ms());
    grid_add(grid, age);
}

static void print_tokens(const Output *output, const Json *list) {
    g_autoptr(Grid) grid = grid_new(columns);
    if (json_count(list) == 0) {
        output_line(output, "There are no tokens.");
        output_note(output, "Next: assay tokens create NAME --role member");
        return;
    }
    for (size_t i = 0; i < json_count(list); i++) {
        const Json *item = json_item(list, i);
        bool operates = json_member_bool(item, "operator", false);
        grid_add(grid, json_member_string(item, "name", ""));
        grid_add(grid, json_member_string(item, "hint", ""));
        grid_add(grid, json_member_string(item, "role", operates ? "operator" : "-"));
        grid_add(grid, json_member_string(item, "status", ""));
        add_age(grid, item, "lastUsedAt");
        add_age(grid, item, "expiresAt");
    }
    grid_print(grid, output);
}

static bool show(const CommandCall *call, const Json *page) {
    if (!page)
        return false;
    output_json(call->output, page);
    print_tokens(call->output, json_member(page, "tokens"));
    return true;
}

static const RollPlace *place_of(const CommandCall *call) {
    return arguments_flag(call->arguments, "all") ? &whole : &reaching;
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
    {"all", OPTION_FLAG, NULL, "all of the installation, not only this organization's"},
    ROLL_OPTIONS,
    {0}};

const Command tokens_list_command = {
    .name = "tokens list",
    .summary = "tokens, what they may, and when they were last used",
    .usage = "[--all]",
    .examples = "assay tokens list\n"
                "assay tokens list --all --json",
    .options = list_options,
    .run = run_list,
    .remote = ask_list,
};

/* --- one token -------------------------------------------------------------------------------- */

/* By id, or by a name that one token only has. */
typedef struct {
    const char *wanted;
    char *id;
    char *name;
    bool several;
} Pick;

static void pick_clear(Pick *pick) {
    g_clear_pointer(&pick->id, g_free);
    g_clear_pointer(&pick->name, g_free);
    pick->several = false;
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pick, pick_clear)

/* The same token may be looked at again: in another organization that it reaches. */
static void pick_look(Pick *pick, const char *id, const char *name) {
    if (strcmp(id, pick->wanted) != 0 && strcmp(name, pick->wanted) != 0)
        return;
    pick->several = pick->several || (pick->id && strcmp(id, pick->id) != 0);
    if (pick->id)
        return;
    pick->id = g_strdup(id);
    pick->name = g_strdup(name);
}

static bool pick_end(const Pick *pick, GError **error) {
    if (pick->id && !pick->several)
        return true;
    g_set_error_literal(error, ASSAY_ERROR, pick->id ? ERROR_CONFLICT : ERROR_NOT_FOUND,
                        pick->id ? "several tokens have this name; give the id"
                                 : "there is no such token that still works; `assay tokens list` "
                                   "lists them, with --all those of all organizations");
    return false;
}

static bool pick_here(DbUnit *unit, Pick *pick, GError **error) {
    g_autofree char *after = NULL;
    guint count = STORE_LIST_MAX;
    pick_clear(pick);
    while (count == STORE_LIST_MAX) {
        g_autoptr(GPtrArray) rows = NULL;
        if (!api_token_list_all(unit, after, STORE_LIST_MAX, &rows, error))
            return false;
        count = rows->len;
        for (guint i = 0; i < count; i++) {
            const ApiToken *row = g_ptr_array_index(rows, i);
            if (row->revoked_at == 0)
                pick_look(pick, row->id, row->name);
        }
        g_free(after);
        after = count > 0 ? g_strdup(((ApiToken *)g_ptr_array_index(rows, count - 1))->id) : NULL;
    }
    return pick_end(pick, error);
}

static bool pick_list(Remote *remote, const RollPlace *place, Pick *pick, GError **error) {
    g_autoptr(Json) list = remote_list(remote, place->path, NULL, place->roll->name, error);
    for (size_t i = 0; i < json_count(list); i++) {
        const Json *item = json_item(list, i);
        if (strcmp(json_member_string(item, "status", ""), "revoked") != 0)
            pick_look(pick, json_member_string(item, "id", ""),
                      json_member_string(item, "name", ""));
    }
    return list != NULL;
}

/* Whether the caller is the server's operator, and what he has a role in. */
static Json *ask_who(Remote *remote, bool *operator_out, GError **error) {
    Json *who = remote_get(remote, "/api/session", NULL, error);
    *operator_out = json_member_bool(who, "operator", false);
    return who;
}

static bool may_list(const Json *organization) {
    const char *role = json_member_string(organization, "role", "");
    return strcmp(role, role_name(ROLE_OWNER)) == 0 || strcmp(role, role_name(ROLE_ADMIN)) == 0;
}

/* In whatever organization the caller sees it. */
static bool pick_anywhere(Remote *remote, const char *organization, Pick *pick, GError **error) {
    bool operates = false;
    bool ok = true;
    g_autoptr(Json) who = ask_who(remote, &operates, error);
    const Json *organizations = json_member(who, "organizations");
    if (!who)
        return false;
    if (operates)
        return pick_list(remote, &whole, pick, error) && pick_end(pick, error);
    for (size_t i = 0; ok && i < json_count(organizations); i++) {
        const Json *one = json_item(organizations, i);
        remote_enter(remote, json_member_string(one, "id", ""));
        ok = !may_list(one) || pick_list(remote, &reaching, pick, error);
    }
    remote_enter(remote, organization);
    return ok && pick_end(pick, error);
}

static void print_success(const CommandCall *call, const Pick *pick) {
    g_autoptr(Json) json = json_new_object();
    json_put_bool(json, "success", true);
    json_put_string(json, "name", pick->name);
    output_json(call->output, json);
}

/* --- allow ------------------------------------------------------------------------------------ */

typedef struct {
    Pick pick;
    const Membership *may;
} AllowWork;

static bool allow_work(DbUnit *unit, void *data, GError **error) {
    AllowWork *work = data;
    Membership access = *work->may;
    if (!pick_here(unit, &work->pick, error))
        return false;
    access.user_id = work->pick.id;
    return api_token_allow(unit, &access, error) &&
           note(unit, AUDIT_TOKEN_CREATED, work->pick.id, work->pick.name, error);
}

static void print_allowed(const CommandCall *call, const Pick *pick, const char *role) {
    print_success(call, pick);
    output_line(call->output, "The token %s reaches the organization as %s.", pick->name, role);
}

static bool run_allow(CommandCall *call, GError **error) {
    const Arguments *arguments = call->arguments;
    g_auto(Access) access = {0};
    AllowWork work = {.pick.wanted = arguments_word(arguments, 0), .may = &access.membership};
    g_autoptr(Session) session = session_open(arguments, SESSION_READ, error);
    bool ok = session && access_init(&access, session, arguments, NULL, error) &&
              access_expiry(arguments, &access.membership.expires_at, error) &&
              session_run(session, DB_WRITE, allow_work, &work, error);
    if (ok)
        print_allowed(call, &work.pick, access.membership.role);
    pick_clear(&work.pick);
    return ok;
}

static bool ask_allow(CommandCall *call, Remote *remote, GError **error) {
    const Arguments *arguments = call->arguments;
    g_auto(Access) access = {0};
    g_auto(Pick) pick = {.wanted = arguments_word(arguments, 0)};
    if (!access_init_remote(&access, remote, arguments, NULL, error) ||
        !access_expiry(arguments, &access.membership.expires_at, error) ||
        !pick_anywhere(remote, arguments_text(arguments, "organization"), &pick, error))
        return false;
    g_autofree char *path = remote_path("/api/tokens/{id}/access", pick.id);
    g_autoptr(Json) body = access_body(&access);
    g_autoptr(Json) allowed = remote_send(remote, "POST", path, body, error);
    if (!allowed)
        return false;
    print_allowed(call, &pick, access.membership.role);
    return true;
}

static const Option allow_options[] = {
    ACCESS_OPTIONS,
    {"expires", OPTION_TEXT, "TIME", "when this access ends: a date, or 90d from now"},
    {0}};

const Command tokens_allow_command = {
    .name = "tokens allow",
    .summary = "let a token reach one more organization",
    .usage = "NAME|ID --role ROLE [--organization NAME] [--integration NAME]",
    .about = "A token has a role of its own in each organization that it reaches.",
    .examples = "assay tokens allow nightly --role member --organization acme",
    .options = allow_options,
    .least = 1,
    .most = 1,
    .run = run_allow,
    .remote = ask_allow,
};

/* --- revoke ----------------------------------------------------------------------------------- */

static bool revoke_work(DbUnit *unit, void *data, GError **error) {
    Pick *pick = data;
    return pick_here(unit, pick, error) && api_token_revoke(unit, pick->id, error) &&
           note(unit, AUDIT_TOKEN_REVOKED, pick->id, pick->name, error);
}

static bool run_revoke(CommandCall *call, GError **error) {
    g_auto(Pick) pick = {.wanted = arguments_word(call->arguments, 0)};
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    if (!session || !session_run(session, DB_WRITE, revoke_work, &pick, error))
        return false;
    print_success(call, &pick);
    output_line(call->output, "The token %s is revoked everywhere.", pick.name);
    return true;
}

/* The operator revokes the token, an organization what it may there. */
static bool ask_revoke(CommandCall *call, Remote *remote, GError **error) {
    g_auto(Pick) pick = {.wanted = arguments_word(call->arguments, 0)};
    bool operates = false;
    g_autoptr(Json) who = ask_who(remote, &operates, error);
    if (!who || !pick_list(remote, operates ? &whole : &reaching, &pick, error) ||
        !pick_end(&pick, error))
        return false;
    g_autofree char *path =
        remote_path(operates ? "/api/installation/tokens/{id}" : "/api/tokens/{id}", pick.id);
    g_autoptr(Json) revoked = remote_send(remote, "DELETE", path, NULL, error);
    if (!revoked)
        return false;
    print_success(call, &pick);
    output_line(call->output,
                operates ? "The token %s is revoked everywhere."
                         : "The token %s does not reach the organization any more.",
                pick.name);
    return true;
}

const Command tokens_revoke_command = {
    .name = "tokens revoke",
    .summary = "make a token worthless",
    .usage = "NAME|ID",
    .about = "Everywhere; on a server whoever is not its operator ends what the token may in the\n"
             "organization.",
    .examples = "assay tokens revoke nightly",
    .least = 1,
    .most = 1,
    .run = run_revoke,
    .remote = ask_revoke,
};
