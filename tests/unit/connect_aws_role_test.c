/* Credentials of a role: made when they are needed, renewed in the middle of a run, once for all
 * who wait, and never seen by anybody. */
#include "unit/aws_stage.h"
#include "unit/freed.h"

#include "connect/whoami.h"

#define BASE_KEY "AKIDBASE"
#define IN_AN_HOUR "2026-11-20T09:00:00Z"
#define FIRST STAGE_ASSUMED("ASIAFIRST", "First-Secret", IN_AN_HOUR)
#define SECOND STAGE_ASSUMED("ASIASECOND", "Second-Secret", "2026-11-20T10:00:00Z")
#define EXPIRED STAGE_ERROR("400 No", "", "ExpiredToken")
#define DATE_AHEAD "Date: Fri, 20 Nov 2026 08:20:00 GMT\r\n"
#define MINUTE_MS (60 * 1000)

static const StageField role[] = {{"role_arn", STAGE_ROLE},
                                  {"external_id", STAGE_EXTERNAL},
                                  {"access_key_id", BASE_KEY},
                                  {"secret_access_key", PLANTED},
                                  {0}};
static const StageField lone_role[] = {
    {"role_arn", STAGE_ROLE}, {"external_id", STAGE_EXTERNAL}, {0}};

static void stage_with_role(Stage *stage, const PeerStep *steps, size_t count) {
    stage_init(stage, steps, count);
    must(stage_connect(stage, SCHEME_AWS_ROLE, role, NULL, &error));
}

static void ask_ok(Stage *stage, unsigned requests) {
    g_auto(Told) told = {0};
    stage_ask(stage, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_OK);
    g_assert_cmpuint(told.requests, ==, requests);
}

/* --- the first credentials -------------------------------------------------------------------- */

static void role_is_assumed_by_the_base_identity_before_the_first_request(void) {
    PeerStep steps[] = {{.bytes = FIRST, .then = PEER_CLOSE}, {.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    stage_with_role(&stage, steps, G_N_ELEMENTS(steps));
    g_assert_cmpuint(peer_requests(stage.peer), ==, 0);
    ask_ok(&stage, 1);
    ask_ok(&stage, 1);
    g_assert_cmpuint(peer_requests(stage.peer), ==, 3);
    stage_assert_signed(&stage, 0, BASE_KEY, "sts");
    stage_assert_signed(&stage, 1, "ASIAFIRST", "iam");
    stage_assert_signed(&stage, 2, "ASIAFIRST", "iam");
    g_autofree char *text = peer_request(stage.peer, 0);
    assert_holds(text, "POST / HTTP/1.1\r\n");
    assert_holds(text,
                 "\r\n\r\nAction=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A"
                 "123456789012%3Arole%2Fassay&RoleSessionName=assay-it&ExternalId=" STAGE_EXTERNAL
                 "&DurationSeconds=3600");
    g_autofree char *token = stage_header(&stage, 1, "x-amz-security-token");
    g_assert_cmpstr(token, ==, "Token-ASIAFIRST");
}

static void all_who_wait_share_one_assumption(void) {
    PeerStep steps[] = {{.bytes = FIRST, .then = PEER_CLOSE}, {.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    stage_with_role(&stage, steps, G_N_ELEMENTS(steps));
    Told told[7] = {0};
    for (size_t i = 0; i < G_N_ELEMENTS(told); i++)
        stage_send(&stage, &told[i]);
    drain(stage.client);
    g_assert_cmpuint(peer_requests(stage.peer), ==, 1 + G_N_ELEMENTS(told));
    for (unsigned i = 0; i < G_N_ELEMENTS(told); i++) {
        g_assert_cmpuint(told[i].times_done, ==, 1);
        g_assert_cmpint(told[i].outcome, ==, OUTCOME_OK);
        stage_assert_signed(&stage, i + 1, "ASIAFIRST", "iam");
        told_clear(&told[i]);
    }
}

static void session_names_are_those_of_the_integration_and_short_enough(void) {
    PeerStep steps[] = {{.bytes = FIRST, .then = PEER_CLOSE}, {.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    stage_init(&stage, steps, G_N_ELEMENTS(steps));
    stage.integration = "0192f0c1-2222-7333-8444-555566667777-and-much-more-than-that-0123456789";
    must(stage_connect(&stage, SCHEME_AWS_ROLE, role, NULL, &error));
    ask_ok(&stage, 1);
    g_autofree char *text = peer_request(stage.peer, 0);
    assert_holds(text, "&RoleSessionName=assay-0192f0c1-2222-7333-8444-555566667777-and-much-more"
                       "-than-th&");
}

/* --- renewal ---------------------------------------------------------------------------------- */

static void credentials_are_renewed_five_minutes_before_they_end(void) {
    PeerStep steps[] = {{.bytes = FIRST, .then = PEER_CLOSE},
                        {.bytes = STAGE_GOOD},
                        {.bytes = STAGE_GOOD, .then = PEER_CLOSE},
                        {.bytes = SECOND, .then = PEER_CLOSE},
                        {.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    stage_with_role(&stage, steps, G_N_ELEMENTS(steps));
    ask_ok(&stage, 1);
    clock_advance(55 * MINUTE_MS - 1);
    ask_ok(&stage, 1);
    stage_assert_signed(&stage, 2, "ASIAFIRST", "iam");
    clock_advance(1);
    ask_ok(&stage, 1);
    stage_assert_signed(&stage, 3, BASE_KEY, "sts");
    stage_assert_signed(&stage, 4, "ASIASECOND", "iam");
}

static void an_expired_token_is_renewed_and_the_request_sent_once_more(void) {
    PeerStep steps[] = {{.bytes = FIRST, .then = PEER_CLOSE},
                        {.bytes = EXPIRED, .then = PEER_CLOSE},
                        {.bytes = SECOND, .then = PEER_CLOSE},
                        {.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    stage_with_role(&stage, steps, G_N_ELEMENTS(steps));
    ask_ok(&stage, 2);
    stage_assert_signed(&stage, 1, "ASIAFIRST", "iam");
    stage_assert_signed(&stage, 2, BASE_KEY, "sts");
    stage_assert_signed(&stage, 3, "ASIASECOND", "iam");
    g_autofree char *text = peer_request(stage.peer, 3);
    assert_holds(text, "\r\n\r\nAction=ListUsers&Version=2010-05-08");
}

static void requests_that_expire_together_share_one_renewal(void) {
    PeerStep steps[] = {
        {.bytes = FIRST, .then = PEER_CLOSE},   {.bytes = EXPIRED, .then = PEER_CLOSE},
        {.bytes = EXPIRED, .then = PEER_CLOSE}, {.bytes = EXPIRED, .then = PEER_CLOSE},
        {.bytes = SECOND, .then = PEER_CLOSE},  {.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    stage_with_role(&stage, steps, G_N_ELEMENTS(steps));
    Told told[3] = {0};
    for (size_t i = 0; i < G_N_ELEMENTS(told); i++)
        stage_send(&stage, &told[i]);
    drain(stage.client);
    unsigned assumed = 0;
    for (unsigned i = 0; i < peer_requests(stage.peer); i++) {
        g_autofree char *text = peer_request(stage.peer, i);
        assumed += strstr(text, "Action=AssumeRole") ? 1 : 0;
    }
    g_assert_cmpuint(assumed, <=, 2);
    for (unsigned i = 0; i < G_N_ELEMENTS(told); i++) {
        g_assert_cmpuint(told[i].times_done, ==, 1);
        told_clear(&told[i]);
    }
}

static void a_token_that_is_expired_at_once_is_told_after_one_renewal(void) {
    PeerStep steps[] = {{.bytes = FIRST, .then = PEER_CLOSE},
                        {.bytes = EXPIRED, .then = PEER_CLOSE},
                        {.bytes = SECOND, .then = PEER_CLOSE},
                        {.bytes = EXPIRED, .then = PEER_CLOSE}};
    g_auto(Stage) stage = {0};
    stage_with_role(&stage, steps, G_N_ELEMENTS(steps));
    g_auto(Told) told = {0};
    stage_ask(&stage, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_AUTH_EXPIRED);
    g_assert_cmpuint(told.requests, ==, 2);
    g_assert_cmpuint(peer_requests(stage.peer), ==, 4);
}

/* STS may be away for a while: what still holds is used on. */
static void a_renewal_that_fails_leaves_what_still_holds(void) {
    PeerStep steps[] = {{.bytes = FIRST, .then = PEER_CLOSE},
                        {.bytes = STAGE_GOOD, .then = PEER_CLOSE},
                        {.bytes = STAGE_ERROR("400 No", "", "ValidationError"), .then = PEER_CLOSE},
                        {.bytes = STAGE_GOOD, .then = PEER_CLOSE},
                        {.bytes = STAGE_GOOD, .then = PEER_CLOSE},
                        {.bytes = SECOND, .then = PEER_CLOSE},
                        {.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    stage_with_role(&stage, steps, G_N_ELEMENTS(steps));
    ask_ok(&stage, 1);
    clock_advance(56 * MINUTE_MS);
    ask_ok(&stage, 1);
    stage_assert_signed(&stage, 2, BASE_KEY, "sts");
    stage_assert_signed(&stage, 3, "ASIAFIRST", "iam");
    ask_ok(&stage, 1); /* not tried again at once */
    stage_assert_signed(&stage, 4, "ASIAFIRST", "iam");
    clock_advance(MINUTE_MS);
    ask_ok(&stage, 1);
    stage_assert_signed(&stage, 5, BASE_KEY, "sts");
    stage_assert_signed(&stage, 6, "ASIASECOND", "iam");
}

/* --- refusals --------------------------------------------------------------------------------- */

static void refusals_of_sts_say_what_to_do(void) {
    static const struct {
        const char *answer;
        Outcome outcome;
        const char *says;
    } rows[] = {
        {STAGE_ERROR("403 No", "", "AccessDenied"), OUTCOME_AUTH_EXPIRED,
         "trust policy lets the identity of this installation assume it with the external id"},
        {STAGE_ERROR("403 No", "", "InvalidClientTokenId"), OUTCOME_AUTH_EXPIRED,
         "AWS does not know the access key"},
        {STAGE_ERROR("400 No", "", "ExpiredTokenException"), OUTCOME_AUTH_EXPIRED,
         "the session token of the identity that is to assume it has expired"},
        {STAGE_ERROR("403 No", "", "RegionDisabledException"), OUTCOME_BAD_REQUEST,
         "STS is not enabled in the region"},
        {STAGE_ERROR("400 No", "", "ValidationError"), OUTCOME_BAD_REQUEST,
         "check role_arn and external_id"},
        {STAGE_ERROR("400 No", "", "Throttling"), OUTCOME_RATE_LIMITED, "asked too often"},
        {STAGE_ERROR("503 No", "", "Other"), OUTCOME_UNAVAILABLE, "STS failed; try again later"},
        {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>" PLANTED "</html>",
         OUTCOME_UNAVAILABLE, "the answer of STS cannot be read"},
        {STAGE_ASSUMED("ASIA", "", IN_AN_HOUR), OUTCOME_UNAVAILABLE, "cannot be read"},
        {STAGE_ASSUMED("ASIA", "Secret", "soon"), OUTCOME_UNAVAILABLE, "cannot be read"},
        {STAGE_ASSUMED("AS IA", "Secret", IN_AN_HOUR), OUTCOME_UNAVAILABLE, "cannot be read"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        PeerStep steps[] = {{.bytes = rows[i].answer, .then = PEER_CLOSE}};
        g_auto(Stage) stage = {0};
        stage_with_role(&stage, steps, 1);
        clock_thaw();
        g_auto(Told) told = {0};
        stage_ask(&stage, &told);
        g_test_message("%s", told.message);
        g_assert_cmpint(told.outcome, ==, rows[i].outcome);
        g_assert_cmpint(told.status, ==, 0);
        g_assert_cmpuint(told.requests, ==, 0);
        assert_holds(told.message, "AWS: the role " STAGE_ROLE " cannot be assumed: ");
        assert_holds(told.message, rows[i].says);
        assert_holds(told.message, told.reason);
        assert_lacks(told.message, STAGE_EXTERNAL);
        g_assert_true(told.retry_at_ms > 0 || rows[i].outcome != OUTCOME_RATE_LIMITED);
    }
}

static void a_refusal_is_told_to_all_and_not_asked_for_again_at_once(void) {
    PeerStep steps[] = {{.bytes = STAGE_ERROR("403 No", "", "AccessDenied"), .then = PEER_CLOSE},
                        {.bytes = FIRST, .then = PEER_CLOSE},
                        {.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    stage_with_role(&stage, steps, G_N_ELEMENTS(steps));
    Told told[3] = {0};
    for (size_t i = 0; i < G_N_ELEMENTS(told); i++)
        stage_send(&stage, &told[i]);
    drain(stage.client);
    for (unsigned i = 0; i < G_N_ELEMENTS(told); i++) {
        g_assert_cmpuint(told[i].times_done, ==, 1);
        g_assert_cmpint(told[i].outcome, ==, OUTCOME_AUTH_EXPIRED);
        told_clear(&told[i]);
    }
    g_auto(Told) later = {0};
    stage_ask(&stage, &later);
    g_assert_cmpint(later.outcome, ==, OUTCOME_AUTH_EXPIRED);
    g_assert_cmpuint(peer_requests(stage.peer), ==, 1);
    clock_advance(MINUTE_MS);
    ask_ok(&stage, 1);
    stage_assert_signed(&stage, 2, "ASIAFIRST", "iam");
}

static void a_wrong_clock_is_corrected_for_sts_and_for_the_services(void) {
    PeerStep steps[] = {
        {.bytes = STAGE_ERROR("403 No", DATE_AHEAD, "SignatureDoesNotMatch"), .then = PEER_CLOSE},
        {.bytes = FIRST, .then = PEER_CLOSE},
        {.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    stage_with_role(&stage, steps, G_N_ELEMENTS(steps));
    ask_ok(&stage, 1);
    static const char *const dates[] = {"20261120T080000Z", "20261120T082000Z", "20261120T082000Z"};
    for (unsigned i = 0; i < G_N_ELEMENTS(dates); i++) {
        g_autofree char *date = stage_header(&stage, i, "x-amz-date");
        g_assert_cmpstr(date, ==, dates[i]);
    }
}

static void a_clock_that_cannot_be_corrected_is_told_after_one_more(void) {
    PeerStep steps[] = {
        {.bytes = STAGE_ERROR("403 No", DATE_AHEAD, "RequestTimeTooSkewed"), .then = PEER_CLOSE}};
    g_auto(Stage) stage = {0};
    stage_with_role(&stage, steps, 1);
    g_auto(Told) told = {0};
    stage_ask(&stage, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_BAD_REQUEST);
    assert_holds(told.message, "the clock of this machine is wrong");
    g_assert_cmpuint(peer_requests(stage.peer), ==, 2);
}

static void fields_that_cannot_be_used_are_refused_unseen(void) {
    static const struct {
        StageField fields[5];
        const char *says;
    } rows[] = {
        {{{"external_id", STAGE_EXTERNAL}, {0}}, "role_arn is no ARN"},
        {{{"role_arn", "assay"}, {"external_id", STAGE_EXTERNAL}, {0}}, "role_arn is no ARN"},
        {{{"role_arn", "arn:aws:iam::123456789012:user/assay"},
          {"external_id", STAGE_EXTERNAL},
          {0}},
         "role_arn is no ARN"},
        {{{"role_arn", "arn:aws-cn:iam::123456789012:role/assay"},
          {"external_id", STAGE_EXTERNAL},
          {0}},
         "role_arn is no ARN of a role in this partition"},
        {{{"role_arn", STAGE_ROLE "\r\n" PLANTED}, {"external_id", STAGE_EXTERNAL}, {0}},
         "role_arn is no ARN"},
        {{{"role_arn", STAGE_ROLE}, {0}}, "external_id is missing"},
        {{{"role_arn", STAGE_ROLE}, {"external_id", PLANTED " "}, {0}}, "external_id is missing"},
        {{{"role_arn", STAGE_ROLE},
          {"external_id", STAGE_EXTERNAL},
          {"access_key_id", PLANTED},
          {0}},
         "secret_access_key is missing"},
        {{{"role_arn", STAGE_ROLE}, {"external_id", STAGE_EXTERNAL}, {0}},
         "no identity to assume the role with"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Stage) stage = {0};
        stage_init(&stage, &(PeerStep){0}, 1);
        must_fail(ERROR_CONFIGURATION, rows[i].says,
                  stage_connect(&stage, SCHEME_AWS_ROLE, rows[i].fields, NULL, &error));
    }
}

/* --- the base identity ------------------------------------------------------------------------ */

static Credentials *environment_of(const char *key) {
    Credentials *environment = credentials_of("access_key_id", key);
    credentials_put(environment, "secret_access_key", secret_of(PLANTED));
    credentials_put(environment, "session_token", secret_of("Environment-Token"));
    return environment;
}

static void environment_serves_a_connection_without_a_key(void) {
    PeerStep steps[] = {{.bytes = FIRST, .then = PEER_CLOSE}, {.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    g_auto(AwsAmbient) ambient = {.environment = environment_of("AKIDENV")};
    stage_init(&stage, steps, G_N_ELEMENTS(steps));
    must(stage_connect(&stage, SCHEME_AWS_ROLE, lone_role, &ambient, &error));
    ask_ok(&stage, 1);
    stage_assert_signed(&stage, 0, "AKIDENV", "sts");
    g_autofree char *token = stage_header(&stage, 0, "x-amz-security-token");
    g_assert_cmpstr(token, ==, "Environment-Token");
}

static void key_of_the_connection_comes_before_the_environment(void) {
    PeerStep steps[] = {{.bytes = FIRST, .then = PEER_CLOSE}, {.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    g_auto(AwsAmbient) ambient = {.environment = environment_of("AKIDENV")};
    stage_init(&stage, steps, G_N_ELEMENTS(steps));
    must(stage_connect(&stage, SCHEME_AWS_ROLE, role, &ambient, &error));
    ask_ok(&stage, 1);
    stage_assert_signed(&stage, 0, BASE_KEY, "sts");
}

static void without_key_environment_and_metadata_nothing_is_asked(void) {
    g_auto(Stage) stage = {0};
    g_auto(AwsAmbient) ambient = {.no_metadata = true};
    stage_init(&stage, &(PeerStep){0}, 1);
    must_fail(ERROR_CONFIGURATION, "no identity to assume the role with",
              stage_connect(&stage, SCHEME_AWS_ROLE, lone_role, &ambient, &error));
}

/* --- the account ------------------------------------------------------------------------------ */

static void a_wrong_external_id_is_an_invalid_credential_that_says_why(void) {
    PeerStep steps[] = {{.bytes = STAGE_ERROR("403 No", "", "AccessDenied"), .then = PEER_CLOSE}};
    g_auto(Stage) stage = {0};
    stage_with_role(&stage, steps, 1);
    Json *account = NULL;
    must_fail(ERROR_AUTHENTICATION_FAILED,
              "Invalid AWS credentials: the role " STAGE_ROLE " cannot be assumed: check that the "
              "role exists and that its trust policy",
              whoami_fetch(stage.client, stage.sender, stage.definition, stage.settings, &account,
                           &error));
    g_assert_null(account);
}

#define IDENTITY                                                                                   \
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<GetCallerIdentityResponse "                      \
    "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>"                \
    "<Arn>arn:aws:sts::123456789012:assumed-role/assay/assay-it</Arn><UserId>AROA:assay-it"        \
    "</UserId><Account>123456789012</Account></GetCallerIdentityResult><ResponseMetadata>"         \
    "<RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>"

static void account_and_arn_come_from_get_caller_identity(void) {
    PeerStep steps[] = {{.bytes = FIRST, .then = PEER_CLOSE},
                        {.bytes = IDENTITY, .then = PEER_CLOSE}};
    g_auto(Stage) stage = {0};
    stage_with_role(&stage, steps, G_N_ELEMENTS(steps));
    g_autoptr(Json) account = NULL;
    must(whoami_fetch(stage.client, stage.sender, stage.definition, stage.settings, &account,
                      &error));
    g_autofree char *text = json_print(account, JSON_SORTED);
    g_assert_cmpstr(text, ==,
                    "{\"accountId\":\"123456789012\",\"arn\":\"arn:aws:sts::123456789012:"
                    "assumed-role/assay/assay-it\"}");
    stage_assert_signed(&stage, 1, "ASIAFIRST", "sts");
}

/* --- the end ---------------------------------------------------------------------------------- */

static void a_sender_that_goes_while_a_role_is_assumed_leaves_nothing(void) {
    PeerStep steps[] = {{.then = PEER_HOLD}};
    g_auto(Stage) stage = {0};
    stage_with_role(&stage, steps, 1);
    Told told = {0};
    stage_send(&stage, &told);
    while (peer_requests(stage.peer) == 0)
        must(net_client_step(stage.client, 10, &error));
    g_clear_pointer(&stage.sender, sender_free);
    drain(stage.client);
    g_assert_cmpuint(told.times_done, ==, 0);
}

static void a_client_that_goes_while_a_role_is_assumed_tells_those_who_wait(void) {
    PeerStep steps[] = {{.then = PEER_HOLD}};
    g_auto(Stage) stage = {0};
    stage_with_role(&stage, steps, 1);
    g_auto(Told) told = {0};
    stage_send(&stage, &told);
    while (peer_requests(stage.peer) == 0)
        must(net_client_step(stage.client, 10, &error));
    g_clear_pointer(&stage.client, net_client_free);
    g_assert_cmpuint(told.times_done, ==, 1);
    g_assert_cmpint(told.outcome, ==, OUTCOME_UNAVAILABLE);
}

static void credentials_of_the_role_are_never_in_freed_memory(void) {
    static const char *const parts[] = {"Watched-Role-Secret", "Token-ASIAFIRST"};
    PeerStep steps[] = {{.bytes = STAGE_ASSUMED("ASIAFIRST", "Watched-Role-Secret", IN_AN_HOUR),
                         .then = PEER_CLOSE},
                        {.bytes = STAGE_GOOD}};
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_auto(Stage) stage = {0};
        stage_with_role(&stage, steps, G_N_ELEMENTS(steps));
        freed_watch(parts[i]);
        ask_ok(&stage, 1);
        g_clear_pointer(&stage.sender, sender_free);
        g_assert_cmpuint(freed_count(), ==, 0);
        freed_watch(NULL);
    }
}

#define ADD(name) g_test_add_func("/connect/aws_role/" #name, name)

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
    ADD(role_is_assumed_by_the_base_identity_before_the_first_request);
    ADD(all_who_wait_share_one_assumption);
    ADD(session_names_are_those_of_the_integration_and_short_enough);
    ADD(credentials_are_renewed_five_minutes_before_they_end);
    ADD(an_expired_token_is_renewed_and_the_request_sent_once_more);
    ADD(requests_that_expire_together_share_one_renewal);
    ADD(a_token_that_is_expired_at_once_is_told_after_one_renewal);
    ADD(a_renewal_that_fails_leaves_what_still_holds);
    ADD(refusals_of_sts_say_what_to_do);
    ADD(a_refusal_is_told_to_all_and_not_asked_for_again_at_once);
    ADD(a_wrong_clock_is_corrected_for_sts_and_for_the_services);
    ADD(a_clock_that_cannot_be_corrected_is_told_after_one_more);
    ADD(fields_that_cannot_be_used_are_refused_unseen);
    ADD(environment_serves_a_connection_without_a_key);
    ADD(key_of_the_connection_comes_before_the_environment);
    ADD(without_key_environment_and_metadata_nothing_is_asked);
    ADD(a_wrong_external_id_is_an_invalid_credential_that_says_why);
    ADD(account_and_arn_come_from_get_caller_identity);
    ADD(a_sender_that_goes_while_a_role_is_assumed_leaves_nothing);
    ADD(a_client_that_goes_while_a_role_is_assumed_tells_those_who_wait);
    ADD(credentials_of_the_role_are_never_in_freed_memory);
    return g_test_run();
}
