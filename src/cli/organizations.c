#include "cli/organizations.h"

#include "base/id.h"
#include "cli/grid.h"
#include "cli/naming.h"
#include "cli/roll.h"
#include "present/people_object.h"
#include "store/organization.h"

/* --- list ------------------------------------------------------------------------------------- */

static const RollPlace all = {&organization_roll, "/api/organizations", SESSION_INSTALLATION};

static const GridColumn columns[] = {{.title = "NAME", .gives_way = true}, {.title = "ID"}, {0}};

static bool show(const CommandCall *call, const Json *page) {
    g_autoptr(Grid) grid = grid_new(columns);
    const Json *list = json_member(page, "organizations");
    if (!page)
        return false;
    for (size_t i = 0; i < json_count(list); i++) {
        grid_add(grid, json_member_string(json_item(list, i), "name", ""));
        grid_add(grid, json_member_string(json_item(list, i), "id", ""));
    }
    output_json(call->output, page);
    grid_print(grid, call->output);
    return true;
}

static bool run_list(CommandCall *call, GError **error) {
    g_autoptr(Json) page = roll_here(&all, call->arguments, error);
    return show(call, page);
}

static bool ask_list(CommandCall *call, Remote *remote, GError **error) {
    g_autoptr(Json) page = roll_there(&all, call->arguments, remote, error);
    return show(call, page);
}

static const Option list_options[] = {ROLL_OPTIONS, {0}};

const Command organizations_list_command = {
    .name = "organizations list",
    .summary = "the organizations of this installation",
    .usage = "",
    .examples = "assay organizations list --json",
    .options = list_options,
    .run = run_list,
    .remote = ask_list,
};

/* --- create and rename ------------------------------------------------------------------------ */

typedef struct {
    const char *id;
    const char *name;
    Organization *row; /* the result */
} NameWork;

static void name_work_clear(NameWork *work) {
    g_clear_pointer(&work->row, organization_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(NameWork, name_work_clear)

static bool create_work(DbUnit *unit, void *data, GError **error) {
    NameWork *work = data;
    name_work_clear(work);
    return session_found(unit, work->id, work->name, error) &&
           organization_get(unit, &work->row, error);
}

static bool note_renamed(DbUnit *unit, const Organization *row, GError **error) {
    AuditEntry entry = {.action = AUDIT_ORGANIZATION_RENAMED,
                        .actor = session_actor(),
                        .target_kind = "organization",
                        .target_id = row->id,
                        .target_name = row->name};
    return audit_add(unit, &entry, error);
}

static bool rename_work(DbUnit *unit, void *data, GError **error) {
    NameWork *work = data;
    name_work_clear(work);
    return organization_rename(unit, work->name, error) &&
           organization_get(unit, &work->row, error) && note_renamed(unit, work->row, error);
}

/* {"success", "organization"}; takes the object. */
static void print_success(const CommandCall *call, Json *take_organization) {
    g_autoptr(Json) json = json_new_object();
    json_put_bool(json, "success", true);
    json_put(json, "organization", take_organization);
    output_json(call->output, json);
}

static void print_created(const CommandCall *call, Json *take_organization) {
    const char *name = arguments_word(call->arguments, 0);
    print_success(call, take_organization);
    output_line(call->output, "The organization %s was made.", name);
    output_note(call->output, "Next: assay users add E-MAIL --role owner --organization %s", name);
}

static void print_renamed(const CommandCall *call, Json *take_organization) {
    print_success(call, take_organization);
    output_line(call->output, "The organization is called %s now.",
                arguments_word(call->arguments, 0));
}

static bool check_name(const CommandCall *call, const char *argument, GError **error) {
    return naming_check(argument, arguments_word(call->arguments, 0), ORGANIZATION_NAME_MAX, error);
}

static bool run_create(CommandCall *call, GError **error) {
    g_autofree char *id = id_new();
    g_auto(NameWork) work = {.id = id, .name = arguments_word(call->arguments, 0)};
    DbScope scope = session_founding_scope(id);
    if (!check_name(call, "NAME", error))
        return false;
    g_autoptr(Session) session = session_open(call->arguments, SESSION_INSTALLATION, error);
    if (!session || !db_run(session_db(session), &scope, DB_WRITE, create_work, &work, error))
        return false;
    print_created(call, organization_object(work.row));
    return true;
}

static Json *send_name(Remote *remote, const char *method, const char *path, const char *name,
                       GError **error) {
    g_autoptr(Json) body = json_new_object();
    json_put_string(body, "name", name);
    return remote_send(remote, method, path, body, error);
}

static bool ask_create(CommandCall *call, Remote *remote, GError **error) {
    const char *name = arguments_word(call->arguments, 0);
    Json *made =
        check_name(call, "NAME", error) ? send_name(remote, "POST", all.path, name, error) : NULL;
    if (!made)
        return false;
    print_created(call, made);
    return true;
}

const Command organizations_create_command = {
    .name = "organizations create",
    .summary = "make an organization",
    .usage = "NAME",
    .examples = "assay organizations create acme",
    .least = 1,
    .most = 1,
    .run = run_create,
    .remote = ask_create,
};

static bool run_rename(CommandCall *call, GError **error) {
    g_auto(NameWork) work = {.name = arguments_word(call->arguments, 0)};
    if (!check_name(call, "NEW-NAME", error))
        return false;
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    if (!session || !session_run(session, DB_WRITE, rename_work, &work, error))
        return false;
    print_renamed(call, organization_object(work.row));
    return true;
}

/* The operator names any organization, everybody else one that he is in. */
static bool ask_rename(CommandCall *call, Remote *remote, GError **error) {
    const char *which = arguments_text(call->arguments, "organization");
    g_autoptr(Json) who = check_name(call, "NEW-NAME", error)
                              ? remote_get(remote, "/api/session", NULL, error)
                              : NULL;
    if (!who)
        return false;
    bool any = which && json_member_bool(who, "operator", false);
    g_autofree char *path =
        any ? remote_path("/api/organizations/{id}", which) : g_strdup("/api/organization");
    Json *renamed = send_name(remote, "PATCH", path, arguments_word(call->arguments, 0), error);
    if (!renamed)
        return false;
    print_renamed(call, renamed);
    return true;
}

const Command organizations_rename_command = {
    .name = "organizations rename",
    .summary = "give the organization another name",
    .usage = "NEW-NAME [--organization NAME]",
    .examples = "assay organizations rename acme-labs --organization acme",
    .least = 1,
    .most = 1,
    .run = run_rename,
    .remote = ask_rename,
};
