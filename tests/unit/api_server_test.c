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

/* Answers "/" at once and keeps everything else. */
static void handle(Exchange *exchange, void *data) {
    Rig *rig = data;
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
    {"a_server_that_goes_quiet_lets_answers_out", a_server_that_goes_quiet_lets_answers_out},
    {"a_connection_that_asks_nothing_is_closed_in_time",
     a_connection_that_asks_nothing_is_closed_in_time},
    {"an_answer_may_come_later_and_from_another_thread",
     an_answer_may_come_later_and_from_another_thread},
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "server", tests, G_N_ELEMENTS(tests));
}
