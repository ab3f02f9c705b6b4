/* The limits of worker processes as they are wired: two clients in one process stand for two. */
#include "unit/net_support.h"
#include "unit/sync_support.h"

#include "base/clock.h"
#include "base/error.h"
#include "net/client.h"
#include "store/budget.h"
#include "store/provider_limit.h"
#include "sync/budget_shared.h"

#include <string.h>

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define KEY "tiny/0/app"

/* A worker: its waits are cut short, and its time is its own. */
typedef struct {
    NetClient *client;
    SharedBudgets *shared;
} Desk;

static void desk_init(Desk *desk, const Place *place, const char *owner, const Json *limits) {
    desk->client = test_client();
    SharedBudgetsConfig config = {.client = desk->client,
                                  .db = place->db,
                                  .owner = owner,
                                  .limits = limits,
                                  .scripted = true};
    must((desk->shared = shared_budgets_new(&config, &error)) != NULL);
}

static void desk_clear(Desk *desk) {
    shared_budgets_free(desk->shared);
    net_client_free(desk->client);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Desk, desk_clear)

static Budget *budget_of(const Desk *desk, const BudgetSpec *spec) {
    return budget_get(shared_budgets_set(desk->shared), KEY, spec);
}

static void call_often(const Desk *desk, const Peer *peer, const BudgetSpec *spec, Got *gots,
                       size_t count) {
    for (size_t i = 0; i < count; i++) {
        NetRequest *request = peer_ask(peer, "GET", "/", &gots[i]);
        net_request_charge(request, budget_of(desk, spec), 1);
        net_client_send(desk->client, request);
    }
    drain(desk->client);
    for (size_t i = 0; i < count; i++) {
        g_assert_cmpint(gots[i].outcome, ==, OUTCOME_OK);
        got_clear(&gots[i]);
    }
}

/* --- what the database knows ------------------------------------------------------------------ */

typedef struct {
    BudgetRow *row;
    int64_t holders;
    int64_t calls;
} Look;

static bool look_work(DbUnit *unit, void *data, GError **error) {
    Look *look = data;
    BudgetHolder nobody = {.key = KEY, .holder = "nobody"};
    g_clear_pointer(&look->row, budget_row_free);
    return budget_lock(unit, KEY, 0, &look->row, error) &&
           budget_others(unit, &nobody, 0, &look->holders, &look->calls, error);
}

static Look look(const Place *place) {
    Look look = {0};
    must(db_run(place->db, &scope_system, DB_WRITE, look_work, &look, &error));
    return look;
}

/* --- calls ------------------------------------------------------------------------------------ */

static void calls_wait_for_the_database_and_go(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    PeerStep steps[] = {{.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_auto(Desk) desk = {0};
    desk_init(&desk, &place, "one", NULL);
    BudgetSpec spec = {.kind = BUDGET_RATE, .limit = 50, .window_ms = 60000};
    Got gots[12] = {0};
    call_often(&desk, peer, &spec, gots, G_N_ELEMENTS(gots));
    g_assert_cmpuint(peer_requests(peer), ==, G_N_ELEMENTS(gots));
    Look now = look(&place);
    g_assert_cmpint(now.holders, ==, 1);
    g_assert_cmpint(now.row->limit_calls, ==, 50);
    budget_row_free(now.row);
}

static void a_quota_of_two_workers_is_one(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    PeerStep steps[] = {{.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    BudgetSpec spec = {.kind = BUDGET_QUOTA, .limit = 100, .window_ms = 3600000};
    {
        g_auto(Desk) one = {0};
        g_auto(Desk) two = {0};
        desk_init(&one, &place, "one", NULL);
        desk_init(&two, &place, "two", NULL);
        Got gots[20] = {0};
        call_often(&one, peer, &spec, gots, G_N_ELEMENTS(gots));
        call_often(&two, peer, &spec, gots, G_N_ELEMENTS(gots));
    }
    Look now = look(&place);
    g_assert_cmpint(now.row->remaining, ==, 60); /* what was not used is back */
    g_assert_cmpint(now.holders, ==, 0);
    budget_row_free(now.row);
}

static void a_spent_quota_parks(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    PeerStep steps[] = {{.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_auto(Desk) desk = {0};
    desk_init(&desk, &place, "one", NULL);
    BudgetSpec spec = {.kind = BUDGET_QUOTA, .limit = 10, .window_ms = 3600000};
    Got gots[9] = {0};
    call_often(&desk, peer, &spec, gots, G_N_ELEMENTS(gots));
    g_auto(Got) late = {0};
    NetRequest *request = peer_ask(peer, "GET", "/", &late);
    net_request_charge(request, budget_of(&desk, &spec), 1);
    net_client_send(desk.client, request);
    drain(desk.client);
    g_assert_cmpint(late.outcome, ==, OUTCOME_RATE_LIMITED);
    g_assert_cmpint(late.code, ==, ERROR_RATE_LIMITED);
    g_assert_cmpint(late.retry_at_ms, >, clock_now_ms() + 3000000);
    g_assert_cmpuint(peer_requests(peer), ==, 9);
}

static void too_many_is_told_to_the_others(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    PeerStep steps[] = {{.bytes = "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"},
                        {.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, 2);
    BudgetSpec spec = {.kind = BUDGET_RATE, .limit = 600, .window_ms = 60000};
    {
        g_auto(Desk) desk = {0};
        desk_init(&desk, &place, "one", NULL);
        Got gots[1] = {0};
        call_often(&desk, peer, &spec, gots, 1);
        g_assert_cmpuint(peer_requests(peer), ==, 2);
    }
    Look now = look(&place);
    g_assert_cmpint(now.row->factor, ==, 500);
    budget_row_free(now.row);
}

static void calls_at_a_time_need_no_limit(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    PeerStep steps[] = {{.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_auto(Desk) desk = {0};
    desk_init(&desk, &place, "one", NULL);
    BudgetSpec spec = {.kind = BUDGET_RATE, .concurrency = 2};
    Got gots[20] = {0};
    call_often(&desk, peer, &spec, gots, G_N_ELEMENTS(gots));
    g_assert_cmpuint(peer_connections(peer), <=, 2);
}

static void a_database_that_is_gone_grants_nothing(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    PeerStep steps[] = {{.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_auto(Desk) desk = {0};
    desk_init(&desk, &place, "one", NULL);
    g_clear_pointer(&desk.shared, shared_budgets_free);
    g_autoptr(BudgetSet) none = NULL;
    g_autofree char *url = g_strdup_printf("sqlite:%s/other.db", place.folder);
    g_autoptr(Db) empty = db_open(url, NULL); /* without tables */
    SharedBudgetsConfig config = {
        .client = desk.client, .db = empty, .owner = "one", .scripted = true};
    must((desk.shared = shared_budgets_new(&config, &error)) != NULL);
    BudgetSpec spec = {.kind = BUDGET_RATE, .limit = 50, .window_ms = 60000};
    Budget *budget = budget_of(&desk, &spec);
    for (int turn = 0; turn < 20; turn++) {
        BudgetGrant grant = budget_take(budget, 1, net_client_now(desk.client)).grant;
        g_assert_true(grant == BUDGET_BUSY || grant == BUDGET_WAIT);
        must(net_client_step(desk.client, 5, &error));
    }
    must_fail(ERROR_DATABASE, "", shared_budgets_read_caps(desk.shared, &error));
    g_clear_pointer(&desk.shared, shared_budgets_free);
}

/* --- the operator's own ----------------------------------------------------------------------- */

static bool put_cap_work(DbUnit *unit, void *data, GError **error) {
    return provider_limit_put(unit, data, error);
}

static bool drop_cap_work(DbUnit *unit, void *data, GError **error) {
    return provider_limit_drop(unit, data, error);
}

static void expect_cap(const Desk *desk, const char *provider, int64_t limit) {
    BudgetSpec spec = {0};
    must(shared_budgets_read_caps(desk->shared, &error));
    bool found = budget_set_cap_of(shared_budgets_set(desk->shared), provider, &spec);
    g_assert_true(found == (limit > 0));
    g_assert_cmpint(found ? spec.limit : 0, ==, limit);
    g_assert_true(!found || spec.kind == BUDGET_RATE);
}

static void of_two_own_limits_the_lower_holds(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    g_autoptr(Json) limits = json_of("{\"slack\": \"30/1m\", \"jira\": \"100/1m\"}");
    g_auto(Desk) desk = {0};
    desk_init(&desk, &place, "one", limits);
    expect_cap(&desk, "slack", 30);
    ProviderLimit higher = {.provider = "slack", .limit_calls = 1, .window_ms = 1000};
    ProviderLimit lower = {.provider = "jira", .limit_calls = 3000, .window_ms = 3600000};
    ProviderLimit alone = {.provider = "aws", .limit_calls = 5, .window_ms = 1000};
    must(db_run(place.db, &scope_a, DB_WRITE, put_cap_work, &higher, &error));
    must(db_run(place.db, &scope_a, DB_WRITE, put_cap_work, &lower, &error));
    must(db_run(place.db, &scope_a, DB_WRITE, put_cap_work, &alone, &error));
    expect_cap(&desk, "slack", 30);
    expect_cap(&desk, "jira", 3000);
    expect_cap(&desk, "aws", 5);
    expect_cap(&desk, "github", 0);
    char jira[] = "jira";
    char aws[] = "aws";
    must(db_run(place.db, &scope_a, DB_WRITE, drop_cap_work, jira, &error));
    must(db_run(place.db, &scope_a, DB_WRITE, drop_cap_work, aws, &error));
    expect_cap(&desk, "jira", 100);
    expect_cap(&desk, "aws", 0);
}

static void settings_that_are_no_limits_are_told(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    g_autoptr(NetClient) client = test_client();
    g_autoptr(Json) limits = json_of("{\"slack\": \"often\"}");
    SharedBudgetsConfig config = {
        .client = client, .db = place.db, .owner = "one", .limits = limits};
    must_fail(ERROR_CONFIGURATION, "limits.slack", shared_budgets_new(&config, &error));
    g_autoptr(Secret) url = secret_of("http://" PLANTED);
    config =
        (SharedBudgetsConfig){.client = client, .db = place.db, .owner = "one", .redis_url = url};
    must_fail(ERROR_CONFIGURATION, "redis_url", shared_budgets_new(&config, &error));
}

/* A Redis that nobody answers at: the first call already goes by the database. */
static void a_redis_that_is_gone_costs_no_call(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    PeerStep steps[] = {{.bytes = OK_REPLY}};
    g_autoptr(Peer) peer = peer_new(steps, 1);
    g_autoptr(Secret) url = secret_of("unix:/nowhere/redis.sock");
    g_auto(Desk) desk = {.client = test_client()};
    SharedBudgetsConfig config = {
        .client = desk.client, .db = place.db, .owner = "one", .redis_url = url, .scripted = true};
    must((desk.shared = shared_budgets_new(&config, &error)) != NULL);
    BudgetSpec spec = {.kind = BUDGET_RATE, .limit = 50, .window_ms = 60000};
    Got gots[5] = {0};
    call_often(&desk, peer, &spec, gots, G_N_ELEMENTS(gots));
    Look now = look(&place);
    g_assert_cmpint(now.row->epoch, ==, 0);
    budget_row_free(now.row);
}

#define TEST(name) g_test_add_func("/sync/budget_shared/" #name, name)

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
    TEST(calls_wait_for_the_database_and_go);
    TEST(a_quota_of_two_workers_is_one);
    TEST(a_spent_quota_parks);
    TEST(too_many_is_told_to_the_others);
    TEST(calls_at_a_time_need_no_limit);
    TEST(a_database_that_is_gone_grants_nothing);
    TEST(of_two_own_limits_the_lower_holds);
    TEST(settings_that_are_no_limits_are_told);
    TEST(a_redis_that_is_gone_costs_no_call);
    return g_test_run();
}
