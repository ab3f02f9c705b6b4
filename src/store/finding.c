#include "store/finding.h"

#include "base/error.h"
#include "base/id.h"
#include "store/integration.h"

static const RecordColumn columns[] = {
    RECORD_COLUMN(Finding, integration_id, RECORD_TEXT, 0),
    RECORD_COLUMN(Finding, check_id, RECORD_TEXT, 0),
    RECORD_COLUMN(Finding, resource, RECORD_TEXT, FINDING_RESOURCE_MAX),
    RECORD_COLUMN(Finding, state, RECORD_TEXT, 0),
    RECORD_COLUMN(Finding, severity, RECORD_TEXT, 0),
    RECORD_COLUMN(Finding, title, RECORD_TEXT, STORE_SENTENCE_MAX),
    RECORD_COLUMN(Finding, evidence_id, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(Finding, opened_at, RECORD_INT, 0),
    RECORD_COLUMN(Finding, last_seen_at, RECORD_INT, 0),
    RECORD_COLUMN(Finding, resolved_at, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(Finding, "finding", columns);

static const RecordColumn transition_columns[] = {
    RECORD_COLUMN(FindingTransition, id, RECORD_TEXT, 0),
    RECORD_COLUMN(FindingTransition, integration_id, RECORD_TEXT, 0),
    RECORD_COLUMN(FindingTransition, check_id, RECORD_TEXT, 0),
    RECORD_COLUMN(FindingTransition, resource, RECORD_TEXT, FINDING_RESOURCE_MAX),
    RECORD_COLUMN(FindingTransition, kind, RECORD_TEXT, 0),
    RECORD_COLUMN(FindingTransition, evidence_id, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(FindingTransition, at, RECORD_INT, 0),
};
static const RecordShape transition_shape =
    RECORD_SHAPE(FindingTransition, "finding transition", transition_columns);

void finding_free(Finding *finding) {
    g_free(finding);
}

static void bind_key(DbStatement *statement, const FindingKey *key) {
    db_bind_text(statement, "integration_id", key->integration_id);
    db_bind_text(statement, "check_id", key->check_id);
    db_bind_text(statement, "resource", key->resource);
}

/* Runs one of the statements that write a failure; *changed_out: whether it met a row. */
static bool write_failure(DbUnit *unit, const char *name, const FindingFailure *failure,
                          bool *changed_out, GError **error) {
    DbStatement *statement = db_prepare(unit, name);
    bind_key(statement, &failure->key);
    db_bind_text(statement, "severity", failure->severity);
    db_bind_text(statement, "title", failure->title);
    db_bind_text(statement, "evidence_id", failure->evidence_id);
    db_bind_int(statement, "at", failure->at);
    if (!db_exec(statement, error)) {
        return false;
    }
    *changed_out = db_changes(unit) > 0;
    return true;
}

static bool note_transition(DbUnit *unit, const FindingTransition *transition, GError **error) {
    char id[ID_SIZE];
    id_write(id);
    FindingTransition row = *transition;
    row.id = id;
    return record_write(unit, "finding_transition_insert", &transition_shape, &row, error);
}

static bool check_failure(const FindingFailure *failure, GError **error) {
    Finding row = {.integration_id = failure->key.integration_id,
                   .check_id = failure->key.check_id,
                   .resource = failure->key.resource,
                   .state = FINDING_OPEN,
                   .severity = failure->severity,
                   .title = failure->title,
                   .evidence_id = failure->evidence_id};
    return record_check(&shape, &row, error);
}

typedef struct {
    const char *statement;
    FindingChange change;
} Step;

/* Refreshes, reopens or opens, each by one statement that only meets the state it is for. */
static bool write_state(DbUnit *unit, const FindingFailure *failure, FindingChange *change_out,
                        GError **error) {
    static const Step insert = {"finding_insert", FINDING_NOW_OPEN};
    static const Step refresh = {"finding_refresh", FINDING_REFRESHED};
    static const Step reopen = {"finding_reopen", FINDING_NOW_REOPEN};
    const Step *seen[] = {&refresh, &reopen, &insert}, *unseen[] = {&insert, &refresh, &reopen};
    const Step *const *steps = failure->likely_new ? unseen : seen;
    for (size_t i = 0; i < G_N_ELEMENTS(seen); i++) {
        bool changed = false;
        if (!write_failure(unit, steps[i]->statement, failure, &changed, error)) {
            return false;
        }
        if (changed) {
            *change_out = steps[i]->change;
            return true;
        }
    }
    /* None met a state: there is nothing that it could be a finding of. */
    if (integration_require(unit, failure->key.integration_id, error)) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_DATABASE,
                            "The database did not keep a finding.");
    }
    return false;
}

bool finding_fail(DbUnit *unit, const FindingFailure *failure, FindingChange *change_out,
                  GError **error) {
    FindingChange change = FINDING_UNCHANGED;
    if (!check_failure(failure, error) || !write_state(unit, failure, &change, error)) {
        return false;
    }
    FindingTransition transition = {.integration_id = failure->key.integration_id,
                                    .check_id = failure->key.check_id,
                                    .resource = failure->key.resource,
                                    .kind = change == FINDING_NOW_REOPEN ? FINDING_REGRESSED
                                                                         : FINDING_OPENED,
                                    .evidence_id = failure->evidence_id,
                                    .at = failure->at};
    if (change != FINDING_REFRESHED && !note_transition(unit, &transition, error)) {
        return false;
    }
    if (change_out) {
        *change_out = change;
    }
    return true;
}

bool finding_resolve(DbUnit *unit, const FindingKey *key, const char *evidence_id, int64_t at,
                     FindingChange *change_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "finding_resolve");
    bind_key(statement, key);
    db_bind_text(statement, "evidence_id", evidence_id);
    db_bind_int(statement, "at", at);
    if (!db_exec(statement, error)) {
        return false;
    }
    bool resolved = db_changes(unit) > 0;
    FindingTransition transition = {.integration_id = key->integration_id,
                                    .check_id = key->check_id,
                                    .resource = key->resource,
                                    .kind = FINDING_RESOLVED,
                                    .evidence_id = evidence_id,
                                    .at = at};
    if (resolved && !note_transition(unit, &transition, error)) {
        return false;
    }
    if (change_out) {
        *change_out = resolved ? FINDING_NOW_RESOLVED : FINDING_UNCHANGED;
    }
    return true;
}

bool finding_open_keys(DbUnit *unit, const FindingKey *key, int64_t limit,
                       GPtrArray **resources_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "finding_open_keys");
    db_bind_text(statement, "integration_id", key->integration_id);
    db_bind_text(statement, "check_id", key->check_id);
    record_bind_filter(statement, "after", key->resource);
    record_bind_limit(statement, limit);
    g_autoptr(GPtrArray) resources = g_ptr_array_new_with_free_func(g_free);
    for (;;) {
        bool found = false;
        if (!db_step(statement, &found, error)) {
            return false;
        }
        if (!found) {
            break;
        }
        g_ptr_array_add(resources, db_column_dup(statement, 0));
    }
    *resources_out = g_steal_pointer(&resources);
    return true;
}

bool finding_list(DbUnit *unit, const FindingFilter *filter, GPtrArray **findings_out,
                  GError **error) {
    DbStatement *statement = db_prepare(unit, "finding_list");
    record_bind_filter(statement, "state", filter->state);
    record_bind_filter(statement, "severity", filter->severity);
    record_bind_filter(statement, "check_id", filter->check_id);
    record_bind_filter(statement, "integration_id", filter->integration_id);
    record_bind_filter(statement, "after_integration_id", filter->after.integration_id);
    record_bind_filter(statement, "after_check_id", filter->after.check_id);
    record_bind_filter(statement, "after_resource", filter->after.resource);
    record_bind_limit(statement, filter->limit);
    return record_all(statement, &shape, findings_out, error);
}

bool finding_transitions(DbUnit *unit, const FindingKey *key, int64_t limit,
                         GPtrArray **transitions_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "finding_transitions");
    bind_key(statement, key);
    record_bind_limit(statement, limit);
    return record_all(statement, &transition_shape, transitions_out, error);
}
