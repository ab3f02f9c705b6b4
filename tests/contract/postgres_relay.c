#include "postgres_relay.h"
#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAIRS_MAX 64

typedef struct {
    int program, server; /* -1: free */
    bool doomed;         /* cut when the server has answered */
} Pair;

/* One thread does it all; the others only set what is to be lost. */
struct Relay {
    int listener, port, server_port, wake[2];
    pthread_t thread;
    pthread_mutex_t lock;
    RelayLoss loss;
    const char *word;
    bool closed; /* nobody gets through */
    Pair pairs[PAIRS_MAX];
};

static int address_socket(int port, bool listens) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(made, >=, 0);
    const struct sockaddr *any = (const struct sockaddr *)&address;
    int result = listens ? bind(made, any, sizeof address) : connect(made, any, sizeof address);
    if (result == 0 && (!listens || listen(made, 16) == 0))
        return made;
    close(made);
    return -1;
}

static void cut(Pair *pair) {
    close(pair->program);
    close(pair->server);
    *pair = (Pair){.program = -1, .server = -1};
}

static void accept_one(Relay *relay, bool closed) {
    int program = accept(relay->listener, NULL, NULL);
    int server = closed || program < 0 ? -1 : address_socket(relay->server_port, false);
    for (int i = 0; server >= 0 && i < PAIRS_MAX; i++) {
        if (relay->pairs[i].program < 0) {
            relay->pairs[i] = (Pair){.program = program, .server = server};
            return;
        }
    }
    if (program >= 0)
        close(program);
}

static bool pass(int to, const char *bytes, ssize_t size) {
    return send(to, bytes, (size_t)size, MSG_NOSIGNAL) == size;
}

/* What is lost of these bytes; the trap is spent then. */
static RelayLoss spring(Relay *relay, const char *bytes, ssize_t size) {
    pthread_mutex_lock(&relay->lock);
    RelayLoss loss = relay->loss;
    if (loss != RELAY_WHOLE && !memmem(bytes, (size_t)size, relay->word, strlen(relay->word) + 1))
        loss = RELAY_WHOLE;
    if (loss != RELAY_WHOLE)
        relay->loss = RELAY_WHOLE;
    if (loss == RELAY_ANSWER_AND_ALL)
        relay->closed = true;
    pthread_mutex_unlock(&relay->lock);
    return loss;
}

static void from_program(Relay *relay, Pair *pair) {
    char bytes[65536];
    ssize_t size = recv(pair->program, bytes, sizeof bytes, 0);
    RelayLoss loss = size > 0 ? spring(relay, bytes, size) : RELAY_REQUEST;
    if (loss == RELAY_REQUEST || !pass(pair->server, bytes, size))
        cut(pair);
    else
        pair->doomed = loss != RELAY_WHOLE;
}

static void from_server(Pair *pair) {
    char bytes[65536];
    ssize_t size = recv(pair->server, bytes, sizeof bytes, 0);
    if (size <= 0 || pair->doomed || !pass(pair->program, bytes, size))
        cut(pair);
}

/* The files to look at: the alarm, the listener, then two of each pair. */
static void turn(Relay *relay, bool closed) {
    struct pollfd files[2 + 2 * PAIRS_MAX] = {{.fd = relay->wake[0], .events = POLLIN},
                                              {.fd = relay->listener, .events = POLLIN}};
    for (int i = 0; i < PAIRS_MAX; i++) {
        files[2 + 2 * i] = (struct pollfd){.fd = relay->pairs[i].program, .events = POLLIN};
        files[3 + 2 * i] = (struct pollfd){.fd = relay->pairs[i].server, .events = POLLIN};
    }
    (void)poll(files, G_N_ELEMENTS(files), -1);
    for (int i = 0; i < PAIRS_MAX; i++) {
        Pair *pair = &relay->pairs[i];
        if (pair->program >= 0 && files[2 + 2 * i].revents)
            from_program(relay, pair);
        if (pair->program >= 0 && files[3 + 2 * i].revents)
            from_server(pair);
    }
    if (files[1].revents)
        accept_one(relay, closed);
}

static void *relay_loop(void *data) {
    Relay *relay = data;
    char ending;
    while (recv(relay->wake[0], &ending, 1, MSG_DONTWAIT) < 0) {
        pthread_mutex_lock(&relay->lock);
        bool closed = relay->closed;
        pthread_mutex_unlock(&relay->lock);
        turn(relay, closed);
    }
    return NULL;
}

Relay *relay_new(int server_port) {
    Relay *relay = g_new0(Relay, 1);
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    for (int i = 0; i < PAIRS_MAX; i++)
        relay->pairs[i] = (Pair){.program = -1, .server = -1};
    relay->server_port = server_port;
    relay->listener = address_socket(0, true);
    g_assert_cmpint(getsockname(relay->listener, (struct sockaddr *)&address, &size), ==, 0);
    relay->port = ntohs(address.sin_port);
    pthread_mutex_init(&relay->lock, NULL);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, relay->wake), ==, 0);
    g_assert_cmpint(pthread_create(&relay->thread, NULL, relay_loop, relay), ==, 0);
    return relay;
}

void relay_free(Relay *relay) {
    g_assert_cmpint(send(relay->wake[1], "e", 1, 0), ==, 1);
    pthread_join(relay->thread, NULL);
    for (int i = 0; i < PAIRS_MAX; i++) {
        if (relay->pairs[i].program >= 0)
            cut(&relay->pairs[i]);
    }
    close(relay->listener);
    close(relay->wake[0]);
    close(relay->wake[1]);
    pthread_mutex_destroy(&relay->lock);
    g_free(relay);
}

int relay_port(const Relay *relay) {
    return relay->port;
}

void relay_lose(Relay *relay, RelayLoss loss, const char *word) {
    pthread_mutex_lock(&relay->lock);
    relay->loss = loss;
    relay->word = word;
    pthread_mutex_unlock(&relay->lock);
}

void relay_mend(Relay *relay) {
    pthread_mutex_lock(&relay->lock);
    relay->closed = false;
    pthread_mutex_unlock(&relay->lock);
}
