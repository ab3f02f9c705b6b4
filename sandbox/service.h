/* service.h - the provider's API as it answers: token, limit, route, case, page, headers.
 *
 * A Service owns the catalog, the tokens, the faults and the counts. It knows nothing of sockets:
 * server.c hands it requests and sends its replies. It is not thread-safe; the server calls it
 * under one lock.
 */
#pragma once

#include "sandbox/catalog.h"
#include "sandbox/fault.h"
#include "sandbox/limit.h"
#include "sandbox/reply.h"
#include "sandbox/stats.h"

#include <glib.h>
#include <stdint.h>

typedef struct {
    const char *url;   /* "http://127.0.0.1:PORT" */
    Catalog *catalog;  /* taken */
    GPtrArray *tokens; /* Token, taken */
    StatsOptions stats;
} ServiceOptions;

typedef struct {
    char *url;
    Catalog *catalog;
    GPtrArray *tokens;
    Faults *faults;
    Stats *stats;
    uint64_t serial;   /* of requests */
    RouteMatch *match; /* storage for the request at hand: one at a time */
    Item *items;
} Service;

typedef struct {
    const char *method;
    const char *target; /* path and query as sent */
    const char *(*header)(void *data, const char *name);
    void *data;
} ServiceRequest;

Service *service_new(const ServiceOptions *options);
void service_free(Service *service);

/* Answers one request; the fault (or NULL) bends the answer. reply must be initialized. */
void service_answer(Service *service, const ServiceRequest *request, const Fault *fault,
                    Reply *reply);

/* Forgets counts, faults and used limits. */
void service_reset(Service *service);
