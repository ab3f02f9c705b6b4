#include "connect/aws_metadata.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "net/egress.h"

#include <string.h>

#define ROLES EGRESS_INSTANCE_METADATA "/latest/meta-data/iam/security-credentials/"
#define ANSWER_MAX (64U * 1024)
#define CONNECT_MS 1000 /* the service is one hop away, or not there */
#define TOTAL_MS 5000
#define TOKEN_SECONDS "60" /* for the two requests that follow */
#define ROLE_NAME_MAX 64

struct AwsMetadataFlight {
    NetClient *client;
    AwsMetadataDone done; /* NULL: called off */
    void *data;
    uint64_t ticket;
    Secret *token; /* of the service */
};

static void flight_free(AwsMetadataFlight *flight) {
    secret_free(flight->token);
    g_free(flight);
}

static void end(AwsMetadataFlight *flight, const AwsIdentity *identity, const GError *failure) {
    flight->done(identity, failure, flight->data);
    flight_free(flight);
}

static void fail(AwsMetadataFlight *flight, const char *what) {
    g_autoptr(GError) failure =
        g_error_new(ASSAY_ERROR, ERROR_CONFIGURATION, "the instance metadata service %s", what);
    end(flight, NULL, failure);
}

/* --- requests --------------------------------------------------------------------------------- */

static bool add_token(NetRequest *request, NetHeaders *extra, unsigned attempt, GError **error) {
    (void)attempt;
    const AwsMetadataFlight *flight = request->data;
    if (!flight->token)
        return net_headers_add(extra, "X-aws-ec2-metadata-token-ttl-seconds", TOKEN_SECONDS, error);
    return net_headers_add(extra, "X-aws-ec2-metadata-token", secret_text(flight->token), error);
}

static void ask(AwsMetadataFlight *flight, const char *method, const char *url, NetDone done) {
    NetRequest *request = net_request_new(method, url);
    request->instance_metadata = true;
    request->once = true;
    request->secret = true;
    request->connect_timeout_ms = CONNECT_MS;
    request->total_timeout_ms = TOTAL_MS;
    request->max_body = ANSWER_MAX;
    request->prepare = add_token;
    request->done = done;
    request->data = flight;
    flight->ticket = net_client_send(flight->client, request);
}

/* False, and the flight is over, unless the service gave what was asked for. */
static bool is_good(AwsMetadataFlight *flight, const NetResult *result, const char *otherwise) {
    if (!flight->done) {
        flight_free(flight);
        return false;
    }
    if (result->error)
        fail(flight, "does not answer");
    else if (result->response.status != 200)
        fail(flight, otherwise);
    else
        return true;
    return false;
}

/* --- answers ---------------------------------------------------------------------------------- */

static Secret *member_secret(const Json *json, const char *name) {
    const char *text = json_member_string(json, name, "");
    return *text == '\0' ? NULL : secret_new(text, strlen(text), NULL);
}

static bool read_identity(const NetResponse *response, AwsIdentity *identity) {
    g_autoptr(Json) json = json_parse(response->body, response->body_size, ANSWER_MAX, NULL);
    if (!json || strcmp(json_member_string(json, "Code", ""), "Success") != 0)
        return false;
    g_autoptr(Credentials) fields = credentials_new();
    static const char *const names[][2] = {{"AccessKeyId", AWS_FIELD_KEY_ID},
                                           {"SecretAccessKey", AWS_FIELD_SECRET},
                                           {"Token", AWS_FIELD_TOKEN}};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        Secret *secret = member_secret(json, names[i][0]);
        if (!secret)
            return false;
        credentials_put(fields, names[i][1], secret);
    }
    if (!aws_identity_read(fields, identity, NULL))
        return false;
    clock_parse(json_member_string(json, "Expiration", ""), &identity->expires_ms);
    return true;
}

static void on_credentials(NetResult *result, void *data) {
    AwsMetadataFlight *flight = data;
    if (!is_good(flight, result, "gives no credentials of the machine's role"))
        return;
    g_auto(AwsIdentity) identity = {0};
    if (read_identity(&result->response, &identity))
        end(flight, &identity, NULL);
    else
        fail(flight, "gives credentials that cannot be read");
}

/* The first line, when it is a name that IAM gives to roles. NULL otherwise; caller frees. */
static char *read_role(const NetResponse *response) {
    size_t length = strcspn(response->body, "\r\n");
    if (length == 0 || length > ROLE_NAME_MAX)
        return NULL;
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isalnum(response->body[i]) && !strchr("_+=,.@-", response->body[i]))
            return NULL;
    return g_strndup(response->body, length);
}

static void on_role(NetResult *result, void *data) {
    AwsMetadataFlight *flight = data;
    if (!is_good(flight, result, "knows no role of this machine"))
        return;
    g_autofree char *role = read_role(&result->response);
    if (!role) {
        fail(flight, "knows no role of this machine");
        return;
    }
    g_autofree char *url = g_strconcat(ROLES, role, NULL);
    ask(flight, "GET", url, on_credentials);
}

static void on_token(NetResult *result, void *data) {
    AwsMetadataFlight *flight = data;
    if (!is_good(flight, result, "gives no token"))
        return;
    flight->token = secret_new(result->response.body, result->response.body_size, NULL);
    if (flight->token)
        ask(flight, "GET", ROLES, on_role);
    else
        fail(flight, "gives no token");
}

AwsMetadataFlight *aws_metadata_start(NetClient *client, AwsMetadataDone done, void *data) {
    AwsMetadataFlight *flight = g_new0(AwsMetadataFlight, 1);
    flight->client = client;
    flight->done = done;
    flight->data = data;
    ask(flight, "PUT", EGRESS_INSTANCE_METADATA "/latest/api/token", on_token);
    return flight;
}

void aws_metadata_stop(AwsMetadataFlight *flight) {
    if (!flight)
        return;
    flight->done = NULL;
    net_client_cancel(flight->client, flight->ticket);
}
