/* pool.h - a few threads for work that waits for the database, and a bounded queue before them.
 *
 * Tasks are taken in the order of their coming. Each thread has a place for what it keeps from task
 * to task (PoolSeat), such as its definitions.
 */
#pragma once

#include "provider/registry.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Pool Pool;

/* What a thread keeps. */
typedef struct {
    Registry *registry; /* NULL until it was needed; the pool frees it */
} PoolSeat;

typedef void (*PoolTask)(PoolSeat *seat, void *data);

Pool *pool_new(unsigned threads, unsigned queue_max);
/* Runs what is queued, and ends the threads. NULL allowed. */
void pool_free(Pool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pool, pool_free)

/* False when the queue is full; then the task is not run. */
bool pool_submit(Pool *pool, PoolTask task, void *data);
/* For what must be run: the end of something that was begun. Never refused. */
void pool_insist(Pool *pool, PoolTask task, void *data);

/* Tasks that wait now. */
unsigned pool_waiting(Pool *pool);
