/* cassette.h - the recorded responses of a job, and so its journal.
 *
 * Every final answer (ok, absent, forbidden, unlicensed ...; never a transient one), redacted, is
 * appended to the job's cassette in batches. A run asks the cassette before it asks the network:
 * recovery after a kill, parking, re-performance and the tests of definitions are therefore one
 * mechanism: replay, and go live at the first miss.
 *
 * A recording is found by (node path, method, URL, body, occurrence), so that a poll that asks the
 * same thing twice finds the first answer first. Batches of about 512 KiB are compressed and
 * written by one unit of work each, fenced by the job's lease; cassette_flush() starts a write, and
 * everything appended is durable when cassette_pending() is 0.
 *
 * One thread, that of the NetClient, uses a Cassette. A cassette without a database
 * (cassette_new_in_memory) also finds what was appended to it.
 */
#pragma once

#include "base/digest.h"
#include "base/outcome.h"
#include "collect/unit.h"
#include "provider/respond.h"
#include "store/job.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Cassette Cassette;

/* What identifies a request within a run. */
typedef struct {
    const char *node; /* path of the call in the read graph, such as "repo/protection" */
    const char *method;
    const char *url;
    const char *body; /* or NULL */
} CassetteKey;

/* An answer. Texts given to cassette_append() are borrowed; those of cassette_find() live until
 * the next call on the cassette and end in a NUL. */
typedef struct {
    int status;
    Outcome outcome;
    RespondThen then;
    const char *url;     /* the URL that answered */
    const char *message; /* about a failure; "" when there is none */
    const char *headers; /* "name: value\n" lines, names in lower case: those that paging reads */
    const char *body;    /* mended and redacted (provider/scan.h) */
    size_t body_size;
} Recording;

typedef struct {
    UnitPlace place;
    JobLease lease; /* its texts must outlive the cassette */
} CassetteConfig;

/* Opens the cassette of a job and indexes what it already holds (waits for the database). */
bool cassette_open(const CassetteConfig *config, Cassette **cassette_out,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
Cassette *cassette_new_in_memory(void);

/* Waits for writes in flight by stepping the client. */
void cassette_free(Cassette *cassette);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Cassette, cassette_free)

/* Tells wake on the client's thread after each write; NULL: nobody. */
void cassette_watch(Cassette *cassette, NetCall wake, void *data);

/* Finds the next recording of this key that has not been used. ERROR_DATABASE when a batch is
 * damaged. */
bool cassette_find(Cassette *cassette, const CassetteKey *key, bool *found_out,
                   Recording *recording_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Appends a live answer behind the last. */
void cassette_append(Cassette *cassette, const CassetteKey *key, const Recording *recording);

/* Starts writing what was appended, whatever its size. */
void cassette_flush(Cassette *cassette);

/* Batches that are not durable yet, the one that is being filled included; 0: everything is. */
unsigned cassette_pending(const Cassette *cassette);

/* The first failure of a write, or NULL. ERROR_CONFLICT: the lease was lost to another worker. */
const GError *cassette_error(const Cassette *cassette);

/* Number of recordings; and a hash over all flushed batches in order: h(n) = SHA-256(h(n-1) ||
 * SHA-256(batch n)), h(0) = 32 zero bytes. A batch counts as it is stored, compressed; that of a
 * cassette in memory as it is. */
uint64_t cassette_count(const Cassette *cassette);
void cassette_hash(const Cassette *cassette, char out[DIGEST_HEX_SIZE]);
