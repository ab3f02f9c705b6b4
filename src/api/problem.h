/* problem.h - what is wrong, as a problem document (RFC 9457).
 *
 *     {"type": "urn:assay:problem:not-found", "title": "Not found", "status": 404,
 *      "detail": "There is no such integration in this organization.", "instance": "/api/...",
 *      "code": "CONFIGURATION_ERROR", "retryable": false, "requestId": "...",
 *      "errors": [{"pointer": "/dateRange/start", "detail": "must be a time"}]}
 *
 * `code` is one of the six that people meet everywhere (base/error.h); `type` and `status` say more
 * exactly what happened here. An error of a service that was asked on the caller's behalf is never
 * told as 401 or 403, which mean the caller. What went wrong inside is logged and not told.
 */
#pragma once

#include "api/reply.h"
#include "api/shape.h"
#include "base/error.h"

typedef enum {
    PROBLEM_BAD_REQUEST,
    PROBLEM_UNAUTHENTICATED,
    PROBLEM_FORBIDDEN,
    PROBLEM_CSRF,
    PROBLEM_NOT_FOUND,
    PROBLEM_METHOD,
    PROBLEM_CONFLICT,
    PROBLEM_PRECONDITION,
    PROBLEM_TOO_LARGE,
    PROBLEM_TARGET,
    PROBLEM_MEDIA_TYPE,
    PROBLEM_UNPROCESSABLE, /* understood, and refused by what it was meant for */
    PROBLEM_TOO_MANY,
    PROBLEM_HEADERS,
    PROBLEM_INTERNAL,
    PROBLEM_UPSTREAM, /* a service failed */
    PROBLEM_UNAVAILABLE,
    PROBLEM_UPSTREAM_TIMEOUT,
    PROBLEMS
} ProblemKind;

typedef struct {
    ProblemKind kind;
    const char *title;  /* NULL: the kind's */
    const char *detail; /* NULL: the kind's */
    ErrorCode code;     /* with has_code: instead of the kind's */
    bool has_code;
    const GPtrArray *wrongs; /* ShapeWrong; NULL: none */
    const char *instance;
    const char *request_id;
} Problem;

/* The problem of an error. asked_a_service: what authentication and permission mean is the
 * service's. Borrows the error's message; what is inside is left out. */
Problem problem_of_error(const GError *error, bool asked_a_service);

unsigned problem_status(ProblemKind kind);

Json *problem_json(const Problem *problem);
void problem_reply(const Problem *problem, Reply *reply);

/* The schema of the document. */
extern const Shape problem_shape;
