/* Several workers, each with its own clock, lease one budget from a keeper that answers late. Time
 * is scripted; arrivals, delays and losses are random with the test's seed. */
#include "net/budget_lease.h"

#include "unit/budget_world.h"

/* --- windows --------------------------------------------------------------------------------- */

static void no_window_sees_more_than_the_limit(void) {
    static const struct {
        const char *limit;
        unsigned workers;
        unsigned percent; /* of the limit that saturated workers reach at least */
    } rows[] = {
        {"50/1m", 1, 85},  {"50/1m", 2, 85},     {"50/1m", 5, 75},
        {"300/1m", 3, 85}, {"1000/100s", 4, 85}, {"20/1s", 1, 60},
        {"20/1s", 3, 50},  {"1/1s", 2, 50},      {"3/10s", 2, 50},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_message("%s by %u workers", rows[i].limit, rows[i].workers);
        g_auto(World) world = {0};
        world_init(&world, rows[i].limit, rows[i].workers);
        int64_t span = 6 * world.spec.window_ms;
        world_run(&world, span, WORLD_SATURATED);
        world_check_windows(&world);
        world_check_reached(&world, span, rows[i].percent);
    }
}

static void random_arrivals_stay_within_every_window(void) {
    for (unsigned round = 0; round < 30; round++) {
        g_auto(World) world = {0};
        world_init(&world, round % 2 ? "50/1m" : "30/5s", 1 + round % 5);
        for (unsigned part = 0; part < 8; part++) {
            world_run(&world, world.spec.window_ms / 2, (WorldDemand)(part % WORLD_DEMANDS));
        }
        world_check_windows(&world);
    }
}

static void a_flushed_store_never_raises_the_limit(void) {
    for (unsigned round = 0; round < 20; round++) {
        g_auto(World) world = {0};
        world_init(&world, round % 2 ? "50/1m" : "20/1s", 3);
        for (unsigned part = 0; part < 10; part++) {
            world_run(&world, world.spec.window_ms / 3, WORLD_SATURATED);
            world_flush(&world);
        }
        world_check_windows(&world);
    }
}

static void a_store_restored_from_an_old_copy_never_raises_the_limit(void) {
    g_auto(World) world = {0};
    world_init(&world, "50/1m", 2);
    world_run(&world, 30000, WORLD_IDLE);
    world_run(&world, 1500, WORLD_SATURATED);
    world_run(&world, 30000, WORLD_IDLE); /* the bucket is full */
    BudgetShare copy = world.share;
    world_run(&world, 240000, WORLD_SATURATED);
    world.share = copy;
    world_run(&world, 120000, WORLD_SATURATED);
    world_check_windows(&world);
}

static void a_step_of_the_keepers_clock_never_raises_the_limit(void) {
    static const int64_t steps[] = {3600000, -3600000, 20000, -20000, 86400000};
    for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_auto(World) world = {0};
        world_init(&world, "50/1m", 2);
        world_run(&world, 120000, WORLD_SATURATED);
        size_t before = world.calls->len;
        world.keeper_offset += steps[i];
        world_run(&world, 120000, WORLD_SATURATED);
        world_check_windows(&world);
        g_assert_cmpuint(world.calls->len - before, >, 70); /* and goes on */
    }
}

static void workers_with_clocks_of_their_own_agree(void) {
    g_auto(World) world = {0};
    world_init(&world, "50/1m", 4);
    for (unsigned i = 0; i < 4; i++) {
        world.workers[i].clock_offset = (int64_t)i * 7777777 - 9000000;
    }
    world_run(&world, 300000, WORLD_SATURATED);
    world_check_windows(&world);
    world_check_reached(&world, 300000, 75);
}

static void a_worker_that_dies_takes_only_what_it_held(void) {
    g_auto(World) world = {0};
    world_init(&world, "50/1m", 3);
    for (unsigned i = 0; i < 6; i++) {
        world_run(&world, 40000, WORLD_SATURATED);
        world_kill(&world, i % 3);
    }
    world_check_windows(&world);
    world_check_reached(&world, 240000, 75);
}

static void lost_replies_count_as_spent(void) {
    g_auto(World) world = {0};
    world_init(&world, "50/1m", 2);
    world.lost_percent = 30;
    world_run(&world, 600000, WORLD_SATURATED);
    world_check_windows(&world);
    world_check_reached(&world, 600000, 30);
}

/* A call is possible for 200 ms, and granted at most 250 ms ahead. */
static void a_slow_keeper_slows_down_and_stops_nobody(void) {
    static const int slow[] = {150, 300, 400};
    for (size_t i = 0; i < G_N_ELEMENTS(slow); i++) {
        g_auto(World) world = {0};
        world_init(&world, "20/1s", 1);
        world.slowest = slow[i];
        world.placed = true;
        world_run(&world, 20000, WORLD_SATURATED);
        world_check_windows(&world);
        world_check_reached(&world, 20000, 2);
    }
}

/* --- cost ------------------------------------------------------------------------------------ */

static void a_busy_key_is_asked_for_about_once_a_second(void) {
    g_auto(World) world = {0};
    world_init_quota(&world, 1000000, 3600000, 1);
    world_run(&world, 1000, WORLD_SATURATED); /* gathers way */
    world.asks = 0;
    size_t before = world.calls->len;
    world_run(&world, 10000, WORLD_SATURATED);
    g_assert_cmpuint(world.calls->len - before, >=, 9000); /* one a millisecond */
    g_assert_cmpuint(world.asks, <=, 40);
}

static void an_idle_key_is_not_asked_for(void) {
    g_auto(World) world = {0};
    world_init(&world, "50/1m", 2);
    world_run(&world, 10000, WORLD_SATURATED);
    world.asks = 0;
    world_run(&world, 600000, WORLD_IDLE);
    g_assert_cmpuint(world.asks, ==, 0);
}

/* --- quotas ---------------------------------------------------------------------------------- */

static void workers_share_a_quota_down_to_its_reserve(void) {
    g_auto(World) world = {0};
    world_init_quota(&world, 1000, 3600000, 3);
    world_run(&world, 60000, WORLD_SATURATED);
    g_assert_cmpuint(world.calls->len, <=, 900);
    g_assert_cmpuint(world.calls->len, >=, 890);
    BudgetAnswer answer = budget_take(world.workers[0].budget, 1, world_wall(&world));
    g_assert_cmpint(answer.grant, ==, BUDGET_WAIT);
    g_assert_cmpint(answer.at_ms, >, world_wall(&world) + 3400000);
}

static void a_quota_begins_again_after_its_reset(void) {
    g_auto(World) world = {0};
    world_init_quota(&world, 100, 60000, 2);
    world_run(&world, 70000, WORLD_SATURATED);
    g_assert_cmpuint(world.calls->len, >, 100);
    g_assert_cmpuint(world.calls->len, <=, 180);
}

static void headers_correct_a_quota_both_ways(void) {
    g_auto(World) world = {0};
    world_init_quota(&world, 5000, 3600000, 2);
    world_run(&world, 50, WORLD_SATURATED);
    world_report(&world, 0, 5000, 600);
    world_run(&world, 60000, WORLD_SATURATED);
    size_t count = world.calls->len;
    /* Before the headers 100; then 600 less the reserve of 500, or what both had in hand. */
    g_assert_cmpuint(count, <=, 100 + 220);
    world_report(&world, 1, 5000, 2500);
    world_run(&world, 60000, WORLD_SATURATED);
    g_assert_cmpuint(world.calls->len - count, >, 1900);
    g_assert_cmpuint(world.calls->len - count, <=, 2005); /* and what was in hand */
}

static void unused_calls_of_a_quota_are_given_back(void) {
    g_auto(World) world = {0};
    world_init_quota(&world, 1000, 3600000, 2);
    world_run(&world, 100, WORLD_SATURATED);
    int64_t spent = (int64_t)world.calls->len;
    world_leave(&world, 0);
    world_leave(&world, 1);
    world_settle(&world);
    g_assert_cmpint(world.share.remaining, ==, 1000 - spent);
    g_assert_cmpuint(world_holders(&world), ==, 0);
}

/* --- throttling ------------------------------------------------------------------------------ */

static void too_many_halves_the_rate_of_all_and_grows_back(void) {
    g_auto(World) world = {0};
    world_init(&world, "600/1m", 2);
    world_run(&world, 60000, WORLD_SATURATED);
    budget_throttled(world.workers[0].budget, 0, world_wall(&world));
    budget_throttled(world.workers[1].budget, 0, world_wall(&world)); /* one and the same burst */
    world_run(&world, 5000, WORLD_SATURATED);
    g_assert_cmpint(budget_share_factor(&world.share, world_keeper_now(&world)), ==, 500);
    size_t before = world.calls->len;
    world_run(&world, 30000, WORLD_SATURATED);
    g_assert_cmpuint(world.calls->len - before, <, 160);
    g_assert_cmpuint(world.calls->len - before, >, 100);
    world_run(&world, 360000, WORLD_SATURATED);
    g_assert_cmpint(budget_share_factor(&world.share, world_keeper_now(&world)), ==, 1000);
    world_check_windows(&world);
}

static void a_wait_that_one_was_asked_for_holds_all(void) {
    g_auto(World) world = {0};
    world_init(&world, "600/1m", 2);
    world_run(&world, 10000, WORLD_SATURATED);
    budget_throttled(world.workers[0].budget, 20000, world_wall(&world));
    world_run(&world, 3000, WORLD_SATURATED); /* what the other had in hand */
    size_t before = world.calls->len;
    world_run(&world, 16000, WORLD_SATURATED);
    g_assert_cmpuint(world.calls->len, ==, before);
    world_run(&world, 10000, WORLD_SATURATED);
    g_assert_cmpuint(world.calls->len, >, before);
}

/* --- calls at a time, failures --------------------------------------------------------------- */

static void calls_at_a_time_are_divided_among_workers(void) {
    g_auto(World) world = {0};
    world_init_cap(&world, 16, 2);
    world_hold_answers(&world, true);
    world_run(&world, 6000, WORLD_SATURATED);
    g_assert_cmpuint(world.workers[0].in_flight, <=, 16);
    world_hold_answers(&world, false);
    world_run(&world, 6000, WORLD_SATURATED);
    world_hold_answers(&world, true);
    world_run(&world, 100, WORLD_SATURATED);
    g_assert_cmpuint(world.workers[0].in_flight, ==, 8);
    g_assert_cmpuint(world.workers[1].in_flight, ==, 8);
    world_hold_answers(&world, false);
}

static void a_keeper_that_fails_grants_nothing_and_is_asked_again(void) {
    g_auto(World) world = {0};
    world_init(&world, "50/1m", 1);
    world.failing = true;
    world_run(&world, 20000, WORLD_SATURATED);
    g_assert_cmpuint(world.calls->len, ==, 0);
    g_assert_cmpuint(world.asks, <=, 21);
    world.failing = false;
    world_run(&world, 20000, WORLD_SATURATED);
    g_assert_cmpuint(world.calls->len, >, 5);
}

static void a_cost_above_the_burst_is_never_granted(void) {
    g_auto(World) world = {0};
    world_init(&world, "50/1m", 1);
    g_assert_cmpint(budget_take(world.workers[0].budget, 6, world_wall(&world)).grant, ==,
                    BUDGET_BUSY);
    world_settle(&world);
    g_assert_cmpint(budget_take(world.workers[0].budget, 6, world_wall(&world)).grant, ==,
                    BUDGET_NEVER);
    g_assert_cmpint(budget_take(world.workers[0].budget, 1, world_wall(&world)).grant, ==,
                    BUDGET_BUSY);
    world_settle(&world);
}

static void calls_that_cost_more_stay_within_the_window(void) {
    g_auto(World) world = {0};
    world_init(&world, "100/10s", 2);
    world.cost = 3;
    world_run(&world, 60000, WORLD_SATURATED);
    world_check_windows(&world);
    world_check_reached(&world, 60000, 50);
}

static void what_is_refunded_can_be_spent(void) {
    g_auto(World) world = {0};
    world_init(&world, "50/1m", 1);
    Budget *budget = world.workers[0].budget;
    BudgetAnswer answer = {.grant = BUDGET_BUSY};
    while (answer.grant != BUDGET_GRANTED) {
        world_run(&world, 10, WORLD_IDLE);
        answer = budget_take(budget, 1, world_wall(&world));
    }
    budget_refund(budget, 1);
    g_assert_cmpint(budget_take(budget, 1, world_wall(&world)).grant, ==, BUDGET_GRANTED);
    budget_answered(budget, 1, NULL, world_wall(&world));
    world_settle(&world);
}

#define TEST(name) g_test_add_func("/net/budget_lease/" #name, name)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    TEST(no_window_sees_more_than_the_limit);
    TEST(random_arrivals_stay_within_every_window);
    TEST(a_flushed_store_never_raises_the_limit);
    TEST(a_store_restored_from_an_old_copy_never_raises_the_limit);
    TEST(a_step_of_the_keepers_clock_never_raises_the_limit);
    TEST(workers_with_clocks_of_their_own_agree);
    TEST(a_worker_that_dies_takes_only_what_it_held);
    TEST(lost_replies_count_as_spent);
    TEST(a_slow_keeper_slows_down_and_stops_nobody);
    TEST(a_busy_key_is_asked_for_about_once_a_second);
    TEST(an_idle_key_is_not_asked_for);
    TEST(workers_share_a_quota_down_to_its_reserve);
    TEST(a_quota_begins_again_after_its_reset);
    TEST(headers_correct_a_quota_both_ways);
    TEST(unused_calls_of_a_quota_are_given_back);
    TEST(too_many_halves_the_rate_of_all_and_grows_back);
    TEST(a_wait_that_one_was_asked_for_holds_all);
    TEST(calls_at_a_time_are_divided_among_workers);
    TEST(a_keeper_that_fails_grants_nothing_and_is_asked_again);
    TEST(a_cost_above_the_burst_is_never_granted);
    TEST(calls_that_cost_more_stay_within_the_window);
    TEST(what_is_refunded_can_be_spent);
    return g_test_run();
}
