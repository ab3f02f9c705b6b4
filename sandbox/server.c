#include "sandbox/server.h"

#include "base/clock.h"
#include "base/error.h"
#include "sandbox/control.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024
#define CONNECTION_MEMORY (16 * 1024)
#define DESCRIPTORS_MAX 4
#define STREAM_BLOCK (64 * 1024)
#define RAW_WAIT_MS 2000
#define FOREVER INT64_MAX

typedef enum {
    STAGE_NEW,     /* its headers have been read */
    STAGE_BODY,    /* its body is being read */
    STAGE_WAITING, /* suspended until due_ms or a release */
    STAGE_READY,   /* to be answered now */
    STAGE_DONE
} Stage;

typedef enum { WAIT_DELAY, WAIT_HOLD, WAIT_CONTROL, WAIT_DRIP } WaitKind;

/* One request. Belongs to its connection; freed by on_completed. */
typedef struct {
    Server *server;
    struct MHD_Connection *connection;
    char *target;
    GString *upload;
    Stage stage;
    bool counted;
    WaitKind wait;
    int64_t due_ms;
    ServiceCall call;
    ControlWish wish;
} Exchange;

/* A body that is sent piece by piece. */
typedef struct {
    Exchange *exchange;
    GString *body;
    Delivery delivery;
    size_t bytes;
    unsigned pause_ms;
    bool paused;
} Stream;

struct Server {
    int listener;
    int wake; /* eventfd: the due times have changed */
    uint16_t port;
    struct MHD_Daemon *daemon;
    Service *service;
    pthread_mutex_t lock;
    GPtrArray *waiting; /* Exchange */
    bool stopping;
};

static void wake_up(const Server *server) {
    uint64_t one = 1;
    ssize_t written = write(server->wake, &one, sizeof(one));
    (void)written; /* a full counter wakes as well */
}

static unsigned count_held(const Server *server) {
    unsigned held = 0;
    for (guint i = 0; i < server->waiting->len; i++) {
        const Exchange *exchange = g_ptr_array_index(server->waiting, i);
        held += exchange->wait == WAIT_HOLD ? 1 : 0;
    }
    return held;
}

static void resume(Server *server, guint index) {
    Exchange *exchange = g_ptr_array_remove_index_fast(server->waiting, index);
    exchange->stage = STAGE_READY;
    MHD_resume_connection(exchange->connection);
}

static bool is_satisfied(const Exchange *exchange, unsigned held) {
    const ControlWish *wish = &exchange->wish;
    return stats_requests(exchange->server->service->stats) >= wish->wanted_requests &&
           held >= wish->wanted_held;
}

/* Lets the calls to /_sandbox/wait go whose wish has come true. */
static void check_waits(Server *server) {
    unsigned held = count_held(server);
    for (guint i = server->waiting->len; i > 0; i--) {
        const Exchange *exchange = g_ptr_array_index(server->waiting, i - 1);
        if (exchange->wait == WAIT_CONTROL && is_satisfied(exchange, held)) {
            resume(server, i - 1);
        }
    }
}

static void release(Server *server, const char *match) {
    for (guint i = server->waiting->len; i > 0; i--) {
        const Exchange *exchange = g_ptr_array_index(server->waiting, i - 1);
        if (exchange->wait == WAIT_HOLD && fault_matches(exchange->call.fault, match)) {
            resume(server, i - 1);
        }
    }
}

static void suspend(Exchange *exchange, WaitKind wait, int64_t due_ms) {
    Server *server = exchange->server;
    exchange->wait = wait;
    exchange->due_ms = due_ms;
    exchange->stage = STAGE_WAITING;
    MHD_suspend_connection(exchange->connection);
    g_ptr_array_add(server->waiting, exchange);
    check_waits(server);
    wake_up(server);
}

static void stream_free(void *data) {
    Stream *stream = data;
    g_string_free(stream->body, TRUE);
    g_free(stream);
}

static ssize_t copy_out(const Stream *stream, uint64_t position, char *out, size_t size) {
    size_t rest = stream->body->len - (size_t)position;
    size_t length = MIN(size, rest);
    memcpy(out, stream->body->str + position, length);
    return (ssize_t)length;
}

static ssize_t read_cut(void *data, uint64_t position, char *out, size_t size) {
    const Stream *stream = data;
    if (position >= stream->bytes) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    return copy_out(stream, position, out, MIN(size, stream->bytes - (size_t)position));
}

static ssize_t read_endless(void *data, uint64_t position, char *out, size_t size) {
    static const char piece[] = "{\"a\":1},";
    const size_t length = sizeof(piece) - 1;
    const Stream *stream = data;
    if (position < stream->body->len) {
        return copy_out(stream, position, out, size);
    }
    size_t done = 0;
    while (done + length <= size) {
        memcpy(out + done, piece, length);
        done += length;
    }
    return done > 0 ? (ssize_t)done : MHD_CONTENT_READER_END_WITH_ERROR;
}

/* A pause comes before each piece; the connection sleeps meanwhile. */
static ssize_t read_drip(void *data, uint64_t position, char *out, size_t size) {
    Stream *stream = data;
    Server *server = stream->exchange->server;
    pthread_mutex_lock(&server->lock);
    bool pause = !stream->paused && !server->stopping;
    stream->paused = pause;
    if (pause) {
        suspend(stream->exchange, WAIT_DRIP, clock_mono_ms() + stream->pause_ms);
    }
    pthread_mutex_unlock(&server->lock);
    return pause ? 0 : copy_out(stream, position, out, MIN(size, stream->bytes));
}

static struct MHD_Response *make_stream(Exchange *exchange, Reply *reply) {
    Stream *stream = g_new0(Stream, 1);
    stream->exchange = exchange;
    stream->body = g_steal_pointer(&reply->body);
    stream->delivery = reply->delivery;
    stream->bytes = reply->bytes;
    stream->pause_ms = reply->pause_ms;
    MHD_ContentReaderCallback reader = read_cut;
    uint64_t size = stream->body->len;
    if (reply->delivery == DELIVER_ENDLESS) {
        reader = read_endless;
        size = MHD_SIZE_UNKNOWN;
    } else if (reply->delivery == DELIVER_DRIP) {
        reader = read_drip;
    }
    return MHD_create_response_from_callback(size, STREAM_BLOCK, reader, stream, stream_free);
}

/* Bytes past libmicrohttpd, which would not send such a thing. */
static void send_raw(struct MHD_Connection *connection, const GString *bytes) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    size_t done = 0;
    while (info != NULL && done < bytes->len) {
        ssize_t sent = send(info->connect_fd, bytes->str + done, bytes->len - done, MSG_NOSIGNAL);
        struct pollfd room = {.fd = info->connect_fd, .events = POLLOUT};
        if (sent > 0) {
            done += (size_t)sent;
        } else if ((errno != EAGAIN && errno != EINTR) || poll(&room, 1, RAW_WAIT_MS) <= 0) {
            return;
        }
    }
}

static enum MHD_Result send_reply(Exchange *exchange, Reply *reply) {
    exchange->stage = STAGE_DONE;
    if (reply->delivery == DELIVER_RAW) {
        send_raw(exchange->connection, reply->body);
    }
    if (reply->delivery == DELIVER_RAW || reply->delivery == DELIVER_NOTHING) {
        return MHD_NO;
    }
    struct MHD_Response *response;
    if (reply->delivery == DELIVER_WHOLE) {
        size_t size = reply->body->len;
        char *body = g_string_free(g_steal_pointer(&reply->body), FALSE);
        response = MHD_create_response_from_buffer(size, body, MHD_RESPMEM_MUST_FREE);
    } else {
        response = make_stream(exchange, reply);
    }
    for (size_t i = 0; i < reply->header_count; i++) {
        (void)MHD_add_response_header(response, reply_header_name(reply, i),
                                      reply_header_value(reply, i));
    }
    enum MHD_Result queued = MHD_queue_response(exchange->connection, reply->status, response);
    MHD_destroy_response(response);
    return queued;
}

static const char *find_header(void *data, const char *name) {
    return MHD_lookup_connection_value(data, MHD_HEADER_KIND, name);
}

/* The functions below work under the lock and say whether the reply is to be sent now; otherwise
 * the connection sleeps. Sending itself is done without the lock: libmicrohttpd has locks of its
 * own. */
static bool answer_control(Exchange *exchange, const char *method, Reply *reply) {
    Server *server = exchange->server;
    const GString *upload = exchange->upload;
    const ControlRequest request = {.method = method,
                                    .target = exchange->target,
                                    .body = upload == NULL ? "" : upload->str,
                                    .body_size = upload == NULL ? 0 : upload->len,
                                    .held = count_held(server)};
    control_answer(server->service, &request, reply, &exchange->wish);
    if (exchange->wish.release) {
        release(server, exchange->wish.match);
    }
    if (!exchange->wish.wait) {
        return true;
    }
    if (!is_satisfied(exchange, request.held) && !server->stopping) {
        suspend(exchange, WAIT_CONTROL, clock_mono_ms() + exchange->wish.timeout_ms);
        return false;
    }
    control_stats(server->service, request.held, reply);
    return true;
}

/* A wait that has come true, or has run out of time. */
static bool answer_wait(Exchange *exchange, Reply *reply) {
    unsigned held = count_held(exchange->server);
    reply_add(reply, "Content-Type", "application/json");
    control_stats(exchange->server->service, held, reply);
    reply->status = is_satisfied(exchange, held) ? 200 : 408;
    return true;
}

static ServiceRequest request_of(const Exchange *exchange, const char *method) {
    const GString *upload = exchange->upload;
    return (ServiceRequest){.method = method,
                            .target = exchange->target,
                            .body = upload == NULL ? "" : upload->str,
                            .body_size = upload == NULL ? 0 : upload->len,
                            .header = find_header,
                            .data = exchange->connection};
}

static bool answer_call(Exchange *exchange, const char *method, Reply *reply) {
    const ServiceRequest request = request_of(exchange, method);
    service_answer(exchange->server->service, &request, &exchange->call, reply);
    return true;
}

static bool arrive(Exchange *exchange, const char *method, Reply *reply) {
    Server *server = exchange->server;
    const ServiceRequest request = request_of(exchange, method);
    exchange->counted = true;
    service_call_init(&exchange->call, server->service, &request);
    const Fault *fault = exchange->call.fault;
    if (server->waiting->len > 0) {
        check_waits(server);
    }
    if (fault == NULL || server->stopping) {
        return answer_call(exchange, method, reply);
    }
    unsigned delay = fault_delay_ms(fault);
    if (fault_is_hold(fault)) {
        suspend(exchange, WAIT_HOLD, FOREVER);
        return false;
    }
    if (delay > 0) {
        suspend(exchange, WAIT_DELAY, clock_mono_ms() + delay);
        return false;
    }
    return answer_call(exchange, method, reply);
}

static enum MHD_Result take_upload(Exchange *exchange, const char *bytes, size_t *size) {
    if (exchange->upload == NULL) {
        exchange->upload = g_string_new(NULL);
    }
    bool fits = exchange->upload->len + *size <= CONTROL_BODY_MAX;
    if (fits) {
        g_string_append_len(exchange->upload, bytes, (gssize)*size);
    }
    *size = 0;
    return fits ? MHD_YES : MHD_NO;
}

static bool dispatch(Exchange *exchange, const char *method, Reply *reply) {
    bool control = g_str_has_prefix(exchange->target, CONTROL_PREFIX);
    if (exchange->stage == STAGE_READY) {
        return control ? answer_wait(exchange, reply) : answer_call(exchange, method, reply);
    }
    return control ? answer_control(exchange, method, reply) : arrive(exchange, method, reply);
}

/* The first call for a request must return before anything is queued, or libmicrohttpd gives up
 * keep-alive. */
static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state) {
    (void)url;
    (void)version;
    Server *server = data;
    Exchange *exchange = *state;
    if (exchange->stage == STAGE_NEW) {
        exchange->connection = connection;
        exchange->stage = STAGE_BODY;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        return take_upload(exchange, upload, upload_size);
    }
    if (exchange->stage == STAGE_DONE || exchange->stage == STAGE_WAITING) {
        return MHD_YES;
    }
    Reply reply;
    reply_init(&reply);
    pthread_mutex_lock(&server->lock);
    bool send_now = dispatch(exchange, method, &reply);
    pthread_mutex_unlock(&server->lock);
    enum MHD_Result result = send_now ? send_reply(exchange, &reply) : MHD_YES;
    reply_clear(&reply);
    return result;
}

/* Called with the target as it was sent, before anything of it is decoded. */
static void *on_target(void *data, const char *target, struct MHD_Connection *connection) {
    (void)connection;
    Exchange *exchange = g_new0(Exchange, 1);
    exchange->server = data;
    exchange->target = g_strdup(target);
    return exchange;
}

static void on_completed(void *data, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode why) {
    (void)connection;
    (void)why;
    Server *server = data;
    Exchange *exchange = *state;
    if (exchange == NULL) {
        return;
    }
    pthread_mutex_lock(&server->lock);
    g_ptr_array_remove_fast(server->waiting, exchange);
    if (exchange->counted) {
        stats_leave(server->service->stats);
    }
    service_call_clear(&exchange->call);
    pthread_mutex_unlock(&server->lock);
    if (exchange->upload != NULL) {
        g_string_free(exchange->upload, TRUE);
    }
    g_free(exchange->wish.match);
    g_free(exchange->target);
    g_free(exchange);
    *state = NULL;
}

static int listen_on(uint16_t *port, GError **error) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(*port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct sockaddr *generic = (struct sockaddr *)(void *)&address;
    socklen_t size = sizeof(address);
    int yes = 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
        bind(listener, generic, size) != 0 || listen(listener, SOMAXCONN) != 0 ||
        getsockname(listener, generic, &size) != 0) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "Cannot listen on 127.0.0.1:%u (%s); choose another port.", *port,
                    g_strerror(errno));
        if (listener >= 0) {
            close(listener);
        }
        return -1;
    }
    *port = ntohs(address.sin_port);
    return listener;
}

Server *server_new(uint16_t port, GError **error) {
    int listener = listen_on(&port, error);
    if (listener < 0) {
        return NULL;
    }
    Server *server = g_new0(Server, 1);
    server->listener = listener;
    server->port = port;
    server->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->waiting = g_ptr_array_new();
    pthread_mutex_init(&server->lock, NULL);
    return server;
}

uint16_t server_port(const Server *server) {
    return server->port;
}

bool server_attach(Server *server, Service *service, GError **error) {
    server->service = service;
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, server,
        MHD_OPTION_LISTEN_SOCKET, server->listener, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, server, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        server, MHD_OPTION_END);
    if (server->daemon == NULL) {
        g_set_error(error, ASSAY_ERROR, ERROR_INTERNAL, "The HTTP server does not start.");
        return false;
    }
    server->listener = -1; /* the daemon's now */
    return true;
}

/* Resumes what is due; returns the milliseconds until the next is, or -1. */
static int resume_due(Server *server) {
    int64_t now = clock_mono_ms();
    int64_t next = FOREVER;
    pthread_mutex_lock(&server->lock);
    for (guint i = server->waiting->len; i > 0; i--) {
        const Exchange *exchange = g_ptr_array_index(server->waiting, i - 1);
        if (exchange->due_ms <= now) {
            resume(server, i - 1);
        } else {
            next = MIN(next, exchange->due_ms);
        }
    }
    pthread_mutex_unlock(&server->lock);
    return next == FOREVER ? -1 : (int)MIN(next - now, G_MAXINT);
}

void server_run(Server *server, const int *descriptors, size_t count) {
    struct pollfd polled[DESCRIPTORS_MAX + 1] = {{.fd = server->wake, .events = POLLIN}};
    g_assert(count <= DESCRIPTORS_MAX);
    for (size_t i = 0; i < count; i++) {
        polled[i + 1] = (struct pollfd){.fd = descriptors[i], .events = POLLIN};
    }
    bool ended = false;
    while (!ended) {
        int timeout = resume_due(server);
        if (poll(polled, count + 1, timeout) < 0 && errno != EINTR) {
            return;
        }
        uint64_t ignored;
        ssize_t got = read(server->wake, &ignored, sizeof(ignored));
        (void)got;
        for (size_t i = 1; i <= count; i++) {
            ended = ended || polled[i].revents != 0;
        }
    }
}

void server_free(Server *server) {
    if (server == NULL) {
        return;
    }
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    while (server->waiting->len > 0) {
        resume(server, server->waiting->len - 1);
    }
    pthread_mutex_unlock(&server->lock);
    if (server->daemon != NULL) {
        MHD_stop_daemon(server->daemon);
    }
    if (server->listener >= 0) {
        close(server->listener);
    }
    close(server->wake);
    g_ptr_array_unref(server->waiting);
    pthread_mutex_destroy(&server->lock);
    g_free(server);
}
