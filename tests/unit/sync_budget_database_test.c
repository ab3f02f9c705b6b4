/* Limits kept by the database, by workers in scripted time (unit/budget_world.h), while Redis comes
 * and goes. Redis is a second keeper here; tests/contract has the real one. */
#include "unit/budget_world.h"
#include "unit/sync_support.h"

#include "base/clock.h"
#include "base/error.h"
#include "sync/budget_database.h"

#include <string.h>

/* What each worker knows of Redis, and what Redis has. */
typedef struct {
    Place place;
    BudgetRedis redis[WORLD_WORKERS];
    int64_t permit_until[WORLD_WORKERS];
    int64_t epoch[WORLD_WORKERS];
    BudgetShare shares[64]; /* of Redis, by epoch */
    int64_t holders_until[WORLD_WORKERS];
    unsigned database_asks;
    unsigned redis_asks;
} Desk;

static void desk_init(Desk *desk) {
    *desk = (Desk){.database_asks = 0};
    place_init(&desk->place);
}

static void desk_clear(Desk *desk) {
    place_clear(&desk->place);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Desk, desk_clear)

static bool query_work(DbUnit *unit, void *data, GError **error) {
    return budget_database_serve(unit, data, error);
}

static void serve_by_redis(Desk *desk, World *world, unsigned worker, const BudgetSpec *spec,
                           const BudgetAsk *ask, BudgetReply *reply_out) {
    int64_t now = world_keeper_now(world);
    BudgetOthers others = {0};
    for (unsigned i = 0; i < world->count; i++) {
        others.count += i != worker && desk->holders_until[i] > now;
    }
    desk->holders_until[worker] = now + BUDGET_HOLDER_MS;
    desk->redis_asks++;
    g_assert_cmpint(desk->epoch[worker], <, G_N_ELEMENTS(desk->shares));
    budget_share_serve(&desk->shares[desk->epoch[worker]], spec, ask, &others, now, reply_out);
}

/* As sync/budget_shared.c does it: Redis while the permit lasts, else the database first. */
static bool serve(World *world, const char *owner, const BudgetSpec *spec, const BudgetAsk *ask,
                  BudgetReply *reply_out) {
    Desk *desk = world->serve_data;
    unsigned worker = (unsigned)(owner[strlen(owner) - 1] - '0');
    int64_t now = world_keeper_now(world);
    BudgetRedis redis = desk->redis[worker];
    if (world->now < desk->permit_until[worker] && redis == BUDGET_REDIS_UP) {
        serve_by_redis(desk, world, worker, spec, ask, reply_out);
        return true;
    }
    BudgetQuery query = {.key = WORLD_KEY,
                         .owner = owner,
                         .spec = spec,
                         .ask = ask,
                         .redis = redis,
                         .instead_ms = now};
    desk->database_asks++;
    must(db_run(desk->place.db, &scope_system, DB_WRITE, query_work, &query, &error));
    desk->permit_until[worker] = query.in_redis ? world->now + BUDGET_PERMIT_MS : 0;
    desk->epoch[worker] = query.epoch;
    if (query.in_redis) {
        serve_by_redis(desk, world, worker, spec, ask, reply_out);
    } else {
        *reply_out = query.reply;
    }
    return true;
}

static void begin(World *world, Desk *desk, const char *limit, unsigned workers) {
    desk_init(desk);
    world_init(world, limit, workers);
    world->serve = serve;
    world->serve_data = desk;
}

static void redis_of_all(Desk *desk, BudgetRedis redis) {
    for (unsigned i = 0; i < WORLD_WORKERS; i++) {
        desk->redis[i] = redis;
    }
}

/* --- without Redis --------------------------------------------------------------------------- */

static void no_window_sees_more_than_the_limit(void) {
    static const char *const limits[] = {"50/1m", "20/1s", "1/1s"};
    for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
        g_auto(Desk) desk = {0};
        g_auto(World) world = {0};
        begin(&world, &desk, limits[i], 2);
        int64_t span = 4 * world.spec.window_ms;
        world_run(&world, span, WORLD_SATURATED);
        world_check_windows(&world);
        world_check_reached(&world, span, 50);
        g_assert_cmpuint(desk.redis_asks, ==, 0);
    }
}

static void arrivals_at_random_stay_within_every_window(void) {
    g_auto(Desk) desk = {0};
    g_auto(World) world = {0};
    begin(&world, &desk, "30/5s", 4);
    for (unsigned part = 0; part < 12; part++) {
        world_run(&world, 4000, (WorldDemand)(part % WORLD_DEMANDS));
    }
    world_check_windows(&world);
}

static void a_worker_that_leaves_is_forgotten(void) {
    g_auto(Desk) desk = {0};
    g_auto(World) world = {0};
    begin(&world, &desk, "50/1m", 2);
    world_run(&world, 10000, WORLD_SATURATED);
    world_leave(&world, 0);
    world_settle(&world);
    BudgetSpec spec = world.spec;
    BudgetAsk ask = {.elapsed_ms = -1, .want = 1, .cost = 1};
    BudgetReply reply;
    g_assert_true(serve(&world, "worker-1", &spec, &ask, &reply));
    g_assert_cmpint(reply.holders, ==, 1);
}

static void a_restored_database_never_raises_the_limit(void) {
    g_auto(Desk) desk = {0};
    g_auto(World) world = {0};
    begin(&world, &desk, "50/1m", 2);
    world_run(&world, 120000, WORLD_SATURATED);
    world.keeper_offset -= 3600000; /* rows that were written in what is now the future */
    world_run(&world, 60000, WORLD_SATURATED);
    world.keeper_offset += 7200000;
    world_run(&world, 60000, WORLD_SATURATED);
    world_check_windows(&world);
}

/* --- with Redis ------------------------------------------------------------------------------ */

static void redis_is_used_at_once_where_nothing_was_counted(void) {
    g_auto(Desk) desk = {0};
    g_auto(World) world = {0};
    begin(&world, &desk, "50/1m", 2);
    redis_of_all(&desk, BUDGET_REDIS_UP);
    world_run(&world, 180000, WORLD_SATURATED);
    world_check_windows(&world);
    world_check_reached(&world, 180000, 80);
    g_assert_cmpuint(desk.redis_asks, >, 100);
    g_assert_cmpuint(desk.database_asks, <, desk.redis_asks);
}

static void loss_of_redis_never_raises_the_limit(void) {
    g_auto(Desk) desk = {0};
    g_auto(World) world = {0};
    begin(&world, &desk, "50/1m", 3);
    for (unsigned round = 0; round < 4; round++) {
        redis_of_all(&desk, BUDGET_REDIS_UP);
        world_run(&world, 100000, WORLD_SATURATED);
        redis_of_all(&desk, BUDGET_REDIS_DOWN);
        world_run(&world, 40000, WORLD_SATURATED);
    }
    world_check_windows(&world);
    world_check_reached(&world, 560000, 60);
    g_assert_cmpuint(desk.redis_asks, >, 0);
}

/* One worker is cut off from Redis and counts in the database, while the others still reach it. */
static void a_worker_that_is_cut_off_takes_the_others_along(void) {
    for (unsigned round = 0; round < 5; round++) {
        g_auto(Desk) desk = {0};
        g_auto(World) world = {0};
        begin(&world, &desk, round % 2 ? "50/1m" : "40/5s", 3);
        redis_of_all(&desk, BUDGET_REDIS_UP);
        world_run(&world, 70000 + round * 333, WORLD_SATURATED);
        desk.redis[0] = BUDGET_REDIS_DOWN;
        world_run(&world, 50000, WORLD_SATURATED);
        desk.redis[0] = BUDGET_REDIS_UP;
        world_run(&world, 130000, WORLD_SATURATED);
        world_check_windows(&world);
    }
}

static void a_worker_without_redis_is_heard(void) {
    g_auto(Desk) desk = {0};
    g_auto(World) world = {0};
    begin(&world, &desk, "50/1m", 2);
    desk.redis[0] = BUDGET_REDIS_UP;
    desk.redis[1] = BUDGET_NO_REDIS;
    world_run(&world, 300000, WORLD_SATURATED);
    world_check_windows(&world);
    world_check_reached(&world, 300000, 50);
}

static void nothing_is_decided_while_redis_is_unknown(void) {
    g_auto(Desk) desk = {0};
    g_auto(World) world = {0};
    begin(&world, &desk, "50/1m", 1);
    redis_of_all(&desk, BUDGET_REDIS_UP);
    world_run(&world, 10000, WORLD_SATURATED);
    redis_of_all(&desk, BUDGET_REDIS_UNKNOWN);
    size_t before = world.calls->len;
    world_run(&world, 5000, WORLD_SATURATED);
    g_assert_cmpuint(world.calls->len, <=, before + 4); /* of the permit that it had */
    g_assert_cmpint(desk.epoch[0], ==, 1);              /* and has not moved */
}

static void a_quota_without_headers_stays_in_the_database(void) {
    g_auto(Desk) desk = {0};
    g_auto(World) world = {0};
    desk_init(&desk);
    world_init_quota(&world, 100, 3600000, 2);
    world.serve = serve;
    world.serve_data = &desk;
    redis_of_all(&desk, BUDGET_REDIS_UP);
    world_run(&world, 10000, WORLD_SATURATED);
    redis_of_all(&desk, BUDGET_REDIS_DOWN);
    world_run(&world, 20000, WORLD_SATURATED);
    g_assert_cmpuint(world.calls->len, <=, 90);
    g_assert_cmpuint(world.calls->len, >=, 85);
    g_assert_cmpuint(desk.redis_asks, ==, 0);
}

/* --- units ----------------------------------------------------------------------------------- */

static void an_ask_is_served_the_same_when_its_unit_runs_twice(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk); /* runs every unit twice and keeps the second */
    BudgetSpec spec = {.kind = BUDGET_QUOTA, .limit = 1000, .window_ms = 60000};
    BudgetAsk ask = {.elapsed_ms = -1, .want = 10, .cost = 1};
    BudgetQuery query = {
        .key = "k", .owner = "o", .spec = &spec, .ask = &ask, .instead_ms = WORLD_START};
    must(db_run(desk.place.db, &scope_system, DB_WRITE, query_work, &query, &error));
    must(db_run(desk.place.db, &scope_a, DB_WRITE, query_work, &query, &error));
    g_assert_cmpint(query.reply.granted, ==, 10);
    g_autoptr(BudgetRow) row = NULL;
    ask.want = 0;
    must(db_run(desk.place.db, &scope_b, DB_WRITE, query_work, &query, &error));
    ask.want = 1000;
    must(db_run(desk.place.db, &scope_b, DB_WRITE, query_work, &query, &error));
    g_assert_cmpint(query.reply.granted, ==, (1000 - 20 - 100) / 2);
}

#define TEST(name) g_test_add_func("/sync/budget_database/" #name, name)

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
    TEST(no_window_sees_more_than_the_limit);
    TEST(arrivals_at_random_stay_within_every_window);
    TEST(a_worker_that_leaves_is_forgotten);
    TEST(a_restored_database_never_raises_the_limit);
    TEST(redis_is_used_at_once_where_nothing_was_counted);
    TEST(loss_of_redis_never_raises_the_limit);
    TEST(a_worker_that_is_cut_off_takes_the_others_along);
    TEST(a_worker_without_redis_is_heard);
    TEST(nothing_is_decided_while_redis_is_unknown);
    TEST(a_quota_without_headers_stays_in_the_database);
    TEST(an_ask_is_served_the_same_when_its_unit_runs_twice);
    return g_test_run();
}
