#include "connect/aws_assume.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "provider/aws_error.h"
#include "provider/xml.h"

#include <string.h>

#define ANSWER_MAX (64U * 1024)
#define CREDENTIALS "AssumeRoleResponse.AssumeRoleResult.Credentials"

static const DefinitionService sts = {
    .name = "sts", .sign_as = "sts", .protocol = PROTOCOL_QUERY, .version = "2011-06-15"};

struct AwsAssumeFlight {
    NetClient *client;
    AwsPen *pen;
    AwsAssumeDone done; /* NULL: called off */
    void *data;
    uint64_t ticket;
    char *url;
    char *body;
    char *region;
    char *role_arn;
    bool allow_private;
    AuthorizerStamp stamp;
    AwsErrorClass aws; /* of the last answer */
    unsigned used;     /* remedies */
};

static void flight_free(AwsAssumeFlight *flight) {
    g_free(flight->url);
    g_free(flight->body);
    g_free(flight->region);
    g_free(flight->role_arn);
    g_free(flight);
}

static void end(AwsAssumeFlight *flight, const AwsIdentity *identity, const GError *failure) {
    flight->done(identity, failure, flight->data);
    flight_free(flight);
}

/* --- answers ---------------------------------------------------------------------------------- */

/* What a refusal means. AWS answers alike when the role is missing, does not trust who asks, or
 * wants another external id. */
static const struct {
    AwsErrorClass class;
    ErrorCode code;
    const char *advice;
} refusals[] = {
    {AWS_ERROR_DENIED, ERROR_AUTHENTICATION_FAILED,
     "check that the role exists and that its trust policy lets the identity of this installation "
     "assume it with the external id of this connection"},
    {AWS_ERROR_BAD_CREDENTIALS, ERROR_AUTHENTICATION_FAILED,
     "AWS does not know the access key that is to assume it"},
    {AWS_ERROR_EXPIRED, ERROR_AUTHENTICATION_FAILED,
     "the session token of the identity that is to assume it has expired; give a new one"},
    {AWS_ERROR_CLOCK, ERROR_CONFIGURATION, "the clock of this machine is wrong; correct it"},
    {AWS_ERROR_REGION_OFF, ERROR_CONFIGURATION,
     "STS is not enabled in the region that was asked; enable it, or name another region first"},
    {AWS_ERROR_THROTTLED, ERROR_RATE_LIMITED, "STS is asked too often; try again later"},
    {AWS_ERROR_TRANSIENT, ERROR_SERVICE_UNAVAILABLE, "STS failed; try again later"},
};

static GError *refusal(const AwsAssumeFlight *flight, const NetResult *result) {
    ErrorCode code = ERROR_CONFIGURATION;
    const char *advice = "STS refuses the request; check role_arn and external_id";
    if (result->response.status >= 500) {
        code = ERROR_SERVICE_UNAVAILABLE;
        advice = "STS failed; try again later";
    }
    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++)
        if (refusals[i].class == flight->aws) {
            code = refusals[i].code;
            advice = refusals[i].advice;
        }
    return g_error_new(ASSAY_ERROR, (int)code, "the role %s cannot be assumed: %s",
                       flight->role_arn, advice);
}

/* No answer came, or none within the bounds. */
static GError *lost(const AwsAssumeFlight *flight, const NetResult *result) {
    return g_error_new(ASSAY_ERROR, (int)error_code_of(result->error),
                       "the role %s cannot be assumed: %s", flight->role_arn,
                       result->error->message);
}

static Json *parse(const NetResponse *response) {
    g_autoptr(XmlPlan) plan = xml_plan_new(NULL, NULL, NULL, NULL);
    /* Never moves, so that nothing of it is left behind. */
    GString *text = g_string_sized_new(8 * response->body_size + 64);
    Json *json = NULL;
    if (plan && xml_to_json(plan, response->body, response->body_size, text, NULL))
        json = json_parse(text->str, text->len, SECRET_MAX * 8, NULL);
    secmem_wipe(text->str, text->allocated_len);
    g_string_free(text, TRUE);
    return json;
}

static bool read_identity(const NetResponse *response, AwsIdentity *identity) {
    static const char *const names[][2] = {{"AccessKeyId", AWS_FIELD_KEY_ID},
                                           {"SecretAccessKey", AWS_FIELD_SECRET},
                                           {"SessionToken", AWS_FIELD_TOKEN}};
    g_autoptr(Json) json = parse(response);
    const Json *found = json ? json_path(json, CREDENTIALS) : NULL;
    int64_t expires_ms;
    if (!found || !clock_parse(json_member_string(found, "Expiration", ""), &expires_ms))
        return false;
    g_autoptr(Credentials) fields = credentials_new();
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *text = json_member_string(found, names[i][0], "");
        Secret *secret = *text == '\0' ? NULL : secret_new(text, strlen(text), NULL);
        if (!secret)
            return false;
        credentials_put(fields, names[i][1], secret);
    }
    if (!aws_identity_read(fields, identity, NULL))
        return false;
    identity->expires_ms = expires_ms;
    return true;
}

/* --- the request ------------------------------------------------------------------------------ */

static const char *find_header(void *data, const char *name) {
    return net_headers_get(data, name);
}

static NetJudgement classify(const NetResponse *response, void *data) {
    AwsAssumeFlight *flight = data;
    AwsAnswer answer = {.protocol = sts.protocol,
                        .status = (unsigned)response->status,
                        .header = find_header,
                        .header_data = (void *)(uintptr_t)response->headers,
                        .body = response->body,
                        .body_size = response->body_size};
    AwsError error = {0};
    NetJudgement judgement = net_classify_status(response, NULL);
    aws_error_read(&answer, &error);
    flight->aws = aws_error_class(&error, answer.status, flight->region);
    if (flight->aws == AWS_ERROR_CLOCK)
        judgement.outcome = OUTCOME_BAD_REQUEST; /* corrected first, see is_worth_another() */
    else
        aws_error_outcome(flight->aws, &judgement.outcome);
    return judgement;
}

static void observe(const NetResponse *response, void *data) {
    const AwsAssumeFlight *flight = data;
    if (flight->done)
        aws_pen_observe(flight->pen, response);
}

static bool sign(NetRequest *request, NetHeaders *extra, unsigned attempt, GError **error) {
    (void)attempt;
    AwsAssumeFlight *flight = request->data;
    if (!flight->done) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CANCELLED, "the request was called off");
        return false;
    }
    AuthorizerAttempt what = {.request = request, .service = &sts, .region = flight->region};
    return aws_pen_sign(flight->pen, &what, extra, &flight->stamp, error);
}

static void on_done(NetResult *result, void *data);

static void ask(AwsAssumeFlight *flight) {
    NetRequest *request = net_request_new("POST", flight->url);
    g_autoptr(GError) never = NULL;
    if (!net_headers_add(request->headers, "Content-Type",
                         "application/x-www-form-urlencoded; charset=utf-8", &never))
        g_error("%s", never->message);
    net_request_set_body(request, flight->body, strlen(flight->body));
    request->allow_private = flight->allow_private;
    request->secret = true;
    request->max_body = ANSWER_MAX;
    request->prepare = sign;
    request->observe = observe;
    request->classify = classify;
    request->done = on_done;
    request->data = flight;
    flight->ticket = net_client_send(flight->client, request);
}

static bool is_worth_another(AwsAssumeFlight *flight, const NetResult *result) {
    AuthorizerAnswer answer = {.outcome = result->outcome,
                               .response = &result->response,
                               .aws = flight->aws,
                               .stamp = flight->stamp,
                               .used = flight->used};
    if (result->error || flight->used || !aws_pen_clock_was_wrong(flight->pen, &answer))
        return false;
    flight->used = REMEDY_CLOCK;
    return true;
}

static void on_done(NetResult *result, void *data) {
    AwsAssumeFlight *flight = data;
    if (!flight->done) {
        flight_free(flight);
        return;
    }
    if (is_worth_another(flight, result)) {
        ask(flight);
        return;
    }
    g_auto(AwsIdentity) identity = {0};
    g_autoptr(GError) failure = NULL;
    if (result->error)
        failure = lost(flight, result);
    else if (result->response.status != 200)
        failure = refusal(flight, result);
    else if (!read_identity(&result->response, &identity))
        failure = g_error_new(ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE,
                              "the role %s cannot be assumed: the answer of STS cannot be read",
                              flight->role_arn);
    end(flight, failure ? NULL : &identity, failure);
}

static char *form_of(const AwsAssume *what) {
    g_autofree char *arn = text_percent_encode(what->role_arn, strlen(what->role_arn));
    g_autofree char *name = text_percent_encode(what->session_name, strlen(what->session_name));
    g_autofree char *id = text_percent_encode(what->external_id, strlen(what->external_id));
    return g_strdup_printf("Action=AssumeRole&Version=%s&RoleArn=%s&RoleSessionName=%s"
                           "&ExternalId=%s&DurationSeconds=%d",
                           sts.version, arn, name, id, AWS_ASSUME_SECONDS);
}

AwsAssumeFlight *aws_assume_start(NetClient *client, AwsPen *pen, const AwsAssume *what,
                                  AwsAssumeDone done, void *data) {
    AwsAssumeFlight *flight = g_new0(AwsAssumeFlight, 1);
    flight->client = client;
    flight->pen = pen;
    flight->done = done;
    flight->data = data;
    flight->url = g_strconcat(what->endpoint, "/", NULL);
    flight->body = form_of(what);
    flight->region = g_strdup(what->region);
    flight->role_arn = g_strdup(what->role_arn);
    flight->allow_private = what->allow_private;
    ask(flight);
    return flight;
}

void aws_assume_stop(AwsAssumeFlight *flight) {
    if (!flight)
        return;
    flight->done = NULL;
    net_client_cancel(flight->client, flight->ticket);
}
