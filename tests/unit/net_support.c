#include "net_support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define DRIP_PAUSE_MS 2

typedef struct {
    int descriptor; /* -1: free */
    GString *input;
    bool deaf; /* held: input is read and dropped */
} Connection;

struct Peer {
    const PeerStep *steps;
    size_t step_count;
    int listener;
    int stop[2];
    unsigned port;
    pthread_t thread;
    Connection connections[CONNECTIONS_MAX];
    pthread_mutex_t lock; /* over what follows */
    GPtrArray *requests;
    unsigned accepted;
};

static bool is_stopped(Peer *peer, int wait_ms) {
    struct pollfd stop = {.fd = peer->stop[0], .events = POLLIN};
    return poll(&stop, 1, wait_ms) > 0;
}

static void hang_up(Connection *connection, bool reset) {
    if (reset) {
        struct linger linger = {.l_onoff = 1, .l_linger = 0};
        setsockopt(connection->descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    }
    close(connection->descriptor);
    connection->descriptor = -1;
    memset(connection->input->str, 0, connection->input->allocated_len); /* see freed.h */
    g_string_free(connection->input, TRUE);
    connection->input = NULL;
}

static bool send_all(Peer *peer, int descriptor, const char *bytes, size_t size) {
    while (size) {
        ssize_t sent = send(descriptor, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EAGAIN) {
            struct pollfd room = {.fd = descriptor, .events = POLLOUT};
            (void)poll(&room, 1, 10);
            if (is_stopped(peer, 0)) {
                return false;
            }
            continue;
        }
        if (sent <= 0) {
            return false;
        }
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

static void play(Peer *peer, Connection *connection, const PeerStep *step) {
    size_t size = step->size ? step->size : (step->bytes ? strlen(step->bytes) : 0);
    bool open = send_all(peer, connection->descriptor, step->bytes, size);
    bool repeats = step->then == PEER_FLOOD || step->then == PEER_DRIP;
    while (open && repeats) {
        open = send_all(peer, connection->descriptor, step->more, strlen(step->more)) &&
               !is_stopped(peer, step->then == PEER_DRIP ? DRIP_PAUSE_MS : 0);
    }
    connection->deaf = step->then == PEER_HOLD;
    if (!open || step->then == PEER_CLOSE || step->then == PEER_RESET) {
        hang_up(connection, step->then == PEER_RESET);
    }
}

/* Length of the first whole request in the input; 0 when it is not whole yet. */
static size_t request_length(const GString *input) {
    const char *end = strstr(input->str, "\r\n\r\n");
    if (!end) {
        return 0;
    }
    size_t head = (size_t)(end - input->str) + 4;
    g_autofree char *lower = g_ascii_strdown(input->str, (gssize)head);
    const char *field = strstr(lower, "\r\ncontent-length:");
    size_t body = field ? (size_t)g_ascii_strtoull(field + 17, NULL, 10) : 0;
    return input->len >= head + body ? head + body : 0;
}

static void serve(Peer *peer, Connection *connection) {
    size_t length = request_length(connection->input);
    while (length && connection->descriptor >= 0 && !connection->deaf) {
        pthread_mutex_lock(&peer->lock);
        size_t number = peer->requests->len;
        g_ptr_array_add(peer->requests, g_strndup(connection->input->str, length));
        pthread_mutex_unlock(&peer->lock);
        g_string_erase(connection->input, 0, (gssize)length);
        play(peer, connection, &peer->steps[MIN(number, peer->step_count - 1)]);
        length = connection->input ? request_length(connection->input) : 0;
    }
}

static void hear(Peer *peer, Connection *connection) {
    char bytes[16384];
    ssize_t got = recv(connection->descriptor, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) {
        return;
    }
    if (got <= 0) {
        hang_up(connection, false);
        return;
    }
    g_string_append_len(connection->input, bytes, got);
    serve(peer, connection);
}

static void take_connection(Peer *peer) {
    int descriptor = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
    for (unsigned i = 0; i < CONNECTIONS_MAX && descriptor >= 0; i++) {
        if (peer->connections[i].descriptor < 0) {
            peer->connections[i] =
                (Connection){.descriptor = descriptor, .input = g_string_new(NULL)};
            pthread_mutex_lock(&peer->lock);
            peer->accepted++;
            pthread_mutex_unlock(&peer->lock);
            return;
        }
    }
    g_error("the scripted peer has too many connections");
}

static void *peer_run(void *data) {
    Peer *peer = data;
    struct pollfd polls[CONNECTIONS_MAX + 2];
    for (;;) {
        polls[0] = (struct pollfd){.fd = peer->stop[0], .events = POLLIN};
        polls[1] = (struct pollfd){.fd = peer->listener, .events = POLLIN};
        for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
            polls[i + 2] = (struct pollfd){.fd = peer->connections[i].descriptor, .events = POLLIN};
        }
        if (poll(polls, CONNECTIONS_MAX + 2, -1) < 0 || polls[0].revents) {
            return NULL;
        }
        for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
            if (polls[i + 2].fd >= 0 && polls[i + 2].revents) {
                hear(peer, &peer->connections[i]);
            }
        }
        if (polls[1].revents) {
            take_connection(peer);
        }
    }
}

Peer *peer_new(const PeerStep *steps, size_t count) {
    Peer *peer = g_new0(Peer, 1);
    peer->steps = steps;
    peer->step_count = count;
    peer->requests = g_ptr_array_new_with_free_func(g_free);
    pthread_mutex_init(&peer->lock, NULL);
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        peer->connections[i].descriptor = -1;
    }
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(peer->listener, (struct sockaddr *)(void *)&address, size), ==, 0);
    g_assert_cmpint(listen(peer->listener, 64), ==, 0);
    g_assert_cmpint(getsockname(peer->listener, (struct sockaddr *)(void *)&address, &size), ==, 0);
    peer->port = ntohs(address.sin_port);
    g_assert_cmpint(pipe(peer->stop), ==, 0);
    g_assert_cmpint(pthread_create(&peer->thread, NULL, peer_run, peer), ==, 0);
    return peer;
}

void peer_free(Peer *peer) {
    if (!peer) {
        return;
    }
    g_assert_cmpint(write(peer->stop[1], "x", 1), ==, 1);
    pthread_join(peer->thread, NULL);
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        if (peer->connections[i].descriptor >= 0) {
            hang_up(&peer->connections[i], false);
        }
    }
    close(peer->listener);
    close(peer->stop[0]);
    close(peer->stop[1]);
    g_ptr_array_unref(peer->requests);
    pthread_mutex_destroy(&peer->lock);
    g_free(peer);
}

unsigned peer_requests(Peer *peer) {
    pthread_mutex_lock(&peer->lock);
    unsigned count = peer->requests->len;
    pthread_mutex_unlock(&peer->lock);
    return count;
}

unsigned peer_connections(Peer *peer) {
    pthread_mutex_lock(&peer->lock);
    unsigned count = peer->accepted;
    pthread_mutex_unlock(&peer->lock);
    return count;
}

unsigned peer_port(const Peer *peer) {
    return peer->port;
}

char *peer_request(Peer *peer, unsigned n) {
    pthread_mutex_lock(&peer->lock);
    char *text = g_strdup(n < peer->requests->len ? g_ptr_array_index(peer->requests, n) : "");
    pthread_mutex_unlock(&peer->lock);
    return text;
}

char *peer_url(const Peer *peer, const char *path) {
    return g_strdup_printf("http://127.0.0.1:%u%s", peer->port, path);
}

void got_clear(Got *got) {
    g_clear_pointer(&got->body, g_free);
    g_clear_pointer(&got->message, g_free);
    g_clear_pointer(&got->header, g_free);
}

void got_done(NetResult *result, void *data) {
    Got *got = data;
    got_clear(got);
    got->times_done++;
    got->outcome = result->outcome;
    got->status = result->response.status;
    got->header = g_strdup(net_headers_get(result->response.headers, "X-Test"));
    got->body = g_memdup2(result->response.body, result->response.body_size + 1);
    got->size = result->response.body_size;
    got->message = result->error ? g_strdup(result->error->message) : NULL;
    got->code = result->error ? error_code_of(result->error) : ERROR_CODES;
    got->attempts = result->attempts;
    got->sent = result->sent;
    got->waited_ms = result->waited_ms;
    got->retry_at_ms = result->retry_at_ms;
    if (got->log) {
        g_string_append_c(got->log, got->mark);
    }
}

NetRequest *peer_ask(const Peer *peer, const char *method, const char *path, Got *got) {
    g_autofree char *url = peer_url(peer, path);
    NetRequest *request = net_request_new(method, url);
    request->allow_private = true;
    request->done = got_done;
    request->data = got;
    return request;
}

NetClient *test_client(void) {
    NetClientConfig config = {.wait_scale = 0.001, .seed = 7};
    g_autoptr(GError) error = NULL;
    NetClient *client = net_client_new(&config, &error);
    g_assert_no_error(error);
    return client;
}

void drain(NetClient *client) {
    g_autoptr(GError) error = NULL;
    for (unsigned quiet = 0; net_client_active(client); quiet++) {
        if (quiet > 200000) {
            g_error("requests are still under way after 200,000 turns");
        }
        g_assert_true(net_client_step(client, 100, &error));
        g_assert_no_error(error);
    }
}
