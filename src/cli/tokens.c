#include "cli/tokens.h"

#include "base/clock.h"
#include "base/id.h"
#include "cli/access.h"
#include "cli/grid.h"
#include "present/people_object.h"
#include "store/api_token.h"
#include "vault/ticket.h"

#include <string.h>

static bool note(DbUnit *unit, AuditAction action, const char *id, const char *name,
                 GError **error) {
    AuditEntry entry = {.action = action,
                        .actor = access_actor(),
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

static void print_created(const Output *output, const ApiToken *row, const char *token) {
    g_autoptr(Json) json = json_new_object();
    json_put_bool(json, "success", true);
    json_put(json, "tokenInfo", token_object(row));
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
    print_created(call->output, &row, secret_text(token));
    return true;
}

static bool run_create(CommandCall *call, GError **error) {
    const Arguments *arguments = call->arguments;
    g_auto(Access) access = {0};
    bool bare = arguments_flag(arguments, "operator") && arguments_text(arguments, "role") == NULL;
    g_autoptr(Session) session = session_open(arguments, SESSION_READ, error);
    if (!session || (!bare && !access_init(&access, session, arguments, NULL, error)))
        return false;
    return create(call, session, bare ? NULL : &access.membership, error);
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
};

/* --- list ------------------------------------------------------------------------------------- */

typedef struct {
    bool all;
    const char *after;
    int64_t limit;
    GPtrArray *rows; /* ApiToken or ApiTokenAccess */
} ListWork;

static bool list_work(DbUnit *unit, void *data, GError **error) {
    ListWork *work = data;
    g_clear_pointer(&work->rows, g_ptr_array_unref);
    return work->all ? api_token_list_all(unit, work->after, work->limit, &work->rows, error)
                     : api_token_list(unit, work->after, work->limit, &work->rows, error);
}

static Json *tokens_json(const GPtrArray *rows, const ListWork *work) {
    Json *json = json_new_object();
    Json *list = json_new_array();
    for (guint i = 0; i < rows->len; i++) {
        const void *row = g_ptr_array_index(rows, i);
        json_add(list, work->all ? token_object(row) : token_access_object(row));
    }
    const Json *last = rows->len == work->limit ? json_item(list, rows->len - 1) : NULL;
    json_put(json, "tokens", list);
    json_put_string(json, "nextCursor", json_member_string(last, "id", NULL));
    return json;
}

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

static bool run_list(CommandCall *call, GError **error) {
    const Arguments *arguments = call->arguments;
    ListWork work = {.all = arguments_flag(arguments, "all"),
                     .after = arguments_text(arguments, "cursor")};
    work.limit = MIN(arguments_count(arguments, "limit", STORE_LIST_MAX), STORE_LIST_MAX);
    g_autoptr(Session) session =
        session_open(arguments, work.all ? SESSION_INSTALLATION : SESSION_READ, error);
    bool ok = session && session_run(session, DB_READ, list_work, &work, error);
    g_autoptr(GPtrArray) rows = work.rows;
    if (!ok)
        return false;
    g_autoptr(Json) json = tokens_json(rows, &work);
    output_json(call->output, json);
    print_tokens(call->output, json_member(json, "tokens"));
    return true;
}

static const Option list_options[] = {
    {"all", OPTION_FLAG, NULL, "all of the installation, not only this organization's"},
    {"limit", OPTION_COUNT, "N", "at most so many (1,000)"},
    {"cursor", OPTION_TEXT, "CURSOR", "go on behind a nextCursor"},
    {0}};

const Command tokens_list_command = {
    .name = "tokens list",
    .summary = "tokens, what they may, and when they were last used",
    .usage = "[--all]",
    .examples = "assay tokens list\n"
                "assay tokens list --all --json",
    .options = list_options,
    .run = run_list,
};

/* --- one token -------------------------------------------------------------------------------- */

/* By id, or by a name that one token only has. */
static bool find_token(DbUnit *unit, const char *wanted, char **id_out, char **name_out,
                       GError **error) {
    g_autofree char *after = NULL;
    guint found = 0;
    g_clear_pointer(id_out, g_free);
    for (;;) {
        g_autoptr(GPtrArray) rows = NULL;
        if (!api_token_list_all(unit, after, STORE_LIST_MAX, &rows, error))
            return false;
        for (guint i = 0; i < rows->len; i++) {
            const ApiToken *row = g_ptr_array_index(rows, i);
            bool same = row->revoked_at == 0 &&
                        (strcmp(row->id, wanted) == 0 || strcmp(row->name, wanted) == 0);
            if (same && found++ == 0) {
                *id_out = g_strdup(row->id);
                *name_out = g_strdup(row->name);
            }
            g_free(after);
            after = g_strdup(row->id);
        }
        if (rows->len < STORE_LIST_MAX)
            break;
    }
    if (found == 1)
        return true;
    g_clear_pointer(id_out, g_free);
    g_clear_pointer(name_out, g_free);
    g_set_error_literal(error, ASSAY_ERROR, found == 0 ? ERROR_NOT_FOUND : ERROR_CONFLICT,
                        found == 0 ? "there is no such token that still works; `assay tokens list "
                                     "--all` lists all"
                                   : "several tokens have this name; give the id");
    return false;
}

/* --- allow ------------------------------------------------------------------------------------ */

typedef struct {
    const char *wanted;
    const Membership *may;
    char *name; /* the result */
} AllowWork;

static bool allow_work(DbUnit *unit, void *data, GError **error) {
    AllowWork *work = data;
    g_autofree char *id = NULL;
    Membership access = *work->may;
    g_clear_pointer(&work->name, g_free);
    if (!find_token(unit, work->wanted, &id, &work->name, error))
        return false;
    access.user_id = id;
    return api_token_allow(unit, &access, error) &&
           note(unit, AUDIT_TOKEN_CREATED, id, work->name, error);
}

static bool run_allow(CommandCall *call, GError **error) {
    const Arguments *arguments = call->arguments;
    g_auto(Access) access = {0};
    AllowWork work = {.wanted = arguments_word(arguments, 0), .may = &access.membership};
    g_autoptr(Session) session = session_open(arguments, SESSION_READ, error);
    bool ok = session && access_init(&access, session, arguments, NULL, error) &&
              access_expiry(arguments, &access.membership.expires_at, error) &&
              session_run(session, DB_WRITE, allow_work, &work, error);
    g_autofree char *name = work.name;
    if (!ok)
        return false;
    g_autoptr(Json) json = json_new_object();
    json_put_bool(json, "success", true);
    json_put_string(json, "name", name);
    output_json(call->output, json);
    output_line(call->output, "The token %s reaches %s as %s.", name, session_organization(session),
                access.membership.role);
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
};

/* --- revoke ----------------------------------------------------------------------------------- */

typedef struct {
    const char *wanted;
    char *name; /* the result */
} RevokeWork;

static bool revoke_work(DbUnit *unit, void *data, GError **error) {
    RevokeWork *work = data;
    g_autofree char *id = NULL;
    g_clear_pointer(&work->name, g_free);
    return find_token(unit, work->wanted, &id, &work->name, error) &&
           api_token_revoke(unit, id, error) &&
           note(unit, AUDIT_TOKEN_REVOKED, id, work->name, error);
}

static bool run_revoke(CommandCall *call, GError **error) {
    RevokeWork work = {.wanted = arguments_word(call->arguments, 0)};
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    bool ok = session && session_run(session, DB_WRITE, revoke_work, &work, error);
    g_autofree char *name = work.name;
    if (!ok)
        return false;
    g_autoptr(Json) json = json_new_object();
    json_put_bool(json, "success", true);
    json_put_string(json, "name", name);
    output_json(call->output, json);
    output_line(call->output, "The token %s is revoked everywhere.", name);
    return true;
}

const Command tokens_revoke_command = {
    .name = "tokens revoke",
    .summary = "make a token worthless",
    .usage = "NAME|ID",
    .examples = "assay tokens revoke nightly",
    .least = 1,
    .most = 1,
    .run = run_revoke,
};
