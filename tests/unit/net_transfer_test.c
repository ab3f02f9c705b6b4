/* Single attempts against hostile and broken peers: bounds, pools, egress, proxies, redirects. */
#include "net_support.h"

#include "base/text.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static void play(const PeerStep *steps, size_t count, Got *got) {
    g_autoptr(Peer) peer = peer_new(steps, count);
    g_autoptr(NetClient) client = test_client();
    net_client_send(client, peer_ask(peer, "GET", "/p?token=hidden", got));
    drain(client);
    g_assert_cmpuint(got->times_done, ==, 1);
    if (got->message) {
        g_assert_null(strstr(got->message, "hidden"));
        g_assert_nonnull(strstr(got->message, "127.0.0.1"));
    }
}

/* --- answers that break off, or are none ----------------------------------------------------- */

static void broken_answers_have_their_outcome_and_number_of_attempts(void) {
    static const struct {
        PeerStep step;
        Outcome outcome;
        ErrorCode code;
        unsigned attempts;
    } rows[] = {
        /* shorter than its Content-Length */
        {{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", .then = PEER_CLOSE},
         OUTCOME_BROKEN,
         ERROR_SERVICE_UNAVAILABLE,
         2},
        /* cut between two chunks */
        {{.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
          .then = PEER_CLOSE},
         OUTCOME_BROKEN,
         ERROR_SERVICE_UNAVAILABLE,
         2},
        /* said to be gzip, and is not */
        {{.bytes =
              "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!"},
         OUTCOME_BROKEN,
         ERROR_SERVICE_UNAVAILABLE,
         2},
        /* no HTTP at all */
        {{.bytes = "SSH-2.0-OpenSSH_9.2\r\n", .then = PEER_CLOSE},
         OUTCOME_BROKEN,
         ERROR_SERVICE_UNAVAILABLE,
         2},
        /* not a byte */
        {{.then = PEER_CLOSE}, OUTCOME_UNAVAILABLE, ERROR_SERVICE_UNAVAILABLE, 3},
        /* reset in the middle of a body */
        {{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", .then = PEER_RESET},
         OUTCOME_UNAVAILABLE,
         ERROR_SERVICE_UNAVAILABLE,
         3},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Got) got = {0};
        play(&rows[i].step, 1, &got);
        g_test_message("row %u: %s, %s", i, outcome_name(got.outcome), got.message);
        g_assert_nonnull(got.message);
        g_assert_cmpint(got.outcome, ==, rows[i].outcome);
        g_assert_cmpint(got.code, ==, rows[i].code);
        g_assert_cmpuint(got.attempts, ==, rows[i].attempts);
        g_assert_cmpuint(got.size, ==, 0);
    }
}

static void broken_answer_is_read_well_the_second_time(void) {
    g_auto(Got) got = {0};
    PeerStep steps[] = {
        {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", .then = PEER_CLOSE},
        {.bytes = OK_REPLY}};
    play(steps, 2, &got);
    g_assert_cmpint(got.outcome, ==, OUTCOME_OK);
    g_assert_cmpstr(got.body, ==, "ok");
}

static void closed_port_is_unavailable(void) {
    g_auto(Got) got = {0};
    PeerStep steps[] = {{.bytes = OK_REPLY}};
    Peer *peer = peer_new(steps, 1);
    g_autofree char *url = peer_url(peer, "/");
    peer_free(peer);
    g_autoptr(NetClient) client = test_client();
    NetRequest *request = net_request_new("GET", url);
    request->allow_private = true;
    request->done = got_done;
    request->data = &got;
    net_client_send(client, request);
    drain(client);
    g_assert_cmpint(got.outcome, ==, OUTCOME_UNAVAILABLE);
    g_assert_cmpuint(got.attempts, ==, 3);
    g_assert_cmpuint(got.sent, ==, 0);
}

static void host_that_is_not_found_is_a_configuration_error(void) {
    g_auto(Got) got = {0};
    g_autoptr(NetClient) client = test_client();
    g_autofree char *label = g_strnfill(64, 'x'); /* one too long for DNS: no server is asked */
    g_autofree char *url = g_strdup_printf("https://%s.example/", label);
    NetRequest *request = net_request_new("GET", url);
    request->done = got_done;
    request->data = &got;
    net_client_send(client, request);
    drain(client);
    g_assert_cmpint(got.outcome, ==, OUTCOME_BAD_REQUEST);
    g_assert_cmpint(got.code, ==, ERROR_CONFIGURATION);
    g_assert_nonnull(strstr(got.message, label));
    g_assert_cmpuint(got.attempts, ==, 2);
}

/* Asks a peer that then says nothing more, with as much time as it takes to be heard. */
static void ask_in_vain(NetClient *client, const Peer *peer, Got *got) {
    int64_t time_ms = 100;
    do {
        got_clear(got);
        *got = (Got){0};
        time_ms *= 2;
        NetRequest *request = peer_ask(peer, "GET", "/", got);
        request->total_timeout_ms = time_ms;
        request->once = true;
        net_client_send(client, request);
        drain(client);
        g_assert_cmpint(got->outcome, ==, OUTCOME_TIMEOUT);
    } while (got->sent == 0);
}

static void silence_is_a_timeout(void) {
    static const PeerStep scripts[] = {
        {.then = PEER_HOLD},
        {.bytes = "HTTP/1.1 200 OK\r\nContent-Le", .then = PEER_HOLD},
        {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", .then = PEER_HOLD},
        {.bytes = "HTTP/1.1 200 OK\r\nX-Slow: ", .then = PEER_DRIP, .more = "a"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(scripts); i++) {
        g_auto(Got) got = {0};
        g_autoptr(Peer) peer = peer_new(&scripts[i], 1);
        g_autoptr(NetClient) client = test_client();
        ask_in_vain(client, peer, &got);
        g_assert_cmpint(got.code, ==, ERROR_TIMEOUT);
        g_assert_cmpuint(got.sent, ==, 1);
    }
}

static void timeouts_are_tried_three_times(void) {
    g_auto(Got) got = {0};
    PeerStep steps[] = {{.then = PEER_HOLD}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_autoptr(NetClient) client = test_client();
    NetRequest *request = peer_ask(peer, "GET", "/", &got);
    request->total_timeout_ms = 40;
    net_client_send(client, request);
    drain(client);
    g_assert_cmpint(got.outcome, ==, OUTCOME_TIMEOUT);
    g_assert_cmpuint(got.attempts, ==, 3);
}

/* --- bounds ---------------------------------------------------------------------------------- */

static void endless_answers_are_stopped_at_their_bound(void) {
    static const struct {
        PeerStep step;
        const char *says;
    } rows[] = {
        {{.bytes = "HTTP/1.1 200 OK\r\n\r\n", .then = PEER_FLOOD, .more = "[1,2,3],[4,5,6],"},
         "larger than 20000 bytes"},
        {{.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
          .then = PEER_FLOOD,
          .more = "4\r\nabcd\r\n"},
         "larger than 20000 bytes"},
        {{.bytes = "HTTP/1.1 200 OK\r\n", .then = PEER_FLOOD, .more = "X-Flood: abcdefghijkl\r\n"},
         "headers larger than 5000 bytes"},
        {{.bytes = "", .then = PEER_FLOOD, .more = "HTTP/1.1 103 Early Hints\r\n\r\n"},
         "headers larger than 5000 bytes"},
        {{.bytes = "HTTP/1.1 200 OK\r\nX-Long: ", .then = PEER_FLOOD, .more = "abcdefghijklmnop"},
         "too long"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Got) got = {0};
        g_autoptr(Peer) peer = peer_new(&rows[i].step, 1);
        g_autoptr(NetClient) client = test_client();
        NetRequest *request = peer_ask(peer, "GET", "/", &got);
        request->max_body = 20000;
        request->max_header_bytes = 5000;
        net_client_send(client, request);
        drain(client);
        g_test_message("row %u: %s", i, got.message);
        g_assert_cmpint(got.outcome, ==, OUTCOME_BROKEN);
        g_assert_nonnull(strstr(got.message, rows[i].says));
        g_assert_cmpuint(got.attempts, ==, 2);
    }
}

static void body_of_exactly_the_bound_is_taken(void) {
    for (unsigned bound = 1; bound <= 2; bound++) {
        g_auto(Got) got = {0};
        PeerStep steps[] = {{.bytes = OK_REPLY}};
        g_autoptr(Peer) peer = peer_new(steps, 1);
        g_autoptr(NetClient) client = test_client();
        NetRequest *request = peer_ask(peer, "GET", "/", &got);
        request->max_body = bound;
        net_client_send(client, request);
        drain(client);
        g_assert_cmpint(got.outcome, ==, bound == 2 ? OUTCOME_OK : OUTCOME_BROKEN);
    }
}

/* gzip of {"hello":"world"}, and of 300,000 zero bytes. */
static const char packed_hello[] = "H4sIAAAAAAACA6tWykjNyclXslIqzy/KSVGqBQDRQQnYEQAAAA==";
static const char packed_zeros[] =
    "H4sIAAAAAAACA+3BAQ0AAADCoPdPbQ8HFAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "/Bj74rL24JMEAA==";

static GByteArray *gzip_reply(const char *base64) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    g_assert_true(text_unbase64(base64, strlen(base64), &bytes, &size));
    g_autofree char *head = g_strdup_printf(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", size);
    GByteArray *reply = g_byte_array_new();
    g_byte_array_append(reply, (const guint8 *)head, (guint)strlen(head));
    g_byte_array_append(reply, bytes, (guint)size);
    g_free(bytes);
    return reply;
}

static void ask_packed(const char *base64, size_t max_body, Got *got) {
    g_autoptr(GByteArray) reply = gzip_reply(base64);
    PeerStep step = {.bytes = (const char *)reply->data, .size = reply->len};
    g_autoptr(Peer) peer = peer_new(&step, 1);
    g_autoptr(NetClient) client = test_client();
    NetRequest *request = peer_ask(peer, "GET", "/", got);
    request->max_body = max_body;
    net_client_send(client, request);
    drain(client);
    g_autofree char *text = peer_request(peer, 0);
    g_assert_nonnull(strstr(text, "Accept-Encoding: gzip, deflate\r\n"));
}

static void packed_answers_are_unpacked_and_bounded_unpacked(void) {
    g_auto(Got) hello = {0};
    g_auto(Got) bomb = {0};
    g_auto(Got) allowed = {0};
    ask_packed(packed_hello, 100, &hello);
    g_assert_cmpstr(hello.body, ==, "{\"hello\":\"world\"}");
    ask_packed(packed_zeros, 299999, &bomb);
    g_assert_cmpint(bomb.outcome, ==, OUTCOME_BROKEN);
    g_assert_nonnull(strstr(bomb.message, "larger than 299999 bytes"));
    ask_packed(packed_zeros, 300000, &allowed);
    g_assert_cmpint(allowed.outcome, ==, OUTCOME_OK);
    g_assert_cmpuint(allowed.size, ==, 300000);
}

static void interim_answers_and_trailers_leave_the_final_headers(void) {
    g_auto(Got) got = {0};
    PeerStep steps[] = {{.bytes = "HTTP/1.1 103 Early Hints\r\nX-Test: early\r\n\r\n"
                                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                                  "X-Test: final\r\n\r\n2\r\nok\r\n0\r\nX-Test: trailer\r\n\r\n"}};
    play(steps, 1, &got);
    g_assert_cmpint(got.outcome, ==, OUTCOME_OK);
    g_assert_cmpstr(got.header, ==, "final");
    g_assert_cmpstr(got.body, ==, "ok");
}

static void redirects_are_handed_over_and_not_followed(void) {
    static const char *const replies[] = {
        "HTTP/1.1 301 Moved\r\nLocation: /b\r\nX-Test: here\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nX-Test: here\r\n"
        "Content-Length: 0\r\n\r\n",
        "HTTP/1.1 307 Go\r\nLocation: https://elsewhere.example/\r\nX-Test: here\r\n"
        "Content-Length: 0\r\n\r\n",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(replies); i++) {
        g_auto(Got) got = {0};
        PeerStep steps[] = {{.bytes = replies[i]}};
        g_autoptr(Peer) peer = peer_new(steps, 1);
        g_autoptr(NetClient) client = test_client();
        net_client_send(client, peer_ask(peer, "GET", "/", &got));
        drain(client);
        g_assert_cmpint(got.outcome, ==, OUTCOME_OK);
        g_assert_cmpint(got.status / 100, ==, 3);
        g_assert_cmpstr(got.header, ==, "here");
        g_assert_cmpuint(peer_requests(peer), ==, 1);
    }
}

/* --- connections ----------------------------------------------------------------------------- */

static const PeerStep dies_on_the_second[] = {
    {.bytes = OK_REPLY}, {.then = PEER_CLOSE}, {.bytes = OK_REPLY}};

/* The peer answers a first request and drops the connection when the second comes over it. */
static void ask_over_a_dying_connection(Peer *peer, bool once, Got *got) {
    g_auto(Got) warm = {0};
    g_autoptr(NetClient) client = test_client();
    net_client_send(client, peer_ask(peer, "GET", "/", &warm));
    drain(client);
    NetRequest *request = peer_ask(peer, "POST", "/token", got);
    net_request_set_body(request, "refresh", 7);
    request->once = once;
    net_client_send(client, request);
    drain(client);
}

static void request_that_may_not_be_sent_twice_is_seen_once(void) {
    g_auto(Got) got = {0};
    g_autoptr(Peer) peer = peer_new(dies_on_the_second, 3);
    ask_over_a_dying_connection(peer, true, &got);
    g_assert_cmpint(got.outcome, ==, OUTCOME_UNAVAILABLE);
    g_assert_cmpuint(got.attempts, ==, 1);
    g_assert_cmpuint(got.sent, ==, 1);
    g_assert_cmpuint(peer_requests(peer), ==, 2);
    g_assert_cmpuint(peer_connections(peer), ==, 2);
}

/* The other half of the proof: without `once` libcurl sends it again, within one attempt. */
static void other_requests_survive_a_dead_connection(void) {
    g_auto(Got) got = {0};
    g_autoptr(Peer) peer = peer_new(dies_on_the_second, 3);
    ask_over_a_dying_connection(peer, false, &got);
    g_assert_cmpint(got.outcome, ==, OUTCOME_OK);
    g_assert_cmpuint(got.attempts, ==, 1);
    g_assert_cmpuint(peer_requests(peer), ==, 3);
}

static void connection_of_a_once_request_is_not_kept(void) {
    PeerStep steps[] = {{.bytes = OK_REPLY}};
    g_auto(Got) got = {0};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_autoptr(NetClient) client = test_client();
    for (unsigned i = 0; i < 3; i++) {
        NetRequest *request = peer_ask(peer, "GET", "/", &got);
        request->once = i == 1;
        net_client_send(client, request);
        drain(client);
    }
    g_assert_cmpuint(got.times_done, ==, 3);
    g_assert_cmpuint(peer_connections(peer), ==, 2);
}

static void answers_that_come_together_are_told_apart(void) {
    enum { CALLS = 200 };
    PeerStep steps[CALLS];
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; i < CALLS; i++) {
        g_autofree char *body = g_strdup_printf("body %u", i);
        g_ptr_array_add(texts, g_strdup_printf("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                                               strlen(body), body));
        steps[i] = (PeerStep){.bytes = g_ptr_array_index(texts, i)};
    }
    g_autoptr(Peer) peer = peer_new(steps, CALLS);
    g_autoptr(NetClient) client = test_client();
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Got got[CALLS] = {0};
    for (unsigned i = 0; i < CALLS; i++) {
        net_client_send(client, peer_ask(peer, "GET", "/", &got[i]));
        if (i % 16 == 15) {
            drain(client);
        }
    }
    drain(client);
    for (unsigned i = 0; i < CALLS; i++) {
        g_assert_cmpint(got[i].outcome, ==, OUTCOME_OK);
        g_assert_true(g_hash_table_add(seen, g_strdup(got[i].body)));
        got_clear(&got[i]);
    }
    g_assert_cmpuint(peer_connections(peer), <=, 16);
}

static void connections_to_one_host_are_capped(void) {
    PeerStep steps[] = {{.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    NetClientConfig config = {.max_host_connections = 3};
    g_autoptr(NetClient) client = net_client_new(&config, NULL);
    g_auto(Got) got = {0};
    for (unsigned i = 0; i < 40; i++) {
        net_client_send(client, peer_ask(peer, "GET", "/", &got));
    }
    drain(client);
    g_assert_cmpuint(got.times_done, ==, 40);
    g_assert_cmpuint(peer_connections(peer), <=, 3);
}

/* --- egress ---------------------------------------------------------------------------------- */

/* Asks https://HOST:PORT/ and tells what came of it. */
static void ask_host(const char *host, unsigned port, bool allow_private, Got *got) {
    g_autofree char *url = g_strdup_printf("https://%s:%u/", host, port);
    g_autoptr(NetClient) client = test_client();
    NetRequest *request = net_request_new("GET", url);
    request->allow_private = allow_private;
    request->connect_timeout_ms = 2000;
    request->done = got_done;
    request->data = got;
    net_client_send(client, request);
    drain(client);
}

static void loopback_is_refused_in_every_written_form(void) {
    static const char *const hosts[] = {"127.0.0.1",       "127.1",      "2130706433",
                                        "0x7f000001",      "0x7f.0.0.1", "017700000001",
                                        "0177.0.0.1",      "[::1]",      "[::ffff:127.0.0.1]",
                                        "[::ffff:7f00:1]", "localhost",  "0",
                                        "0.0.0.0",         "[::]"};
    PeerStep steps[] = {{.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(hosts); i++) {
        g_auto(Got) got = {0};
        ask_host(hosts[i], peer_port(peer), false, &got);
        g_test_message("%s: %s", hosts[i], got.message);
        g_assert_cmpint(got.outcome, ==, OUTCOME_BAD_REQUEST);
        g_assert_cmpint(got.code, ==, ERROR_CONFIGURATION);
        g_assert_nonnull(strstr(got.message, "allow_private"));
        g_assert_cmpuint(got.attempts, ==, 1);
        g_assert_cmpuint(got.sent, ==, 0);
    }
    g_assert_cmpuint(peer_connections(peer), ==, 0);
}

static void metadata_is_refused_even_where_private_is_allowed(void) {
    static const char *const hosts[] = {"169.254.169.254",
                                        "2852039166",
                                        "0xa9fea9fe",
                                        "0251.0376.0251.0376",
                                        "[::ffff:169.254.169.254]",
                                        "[fd00:ec2::254]",
                                        "169.254.170.2",
                                        "100.100.100.200",
                                        "168.63.129.16"};
    for (unsigned i = 0; i < G_N_ELEMENTS(hosts); i++) {
        g_auto(Got) got = {0};
        ask_host(hosts[i], 443, true, &got);
        g_test_message("%s: %s", hosts[i], got.message);
        g_assert_cmpint(got.outcome, ==, OUTCOME_BAD_REQUEST);
        g_assert_cmpint(got.code, ==, ERROR_CONFIGURATION);
        g_assert_nonnull(strstr(got.message, "cloud metadata"));
        g_assert_null(strstr(got.message, "allow_private"));
    }
}

/* --- proxies --------------------------------------------------------------------------------- */

static void proxy_of_the_environment_is_ignored(void) {
    static const char *const names[] = {"http_proxy", "HTTPS_PROXY", "https_proxy",
                                        "ALL_PROXY",  "all_proxy",   "HTTP_PROXY"};
    g_auto(Got) got = {0};
    PeerStep steps[] = {{.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_autoptr(Peer) proxy = peer_new(steps, 1);
    g_autofree char *url = peer_url(proxy, "");
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_setenv(names[i], url, TRUE);
    }
    g_autoptr(NetClient) client = test_client();
    net_client_send(client, peer_ask(peer, "GET", "/", &got));
    drain(client);
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_unsetenv(names[i]);
    }
    g_assert_cmpint(got.outcome, ==, OUTCOME_OK);
    g_assert_cmpuint(peer_requests(peer), ==, 1);
    g_assert_cmpuint(peer_connections(proxy), ==, 0);
}

static void configured_proxy_is_used_whatever_no_proxy_says(void) {
    g_auto(Got) got = {0};
    g_auto(Got) metadata = {0};
    PeerStep steps[] = {{.bytes = OK_REPLY}};
    g_autoptr(Peer) proxy = peer_new(steps, 1);
    g_autofree char *url = peer_url(proxy, "");
    NetClientConfig config = {.egress_proxy = url, .wait_scale = 0.001};
    g_autoptr(NetClient) client = net_client_new(&config, NULL);
    g_setenv("no_proxy", "*", TRUE);
    const char *const targets[] = {"http://service.example/x", "http://0xa9fea9fe/latest"};
    Got *results[] = {&got, &metadata};
    for (unsigned i = 0; i < 2; i++) {
        NetRequest *request = net_request_new("GET", targets[i]);
        request->allow_private = true;
        request->done = got_done;
        request->data = results[i];
        net_client_send(client, request);
        drain(client);
    }
    g_unsetenv("no_proxy");
    g_autofree char *asked = peer_request(proxy, 0);
    g_assert_cmpint(got.outcome, ==, OUTCOME_OK);
    g_assert_true(g_str_has_prefix(asked, "GET http://service.example/x HTTP/1.1\r\n"));
    g_assert_cmpint(metadata.outcome, ==, OUTCOME_BAD_REQUEST);
    g_assert_nonnull(strstr(metadata.message, "cloud metadata"));
    g_assert_cmpuint(peer_requests(proxy), ==, 1);
}

/* --- descriptors ----------------------------------------------------------------------------- */

static NetJudgement look_at_descriptors(const NetResponse *response, void *data) {
    unsigned *leaky = data;
    (void)response;
    for (int descriptor = 3; descriptor < 256; descriptor++) {
        struct sockaddr_in peer;
        socklen_t size = sizeof(peer);
        bool connected = getpeername(descriptor, (struct sockaddr *)(void *)&peer, &size) == 0;
        if (connected && peer.sin_family == AF_INET && !(fcntl(descriptor, F_GETFD) & FD_CLOEXEC)) {
            *leaky += 1;
        }
    }
    return (NetJudgement){OUTCOME_OK, -1};
}

static void ignore_result(NetResult *result, void *data) {
    (void)result;
    (void)data;
}

static void programs_that_are_started_inherit_no_connection(void) {
    PeerStep steps[] = {{.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_autoptr(NetClient) client = test_client();
    unsigned leaky = 0;
    NetRequest *request = peer_ask(peer, "GET", "/", NULL);
    request->classify = look_at_descriptors;
    request->done = ignore_result;
    request->data = &leaky;
    net_client_send(client, request);
    drain(client);
    g_assert_cmpuint(leaky, ==, 0);
}

#define ADD(name) g_test_add_func("/net/transfer/" #name, name)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD(broken_answers_have_their_outcome_and_number_of_attempts);
    ADD(broken_answer_is_read_well_the_second_time);
    ADD(closed_port_is_unavailable);
    ADD(host_that_is_not_found_is_a_configuration_error);
    ADD(silence_is_a_timeout);
    ADD(timeouts_are_tried_three_times);
    ADD(endless_answers_are_stopped_at_their_bound);
    ADD(body_of_exactly_the_bound_is_taken);
    ADD(packed_answers_are_unpacked_and_bounded_unpacked);
    ADD(interim_answers_and_trailers_leave_the_final_headers);
    ADD(redirects_are_handed_over_and_not_followed);
    ADD(request_that_may_not_be_sent_twice_is_seen_once);
    ADD(other_requests_survive_a_dead_connection);
    ADD(connection_of_a_once_request_is_not_kept);
    ADD(answers_that_come_together_are_told_apart);
    ADD(connections_to_one_host_are_capped);
    ADD(loopback_is_refused_in_every_written_form);
    ADD(metadata_is_refused_even_where_private_is_allowed);
    ADD(proxy_of_the_environment_is_ignored);
    ADD(configured_proxy_is_used_whatever_no_proxy_says);
    ADD(programs_that_are_started_inherit_no_connection);
    return g_test_run();
}
