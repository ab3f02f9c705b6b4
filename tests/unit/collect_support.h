/* collect_support.h - a run over recorded exchanges, on a database of its own.
 *
 * A test writes exchanges one line at a time with short paths (the host is added), runs evidence
 * types of a small definition, and looks at what was stored.
 */
#pragma once

#include "base/error.h"
#include "collect/run.h"
#include "connect/exchange.h"
#include "db/db.h"
#include "net/client.h"
#include "provider/definition.h"
#include "store/job_claim.h"

#include <glib.h>
#include <stdbool.h>

#define COLLECT_ORGANIZATION "org"
#define COLLECT_INTEGRATION "integration"
#define COLLECT_CLOCK 1760000000000

typedef struct {
    char *folder;
    Db *db;
    DbScope scope;
    NetClient *client;
    Definition *definition;
    Exchanges *exchanges;
    Cassette *cassette; /* in memory unless a test replaces it */
    Json *settings;
    GPtrArray *evidence; /* ids, in the order of storing */
    Json *result;        /* of the last run */
    uint64_t progress_calls;
    bool hold;      /* of the runs that follow */
    ErrorCode held; /* why the last run held back an evidence type; ERROR_CODES: it did not */
    Job *job;       /* claimed last */
} Bench;

/* A definition with one list, "users", and one evidence type of the same name. */
extern const char bench_definition[];

/* A bench with the definition of this text; settings is {"team": "a"}. */
Bench *bench_new(const char *definition);
void bench_free(Bench *bench);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bench, bench_free)

/* Records an answer to GET path. headers is a JSON object or NULL, body is JSON. */
void bench_answer(Bench *bench, const char *path, int status, const char *headers,
                  const char *body);
/* The same for a body that is text as it stands (broken JSON and the like). */
void bench_answer_text(Bench *bench, const char *path, const char *text);

/* Adds a job and claims it; the lease's texts live as long as the bench. */
JobLease bench_claim(Bench *bench, const char *job_id);

/* Replaces the cassette by the durable one of a claimed job. */
void bench_use_journal(Bench *bench, const JobLease *lease);

/* Steps the loop until everything appended to the cassette is durable or has failed. */
void bench_settle(Bench *bench);

/* Runs these evidence types (NULL-terminated) to the end. */
void bench_run(Bench *bench, const char *const *types);

/* The number of errors in the result, and the member of the n-th. */
size_t bench_errors(const Bench *bench);
const char *bench_error(const Bench *bench, size_t index, const char *member);

/* The data of the n-th stored evidence, as text; and its record. Caller frees. */
char *bench_data(const Bench *bench, size_t index);
Json *bench_record(const Bench *bench, size_t index);

/* Whether haystack holds needle, told well when it does not. */
#define bench_assert_holds(haystack, needle)                                                       \
    do {                                                                                           \
        if (strstr(haystack, needle) == NULL)                                                      \
            g_error("%s:%d: %s is not in %s", __FILE__, __LINE__, needle, haystack);               \
    } while (0)
