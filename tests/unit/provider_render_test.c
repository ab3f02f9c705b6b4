/* Requests: what a call becomes, and which requests are never made. */
#include "provider/render.h"
#include "provider_support.h"

static void assert_url(SupportRender *fixture, const char *call, const char *env, const char *url) {
    RenderedRequest request = support_rendered(fixture, call, env, NULL);
    g_assert_cmpstr(request.url, ==, url);
    rendered_request_clear(&request);
}

static void assert_not_rendered(SupportRender *fixture, const char *call, const char *env) {
    g_auto(Value) root = support_value(env);
    RenderedRequest request;
    g_autoptr(GError) error = NULL;
    g_assert_false(render_call(fixture->render, definition_call(fixture->definition, call), root,
                               NULL, &request, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
}

static void assert_no_render(const char *settings, const char *message) {
    g_autoptr(Definition) definition = support_load(&(SupportParts){.head = NULL});
    g_auto(Value) value = support_value(settings);
    g_autoptr(GError) error = NULL;
    g_autoptr(Render) render = render_new(definition, value, 0, &error);
    g_assert_null(render);
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    g_assert_nonnull(strstr(error->message, message));
}

#define ACME "{\"organization\":\"acme\",\"api_url\":\"https://api.github.com\"}"
#define REPO "{\"settings\":" ACME ",\"repo\":{\"name\":\"api\",\"owner\":{\"login\":\"acme\"}"

static void github_calls_become_requests(void) {
    SupportRender fixture = support_render_new(support_github(), ACME);
    assert_url(&fixture, "repos", "{\"settings\":" ACME "}",
               "https://api.github.com/orgs/acme/repos?per_page=100&type=all");
    assert_url(&fixture, "whoami", "{}", "https://api.github.com/user");
    assert_url(&fixture, "protection", REPO ",\"default_branch\":\"main\"}}",
               "https://api.github.com/repos/acme/api/branches/main/protection");
    assert_url(&fixture, "branch_rules", REPO ",\"default_branch\":\"release/1.x\"}}",
               "https://api.github.com/repos/acme/api/rules/branches/release%2F1.x?per_page=100");
    assert_url(&fixture, "dependabot_alerts", REPO "}}",
               "https://api.github.com/repos/acme/api/dependabot/alerts?per_page=100&state=open");
    RenderedRequest request = support_rendered(&fixture, "whoami", "{}", NULL);
    g_assert_cmpstr(request.method, ==, "GET");
    g_assert_cmpuint(request.header_count, ==, 2);
    g_assert_cmpstr(request.headers[0].name, ==, "Accept");
    g_assert_cmpstr(request.headers[0].value, ==, "application/vnd.github+json");
    g_assert_cmpstr(request.headers[1].value, ==, "2022-11-28");
    g_assert_null(request.body);
    rendered_request_clear(&request);
    support_render_clear(&fixture);
}

/* What a provider or a person puts into a name stays in its segment. */
static void hostile_values_cannot_break_out_of_their_place(void) {
    SupportRender fixture = support_render_new(support_github(), ACME);
    assert_url(&fixture, "protection", REPO ",\"default_branch\":\"a?b=c&d#e/../f\\r\\nX: y\"}}",
               "https://api.github.com/repos/acme/api/branches/"
               "a%3Fb%3Dc%26d%23e%2F..%2Ff%0D%0AX%3A%20y/protection");
    assert_url(&fixture, "protection", REPO ",\"default_branch\":\"h\\u00e4\"}}",
               "https://api.github.com/repos/acme/api/branches/h%C3%A4/protection");
    assert_not_rendered(&fixture, "protection", REPO ",\"default_branch\":\"..\"}}");
    assert_not_rendered(&fixture, "protection", REPO ",\"default_branch\":\"\"}}");
    assert_not_rendered(&fixture, "protection", REPO ",\"default_branch\":null}}");
    assert_not_rendered(&fixture, "protection", REPO ",\"default_branch\":{}}}");
    assert_not_rendered(&fixture, "protection", "{}");
    support_render_clear(&fixture);
}

static void a_base_url_may_have_a_path_and_a_final_slash(void) {
    SupportRender fixture = support_render_new(
        support_github(),
        "{\"organization\":\"acme\",\"api_url\":\"https://ghe.acme.test:8443/api/v3/\"}");
    g_assert_cmpstr(render_base_url(fixture.render), ==, "https://ghe.acme.test:8443/api/v3");
    assert_url(&fixture, "whoami", "{}", "https://ghe.acme.test:8443/api/v3/user");
    support_render_clear(&fixture);
}

static void the_endpoint_url_replaces_the_base(void) {
    SupportRender fixture = support_render_new(
        support_github(), "{\"organization\":\"acme\",\"api_url\":\"https://api.github.com\","
                          "\"endpoint_url\":\"http://127.0.0.1:8099\","
                          "\"allow_private\":true}");
    assert_url(&fixture, "whoami", "{}", "http://127.0.0.1:8099/user");
    support_render_clear(&fixture);
}

static void only_declared_hosts_over_tls_are_called(void) {
    assert_no_render("{\"api_url\":\"http://api.demo.test\"}", "allow_private");
    assert_no_render("{\"api_url\":\"ftp://api.demo.test\"}", "https");
    assert_no_render("{\"api_url\":\"https://\"}", "not a URL");
    assert_no_render("{\"api_url\":\"https://a@api.demo.test\"}", "not a URL");
    assert_no_render("{\"api_url\":\"https://api.demo.test?x\"}", "not a URL");
    assert_no_render("{\"api_url\":17}", "not a URL");
    assert_no_render("{}", "");
    SupportRender fixture =
        support_render_new(support_load(&(SupportParts){.head = NULL}),
                           "{\"api_url\":\"http://127.0.0.1:1\",\"allow_private\":\"true\"}");
    g_assert_cmpstr(render_base_url(fixture.render), ==, "http://127.0.0.1:1");
    support_render_clear(&fixture);
}

static void a_host_that_no_setting_names_is_refused(void) {
    static const char http[] = "http:\n  base_url: '\"https://\\(.settings.team).test\"'\n";
    g_autoptr(Definition) definition = support_load(&(SupportParts){.http = http});
    g_auto(Value) settings = support_value("{\"team\":\"evil\"}");
    g_autoptr(GError) error = NULL;
    g_autoptr(Render) render = render_new(definition, settings, 0, &error);
    g_assert_null(render);
    g_assert_nonnull(strstr(error->message, "evil.test"));
    g_auto(Value) right = support_value("{\"team\":\"api.demo\"}");
    g_autoptr(Render) allowed = render_new(definition, right, 0, NULL);
    g_assert_nonnull(allowed);
}

static void urls_of_the_provider_are_held_against_the_same_rules(void) {
    static const struct {
        const char *url;
        bool allowed;
    } cases[] = {
        {"https://api.github.com/repositories/1/rules?page=2", true},
        {"https://api.github.com", false}, /* no path: nothing that we ever asked for */
        {"https://API.github.com/user", true},
        {"https://api.github.com:443/user", true},
        {"https://api.github.com:8443/user", false},
        {"http://api.github.com/user", false},
        {"https://api.github.com.evil.test/user", false},
        {"https://api.github.com@evil.test/user", false},
        {"https://evil.test/user", false},
        {"https://169.254.169.254/latest", false},
        {"https://api.github.com/a b", false},
        {"https://api.github.com/a\r\nX: y", false},
        {"https://api.github.com/\\evil.test", false},
        {"https://api.github.com/x#y", false},
        {"file:///etc/passwd", false},
        {"//evil.test/x", false},
        {"", false},
    };
    SupportRender fixture = support_render_new(support_github(), ACME);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        bool bare = i == 1;
        g_assert_cmpint(render_allows(fixture.render, cases[i].url, &error), ==,
                        cases[i].allowed || bare);
    }
    g_autofree char *endless = g_strnfill(RENDER_MAX_URL, 'a');
    g_autofree char *long_url = g_strconcat("https://api.github.com/", endless, NULL);
    g_autoptr(GError) error = NULL;
    g_assert_false(render_allows(fixture.render, long_url, &error));
    support_render_clear(&fixture);
}

static const char *next_link(void *data, const char *name) {
    return strcmp(name, "link") == 0 ? data : NULL;
}

static void paging_links_are_followed_on_the_same_server_only(void) {
    static const struct {
        const char *link;
        const char *url;
    } cases[] = {
        {"<https://api.github.com/organizations/1/repos?page=2>; rel=\"next\"",
         "https://api.github.com/organizations/1/repos?page=2"},
        {"<https://evil.test/organizations/1/repos?page=2>; rel=\"next\"", NULL},
        {"<https://api.github.com:8443/x>; rel=\"next\"", NULL},
        {"<http://api.github.com/x>; rel=\"next\"", NULL},
    };
    SupportRender fixture = support_render_new(support_github(), ACME);
    g_autoptr(Pager) pager = pager_new(fixture.definition, 0);
    g_auto(Value) env = support_value("{\"settings\":" ACME "}");
    const DefinitionCall *call = definition_call(fixture.definition, "repos");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Page) page = page_new(pager, call);
        PageAnswer answer = {.header = next_link,
                             .header_data = (void *)(uintptr_t)cases[i].link,
                             .url = "https://api.github.com/orgs/acme/repos"};
        g_assert_cmpint(page_next(page, &answer), ==, PAGE_MORE);
        RenderedRequest request = {.url = NULL};
        bool done = render_call(fixture.render, call, env, page, &request, NULL);
        g_assert_cmpint(done, ==, cases[i].url != NULL);
        g_assert_cmpstr(request.url, ==, cases[i].url);
        rendered_request_clear(&request);
    }
    support_render_clear(&fixture);
}

static const char rich_calls[] =
    "calls:\n"
    "  users:\n"
    "    get: /users\n"
    "    rows: .\n"
    "    query: {q: '\\(.settings.filter)', a b: 'x y', both: 'p\\(.settings.filter)', page: 9}\n"
    "    headers: {Accept: text/plain, X-Team: '\\(.settings.team)', X-None: '\\(.settings.no)'}\n"
    "    page: {style: page, send: {query: page, size: size}, size: 50}\n"
    "  keys: {get: '/users/\\(.user.id)/keys?x=1', rows: ., query: {y: 2}}\n"
    "  profile: {get: '/users/\\(.user.id)/profile'}\n"
    "  search:\n"
    "    post: /search\n"
    "    json: '{team: .settings.team, size: 10}'\n"
    "    rows: .items\n"
    "    page: {style: token, from: .next, send: {body: cursor}}\n";

static SupportRender rich_fixture(void) {
    return support_render_new(support_load(&(SupportParts){.calls = rich_calls}),
                              "{\"api_url\":\"https://api.demo.test\",\"team\":\"red\"}");
}

static void null_parameters_are_left_out_and_pages_replace_their_own(void) {
    SupportRender fixture = rich_fixture();
    g_autoptr(Pager) pager = pager_new(fixture.definition, 0);
    g_autoptr(Page) page = page_new(pager, definition_call(fixture.definition, "users"));
    RenderedRequest request = support_rendered(
        &fixture, "users", "{\"settings\":{\"filter\":\"f&g\",\"team\":\"red\"}}", page);
    g_assert_cmpstr(request.url, ==,
                    "https://api.demo.test/users?q=f%26g&a%20b=x%20y&both=pf%26g&page=1&size=50");
    rendered_request_clear(&request);
    assert_not_rendered(&fixture, "users", "{\"settings\":{\"team\":\"red\"}}");
    assert_url(&fixture, "keys", "{\"user\":{\"id\":7}}",
               "https://api.demo.test/users/7/keys?x=1&y=2");
    support_render_clear(&fixture);
}

static void headers_of_a_call_replace_common_ones_and_null_leaves_out(void) {
    SupportRender fixture = rich_fixture();
    RenderedRequest request = support_rendered(
        &fixture, "users", "{\"settings\":{\"filter\":\"f\",\"team\":\"red\"}}", NULL);
    g_assert_cmpuint(request.header_count, ==, 2);
    g_assert_cmpstr(request.headers[0].value, ==, "text/plain");
    g_assert_cmpstr(request.headers[1].name, ==, "X-Team");
    g_assert_cmpstr(request.headers[1].value, ==, "red");
    rendered_request_clear(&request);
    assert_not_rendered(&fixture, "users",
                        "{\"settings\":{\"filter\":\"f\",\"team\":\"red\\r\\nX-Evil: 1\"}}");
    support_render_clear(&fixture);
}

static void a_post_has_a_json_body_with_the_cursor(void) {
    SupportRender fixture = rich_fixture();
    g_autoptr(Pager) pager = pager_new(fixture.definition, 0);
    g_autoptr(Page) page = page_new(pager, definition_call(fixture.definition, "search"));
    static const char env[] = "{\"settings\":{\"team\":\"red\"}}";
    RenderedRequest request = support_rendered(&fixture, "search", env, page);
    g_assert_cmpstr(request.method, ==, "POST");
    g_assert_cmpstr(request.body, ==, "{\"size\":10,\"team\":\"red\"}");
    g_assert_cmpuint(request.body_size, ==, strlen(request.body));
    g_assert_cmpstr(request.headers[1].name, ==, "Content-Type");
    g_assert_cmpstr(request.headers[1].value, ==, "application/json");
    rendered_request_clear(&request);
    g_auto(Value) body = support_value("{\"next\":\"c\\\"1\"}");
    PageAnswer answer = {.header = next_link, .body = body, .url = "https://api.demo.test/search"};
    g_assert_cmpint(page_next(page, &answer), ==, PAGE_MORE);
    request = support_rendered(&fixture, "search", env, page);
    g_assert_cmpstr(request.body, ==, "{\"cursor\":\"c\\\"1\",\"size\":10,\"team\":\"red\"}");
    rendered_request_clear(&request);
    support_render_clear(&fixture);
}

static void the_same_input_gives_the_same_request_every_time(void) {
    SupportRender fixture = support_render_new(support_github(), ACME);
    g_autofree char *first = NULL;
    for (int i = 0; i < 100; i++) {
        RenderedRequest request =
            support_rendered(&fixture, "protection", REPO ",\"default_branch\":\"main\"}}", NULL);
        if (first == NULL)
            first = g_strdup(request.url);
        g_assert_cmpstr(request.url, ==, first);
        rendered_request_clear(&request);
    }
    support_render_clear(&fixture);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/render/" #name, name)
    TEST(github_calls_become_requests);
    TEST(hostile_values_cannot_break_out_of_their_place);
    TEST(a_base_url_may_have_a_path_and_a_final_slash);
    TEST(the_endpoint_url_replaces_the_base);
    TEST(only_declared_hosts_over_tls_are_called);
    TEST(a_host_that_no_setting_names_is_refused);
    TEST(urls_of_the_provider_are_held_against_the_same_rules);
    TEST(paging_links_are_followed_on_the_same_server_only);
    TEST(null_parameters_are_left_out_and_pages_replace_their_own);
    TEST(headers_of_a_call_replace_common_ones_and_null_leaves_out);
    TEST(a_post_has_a_json_body_with_the_cursor);
    TEST(the_same_input_gives_the_same_request_every_time);
    return g_test_run();
}
