#include "cli/organizations.h"

#include "base/id.h"
#include "cli/access.h"
#include "cli/grid.h"
#include "present/people_object.h"
#include "store/organization.h"

static bool note(DbUnit *unit, AuditAction action, const char *id, const char *name,
                 GError **error) {
    AuditEntry entry = {.action = action,
                        .actor = access_actor(),
                        .target_kind = "organization",
                        .target_id = id,
                        .target_name = name};
    return audit_add(unit, &entry, error);
}

/* --- list ------------------------------------------------------------------------------------- */

typedef struct {
    const char *after;
    int64_t limit;
    GPtrArray *rows;
} ListWork;

static bool list_work(DbUnit *unit, void *data, GError **error) {
    ListWork *work = data;
    g_clear_pointer(&work->rows, g_ptr_array_unref);
    return organization_list(unit, work->after, work->limit, &work->rows, error);
}

static const GridColumn columns[] = {{.title = "NAME", .gives_way = true}, {.title = "ID"}, {0}};

static bool run_list(CommandCall *call, GError **error) {
    const Arguments *arguments = call->arguments;
    ListWork work = {.after = arguments_text(arguments, "cursor")};
    work.limit = MIN(arguments_count(arguments, "limit", STORE_LIST_MAX), STORE_LIST_MAX);
    g_autoptr(Session) session = session_open(arguments, SESSION_INSTALLATION, error);
    bool ok = session && session_run(session, DB_READ, list_work, &work, error);
    g_autoptr(GPtrArray) rows = work.rows;
    if (!ok)
        return false;
    g_autoptr(Grid) grid = grid_new(columns);
    g_autoptr(Json) json = json_new_object();
    Json *list = json_new_array();
    const char *last = NULL;
    for (guint i = 0; i < rows->len; i++) {
        const Organization *row = g_ptr_array_index(rows, i);
        json_add(list, organization_object(row));
        grid_add(grid, row->name);
        grid_add(grid, row->id);
        last = row->id;
    }
    json_put(json, "organizations", list);
    json_put_string(json, "nextCursor", rows->len == work.limit ? last : NULL);
    output_json(call->output, json);
    grid_print(grid, call->output);
    return true;
}

static const Option list_options[] = {
    {"limit", OPTION_COUNT, "N", "at most so many (1,000)"},
    {"cursor", OPTION_TEXT, "CURSOR", "go on behind a nextCursor"},
    {0}};

const Command organizations_list_command = {
    .name = "organizations list",
    .summary = "the organizations of this installation",
    .usage = "",
    .examples = "assay organizations list --json",
    .options = list_options,
    .run = run_list,
};

/* --- create and rename ------------------------------------------------------------------------ */

typedef struct {
    const char *id;
    const char *name;
    Organization *row; /* the result */
} NameWork;

static bool create_work(DbUnit *unit, void *data, GError **error) {
    const NameWork *work = data;
    Organization row = {.id = work->id, .name = work->name};
    return organization_insert(unit, &row, error);
}

static bool created_work(DbUnit *unit, void *data, GError **error) {
    NameWork *work = data;
    g_clear_pointer(&work->row, organization_free);
    return note(unit, AUDIT_ORGANIZATION_CREATED, work->id, work->name, error) &&
           organization_get(unit, &work->row, error);
}

static bool rename_work(DbUnit *unit, void *data, GError **error) {
    NameWork *work = data;
    g_clear_pointer(&work->row, organization_free);
    return organization_rename(unit, work->name, error) &&
           organization_get(unit, &work->row, error) &&
           note(unit, AUDIT_ORGANIZATION_RENAMED, work->row->id, work->name, error);
}

static void say(const CommandCall *call, NameWork *work) {
    g_autoptr(Json) json = json_new_object();
    json_put_bool(json, "success", true);
    json_put(json, "organization", organization_object(work->row));
    output_json(call->output, json);
    g_clear_pointer(&work->row, organization_free);
}

static bool run_create(CommandCall *call, GError **error) {
    g_autofree char *id = id_new();
    NameWork work = {.id = id, .name = arguments_word(call->arguments, 0)};
    DbScope scope = {.organization = id, .actor = "cli", .role = "owner"};
    g_autoptr(Session) session = session_open(call->arguments, SESSION_INSTALLATION, error);
    /* Two units: making one is the installation's, what happened in it its own. */
    if (!session || !session_run(session, DB_WRITE, create_work, &work, error) ||
        !db_run(session_db(session), &scope, DB_WRITE, created_work, &work, error))
        return false;
    say(call, &work);
    output_line(call->output, "The organization %s was made.", work.name);
    output_note(call->output, "Next: assay users add E-MAIL --role owner --organization %s",
                work.name);
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
};

static bool run_rename(CommandCall *call, GError **error) {
    NameWork work = {.name = arguments_word(call->arguments, 0)};
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    if (!session || !session_run(session, DB_WRITE, rename_work, &work, error)) {
        g_clear_pointer(&work.row, organization_free);
        return false;
    }
    say(call, &work);
    output_line(call->output, "The organization %s is called %s now.",
                session_organization(session), work.name);
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
};
