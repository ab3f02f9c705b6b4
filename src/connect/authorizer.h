/* authorizer.h - what an auth scheme adds to the requests of one connection.
 *
 * A scheme is a table of functions over a state of its own (bearer.h, aws_keys.h, aws_role.h); an
 * Authorizer is both together. A Sender keeps one. Before a request is sent it asks whether the
 * scheme is ready (credentials that are made first, such as those of an assumed role, may be on
 * their way); each attempt is authorised anew; every answer is shown to the scheme; and a refused
 * request may be sent once more when the scheme knows a remedy.
 *
 * Everything happens on the thread of the NetClient.
 */
#pragma once

#include "base/outcome.h"
#include "connect/aws_identity.h"
#include "connect/credentials.h"
#include "net/client.h"
#include "provider/aws_error.h"
#include "provider/definition.h"

#include <glib.h>
#include <stdbool.h>

typedef struct Authorizer Authorizer;

/* Told after authorizer_ready() was false: requests can be authorised now, or failure says why they
 * cannot (borrowed; its code chooses the outcome). Never called from within authorizer_ready(). */
typedef void (*AuthorizerReady)(const GError *failure, void *data);

/* What a scheme is made of. */
typedef struct {
    NetClient *client;            /* borrowed; must outlive the authorizer */
    const Definition *definition; /* borrowed */
    const DefinitionAuth *auth;   /* borrowed from the definition */
    const Json *settings;         /* borrowed for the call */
    const char *integration_id;   /* copied */
    Credentials *credentials;     /* borrowed; outlive the authorizer */
    const AwsAmbient *ambient;    /* borrowed; outlives the authorizer; may be NULL */
    AuthorizerReady ready;
    void *data;
} AuthorizerConfig;

/* One attempt to be authorised. */
typedef struct {
    const NetRequest *request;
    const DefinitionService *service; /* NULL when not an AWS call */
    const char *region;               /* NULL when not an AWS call */
} AuthorizerAttempt;

/* By what an attempt was authorised. */
typedef struct {
    unsigned generation; /* tells credentials from renewed ones; 0 where they never change */
    int64_t skew_ms;     /* by how much the time that was signed differs from our clock */
} AuthorizerStamp;

/* Why a refused request is worth sending again; bits. */
typedef enum {
    REMEDY_NONE = 0,
    REMEDY_CLOCK = 1,  /* the time that is signed was corrected */
    REMEDY_RENEWAL = 2 /* the credentials are made anew */
} AuthorizerRemedy;

/* A final answer that was not what was hoped for. */
typedef struct {
    Outcome outcome;
    const NetResponse *response;
    AwsErrorClass aws;     /* AWS_ERROR_NONE when not an AWS call */
    AuthorizerStamp stamp; /* of the last attempt */
    unsigned used;         /* remedies that this request was given already */
} AuthorizerAnswer;

typedef struct {
    /* Adds what authorises the attempt, and says in stamp (zeros) by what. */
    bool (*authorize)(void *state, const AuthorizerAttempt *attempt, NetHeaders *extra,
                      AuthorizerStamp *stamp, GError **error);
    /* False: config->ready is called later. NULL: always ready. */
    bool (*ready)(void *state);
    /* Sees every answer. NULL: learns nothing. */
    void (*observe)(void *state, const NetResponse *response);
    /* NULL: knows none. */
    AuthorizerRemedy (*remedy)(void *state, const AuthorizerAnswer *answer);
    void (*free)(void *state);
} AuthorizerMethods;

/* For the schemes: an authorizer over their state, which it takes. methods is static. */
Authorizer *authorizer_new(const AuthorizerMethods *methods, void *state);
void authorizer_free(Authorizer *authorizer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Authorizer, authorizer_free)

/* Makes an authorizer. ERROR_CONFIGURATION when the credentials cannot be used; no message holds
 * any of them. */
typedef bool (*AuthorizerMake)(const AuthorizerConfig *config, Authorizer **authorizer_out,
                               GError **error);

bool authorizer_authorize(Authorizer *authorizer, const AuthorizerAttempt *attempt,
                          NetHeaders *extra, AuthorizerStamp *stamp_out,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool authorizer_ready(Authorizer *authorizer) G_GNUC_WARN_UNUSED_RESULT;
void authorizer_observe(Authorizer *authorizer, const NetResponse *response);
AuthorizerRemedy authorizer_remedy(Authorizer *authorizer, const AuthorizerAnswer *answer);
