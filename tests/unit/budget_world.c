#include "unit/budget_world.h"

#include "base/clock.h"

typedef struct {
    int64_t due;
    WorldWorker *worker; /* NULL: it is dead */
    BudgetReplied replied;
    void *asker;
    bool ok;
    BudgetReply reply;
} Letter;

/* --- the keeper ------------------------------------------------------------------------------ */

int64_t world_wall(const World *world) {
    return world->now;
}

int64_t world_keeper_now(const World *world) {
    return world->now + world->keeper_offset;
}

static BudgetOthers others_of(const World *world, const WorldWorker *asker) {
    BudgetOthers others = {0};
    for (unsigned i = 0; i < world->count; i++) {
        const WorldWorker *worker = &world->workers[i];
        if (worker != asker && worker->seen_until > world_keeper_now(world)) {
            others.count++;
            others.calls += worker->seen_calls;
        }
    }
    return others;
}

static void serve(World *world, WorldWorker *worker, const BudgetSpec *spec, const BudgetAsk *ask,
                  Letter *letter) {
    g_autofree char *owner = g_strdup_printf("worker-%u", worker->index);
    if (world->serve) {
        letter->ok = world->serve(world, owner, spec, ask, &letter->reply);
        return;
    }
    BudgetOthers others = others_of(world, worker);
    int64_t now = world_keeper_now(world);
    budget_share_serve(&world->share, spec, ask, &others, now, &letter->reply);
    worker->seen_until = ask->leaves ? 0 : now + BUDGET_HOLDER_MS;
    worker->seen_calls = spec->kind == BUDGET_QUOTA ? ask->in_hand + letter->reply.granted : 0;
}

static void keeper_ask(void *keeper, const char *key, const BudgetSpec *spec, const BudgetAsk *ask,
                       BudgetReplied replied, void *asker) {
    WorldWorker *worker = keeper;
    World *world = worker->world;
    g_assert_cmpstr(key, ==, WORLD_KEY);
    world->asks++;
    Letter *letter = g_new0(Letter, 1);
    letter->worker = worker;
    letter->replied = replied;
    letter->asker = asker;
    int slow = world->slowest;
    letter->due = world->now + g_test_rand_int_range(slow > 12 ? slow - 5 : 1, MAX(slow, 12));
    letter->ok = !world->failing;
    if (letter->ok) {
        serve(world, worker, spec, ask, letter);
    }
    if (letter->ok && world->placed) {
        letter->reply.before_ms = letter->reply.after_ms = world->now + worker->clock_offset;
    }
    if ((unsigned)g_test_rand_int_range(0, 100) < world->lost_percent) {
        letter->ok = false; /* served, and nobody heard of it */
    }
    g_ptr_array_add(world->post, letter);
}

static void deliver(World *world) {
    for (guint i = 0; i < world->post->len;) {
        Letter *letter = g_ptr_array_index(world->post, i);
        if (letter->due > world->now) {
            i++;
            continue;
        }
        g_ptr_array_remove_index(world->post, i);
        if (letter->worker) {
            letter->replied(letter->asker, letter->ok ? &letter->reply : NULL);
        }
        g_free(letter);
    }
}

/* --- workers --------------------------------------------------------------------------------- */

static int64_t worker_now(void *data) {
    const WorldWorker *worker = data;
    return worker->world->now + worker->clock_offset;
}

static void on_change(void *data, Budget *budget) {
    WorldWorker *worker = data;
    g_assert_true(budget == worker->budget);
    worker->not_before = 0;
}

static const BudgetKeeper world_keeper = {keeper_ask};

static void start_worker(World *world, unsigned index) {
    WorldWorker *worker = &world->workers[index];
    int64_t offset = worker->clock_offset;
    *worker = (WorldWorker){.world = world, .index = index, .clock_offset = offset};
    BudgetLeasesConfig config = {&world_keeper, worker, worker_now, worker};
    worker->leases = budget_leases_new(&config);
    worker->set = budget_set_new(&budget_leased, worker->leases);
    budget_set_listen(worker->set, on_change, worker);
    worker->budget = budget_get(worker->set, WORLD_KEY, &world->spec);
}

static void begin(World *world, unsigned workers) {
    world->now = WORLD_START;
    world->cost = 1;
    world->calls = g_array_new(FALSE, FALSE, sizeof(int64_t));
    world->post = g_ptr_array_new();
    world->count = workers;
    for (unsigned i = 0; i < workers; i++) {
        start_worker(world, i);
    }
}

void world_init(World *world, const char *limit, unsigned workers) {
    world->spec = (BudgetSpec){.kind = BUDGET_RATE};
    g_assert_true(budget_parse_rate(limit, &world->spec, NULL));
    begin(world, workers);
}

void world_init_quota(World *world, int64_t limit, int64_t window_ms, unsigned workers) {
    world->spec = (BudgetSpec){.kind = BUDGET_QUOTA, .limit = limit, .window_ms = window_ms};
    begin(world, workers);
}

void world_init_cap(World *world, unsigned concurrency, unsigned workers) {
    world->spec = (BudgetSpec){.kind = BUDGET_RATE, .concurrency = concurrency};
    begin(world, workers);
}

static void end_answers(WorldWorker *worker) {
    while (worker->in_flight > 0) {
        worker->in_flight--;
        budget_answered(worker->budget, 1, NULL, worker->world->now);
    }
}

void world_leave(World *world, unsigned index) {
    WorldWorker *worker = &world->workers[index];
    end_answers(worker);
    g_clear_pointer(&worker->set, budget_set_free);
    worker->budget = NULL;
}

/* Nothing that is under way reaches it any more. The memory of the dead one is let go once its
 * replies, which nobody sees, have come. */
void world_kill(World *world, unsigned index) {
    WorldWorker *worker = &world->workers[index];
    int64_t until = worker->seen_until;
    int64_t held = worker->seen_calls;
    bool failing = world->failing;
    world->failing = true;
    world_leave(world, index);
    while (budget_leases_pending(worker->leases) > 0) {
        world->now++;
        deliver(world);
    }
    world->failing = failing;
    budget_leases_free(worker->leases);
    start_worker(world, index);
    worker->seen_until = until;
    worker->seen_calls = held;
}

void world_clear(World *world) {
    world->answers_held = false;
    for (unsigned i = 0; i < world->count; i++) {
        if (world->workers[i].set) {
            world_leave(world, i);
        }
    }
    world_settle(world);
    for (unsigned i = 0; i < world->count; i++) {
        budget_leases_free(world->workers[i].leases);
    }
    g_array_free(world->calls, TRUE);
    g_ptr_array_free(world->post, TRUE);
}

/* --- time ------------------------------------------------------------------------------------ */

static void add_demand(WorldWorker *worker, WorldDemand demand) {
    switch (demand) {
    case WORLD_SATURATED:
        worker->backlog = 1000;
        break;
    case WORLD_TRICKLE:
        worker->backlog += g_test_rand_int_range(0, 1500) == 0 ? 1 : 0;
        break;
    case WORLD_BURSTS:
        worker->backlog += g_test_rand_int_range(0, 9000) == 0 ? 20 : 0;
        break;
    case WORLD_IDLE:
    case WORLD_DEMANDS:
        worker->backlog = 0;
        break;
    }
}

static void call(WorldWorker *worker) {
    World *world = worker->world;
    bool calm = world->spec.kind == BUDGET_QUOTA; /* one call a millisecond is enough */
    while (worker->backlog > 0 && world->now >= worker->not_before) {
        BudgetAnswer answer = budget_take(worker->budget, world->cost, world->now);
        if (answer.grant != BUDGET_GRANTED) {
            worker->not_before = answer.grant == BUDGET_WAIT ? answer.at_ms : G_MAXINT64;
            return;
        }
        for (int64_t i = 0; i < world->cost; i++) {
            g_array_append_val(world->calls, world->now);
        }
        worker->backlog--;
        worker->in_flight++;
        if (!world->answers_held) {
            worker->in_flight--;
            budget_answered(worker->budget, world->cost, NULL, world->now);
        }
        if (calm) {
            return;
        }
        if (world->spec.limit == 0 && !world->answers_held) {
            return;
        }
    }
}

void world_run(World *world, int64_t span_ms, WorldDemand demand) {
    for (int64_t end = world->now + span_ms; world->now < end; world->now++) {
        deliver(world);
        for (unsigned i = 0; i < world->count; i++) {
            WorldWorker *worker = &world->workers[i];
            if (worker->set) {
                add_demand(worker, demand);
                call(worker);
            }
        }
    }
}

void world_settle(World *world) {
    while (world->post->len > 0) {
        world->now++;
        deliver(world);
    }
}

void world_flush(World *world) {
    world->share = (BudgetShare){0};
    for (unsigned i = 0; i < world->count; i++) {
        world->workers[i].seen_until = 0;
    }
}

void world_hold_answers(World *world, bool held) {
    world->answers_held = held;
    for (unsigned i = 0; i < world->count && !held; i++) {
        end_answers(&world->workers[i]);
        world->workers[i].not_before = 0;
    }
}

unsigned world_holders(const World *world) {
    return (unsigned)others_of(world, NULL).count;
}

void world_report(World *world, unsigned index, int64_t limit, int64_t remaining) {
    WorldWorker *worker = &world->workers[index];
    Budget *budget = worker->budget;
    world->spec.headers.limit = "x-limit";
    world->spec.headers.remaining = "x-remaining";
    g_assert_true(budget_get(worker->set, WORLD_KEY, &world->spec) == budget);
    worker->not_before = 0;
    while (budget_take(budget, 1, world->now).grant != BUDGET_GRANTED) {
        world->now++;
        deliver(world);
    }
    g_array_append_val(world->calls, world->now);
    g_autoptr(NetHeaders) headers = net_headers_new(4096);
    g_autofree char *limit_text = g_strdup_printf("%" G_GINT64_FORMAT, limit);
    g_autofree char *remaining_text = g_strdup_printf("%" G_GINT64_FORMAT, remaining);
    g_assert_true(net_headers_add(headers, "x-limit", limit_text, NULL));
    g_assert_true(net_headers_add(headers, "x-remaining", remaining_text, NULL));
    budget_answered(budget, 1, headers, world->now);
}

/* --- what came of it ------------------------------------------------------------------------- */

void world_check_windows(const World *world) {
    const int64_t *at = (const int64_t *)(void *)world->calls->data;
    guint limit = (guint)world->spec.limit;
    for (guint i = limit; i < world->calls->len; i++) {
        if (at[i] - at[i - limit] < world->spec.window_ms) {
            g_test_message("%u calls from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, limit + 1,
                           at[i - limit] - WORLD_START, at[i] - WORLD_START);
            g_test_fail();
            return;
        }
    }
}

void world_check_reached(const World *world, int64_t span_ms, unsigned percent) {
    int64_t most = world->spec.limit * span_ms / world->spec.window_ms;
    g_test_message("%u calls of %" G_GINT64_FORMAT ", %u asks", world->calls->len, most,
                   world->asks);
    g_assert_cmpint((int64_t)world->calls->len * 100, >=, most * percent);
}
