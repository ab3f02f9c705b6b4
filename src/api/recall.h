/* recall.h - what was read of the database, kept until anybody commits anything.
 *
 *     RecallMark mark;
 *     RecallItem *item = recall_find(recall, key, &mark);
 *     if (!item) {
 *         item = ...; read ...
 *         recall_keep(recall, key, &mark, item);
 *     }
 *     ...
 *     recall_item_unref(item);
 *
 * All items were read while the database had one stamp (db_stamp()); when it has another, nothing
 * is found. So what is found is what a read would give now: a token that another process revoked a
 * moment ago is not found here either. Where the engine has no stamps nothing is ever kept.
 *
 * An item never changes and is shared by everybody who holds a reference. What follows from the
 * clock, too, is not kept here, or says itself until when it holds. Keys are no secrets.
 *
 * Any thread. The number of items and their bytes are bounded: what would be too much takes the
 * place of everything.
 */
#pragma once

#include "db/db.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define RECALL_ITEMS_MAX 4096
#define RECALL_BYTES_MAX ((size_t)16 * 1024 * 1024)

typedef struct Recall Recall;

/* The head of whatever is kept. */
typedef struct RecallItem RecallItem;
struct RecallItem {
    atomic_uint references;
    size_t size;
    void (*free)(RecallItem *item);
};

/* With one reference, the caller's; size is about what it takes in memory. */
void recall_item_init(RecallItem *item, size_t size, void (*free)(RecallItem *item));
RecallItem *recall_item_ref(RecallItem *item);
void recall_item_unref(RecallItem *item); /* NULL allowed */

/* Where the database was before something was read. */
typedef struct {
    DbStamp stamp;
    bool known;
} RecallMark;

/* The database is borrowed. */
Recall *recall_new(const Db *db);
void recall_free(Recall *recall); /* NULL allowed */

void recall_mark(const Recall *recall, RecallMark *mark_out);

/* A reference, or NULL. The mark is for recall_keep(). */
RecallItem *recall_find(Recall *recall, const char *key, RecallMark *mark_out);

/* Keeps an item (and takes a reference of its own) unless something was committed since the mark;
 * an earlier one of this key goes. */
void recall_keep(Recall *recall, const char *key, const RecallMark *mark, RecallItem *item);
