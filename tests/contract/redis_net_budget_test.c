/* The script in a real Redis: the same rules as net/budget_share.c, and the same guarantee. */
#include "base/clock.h"
#include "base/secmem.h"
#include "net/budget_redis.h"
#include "redis_support.h"
#include "unit/budget_world.h"

static Redis *redis;
static int64_t epoch;

static bool ask_redis(const World *world, const char *owner, const BudgetSpec *spec,
                      const BudgetAsk *ask, BudgetReply *reply_out) {
    BudgetRedisPlace place = {
        .key = WORLD_KEY, .owner = owner, .epoch = epoch, .now_ms = world_keeper_now(world)};
    g_autoptr(RedisReply) reply = NULL;
    GError *error = NULL;
    bool ok = redis_run(redis, budget_redis_command(&place, spec, ask), &reply, &error);
    g_assert_no_error(error);
    return ok && budget_redis_read(reply, reply_out);
}

static bool serve_redis(World *world, const char *owner, const BudgetSpec *spec,
                        const BudgetAsk *ask, BudgetReply *reply_out) {
    return ask_redis(world, owner, spec, ask, reply_out);
}

static void compare(const BudgetReply *a, const BudgetReply *b) {
    g_assert_cmpint(a->now_ms, ==, b->now_ms);
    g_assert_cmpint(a->granted, ==, b->granted);
    g_assert_cmpint(a->retry_ms, ==, b->retry_ms);
    g_assert_cmpint(a->level, ==, b->level);
    g_assert_cmpint(a->refill, ==, b->refill);
    g_assert_cmpint(a->unit, ==, b->unit);
    g_assert_cmpint(a->lasts_ms, ==, b->lasts_ms);
    g_assert_cmpint(a->window, ==, b->window);
    g_assert_cmpint(a->holders, ==, b->holders);
    g_assert_cmpint(a->factor, ==, b->factor);
    g_assert_cmpint(a->limit, ==, b->limit);
}

/* --- the two together ------------------------------------------------------------------------ */

/* One worker and, for others, what a second one holds. */
typedef struct {
    World world; /* its clock only */
    BudgetShare share;
    int64_t until[2];
    int64_t calls[2];
} Pair;

static void both(Pair *pair, unsigned who, const BudgetSpec *spec, const BudgetAsk *ask) {
    static const char *const owners[] = {"a", "b"};
    int64_t now = world_keeper_now(&pair->world);
    unsigned other = 1 - who;
    bool lives = pair->until[other] > now;
    pair->until[other] = lives ? pair->until[other] : 0;
    BudgetOthers others = {.count = lives, .calls = lives ? pair->calls[other] : 0};
    BudgetReply ours;
    BudgetReply theirs;
    budget_share_serve(&pair->share, spec, ask, &others, now, &ours);
    pair->until[who] = ask->leaves ? 0 : now + BUDGET_HOLDER_MS;
    pair->calls[who] = spec->kind == BUDGET_QUOTA ? ask->in_hand + ours.granted : 0;
    g_assert_true(ask_redis(&pair->world, owners[who], spec, ask, &theirs));
    compare(&ours, &theirs);
}

static bool chance(int percent) {
    return g_test_rand_int_range(0, 100) < percent;
}

static BudgetAsk random_ask(const Pair *pair) {
    int64_t cost = chance(90) ? 1 : g_test_rand_int_range(1, 12);
    BudgetAsk ask = {
        .elapsed_ms = chance(20) ? -1 : g_test_rand_int_range(0, 90000),
        .want = chance(80) ? cost + g_test_rand_int_range(0, 40) : 0,
        .cost = cost,
        .in_hand = g_test_rand_int_range(0, 10),
        .given_back = chance(20) ? g_test_rand_int_range(0, 10) : 0,
        .window = pair->share.reset_at + g_test_rand_int_range(-6000, 6000),
        .heard_any = chance(40),
        .throttled = chance(5),
        .hold_ms = chance(5) ? g_test_rand_int_range(1, 30000) : 0,
        .leaves = chance(5),
    };
    ask.heard = (BudgetHeard){
        .limit = chance(30) ? g_test_rand_int_range(1, 400) : -1,
        .remaining = chance(70) ? g_test_rand_int_range(0, 400) : -1,
        .reset_in_ms = chance(50) ? g_test_rand_int_range(0, 100000) : -1,
        .ago_ms = g_test_rand_int_range(0, 3000),
    };
    return ask;
}

static BudgetSpec random_spec(bool quota) {
    return (BudgetSpec){
        .kind = quota ? BUDGET_QUOTA : BUDGET_RATE,
        .limit = chance(5) ? 0 : g_test_rand_int_range(1, 500),
        .window_ms = chance(50) ? 60000 : g_test_rand_int_range(100, 200000),
        .burst = chance(70) ? 0 : g_test_rand_int_range(1, 60),
        .reserve_percent = chance(60) ? 0 : g_test_rand_int_range(-1, 100),
        .override_limit = chance(80) ? 0 : g_test_rand_int_range(1, 300),
        .headers.remaining = chance(50) ? "x" : NULL,
    };
}

static void script_and_program_agree_about_everything(void) {
    for (unsigned round = 0; round < 60; round++) {
        Pair pair = {.world = {.now = WORLD_START}};
        BudgetSpec spec = random_spec(round % 2);
        epoch++;
        for (unsigned step = 0; step < 60; step++) {
            BudgetAsk ask = random_ask(&pair);
            both(&pair, step % 2 == 0 || chance(30), &spec, &ask);
            pair.world.now +=
                chance(70) ? g_test_rand_int_range(0, 2000) : g_test_rand_int_range(-5000, 150000);
            spec = chance(3) ? random_spec(round % 2) : spec;
        }
    }
}

/* --- the guarantee --------------------------------------------------------------------------- */

static void begin(World *world, const char *limit, unsigned workers) {
    epoch++;
    world_init(world, limit, workers);
    world->serve = serve_redis;
}

static void no_window_sees_more_than_the_limit(void) {
    static const char *const limits[] = {"50/1m", "20/1s", "1000/100s"};
    for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
        g_auto(World) world = {0};
        begin(&world, limits[i], 3);
        world_run(&world, 4 * world.spec.window_ms, WORLD_SATURATED);
        world_check_windows(&world);
        world_check_reached(&world, 4 * world.spec.window_ms, 50);
    }
}

static void a_flushed_server_never_raises_the_limit(void) {
    g_auto(World) world = {0};
    begin(&world, "50/1m", 2);
    for (unsigned i = 0; i < 12; i++) {
        world_run(&world, 15000, WORLD_SATURATED);
        support_flush(redis);
    }
    world_check_windows(&world);
}

static void a_server_that_starts_again_never_raises_the_limit(void) {
    g_auto(World) world = {0};
    begin(&world, "50/1m", 2);
    for (unsigned i = 0; i < 3; i++) {
        world_run(&world, 40000, WORLD_SATURATED);
        support_kill();
        support_start();
        support_await(redis);
    }
    world_run(&world, 60000, WORLD_SATURATED);
    world_check_windows(&world);
    world_check_reached(&world, 180000, 75);
}

static void the_servers_clock_is_used_when_no_other_is_given(void) {
    g_auto(World) world = {0};
    epoch++;
    BudgetSpec spec = {.kind = BUDGET_RATE, .limit = 50, .window_ms = 60000};
    BudgetAsk ask = {.elapsed_ms = -1, .want = 1, .cost = 1};
    BudgetReply reply;
    world.now = 0; /* "the server's" */
    g_assert_true(ask_redis(&world, "a", &spec, &ask, &reply));
    g_assert_cmpint(ABS(reply.now_ms - clock_now_ms()), <, 60000);
    g_assert_cmpint(reply.granted, ==, 0);
    world.calls = g_array_new(FALSE, FALSE, sizeof(int64_t));
    world.post = g_ptr_array_new();
}

static void keys_expire_when_they_do_not_matter_any_more(void) {
    support_flush(redis);
    World world = {.now = WORLD_START};
    epoch++;
    BudgetSpec spec = {.kind = BUDGET_RATE, .limit = 50, .window_ms = 60000};
    BudgetAsk ask = {.elapsed_ms = -1, .want = 1, .cost = 1};
    BudgetReply reply;
    g_assert_true(ask_redis(&world, "a", &spec, &ask, &reply));
    g_autoptr(RedisReply) keys = support_ask(redis, "KEYS", "assay:*budget*", NULL);
    g_assert_cmpuint(keys->count, ==, 1);
    g_autoptr(RedisReply) left = support_ask(redis, "PTTL", keys->items[0].text, NULL);
    g_assert_cmpint(left->number, >, 120000);
    g_assert_cmpint(left->number, <, 3600000);
}

static void what_is_no_reply_of_the_script_is_refused(void) {
    BudgetReply reply;
    RedisReply text = {.kind = REDIS_KIND_TEXT};
    RedisReply list = {.kind = REDIS_KIND_LIST, .count = 3};
    g_assert_false(budget_redis_read(NULL, &reply));
    g_assert_false(budget_redis_read(&text, &reply));
    g_assert_false(budget_redis_read(&list, &reply));
}

#define TEST(name) g_test_add_func("/net/budget_redis/" #name, name)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_true(secmem_start(NULL));
    redis = support_redis();
    TEST(script_and_program_agree_about_everything);
    TEST(no_window_sees_more_than_the_limit);
    TEST(a_flushed_server_never_raises_the_limit);
    TEST(a_server_that_starts_again_never_raises_the_limit);
    TEST(the_servers_clock_is_used_when_no_other_is_given);
    TEST(keys_expire_when_they_do_not_matter_any_more);
    TEST(what_is_no_reply_of_the_script_is_refused);
    int status = g_test_run();
    redis_free(redis);
    return status;
}
