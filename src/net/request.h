/* request.h - one logical HTTP call: what is asked, what came back.
 *
 * The life of a call: net_request_new(), fields and headers set, net_client_send() (which takes
 * it). Before every attempt the client takes the request's budgets and calls prepare(), which adds
 * the headers that authorise this attempt; an answer is judged by classify(); the client retries as
 * net/retry.h says; done() is called exactly once with the result, from within net_client_step()
 * or, when the client is freed first, net_client_free().
 *
 * All callbacks run on the client's thread and get the request's data pointer. They must not block
 * and must not free the client. done() and the others may send further requests.
 */
#pragma once

#include "base/outcome.h"
#include "net/budget.h"
#include "net/header.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_TOTAL_TIMEOUT_MS 30000
#define NET_CONNECT_TIMEOUT_MS 10000
#define NET_MAX_BODY (32U * 1024 * 1024)
#define NET_MAX_HEADER_BYTES (64U * 1024)
#define NET_MAX_CHARGES 5

/* An answer as classify() and observe() see it; everything is borrowed for the call. */
typedef struct {
    int status;                /* 0 when no answer came */
    const NetHeaders *headers; /* names in lower case; never NULL */
    const char *body;          /* decoded (gzip ...), with a NUL behind it; never NULL */
    size_t body_size;
} NetResponse;

/* What an answer means. */
typedef struct {
    Outcome outcome;
    int64_t wait_ms; /* before the next attempt, as the definition reads it; -1: unknown */
} NetJudgement;

typedef struct NetRequest NetRequest;
typedef struct NetResult NetResult;

/* Adds headers for one attempt (numbered from 1) to extra. They are wiped after the attempt. An
 * error ends the request; its code chooses the outcome. */
typedef bool (*NetPrepare)(NetRequest *request, NetHeaders *extra, unsigned attempt,
                           GError **error);
typedef NetJudgement (*NetClassify)(const NetResponse *response, void *data);
/* Sees every answer, also those that are retried. */
typedef void (*NetObserve)(const NetResponse *response, void *data);
/* result and what it borrows live until this returns. */
typedef void (*NetDone)(NetResult *result, void *data);

typedef struct {
    Budget *budget; /* borrowed; outlives the request */
    int64_t cost;
} NetCharge;

/* Set the fields between net_request_new() and net_client_send(); read only afterwards. */
struct NetRequest {
    char *method;        /* owned */
    char *url;           /* owned */
    NetHeaders *headers; /* owned; of every attempt */
    char *body;          /* owned; NULL when there is none */
    size_t body_size;
    NetCharge charges[NET_MAX_CHARGES]; /* all are taken before an attempt */
    unsigned charge_count;

    bool once; /* may not be sent twice: connection of its own, no retry (token exchange, revoke) */
    bool allow_private; /* may reach private addresses and plain http; pool of its own */
    bool secret;        /* bodies of request and answer are wiped after use (token responses) */
    /* Goes to the cloud's instance metadata service (egress_instance_metadata), and nowhere else:
     * plain http, no proxy, a connection of its own. For connect/aws_metadata.c alone. */
    bool instance_metadata;
    int64_t total_timeout_ms; /* of one attempt */
    int64_t connect_timeout_ms;
    size_t max_body;         /* of the decoded answer */
    size_t max_header_bytes; /* of the answer */

    NetPrepare prepare;   /* may be NULL */
    NetClassify classify; /* NULL: net_classify_status */
    NetObserve observe;   /* may be NULL */
    NetDone done;
    void *data;
};

struct NetResult {
    Outcome outcome;
    NetResponse response; /* of the last attempt */
    /* Why there is no usable answer (transport, guard, budget, prepare, cancelled); NULL when the
     * provider answered and classify() judged. May be stolen. */
    GError *error;
    const NetRequest *request;
    unsigned attempts;        /* made */
    unsigned sent;            /* attempts of which bytes may have reached the provider */
    int64_t waited_ms;        /* for budgets and back-off */
    int64_t retry_at_ms;      /* wall time from which a later try makes sense; 0: unknown */
    struct NetBuffer *buffer; /* owner of the body */
};

/* A request with the defaults above. Both texts are copied. */
NetRequest *net_request_new(const char *method, const char *url);
/* Frees what was not sent; wipes headers, and the body when it is secret. NULL allowed. */
void net_request_free(NetRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetRequest, net_request_free)

/* Copies the body. Say what it is with a Content-Type header (the wire default for a body is
 * application/x-www-form-urlencoded). */
void net_request_set_body(NetRequest *request, const void *bytes, size_t size);

/* Adds a budget (at most NET_MAX_CHARGES), the widest scope first: an answer that asks to wait
 * holds the last one. */
void net_request_charge(NetRequest *request, Budget *budget, int64_t cost);

/* The body, which the caller then owns (g_free); it has a NUL behind it. response.body is empty
 * afterwards. */
char *net_result_take_body(NetResult *result, size_t *size_out);

/* The judgement by status alone: 2xx and 3xx ok, 401 auth_expired, 403 forbidden, 408 timeout, 429
 * rate_limited, 5xx unavailable, everything else bad_request. */
NetJudgement net_classify_status(const NetResponse *response, void *data);

/* A growing block of bytes, reused from answer to answer. */
typedef struct NetBuffer {
    char *bytes; /* NULL or allocated + 1 bytes */
    size_t size;
    size_t allocated;
    bool secret; /* wiped when it moves or is emptied */
} NetBuffer;

/* Appends; false, and nothing appended, when it would be larger than max. */
bool net_buffer_append(NetBuffer *buffer, const void *bytes, size_t size, size_t max);
/* Empties; keeps at most keep bytes of storage. */
void net_buffer_reset(NetBuffer *buffer, size_t keep);
void net_buffer_clear(NetBuffer *buffer);
