/* Access keys, where the installation's own comes from, and what a customer sets up. */
#include "unit/connect_support.h"

#include "base/error.h"
#include "base/json.h"
#include "connect/aws_identity.h"
#include "connect/aws_trust.h"

#include <stdlib.h>
#include <string.h>

static const char *const variables[] = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
                                        "AWS_SESSION_TOKEN", "AWS_EC2_METADATA_DISABLED"};

static void set_environment(const char *const values[G_N_ELEMENTS(variables)]) {
    for (size_t i = 0; i < G_N_ELEMENTS(variables); i++)
        if (values[i])
            g_assert_cmpint(setenv(variables[i], values[i], 1), ==, 0);
        else
            g_assert_cmpint(unsetenv(variables[i]), ==, 0);
}

static void environment_is_taken_and_emptied(void) {
    set_environment((const char *const[]){"AKIDENV", PLANTED, "Token", NULL});
    g_auto(AwsAmbient) ambient = {0};
    must(aws_ambient_take(&ambient, &error));
    g_assert_false(ambient.no_metadata);
    g_assert_nonnull(ambient.environment);
    g_assert_cmpuint(credentials_count(ambient.environment), ==, 3);
    g_auto(AwsIdentity) identity = {0};
    must(aws_identity_read(ambient.environment, &identity, &error));
    g_assert_cmpstr(secret_text(identity.key_id), ==, "AKIDENV");
    g_assert_cmpstr(secret_text(identity.secret), ==, PLANTED);
    g_assert_cmpstr(secret_text(identity.token), ==, "Token");
    for (size_t i = 0; i < G_N_ELEMENTS(variables); i++)
        g_assert_null(getenv(variables[i]));
}

static void an_empty_environment_offers_the_metadata_service(void) {
    static const char *const environments[][G_N_ELEMENTS(variables)] = {
        {NULL, NULL, NULL, NULL}, {"", "", "", ""}, {NULL, NULL, NULL, "false"}};
    for (size_t i = 0; i < G_N_ELEMENTS(environments); i++) {
        set_environment(environments[i]);
        g_auto(AwsAmbient) ambient = {0};
        must(aws_ambient_take(&ambient, &error));
        g_assert_null(ambient.environment);
        g_assert_false(ambient.no_metadata);
    }
}

static void metadata_service_can_be_turned_off(void) {
    static const char *const words[] = {"true", "True", "TRUE"};
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        set_environment((const char *const[]){NULL, NULL, NULL, words[i]});
        g_auto(AwsAmbient) ambient = {0};
        must(aws_ambient_take(&ambient, &error));
        g_assert_true(ambient.no_metadata);
    }
}

static void half_a_key_is_an_error_that_names_the_other_half(void) {
    set_environment((const char *const[]){"AKIDENV", NULL, NULL, NULL});
    g_auto(AwsAmbient) ambient = {0};
    must(aws_ambient_take(&ambient, &error));
    AwsIdentity identity = {0};
    must_fail(ERROR_CONFIGURATION, "secret_access_key is missing",
              aws_identity_read(ambient.environment, &identity, &error));
}

static void an_empty_token_is_none(void) {
    g_autoptr(Credentials) fields = credentials_of("access_key_id", "AKID");
    credentials_put(fields, "secret_access_key", secret_of(PLANTED));
    credentials_put(fields, "session_token", secret_of(""));
    g_auto(AwsIdentity) identity = {0};
    must(aws_identity_read(fields, &identity, &error));
    g_assert_null(identity.token);
    g_assert_cmpint(identity.expires_ms, ==, 0);
}

static void any_part_of_a_key_counts_as_one_given(void) {
    static const char *const fields[] = {"access_key_id", "secret_access_key", "session_token"};
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        g_autoptr(Credentials) credentials = credentials_of(fields[i], "x");
        g_assert_true(aws_identity_is_in(credentials));
    }
    g_autoptr(Credentials) other = credentials_of("role_arn", "x");
    g_assert_false(aws_identity_is_in(other));
}

static void a_part_that_is_too_long_is_refused(void) {
    g_autofree char *text = g_strnfill(20000, 'a');
    g_autoptr(Credentials) fields = credentials_of("access_key_id", text);
    credentials_put(fields, "secret_access_key", secret_of(PLANTED));
    AwsIdentity identity = {0};
    must_fail(ERROR_CONFIGURATION, "access_key_id is too long",
              aws_identity_read(fields, &identity, &error));
}

/* --- the trust policy ------------------------------------------------------------------------- */

static void external_ids_are_random_and_of_the_form_that_sts_takes(void) {
    g_autofree char *one = aws_trust_make_external_id();
    g_autofree char *two = aws_trust_make_external_id();
    g_assert_cmpstr(one, !=, two);
    g_assert_true(g_regex_match_simple("^assay-[0-9a-f]{32}$", one, 0, 0));
    g_assert_true(g_regex_match_simple("^assay-[0-9a-f]{32}$", two, 0, 0));
    g_autofree char *sentence = g_strdup_printf("assay-12 is none, %s is; %s too", one, two);
    g_autofree char *found = aws_trust_find_external_id(sentence);
    g_assert_cmpstr(found, ==, one);
    g_assert_null(aws_trust_find_external_id("assay-0123456789abcdef0123456789abcdef0"));
    g_assert_null(aws_trust_find_external_id("nothing"));
}

static void trust_policy_demands_the_external_id(void) {
    g_autofree char *text = aws_trust_policy("arn:aws:iam::210987654321:role/\"hub\"", "assay-42");
    g_autoptr(Json) policy = json_of(text);
    g_autofree char *compact = json_print(policy, JSON_SORTED);
    g_assert_cmpstr(compact, ==,
                    "{\"Statement\":[{\"Action\":\"sts:AssumeRole\",\"Condition\":{\"StringEquals\""
                    ":{\"sts:ExternalId\":\"assay-42\"}},\"Effect\":\"Allow\",\"Principal\":{"
                    "\"AWS\":\"arn:aws:iam::210987654321:role/\\\"hub\\\"\"}}],\"Version\":"
                    "\"2012-10-17\"}");
}

#define ADD(name) g_test_add_func("/connect/aws_identity/" #name, name)

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
    ADD(environment_is_taken_and_emptied);
    ADD(an_empty_environment_offers_the_metadata_service);
    ADD(metadata_service_can_be_turned_off);
    ADD(half_a_key_is_an_error_that_names_the_other_half);
    ADD(an_empty_token_is_none);
    ADD(any_part_of_a_key_counts_as_one_given);
    ADD(a_part_that_is_too_long_is_refused);
    ADD(external_ids_are_random_and_of_the_form_that_sts_takes);
    ADD(trust_policy_demands_the_external_id);
    return g_test_run();
}
