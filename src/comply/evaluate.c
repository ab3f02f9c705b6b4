#include "comply/evaluate.h"

#include "comply/control_reason.h"
#include "comply/mapping.h"
#include "comply/standing.h"
#include "provider/arena.h"
#include "store/control_exception.h"
#include "store/control_status.h"
#include "store/score.h"

#include <math.h>
#include <string.h>

#define STATUS_BATCH 200 /* statuses in one unit of work */
#define SCORE_EVERY_MS (INT64_C(24) * 3600 * 1000)

struct EvaluationMemory {
    Arena *arena;
    Standing *own_standing; /* NULL: it is the round's */
};

typedef struct EvaluationMemory EvaluationMemory;

/* --- reading ---------------------------------------------------------------------------------- */

typedef struct {
    const char *framework;
    int64_t now_ms;
    GPtrArray *exceptions;
    GPtrArray *changes; /* of the mapping */
} ControlRead;

static bool read_controls(DbUnit *unit, void *data, GError **error) {
    ControlRead *read = data;
    g_clear_pointer(&read->exceptions, g_ptr_array_unref);
    g_clear_pointer(&read->changes, g_ptr_array_unref);
    return control_exception_list(unit, read->framework, read->now_ms, &read->exceptions, error) &&
           control_mapping_list(unit, read->framework, &read->changes, error);
}

/* --- one control ------------------------------------------------------------------------------ */

/* What all controls of an evaluation are computed from. */
typedef struct {
    const Framework *framework;
    const Mapping *mapping;
    const Standing *standing;
    const GPtrArray *exceptions;
    Arena *arena;
    int64_t now_ms;
} Ground;

static const ControlException *exception_of(const Ground *ground, const FrameworkControl *control) {
    for (guint i = 0; i < ground->exceptions->len; i++) {
        const ControlException *row = g_ptr_array_index(ground->exceptions, i);
        if (framework_control(ground->framework, row->control_id) == control)
            return row;
    }
    return NULL;
}

static void take_result(const Ground *ground, const CheckResult *result, EvaluatedCheck *check) {
    Verdict verdict;
    if (result == NULL || !verdict_from_name(result->verdict, &verdict))
        return;
    check->evidence_id = result->evidence_id;
    check->reason = result->reason;
    check->input.collected = true;
    check->input.verdict = verdict;
    check->input.collected_at = result->checked_at;
    check->input.valid_until = result->valid_until;
    check->input.completeness = standing_completeness(ground->standing, result->evidence_id);
}

static EvaluatedCheck make_check(const Ground *ground, const StandingIntegration *integration,
                                 const MappedCheck *mapped) {
    g_autofree char *id = g_strdup_printf("%s.%s", mapped->type->name, mapped->check->name);
    const char *title = mapped->check->title;
    EvaluatedCheck check = {.check_id = arena_text(ground->arena, id),
                            .title = title != NULL ? title : mapped->check->name,
                            .severity = severity_name(mapped->check->severity),
                            .integration_id = integration->row->id,
                            .integration = integration->row->name,
                            .evidence_type = mapped->type->name};
    check.input.integration_id = check.integration_id;
    check.input.evidence_type = check.evidence_type;
    take_result(ground, standing_result(integration, check.check_id), &check);
    return check;
}

/* Pairs of integrations and mapped checks, in the order that control_judge() wants. */
static void pair_checks(const Ground *ground, EvaluatedControl *control, const MappedCheck *mapped,
                        size_t mapped_count) {
    g_autoptr(GArray) checks = g_array_new(FALSE, FALSE, sizeof(EvaluatedCheck));
    for (size_t i = 0; mapped_count > 0 && i < standing_count(ground->standing); i++) {
        const StandingIntegration *integration = standing_integration(ground->standing, i);
        for (size_t j = 0; j < mapped_count; j++) {
            if (mapped[j].definition != integration->definition ||
                !standing_wants(integration, mapped[j].type->name))
                continue;
            EvaluatedCheck check = make_check(ground, integration, &mapped[j]);
            g_array_append_val(checks, check);
        }
    }
    EvaluatedCheck *copy = arena_alloc(ground->arena, checks->len, sizeof *copy);
    if (checks->len > 0)
        memcpy(copy, checks->data, checks->len * sizeof *copy);
    control->checks = copy;
    control->check_count = checks->len;
}

static const StandingIntegration *integration_by_id(const Standing *standing, const char *id) {
    for (size_t i = 0; i < standing_count(standing); i++) {
        const StandingIntegration *integration = standing_integration(standing, i);
        if (strcmp(integration->row->id, id) == 0)
            return integration;
    }
    return NULL;
}

/* Why an integration that could serve the control has brought nothing. Caller frees. */
static char *gap_of(const Ground *ground, const EvaluatedControl *control) {
    if (control->check_count == 0 || control->answer.collected > 0)
        return NULL;
    const EvaluatedCheck *check = &control->checks[0];
    const Integration *row = integration_by_id(ground->standing, check->integration_id)->row;
    if (strcmp(row->status, INTEGRATION_RECONNECT_NEEDED) == 0)
        return g_strdup_printf("%s needs to be reconnected", row->name);
    if (row->last_sync_at == 0)
        return g_strdup_printf("%s was never synced", row->name);
    return g_strdup_printf("The syncs of %s brought no evidence %s", row->name,
                           check->evidence_type);
}

static void judge_control(const Ground *ground, EvaluatedControl *control, bool served,
                          bool excepted) {
    g_autofree ControlInput *inputs = g_new(ControlInput, MAX(control->check_count, 1));
    for (size_t i = 0; i < control->check_count; i++)
        inputs[i] = control->checks[i].input;
    ControlQuestion question = {.inputs = inputs,
                                .count = control->check_count,
                                .served = served,
                                .excepted = excepted,
                                .now_ms = ground->now_ms};
    control_judge(&question, &control->answer);
}

static void evaluate_control(const Ground *ground, EvaluatedControl *control) {
    size_t mapped_count;
    const MappedCheck *mapped =
        mapping_checks(ground->mapping, control->control->index, &mapped_count);
    const ControlException *exception = exception_of(ground, control->control);
    pair_checks(ground, control, mapped, mapped_count);
    judge_control(ground, control, mapped_count > 0, exception != NULL);
    g_autofree char *gap = gap_of(ground, control);
    ControlReasonFacts facts = {.control = control,
                                .exception = exception,
                                .mapped = mapped,
                                .mapped_count = mapped_count,
                                .gap = gap};
    g_autofree char *reason = control_reason_new(&facts);
    control->reason = arena_text(ground->arena, reason);
}

/* --- one framework ---------------------------------------------------------------------------- */

static void evaluate_all(Evaluation *evaluation, const Ground *ground) {
    const Framework *framework = ground->framework;
    g_autofree ScoreRow *rows = g_new(ScoreRow, MAX(framework->control_count, 1));
    evaluation->framework = framework;
    evaluation->control_count = framework->control_count;
    evaluation->controls =
        arena_alloc(ground->arena, framework->control_count, sizeof *evaluation->controls);
    for (size_t i = 0; i < framework->control_count; i++) {
        EvaluatedControl *control = &evaluation->controls[i];
        control->control = &framework->controls[i];
        evaluate_control(ground, control);
        ControlState state = control->answer.state;
        evaluation->unserved += state == CONTROL_NO_EVIDENCE && control->check_count == 0;
        rows[i] = (ScoreRow){control->control->weight, state};
    }
    score_controls(rows, framework->control_count, &evaluation->score);
}

/* As evaluation_new(), of a standing that outlives the result. */
static Evaluation *evaluate_standing(Db *db, const DbScope *scope, Registry *registry,
                                     const Standing *standing, const Framework *framework,
                                     int64_t now_ms, GError **error) {
    ControlRead read = {.framework = framework->id, .now_ms = now_ms};
    bool ok = db_run(db, scope, DB_READ, read_controls, &read, error);
    g_autoptr(GPtrArray) exceptions = read.exceptions;
    g_autoptr(GPtrArray) changes = read.changes;
    if (!ok)
        return NULL;
    g_autoptr(Mapping) mapping = mapping_new(framework, registry, changes);
    Evaluation *evaluation = g_new0(Evaluation, 1);
    evaluation->memory = g_new0(EvaluationMemory, 1);
    evaluation->memory->arena = arena_new();
    Ground ground = {.framework = framework,
                     .mapping = mapping,
                     .standing = standing,
                     .exceptions = exceptions,
                     .arena = evaluation->memory->arena,
                     .now_ms = now_ms};
    evaluate_all(evaluation, &ground);
    return evaluation;
}

Evaluation *evaluation_new(Db *db, const DbScope *scope, Registry *registry,
                           const Framework *framework, int64_t now_ms, GError **error) {
    g_autoptr(Standing) standing = standing_new(db, scope, registry, error);
    if (standing == NULL)
        return NULL;
    Evaluation *evaluation =
        evaluate_standing(db, scope, registry, standing, framework, now_ms, error);
    if (evaluation != NULL)
        evaluation->memory->own_standing = g_steal_pointer(&standing);
    return evaluation;
}

void evaluation_free(Evaluation *evaluation) {
    if (evaluation == NULL)
        return;
    arena_free(evaluation->memory->arena);
    standing_free(evaluation->memory->own_standing);
    g_free(evaluation->memory);
    g_free(evaluation);
}

/* --- storing ---------------------------------------------------------------------------------- */

/* A status to be written; texts are borrowed from the evaluation, detail is owned. */
typedef struct {
    ControlStatus row;
    char *detail;
} Pending;

static void clear_pending(void *data) {
    Pending *pending = data;
    g_free(pending->detail);
}

static void free_status(void *data) {
    control_status_free(data);
}

/* What a framework's last evaluation has left. */
typedef struct {
    GHashTable *statuses; /* control id -> ControlStatus */
    Score *score;         /* NULL: there was none */
} Stored;

static void stored_clear(Stored *stored) {
    g_clear_pointer(&stored->statuses, g_hash_table_unref);
    g_clear_pointer(&stored->score, score_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Stored, stored_clear)

typedef struct {
    ControlStatusFilter filter;
    GPtrArray *rows;
    Stored *stored;
} StatusPage;

/* The score comes with the first page. */
static bool read_statuses(DbUnit *unit, void *data, GError **error) {
    StatusPage *page = data;
    g_clear_pointer(&page->rows, g_ptr_array_unref);
    if (page->filter.after_control_id == NULL) {
        g_clear_pointer(&page->stored->score, score_free);
        if (!score_latest(unit, page->filter.framework, &page->stored->score, error))
            return false;
    }
    return control_status_list(unit, &page->filter, &page->rows, error);
}

static bool load_stored(Db *db, const DbScope *scope, const char *framework, Stored *stored,
                        GError **error) {
    g_autofree char *after = NULL;
    stored->statuses = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_status);
    for (;;) {
        StatusPage page = {
            .filter = {.framework = framework, .after_control_id = after, .limit = STORE_LIST_MAX},
            .stored = stored};
        bool read = db_run(db, scope, DB_READ, read_statuses, &page, error);
        g_autoptr(GPtrArray) rows = page.rows;
        if (!read)
            return false;
        g_ptr_array_set_free_func(rows, NULL);
        for (guint i = 0; i < rows->len; i++) {
            ControlStatus *row = g_ptr_array_index(rows, i);
            g_hash_table_replace(stored->statuses, (void *)(uintptr_t)row->control_id, row);
        }
        if (rows->len < STORE_LIST_MAX)
            return true;
        const ControlStatus *last = g_ptr_array_index(rows, rows->len - 1);
        g_free(after);
        after = g_strdup(last->control_id);
    }
}

static bool is_same(const ControlStatus *a, const ControlStatus *b) {
    return g_strcmp0(a->status, b->status) == 0 &&
           g_strcmp0(a->verdict_beside, b->verdict_beside) == 0 &&
           g_strcmp0(a->reason, b->reason) == 0 && g_strcmp0(a->detail, b->detail) == 0 &&
           fabs(a->confidence - b->confidence) < 0.005;
}

/* Whether a person would say that something changed. */
static bool is_news(const ControlStatus *before, const ControlStatus *now, ControlState state) {
    if (before == NULL)
        return state != CONTROL_MANUAL && state != CONTROL_NO_EVIDENCE;
    return g_strcmp0(before->status, now->status) != 0 ||
           g_strcmp0(before->verdict_beside, now->verdict_beside) != 0;
}

/* The statuses that are other than what is stored. */
static GArray *changed_statuses(const Evaluation *evaluation, GHashTable *stored, int64_t now_ms,
                                size_t *changed) {
    GArray *pending = g_array_new(FALSE, FALSE, sizeof(Pending));
    g_array_set_clear_func(pending, clear_pending);
    for (size_t i = 0; i < evaluation->control_count; i++) {
        const EvaluatedControl *control = &evaluation->controls[i];
        g_autoptr(Json) detail = evaluated_control_detail(control);
        Pending one = {.detail = json_print(detail, JSON_COMPACT)};
        one.row = (ControlStatus){.framework = evaluation->framework->id,
                                  .control_id = control->control->id,
                                  .status = control_state_name(control->answer.state),
                                  .verdict_beside = control_state_name(control->answer.beside),
                                  .reason = control->reason,
                                  .confidence = evaluated_control_confidence(control),
                                  .detail = one.detail,
                                  .updated_at = now_ms};
        const ControlStatus *before = g_hash_table_lookup(stored, one.row.control_id);
        if (before != NULL && is_same(before, &one.row)) {
            g_free(one.detail);
            continue;
        }
        *changed += is_news(before, &one.row, control->answer.state);
        g_array_append_val(pending, one);
    }
    return pending;
}

/* Whether a score says nothing that the one before does not. */
static bool is_told(const Score *before, const Score *score) {
    return before != NULL && strcmp(before->counts, score->counts) == 0 &&
           fabs(before->met_weight - score->met_weight) < 1e-9 &&
           fabs(before->applicable_weight - score->applicable_weight) < 1e-9 &&
           score->taken_at - before->taken_at < SCORE_EVERY_MS;
}

/* Somebody else may have been faster. */
static bool write_score(DbUnit *unit, const Score *score, GError **error) {
    g_autoptr(Score) before = NULL;
    return score_latest(unit, score->framework, &before, error) &&
           (is_told(before, score) || score_insert(unit, score, error));
}

typedef struct {
    const GArray *pending;
    guint first, end;
    const Score *score; /* NULL but for the last statuses */
} Write;

static bool write_statuses(DbUnit *unit, void *data, GError **error) {
    const Write *write = data;
    for (guint i = write->first; i < write->end; i++) {
        const Pending *pending = &g_array_index(write->pending, Pending, i);
        if (!control_status_upsert(unit, &pending->row, NULL, error))
            return false;
    }
    return write->score == NULL || write_score(unit, write->score, error);
}

static bool store_all(Db *db, const DbScope *scope, const GArray *pending, const Score *score,
                      GError **error) {
    Write write = {.pending = pending};
    do {
        write.first = write.end;
        write.end = MIN(write.first + STATUS_BATCH, pending->len);
        write.score = write.end == pending->len ? score : NULL;
        if (!db_run(db, scope, DB_WRITE, write_statuses, &write, error))
            return false;
    } while (write.end < pending->len);
    return true;
}

/* Where and when frameworks are evaluated. */
typedef struct {
    Db *db;
    const DbScope *scope;
    Registry *registry;
    const Standing *standing;
    int64_t now_ms;
    size_t changed;
} Round;

/* Most syncs change nothing, and then nobody has to wait for a write. */
static bool store(const Round *round, const Evaluation *evaluation, const Stored *stored,
                  const GArray *pending, GError **error) {
    const ScoreSum *sum = &evaluation->score;
    g_autoptr(Json) counts = score_counts_json(sum);
    g_autofree char *text = json_print(counts, JSON_COMPACT);
    Score score = {.framework = evaluation->framework->id,
                   .taken_at = round->now_ms,
                   .met_weight = sum->met_weight,
                   .applicable_weight = sum->applicable_weight,
                   .score = sum->score,
                   .counts = text};
    return (pending->len == 0 && is_told(stored->score, &score)) ||
           store_all(round->db, round->scope, pending, &score, error);
}

static bool evaluate_one(Round *round, const char *id, GError **error) {
    const Framework *framework = framework_find(id, error);
    if (framework == NULL)
        return false;
    g_autoptr(Evaluation) evaluation = evaluate_standing(
        round->db, round->scope, round->registry, round->standing, framework, round->now_ms, error);
    if (evaluation == NULL)
        return false;
    g_auto(Stored) stored = {0};
    if (!load_stored(round->db, round->scope, framework->id, &stored, error))
        return false;
    g_autoptr(GArray) pending =
        changed_statuses(evaluation, stored.statuses, round->now_ms, &round->changed);
    return store(round, evaluation, &stored, pending, error);
}

bool evaluate_controls(Db *db, const DbScope *scope, Registry *registry,
                       const char *const *frameworks, int64_t now_ms, size_t *changed_out,
                       GError **error) {
    g_autoptr(Standing) standing = standing_new(db, scope, registry, error);
    if (standing == NULL)
        return false;
    Round round = {
        .db = db, .scope = scope, .registry = registry, .standing = standing, .now_ms = now_ms};
    const char *const *ids = frameworks != NULL ? frameworks : framework_ids();
    for (size_t i = 0; ids[i] != NULL; i++) {
        if (!evaluate_one(&round, ids[i], error))
            return false;
    }
    if (changed_out != NULL)
        *changed_out = round.changed;
    return true;
}
