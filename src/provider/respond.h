/* respond.h - the class of an answer, by the definition's ordered rules.
 *
 * The call's rules come first, then those of its AWS service, then those of all calls, then what
 * AWS means by its error codes (aws_error.h), then the defaults: 2xx and 304 ok; 401
 * auth_expired; 403 forbidden; 408 timeout; 429 rate_limited; 5xx unavailable; every other status
 * bad_request. Retry-After (RFC 9110 section 10.2.3, seconds and date) is always heeded for
 * rate_limited and unavailable. The body is looked at only when a rule for its status asks for it,
 * and then only the members that the rules read are parsed; a body that cannot be read is null to
 * the rules. Answers in an envelope are shown without it (envelope.h).
 */
#pragma once

#include "provider/aws_error.h"
#include "provider/definition.h"

typedef struct {
    unsigned status;
    /* The value of a response header by lower-case name, or NULL. */
    const char *(*header)(void *data, const char *name);
    void *header_data;
    const char *body;
    size_t body_size;
    int64_t now_ms;     /* wall clock, for dates in headers */
    const char *region; /* where an AWS call was sent; NULL when not known */
} RespondAnswer;

typedef struct {
    Outcome outcome;
    int64_t wait_ms; /* least time to wait before asking again; 0 when nothing was said */
    RespondThen then;
    bool ruled;        /* whether a rule of the definition decided, not a default */
    AwsErrorClass aws; /* what AWS said, whoever decided; AWS_ERROR_NONE for other calls */
} RespondClass;

/* The rules of one definition with their compiled expressions (nothing is compiled before a rule
 * needs it). Belongs to one thread. Keeps a reference on the definition. */
typedef struct Responder Responder;

Responder *responder_new(const Definition *definition);
void responder_free(Responder *responder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Responder, responder_free)

RespondClass respond_classify(Responder *responder, const DefinitionCall *call,
                              const RespondAnswer *answer);

/* Reads a limit header: a count, or a wall time for times and durations. False when the header is
 * absent or unreadable. With UNIT_USED_SIZE the used count and the size are both set, otherwise
 * size_out is left alone. */
bool respond_header_value(const HeaderValue *spec, const RespondAnswer *answer, int64_t *value_out,
                          int64_t *size_out);
