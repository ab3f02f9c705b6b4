/* A sender against a scripted peer: where the credential goes, what is tried again, what is told.
 */
#include "unit/connect_support.h"
#include "unit/freed.h"
#include "unit/net_support.h"

#include "base/clock.h"
#include "base/error.h"

#include <string.h>

#define AUTHORIZATION "\r\nAuthorization: Bearer " PLANTED "\r\n"
#define EMPTY(status, fields) "HTTP/1.1 " status "\r\nContent-Length: 0\r\n" fields "\r\n"
#define GOOD "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"
#define POOR "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npoor"

/* --- asking ----------------------------------------------------------------------------------- */

typedef struct {
    unsigned times_done;
    unsigned inspected;
    Outcome outcome;
    RespondThen then;
    int status;
    char *message;
    char *body;
    char *url;
    unsigned requests;
    int64_t retry_at_ms;
} Told;

static void told_clear(Told *told) {
    g_free(told->message);
    g_free(told->body);
    g_free(told->url);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Told, told_clear)

static void take(const SenderReply *reply, void *data) {
    Told *told = data;
    g_assert_nonnull(reply->headers);
    told->times_done++;
    told->outcome = reply->outcome;
    told->then = reply->then;
    told->status = reply->status;
    told->message = g_strdup(reply->message);
    told->body = g_strndup(reply->body, reply->body_size);
    told->url = g_strdup(reply->url);
    told->requests = reply->requests;
    told->retry_at_ms = reply->retry_at_ms;
}

static Outcome find_good(const char *body, size_t size, void *data) {
    ((Told *)data)->inspected++;
    return size == 4 && memcmp(body, "good", 4) == 0 ? OUTCOME_OK : OUTCOME_BROKEN;
}

typedef struct {
    const char *method;
    const char *body;
    SenderInspect inspect;
} How;

static void send_to(Sender *sender, const Wire *wire, const char *url, const How *how, Told *told) {
    RenderedHeader header = {(char *)(uintptr_t) "Accept", (char *)(uintptr_t) "text/demo"};
    RenderedRequest rendered = {.method = how->method ? how->method : "GET",
                                .url = (char *)(uintptr_t)url,
                                .headers = &header,
                                .header_count = 1,
                                .body = (char *)(uintptr_t)how->body,
                                .body_size = how->body ? strlen(how->body) : 0};
    SenderWish wish = {.call = definition_call(wire->definition, "users"),
                       .rendered = &rendered,
                       .inspect = how->inspect,
                       .done = take,
                       .data = told};
    must(sender_send(sender, &wish, &error));
    g_assert_cmpuint(told->times_done, ==, 0);
}

static void ask(Sender *sender, const Wire *wire, const Peer *peer, const How *how, Told *told) {
    g_autofree char *url = peer_url(peer, "/users?page=1");
    send_to(sender, wire, url, how, told);
    drain(wire->client);
    g_assert_cmpuint(told->times_done, ==, 1);
    assert_lacks(told->message, PLANTED);
    assert_lacks(told->url, PLANTED);
}

/* One request of a new sender to a peer that plays the steps. */
static void play(const Wire *wire, Peer *peer, const How *how, Told *told) {
    g_autoptr(Sender) sender = wire_sender(wire, "integration", PLANTED);
    ask(sender, wire, peer, how, told);
}

static void assert_authorized(Peer *peer, unsigned n) {
    g_autofree char *text = peer_request(peer, n);
    assert_holds(text, AUTHORIZATION);
}

/* --- authorization ---------------------------------------------------------------------------- */

static void every_attempt_is_authorized(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, NULL, NULL, NULL);
    PeerStep steps[] = {{.bytes = EMPTY("503 Busy", "Connection: close\r\n"), .then = PEER_CLOSE},
                        {.then = PEER_CLOSE},
                        {.bytes = GOOD}};
    g_autoptr(Peer) peer = peer_new(steps, G_N_ELEMENTS(steps));
    g_auto(Told) told = {0};
    play(&wire, peer, &(How){0}, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_OK);
    g_assert_cmpint(told.status, ==, 200);
    g_assert_cmpstr(told.body, ==, "good");
    g_assert_null(told.message);
    g_assert_cmpuint(told.requests, ==, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_authorized(peer, i);
    g_autofree char *text = peer_request(peer, 2);
    assert_holds(text, "GET /users?page=1 HTTP/1.1\r\n");
    assert_holds(text, "\r\nAccept: text/demo\r\n");
}

static void refused_token_is_auth_expired_and_not_tried_again(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, NULL, NULL, NULL);
    PeerStep steps[] = {{.bytes = EMPTY("401 No", "WWW-Authenticate: Bearer " PLANTED "\r\n")}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_auto(Told) told = {0};
    play(&wire, peer, &(How){0}, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_AUTH_EXPIRED);
    g_assert_cmpint(told.status, ==, 401);
    g_assert_cmpuint(told.requests, ==, 1);
    g_assert_cmpstr(told.message, ==, "Authentication failed for Demo. Please re-authorize.");
}

static void an_answer_that_echoes_the_token_is_not_quoted(void) {
    static const char *const statuses[] = {"400 Bad", "403 No", "404 None", "418 Tea", "500 Oops"};
    for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++) {
        g_auto(Wire) wire = {0};
        wire_init(&wire, NULL, NULL, NULL);
        g_autofree char *bytes = g_strdup_printf(
            "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n" PLANTED, statuses[i], strlen(PLANTED));
        PeerStep steps[] = {{.bytes = bytes}};
        g_autoptr(Peer) peer = peer_new(steps, 1);
        g_auto(Told) told = {0};
        play(&wire, peer, &(How){0}, &told);
        g_assert_cmpint(told.outcome, !=, OUTCOME_OK);
        g_assert_nonnull(told.message);
        g_assert_cmpstr(told.body, ==, PLANTED);
    }
}

static void plain_http_is_not_spoken_without_permission(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, NULL, NULL, NULL);
    json_put_bool(wire.settings, "allow_private", false);
    PeerStep steps[] = {{.bytes = GOOD}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_auto(Told) told = {0};
    play(&wire, peer, &(How){0}, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_BAD_REQUEST);
    g_assert_cmpuint(told.requests, ==, 0);
    g_assert_cmpint(told.status, ==, 0);
    assert_holds(told.message, "Demo: ");
    g_assert_cmpuint(peer_connections(peer), ==, 0);
}

static void the_token_is_taken_out_of_what_is_kept(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, NULL, NULL, NULL);
    g_autoptr(Sender) sender = wire_sender(&wire, "integration", PLANTED);
    g_autoptr(Sender) short_token = wire_sender(&wire, "integration", "a");
    g_autoptr(GString) text =
        g_string_new("{\"a\":\"" PLANTED "\",\"b\":\"x" PLANTED PLANTED "\"}");
    g_assert_true(sender_redact(sender, text));
    g_assert_cmpstr(text->str, ==, "{\"a\":\"[secret]\",\"b\":\"x[secret][secret]\"}");
    g_assert_false(sender_redact(sender, text));
    g_assert_false(sender_redact(short_token, text));
    g_assert_cmpstr(text->str, ==, "{\"a\":\"[secret]\",\"b\":\"x[secret][secret]\"}");
    g_autoptr(GString) none = g_string_new("");
    g_assert_false(sender_redact(sender, none));
    g_assert_cmpuint(none->len, ==, 0);
}

static void a_repeated_token_is_taken_out_in_whatever_way_it_is_written(void) {
    static const char token[] = "wJal/K7\"MD+ENG\\x";
    static const char *const written[] = {"wJal/K7\"MD+ENG\\x", "wJal/K7\\\"MD+ENG\\\\x",
                                          "wJal\\/K7\\\"MD+ENG\\\\x", "wJal%2FK7%22MD%2BENG%5Cx"};
    g_auto(Wire) wire = {0};
    wire_init(&wire, NULL, NULL, NULL);
    g_autoptr(Sender) sender = wire_sender(&wire, "integration", token);
    for (size_t i = 0; i < G_N_ELEMENTS(written); i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        g_string_printf(text, "{\"a\":\"x%s\"}", written[i]);
        g_assert_true(sender_redact(sender, text));
        g_assert_cmpstr(text->str, ==, "{\"a\":\"x[secret]\"}");
    }
}

static void a_token_without_letters_and_digits_is_taken_out(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, NULL, NULL, NULL);
    g_autoptr(Sender) sender = wire_sender(&wire, "integration", "//..__--//..__--");
    g_autoptr(GString) text = g_string_new("{\"a\":\"x\\/\\/..__--\\/\\/..__--\"}");
    g_assert_true(sender_redact(sender, text));
    g_assert_cmpstr(text->str, ==, "{\"a\":\"x[secret]\"}");
}

static void a_peer_that_is_gone_is_unavailable(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, NULL, NULL, NULL);
    PeerStep steps[] = {{.bytes = GOOD}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_autofree char *url = peer_url(peer, "/users");
    g_clear_pointer(&peer, peer_free);
    g_autoptr(Sender) sender = wire_sender(&wire, "integration", PLANTED);
    g_auto(Told) told = {0};
    send_to(sender, &wire, url, &(How){0}, &told);
    drain(wire.client);
    g_assert_cmpint(told.outcome, ==, OUTCOME_UNAVAILABLE);
    g_assert_cmpint(told.status, ==, 0);
    assert_holds(told.message, "Demo: ");
    assert_holds(told.message, "(/users)");
}

/* --- redirects -------------------------------------------------------------------------------- */

static void redirect_within_the_origin_is_followed_with_authorization(void) {
    static const char *const statuses[] = {"301 Moved", "302 Found", "303 See", "307 There",
                                           "308 Gone"};
    for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++) {
        g_auto(Wire) wire = {0};
        wire_init(&wire, NULL, NULL, NULL);
        g_autofree char *moved = g_strdup_printf(
            "HTTP/1.1 %s\r\nContent-Length: 4\r\nLocation: /moved?a=b\r\n\r\npoor", statuses[i]);
        PeerStep steps[] = {{.bytes = moved}, {.bytes = GOOD}};
        g_autoptr(Peer) peer = peer_new(steps, G_N_ELEMENTS(steps));
        g_auto(Told) told = {0};
        play(&wire, peer, &(How){.inspect = find_good}, &told);
        g_assert_cmpint(told.outcome, ==, OUTCOME_OK);
        g_assert_cmpuint(told.requests, ==, 2);
        g_assert_cmpuint(told.inspected, ==, 1);
        g_assert_null(told.message);
        g_autofree char *url = peer_url(peer, "/moved?a=b");
        g_assert_cmpstr(told.url, ==, url);
        g_autofree char *text = peer_request(peer, 1);
        assert_holds(text, "GET /moved?a=b HTTP/1.1\r\n");
        assert_holds(text, AUTHORIZATION);
        assert_holds(text, "\r\nAccept: text/demo\r\n");
    }
}

static void redirect_to(const char *location, Peer *other) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, NULL, NULL, NULL);
    g_autofree char *bytes = g_strdup_printf(
        "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %s\r\n\r\n", location);
    PeerStep steps[] = {{.bytes = bytes}, {.bytes = GOOD}};
    g_autoptr(Peer) peer = peer_new(steps, G_N_ELEMENTS(steps));
    g_auto(Told) told = {0};
    play(&wire, peer, &(How){0}, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_BAD_REQUEST);
    g_assert_cmpint(told.status, ==, 302);
    g_assert_cmpuint(told.requests, ==, 1);
    g_assert_cmpuint(peer_requests(peer), ==, 1);
    g_assert_cmpuint(peer_connections(other), ==, 0);
    assert_holds(told.message, "redirects to another place, which is not followed");
    assert_lacks(told.message, "evil");
}

static void redirect_to_another_origin_is_not_followed(void) {
    PeerStep steps[] = {{.bytes = GOOD}};
    g_autoptr(Peer) other = peer_new(steps, 1);
    unsigned port = peer_port(other);
    static const char *const formats[] = {
        "http://127.0.0.1:%u/evil",  "//127.0.0.1:%u/evil",          "https://127.0.0.1:%u/evil",
        "http://localhost:%u/evil",  "http://evil@127.0.0.1:%u/",    "http://127.0.0.1:%u",
        "http://127.0.0.1:%u#@evil", "\\\\\\\\127.0.0.1:%u/evil",    "javascript:evil(%u)",
        "http://[::1]:%u/evil",      "http://127.0.0.1.evil.test:%u"};
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_auto(GStrv) parts = g_strsplit(formats[i], "%u", 2);
        g_autofree char *number = g_strdup_printf("%u", port);
        g_autofree char *location = g_strjoin(number, parts[0], parts[1], NULL);
        redirect_to(location, other);
    }
}

/* The very host and port, with another scheme or with somebody's name in front. */
static void redirect_with_another_scheme_or_user_is_not_followed(void) {
    static const char *const prefixes[] = {"https://127.0.0.1:", "http://user:pass@127.0.0.1:"};
    for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        g_auto(Wire) wire = {0};
        wire_init(&wire, NULL, NULL, NULL);
        char bytes[200];
        PeerStep steps[] = {{.bytes = bytes}, {.bytes = GOOD}};
        g_autoptr(Peer) peer = peer_new(steps, G_N_ELEMENTS(steps));
        g_snprintf(bytes, sizeof bytes,
                   "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %s%u/moved\r\n\r\n",
                   prefixes[i], peer_port(peer));
        g_auto(Told) told = {0};
        play(&wire, peer, &(How){0}, &told);
        g_assert_cmpint(told.outcome, ==, OUTCOME_BAD_REQUEST);
        g_assert_cmpuint(peer_requests(peer), ==, 1);
        g_assert_cmpuint(peer_connections(peer), ==, 1);
    }
}

static void a_redirect_loop_is_stopped(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, NULL, NULL, NULL);
    PeerStep steps[] = {{.bytes = EMPTY("302 Found", "Location: /users\r\n")}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_auto(Told) told = {0};
    play(&wire, peer, &(How){0}, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_BAD_REQUEST);
    g_assert_cmpuint(told.requests, ==, 4);
    g_assert_cmpuint(peer_requests(peer), ==, 4);
    assert_holds(told.message, "redirects again and again");
}

static void a_redirect_without_a_place_is_the_answer(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, NULL, NULL, NULL);
    PeerStep steps[] = {{.bytes = EMPTY("302 Found", "")}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_auto(Told) told = {0};
    play(&wire, peer, &(How){0}, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_BAD_REQUEST);
    g_assert_cmpuint(told.requests, ==, 1);
}

static void a_post_is_not_redirected(void) {
    static const char *const bodies[] = {"{\"a\":1}", NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_auto(Wire) wire = {0};
        wire_init(&wire, NULL, NULL, NULL);
        PeerStep steps[] = {{.bytes = EMPTY("307 There", "Location: /moved\r\n")}, {.bytes = GOOD}};
        g_autoptr(Peer) peer = peer_new(steps, G_N_ELEMENTS(steps));
        g_auto(Told) told = {0};
        play(&wire, peer, &(How){.method = "POST", .body = bodies[i]}, &told);
        g_assert_cmpint(told.outcome, ==, OUTCOME_BAD_REQUEST);
        g_assert_cmpuint(peer_requests(peer), ==, 1);
        g_autofree char *text = peer_request(peer, 0);
        assert_holds(text, "POST /users?page=1 HTTP/1.1\r\n");
        assert_holds(text, AUTHORIZATION);
        if (bodies[i])
            g_assert_true(g_str_has_suffix(text, "\r\n\r\n{\"a\":1}"));
    }
}

/* --- what is tried again ---------------------------------------------------------------------- */

static void a_broken_answer_is_tried_once_more(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, NULL, NULL, NULL);
    PeerStep steps[] = {{.bytes = POOR}, {.bytes = GOOD}};
    g_autoptr(Peer) peer = peer_new(steps, G_N_ELEMENTS(steps));
    g_auto(Told) told = {0};
    play(&wire, peer, &(How){.inspect = find_good}, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_OK);
    g_assert_cmpuint(told.inspected, ==, 2);
    g_assert_cmpuint(told.requests, ==, 2);
    assert_authorized(peer, 1);
}

static void an_answer_that_stays_broken_is_told_so(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, NULL, NULL, NULL);
    PeerStep steps[] = {{.bytes = POOR}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_auto(Told) told = {0};
    play(&wire, peer, &(How){.inspect = find_good}, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_BROKEN);
    g_assert_cmpuint(told.inspected, ==, 2);
    g_assert_cmpuint(told.requests, ==, 2);
    assert_holds(told.message, "Demo answered with status 200 to /users. The answer could not be");
    assert_lacks(told.message, "poor");
    assert_lacks(told.message, "page=1");
}

/* Each by its own outcome, whatever came of the whole; one that nobody answered as unavailable. */
static void every_request_is_counted_by_what_came_of_it(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, NULL, NULL, NULL);
    PeerStep steps[] = {{.bytes = EMPTY("503 Busy", "Connection: close\r\n"), .then = PEER_CLOSE},
                        {.then = PEER_CLOSE},
                        {.bytes = GOOD},
                        {.bytes = POOR},
                        {.bytes = GOOD},
                        {.bytes = EMPTY("404 None", "")}};
    g_autoptr(Peer) peer = peer_new(steps, G_N_ELEMENTS(steps));
    g_autoptr(Sender) sender = wire_sender(&wire, "integration", PLANTED);
    for (int i = 0; i < 3; i++) {
        g_auto(Told) told = {0};
        ask(sender, &wire, peer, &(How){.inspect = find_good}, &told);
    }
    int64_t wanted[OUTCOMES] = {[OUTCOME_OK] = 2,
                                [OUTCOME_UNAVAILABLE] = 2,
                                [OUTCOME_BROKEN] = 1,
                                [OUTCOME_BAD_REQUEST] = 1};
    for (Outcome outcome = 0; outcome < OUTCOMES; outcome++) {
        g_test_message("%s", outcome_name(outcome));
        g_assert_cmpint(sender_counts(sender)->by_outcome[outcome], ==, wanted[outcome]);
    }
}

static void only_good_answers_are_inspected(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, NULL, NULL, NULL);
    PeerStep steps[] = {{.bytes = EMPTY("500 Oops", "")},
                        {.bytes = EMPTY("500 Oops", "")},
                        {.bytes = EMPTY("404 None", "")}};
    g_autoptr(Peer) peer = peer_new(steps, G_N_ELEMENTS(steps));
    g_auto(Told) told = {0};
    play(&wire, peer, &(How){.inspect = find_good}, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_BAD_REQUEST);
    g_assert_cmpuint(told.inspected, ==, 0);
    g_assert_cmpuint(told.requests, ==, 3);
}

static void a_short_wait_that_is_asked_for_is_slept(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, NULL, NULL, NULL);
    PeerStep steps[] = {{.bytes = EMPTY("429 Slow", "Retry-After: 29\r\n")}, {.bytes = GOOD}};
    g_autoptr(Peer) peer = peer_new(steps, G_N_ELEMENTS(steps));
    g_auto(Told) told = {0};
    play(&wire, peer, &(How){0}, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_OK);
    g_assert_cmpuint(told.requests, ==, 2);
    g_assert_cmpint(told.retry_at_ms, ==, 0);
}

static void a_long_wait_is_told_and_not_slept(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, NULL, NULL, NULL);
    PeerStep steps[] = {{.bytes = EMPTY("429 Slow", "Retry-After: 3600\r\n")}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_auto(Told) told = {0};
    int64_t before = clock_now_ms();
    play(&wire, peer, &(How){0}, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_RATE_LIMITED);
    g_assert_cmpuint(told.requests, ==, 1);
    g_assert_cmpint(told.retry_at_ms, >=, before + 3600000);
    g_assert_cmpint(told.retry_at_ms, <=, clock_now_ms() + 3600000);
    assert_holds(told.message, "Rate limit exceeded for Demo. Please try again later.");
}

static const char rules[] =
    "http:\n"
    "  base_url: .settings.api_url\n"
    "  responses:\n"
    "    - {status: 402, is: unlicensed, then: not_applicable}\n"
    "    - {status: 302, is: auth_expired}\n"
    "    - {status: 404, is: absent}\n"
    "    - status: 403\n"
    "      when: .headers[\"x-remaining\"] == \"0\"\n"
    "      is: rate_limited\n"
    "      until: {header: x-reset, unit: epoch_s}\n"
    "    - {status: 403, when: .body.message == \"slow\", is: rate_limited, wait: 10m}\n";

static void the_definition_tells_how_long_to_wait(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, rules, NULL, NULL);
    int64_t reset = clock_now_ms() / 1000 + 900;
    g_autofree char *bytes =
        g_strdup_printf("HTTP/1.1 403 No\r\nContent-Length: 0\r\n"
                        "X-Remaining: 0\r\nX-Reset: %" G_GINT64_FORMAT "\r\n\r\n",
                        reset);
    PeerStep steps[] = {{.bytes = bytes}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_auto(Told) told = {0};
    play(&wire, peer, &(How){0}, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_RATE_LIMITED);
    g_assert_cmpuint(told.requests, ==, 1);
    g_assert_cmpint(ABS(told.retry_at_ms - reset * 1000), <, 2000);
}

static void the_body_decides_where_the_definition_looks_at_it(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, rules, NULL, NULL);
    PeerStep steps[] = {
        {.bytes = "HTTP/1.1 403 No\r\nContent-Length: 18\r\n\r\n{\"message\":\"slow\"}"}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_auto(Told) told = {0};
    int64_t before = clock_now_ms();
    play(&wire, peer, &(How){0}, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_RATE_LIMITED);
    g_assert_cmpint(told.retry_at_ms, >=, before + 600000);
}

static void what_is_absent_needs_no_words(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, rules, NULL, NULL);
    PeerStep steps[] = {{.bytes = EMPTY("404 None", "")}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_auto(Told) told = {0};
    play(&wire, peer, &(How){.inspect = find_good}, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_ABSENT);
    g_assert_null(told.message);
    g_assert_cmpuint(told.inspected, ==, 0);
}

static void what_an_unlicensed_answer_means_is_handed_on(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, rules, NULL, NULL);
    PeerStep steps[] = {{.bytes = EMPTY("402 Pay", "")}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_auto(Told) told = {0};
    play(&wire, peer, &(How){0}, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_UNLICENSED);
    g_assert_cmpint(told.then, ==, THEN_NOT_APPLICABLE);
}

/* A service that sends those whose token has ended to the page where people sign in. */
static void a_redirect_with_a_rule_is_the_answer(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, rules, NULL, NULL);
    PeerStep steps[] = {{.bytes = EMPTY("302 Found", "Location: /login\r\n")}, {.bytes = GOOD}};
    g_autoptr(Peer) peer = peer_new(steps, G_N_ELEMENTS(steps));
    g_auto(Told) told = {0};
    play(&wire, peer, &(How){0}, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_AUTH_EXPIRED);
    g_assert_cmpuint(peer_requests(peer), ==, 1);
    g_assert_cmpstr(told.message, ==, "Authentication failed for Demo. Please re-authorize.");
}

/* --- budgets ---------------------------------------------------------------------------------- */

static void budget_ask(const Wire *wire, Peer *peer, const char *integration, Outcome expected) {
    g_autoptr(Sender) sender = wire_sender(wire, integration, PLANTED);
    g_auto(Told) told = {0};
    ask(sender, wire, peer, &(How){0}, &told);
    g_assert_cmpint(told.outcome, ==, expected);
}

static void with_limits(Wire *wire, const char *limits) {
    g_autofree char *http = g_strconcat("http:\n  base_url: .settings.api_url\n", limits, NULL);
    wire_init(wire, http, NULL, NULL);
}

static void a_connection_spends_its_own_budget(void) {
    g_auto(Wire) wire = {0};
    with_limits(&wire, "  limits: [{scope: [connection], quota: 2/1h}]\n");
    PeerStep steps[] = {{.bytes = GOOD}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    unsigned before = 0;
    for (int i = 0; i < 9 && before == peer_requests(peer); i++, before++) {
        g_autoptr(Sender) sender = wire_sender(&wire, "a", PLANTED);
        g_auto(Told) told = {0};
        ask(sender, &wire, peer, &(How){0}, &told);
    }
    unsigned spent = peer_requests(peer);
    g_assert_cmpuint(spent, >=, 1);
    g_assert_cmpuint(spent, <=, 2);
    budget_ask(&wire, peer, "a", OUTCOME_RATE_LIMITED);
    g_assert_cmpuint(peer_requests(peer), ==, spent);
    budget_ask(&wire, peer, "b", OUTCOME_OK);
}

static void an_app_budget_is_shared_by_all_connections(void) {
    g_auto(Wire) wire = {0};
    with_limits(&wire, "  limits: [{scope: [app], quota: 1/1h}]\n");
    PeerStep steps[] = {{.bytes = GOOD}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    budget_ask(&wire, peer, "a", OUTCOME_OK);
    budget_ask(&wire, peer, "a", OUTCOME_RATE_LIMITED);
    budget_ask(&wire, peer, "b", OUTCOME_RATE_LIMITED);
    g_assert_cmpuint(peer_requests(peer), ==, 1);
}

/* Whatever the order of the declarations. */
static void a_wait_that_one_connection_is_asked_for_stops_no_other(void) {
    static const char *const limits[] = {
        "  limits: [{scope: [connection], quota: 99/1h}, {scope: [app], quota: 99/1h}]\n",
        "  limits: [{scope: [app], quota: 99/1h}, {scope: [connection], quota: 99/1h}]\n"};
    for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
        g_auto(Wire) wire = {0};
        with_limits(&wire, limits[i]);
        PeerStep steps[] = {{.bytes = EMPTY("429 Slow", "Retry-After: 3600\r\n")}, {.bytes = GOOD}};
        g_autoptr(Peer) peer = peer_new(steps, G_N_ELEMENTS(steps));
        budget_ask(&wire, peer, "a", OUTCOME_RATE_LIMITED);
        budget_ask(&wire, peer, "a", OUTCOME_RATE_LIMITED);
        g_assert_cmpuint(peer_requests(peer), ==, 1);
        budget_ask(&wire, peer, "b", OUTCOME_OK);
    }
}

/* A new rate budget is empty: the first call waits for half an hour. */
static void a_limit_with_rate_and_quota_holds_both(void) {
    g_auto(Wire) wire = {0};
    with_limits(&wire, "  limits: [{scope: [connection], quota: 99/1h, rate: 2/1h}]\n");
    PeerStep steps[] = {{.bytes = GOOD}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    budget_ask(&wire, peer, "a", OUTCOME_RATE_LIMITED);
    g_assert_cmpuint(peer_requests(peer), ==, 0);
}

static void the_answers_headers_correct_the_budget(void) {
    g_auto(Wire) wire = {0};
    with_limits(&wire, "  limits:\n"
                       "    - scope: [connection]\n"
                       "      quota: 5000/1h\n"
                       "      headers: {limit: x-limit, remaining: x-left,\n"
                       "                reset: {header: x-reset, unit: s}}\n");
    PeerStep steps[] = {
        {.bytes = EMPTY("200 OK", "X-Limit: 60\r\nX-Left: 0\r\nX-Reset: 1800\r\n")}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    budget_ask(&wire, peer, "a", OUTCOME_OK);
    g_autoptr(Sender) sender = wire_sender(&wire, "a", PLANTED);
    g_auto(Told) told = {0};
    ask(sender, &wire, peer, &(How){0}, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_RATE_LIMITED);
    g_assert_cmpuint(told.requests, ==, 0);
    g_assert_cmpint(ABS(told.retry_at_ms - clock_now_ms() - 1800000), <, 600000);
}

/* --- senders that cannot be made -------------------------------------------------------------- */

typedef struct {
    const char *http;
    const char *field;
    const char *token;
    size_t token_size;
    Scheme scheme;
    const char *says;
} Unmade;

static const Unmade unmade[] = {
    {.field = "access_token", .token = PLANTED "\r\nX-Evil: 1", .says = "line break"},
    {.field = "access_token", .token = PLANTED "\n", .says = "line break"},
    {.field = "access_token", .token = " " PLANTED, .says = "blank"},
    {.field = "access_token",
     .token = PLANTED "\0cut",
     .token_size = sizeof(PLANTED "\0cut") - 1,
     .says = "character"},
    {.field = "access_token", .token = PLANTED "\x7f", .says = "character"},
    {.field = "access_token", .token = PLANTED "\xc3\xa9", .says = "character"},
    {.field = "access_token", .token = "", .says = "has no token; connect again"},
    {.field = "another_field", .token = PLANTED, .says = "has no token; connect again"},
    {.field = "access_token",
     .token = PLANTED,
     .scheme = SCHEME_OAUTH2,
     .says = "the scheme oauth2 cannot be used in this version"},
    {.field = "access_token",
     .token = PLANTED,
     .http = "  limits: [{scope: [app], quota: 1/1h}, {scope: [app], quota: 2/1h},\n"
             "           {scope: [app], quota: 3/1h}, {scope: [app], quota: 4/1h},\n"
             "           {scope: [app], quota: 5/1h}]\n",
     .says = "more than 4 limits"},
};

static void fail_to_make(const Wire *wire, const Unmade *what, Credentials *credentials) {
    DefinitionAuth auth = wire->definition->auth[0];
    auth.scheme = what->scheme;
    SenderConfig config = {.client = wire->client,
                           .budgets = wire->budgets,
                           .definition = wire->definition,
                           .auth = &auth,
                           .settings = wire->settings,
                           .integration_id = "integration",
                           .credentials = credentials};
    Sender *sender = NULL;
    must_fail(ERROR_CONFIGURATION, what->says, sender_new(&config, &sender, &error));
    g_assert_null(sender);
}

static Credentials *credentials_for(const Unmade *what) {
    size_t size = what->token_size ? what->token_size : strlen(what->token);
    Secret *secret = NULL;
    must((secret = secret_new(what->token, size, &error)) != NULL);
    Credentials *credentials = credentials_new();
    credentials_put(credentials, what->field, secret);
    return credentials;
}

static void a_credential_that_cannot_be_sent_makes_no_sender(void) {
    for (size_t i = 0; i < G_N_ELEMENTS(unmade); i++) {
        g_auto(Wire) wire = {0};
        with_limits(&wire, unmade[i].http ? unmade[i].http : "");
        Credentials *credentials = credentials_for(&unmade[i]);
        freed_watch(PLANTED);
        fail_to_make(&wire, &unmade[i], credentials);
        size_t found = freed_count();
        freed_watch(NULL);
        g_assert_cmpuint(found, ==, 0);
    }
}

/* The arena of secrets is small: what is not given back fills it. */
static void the_credentials_of_a_sender_that_was_not_made_are_freed(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, NULL, NULL, NULL);
    g_autofree char *large = g_strnfill(60000, ' ');
    Unmade what = {.field = "access_token", .token = large, .says = "blank"};
    for (int i = 0; i < 2000; i++)
        fail_to_make(&wire, &what, credentials_for(&what));
}

static void a_header_with_a_line_break_is_not_sent(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, NULL, NULL, NULL);
    g_autoptr(Sender) sender = wire_sender(&wire, "integration", PLANTED);
    RenderedHeader header = {(char *)(uintptr_t) "X-A", (char *)(uintptr_t) "1\r\nX-Evil: 2"};
    RenderedRequest rendered = {.method = "GET",
                                .url = (char *)(uintptr_t) "http://127.0.0.1:1/",
                                .headers = &header,
                                .header_count = 1};
    g_auto(Told) told = {0};
    SenderWish wish = {.call = definition_call(wire.definition, "users"),
                       .rendered = &rendered,
                       .done = take,
                       .data = &told};
    must_fail(ERROR_CONFIGURATION, "X-A", sender_send(sender, &wish, &error));
    drain(wire.client);
    g_assert_cmpuint(told.times_done, ==, 0);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void a_client_that_goes_away_ends_what_is_under_way(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, NULL, NULL, NULL);
    PeerStep steps[] = {{.then = PEER_HOLD}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_autofree char *url = peer_url(peer, "/users");
    g_autoptr(Sender) sender = wire_sender(&wire, "integration", PLANTED);
    g_auto(Told) told = {0};
    send_to(sender, &wire, url, &(How){0}, &told);
    while (peer_requests(peer) == 0)
        must(net_client_step(wire.client, 10, &error));
    g_clear_pointer(&wire.client, net_client_free);
    g_assert_cmpuint(told.times_done, ==, 1);
    g_assert_cmpint(told.outcome, !=, OUTCOME_OK);
}

static void a_token_stays_in_no_freed_memory(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, rules, NULL, NULL);
    PeerStep steps[] = {{.bytes = EMPTY("503 Busy", "")},
                        {.bytes = EMPTY("307 There", "Location: /moved\r\n")},
                        {.bytes = POOR},
                        {.then = PEER_CLOSE},
                        {.bytes = GOOD},
                        {.bytes = EMPTY("401 No", "")}};
    g_autoptr(Peer) peer = peer_new(steps, G_N_ELEMENTS(steps));
    g_auto(Told) first = {0};
    g_auto(Told) second = {0};
    Sender *sender = wire_sender(&wire, "integration", PLANTED);
    freed_watch(PLANTED);
    ask(sender, &wire, peer, &(How){.inspect = find_good}, &first);
    ask(sender, &wire, peer, &(How){0}, &second);
    sender_free(sender);
    g_clear_pointer(&wire.client, net_client_free);
    size_t found = freed_count();
    freed_watch(NULL);
    g_assert_cmpint(first.outcome, ==, OUTCOME_OK);
    g_assert_cmpint(second.outcome, ==, OUTCOME_AUTH_EXPIRED);
    g_assert_cmpuint(peer_requests(peer), ==, 6);
    g_assert_cmpuint(found, ==, 0);
}

/* --- recorded exchanges ----------------------------------------------------------------------- */

static Exchanges *exchanges_of(const char *text) {
    g_autoptr(Exchanges) exchanges = exchanges_new();
    must(exchanges_add(exchanges, text, strlen(text), &error));
    return g_steal_pointer(&exchanges);
}

static bool was_told(void *data) {
    return ((const Told *)data)->times_done > 0;
}

static void ask_recorded(Sender *sender, const Wire *wire, const How *how, Told *told) {
    send_to(sender, wire, "https://api.demo.test/users", how, told);
    must(net_client_run_until(wire->client, was_told, told, &error));
    g_assert_cmpuint(told->times_done, ==, 1);
}

static void recorded_exchanges_answer_in_the_networks_place(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, rules, NULL, NULL);
    g_autoptr(Exchanges) exchanges =
        exchanges_of("{\"request\": {\"url\": \"https://api.demo.test/users\"},"
                     " \"response\": {\"status\": 307, \"headers\": {\"Location\": \"/moved\"}}}\n"
                     "{\"request\": {\"url\": \"https://api.demo.test/users\"},"
                     " \"response\": {\"status\": 402}}\n"
                     "{\"request\": {\"url\": \"https://api.demo.test/moved\"},"
                     " \"response\": {\"status\": 200, \"body\": \"good\"}}\n");
    g_autoptr(Sender) sender = sender_new_recorded(wire.client, wire.definition, exchanges);
    g_auto(Told) first = {0};
    g_auto(Told) second = {0};
    ask_recorded(sender, &wire, &(How){.inspect = find_good}, &first);
    ask_recorded(sender, &wire, &(How){0}, &second);
    g_assert_cmpint(first.outcome, ==, OUTCOME_OK);
    g_assert_cmpstr(first.body, ==, "good");
    g_assert_cmpstr(first.url, ==, "https://api.demo.test/moved");
    g_assert_cmpuint(first.requests, ==, 2);
    g_assert_cmpuint(first.inspected, ==, 1);
    g_assert_cmpint(second.outcome, ==, OUTCOME_UNLICENSED);
    g_assert_cmpint(second.then, ==, THEN_NOT_APPLICABLE);
}

static void a_request_that_was_not_recorded_is_named(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, NULL, NULL, NULL);
    g_autoptr(Exchanges) exchanges = exchanges_new();
    g_autoptr(Sender) sender = sender_new_recorded(wire.client, wire.definition, exchanges);
    g_auto(Told) told = {0};
    ask_recorded(sender, &wire, &(How){0}, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_BAD_REQUEST);
    g_assert_cmpuint(told.requests, ==, 0);
    assert_holds(told.message, "no exchange is recorded for GET https://api.demo.test/users");
}

static void recorded_answers_are_found_by_their_body_too(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, NULL, NULL, NULL);
    g_autoptr(Exchanges) exchanges = exchanges_of(
        "{\"request\": {\"method\": \"POST\", \"url\": \"https://api.demo.test/users\","
        " \"body\": {\"b\": 1, \"a\": 2}}, \"response\": {\"status\": 200, \"body\": \"good\"}}\n");
    g_autoptr(Sender) sender = sender_new_recorded(wire.client, wire.definition, exchanges);
    g_auto(Told) same = {0};
    g_auto(Told) other = {0};
    ask_recorded(sender, &wire, &(How){.method = "POST", .body = "{\"a\":2,\"b\":1}"}, &same);
    ask_recorded(sender, &wire, &(How){.method = "POST", .body = "{\"a\":3}"}, &other);
    g_assert_cmpint(same.outcome, ==, OUTCOME_OK);
    g_assert_cmpint(other.outcome, ==, OUTCOME_BAD_REQUEST);
}

static void a_recorded_answer_that_is_broken_stays_so(void) {
    g_auto(Wire) wire = {0};
    wire_init(&wire, NULL, NULL, NULL);
    g_autoptr(Exchanges) exchanges =
        exchanges_of("{\"request\": {\"url\": \"https://api.demo.test/users\"},"
                     " \"response\": {\"status\": 200, \"body\": \"poor\"}}");
    g_autoptr(Sender) sender = sender_new_recorded(wire.client, wire.definition, exchanges);
    g_auto(Told) told = {0};
    ask_recorded(sender, &wire, &(How){.inspect = find_good}, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_BROKEN);
}

#define ADD(name) g_test_add_func("/connect/sender/" #name, name)

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
    ADD(every_attempt_is_authorized);
    ADD(refused_token_is_auth_expired_and_not_tried_again);
    ADD(an_answer_that_echoes_the_token_is_not_quoted);
    ADD(the_token_is_taken_out_of_what_is_kept);
    ADD(plain_http_is_not_spoken_without_permission);
    ADD(a_repeated_token_is_taken_out_in_whatever_way_it_is_written);
    ADD(a_token_without_letters_and_digits_is_taken_out);
    ADD(a_peer_that_is_gone_is_unavailable);
    ADD(redirect_within_the_origin_is_followed_with_authorization);
    ADD(redirect_to_another_origin_is_not_followed);
    ADD(redirect_with_another_scheme_or_user_is_not_followed);
    ADD(a_redirect_loop_is_stopped);
    ADD(a_redirect_without_a_place_is_the_answer);
    ADD(a_post_is_not_redirected);
    ADD(a_broken_answer_is_tried_once_more);
    ADD(an_answer_that_stays_broken_is_told_so);
    ADD(every_request_is_counted_by_what_came_of_it);
    ADD(only_good_answers_are_inspected);
    ADD(a_short_wait_that_is_asked_for_is_slept);
    ADD(a_long_wait_is_told_and_not_slept);
    ADD(the_definition_tells_how_long_to_wait);
    ADD(the_body_decides_where_the_definition_looks_at_it);
    ADD(what_is_absent_needs_no_words);
    ADD(what_an_unlicensed_answer_means_is_handed_on);
    ADD(a_redirect_with_a_rule_is_the_answer);
    ADD(a_connection_spends_its_own_budget);
    ADD(an_app_budget_is_shared_by_all_connections);
    ADD(a_wait_that_one_connection_is_asked_for_stops_no_other);
    ADD(a_limit_with_rate_and_quota_holds_both);
    ADD(the_answers_headers_correct_the_budget);
    ADD(a_credential_that_cannot_be_sent_makes_no_sender);
    ADD(the_credentials_of_a_sender_that_was_not_made_are_freed);
    ADD(a_header_with_a_line_break_is_not_sent);
    ADD(a_client_that_goes_away_ends_what_is_under_way);
    ADD(a_token_stays_in_no_freed_memory);
    ADD(recorded_exchanges_answer_in_the_networks_place);
    ADD(a_request_that_was_not_recorded_is_named);
    ADD(recorded_answers_are_found_by_their_body_too);
    ADD(a_recorded_answer_that_is_broken_stays_so);
    return g_test_run();
}
