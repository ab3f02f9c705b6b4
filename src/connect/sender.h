/* sender.h - sends a definition's requests with the credential of one integration.
 *
 * A Sender is what collecting gets instead of a credential: it authorises each attempt (see
 * authorizer.h; a request waits while credentials are made or renewed), spends the budgets that the
 * definition declares, follows redirects within the same origin, has the answer classified by the
 * definition's response rules, and calls back once with the final answer. It belongs to the thread
 * of its NetClient and must outlive its requests; it owns the opened credentials and wipes them
 * with itself.
 *
 * Errors of the service are not GErrors: they are outcomes in the SenderReply. Redirects to
 * another origin end as OUTCOME_BAD_REQUEST, so that no credential crosses hosts.
 */
#pragma once

#include "base/json.h"
#include "base/outcome.h"
#include "connect/aws_identity.h"
#include "connect/credentials.h"
#include "connect/exchange.h"
#include "net/budget.h"
#include "net/client.h"
#include "provider/definition.h"
#include "provider/render.h"
#include "provider/respond.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Sender Sender;

typedef struct {
    NetClient *client;            /* borrowed */
    BudgetSet *budgets;           /* borrowed; shared by all senders of a process */
    const Definition *definition; /* borrowed */
    const DefinitionAuth *auth;   /* borrowed from the definition */
    const Json *settings;         /* borrowed for the call of sender_new only */
    const char *integration_id;   /* copied */
    const char *account_id;       /* of AWS, copied: its connections share the limits of services.
                                     NULL or no account id: they are the connection's own */
    Credentials *credentials;     /* taken */
    const AwsAmbient *ambient;    /* borrowed for the sender's life; NULL: nothing is offered */
} SenderConfig;

/* The final answer to one request. Everything is borrowed for the time of the callback. */
typedef struct {
    Outcome outcome;
    RespondThen then;    /* what an unlicensed answer means to checks */
    int status;          /* HTTP status; 0 when no answer came */
    const char *message; /* one sentence about a failure, for people; NULL when there is none */
    const char *reason;  /* why nothing could authorise the request; NULL when it was sent */
    const NetHeaders *headers;
    const char *body; /* as sent, decompressed and bounded */
    size_t body_size;
    const char *url;     /* the URL that answered (after redirects) */
    unsigned requests;   /* how often something was sent for it */
    int64_t retry_at_ms; /* wall time before which the service wants no more; 0: none */
} SenderReply;

typedef void (*SenderDone)(const SenderReply *reply, void *data);

/* Looks at the body of an answer whose class is ok, before it counts as one: OUTCOME_OK, or
 * OUTCOME_BROKEN, which is tried once more. Called once per attempt; may be NULL. */
typedef Outcome (*SenderInspect)(const char *body, size_t size, void *data);

/* One request: what to send and whom to tell. */
typedef struct {
    const DefinitionCall *call;
    const RenderedRequest *rendered; /* copied */
    SenderInspect inspect;
    SenderDone done; /* called once, never from within sender_send() */
    void *data;
} SenderWish;

/* Takes config->credentials in any case. ERROR_CONFIGURATION when the scheme cannot be used yet or
 * a field of it is missing. */
bool sender_new(const SenderConfig *config, Sender **sender_out,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A sender that answers from recorded exchanges and never touches the network; a request that was
 * not recorded is OUTCOME_BAD_REQUEST. The exchanges are borrowed. */
Sender *sender_new_recorded(NetClient *client, const Definition *definition, Exchanges *exchanges);

void sender_free(Sender *sender);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sender, sender_free)

/* Requests that were sent, also those that were sent again, by what came of each. */
typedef struct {
    int64_t by_outcome[OUTCOMES];
} SenderCounts;

const SenderCounts *sender_counts(const Sender *sender);

/* Takes the credential out of a text from outside, before it is kept: a service may repeat what it
 * was sent, also escaped as in JSON or percent-encoded. Tokens of less than 8 bytes are left alone,
 * they stand in any text. Whether it was there. */
bool sender_redact(const Sender *sender, GString *text);

/* Sends a request. ERROR_CONFIGURATION or ERROR_LIMIT when a header cannot be sent; done is not
 * called then. */
bool sender_send(Sender *sender, const SenderWish *wish, GError **error) G_GNUC_WARN_UNUSED_RESULT;
