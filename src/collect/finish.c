#include "collect/finish.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "store/evidence.h"

#include <string.h>

#define RECORD_VERSION 1

/* What one evidence type leaves behind, handed to the database. */
typedef struct {
    Run *run;
    TypeState *type;
    DocumentEnd document;
    char id[ID_SIZE];
    char *record;
    int64_t valid_until;
    Evidence *stored;
} Storing;

/* --- texts ------------------------------------------------------------------------------------ */

/* The templates of title and description and the metadata see the summary and the settings. */
static Value summary_root(const Run *run, const TypeState *type) {
    Value root = type->summary ? summary_object(type->summary) : value_new_object();
    value_put(&root, "settings", value_copy(run->settings));
    return root;
}

/* Metadata see as well what stands alone and has one value: null when it was not read. */
static void add_root_values(const Run *run, const TypeState *type, Value *root) {
    for (size_t i = 0; i < type->type->node_count; i++) {
        const ReadNode *node = &type->type->nodes[i];
        if (node->parent != READ_NO_PARENT || node->list || value_has(*root, node->name))
            continue;
        const Reading *reading = run->roots[type->plan_nodes[i]];
        const Row *row = reading ? g_queue_peek_head((GQueue *)(uintptr_t)&reading->rows) : NULL;
        value_put(root, node->name, row ? value_copy(row->value) : value_new_null());
    }
}

static bool render_text(const Run *run, const Template *template, Value root, char **text_out,
                        GError **error) {
    size_t count = template_leaf_count(template);
    g_autofree const Expr **leaves = g_new0(const Expr *, count + 1);
    for (size_t i = 0; i < count; i++)
        leaves[i] = template_leaf(template, i);
    g_autoptr(ExprProgram) program = expr_program_new(leaves, count);
    g_autofree ExprResult *results = g_new0(ExprResult, count + 1);
    ExprInput input = {.root = root, .settings = run->settings, .now_ms = run->config.clock_ms};
    if (!expr_program_eval(program, &input, results, error))
        return false;
    g_autoptr(GString) text = g_string_new(NULL);
    bool ok = template_render(template, results, text, error);
    expr_results_clear(results, count);
    if (ok)
        *text_out = g_strdup(text->str);
    return ok;
}

static bool make_metadata(const Run *run, const TypeState *state, Value summary,
                          Json **metadata_out, GError **error) {
    const EvidenceType *type = state->type;
    if (!type->metadata) {
        *metadata_out = json_new_object();
        return true;
    }
    g_auto(Value) root = value_copy(summary);
    add_root_values(run, state, &root);
    ExprInput input = {.root = root, .settings = run->settings, .now_ms = run->config.clock_ms};
    g_auto(Value) value = VALUE_NONE;
    if (!expr_eval_once(type->metadata, &input, &value, error))
        return false;
    g_autofree char *text = value_to_json(value);
    *metadata_out = json_parse(text, strlen(text), EVIDENCE_RECORD_MAX, error);
    return *metadata_out != NULL;
}

/* --- the record ------------------------------------------------------------------------------- */

static void put_hashes(const Run *run, Json *record, const DocumentEnd *document) {
    char hash[DIGEST_HEX_SIZE];
    json_put_string(record, "definitionSha256", run->config.definition->sha256);
    g_autofree char *settings = json_print(run->settings_json, JSON_COMPACT | JSON_SORTED);
    digest_sha256_hex(settings, strlen(settings), hash);
    json_put_string(record, "settingsSha256", hash);
    cassette_hash(run->config.cassette, hash);
    json_put_string(record, "cassetteSha256", hash);
    json_put_string(record, "dataSha256", document->sha256);
    json_put_int(record, "dataSize", document->size);
}

static void put_times(const Run *run, const EvidenceType *type, Json *record, Storing *storing) {
    int64_t from = run->config.clock_ms;
    storing->valid_until = from + type->valid_for_ms;
    json_put_time(record, "collectedAt", run->config.clock_ms);
    json_put_time(record, "validFrom", from);
    json_put_time(record, "validUntil", storing->valid_until);
}

static bool make_record(const Run *run, TypeState *state, Storing *storing, GError **error) {
    const EvidenceType *type = state->type;
    g_auto(Value) root = summary_root(run, state);
    g_autofree char *title = NULL;
    g_autofree char *description = NULL;
    Json *metadata = NULL;
    if (!render_text(run, type->title, root, &title, error) ||
        !render_text(run, type->description, root, &description, error) ||
        !make_metadata(run, state, root, &metadata, error))
        return false;
    g_autoptr(Json) record = json_new_object();
    json_put_int(record, "version", RECORD_VERSION);
    json_put_string(record, "id", storing->id);
    json_put_string(record, "organizationId", run->place.scope.organization);
    json_put_string(record, "integrationId", run->integration_id);
    json_put_string(record, "jobId", run->job_id);
    json_put_string(record, "evidenceType", type->name);
    json_put_string(record, "source", run->config.definition->id);
    json_put_string(record, "title", title);
    json_put_string(record, "description", description);
    json_put_string(record, "type", type->type);
    json_put(record, "metadata", metadata);
    put_hashes(run, record, &storing->document);
    json_put(record, "completeness", completeness_json(state->completeness));
    put_times(run, type, record, storing);
    storing->record = json_print(record, JSON_COMPACT);
    return true;
}

/* --- storing ---------------------------------------------------------------------------------- */

static bool store_work(DbUnit *unit, void *data, GError **error) {
    Storing *storing = data;
    Run *run = storing->run;
    g_clear_pointer(&storing->stored, evidence_free);
    g_autofree char *document_id = NULL;
    if (!document_finish(unit, &storing->document, &document_id, error))
        return false;
    Evidence evidence = {
        .id = storing->id,
        .integration_id = run->integration_id,
        .job_id = run->job_id,
        .evidence_type = storing->type->type->name,
        .source = run->config.definition->id,
        .record = storing->record,
        .document_id = document_id,
        .data_sha256 = storing->document.sha256,
        .completeness = completeness_share(storing->type->completeness),
        .collected_at = run->config.clock_ms,
        .valid_from = run->config.clock_ms,
        .valid_until = storing->valid_until,
    };
    return evidence_insert(unit, &evidence, run->config.lease, &storing->stored, error);
}

static void store_done(void *data, const GError *error) {
    Storing *storing = data;
    Run *run = storing->run;
    TypeState *type = storing->type;
    type->storing = false;
    if (error) {
        if (!run->error)
            run->error = g_error_copy(error);
    } else {
        type->stored = true;
        if (run->config.observer.stored)
            run->config.observer.stored(type->type->name, storing->stored->id,
                                        run->config.observer.data);
    }
    evidence_free(storing->stored);
    g_free(storing->record);
    g_free(storing);
    run_wake(run);
}

static void submit(Run *run, TypeState *type) {
    Storing *storing = g_new0(Storing, 1);
    storing->run = run;
    storing->type = type;
    storing->document = writer_document(type->writer);
    id_write(storing->id);
    GError *error = NULL;
    if (!make_record(run, type, storing, &error)) {
        g_free(storing);
        run_fail_type(type, error);
        return;
    }
    type->storing = true;
    unit_submit(&run->place, DB_WRITE, store_work, store_done, storing);
}

static void end_document(TypeState *type) {
    type->ended = true;
    g_autoptr(GString) members = g_string_new(NULL);
    if (type->summary) {
        GError *error = NULL;
        if (!summary_finish(type->summary, &error)) {
            run_fail_type(type, error);
            return;
        }
        summary_append_json(type->summary, members);
    }
    writer_end(type->writer, members->str, members->len);
}

/* A record is stored once: what a passing failure has made incomplete is left to another attempt,
 * which asks again for nothing but that. */
static bool hold_back(const Run *run, TypeState *type) {
    Outcome outcome;
    const char *message;
    if (!run->config.hold || type->ended ||
        !completeness_failure(type->completeness, &outcome, &message) ||
        outcome == OUTCOME_BROKEN || !error_code_retryable(outcome_error_code(outcome)))
        return false;
    type->held = true;
    type->error = g_error_new_literal(ASSAY_ERROR, (int)outcome_error_code(outcome),
                                      message ? message : "the service did not answer");
    return true;
}

void finish_type(Run *run, TypeState *type) {
    if (!type->read || type->error || type->stored || type->storing || run->error ||
        hold_back(run, type))
        return;
    if (!type->ended)
        end_document(type);
    if (type->error)
        return;
    cassette_flush(run->config.cassette);
    if (writer_error(type->writer)) {
        run->error = g_error_copy(writer_error(type->writer));
        return;
    }
    if (writer_backlog(type->writer) == 0 && cassette_pending(run->config.cassette) == 0)
        submit(run, type);
}
