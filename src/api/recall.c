#include "api/recall.h"

#include <pthread.h>
#include <string.h>

struct Recall {
    const Db *db;
    pthread_mutex_t lock;
    DbStamp stamp;     /* of all items */
    GHashTable *items; /* key -> RecallItem */
    size_t bytes;
};

/* --- items ------------------------------------------------------------------------------------ */

void recall_item_init(RecallItem *item, size_t size, void (*free)(RecallItem *item)) {
    atomic_init(&item->references, 1);
    item->size = size;
    item->free = free;
}

RecallItem *recall_item_ref(RecallItem *item) {
    atomic_fetch_add_explicit(&item->references, 1, memory_order_relaxed);
    return item;
}

void recall_item_unref(RecallItem *item) {
    if (item && atomic_fetch_sub_explicit(&item->references, 1, memory_order_acq_rel) == 1)
        item->free(item);
}

static void drop(void *item) {
    recall_item_unref(item);
}

/* --- keeping ---------------------------------------------------------------------------------- */

Recall *recall_new(const Db *db) {
    Recall *recall = g_new0(Recall, 1);
    recall->db = db;
    pthread_mutex_init(&recall->lock, NULL);
    recall->items = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, drop);
    return recall;
}

void recall_free(Recall *recall) {
    if (!recall)
        return;
    g_hash_table_unref(recall->items);
    pthread_mutex_destroy(&recall->lock);
    g_free(recall);
}

static bool same(const DbStamp *a, const DbStamp *b) {
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

void recall_mark(const Recall *recall, RecallMark *mark_out) {
    mark_out->known = db_stamp(recall->db, &mark_out->stamp);
}

RecallItem *recall_find(Recall *recall, const char *key, RecallMark *mark_out) {
    recall_mark(recall, mark_out);
    if (!mark_out->known)
        return NULL;
    pthread_mutex_lock(&recall->lock);
    bool holds = same(&recall->stamp, &mark_out->stamp);
    RecallItem *item = holds ? g_hash_table_lookup(recall->items, key) : NULL;
    if (item)
        (void)recall_item_ref(item);
    pthread_mutex_unlock(&recall->lock);
    return item;
}

static void forget_all(Recall *recall, const DbStamp *stamp) {
    g_hash_table_remove_all(recall->items);
    recall->bytes = 0;
    recall->stamp = *stamp;
}

static void put(Recall *recall, const char *key, const DbStamp *stamp, RecallItem *item) {
    const RecallItem *before = g_hash_table_lookup(recall->items, key);
    if (before)
        recall->bytes -= before->size;
    if (recall->bytes + item->size > RECALL_BYTES_MAX ||
        g_hash_table_size(recall->items) >= RECALL_ITEMS_MAX)
        forget_all(recall, stamp);
    recall->bytes += item->size;
    g_hash_table_replace(recall->items, g_strdup(key), recall_item_ref(item));
}

void recall_keep(Recall *recall, const char *key, const RecallMark *mark, RecallItem *item) {
    DbStamp now;
    if (!mark->known || item->size > RECALL_BYTES_MAX)
        return;
    pthread_mutex_lock(&recall->lock);
    /* Whoever read before the others must not throw away what they have kept since. */
    bool holds = db_stamp(recall->db, &now) && same(&now, &mark->stamp);
    if (holds && !same(&recall->stamp, &now))
        forget_all(recall, &now);
    if (holds)
        put(recall, key, &now, item);
    pthread_mutex_unlock(&recall->lock);
}
