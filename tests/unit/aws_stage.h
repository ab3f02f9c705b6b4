/* aws_stage.h - a sender with an AWS scheme against one scripted peer that stands for all of AWS.
 *
 * Included by test programs of connect/. The clock is frozen at STAGE_NOW; requests of one call go
 * to the service iam in us-east-1. The peer answers requests in their order, those to STS as well.
 */
#pragma once

#include "unit/connect_support.h"
#include "unit/net_support.h"

#include "base/clock.h"
#include "base/error.h"
#include "connect/aws_identity.h"
#include "connect/sender.h"
#include "provider/definition_load.h"

#include <string.h>

#define STAGE_NOW 1795161600000 /* 2026-11-20T08:00:00Z */
#define STAGE_ROLE "arn:aws:iam::123456789012:role/assay"
#define STAGE_EXTERNAL "assay-0123456789abcdef0123456789abcdef"
#define STAGE_FIELDS_MAX 8

#define STAGE_GOOD "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"
/* An error as the query protocol has it, with a Date (or "") before its body. */
#define STAGE_ERROR(status, date, code)                                                            \
    "HTTP/1.1 " status "\r\n" date "Connection: close\r\n\r\n"                                     \
    "<ErrorResponse><Error><Type>Sender</Type><Code>" code "</Code><Message>" PLANTED              \
    "</Message></Error></ErrorResponse>"
#define STAGE_ASSUMED(key, secret, expiry)                                                         \
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"                                                 \
    "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>"   \
    "<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/assay/assay-it</Arn>"            \
    "</AssumedRoleUser><Credentials><AccessKeyId>" key "</AccessKeyId><SecretAccessKey>" secret    \
    "</SecretAccessKey><SessionToken>Token-" key "</SessionToken><Expiration>" expiry              \
    "</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"

#define STAGE_HEAD                                                                                 \
    "assay: 1\nid: aws\nname: AWS\ncategory: cloud\nsummary: A cloud for tests\n"                  \
    "checked: 2026-11-20\nhosts: [amazonaws.com]\n"                                                \
    "settings:\n"                                                                                  \
    "  regions: {label: Regions, type: list, default: all, pattern: 'all|[a-z0-9-]+'}\n"           \
    "  partition: {label: Partition, default: aws, pattern: 'aws|aws-us-gov|aws-cn'}\n"            \
    "auth:\n"                                                                                      \
    "  keys:\n"                                                                                    \
    "    label: Access key\n"                                                                      \
    "    scheme: aws_keys\n"                                                                       \
    "    fields:\n"                                                                                \
    "      access_key_id: {label: Id, secret: true}\n"                                             \
    "      secret_access_key: {label: Secret, secret: true}\n"                                     \
    "      session_token: {label: Token, secret: true, optional: true}\n"                          \
    "  role:\n"                                                                                    \
    "    label: Role\n"                                                                            \
    "    scheme: aws_role\n"                                                                       \
    "    fields: {role_arn: {label: Role}, external_id: {label: External id}}\n"
#define STAGE_SERVICES                                                                             \
    "services:\n"                                                                                  \
    "  sts: {protocol: query, version: '2011-06-15', host: 'sts.\\(.region).\\(.suffix)'}\n"       \
    "  analyzer:\n"                                                                                \
    "    protocol: query\n"                                                                        \
    "    version: '2019-11-01'\n"                                                                  \
    "    sign_as: access-analyzer\n"                                                               \
    "    host: 'access-analyzer.\\(.region).\\(.suffix)'\n"                                        \
    "  iam:\n"                                                                                     \
    "    protocol: query\n"                                                                        \
    "    version: '2010-05-08'\n"                                                                  \
    "    host: {aws: iam.amazonaws.com}\n"                                                         \
    "    region: {aws: us-east-1}\n"
#define STAGE_CALLS                                                                                \
    "identity: {call: me, reply: {accountId: .Account, arn: .Arn}}\n"                              \
    "calls:\n"                                                                                     \
    "  me: {aws: sts.GetCallerIdentity}\n"                                                         \
    "  scan: {aws: analyzer.ListFindings}\n"                                                       \
    "  users: {aws: iam.ListUsers, rows: .Users.member}\n"                                         \
    "evidence:\n"                                                                                  \
    "  users:\n"                                                                                   \
    "    title: Users\n"                                                                           \
    "    description: Everybody\n"                                                                 \
    "    type: config\n"                                                                           \
    "    read: {user: {call: users}}\n"                                                            \
    "    row: {name: .user.UserName}\n"                                                            \
    "    fields: {name: string}\n"

typedef struct {
    NetClient *client;
    BudgetSet *budgets;
    Definition *definition;
    Json *settings;
    Peer *peer;
    const DefinitionCall *call; /* iam.ListUsers */
    const char *region;         /* where requests go */
    const char *integration;
    const char *account; /* NULL: not known */
    Sender *sender;
} Stage;

typedef struct {
    unsigned times_done;
    Outcome outcome;
    int status;
    char *message;
    char *reason;
    unsigned requests;
    int64_t retry_at_ms;
} Told;

static inline void told_clear(Told *told) {
    g_free(told->message);
    g_free(told->reason);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Told, told_clear)

/* `limits` are lines to add to the service iam; NULL for none. */
static inline void stage_init_limited(Stage *stage, const char *limits, const PeerStep *steps,
                                      size_t count) {
    clock_freeze(STAGE_NOW);
    NetClientConfig config = {.wait_scale = 0.001, .seed = 7};
    must((stage->client = net_client_new(&config, &error)) != NULL);
    stage->budgets = budget_set_new(&budget_memory, NULL);
    g_autofree char *text =
        g_strconcat(STAGE_HEAD STAGE_SERVICES, limits ? limits : "", STAGE_CALLS, NULL);
    must((stage->definition = definition_load("aws.yaml", text, strlen(text), NULL, &error)) !=
         NULL);
    stage->peer = peer_new(steps, count);
    g_autofree char *url = peer_url(stage->peer, "/");
    stage->settings = json_of("{\"allow_private\": true, \"partition\": \"aws\"}");
    json_put_string(stage->settings, "endpoint_url", url);
    stage->call = definition_call(stage->definition, "users");
    stage->region = "us-east-1";
    stage->integration = "it";
}

static inline void stage_init(Stage *stage, const PeerStep *steps, size_t count) {
    stage_init_limited(stage, NULL, steps, count);
}

static inline void stage_clear(Stage *stage) {
    sender_free(stage->sender);
    net_client_free(stage->client);
    budget_set_free(stage->budgets);
    definition_free(stage->definition);
    json_free(stage->settings);
    peer_free(stage->peer);
    clock_thaw();
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Stage, stage_clear)

typedef struct {
    const char *name;
    const char *value;
} StageField;

/* Makes the sender; fields end with one without a name. */
static inline bool stage_connect(Stage *stage, Scheme scheme, const StageField *fields,
                                 const AwsAmbient *ambient, GError **error) {
    const char *auth = scheme == SCHEME_AWS_ROLE ? "role" : "keys";
    SenderConfig config = {.client = stage->client,
                           .budgets = stage->budgets,
                           .definition = stage->definition,
                           .auth = definition_auth(stage->definition, auth),
                           .settings = stage->settings,
                           .integration_id = stage->integration,
                           .account_id = stage->account,
                           .credentials = credentials_new(),
                           .ambient = ambient};
    for (; fields->name; fields++)
        credentials_put(config.credentials, fields->name, secret_of(fields->value));
    g_clear_pointer(&stage->sender, sender_free);
    return sender_new(&config, &stage->sender, error);
}

static inline void stage_take(const SenderReply *reply, void *data) {
    Told *told = data;
    told_clear(told);
    g_assert_nonnull(reply->headers);
    told->times_done++;
    told->outcome = reply->outcome;
    told->status = reply->status;
    told->message = g_strdup(reply->message);
    told->reason = g_strdup(reply->reason);
    told->requests = reply->requests;
    told->retry_at_ms = reply->retry_at_ms;
    assert_lacks(told->message, PLANTED);
    assert_lacks(told->reason, PLANTED);
}

/* Sends one request of the call; it is under way when this returns. */
static inline void stage_send(Stage *stage, Told *told) {
    static const char body[] = "Action=ListUsers&Version=2010-05-08";
    g_autofree char *url = peer_url(stage->peer, "/");
    RenderedHeader header = {
        (char *)(uintptr_t) "Content-Type",
        (char *)(uintptr_t) "application/x-www-form-urlencoded; charset=utf-8"};
    RenderedRequest rendered = {.method = "POST",
                                .url = url,
                                .headers = &header,
                                .header_count = 1,
                                .body = (char *)(uintptr_t)body,
                                .body_size = strlen(body),
                                .service = stage->call->service,
                                .region = (char *)(uintptr_t)stage->region};
    SenderWish wish = {
        .call = stage->call, .rendered = &rendered, .done = stage_take, .data = told};
    unsigned before = told->times_done;
    must(sender_send(stage->sender, &wish, &error));
    g_assert_cmpuint(told->times_done, ==, before);
}

static inline bool stage_is_told(void *data) {
    return ((const Told *)data)->times_done > 0;
}

static inline void stage_ask(Stage *stage, Told *told) {
    told->times_done = 0;
    stage_send(stage, told);
    must(net_client_run_until(stage->client, stage_is_told, told, &error));
}

/* The n-th request was signed with this key for this service on this day. */
static inline void stage_assert_signed(Stage *stage, unsigned n, const char *key,
                                       const char *service) {
    g_autofree char *text = peer_request(stage->peer, n);
    g_autofree char *beginning = g_strdup_printf(
        "\r\nauthorization: AWS4-HMAC-SHA256 Credential=%s/20261120/us-east-1/%s/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date",
        key, service);
    assert_holds(text, beginning);
}

/* A header of the n-th request; caller frees. */
static inline char *stage_header(Stage *stage, unsigned n, const char *name) {
    g_autofree char *text = peer_request(stage->peer, n);
    g_autofree char *beginning = g_strdup_printf("\r\n%s: ", name);
    const char *found = strstr(text, beginning);
    return found ? g_strndup(found + strlen(beginning), strcspn(found + strlen(beginning), "\r"))
                 : NULL;
}
