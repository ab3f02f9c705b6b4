/* queue.h - a bounded first-in first-out queue of tasks between threads.
 *
 * Any thread pushes; the driver's threads pop. Closing refuses new tasks and lets the poppers drain
 * what is there. The queue owns no task: whoever pops one finishes it.
 */
#pragma once

#include "db/driver.h"

typedef struct Queue Queue;

/* limit: how many tasks may wait, those of waiting threads (task->waits) apart. */
Queue *queue_new(unsigned limit);
void queue_free(Queue *queue); /* NULL allowed; must be empty */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Queue, queue_free)

/* ERROR_LIMIT when full, ERROR_CANCELLED when closed; then the task was not taken. */
bool queue_push(Queue *queue, DriverTask *task, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The oldest task, waited for; NULL when the queue is closed and empty. */
DriverTask *queue_pop(Queue *queue);

/* The oldest task, or NULL when there is none now. */
DriverTask *queue_pop_now(Queue *queue);

void queue_close(Queue *queue);
