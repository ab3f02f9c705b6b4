/* service.h - the provider's API as it answers: token, limit, route, case, page, headers.
 *
 * A Service owns the catalog (or AWS, which has another kind of data), the tokens, the faults and
 * the counts. It knows nothing of sockets: server.c hands it requests and sends its replies. It is
 * not thread-safe; the server calls it under one lock.
 */
#pragma once

#include "sandbox/aws.h"
#include "sandbox/catalog.h"
#include "sandbox/fault.h"
#include "sandbox/limit.h"
#include "sandbox/reply.h"
#include "sandbox/request.h"
#include "sandbox/stats.h"

#include <glib.h>
#include <stdint.h>

typedef struct {
    const char *url;   /* "http://127.0.0.1:PORT" */
    Catalog *catalog;  /* taken; NULL for AWS */
    Aws *aws;          /* taken; NULL for the others */
    GPtrArray *tokens; /* Token, taken */
    StatsOptions stats;
} ServiceOptions;

typedef struct {
    char *url;
    Catalog *catalog;
    Aws *aws;
    GPtrArray *tokens;
    Faults *faults;
    Stats *stats;
    uint64_t serial;   /* of requests */
    RouteMatch *match; /* storage for the request at hand: one at a time */
    Item *items;
} Service;

/* A request that has been looked at: what it is for, and the fault that strikes it. */
typedef struct {
    AwsCall *aws; /* owned; NULL: not of AWS */
    Fault *fault; /* a reference, or NULL */
} ServiceCall;

Service *service_new(const ServiceOptions *options);
void service_free(Service *service);

/* Sees what a request is for, counts its arrival, and finds the fault that strikes it. */
void service_call_init(ServiceCall *call, Service *service, const ServiceRequest *request);
void service_call_clear(ServiceCall *call);

/* Answers one request; the fault bends the answer. reply must be initialized. */
void service_answer(Service *service, const ServiceRequest *request, const ServiceCall *call,
                    Reply *reply);

/* Forgets counts, faults and used limits. */
void service_reset(Service *service);
