#include "store/journal.h"

static const RecordColumn columns[] = {
    RECORD_COLUMN(JournalBatch, batch, RECORD_INT, 0),
    RECORD_COLUMN(JournalBatch, entries, RECORD_INT, 0),
    RECORD_COLUMN(JournalBatch, raw_size, RECORD_INT, 0),
    RECORD_COLUMN(JournalBatch, bytes, RECORD_BYTES, JOURNAL_BATCH_MAX),
};
static const RecordShape shape = RECORD_SHAPE(JournalBatch, "journal batch", columns);

void journal_batch_free(JournalBatch *batch) {
    g_free(batch);
}

/* Takes the next batch number with the lease: growth and fence are one update of the job's row. */
static bool take_number(DbUnit *unit, const JobLease *lease, int64_t *number_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "job_journal_grow");
    job_bind_lease(statement, lease);
    int64_t number = -1;
    if (!record_number(statement, -1, &number, error)) {
        return false;
    }
    if (number < 0) {
        job_set_lost(error);
        return false;
    }
    *number_out = number;
    return true;
}

bool journal_append(DbUnit *unit, const JobLease *lease, const JournalBatch *batch,
                    int64_t *batch_out, GError **error) {
    JournalBatch row = *batch;
    if (!record_check(&shape, &row, error) || !take_number(unit, lease, &row.batch, error)) {
        return false;
    }
    DbStatement *statement = db_prepare(unit, "journal_append");
    db_bind_text(statement, "job_id", lease->job_id);
    record_bind(statement, &shape, &row);
    if (!db_exec(statement, error)) {
        return false;
    }
    if (batch_out) {
        *batch_out = row.batch;
    }
    return true;
}

bool journal_read(DbUnit *unit, const char *job_id, int64_t batch, JournalBatch **batch_out,
                  GError **error) {
    DbStatement *statement = db_prepare(unit, "journal_read");
    db_bind_text(statement, "job_id", job_id);
    db_bind_int(statement, "batch", batch);
    return record_one(statement, &shape, batch_out, error);
}

bool journal_count(DbUnit *unit, const char *job_id, int64_t *count_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "journal_count");
    db_bind_text(statement, "job_id", job_id);
    return record_number(statement, 0, count_out, error);
}
