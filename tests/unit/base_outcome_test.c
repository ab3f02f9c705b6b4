#include "base/outcome.h"

#include "base/verdict.h"

#include <string.h>

static void every_outcome_has_a_name_that_finds_it_again(void) {
    for (Outcome outcome = 0; outcome < OUTCOMES; outcome++) {
        Outcome found = OUTCOMES;
        g_assert_true(outcome_from_name(outcome_name(outcome), &found));
        g_assert_cmpint(found, ==, outcome);
    }
    g_assert_cmpstr(outcome_name(OUTCOMES), ==, "unknown");
}

static void invalid_is_another_name_of_broken(void) {
    Outcome found = OUTCOME_OK;
    g_assert_true(outcome_from_name("invalid", &found));
    g_assert_cmpint(found, ==, OUTCOME_BROKEN);
}

static void unknown_outcome_is_refused_and_writes_nothing(void) {
    Outcome found = OUTCOME_TIMEOUT;
    g_assert_false(outcome_from_name("fine", &found));
    g_assert_false(outcome_from_name(NULL, &found));
    g_assert_cmpint(found, ==, OUTCOME_TIMEOUT);
}

static void outcomes_map_to_codes_as_the_contract_says(void) {
    static const struct {
        Outcome outcome;
        ErrorCode code;
        bool retryable;
        bool judgeable;
    } cases[] = {{OUTCOME_OK, ERROR_INTERNAL, false, true},
                 {OUTCOME_ABSENT, ERROR_INTERNAL, false, true},
                 {OUTCOME_FORBIDDEN, ERROR_PERMISSION_DENIED, false, false},
                 {OUTCOME_UNLICENSED, ERROR_CONFIGURATION, false, false},
                 {OUTCOME_AUTH_EXPIRED, ERROR_AUTHENTICATION_FAILED, false, false},
                 {OUTCOME_RATE_LIMITED, ERROR_RATE_LIMITED, true, false},
                 {OUTCOME_UNAVAILABLE, ERROR_SERVICE_UNAVAILABLE, true, false},
                 {OUTCOME_TIMEOUT, ERROR_TIMEOUT, true, false},
                 {OUTCOME_BROKEN, ERROR_SERVICE_UNAVAILABLE, true, false},
                 {OUTCOME_ENDLESS, ERROR_CONFIGURATION, false, false},
                 {OUTCOME_BAD_REQUEST, ERROR_CONFIGURATION, false, false},
                 {OUTCOMES, ERROR_INTERNAL, false, false}};
    g_assert_cmpuint(G_N_ELEMENTS(cases), ==, OUTCOMES + 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmpint(outcome_error_code(cases[i].outcome), ==, cases[i].code);
        g_assert_cmpint(outcome_retryable(cases[i].outcome), ==, cases[i].retryable);
        g_assert_cmpint(outcome_judgeable(cases[i].outcome), ==, cases[i].judgeable);
    }
}

static void every_verdict_has_a_name_that_finds_it_again(void) {
    static const char *const names[] = {"pass", "fail", "could_not_read", "not_applicable"};
    for (Verdict verdict = 0; verdict < VERDICTS; verdict++) {
        Verdict found = VERDICTS;
        g_assert_cmpstr(verdict_name(verdict), ==, names[verdict]);
        g_assert_true(verdict_from_name(names[verdict], &found));
        g_assert_cmpint(found, ==, verdict);
    }
    Verdict untouched = VERDICT_FAIL;
    g_assert_false(verdict_from_name("passed", &untouched));
    g_assert_cmpint(untouched, ==, VERDICT_FAIL);
    g_assert_cmpstr(verdict_name(VERDICTS), ==, "unknown");
}

static void unread_is_worse_than_pass_and_better_than_fail(void) {
    static const Verdict worst_first[] = {VERDICT_FAIL, VERDICT_COULD_NOT_READ, VERDICT_PASS,
                                          VERDICT_NOT_APPLICABLE};
    for (unsigned i = 0; i < VERDICTS; i++) {
        for (unsigned j = i; j < VERDICTS; j++) {
            g_assert_cmpint(verdict_worse(worst_first[i], worst_first[j]), ==, worst_first[i]);
            g_assert_cmpint(verdict_worse(worst_first[j], worst_first[i]), ==, worst_first[i]);
        }
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/outcome/every_outcome_has_a_name_that_finds_it_again",
                    every_outcome_has_a_name_that_finds_it_again);
    g_test_add_func("/base/outcome/invalid_is_another_name_of_broken",
                    invalid_is_another_name_of_broken);
    g_test_add_func("/base/outcome/unknown_outcome_is_refused_and_writes_nothing",
                    unknown_outcome_is_refused_and_writes_nothing);
    g_test_add_func("/base/outcome/outcomes_map_to_codes_as_the_contract_says",
                    outcomes_map_to_codes_as_the_contract_says);
    g_test_add_func("/base/verdict/every_verdict_has_a_name_that_finds_it_again",
                    every_verdict_has_a_name_that_finds_it_again);
    g_test_add_func("/base/verdict/unread_is_worse_than_pass_and_better_than_fail",
                    unread_is_worse_than_pass_and_better_than_fail);
    return g_test_run();
}
