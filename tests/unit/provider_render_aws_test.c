/* Requests to AWS: hosts, forms, targets, and what they must be signed for. */
#include "provider/render.h"
#include "provider_support.h"

static const char *header(const RenderedRequest *request, const char *name) {
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    }
    return NULL;
}

static void assert_goes_to(SupportRender *fixture, const char *call, const char *env,
                           const char *url, const char *region) {
    RenderedRequest request = support_rendered(fixture, call, env, NULL);
    g_assert_cmpstr(request.url, ==, url);
    g_assert_cmpstr(request.region, ==, region);
    g_assert_true(request.service == definition_call(fixture->definition, call)->service);
    rendered_request_clear(&request);
}

static void assert_not_rendered(SupportRender *fixture, const char *call, const char *env,
                                const char *message) {
    g_auto(Value) root = support_value(env);
    RenderedRequest request;
    g_autoptr(GError) error = NULL;
    g_assert_false(render_call(fixture->render, definition_call(fixture->definition, call), root,
                               NULL, &request, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    g_assert_cmpstr(error->message, ==, message);
}

#define NO_REGION(call) "the region of the call '" call "' is not the name of one such as eu-west-1"
#define IRELAND "{\"region\":{\"regionName\":\"eu-west-1\"}}"
#define BUCKET(name) "{\"bucket\":{\"Name\":\"" name "\",\"BucketRegion\":\"eu-west-1\"}}"

/* --- protocols -------------------------------------------------------------------------------- */

static void a_query_call_is_a_form(void) {
    SupportRender fixture = support_render_new(support_aws(NULL, NULL), "{}");
    RenderedRequest request =
        support_rendered(&fixture, "devices", "{\"user\":{\"UserName\":\"a+b c/d=\"}}", NULL);
    g_assert_cmpstr(request.method, ==, "POST");
    g_assert_cmpstr(request.url, ==, "https://iam.amazonaws.com/");
    g_assert_cmpstr(request.body, ==,
                    "Action=ListMFADevices&Version=2010-05-08&UserName=a%2Bb%20c%2Fd%3D"
                    "&Filter.member.1=a%20b");
    g_assert_cmpuint(request.body_size, ==, strlen(request.body));
    g_assert_cmpstr(header(&request, "Content-Type"), ==,
                    "application/x-www-form-urlencoded; charset=utf-8");
    g_assert_cmpstr(request.region, ==, "us-east-1");
    g_assert_cmpstr(request.service->name, ==, "iam");
    rendered_request_clear(&request);
    support_render_clear(&fixture);
}

static void a_json_call_has_a_target_and_a_body(void) {
    SupportRender fixture = support_render_new(support_aws(NULL, NULL), "{}");
    RenderedRequest request = support_rendered(&fixture, "keys", IRELAND, NULL);
    g_assert_cmpstr(request.method, ==, "POST");
    g_assert_cmpstr(request.url, ==, "https://kms.eu-west-1.amazonaws.com/");
    g_assert_cmpstr(request.body, ==, "{}");
    g_assert_cmpstr(header(&request, "Content-Type"), ==, "application/x-amz-json-1.1");
    g_assert_cmpstr(header(&request, "X-Amz-Target"), ==, "TrentService.ListKeys");
    rendered_request_clear(&request);
    request = support_rendered(&fixture, "key", "{\"key\":{\"KeyId\":\"k\"}}", NULL);
    g_assert_cmpstr(request.body, ==, "{\"KeyId\":\"k\"}");
    g_assert_cmpstr(header(&request, "X-Amz-Target"), ==, "TrentService.DescribeKey");
    rendered_request_clear(&request);
    support_render_clear(&fixture);
}

static void a_rest_call_has_verb_and_path(void) {
    SupportRender fixture = support_render_new(support_aws(NULL, NULL), "{}");
    RenderedRequest request = support_rendered(&fixture, "hub", IRELAND, NULL);
    g_assert_cmpstr(request.method, ==, "GET");
    g_assert_cmpstr(request.url, ==, "https://securityhub.eu-west-1.amazonaws.com/accounts");
    g_assert_null(request.body);
    g_assert_null(header(&request, "Content-Type"));
    rendered_request_clear(&request);
    request = support_rendered(&fixture, "findings", IRELAND, NULL);
    g_assert_cmpstr(request.method, ==, "POST");
    g_assert_cmpstr(request.url, ==, "https://securityhub.eu-west-1.amazonaws.com/findings");
    g_assert_cmpstr(request.body, ==, "{\"MaxResults\":100}");
    g_assert_cmpstr(header(&request, "Content-Type"), ==, "application/json");
    rendered_request_clear(&request);
    support_render_clear(&fixture);
}

/* --- regions and partitions ------------------------------------------------------------------- */

static void calls_go_to_the_region_that_is_read(void) {
    SupportRender fixture = support_render_new(support_aws(NULL, NULL), "{\"partition\":\"aws\"}");
    assert_goes_to(&fixture, "vpcs", IRELAND, "https://ec2.eu-west-1.amazonaws.com/", "eu-west-1");
    assert_goes_to(&fixture, "vpcs", "{}", "https://ec2.us-east-1.amazonaws.com/", "us-east-1");
    assert_goes_to(&fixture, "caller", IRELAND, "https://sts.us-east-1.amazonaws.com/",
                   "us-east-1");
    assert_goes_to(&fixture, "users", IRELAND, "https://iam.amazonaws.com/", "us-east-1");
    assert_goes_to(&fixture, "encryption", "{\"bucket\":{\"Name\":\"logs\",\"BucketRegion\":null}}",
                   "https://logs.s3.us-east-1.amazonaws.com/?encryption", "us-east-1");
    support_render_clear(&fixture);
}

static void partitions_have_hosts_of_their_own(void) {
    SupportRender fixture =
        support_render_new(support_aws(NULL, NULL), "{\"partition\":\"aws-us-gov\"}");
    assert_goes_to(&fixture, "users", "{}", "https://iam.us-gov.amazonaws.com/", "us-gov-west-1");
    assert_goes_to(&fixture, "vpcs", "{}", "https://ec2.us-gov-west-1.amazonaws.com/",
                   "us-gov-west-1");
    support_render_clear(&fixture);
    fixture = support_render_new(support_aws(NULL, NULL), "{\"partition\":\"aws-cn\"}");
    assert_goes_to(&fixture, "vpcs", "{\"region\":{\"regionName\":\"cn-north-1\"}}",
                   "https://ec2.cn-north-1.amazonaws.com.cn/", "cn-north-1");
    assert_goes_to(&fixture, "caller", "{}", "https://sts.cn-northwest-1.amazonaws.com.cn/",
                   "cn-northwest-1");
    assert_not_rendered(&fixture, "users", "{}",
                        "the service iam is not known in the partition aws-cn");
    support_render_clear(&fixture);
}

static void an_unknown_partition_is_refused(void) {
    g_autoptr(Definition) definition = support_aws(NULL, NULL);
    g_auto(Value) settings = support_value("{\"partition\":\"mars\"}");
    g_autoptr(GError) error = NULL;
    g_autoptr(Render) render = render_new(definition, settings, 0, &error);
    g_assert_null(render);
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    g_assert_cmpstr(error->message, ==,
                    "the setting partition is one of aws, aws-us-gov and aws-cn");
}

/* What a person or a service says is a region becomes part of a host. */
static void a_region_that_is_no_name_is_refused(void) {
    SupportRender fixture = support_render_new(support_aws(NULL, NULL), "{}");
    static const char *const regions[] = {
        "\"evil.test/\"", "\"eu-west-1.evil\"", "17", "{}", "\"\"", "\"EU\""};
    for (size_t i = 0; i < G_N_ELEMENTS(regions); i++) {
        g_autofree char *env = g_strdup_printf("{\"region\":{\"regionName\":%s}}", regions[i]);
        assert_not_rendered(&fixture, "vpcs", env, NO_REGION("vpcs"));
    }
    support_render_clear(&fixture);
    fixture =
        support_render_new(support_aws(NULL, NULL),
                           "{\"endpoint_url\":\"http://127.0.0.1:1\",\"allow_private\":true}");
    assert_not_rendered(&fixture, "vpcs", "{\"region\":{\"regionName\":\"a/b\"}}",
                        NO_REGION("vpcs"));
    support_render_clear(&fixture);
}

/* --- S3 --------------------------------------------------------------------------------------- */

static void a_bucket_stands_in_the_host_where_it_fits(void) {
    SupportRender fixture = support_render_new(support_aws(NULL, NULL), "{}");
    static const struct {
        const char *bucket;
        const char *url;
    } cases[] = {
        {BUCKET("logs"), "https://logs.s3.eu-west-1.amazonaws.com/?encryption"},
        {BUCKET("my-logs-2"), "https://my-logs-2.s3.eu-west-1.amazonaws.com/?encryption"},
        {BUCKET("my.logs"), "https://s3.eu-west-1.amazonaws.com/my.logs?encryption"},
        {BUCKET("Old_Name"), "https://s3.eu-west-1.amazonaws.com/Old_Name?encryption"},
        {BUCKET("a/b"), "https://s3.eu-west-1.amazonaws.com/a%2Fb?encryption"},
        {BUCKET("ab"), "https://s3.eu-west-1.amazonaws.com/ab?encryption"},
        {BUCKET("-ab"), "https://s3.eu-west-1.amazonaws.com/-ab?encryption"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_goes_to(&fixture, "encryption", cases[i].bucket, cases[i].url, "eu-west-1");
    assert_goes_to(&fixture, "buckets", "{}",
                   "https://s3.us-east-1.amazonaws.com/?max-buckets=1000", "us-east-1");
    support_render_clear(&fixture);
}

static void a_path_after_the_bucket_stays(void) {
    static const char calls[] = "calls:\n"
                                "  thing: {aws: s3.GetThing, get: '/\\(.bucket)/a/\\(.key)'}\n";
    SupportRender fixture = support_render_new(support_aws(calls, "evidence: {}\n"), "{}");
    assert_goes_to(&fixture, "thing", "{\"bucket\":\"logs\",\"key\":\"k\"}",
                   "https://logs.s3.us-east-1.amazonaws.com/a/k", "us-east-1");
    support_render_clear(&fixture);
}

static void what_stands_before_a_host_is_part_of_it(void) {
    SupportRender fixture = support_render_new(support_aws(NULL, NULL), "{}");
    RenderedRequest request = support_rendered(&fixture, "account_block",
                                               "{\"me\":{\"Account\":\"123456789012\"}}", NULL);
    g_assert_cmpstr(request.url, ==,
                    "https://123456789012.s3-control.us-east-1.amazonaws.com/v20180820/"
                    "configuration/publicAccessBlock");
    g_assert_cmpstr(header(&request, "x-amz-account-id"), ==, "123456789012");
    g_assert_cmpstr(request.service->sign_as, ==, "s3");
    rendered_request_clear(&request);
    assert_not_rendered(&fixture, "account_block", "{\"me\":{\"Account\":\"evil.test/\"}}",
                        "the host of the call 'account_block' is none");
    support_render_clear(&fixture);
}

/* --- endpoint_url ----------------------------------------------------------------------------- */

static void the_endpoint_url_replaces_every_host(void) {
    SupportRender fixture =
        support_render_new(support_aws(NULL, NULL),
                           "{\"endpoint_url\":\"http://127.0.0.1:8099/\",\"allow_private\":true}");
    g_assert_cmpstr(render_base_url(fixture.render), ==, "http://127.0.0.1:8099");
    assert_goes_to(&fixture, "users", "{}", "http://127.0.0.1:8099/", "us-east-1");
    assert_goes_to(&fixture, "vpcs", IRELAND, "http://127.0.0.1:8099/", "eu-west-1");
    assert_goes_to(&fixture, "encryption", BUCKET("logs"), "http://127.0.0.1:8099/logs?encryption",
                   "eu-west-1");
    assert_goes_to(&fixture, "account_block", "{\"me\":{\"Account\":\"1\"}}",
                   "http://127.0.0.1:8099/v20180820/configuration/publicAccessBlock", "us-east-1");
    support_render_clear(&fixture);
    SupportRender plain = support_render_new(support_aws(NULL, NULL), "{}");
    g_assert_null(render_base_url(plain.render));
    g_autoptr(GError) error = NULL;
    g_assert_false(render_allows(plain.render, "https://evil.test/", &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    support_render_clear(&plain);
}

/* --- pages ------------------------------------------------------------------------------------ */

/* The second page of a list, whose first announced the token "t/2". */
static RenderedRequest second_page(SupportRender *fixture, const char *call, const char *env,
                                   const char *body) {
    g_autoptr(Pager) pager = pager_new(fixture->definition, 0);
    g_autoptr(Page) page = page_new(pager, definition_call(fixture->definition, call));
    g_auto(Value) value = support_value(body);
    PageAnswer answer = {.body = value, .url = "https://x.test/", .rows = 1, .bytes = 10};
    g_assert_cmpint(page_next(page, &answer), ==, PAGE_MORE);
    return support_rendered(fixture, call, env, page);
}

static void tokens_go_where_the_protocol_wants_them(void) {
    SupportRender fixture = support_render_new(support_aws(NULL, NULL), "{}");
    RenderedRequest request =
        second_page(&fixture, "users", "{}", "{\"IsTruncated\":\"true\",\"Marker\":\"t/2\"}");
    g_assert_cmpstr(request.body, ==,
                    "Action=ListUsers&Version=2010-05-08&MaxItems=1000&Marker=t%2F2");
    g_assert_cmpstr(request.url, ==, "https://iam.amazonaws.com/");
    rendered_request_clear(&request);
    request = second_page(&fixture, "vpcs", IRELAND, "{\"nextToken\":\"t/2\"}");
    g_assert_cmpstr(request.body, ==, "Action=DescribeVpcs&Version=2016-11-15&NextToken=t%2F2");
    rendered_request_clear(&request);
    request = second_page(&fixture, "buckets", "{}", "{\"ContinuationToken\":\"t/2\"}");
    g_assert_cmpstr(request.url, ==,
                    "https://s3.us-east-1.amazonaws.com/?max-buckets=1000"
                    "&continuation-token=t%2F2");
    rendered_request_clear(&request);
    request = second_page(&fixture, "keys", IRELAND, "{\"NextMarker\":\"t/2\"}");
    g_assert_cmpstr(request.body, ==, "{\"Marker\":\"t/2\"}");
    rendered_request_clear(&request);
    request = second_page(&fixture, "findings", IRELAND, "{\"NextToken\":\"t/2\"}");
    g_assert_cmpstr(request.body, ==, "{\"MaxResults\":100,\"NextToken\":\"t/2\"}");
    rendered_request_clear(&request);
    support_render_clear(&fixture);
}

static void parameters_that_are_null_are_left_out(void) {
    static const char calls[] =
        "calls:\n"
        "  users: {aws: iam.ListUsers, params: {PathPrefix: '\\(.settings.path)', MaxItems: 5,\n"
        "    Marker: first}, rows: .Users.member}\n";
    SupportRender fixture = support_render_new(support_aws(calls, "evidence: {}\n"), "{}");
    RenderedRequest request = support_rendered(&fixture, "users", "{\"settings\":{}}", NULL);
    g_assert_cmpstr(request.body, ==,
                    "Action=ListUsers&Version=2010-05-08&MaxItems=5&Marker=first");
    rendered_request_clear(&request);
    request = second_page(&fixture, "users", "{\"settings\":{\"path\":\"/a/\"}}",
                          "{\"IsTruncated\":\"true\",\"Marker\":\"m\"}");
    g_assert_cmpstr(request.body, ==,
                    "Action=ListUsers&Version=2010-05-08&PathPrefix=%2Fa%2F&MaxItems=5&Marker=m");
    rendered_request_clear(&request);
    support_render_clear(&fixture);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/render_aws/" #name, name)
    TEST(a_query_call_is_a_form);
    TEST(a_json_call_has_a_target_and_a_body);
    TEST(a_rest_call_has_verb_and_path);
    TEST(calls_go_to_the_region_that_is_read);
    TEST(partitions_have_hosts_of_their_own);
    TEST(an_unknown_partition_is_refused);
    TEST(a_region_that_is_no_name_is_refused);
    TEST(a_bucket_stands_in_the_host_where_it_fits);
    TEST(a_path_after_the_bucket_stays);
    TEST(what_stands_before_a_host_is_part_of_it);
    TEST(the_endpoint_url_replaces_every_host);
    TEST(tokens_go_where_the_protocol_wants_them);
    TEST(parameters_that_are_null_are_left_out);
    return g_test_run();
}
