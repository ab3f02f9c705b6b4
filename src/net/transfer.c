#include "net/transfer.h"

#include "base/error.h"
#include "base/secmem.h"
#include "net/egress.h"
#include "net/url.h"
#include "net/wiping.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS_A_STEP 64
#define IDLE_TRANSFERS_MAX 64
#define IDLE_BODY_MAX (256U * 1024) /* body storage kept by an idle transfer */
#define CACHED_CONNECTIONS_MAX 256L

/* Only what a stream can be decoded with in little memory is accepted. */
#define ACCEPTED_ENCODINGS "gzip, deflate"

typedef struct {
    TransferEngine *engine;
    CURLM *multi;
    bool allow_private;
    int running;
    Transfer *idle;
    unsigned idle_count;
} Pool;

typedef struct {
    Pool *pool;
    uint32_t wanted;     /* by libcurl */
    uint32_t registered; /* with epoll; may be more than wanted */
    bool ours;           /* opened by open_socket(), so closed by close_socket() */
} Socket;

struct TransferEngine {
    int epoll;
    int wakeup;
    Pool pools[2];   /* by allow_private */
    GArray *sockets; /* Socket, by descriptor */
    TransferFinished finished;
    char *user_agent;
    char *ca_bundle;
    char *proxy;
    unsigned max_host_connections;
};

struct Transfer {
    Pool *pool;
    CURL *easy;
    Transfer *next; /* in the idle list */
    const NetRequest *request;
    void *owner;
    NetHeaders *extra;
    NetHeaders *headers; /* of the answer */
    NetBuffer body;
    NetResponse response;
    char *lines; /* "Name: value" of the request, as libcurl wants them */
    size_t lines_used;
    size_t lines_room;
    struct curl_slist *nodes;
    size_t nodes_room;
    size_t header_bytes;
    CURLcode code;
    EgressClass refused; /* class of an address that was refused; else EGRESS_PUBLIC */
    bool fresh;          /* a connection of its own */
    bool running;
    bool body_begun;
    bool too_large;
    bool too_many_headers;
    bool sent;
};

static CURLcode curl_started;

static void start_curl(void) {
    curl_started = curl_global_init_mem(CURL_GLOBAL_DEFAULT, wiping_alloc, wiping_free,
                                        wiping_realloc, strdup, wiping_zeroed);
}

/* --- sockets --------------------------------------------------------------------------------- */

static Socket *socket_at(TransferEngine *engine, int descriptor) {
    if ((guint)descriptor >= engine->sockets->len) {
        g_array_set_size(engine->sockets, (guint)descriptor + 1);
    }
    return &g_array_index(engine->sockets, Socket, descriptor);
}

static void set_registered(TransferEngine *engine, int descriptor, Socket *entry, uint32_t events) {
    if (entry->registered == events) {
        return;
    }
    struct epoll_event event = {.events = events, .data = {.fd = descriptor}};
    int operation = EPOLL_CTL_MOD;
    if (events == 0) {
        operation = EPOLL_CTL_DEL;
    } else if (entry->registered == 0) {
        operation = EPOLL_CTL_ADD;
    }
    (void)epoll_ctl(engine->epoll, operation, descriptor, &event);
    entry->registered = events;
}

static int on_socket(CURL *easy, curl_socket_t descriptor, int what, void *pool_data,
                     void *socket_data) {
    (void)easy;
    (void)socket_data;
    static const uint32_t events[] = {
        [CURL_POLL_NONE] = 0,       [CURL_POLL_IN] = EPOLLIN,
        [CURL_POLL_OUT] = EPOLLOUT, [CURL_POLL_INOUT] = EPOLLIN | EPOLLOUT,
        [CURL_POLL_REMOVE] = 0,
    };
    Pool *pool = pool_data;
    Socket *entry = socket_at(pool->engine, descriptor);
    entry->pool = pool;
    entry->wanted = events[what];
    bool missing = (entry->wanted & ~entry->registered) != 0;
    if (missing || !entry->ours) {
        set_registered(pool->engine, descriptor, entry, entry->wanted);
    }
    return 0;
}

static bool may_connect(const Transfer *transfer, const struct curl_sockaddr *address,
                        EgressClass class) {
    const NetRequest *request = transfer->request;
    if (request->instance_metadata) {
        return egress_is_instance_metadata(&address->addr, address->addrlen);
    }
    bool proxied = transfer->pool->engine->proxy != NULL;
    return egress_allowed(class, request->allow_private || proxied);
}

static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)purpose;
    Transfer *transfer = data;
    EgressClass class = egress_classify(&address->addr, address->addrlen);
    if (!may_connect(transfer, address, class)) {
        transfer->refused = MAX(transfer->refused, class);
        return CURL_SOCKET_BAD;
    }
    int descriptor = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                            address->protocol);
    if (descriptor >= 0) {
        *socket_at(transfer->pool->engine, descriptor) =
            (Socket){.pool = transfer->pool, .ours = true};
    }
    return descriptor < 0 ? CURL_SOCKET_BAD : descriptor;
}

/* Closing takes the descriptor out of the epoll set. */
static int close_socket(void *data, curl_socket_t descriptor) {
    TransferEngine *engine = data;
    *socket_at(engine, descriptor) = (Socket){0};
    return close(descriptor);
}

/* --- the answer ------------------------------------------------------------------------------ */

static size_t on_header(char *line, size_t size, size_t count, void *data) {
    Transfer *transfer = data;
    size_t length = size * count;
    transfer->header_bytes += length;
    if (transfer->header_bytes > transfer->request->max_header_bytes) {
        transfer->too_many_headers = true;
        return 0;
    }
    if (transfer->body_begun) {
        return length; /* trailers tell nothing that is used */
    }
    if (length > 5 && memcmp(line, "HTTP/", 5) == 0) {
        net_headers_clear(transfer->headers); /* a final answer after an interim one */
        return length;
    }
    if (!net_headers_add_line(transfer->headers, line, length)) {
        transfer->too_many_headers = true;
        return 0;
    }
    return length;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data) {
    Transfer *transfer = data;
    transfer->body_begun = true;
    if (!net_buffer_append(&transfer->body, bytes, size * count, transfer->request->max_body)) {
        transfer->too_large = true;
        return 0;
    }
    return size * count;
}

/* --- transfers ------------------------------------------------------------------------------- */

static void set_fixed_options(Transfer *transfer) {
    TransferEngine *engine = transfer->pool->engine;
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR,
                     transfer->pool->allow_private ? "http,https" : "https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L); /* what was signed is what is sent */
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, ACCEPTED_ENCODINGS);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, engine->user_agent);
    curl_easy_setopt(easy, CURLOPT_PROXY, engine->proxy ? engine->proxy : "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (engine->ca_bundle) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, engine->ca_bundle);
    }
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, engine);
}

static Transfer *transfer_new(Pool *pool) {
    Transfer *transfer = g_new0(Transfer, 1);
    transfer->pool = pool;
    transfer->easy = curl_easy_init();
    if (!transfer->easy) {
        g_error("out of memory for a transfer");
    }
    transfer->extra = net_headers_new(NET_MAX_HEADER_BYTES);
    transfer->headers = net_headers_new(NET_MAX_HEADER_BYTES);
    set_fixed_options(transfer);
    return transfer;
}

static void transfer_free(Transfer *transfer) {
    curl_easy_cleanup(transfer->easy);
    net_headers_free(transfer->extra);
    net_headers_free(transfer->headers);
    net_buffer_clear(&transfer->body);
    g_free(transfer->lines);
    g_free(transfer->nodes);
    g_free(transfer);
}

Transfer *transfer_open(TransferEngine *engine, const NetRequest *request, void *owner) {
    bool private = request->allow_private || request->instance_metadata;
    Pool *pool = &engine->pools[private ? 1 : 0];
    Transfer *transfer = pool->idle;
    if (transfer) {
        pool->idle = transfer->next;
        pool->idle_count--;
    } else {
        transfer = transfer_new(pool);
    }
    transfer->request = request;
    transfer->owner = owner;
    transfer->body.secret = request->secret;
    transfer->response = (NetResponse){.headers = transfer->headers, .body = ""};
    net_headers_limit(transfer->headers, request->max_header_bytes);
    transfer->header_bytes = 0;
    transfer->code = CURLE_OK;
    transfer->refused = EGRESS_PUBLIC;
    transfer->fresh = request->once;
    transfer->body_begun = transfer->too_large = false;
    transfer->too_many_headers = transfer->sent = false;
    return transfer;
}

void transfer_connect_anew(Transfer *transfer) {
    transfer->fresh = true;
}

NetHeaders *transfer_extra(Transfer *transfer) {
    return transfer->extra;
}

static size_t lines_size(const NetHeaders *headers) {
    size_t size = 0;
    for (size_t i = 0; i < net_headers_count(headers); i++) {
        NetHeader field = net_headers_at(headers, i);
        size += strlen(field.name) + strlen(field.value) + 3;
    }
    return size;
}

/* libcurl takes "Name;" for a field with an empty value. */
static void add_lines(Transfer *transfer, const NetHeaders *headers, size_t *node) {
    for (size_t i = 0; i < net_headers_count(headers); i++) {
        NetHeader field = net_headers_at(headers, i);
        char *line = transfer->lines + transfer->lines_used;
        char *end = g_stpcpy(line, field.name);
        if (*field.value) {
            *end++ = ':';
            *end++ = ' ';
            end = g_stpcpy(end, field.value);
        } else {
            *end++ = ';';
            *end = '\0';
        }
        transfer->nodes[(*node)++].data = line;
        transfer->lines_used += (size_t)(end - line) + 1;
    }
}

/* The list that libcurl reads is laid out in storage of the transfer: no allocation a header. */
static void set_headers(Transfer *transfer) {
    static char no_expect[] = "Expect:"; /* never waits for 100-continue */
    const NetHeaders *own = transfer->request->headers;
    size_t bytes = lines_size(own) + lines_size(transfer->extra);
    size_t count = net_headers_count(own) + net_headers_count(transfer->extra) + 1;
    if (bytes > transfer->lines_room) {
        g_free(transfer->lines); /* empty: wiped when the last attempt was closed */
        transfer->lines_room = bytes * 2;
        transfer->lines = g_malloc(transfer->lines_room);
    }
    if (count > transfer->nodes_room) {
        transfer->nodes_room = count * 2;
        transfer->nodes = g_renew(struct curl_slist, transfer->nodes, transfer->nodes_room);
    }
    size_t node = 0;
    transfer->nodes[node++].data = no_expect;
    add_lines(transfer, own, &node);
    add_lines(transfer, transfer->extra, &node);
    for (size_t i = 0; i < node; i++) {
        transfer->nodes[i].next = i + 1 < node ? &transfer->nodes[i + 1] : NULL;
    }
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->nodes);
}

static void set_method(CURL *easy, const NetRequest *request) {
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L); /* forgets what the last attempt was */
    bool get = strcmp(request->method, "GET") == 0;
    bool head = strcmp(request->method, "HEAD") == 0;
    if (request->body) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
    } else if (head) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }
    bool plain = !request->body && (get || head);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, plain ? NULL : request->method);
}

static bool refuse(const char *host, EgressClass class, GError **error) {
    g_set_error(
        error, ASSAY_ERROR, ERROR_CONFIGURATION,
        class == EGRESS_METADATA
            ? "%s is at a %s address, which is never called: check the setting"
            : "%s is at a %s address: check the setting, or let the installation's operator "
              "set allow_private for this integration",
        host, egress_class_name(class));
    return false;
}

static bool is_proxied(const Transfer *transfer) {
    return transfer->pool->engine->proxy && !transfer->request->instance_metadata;
}

/* With a proxy no socket tells the address, so at least hosts written as addresses are judged. */
static bool check_proxied_host(const Transfer *transfer, GError **error) {
    Url url;
    if (!is_proxied(transfer) || !url_parse(transfer->request->url, &url, NULL)) {
        return true;
    }
    g_autofree char *host = url_dup_host(&url);
    EgressClass class = egress_classify_host(host);
    return egress_allowed(class, transfer->request->allow_private) || refuse(host, class, error);
}

bool transfer_start(Transfer *transfer, GError **error) {
    const NetRequest *request = transfer->request;
    CURL *easy = transfer->easy;
    if (!check_proxied_host(transfer, error)) {
        return false;
    }
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->total_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_timeout_ms);
    bool alone = request->once || request->instance_metadata;
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, alone || transfer->fresh ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, alone ? 1L : 0L);
    if (transfer->pool->engine->proxy) {
        curl_easy_setopt(easy, CURLOPT_PROXY,
                         is_proxied(transfer) ? transfer->pool->engine->proxy : "");
    }
    set_method(easy, request);
    set_headers(transfer);
    CURLMcode code = curl_multi_add_handle(transfer->pool->multi, easy);
    if (code != CURLM_OK) {
        g_set_error(error, ASSAY_ERROR, ERROR_INTERNAL, "libcurl refused a transfer: %s",
                    curl_multi_strerror(code));
        return false;
    }
    transfer->running = true;
    transfer->pool->running++;
    return true;
}

static void stop(Transfer *transfer) {
    if (transfer->running) {
        curl_multi_remove_handle(transfer->pool->multi, transfer->easy);
        transfer->running = false;
        transfer->pool->running--;
    }
}

void transfer_close(Transfer *transfer) {
    stop(transfer);
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, NULL);
    if (net_headers_count(transfer->extra)) {
        net_headers_wipe(transfer->extra);
    }
    if (transfer->lines_used) {
        secmem_wipe(transfer->lines, transfer->lines_used);
        transfer->lines_used = 0;
    }
    if (transfer->body.secret) {
        net_headers_wipe(transfer->headers);
        wiping_drain();
    }
    net_headers_clear(transfer->headers);
    net_buffer_reset(&transfer->body, IDLE_BODY_MAX);
    Pool *pool = transfer->pool;
    if (pool->idle_count >= IDLE_TRANSFERS_MAX) {
        transfer_free(transfer);
        return;
    }
    transfer->next = pool->idle;
    pool->idle = transfer;
    pool->idle_count++;
}

const NetResponse *transfer_response(const Transfer *transfer) {
    return &transfer->response;
}

NetBuffer *transfer_buffer(Transfer *transfer) {
    return &transfer->body;
}

bool transfer_was_sent(const Transfer *transfer) {
    return transfer->sent;
}

/* --- failures -------------------------------------------------------------------------------- */

typedef struct {
    CURLcode code;
    Outcome outcome;
    bool once_more;
    const char *what; /* follows the host */
} FailureRow;

static const FailureRow failures[] = {
    {CURLE_COULDNT_RESOLVE_HOST, OUTCOME_BAD_REQUEST, true,
     "is not found: check the setting and this machine's DNS"},
    {CURLE_COULDNT_RESOLVE_PROXY, OUTCOME_BAD_REQUEST, true,
     "is not reached: the host of egress_proxy is not found"},
    {CURLE_URL_MALFORMAT, OUTCOME_BAD_REQUEST, false, "is part of a URL that cannot be used"},
    {CURLE_PEER_FAILED_VERIFICATION, OUTCOME_BAD_REQUEST, false,
     "shows a certificate that is not trusted: check the host, or name its CA in ca_bundle"},
    {CURLE_SSL_CACERT_BADFILE, OUTCOME_BAD_REQUEST, false,
     "cannot be verified: the file of ca_bundle cannot be read"},
    {CURLE_COULDNT_CONNECT, OUTCOME_UNAVAILABLE, false, "does not accept connections"},
    {CURLE_PROXY, OUTCOME_UNAVAILABLE, false, "is not reached through egress_proxy"},
    {CURLE_SSL_CONNECT_ERROR, OUTCOME_UNAVAILABLE, false, "broke off the TLS handshake"},
    {CURLE_SEND_ERROR, OUTCOME_UNAVAILABLE, false, "broke the connection while it was asked"},
    {CURLE_RECV_ERROR, OUTCOME_UNAVAILABLE, false, "broke the connection before its answer ended"},
    {CURLE_GOT_NOTHING, OUTCOME_UNAVAILABLE, false, "closed the connection without an answer"},
    {CURLE_OPERATION_TIMEDOUT, OUTCOME_TIMEOUT, false, "did not answer in time"},
    {CURLE_PARTIAL_FILE, OUTCOME_BROKEN, false, "sent an answer that ends too early"},
    {CURLE_BAD_CONTENT_ENCODING, OUTCOME_BROKEN, false, "sent an answer that cannot be unpacked"},
    {CURLE_WEIRD_SERVER_REPLY, OUTCOME_BROKEN, false, "sent an answer that is not HTTP"},
    {CURLE_UNSUPPORTED_PROTOCOL, OUTCOME_BROKEN, false, "sent an answer that is not HTTP"},
    {CURLE_OUT_OF_MEMORY, OUTCOME_BROKEN, false, "sent an answer with a header that is too long"},
};

static const FailureRow *find_failure(CURLcode code) {
    static const FailureRow other = {CURLE_OK, OUTCOME_UNAVAILABLE, false,
                                     "could not be asked: the connection failed"};
    for (size_t i = 0; i < G_N_ELEMENTS(failures); i++) {
        if (failures[i].code == code) {
            return &failures[i];
        }
    }
    return &other;
}

/* The bounds that this file sets itself; false when none was passed. */
static bool describe_bound(const Transfer *transfer, const char *host, GError **error) {
    if (!transfer->too_large && !transfer->too_many_headers) {
        return false;
    }
    g_set_error(
        error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE, "%s sent an answer %s larger than %zu bytes",
        host, transfer->too_large ? "that is" : "with headers",
        transfer->too_large ? transfer->request->max_body : transfer->request->max_header_bytes);
    return true;
}

bool transfer_failed(const Transfer *transfer, TransferFailure *failure_out, GError **error_out) {
    if (transfer->code == CURLE_OK) {
        return false;
    }
    Url url = {0};
    bool readable = url_parse(transfer->request->url, &url, NULL);
    g_autofree char *host = readable ? url_dup_host(&url) : g_strdup("the host");
    if (transfer->code == CURLE_COULDNT_CONNECT && transfer->refused != EGRESS_PUBLIC) {
        *failure_out = (TransferFailure){.outcome = OUTCOME_BAD_REQUEST};
        (void)refuse(host, transfer->refused, error_out);
        return true;
    }
    if (describe_bound(transfer, host, error_out)) {
        *failure_out = (TransferFailure){.outcome = OUTCOME_BROKEN};
        return true;
    }
    const FailureRow *row = find_failure(transfer->code);
    *failure_out = (TransferFailure){row->outcome, row->once_more};
    g_set_error(error_out, ASSAY_ERROR, outcome_error_code(row->outcome), "%s %s", host, row->what);
    return true;
}

/* --- the engine ------------------------------------------------------------------------------ */

static bool make_pool(TransferEngine *engine, bool allow_private) {
    Pool *pool = &engine->pools[allow_private ? 1 : 0];
    pool->engine = engine;
    pool->allow_private = allow_private;
    pool->multi = curl_multi_init();
    if (!pool->multi) {
        return false;
    }
    curl_multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool);
    curl_multi_setopt(pool->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                      (long)engine->max_host_connections);
    curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, CACHED_CONNECTIONS_MAX);
    return true;
}

static bool engine_open(TransferEngine *engine) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_curl);
    engine->epoll = epoll_create1(EPOLL_CLOEXEC);
    engine->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = engine->wakeup}};
    return curl_started == CURLE_OK && engine->epoll >= 0 && engine->wakeup >= 0 &&
           epoll_ctl(engine->epoll, EPOLL_CTL_ADD, engine->wakeup, &event) == 0 &&
           make_pool(engine, false) && make_pool(engine, true);
}

TransferEngine *transfer_engine_new(const TransferConfig *config, GError **error) {
    g_autoptr(TransferEngine) engine = g_new0(TransferEngine, 1);
    engine->epoll = engine->wakeup = -1;
    engine->sockets = g_array_new(FALSE, TRUE, sizeof(Socket));
    engine->finished = config->finished;
    engine->user_agent = g_strdup(config->user_agent);
    engine->ca_bundle = g_strdup(config->ca_bundle);
    engine->proxy = g_strdup(config->proxy);
    engine->max_host_connections = config->max_host_connections;
    if (!engine_open(engine)) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_INTERNAL,
                            "the network loop cannot start: too few descriptors or memory");
        return NULL;
    }
    return g_steal_pointer(&engine);
}

static void pool_clear(Pool *pool) {
    while (pool->idle) {
        Transfer *transfer = pool->idle;
        pool->idle = transfer->next;
        transfer_free(transfer);
    }
    if (pool->multi) {
        curl_multi_cleanup(pool->multi);
    }
}

void transfer_engine_free(TransferEngine *engine) {
    if (!engine) {
        return;
    }
    pool_clear(&engine->pools[0]);
    pool_clear(&engine->pools[1]);
    wiping_drain();
    if (engine->wakeup >= 0) {
        close(engine->wakeup);
    }
    if (engine->epoll >= 0) {
        close(engine->epoll);
    }
    g_array_free(engine->sockets, TRUE);
    g_free(engine->user_agent);
    g_free(engine->ca_bundle);
    g_free(engine->proxy);
    g_free(engine);
}

void transfer_engine_wake(TransferEngine *engine) {
    uint64_t one = 1;
    ssize_t written = write(engine->wakeup, &one, sizeof(one));
    (void)written; /* a full counter wakes as well */
}

static void settle(Transfer *transfer, CURLcode code) {
    long status = 0;
    long request_size = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &request_size);
    transfer->code = code;
    transfer->sent = request_size > 0;
    stop(transfer);
    transfer->response.status = (int)status;
    if (code != CURLE_OK) {
        net_buffer_reset(&transfer->body, IDLE_BODY_MAX);
        transfer->body.secret = transfer->request->secret;
    } else if (transfer->body.size) {
        transfer->response.body = transfer->body.bytes;
        transfer->response.body_size = transfer->body.size;
    }
}

static bool collect(Pool *pool) {
    bool any = false;
    int left = 0;
    for (CURLMsg *message = curl_multi_info_read(pool->multi, &left); message;
         message = curl_multi_info_read(pool->multi, &left)) {
        char *data = NULL;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &data);
        Transfer *transfer = (Transfer *)(void *)data;
        settle(transfer, code);
        pool->engine->finished(transfer->owner);
        any = true;
    }
    return any;
}

static bool check_multi(CURLMcode code, GError **error) {
    if (code == CURLM_OK || code == CURLM_BAD_SOCKET) {
        return true;
    }
    g_set_error(error, ASSAY_ERROR, ERROR_INTERNAL, "the network loop failed: %s",
                curl_multi_strerror(code));
    return false;
}

/* Lets libcurl act on what is due by its own clock; wait_ms is lowered to when it wants to be
 * called next. */
static bool run_due(Pool *pool, int *wait_ms, GError **error) {
    long due = -1;
    if (pool->running == 0) {
        return true;
    }
    curl_multi_timeout(pool->multi, &due);
    if (due == 0) {
        int running = 0;
        CURLMcode code = curl_multi_socket_action(pool->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        if (!check_multi(code, error)) {
            return false;
        }
        curl_multi_timeout(pool->multi, &due);
    }
    if (due >= 0 && (*wait_ms < 0 || due < *wait_ms)) {
        *wait_ms = (int)due;
    }
    return true;
}

static void drain_wakeup(TransferEngine *engine) {
    uint64_t count;
    ssize_t got = read(engine->wakeup, &count, sizeof(count));
    (void)got;
}

static bool dispatch(TransferEngine *engine, const struct epoll_event *event, GError **error) {
    int descriptor = event->data.fd;
    if (descriptor == engine->wakeup) {
        drain_wakeup(engine);
        return true;
    }
    Socket *entry = socket_at(engine, descriptor);
    uint32_t always = EPOLLERR | EPOLLHUP;
    if (event->events & ~(entry->wanted | always) || entry->wanted == 0) {
        set_registered(engine, descriptor, entry, entry->wanted);
    }
    uint32_t events = event->events & (entry->wanted | always);
    if (entry->wanted == 0 || events == 0) {
        return true;
    }
    int mask = (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
               (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
               (events & always ? CURL_CSELECT_ERR : 0);
    int running = 0;
    return check_multi(curl_multi_socket_action(entry->pool->multi, descriptor, mask, &running),
                       error);
}

static bool wait_and_dispatch(TransferEngine *engine, int wait_ms, GError **error) {
    struct epoll_event events[EVENTS_A_STEP];
    int count = epoll_wait(engine->epoll, events, EVENTS_A_STEP, wait_ms);
    if (count < 0 && errno != EINTR) {
        g_set_error(error, ASSAY_ERROR, ERROR_INTERNAL, "the network loop failed: %s",
                    g_strerror(errno));
        return false;
    }
    for (int i = 0; i < count; i++) {
        if (!dispatch(engine, &events[i], error)) {
            return false;
        }
    }
    return true;
}

bool transfer_engine_step(TransferEngine *engine, int max_wait_ms, GError **error) {
    Pool *pools = engine->pools;
    int wait_ms = max_wait_ms;
    if (!run_due(&pools[0], &wait_ms, error) || !run_due(&pools[1], &wait_ms, error)) {
        return false;
    }
    bool any = collect(&pools[0]);
    any |= collect(&pools[1]);
    if (any) {
        return true;
    }
    if (!wait_and_dispatch(engine, wait_ms, error)) {
        return false;
    }
    (void)collect(&pools[0]);
    (void)collect(&pools[1]);
    return true;
}
