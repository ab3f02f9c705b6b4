#include "cli/audit.h"

#include "base/clock.h"
#include "cli/grid.h"
#include "present/audit_object.h"
#include "store/audit_tree.h"

#include <string.h>

/* --- one row with its proof ------------------------------------------------------------------- */

typedef struct {
    const char *id;
    AuditRow *row;
    AuditProof proof;
} ProofWork;

static void proof_work_clear(ProofWork *work) {
    g_clear_pointer(&work->row, audit_row_free);
    audit_proof_clear(&work->proof);
}

/* What was written just now has no leaf yet; nobody else may be there to seal it. */
static bool proof_work(DbUnit *unit, void *data, GError **error) {
    ProofWork *work = data;
    int64_t sealed = AUDIT_SEAL_MAX;
    proof_work_clear(work);
    while (sealed == AUDIT_SEAL_MAX)
        if (!audit_tree_seal(unit, AUDIT_SEAL_MAX, &sealed, error))
            return false;
    return audit_get(unit, work->id, &work->row, error) &&
           audit_tree_prove(unit, work->id, &work->proof, error);
}

static void print_proof(const Output *output, const Json *proof) {
    output_json(output, proof);
    output_line(output, "leaf %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT,
                json_member_int(proof, "leafIndex", -1), json_member_int(proof, "treeSize", 0));
    output_line(output, "root %s", json_member_string(proof, "rootHash", ""));
    output_line(output, "%s", json_member_string(proof, "record", ""));
    output_note(output, "Next: --json prints the whole proof");
}

static bool prove_here(const CommandCall *call, const Session *session, const DbScope *scope,
                       GError **error) {
    ProofWork work = {.id = arguments_text(call->arguments, "proof")};
    bool ok = db_run(session_db(session), scope, DB_WRITE, proof_work, &work, error);
    g_autoptr(Json) proof = ok ? audit_proof_object(work.row, &work.proof) : NULL;
    proof_work_clear(&work);
    if (proof)
        print_proof(call->output, proof);
    return ok;
}

/* --- rows ------------------------------------------------------------------------------------- */

typedef struct {
    AuditFilter filter;
    GPtrArray *rows;
} ListWork;

static bool list_work(DbUnit *unit, void *data, GError **error) {
    ListWork *work = data;
    g_clear_pointer(&work->rows, g_ptr_array_unref);
    return audit_list(unit, &work->filter, &work->rows, error);
}

bool audit_filter(const Arguments *arguments, AuditFilter *filter_out, GError **error) {
    static const char *const results[] = {AUDIT_OK, AUDIT_DENIED, AUDIT_FAILED, NULL};
    const char *result = arguments_text(arguments, "result");
    if (result && !g_strv_contains(results, result)) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE, "--result wants ok, denied or failed");
        return false;
    }
    *filter_out = (AuditFilter){.action = arguments_text(arguments, "action"),
                                .actor_id = arguments_text(arguments, "actor"),
                                .target_id = arguments_text(arguments, "target"),
                                .result = result,
                                .from = arguments_time(arguments, "from"),
                                .until = arguments_time(arguments, "until")};
    return true;
}

static bool list_filter(const Arguments *arguments, AuditFilter *filter_out, GError **error) {
    const char *cursor = arguments_text(arguments, "cursor");
    if (!audit_filter(arguments, filter_out, error))
        return false;
    filter_out->before_id = filter_out->after_id = cursor;
    filter_out->oldest_first = arguments_flag(arguments, "oldest-first");
    filter_out->limit =
        MIN(arguments_count(arguments, "limit", STORE_LIST_DEFAULT), STORE_LIST_MAX);
    return true;
}

static Json *list_json(const ListWork *work) {
    Json *json = json_new_object();
    Json *list = json_new_array();
    const char *last = NULL;
    for (guint i = 0; i < work->rows->len; i++) {
        const AuditRow *row = g_ptr_array_index(work->rows, i);
        json_add(list, audit_object(row));
        last = row->id;
    }
    json_put(json, "audit", list);
    json_put_string(json, "nextCursor", work->rows->len == work->filter.limit ? last : NULL);
    return json;
}

static const GridColumn columns[] = {{.title = "WHEN"},
                                     {.title = "WHO", .gives_way = true},
                                     {.title = "FROM"},
                                     {.title = "ACTION"},
                                     {.title = "RESULT"},
                                     {.title = "TARGET", .gives_way = true},
                                     {0}};

static void add_row(Grid *grid, const Json *item) {
    const Json *actor = json_member(item, "actor");
    const Json *target = json_member(item, "target");
    const char *target_id = json_member_string(target, "id", "");
    grid_add(grid, json_member_string(item, "at", ""));
    grid_add(grid, json_member_string(actor, "name", json_member_string(actor, "kind", "")));
    grid_add(grid, json_member_string(actor, "address", ""));
    grid_add(grid, json_member_string(item, "action", ""));
    grid_add(grid, json_member_string(item, "result", ""));
    grid_add(grid, json_member_string(target, "name", target_id));
}

static void print_rows(const Output *output, const Json *json) {
    const Json *list = json_member(json, "audit");
    const char *cursor = json_member_string(json, "nextCursor", NULL);
    g_autoptr(Grid) grid = grid_new(columns);
    if (json_count(list) == 0) {
        output_line(output, "There are no such entries.");
        return;
    }
    for (size_t i = 0; i < json_count(list); i++)
        add_row(grid, json_item(list, i));
    grid_print(grid, output);
    if (cursor)
        output_note(output, "There are more: --cursor %s", cursor);
}

static bool list_here(const CommandCall *call, const Session *session, const DbScope *scope,
                      GError **error) {
    ListWork work = {0};
    bool ok = list_filter(call->arguments, &work.filter, error) &&
              db_run(session_db(session), scope, DB_READ, list_work, &work, error);
    g_autoptr(GPtrArray) rows = work.rows;
    if (!ok)
        return false;
    g_autoptr(Json) json = list_json(&work);
    output_json(call->output, json);
    print_rows(call->output, json);
    return true;
}

const DbScope *audit_scope(const Arguments *arguments, const Session *session) {
    static const DbScope installation = {
        .organization = AUDIT_INSTALLATION, .actor = "cli", .role = "operator", .system = true};
    return arguments_flag(arguments, "installation") ? &installation : session_scope(session);
}

Session *audit_open(const Arguments *arguments, GError **error) {
    bool whole = arguments_flag(arguments, "installation");
    return session_open(arguments, whole ? SESSION_INSTALLATION : SESSION_READ, error);
}

static bool run(CommandCall *call, GError **error) {
    g_autoptr(Session) session = audit_open(call->arguments, error);
    if (!session)
        return false;
    const DbScope *scope = audit_scope(call->arguments, session);
    return arguments_text(call->arguments, "proof") ? prove_here(call, session, scope, error)
                                                    : list_here(call, session, scope, error);
}

/* --- of a server ------------------------------------------------------------------------------ */

const char *audit_path(const Arguments *arguments) {
    return arguments_flag(arguments, "installation") ? "/api/installation/audit" : "/api/audit";
}

static bool prove_there(const CommandCall *call, Remote *remote, GError **error) {
    g_autofree char *pattern = g_strconcat(audit_path(call->arguments), "/{id}/proof", NULL);
    g_autofree char *path = remote_path(pattern, arguments_text(call->arguments, "proof"));
    g_autoptr(Json) proof = remote_get(remote, path, NULL, error);
    if (proof)
        print_proof(call->output, proof);
    return proof != NULL;
}

void audit_query_init(AuditQuery *query, const AuditFilter *filter) {
    *query = (AuditQuery){.from = filter->from != 0 ? clock_format(filter->from) : NULL,
                          .until = filter->until != 0 ? clock_format(filter->until) : NULL};
    audit_query_add(query, "action", filter->action);
    audit_query_add(query, "actor", filter->actor_id);
    audit_query_add(query, "target", filter->target_id);
    audit_query_add(query, "result", filter->result);
    audit_query_add(query, "from", query->from);
    audit_query_add(query, "until", query->until);
}

void audit_query_clear(AuditQuery *query) {
    g_clear_pointer(&query->from, g_free);
    g_clear_pointer(&query->until, g_free);
}

void audit_query_add(AuditQuery *query, const char *name, const char *value) {
    g_assert(query->count + 1 < G_N_ELEMENTS(query->fields));
    query->fields[query->count++] = (RemoteField){name, value};
}

static bool list_there(const CommandCall *call, Remote *remote, GError **error) {
    g_auto(AuditQuery) query = {0};
    AuditFilter filter;
    if (!list_filter(call->arguments, &filter, error))
        return false;
    g_autofree char *limit = g_strdup_printf("%" G_GINT64_FORMAT, filter.limit);
    audit_query_init(&query, &filter);
    audit_query_add(&query, "order", filter.oldest_first ? "oldest" : NULL);
    audit_query_add(&query, "limit", limit);
    audit_query_add(&query, "cursor", filter.before_id);
    g_autoptr(Json) json = remote_get(remote, audit_path(call->arguments), query.fields, error);
    if (!json)
        return false;
    output_json(call->output, json);
    print_rows(call->output, json);
    return true;
}

static bool ask(CommandCall *call, Remote *remote, GError **error) {
    return arguments_text(call->arguments, "proof") ? prove_there(call, remote, error)
                                                    : list_there(call, remote, error);
}

static const Option options[] = {
    AUDIT_OPTIONS,
    {"oldest-first", OPTION_FLAG, NULL, "the other way round"},
    {"proof", OPTION_TEXT, "ID", "one entry with the proof that it is in the sealed log"},
    {"limit", OPTION_COUNT, "N", "at most so many (100)"},
    {"cursor", OPTION_TEXT, "CURSOR", "go on behind a nextCursor"},
    {0}};

const Command audit_command = {
    .name = "audit",
    .summary = "who did what, from where, with what result",
    .usage = "[--action ACTION] [--actor WHO] [--from TIME] [--installation] [--proof ID]",
    .about = "Entries are never changed or deleted. They are sealed into a Merkle tree per\n"
             "organization; --proof gives the path from an entry to the tree's root.",
    .examples = "assay audit --action session. --from 7d\n"
                "assay audit --target ada@example.com --json\n"
                "assay audit --installation --result denied",
    .options = options,
    .run = run,
    .remote = ask,
};
