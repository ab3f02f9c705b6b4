/* evidence.h - evidence records.
 *
 * The record is immutable JSON, stored verbatim and salted into the ledger in the same unit of
 * work. Columns beside it exist to find it; review state and ledger index stand outside the
 * record. Every run makes new records; a replayed job stores nothing twice.
 */
#pragma once

#include "store/job.h"
#include "store/record.h"

#define EVIDENCE_SALT_SIZE 32
#define EVIDENCE_RECORD_MAX (4 * 1024 * 1024) /* bytes; the data is in the document */

/* Values of Evidence.review_state. */
#define EVIDENCE_COLLECTED "collected"
#define EVIDENCE_APPROVED "approved"
#define EVIDENCE_REJECTED "rejected"

typedef struct {
    const char *id;
    const char *integration_id;
    const char *job_id; /* NULL: not made by a job */
    const char *evidence_type;
    const char *source;      /* provider id */
    const char *record;      /* JSON, verbatim */
    RecordBytes salt;        /* made by evidence_insert */
    const char *document_id; /* or NULL: no data */
    const char *data_sha256; /* of the document's bytes, or NULL */
    double completeness;     /* share of the reads that were complete, 0..1; details: record */
    int64_t collected_at;
    int64_t valid_from;
    int64_t valid_until;
    int64_t ledger_index;     /* set by evidence_insert */
    const char *review_state; /* NULL when inserting: collected */
} Evidence;

typedef struct {
    const char *source;         /* NULL: any */
    const char *evidence_type;  /* NULL: any */
    const char *integration_id; /* NULL: any */
    int64_t from_ms;            /* collected_at >= from_ms; 0: any */
    int64_t to_ms;              /* collected_at < to_ms; 0: any */
    const char *before_id;      /* cursor: records older than this one; NULL: from the newest */
    int64_t limit;
} EvidenceFilter;

void evidence_free(Evidence *evidence); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Evidence, evidence_free)

/* Stores a record and appends its ledger leaf. When the job has stored this evidence type before
 * (a replay), nothing is changed. *stored_out, which may be NULL, is the record as stored, be it
 * the new or the earlier one. lease may be NULL; with it ERROR_CONFLICT when the lease was lost.
 * ERROR_NOT_FOUND when integration or document is not the organization's. */
bool evidence_insert(DbUnit *unit, const Evidence *evidence, const JobLease *lease,
                     Evidence **stored_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ERROR_NOT_FOUND. */
bool evidence_get(DbUnit *unit, const char *id, Evidence **evidence_out,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Evidence* by id descending, that is the newest first. The array frees its rows. */
bool evidence_list(DbUnit *unit, const EvidenceFilter *filter, GPtrArray **evidence_out,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The newest record of a type of an integration; *evidence_out is NULL when there is none. */
bool evidence_latest(DbUnit *unit, const char *integration_id, const char *evidence_type,
                     Evidence **evidence_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
