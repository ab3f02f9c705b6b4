#include "provider/aws_error.h"

#include "base/json.h"
#include "provider/aws_endpoint.h"

/* Errors are short; what is longer is something else. */
#define BODY_MAX (64 * 1024)

/* --- codes ------------------------------------------------------------------------------------ */

static const struct {
    const char *code;
    AwsErrorClass error_class;
} codes[] = {
    {"AccessDenied", AWS_ERROR_DENIED},
    {"AccessDeniedException", AWS_ERROR_DENIED},
    {"AuthFailure", AWS_ERROR_BAD_CREDENTIALS},
    {"AuthorizationHeaderMalformed", AWS_ERROR_WRONG_REGION},
    {"BandwidthLimitExceeded", AWS_ERROR_THROTTLED},
    {"DependencyTimeoutException", AWS_ERROR_TRANSIENT},
    {"EC2ThrottledException", AWS_ERROR_THROTTLED},
    {"ExpiredToken", AWS_ERROR_EXPIRED},
    {"ExpiredTokenException", AWS_ERROR_EXPIRED},
    {"IncompleteSignature", AWS_ERROR_BAD_CREDENTIALS},
    {"IncompleteSignatureException", AWS_ERROR_BAD_CREDENTIALS},
    {"InternalError", AWS_ERROR_TRANSIENT},
    {"InternalFailure", AWS_ERROR_TRANSIENT},
    {"InternalServerError", AWS_ERROR_TRANSIENT},
    {"InternalServerException", AWS_ERROR_TRANSIENT},
    {"InvalidAccessKeyId", AWS_ERROR_BAD_CREDENTIALS},
    {"InvalidClientTokenId", AWS_ERROR_BAD_CREDENTIALS},
    {"InvalidSignatureException", AWS_ERROR_BAD_CREDENTIALS},
    {"InvalidToken", AWS_ERROR_BAD_CREDENTIALS},
    {"KMSInternalException", AWS_ERROR_TRANSIENT},
    {"MissingAuthenticationToken", AWS_ERROR_BAD_CREDENTIALS},
    {"MissingAuthenticationTokenException", AWS_ERROR_BAD_CREDENTIALS},
    {"OptInRequired", AWS_ERROR_REGION_OFF},
    {"PermanentRedirect", AWS_ERROR_WRONG_REGION},
    {"PriorRequestNotComplete", AWS_ERROR_THROTTLED},
    {"ProvisionedThroughputExceededException", AWS_ERROR_THROTTLED},
    {"RegionDisabledException", AWS_ERROR_REGION_OFF},
    {"RequestExpired", AWS_ERROR_EXPIRED},
    {"RequestLimitExceeded", AWS_ERROR_THROTTLED},
    {"RequestThrottled", AWS_ERROR_THROTTLED},
    {"RequestThrottledException", AWS_ERROR_THROTTLED},
    {"RequestTimeTooSkewed", AWS_ERROR_CLOCK},
    {"RequestTimeout", AWS_ERROR_TRANSIENT},
    {"RequestTimeoutException", AWS_ERROR_TRANSIENT},
    {"ServiceFailure", AWS_ERROR_TRANSIENT},
    {"ServiceUnavailable", AWS_ERROR_TRANSIENT},
    {"ServiceUnavailableException", AWS_ERROR_TRANSIENT},
    {"SignatureDoesNotMatch", AWS_ERROR_BAD_CREDENTIALS},
    {"SlowDown", AWS_ERROR_THROTTLED},
    {"TemporaryRedirect", AWS_ERROR_WRONG_REGION},
    {"ThrottledException", AWS_ERROR_THROTTLED},
    {"Throttling", AWS_ERROR_THROTTLED},
    {"ThrottlingException", AWS_ERROR_THROTTLED},
    {"TokenRefreshRequired", AWS_ERROR_EXPIRED},
    {"TooManyRequestsException", AWS_ERROR_THROTTLED},
    {"TransactionInProgressException", AWS_ERROR_THROTTLED},
    {"UnauthorizedOperation", AWS_ERROR_DENIED},
    {"UnrecognizedClientException", AWS_ERROR_BAD_CREDENTIALS},
};

/* Codes that a status decides about: Security Hub throttles with this one, others complain about
 * quotas of resources. */
static AwsErrorClass class_by_status(const char *code, unsigned status) {
    if (status == 429)
        return AWS_ERROR_THROTTLED;
    if (strcmp(code, "LimitExceededException") == 0 || status < 500)
        return AWS_ERROR_OTHER;
    return AWS_ERROR_TRANSIENT;
}

static AwsErrorClass class_of_code(const char *code, unsigned status) {
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
        if (strcmp(codes[i].code, code) == 0)
            return codes[i].error_class;
    }
    return class_by_status(code, status);
}

AwsErrorClass aws_error_class(const AwsError *error, unsigned status, const char *region) {
    if (status < 300)
        return AWS_ERROR_NONE;
    AwsErrorClass found = class_of_code(error->code, status);
    if (found != AWS_ERROR_BAD_CREDENTIALS)
        return found;
    if (error->time_text)
        return AWS_ERROR_CLOCK;
    return region != NULL && aws_region_is_opt_in(region) ? AWS_ERROR_REGION_OFF : found;
}

bool aws_error_outcome(AwsErrorClass error_class, Outcome *outcome_out) {
    static const Outcome outcomes[] = {
        [AWS_ERROR_NONE] = OUTCOMES,
        [AWS_ERROR_OTHER] = OUTCOMES,
        [AWS_ERROR_THROTTLED] = OUTCOME_RATE_LIMITED,
        [AWS_ERROR_TRANSIENT] = OUTCOME_UNAVAILABLE,
        [AWS_ERROR_BAD_CREDENTIALS] = OUTCOME_AUTH_EXPIRED,
        [AWS_ERROR_EXPIRED] = OUTCOME_AUTH_EXPIRED,
        [AWS_ERROR_CLOCK] = OUTCOME_UNAVAILABLE,
        [AWS_ERROR_DENIED] = OUTCOME_FORBIDDEN,
        [AWS_ERROR_REGION_OFF] = OUTCOME_UNLICENSED,
        [AWS_ERROR_WRONG_REGION] = OUTCOMES,
    };
    if (outcomes[error_class] == OUTCOMES)
        return false;
    *outcome_out = outcomes[error_class];
    return true;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Takes the bare name: what stands behind a '#' and before a ':'. */
static void take_code(const char *text, size_t length, AwsError *error) {
    const char *hash = memchr(text, '#', length);
    if (hash != NULL) {
        length -= (size_t)(hash + 1 - text);
        text = hash + 1;
    }
    const char *colon = memchr(text, ':', length);
    if (colon != NULL)
        length = (size_t)(colon - text);
    if (length > AWS_ERROR_CODE_MAX)
        return;
    for (size_t i = 0; i < length; i++) {
        if (!g_ascii_isalnum(text[i]) && strchr("._-", text[i]) == NULL)
            return;
    }
    memcpy(error->code, text, length);
    error->code[length] = '\0';
}

static void take_region(const char *text, size_t length, AwsError *error) {
    char name[AWS_ERROR_REGION_MAX + 1] = "";
    if (length > AWS_ERROR_REGION_MAX)
        return;
    memcpy(name, text, length);
    if (aws_region_is_name(name))
        g_strlcpy(error->region, name, sizeof(error->region));
}

static bool contains(const char *text, size_t length, const char *part) {
    return g_strstr_len(text, (gssize)length, part) != NULL;
}

static void take_message(const char *text, size_t length, AwsError *error) {
    error->time_text = contains(text, length, "Signature expired") ||
                       contains(text, length, "Signature not yet current");
}

/* The text of the first element of this name: errors are flat, and no error has it twice. */
static const char *element(const AwsAnswer *answer, const char *name, size_t *length_out) {
    g_autofree char *open = g_strdup_printf("<%s>", name);
    g_autofree char *close = g_strdup_printf("</%s>", name);
    const char *from = g_strstr_len(answer->body, (gssize)answer->body_size, open);
    if (from == NULL)
        return NULL;
    from += strlen(open);
    size_t left = answer->body_size - (size_t)(from - answer->body);
    const char *to = g_strstr_len(from, (gssize)left, close);
    if (to == NULL)
        return NULL;
    *length_out = (size_t)(to - from);
    return from;
}

typedef void (*Take)(const char *text, size_t length, AwsError *error);

static void read_xml(const AwsAnswer *answer, AwsError *error) {
    static const struct {
        const char *name;
        Take take;
    } parts[] = {{"Code", take_code}, {"Message", take_message}, {"Region", take_region}};
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        size_t length;
        const char *text = element(answer, parts[i].name, &length);
        if (text != NULL)
            parts[i].take(text, length, error);
    }
}

static void read_json(const AwsAnswer *answer, AwsError *error) {
    g_autoptr(Json) body = json_parse(answer->body, answer->body_size, BODY_MAX, NULL);
    static const struct {
        const char *name;
        Take take;
    } parts[] = {{"message", take_message},
                 {"Message", take_message},
                 {"Code", take_code},
                 {"code", take_code},
                 {"__type", take_code}};
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        const char *text = json_member_string(body, parts[i].name, NULL);
        if (text != NULL)
            parts[i].take(text, strlen(text), error);
    }
}

static void read_header(const AwsAnswer *answer, const char *name, Take take, AwsError *error) {
    const char *text = answer->header(answer->header_data, name);
    if (text != NULL)
        take(text, strlen(text), error);
}

void aws_error_read(const AwsAnswer *answer, AwsError *error_out) {
    *error_out = (AwsError){.code = ""};
    if (answer->status < 300)
        return;
    bool json = answer->protocol == PROTOCOL_JSON || answer->protocol == PROTOCOL_REST_JSON;
    if (answer->body_size > 0 && answer->body_size <= BODY_MAX)
        (json ? read_json : read_xml)(answer, error_out);
    read_header(answer, "x-amzn-errortype", take_code, error_out);
    read_header(answer, "x-amz-bucket-region", take_region, error_out);
}
