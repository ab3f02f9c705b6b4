/* errand_queue.h - whose errand is next: turns between organizations.
 *
 * Each organization has a line of its own, and no more than `running_of_one` errands under way at a
 * time, so that what hangs in one leaves room for the others. Organizations take turns; within one
 * errands go in the order of their coming. What does not fit is refused: to the organization whose
 * own line is full, or to everybody when there are too many in all.
 *
 * Plain data without a lock: whoever owns it brings one. Items are borrowed.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct ErrandQueue ErrandQueue;

typedef struct {
    unsigned waiting;        /* in all */
    unsigned waiting_of_one; /* organization */
    unsigned running_of_one;
} ErrandQueueLimits;

typedef enum {
    ERRAND_QUEUED,
    ERRAND_QUEUE_OWN_FULL, /* the organization has enough that wait */
    ERRAND_QUEUE_FULL      /* or all together */
} ErrandQueued;

ErrandQueue *errand_queue_new(const ErrandQueueLimits *limits);
void errand_queue_free(ErrandQueue *queue); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ErrandQueue, errand_queue_free)

ErrandQueued errand_queue_push(ErrandQueue *queue, const char *organization, void *item);

/* The next that may be begun; NULL when there is none now. It counts as under way until
 * errand_queue_done(). */
void *errand_queue_take(ErrandQueue *queue);
void errand_queue_done(ErrandQueue *queue, const char *organization);

/* Any that waits, which will not be begun; NULL: none is left. */
void *errand_queue_drop(ErrandQueue *queue);
