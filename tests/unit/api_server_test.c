/* The server alone, with handlers of the test's own. */

#include "api/server.h"

#include "base/clock.h"
#include "base/error.h"
#include "unit/api_support.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

typedef struct {
    AddressSet *trusted;
    Server *server;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    Exchange *held; /* the last that was not replied to */
} Rig;

static void say(Exchange *exchange, const char *text) {
    g_auto(Reply) reply = {0};
    reply_set_text(&reply, 200, "text/plain", text);
    exchange_reply(exchange, &reply);
}

static void say_client(Exchange *exchange) {
    char text[ADDRESS_TEXT_SIZE];
    address_write(exchange_client(exchange), text);
    say(exchange, text);
}

#define LARGE ((size_t)32 * 1024 * 1024) /* more than any two sockets hold */

static void say_much(Exchange *exchange) {
    g_autofree char *text = g_strnfill(LARGE, 'x');
    say(exchange, text);
}

/* Answers "/" at once, "/who" with who asks, "/much" with much, and keeps everything else. */
static void handle(Exchange *exchange, void *data) {
    static const char *const defects[] = {"",      "target",     "headers",
                                          "large", "overloaded", "framing"};
    Rig *rig = data;
    if (exchange_defect(exchange) != DEFECT_NONE) {
        say(exchange, defects[exchange_defect(exchange)]);
        return;
    }
    if (strcmp(exchange_target(exchange), "/who") == 0) {
        say_client(exchange);
        return;
    }
    if (strcmp(exchange_target(exchange), "/much") == 0) {
        say_much(exchange);
        return;
    }
    if (strcmp(exchange_target(exchange), "/") == 0) {
        say(exchange, "hello");
        return;
    }
    pthread_mutex_lock(&rig->lock);
    rig->held = exchange;
    pthread_cond_broadcast(&rig->changed);
    pthread_mutex_unlock(&rig->lock);
}

static void rig_init(Rig *rig, const char *const *trusted, unsigned per_address) {
    *rig = (Rig){0};
    pthread_mutex_init(&rig->lock, NULL);
    pthread_cond_init(&rig->changed, NULL);
    must((rig->trusted = address_set_new(trusted, &error)) != NULL);
    ServerConfig config = {.listen = "127.0.0.1:0",
                           .trusted = rig->trusted,
                           .threads = 2,
                           .connections = 100,
                           .connections_per_address = per_address,
                           .handle = handle,
                           .data = rig};
    must(server_new(&config, &rig->server, &error));
    must(server_start(rig->server, &error));
}

static void rig_clear(Rig *rig) {
    server_free(rig->server);
    address_set_free(rig->trusted);
}

static int join(const Rig *rig) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(server_port(rig->server))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(connect(connection, (struct sockaddr *)(void *)&address, sizeof address), ==,
                    0);
    return connection;
}

/* The server has seen the connection when it has answered on it. */
static void greet(int connection) {
    stage_write(connection, HELLO);
    g_auto(Answer) answer = stage_read(connection, false);
    g_assert_cmpstr(answer.body, ==, "hello");
}

static void assert_closed(int connection) {
    char byte;
    g_assert_cmpint(recv(connection, &byte, 1, 0), <=, 0);
    close(connection);
}

static Exchange *await_held(Rig *rig) {
    pthread_mutex_lock(&rig->lock);
    while (!rig->held)
        pthread_cond_wait(&rig->changed, &rig->lock);
    Exchange *held = g_steal_pointer(&rig->held);
    pthread_mutex_unlock(&rig->lock);
    return held;
}

/* Sends headers, and returns when the server has read them. */
static void begin_body(int connection) {
    g_auto(Answer) go_on = {0};
    stage_write(connection, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
                            "Expect: 100-continue\r\n\r\n");
    go_on = stage_read(connection, true);
    g_assert_cmpuint(go_on.status, ==, 100);
    stage_write(connection, "1");
}

static void a_connection_that_asks_nothing_is_closed_in_time(void) {
    Rig rig;
    clock_freeze(1760000000000);
    rig_init(&rig, NULL, 10);
    int idle = join(&rig);
    int dripping = join(&rig);
    greet(idle);
    g_assert_true(server_wait(rig.server, 60000));
    begin_body(dripping);
    clock_advance(76000);
    server_sweep(rig.server);
    assert_closed(idle);
    assert_closed(dripping);
    g_assert_cmpuint(server_figures(rig.server).timed_out, ==, 2);
    int other = join(&rig);
    greet(other);
    server_sweep(rig.server);
    greet(other);
    close(other);
    clock_thaw();
    rig_clear(&rig);
}

static void a_reply_that_nobody_reads_is_given_up(void) {
    Rig rig;
    char some[4096];
    clock_freeze(1760000000000);
    rig_init(&rig, NULL, 10);
    int connection = join(&rig);
    stage_write(connection, "GET /much HTTP/1.1\r\nHost: x\r\n\r\n");
    g_assert_cmpint(recv(connection, some, sizeof some, 0), >, 0);
    clock_advance(299000);
    server_sweep(rig.server);
    g_assert_cmpuint(server_figures(rig.server).timed_out, ==, 0);
    clock_advance(2000);
    server_sweep(rig.server);
    g_assert_cmpuint(server_figures(rig.server).timed_out, ==, 1);
    size_t got = 0;
    ssize_t size;
    while ((size = recv(connection, some, sizeof some, 0)) > 0)
        got += (size_t)size;
    g_assert_cmpuint(got, <, LARGE);
    while (server_figures(rig.server).begun > 0)
        g_usleep(1000);
    close(connection);
    clock_thaw();
    rig_clear(&rig);
}

/* Whoever is being answered is not timed out, however long it takes. */
static void an_answer_may_come_later_and_from_another_thread(void) {
    Rig rig;
    clock_freeze(1760000000000);
    rig_init(&rig, NULL, 10);
    int connection = join(&rig);
    stage_write(connection, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    Exchange *held = await_held(&rig);
    clock_advance(3600000);
    server_sweep(rig.server);
    g_assert_cmpuint(server_figures(rig.server).exchanges, ==, 1);
    say(held, "at last");
    g_auto(Answer) answer = stage_read(connection, false);
    g_assert_cmpstr(answer.body, ==, "at last");
    greet(connection);
    close(connection);
    clock_thaw();
    rig_clear(&rig);
}

static void one_address_has_so_many_connections(void) {
    Rig rig;
    rig_init(&rig, NULL, 2);
    int one = join(&rig);
    int other = join(&rig);
    greet(one);
    greet(other);
    int third = join(&rig);
    stage_write(third, HELLO);
    assert_closed(third);
    greet(one);
    g_assert_cmpuint(server_figures(rig.server).refused, ==, 1);
    close(one);
    close(other);
    rig_clear(&rig);
}

static void trusted_proxies_are_not_counted(void) {
    static const char *const proxies[] = {"127.0.0.0/8", NULL};
    int connections[5];
    Rig rig;
    rig_init(&rig, proxies, 2);
    for (size_t i = 0; i < G_N_ELEMENTS(connections); i++)
        greet(connections[i] = join(&rig));
    for (size_t i = 0; i < G_N_ELEMENTS(connections); i++)
        close(connections[i]);
    rig_clear(&rig);
}

static void assert_client(const Rig *rig, const char *headers, const char *expected) {
    int connection = join(rig);
    g_autofree char *request = g_strdup_printf("GET /who HTTP/1.1\r\nHost: x\r\n%s\r\n", headers);
    stage_write(connection, request);
    g_auto(Answer) answer = stage_read(connection, false);
    g_assert_cmpstr(answer.body, ==, expected);
    close(connection);
}

/* The line that a proxy adds stands behind those that the client had sent. */
static void the_client_behind_a_proxy_is_who_the_proxy_says(void) {
    static const char *const proxies[] = {"127.0.0.0/8", NULL};
    Rig rig;
    rig_init(&rig, proxies, 10);
    assert_client(&rig, "", "127.0.0.1");
    assert_client(&rig, "X-Forwarded-For: 192.0.2.7\r\n", "192.0.2.7");
    assert_client(&rig, "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 192.0.2.7\r\n", "192.0.2.7");
    assert_client(&rig, "x-forwarded-for: 6.6.6.6, 192.0.2.7, 127.0.0.9\r\n", "192.0.2.7");
    rig_clear(&rig);
    rig_init(&rig, NULL, 10);
    assert_client(&rig, "X-Forwarded-For: 192.0.2.7\r\n", "127.0.0.1");
    rig_clear(&rig);
}

/* What two parsers may read in two ways is refused, and nothing behind it is taken for a request.
 */
static void a_request_has_one_end(void) {
    static const char *const heads[] = {
        "Content-Length: 2\r\nContent-Length: 40\r\n",
        "Content-Length: 2\r\nContent-Length: 2\r\n",
        "Content-Length: 40\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Content-Length: 0\r\nHost: y\r\n",
    };
    Rig rig;
    rig_init(&rig, NULL, 100);
    for (size_t i = 0; i < G_N_ELEMENTS(heads); i++) {
        int connection = join(&rig);
        g_autofree char *request =
            g_strdup_printf("POST / HTTP/1.1\r\nHost: x\r\n%s\r\n0\r\n\r\n" HELLO, heads[i]);
        stage_write(connection, request);
        g_auto(Answer) answer = stage_read(connection, false);
        g_autofree char *header = answer_header(&answer, "Connection");
        g_assert_cmpstr(answer.body, ==, "framing");
        g_assert_cmpstr(header, ==, "close");
        assert_closed(connection);
    }
    rig_clear(&rig);
}

static void a_nul_hides_nothing_of_the_address(void) {
    static const char nul[] = "GET /\0/who HTTP/1.1\r\nHost: x\r\n\r\n";
    Rig rig;
    rig_init(&rig, NULL, 10);
    int connection = join(&rig);
    g_assert_cmpint((int)send(connection, nul, sizeof nul - 1, 0), ==, (int)sizeof nul - 1);
    g_auto(Answer) answer = stage_read(connection, false);
    g_assert_cmpstr(answer.body, ==, "framing");
    assert_closed(connection);
    rig_clear(&rig);
}

static char *repeated(const char *head, const char *piece, size_t count, const char *tail) {
    GString *text = g_string_new(head);
    for (size_t i = 0; i < count; i++)
        g_string_append(text, piece);
    g_string_append(text, tail);
    return g_string_free(text, FALSE);
}

/* With or without words of the library's own. */
static void assert_given_up(int connection) {
    char bytes[1024];
    while (recv(connection, bytes, sizeof bytes, 0) > 0)
        ;
    close(connection);
}

/* Each would take its target and more for ever: libmicrohttpd gives up on it by itself. */
static void what_the_library_drops_is_forgotten(void) {
    Rig rig;
    rig_init(&rig, NULL, 100);
    g_autofree char *flood =
        repeated("GET / HTTP/1.1\r\nHost: x\r\nCookie: ", "a=b;", 3000, "\r\n\r\n");
    for (int i = 0; i < 20; i++) {
        int connection = join(&rig);
        stage_write(connection, flood);
        assert_given_up(connection);
    }
    while (server_figures(rig.server).connections > 0)
        g_usleep(1000);
    g_assert_cmpuint(server_figures(rig.server).begun, ==, 0);
    rig_clear(&rig);
}

static void a_query_of_many_parameters_arrives_whole(void) {
    Rig rig;
    rig_init(&rig, NULL, 10);
    g_autofree char *target = repeated("/?", "a&", 4000, "b");
    g_autofree char *request = g_strdup_printf("GET %s HTTP/1.1\r\nHost: x\r\n\r\n", target);
    int connection = join(&rig);
    stage_write(connection, request);
    Exchange *held = await_held(&rig);
    g_assert_cmpstr(exchange_target(held), ==, target);
    say(held, "read");
    g_auto(Answer) answer = stage_read(connection, false);
    g_assert_cmpstr(answer.body, ==, "read");
    greet(connection);
    close(connection);
    rig_clear(&rig);
}

/* Sends all of a body but its last byte, and returns when the server has it. */
static int hold_body(Rig *rig, const char *bytes, size_t size) {
    int connection = join(rig);
    g_auto(Answer) go_on = {0};
    g_autofree char *head = g_strdup_printf("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n"
                                            "Expect: 100-continue\r\n\r\n",
                                            size + 1);
    stage_write(connection, head);
    go_on = stage_read(connection, true);
    g_assert_cmpuint(go_on.status, ==, 100);
    stage_write(connection, bytes);
    return connection;
}

/* Bodies that never end fill one client's share and no more. */
static void one_client_cannot_fill_the_room_for_bodies(void) {
    static const char *const proxies[] = {"127.0.0.0/8", NULL};
    int held[20];
    Rig rig;
    rig_init(&rig, proxies, 10);
    g_autofree char *bytes = g_strnfill(SERVER_BODY_MAX - 1, 'x');
    for (size_t i = 0; i < G_N_ELEMENTS(held); i++)
        held[i] = hold_body(&rig, bytes, SERVER_BODY_MAX - 1);
    int same = join(&rig);
    int other = join(&rig);
    static const char small[] = "POST / HTTP/1.1\r\nHost: x\r\n%sContent-Length: 2\r\n\r\n{}";
    g_autofree char *mine = g_strdup_printf(small, "");
    g_autofree char *others = g_strdup_printf(small, "X-Forwarded-For: 192.0.2.7\r\n");
    while (server_figures(rig.server).bodies < G_N_ELEMENTS(held) * (SERVER_BODY_MAX - 1))
        g_usleep(1000);
    stage_write(same, mine);
    stage_write(other, others);
    g_auto(Answer) refused = stage_read(same, false);
    g_auto(Answer) taken = stage_read(other, false);
    g_assert_cmpstr(refused.body, ==, "overloaded");
    g_assert_cmpstr(taken.body, ==, "hello");
    for (size_t i = 0; i < G_N_ELEMENTS(held); i++)
        close(held[i]);
    close(same);
    close(other);
    while (server_figures(rig.server).bodies > 0)
        g_usleep(1000);
    rig_clear(&rig);
}

static void a_server_that_goes_quiet_lets_answers_out(void) {
    Rig rig;
    rig_init(&rig, NULL, 10);
    int connection = join(&rig);
    stage_write(connection, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    Exchange *held = await_held(&rig);
    server_quiesce(rig.server);
    g_assert_false(server_wait(rig.server, 0));
    say(held, "the last");
    g_auto(Answer) answer = stage_read(connection, false);
    g_autofree char *header = answer_header(&answer, "Connection");
    g_assert_cmpstr(answer.body, ==, "the last");
    g_assert_cmpstr(header, ==, "close");
    g_assert_true(server_wait(rig.server, 60000));
    close(connection);
    rig_clear(&rig);
}

static void an_address_that_cannot_be_listened_on_is_told(void) {
    static const char *const texts[] = {"8080", "127.0.0.1:99999", "nowhere.invalid:1", "[::1", ""};
    AddressSet *none = NULL;
    must((none = address_set_new(NULL, &error)) != NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        Server *server = NULL;
        g_autoptr(GError) error = NULL;
        ServerConfig config = {.listen = texts[i], .trusted = none, .threads = 1};
        g_assert_false(server_new(&config, &server, &error));
        g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    }
    address_set_free(none);
}

static const ApiTest tests[] = {
    {"an_address_that_cannot_be_listened_on_is_told",
     an_address_that_cannot_be_listened_on_is_told},
    {"one_address_has_so_many_connections", one_address_has_so_many_connections},
    {"trusted_proxies_are_not_counted", trusted_proxies_are_not_counted},
    {"the_client_behind_a_proxy_is_who_the_proxy_says",
     the_client_behind_a_proxy_is_who_the_proxy_says},
    {"a_request_has_one_end", a_request_has_one_end},
    {"a_nul_hides_nothing_of_the_address", a_nul_hides_nothing_of_the_address},
    {"what_the_library_drops_is_forgotten", what_the_library_drops_is_forgotten},
    {"a_query_of_many_parameters_arrives_whole", a_query_of_many_parameters_arrives_whole},
    {"one_client_cannot_fill_the_room_for_bodies", one_client_cannot_fill_the_room_for_bodies},
    {"a_server_that_goes_quiet_lets_answers_out", a_server_that_goes_quiet_lets_answers_out},
    {"a_connection_that_asks_nothing_is_closed_in_time",
     a_connection_that_asks_nothing_is_closed_in_time},
    {"a_reply_that_nobody_reads_is_given_up", a_reply_that_nobody_reads_is_given_up},
    {"an_answer_may_come_later_and_from_another_thread",
     an_answer_may_come_later_and_from_another_thread},
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "server", tests, G_N_ELEMENTS(tests));
}
