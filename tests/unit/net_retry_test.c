#include "net/retry.h"

#include <glib.h>

static RetryCase after(Outcome outcome, unsigned attempts, int64_t asked_ms) {
    return (RetryCase){.outcome = outcome, .attempts = attempts, .asked_ms = asked_ms};
}

static RetryDecision decide(RetryCase what, uint64_t random) {
    return retry_decide(&retry_default, &what, random);
}

static void only_three_outcomes_are_tried_again_and_thrice_at_most(void) {
    for (unsigned outcome = 0; outcome < OUTCOMES; outcome++) {
        bool again = outcome == OUTCOME_RATE_LIMITED || outcome == OUTCOME_UNAVAILABLE ||
                     outcome == OUTCOME_TIMEOUT;
        for (unsigned attempts = 1; attempts <= 4; attempts++) {
            RetryDecision decision = decide(after((Outcome)outcome, attempts, -1), 1);
            bool expected = outcome == OUTCOME_BROKEN ? attempts < 3 : again && attempts < 3;
            g_assert_cmpint(decision.choice, ==, expected ? RETRY_AGAIN : RETRY_STOP);
        }
    }
}

static void broken_answer_gets_one_more_try(void) {
    RetryCase first = after(OUTCOME_BROKEN, 1, -1);
    RetryCase second = after(OUTCOME_BROKEN, 2, -1);
    second.once_more_used = true;
    RetryCase other = after(OUTCOME_UNAVAILABLE, 2, -1);
    other.once_more_used = true;
    RetryCase refused = after(OUTCOME_FORBIDDEN, 2, -1);
    refused.once_more_used = true;
    g_assert_cmpint(decide(first, 0).choice, ==, RETRY_AGAIN);
    g_assert_cmpint(decide(second, 0).choice, ==, RETRY_STOP);
    g_assert_cmpint(decide(other, 0).choice, ==, RETRY_AGAIN);
    g_assert_cmpint(decide(refused, 0).choice, ==, RETRY_STOP);
}

static void failure_may_be_worth_one_more_try(void) {
    RetryCase what = after(OUTCOME_BAD_REQUEST, 1, -1);
    g_assert_cmpint(decide(what, 0).choice, ==, RETRY_STOP);
    what.once_more = true;
    g_assert_cmpint(decide(what, 0).choice, ==, RETRY_AGAIN);
    what.once_more_used = true;
    g_assert_cmpint(decide(what, 0).choice, ==, RETRY_STOP);
}

static void request_that_may_not_be_sent_twice_is_not(void) {
    for (unsigned outcome = 0; outcome < OUTCOMES; outcome++) {
        RetryCase what = after((Outcome)outcome, 1, 1000);
        what.single = what.once_more = true;
        g_assert_cmpint(decide(what, 0).choice, ==, RETRY_STOP);
    }
}

static void back_off_doubles_up_to_its_cap_with_full_jitter(void) {
    static const RetryPolicy patient = {
        .attempts = 20, .first_wait_ms = 1000, .max_wait_ms = 30000};
    static const int64_t ceilings[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};
    for (unsigned i = 0; i < G_N_ELEMENTS(ceilings); i++) {
        RetryCase what = after(OUTCOME_UNAVAILABLE, i + 1, -1);
        int64_t least = INT64_MAX;
        int64_t most = -1;
        for (uint64_t random = 0; random <= (uint64_t)ceilings[i]; random++) {
            RetryDecision decision = retry_decide(&patient, &what, random);
            least = MIN(least, decision.wait_ms);
            most = MAX(most, decision.wait_ms);
        }
        g_assert_cmpint(least, ==, 0);
        g_assert_cmpint(most, ==, ceilings[i]);
        RetryDecision extreme = retry_decide(&patient, &what, UINT64_MAX);
        g_assert_cmpint(extreme.wait_ms, >=, 0);
        g_assert_cmpint(extreme.wait_ms, <=, ceilings[i]);
    }
}

static void what_the_provider_asks_for_is_waited_or_parked(void) {
    static const struct {
        Outcome outcome;
        int64_t asked;
        RetryChoice choice;
        int64_t wait;
    } rows[] = {
        {OUTCOME_RATE_LIMITED, 0, RETRY_AGAIN, 0},
        {OUTCOME_RATE_LIMITED, 30000, RETRY_AGAIN, 30000},
        {OUTCOME_RATE_LIMITED, 30001, RETRY_PARK, 30001},
        {OUTCOME_UNAVAILABLE, 60000, RETRY_PARK, 60000},
        {OUTCOME_TIMEOUT, 60000, RETRY_PARK, 60000},
        {OUTCOME_RATE_LIMITED, INT64_MAX, RETRY_PARK, RETRY_ASKED_MAX_MS},
        {OUTCOME_FORBIDDEN, 60000, RETRY_STOP, 0},
        {OUTCOME_OK, 60000, RETRY_STOP, 0},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        RetryDecision decision = decide(after(rows[i].outcome, 1, rows[i].asked), 12345);
        g_assert_cmpint(decision.choice, ==, rows[i].choice);
        g_assert_cmpint(decision.wait_ms, ==, rows[i].wait);
    }
}

static void last_attempt_still_tells_when_to_come_back(void) {
    RetryDecision decision = decide(after(OUTCOME_RATE_LIMITED, 3, 5000), 0);
    g_assert_cmpint(decision.choice, ==, RETRY_STOP);
    g_assert_cmpint(decision.wait_ms, ==, 5000);
    g_assert_cmpint(decide(after(OUTCOME_RATE_LIMITED, 3, 90000), 0).choice, ==, RETRY_PARK);
}

#define NOVEMBER_1994 784111777000 /* Sun, 06 Nov 1994 08:49:37 GMT, the RFC's example */

static void dates_are_read_in_their_three_forms(void) {
    static const struct {
        const char *text;
        int64_t time;
    } rows[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", NOVEMBER_1994},
        {"Sunday, 06-Nov-94 08:49:37 GMT", NOVEMBER_1994},
        {"Sun Nov  6 08:49:37 1994", NOVEMBER_1994},
        {"Fri, 20 Nov 2026 07:31:28 GMT", 1795159888000},
        {"Fri, 20 Nov 2026 07:31:28 UTC", 1795159888000},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228799000},
        {"", -1},
        {"soon", -1},
        {"Sun, 06 Nov 1994 08:49:37 PST", -1},
        {"Sun, 31 Feb 1994 08:49:37 GMT", -1},
        {"Sun, 06 Nov 1994 25:49:37 GMT", -1},
        {"Sun, 06 Now 1994 08:49:37 GMT", -1},
        {"Sun, 06 Nov 1994", -1},
        {"Sun Nov  6 08:49:37 1994 and more", -1},
        {"Sun, 06 Nov 1994 08:49:37 GMT                                       ", -1},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        int64_t time = -1;
        g_test_message("%s", rows[i].text);
        g_assert_true(retry_http_date(rows[i].text, &time) == (rows[i].time >= 0));
        g_assert_cmpint(time, ==, rows[i].time);
    }
}

static void retry_after_is_seconds_or_a_date(void) {
    static const struct {
        const char *text;
        int64_t wait;
    } rows[] = {
        {"0", 0},
        {"120", 120000},
        {"86400", RETRY_ASKED_MAX_MS},
        {"86401", RETRY_ASKED_MAX_MS},
        {"99999999999999999999999", RETRY_ASKED_MAX_MS},
        {"Sun, 06 Nov 1994 08:49:49 GMT", 12000},
        {"Sun, 06 Nov 1994 08:49:00 GMT", 0},
        {"Fri, 20 Nov 2026 07:31:28 GMT", RETRY_ASKED_MAX_MS},
        {"", -1},
        {"-5", -1},
        {"1.5", -1},
        {"5s", -1},
        {" 5", -1},
        {"tomorrow", -1},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        int64_t wait = -1;
        g_test_message("%s", rows[i].text);
        g_assert_true(retry_after_parse(rows[i].text, NOVEMBER_1994, &wait) == (rows[i].wait >= 0));
        g_assert_cmpint(wait, ==, rows[i].wait);
    }
}

#define ADD(name) g_test_add_func("/net/retry/" #name, name)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD(only_three_outcomes_are_tried_again_and_thrice_at_most);
    ADD(broken_answer_gets_one_more_try);
    ADD(failure_may_be_worth_one_more_try);
    ADD(request_that_may_not_be_sent_twice_is_not);
    ADD(back_off_doubles_up_to_its_cap_with_full_jitter);
    ADD(what_the_provider_asks_for_is_waited_or_parked);
    ADD(last_attempt_still_tells_when_to_come_back);
    ADD(dates_are_read_in_their_three_forms);
    ADD(retry_after_is_seconds_or_a_date);
    return g_test_run();
}
