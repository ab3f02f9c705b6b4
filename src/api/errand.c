#include "api/errand.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define CREWS_IDLE 2 /* worker processes that are kept when nothing is to be done */

struct Errand {
    atomic_int references;
    char id[ID_SIZE];
    char *organization;
    char *actor;
    const char *kind;
    char *integration_id;
    unsigned status;
    ErrandWork work;
    void *data;
    GDestroyNotify free_data;
    int64_t created_ms;
    /* Under the lock of the board, once it was begun. */
    Errands *board;
    bool announced;
    bool ended;
    int64_t ended_ms;
    Json *body;
    GError *error;
    ErrandTold told; /* NULL: nobody waits any more */
    void *told_data;
    uint64_t alarm;
};

struct Errands {
    ErrandsConfig config;
    pthread_mutex_t lock;
    pthread_cond_t filled;
    ErrandQueue *queue; /* Errand, referenced */
    GHashTable *by_id;  /* id -> Errand, referenced */
    GHashTable *busy;   /* Crew that are being asked */
    GPtrArray *idle;    /* Crew that are not; the last one is the next to be used */
    bool stopping;
    pthread_t threads[ERRAND_THREADS];
};

/* --- one errand ------------------------------------------------------------------------------- */

Errand *errand_new(const ErrandWish *wish) {
    Errand *errand = g_new0(Errand, 1);
    atomic_init(&errand->references, 1);
    id_write(errand->id);
    errand->organization = g_strdup(wish->organization);
    errand->actor = g_strdup(wish->actor);
    errand->kind = wish->kind;
    errand->integration_id = g_strdup(wish->integration_id);
    errand->status = wish->status;
    errand->work = wish->work;
    errand->data = wish->data;
    errand->free_data = wish->free_data;
    errand->created_ms = clock_now_ms();
    return errand;
}

Errand *errand_ref(Errand *errand) {
    atomic_fetch_add(&errand->references, 1);
    return errand;
}

static void free_data(Errand *errand) {
    void *data = g_steal_pointer(&errand->data);
    if (data && errand->free_data)
        errand->free_data(data);
}

void errand_unref(Errand *errand) {
    if (!errand || atomic_fetch_sub(&errand->references, 1) > 1)
        return;
    free_data(errand);
    json_free(errand->body);
    g_clear_error(&errand->error);
    g_free(errand->organization);
    g_free(errand->actor);
    g_free(errand->integration_id);
    g_free(errand);
}

const char *errand_id(const Errand *errand) {
    return errand->id;
}

unsigned errand_status(const Errand *errand) {
    return errand->status;
}

const char *errand_integration(const Errand *errand) {
    return errand->integration_id;
}

int64_t errand_created_ms(const Errand *errand) {
    return errand->created_ms;
}

/* --- telling ---------------------------------------------------------------------------------- */

/* Tells whoever waits, once. The errand's end does not change any more when it has ended. */
static void tell(Errand *errand, bool ended) {
    Errands *board = errand->board;
    pthread_mutex_lock(&board->lock);
    ErrandTold told = g_steal_pointer(&errand->told);
    pthread_mutex_unlock(&board->lock);
    ErrandEnd end = {
        .ended = ended, .body = ended ? errand->body : NULL, .error = ended ? errand->error : NULL};
    if (told)
        told(errand, &end, errand->told_data);
}

static void lose_patience(void *data) {
    tell(data, false);
    errand_unref(data);
}

static void forget(void *data) {
    Errand *errand = data;
    Errands *board = errand->board;
    pthread_mutex_lock(&board->lock);
    g_hash_table_remove(board->by_id, errand->id);
    pthread_mutex_unlock(&board->lock);
    errand_unref(errand);
}

/* --- its row ---------------------------------------------------------------------------------- */

/* As it is at a moment. */
typedef struct {
    ErrandRow row;
    char *result;
    char *problem;
} Snapshot;

static void snapshot_clear(Snapshot *snapshot) {
    g_free(snapshot->result);
    g_free(snapshot->problem);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Snapshot, snapshot_clear)

static char *print_problem(const GError *error) {
    g_autoptr(Json) json = errand_problem(error);
    return json_print(json, JSON_COMPACT);
}

/* Under the lock. */
static const char *status_of(const Errand *errand) {
    return !errand->ended ? ERRAND_RUNNING : errand->error ? ERRAND_FAILED : ERRAND_COMPLETED;
}

/* Under the lock. */
static void take_snapshot(const Errand *errand, Snapshot *snapshot) {
    snapshot->result = errand->body ? json_print(errand->body, JSON_COMPACT) : NULL;
    snapshot->problem = errand->error ? print_problem(errand->error) : NULL;
    snapshot->row = (ErrandRow){.id = errand->id,
                                .kind = errand->kind,
                                .integration_id = errand->integration_id,
                                .actor_id = errand->actor,
                                .status = status_of(errand),
                                .result = snapshot->result,
                                .problem = snapshot->problem,
                                .started_at = errand->created_ms,
                                .ended_at = errand->ended_ms};
}

static void write_end(Errand *errand) {
    Errands *board = errand->board;
    g_auto(Snapshot) snapshot = {0};
    pthread_mutex_lock(&board->lock);
    take_snapshot(errand, &snapshot);
    pthread_mutex_unlock(&board->lock);
    errand_book_close(board->config.book, errand->organization, &snapshot.row);
}

/* Either this or finish() sees both that it was announced and that it has ended. */
void errand_announce(Errand *errand) {
    Errands *board = errand->board;
    g_auto(Snapshot) snapshot = {0};
    pthread_mutex_lock(&board->lock);
    take_snapshot(errand, &snapshot);
    pthread_mutex_unlock(&board->lock);
    errand_book_open(board->config.book, errand->organization, &snapshot.row);
    pthread_mutex_lock(&board->lock);
    errand->announced = true;
    bool late = errand->ended && snapshot.row.ended_at == 0;
    pthread_mutex_unlock(&board->lock);
    if (late)
        write_end(errand);
}

/* --- running ---------------------------------------------------------------------------------- */

/* Takes body and error. Whether it was announced before. */
static bool end(Errand *errand, Json *body, GError *error) {
    Errands *board = errand->board;
    pthread_mutex_lock(&board->lock);
    errand->ended = true;
    errand->ended_ms = clock_now_ms();
    errand->body = body;
    errand->error = error;
    bool announced = errand->announced;
    pthread_mutex_unlock(&board->lock);
    return announced;
}

static void finish(Errand *errand, Json *body, GError *error) {
    Errands *board = errand->board;
    Alarms *alarms = board->config.alarms;
    if (end(errand, body, error))
        write_end(errand);
    pthread_mutex_lock(&board->lock);
    uint64_t alarm = errand->alarm;
    pthread_mutex_unlock(&board->lock);
    if (alarm_cancel(alarms, alarm))
        errand_unref(errand);
    tell(errand, true);
    alarm = alarm_set(alarms, ERRAND_KEEP_MS, 0, forget, errand_ref(errand));
    pthread_mutex_lock(&board->lock);
    errand->alarm = alarm;
    pthread_mutex_unlock(&board->lock);
}

/* Whether the errand may be done: at the end of the server nothing new is begun. */
static bool mark_busy(Errands *board, Crew *crew) {
    pthread_mutex_lock(&board->lock);
    bool wanted = !board->stopping;
    if (wanted)
        g_hash_table_add(board->busy, crew);
    pthread_mutex_unlock(&board->lock);
    return wanted;
}

static void unmark_busy(Errands *board, Crew *crew) {
    pthread_mutex_lock(&board->lock);
    g_hash_table_remove(board->busy, crew);
    pthread_mutex_unlock(&board->lock);
}

static bool ask(Errand *errand, Crew *crew, Json **body_out, GError **error) {
    if (!mark_busy(errand->board, crew)) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CANCELLED, "The server is stopping.");
        return false;
    }
    bool ok = errand->work(crew, errand->data, body_out, error);
    unmark_busy(errand->board, crew);
    return ok;
}

static GError *lost(void) {
    return g_error_new_literal(ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE, ERRAND_LOST);
}

/* What was broken off at the end of the server says so. */
static void name_cause(Errands *board, GError **error) {
    ErrorCode code = error_code_of(*error);
    pthread_mutex_lock(&board->lock);
    bool broken_off = board->stopping && (code == ERROR_INTERNAL || code == ERROR_CANCELLED);
    pthread_mutex_unlock(&board->lock);
    if (!broken_off)
        return;
    g_clear_error(error);
    *error = lost();
}

/* One that is there, or NULL. */
static Crew *pick_crew(Errands *board) {
    pthread_mutex_lock(&board->lock);
    guint count = board->idle->len;
    Crew *crew = count > 0 ? g_ptr_array_steal_index(board->idle, count - 1) : NULL;
    pthread_mutex_unlock(&board->lock);
    return crew;
}

static void put_back(Errands *board, Crew *crew) {
    pthread_mutex_lock(&board->lock);
    bool keep = board->idle->len < CREWS_IDLE && !board->stopping;
    if (keep)
        g_ptr_array_add(board->idle, crew);
    pthread_mutex_unlock(&board->lock);
    if (!keep)
        crew_free(crew);
}

/* A crew that failed in itself is not used again. */
static void run(Errand *errand) {
    Errands *board = errand->board;
    Crew *crew = pick_crew(board);
    Json *body = NULL;
    GError *error = NULL;
    if ((crew || crew_start(&board->config.crew, &crew, &error)) &&
        !ask(errand, crew, &body, &error) && error_code_of(error) == ERROR_INTERNAL)
        g_clear_pointer(&crew, crew_free);
    if (crew)
        put_back(board, crew);
    if (error)
        name_cause(board, &error);
    free_data(errand);
    finish(errand, body, error);
}

static Errand *take(Errands *board) {
    Errand *errand = NULL;
    pthread_mutex_lock(&board->lock);
    while (!board->stopping && !(errand = errand_queue_take(board->queue)))
        pthread_cond_wait(&board->filled, &board->lock);
    pthread_mutex_unlock(&board->lock);
    return errand;
}

/* Another of the organization may be begun, if only by this thread. */
static void done(Errands *board, Errand *errand) {
    pthread_mutex_lock(&board->lock);
    errand_queue_done(board->queue, errand->organization);
    pthread_mutex_unlock(&board->lock);
    errand_unref(errand);
}

static void *work(void *data) {
    Errands *board = data;
    for (Errand *errand = take(board); errand; errand = take(board)) {
        run(errand);
        done(board, errand);
    }
    return NULL;
}

/* --- the board -------------------------------------------------------------------------------- */

static void unref_entry(void *errand) {
    errand_unref(errand);
}

static void free_crew(void *crew) {
    crew_free(crew);
}

Errands *errands_new(const ErrandsConfig *config) {
    static const ErrandQueueLimits limits = {.waiting = ERRANDS_WAITING_MAX,
                                             .waiting_of_one = ERRANDS_WAITING_OF_ONE,
                                             .running_of_one = ERRANDS_RUNNING_OF_ONE};
    Errands *board = g_new0(Errands, 1);
    board->config = *config;
    if (board->config.patience_ms <= 0)
        board->config.patience_ms = ERRAND_PATIENCE_MS;
    pthread_mutex_init(&board->lock, NULL);
    pthread_cond_init(&board->filled, NULL);
    board->queue = errand_queue_new(&limits);
    board->busy = g_hash_table_new(NULL, NULL);
    board->idle = g_ptr_array_new_with_free_func(free_crew);
    board->by_id = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, unref_entry);
    for (unsigned i = 0; i < ERRAND_THREADS; i++)
        if (pthread_create(&board->threads[i], NULL, work, board) != 0)
            g_error("no thread can be started");
    return board;
}

/* Under the lock. */
static void hold(Errands *board, Errand *errand, ErrandTold told, void *data) {
    errand->told = told;
    errand->told_data = data;
    errand->alarm = alarm_set(board->config.alarms, board->config.patience_ms, 0, lose_patience,
                              errand_ref(errand));
    g_hash_table_insert(board->by_id, errand->id, errand_ref(errand));
    errand_ref(errand); /* the queue's */
    pthread_cond_signal(&board->filled);
}

ErrandQueued errands_begin(Errands *errands, Errand *errand, ErrandTold told, void *data) {
    ErrandQueued how = ERRAND_QUEUE_FULL;
    errand->board = errands;
    pthread_mutex_lock(&errands->lock);
    if (!errands->stopping)
        how = errand_queue_push(errands->queue, errand->organization, errand);
    if (how == ERRAND_QUEUED)
        hold(errands, errand, told, data);
    pthread_mutex_unlock(&errands->lock);
    return how;
}

Errand *errands_find(Errands *errands, const char *organization, const char *id) {
    pthread_mutex_lock(&errands->lock);
    Errand *errand = g_hash_table_lookup(errands->by_id, id);
    bool own = errand && strcmp(errand->organization, organization) == 0;
    Errand *found = own ? errand_ref(errand) : NULL;
    pthread_mutex_unlock(&errands->lock);
    return found;
}

ErrandBook *errands_book(const Errands *errands) {
    return errands->config.book;
}

Json *errand_problem(const GError *error) {
    ErrorCode code = error_code_of(error);
    Json *json = json_new_object();
    json_put_string(json, "code", error_code_name(code));
    json_put_string(json, "message", error->message);
    json_put_bool(json, "retryable", error_code_retryable(code));
    return json;
}

Json *errand_object(const ErrandRow *row, const ErrandFacts *facts) {
    Json *json = json_new_object();
    json_put_string(json, "id", row->id);
    json_put_string(json, "kind", row->kind);
    json_put_string(json, "organizationId", facts->organization);
    json_put_string(json, "integrationId", row->integration_id);
    json_put_string(json, "status", facts->status);
    json_put(json, "result", facts->result ? json_ref(facts->result) : NULL);
    json_put(json, "error", facts->problem ? json_ref(facts->problem) : NULL);
    json_put_time(json, "createdAt", row->started_at);
    json_put_time(json, "completedAt", row->ended_at);
    return json;
}

Json *errand_json(Errand *errand) {
    Errands *board = errand->board;
    pthread_mutex_lock(&board->lock);
    ErrandRow row = {.id = errand->id,
                     .kind = errand->kind,
                     .integration_id = errand->integration_id,
                     .started_at = errand->created_ms,
                     .ended_at = errand->ended_ms};
    g_autoptr(Json) problem = errand->error ? errand_problem(errand->error) : NULL;
    ErrandFacts facts = {.organization = errand->organization,
                         .status = status_of(errand),
                         .result = errand->body,
                         .problem = problem};
    Json *json = errand_object(&row, &facts);
    pthread_mutex_unlock(&board->lock);
    return json;
}

/* --- the end ---------------------------------------------------------------------------------- */

/* All that are known, referenced. */
static GPtrArray *all_of(Errands *errands) {
    GPtrArray *all = g_ptr_array_new_with_free_func(unref_entry);
    GHashTableIter iterator;
    gpointer value;
    pthread_mutex_lock(&errands->lock);
    g_hash_table_iter_init(&iterator, errands->by_id);
    while (g_hash_table_iter_next(&iterator, NULL, &value))
        g_ptr_array_add(all, errand_ref(value));
    pthread_mutex_unlock(&errands->lock);
    return all;
}

/* Whoever waits for an errand that nobody has begun, or that is under way, is told now. */
void errands_stop(Errands *errands) {
    g_autoptr(GPtrArray) all = NULL;
    GHashTableIter iterator;
    gpointer crew;
    pthread_mutex_lock(&errands->lock);
    errands->stopping = true;
    pthread_cond_broadcast(&errands->filled);
    for (Errand *errand; (errand = errand_queue_drop(errands->queue));)
        errand_unref(errand);
    g_hash_table_iter_init(&iterator, errands->busy);
    while (g_hash_table_iter_next(&iterator, &crew, NULL))
        crew_interrupt(crew);
    pthread_mutex_unlock(&errands->lock);
    all = all_of(errands);
    for (guint i = 0; i < all->len; i++)
        tell(g_ptr_array_index(all, i), false);
}

/* What is set would be called with nobody left; what was not begun has ended. */
static void settle(Errands *errands) {
    g_autoptr(GPtrArray) all = all_of(errands);
    for (guint i = 0; i < all->len; i++) {
        Errand *errand = g_ptr_array_index(all, i);
        if (alarm_cancel(errands->config.alarms, errand->alarm))
            errand_unref(errand);
        if (!errand->ended && end(errand, NULL, lost()))
            write_end(errand);
    }
}

void errands_free(Errands *errands) {
    if (!errands)
        return;
    errands_stop(errands);
    for (unsigned i = 0; i < ERRAND_THREADS; i++)
        pthread_join(errands->threads[i], NULL);
    settle(errands);
    g_ptr_array_unref(errands->idle);
    errand_queue_free(errands->queue);
    g_hash_table_unref(errands->by_id);
    g_hash_table_unref(errands->busy);
    pthread_mutex_destroy(&errands->lock);
    pthread_cond_destroy(&errands->filled);
    g_free(errands);
}
