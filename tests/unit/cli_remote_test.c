/* Commands that ask a server: what they send, and what they make of its answers. */
#include "cli/remote.h"
#include "unit/cli_support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void add_acme(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
}

/* --- the address ------------------------------------------------------------------------------ */

static void plain_http_is_for_this_machine_alone(void) {
    g_setenv("ASSAY_TOKEN", PLANTED, TRUE);
    desk_fails("integrations --server http://assay.example.com", 2, "https");
    desk_fails("integrations --server http://10.0.0.7:8080", 2, "https");
}

static void an_address_is_an_origin(void) {
    g_setenv("ASSAY_TOKEN", PLANTED, TRUE);
    desk_fails("integrations --server https://assay.example.com/api", 2, "address alone");
    desk_fails("integrations --server https://assay.example.com/?a=b", 2, "address alone");
    desk_fails("integrations --server assay.example.com", 2, "--server: ");
    desk_fails("integrations --server https://user:" PLANTED "@assay.example.com", 2, "--server: ");
}

static void a_server_that_is_not_there_is_to_be_tried_later(void) {
    g_setenv("ASSAY_TOKEN", PLANTED, TRUE);
    desk_fails("integrations --server http://127.0.0.1:1", 6, "127.0.0.1");
}

/* --- the token -------------------------------------------------------------------------------- */

static void a_token_is_never_an_argument(void) {
    desk_fails("integrations --server http://127.0.0.1:1 --token " PLANTED, 2, "--token");
}

static void without_a_token_it_says_how_to_give_one(void) {
    desk_fails("integrations --server http://127.0.0.1:1", 2, "ASSAY_TOKEN");
}

static void a_token_with_a_line_break_is_refused(void) {
    g_autofree char *line = g_strdup_printf("integrations --server http://127.0.0.1:1 --token @%s",
                                            desk_file("odd.token", PLANTED "\r\nX-Evil: 1"));
    desk_fails(line, 2, "no token has");
}

static void a_token_of_the_environment_is_unset(void) {
    g_setenv("ASSAY_TOKEN", PLANTED " x", TRUE);
    desk_fails("integrations --server http://127.0.0.1:1", 2, "no token has");
    g_assert_null(g_getenv("ASSAY_TOKEN"));
}

static void a_token_that_the_server_does_not_know_is_refused(void) {
    desk_serve("owner", false);
    g_autofree char *there = g_strdup(desk_there("integrations"));
    *strstr(there, " --token ") = '\0';
    g_autofree char *line =
        g_strdup_printf("%s --token @%s", there, desk_file("wrong.token", PLANTED));
    desk_fails(line, 4, "token");
}

/* --- answers ---------------------------------------------------------------------------------- */

static void both_ways_print_the_same_object(void) {
    add_acme();
    desk_serve("owner", false);
    g_autoptr(Json) here = desk_json("integrations", 0);
    g_autoptr(Json) there = desk_json(desk_there("integrations"), 0);
    g_autofree char *a = json_print(here, JSON_SORTED);
    g_autofree char *b = json_print(there, JSON_SORTED);
    g_assert_cmpstr(a, ==, b);
    assert_holds(a, "acme");
}

static void both_ways_print_the_same_table(void) {
    add_acme();
    desk_serve("owner", false);
    g_auto(Said) here = desk_run("integrations");
    g_auto(Said) there = desk_run(desk_there("integrations"));
    g_assert_cmpint(there.status, ==, 0);
    g_assert_cmpstr(here.out, ==, there.out);
    g_assert_cmpstr(here.err, ==, there.err);
}

/* The API gives a hundred at a time. */
static void lists_are_read_to_their_end(void) {
    g_autoptr(Session) session = desk_session();
    for (int i = 0; i < 250; i++) {
        g_autofree char *name = g_strdup_printf("acme-%03d", i);
        g_free(desk_add_integration(session, name, INTEGRATION_CONNECTED));
    }
    desk_serve("member", false);
    g_autoptr(Json) there = desk_json(desk_there("integrations"), 0);
    g_assert_cmpuint(json_count(json_member(there, "integrations")), ==, 250);
    desk_same("integrations", 0);
    desk_same("integrations --status error", 0);
}

static void the_server_may_come_from_the_environment(void) {
    add_acme();
    desk_serve("owner", false);
    g_auto(GStrv) words = g_strsplit(desk_there(""), " ", -1);
    g_setenv("ASSAY_SERVER", words[2], TRUE);
    g_autofree char *line = g_strdup_printf("integrations --token %s", words[4]);
    g_autoptr(Json) there = desk_json(line, 0);
    g_assert_cmpuint(json_count(json_member(there, "integrations")), ==, 1);
}

static void an_organization_is_chosen_by_name(void) {
    desk_serve("owner", false);
    desk_fails(desk_there("integrations --organization elsewhere"), 3, "organization");
    g_autoptr(Json) json = desk_json(desk_there("integrations --organization default"), 0);
    g_assert_cmpuint(json_count(json_member(json, "integrations")), ==, 0);
}

static void what_belongs_to_one_machine_takes_no_server(void) {
    static const char *const commands[] = {"init",        "serve",        "migrate",
                                           "backup file", "restore file", "keys export file"};
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_autofree char *line =
            g_strdup_printf("%s --server http://127.0.0.1:1 --token " PLANTED, commands[i]);
        desk_fails(line, 2, "takes no --server");
    }
    g_setenv("ASSAY_SERVER", "http://127.0.0.1:1", TRUE);
    g_auto(Said) said = desk_run("init");
    g_assert_cmpint(said.status, ==, 0);
    assert_holds(said.err, "not on ASSAY_SERVER");
}

static void settings_are_told_to_the_operator_alone(void) {
    desk_serve("owner", false);
    desk_fails(desk_there("config"), 4, "");
}

static void the_operator_sees_the_settings_of_the_server(void) {
    desk_serve("owner", true);
    g_autoptr(Json) json = desk_json(desk_there("config"), 0);
    g_assert_true(json_kind(json_member(json, "settings")) == JSON_KIND_ARRAY);
}

/* --- servers that are none of ours ------------------------------------------------------------ */

typedef struct {
    int listener;
    unsigned port;
    const char *answer;
    pthread_t thread;
} Stranger;

static void *answer_once(void *data) {
    const Stranger *stranger = data;
    int connection = accept(stranger->listener, NULL, NULL);
    char request[4096];
    g_assert_cmpint((int)read(connection, request, sizeof request), >, 0);
    g_assert_cmpint((int)write(connection, stranger->answer, strlen(stranger->answer)), >, 0);
    close(connection);
    return NULL;
}

static void stranger_start(Stranger *stranger, const char *answer) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    *stranger =
        (Stranger){.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .answer = answer};
    g_assert_cmpint(bind(stranger->listener, (struct sockaddr *)&address, size), ==, 0);
    g_assert_cmpint(listen(stranger->listener, 4), ==, 0);
    g_assert_cmpint(getsockname(stranger->listener, (struct sockaddr *)&address, &size), ==, 0);
    stranger->port = ntohs(address.sin_port);
    g_assert_cmpint(pthread_create(&stranger->thread, NULL, answer_once, stranger), ==, 0);
}

static void fails_at_stranger(const char *answer, int status, const char *part) {
    Stranger stranger;
    stranger_start(&stranger, answer);
    g_setenv("ASSAY_TOKEN", PLANTED, TRUE);
    g_autofree char *line =
        g_strdup_printf("integrations --server http://127.0.0.1:%u", stranger.port);
    desk_fails(line, status, part);
    pthread_join(stranger.thread, NULL);
    close(stranger.listener);
}

static void a_page_of_somebody_else_is_told_from_an_answer(void) {
    fails_at_stranger(
        "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nConnection: close\r\n\r\n<html", 6,
        "is this its address?");
    fails_at_stranger("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n<html", 6,
                      "is this the address of an Assay?");
}

static void wrong_fields_are_named(void) {
    static const char body[] =
        "{\"type\":\"urn:assay:problem:bad-request\",\"title\":\"Bad request\",\"status\":400,"
        "\"detail\":\"Not so.\",\"code\":\"CONFIGURATION_ERROR\",\"retryable\":false,"
        "\"errors\":[{\"pointer\":\"/name\",\"detail\":\"is too long\"}]}";
    g_autofree char *answer =
        g_strdup_printf("HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\n"
                        "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                        strlen(body), body);
    fails_at_stranger(answer, 2, "Not so. (/name: is too long)");
}

static void a_redirect_is_not_followed(void) {
    fails_at_stranger("HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/\r\n"
                      "Content-Length: 0\r\nConnection: close\r\n\r\n",
                      6, "status 302");
}

/* --- paths ------------------------------------------------------------------------------------ */

static void a_parameter_cannot_leave_its_place_in_the_path(void) {
    g_autofree char *odd = remote_path("/api/jobs/{id}/cancel", "../x?y#z%/");
    g_assert_cmpstr(odd, ==, "/api/jobs/..%2Fx%3Fy%23z%25%2F/cancel");
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"plain_http_is_for_this_machine_alone", plain_http_is_for_this_machine_alone},
        {"an_address_is_an_origin", an_address_is_an_origin},
        {"a_server_that_is_not_there_is_to_be_tried_later",
         a_server_that_is_not_there_is_to_be_tried_later},
        {"a_token_is_never_an_argument", a_token_is_never_an_argument},
        {"without_a_token_it_says_how_to_give_one", without_a_token_it_says_how_to_give_one},
        {"a_token_with_a_line_break_is_refused", a_token_with_a_line_break_is_refused},
        {"a_token_of_the_environment_is_unset", a_token_of_the_environment_is_unset},
        {"a_token_that_the_server_does_not_know_is_refused",
         a_token_that_the_server_does_not_know_is_refused},
        {"both_ways_print_the_same_object", both_ways_print_the_same_object},
        {"both_ways_print_the_same_table", both_ways_print_the_same_table},
        {"lists_are_read_to_their_end", lists_are_read_to_their_end},
        {"the_server_may_come_from_the_environment", the_server_may_come_from_the_environment},
        {"an_organization_is_chosen_by_name", an_organization_is_chosen_by_name},
        {"what_belongs_to_one_machine_takes_no_server",
         what_belongs_to_one_machine_takes_no_server},
        {"settings_are_told_to_the_operator_alone", settings_are_told_to_the_operator_alone},
        {"the_operator_sees_the_settings_of_the_server",
         the_operator_sees_the_settings_of_the_server},
        {"a_page_of_somebody_else_is_told_from_an_answer",
         a_page_of_somebody_else_is_told_from_an_answer},
        {"wrong_fields_are_named", wrong_fields_are_named},
        {"a_redirect_is_not_followed", a_redirect_is_not_followed},
        {"a_parameter_cannot_leave_its_place_in_the_path",
         a_parameter_cannot_leave_its_place_in_the_path},
    };
    return desk_main(argc, argv, "remote", tests, G_N_ELEMENTS(tests));
}
