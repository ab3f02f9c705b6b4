/* What a client does with answers: retry, wait, park, share budgets, hand work between threads. */
#include "base/clock.h"
#include "net_support.h"

#include <pthread.h>
#include <string.h>

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Test: yes\r\n\r\nok"
#define EMPTY_REPLY(status, fields) "HTTP/1.1 " status "\r\n" fields "Content-Length: 0\r\n\r\n"

static void ask_and_drain(const PeerStep *steps, size_t count, Got *got) {
    g_autoptr(Peer) peer = peer_new(steps, count);
    g_autoptr(NetClient) client = test_client();
    net_client_send(client, peer_ask(peer, "GET", "/a?b=c", got));
    drain(client);
    g_assert_cmpuint(got->times_done, ==, 1);
    g_assert_cmpuint(got->attempts, ==, peer_requests(peer));
}

static void answer_reaches_done_once_with_body_and_headers(void) {
    g_auto(Got) got = {0};
    PeerStep steps[] = {{.bytes = OK_REPLY}};
    ask_and_drain(steps, 1, &got);
    g_assert_cmpint(got.outcome, ==, OUTCOME_OK);
    g_assert_cmpint(got.status, ==, 200);
    g_assert_cmpstr(got.body, ==, "ok");
    g_assert_cmpuint(got.size, ==, 2);
    g_assert_cmpstr(got.header, ==, "yes");
    g_assert_null(got.message);
    g_assert_cmpuint(got.sent, ==, 1);
    g_assert_cmpint(got.waited_ms, ==, 0);
}

static void request_goes_out_as_it_was_built(void) {
    g_auto(Got) got = {0};
    PeerStep steps[] = {{.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_autoptr(NetClient) client = test_client();
    NetRequest *request = peer_ask(peer, "PATCH", "/x/../y?q=%20", &got);
    g_assert_true(net_headers_add(request->headers, "Content-Type", "application/json", NULL));
    g_assert_true(net_headers_add(request->headers, "X-Empty", "", NULL));
    net_request_set_body(request, "{\"a\":1}", 7);
    net_client_send(client, request);
    drain(client);
    g_autofree char *text = peer_request(peer, 0);
    g_assert_true(g_str_has_prefix(text, "PATCH /x/../y?q=%20 HTTP/1.1\r\n"));
    g_assert_nonnull(strstr(text, "\r\nContent-Type: application/json\r\n"));
    g_assert_nonnull(strstr(text, "\r\nX-Empty:\r\n"));
    g_assert_nonnull(strstr(text, "\r\nUser-Agent: assay/"));
    g_assert_null(strstr(text, "Expect:"));
    g_assert_true(g_str_has_suffix(text, "\r\n\r\n{\"a\":1}"));
}

/* A handle is used again for the next request: nothing of the last one may stick to it. */
static void reused_handle_forgets_the_last_request(void) {
    static const char *const methods[] = {"POST", "GET", "HEAD", "DELETE", "GET"};
    g_auto(Got) got = {0};
    PeerStep steps[] = {{.bytes = OK_REPLY},
                        {.bytes = OK_REPLY},
                        {.bytes = EMPTY_REPLY("200 OK", "")},
                        {.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, G_N_ELEMENTS(steps));
    g_autoptr(NetClient) client = test_client();
    for (unsigned i = 0; i < G_N_ELEMENTS(methods); i++) {
        NetRequest *request = peer_ask(peer, methods[i], "/", &got);
        if (i == 0) {
            net_request_set_body(request, "secret body", 11);
            g_assert_true(net_headers_add(request->headers, "X-Only-First", "1", NULL));
        }
        net_client_send(client, request);
        drain(client);
        g_assert_cmpint(got.outcome, ==, OUTCOME_OK);
        g_autofree char *text = peer_request(peer, i);
        g_autofree char *start = g_strconcat(methods[i], " / HTTP/1.1\r\n", NULL);
        g_assert_true(g_str_has_prefix(text, start));
        g_assert_true((strstr(text, "X-Only-First") != NULL) == (i == 0));
        g_assert_true((strstr(text, "secret body") != NULL) == (i == 0));
    }
    g_assert_cmpuint(peer_connections(peer), ==, 1);
}

static void failing_service_is_asked_exactly_three_times(void) {
    g_auto(Got) got = {0};
    PeerStep steps[] = {{.bytes = EMPTY_REPLY("500 Oops", "")}};
    ask_and_drain(steps, 1, &got);
    g_assert_cmpint(got.outcome, ==, OUTCOME_UNAVAILABLE);
    g_assert_cmpint(got.status, ==, 500);
    g_assert_cmpuint(got.attempts, ==, 3);
    g_assert_cmpuint(got.sent, ==, 3);
    g_assert_cmpint(got.waited_ms, <=, 3000);
}

static void service_that_recovers_is_answered(void) {
    g_auto(Got) got = {0};
    PeerStep steps[] = {{.bytes = EMPTY_REPLY("503 Busy", "")},
                        {.bytes = EMPTY_REPLY("429 Slow", "")},
                        {.bytes = OK_REPLY}};
    ask_and_drain(steps, 3, &got);
    g_assert_cmpint(got.outcome, ==, OUTCOME_OK);
    g_assert_cmpuint(got.attempts, ==, 3);
}

static void refusals_are_final(void) {
    static const struct {
        const char *reply;
        Outcome outcome;
    } rows[] = {
        {EMPTY_REPLY("401 No", ""), OUTCOME_AUTH_EXPIRED},
        {EMPTY_REPLY("403 No", "Retry-After: 1\r\n"), OUTCOME_FORBIDDEN},
        {EMPTY_REPLY("404 No", ""), OUTCOME_BAD_REQUEST},
        {EMPTY_REPLY("422 No", ""), OUTCOME_BAD_REQUEST},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Got) got = {0};
        PeerStep steps[] = {{.bytes = rows[i].reply}};
        ask_and_drain(steps, 1, &got);
        g_assert_cmpint(got.outcome, ==, rows[i].outcome);
        g_assert_cmpuint(got.attempts, ==, 1);
        g_assert_null(got.message);
    }
}

static void retry_after_in_seconds_is_waited(void) {
    g_auto(Got) got = {0};
    PeerStep steps[] = {{.bytes = EMPTY_REPLY("429 Slow", "Retry-After: 20\r\n")},
                        {.bytes = OK_REPLY}};
    ask_and_drain(steps, 2, &got);
    g_assert_cmpint(got.outcome, ==, OUTCOME_OK);
    g_assert_cmpint(got.waited_ms, ==, 20000);
}

static void retry_after_as_a_date_is_waited(void) {
    g_auto(Got) got = {0};
    clock_freeze(784111777000); /* Sun, 06 Nov 1994 08:49:37 GMT */
    PeerStep steps[] = {
        {.bytes = EMPTY_REPLY("503 Busy", "Retry-After: Sun, 06 Nov 1994 08:49:49 GMT\r\n")},
        {.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, 2);
    g_autoptr(NetClient) client = test_client();
    net_client_send(client, peer_ask(peer, "GET", "/", &got));
    while (peer_requests(peer) < 1 || net_client_active(client)) {
        g_assert_true(net_client_step(client, 1, NULL));
        clock_advance(1);
    }
    clock_thaw();
    g_assert_cmpint(got.outcome, ==, OUTCOME_OK);
    g_assert_cmpint(got.waited_ms, >, 11000);
    g_assert_cmpint(got.waited_ms, <=, 12000);
}

static void long_wait_is_not_slept_but_parked(void) {
    g_auto(Got) got = {0};
    clock_freeze(1000000);
    PeerStep steps[] = {{.bytes = EMPTY_REPLY("503 Busy", "Retry-After: 31\r\n")}};
    ask_and_drain(steps, 1, &got);
    clock_thaw();
    g_assert_cmpint(got.outcome, ==, OUTCOME_RATE_LIMITED);
    g_assert_cmpint(got.code, ==, ERROR_RATE_LIMITED);
    g_assert_cmpint(got.status, ==, 503);
    g_assert_cmpuint(got.attempts, ==, 1);
    g_assert_cmpint(got.retry_at_ms, ==, 1000000 + 31000);
}

static NetJudgement limited_in_200(const NetResponse *response, void *data) {
    (void)data;
    bool limited = strstr(response->body, "slow down") != NULL;
    return (NetJudgement){limited ? OUTCOME_RATE_LIMITED : OUTCOME_OK, limited ? 5000 : -1};
}

static void classify_decides_and_its_wait_is_used(void) {
    g_auto(Got) got = {0};
    PeerStep steps[] = {{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nslow down"},
                        {.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, 2);
    g_autoptr(NetClient) client = test_client();
    NetRequest *request = peer_ask(peer, "GET", "/", &got);
    request->classify = limited_in_200;
    net_client_send(client, request);
    drain(client);
    g_assert_cmpint(got.outcome, ==, OUTCOME_OK);
    g_assert_cmpuint(got.attempts, ==, 2);
    g_assert_cmpint(got.waited_ms, ==, 5000);
}

/* --- authorization --------------------------------------------------------------------------- */

static bool authorize(NetRequest *request, NetHeaders *extra, unsigned attempt, GError **error) {
    (void)request;
    g_autofree char *value = g_strdup_printf("Bearer token-%u", attempt);
    return net_headers_add(extra, "Authorization", value, error);
}

static void every_attempt_is_authorized_anew(void) {
    g_auto(Got) got = {0};
    PeerStep steps[] = {{.bytes = EMPTY_REPLY("500 Oops", "")}, {.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, 2);
    g_autoptr(NetClient) client = test_client();
    NetRequest *request = peer_ask(peer, "GET", "/", &got);
    request->prepare = authorize;
    net_client_send(client, request);
    drain(client);
    g_autofree char *first = peer_request(peer, 0);
    g_autofree char *second = peer_request(peer, 1);
    g_assert_nonnull(strstr(first, "\r\nAuthorization: Bearer token-1\r\n"));
    g_assert_nonnull(strstr(second, "\r\nAuthorization: Bearer token-2\r\n"));
    g_assert_null(strstr(second, "token-1"));
}

static bool refuse_to_authorize(NetRequest *request, NetHeaders *extra, unsigned attempt,
                                GError **error) {
    (void)request;
    (void)attempt;
    return net_headers_add(extra, "Authorization", "Bearer a\r\nHost: elsewhere", error);
}

static void credential_with_a_line_break_is_never_sent(void) {
    g_auto(Got) got = {0};
    PeerStep steps[] = {{.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_autoptr(NetClient) client = test_client();
    NetRequest *request = peer_ask(peer, "GET", "/", &got);
    request->prepare = refuse_to_authorize;
    net_client_send(client, request);
    drain(client);
    g_assert_cmpint(got.outcome, ==, OUTCOME_BAD_REQUEST);
    g_assert_cmpint(got.code, ==, ERROR_CONFIGURATION);
    g_assert_null(strstr(got.message, "elsewhere"));
    g_assert_cmpuint(peer_requests(peer), ==, 0);
    g_assert_cmpuint(got.sent, ==, 0);
}

/* --- refused before anything is sent --------------------------------------------------------- */

static void unusable_requests_end_in_the_next_turn(void) {
    static const struct {
        const char *method;
        const char *url;
        const char *says;
    } rows[] = {
        {"GET", "http://api.example.com/", "https"},
        {"GET", "ftp://api.example.com/", "https://"},
        {"GET", "https://user:pw@api.example.com/", "user name"},
        {"get", "https://api.example.com/", "capital"},
        {"GET /x", "https://api.example.com/", "capital"},
        {"", "https://api.example.com/", "capital"},
    };
    g_autoptr(NetClient) client = test_client();
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Got) got = {0};
        NetRequest *request = net_request_new(rows[i].method, rows[i].url);
        request->done = got_done;
        request->data = &got;
        net_client_send(client, request);
        g_assert_cmpuint(got.times_done, ==, 0);
        drain(client);
        g_assert_cmpuint(got.times_done, ==, 1);
        g_assert_cmpint(got.outcome, ==, OUTCOME_BAD_REQUEST);
        g_assert_cmpint(got.code, ==, ERROR_CONFIGURATION);
        g_assert_nonnull(strstr(got.message, rows[i].says));
        g_assert_null(strstr(got.message, "pw"));
        g_assert_cmpuint(got.attempts, ==, 0);
    }
}

/* --- budgets --------------------------------------------------------------------------------- */

typedef struct {
    Got got;
    unsigned *under_way;
    unsigned *most;
} Counted;

static bool count_start(NetRequest *request, NetHeaders *extra, unsigned attempt, GError **error) {
    (void)extra;
    (void)attempt;
    (void)error;
    Counted *counted = request->data;
    *counted->under_way += 1;
    *counted->most = MAX(*counted->most, *counted->under_way);
    return true;
}

static void count_end(NetResult *result, void *data) {
    Counted *counted = data;
    *counted->under_way -= 1;
    got_done(result, &counted->got);
}

static void concurrency_is_capped_and_first_come_is_first_served(void) {
    PeerStep steps[] = {{.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_autoptr(BudgetSet) budgets = budget_set_new(&budget_memory, NULL);
    g_autoptr(NetClient) client = test_client();
    g_autoptr(GString) order = g_string_new(NULL);
    BudgetSpec one = {.kind = BUDGET_QUOTA, .concurrency = 1};
    unsigned under_way = 0;
    unsigned most = 0;
    Counted counted[6] = {0};
    for (unsigned i = 0; i < 6; i++) {
        counted[i] = (Counted){.under_way = &under_way, .most = &most};
        counted[i].got.log = order;
        counted[i].got.mark = (char)('a' + i);
        NetRequest *request = peer_ask(peer, "GET", "/", NULL);
        request->data = &counted[i];
        request->prepare = count_start;
        request->done = count_end;
        net_request_charge(request, budget_get(budgets, "k", &one), 1);
        net_client_send(client, request);
    }
    drain(client);
    g_assert_cmpuint(most, ==, 1);
    g_assert_cmpstr(order->str, ==, "abcdef");
    for (unsigned i = 0; i < 6; i++) {
        g_assert_cmpint(counted[i].got.outcome, ==, OUTCOME_OK);
        got_clear(&counted[i].got);
    }
}

static void smoothed_budget_spaces_calls_out(void) {
    PeerStep steps[] = {{.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_autoptr(BudgetSet) budgets = budget_set_new(&budget_memory, NULL);
    g_autoptr(NetClient) client = test_client();
    BudgetSpec spec = {.kind = BUDGET_RATE, .limit = 60, .window_ms = 60000, .burst = 10};
    Got got[12] = {0};
    for (unsigned i = 0; i < 12; i++) {
        NetRequest *request = peer_ask(peer, "GET", "/", &got[i]);
        net_request_charge(request, budget_get(budgets, "k", &spec), 1);
        net_client_send(client, request);
    }
    drain(client);
    for (unsigned i = 0; i < 12; i++) {
        g_assert_cmpint(got[i].outcome, ==, OUTCOME_OK);
        got_clear(&got[i]);
    }
    /* (60 - 10) / 60 s: 1.2 s a call from an empty bucket */
    g_assert_cmpint(got[0].waited_ms, >, 0);
    g_assert_cmpint(got[11].waited_ms, >=, 12 * 1200 - 600);
    g_assert_cmpint(got[11].waited_ms, <=, 12 * 1200 + 6000);
}

static void quota_told_by_the_provider_parks_the_next_call(void) {
    g_auto(Got) first = {0};
    g_auto(Got) second = {0};
    clock_freeze(1700000000000);
    PeerStep steps[] = {{.bytes = EMPTY_REPLY("200 OK", "X-RateLimit-Limit: 5000\r\n"
                                                        "X-RateLimit-Remaining: 400\r\n"
                                                        "X-RateLimit-Reset: 1700000600\r\n")}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_autoptr(BudgetSet) budgets = budget_set_new(&budget_memory, NULL);
    g_autoptr(NetClient) client = test_client();
    BudgetSpec spec = {.kind = BUDGET_QUOTA,
                       .limit = 5000,
                       .window_ms = 3600000,
                       .headers = {.limit = "x-ratelimit-limit",
                                   .remaining = "x-ratelimit-remaining",
                                   .reset = "x-ratelimit-reset",
                                   .reset_unit = BUDGET_UNIT_EPOCH_S}};
    Got *got[] = {&first, &second};
    for (unsigned i = 0; i < 2; i++) {
        NetRequest *request = peer_ask(peer, "GET", "/", got[i]);
        net_request_charge(request, budget_get(budgets, "k", &spec), 1);
        net_client_send(client, request);
        drain(client);
    }
    clock_thaw();
    g_assert_cmpint(first.outcome, ==, OUTCOME_OK);
    g_assert_cmpint(second.outcome, ==, OUTCOME_RATE_LIMITED);
    g_assert_cmpint(second.code, ==, ERROR_RATE_LIMITED);
    g_assert_cmpint(second.retry_at_ms, ==, 1700000600000);
    g_assert_cmpuint(second.attempts, ==, 0);
    g_assert_cmpuint(peer_requests(peer), ==, 1);
}

static void answer_that_asks_to_wait_holds_the_narrowest_budget(void) {
    g_auto(Got) first = {0};
    g_auto(Got) second = {0};
    g_auto(Got) third = {0};
    clock_freeze(1000);
    PeerStep steps[] = {{.bytes = EMPTY_REPLY("429 Slow", "Retry-After: 100\r\n")},
                        {.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, 2);
    g_autoptr(BudgetSet) budgets = budget_set_new(&budget_memory, NULL);
    g_autoptr(NetClient) client = test_client();
    BudgetSpec spec = {.kind = BUDGET_QUOTA, .limit = 100, .window_ms = 1000};
    Budget *wide = budget_get(budgets, "wide", &spec);
    Budget *narrow = budget_get(budgets, "narrow", &spec);
    Got *got[] = {&first, &second, &third};
    for (unsigned i = 0; i < 3; i++) {
        NetRequest *request = peer_ask(peer, "GET", "/", got[i]);
        net_request_charge(request, wide, 1);
        if (i < 2) {
            net_request_charge(request, narrow, 1);
        }
        net_client_send(client, request);
        drain(client);
    }
    clock_thaw();
    g_assert_cmpuint(first.attempts, ==, 1);
    g_assert_cmpint(first.retry_at_ms, ==, 101000);
    g_assert_cmpuint(second.attempts, ==, 0);
    g_assert_cmpint(second.retry_at_ms, ==, 101000);
    g_assert_cmpint(third.outcome, ==, OUTCOME_OK);
}

/* The first budget of a call whose second one refuses must not lose what it granted. */
static void budgets_are_taken_all_or_none(void) {
    g_auto(Got) got = {0};
    PeerStep steps[] = {{.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_autoptr(BudgetSet) budgets = budget_set_new(&budget_memory, NULL);
    g_autoptr(NetClient) client = test_client();
    BudgetSpec free_spec = {
        .kind = BUDGET_QUOTA, .limit = 1, .window_ms = 3600000, .reserve_percent = -1};
    BudgetSpec slow_spec = {.kind = BUDGET_RATE, .limit = 10, .window_ms = 10000};
    NetRequest *request = peer_ask(peer, "GET", "/", &got);
    net_request_charge(request, budget_get(budgets, "free", &free_spec), 1);
    net_request_charge(request, budget_get(budgets, "slow", &slow_spec), 1);
    net_client_send(client, request);
    drain(client);
    g_assert_cmpint(got.outcome, ==, OUTCOME_OK);
    g_assert_cmpint(got.waited_ms, >, 0);
}

static void cost_beyond_the_budget_is_a_configuration_error(void) {
    g_auto(Got) got = {0};
    PeerStep steps[] = {{.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_autoptr(BudgetSet) budgets = budget_set_new(&budget_memory, NULL);
    g_autoptr(NetClient) client = test_client();
    BudgetSpec spec = {.kind = BUDGET_RATE, .limit = 50, .window_ms = 60000};
    NetRequest *request = peer_ask(peer, "GET", "/", &got);
    net_request_charge(request, budget_get(budgets, "github/connection/1", &spec), 6);
    net_client_send(client, request);
    drain(client);
    g_assert_cmpint(got.outcome, ==, OUTCOME_BAD_REQUEST);
    g_assert_nonnull(strstr(got.message, "github/connection/1"));
    g_assert_cmpuint(peer_requests(peer), ==, 0);
}

/* A thousand calls whose prepare fails while they stand in line: no recursion, all of them end. */
static void long_line_of_failures_unwinds(void) {
    PeerStep steps[] = {{.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_autoptr(BudgetSet) budgets = budget_set_new(&budget_memory, NULL);
    g_autoptr(NetClient) client = test_client();
    BudgetSpec spec = {.kind = BUDGET_QUOTA, .concurrency = 1};
    g_auto(Got) first = {0};
    g_auto(Got) got = {0};
    for (unsigned i = 0; i < 1001; i++) {
        NetRequest *request = peer_ask(peer, "GET", "/", i ? &got : &first);
        request->prepare = i ? refuse_to_authorize : NULL;
        net_request_charge(request, budget_get(budgets, "k", &spec), 1);
        net_client_send(client, request);
    }
    drain(client);
    g_assert_cmpint(first.outcome, ==, OUTCOME_OK);
    g_assert_cmpuint(got.times_done, ==, 1000);
    g_assert_cmpuint(peer_requests(peer), ==, 1);
}

/* --- cancelling and freeing ------------------------------------------------------------------ */

static void cancelled_request_ends_once_wherever_it_stands(void) {
    PeerStep steps[] = {{.then = PEER_HOLD}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_autoptr(BudgetSet) budgets = budget_set_new(&budget_memory, NULL);
    g_autoptr(NetClient) client = test_client();
    BudgetSpec spec = {.kind = BUDGET_QUOTA, .concurrency = 1};
    Got got[3] = {0};
    uint64_t tickets[3];
    for (unsigned i = 0; i < 3; i++) {
        NetRequest *request = peer_ask(peer, "GET", "/", &got[i]);
        net_request_charge(request, budget_get(budgets, "k", &spec), 1);
        tickets[i] = net_client_send(client, request);
        if (i < 2) {
            g_assert_true(net_client_step(client, 0, NULL)); /* running; in line; ready */
        }
    }
    for (unsigned i = 3; i-- > 0;) {
        g_assert_true(net_client_cancel(client, tickets[i]));
    }
    drain(client);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmpuint(got[i].times_done, ==, 1);
        g_assert_cmpint(got[i].code, ==, ERROR_CANCELLED);
        g_assert_false(net_client_cancel(client, tickets[i]));
        got_clear(&got[i]);
    }
    BudgetAnswer answer = budget_take(budget_get(budgets, "k", &spec), 1, 1);
    g_assert_cmpint(answer.grant, ==, BUDGET_GRANTED);
}

static void freed_client_ends_what_is_under_way(void) {
    g_auto(Got) got = {0};
    g_auto(Got) resting = {0};
    PeerStep steps[] = {{.bytes = EMPTY_REPLY("500 Oops", "Retry-After: 30\r\n")},
                        {.then = PEER_HOLD}};
    g_autoptr(Peer) peer = peer_new(steps, 2);
    NetClientConfig config = {.seed = 1};
    NetClient *client = net_client_new(&config, NULL);
    net_client_send(client, peer_ask(peer, "GET", "/", &resting));
    while (peer_requests(peer) < 1 || resting.times_done) {
        g_assert_true(net_client_step(client, 10, NULL));
    }
    net_client_send(client, peer_ask(peer, "GET", "/", &got));
    while (peer_requests(peer) < 2) {
        g_assert_true(net_client_step(client, 10, NULL));
    }
    net_client_free(client);
    g_assert_cmpuint(got.times_done, ==, 1);
    g_assert_cmpuint(resting.times_done, ==, 1);
    g_assert_cmpint(got.code, ==, ERROR_CANCELLED);
    g_assert_cmpint(resting.code, ==, ERROR_CANCELLED);
}

typedef struct {
    NetClient *client;
    const Peer *peer;
    Got got;
    unsigned left;
} Chain;

static void send_next(NetResult *result, void *data) {
    Chain *chain = data;
    got_done(result, &chain->got);
    if (chain->left-- > 0) {
        NetRequest *request = peer_ask(chain->peer, "GET", "/", NULL);
        request->done = send_next;
        request->data = chain;
        net_client_send(chain->client, request);
    }
}

static void done_may_send_the_next_request(void) {
    PeerStep steps[] = {{.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_autoptr(NetClient) client = test_client();
    Chain chain = {.client = client, .peer = peer, .left = 50};
    NetRequest *request = peer_ask(peer, "GET", "/", NULL);
    request->done = send_next;
    request->data = &chain;
    net_client_send(client, request);
    drain(client);
    g_assert_cmpuint(chain.got.times_done, ==, 51);
    g_assert_cmpuint(peer_requests(peer), ==, 51);
    g_assert_cmpuint(peer_connections(peer), ==, 1);
    got_clear(&chain.got);
}

static void take_body(NetResult *result, void *data) {
    char **body_out = data;
    size_t size;
    *body_out = net_result_take_body(result, &size);
    g_assert_cmpuint(size, ==, 2);
    g_assert_cmpuint(result->response.body_size, ==, 0);
}

static void taken_body_outlives_the_request(void) {
    PeerStep steps[] = {{.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_autoptr(NetClient) client = test_client();
    g_autofree char *body = NULL;
    g_auto(Got) got = {0};
    NetRequest *request = peer_ask(peer, "GET", "/", NULL);
    request->done = take_body;
    request->data = &body;
    net_client_send(client, request);
    drain(client);
    net_client_send(client, peer_ask(peer, "GET", "/", &got));
    drain(client);
    g_assert_cmpstr(body, ==, "ok");
    g_assert_cmpstr(got.body, ==, "ok");
}

/* --- timers and posted work ------------------------------------------------------------------ */

static void append_one(void *data) {
    g_string_append_c(data, '1');
}

static void append_two(void *data) {
    g_string_append_c(data, '2');
}

static void timers_fire_when_the_clock_says_so(void) {
    clock_freeze(5000);
    g_autoptr(NetClient) client = test_client();
    g_autoptr(GString) order = g_string_new(NULL);
    net_client_after(client, 200, append_two, order);
    net_client_after(client, 100, append_one, order);
    uint64_t cancelled = net_client_after(client, 50, append_one, order);
    g_assert_true(net_client_cancel_timer(client, cancelled));
    g_assert_false(net_client_cancel_timer(client, cancelled));
    g_assert_true(net_client_step(client, 0, NULL));
    g_assert_cmpstr(order->str, ==, "");
    clock_advance(100);
    g_assert_true(net_client_step(client, 0, NULL));
    g_assert_cmpstr(order->str, ==, "1");
    clock_advance(100);
    g_assert_true(net_client_step(client, 0, NULL));
    g_assert_cmpstr(order->str, ==, "12");
    clock_thaw();
}

#define POSTS 2000

typedef struct {
    NetClient *client;
    unsigned seen;
    pthread_t poster;
} Posting;

static void count_post(void *data) {
    Posting *posting = data;
    posting->seen++;
}

static void *post_many(void *data) {
    Posting *posting = data;
    for (unsigned i = 0; i < POSTS; i++) {
        net_client_post(posting->client, count_post, posting);
    }
    return NULL;
}

static bool all_posts_seen(void *data) {
    const Posting *posting = data;
    return posting->seen == 2 * POSTS;
}

static void posted_work_of_other_threads_runs_on_the_loop(void) {
    g_autoptr(NetClient) client = test_client();
    Posting posting = {.client = client};
    pthread_t posters[2];
    for (unsigned i = 0; i < 2; i++) {
        g_assert_cmpint(pthread_create(&posters[i], NULL, post_many, &posting), ==, 0);
    }
    g_assert_true(net_client_run_until(client, all_posts_seen, &posting, NULL));
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(posters[i], NULL);
    }
    g_assert_cmpuint(posting.seen, ==, 2 * POSTS);
}

static void wrong_configuration_is_said(void) {
    NetClientConfig proxy = {.egress_proxy = "proxy:3128"};
    NetClientConfig bundle = {.ca_bundle = "/nowhere/ca.pem"};
    g_autoptr(GError) first = NULL;
    g_autoptr(GError) second = NULL;
    g_assert_null(net_client_new(&proxy, &first));
    g_assert_error(first, ASSAY_ERROR, (int)ERROR_CONFIGURATION);
    g_assert_nonnull(strstr(first->message, "egress_proxy"));
    g_assert_null(net_client_new(&bundle, &second));
    g_assert_error(second, ASSAY_ERROR, (int)ERROR_CONFIGURATION);
    g_assert_nonnull(strstr(second->message, "/nowhere/ca.pem"));
}

#define ADD(name) g_test_add_func("/net/client/" #name, name)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD(answer_reaches_done_once_with_body_and_headers);
    ADD(request_goes_out_as_it_was_built);
    ADD(reused_handle_forgets_the_last_request);
    ADD(failing_service_is_asked_exactly_three_times);
    ADD(service_that_recovers_is_answered);
    ADD(refusals_are_final);
    ADD(retry_after_in_seconds_is_waited);
    ADD(retry_after_as_a_date_is_waited);
    ADD(long_wait_is_not_slept_but_parked);
    ADD(classify_decides_and_its_wait_is_used);
    ADD(every_attempt_is_authorized_anew);
    ADD(credential_with_a_line_break_is_never_sent);
    ADD(unusable_requests_end_in_the_next_turn);
    ADD(concurrency_is_capped_and_first_come_is_first_served);
    ADD(smoothed_budget_spaces_calls_out);
    ADD(quota_told_by_the_provider_parks_the_next_call);
    ADD(answer_that_asks_to_wait_holds_the_narrowest_budget);
    ADD(budgets_are_taken_all_or_none);
    ADD(cost_beyond_the_budget_is_a_configuration_error);
    ADD(long_line_of_failures_unwinds);
    ADD(cancelled_request_ends_once_wherever_it_stands);
    ADD(freed_client_ends_what_is_under_way);
    ADD(done_may_send_the_next_request);
    ADD(taken_body_outlives_the_request);
    ADD(timers_fire_when_the_clock_says_so);
    ADD(posted_work_of_other_threads_runs_on_the_loop);
    ADD(wrong_configuration_is_said);
    return g_test_run();
}
