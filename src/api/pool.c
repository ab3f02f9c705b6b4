#include "api/pool.h"

#include <pthread.h>

typedef struct {
    PoolTask task;
    void *data;
} Entry;

struct Pool {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    GQueue queue; /* Entry */
    unsigned queue_max;
    bool stopping;
    unsigned count;
    pthread_t threads[];
};

/* The next entry; NULL when the pool ends and nothing is left. */
static Entry *take(Pool *pool) {
    pthread_mutex_lock(&pool->lock);
    while (g_queue_is_empty(&pool->queue) && !pool->stopping)
        pthread_cond_wait(&pool->filled, &pool->lock);
    Entry *entry = g_queue_pop_head(&pool->queue);
    pthread_mutex_unlock(&pool->lock);
    return entry;
}

static void *run(void *data) {
    Pool *pool = data;
    PoolSeat seat = {0};
    for (Entry *entry = take(pool); entry; entry = take(pool)) {
        entry->task(&seat, entry->data);
        g_free(entry);
    }
    registry_free(seat.registry);
    return NULL;
}

Pool *pool_new(unsigned threads, unsigned queue_max) {
    Pool *pool = g_malloc0(sizeof(Pool) + threads * sizeof(pthread_t));
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->filled, NULL);
    g_queue_init(&pool->queue);
    pool->queue_max = queue_max;
    pool->count = threads;
    for (unsigned i = 0; i < threads; i++)
        if (pthread_create(&pool->threads[i], NULL, run, pool) != 0)
            g_error("no thread can be started");
    return pool;
}

void pool_free(Pool *pool) {
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->filled);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->count; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->filled);
    g_free(pool);
}

static bool push(Pool *pool, PoolTask task, void *data, bool insist) {
    Entry *entry = g_new0(Entry, 1);
    *entry = (Entry){.task = task, .data = data};
    pthread_mutex_lock(&pool->lock);
    bool fits = insist || (!pool->stopping && pool->queue.length < pool->queue_max);
    if (fits) {
        g_queue_push_tail(&pool->queue, entry);
        pthread_cond_signal(&pool->filled);
    }
    pthread_mutex_unlock(&pool->lock);
    if (!fits)
        g_free(entry);
    return fits;
}

bool pool_submit(Pool *pool, PoolTask task, void *data) {
    return push(pool, task, data, false);
}

void pool_insist(Pool *pool, PoolTask task, void *data) {
    (void)push(pool, task, data, true);
}

unsigned pool_waiting(Pool *pool) {
    pthread_mutex_lock(&pool->lock);
    unsigned waiting = pool->queue.length;
    pthread_mutex_unlock(&pool->lock);
    return waiting;
}
