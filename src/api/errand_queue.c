#include "api/errand_queue.h"

/* An organization with errands that wait or are under way. */
typedef struct {
    GQueue waiting;
    unsigned running;
    bool in_turn;
} Line;

struct ErrandQueue {
    ErrandQueueLimits limits;
    unsigned waiting;
    GHashTable *lines; /* organization -> Line */
    GQueue turns;      /* keys of lines that have something to begin, and may; borrowed */
};

static void line_free(void *data) {
    Line *line = data;
    g_queue_clear(&line->waiting);
    g_free(line);
}

ErrandQueue *errand_queue_new(const ErrandQueueLimits *limits) {
    ErrandQueue *queue = g_new0(ErrandQueue, 1);
    queue->limits = *limits;
    queue->lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, line_free);
    g_queue_init(&queue->turns);
    return queue;
}

void errand_queue_free(ErrandQueue *queue) {
    if (!queue)
        return;
    g_queue_clear(&queue->turns);
    g_hash_table_unref(queue->lines);
    g_free(queue);
}

/* Gives the line a turn if it can use one, and lets an empty one go. */
static void settle(ErrandQueue *queue, char *key, Line *line) {
    bool waits = !g_queue_is_empty(&line->waiting);
    if (waits && !line->in_turn && line->running < queue->limits.running_of_one) {
        line->in_turn = true;
        g_queue_push_tail(&queue->turns, key);
    } else if (!waits && !line->in_turn && line->running == 0) {
        g_hash_table_remove(queue->lines, key);
    }
}

static Line *line_of(ErrandQueue *queue, const char *organization, char **key_out) {
    gpointer key = NULL;
    gpointer line = NULL;
    if (!g_hash_table_lookup_extended(queue->lines, organization, &key, &line)) {
        key = g_strdup(organization);
        line = g_new0(Line, 1);
        g_queue_init(&((Line *)line)->waiting);
        g_hash_table_insert(queue->lines, key, line);
    }
    *key_out = key;
    return line;
}

ErrandQueued errand_queue_push(ErrandQueue *queue, const char *organization, void *item) {
    char *key = NULL;
    Line *line = line_of(queue, organization, &key);
    ErrandQueued how = line->waiting.length >= queue->limits.waiting_of_one ? ERRAND_QUEUE_OWN_FULL
                       : queue->waiting >= queue->limits.waiting            ? ERRAND_QUEUE_FULL
                                                                            : ERRAND_QUEUED;
    if (how == ERRAND_QUEUED) {
        g_queue_push_tail(&line->waiting, item);
        queue->waiting++;
    }
    settle(queue, key, line);
    return how;
}

void *errand_queue_take(ErrandQueue *queue) {
    char *key = g_queue_pop_head(&queue->turns);
    if (!key)
        return NULL;
    Line *line = g_hash_table_lookup(queue->lines, key);
    line->in_turn = false;
    void *item = g_queue_pop_head(&line->waiting);
    queue->waiting--;
    line->running++;
    settle(queue, key, line);
    return item;
}

void errand_queue_done(ErrandQueue *queue, const char *organization) {
    char *key = NULL;
    Line *line = line_of(queue, organization, &key);
    g_assert(line->running > 0);
    line->running--;
    settle(queue, key, line);
}

/* Lines stay where they are in turn: nothing is begun any more from one that is empty. */
void *errand_queue_drop(ErrandQueue *queue) {
    GHashTableIter iterator;
    gpointer line;
    g_queue_clear(&queue->turns);
    g_hash_table_iter_init(&iterator, queue->lines);
    while (g_hash_table_iter_next(&iterator, NULL, &line)) {
        void *item = g_queue_pop_head(&((Line *)line)->waiting);
        if (!item)
            continue;
        queue->waiting--;
        return item;
    }
    return NULL;
}
