/* The least rights for evidence. */
#include "provider/policy.h"
#include "provider_support.h"

static char *actions_of(const Definition *definition, const EvidenceType *const *types,
                        size_t count) {
    g_autoptr(GPtrArray) actions = policy_actions(definition, types, count);
    g_ptr_array_add(actions, NULL);
    return g_strjoinv(" ", (char **)actions->pdata);
}

static void a_type_needs_what_its_calls_need(void) {
    g_autoptr(Definition) definition = support_aws(NULL, NULL);
    const EvidenceType *networks = definition_type(definition, "networks");
    g_autofree char *one = actions_of(definition, &networks, 1);
    g_assert_cmpstr(one, ==, "ec2:DescribeFlowLogs ec2:DescribeRegions ec2:DescribeVpcs");
}

static void several_types_need_each_action_once_in_order(void) {
    g_autoptr(Definition) definition = support_aws(NULL, NULL);
    const EvidenceType *types[] = {definition_type(definition, "networks"),
                                   definition_type(definition, "mfa"),
                                   definition_type(definition, "networks")};
    g_autofree char *all = actions_of(definition, types, G_N_ELEMENTS(types));
    g_assert_cmpstr(all, ==,
                    "ec2:DescribeFlowLogs ec2:DescribeRegions ec2:DescribeVpcs "
                    "iam:GenerateCredentialReport iam:GetCredentialReport iam:ListMFADevices "
                    "iam:ListUsers");
}

static const char calls[] =
    "calls:\n"
    "  caller: {aws: iam.GetUser}\n"
    "  regions: {aws: ec2.DescribeRegions, region: null, rows: .regionInfo.item}\n"
    "  free: {aws: sts.GetCallerIdentity, region: null, needs: {}}\n"
    "  block: {aws: s3control.GetPublicAccessBlock, get: /v20180820/x, region: null}\n"
    "  other: {aws: s3.ListBuckets, get: /, rows: .Buckets.Bucket, region: null,\n"
    "    needs: {iam: ['s3:ListAllMyBuckets', 'ec2:DescribeRegions'], other: [nothing]}}\n";
static const char evidence[] = "evidence:\n"
                               "  one:\n"
                               "    title: One\n"
                               "    description: One\n"
                               "    type: config\n"
                               "    read:\n"
                               "      a: {first: [free, block]}\n"
                               "      b: {for: a, each: '[1]'}\n"
                               "      c: {call: other, for: b, collect: 10}\n"
                               "    row: {n: .b, m: .c | length, o: .a}\n"
                               "    fields: {n: int, m: int, o: 'string?'}\n";
static const char settings[] =
    "settings:\n"
    "  regions: {label: Regions, type: list, discover: {call: regions, value: .regionName}}\n";

static void the_connection_alternatives_and_discovery_count_too(void) {
    g_autoptr(Definition) definition =
        support_load(&(SupportParts){.settings = settings,
                                     .http = support_services,
                                     .identity = "identity: {call: caller, reply: {user: .User}}\n",
                                     .calls = calls,
                                     .evidence = evidence});
    const EvidenceType *one = definition_type(definition, "one");
    g_autofree char *all = actions_of(definition, &one, 1);
    g_assert_cmpstr(all, ==,
                    "ec2:DescribeRegions iam:GetUser s3:GetPublicAccessBlock s3:ListAllMyBuckets");
    g_autofree char *none = actions_of(definition, NULL, 0);
    g_assert_cmpstr(none, ==, "ec2:DescribeRegions iam:GetUser");
}

static void the_document_is_one_statement(void) {
    g_autoptr(Definition) definition = support_aws(NULL, NULL);
    const EvidenceType *networks = definition_type(definition, "networks");
    g_autoptr(Json) document = policy_document(definition, &networks, 1);
    g_autofree char *text = json_print(document, JSON_COMPACT);
    g_assert_cmpstr(text, ==,
                    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"AssayReadOnly\","
                    "\"Effect\":\"Allow\",\"Action\":[\"ec2:DescribeFlowLogs\","
                    "\"ec2:DescribeRegions\",\"ec2:DescribeVpcs\"],\"Resource\":\"*\"}]}");
}

static char *join(GPtrArray *names) {
    g_ptr_array_add(names, NULL);
    return g_strjoinv(" ", (char **)names->pdata);
}

static void names_are_those_of_the_vocabulary(void) {
    g_autoptr(Definition) github = support_github();
    const EvidenceType *type = definition_type(github, "branch_protection");
    g_autoptr(GPtrArray) scopes = policy_names(github, "scope", &type, 1);
    g_autofree char *text = join(scopes);
    g_assert_cmpstr(text, ==, "read:org repo");
    g_autoptr(GPtrArray) others = policy_names(github, "scopes", &type, 1);
    g_assert_cmpuint(others->len, ==, 0);
}

static void vocabularies_are_told_once_in_order(void) {
    g_autoptr(Definition) github = support_github();
    g_autoptr(GPtrArray) several = policy_vocabularies(github);
    g_autofree char *text = join(several);
    g_assert_cmpstr(text, ==, "permission scope");
    g_autoptr(Definition) aws = support_aws(NULL, NULL);
    g_autoptr(GPtrArray) one = policy_vocabularies(aws);
    g_autofree char *name = join(one);
    g_assert_cmpstr(name, ==, "iam");
}

static void a_provider_with_other_words_needs_no_action(void) {
    g_autoptr(Definition) github = support_github();
    g_autofree const EvidenceType **types = g_new0(const EvidenceType *, github->type_count);
    for (size_t i = 0; i < github->type_count; i++)
        types[i] = &github->types[i];
    g_autoptr(GPtrArray) actions = policy_actions(github, types, github->type_count);
    g_assert_cmpuint(actions->len, ==, 0);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(test) g_test_add_func("/provider/policy/" #test, test)
    ADD(a_type_needs_what_its_calls_need);
    ADD(several_types_need_each_action_once_in_order);
    ADD(the_connection_alternatives_and_discovery_count_too);
    ADD(the_document_is_one_statement);
    ADD(names_are_those_of_the_vocabulary);
    ADD(vocabularies_are_told_once_in_order);
    ADD(a_provider_with_other_words_needs_no_action);
    return g_test_run();
}
