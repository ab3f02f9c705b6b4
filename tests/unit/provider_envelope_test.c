/* Envelopes: what each protocol wraps around its answers, and what is left of them. */
#include "provider/envelope.h"
#include "provider_support.h"

static char *opened(const Definition *definition, const char *call, const char *body) {
    g_autoptr(GString) json = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    bool done = envelope_open(definition_call(definition, call), body, strlen(body), json, &error);
    g_assert_no_error(error);
    g_assert_true(done);
    return g_strdup(json->str);
}

static void assert_opens(const char *call, const char *body, const char *json) {
    g_autoptr(Definition) definition = support_aws(NULL, NULL);
    g_autofree char *found = opened(definition, call, body);
    g_assert_cmpstr(found, ==, json);
}

static void assert_refuses(const char *call, const char *body, const char *message) {
    g_autoptr(Definition) definition = support_aws(NULL, NULL);
    g_autoptr(GString) json = g_string_new("before");
    g_autoptr(GError) error = NULL;
    g_assert_false(
        envelope_open(definition_call(definition, call), body, strlen(body), json, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE);
    if (message != NULL)
        g_assert_cmpstr(error->message, ==, message);
    g_assert_cmpstr(json->str, ==, "before");
}

#define USER "<member><UserName>ann</UserName></member>"

static void a_query_answer_is_its_result(void) {
    assert_opens("users",
                 "<ListUsersResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">"
                 "<ListUsersResult><IsTruncated>false</IsTruncated><Users>" USER "</Users>"
                 "</ListUsersResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
                 "</ListUsersResponse>",
                 "{\"IsTruncated\":\"false\",\"Users\":{\"member\":[{\"UserName\":\"ann\"}]}}");
    /* Whatever stands first. */
    assert_opens("users",
                 "<ListUsersResponse><ResponseMetadata><ListUsersResult>no</ListUsersResult>"
                 "</ResponseMetadata><ListUsersResult><Users>" USER "</Users></ListUsersResult>"
                 "</ListUsersResponse>",
                 "{\"Users\":{\"member\":[{\"UserName\":\"ann\"}]}}");
    /* One that comes twice is a list; what is first may only begin like it. */
    assert_opens("users",
                 "<ListUsersResponse><ListUsersResult>1</ListUsersResult><Other/>"
                 "<ListUsersResult>2</ListUsersResult></ListUsersResponse>",
                 "[\"1\",\"2\"]");
    assert_opens("users",
                 "<ListUsersResponse><ListUsersResultSet>no</ListUsersResultSet><ListUsersResult>"
                 "<A>1</A></ListUsersResult></ListUsersResponse>",
                 "{\"A\":\"1\"}");
}

static void an_answer_is_opened_behind_what_was_there(void) {
    static const struct {
        const char *xml;
        const char *json;
    } cases[] = {
        {"<ListUsersResponse><ListUsersResult><Users>" USER "</Users></ListUsersResult>"
         "</ListUsersResponse>",
         "before{\"Users\":{\"member\":[{\"UserName\":\"ann\"}]}}"},
        {"<ListUsersResponse><ListUsersResult/></ListUsersResponse>", "before{}"},
        {"<ListUsersResponse/>", "before{}"},
    };
    g_autoptr(Definition) definition = support_aws(NULL, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) json = g_string_new("before");
        g_assert_true(envelope_open(definition_call(definition, "users"), cases[i].xml,
                                    strlen(cases[i].xml), json, NULL));
        g_assert_cmpstr(json->str, ==, cases[i].json);
    }
}

static void empty_lists_are_arrays_where_rows_or_expressions_look(void) {
    assert_opens("users",
                 "<ListUsersResponse><ListUsersResult><Users/></ListUsersResult>"
                 "</ListUsersResponse>",
                 "{\"Users\":{\"member\":[]}}");
    /* .user.GroupList.member is read by a row of the definition. */
    assert_opens("users",
                 "<ListUsersResponse><ListUsersResult><Users><member><GroupList/></member></Users>"
                 "</ListUsersResult></ListUsersResponse>",
                 "{\"Users\":{\"member\":[{\"GroupList\":{\"member\":[]}}]}}");
    assert_opens("vpcs", "<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>",
                 "{\"vpcSet\":{\"item\":[]}}");
    assert_opens("buckets", "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>",
                 "{\"Buckets\":{\"Bucket\":[]}}");
}

static void an_ec2_answer_has_no_result(void) {
    assert_opens("vpcs",
                 "<?xml version=\"1.0\"?><DescribeVpcsResponse><requestId>r</requestId><vpcSet>"
                 "<item><vpcId>vpc-1</vpcId></item></vpcSet></DescribeVpcsResponse>",
                 "{\"requestId\":\"r\",\"vpcSet\":{\"item\":[{\"vpcId\":\"vpc-1\"}]}}");
}

static void a_rest_answer_is_the_inside_of_any_root(void) {
    assert_opens(
        "encryption",
        "<ServerSideEncryptionConfiguration><Rule><BucketKeyEnabled>true</BucketKeyEnabled>"
        "</Rule></ServerSideEncryptionConfiguration>",
        "{\"Rule\":[{\"BucketKeyEnabled\":\"true\"}]}");
    assert_opens("encryption", "<ServerSideEncryptionConfiguration/>", "{}");
}

static void a_map_is_an_object(void) {
    assert_opens("summary",
                 "<GetAccountSummaryResponse><GetAccountSummaryResult><SummaryMap><entry>"
                 "<key>AccountMFAEnabled</key><value>1</value></entry></SummaryMap>"
                 "</GetAccountSummaryResult></GetAccountSummaryResponse>",
                 "{\"SummaryMap\":{\"AccountMFAEnabled\":\"1\"}}");
}

static void an_answer_without_anything_in_it_is_an_empty_object(void) {
    assert_opens("request",
                 "<GenerateCredentialReportResponse><GenerateCredentialReportResult/>"
                 "</GenerateCredentialReportResponse>",
                 "{}");
    assert_opens("request",
                 "<GenerateCredentialReportResponse><ResponseMetadata><RequestId>r</RequestId>"
                 "</ResponseMetadata></GenerateCredentialReportResponse>",
                 "{}");
    assert_opens("request", "<GenerateCredentialReportResponse/>", "{}");
    assert_opens("users", "", "");
}

static void json_answers_have_no_envelope(void) {
    g_autoptr(Definition) definition = support_aws(NULL, NULL);
    static const char *const without[] = {"keys", "key", "hub", "findings", "policy"};
    static const char *const with[] = {"users", "report", "vpcs", "buckets", "encryption"};
    for (size_t i = 0; i < G_N_ELEMENTS(without); i++)
        g_assert_false(envelope_has(definition_call(definition, without[i])));
    for (size_t i = 0; i < G_N_ELEMENTS(with); i++)
        g_assert_true(envelope_has(definition_call(definition, with[i])));
    g_autofree char *same = opened(definition, "keys", "{\"Keys\": []}");
    g_assert_cmpstr(same, ==, "{\"Keys\": []}");
}

static void the_answer_of_another_operation_is_refused(void) {
    assert_refuses("users", "<ListRolesResponse><ListRolesResult/></ListRolesResponse>",
                   "the answer is not that of ListUsers; ask again later");
    assert_refuses("users", "<html><body/></html>",
                   "the answer is not that of ListUsers; ask again later");
    assert_refuses("vpcs", "<ListUsersResponse/>",
                   "the answer is not that of DescribeVpcs; ask again later");
    assert_refuses("users", "<ListUsersResponse><ListUsersResult>", NULL);
    assert_refuses("users", "{\"Users\":[]}", NULL);
    assert_refuses("users", "<!DOCTYPE a><ListUsersResponse/>", NULL);
}

static char *report_of(const char *table) {
    g_autofree char *text = g_base64_encode((const guchar *)table, strlen(table));
    return g_strdup_printf(
        "<GetCredentialReportResponse><GetCredentialReportResult><Content>%s</Content>"
        "<ReportFormat>text/csv</ReportFormat></GetCredentialReportResult>"
        "</GetCredentialReportResponse>",
        text);
}

static void a_table_in_base64_becomes_an_array_of_objects(void) {
    g_autofree char *report = report_of("user,password_enabled\n<root_account>,not_supported\n"
                                        "ann,true\n");
    assert_opens("report", report,
                 "[{\"user\":\"<root_account>\",\"password_enabled\":\"not_supported\"},"
                 "{\"user\":\"ann\",\"password_enabled\":\"true\"}]");
    g_autofree char *empty = report_of("user,password_enabled\n");
    assert_opens("report", empty, "[]");
}

static void a_report_without_its_table_is_refused(void) {
    assert_refuses("report",
                   "<GetCredentialReportResponse><GetCredentialReportResult>"
                   "</GetCredentialReportResult></GetCredentialReportResponse>",
                   "the answer has no table at .Content; ask again later");
    assert_refuses("report",
                   "<GetCredentialReportResponse><GetCredentialReportResult><Content>***</Content>"
                   "</GetCredentialReportResult></GetCredentialReportResponse>",
                   NULL);
    g_autofree char *ragged = report_of("user,password_enabled\nann\n");
    assert_refuses("report", ragged, NULL);
}

static void tables_and_xml_are_for_other_providers_too(void) {
    static const char calls[] =
        "calls:\n"
        "  me: {get: /me}\n"
        "  table: {get: /table, decode: csv, rows: .}\n"
        "  packed: {get: /p, decode: csv, decode_from: .data.csv, rows: .}\n"
        "  tree: {get: /tree, decode: xml, rows: .users.user}\n";
    static const char evidence[] = "evidence: {}\n";
    g_autoptr(Definition) definition =
        support_load(&(SupportParts){.calls = calls, .evidence = evidence});
    g_autofree char *table = opened(definition, "table", "a,b\r\n1,2\r\n");
    g_assert_cmpstr(table, ==, "[{\"a\":\"1\",\"b\":\"2\"}]");
    g_autofree char *packed = opened(definition, "packed", "{\"data\":{\"csv\":\"YSxiCjEsMgo=\"}}");
    g_assert_cmpstr(packed, ==, "[{\"a\":\"1\",\"b\":\"2\"}]");
    g_autofree char *tree = opened(definition, "tree", "<users><user/></users>");
    g_assert_cmpstr(tree, ==, "{\"users\":{\"user\":[]}}");
    g_assert_false(envelope_has(definition_call(definition, "me")));
}

static void errors_are_given_from_their_root_on(void) {
    g_autoptr(Definition) definition = support_aws(NULL, NULL);
    g_autoptr(GString) json = g_string_new(NULL);
    static const char body[] =
        "<ErrorResponse><Error><Code>NoSuchEntity</Code></Error></ErrorResponse>";
    g_assert_true(
        envelope_open_error(definition_call(definition, "users"), body, strlen(body), json, NULL));
    g_assert_cmpstr(json->str, ==, "{\"ErrorResponse\":{\"Error\":{\"Code\":\"NoSuchEntity\"}}}");
    g_string_truncate(json, 0);
    g_assert_true(
        envelope_open_error(definition_call(definition, "keys"), "{\"a\":1}", 7, json, NULL));
    g_assert_cmpstr(json->str, ==, "{\"a\":1}");
    g_string_truncate(json, 0);
    g_assert_true(envelope_open_error(definition_call(definition, "users"), "", 0, json, NULL));
    g_assert_cmpuint(json->len, ==, 0);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(test) g_test_add_func("/provider/envelope/" #test, test)
    ADD(a_query_answer_is_its_result);
    ADD(an_answer_is_opened_behind_what_was_there);
    ADD(empty_lists_are_arrays_where_rows_or_expressions_look);
    ADD(an_ec2_answer_has_no_result);
    ADD(a_rest_answer_is_the_inside_of_any_root);
    ADD(a_map_is_an_object);
    ADD(an_answer_without_anything_in_it_is_an_empty_object);
    ADD(json_answers_have_no_envelope);
    ADD(the_answer_of_another_operation_is_refused);
    ADD(a_table_in_base64_becomes_an_array_of_objects);
    ADD(a_report_without_its_table_is_refused);
    ADD(tables_and_xml_are_for_other_providers_too);
    ADD(errors_are_given_from_their_root_on);
    return g_test_run();
}
