#include "api/token_use.h"

#include "base/clock.h"
#include "store/api_token.h"

#include <pthread.h>

struct TokenUse {
    pthread_mutex_t lock;
    GHashTable *times; /* id -> int64_t */
};

static GHashTable *make_times(void) {
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

TokenUse *token_use_new(void) {
    TokenUse *use = g_new0(TokenUse, 1);
    pthread_mutex_init(&use->lock, NULL);
    use->times = make_times();
    return use;
}

void token_use_free(TokenUse *use) {
    if (!use)
        return;
    g_hash_table_unref(use->times);
    pthread_mutex_destroy(&use->lock);
    g_free(use);
}

void token_use_note(TokenUse *use, const char *token_id) {
    int64_t now = clock_now_ms();
    pthread_mutex_lock(&use->lock);
    int64_t *time = g_hash_table_lookup(use->times, token_id);
    if (time)
        *time = now;
    else
        g_hash_table_insert(use->times, g_strdup(token_id), g_memdup2(&now, sizeof now));
    pthread_mutex_unlock(&use->lock);
}

static bool write_work(DbUnit *unit, void *data, GError **error) {
    GHashTableIter iterator;
    gpointer id;
    gpointer time;
    g_hash_table_iter_init(&iterator, data);
    while (g_hash_table_iter_next(&iterator, &id, &time))
        if (!api_token_used(unit, id, *(const int64_t *)time, error))
            return false;
    return true;
}

bool token_use_write(TokenUse *use, Db *db, GError **error) {
    static const DbScope writing = {.actor = "api", .system = true};
    pthread_mutex_lock(&use->lock);
    g_autoptr(GHashTable) times = use->times;
    use->times = make_times();
    pthread_mutex_unlock(&use->lock);
    return g_hash_table_size(times) == 0 ||
           db_run(db, &writing, DB_WRITE, write_work, times, error);
}
