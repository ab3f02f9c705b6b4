#include "vault/password_queue.h"

#include "base/error.h"

#include <pthread.h>

#define THREADS 2
#define WAITING 64

typedef struct Entry Entry;
struct Entry {
    PasswordTask task; /* with a reference and a copy of its own */
    char *hash;
    Entry *next;
};

struct PasswordQueue {
    PasswordCost cost;
    unsigned most;
    unsigned thread_count;
    pthread_t *threads;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    /* Guarded by lock. */
    Entry *first;
    Entry **last;
    unsigned waiting;
    bool closing;
};

/* --- the work --------------------------------------------------------------------------------- */

static void run(const PasswordQueue *queue, const PasswordTask *task) {
    g_autofree char *made = NULL;
    g_autoptr(GError) error = NULL;
    PasswordResult result = {0};
    bool wants_hash = task->make;
    if (!task->make) {
        result.matches = password_verify(task->password, task->hash, &queue->cost);
        wants_hash = result.matches && password_is_outdated(task->hash, &queue->cost);
    }
    if (wants_hash && password_hash(task->password, &queue->cost, &made, &error))
        result.new_hash = made;
    result.error = error;
    task->done(task->data, &result);
}

static void entry_free(Entry *entry) {
    secret_free(entry->task.password);
    g_free(entry->hash);
    g_free(entry);
}

/* The next entry; NULL when the queue closes and nothing is left. */
static Entry *take(PasswordQueue *queue) {
    pthread_mutex_lock(&queue->lock);
    while (!queue->first && !queue->closing)
        pthread_cond_wait(&queue->wake, &queue->lock);
    Entry *entry = queue->first;
    if (entry) {
        queue->first = entry->next;
        queue->last = queue->first ? queue->last : &queue->first;
        queue->waiting--;
    }
    pthread_mutex_unlock(&queue->lock);
    return entry;
}

static void *serve(void *data) {
    PasswordQueue *queue = data;
    for (Entry *entry = take(queue); entry; entry = take(queue)) {
        run(queue, &entry->task);
        entry_free(entry);
    }
    return NULL;
}

/* --- life ------------------------------------------------------------------------------------- */

static bool start_threads(PasswordQueue *queue, unsigned wanted, GError **error) {
    queue->threads = g_new0(pthread_t, wanted);
    for (; queue->thread_count < wanted; queue->thread_count++) {
        if (pthread_create(&queue->threads[queue->thread_count], NULL, serve, queue) != 0) {
            g_set_error_literal(error, ASSAY_ERROR, ERROR_INTERNAL,
                                "The system gives no threads for hashing passwords.");
            return false;
        }
    }
    return true;
}

PasswordQueue *password_queue_new(const PasswordQueueOptions *options, GError **error) {
    PasswordQueueOptions wanted = options ? *options : (PasswordQueueOptions){0};
    PasswordQueue *queue = g_new0(PasswordQueue, 1);
    queue->cost = wanted.cost;
    queue->most = wanted.waiting ? wanted.waiting : WAITING;
    queue->last = &queue->first;
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->wake, NULL);
    if (!start_threads(queue, wanted.threads ? wanted.threads : THREADS, error))
        g_clear_pointer(&queue, password_queue_free);
    return queue;
}

void password_queue_free(PasswordQueue *queue) {
    if (!queue)
        return;
    pthread_mutex_lock(&queue->lock);
    queue->closing = true;
    pthread_cond_broadcast(&queue->wake);
    pthread_mutex_unlock(&queue->lock);
    for (unsigned i = 0; i < queue->thread_count; i++)
        pthread_join(queue->threads[i], NULL);
    pthread_cond_destroy(&queue->wake);
    pthread_mutex_destroy(&queue->lock);
    g_free(queue->threads);
    g_free(queue);
}

/* --- tasks ------------------------------------------------------------------------------------ */

static Entry *entry_new(const PasswordTask *task) {
    Entry *entry = g_new0(Entry, 1);
    entry->task = *task;
    entry->task.password = secret_ref(task->password);
    entry->hash = g_strdup(task->hash);
    entry->task.hash = entry->hash;
    return entry;
}

bool password_queue_submit(PasswordQueue *queue, const PasswordTask *task, GError **error) {
    Entry *entry = entry_new(task);
    pthread_mutex_lock(&queue->lock);
    bool room = queue->waiting < queue->most && !queue->closing;
    if (room) {
        *queue->last = entry;
        queue->last = &entry->next;
        queue->waiting++;
        pthread_cond_signal(&queue->wake);
    }
    pthread_mutex_unlock(&queue->lock);
    if (room)
        return true;
    entry_free(entry);
    g_set_error_literal(error, ASSAY_ERROR, ERROR_RATE_LIMITED,
                        "Too many people log in at once; try again in a moment.");
    return false;
}
