/* Requests that are none: which of them the API refuses in its own words, and which the library
 * does before the API is asked. docs/api.md repeats that. */
#include "unit/api_support.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE "GET /healthz HTTP/1.1\r\n"
#define HOST "Host: x\r\n"
#define POST "POST /api/session HTTP/1.1\r\n" HOST
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define MUCH 60000 /* bytes: more than a connection has memory for */

typedef struct {
    const char *request;
    unsigned status;
} Case;

/* All that comes until the connection is closed, a refused request being the last of it. */
static char *exchange_with(const Stage *stage, const char *request) {
    char buffer[4096];
    g_autoptr(GString) text = g_string_new(NULL);
    int connection = stage_connect(stage);
    stage_write(connection, request);
    for (ssize_t got; (got = recv(connection, buffer, sizeof buffer, 0)) > 0;)
        g_string_append_len(text, buffer, got);
    close(connection);
    return g_strdup(text->str);
}

static unsigned status_in(const char *text) {
    return g_str_has_prefix(text, "HTTP/1.1 ") ? (unsigned)g_ascii_strtoull(text + 9, NULL, 10) : 0;
}

static void must_refuse(const Stage *stage, const char *request, unsigned status, bool ours) {
    g_autofree char *text = exchange_with(stage, request);
    const char *kind = ours ? "Content-Type: application/problem+json\r\n" : "<html>";
    if (status_in(text) != status || !strstr(text, kind))
        g_error("\"%.200s\" was answered with \"%s\"", request, text);
    /* Nothing behind it was taken for a request. */
    g_assert_null(strstr(text, "HTTP/1.1 200"));
}

static void refuse_all(const Case *cases, bool ours) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (; cases->request; cases++)
        must_refuse(&stage, cases->request, cases->status, ours);
    g_auto(Answer) answer = stage_ask(&stage, &(Ask){.path = "/healthz"});
    g_assert_cmpuint(answer.status, ==, 200);
}

/* --- ours ------------------------------------------------------------------------------------- */

static void a_request_names_its_host_and_its_target_once(void) {
    static const Case cases[] = {
        {LINE "\r\n", 400},
        {LINE "Accept: text/html\r\n\r\n", 400},
        {"GET /healthz HTTP/1.2\r\n\r\n", 400},
        {LINE HOST HOST "\r\n", 400},
        {LINE "Host : x\r\n\r\n", 400},
        {"GET /heal thz HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET /heal\tthz HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET /healthz   HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET /healthz HTTP/1.1 GET /readyz HTTP/1.1\r\n" HOST "\r\n", 400},
        {0},
    };
    refuse_all(cases, true);
}

static void a_length_that_says_two_things_is_refused_by_the_api(void) {
    static const Case cases[] = {
        {POST "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400},
        {POST "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400},
        {POST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400},
        {POST "Content-Length: 9223372036854775807\r\n\r\n", 413},
        {0},
    };
    refuse_all(cases, true);
}

/* RFC 9112, 3.2: only HTTP/1.1 wants it, and it may be empty. */
static void an_old_client_needs_no_host(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *old = exchange_with(&stage, "GET /healthz HTTP/1.0\r\n\r\n");
    g_autofree char *empty = exchange_with(&stage, LINE "Host:\r\nConnection: close\r\n\r\n");
    g_assert_cmpuint(status_in(old), ==, 200);
    g_assert_cmpuint(status_in(empty), ==, 200);
}

static void what_comes_behind_a_request_without_host_is_not_read(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    must_refuse(&stage, LINE "\r\n" LINE HOST "\r\n", 400, true);
    must_refuse(&stage, "GET /a b HTTP/1.1\r\n" HOST "\r\n" LINE HOST "\r\n", 400, true);
}

/* --- the library's ---------------------------------------------------------------------------- */

/* There is no call before these answers, and none that changes them (libmicrohttpd 0.9.75). */
static void a_length_that_is_none_is_refused_by_the_library(void) {
    static const Case cases[] = {
        {POST "Content-Length: abc\r\n\r\n", 400},
        {POST "Content-Length: -1\r\n\r\n", 400},
        {POST "Content-Length: +5\r\n\r\nhello", 400},
        {POST "Content-Length: \r\n\r\n", 400},
        {POST "Content-Length: 5, 5\r\n\r\nhello", 400},
        {POST "Content-Length: 5x\r\n\r\nhello", 400},
        {POST "Content-Length: 99999999999999999999999\r\n\r\n", 413},
        {CHUNKED "zz\r\nabc\r\n0\r\n\r\n", 400},
        {CHUNKED "3\r\nabcdef0\r\n\r\n", 400},
        {CHUNKED "fffffffffffffffffff\r\nabc", 413},
        {0},
    };
    refuse_all(cases, false);
}

static void a_line_that_is_none_is_refused_by_the_library(void) {
    static const Case cases[] = {
        {LINE HOST "nonsense\r\n\r\n", 400},
        {LINE " folded\r\n" HOST "\r\n", 400},
        {"GET /healthz\r\n\r\n", 400},
        {"GET /healthz FTP/1.1\r\n" HOST "\r\n", 400},
        {"GET /healthz HTTP/2.0\r\n" HOST "\r\n", 505},
        {0},
    };
    refuse_all(cases, false);
}

static char *with_much(const char *head, const char *piece, const char *tail) {
    g_autoptr(GString) text = g_string_new(head);
    while (text->len < MUCH)
        g_string_append(text, piece);
    g_string_append(text, tail);
    return g_strdup(text->str);
}

/* It may be refused while the client still writes, which then reads nothing: only that it is
 * refused, and that others are served, can be relied on. */
static void what_no_connection_has_memory_for_is_refused_by_the_library(void) {
    static const char *const pieces[][3] = {
        {"GET /", "a", " HTTP/1.1\r\n" HOST "\r\n"},
        {LINE HOST "X-A: ", "a", "\r\n\r\n"},
        {LINE HOST, "X-A: b\r\n", "\r\n"},
        {LINE HOST "Cookie: ", "a=b; ", "\r\n\r\n"},
    };
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        g_autofree char *request = with_much(pieces[i][0], pieces[i][1], pieces[i][2]);
        char byte;
        int connection = stage_connect(&stage);
        (void)!send(connection, request, strlen(request), MSG_NOSIGNAL);
        while (recv(connection, &byte, 1, 0) > 0)
            g_assert_cmpint(byte, !=, '\0');
        close(connection);
        g_auto(Answer) answer = stage_ask(&stage, &(Ask){.path = "/healthz"});
        g_assert_cmpuint(answer.status, ==, 200);
    }
}

int main(int argc, char **argv) {
    static const ApiTest tests[] = {
        {"a_request_names_its_host_and_its_target_once",
         a_request_names_its_host_and_its_target_once},
        {"a_length_that_says_two_things_is_refused_by_the_api",
         a_length_that_says_two_things_is_refused_by_the_api},
        {"an_old_client_needs_no_host", an_old_client_needs_no_host},
        {"what_comes_behind_a_request_without_host_is_not_read",
         what_comes_behind_a_request_without_host_is_not_read},
        {"a_length_that_is_none_is_refused_by_the_library",
         a_length_that_is_none_is_refused_by_the_library},
        {"a_line_that_is_none_is_refused_by_the_library",
         a_line_that_is_none_is_refused_by_the_library},
        {"what_no_connection_has_memory_for_is_refused_by_the_library",
         what_no_connection_has_memory_for_is_refused_by_the_library},
    };
    return api_main(argc, argv, "malformed", tests, G_N_ELEMENTS(tests));
}
