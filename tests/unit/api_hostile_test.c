#include "unit/api_support.h"

#include "api/server.h"

#include <string.h>
#include <unistd.h>

#define SYNC "POST /api/integrations/" INTEGRATION_A "/sync HTTP/1.1\r\nHost: x\r\n"

static Answer ask_raw(const Stage *stage, const char *text) {
    int connection = stage_connect(stage);
    stage_write(connection, text);
    Answer answer = stage_read(connection, false);
    close(connection);
    return answer;
}

/* After each hostile request the server still answers everybody else. */
static void assert_alive(const Stage *stage) {
    g_auto(Answer) answer = stage_ask(stage, &(Ask){.path = "/readyz"});
    g_assert_cmpuint(answer.status, ==, 200);
}

static char *repeated(const char *text, size_t times) {
    GString *out = g_string_new(NULL);
    for (size_t i = 0; i < times; i++)
        g_string_append(out, text);
    return g_string_free(out, FALSE);
}

static void a_body_that_announces_too_much_is_refused_unread(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) answer = ask_raw(&stage, SYNC "Content-Length: 1048577\r\n\r\n");
    assert_problem(&answer, 413, "CONFIGURATION_ERROR");
    g_auto(Answer) absurd = ask_raw(&stage, SYNC "Content-Length: 99999999999999999999999\r\n\r\n");
    g_assert_cmpuint(absurd.status, >=, 400);
    g_assert_cmpuint(absurd.status, <, 500);
    assert_alive(&stage);
}

static void a_chunked_body_that_grows_too_large_is_refused(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *piece = repeated("x", 0x10000);
    int connection = stage_connect(&stage);
    g_autofree char *chunk = g_strdup_printf("10000\r\n%s\r\n", piece);
    stage_write(connection, SYNC "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 20; i++)
        stage_write(connection, chunk);
    stage_write(connection, "0\r\n\r\n");
    g_auto(Answer) answer = stage_read(connection, false);
    assert_problem(&answer, 413, "CONFIGURATION_ERROR");
    close(connection);
    assert_alive(&stage);
}

static void a_body_that_breaks_off_does_no_harm(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (int i = 0; i < 20; i++) {
        int connection = stage_connect(&stage);
        stage_write(connection, SYNC "Content-Length: 1000\r\n\r\n{\"evidenceTy");
        close(connection);
    }
    assert_alive(&stage);
}

static void json_that_is_no_json_is_a_bad_request(void) {
    g_autofree char *deep = repeated("[", 100000);
    g_autofree char *nested = repeated("{\"a\":", 5000);
    g_autofree char *wide = repeated("\"a\",", 200000);
    g_autofree char *list = g_strconcat("{\"evidenceTypes\":[", wide, "\"a\"]}", NULL);
    const char *const bodies[] = {deep,
                                  nested,
                                  list,
                                  "{\"a\":1,\"a\":2}",
                                  "nul",
                                  "{\"a\":\"\xff\"}",
                                  "{\"a\":\"\xc3\x28\"}",
                                  "{\"a\":\"\\u0000\"}",
                                  "{\"a\":\"\\ud800\"}",
                                  "{}{}",
                                  "\xef\xbb\xbf{}",
                                  "1e999999",
                                  "{\"evidenceTypes\":[null]}",
                                  "\"text\""};
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_auto(Answer) answer = stage_send(&stage, ROLE_OWNER, "POST",
                                           "/api/integrations/" INTEGRATION_A "/sync", bodies[i]);
        assert_problem(&answer, 400, "CONFIGURATION_ERROR");
    }
    assert_alive(&stage);
}

static void floods_of_headers_are_refused(void) {
    g_autofree char *many = repeated("A: b\r\n", 200);
    g_autofree char *long_value = repeated("v", 20000);
    g_autofree char *huge = repeated("w", 300000);
    g_autofree char *texts[] = {
        g_strdup_printf("GET /healthz HTTP/1.1\r\nHost: x\r\n%s\r\n", many),
        g_strdup_printf("GET /healthz HTTP/1.1\r\nHost: x\r\nA: %s\r\n\r\n", long_value),
        g_strdup_printf("GET /healthz HTTP/1.1\r\nHost: x\r\nA: %s\r\n\r\n", huge),
    };
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_auto(Answer) answer = ask_raw(&stage, texts[i]);
        g_assert_true(answer.status == 431 || answer.status == 413 || answer.status == 0);
        g_clear_pointer(&texts[i], g_free);
    }
    assert_alive(&stage);
}

static void addresses_that_are_none_are_refused(void) {
    g_autofree char *long_path = repeated("a", 9000);
    g_autofree char *many_parts = repeated("/a", 300);
    g_autofree char *too_long = g_strconcat("/api/jobs?x=", long_path, NULL);
    g_autofree char *parameters = repeated("&a=b", 300);
    g_autofree char *many = g_strconcat("/api/jobs?a=b", parameters, NULL);
    const struct {
        const char *path;
        unsigned status;
    } cases[] = {
        {too_long, 414},
        {many_parts, 414},
        {many, 414},
        {"/api/jobs/%zz", 400},
        {"/api/jobs/%00", 400},
        {"/api/jobs/%ff%fe", 400},
        {"/api/jobs/%c0%af", 400},
        {"/api/jobs?limit=%1", 400},
        {"//", 404},
        {"/api/jobs/../jobs", 404},
        {"/api/jobs/%2e%2e", 401},
    };
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Answer) answer = stage_ask(&stage, &(Ask){.path = cases[i].path});
        g_assert_cmpuint(answer.status, ==, cases[i].status);
    }
    assert_alive(&stage);
}

static void what_is_no_http_is_dropped(void) {
    static const char *const texts[] = {
        "\r\n\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "GET / HTTP/9.9\r\n\r\n",
        "GET /healthz HTTP/1.1\r\n\r\n",
        "POST /api/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST /api/jobs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET /healthz HTTP/1.1\r\nHost: x\r\nBad Header: \x01\r\n\r\n",
    };
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        int connection = stage_connect(&stage);
        stage_write(connection, texts[i]);
        close(connection);
        assert_alive(&stage);
    }
}

/* A header that would end the headers is not echoed. */
static void nothing_can_be_smuggled_into_headers(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) answer =
        stage_ask(&stage, &(Ask){.path = "/healthz?%0d%0aSet-Cookie:%20a=b",
                                 .headers = "X-Request-Id: a%0d%0aSet-Cookie: a=b\r\n"});
    g_assert_null(strstr(answer.head, "Set-Cookie"));
}

/* Connections that send a byte now and then hold no thread: others do not wait for them. */
static void slow_clients_do_not_hold_up_others(void) {
    int slow[300];
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(slow); i++) {
        slow[i] = stage_connect(&stage);
        stage_write(slow[i], i % 2 == 0 ? "GET /healthz HT" : SYNC "Content-Length: 50\r\n\r\n{");
    }
    for (int i = 0; i < 64; i++) {
        g_auto(Answer) answer = stage_get(&stage, ROLE_OWNER, "/api/integrations");
        g_assert_cmpuint(answer.status, ==, 200);
        stage_write(slow[i], "T");
    }
    for (size_t i = 0; i < G_N_ELEMENTS(slow); i++)
        close(slow[i]);
    assert_alive(&stage);
}

static const ApiTest tests[] = {
    {"a_body_that_announces_too_much_is_refused_unread",
     a_body_that_announces_too_much_is_refused_unread},
    {"a_chunked_body_that_grows_too_large_is_refused",
     a_chunked_body_that_grows_too_large_is_refused},
    {"a_body_that_breaks_off_does_no_harm", a_body_that_breaks_off_does_no_harm},
    {"json_that_is_no_json_is_a_bad_request", json_that_is_no_json_is_a_bad_request},
    {"floods_of_headers_are_refused", floods_of_headers_are_refused},
    {"addresses_that_are_none_are_refused", addresses_that_are_none_are_refused},
    {"what_is_no_http_is_dropped", what_is_no_http_is_dropped},
    {"nothing_can_be_smuggled_into_headers", nothing_can_be_smuggled_into_headers},
    {"slow_clients_do_not_hold_up_others", slow_clients_do_not_hold_up_others},
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "hostile", tests, G_N_ELEMENTS(tests));
}
