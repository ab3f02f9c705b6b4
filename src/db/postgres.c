#include "db/postgres.h"
#include "db/lanes.h"
#include "db/postgres_session.h"
#include "db/postgres_watch.h"
#include "db/thread.h"
#include <time.h>

#define POOL_SIZE 4
#define PAUSE_MS_MAX 500
#define LOCK_LIMITS 4 /* into so many parts a busy limit is divided, each ended by the server */

typedef struct {
    pthread_t thread;
    DriverDatabase *database;
    DriverSession *session;
} Worker;

struct DriverDatabase {
    PostgresAddress *address;
    int64_t busy_limit_ms;
    int64_t lock_limit_ms;
    Lanes *lanes;
    unsigned size; /* workers at most */
    pthread_mutex_t lock;
    Worker *workers[POSTGRES_POOL_MAX];
    unsigned count;
};

/* --- Trying again -------------------------------------------------------------------------- */

/* How long a task has waited already. Counted, not taken from a clock: tests stop that. */
typedef struct {
    int64_t waited_ms;
    unsigned tries;
} Patience;

/* Growing, and not the same for all who were thrown out together. */
static int64_t pause_ms(const Patience *patience) {
    int64_t most = MIN(INT64_C(1) << MIN(patience->tries, 10), PAUSE_MS_MAX);
    uintptr_t spread = ((uintptr_t)pthread_self() >> 12) * 2654435761U + patience->tries * 40503U;
    return most / 2 + (int64_t)(spread >> 4 & 0xffff) % (most / 2 + 1);
}

static void pause_for(int64_t ms) {
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

/* Whether to try again, after a pause. */
static bool be_patient(const DriverDatabase *database, Patience *patience) {
    if (patience->waited_ms >= database->busy_limit_ms)
        return false;
    int64_t pause = pause_ms(patience);
    pause_for(pause);
    patience->waited_ms += MAX(pause, 1);
    patience->tries++;
    return true;
}

static bool try_again(const Worker *worker, Patience *patience) {
    const DriverDatabase *database = worker->database;
    switch (postgres_session_retry(worker->session)) {
    case RETRY_NEVER:
        return false;
    case RETRY_ONCE:
        postgres_session_disconnect(worker->session);
        return patience->tries++ == 0;
    case RETRY_LOCK:
        patience->waited_ms += database->lock_limit_ms;
        break;
    case RETRY_RECONNECT:
        postgres_session_disconnect(worker->session);
        break;
    case RETRY_AGAIN:
        break;
    }
    return be_patient(database, patience);
}

/* Connects, however often it takes. */
static bool connect_patiently(const Worker *worker, Patience *patience, GError **error) {
    for (;;) {
        g_autoptr(GError) failure = NULL;
        bool passes = false;
        if (postgres_session_connect(worker->session, &passes, &failure))
            return true;
        if (!passes || !be_patient(worker->database, patience)) {
            int code = passes ? (int)ERROR_DATABASE : failure->code;
            g_set_error_literal(error, ASSAY_ERROR, code, failure->message);
            return false;
        }
    }
}

/* --- Running a task ------------------------------------------------------------------------ */

/* The answer to a commit was lost. True: it is known what happened (*committed_out). */
static bool find_out(const Worker *worker, const CommitMark *mark, Patience *patience,
                     bool *committed_out) {
    do {
        postgres_session_disconnect(worker->session);
        if (!connect_patiently(worker, patience, NULL))
            return false;
        if (postgres_session_find_out(worker->session, mark, committed_out, NULL))
            return true;
    } while (be_patient(worker->database, patience));
    return false;
}

typedef enum { RUN_DONE, RUN_FAILED, RUN_AGAIN } RunOutcome;

static RunOutcome settle_unknown(const Worker *worker, Patience *patience, GError **error) {
    CommitMark mark;
    bool committed = false;
    if (!postgres_session_marked(worker->session, &mark))
        return try_again(worker, patience) ? RUN_AGAIN : RUN_FAILED;
    g_clear_error(error);
    if (find_out(worker, &mark, patience, &committed))
        return committed ? RUN_DONE : RUN_AGAIN;
    g_set_error(error, ASSAY_ERROR, ERROR_DATABASE,
                "the connection to the database %s was lost while a unit was committed, and it "
                "could not be found out in time whether it was: look before doing it again",
                worker->database->address->label);
    return RUN_FAILED;
}

/* Attempts, and keeps nothing; false when the session has failed. */
static bool rehearse(const Worker *worker, DriverTask *task, GError **error) {
    g_autoptr(GError) failure = NULL;
    postgres_session_begin(worker->session, task);
    (void)task->attempt(task, worker->session, &failure);
    postgres_session_roll_back(worker->session);
    if (postgres_session_retry(worker->session) == RETRY_NEVER)
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static RunOutcome run_once(const Worker *worker, DriverTask *task, Patience *patience,
                           GError **error) {
    DriverSession *session = worker->session;
    CommitOutcome outcome = COMMIT_FAILED;
    if (!task->rehearse || rehearse(worker, task, error)) {
        postgres_session_begin(session, task);
        if (task->attempt(task, session, error))
            outcome = postgres_session_commit(session, error);
        else
            postgres_session_roll_back(session);
    }
    if (outcome == COMMIT_DONE)
        return RUN_DONE;
    if (outcome == COMMIT_UNKNOWN)
        return settle_unknown(worker, patience, error);
    return try_again(worker, patience) ? RUN_AGAIN : RUN_FAILED;
}

static void run_task(const Worker *worker, DriverTask *task, GError **error) {
    Patience patience = {0};
    RunOutcome outcome = RUN_AGAIN;
    while (outcome == RUN_AGAIN) {
        g_clear_error(error);
        if (!connect_patiently(worker, &patience, error))
            return;
        outcome = run_once(worker, task, &patience, error);
    }
}

/* --- The pool ------------------------------------------------------------------------------ */

static void *work_loop(void *data) {
    const Worker *worker = data;
    Lanes *lanes = worker->database->lanes;
    Lane *lane;
    DriverTask *task;
    while ((task = lanes_take(lanes, &lane))) {
        g_autoptr(GError) error = NULL;
        run_task(worker, task, &error);
        lanes_expect(lanes);
        task->finish(task, error);
        lanes_release(lanes, lane);
    }
    return NULL;
}

static void worker_free(Worker *worker) {
    postgres_session_free(worker->session);
    g_free(worker);
}

static Worker *worker_new(DriverDatabase *database) {
    const SessionSettings settings = {.address = database->address,
                                      .lock_limit_ms = database->lock_limit_ms};
    Worker *worker = g_new0(Worker, 1);
    worker->database = database;
    worker->session = postgres_session_new(&settings);
    return worker;
}

/* Takes the worker. */
static bool start_worker(DriverDatabase *database, Worker *worker, GError **error) {
    if (!thread_start(&worker->thread, work_loop, worker, error)) {
        worker_free(worker);
        return false;
    }
    lanes_expect(database->lanes);
    database->workers[database->count++] = worker;
    return true;
}

/* A pool that cannot grow is slower, and no error. */
static void grow(DriverDatabase *database) {
    pthread_mutex_lock(&database->lock);
    if (database->count < database->size)
        (void)start_worker(database, worker_new(database), NULL);
    pthread_mutex_unlock(&database->lock);
}

static bool postgres_submit(DriverDatabase *database, DriverTask *task, GError **error) {
    bool is_short = false;
    if (!lanes_push(database->lanes, task, &is_short, error))
        return false;
    if (is_short)
        grow(database);
    return true;
}

static void postgres_close(DriverDatabase *database) {
    lanes_close(database->lanes);
    for (unsigned i = 0; i < database->count; i++)
        pthread_join(database->workers[i]->thread, NULL);
    for (unsigned i = 0; i < database->count; i++)
        worker_free(database->workers[i]);
    lanes_free(database->lanes);
    pthread_mutex_destroy(&database->lock);
    postgres_address_free(database->address);
    g_free(database);
}

/* The first connection tells whether the settings are right, and is the first worker's. */
static bool start(DriverDatabase *database, GError **error) {
    Worker *worker = worker_new(database);
    bool passes;
    if (postgres_session_connect(worker->session, &passes, error) &&
        postgres_session_prepare_roles(worker->session, error))
        return start_worker(database, worker, error);
    worker_free(worker);
    return false;
}

static DriverDatabase *postgres_open(const DriverSettings *settings, GError **error) {
    PostgresAddress *address = postgres_address_new(settings->url, error);
    if (!address)
        return NULL;
    DriverDatabase *database = g_new0(DriverDatabase, 1);
    unsigned wanted = address->pool > 0 ? address->pool : settings->pool;
    database->address = address;
    database->size = wanted > 0 ? MIN(wanted, POSTGRES_POOL_MAX) : POOL_SIZE;
    database->busy_limit_ms = settings->busy_limit_ms;
    database->lock_limit_ms = MAX(settings->busy_limit_ms / LOCK_LIMITS, 1);
    database->lanes = lanes_new(settings->queue_limit, MAX(database->size - 1, 1));
    pthread_mutex_init(&database->lock, NULL);
    if (start(database, error))
        return database;
    postgres_close(database);
    return NULL;
}

static DriverWatch *postgres_watch_begin(DriverDatabase *database) {
    return postgres_watch_new(database->address);
}

const Driver postgres_driver = {
    .open = postgres_open,
    .close = postgres_close,
    .submit = postgres_submit,
    .prepare = postgres_session_prepare,
    .lock_schema = postgres_session_lock_schema,
    .migrate = postgres_session_migrate,
    .bind = postgres_session_bind,
    .step = postgres_session_step,
    .reset = postgres_session_reset,
    .changes = postgres_session_changes,
    .notify = postgres_session_notify,
    .watch_begin = postgres_watch_begin,
    .watch_wait = postgres_watch_wait,
    .watch_end = postgres_watch_free,
    .columns = postgres_session_columns,
    .is_null = postgres_session_is_null,
    .read_int = postgres_session_read_int,
    .read_real = postgres_session_read_real,
    .read_text = postgres_session_read_text,
    .read_blob = postgres_session_read_blob,
};
