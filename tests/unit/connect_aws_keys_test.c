/* Requests signed with an access key: each attempt anew, at the service's own time, within the
 * budgets of service and region. */
#include "unit/aws_stage.h"
#include "unit/freed.h"

#define KEY "AKIDEXAMPLE"
#define DATE_AHEAD "Date: Fri, 20 Nov 2026 08:20:00 GMT\r\n" /* 20 minutes */
#define DATE_BEHIND "Date: Fri, 20 Nov 2026 07:00:00 GMT\r\n"
#define DATE_NEAR "Date: Fri, 20 Nov 2026 08:03:00 GMT\r\n"
#define DATE_FAR "Date: Sun, 22 Nov 2026 08:00:00 GMT\r\n"

static const StageField keys[] = {{"access_key_id", KEY}, {"secret_access_key", PLANTED}, {0}};

static void stage_with_keys(Stage *stage, const PeerStep *steps, size_t count) {
    stage_init(stage, steps, count);
    must(stage_connect(stage, SCHEME_AWS_KEYS, keys, NULL, &error));
}

/* --- signatures ------------------------------------------------------------------------------- */

static void every_attempt_is_signed_anew(void) {
    PeerStep steps[] = {{.then = PEER_CLOSE}, {.then = PEER_CLOSE}, {.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    stage_with_keys(&stage, steps, G_N_ELEMENTS(steps));
    clock_thaw();
    g_auto(Told) told = {0};
    stage_ask(&stage, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_OK);
    g_assert_cmpuint(told.requests, ==, 3);
    for (unsigned i = 0; i < 3; i++) {
        g_autofree char *text = peer_request(stage.peer, i);
        assert_holds(text, "\r\nauthorization: AWS4-HMAC-SHA256 Credential=" KEY "/");
        assert_lacks(text, PLANTED);
        g_autofree char *date = stage_header(&stage, i, "x-amz-date");
        g_assert_nonnull(date);
    }
}

static void scope_headers_and_time_are_those_of_the_request(void) {
    PeerStep steps[] = {{.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    stage_with_keys(&stage, steps, 1);
    g_auto(Told) told = {0};
    stage_ask(&stage, &told);
    stage_assert_signed(&stage, 0, KEY, "iam");
    g_autofree char *date = stage_header(&stage, 0, "x-amz-date");
    g_assert_cmpstr(date, ==, "20261120T080000Z");
    g_autofree char *token = stage_header(&stage, 0, "x-amz-security-token");
    g_assert_null(token);
}

static void signing_name_is_that_of_the_service(void) {
    PeerStep steps[] = {{.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    stage_with_keys(&stage, steps, 1);
    stage.call = definition_call(stage.definition, "scan");
    g_auto(Told) told = {0};
    stage_ask(&stage, &told);
    stage_assert_signed(&stage, 0, KEY, "access-analyzer");
}

static void session_token_is_sent_and_signed(void) {
    static const StageField temporary[] = {{"access_key_id", "ASIATEMPORARY"},
                                           {"secret_access_key", PLANTED},
                                           {"session_token", "Session-Token"},
                                           {0}};
    PeerStep steps[] = {{.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    stage_init(&stage, steps, 1);
    must(stage_connect(&stage, SCHEME_AWS_KEYS, temporary, NULL, &error));
    g_auto(Told) told = {0};
    stage_ask(&stage, &told);
    g_autofree char *text = peer_request(stage.peer, 0);
    assert_holds(text, "\r\nx-amz-security-token: Session-Token\r\n");
    assert_holds(text, "x-amz-date;x-amz-security-token, Signature=");
}

static void a_request_that_is_none_of_aws_is_not_sent(void) {
    PeerStep steps[] = {{.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    stage_with_keys(&stage, steps, 1);
    g_autofree char *url = peer_url(stage.peer, "/");
    RenderedRequest rendered = {.method = "GET", .url = url};
    g_auto(Told) told = {0};
    SenderWish wish = {
        .call = stage.call, .rendered = &rendered, .done = stage_take, .data = &told};
    must(sender_send(stage.sender, &wish, &error));
    drain(stage.client);
    g_assert_cmpint(told.outcome, ==, OUTCOME_BAD_REQUEST);
    assert_holds(told.message, "cannot be signed");
    g_assert_cmpuint(peer_requests(stage.peer), ==, 0);
}

static void keys_that_cannot_be_used_are_refused_unseen(void) {
    static const struct {
        StageField fields[4];
        const char *says;
    } rows[] = {
        {{{"access_key_id", KEY}, {0}}, "secret_access_key is missing"},
        {{{"secret_access_key", PLANTED}, {0}}, "access_key_id is missing"},
        {{{"access_key_id", ""}, {"secret_access_key", PLANTED}, {0}}, "access_key_id is missing"},
        {{{"access_key_id", KEY "\r\n" PLANTED}, {"secret_access_key", PLANTED}, {0}},
         "access_key_id holds"},
        {{{"access_key_id", KEY}, {"secret_access_key", PLANTED " x"}, {0}},
         "secret_access_key holds"},
        {{{"access_key_id", KEY},
          {"secret_access_key", PLANTED},
          {"session_token", PLANTED "\xc3\xa9"}},
         "session_token holds"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Stage) stage = {0};
        stage_init(&stage, &(PeerStep){0}, 1);
        must_fail(ERROR_CONFIGURATION, rows[i].says,
                  stage_connect(&stage, SCHEME_AWS_KEYS, rows[i].fields, NULL, &error));
    }
}

/* --- clocks ----------------------------------------------------------------------------------- */

static void ask_twice(Stage *stage, const char *first, const char *second) {
    g_auto(Told) told = {0};
    stage_ask(stage, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_OK);
    g_assert_cmpuint(told.requests, ==, 2);
    g_autofree char *before = stage_header(stage, 0, "x-amz-date");
    g_autofree char *after = stage_header(stage, 1, "x-amz-date");
    g_assert_cmpstr(before, ==, first);
    g_assert_cmpstr(after, ==, second);
}

static void a_refusal_for_the_clock_is_corrected_and_sent_once_more(void) {
    PeerStep steps[] = {
        {.bytes = STAGE_ERROR("403 No", DATE_AHEAD, "RequestTimeTooSkewed"), .then = PEER_CLOSE},
        {.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    stage_with_keys(&stage, steps, G_N_ELEMENTS(steps));
    ask_twice(&stage, "20261120T080000Z", "20261120T082000Z");
    g_auto(Told) next = {0};
    stage_ask(&stage, &next);
    g_assert_cmpuint(next.requests, ==, 1);
    g_autofree char *date = stage_header(&stage, 2, "x-amz-date");
    g_assert_cmpstr(date, ==, "20261120T082000Z");
}

/* STS and IAM only say that the signature is wrong. */
static void any_refusal_that_is_dated_otherwise_is_one_for_the_clock(void) {
    PeerStep steps[] = {
        {.bytes = STAGE_ERROR("403 No", DATE_BEHIND, "SignatureDoesNotMatch"), .then = PEER_CLOSE},
        {.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    stage_with_keys(&stage, steps, G_N_ELEMENTS(steps));
    ask_twice(&stage, "20261120T080000Z", "20261120T070000Z");
}

static void a_difference_is_learnt_from_good_answers_too(void) {
    PeerStep steps[] = {{.bytes = "HTTP/1.1 200 OK\r\n" DATE_AHEAD "Content-Length: 4\r\n\r\ngood"},
                        {.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    stage_with_keys(&stage, steps, G_N_ELEMENTS(steps));
    g_auto(Told) told = {0};
    stage_ask(&stage, &told);
    stage_ask(&stage, &told);
    g_assert_cmpuint(peer_requests(stage.peer), ==, 2);
    g_autofree char *date = stage_header(&stage, 1, "x-amz-date");
    g_assert_cmpstr(date, ==, "20261120T082000Z");
}

static void a_clock_that_stays_wrong_is_an_error_after_one_more(void) {
    PeerStep steps[] = {
        {.bytes = STAGE_ERROR("403 No", DATE_AHEAD, "RequestTimeTooSkewed"), .then = PEER_CLOSE}};
    g_auto(Stage) stage = {0};
    stage_with_keys(&stage, steps, G_N_ELEMENTS(steps));
    g_auto(Told) told = {0};
    stage_ask(&stage, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_BAD_REQUEST);
    g_assert_cmpuint(told.requests, ==, 2);
    assert_holds(told.message, "the clock of this machine is wrong");
}

static void differences_that_explain_nothing_change_nothing(void) {
    static const char *const answers[] = {
        STAGE_ERROR("403 No", DATE_NEAR, "SignatureDoesNotMatch"),
        STAGE_ERROR("403 No", DATE_FAR, "SignatureDoesNotMatch"),
        STAGE_ERROR("403 No", DATE_FAR, "RequestTimeTooSkewed"),
        STAGE_ERROR("403 No", "Date: yesterday\r\n", "RequestTimeTooSkewed"),
        STAGE_ERROR("403 No", "", "RequestTimeTooSkewed"),
        STAGE_ERROR("403 No", DATE_NEAR, "AccessDenied"),
    };
    for (size_t i = 0; i < G_N_ELEMENTS(answers); i++) {
        PeerStep steps[] = {{.bytes = answers[i], .then = PEER_CLOSE}, {.bytes = STAGE_GOOD}};
        g_auto(Stage) stage = {0};
        stage_with_keys(&stage, steps, G_N_ELEMENTS(steps));
        g_auto(Told) told = {0};
        stage_ask(&stage, &told);
        g_assert_cmpuint(told.requests, ==, 1);
        g_assert_cmpint(told.outcome, !=, OUTCOME_OK);
        stage_ask(&stage, &told);
        g_autofree char *date = stage_header(&stage, 1, "x-amz-date");
        g_assert_cmpstr(date, ==, "20261120T080000Z");
    }
}

/* --- refusals --------------------------------------------------------------------------------- */

static void refused_keys_are_auth_expired_and_never_tried_again(void) {
    static const char *const answers[] = {
        STAGE_ERROR("403 No", "", "InvalidClientTokenId"),
        STAGE_ERROR("403 No", "", "SignatureDoesNotMatch"),
        STAGE_ERROR("403 No", "", "ExpiredToken"),
    };
    for (size_t i = 0; i < G_N_ELEMENTS(answers); i++) {
        PeerStep steps[] = {{.bytes = answers[i], .then = PEER_CLOSE}};
        g_auto(Stage) stage = {0};
        stage_with_keys(&stage, steps, 1);
        g_auto(Told) told = {0};
        stage_ask(&stage, &told);
        g_assert_cmpint(told.outcome, ==, OUTCOME_AUTH_EXPIRED);
        g_assert_cmpuint(told.requests, ==, 1);
    }
}

/* --- budgets ---------------------------------------------------------------------------------- */

static const char one_an_hour[] = "    limits: [{scope: [connection, service, region], "
                                  "quota: 1/1h}]\n";

static void ask_within(Stage *stage, const char *integration, const char *region,
                       Outcome expected) {
    stage->integration = integration;
    stage->region = region;
    must(stage_connect(stage, SCHEME_AWS_KEYS, keys, NULL, &error));
    g_auto(Told) told = {0};
    stage_ask(stage, &told);
    g_assert_cmpint(told.outcome, ==, expected);
}

static void limits_of_a_service_count_for_connection_service_and_region(void) {
    PeerStep steps[] = {{.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    stage_init_limited(&stage, one_an_hour, steps, 1);
    ask_within(&stage, "one", "us-east-1", OUTCOME_OK);
    ask_within(&stage, "one", "us-east-1", OUTCOME_RATE_LIMITED);
    ask_within(&stage, "one", "eu-west-1", OUTCOME_OK);
    ask_within(&stage, "two", "us-east-1", OUTCOME_OK);
    ask_within(&stage, "two", "us-east-1", OUTCOME_RATE_LIMITED);
    stage.call = definition_call(stage.definition, "scan");
    ask_within(&stage, "two", "us-east-1", OUTCOME_OK);
    ask_within(&stage, "two", "us-east-1", OUTCOME_OK);
    BudgetSpec spec = {.kind = BUDGET_QUOTA, .limit = 1, .window_ms = 3600 * 1000};
    Budget *budget = budget_get(stage.budgets, "aws/iam/us-east-1/one", &spec);
    g_assert_cmpint(budget_take(budget, 1, clock_now_ms()).grant, ==, BUDGET_WAIT);
}

static void connections_to_one_account_share_the_limits_of_its_services(void) {
    PeerStep steps[] = {{.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    stage_init_limited(&stage, one_an_hour, steps, 1);
    stage.account = "123456789012";
    ask_within(&stage, "one", "us-east-1", OUTCOME_OK);
    ask_within(&stage, "two", "us-east-1", OUTCOME_RATE_LIMITED);
    ask_within(&stage, "two", "eu-west-1", OUTCOME_OK);
    stage.account = "210987654321";
    ask_within(&stage, "two", "us-east-1", OUTCOME_OK);
    BudgetSpec spec = {.kind = BUDGET_QUOTA, .limit = 1, .window_ms = 3600 * 1000};
    Budget *budget = budget_get(stage.budgets, "aws/iam/us-east-1/123456789012", &spec);
    g_assert_cmpint(budget_take(budget, 1, clock_now_ms()).grant, ==, BUDGET_WAIT);
}

static void what_is_no_account_shares_nothing(void) {
    static const char *const odd[] = {NULL, "", "app", "12345678901", "../../123456789012"};
    PeerStep steps[] = {{.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    stage_init_limited(&stage, one_an_hour, steps, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(odd); i++) {
        g_autofree char *integration = g_strdup_printf("one-%zu", i);
        stage.account = odd[i];
        ask_within(&stage, integration, "us-east-1", OUTCOME_OK);
        ask_within(&stage, integration, "us-east-1", OUTCOME_RATE_LIMITED);
    }
}

static void limits_of_a_user_are_not_those_of_the_account(void) {
    PeerStep steps[] = {{.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    stage_init_limited(&stage, "    limits: [{scope: [user, service], quota: 1/1h}]\n", steps, 1);
    stage.account = "123456789012";
    ask_within(&stage, "one", "us-east-1", OUTCOME_OK);
    ask_within(&stage, "two", "us-east-1", OUTCOME_OK);
    ask_within(&stage, "two", "us-east-1", OUTCOME_RATE_LIMITED);
}

static void limits_without_a_region_are_shared_by_all_regions(void) {
    PeerStep steps[] = {{.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    stage_init_limited(&stage, "    limits: [{scope: [connection, service], quota: 1/1h}]\n", steps,
                       1);
    ask_within(&stage, "one", "us-east-1", OUTCOME_OK);
    ask_within(&stage, "one", "eu-west-1", OUTCOME_RATE_LIMITED);
    ask_within(&stage, "two", "eu-west-1", OUTCOME_OK);
}

static void too_many_limits_for_one_call_are_told(void) {
    static const char many[] =
        "    limits: [{scope: [app], rate: 2/1s}, {scope: [app], rate: 3/1s},"
        " {scope: [app], rate: 4/1s}, {scope: [app], rate: 5/1s},"
        " {scope: [app], rate: 6/1s}]\n";
    PeerStep steps[] = {{.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    stage_init_limited(&stage, many, steps, 1);
    must(stage_connect(&stage, SCHEME_AWS_KEYS, keys, NULL, &error));
    RenderedRequest rendered = {.method = "GET",
                                .url = (char *)(uintptr_t) "http://127.0.0.1/",
                                .service = stage.call->service,
                                .region = (char *)(uintptr_t) "us-east-1"};
    g_auto(Told) told = {0};
    SenderWish wish = {
        .call = stage.call, .rendered = &rendered, .done = stage_take, .data = &told};
    must_fail(ERROR_CONFIGURATION, "more than 4 limits", sender_send(stage.sender, &wish, &error));
    drain(stage.client);
    g_assert_cmpuint(told.times_done, ==, 0);
}

/* --- memory ----------------------------------------------------------------------------------- */

static void the_secret_is_never_in_freed_memory(void) {
    PeerStep steps[] = {
        {.bytes = STAGE_ERROR("403 No", DATE_AHEAD, "RequestTimeTooSkewed"), .then = PEER_CLOSE},
        {.bytes = STAGE_GOOD}};
    static const StageField watched[] = {
        {"access_key_id", KEY}, {"secret_access_key", "Watched-Secret-77"}, {0}};
    freed_watch("Watched-Secret-77");
    {
        g_auto(Stage) stage = {0};
        stage_init(&stage, steps, G_N_ELEMENTS(steps));
        must(stage_connect(&stage, SCHEME_AWS_KEYS, watched, NULL, &error));
        g_auto(Told) told = {0};
        stage_ask(&stage, &told);
        g_assert_cmpuint(told.requests, ==, 2);
    }
    g_assert_cmpuint(freed_count(), ==, 0);
    freed_watch(NULL);
}

#define ADD(name) g_test_add_func("/connect/aws_keys/" #name, name)

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
    ADD(every_attempt_is_signed_anew);
    ADD(scope_headers_and_time_are_those_of_the_request);
    ADD(signing_name_is_that_of_the_service);
    ADD(session_token_is_sent_and_signed);
    ADD(a_request_that_is_none_of_aws_is_not_sent);
    ADD(keys_that_cannot_be_used_are_refused_unseen);
    ADD(a_refusal_for_the_clock_is_corrected_and_sent_once_more);
    ADD(any_refusal_that_is_dated_otherwise_is_one_for_the_clock);
    ADD(a_difference_is_learnt_from_good_answers_too);
    ADD(a_clock_that_stays_wrong_is_an_error_after_one_more);
    ADD(differences_that_explain_nothing_change_nothing);
    ADD(refused_keys_are_auth_expired_and_never_tried_again);
    ADD(limits_of_a_service_count_for_connection_service_and_region);
    ADD(connections_to_one_account_share_the_limits_of_its_services);
    ADD(what_is_no_account_shares_nothing);
    ADD(limits_of_a_user_are_not_those_of_the_account);
    ADD(limits_without_a_region_are_shared_by_all_regions);
    ADD(too_many_limits_for_one_call_are_told);
    ADD(the_secret_is_never_in_freed_memory);
    return g_test_run();
}
