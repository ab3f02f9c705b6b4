/* journal.h - the journal of a job: the batches of its cassette.
 *
 * Batches are numbered from 0 without gaps; their bytes are the collector's (compressed
 * recordings). Appending is fenced by the job's lease. Read batch by batch, each in a unit of its
 * own, so that a long cassette is never a long read.
 */
#pragma once

#include "store/job.h"
#include "store/record.h"

/* Largest stored form of one batch, in bytes. */
#define JOURNAL_BATCH_MAX (8 * 1024 * 1024)

typedef struct {
    int64_t batch;    /* set by journal_append */
    int64_t entries;  /* recordings in it */
    int64_t raw_size; /* bytes before compression */
    RecordBytes bytes;
} JournalBatch;

void journal_batch_free(JournalBatch *batch); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JournalBatch, journal_batch_free)

/* Appends behind the last batch; *batch_out, which may be NULL, is its number. ERROR_CONFLICT when
 * the lease was lost, ERROR_LIMIT when too large. */
bool journal_append(DbUnit *unit, const JobLease *lease, const JournalBatch *batch,
                    int64_t *batch_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads one batch; *batch_out is NULL behind the last. */
bool journal_read(DbUnit *unit, const char *job_id, int64_t batch, JournalBatch **batch_out,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The number of batches of a job. */
bool journal_count(DbUnit *unit, const char *job_id, int64_t *count_out,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
