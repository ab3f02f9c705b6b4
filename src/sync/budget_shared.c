#include "sync/budget_shared.h"

#include "base/clock.h"
#include "base/error.h"
#include "collect/unit.h"
#include "net/budget_lease.h"
#include "net/budget_redis.h"
#include "store/provider_limit.h"
#include "sync/budget_database.h"

#define DRAIN_TURN_MS 50

struct SharedBudgets {
    NetClient *client;
    UnitPlace place;
    char *owner;
    bool scripted;
    Redis *redis; /* NULL: none */
    bool probing;
    BudgetLeases *leases;
    BudgetSet *set;
    GHashTable *configured; /* provider -> BudgetSpec: caps of the configuration */
    GHashTable *capped;     /* providers that have a cap in the set */
    /* In Redis, as the database has said. */
    int64_t permit_until; /* monotonic; 0: ask the database where */
    int64_t permit_since;
    int64_t epoch;
    bool renewing;
};

/* One ask on its way. */
typedef struct {
    SharedBudgets *shared;
    char *key;
    BudgetSpec spec;
    BudgetAsk ask;
    BudgetReplied replied; /* NULL: nobody waits, only the place is asked for */
    void *asker;
    BudgetQuery query;
    int64_t sent; /* monotonic: to the database ... */
    int64_t left; /* ... and to Redis */
    bool redis_failed;
    BudgetReply reply;
    bool ok;
} Errand;

static const DbScope scope = {.actor = "worker", .role = "worker", .system = true};

static void send_to_database(Errand *errand);
static void send_to_redis(Errand *errand);

static void errand_free(Errand *errand) {
    g_free(errand->key);
    g_free(errand);
}

static void finish(Errand *errand, const BudgetReply *reply) {
    if (errand->replied) {
        errand->replied(errand->asker, reply);
    }
    errand_free(errand);
}

/* --- Redis ----------------------------------------------------------------------------------- */

static void after_redis(void *data) {
    Errand *errand = data;
    if (errand->ok) {
        finish(errand, &errand->reply);
        return;
    }
    errand->shared->permit_until = 0;
    errand->redis_failed = true;
    send_to_database(errand);
}

/* On the thread of the Redis. */
static void on_redis(void *data, const RedisReply *reply, const GError *error) {
    Errand *errand = data;
    errand->ok = !error && budget_redis_read(reply, &errand->reply);
    if (!errand->shared->scripted) {
        errand->reply.before_ms = errand->left;
        errand->reply.after_ms = clock_mono_ms();
    }
    net_client_post(errand->shared->client, after_redis, errand);
}

static int64_t scripted_now(const SharedBudgets *shared) {
    return shared->scripted ? net_client_now(shared->client) : 0;
}

static void send_to_redis(Errand *errand) {
    SharedBudgets *shared = errand->shared;
    BudgetRedisPlace place = {.key = errand->key,
                              .owner = shared->owner,
                              .epoch = shared->epoch,
                              .now_ms = scripted_now(shared)};
    errand->left = clock_mono_ms();
    redis_submit(shared->redis, budget_redis_command(&place, &errand->spec, &errand->ask), on_redis,
                 errand);
}

static void after_probe(void *data) {
    ((SharedBudgets *)data)->probing = false;
}

static void on_probe(void *data, const RedisReply *reply, const GError *error) {
    (void)reply;
    (void)error; /* the Redis knows its state */
    net_client_post(((SharedBudgets *)data)->client, after_probe, data);
}

/* Finds out whether it answers, when nothing else asks it. */
static void probe(SharedBudgets *shared) {
    if (!shared->probing) {
        shared->probing = true;
        redis_submit(shared->redis, redis_command_new("PING"), on_probe, shared);
    }
}

static BudgetRedis redis_as_seen(const Errand *errand) {
    static const BudgetRedis seen[] = {[REDIS_UNKNOWN] = BUDGET_REDIS_UNKNOWN,
                                       [REDIS_UP] = BUDGET_REDIS_UP,
                                       [REDIS_DOWN] = BUDGET_REDIS_DOWN};
    SharedBudgets *shared = errand->shared;
    if (!shared->redis) {
        return BUDGET_NO_REDIS;
    }
    if (errand->redis_failed) {
        return BUDGET_REDIS_DOWN;
    }
    RedisState state = redis_state(shared->redis);
    if (state != REDIS_UP) {
        probe(shared);
    }
    return seen[state];
}

/* --- the database ---------------------------------------------------------------------------- */

static bool serve_work(DbUnit *unit, void *data, GError **error) {
    return budget_database_serve(unit, &((Errand *)data)->query, error);
}

static void after_database(void *data, const GError *error) {
    Errand *errand = data;
    SharedBudgets *shared = errand->shared;
    const BudgetQuery *query = &errand->query;
    if (!errand->replied) {
        shared->renewing = false;
    }
    bool redis = !error && query->in_redis;
    if (!budget_database_only(&errand->spec) && !error) {
        shared->permit_until = redis ? errand->sent + BUDGET_PERMIT_MS : 0;
        shared->permit_since = errand->sent;
        shared->epoch = query->epoch;
    }
    if (redis && errand->replied) {
        send_to_redis(errand);
    } else {
        finish(errand, error ? NULL : &query->reply);
    }
}

static void send_to_database(Errand *errand) {
    SharedBudgets *shared = errand->shared;
    errand->sent = clock_mono_ms();
    errand->query = (BudgetQuery){.key = errand->key,
                                  .owner = shared->owner,
                                  .spec = &errand->spec,
                                  .ask = &errand->ask,
                                  .redis = redis_as_seen(errand),
                                  .instead_ms = scripted_now(shared)};
    unit_submit(&shared->place, DB_WRITE, serve_work, after_database, errand);
}

/* --- the keeper ------------------------------------------------------------------------------ */

static Errand *errand_new(SharedBudgets *shared, const char *key, const BudgetSpec *spec) {
    Errand *errand = g_new0(Errand, 1);
    errand->shared = shared;
    errand->key = g_strdup(key);
    errand->spec = *spec;
    /* Only whether there are names matters, and they may go before the errand does. */
    errand->spec.headers = (BudgetHeaders){.remaining = spec->headers.remaining ? "" : NULL,
                                           .usage = spec->headers.usage ? "" : NULL};
    errand->ask = (BudgetAsk){.elapsed_ms = -1, .cost = 1};
    return errand;
}

static bool may_ask_redis(const SharedBudgets *shared, const BudgetSpec *spec) {
    return shared->redis && !budget_database_only(spec) && clock_mono_ms() < shared->permit_until;
}

/* Looks at the place again before the permit is over; a tell without a wish. */
static void renew(SharedBudgets *shared, const char *key, const BudgetSpec *spec) {
    bool half = clock_mono_ms() - shared->permit_since > BUDGET_PERMIT_MS / 2;
    if (half && !shared->renewing) {
        shared->renewing = true;
        send_to_database(errand_new(shared, key, spec));
    }
}

static void keeper_ask(void *keeper, const char *key, const BudgetSpec *spec, const BudgetAsk *ask,
                       BudgetReplied replied, void *asker) {
    SharedBudgets *shared = keeper;
    Errand *errand = errand_new(shared, key, spec);
    errand->ask = *ask;
    errand->replied = replied;
    errand->asker = asker;
    if (may_ask_redis(shared, spec)) {
        renew(shared, key, spec);
        send_to_redis(errand);
    } else {
        send_to_database(errand);
    }
}

static const BudgetKeeper shared_keeper = {keeper_ask};

/* --- life ------------------------------------------------------------------------------------ */

static int64_t client_now(void *data) {
    return net_client_now(data);
}

static void on_change(void *data, Budget *budget) {
    net_client_rouse(data, budget);
}

static bool read_limits(SharedBudgets *shared, const Json *limits, GError **error) {
    void *iterator = NULL;
    const char *provider;
    Json *value;
    while (limits && json_next(limits, &iterator, &provider, &value)) {
        BudgetSpec spec = {0};
        if (!budget_parse_rate(json_text(value) ? json_text(value) : "", &spec, error)) {
            g_prefix_error(error, "limits.%s: ", provider);
            return false;
        }
        g_hash_table_insert(shared->configured, g_strdup(provider), g_memdup2(&spec, sizeof(spec)));
    }
    return true;
}

SharedBudgets *shared_budgets_new(const SharedBudgetsConfig *config, GError **error) {
    Redis *redis = config->redis_url ? redis_new(config->redis_url, error) : NULL;
    if (config->redis_url && !redis) {
        return NULL;
    }
    SharedBudgets *shared = g_new0(SharedBudgets, 1);
    shared->client = config->client;
    shared->place = (UnitPlace){config->client, config->db, scope};
    shared->owner = g_strdup(config->owner);
    shared->scripted = config->scripted;
    shared->redis = redis;
    BudgetLeasesConfig leases = {.keeper = &shared_keeper,
                                 .keeper_data = shared,
                                 .now = config->scripted ? client_now : NULL,
                                 .now_data = config->client};
    shared->leases = budget_leases_new(&leases);
    shared->set = budget_set_new(&budget_leased, shared->leases);
    shared->configured = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    shared->capped = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    budget_set_listen(shared->set, on_change, config->client);
    if (redis) {
        probe(shared);
    }
    if (!read_limits(shared, config->limits, error)) {
        shared_budgets_free(shared);
        return NULL;
    }
    return shared;
}

BudgetSet *shared_budgets_set(SharedBudgets *shared) {
    return shared->set;
}

static bool is_busy(const SharedBudgets *shared) {
    return budget_leases_pending(shared->leases) > 0 || shared->renewing || shared->probing;
}

void shared_budgets_settle(SharedBudgets *shared) {
    g_autoptr(GError) failure = NULL;
    bool steps = true; /* else the loop itself is broken */
    while (steps && is_busy(shared)) {
        steps = net_client_step(shared->client, DRAIN_TURN_MS, &failure);
    }
}

void shared_budgets_free(SharedBudgets *shared) {
    if (!shared) {
        return;
    }
    budget_set_free(shared->set);
    shared_budgets_settle(shared);
    redis_free(shared->redis);
    budget_leases_free(shared->leases);
    g_hash_table_destroy(shared->configured);
    g_hash_table_destroy(shared->capped);
    g_free(shared->owner);
    g_free(shared);
}

/* --- the operator's own limits --------------------------------------------------------------- */

static bool caps_work(DbUnit *unit, void *data, GError **error) {
    GPtrArray **limits = data;
    g_clear_pointer(limits, g_ptr_array_unref);
    return provider_limit_list(unit, limits, error);
}

static gboolean lift(gpointer provider, gpointer value, gpointer set) {
    (void)value;
    budget_set_cap(set, provider, 0, 0);
    return TRUE;
}

static void cap(SharedBudgets *shared, const char *provider, int64_t limit, int64_t window_ms) {
    budget_set_cap(shared->set, provider, limit, window_ms);
    g_hash_table_add(shared->capped, g_strdup(provider));
}

static void cap_configured(SharedBudgets *shared) {
    GHashTableIter iterator;
    gpointer provider;
    gpointer spec;
    g_hash_table_iter_init(&iterator, shared->configured);
    while (g_hash_table_iter_next(&iterator, &provider, &spec)) {
        const BudgetSpec *own = spec;
        cap(shared, provider, own->limit, own->window_ms);
    }
}

/* Calls a time: the lower one holds. */
static void cap_if_lower(SharedBudgets *shared, const ProviderLimit *limit) {
    BudgetSpec own;
    bool lower = !budget_set_cap_of(shared->set, limit->provider, &own) ||
                 (double)limit->limit_calls * (double)own.window_ms <
                     (double)own.limit * (double)limit->window_ms;
    if (lower) {
        cap(shared, limit->provider, limit->limit_calls, limit->window_ms);
    }
}

bool shared_budgets_read_caps(SharedBudgets *shared, GError **error) {
    g_autoptr(GPtrArray) limits = NULL;
    if (!db_run(shared->place.db, &scope, DB_READ, caps_work, &limits, error)) {
        return false;
    }
    g_hash_table_foreach_remove(shared->capped, lift, shared->set);
    cap_configured(shared);
    for (guint i = 0; i < limits->len; i++) {
        cap_if_lower(shared, g_ptr_array_index(limits, i));
    }
    return true;
}
