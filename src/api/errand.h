/* errand.h - work that a request waits for, but no thread of the pool does: a worker process tests
 * a connection.
 *
 * An errand runs on one of a few threads, each with a worker process of its own that is started
 * when it is first needed. Whoever began it is told once: with its end, or when his patience is
 * over (ERRAND_PATIENCE_MS). In the second case the errand goes on, and its end can be asked for by
 * its id for ERRAND_KEEP_MS; it looks like a job then (errand_json()). Errands live in memory: one
 * that was under way when the process ended is gone, and so is what it would have stored.
 */
#pragma once

#include "api/alarm.h"
#include "sync/crew.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define ERRAND_PATIENCE_MS 25000
#define ERRAND_KEEP_MS (10 * 60 * 1000)
#define ERRANDS_WAITING_MAX 64

typedef struct Errand Errand;
typedef struct Errands Errands;

/* Does the work, with a worker process that has been started. *body_out is the answer of success.
 */
typedef bool (*ErrandWork)(Crew *crew, void *data, Json **body_out, GError **error);

/* How it went, as told to whoever waits: ended, or out of patience (then there is neither). */
typedef struct {
    bool ended;
    Json *body; /* of success; borrowed */
    const GError *error;
} ErrandEnd;
typedef void (*ErrandTold)(Errand *errand, const ErrandEnd *end, void *data);

typedef struct {
    const char *organization;
    const char *kind;           /* "connect", "reconnect", "test" */
    const char *integration_id; /* or NULL */
    unsigned status;            /* of success */
    ErrandWork work;
    void *data;
    GDestroyNotify free_data;
} ErrandWish;

/* patience_ms 0: ERRAND_PATIENCE_MS. */
Errands *errands_new(const CrewConfig *crew, Alarms *alarms, unsigned threads, int64_t patience_ms);
/* Everybody who waits is told that it did not end; what is asked of a worker is broken off. */
void errands_stop(Errands *errands);
void errands_free(Errands *errands); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Errands, errands_free)

/* A new errand, with one reference. */
Errand *errand_new(const ErrandWish *wish);
Errand *errand_ref(Errand *errand);
void errand_unref(Errand *errand);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Errand, errand_unref)

const char *errand_id(const Errand *errand);
unsigned errand_status(const Errand *errand);
/* Whom it is about, NULL: nobody yet; and when it was begun. */
const char *errand_integration(const Errand *errand);
int64_t errand_created_ms(const Errand *errand);

/* Begins it; told is called once, on another thread. False when too many wait. */
bool errands_begin(Errands *errands, Errand *errand, ErrandTold told, void *data);

/* The errand of an organization by id, with a reference; NULL when there is none. */
Errand *errands_find(Errands *errands, const char *organization, const char *id);

/* As a job: {id, kind, organizationId, integrationId, status, result, error, createdAt,
 * completedAt}. */
Json *errand_json(Errand *errand);
