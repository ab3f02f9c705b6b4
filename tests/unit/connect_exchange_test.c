/* Recorded exchanges: what is read, what is refused, and which one answers. */
#include "unit/connect_support.h"

#include "base/error.h"
#include "connect/exchange.h"

#include <string.h>

#define URL "https://api.demo.test/users"

static void add(Exchanges *exchanges, const char *text) {
    must(exchanges_add(exchanges, text, strlen(text), &error));
}

static void refuse(const char *text, ErrorCode code, const char *part) {
    g_autoptr(Exchanges) exchanges = exchanges_new();
    must_fail(code, part, exchanges_add(exchanges, text, strlen(text), &error));
}

static void assert_answer(Exchanges *exchanges, const char *method, const char *body,
                          const char *expected) {
    ExchangeAnswer answer;
    g_assert_true(exchanges_find(exchanges, method, URL, body, &answer));
    g_assert_cmpstr(answer.body, ==, expected);
    g_assert_cmpuint(answer.body_size, ==, strlen(expected));
}

static void answer_has_status_headers_and_body(void) {
    g_autoptr(Exchanges) exchanges = exchanges_new();
    add(exchanges,
        "{\"request\": {\"method\": \"GET\", \"url\": \"" URL "\"},"
        " \"response\": {\"status\": 403, \"headers\": {\"X-Left\": 0, \"Link\": \"<a>\"},"
        " \"body\": {\"message\": \"no\", \"list\": [1, 2]}}}");
    ExchangeAnswer answer;
    g_assert_true(exchanges_find(exchanges, "GET", URL, NULL, &answer));
    g_assert_cmpint(answer.status, ==, 403);
    g_assert_cmpstr(net_headers_get(answer.headers, "x-left"), ==, "0");
    g_assert_cmpstr(net_headers_get(answer.headers, "link"), ==, "<a>");
    g_assert_cmpstr(answer.body, ==, "{\"message\":\"no\",\"list\":[1,2]}");
    g_assert_cmpuint(answer.body_size, ==, strlen(answer.body));
}

static void a_body_that_is_text_stands_for_its_bytes(void) {
    g_autoptr(Exchanges) exchanges = exchanges_new();
    add(exchanges, "{\"request\": {\"url\": \"" URL "\"},"
                   " \"response\": {\"status\": 200, \"body\": \"{\\\"cut\\\": [\"}}");
    assert_answer(exchanges, "GET", NULL, "{\"cut\": [");
}

static void an_absent_body_is_empty(void) {
    static const char *const bodies[] = {"", ", \"body\": null", ", \"body\": \"\""};
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_autoptr(Exchanges) exchanges = exchanges_new();
        g_autofree char *text = g_strdup_printf(
            "{\"request\": {\"url\": \"" URL "\"}, \"response\": {\"status\": 204%s}}", bodies[i]);
        add(exchanges, text);
        assert_answer(exchanges, "GET", NULL, "");
    }
}

static char *numbered(int number) {
    return g_strdup_printf("{\"request\": {\"url\": \"" URL "\"},"
                           " \"response\": {\"status\": 200, \"body\": \"%d\"}}\n",
                           number);
}

static void answers_come_in_the_order_of_recording_and_the_last_one_stays(void) {
    g_autoptr(Exchanges) exchanges = exchanges_new();
    for (int i = 1; i <= 3; i++) {
        g_autofree char *line = numbered(i);
        add(exchanges, line);
    }
    assert_answer(exchanges, "GET", NULL, "1");
    assert_answer(exchanges, "GET", NULL, "2");
    assert_answer(exchanges, "GET", NULL, "3");
    assert_answer(exchanges, "GET", NULL, "3");
}

static void method_and_url_must_be_the_same(void) {
    g_autoptr(Exchanges) exchanges = exchanges_new();
    g_autofree char *line = numbered(1);
    add(exchanges, line);
    ExchangeAnswer answer = {.status = 77};
    g_assert_false(exchanges_find(exchanges, "POST", URL, NULL, &answer));
    g_assert_false(exchanges_find(exchanges, "GET", URL "?page=2", NULL, &answer));
    g_assert_false(exchanges_find(exchanges, "GET", "", NULL, &answer));
    g_assert_cmpint(answer.status, ==, 77);
}

static void requests_with_bodies_are_told_apart(void) {
    g_autoptr(Exchanges) exchanges = exchanges_new();
    add(exchanges, "{\"request\": {\"method\": \"POST\", \"url\": \"" URL "\", \"body\": {\"b\": 1,"
                   " \"a\": 2}}, \"response\": {\"status\": 200, \"body\": \"object\"}}\n"
                   "{\"request\": {\"method\": \"POST\", \"url\": \"" URL "\", \"body\": \"text\"},"
                   " \"response\": {\"status\": 200, \"body\": \"plain\"}}\n");
    assert_answer(exchanges, "POST", "text", "plain");
    assert_answer(exchanges, "POST", "{\"a\":2,\"b\":1}", "object");
    ExchangeAnswer answer;
    g_assert_false(exchanges_find(exchanges, "POST", URL, "another", &answer));
    g_assert_false(exchanges_find(exchanges, "POST", URL, NULL, &answer));
}

static void a_request_recorded_without_body_answers_any(void) {
    g_autoptr(Exchanges) exchanges = exchanges_new();
    add(exchanges, "{\"request\": {\"method\": \"POST\", \"url\": \"" URL "\"},"
                   " \"response\": {\"status\": 200, \"body\": \"any\"}}");
    assert_answer(exchanges, "POST", "{\"q\":1}", "any");
    assert_answer(exchanges, "POST", NULL, "any");
}

static void blank_lines_and_notes_are_passed_over(void) {
    g_autoptr(Exchanges) exchanges = exchanges_new();
    g_autofree char *line = numbered(1);
    g_autofree char *text =
        g_strconcat("\n  \t\r\n{\"source\": \"the vendor\"}\r\n", line, "\r\n\n", NULL);
    add(exchanges, text);
    add(exchanges, "");
    assert_answer(exchanges, "GET", NULL, "1");
}

static void what_is_wrong_is_named_by_its_line(void) {
    g_autofree char *line = numbered(1);
    static const char *const bad[] = {
        "{\"request\": {\"url\": \"" URL "\"}}",
        "{\"request\": {\"url\": \"" URL "\"}, \"response\": {\"status\": 99}}",
        "{\"request\": {\"url\": \"" URL "\"}, \"response\": {\"status\": 600}}",
        "{\"request\": {\"url\": \"" URL "\"}, \"response\": {\"status\": \"200\"}}",
        "{\"request\": {\"method\": \"GET\"}, \"response\": {\"status\": 200}}",
        "{\"request\": \"" URL "\", \"response\": {\"status\": 200}}",
        "{\"request\": {\"url\": \"" URL "\"}, \"response\": {\"status\": 200, \"headers\":"
        " {\"a b\": \"1\"}}}",
        "{\"request\": {\"url\": \"" URL "\"}, \"response\": {\"status\": 200, \"headers\":"
        " {\"a\": \"1\\r\\nb: 2\"}}}",
        "{\"request\": ",
        "no JSON",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *text = g_strconcat(line, "\n", bad[i], "\n", line, NULL);
        refuse(text, ERROR_CONFIGURATION, "line 3: ");
    }
}

static void a_huge_file_is_refused(void) {
    size_t size = EXCHANGES_MAX_SIZE + 1;
    g_autofree char *text = g_strnfill(size, '\n');
    g_autoptr(Exchanges) exchanges = exchanges_new();
    must_fail(ERROR_LIMIT, "64 MiB", exchanges_add(exchanges, text, size, &error));
}

static void text_without_an_end_mark_is_read_to_its_size(void) {
    g_autofree char *line = numbered(1);
    g_autofree char *text = g_strconcat(line, "rubbish", NULL);
    g_autofree char *exact = g_memdup2(text, strlen(line) - 1);
    g_autoptr(Exchanges) exchanges = exchanges_new();
    must(exchanges_add(exchanges, exact, strlen(line) - 1, &error));
    assert_answer(exchanges, "GET", NULL, "1");
}

#define ADD(name) g_test_add_func("/connect/exchange/" #name, name)

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
    ADD(answer_has_status_headers_and_body);
    ADD(a_body_that_is_text_stands_for_its_bytes);
    ADD(an_absent_body_is_empty);
    ADD(answers_come_in_the_order_of_recording_and_the_last_one_stays);
    ADD(method_and_url_must_be_the_same);
    ADD(requests_with_bodies_are_told_apart);
    ADD(a_request_recorded_without_body_answers_any);
    ADD(blank_lines_and_notes_are_passed_over);
    ADD(what_is_wrong_is_named_by_its_line);
    ADD(a_huge_file_is_refused);
    ADD(text_without_an_end_mark_is_read_to_its_size);
    return g_test_run();
}
