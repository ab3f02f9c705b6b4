#include "store/evidence.h"

#include "base/secmem.h"
#include "store/document.h"
#include "store/event.h"
#include "store/integration.h"
#include "store/ledger.h"

#include <string.h>

static const RecordColumn columns[] = {
    RECORD_COLUMN(Evidence, id, RECORD_TEXT, 0),
    RECORD_COLUMN(Evidence, integration_id, RECORD_TEXT, 0),
    RECORD_COLUMN(Evidence, job_id, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(Evidence, evidence_type, RECORD_TEXT, 0),
    RECORD_COLUMN(Evidence, source, RECORD_TEXT, 0),
    RECORD_COLUMN(Evidence, record, RECORD_TEXT, EVIDENCE_RECORD_MAX),
    RECORD_COLUMN(Evidence, salt, RECORD_BYTES, EVIDENCE_SALT_SIZE),
    RECORD_COLUMN(Evidence, document_id, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(Evidence, data_sha256, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(Evidence, completeness, RECORD_REAL, 0),
    RECORD_COLUMN(Evidence, collected_at, RECORD_INT, 0),
    RECORD_COLUMN(Evidence, valid_from, RECORD_INT, 0),
    RECORD_COLUMN(Evidence, valid_until, RECORD_INT, 0),
    RECORD_COLUMN(Evidence, ledger_index, RECORD_INT, 0),
    RECORD_COLUMN(Evidence, review_state, RECORD_TEXT, 0),
};
static const RecordShape shape = RECORD_SHAPE(Evidence, "evidence", columns);

void evidence_free(Evidence *evidence) {
    g_free(evidence);
}

/* Whether what the record refers to is there and is the organization's. */
static bool check_references(DbUnit *unit, const Evidence *evidence, GError **error) {
    if (!integration_require(unit, evidence->integration_id, error)) {
        return false;
    }
    if (!evidence->document_id) {
        return true;
    }
    g_autoptr(Document) document = NULL;
    if (!document_get(unit, evidence->document_id, &document, error)) {
        return false;
    }
    if (g_strcmp0(document->sha256, evidence->data_sha256) != 0) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_INTERNAL,
                            "The data hash of the evidence is not that of its document.");
        return false;
    }
    return true;
}

/* Inserts the row; *inserted_out is false when the job has stored this type before. */
static bool insert_row(DbUnit *unit, const Evidence *row, bool *inserted_out, GError **error) {
    if (!record_write(unit, "evidence_insert", &shape, row, error)) {
        return false;
    }
    *inserted_out = db_changes(unit) > 0;
    return true;
}

/* Appends the leaf of a stored record and notes its index. */
static bool log_row(DbUnit *unit, const Evidence *row, GError **error) {
    uint8_t input[LEDGER_LEAF_INPUT_SIZE];
    RecordBytes record = {row->record, strlen(row->record)};
    ledger_leaf_input(row->salt, record, input);
    int64_t index = 0;
    if (!ledger_append(unit, row->id, input, &index, error)) {
        return false;
    }
    DbStatement *statement = db_prepare(unit, "evidence_logged");
    db_bind_text(statement, "id", row->id);
    db_bind_int(statement, "ledger_index", index);
    return db_exec(statement, error);
}

static bool tell(DbUnit *unit, const Evidence *row, GError **error) {
    g_autoptr(Json) data = json_new_object();
    EventNews news = {.kind = EVENT_EVIDENCE,
                      .integration_id = row->integration_id,
                      .job_id = row->job_id,
                      .data = data};
    json_put_string(data, "id", row->id);
    json_put_string(data, "evidenceType", row->evidence_type);
    json_put_time(data, "collectedAt", row->collected_at);
    return event_add(unit, &news, error);
}

/* The record of this job and type, or of this id when there is no job. */
static bool read_stored(DbUnit *unit, const Evidence *row, Evidence **stored_out, GError **error) {
    if (!row->job_id) {
        return evidence_get(unit, row->id, stored_out, error);
    }
    DbStatement *statement = db_prepare(unit, "evidence_of_job");
    db_bind_text(statement, "job_id", row->job_id);
    db_bind_text(statement, "evidence_type", row->evidence_type);
    return record_must(statement, &shape, stored_out, error);
}

bool evidence_insert(DbUnit *unit, const Evidence *evidence, const JobLease *lease,
                     Evidence **stored_out, GError **error) {
    uint8_t salt[EVIDENCE_SALT_SIZE];
    secmem_random(salt, sizeof salt);
    Evidence row = *evidence;
    row.salt = (RecordBytes){salt, sizeof salt};
    row.review_state = row.review_state ? row.review_state : EVIDENCE_COLLECTED;
    row.ledger_index = -1;
    bool inserted = false;
    if ((lease && !job_guard(unit, lease, error)) || !record_check(&shape, &row, error) ||
        !check_references(unit, &row, error) || !insert_row(unit, &row, &inserted, error)) {
        return false;
    }
    if (inserted && (!log_row(unit, &row, error) || !tell(unit, &row, error))) {
        return false;
    }
    return !stored_out || read_stored(unit, &row, stored_out, error);
}

bool evidence_get(DbUnit *unit, const char *id, Evidence **evidence_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "evidence_get");
    db_bind_text(statement, "id", id);
    return record_must(statement, &shape, evidence_out, error);
}

bool evidence_list(DbUnit *unit, const EvidenceFilter *filter, GPtrArray **evidence_out,
                   GError **error) {
    DbStatement *statement = db_prepare(unit, "evidence_list");
    record_bind_before(statement, "before", filter->before_id);
    record_bind_filter(statement, "source", filter->source);
    record_bind_filter(statement, "evidence_type", filter->evidence_type);
    record_bind_filter(statement, "integration_id", filter->integration_id);
    db_bind_int(statement, "from_ms", filter->from_ms);
    db_bind_int(statement, "to_ms", filter->to_ms ? filter->to_ms : INT64_MAX);
    record_bind_limit(statement, filter->limit);
    return record_all(statement, &shape, evidence_out, error);
}

bool evidence_latest(DbUnit *unit, const char *integration_id, const char *evidence_type,
                     Evidence **evidence_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "evidence_latest");
    db_bind_text(statement, "integration_id", integration_id);
    db_bind_text(statement, "evidence_type", evidence_type);
    return record_one(statement, &shape, evidence_out, error);
}
