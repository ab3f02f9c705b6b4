/* AWS services and their calls: what a definition becomes, and what a person is told. */
#include "provider/definition_load.h"
#include "provider_support.h"

static const DefinitionCall *call(const Definition *definition, const char *name) {
    const DefinitionCall *found = definition_call(definition, name);
    g_assert_nonnull(found);
    return found;
}

/* --- the model -------------------------------------------------------------------------------- */

static void services_become_their_model(void) {
    g_autoptr(Definition) definition = support_aws(NULL, NULL);
    g_assert_cmpuint(definition->service_count, ==, 7);
    g_assert_null(definition->base_url);
    const DefinitionService *iam = support_service(definition, "iam");
    g_assert_cmpint(iam->protocol, ==, PROTOCOL_QUERY);
    g_assert_cmpstr(iam->version, ==, "2010-05-08");
    g_assert_cmpstr(iam->hosts[0], ==, "iam.amazonaws.com");
    g_assert_cmpstr(iam->hosts[1], ==, "iam.us-gov.amazonaws.com");
    g_assert_null(iam->hosts[2]);
    g_assert_cmpstr(iam->global_regions[1], ==, "us-gov-west-1");
    g_assert_null(iam->host);
    g_assert_cmpstr(iam->action, ==, "iam");
    g_assert_cmpstr(iam->sign_as, ==, "iam");
    g_assert_cmpuint(iam->limit_count, ==, 1);
    g_assert_cmpuint(iam->limits[0].scope, ==, LIMIT_CONNECTION | LIMIT_SERVICE);
    g_assert_cmpuint(iam->response_count, ==, 1);
    g_assert_cmpstr(iam->responses[0].codes[0], ==, "NoSuchEntity");
    g_assert_null(iam->responses[0].codes[1]);
    const DefinitionService *control = support_service(definition, "s3control");
    g_assert_cmpint(control->protocol, ==, PROTOCOL_REST_XML);
    g_assert_cmpstr(control->action, ==, "s3");
    g_assert_cmpstr(control->sign_as, ==, "s3");
    g_assert_true(control->s3);
    g_assert_nonnull(control->host);
    const DefinitionService *kms = support_service(definition, "kms");
    g_assert_cmpint(kms->protocol, ==, PROTOCOL_JSON);
    g_assert_cmpstr(kms->target, ==, "TrentService");
    g_assert_cmpstr(kms->json_version, ==, "1.1");
}

static void calls_name_service_and_operation(void) {
    g_autoptr(Definition) definition = support_aws(NULL, NULL);
    const DefinitionCall *devices = call(definition, "devices");
    g_assert_true(devices->service == support_service(definition, "iam"));
    g_assert_cmpstr(devices->operation, ==, "ListMFADevices");
    g_assert_true(devices->post);
    g_assert_null(devices->path);
    g_assert_cmpuint(devices->param_count, ==, 2);
    g_assert_cmpstr(devices->params[1].name, ==, "Filter.member.1");
    g_assert_cmpuint(devices->mention_count, ==, 1);
    g_assert_cmpstr(devices->mentions[0], ==, "user");
    const DefinitionCall *block = call(definition, "account_block");
    g_assert_false(block->post);
    g_assert_cmpuint(block->mention_count, ==, 1);
    g_assert_cmpstr(block->mentions[0], ==, "me");
    g_assert_nonnull(block->host_prefix);
    g_assert_true(call(definition, "findings")->post);
    g_assert_true(call(definition, "keys")->post);
    const CallPoll *poll = call(definition, "request")->poll;
    g_assert_cmpint(poll->every_ms, ==, 2000);
    g_assert_cmpint(poll->for_ms, ==, 60000);
    g_assert_cmpstr(expr_source(poll->until), ==, ".State == \"COMPLETE\"");
}

static void the_permission_follows_from_the_operation(void) {
    g_autoptr(Definition) definition = support_aws(NULL, NULL);
    static const struct {
        const char *call;
        const char *action;
    } cases[] = {
        {"users", "iam:ListUsers"},         {"vpcs", "ec2:DescribeVpcs"},
        {"buckets", "s3:ListAllMyBuckets"}, {"account_block", "s3:GetPublicAccessBlock"},
        {"hub", "securityhub:DescribeHub"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const DefinitionCall *found = call(definition, cases[i].call);
        g_assert_cmpuint(found->need_count, ==, 1);
        g_assert_cmpstr(found->needs[0].vocabulary, ==, "iam");
        g_assert_cmpuint(found->needs[0].count, ==, 1);
        g_assert_cmpstr(found->needs[0].names[0], ==, cases[i].action);
    }
    g_assert_cmpuint(call(definition, "caller")->need_count, ==, 0);
}

static void regional_calls_go_where_the_region_read_says(void) {
    g_autoptr(Definition) definition = support_aws(NULL, NULL);
    g_assert_cmpstr(expr_source(call(definition, "vpcs")->region), ==, ".region.regionName");
    g_assert_cmpuint(call(definition, "vpcs")->mention_count, ==, 0);
    g_assert_cmpstr(expr_source(call(definition, "encryption")->region), ==,
                    ".bucket.BucketRegion");
    g_assert_cmpuint(call(definition, "encryption")->mention_count, ==, 1);
    g_assert_null(call(definition, "caller")->region);
    g_assert_null(call(definition, "users")->region);
}

static void the_protocol_says_where_the_token_goes(void) {
    g_autoptr(Definition) definition = support_aws(NULL, NULL);
    static const struct {
        const char *call;
        PageSend send;
        const char *name;
    } cases[] = {
        {"users", SEND_FORM, "Marker"},
        {"vpcs", SEND_FORM, "NextToken"},
        {"buckets", SEND_QUERY, "continuation-token"},
        {"keys", SEND_BODY, "Marker"},
        {"findings", SEND_BODY, "NextToken"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const PageSpec *page = call(definition, cases[i].call)->page;
        g_assert_nonnull(page);
        g_assert_cmpint(page->send, ==, cases[i].send);
        g_assert_cmpstr(page->name, ==, cases[i].name);
    }
    g_assert_null(call(definition, "caller")->page);
    g_assert_null(call(definition, "report")->page);
    g_assert_null(call(definition, "summary")->page);
}

static void answers_are_decoded_as_the_protocol_has_them(void) {
    g_autoptr(Definition) definition = support_aws(NULL, NULL);
    g_assert_cmpint(call(definition, "users")->decode, ==, DECODE_XML);
    g_assert_cmpint(call(definition, "report")->decode, ==, DECODE_CSV);
    g_assert_nonnull(call(definition, "report")->xml);
    g_assert_cmpstr(value_path_text(call(definition, "report")->decode_from), ==, ".Content");
    g_assert_cmpint(call(definition, "keys")->decode, ==, DECODE_JSON);
    g_assert_null(call(definition, "keys")->xml);
    g_assert_cmpint(call(definition, "policy")->decode, ==, DECODE_JSON);
    g_assert_null(call(definition, "policy")->xml);
}

/* --- what is wrong ---------------------------------------------------------------------------- */

/* The first error of a definition with these parts in place of the default ones. */
static void assert_wrong(const char *services, const char *calls, const char *message) {
    static const char head[] = "assay: 1\nid: demo\nname: Demo\ncategory: cloud\nsummary: S\n"
                               "checked: 2026-11-20\n";
    g_autofree char *text = support_text(&(SupportParts){.head = head,
                                                         .settings = "",
                                                         .http = services,
                                                         .calls = calls,
                                                         .evidence = "evidence: {}\n"});
    g_autoptr(Diagnostics) diagnostics = diagnostics_new("demo.yaml");
    g_autoptr(GError) error = NULL;
    g_assert_null(definition_load("demo.yaml", text, strlen(text), diagnostics, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    for (size_t i = 0; i < diagnostics_count(diagnostics); i++) {
        if (strstr(diagnostics_get(diagnostics, i)->text, message) != NULL)
            return;
        g_test_message("found:    %s", diagnostics_get(diagnostics, i)->text);
    }
    g_test_message("expected: %s", message);
    g_test_fail();
}

static void services_without_sense_are_refused(void) {
    static const struct {
        const char *service;
        const char *message;
    } cases[] = {
        {"{protocol: soap, host: a.test}", "found 'soap', expected one of query, ec2, rest_xml, "
                                           "rest_json, json"},
        {"{protocol: query, host: a.test}", "the protocol query needs the key 'version'"},
        {"{protocol: json, host: a.test}", "the protocol json needs the key 'target'"},
        {"{protocol: rest_xml, host: a.test, version: '1'}",
         "the protocol rest_xml has no key 'version'"},
        {"{protocol: rest_json, host: a.test, target: x}",
         "the protocol rest_json has no key 'target'"},
        {"{protocol: rest_xml}", "services.x lacks the key 'host'"},
        {"{protocol: rest_xml, host: {aws: a.test}}",
         "hosts by partition need the region that is signed for, 'region'"},
        {"{protocol: rest_xml, host: {mars: a.test}}", "unknown key 'mars' in services.x.host"},
        {"{protocol: rest_xml, host: {aws: a/b.test}, region: {aws: us-east-1}}", "a host name"},
        {"{protocol: rest_xml, host: a.test, region: {aws: 'not a region'}}",
         "'not a region' is not the name of a region"},
        {"{protocol: rest_xml, host: '\\(.region | ascii_upcase).test'}",
         "a host is made of \\(.region) and \\(.suffix)"},
        {"{protocol: rest_xml, host: '\\(.settings.host).test'}",
         "the host of a service does not see .settings"},
        {"{protocol: rest_xml, host: a.test, responses: [{is: absent}]}",
         "a response rule needs a status, a code or a when"},
        {"{protocol: rest_xml, host: a.test, responses: [{code: 'No Such', is: absent}]}",
         "the name of an error"},
        {"{protocol: rest_xml, host: a.test, page: {style: token}}",
         "paging of style token needs the key 'send'"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *services = g_strdup_printf("services:\n  x: %s\n", cases[i].service);
        assert_wrong(services, "calls: {}\n", cases[i].message);
    }
}

static void calls_without_sense_are_refused(void) {
    static const struct {
        const char *call;
        const char *message;
    } cases[] = {
        {"{aws: nothing.ListUsers}", "there is no service 'nothing'"},
        {"{aws: ListUsers}", "a service and its operation, such as iam.ListUsers"},
        {"{aws: iam.listUsers}", "a service and its operation, such as iam.ListUsers"},
        {"{aws: iam.List Users}", "a service and its operation, such as iam.ListUsers"},
        {"{aws: iam.ListUsers, get: /}", "calls of the protocol query have no key 'get'"},
        {"{aws: iam.ListUsers, json: '{}'}", "calls of the protocol query have no key 'json'"},
        {"{aws: kms.ListKeys, params: {a: b}}", "calls of the protocol json have no key 'params'"},
        {"{aws: s3.ListBuckets}", "a call of the protocol rest_xml needs either get or post"},
        {"{aws: s3.ListBuckets, get: /, post: /}",
         "a call of the protocol rest_xml needs either get or post"},
        {"{aws: iam.ListUsers, region: .x}", "the service iam has one region for all calls"},
        {"{aws: iam.ListUsers, rows: .Users}",
         "rows of an answer in XML are the items of a list, such as .Users.member"},
        {"{aws: ec2.DescribeVpcs, rows: .}",
         "rows of an answer in XML are the items of a list, such as .Users.member"},
        {"{aws: iam.ListUsers, lists: ['a b']}", "\"a b\" is no name of an XML element"},
        {"{aws: kms.ListKeys, lists: [Keys]}", "'lists' and 'maps' are about answers in XML"},
        {"{aws: kms.ListKeys, decode_from: .a}", "'decode_from' belongs to 'decode: csv'"},
        {"{aws: kms.ListKeys, decode: csv, decode_from: '.a[]'}",
         "decode_from must be a plain path such as .Content"},
        {"{aws: kms.ListKeys, rows: .Keys, poll: {until: .a, every: 1s, for: 5s}}",
         "a call with rows cannot be polled"},
        {"{aws: kms.ListKeys, poll: {until: .a, every: 10s, for: 5s}}",
         "a poll needs an 'every' that is within its 'for'"},
        {"{aws: kms.ListKeys, poll: {every: 1s, for: 5s}}", "lacks the key 'until'"},
        {"{get: /me}", "the call 'x' needs 'http.base_url', or 'aws'"},
        {"{get: /me, params: {a: b}}", "'params' belongs to calls with 'aws'"},
        {"{get: /me, region: .a}", "'region' belongs to calls with 'aws'"},
        {"{}", "the call 'x' needs either get or post"},
        {"{aws: securityhub.GetFindings, post: /findings, rows: .Findings}",
         "a cursor in the body needs a post with json"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *calls = g_strdup_printf("calls:\n  x: %s\n", cases[i].call);
        assert_wrong(support_services, calls, cases[i].message);
    }
}

/* providers/aws.yaml is held against the vendor's models elsewhere; here it only has to load. */
static void the_definition_of_aws_is_sound(void) {
    const char *source = g_getenv("ASSAY_SOURCE");
    g_autofree char *path =
        g_build_filename(source == NULL ? "." : source, "providers", "aws.yaml", NULL);
    g_autofree char *text = NULL;
    gsize size = 0;
    g_assert_true(g_file_get_contents(path, &text, &size, NULL));
    g_autoptr(GError) error = NULL;
    g_autoptr(Definition) definition = definition_load("aws.yaml", text, size, NULL, &error);
    g_assert_no_error(error);
    for (size_t i = 0; i < definition->call_count; i++)
        g_assert_nonnull(definition->calls[i].service);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(test) g_test_add_func("/provider/service/" #test, test)
    ADD(services_become_their_model);
    ADD(calls_name_service_and_operation);
    ADD(the_permission_follows_from_the_operation);
    ADD(regional_calls_go_where_the_region_read_says);
    ADD(the_protocol_says_where_the_token_goes);
    ADD(answers_are_decoded_as_the_protocol_has_them);
    ADD(services_without_sense_are_refused);
    ADD(calls_without_sense_are_refused);
    ADD(the_definition_of_aws_is_sound);
    return g_test_run();
}
