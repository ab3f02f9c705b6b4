#include "db/queue.h"
#include <pthread.h>

struct Queue {
    pthread_mutex_t lock;
    pthread_cond_t filled; /* a task came, or the queue was closed */
    DriverTask *first;
    DriverTask **end; /* where the next task is linked */
    unsigned length;
    unsigned limit;
    bool closed;
};

Queue *queue_new(unsigned limit) {
    Queue *queue = g_new0(Queue, 1);
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->filled, NULL);
    queue->end = &queue->first;
    queue->limit = limit;
    return queue;
}

void queue_free(Queue *queue) {
    if (!queue)
        return;
    g_assert(queue->length == 0);
    pthread_cond_destroy(&queue->filled);
    pthread_mutex_destroy(&queue->lock);
    g_free(queue);
}

static bool may_push(const Queue *queue, const DriverTask *task, GError **error) {
    if (queue->closed) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CANCELLED, "the database is being closed");
        return false;
    }
    if (queue->length >= queue->limit && !task->waits) {
        g_set_error(
            error, ASSAY_ERROR, ERROR_LIMIT,
            "%u units of work wait for the database already: submit more when some are done",
            queue->length);
        return false;
    }
    return true;
}

bool queue_push(Queue *queue, DriverTask *task, GError **error) {
    pthread_mutex_lock(&queue->lock);
    bool taken = may_push(queue, task, error);
    if (taken) {
        task->next = NULL;
        *queue->end = task;
        queue->end = &task->next;
        queue->length++;
        pthread_cond_signal(&queue->filled);
    }
    pthread_mutex_unlock(&queue->lock);
    return taken;
}

static DriverTask *unlink_first(Queue *queue) {
    DriverTask *task = queue->first;
    if (!task)
        return NULL;
    queue->first = task->next;
    if (!queue->first)
        queue->end = &queue->first;
    queue->length--;
    task->next = NULL;
    return task;
}

DriverTask *queue_pop(Queue *queue) {
    pthread_mutex_lock(&queue->lock);
    while (!queue->first && !queue->closed)
        pthread_cond_wait(&queue->filled, &queue->lock);
    DriverTask *task = unlink_first(queue);
    pthread_mutex_unlock(&queue->lock);
    return task;
}

DriverTask *queue_pop_now(Queue *queue) {
    pthread_mutex_lock(&queue->lock);
    DriverTask *task = unlink_first(queue);
    pthread_mutex_unlock(&queue->lock);
    return task;
}

void queue_close(Queue *queue) {
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->filled);
    pthread_mutex_unlock(&queue->lock);
}
