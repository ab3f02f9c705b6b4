/* Limits that are counted in Redis are figures, as long as it answers. */
#include "redis_support.h"
#include "unit/api_support.h"

#include "net/budget_redis.h"
#include "store/budget.h"

#include <string.h>

#define EPOCH 1

static const DbScope system_scope = {.actor = "test", .system = true};

static bool move_to_redis(DbUnit *unit, void *data, GError **error) {
    BudgetAuthority wanted = {.epoch = EPOCH, .place = BUDGET_IN_REDIS};
    bool moved = false;
    (void)data;
    return budget_authority_move(unit, &wanted, &moved, error);
}

/* As a worker asks. */
static void take_calls(Redis *redis, const char *key, int64_t want) {
    BudgetRedisPlace place = {.key = key, .owner = "worker-1", .epoch = EPOCH};
    BudgetSpec spec = {.kind = BUDGET_QUOTA, .limit = 5000, .window_ms = 3600000};
    BudgetAsk ask = {.elapsed_ms = -1, .want = want, .cost = 1};
    RedisReply *reply = NULL;
    BudgetReply granted;
    must(redis_run(redis, budget_redis_command(&place, &spec, &ask), &reply, &error));
    g_assert_true(budget_redis_read(reply, &granted));
    g_assert_cmpint(granted.granted, >, 0);
    redis_reply_free(reply);
}

static char *read_figures(const Stage *stage) {
    g_auto(Answer) answer =
        stage_ask(stage, &(Ask){.path = "/metrics", .token = stage->operator});
    g_assert_cmpuint(answer.status, ==, 200);
    return g_strdup(answer.body);
}

static void limits_in_redis_are_figures_while_it_answers(void) {
    g_autoptr(Redis) redis = support_redis();
    g_auto(Stage) stage;
    support_flush(redis);
    stage_init_beside_redis(&stage, g_getenv("REDIS_URL"));
    must(db_run(stage.db, &system_scope, DB_WRITE, move_to_redis, NULL, &error));
    take_calls(redis, "github/0/app", 10);
    take_calls(redis, "slack/0/app", 10);
    g_autofree char *text = read_figures(&stage);
    g_assert_nonnull(strstr(text, "assay_limits_reachable{in=\"redis\"} 1\n"));
    g_assert_nonnull(
        strstr(text, "assay_limit_calls{provider=\"github\",limit=\"github/0/app\"} 5000\n"));
    g_assert_nonnull(
        strstr(text, "assay_limit_remaining{provider=\"slack\",limit=\"slack/0/app\"} "));
    support_kill();
    g_autofree char *without = read_figures(&stage);
    g_assert_nonnull(strstr(without, "assay_limits_reachable{in=\"redis\"} 0\n"));
    g_assert_null(strstr(without, "assay_limit_calls"));
    support_start();
}

static const ApiTest tests[] = {
    {"limits_in_redis_are_figures_while_it_answers", limits_in_redis_are_figures_while_it_answers},
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "figures", tests, G_N_ELEMENTS(tests));
}
