#include "api/errand.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

struct Errand {
    atomic_int references;
    char id[ID_SIZE];
    char *organization;
    const char *kind;
    char *integration_id;
    unsigned status;
    ErrandWork work;
    void *data;
    GDestroyNotify free_data;
    int64_t created_ms;
    /* Under the lock of the board, once it was begun. */
    Errands *board;
    bool running;
    bool ended;
    int64_t ended_ms;
    Json *body;
    GError *error;
    ErrandTold told; /* NULL: nobody waits any more */
    void *told_data;
    uint64_t alarm;
};

struct Errands {
    CrewConfig crew;
    Alarms *alarms;
    int64_t patience_ms;
    pthread_mutex_t lock;
    pthread_cond_t filled;
    GQueue queue;      /* Errand, referenced */
    GHashTable *by_id; /* id -> Errand, referenced */
    GHashTable *busy;  /* Crew that are being asked */
    bool stopping;
    unsigned count;
    pthread_t threads[];
};

/* --- one errand ------------------------------------------------------------------------------- */

Errand *errand_new(const ErrandWish *wish) {
    Errand *errand = g_new0(Errand, 1);
    atomic_init(&errand->references, 1);
    id_write(errand->id);
    errand->organization = g_strdup(wish->organization);
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

/* --- running ---------------------------------------------------------------------------------- */

static void finish(Errand *errand, Json *body, GError *error) {
    Errands *board = errand->board;
    pthread_mutex_lock(&board->lock);
    errand->ended = true;
    errand->ended_ms = clock_now_ms();
    errand->body = body;
    errand->error = error;
    uint64_t alarm = errand->alarm;
    pthread_mutex_unlock(&board->lock);
    if (alarm_cancel(board->alarms, alarm))
        errand_unref(errand);
    tell(errand, true);
    alarm = alarm_set(board->alarms, ERRAND_KEEP_MS, 0, forget, errand_ref(errand));
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

/* A crew that failed in itself is not used again. */
static void run(Errand *errand, const CrewConfig *config, Crew **crew) {
    Json *body = NULL;
    GError *error = NULL;
    if ((*crew || crew_start(config, crew, &error)) && !ask(errand, *crew, &body, &error) &&
        error_code_of(error) == ERROR_INTERNAL)
        g_clear_pointer(crew, crew_free);
    free_data(errand);
    finish(errand, body, error);
}

static Errand *take(Errands *board) {
    pthread_mutex_lock(&board->lock);
    while (g_queue_is_empty(&board->queue) && !board->stopping)
        pthread_cond_wait(&board->filled, &board->lock);
    Errand *errand = g_queue_pop_head(&board->queue);
    if (errand)
        errand->running = true;
    pthread_mutex_unlock(&board->lock);
    return errand;
}

static void *work(void *data) {
    Errands *board = data;
    Crew *crew = NULL;
    for (Errand *errand = take(board); errand; errand = take(board)) {
        run(errand, &board->crew, &crew);
        errand_unref(errand);
    }
    crew_free(crew);
    return NULL;
}

/* --- the board -------------------------------------------------------------------------------- */

static void unref_entry(void *errand) {
    errand_unref(errand);
}

Errands *errands_new(const CrewConfig *crew, Alarms *alarms, unsigned threads,
                     int64_t patience_ms) {
    Errands *board = g_malloc0(sizeof(Errands) + threads * sizeof(pthread_t));
    board->crew = *crew;
    board->alarms = alarms;
    board->patience_ms = patience_ms > 0 ? patience_ms : ERRAND_PATIENCE_MS;
    pthread_mutex_init(&board->lock, NULL);
    pthread_cond_init(&board->filled, NULL);
    g_queue_init(&board->queue);
    board->busy = g_hash_table_new(NULL, NULL);
    board->by_id = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, unref_entry);
    board->count = threads;
    for (unsigned i = 0; i < threads; i++)
        if (pthread_create(&board->threads[i], NULL, work, board) != 0)
            g_error("no thread can be started");
    return board;
}

static bool enqueue(Errands *board, Errand *errand) {
    pthread_mutex_lock(&board->lock);
    bool fits = !board->stopping && board->queue.length < ERRANDS_WAITING_MAX;
    if (fits) {
        g_hash_table_insert(board->by_id, errand->id, errand_ref(errand));
        g_queue_push_tail(&board->queue, errand_ref(errand));
        pthread_cond_signal(&board->filled);
    }
    pthread_mutex_unlock(&board->lock);
    return fits;
}

bool errands_begin(Errands *errands, Errand *errand, ErrandTold told, void *data) {
    errand->board = errands;
    errand->told = told;
    errand->told_data = data;
    errand->alarm =
        alarm_set(errands->alarms, errands->patience_ms, 0, lose_patience, errand_ref(errand));
    if (enqueue(errands, errand))
        return true;
    errand->told = NULL;
    if (alarm_cancel(errands->alarms, errand->alarm))
        errand_unref(errand);
    return false;
}

Errand *errands_find(Errands *errands, const char *organization, const char *id) {
    pthread_mutex_lock(&errands->lock);
    Errand *errand = g_hash_table_lookup(errands->by_id, id);
    bool own = errand && strcmp(errand->organization, organization) == 0;
    Errand *found = own ? errand_ref(errand) : NULL;
    pthread_mutex_unlock(&errands->lock);
    return found;
}

static Json *error_json(const GError *error) {
    ErrorCode code = error_code_of(error);
    Json *json = json_new_object();
    json_put_string(json, "code", error_code_name(code));
    json_put_string(json, "message", error->message);
    json_put_bool(json, "retryable", error_code_retryable(code));
    return json;
}

Json *errand_json(Errand *errand) {
    Errands *board = errand->board;
    Json *json = json_new_object();
    pthread_mutex_lock(&board->lock);
    const char *status = !errand->ended  ? errand->running ? "running" : "pending"
                         : errand->error ? "failed"
                                         : "completed";
    json_put_string(json, "id", errand->id);
    json_put_string(json, "kind", errand->kind);
    json_put_string(json, "organizationId", errand->organization);
    json_put_string(json, "integrationId", errand->integration_id);
    json_put_string(json, "status", status);
    json_put(json, "result", errand->body ? json_ref(errand->body) : NULL);
    json_put(json, "error", errand->error ? error_json(errand->error) : NULL);
    json_put_time(json, "createdAt", errand->created_ms);
    json_put_time(json, "completedAt", errand->ended_ms);
    pthread_mutex_unlock(&board->lock);
    return json;
}

/* Whoever waits for an errand that nobody has begun, or that is under way, is told now. */
void errands_stop(Errands *errands) {
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(unref_entry);
    GHashTableIter iterator;
    gpointer value;
    pthread_mutex_lock(&errands->lock);
    errands->stopping = true;
    pthread_cond_broadcast(&errands->filled);
    g_hash_table_iter_init(&iterator, errands->by_id);
    while (g_hash_table_iter_next(&iterator, NULL, &value))
        g_ptr_array_add(all, errand_ref(value));
    while (!g_queue_is_empty(&errands->queue))
        errand_unref(g_queue_pop_head(&errands->queue));
    g_hash_table_iter_init(&iterator, errands->busy);
    while (g_hash_table_iter_next(&iterator, &value, NULL))
        crew_interrupt(value);
    pthread_mutex_unlock(&errands->lock);
    for (guint i = 0; i < all->len; i++)
        tell(g_ptr_array_index(all, i), false);
}

/* What is set would be called with nobody left. */
static void drop_alarms(Errands *errands) {
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(unref_entry);
    GHashTableIter iterator;
    gpointer value;
    pthread_mutex_lock(&errands->lock);
    g_hash_table_iter_init(&iterator, errands->by_id);
    while (g_hash_table_iter_next(&iterator, NULL, &value))
        g_ptr_array_add(all, errand_ref(value));
    pthread_mutex_unlock(&errands->lock);
    for (guint i = 0; i < all->len; i++) {
        Errand *errand = g_ptr_array_index(all, i);
        if (alarm_cancel(errands->alarms, errand->alarm))
            errand_unref(errand);
    }
}

void errands_free(Errands *errands) {
    if (!errands)
        return;
    errands_stop(errands);
    for (unsigned i = 0; i < errands->count; i++)
        pthread_join(errands->threads[i], NULL);
    drop_alarms(errands);
    g_hash_table_unref(errands->by_id);
    g_hash_table_unref(errands->busy);
    pthread_mutex_destroy(&errands->lock);
    pthread_cond_destroy(&errands->filled);
    g_free(errands);
}
