/* Response classes: GitHub's rules, the defaults, waits, and headers with units. */
#include "provider/respond.h"
#include "provider_support.h"

#include "base/clock.h"

#define NOW_MS INT64_C(1795160000000) /* 2026-11-20 */

typedef struct {
    const char *names[4];
    const char *values[4];
} Headers;

static const char *lookup(void *data, const char *name) {
    const Headers *headers = data;
    for (size_t i = 0; i < G_N_ELEMENTS(headers->names); i++) {
        if (headers->names[i] != NULL && strcmp(headers->names[i], name) == 0)
            return headers->values[i];
    }
    return NULL;
}

typedef struct {
    const char *call;
    unsigned status;
    const char *body;
    Headers headers;
    Outcome outcome;
    int64_t wait_ms;
} Case;

static void assert_case(const Definition *definition, Responder *responder, const Case *one) {
    Headers headers = one->headers;
    const char *body = one->body == NULL ? "" : one->body;
    RespondAnswer answer = {.status = one->status,
                            .header = lookup,
                            .header_data = &headers,
                            .body = body,
                            .body_size = strlen(body),
                            .now_ms = NOW_MS};
    const DefinitionCall *call = definition_call(definition, one->call);
    RespondClass class = respond_classify(responder, call, &answer);
    g_assert_cmpstr(outcome_name(class.outcome), ==, outcome_name(one->outcome));
    g_assert_cmpint(class.wait_ms, ==, one->wait_ms);
}

static void run_cases(const Definition *definition, const Case *cases, size_t count) {
    g_autoptr(Responder) responder = responder_new(definition);
    for (size_t i = 0; i < count; i++)
        assert_case(definition, responder, &cases[i]);
}

static void statuses_without_a_rule_have_their_class(void) {
    static const Case cases[] = {
        {.call = "me", .status = 200, .outcome = OUTCOME_OK},
        {.call = "me", .status = 204, .outcome = OUTCOME_OK},
        {.call = "me", .status = 304, .outcome = OUTCOME_OK},
        {.call = "me", .status = 302, .outcome = OUTCOME_BAD_REQUEST},
        {.call = "me", .status = 400, .outcome = OUTCOME_BAD_REQUEST},
        {.call = "me", .status = 401, .outcome = OUTCOME_AUTH_EXPIRED},
        {.call = "me", .status = 403, .outcome = OUTCOME_FORBIDDEN},
        {.call = "me", .status = 404, .outcome = OUTCOME_BAD_REQUEST},
        {.call = "me", .status = 408, .outcome = OUTCOME_TIMEOUT},
        {.call = "me", .status = 410, .outcome = OUTCOME_BAD_REQUEST},
        {.call = "me", .status = 422, .outcome = OUTCOME_BAD_REQUEST},
        {.call = "me", .status = 429, .outcome = OUTCOME_RATE_LIMITED},
        {.call = "me", .status = 500, .outcome = OUTCOME_UNAVAILABLE},
        {.call = "me", .status = 503, .outcome = OUTCOME_UNAVAILABLE},
        {.call = "me", .status = 999, .outcome = OUTCOME_BAD_REQUEST},
    };
    g_autoptr(Definition) definition = support_load(&(SupportParts){.head = NULL});
    run_cases(definition, cases, G_N_ELEMENTS(cases));
}

static void github_tells_the_two_kinds_of_404_apart(void) {
    static const Case cases[] = {
        {.call = "protection",
         .status = 404,
         .outcome = OUTCOME_ABSENT,
         .body = "{\"message\":\"Branch not protected\",\"status\":\"404\"}"},
        {.call = "protection",
         .status = 404,
         .outcome = OUTCOME_FORBIDDEN,
         .body = "{\"message\":\"Not Found\"}"},
        {.call = "protection",
         .status = 404,
         .outcome = OUTCOME_OK,
         .body = "{\"message\":\"Branch not found\"}"},
        {.call = "protection",
         .status = 409,
         .outcome = OUTCOME_OK,
         .body = "{\"message\":\"Git Repository is empty.\"}"},
        {.call = "protection", .status = 404, .outcome = OUTCOME_FORBIDDEN, .body = "<html>"},
        {.call = "protection", .status = 404, .outcome = OUTCOME_FORBIDDEN, .body = ""},
        {.call = "protection", .status = 404, .outcome = OUTCOME_FORBIDDEN, .body = "[1]"},
        {.call = "protection", .status = 404, .outcome = OUTCOME_FORBIDDEN, .body = "\"text\""},
        {.call = "protection",
         .status = 403,
         .outcome = OUTCOME_ABSENT,
         .body = "{\"message\":\"Upgrade to GitHub Pro or make this repository public to enable "
                 "this feature.\"}"},
        {.call = "protection",
         .status = 403,
         .outcome = OUTCOME_FORBIDDEN,
         .body = "{\"message\":\"Resource not accessible by personal access token\"}"},
        {.call = "dependabot_alerts",
         .status = 403,
         .outcome = OUTCOME_ABSENT,
         .body = "{\"message\":\"Dependabot alerts are disabled for this repository.\"}"},
        {.call = "dependabot_alerts",
         .status = 403,
         .outcome = OUTCOME_ABSENT,
         .body = "{\"message\":\"Dependabot alerts are not available for archived "
                 "repositories.\"}"},
        {.call = "dependabot_alerts",
         .status = 404,
         .outcome = OUTCOME_FORBIDDEN,
         .body = "{\"message\":\"Not Found\"}"},
        {.call = "code_scanning_alerts",
         .status = 403,
         .outcome = OUTCOME_ABSENT,
         .body = "{\"message\":\"Advanced Security must be enabled for this repository to use "
                 "code scanning.\"}"},
        {.call = "code_scanning_alerts",
         .status = 404,
         .outcome = OUTCOME_ABSENT,
         .body = "{\"message\":\"no analysis found\"}"},
        {.call = "code_scanning_alerts",
         .status = 404,
         .outcome = OUTCOME_FORBIDDEN,
         .body = "{\"message\":\"Not Found\"}"},
        {.call = "repos",
         .status = 404,
         .outcome = OUTCOME_BAD_REQUEST,
         .body = "{\"message\":\"Not Found\"}"},
    };
    g_autoptr(Definition) github = support_github();
    run_cases(github, cases, G_N_ELEMENTS(cases));
}

static void github_limits_are_told_from_a_lack_of_rights(void) {
    static const Case cases[] = {
        {.call = "repos",
         .status = 403,
         .outcome = OUTCOME_RATE_LIMITED,
         .wait_ms = 90000,
         .body = "{\"message\":\"API rate limit exceeded\"}",
         .headers = {{"x-ratelimit-remaining", "x-ratelimit-reset"}, {"0", "1795160090"}}},
        {.call = "protection",
         .status = 403,
         .outcome = OUTCOME_RATE_LIMITED,
         .wait_ms = 0,
         .body = "{\"message\":\"API rate limit exceeded\"}",
         .headers = {{"x-ratelimit-remaining", "x-ratelimit-reset"}, {"0", "1795150000"}}},
        {.call = "repos",
         .status = 403,
         .outcome = OUTCOME_RATE_LIMITED,
         .wait_ms = 7000,
         .body = "{\"message\":\"You have exceeded a secondary rate limit.\"}",
         .headers = {{"retry-after", "x-ratelimit-remaining"}, {"7", "12"}}},
        {.call = "repos",
         .status = 429,
         .outcome = OUTCOME_RATE_LIMITED,
         .wait_ms = 60000,
         .body = "{\"message\":\"You have exceeded a secondary rate limit.\"}",
         .headers = {{"x-ratelimit-remaining"}, {"12"}}},
        {.call = "repos",
         .status = 403,
         .outcome = OUTCOME_FORBIDDEN,
         .body = "{\"message\":\"Resource not accessible\"}",
         .headers = {{"x-ratelimit-remaining"}, {"12"}}},
        {.call = "repos", .status = 429, .outcome = OUTCOME_RATE_LIMITED, .body = "not json"},
    };
    g_autoptr(Definition) github = support_github();
    run_cases(github, cases, G_N_ELEMENTS(cases));
}

static void retry_after_is_heeded_in_both_forms(void) {
    static const Case cases[] = {
        {.call = "me",
         .status = 503,
         .outcome = OUTCOME_UNAVAILABLE,
         .wait_ms = 120000,
         .headers = {{"retry-after"}, {"120"}}},
        {.call = "me",
         .status = 429,
         .outcome = OUTCOME_RATE_LIMITED,
         .wait_ms = 30000,
         .headers = {{"retry-after"}, {"Fri, 20 Nov 2026 07:33:50 GMT"}}},
        {.call = "me",
         .status = 429,
         .outcome = OUTCOME_RATE_LIMITED,
         .wait_ms = 0,
         .headers = {{"retry-after"}, {"Sun, 06 Nov 1994 08:49:37 GMT"}}},
        {.call = "me",
         .status = 429,
         .outcome = OUTCOME_RATE_LIMITED,
         .wait_ms = 0,
         .headers = {{"retry-after"}, {"soon"}}},
        {.call = "me",
         .status = 429,
         .outcome = OUTCOME_RATE_LIMITED,
         .wait_ms = 0,
         .headers = {{"retry-after"}, {"-5"}}},
        {.call = "me",
         .status = 429,
         .outcome = OUTCOME_RATE_LIMITED,
         .wait_ms = 0,
         .headers = {{"retry-after"}, {"Fri, 20 Foo 2026 07:33:50 GMT"}}},
        {.call = "me",
         .status = 429,
         .outcome = OUTCOME_RATE_LIMITED,
         .wait_ms = 86400000,
         .headers = {{"retry-after"}, {"99999999999999"}}},
        {.call = "me",
         .status = 403,
         .outcome = OUTCOME_FORBIDDEN,
         .wait_ms = 0,
         .headers = {{"retry-after"}, {"120"}}},
    };
    int64_t frozen;
    g_assert_true(clock_parse("2026-11-20T07:33:20Z", &frozen));
    g_assert_cmpint(frozen, ==, NOW_MS);
    g_autoptr(Definition) definition = support_load(&(SupportParts){.head = NULL});
    run_cases(definition, cases, G_N_ELEMENTS(cases));
}

static const char ruled_calls[] =
    "calls:\n"
    "  me:\n"
    "    get: /me\n"
    "    responses:\n"
    "      - {status: 200, when: '.body.ok == false and .body.error == \"no_scope\"', is: "
    "forbidden}\n"
    "      - {status: 200, when: .body.ok == false, is: invalid}\n"
    "      - {status: 402, is: unlicensed, then: not_applicable}\n"
    "      - {status: 5xx, is: absent}\n"
    "      - {when: '.status == 418', is: rate_limited, until: {header: x-wait, unit: ms}}\n"
    "  users: {get: /users, rows: .}\n"
    "  keys: {get: '/users/\\(.user.id)/keys', rows: .}\n"
    "  profile: {get: '/users/\\(.user.id)/profile'}\n";

static void rules_are_ordered_and_may_look_into_a_200(void) {
    static const Case cases[] = {
        {.call = "me", .status = 200, .outcome = OUTCOME_OK, .body = "{\"ok\":true}"},
        {.call = "me", .status = 200, .outcome = OUTCOME_OK, .body = "{}"},
        {.call = "me",
         .status = 200,
         .outcome = OUTCOME_FORBIDDEN,
         .body = "{\"ok\":false,\"error\":\"no_scope\"}"},
        {.call = "me", .status = 200, .outcome = OUTCOME_BROKEN, .body = "{\"ok\":false}"},
        {.call = "me", .status = 402, .outcome = OUTCOME_UNLICENSED},
        {.call = "me", .status = 502, .outcome = OUTCOME_ABSENT},
        {.call = "me",
         .status = 418,
         .outcome = OUTCOME_RATE_LIMITED,
         .wait_ms = 1500,
         .headers = {{"x-wait"}, {"1500"}}},
        {.call = "me", .status = 400, .outcome = OUTCOME_BAD_REQUEST},
        {.call = "users", .status = 502, .outcome = OUTCOME_UNAVAILABLE},
    };
    g_autoptr(Definition) definition = support_load(&(SupportParts){.calls = ruled_calls});
    run_cases(definition, cases, G_N_ELEMENTS(cases));
    g_autoptr(Responder) responder = responder_new(definition);
    Headers none = {{NULL}, {NULL}};
    RespondAnswer answer = {.status = 402, .header = lookup, .header_data = &none, .body = ""};
    RespondClass class = respond_classify(responder, definition_call(definition, "me"), &answer);
    g_assert_cmpint(class.then, ==, THEN_NOT_APPLICABLE);
    g_assert_true(class.ruled);
    class = respond_classify(responder, NULL, &answer);
    g_assert_false(class.ruled);
}

/* Only what the rules read is parsed, so a large page costs a scan and no more. */
static void a_large_body_is_looked_at_whole(void) {
    g_autoptr(GString) body = g_string_new("{\"items\":[");
    for (int i = 0; i < 50000; i++)
        g_string_append(body, "{\"a\":[1,2,3]},");
    g_string_append(body, "0],\"ok\":false}");
    Case large = {.call = "me", .status = 200, .outcome = OUTCOME_BROKEN, .body = body->str};
    g_autoptr(Definition) definition = support_load(&(SupportParts){.calls = ruled_calls});
    run_cases(definition, &large, 1);
}

static void a_body_that_cannot_be_read_is_null_to_the_rules(void) {
    g_autofree char *deep = g_strnfill(1000000, '[');
    const Case cases[] = {
        {.call = "me", .status = 200, .outcome = OUTCOME_OK, .body = deep},
        {.call = "me", .status = 200, .outcome = OUTCOME_OK, .body = "{\"ok\":fal"},
    };
    g_autoptr(Definition) definition = support_load(&(SupportParts){.calls = ruled_calls});
    run_cases(definition, cases, G_N_ELEMENTS(cases));
}

static void headers_are_read_by_their_unit(void) {
    static const struct {
        HeaderUnit unit;
        const char *text;
        bool readable;
        int64_t value;
        int64_t size;
    } cases[] = {
        {UNIT_SECONDS, "2", true, NOW_MS + 2000, -1},
        {UNIT_SECONDS, "0.5", true, NOW_MS + 500, -1},
        {UNIT_MILLISECONDS, "20", true, NOW_MS + 20, -1},
        {UNIT_EPOCH_SECONDS, "1795160001", true, NOW_MS + 1000, -1},
        {UNIT_EPOCH_MILLISECONDS, "1795160000001", true, NOW_MS + 1, -1},
        {UNIT_ISO8601, "2026-11-20T07:33:20Z", true, NOW_MS, -1},
        {UNIT_USED_SIZE, "39/40", true, 39, 40},
        {UNIT_COUNT, "5000", true, 5000, -1},
        {UNIT_COUNT, " 7 ", true, 7, -1},
        {UNIT_COUNT, "many", false, 0, -1},
        {UNIT_COUNT, "1e400", false, 0, -1},
        {UNIT_COUNT, "nan", false, 0, -1},
        {UNIT_USED_SIZE, "39", false, 0, -1},
        {UNIT_ISO8601, "yesterday", false, 0, -1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Headers headers = {{"x-limit"}, {cases[i].text}};
        RespondAnswer answer = {.header = lookup, .header_data = &headers, .now_ms = NOW_MS};
        HeaderValue spec = {"x-limit", cases[i].unit};
        int64_t value = 0;
        int64_t size = -1;
        g_assert_cmpint(respond_header_value(&spec, &answer, &value, &size), ==, cases[i].readable);
        g_assert_cmpint(value, ==, cases[i].value);
        g_assert_cmpint(size, ==, cases[i].size);
    }
}

/* --- AWS -------------------------------------------------------------------------------------- */

#define XML_ERROR(code)                                                                            \
    "<ErrorResponse><Error><Code>" code "</Code><Message>none</Message></Error></ErrorResponse>"

static void aws_codes_decide_without_a_rule(void) {
    static const Case cases[] = {
        {.call = "users", .status = 200, .body = "<ListUsersResponse/>", .outcome = OUTCOME_OK},
        {.call = "users",
         .status = 400,
         .body = XML_ERROR("Throttling"),
         .outcome = OUTCOME_RATE_LIMITED},
        {.call = "users",
         .status = 403,
         .body = XML_ERROR("AccessDenied"),
         .outcome = OUTCOME_FORBIDDEN},
        {.call = "users",
         .status = 403,
         .body = XML_ERROR("InvalidClientTokenId"),
         .outcome = OUTCOME_AUTH_EXPIRED},
        {.call = "users",
         .status = 400,
         .body = XML_ERROR("ValidationError"),
         .outcome = OUTCOME_BAD_REQUEST},
        {.call = "keys",
         .status = 400,
         .body = "{\"__type\":\"AccessDeniedException\"}",
         .outcome = OUTCOME_FORBIDDEN},
        {.call = "keys",
         .status = 400,
         .body = "{\"__type\":\"ExpiredTokenException\"}",
         .outcome = OUTCOME_AUTH_EXPIRED},
        {.call = "keys",
         .status = 400,
         .body = "{\"__type\":\"ThrottlingException\"}",
         .headers = {{"retry-after"}, {"3"}},
         .outcome = OUTCOME_RATE_LIMITED,
         .wait_ms = 3000},
        {.call = "keys", .status = 500, .outcome = OUTCOME_UNAVAILABLE},
        {.call = "findings",
         .status = 429,
         .headers = {{"x-amzn-errortype"}, {"LimitExceededException:"}},
         .outcome = OUTCOME_RATE_LIMITED},
        {.call = "encryption",
         .status = 301,
         .body = "<Error><Code>PermanentRedirect</Code></Error>",
         .outcome = OUTCOME_BAD_REQUEST},
    };
    g_autoptr(Definition) definition = support_aws(NULL, NULL);
    run_cases(definition, cases, G_N_ELEMENTS(cases));
}

static void rules_of_call_and_service_come_before_the_codes(void) {
    static const Case cases[] = {
        {.call = "users",
         .status = 404,
         .body = XML_ERROR("NoSuchEntity"),
         .outcome = OUTCOME_ABSENT},
        {.call = "policy",
         .status = 404,
         .body = "<Error><Code>NoSuchBucketPolicy</Code></Error>",
         .outcome = OUTCOME_ABSENT},
        {.call = "encryption",
         .status = 404,
         .body = "<Error><Code>NoSuchBucketPolicy</Code></Error>",
         .outcome = OUTCOME_BAD_REQUEST},
        {.call = "hub",
         .status = 401,
         .headers = {{"x-amzn-errortype"}, {"InvalidAccessException"}},
         .outcome = OUTCOME_ABSENT},
        {.call = "hub", .status = 401, .outcome = OUTCOME_AUTH_EXPIRED},
    };
    g_autoptr(Definition) definition = support_aws(NULL, NULL);
    run_cases(definition, cases, G_N_ELEMENTS(cases));
}

static const char rule_calls[] =
    "calls:\n"
    "  summary:\n"
    "    aws: iam.GetAccountSummary\n"
    "    responses:\n"
    "      - {status: 200, when: .body.State == \"OFF\", is: absent}\n"
    "      - {when: .body.ErrorResponse.Error.Message == \"gone\", is: absent}\n"
    "      - {code: [One, Two], status: 403, is: unlicensed}\n"
    "      - {when: .code == \"Three\", is: timeout}\n"
    "      - {when: .code == null and .status == 404, is: forbidden}\n";

static void rules_see_the_code_and_the_body_without_its_envelope(void) {
    static const Case cases[] = {
        {.call = "summary",
         .status = 200,
         .outcome = OUTCOME_ABSENT,
         .body = "<GetAccountSummaryResponse><GetAccountSummaryResult><State>OFF</State>"
                 "</GetAccountSummaryResult></GetAccountSummaryResponse>"},
        {.call = "summary", .status = 200, .outcome = OUTCOME_OK, .body = "<html/>"},
        {.call = "summary",
         .status = 400,
         .outcome = OUTCOME_ABSENT,
         .body = "<ErrorResponse><Error><Code>X</Code><Message>gone</Message></Error>"
                 "</ErrorResponse>"},
        {.call = "summary", .status = 403, .outcome = OUTCOME_UNLICENSED, .body = XML_ERROR("Two")},
        {.call = "summary",
         .status = 400,
         .outcome = OUTCOME_BAD_REQUEST,
         .body = XML_ERROR("Two")},
        {.call = "summary", .status = 400, .outcome = OUTCOME_TIMEOUT, .body = XML_ERROR("Three")},
        {.call = "summary", .status = 404, .outcome = OUTCOME_FORBIDDEN, .body = "not xml"},
    };
    g_autoptr(Definition) definition = support_aws(rule_calls, "evidence: {}\n");
    run_cases(definition, cases, G_N_ELEMENTS(cases));
}

static void the_class_tells_what_aws_said_and_where(void) {
    g_autoptr(Definition) definition = support_aws(NULL, NULL);
    g_autoptr(Responder) responder = responder_new(definition);
    Headers headers = {.names = {NULL}};
    static const char body[] =
        "<Response><Errors><Error><Code>AuthFailure</Code></Error></Errors></Response>";
    RespondAnswer answer = {.status = 401,
                            .header = lookup,
                            .header_data = &headers,
                            .body = body,
                            .body_size = strlen(body),
                            .now_ms = NOW_MS,
                            .region = "me-south-1"};
    const DefinitionCall *vpcs = definition_call(definition, "vpcs");
    RespondClass class = respond_classify(responder, vpcs, &answer);
    g_assert_cmpint(class.aws, ==, AWS_ERROR_REGION_OFF);
    g_assert_cmpint(class.outcome, ==, OUTCOME_UNLICENSED);
    g_assert_false(class.ruled);
    answer.region = "us-east-1";
    class = respond_classify(responder, vpcs, &answer);
    g_assert_cmpint(class.aws, ==, AWS_ERROR_BAD_CREDENTIALS);
    g_assert_cmpint(class.outcome, ==, OUTCOME_AUTH_EXPIRED);
    class = respond_classify(responder, NULL, &answer);
    g_assert_cmpint(class.aws, ==, AWS_ERROR_NONE);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/respond/" #name, name)
    TEST(statuses_without_a_rule_have_their_class);
    TEST(github_tells_the_two_kinds_of_404_apart);
    TEST(github_limits_are_told_from_a_lack_of_rights);
    TEST(retry_after_is_heeded_in_both_forms);
    TEST(rules_are_ordered_and_may_look_into_a_200);
    TEST(a_large_body_is_looked_at_whole);
    TEST(a_body_that_cannot_be_read_is_null_to_the_rules);
    TEST(headers_are_read_by_their_unit);
    TEST(aws_codes_decide_without_a_rule);
    TEST(rules_of_call_and_service_come_before_the_codes);
    TEST(rules_see_the_code_and_the_body_without_its_envelope);
    TEST(the_class_tells_what_aws_said_and_where);
    return g_test_run();
}
