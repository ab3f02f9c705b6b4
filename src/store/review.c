#include "store/review.h"

#include "base/clock.h"

#include <string.h>

static const RecordColumn columns[] = {
    RECORD_COLUMN(Review, evidence_id, RECORD_TEXT, 0),
    RECORD_COLUMN(Review, state, RECORD_TEXT, 0),
    RECORD_COLUMN(Review, reviewer, RECORD_TEXT, 0),
    RECORD_COLUMN(Review, note, RECORD_OPTIONAL, STORE_SENTENCE_MAX),
    RECORD_COLUMN(Review, reviewed_at, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(Review, "review", columns);

void review_free(Review *review) {
    g_free(review);
}

static bool check_state(const char *state, GError **error) {
    if (g_strcmp0(state, EVIDENCE_APPROVED) == 0 || g_strcmp0(state, EVIDENCE_REJECTED) == 0) {
        return true;
    }
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                        "Evidence is reviewed as approved or as rejected.");
    return false;
}

bool review_put(DbUnit *unit, const Review *review, GError **error) {
    Review row = *review;
    row.reviewed_at = clock_now_ms();
    if (!check_state(row.state, error) || !record_check(&shape, &row, error)) {
        return false;
    }
    DbStatement *state = db_prepare(unit, "review_state");
    db_bind_text(state, "evidence_id", row.evidence_id);
    db_bind_text(state, "state", row.state);
    return record_change(unit, state, ERROR_NOT_FOUND,
                         "There is no such evidence in this organization.", error) &&
           record_write(unit, "review_put", &shape, &row, error);
}

bool review_get(DbUnit *unit, const char *evidence_id, Review **review_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "review_get");
    db_bind_text(statement, "evidence_id", evidence_id);
    return record_one(statement, &shape, review_out, error);
}

bool review_of(DbUnit *unit, const Evidence *evidence, Review **review_out, GError **error) {
    *review_out = NULL;
    return strcmp(evidence->review_state, EVIDENCE_COLLECTED) == 0 ||
           review_get(unit, evidence->id, review_out, error);
}

/* Runs a bound statement of one text column. */
static bool read_texts(DbStatement *statement, GPtrArray **texts_out, GError **error) {
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    bool more = false;
    do {
        if (!db_step(statement, &more, error)) {
            return false;
        }
        if (more) {
            g_ptr_array_add(texts, db_column_dup(statement, 0));
        }
    } while (more);
    *texts_out = g_steal_pointer(&texts);
    return true;
}

bool review_approved_types(DbUnit *unit, const char *integration_id, GPtrArray **types_out,
                           GError **error) {
    DbStatement *statement = db_prepare(unit, "review_approved_types");
    db_bind_text(statement, "integration_id", integration_id);
    return read_texts(statement, types_out, error);
}

bool review_approved_integrations(DbUnit *unit, const char *after_id, int64_t limit,
                                  GPtrArray **ids_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "review_approved_integrations");
    record_bind_filter(statement, "after", after_id);
    record_bind_limit(statement, limit);
    return read_texts(statement, ids_out, error);
}
