#include "sync/budget_view.h"

#include "net/budget_redis.h"
#include "store/provider_limit.h"
#include "sync/budget_database.h"

#include <string.h>

static const DbScope scope = {.actor = "cli", .role = "operator", .system = true};

static void view_free(gpointer data) {
    BudgetView *view = data;
    g_free(view->key);
    g_free(view);
}

void budget_overview_clear(BudgetOverview *overview) {
    g_clear_pointer(&overview->authority, budget_authority_free);
    g_clear_pointer(&overview->views, g_ptr_array_unref);
    g_clear_pointer(&overview->limits, g_ptr_array_unref);
}

BudgetSpec budget_view_spec(const BudgetView *view) {
    return (BudgetSpec){
        .kind = view->kind, .limit = view->share.limit, .window_ms = view->share.window_ms};
}

/* --- the database ---------------------------------------------------------------------------- */

/* Rows of another place or time hold no more; epoch 0 is also that of quotas that are always
 * counted in the database. */
static bool holds(const BudgetOverview *overview, const BudgetRow *row) {
    return row->epoch == overview->authority->epoch ||
           (row->epoch == 0 && row->kind == BUDGET_QUOTA);
}

static void add_rows(BudgetOverview *overview, const GPtrArray *rows, int64_t now) {
    for (guint i = 0; i < rows->len; i++) {
        const BudgetRow *row = g_ptr_array_index(rows, i);
        if (!holds(overview, row)) {
            continue;
        }
        BudgetView *view = g_new0(BudgetView, 1);
        view->key = g_strdup(row->budget_key);
        view->kind = row->kind == BUDGET_QUOTA ? BUDGET_QUOTA : BUDGET_RATE;
        view->now_ms = now;
        budget_database_share(row, &view->share);
        g_ptr_array_add(overview->views, view);
    }
}

static bool read_rows(DbUnit *unit, BudgetOverview *overview, GError **error) {
    g_autofree char *after = NULL;
    int64_t now = 0;
    bool more = true;
    if (!budget_clock(unit, 0, &now, error)) {
        return false;
    }
    while (more && overview->views->len < overview->most) {
        g_autoptr(GPtrArray) rows = NULL;
        if (!budget_list(unit, after, STORE_LIST_MAX, &rows, error)) {
            return false;
        }
        add_rows(overview, rows, now);
        more = rows->len == STORE_LIST_MAX;
        g_free(after);
        after = more ? g_strdup(((BudgetRow *)g_ptr_array_index(rows, rows->len - 1))->budget_key)
                     : NULL;
    }
    return true;
}

static bool read_work(DbUnit *unit, void *data, GError **error) {
    BudgetOverview *overview = data;
    budget_overview_clear(overview);
    overview->views = g_ptr_array_new_with_free_func(view_free);
    return budget_authority_get(unit, &overview->authority, error) &&
           provider_limit_list(unit, &overview->limits, error) && read_rows(unit, overview, error);
}

/* --- Redis ----------------------------------------------------------------------------------- */

static RedisReply *ask(Redis *redis, RedisCommand *command) {
    RedisReply *reply = NULL;
    g_autoptr(GError) ignored = NULL; /* told as unreachable */
    return redis_run(redis, command, &reply, &ignored) ? reply : NULL;
}

static bool read_time(Redis *redis, int64_t *now_out) {
    g_autoptr(RedisReply) reply = ask(redis, redis_command_new("TIME"));
    *now_out = redis_reply_number(reply, 0, 0) * 1000 + redis_reply_number(reply, 1, 0) / 1000;
    return reply != NULL;
}

static void read_hash(Redis *redis, const char *name, int64_t epoch, int64_t now,
                      GPtrArray *views) {
    const char *key = budget_redis_key(name, epoch);
    RedisCommand *command = redis_command_new("HGETALL");
    redis_command_text(command, name);
    g_autoptr(RedisReply) hash = ask(redis, command);
    if (!key || !hash) {
        return;
    }
    BudgetView *view = g_new0(BudgetView, 1);
    view->key = g_strdup(key);
    view->now_ms = now;
    budget_redis_share(hash, &view->share, &view->kind);
    g_ptr_array_add(views, view);
}

/* A scan may name a key twice. */
static bool scan(Redis *redis, int64_t epoch, guint most, GHashTable *names) {
    g_autofree char *cursor = g_strdup("0");
    do {
        g_autoptr(RedisReply) reply = ask(redis, budget_redis_scan(epoch, cursor));
        if (!reply || reply->count != 2 || !reply->items[0].text) {
            return false;
        }
        const RedisReply *list = &reply->items[1];
        for (size_t i = 0; i < list->count; i++) {
            g_hash_table_add(names, g_strdup(list->items[i].text));
        }
        g_free(cursor);
        cursor = g_strdup(reply->items[0].text);
    } while (strcmp(cursor, "0") != 0 && g_hash_table_size(names) < most);
    return true;
}

static bool read_redis(Redis *redis, BudgetOverview *overview) {
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    int64_t epoch = overview->authority->epoch;
    int64_t now = 0;
    if (!redis || !read_time(redis, &now) || !scan(redis, epoch, overview->most, names)) {
        return false;
    }
    GHashTableIter iterator;
    gpointer name;
    g_hash_table_iter_init(&iterator, names);
    while (overview->views->len < overview->most &&
           g_hash_table_iter_next(&iterator, &name, NULL)) {
        read_hash(redis, name, epoch, now, overview->views);
    }
    return redis_state(redis) == REDIS_UP;
}

/* --- both ------------------------------------------------------------------------------------ */

static gint by_key(gconstpointer a, gconstpointer b) {
    const BudgetView *first = *(const BudgetView *const *)a;
    const BudgetView *second = *(const BudgetView *const *)b;
    return strcmp(first->key, second->key);
}

bool budget_overview_read(Db *db, Redis *redis, BudgetOverview *overview_out, GError **error) {
    return budget_overview_read_some(db, redis, BUDGET_VIEW_MAX, overview_out, error);
}

bool budget_overview_read_some(Db *db, Redis *redis, guint most, BudgetOverview *overview_out,
                               GError **error) {
    g_auto(BudgetOverview) overview = {.most = most};
    if (!db_run(db, &scope, DB_READ, read_work, &overview, error)) {
        return false;
    }
    if (strcmp(overview.authority->place, BUDGET_IN_REDIS) == 0) {
        overview.unreachable = !read_redis(redis, &overview);
    }
    g_ptr_array_sort(overview.views, by_key);
    *overview_out = overview;
    overview = (BudgetOverview){0};
    return true;
}
