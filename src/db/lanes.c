#include "db/lanes.h"
#include <pthread.h>

typedef struct {
    DriverTask *first;
    DriverTask **end; /* where the next task is linked */
    unsigned length;
} TaskList;

struct Lane {
    pthread_t thread; /* who submits */
    TaskList tasks;
    bool busy;  /* one of its tasks is out */
    Lane *next; /* among those that are ready */
};

struct Lanes {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a task may run now, or the lanes were closed */
    TaskList reads;
    GHashTable *by_thread; /* pthread_t -> Lane *, those with tasks waiting or out */
    Lane *ready;           /* those that have a task and are not busy, oldest first */
    Lane **ready_end;
    unsigned ready_count;
    unsigned waiting; /* tasks */
    unsigned limit;
    unsigned writing, writers;
    unsigned idle; /* threads that wait for a task, or will at once */
    bool writes_next;
    bool closed;
};

/* --- Lists --------------------------------------------------------------------------------- */

static void list_init(TaskList *list) {
    *list = (TaskList){0};
    list->end = &list->first;
}

static void list_add(TaskList *list, DriverTask *task) {
    task->next = NULL;
    *list->end = task;
    list->end = &task->next;
    list->length++;
}

static DriverTask *list_take(TaskList *list) {
    DriverTask *task = list->first;
    list->first = task->next;
    if (!list->first)
        list->end = &list->first;
    list->length--;
    task->next = NULL;
    return task;
}

static void make_ready(Lanes *lanes, Lane *lane) {
    lane->next = NULL;
    *lanes->ready_end = lane;
    lanes->ready_end = &lane->next;
    lanes->ready_count++;
}

static Lane *take_ready(Lanes *lanes) {
    Lane *lane = lanes->ready;
    lanes->ready = lane->next;
    if (!lanes->ready)
        lanes->ready_end = &lanes->ready;
    lanes->ready_count--;
    return lane;
}

/* --- Life ---------------------------------------------------------------------------------- */

Lanes *lanes_new(unsigned limit, unsigned writers) {
    Lanes *lanes = g_new0(Lanes, 1);
    pthread_mutex_init(&lanes->lock, NULL);
    pthread_cond_init(&lanes->changed, NULL);
    list_init(&lanes->reads);
    lanes->by_thread = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    lanes->ready_end = &lanes->ready;
    lanes->limit = limit;
    lanes->writers = writers;
    return lanes;
}

void lanes_free(Lanes *lanes) {
    if (!lanes)
        return;
    g_assert(lanes->waiting == 0);
    g_hash_table_unref(lanes->by_thread);
    pthread_cond_destroy(&lanes->changed);
    pthread_mutex_destroy(&lanes->lock);
    g_free(lanes);
}

void lanes_close(Lanes *lanes) {
    pthread_mutex_lock(&lanes->lock);
    lanes->closed = true;
    pthread_cond_broadcast(&lanes->changed);
    pthread_mutex_unlock(&lanes->lock);
}

/* --- Pushing ------------------------------------------------------------------------------- */

static bool may_push(const Lanes *lanes, const DriverTask *task, GError **error) {
    if (lanes->closed) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CANCELLED, "the database is being closed");
        return false;
    }
    if (lanes->waiting >= lanes->limit && !task->waits) {
        g_set_error(
            error, ASSAY_ERROR, ERROR_LIMIT,
            "%u units of work wait for the database already: submit more when some are done",
            lanes->waiting);
        return false;
    }
    return true;
}

static Lane *lane_of(Lanes *lanes, pthread_t thread) {
    gpointer key = (gpointer)(uintptr_t)thread;
    Lane *lane = g_hash_table_lookup(lanes->by_thread, key);
    if (!lane) {
        lane = g_new0(Lane, 1);
        lane->thread = thread;
        list_init(&lane->tasks);
        g_hash_table_insert(lanes->by_thread, key, lane);
    }
    return lane;
}

static void add_write(Lanes *lanes, DriverTask *task) {
    Lane *lane = lane_of(lanes, pthread_self());
    bool was_ready = lane->busy || lane->tasks.length > 0;
    list_add(&lane->tasks, task);
    if (!was_ready)
        make_ready(lanes, lane);
}

/* How many tasks could be taken now. */
static unsigned runnable(const Lanes *lanes) {
    unsigned writes = MIN(lanes->ready_count, lanes->writers - lanes->writing);
    return writes + lanes->reads.length;
}

bool lanes_push(Lanes *lanes, DriverTask *task, bool *short_out, GError **error) {
    pthread_mutex_lock(&lanes->lock);
    bool taken = may_push(lanes, task, error);
    if (taken && task->mode == DB_READ)
        list_add(&lanes->reads, task);
    else if (taken)
        add_write(lanes, task);
    if (taken) {
        lanes->waiting++;
        *short_out = runnable(lanes) > lanes->idle;
        pthread_cond_signal(&lanes->changed);
    }
    pthread_mutex_unlock(&lanes->lock);
    return taken;
}

/* --- Taking -------------------------------------------------------------------------------- */

static DriverTask *take_write(Lanes *lanes, Lane **lane_out) {
    if (!lanes->ready || lanes->writing >= lanes->writers)
        return NULL;
    Lane *lane = take_ready(lanes);
    lane->busy = true;
    lanes->writing++;
    lanes->writes_next = false;
    *lane_out = lane;
    return list_take(&lane->tasks);
}

static DriverTask *take_read(Lanes *lanes, Lane **lane_out) {
    if (!lanes->reads.first)
        return NULL;
    lanes->writes_next = true;
    *lane_out = NULL;
    return list_take(&lanes->reads);
}

static DriverTask *take_any(Lanes *lanes, Lane **lane_out) {
    DriverTask *task = NULL;
    if (lanes->writes_next)
        task = take_write(lanes, lane_out);
    if (!task)
        task = take_read(lanes, lane_out);
    if (!task)
        task = take_write(lanes, lane_out);
    return task;
}

DriverTask *lanes_take(Lanes *lanes, Lane **lane_out) {
    DriverTask *task;
    pthread_mutex_lock(&lanes->lock);
    while (!(task = take_any(lanes, lane_out)) && !(lanes->closed && lanes->waiting == 0))
        pthread_cond_wait(&lanes->changed, &lanes->lock);
    lanes->idle--;
    if (task && --lanes->waiting == 0 && lanes->closed)
        pthread_cond_broadcast(&lanes->changed);
    pthread_mutex_unlock(&lanes->lock);
    return task;
}

void lanes_expect(Lanes *lanes) {
    pthread_mutex_lock(&lanes->lock);
    lanes->idle++;
    pthread_mutex_unlock(&lanes->lock);
}

static void free_lane(Lanes *lanes, Lane *lane) {
    lanes->writing--;
    lane->busy = false;
    if (lane->tasks.length > 0)
        make_ready(lanes, lane);
    else
        g_hash_table_remove(lanes->by_thread, (gpointer)(uintptr_t)lane->thread);
}

void lanes_release(Lanes *lanes, Lane *lane) {
    if (!lane)
        return;
    pthread_mutex_lock(&lanes->lock);
    free_lane(lanes, lane);
    if (lanes->ready)
        pthread_cond_signal(&lanes->changed);
    pthread_mutex_unlock(&lanes->lock);
}
