/* Hosts of AWS services, in every partition. */
#include "provider/aws_endpoint.h"
#include "provider_support.h"

static void a_service_has_its_host_in_region_and_partition(void) {
    g_autoptr(Definition) definition = support_aws(NULL, NULL);
    static const struct {
        const char *service;
        const char *partition;
        const char *region;
        const char *host;
    } cases[] = {
        {"iam", "aws", "us-east-1", "iam.amazonaws.com"},
        {"iam", "aws-us-gov", "us-gov-west-1", "iam.us-gov.amazonaws.com"},
        {"ec2", "aws", "eu-west-1", "ec2.eu-west-1.amazonaws.com"},
        {"ec2", "aws-us-gov", "us-gov-east-1", "ec2.us-gov-east-1.amazonaws.com"},
        {"ec2", "aws-cn", "cn-north-1", "ec2.cn-north-1.amazonaws.com.cn"},
        {"s3", "aws", "us-east-1", "s3.us-east-1.amazonaws.com"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) host = g_string_new("x.");
        g_autoptr(GError) error = NULL;
        g_assert_true(aws_endpoint_host(support_service(definition, cases[i].service),
                                        aws_partition(cases[i].partition), cases[i].region, host,
                                        &error));
        g_assert_no_error(error);
        g_assert_cmpstr(host->str + 2, ==, cases[i].host);
    }
}

static void a_service_that_a_partition_lacks_is_refused(void) {
    g_autoptr(Definition) definition = support_aws(NULL, NULL);
    g_autoptr(GString) host = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    g_assert_false(aws_endpoint_host(support_service(definition, "iam"), aws_partition("aws-cn"),
                                     "cn-north-1", host, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    g_assert_cmpstr(error->message, ==, "the service iam is not known in the partition aws-cn");
    g_assert_cmpuint(host->len, ==, 0);
}

static void nothing_but_a_name_becomes_part_of_a_host(void) {
    g_autoptr(Definition) definition = support_aws(NULL, NULL);
    static const char *const odd[] = {
        "",        "a",   "evil.test/", "eu-west-1.evil.test", "EU-WEST-1",
        "eu west", "-eu", "eu-",        "eu-west-1\n",         "abcdefghijklmnopqrstuvwxyzabcdefg"};
    for (size_t i = 0; i < G_N_ELEMENTS(odd); i++) {
        g_autoptr(GString) host = g_string_new(NULL);
        g_autoptr(GError) error = NULL;
        g_assert_false(aws_region_is_name(odd[i]));
        g_assert_false(
            aws_endpoint_host(support_service(definition, "ec2"), 0, odd[i], host, &error));
        g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    }
    g_assert_true(aws_region_is_name("ap-southeast-2"));
    g_assert_true(aws_region_is_name("us-gov-west-1"));
}

static void partitions_are_found_by_name(void) {
    g_assert_cmpint(aws_partition(NULL), ==, 0);
    g_assert_cmpint(aws_partition(""), ==, 0);
    g_assert_cmpint(aws_partition("aws-cn"), ==, 2);
    g_assert_cmpint(aws_partition("aws-iso"), ==, -1);
    g_assert_cmpint(aws_partition("AWS"), ==, -1);
    g_assert_cmpstr(aws_partition_region(0), ==, "us-east-1");
    g_assert_cmpstr(aws_partition_region(1), ==, "us-gov-west-1");
    g_assert_cmpstr(aws_partition_region(2), ==, "cn-northwest-1");
    g_assert_cmpstr(aws_partition_suffix(1), ==, "amazonaws.com");
    g_assert_cmpstr(aws_partition_suffix(2), ==, "amazonaws.com.cn");
    g_assert_null(aws_partition_names[AWS_PARTITIONS]);
}

static void regions_of_every_account_are_told_from_those_to_enable(void) {
    g_assert_false(aws_region_is_opt_in("us-east-1"));
    g_assert_false(aws_region_is_opt_in("us-gov-east-1"));
    g_assert_false(aws_region_is_opt_in("cn-northwest-1"));
    g_assert_true(aws_region_is_opt_in("me-south-1"));
    g_assert_true(aws_region_is_opt_in("xx-future-9"));
}

static void an_account_has_twelve_digits(void) {
    static const char *const odd[] = {
        "", "12345678901", "1234567890123", "12345678901x", "123456789012/", " 123456789012"};
    g_assert_true(aws_account_is_id("123456789012"));
    g_assert_true(aws_account_is_id("000000000000"));
    g_assert_false(aws_account_is_id(NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(odd); i++)
        g_assert_false(aws_account_is_id(odd[i]));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(test) g_test_add_func("/provider/aws_endpoint/" #test, test)
    ADD(a_service_has_its_host_in_region_and_partition);
    ADD(a_service_that_a_partition_lacks_is_refused);
    ADD(nothing_but_a_name_becomes_part_of_a_host);
    ADD(partitions_are_found_by_name);
    ADD(regions_of_every_account_are_told_from_those_to_enable);
    ADD(an_account_has_twelve_digits);
    return g_test_run();
}
