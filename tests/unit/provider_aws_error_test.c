/* Errors of AWS: where each protocol puts the code, and what codes mean. */
#include "provider/aws_error.h"
#include "provider_support.h"

typedef struct {
    const char *name;
    const char *value;
} Header;

static const char *lookup(void *data, const char *name) {
    const Header *header = data;
    return header->name != NULL && strcmp(header->name, name) == 0 ? header->value : NULL;
}

static AwsError read_error(AwsProtocol protocol, unsigned status, const char *body, Header header) {
    AwsAnswer answer = {.protocol = protocol,
                        .status = status,
                        .header = lookup,
                        .header_data = &header,
                        .body = body,
                        .body_size = strlen(body)};
    AwsError error;
    aws_error_read(&answer, &error);
    return error;
}

static const Header none = {NULL, NULL};

static void every_protocol_has_its_own_place_for_the_code(void) {
    static const struct {
        AwsProtocol protocol;
        const char *body;
        Header header;
        const char *code;
    } cases[] = {
        {PROTOCOL_QUERY,
         "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender"
         "</Type><Code>NoSuchEntity</Code><Message>none</Message></Error></ErrorResponse>",
         {NULL, NULL},
         "NoSuchEntity"},
        {PROTOCOL_EC2,
         "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error>"
         "</Errors><RequestID>r-4</RequestID></Response>",
         {NULL, NULL},
         "UnauthorizedOperation"},
        {PROTOCOL_REST_XML,
         "<Error><Code>NoSuchPublicAccessBlockConfiguration</Code><Message>none</Message></Error>",
         {NULL, NULL},
         "NoSuchPublicAccessBlockConfiguration"},
        {PROTOCOL_REST_XML,
         "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>",
         {NULL, NULL},
         "AccessDenied"},
        {PROTOCOL_REST_XML, "", {NULL, NULL}, ""},
        {PROTOCOL_JSON,
         "{\"__type\":\"com.amazonaws.cloudtrail.v20131101#TrailNotFoundException\",\"Message\":"
         "\"none\"}",
         {NULL, NULL},
         "TrailNotFoundException"},
        {PROTOCOL_JSON,
         "{\"__type\":\"NotFoundException\",\"message\":\"none\"}",
         {NULL, NULL},
         "NotFoundException"},
        {PROTOCOL_REST_JSON,
         "{\"Message\":\"none\"}",
         {"x-amzn-errortype",
          "InvalidAccessException:http://internal.amazon.com/coral/com.amazonaws/"},
         "InvalidAccessException"},
        {PROTOCOL_REST_JSON,
         "{\"Code\":\"ResourceNotFoundException\"}",
         {NULL, NULL},
         "ResourceNotFoundException"},
        {PROTOCOL_REST_JSON,
         "{\"code\":\"Other\"}",
         {"x-amzn-errortype", "FirstException"},
         "FirstException"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        AwsError error = read_error(cases[i].protocol, 400, cases[i].body, cases[i].header);
        g_assert_cmpstr(error.code, ==, cases[i].code);
        g_assert_false(error.time_text);
    }
}

static void a_success_has_no_error(void) {
    AwsError error = read_error(PROTOCOL_QUERY, 200, "<A><Code>NoSuchEntity</Code></A>", none);
    g_assert_cmpstr(error.code, ==, "");
    g_assert_cmpint(aws_error_class(&error, 200, NULL), ==, AWS_ERROR_NONE);
}

static void what_is_no_error_is_not_taken_for_one(void) {
    g_autofree char *endless = g_strnfill(AWS_ERROR_CODE_MAX + 1, 'A');
    g_autofree char *long_code = g_strdup_printf("<Code>%s</Code>", endless);
    g_autofree char *filler = g_strnfill(70 * 1024, ' ');
    g_autofree char *large = g_strdup_printf("%s<Code>Throttling</Code>", filler);
    const char *const bodies[] = {"<html>busy</html>", "<Code>", "<Code>not closed",
                                  long_code,           large,    "<Code>two words</Code>",
                                  "<Code></Code>"};
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        AwsError error = read_error(PROTOCOL_QUERY, 500, bodies[i], none);
        g_assert_cmpstr(error.code, ==, "");
    }
    static const char *const json[] = {
        "", "[]", "{", "\"ThrottlingException\"", "{\"__type\":17}", "{\"__type\":\"<script>\"}"};
    for (size_t i = 0; i < G_N_ELEMENTS(json); i++) {
        AwsError error = read_error(PROTOCOL_JSON, 400, json[i], none);
        g_assert_cmpstr(error.code, ==, "");
    }
}

static void the_region_of_a_bucket_is_told_by_body_or_header(void) {
    AwsError error = read_error(PROTOCOL_REST_XML, 400,
                                "<Error><Code>AuthorizationHeaderMalformed</Code>"
                                "<Region>eu-west-1</Region></Error>",
                                none);
    g_assert_cmpstr(error.region, ==, "eu-west-1");
    g_assert_cmpint(aws_error_class(&error, 400, "us-east-1"), ==, AWS_ERROR_WRONG_REGION);
    error = read_error(PROTOCOL_REST_XML, 301, "", (Header){"x-amz-bucket-region", "ap-south-1"});
    g_assert_cmpstr(error.region, ==, "ap-south-1");
    error = read_error(PROTOCOL_REST_XML, 301, "<Region>evil.test/</Region>",
                       (Header){"x-amz-bucket-region", "evil.test/"});
    g_assert_cmpstr(error.region, ==, "");
}

static AwsErrorClass class_of(const char *code, unsigned status, const char *region) {
    AwsError error = {.code = ""};
    g_strlcpy(error.code, code, sizeof(error.code));
    return aws_error_class(&error, status, region);
}

static void codes_have_their_class(void) {
    static const struct {
        const char *code;
        unsigned status;
        AwsErrorClass error_class;
    } cases[] = {
        {"Throttling", 400, AWS_ERROR_THROTTLED},
        {"ThrottlingException", 400, AWS_ERROR_THROTTLED},
        {"RequestLimitExceeded", 503, AWS_ERROR_THROTTLED},
        {"SlowDown", 503, AWS_ERROR_THROTTLED},
        {"TooManyRequestsException", 429, AWS_ERROR_THROTTLED},
        {"LimitExceededException", 429, AWS_ERROR_THROTTLED},
        {"LimitExceededException", 400, AWS_ERROR_OTHER},
        {"", 429, AWS_ERROR_THROTTLED},
        {"RequestTimeout", 400, AWS_ERROR_TRANSIENT},
        {"KMSInternalException", 500, AWS_ERROR_TRANSIENT},
        {"SomethingNew", 503, AWS_ERROR_TRANSIENT},
        {"", 500, AWS_ERROR_TRANSIENT},
        {"InvalidClientTokenId", 403, AWS_ERROR_BAD_CREDENTIALS},
        {"AuthFailure", 401, AWS_ERROR_BAD_CREDENTIALS},
        {"SignatureDoesNotMatch", 403, AWS_ERROR_BAD_CREDENTIALS},
        {"ExpiredToken", 403, AWS_ERROR_EXPIRED},
        {"ExpiredTokenException", 400, AWS_ERROR_EXPIRED},
        {"RequestTimeTooSkewed", 403, AWS_ERROR_CLOCK},
        {"AccessDenied", 403, AWS_ERROR_DENIED},
        {"UnauthorizedOperation", 403, AWS_ERROR_DENIED},
        {"AccessDeniedException", 400, AWS_ERROR_DENIED},
        {"OptInRequired", 401, AWS_ERROR_REGION_OFF},
        {"PermanentRedirect", 301, AWS_ERROR_WRONG_REGION},
        {"NoSuchEntity", 404, AWS_ERROR_OTHER},
        {"", 403, AWS_ERROR_OTHER},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(class_of(cases[i].code, cases[i].status, "us-east-1"), ==,
                        cases[i].error_class);
}

/* Keys are made known to a region when the account enables it. */
static void keys_unknown_in_a_region_to_enable_mean_that_it_is_off(void) {
    g_assert_cmpint(class_of("AuthFailure", 401, "me-south-1"), ==, AWS_ERROR_REGION_OFF);
    g_assert_cmpint(class_of("UnrecognizedClientException", 400, "me-south-1"), ==,
                    AWS_ERROR_REGION_OFF);
    g_assert_cmpint(class_of("AuthFailure", 401, "eu-west-1"), ==, AWS_ERROR_BAD_CREDENTIALS);
    g_assert_cmpint(class_of("AuthFailure", 401, NULL), ==, AWS_ERROR_BAD_CREDENTIALS);
    g_assert_cmpint(class_of("ExpiredToken", 401, "me-south-1"), ==, AWS_ERROR_EXPIRED);
}

static void a_signature_of_another_time_is_about_the_clock(void) {
    static const char *const texts[] = {
        "Signature expired: 20261120T080000Z is now earlier than 20261120T084500Z",
        "Signature not yet current: 20261120T100000Z is still later than 20261120T090500Z"};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *xml = g_strdup_printf(
            "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>%s</Message></Error>"
            "</ErrorResponse>",
            texts[i]);
        g_autofree char *json = g_strdup_printf(
            "{\"__type\":\"InvalidSignatureException\",\"message\":\"%s\"}", texts[i]);
        AwsError error = read_error(PROTOCOL_QUERY, 403, xml, none);
        g_assert_cmpint(aws_error_class(&error, 403, "me-south-1"), ==, AWS_ERROR_CLOCK);
        error = read_error(PROTOCOL_JSON, 400, json, none);
        g_assert_cmpint(aws_error_class(&error, 400, NULL), ==, AWS_ERROR_CLOCK);
    }
    AwsError other = read_error(PROTOCOL_JSON, 400,
                                "{\"__type\":\"AccessDeniedException\",\"message\":"
                                "\"Signature expired\"}",
                                none);
    g_assert_cmpint(aws_error_class(&other, 400, NULL), ==, AWS_ERROR_DENIED);
}

static void classes_become_outcomes(void) {
    static const struct {
        AwsErrorClass error_class;
        bool decides;
        Outcome outcome;
    } cases[] = {
        {AWS_ERROR_NONE, false, OUTCOME_OK},
        {AWS_ERROR_OTHER, false, OUTCOME_OK},
        {AWS_ERROR_THROTTLED, true, OUTCOME_RATE_LIMITED},
        {AWS_ERROR_TRANSIENT, true, OUTCOME_UNAVAILABLE},
        {AWS_ERROR_BAD_CREDENTIALS, true, OUTCOME_AUTH_EXPIRED},
        {AWS_ERROR_EXPIRED, true, OUTCOME_AUTH_EXPIRED},
        {AWS_ERROR_CLOCK, true, OUTCOME_UNAVAILABLE},
        {AWS_ERROR_DENIED, true, OUTCOME_FORBIDDEN},
        {AWS_ERROR_REGION_OFF, true, OUTCOME_UNLICENSED},
        {AWS_ERROR_WRONG_REGION, false, OUTCOME_OK},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Outcome outcome = OUTCOME_OK;
        g_assert_cmpint(aws_error_outcome(cases[i].error_class, &outcome), ==, cases[i].decides);
        g_assert_cmpint(outcome, ==, cases[i].outcome);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(test) g_test_add_func("/provider/aws_error/" #test, test)
    ADD(every_protocol_has_its_own_place_for_the_code);
    ADD(a_success_has_no_error);
    ADD(what_is_no_error_is_not_taken_for_one);
    ADD(the_region_of_a_bucket_is_told_by_body_or_header);
    ADD(codes_have_their_class);
    ADD(keys_unknown_in_a_region_to_enable_mean_that_it_is_off);
    ADD(a_signature_of_another_time_is_about_the_clock);
    ADD(classes_become_outcomes);
    return g_test_run();
}
