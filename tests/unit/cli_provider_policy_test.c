/* The least rights for evidence, and what given rights miss, on the command line. */
#include "unit/cli_support.h"

#include <string.h>

/* What another product asks for, as its documentation lists it. */
static const char *const elsewhere[] = {
    "iam:GetAccountPasswordPolicy",
    "iam:GetAccountSummary",
    "iam:ListUsers",
    "iam:ListRoles",
    "iam:ListPolicies",
    "iam:ListMFADevices",
    "iam:GetRole",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "cloudtrail:DescribeTrails",
    "cloudtrail:GetTrailStatus",
    "cloudtrail:LookupEvents",
    "config:DescribeConfigRules",
    "config:DescribeComplianceByConfigRule",
    "config:GetComplianceDetailsByConfigRule",
    "s3:GetBucketEncryption",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketVersioning",
    "s3:GetBucketLogging",
    "s3:ListAllMyBuckets",
    "ec2:DescribeVpcs",
    "ec2:DescribeFlowLogs",
    "ec2:DescribeSecurityGroups",
    "kms:ListKeys",
    "kms:DescribeKey",
    "kms:GetKeyRotationStatus",
    "rds:DescribeDBInstances",
    "rds:DescribeDBClusters",
};

/* Every difference to that list, and its reason. */
typedef struct {
    const char *action;
    bool ours; /* otherwise theirs */
    const char *reason;
} Difference;

static const Difference differences[] = {
    {"iam:GetAccountAuthorizationDetails", true,
     "users, roles and policies with what hangs on them, a thousand a page"},
    {"iam:ListRoles", false, "the authorization details list the roles"},
    {"iam:GetRole", false, "the authorization details have when a role was last used"},
    {"iam:ListPolicies", false, "the authorization details list the policies"},
    {"iam:GetPolicy", false, "the authorization details have the attachments"},
    {"iam:GetPolicyVersion", false, "the authorization details have the documents"},
    {"iam:GenerateCredentialReport", true, "keys and passwords of all users in one table"},
    {"iam:GetCredentialReport", true, "keys and passwords of all users in one table"},
    {"iam:ListVirtualMFADevices", true, "whether the second factor of root is a device"},
    {"cloudtrail:GetEventSelectors", true, "whether a trail records management events"},
    {"config:DescribeConfigurationRecorders", true, "whether AWS Config records at all"},
    {"config:DescribeConfigurationRecorderStatus", true, "whether AWS Config records at all"},
    {"config:DescribeDeliveryChannels", true, "whether AWS Config delivers what it records"},
    {"s3:GetBucketEncryption", false,
     "there is no such action: the operation of this name needs "
     "s3:GetEncryptionConfiguration"},
    {"s3:GetEncryptionConfiguration", true, "what the operation GetBucketEncryption needs"},
    {"s3:GetAccountPublicAccessBlock", true, "the account's block counts for its buckets"},
    {"s3:GetBucketAcl", true, "a list that opens a bucket to everybody"},
    {"s3:GetBucketOwnershipControls", true, "whether such lists are off"},
    {"s3:GetBucketPolicyStatus", true, "whether the policy of a bucket is public"},
    {"s3:GetBucketPolicy", true, "whether a bucket refuses requests without TLS"},
    {"ec2:DescribeRegions", true, "all regions that the account uses are discovered"},
    {"ec2:DescribeInstances", true, "evidence of instances"},
    {"ec2:DescribeVolumes", true, "whether the disks of instances are encrypted"},
    {"ec2:GetEbsEncryptionByDefault", true, "defaults of a region"},
    {"ec2:GetInstanceMetadataDefaults", true, "defaults of a region"},
    {"ec2:GetSnapshotBlockPublicAccessState", true, "defaults of a region"},
    {"kms:GetKeyPolicy", true, "whether everybody may use a key"},
    {"rds:DescribeDBSnapshots", true, "whether snapshots are encrypted"},
    {"rds:DescribeDBSnapshotAttributes", true, "whether a snapshot is public"},
    {"securityhub:DescribeHub", true, "evidence of Security Hub"},
    {"securityhub:GetEnabledStandards", true, "evidence of Security Hub"},
    {"securityhub:GetFindings", true, "evidence of Security Hub"},
};

static Json *policy_of(const char *line) {
    g_autoptr(Json) reply = desk_json(line, 0);
    return json_ref(json_member(reply, "policy"));
}

static const Json *actions_of(const Json *policy) {
    const Json *statements = json_member(policy, "Statement");
    g_assert_cmpuint(json_count(statements), ==, 1);
    return json_member(json_item(statements, 0), "Action");
}

static bool lists(const Json *names, const char *name) {
    for (size_t i = 0; i < json_count(names); i++)
        if (strcmp(json_text(json_item(names, i)), name) == 0)
            return true;
    return false;
}

static bool is_elsewhere(const char *action) {
    for (size_t i = 0; i < G_N_ELEMENTS(elsewhere); i++)
        if (strcmp(elsewhere[i], action) == 0)
            return true;
    return false;
}

static const Difference *difference_of(const char *action) {
    for (size_t i = 0; i < G_N_ELEMENTS(differences); i++)
        if (strcmp(differences[i].action, action) == 0)
            return &differences[i];
    return NULL;
}

static void assert_explained(const char *action, bool ours) {
    const Difference *difference = difference_of(action);
    if (!difference || difference->ours != ours)
        g_error("nothing says why %s is only %s", action, ours ? "ours" : "theirs");
}

/* --- what is needed --------------------------------------------------------------------------- */

static void every_difference_to_what_others_ask_for_is_explained(void) {
    g_autoptr(Json) policy = policy_of("provider policy aws");
    const Json *actions = actions_of(policy);
    g_assert_cmpuint(json_count(actions), >, 40);
    for (size_t i = 0; i < json_count(actions); i++) {
        const char *action = json_text(json_item(actions, i));
        if (!is_elsewhere(action))
            assert_explained(action, true);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(elsewhere); i++)
        if (!lists(actions, elsewhere[i]))
            assert_explained(elsewhere[i], false);
}

static void no_explanation_is_left_over(void) {
    g_autoptr(Json) policy = policy_of("provider policy aws");
    for (size_t i = 0; i < G_N_ELEMENTS(differences); i++) {
        const Difference *difference = &differences[i];
        g_assert_true(lists(actions_of(policy), difference->action) == difference->ours);
        g_assert_true(is_elsewhere(difference->action) == !difference->ours);
        g_assert_cmpuint(strlen(difference->reason), >, 10);
        g_assert_true(difference_of(difference->action) == difference);
    }
}

static void every_action_reads(void) {
    static const char *const reading[] = {"Get", "List", "Describe", "Lookup"};
    g_autoptr(Json) policy = policy_of("provider policy aws");
    for (size_t i = 0; i < json_count(actions_of(policy)); i++) {
        const char *action = json_text(json_item(actions_of(policy), i));
        /* The report is the account's own, and made again at most every four hours. */
        bool reads = strcmp(action, "iam:GenerateCredentialReport") == 0;
        for (size_t n = 0; n < G_N_ELEMENTS(reading); n++)
            reads = reads || g_str_has_prefix(strchr(action, ':') + 1, reading[n]);
        g_assert_true(reads);
    }
}

static void the_document_alone_is_printed(void) {
    g_autoptr(Json) expected = policy_of("provider policy aws");
    g_auto(Said) said = desk_run("provider policy aws");
    g_assert_cmpint(said.status, ==, 0);
    g_autoptr(Json) printed = json_of(said.out);
    g_autofree char *a = json_print(printed, JSON_SORTED);
    g_autofree char *b = json_print(expected, JSON_SORTED);
    g_assert_cmpstr(a, ==, b);
    g_assert_cmpstr(json_member_string(printed, "Version", ""), ==, "2012-10-17");
    assert_holds(said.err, "assay connect aws");
    g_assert_false(g_file_test(desk_data(), G_FILE_TEST_EXISTS));
}

static void only_what_is_asked_for_is_needed(void) {
    g_autoptr(Json) reply =
        desk_json("provider policy amazon --evidence vpc_flow_logs,s3_settings,vpc_flow_logs", 0);
    g_autofree char *needs = json_print(json_member(reply, "needs"), JSON_COMPACT);
    g_assert_cmpstr(needs, ==,
                    "{\"iam\":[\"ec2:DescribeFlowLogs\",\"ec2:DescribeRegions\","
                    "\"ec2:DescribeVpcs\",\"s3:GetBucketLogging\",\"s3:GetBucketVersioning\","
                    "\"s3:ListAllMyBuckets\"]}");
    g_autofree char *types = json_print(json_member(reply, "evidenceTypes"), JSON_COMPACT);
    g_assert_cmpstr(types, ==, "[\"vpc_flow_logs\",\"s3_settings\"]");
    g_assert_cmpstr(json_member_string(reply, "provider", ""), ==, "aws");
}

static void others_are_told_by_vocabulary(void) {
    g_autoptr(Json) reply = desk_json("provider policy github --evidence branch_protection", 0);
    g_autofree char *needs = json_print(json_member(reply, "needs"), JSON_COMPACT);
    g_assert_cmpstr(needs, ==,
                    "{\"permission\":[\"administration:read\",\"members:read\",\"metadata:read\"],"
                    "\"scope\":[\"read:org\",\"repo\"]}");
    g_assert_null(json_member(reply, "policy"));
    g_auto(Said) said = desk_run("provider policy github --evidence branch_protection");
    g_assert_cmpstr(said.out, ==,
                    "permission\n  administration:read\n  members:read\n  metadata:read\n"
                    "scope\n  read:org\n  repo\n");
    assert_holds(said.err, "one of these kinds are enough");
}

static void what_is_unknown_is_refused(void) {
    desk_fails("provider policy awss", 3, "aws");
    desk_fails("provider policy aws --evidence iam_user", 3, "AWS has no such evidence type");
    desk_fails("provider policy", 2, "something is missing");
    desk_fails("provider policy aws --have /nonexistent", 3, "cannot be read");
    desk_fails("provider policy aws --have /dev/zero", 2, "is no file of at most 1 MiB");
}

/* --- what given rights miss ------------------------------------------------------------------- */

static Json *have(const char *options, const char *text, int status) {
    g_autofree char *line =
        g_strdup_printf("provider policy %s --have %s", options, desk_file("rights.txt", text));
    return desk_json(line, status);
}

static const Json *type_of(const Json *reply, const char *name) {
    const Json *types = json_member(reply, "evidenceTypes");
    for (size_t i = 0; i < json_count(types); i++)
        if (strcmp(json_member_string(json_item(types, i), "name", ""), name) == 0)
            return json_item(types, i);
    g_assert_not_reached();
}

static void assert_json(const Json *json, const char *expected) {
    g_autofree char *text = json_print(json, JSON_COMPACT);
    g_assert_cmpstr(text, ==, expected);
}

static void the_policy_that_is_printed_is_enough(void) {
    g_auto(Said) said = desk_run("provider policy aws");
    g_autoptr(Json) reply = have("aws", said.out, 0);
    g_assert_true(json_member_bool(reply, "complete", false));
    g_assert_cmpuint(json_count(json_member(reply, "evidenceTypes")), >=, 18);
    assert_json(type_of(reply, "iam_users"),
                "{\"name\":\"iam_users\",\"collected\":\"everything\",\"missing\":{},"
                "\"limited\":{},\"unreadChecks\":[],\"checks\":5}");
    g_autoptr(Json) all = have("aws", "*", 0);
    g_assert_true(json_member_bool(all, "complete", false));
}

static void no_action_of_it_can_be_left_out(void) {
    g_autoptr(Json) policy = policy_of("provider policy aws");
    const Json *actions = actions_of(policy);
    for (size_t left = 0; left < json_count(actions); left++) {
        const char *action = json_text(json_item(actions, left));
        g_autoptr(GString) rest = g_string_new(NULL);
        for (size_t i = 0; i < json_count(actions); i++)
            g_string_append_printf(rest, "%s\n", i == left ? "" : json_text(json_item(actions, i)));
        g_autoptr(Json) reply = have("aws", rest->str, 5);
        g_autofree char *text = json_print(reply, JSON_COMPACT);
        assert_holds(text, action);
        g_assert_false(json_member_bool(reply, "complete", true));
    }
}

static void a_missing_side_read_spoils_only_its_checks(void) {
    g_autoptr(Json) reply = have("aws --evidence s3_public_access",
                                 "s3:ListAllMyBuckets s3:GetBucketP* s3:GetBucketAcl "
                                 "s3:GetAccountPublicAccessBlock",
                                 5);
    const Json *type = type_of(reply, "s3_public_access");
    g_assert_cmpstr(json_member_string(type, "collected", ""), ==, "partly");
    assert_json(json_member(type, "missing"), "{\"iam\":[\"s3:GetBucketOwnershipControls\"]}");
    assert_json(json_member(type, "unreadChecks"), "[\"s3_acls_disabled\"]");
    g_assert_cmpint(json_member_int(type, "checks", 0), ==, 4);
}

static void without_the_list_nothing_is_collected(void) {
    g_autoptr(Json) reply = have("aws --evidence s3_settings", "s3:GetBucket*", 5);
    const Json *type = type_of(reply, "s3_settings");
    g_assert_cmpstr(json_member_string(type, "collected", ""), ==, "nothing");
    assert_json(json_member(type, "missing"), "{\"iam\":[\"s3:ListAllMyBuckets\"]}");
    g_assert_cmpuint(json_count(json_member(type, "unreadChecks")), ==, 2);
}

static void rights_on_some_resources_are_not_counted_on(void) {
    g_autoptr(Json) reply = have(
        "aws --evidence s3_settings",
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:List*\","
        "\"Resource\":\"*\"},{\"Effect\":\"Allow\",\"Action\":\"s3:*\","
        "\"Resource\":\"arn:aws:s3:::logs\"}]}",
        5);
    const Json *type = type_of(reply, "s3_settings");
    g_assert_cmpstr(json_member_string(type, "collected", ""), ==, "partly");
    assert_json(json_member(type, "missing"), "{}");
    assert_json(json_member(type, "limited"),
                "{\"iam\":[\"s3:GetBucketLogging\",\"s3:GetBucketVersioning\"]}");
    assert_json(json_member(type, "unreadChecks"), "[]");
}

static void names_of_one_vocabulary_are_enough(void) {
    g_autoptr(Json) scopes = have("github", "repo, read:org, security_events", 0);
    g_assert_true(json_member_bool(scopes, "complete", false));
    g_autoptr(Json) permissions =
        have("github", "administration:* metadata:read\nvulnerability_alerts:read", 5);
    assert_json(json_member(type_of(permissions, "branch_protection"), "missing"), "{}");
    const Json *alerts = type_of(permissions, "security_alerts");
    g_assert_cmpstr(json_member_string(alerts, "collected", ""), ==, "partly");
    assert_json(json_member(alerts, "missing"),
                "{\"permission\":[\"security_events:read\"],\"scope\":[\"repo\","
                "\"security_events\"]}");
}

static void people_get_a_table(void) {
    g_autofree char *line =
        g_strdup_printf("provider policy aws --evidence s3_settings,iam_roles --have %s",
                        desk_file("rights.txt", "iam:* s3:ListAllMyBuckets s3:GetBucketLogging"));
    g_auto(Said) said = desk_run(line);
    g_assert_cmpint(said.status, ==, 5);
    assert_holds(said.out, "UNREAD CHECKS");
    assert_holds(said.out, "s3:GetBucketVersioning");
    assert_holds(said.out, "partly");
    assert_holds(said.out, "1 of 2");
    assert_holds(said.out, "everything");
    assert_lacks(said.out, "iam:");
    assert_holds(said.err, "Next: assay provider policy aws");
}

static void rights_that_cannot_be_read_are_no_rights(void) {
    g_autofree char *line = g_strdup_printf("provider policy aws --have %s",
                                            desk_file("rights.txt", "{\"Statement\": 7}"));
    desk_fails(line, 2, "rights.txt: the rights cannot be read");
}

static void a_server_tells_the_same_needs(void) {
    desk_serve("auditor", false);
    desk_same("provider policy aws", 0);
    desk_same("provider policy aws --evidence iam_users,s3_encryption,iam_users", 0);
    desk_same("provider policy github --evidence branch_protection", 0);
    desk_same("provider policy aws --evidence nonsense", 3);
    desk_fails(desk_there("provider policy aws --have x"), 2, "leave out --server");
}

int main(int argc, char **argv) {
#define TEST(name)                                                                                 \
    { #name, name }
    static const DeskTest tests[] = {
        TEST(every_difference_to_what_others_ask_for_is_explained),
        TEST(no_explanation_is_left_over),
        TEST(every_action_reads),
        TEST(the_document_alone_is_printed),
        TEST(only_what_is_asked_for_is_needed),
        TEST(others_are_told_by_vocabulary),
        TEST(what_is_unknown_is_refused),
        TEST(the_policy_that_is_printed_is_enough),
        TEST(no_action_of_it_can_be_left_out),
        TEST(a_missing_side_read_spoils_only_its_checks),
        TEST(without_the_list_nothing_is_collected),
        TEST(rights_on_some_resources_are_not_counted_on),
        TEST(names_of_one_vocabulary_are_enough),
        TEST(people_get_a_table),
        TEST(rights_that_cannot_be_read_are_no_rights),
        TEST(a_server_tells_the_same_needs),
    };
    return desk_main(argc, argv, "provider_policy", tests, G_N_ELEMENTS(tests));
}
