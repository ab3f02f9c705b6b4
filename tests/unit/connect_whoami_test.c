/* Who is at the other end: the test of a connection before anything is stored. */
#include "unit/connect_support.h"
#include "unit/freed.h"
#include "unit/net_support.h"
#include "unit/provider_support.h"

#include "base/clock.h"
#include "base/error.h"
#include "connect/settings.h"
#include "connect/whoami.h"

#include <string.h>

#define ANSWER(body)                                                                               \
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n" body
#define REFUSAL(status, fields) "HTTP/1.1 " status "\r\nContent-Length: 0\r\n" fields "\r\n"
#define ME ANSWER("{\"login\": \"mona\", \"id\": 583231, \"token\": \"" PLANTED "\"}")

static const char identity_part[] = "identity:\n"
                                    "  call: me\n"
                                    "  reply: {user: .login, accountId: .id}\n"
                                    "  organizations: {call: orgs, value: .name}\n";
static const char lone_identity[] = "identity:\n"
                                    "  call: me\n"
                                    "  reply: {user: .login, arn: .arn}\n";
static const char calls[] = "  me: {get: /me, needs: {scope: [profile]}}\n"
                            "  orgs: {get: /orgs, rows: ., page: {style: link}}\n";

/* What one test does: the peer's script, and what whoami_fetch() made of it. */
typedef struct {
    Wire wire;
    Peer *peer;
    Sender *sender;
    Json *account;
} Visit;

static void visit_clear(Visit *visit) {
    sender_free(visit->sender);
    wire_clear(&visit->wire);
    peer_free(visit->peer);
    json_free(visit->account);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Visit, visit_clear)

static void visit_init(Visit *visit, const char *identity, const PeerStep *steps, size_t count) {
    wire_init(&visit->wire, NULL, identity, calls);
    visit->peer = peer_new(steps, count);
    g_autofree char *url = peer_url(visit->peer, "");
    json_put_string(visit->wire.settings, "api_url", url);
    visit->sender = wire_sender(&visit->wire, "test", PLANTED);
}

static bool fetch(Visit *visit, GError **error) {
    return whoami_fetch(visit->wire.client, visit->sender, visit->wire.definition,
                        visit->wire.settings, &visit->account, error);
}

static void assert_account(const Visit *visit, const char *expected) {
    g_autofree char *text = json_print(visit->account, JSON_SORTED);
    g_assert_cmpstr(text, ==, expected);
}

/* --- the account ------------------------------------------------------------------------------ */

static void account_tells_user_id_and_organizations(void) {
    PeerStep steps[] = {
        {.bytes = ME, .then = PEER_CLOSE},
        {.bytes = ANSWER("[{\"name\": \"acme\"}, {\"name\": \"beta\"}]"), .then = PEER_CLOSE}};
    g_auto(Visit) visit = {0};
    visit_init(&visit, identity_part, steps, G_N_ELEMENTS(steps));
    must(fetch(&visit, &error));
    assert_account(&visit,
                   "{\"accountId\":\"583231\",\"organizations\":[\"acme\",\"beta\"],\"user\":"
                   "\"mona\"}");
    g_autofree char *first = peer_request(visit.peer, 0);
    g_autofree char *second = peer_request(visit.peer, 1);
    assert_holds(first, "GET /me HTTP/1.1\r\n");
    assert_holds(second, "GET /orgs HTTP/1.1\r\n");
    assert_holds(second, "\r\nAuthorization: Bearer " PLANTED "\r\n");
}

static void organizations_are_read_page_by_page(void) {
    PeerStep steps[] = {
        {.bytes = ME, .then = PEER_CLOSE},
        {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n"
                  "Link: </orgs?page=2>; rel=\"next\"\r\n\r\n[{\"name\": \"first\"}]"},
        {.bytes = ANSWER("[{\"name\": \"second\"}, {\"name\": 3}, {}]"), .then = PEER_CLOSE}};
    g_auto(Visit) visit = {0};
    visit_init(&visit, identity_part, steps, G_N_ELEMENTS(steps));
    must(fetch(&visit, &error));
    assert_account(&visit, "{\"accountId\":\"583231\",\"organizations\":[\"first\",\"second\","
                           "\"3\"],\"user\":\"mona\"}");
    g_autofree char *third = peer_request(visit.peer, 2);
    assert_holds(third, "GET /orgs?page=2 HTTP/1.1\r\n");
    g_assert_cmpuint(peer_requests(visit.peer), ==, 3);
}

static void a_list_of_organizations_that_loops_ends(void) {
    PeerStep steps[] = {{.bytes = ME, .then = PEER_CLOSE},
                        {.bytes =
                             "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n"
                             "Link: </orgs?page=2>; rel=\"next\"\r\n\r\n[{\"name\": \"first\"}]"}};
    g_auto(Visit) visit = {0};
    visit_init(&visit, identity_part, steps, G_N_ELEMENTS(steps));
    must(fetch(&visit, &error));
    g_assert_cmpuint(peer_requests(visit.peer), <=, 4);
    const char *name = json_text(json_item(json_member(visit.account, "organizations"), 0));
    g_assert_cmpstr(name, ==, "first");
}

/* Its pages go to another host, with the token: not followed. */
static void organizations_at_another_host_are_not_asked_for(void) {
    PeerStep other_steps[] = {{.bytes = ANSWER("[]"), .then = PEER_CLOSE}};
    g_autoptr(Peer) other = peer_new(other_steps, 1);
    g_autofree char *page = g_strdup_printf("HTTP/1.1 200 OK\r\nContent-Length: 19\r\nLink: "
                                            "<http://127.0.0.1:%u/>; rel=\"next\"\r\n\r\n"
                                            "[{\"name\": \"first\"}]",
                                            peer_port(other));
    PeerStep steps[] = {{.bytes = ME, .then = PEER_CLOSE}, {.bytes = page}};
    g_auto(Visit) visit = {0};
    visit_init(&visit, identity_part, steps, G_N_ELEMENTS(steps));
    must(fetch(&visit, &error));
    g_assert_cmpuint(peer_connections(other), ==, 0);
    g_assert_cmpuint(json_count(json_member(visit.account, "organizations")), ==, 1);
}

static void at_most_a_thousand_organizations_are_kept(void) {
    g_autoptr(GString) body = g_string_new("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[");
    for (int i = 0; i < 1200; i++)
        g_string_append_printf(body, "%s{\"name\": \"o%d\"}", i > 0 ? "," : "", i);
    g_string_append_c(body, ']');
    PeerStep steps[] = {{.bytes = ME, .then = PEER_CLOSE},
                        {.bytes = body->str, .then = PEER_CLOSE}};
    g_auto(Visit) visit = {0};
    visit_init(&visit, identity_part, steps, G_N_ELEMENTS(steps));
    must(fetch(&visit, &error));
    g_assert_cmpuint(json_count(json_member(visit.account, "organizations")), ==, 1000);
}

/* They are a convenience: who may not list them is connected all the same. */
static void organizations_that_cannot_be_read_are_no_failure(void) {
    static const char *const answers[] = {
        REFUSAL("403 No", ""), REFUSAL("429 Slow", "Retry-After: 3600\r\n"), ANSWER("[{\"name\": "),
        ANSWER("{\"name\": 1}"), ANSWER("17")};
    for (size_t i = 0; i < G_N_ELEMENTS(answers); i++) {
        PeerStep steps[] = {{.bytes = ME, .then = PEER_CLOSE},
                            {.bytes = answers[i], .then = PEER_CLOSE}};
        g_auto(Visit) visit = {0};
        visit_init(&visit, identity_part, steps, G_N_ELEMENTS(steps));
        must(fetch(&visit, &error));
        assert_account(&visit, "{\"accountId\":\"583231\",\"organizations\":[],\"user\":\"mona\"}");
    }
}

static void names_are_shown_short_and_on_one_line(void) {
    g_autofree char *name = g_strnfill(5000, 'x');
    g_autofree char *body = g_strdup_printf("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
                                            "{\"login\": \"a\\u001b[2J\\n%s\"}",
                                            name);
    PeerStep steps[] = {{.bytes = body, .then = PEER_CLOSE}};
    g_auto(Visit) visit = {0};
    visit_init(&visit, lone_identity, steps, 1);
    must(fetch(&visit, &error));
    const char *user = json_member_string(visit.account, "user", "");
    g_assert_true(g_str_has_prefix(user, "a?[2J?x"));
    g_assert_cmpuint(strlen(user), <, 600);
}

static void a_definition_without_identity_has_no_account(void) {
    PeerStep steps[] = {{.bytes = ME}};
    g_auto(Visit) visit = {0};
    visit_init(&visit, NULL, steps, 1);
    must(fetch(&visit, &error));
    assert_account(&visit, "{}");
    g_assert_cmpuint(peer_connections(visit.peer), ==, 0);
}

/* --- refusals --------------------------------------------------------------------------------- */

typedef struct {
    const char *answer;
    ErrorCode code;
    const char *says;
    unsigned requests;
} Refused;

static const Refused refused[] = {
    {REFUSAL("401 No", ""), ERROR_AUTHENTICATION_FAILED, "Invalid Demo credentials", 1},
    {REFUSAL("403 No", ""), ERROR_PERMISSION_DENIED,
     "Insufficient permissions for Demo. Please check scopes: profile (scope).", 1},
    {REFUSAL("404 None", ""), ERROR_CONFIGURATION, "Demo answered with status 404 to /me.", 1},
    {REFUSAL("302 Found", "Location: https://evil.test/\r\n"), ERROR_CONFIGURATION,
     "redirects to another place", 1},
    {REFUSAL("429 Slow", "Retry-After: 3600\r\n"), ERROR_RATE_LIMITED, "Rate limit exceeded", 1},
    {REFUSAL("503 Busy", ""), ERROR_SERVICE_UNAVAILABLE, "Demo answered with status 503", 3},
    {REFUSAL("408 Late", ""), ERROR_TIMEOUT, "No answer came in time", 3},
    {ANSWER("<html>" PLANTED "</html>"), ERROR_SERVICE_UNAVAILABLE,
     "Demo answered with status 200 to /me. The answer could not be read.", 2},
    {ANSWER("{\"login\": \"mona"), ERROR_SERVICE_UNAVAILABLE, "could not be read", 2},
    {ANSWER(""), ERROR_SERVICE_UNAVAILABLE, "could not be read", 2},
    {ANSWER("{}"), ERROR_SERVICE_UNAVAILABLE, "Demo did not say who the credential belongs to", 1},
    {ANSWER("{\"login\": null, \"arn\": {}}"), ERROR_SERVICE_UNAVAILABLE, "did not say who", 1},
    {ANSWER("[1, 2]"), ERROR_SERVICE_UNAVAILABLE, "did not say who", 1},
    {ANSWER("\"" PLANTED "\""), ERROR_SERVICE_UNAVAILABLE, "did not say who", 1},
};

static void every_refusal_has_its_code_and_sentence(void) {
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
        PeerStep steps[] = {{.bytes = refused[i].answer, .then = PEER_CLOSE}};
        g_auto(Visit) visit = {0};
        visit_init(&visit, lone_identity, steps, 1);
        must_fail(refused[i].code, refused[i].says, fetch(&visit, &error));
        g_assert_null(visit.account);
        g_assert_cmpuint(peer_requests(visit.peer), ==, refused[i].requests);
    }
}

static void a_body_of_endless_depth_is_broken(void) {
    g_autofree char *depth = g_strnfill(1000000, '[');
    g_autofree char *bytes =
        g_strconcat("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", depth, NULL);
    PeerStep steps[] = {{.bytes = bytes, .then = PEER_CLOSE}};
    g_auto(Visit) visit = {0};
    visit_init(&visit, lone_identity, steps, 1);
    must_fail(ERROR_SERVICE_UNAVAILABLE, "could not be read", fetch(&visit, &error));
}

static void an_account_that_is_absent_is_a_wrong_setting(void) {
    g_auto(Visit) visit = {0};
    wire_init(&visit.wire,
              "http:\n  base_url: .settings.api_url\n  responses: [{status: 404, is: absent}]\n",
              lone_identity, calls);
    PeerStep steps[] = {{.bytes = REFUSAL("404 None", "")}};
    visit.peer = peer_new(steps, 1);
    g_autofree char *url = peer_url(visit.peer, "");
    json_put_string(visit.wire.settings, "api_url", url);
    visit.sender = wire_sender(&visit.wire, "test", PLANTED);
    must_fail(ERROR_CONFIGURATION, "Demo has no such account", fetch(&visit, &error));
}

static void a_broken_answer_is_asked_for_once_more(void) {
    PeerStep steps[] = {{.bytes = ANSWER("{\"log"), .then = PEER_CLOSE},
                        {.bytes = ANSWER("{\"login\": \"mona\"}"), .then = PEER_CLOSE}};
    g_auto(Visit) visit = {0};
    visit_init(&visit, lone_identity, steps, G_N_ELEMENTS(steps));
    must(fetch(&visit, &error));
    assert_account(&visit, "{\"user\":\"mona\"}");
}

static void settings_without_a_place_ask_nobody(void) {
    PeerStep steps[] = {{.bytes = ME}};
    g_auto(Visit) visit = {0};
    visit_init(&visit, lone_identity, steps, 1);
    json_remove(visit.wire.settings, "api_url");
    must_fail(ERROR_CONFIGURATION, "", fetch(&visit, &error));
    g_assert_cmpuint(peer_connections(visit.peer), ==, 0);
}

static void plain_http_needs_the_operators_permission(void) {
    PeerStep steps[] = {{.bytes = ME}};
    g_auto(Visit) visit = {0};
    visit_init(&visit, lone_identity, steps, 1);
    json_put_bool(visit.wire.settings, "allow_private", false);
    must_fail(ERROR_CONFIGURATION, "allow_private", fetch(&visit, &error));
    g_assert_cmpuint(peer_connections(visit.peer), ==, 0);
}

static void a_test_leaves_no_token_in_freed_memory(void) {
    static const char *const answers[] = {ANSWER("{\"login\": \"mona\"}"), REFUSAL("401 No", ""),
                                          REFUSAL("403 No", ""), ANSWER("{\"log")};
    for (size_t i = 0; i < G_N_ELEMENTS(answers); i++) {
        PeerStep steps[] = {{.bytes = answers[i], .then = PEER_CLOSE}};
        g_auto(Visit) visit = {0};
        visit_init(&visit, lone_identity, steps, 1);
        freed_watch(PLANTED);
        GError *error = NULL;
        bool ok = fetch(&visit, &error);
        g_clear_error(&error);
        g_clear_pointer(&visit.sender, sender_free);
        g_clear_pointer(&visit.wire.client, net_client_free);
        size_t found = freed_count();
        freed_watch(NULL);
        g_assert_cmpint(ok, ==, i == 0);
        g_assert_cmpuint(found, ==, 0);
    }
}

/* --- GitHub ----------------------------------------------------------------------------------- */

/* Shortened from the examples of docs.github.com/rest/users and /orgs. */
static const char github_exchanges[] =
    "{\"request\": {\"url\": \"https://api.github.com/user\"}, \"response\": {\"status\": 200,"
    " \"headers\": {\"x-oauth-scopes\": \"repo, read:org\"}, \"body\": {\"login\": \"octocat\","
    " \"id\": 1, \"node_id\": \"MDQ6VXNlcjE=\", \"type\": \"User\", \"site_admin\": false}}}\n"
    "{\"request\": {\"url\": \"https://api.github.com/user/orgs?per_page=100\"}, \"response\":"
    " {\"status\": 200, \"body\": [{\"login\": \"github\", \"id\": 1}]}}\n";

static void github_tells_its_user(void) {
    g_auto(Visit) visit = {0};
    wire_init(&visit.wire, NULL, NULL, NULL);
    definition_free(visit.wire.definition);
    visit.wire.definition = support_github();
    SettingsRules rules = {.definition = visit.wire.definition};
    g_autoptr(Json) given = json_of("{\"organization\": \"github\"}");
    json_free(visit.wire.settings);
    must(settings_check(&rules, given, &visit.wire.settings, &error));
    g_autoptr(Exchanges) exchanges = exchanges_new();
    must(exchanges_add(exchanges, github_exchanges, strlen(github_exchanges), &error));
    visit.sender = sender_new_recorded(visit.wire.client, visit.wire.definition, exchanges);
    must(fetch(&visit, &error));
    assert_account(&visit, "{\"organizations\":[\"github\"],\"user\":\"octocat\"}");
}

#define ADD(name) g_test_add_func("/connect/whoami/" #name, name)

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
    ADD(account_tells_user_id_and_organizations);
    ADD(organizations_are_read_page_by_page);
    ADD(a_list_of_organizations_that_loops_ends);
    ADD(organizations_at_another_host_are_not_asked_for);
    ADD(at_most_a_thousand_organizations_are_kept);
    ADD(organizations_that_cannot_be_read_are_no_failure);
    ADD(names_are_shown_short_and_on_one_line);
    ADD(a_definition_without_identity_has_no_account);
    ADD(every_refusal_has_its_code_and_sentence);
    ADD(a_body_of_endless_depth_is_broken);
    ADD(an_account_that_is_absent_is_a_wrong_setting);
    ADD(a_broken_answer_is_asked_for_once_more);
    ADD(settings_without_a_place_ask_nobody);
    ADD(plain_http_needs_the_operators_permission);
    ADD(a_test_leaves_no_token_in_freed_memory);
    ADD(github_tells_its_user);
    return g_test_run();
}
