#include "comply/judge.h"

#include "base/error.h"
#include "comply/check.h"
#include "comply/finding_batch.h"
#include "comply/reads.h"
#include "comply/reason.h"
#include "comply/resource_set.h"
#include "comply/row_stream.h"
#include "comply/tally.h"
#include "store/check_result.h"
#include "store/document_reader.h"
#include "store/evidence.h"
#include "store/integration.h"

#include <string.h>

/* One check while the rows pass. */
typedef struct {
    const DefinitionCheck *check;
    FindingCheck finding; /* its id is owned */
    Tally tally;
    ResourceSet *resources; /* that fail or have an open finding */
    bool had_open;          /* findings were open before */
} Judged;

typedef struct {
    Db *db;
    const DbScope *scope;
    const Definition *definition;
    const char *evidence_id;
    const EvidenceType *type;
    Evidence *evidence;
    Evidence *latest;
    Integration *integration;
    Reads *reads;
    CheckSet *checks;
    FindingBatch *batch; /* NULL: nothing is written */
    FindingPlace place;
    Judged *judged;
    size_t count;
    char *last_name; /* the resource that last_key is of */
    ResourceKey last_key;
    int64_t rows;
} Judging;

static void judging_clear(Judging *judging) {
    for (size_t i = 0; i < judging->count; i++) {
        g_free((char *)(uintptr_t)judging->judged[i].finding.id);
        resource_set_free(judging->judged[i].resources);
    }
    g_free(judging->judged);
    finding_batch_free(judging->batch);
    check_set_free(judging->checks);
    reads_free(judging->reads);
    evidence_free(judging->evidence);
    evidence_free(judging->latest);
    integration_free(judging->integration);
    g_free(judging->last_name);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Judging, judging_clear)

void judge_report_clear(JudgeReport *report) {
    g_clear_pointer(&report->problem, g_free);
}

/* --- what is judged --------------------------------------------------------------------------- */

static bool load_work(DbUnit *unit, void *data, GError **error) {
    Judging *judging = data;
    g_clear_pointer(&judging->evidence, evidence_free);
    g_clear_pointer(&judging->latest, evidence_free);
    g_clear_pointer(&judging->integration, integration_free);
    if (!evidence_get(unit, judging->evidence_id, &judging->evidence, error))
        return false;
    const Evidence *evidence = judging->evidence;
    return evidence_latest(unit, evidence->integration_id, evidence->evidence_type,
                           &judging->latest, error) &&
           integration_get(unit, evidence->integration_id, &judging->integration, error);
}

static bool load_settings(const Judging *judging, Value *settings_out, GError **error) {
    const char *text = judging->integration->settings;
    if (value_parse(text, strlen(text), settings_out, NULL))
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_DATABASE,
                        "The settings of the integration are damaged: they are no JSON.");
    return false;
}

static bool load(Judging *judging, GError **error) {
    if (!db_run(judging->db, judging->scope, DB_READ, load_work, judging, error))
        return false;
    const Evidence *evidence = judging->evidence;
    judging->type = definition_type(judging->definition, evidence->evidence_type);
    if (judging->type == NULL) {
        g_set_error(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                    "The definition of %s has no evidence type '%s'.", judging->definition->id,
                    evidence->evidence_type);
        return false;
    }
    g_auto(Value) settings = VALUE_NONE;
    if (!load_settings(judging, &settings, error))
        return false;
    judging->reads = reads_new(judging->definition, judging->type, evidence->record, error);
    judging->checks = check_set_new(judging->type, settings, evidence->collected_at);
    return judging->reads != NULL;
}

static void prepare_checks(Judging *judging) {
    const EvidenceType *type = judging->type;
    judging->count = type->check_count;
    judging->judged = g_new0(Judged, MAX(judging->count, 1));
    for (size_t i = 0; i < judging->count; i++) {
        Judged *judged = &judging->judged[i];
        const DefinitionCheck *check = &type->checks[i];
        judged->check = check;
        judged->finding = (FindingCheck){.id = g_strdup_printf("%s.%s", type->name, check->name),
                                         .title = check->title != NULL ? check->title : check->name,
                                         .severity = severity_name(check->severity)};
        judged->tally.rows_missing = reads_rows_missing(judging->reads, check->nodes) != 0;
        judged->resources = resource_set_new();
    }
}

/* Newer evidence has the say on findings and results. */
static bool is_newest(const Judging *judging) {
    const Evidence *latest = judging->latest;
    return latest == NULL || strcmp(latest->id, judging->evidence->id) == 0 ||
           latest->collected_at <= judging->evidence->collected_at;
}

static bool know_open(const char *resource, void *data, GError **error G_GNUC_UNUSED) {
    Judged *judged = data;
    resource_set_add(judged->resources, resource_key(resource));
    judged->had_open = true;
    return true;
}

static bool prepare_findings(Judging *judging, GError **error) {
    if (!is_newest(judging))
        return true;
    judging->place = (FindingPlace){.db = judging->db,
                                    .scope = judging->scope,
                                    .integration_id = judging->evidence->integration_id,
                                    .evidence_id = judging->evidence->id,
                                    .job_id = judging->evidence->job_id,
                                    .at = judging->evidence->collected_at};
    judging->batch = finding_batch_new(&judging->place);
    for (size_t i = 0; i < judging->count; i++) {
        Judged *judged = &judging->judged[i];
        if (!finding_each_open(&judging->place, judged->finding.id, know_open, judged, error))
            return false;
        judged->finding.none_open = !judged->had_open;
    }
    return true;
}

/* --- rows ------------------------------------------------------------------------------------- */

/* Most checks of a type name their resource alike. */
static ResourceKey key_of(Judging *judging, const char *name) {
    if (judging->last_name == NULL || strcmp(judging->last_name, name) != 0) {
        g_free(judging->last_name);
        judging->last_name = g_strdup(name);
        judging->last_key = resource_key(name);
    }
    return judging->last_key;
}

static bool note_row(Judging *judging, Judged *judged, const RowVerdict *row, GError **error) {
    tally_add(&judged->tally, row->verdict, row->unread);
    bool matters = row->verdict == VERDICT_FAIL || judged->had_open;
    if (judging->batch == NULL || row->resource == NULL || !matters)
        return true;
    if (!resource_set_note(judged->resources, key_of(judging, row->resource), row->verdict))
        return true;
    return finding_batch_fail(judging->batch, &judged->finding, row->resource, error);
}

static bool judge_row(const char *bytes, size_t size, void *data, GError **error) {
    Judging *judging = data;
    const RowVerdict *verdicts;
    if (!check_set_judge(judging->checks, bytes, size, &verdicts, error))
        return false;
    judging->rows++;
    for (size_t i = 0; i < judging->count; i++) {
        if (!note_row(judging, &judging->judged[i], &verdicts[i], error))
            return false;
    }
    return true;
}

static bool feed_rows(const char *bytes, size_t size, void *data, GError **error) {
    return row_stream_feed(data, bytes, size, error);
}

static bool judge_rows(Judging *judging, GError **error) {
    if (judging->evidence->document_id == NULL)
        return true;
    g_autoptr(RowStream) stream = row_stream_new(judge_row, judging);
    return document_each(judging->db, judging->scope, judging->evidence->document_id, feed_rows,
                         stream, error) &&
           row_stream_end(stream, error);
}

/* --- results ---------------------------------------------------------------------------------- */

typedef struct {
    Judging *judging;
    const Judged *judged;
} Resolving;

/* Read, not failing, and nothing of it unread. */
static bool resolve_open(const char *resource, void *data, GError **error) {
    const Resolving *resolving = data;
    Verdict worst;
    if (!resource_set_worst(resolving->judged->resources, resource_key(resource), &worst))
        return true;
    if (worst == VERDICT_FAIL || worst == VERDICT_COULD_NOT_READ)
        return true;
    return finding_batch_resolve(resolving->judging->batch, &resolving->judged->finding, resource,
                                 error);
}

static bool settle_findings(Judging *judging, GError **error) {
    if (judging->batch == NULL)
        return true;
    if (!finding_batch_flush(judging->batch, error))
        return false;
    bool cut = reads_cut_short(judging->reads);
    for (size_t i = 0; i < judging->count && !cut; i++) {
        const Judged *judged = &judging->judged[i];
        Resolving resolving = {judging, judged};
        if (judged->had_open && !finding_each_open(&judging->place, judged->finding.id,
                                                   resolve_open, &resolving, error))
            return false;
    }
    return finding_batch_flush(judging->batch, error);
}

static Verdict verdict_of(const Judging *judging, size_t index) {
    const Judged *judged = &judging->judged[index];
    return tally_verdict(&judged->tally, judged->check);
}

static bool store_result(DbUnit *unit, const Judging *judging, size_t index, GError **error) {
    const Judged *judged = &judging->judged[index];
    const Evidence *evidence = judging->evidence;
    const int64_t *rows = judged->tally.rows;
    ReasonFacts facts = {.type = judging->type,
                         .check = judged->check,
                         .tally = &judged->tally,
                         .reads = judging->reads,
                         .problem = check_set_problem(judging->checks),
                         .verdict = verdict_of(judging, index)};
    g_autofree char *reason = reason_new(&facts);
    CheckResult result = {.integration_id = evidence->integration_id,
                          .check_id = judged->finding.id,
                          .evidence_type = evidence->evidence_type,
                          .evidence_id = evidence->id,
                          .verdict = verdict_name(facts.verdict),
                          .reason = reason,
                          .judged = tally_judged(&judged->tally),
                          .passed = rows[VERDICT_PASS],
                          .failed = rows[VERDICT_FAIL],
                          .could_not_read = rows[VERDICT_COULD_NOT_READ],
                          .not_applicable = rows[VERDICT_NOT_APPLICABLE],
                          .severity = judged->finding.severity,
                          .definition_sha256 = judging->definition->sha256,
                          .checked_at = evidence->collected_at,
                          .valid_until = evidence->valid_until};
    return check_result_upsert(unit, &result, error);
}

static bool store_work(DbUnit *unit, void *data, GError **error) {
    const Judging *judging = data;
    for (size_t i = 0; i < judging->count; i++) {
        if (!store_result(unit, judging, i, error))
            return false;
    }
    return true;
}

static bool store_results(Judging *judging, GError **error) {
    return judging->batch == NULL || judging->count == 0 ||
           db_run(judging->db, judging->scope, DB_WRITE, store_work, judging, error);
}

static void fill_report(const Judging *judging, JudgeReport *report) {
    *report = (JudgeReport){.rows = judging->rows,
                            .superseded = judging->batch == NULL,
                            .problem = g_strdup(check_set_problem(judging->checks))};
    for (size_t i = 0; i < judging->count; i++)
        report->verdicts[verdict_of(judging, i)]++;
    if (judging->batch == NULL)
        return;
    const FindingCounts *counts = finding_batch_counts(judging->batch);
    report->opened = counts->opened;
    report->regressed = counts->regressed;
    report->refreshed = counts->refreshed;
    report->resolved = counts->resolved;
}

bool judge_evidence(Db *db, const DbScope *scope, const Definition *definition,
                    const char *evidence_id, JudgeReport *report_out, GError **error) {
    g_auto(Judging)
        judging = {.db = db, .scope = scope, .definition = definition, .evidence_id = evidence_id};
    if (!load(&judging, error))
        return false;
    prepare_checks(&judging);
    if (!prepare_findings(&judging, error) || !judge_rows(&judging, error) ||
        !settle_findings(&judging, error) || !store_results(&judging, error))
        return false;
    if (report_out != NULL)
        fill_report(&judging, report_out);
    return true;
}
