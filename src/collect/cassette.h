/* cassette.h - the recorded responses of a job, and so its journal.
 *
 * Every final answer (ok, absent, forbidden, unlicensed ...; never a transient one), redacted, is
 * appended to the job's cassette in batches. A run asks the cassette before it asks the network:
 * recovery after a kill, parking, re-performance and the tests of definitions are therefore one
 * mechanism: replay, and go live at the first miss.
 *
 * A recording is found by (node path, method, URL, body hash, occurrence), so that a poll that asks
 * the same thing twice finds the first answer first. Batches of about 256 KiB are compressed and
 * written by one unit of work each, fenced by the job's lease; cassette_flush() starts a write, and
 * everything appended is durable when cassette_pending() is 0.
 *
 * One thread (that of the NetClient) uses a Cassette; the database calls back through
 * net_client_post().
 */
#pragma once

#include "base/digest.h"
#include "base/outcome.h"
#include "db/db.h"
#include "net/client.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Cassette Cassette;

/* What identifies a request within a run. */
typedef struct {
    const char *node; /* path of the call in the read graph, such as "repos/protection" */
    const char *method;
    const char *url;
    const char *body; /* or NULL */
} CassetteKey;

typedef struct {
    int status;
    Outcome outcome;
    Verdict unlicensed;
    const char *url;     /* the URL that answered */
    const char *message; /* about a failure, or NULL */
    const char *headers; /* "name: value" lines that paging and classification need */
    const char *body;    /* full body, redacted */
    size_t body_size;
} Recording;

typedef struct {
    NetClient *client; /* borrowed */
    Db *db;            /* borrowed */
    DbScope scope;
    const char *job_id;
    const char *owner; /* of the job's lease */
    int64_t fence;
} CassetteConfig;

/* Opens the cassette of a job and indexes what it already holds (waits for the database). */
bool cassette_open(const CassetteConfig *config, Cassette **cassette_out,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A cassette without a database, filled by cassette_append() (tests, definitions' exchanges). */
Cassette *cassette_new_in_memory(void);
void cassette_free(Cassette *cassette);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Cassette, cassette_free)

/* Finds the next recording of this key that has not been used; false when there is none. The
 * recording is borrowed until the next call on the cassette. ERROR_DATABASE when a batch is
 * damaged. */
bool cassette_find(Cassette *cassette, const CassetteKey *key, bool *found_out,
                   Recording *recording_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Appends a live answer (never a transient one) behind the last. */
void cassette_append(Cassette *cassette, const CassetteKey *key, const Recording *recording);

/* Starts writing what is pending, whatever its size. */
void cassette_flush(Cassette *cassette);

/* Batches that are not yet durable; 0: all is. */
unsigned cassette_pending(const Cassette *cassette);

/* The first failure of a write, or NULL. ERROR_CONFLICT: the lease was lost to another worker. */
const GError *cassette_error(const Cassette *cassette);

/* Number of recordings, and SHA-256 over all of them in the order of their appending. */
uint64_t cassette_count(const Cassette *cassette);
void cassette_hash(const Cassette *cassette, char out[DIGEST_HEX_SIZE]);
