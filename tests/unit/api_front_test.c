#include "unit/api_support.h"

#include <string.h>
#include <unistd.h>

static void a_living_server_says_so_to_anybody(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) answer = stage_ask(&stage, &(Ask){.path = "/healthz"});
    g_assert_cmpuint(answer.status, ==, 200);
    g_assert_cmpstr(answer_text(&answer, "status"), ==, "ok");
    g_auto(Answer) ready = stage_ask(&stage, &(Ask){.path = "/readyz"});
    g_assert_cmpuint(ready.status, ==, 200);
}

static void every_reply_has_security_headers_and_a_request_id(void) {
    static const char *const wanted[] = {"X-Content-Type-Options", "X-Frame-Options",
                                         "Referrer-Policy",        "Content-Security-Policy",
                                         "Cache-Control",          "X-Request-Id"};
    static const char *const paths[] = {"/healthz", "/nothing", "/metrics"};
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t p = 0; p < G_N_ELEMENTS(paths); p++) {
        g_auto(Answer) answer = stage_ask(&stage, &(Ask){.path = paths[p]});
        for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
            g_autofree char *value = answer_header(&answer, wanted[i]);
            g_assert_nonnull(value);
        }
    }
}

static void a_request_id_is_echoed_when_it_is_one(void) {
    static const struct {
        const char *header;
        const char *echoed; /* NULL: another one is made */
    } cases[] = {
        {"X-Request-Id: trace-1.2_3\r\n", "trace-1.2_3"},
        {"X-Request-Id: a b\r\n", NULL},
        {"X-Request-Id: assay_api_0123456789\r\n", NULL},
        {"X-Request-Id: \"quoted\"\r\n", NULL},
    };
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Answer) answer =
            stage_ask(&stage, &(Ask){.path = "/nothing", .headers = cases[i].header});
        g_autofree char *id = answer_header(&answer, "X-Request-Id");
        if (cases[i].echoed)
            g_assert_cmpstr(id, ==, cases[i].echoed);
        else
            g_assert_cmpuint(strlen(id), ==, 36);
        g_assert_cmpstr(answer_text(&answer, "requestId"), ==, id);
    }
}

static void what_is_not_there_is_a_problem(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) answer = stage_ask(&stage, &(Ask){.path = "/api/nothing?x=1"});
    assert_problem(&answer, 404, "CONFIGURATION_ERROR");
    g_assert_cmpstr(answer_text(&answer, "instance"), ==, "/api/nothing");
    g_assert_cmpstr(answer_text(&answer, "type"), ==, "urn:assay:problem:not-found");
    g_auto(Answer) secret = stage_ask(&stage, &(Ask){.path = "/api/9f86d081884c7d65/x%20y?9f86"});
    g_assert_cmpstr(answer_text(&secret, "instance"), ==, "/api/\u2026/x y");
}

static void another_method_is_405_and_options_tells_which_there_are(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) wrong = stage_ask(&stage, &(Ask){.method = "DELETE", .path = "/healthz"});
    assert_problem(&wrong, 405, "CONFIGURATION_ERROR");
    g_autofree char *allow = answer_header(&wrong, "Allow");
    g_assert_cmpstr(allow, ==, "GET, HEAD, OPTIONS");
    g_auto(Answer) options = stage_ask(&stage, &(Ask){.method = "OPTIONS", .path = "/healthz"});
    g_assert_cmpuint(options.status, ==, 204);
    g_autofree char *again = answer_header(&options, "Allow");
    g_assert_cmpstr(again, ==, "GET, HEAD, OPTIONS");
}

static void head_is_get_without_the_body(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) get = stage_ask(&stage, &(Ask){.path = "/api/openapi.json"});
    g_auto(Answer) head = stage_ask(&stage, &(Ask){.method = "HEAD", .path = "/api/openapi.json"});
    g_autofree char *there = answer_header(&get, "Content-Length");
    g_autofree char *here = answer_header(&head, "Content-Length");
    g_assert_cmpuint(head.status, ==, 200);
    g_assert_cmpstr(there, ==, here);
    g_assert_cmpstr(head.body, ==, "");
}

static void a_connection_serves_many_requests(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    int connection = stage_connect(&stage);
    static const char *const paths[] = {"/healthz", "/readyz", "/nothing", "/metrics", "/healthz"};
    static const unsigned statuses[] = {200, 200, 404, 401, 200};
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autofree char *text = g_strdup_printf("GET %s HTTP/1.1\r\nHost: x\r\n\r\n", paths[i]);
        stage_write(connection, text);
        g_auto(Answer) answer = stage_read(connection, false);
        g_assert_cmpuint(answer.status, ==, statuses[i]);
    }
    close(connection);
}

static void figures_are_the_operators(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) nobody = stage_ask(&stage, &(Ask){.path = "/metrics"});
    assert_problem(&nobody, 401, "AUTHENTICATION_FAILED");
    g_autofree char *challenge = answer_header(&nobody, "WWW-Authenticate");
    g_assert_cmpstr(challenge, ==, "Bearer realm=\"assay\"");
    g_auto(Answer) owner = stage_get(&stage, ROLE_OWNER, "/metrics");
    assert_problem(&owner, 403, "PERMISSION_DENIED");
    g_auto(Answer) operator=
        stage_ask(&stage, &(Ask){.path = "/metrics", .token = stage.operator});
    g_assert_cmpuint(operator.status, ==, 200);
    g_assert_nonnull(strstr(operator.body, "assay_http_requests_total{method=\"GET\",route="
                                           "\"/metrics\",status=\"4xx\"} 2\n"));
    g_assert_nonnull(strstr(operator.body, "assay_http_unauthenticated_total 1\n"));
}

static void the_description_names_every_route(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) answer = stage_ask(&stage, &(Ask){.path = "/api/openapi.json"});
    g_assert_cmpstr(answer_text(&answer, "openapi"), ==, "3.1.0");
    g_assert_cmpstr(answer_text(&answer, "components.securitySchemes.session.name"), ==, "assay");
    g_assert_nonnull(json_member(json_member(answer.json, "paths"), "/metrics"));
    g_autofree char *tag = answer_header(&answer, "ETag");
    g_autofree char *header = g_strdup_printf("If-None-Match: W/%s, \"other\"\r\n", tag);
    g_auto(Answer) known =
        stage_ask(&stage, &(Ask){.path = "/api/openapi.json", .headers = header});
    g_assert_cmpuint(known.status, ==, 304);
    g_auto(Answer) page = stage_ask(&stage, &(Ask){.path = "/api/docs"});
    g_assert_cmpuint(page.status, ==, 200);
    g_assert_nonnull(strstr(page.body, "GET /metrics"));
    g_assert_null(strstr(page.body, "http://"));
    g_assert_null(strstr(page.body, "<script"));
}

static const ApiTest tests[] = {
    {"a_living_server_says_so_to_anybody", a_living_server_says_so_to_anybody},
    {"every_reply_has_security_headers_and_a_request_id",
     every_reply_has_security_headers_and_a_request_id},
    {"a_request_id_is_echoed_when_it_is_one", a_request_id_is_echoed_when_it_is_one},
    {"what_is_not_there_is_a_problem", what_is_not_there_is_a_problem},
    {"another_method_is_405_and_options_tells_which_there_are",
     another_method_is_405_and_options_tells_which_there_are},
    {"head_is_get_without_the_body", head_is_get_without_the_body},
    {"a_connection_serves_many_requests", a_connection_serves_many_requests},
    {"figures_are_the_operators", figures_are_the_operators},
    {"the_description_names_every_route", the_description_names_every_route},
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "front", tests, G_N_ELEMENTS(tests));
}
