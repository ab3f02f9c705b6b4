#include "api/server.h"

#include "api/target.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/secmem.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/* libmicrohttpd's memory per connection: beyond it, it refuses by itself and in its own words. */
#define CONNECTION_MEMORY (SERVER_HEADER_BYTES_MAX * 2 + TARGET_MAX)
#define BODIES_MAX ((size_t)256 * 1024 * 1024)
#define CLIENT_BODIES_MAX ((size_t)16 * 1024 * 1024)
#define LOCKS 64
#define REQUEST_MS 30000
#define REPLY_MS 300000
#define IDLE_MS 75000
#define BACKLOG 1024
#define NEVER INT64_MAX

/* One connection. */
typedef struct {
    int descriptor;
    Address near; /* what it is counted by */
    bool counted;
    _Atomic(int64_t) deadline; /* for what it is to send next */
    Exchange *exchange;        /* begun and not yet over; NULL: none */
} Link;

typedef enum {
    STAGE_NEW,      /* its headers have been read */
    STAGE_BODY,     /* its body is being read */
    STAGE_HANDLING, /* to be replied to by whoever handles it */
    STAGE_REPLYING
} Stage;

struct Exchange {
    Server *server;
    struct MHD_Connection *connection;
    Link *link;
    char *target;
    const char *method;
    Address client;
    GString *body;
    size_t counted_bytes;
    Stage stage;
    Defect defect;
    /* Under the exchange's lock. */
    bool replied;
    bool suspended;
    Reply reply;
    Stream *stream; /* being sent; under the server's lock */
};

struct Server {
    ServerConfig config;
    _Atomic(const AddressSet *) trusted;
    struct MHD_Daemon *daemon;
    int listener;
    uint16_t port;
    /* An exchange may be gone as soon as its lock is let go: the locks are not its own. */
    pthread_mutex_t locks[LOCKS];
    pthread_mutex_t lock; /* the rest */
    pthread_cond_t calm;  /* nobody is busy */
    GHashTable *links;
    GHashTable *counts; /* Address -> number of its connections */
    GHashTable *loads;  /* Address -> bytes of its bodies in memory */
    GHashTable *exchanges;
    unsigned busy; /* exchanges that are being handled or replied to */
    atomic_bool quiet;
    atomic_size_t bodies; /* bytes of bodies in memory */
    uint64_t refused;
    uint64_t timed_out;
};

static pthread_mutex_t *lock_of(const Exchange *exchange) {
    size_t spread = ((uintptr_t)exchange >> 6) * 2654435761u;
    return &exchange->server->locks[(spread >> 8) % LOCKS];
}

/* --- connections ------------------------------------------------------------------------------ */

static size_t count_of(GHashTable *counts, const Address *near) {
    return GPOINTER_TO_SIZE(g_hash_table_lookup(counts, near));
}

static void set_count(GHashTable *counts, const Address *near, size_t count) {
    if (count == 0)
        g_hash_table_remove(counts, near);
    else
        g_hash_table_insert(counts, g_memdup2(near, sizeof *near), GSIZE_TO_POINTER(count));
}

static enum MHD_Result on_accept(void *data, const struct sockaddr *socket, socklen_t size) {
    Server *server = data;
    Address address;
    (void)size;
    if (!address_of_socket(socket, &address))
        return MHD_NO;
    if (address_set_has(atomic_load(&server->trusted), &address))
        return MHD_YES;
    Address near = address_neighbourhood(&address);
    pthread_mutex_lock(&server->lock);
    bool fits = count_of(server->counts, &near) < server->config.connections_per_address;
    server->refused += fits ? 0 : 1;
    pthread_mutex_unlock(&server->lock);
    return fits ? MHD_YES : MHD_NO;
}

static void peer_of(struct MHD_Connection *connection, Address *peer_out) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (!info || !address_of_socket(info->client_addr, peer_out))
        *peer_out = (Address){{0}};
}

static void open_link(Server *server, struct MHD_Connection *connection, void **context) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    Address peer;
    int yes = 1;
    peer_of(connection, &peer);
    Link *link = g_new0(Link, 1);
    link->descriptor = info->connect_fd;
    link->near = address_neighbourhood(&peer);
    link->counted = !address_set_has(atomic_load(&server->trusted), &peer);
    atomic_init(&link->deadline, clock_mono_ms() + server->config.idle_ms);
    (void)setsockopt(link->descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    pthread_mutex_lock(&server->lock);
    g_hash_table_add(server->links, link);
    if (link->counted)
        set_count(server->counts, &link->near, count_of(server->counts, &link->near) + 1);
    pthread_mutex_unlock(&server->lock);
    *context = link;
}

static void end_exchange(Exchange *exchange);

/* libmicrohttpd 0.9.75 drops requests whose cookies do not fit into its memory, and does not tell
 * that they are over. */
static void close_link(Server *server, Link *link) {
    if (link->exchange)
        end_exchange(link->exchange);
    pthread_mutex_lock(&server->lock);
    g_hash_table_remove(server->links, link);
    if (link->counted)
        set_count(server->counts, &link->near, count_of(server->counts, &link->near) - 1);
    pthread_mutex_unlock(&server->lock);
    g_free(link);
}

static void on_connection(void *data, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code) {
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        open_link(data, connection, context);
    else if (*context)
        close_link(data, g_steal_pointer(context));
}

void server_sweep(Server *server) {
    GHashTableIter iterator;
    gpointer key;
    int64_t now = clock_mono_ms();
    pthread_mutex_lock(&server->lock);
    g_hash_table_iter_init(&iterator, server->links);
    while (g_hash_table_iter_next(&iterator, &key, NULL)) {
        Link *link = key;
        if (atomic_load(&link->deadline) > now)
            continue;
        atomic_store(&link->deadline, NEVER);
        server->timed_out++;
        (void)shutdown(link->descriptor, SHUT_RDWR);
    }
    pthread_mutex_unlock(&server->lock);
}

/* --- streams ---------------------------------------------------------------------------------- */

static void put_to_sleep(void *connection) {
    MHD_suspend_connection(connection);
}

static void wake_up(void *connection) {
    MHD_resume_connection(connection);
}

static ssize_t on_read(void *data, uint64_t position, char *out, size_t size) {
    const Exchange *exchange = data;
    (void)position;
    ssize_t got = stream_read(exchange->stream, out, size);
    if (got == STREAM_DONE)
        return MHD_CONTENT_READER_END_OF_STREAM;
    return got == STREAM_BROKEN ? MHD_CONTENT_READER_END_WITH_ERROR : got;
}

static struct MHD_Response *make_stream(Exchange *exchange) {
    Server *server = exchange->server;
    StreamSleeper sleeper = {
        .sleep = put_to_sleep, .wake = wake_up, .connection = exchange->connection};
    stream_attach(exchange->reply.stream, &sleeper);
    pthread_mutex_lock(&server->lock);
    exchange->stream = g_steal_pointer(&exchange->reply.stream);
    pthread_mutex_unlock(&server->lock);
    if (atomic_load(&server->quiet))
        stream_end(exchange->stream, false);
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, stream_block(exchange->stream),
                                             on_read, exchange, NULL);
}

/* --- replies ---------------------------------------------------------------------------------- */

static struct MHD_Response *make_response(Exchange *exchange) {
    Reply *reply = &exchange->reply;
    if (reply->stream)
        return make_stream(exchange);
    size_t size = reply->body_size;
    char *body = g_steal_pointer(&reply->body);
    return MHD_create_response_from_buffer(size, body, /* g_malloc() is malloc() */
                                           body ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
}

/* A reply lies in memory until its client has read it; a stream has no more than a piece there. */
static void set_reply_deadline(const Exchange *exchange) {
    if (exchange->link && !exchange->reply.stream)
        atomic_store(&exchange->link->deadline,
                     clock_mono_ms() + exchange->server->config.reply_ms);
}

static enum MHD_Result send_reply(Exchange *exchange) {
    exchange->stage = STAGE_REPLYING;
    const Reply *reply = &exchange->reply;
    set_reply_deadline(exchange);
    struct MHD_Response *response = make_response(exchange);
    if (!response)
        return MHD_NO;
    for (size_t i = 0; i < reply->header_count; i++)
        (void)MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
    if (atomic_load(&exchange->server->quiet) || exchange->defect == DEFECT_FRAMING)
        (void)MHD_add_response_header(response, "Connection", "close");
    enum MHD_Result queued = MHD_queue_response(exchange->connection, reply->status, response);
    MHD_destroy_response(response);
    return queued;
}

void exchange_reply(Exchange *exchange, Reply *reply) {
    pthread_mutex_t *lock = lock_of(exchange);
    pthread_mutex_lock(lock);
    g_assert(!exchange->replied);
    exchange->reply = *reply;
    exchange->replied = true;
    *reply = (Reply){0};
    if (exchange->suspended)
        MHD_resume_connection(exchange->connection);
    pthread_mutex_unlock(lock);
}

/* --- requests --------------------------------------------------------------------------------- */

/* Whether the version stands behind the target: else there was a NUL in it, or blanks behind. The
 * line is in libmicrohttpd's buffer, and ends behind the version or before. */
static bool is_one_word(const char *target) {
    return strncmp(target + strlen(target) + 1, "HTTP/1.", 7) == 0 && !strpbrk(target, " \t");
}

/* libmicrohttpd would read the query as well, into memory that is too small for many parameters,
 * and hang then. The target lies in its buffer. */
static void hide_query(const char *target) {
    char *mark = strchr((char *)(uintptr_t)target, '?');
    if (mark && mark[1] != '\0')
        mark[1] = '\0';
}

/* Called with the target as it was sent, before anything of it is decoded. */
static void *on_target(void *data, const char *target, struct MHD_Connection *connection) {
    Server *server = data;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    Exchange *exchange = g_new0(Exchange, 1);
    exchange->server = server;
    exchange->connection = connection;
    exchange->link = info ? info->socket_context : NULL;
    exchange->target = g_strdup(target);
    exchange->defect = is_one_word(target) ? DEFECT_NONE : DEFECT_FRAMING;
    hide_query(target);
    if (exchange->link) {
        exchange->link->exchange = exchange;
        atomic_store(&exchange->link->deadline, clock_mono_ms() + server->config.request_ms);
    }
    pthread_mutex_lock(&server->lock);
    g_hash_table_add(server->exchanges, exchange);
    pthread_mutex_unlock(&server->lock);
    return exchange;
}

/* Headers that say where a request ends and whom it is for: each at most once. */
enum { LENGTH, ENCODING, HOST, SINGLES };
static const char *const single_names[SINGLES] = {"Content-Length", "Transfer-Encoding", "Host"};

typedef struct {
    size_t count;
    size_t bytes;
    unsigned singles[SINGLES];
    bool odd; /* a name that is no token, a NUL in a value, or an encoding other than chunked */
    GString *forwarded; /* all lines of X-Forwarded-For as one (RFC 9110, 5.3); NULL: not asked */
} HeaderSum;

/* RFC 9110, 5.6.2. */
static bool is_token(const char *name, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (!g_ascii_isalnum(name[i]) && !strchr("!#$%&'*+-.^_`|~", name[i]))
            return false;
    return size > 0 && strlen(name) == size;
}

static void sum_single(HeaderSum *sum, const char *name, const char *value) {
    for (size_t i = 0; i < SINGLES; i++)
        sum->singles[i] += g_ascii_strcasecmp(name, single_names[i]) == 0;
    if (g_ascii_strcasecmp(name, single_names[ENCODING]) == 0)
        sum->odd |= g_ascii_strcasecmp(value, "chunked") != 0;
}

static enum MHD_Result add_header(void *data, enum MHD_ValueKind kind, const char *name,
                                  size_t name_size, const char *value, size_t value_size) {
    HeaderSum *sum = data;
    (void)kind;
    sum->count++;
    sum->bytes += name_size + value_size + 4;
    sum->odd |= !is_token(name, name_size) || (value && strlen(value) != value_size);
    sum_single(sum, name, value ? value : "");
    if (sum->forwarded && value && g_ascii_strcasecmp(name, "X-Forwarded-For") == 0)
        g_string_append_printf(sum->forwarded, "%s%s", sum->forwarded->len > 0 ? "," : "", value);
    return MHD_YES;
}

/* A proxy that reads any of these otherwise would take a part of this request for the next. */
static bool is_ambiguous(const HeaderSum *sum) {
    return sum->odd || sum->singles[LENGTH] + sum->singles[ENCODING] > 1 || sum->singles[HOST] > 1;
}

static bool announces_too_much(const Exchange *exchange) {
    const char *length = exchange_header(exchange, "Content-Length");
    guint64 bytes = 0;
    return length && (!g_ascii_string_to_unsigned(length, 10, 0, G_MAXINT64, &bytes, NULL) ||
                      bytes > SERVER_BODY_MAX);
}

static Defect find_defect(const Exchange *exchange, const HeaderSum *sum) {
    if (exchange->defect != DEFECT_NONE || is_ambiguous(sum))
        return DEFECT_FRAMING;
    if (strlen(exchange->target) > TARGET_MAX)
        return DEFECT_TARGET_TOO_LONG;
    if (sum->count > SERVER_HEADERS_MAX || sum->bytes > SERVER_HEADER_BYTES_MAX)
        return DEFECT_HEADERS_TOO_LARGE;
    return announces_too_much(exchange) ? DEFECT_BODY_TOO_LARGE : DEFECT_NONE;
}

/* What the headers say of the request itself: who asks, and what is wrong with it. */
static void read_headers(Exchange *exchange) {
    HeaderSum sum = {0};
    Address peer;
    peer_of(exchange->connection, &peer);
    const AddressSet *trusted = atomic_load(&exchange->server->trusted);
    g_autoptr(GString) forwarded = address_set_has(trusted, &peer) ? g_string_new(NULL) : NULL;
    sum.forwarded = forwarded;
    (void)MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND, add_header, &sum);
    exchange->client =
        forwarded && forwarded->len > 0 ? address_client(trusted, &peer, forwarded->str) : peer;
    exchange->defect = find_defect(exchange, &sum);
}

static enum MHD_Result dispatch(Exchange *exchange) {
    Server *server = exchange->server;
    exchange->stage = STAGE_HANDLING;
    if (exchange->link)
        atomic_store(&exchange->link->deadline, NEVER);
    pthread_mutex_lock(&server->lock);
    server->busy++;
    pthread_mutex_unlock(&server->lock);
    server->config.handle(exchange, server->config.data);
    pthread_mutex_t *lock = lock_of(exchange);
    pthread_mutex_lock(lock);
    bool replied = exchange->replied;
    if (!replied) {
        MHD_suspend_connection(exchange->connection);
        exchange->suspended = true;
    }
    pthread_mutex_unlock(lock);
    return replied ? send_reply(exchange) : MHD_YES;
}

/* RFC 9112, 3.2. */
static bool lacks_host(const Exchange *exchange, const char *version) {
    return strcmp(version, "HTTP/1.0") != 0 && !exchange_header(exchange, "Host");
}

/* The first call for a request must return before anything is queued, or libmicrohttpd gives up
 * keep-alive. A request that is refused for what it announces is the exception: its body is not
 * waited for, so the connection ends with it. */
static enum MHD_Result begin(Exchange *exchange, const char *method, const char *version) {
    exchange->method = method;
    exchange->stage = STAGE_BODY;
    read_headers(exchange);
    if (lacks_host(exchange, version))
        exchange->defect = DEFECT_FRAMING;
    bool unread = exchange->defect == DEFECT_BODY_TOO_LARGE || exchange->defect == DEFECT_FRAMING;
    return unread ? dispatch(exchange) : MHD_YES;
}

/* One client cannot fill the memory that all have for bodies. */
static bool load(Server *server, const Address *client, size_t size) {
    Address near = address_neighbourhood(client);
    pthread_mutex_lock(&server->lock);
    size_t bytes = count_of(server->loads, &near) + size;
    set_count(server->loads, &near, bytes);
    pthread_mutex_unlock(&server->lock);
    size_t all = atomic_fetch_add(&server->bodies, size) + size;
    return bytes <= CLIENT_BODIES_MAX && all <= BODIES_MAX;
}

static void unload(Server *server, const Address *client, size_t size) {
    Address near = address_neighbourhood(client);
    pthread_mutex_lock(&server->lock);
    set_count(server->loads, &near, count_of(server->loads, &near) - size);
    pthread_mutex_unlock(&server->lock);
    atomic_fetch_sub(&server->bodies, size);
}

/* A body that goes past its limit is read on for a while without being kept, so that its sender
 * comes to read the answer; then the connection is cut. */
static enum MHD_Result take_body(Exchange *exchange, const char *bytes, size_t *size) {
    Server *server = exchange->server;
    size_t length = *size;
    *size = 0;
    if (!exchange->body)
        exchange->body = g_string_new(NULL);
    exchange->counted_bytes += length;
    if (!load(server, &exchange->client, length))
        exchange->defect = DEFECT_OVERLOADED;
    else if (exchange->counted_bytes > SERVER_BODY_MAX)
        exchange->defect = DEFECT_BODY_TOO_LARGE;
    if (exchange->defect == DEFECT_NONE)
        g_string_append_len(exchange->body, bytes, (gssize)length);
    return exchange->counted_bytes > (size_t)SERVER_BODY_MAX * 4 ? MHD_NO : MHD_YES;
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state) {
    Exchange *exchange = *state;
    (void)data;
    (void)connection;
    (void)url;
    if (exchange->stage == STAGE_NEW)
        return begin(exchange, method, version);
    if (*upload_size > 0)
        return take_body(exchange, upload, upload_size);
    if (exchange->stage == STAGE_BODY)
        return dispatch(exchange);
    /* Resumed. */
    return exchange->stage == STAGE_HANDLING ? send_reply(exchange) : MHD_YES;
}

static void free_body(Exchange *exchange) {
    if (!exchange->body)
        return;
    secmem_wipe(exchange->body->str, exchange->body->len);
    g_string_free(exchange->body, TRUE);
    unload(exchange->server, &exchange->client, exchange->counted_bytes);
}

static void end_exchange(Exchange *exchange) {
    Server *server = exchange->server;
    if (exchange->link) {
        exchange->link->exchange = NULL;
        atomic_store(&exchange->link->deadline, clock_mono_ms() + server->config.idle_ms);
    }
    pthread_mutex_lock(&server->lock);
    g_hash_table_remove(server->exchanges, exchange);
    server->busy -= exchange->stage >= STAGE_HANDLING ? 1 : 0;
    if (server->busy == 0)
        pthread_cond_broadcast(&server->calm);
    Stream *stream = g_steal_pointer(&exchange->stream);
    pthread_mutex_unlock(&server->lock);
    if (stream)
        stream_abandon(stream);
    stream_unref(stream);
    /* Whoever replied may still hold the lock. */
    pthread_mutex_t *lock = lock_of(exchange);
    pthread_mutex_lock(lock);
    pthread_mutex_unlock(lock);
    reply_clear(&exchange->reply);
    free_body(exchange);
    g_free(exchange->target);
    g_free(exchange);
}

static void on_completed(void *data, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode why) {
    Exchange *exchange = g_steal_pointer(state);
    (void)data;
    (void)connection;
    (void)why;
    if (exchange)
        end_exchange(exchange);
}

const char *exchange_method(const Exchange *exchange) {
    return exchange->method;
}

const char *exchange_target(const Exchange *exchange) {
    return exchange->target;
}

const char *exchange_header(const Exchange *exchange, const char *name) {
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

const char *exchange_body(const Exchange *exchange, size_t *size_out) {
    *size_out = exchange->body ? exchange->body->len : 0;
    return exchange->body ? exchange->body->str : "";
}

const Address *exchange_client(const Exchange *exchange) {
    return &exchange->client;
}

Defect exchange_defect(const Exchange *exchange) {
    return exchange->defect;
}

/* --- life ------------------------------------------------------------------------------------- */

static bool set_unusable(const char *listen, const char *why, GError **error) {
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                "cannot listen on \"%s\" (%s); give an address and a free port, such as "
                "127.0.0.1:8080",
                listen, why);
    return false;
}

static int open_socket(const struct addrinfo *address) {
    int yes = 1;
    int no = 0;
    int listener = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0)
        return -1;
    if (address->ai_family == AF_INET6)
        (void)setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
        bind(listener, address->ai_addr, address->ai_addrlen) == 0 &&
        listen(listener, BACKLOG) == 0)
        return listener;
    int failure = errno;
    close(listener);
    errno = failure;
    return -1;
}

/* NULL when it listens, else why it does not. */
static const char *try_host(Server *server, const char *host, const char *port) {
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int failure = getaddrinfo(host, port, &hints, &found);
    if (failure != 0)
        return gai_strerror(failure);
    server->listener = open_socket(found);
    int why = errno;
    freeaddrinfo(found);
    return server->listener >= 0 ? NULL : g_strerror(why);
}

/* No host means all addresses, of IPv6 as well where the system has it. */
static bool listen_on(Server *server, const char *text, GError **error) {
    const char *colon = strrchr(text, ':');
    bool bracket = colon && colon > text + 1 && text[0] == '[' && colon[-1] == ']';
    if (!colon || !g_ascii_string_to_unsigned(colon + 1, 10, 0, G_MAXUINT16, NULL, NULL))
        return set_unusable(text, "there is no port", error);
    g_autofree char *host = bracket ? g_strndup(text + 1, (size_t)(colon - text) - 2)
                                    : g_strndup(text, (size_t)(colon - text));
    const char *why = try_host(server, *host == '\0' ? "::" : host, colon + 1);
    if (why && *host == '\0')
        why = try_host(server, "0.0.0.0", colon + 1);
    return !why || set_unusable(text, why, error);
}

static void find_port(Server *server) {
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof bound;
    char port[NI_MAXSERV] = "";
    struct sockaddr *generic = (struct sockaddr *)&bound;
    if (getsockname(server->listener, generic, &size) == 0)
        (void)getnameinfo(generic, size, NULL, 0, port, sizeof port, NI_NUMERICSERV);
    server->port = (uint16_t)g_ascii_strtoull(port, NULL, 10);
}

void server_trust(Server *server, const AddressSet *trusted) {
    atomic_store(&server->trusted, trusted);
}

static void init(Server *server, const ServerConfig *config) {
    pthread_condattr_t monotonic;
    server->config = *config;
    server->config.certificate = g_strdup(config->certificate);
    server->config.key = config->key ? secret_ref(config->key) : NULL;
    server_trust(server, config->trusted);
    server->config.request_ms = config->request_ms ? config->request_ms : REQUEST_MS;
    server->config.reply_ms = config->reply_ms ? config->reply_ms : REPLY_MS;
    server->config.idle_ms = config->idle_ms ? config->idle_ms : IDLE_MS;
    server->listener = -1;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_init(&server->locks[i], NULL);
    pthread_mutex_init(&server->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&server->calm, &monotonic);
    pthread_condattr_destroy(&monotonic);
    server->links = g_hash_table_new(NULL, NULL);
    server->counts = g_hash_table_new_full(address_hash, address_equal, g_free, NULL);
    server->loads = g_hash_table_new_full(address_hash, address_equal, g_free, NULL);
    server->exchanges = g_hash_table_new(NULL, NULL);
}

/* What is older than 1.2 is not to be spoken (RFC 8996). */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"

static void *pointer_of(const char *text) {
    return (void *)(uintptr_t)text;
}

/* Not strict: what libmicrohttpd would refuse for that (no Host, blanks in the target) it would
 * refuse in its own words, in HTML. It is refused by on_target() and begin(). */
#define STRICT_FOR_CLIENT 0

bool server_start(Server *server, GError **error) {
    const unsigned idle_s = (unsigned)(server->config.idle_ms / 1000);
    const bool tls = server->config.certificate != NULL;
    struct MHD_OptionItem security[] = {
        {tls ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0,
         pointer_of(server->config.certificate)},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, tls ? pointer_of(secret_text(server->config.key)) : NULL},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, pointer_of(TLS_PRIORITIES)},
        {MHD_OPTION_END, 0, NULL}};
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | (tls ? MHD_USE_TLS : 0), 0,
        on_accept, server, on_request, server, MHD_OPTION_LISTEN_SOCKET, server->listener,
        MHD_OPTION_THREAD_POOL_SIZE, server->config.threads, MHD_OPTION_CONNECTION_LIMIT,
        server->config.connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, MAX(idle_s, 1), MHD_OPTION_STRICT_FOR_CLIENT,
        STRICT_FOR_CLIENT, MHD_OPTION_URI_LOG_CALLBACK, on_target, server,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, server, MHD_OPTION_ARRAY, security, MHD_OPTION_END);
    if (server->daemon)
        return true;
    if (tls)
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                            "the HTTP server does not start: tls_certificate and tls_key do not "
                            "belong together, or are not what can be used");
    else
        g_set_error_literal(error, ASSAY_ERROR, ERROR_INTERNAL, "the HTTP server does not start");
    return false;
}

bool server_new(const ServerConfig *config, Server **server_out, GError **error) {
    Server *server = g_new0(Server, 1);
    init(server, config);
    if (!listen_on(server, config->listen, error)) {
        server_free(server);
        return false;
    }
    find_port(server);
    *server_out = server;
    return true;
}

uint16_t server_port(const Server *server) {
    return server->port;
}

ServerFigures server_figures(Server *server) {
    pthread_mutex_lock(&server->lock);
    ServerFigures figures = {.connections = g_hash_table_size(server->links),
                             .begun = g_hash_table_size(server->exchanges),
                             .exchanges = server->busy,
                             .refused = server->refused,
                             .timed_out = server->timed_out,
                             .bodies = atomic_load(&server->bodies)};
    pthread_mutex_unlock(&server->lock);
    return figures;
}

/* The streams that are being sent, each with a reference. */
static GPtrArray *streams(Server *server) {
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)stream_unref);
    GHashTableIter iterator;
    gpointer key;
    pthread_mutex_lock(&server->lock);
    g_hash_table_iter_init(&iterator, server->exchanges);
    while (g_hash_table_iter_next(&iterator, &key, NULL)) {
        const Exchange *exchange = key;
        if (exchange->stream)
            g_ptr_array_add(list, stream_ref(exchange->stream));
    }
    pthread_mutex_unlock(&server->lock);
    return list;
}

/* Nobody can connect any more: a socket that nothing listens on takes the listener's place. Not by
 * MHD_quiesce_daemon(), which ends the process when a thread of the pool is faster at taking the
 * listener out of its epoll set (libmicrohttpd 0.9.75). */
static void stop_listening(const Server *server) {
    int idle = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (idle < 0)
        return;
    (void)dup3(idle, server->listener, O_CLOEXEC);
    close(idle);
}

void server_quiesce(Server *server) {
    if (!server->daemon || atomic_exchange(&server->quiet, true))
        return;
    stop_listening(server);
    g_autoptr(GPtrArray) open = streams(server);
    for (guint i = 0; i < open->len; i++)
        stream_end(g_ptr_array_index(open, i), false);
}

bool server_wait(Server *server, int64_t most_ms) {
    struct timespec until;
    int64_t end_ms = clock_mono_ms() + most_ms;
    until.tv_sec = (time_t)(end_ms / 1000);
    until.tv_nsec = (long)(end_ms % 1000) * 1000000;
    pthread_mutex_lock(&server->lock);
    int waited = 0;
    while (server->busy > 0 && waited == 0)
        waited = pthread_cond_timedwait(&server->calm, &server->lock, &until);
    bool calm = server->busy == 0;
    pthread_mutex_unlock(&server->lock);
    return calm;
}

void server_free(Server *server) {
    if (!server)
        return;
    if (server->daemon)
        MHD_stop_daemon(server->daemon); /* closes the listener */
    else if (server->listener >= 0)
        close(server->listener);
    g_hash_table_unref(server->links);
    g_hash_table_unref(server->counts);
    g_hash_table_unref(server->loads);
    g_hash_table_unref(server->exchanges);
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&server->locks[i]);
    pthread_mutex_destroy(&server->lock);
    pthread_cond_destroy(&server->calm);
    g_free((char *)(uintptr_t)server->config.certificate);
    secret_free(server->config.key);
    g_free(server);
}
