#include "cli/audit.h"

#include "base/clock.h"
#include "cli/grid.h"
#include "cli/session.h"
#include "present/audit_object.h"
#include "store/audit.h"
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

static bool print_proof(const CommandCall *call, const Session *session, const DbScope *scope,
                        GError **error) {
    ProofWork work = {.id = arguments_text(call->arguments, "proof")};
    if (!db_run(session_db(session), scope, DB_WRITE, proof_work, &work, error)) {
        proof_work_clear(&work);
        return false;
    }
    g_autoptr(Json) json = audit_proof_object(work.row, &work.proof);
    output_json(call->output, json);
    output_line(call->output, "leaf %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT,
                work.proof.leaf_index, work.proof.tree_size);
    output_line(call->output, "root %s", json_member_string(json, "rootHash", ""));
    output_line(call->output, "%s", work.row->record);
    output_note(call->output, "Next: --json prints the whole proof");
    proof_work_clear(&work);
    return true;
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

static AuditFilter make_filter(const Arguments *arguments) {
    const char *cursor = arguments_text(arguments, "cursor");
    return (AuditFilter){
        .action = arguments_text(arguments, "action"),
        .actor_id = arguments_text(arguments, "actor"),
        .target_id = arguments_text(arguments, "target"),
        .result = arguments_text(arguments, "result"),
        .from = arguments_time(arguments, "from"),
        .until = arguments_time(arguments, "until"),
        .before_id = cursor,
        .after_id = cursor,
        .oldest_first = arguments_flag(arguments, "oldest-first"),
        .limit = MIN(arguments_count(arguments, "limit", STORE_LIST_DEFAULT), STORE_LIST_MAX)};
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

static bool print_list(const CommandCall *call, const Session *session, const DbScope *scope,
                       GError **error) {
    ListWork work = {.filter = make_filter(call->arguments)};
    bool ok = db_run(session_db(session), scope, DB_READ, list_work, &work, error);
    g_autoptr(GPtrArray) rows = work.rows;
    if (!ok)
        return false;
    g_autoptr(Json) json = list_json(&work);
    output_json(call->output, json);
    print_rows(call->output, json);
    return true;
}

static bool run(CommandCall *call, GError **error) {
    const DbScope installation = {
        .organization = AUDIT_INSTALLATION, .actor = "cli", .role = "operator", .system = true};
    bool whole = arguments_flag(call->arguments, "installation");
    g_autoptr(Session) session =
        session_open(call->arguments, whole ? SESSION_INSTALLATION : SESSION_READ, error);
    if (!session)
        return false;
    const DbScope *scope = whole ? &installation : session_scope(session);
    return arguments_text(call->arguments, "proof") ? print_proof(call, session, scope, error)
                                                    : print_list(call, session, scope, error);
}

static const Option options[] = {
    {"action", OPTION_TEXT, "ACTION", "\"session.login\", or \"session.\" for all of its kind"},
    {"actor", OPTION_TEXT, "WHO", "id, e-mail address or name of a token"},
    {"target", OPTION_TEXT, "WHAT", "id or name of what it was done to"},
    {"result", OPTION_TEXT, "RESULT", "ok, denied or failed"},
    {"from", OPTION_TIME, "TIME", "from then on"},
    {"until", OPTION_TIME, "TIME", "before then"},
    {"installation", OPTION_FLAG, NULL, "what belongs to no organization: logins, operators"},
    {"oldest-first", OPTION_FLAG, NULL, "for exports"},
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
                "assay audit --oldest-first --limit 1000 --json\n"
                "assay audit --installation --result denied",
    .options = options,
    .run = run,
};
