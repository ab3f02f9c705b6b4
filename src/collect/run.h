/* run.h - collects the evidence of one job.
 *
 * run = f(definition, settings, range, clock of the run, responses). A Run walks the union of the
 * read graphs of the wanted evidence types: it renders a request (pure), takes the answer from the
 * cassette or else from the sender, pages, fans out, and emits typed rows in the order of their
 * parents, whatever the order in which answers arrive. Rows go to the document writer and to the
 * reducers of the summary; nothing is judged here. When a type is done, one unit of work stores
 * evidence record and ledger leaf.
 *
 * States of a list (Reading): see reading.h. One thread, that of the NetClient, drives everything
 * by callbacks; a Run never blocks, and never holds more than RUN_ROWS_LIVE rows.
 *
 * Life: run_new; run_start; step the client until run_is_over(); run_result; run_free. Freed early
 * (cancelled), it drops what is in flight.
 */
#pragma once

#include "base/json.h"
#include "collect/cassette.h"
#include "connect/sender.h"
#include "db/db.h"
#include "net/client.h"
#include "provider/definition.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Parent rows that are in work at once; the memory of a run is bounded by it. */
#define RUN_ROWS_LIVE 256

/* The longest that an answer waits to become durable; what a kill may cause to be read again. */
#define RUN_COMMIT_MS 200

typedef struct Run Run;

/* Told after each stored evidence item and, at most ten times a second, on progress. */
typedef struct {
    void (*stored)(const char *evidence_type, const char *evidence_id, void *data);
    void (*progress)(const char *evidence_type, uint64_t rows, uint64_t calls, void *data);
    void *data;
} RunObserver;

typedef struct {
    NetClient *client; /* borrowed */
    Db *db;            /* borrowed */
    DbScope scope;
    const Definition *definition;      /* borrowed */
    const Json *settings;              /* borrowed until run_new returns */
    const char *const *evidence_types; /* NULL-terminated names; borrowed until run_new returns */
    const char *integration_id;        /* copied */
    const char *job_id;                /* copied */
    int64_t clock_ms;                  /* the clock of the run: `now`, collectedAt */
    int64_t from_ms;                   /* range; 0: the definition's default window before clock */
    int64_t to_ms;
    const JobLease *lease; /* held by all that is stored; NULL: none. Borrowed */
    Cassette *cassette;    /* borrowed */
    /* There will be another attempt: an evidence type of which nothing failed but what may succeed
     * later is not stored, which would be for good, but held back. */
    bool hold;
    Sender *sender; /* borrowed; NULL: replay only, a miss is an error of the type */
    RunObserver observer;
} RunConfig;

/* ERROR_CONFIGURATION when an evidence type does not exist. */
bool run_new(const RunConfig *config, Run **run_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void run_free(Run *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Run, run_free)

void run_start(Run *run);
bool run_is_over(const Run *run);

/* When the run stopped early because a limit asks for a long wait: the wall time at which it may
 * go on (by replay); 0 otherwise. */
int64_t run_parked_until(const Run *run);

/* The failure of the first evidence type that was held back, or NULL: run the job again later. */
const GError *run_held(const Run *run);

/* A failure of the whole run (database, lost lease), or NULL. */
const GError *run_error(const Run *run);

/* {"evidenceCollected", "evidenceFailed", "errors": [{evidenceType, code, message, retryable,
 * details}]}. Owned by the caller. */
Json *run_result(const Run *run);
