/* errand.h - work that a request waits for, but no thread of the pool does: a worker process tests
 * a connection.
 *
 * An errand runs on one of a few threads, with a worker process that is started when all others are
 * in use. Organizations take turns (errand_queue.h): what hangs in one does not hold up another.
 * Whoever began an errand is told once: with its end, or when his patience is over
 * (ERRAND_PATIENCE_MS). In the second case the errand goes on, and its end can be asked for by its
 * id, in this process for ERRAND_KEEP_MS; it looks like a job then (errand_json()). With
 * errand_announce() it is a row as well, so that every process can tell it for a day
 * (errand_book.h, errand_view.h). An errand that was under way when the process ended is not begun
 * again.
 */
#pragma once

#include "api/alarm.h"
#include "api/errand_book.h"
#include "api/errand_queue.h"
#include "sync/crew.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define ERRAND_PATIENCE_MS 25000
#define ERRAND_KEEP_MS (10 * 60 * 1000)
#define ERRAND_THREADS 8
#define ERRANDS_RUNNING_OF_ONE 2 /* organization */
#define ERRANDS_WAITING_OF_ONE 16
#define ERRANDS_WAITING_MAX 256
/* What is told of one whose process has died; what it stored before that is there to be seen. */
#define ERRAND_LOST                                                                                \
    "The server ended before the test did; unless the integration shows what was asked for, "      \
    "nothing was stored. Begin again."

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
    const char *actor;          /* who asks: the id of a user or token */
    const char *kind;           /* "connect", "reconnect", "test" */
    const char *integration_id; /* or NULL */
    unsigned status;            /* of success */
    ErrandWork work;
    void *data;
    GDestroyNotify free_data;
} ErrandWish;

/* All borrowed. The book outlives the errands. */
typedef struct {
    CrewConfig crew;
    Alarms *alarms;
    ErrandBook *book;
    int64_t patience_ms; /* 0: ERRAND_PATIENCE_MS */
} ErrandsConfig;

Errands *errands_new(const ErrandsConfig *config);
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

/* Begins it; told is called once, on another thread. Anything but ERRAND_QUEUED: too many wait, and
 * nothing will be told. */
ErrandQueued errands_begin(Errands *errands, Errand *errand, ErrandTold told, void *data);

/* Its id is about to be given out: from now on all processes know it, and will know its end. Waits
 * for the database. */
void errand_announce(Errand *errand);

/* The errand of an organization by id, with a reference; NULL when this process has none. */
Errand *errands_find(Errands *errands, const char *organization, const char *id);
/* Rows of errands, of all processes. */
ErrandBook *errands_book(const Errands *errands);

/* As a job: {id, kind, organizationId, integrationId, status, result, error, createdAt,
 * completedAt}. */
Json *errand_json(Errand *errand);

/* The same of what is borrowed here. */
typedef struct {
    const char *organization;
    const char *status;
    Json *result;  /* or NULL */
    Json *problem; /* or NULL */
} ErrandFacts;
Json *errand_object(const ErrandRow *row, const ErrandFacts *facts);
/* {code, message, retryable}. */
Json *errand_problem(const GError *error);
