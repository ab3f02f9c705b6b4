/* control.h - the sandbox's own API under /_sandbox/, without a token: faults, counts, holding
 * back.
 *
 *   POST   /_sandbox/faults    {rule}, or [{rule}, ...] (fault.h)  -> {"ids": [1, ...]}
 *   GET    /_sandbox/faults    the rules, and how often each saw a request and struck
 *   DELETE /_sandbox/faults    removes all rules and lets held answers go
 *   POST   /_sandbox/hold      {"match": GLOB, "after": 3, "times": -1}: answers are held back
 *   POST   /_sandbox/release   {"match": GLOB} or {}: ends that, and lets the held ones go
 *   GET    /_sandbox/stats     {"requests", "repeated", "inFlight", "maxConcurrent",
 *                               "maxPerWindow", "held", "byStatus", "byPath", "byToken"}
 *   GET    /_sandbox/requests  ?match=GLOB: request lines with counts; ?order=log: in the order of
 *                               arrival, when started with --log-requests
 *   GET    /_sandbox/wait      ?requests=N and/or held=N [&timeout_ms=10000]: answers with the
 * stats as soon as so many requests have come or answers are held; 408 late POST   /_sandbox/limit
 * {"limit", "remaining", "reset_in", "secondary"}: of every token POST   /_sandbox/reset forgets
 * counts, faults and used limits
 *
 * What needs the sockets (releasing, waiting) is said in the reply's fields and done by server.c.
 */
#pragma once

#include "sandbox/service.h"
#include "sandbox/target.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define CONTROL_PREFIX "/_sandbox/"
#define CONTROL_BODY_MAX (4 * 1024 * 1024)

typedef struct {
    bool release; /* let held answers go whose rule has this match */
    char *match;  /* NULL: all; owned */
    bool wait;    /* answer when wanted_* are reached */
    uint64_t wanted_requests;
    uint64_t wanted_held;
    int64_t timeout_ms;
} ControlWish;

typedef struct {
    const char *method;
    const char *target;
    const char *body;
    size_t body_size;
    unsigned held; /* answers that are held at this moment */
} ControlRequest;

/* Answers one request; wish says what the server is to do besides. wish->match is to be freed. */
void control_answer(Service *service, const ControlRequest *request, Reply *reply,
                    ControlWish *wish);

/* The stats as a reply's body (also the answer to wait). */
void control_stats(const Service *service, unsigned held, Reply *reply);
