#include "base/error.h"

static void six_codes_of_users_have_their_published_names(void) {
    static const char *const names[] = {"AUTHENTICATION_FAILED", "PERMISSION_DENIED",
                                        "RATE_LIMITED",          "SERVICE_UNAVAILABLE",
                                        "CONFIGURATION_ERROR",   "TIMEOUT"};
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        g_assert_cmpstr(error_code_name((ErrorCode)i), ==, names[i]);
}

static void every_code_has_a_name_that_finds_it_again(void) {
    for (ErrorCode code = 0; code < ERROR_CODES; code++) {
        g_assert_nonnull(error_code_name(code));
        g_assert_cmpint(error_code_from_name(error_code_name(code)), ==, code);
    }
}

static void unknown_names_and_codes_are_internal(void) {
    g_assert_cmpint(error_code_from_name("NO_SUCH_CODE"), ==, ERROR_INTERNAL);
    g_assert_cmpint(error_code_from_name(NULL), ==, ERROR_INTERNAL);
    g_assert_cmpstr(error_code_name(ERROR_CODES), ==, "INTERNAL");
    g_assert_cmpint(error_code_exit_status(ERROR_CODES), ==, 1);
}

static void only_three_codes_may_be_tried_again(void) {
    for (ErrorCode code = 0; code < ERROR_CODES; code++) {
        bool expected = code == ERROR_RATE_LIMITED || code == ERROR_SERVICE_UNAVAILABLE ||
                        code == ERROR_TIMEOUT;
        g_assert_cmpint(error_code_retryable(code), ==, expected);
    }
}

static void exit_status_follows_the_contract(void) {
    static const struct {
        ErrorCode code;
        int status;
    } cases[] = {{ERROR_INTERNAL, 1},
                 {ERROR_USAGE, 2},
                 {ERROR_CONFIGURATION, 2},
                 {ERROR_NOT_FOUND, 3},
                 {ERROR_AUTHENTICATION_FAILED, 4},
                 {ERROR_PERMISSION_DENIED, 4},
                 {ERROR_RATE_LIMITED, 6},
                 {ERROR_SERVICE_UNAVAILABLE, 6},
                 {ERROR_TIMEOUT, 6}};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(error_code_exit_status(cases[i].code), ==, cases[i].status);
}

static void errors_of_other_domains_count_as_internal(void) {
    g_autoptr(GError) ours = g_error_new(ASSAY_ERROR, ERROR_TIMEOUT, "No answer.");
    g_autoptr(GError) foreign = g_error_new(G_FILE_ERROR, ERROR_TIMEOUT, "No file.");
    g_autoptr(GError) odd = g_error_new(ASSAY_ERROR, 999, "Odd.");
    g_autoptr(GError) negative = g_error_new(ASSAY_ERROR, -1, "Odd.");
    g_assert_cmpint(error_code_of(ours), ==, ERROR_TIMEOUT);
    g_assert_cmpint(error_code_of(foreign), ==, ERROR_INTERNAL);
    g_assert_cmpint(error_code_of(odd), ==, ERROR_INTERNAL);
    g_assert_cmpint(error_code_of(negative), ==, ERROR_INTERNAL);
    g_assert_cmpint(error_code_of(NULL), ==, ERROR_INTERNAL);
}

static void starting_leaves_no_error_behind(void) {
    error_start();
    error_start();
    g_autoptr(GError) error = g_error_new_literal(ASSAY_ERROR, ERROR_LIMIT, "the first one");
    g_assert_cmpint(error_code_of(error), ==, ERROR_LIMIT);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/error/starting_leaves_no_error_behind", starting_leaves_no_error_behind);
    g_test_add_func("/base/error/six_codes_of_users_have_their_published_names",
                    six_codes_of_users_have_their_published_names);
    g_test_add_func("/base/error/every_code_has_a_name_that_finds_it_again",
                    every_code_has_a_name_that_finds_it_again);
    g_test_add_func("/base/error/unknown_names_and_codes_are_internal",
                    unknown_names_and_codes_are_internal);
    g_test_add_func("/base/error/only_three_codes_may_be_tried_again",
                    only_three_codes_may_be_tried_again);
    g_test_add_func("/base/error/exit_status_follows_the_contract",
                    exit_status_follows_the_contract);
    g_test_add_func("/base/error/errors_of_other_domains_count_as_internal",
                    errors_of_other_domains_count_as_internal);
    return g_test_run();
}
