/* finding_batch.h - changes of findings, written some hundred at a time.
 *
 * A batch is told what fails and what is resolved, in the order of the rows, and writes in units of
 * work of at most FINDING_BATCH_SIZE changes. Memory: the names of one unit. Writing the same
 * changes again changes nothing, so a judge that was killed starts over.
 *
 * What was opened, regressed or resolved becomes an event (store/event.h), the first
 * FINDING_EVENTS_MAX of a batch: nobody watches ten thousand of them pass.
 */
#pragma once

#include "comply/resource_set.h"
#include "db/db.h"

#include <stdbool.h>
#include <stdint.h>

#define FINDING_BATCH_SIZE 1000
#define FINDING_EVENTS_MAX 200

/* Texts are borrowed and must outlive the batch. */
typedef struct {
    Db *db;
    const DbScope *scope;
    const char *integration_id;
    const char *evidence_id;
    const char *job_id; /* NULL: none */
    int64_t at;         /* when the evidence was collected */
} FindingPlace;

typedef struct {
    int64_t opened;
    int64_t regressed;
    int64_t refreshed;
    int64_t resolved;
} FindingCounts;

/* The check that is meant; texts are borrowed and must outlive the batch. */
typedef struct {
    const char *id; /* "type.check" */
    const char *title;
    const char *severity;
    bool none_open; /* no finding of it was open before: those that come are likely new */
} FindingCheck;

typedef struct FindingBatch FindingBatch;

FindingBatch *finding_batch_new(const FindingPlace *place);
void finding_batch_free(FindingBatch *batch); /* what was not flushed is forgotten */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FindingBatch, finding_batch_free)

/* Adds a change; the check is borrowed, the resource copied. Writes when the batch is full. */
bool finding_batch_fail(FindingBatch *batch, const FindingCheck *check, const char *resource,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool finding_batch_resolve(FindingBatch *batch, const FindingCheck *check, const char *resource,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes what is left. */
bool finding_batch_flush(FindingBatch *batch, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What was written so far. Borrowed. */
const FindingCounts *finding_batch_counts(const FindingBatch *batch);

/* Called for each open resource of a check. */
typedef bool (*FindingOpenFunc)(const char *resource, void *data, GError **error);

/* Walks the open findings of a check page by page, each page read in a unit of work of its own.
 * The function may add changes to a batch. */
bool finding_each_open(const FindingPlace *place, const char *check_id, FindingOpenFunc function,
                       void *data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
