#include "api/watch.h"

#include "api/alarm.h"
#include "api/errand_view.h"
#include "api/listener.h"
#include "api/pool.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "present/job_object.h"
#include "store/event.h"
#include "store/evidence.h"
#include "store/finding.h"
#include "store/integration.h"

#include <pthread.h>
#include <string.h>

#define HEARD_MAX 10000 /* jobs of which progress is remembered */
#define EVIDENCE_MAX STORE_LIST_MAX
#define FINDINGS_MAX 200

typedef struct {
    char *organization;
    Listener *listener;
    int64_t admitted_ms; /* when he last was looked at */
    char *job_id;
    Stream *stream;
    char *last_evidence; /* id of the newest that was sent; NULL: none */
    char *last_progress; /* as sent */
    int64_t sent_ms;
} Watcher;

struct Watch {
    Desk *desk;
    pthread_mutex_t lock;
    pthread_cond_t calm; /* no look is being made */
    GPtrArray *watchers; /* Watcher; the look works on them without the lock: it alone removes */
    GHashTable *heard;   /* "organization/job" -> Json */
    DbListener *listener;
    uint64_t alarm;
    bool looking;
    bool again; /* something has changed meanwhile */
    bool stopping;
};

/* --- events ----------------------------------------------------------------------------------- */

static bool send_event(Watcher *watcher, const char *event, const char *id, const Json *data) {
    g_autofree char *text = json_print(data, JSON_COMPACT);
    g_autoptr(GString) out = g_string_new(NULL);
    if (id)
        g_string_append_printf(out, "id: %s\n", id);
    g_string_append_printf(out, "event: %s\ndata: %s\n\n", event, text);
    watcher->sent_ms = clock_mono_ms();
    return stream_write(watcher->stream, out->str, out->len);
}

static bool send_heartbeat(Watcher *watcher) {
    static const char beat[] = ": heartbeat\n\n";
    if (clock_mono_ms() - watcher->sent_ms < WATCH_HEARTBEAT_MS)
        return true;
    watcher->sent_ms = clock_mono_ms();
    return stream_write(watcher->stream, beat, sizeof beat - 1);
}

/* --- one look --------------------------------------------------------------------------------- */

typedef struct {
    Watch *watch;
    const Watcher *watcher;
    Job *job; /* NULL: there is none */
    JobResult *result;
    Json *progress;      /* of a job that is being run; or NULL */
    GPtrArray *evidence; /* Evidence of the job behind the last one sent, the oldest first */
    GPtrArray *findings; /* Finding opened by it, once it has ended */
    bool due;            /* it is to be looked whether he still may */
    bool denied;         /* and he may not */
} Look;

static void look_clear(Look *look) {
    g_clear_pointer(&look->job, job_free);
    g_clear_pointer(&look->result, job_result_free);
    g_clear_pointer(&look->progress, json_free);
    g_clear_pointer(&look->evidence, g_ptr_array_unref);
    g_clear_pointer(&look->findings, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Look, look_clear)

static bool has_ended(const Job *job) {
    return job->completed_at > 0;
}

static void free_evidence(void *row) {
    evidence_free(row);
}

static void free_finding(void *row) {
    finding_free(row);
}

/* The newest come first; what is older than the job cannot be its own. */
static bool read_evidence(DbUnit *unit, Look *look, GError **error) {
    EvidenceFilter filter = {.integration_id = look->job->integration_id, .limit = EVIDENCE_MAX};
    g_autoptr(GPtrArray) rows = NULL;
    look->evidence = g_ptr_array_new_with_free_func(free_evidence);
    if (!evidence_list(unit, &filter, &rows, error))
        return false;
    const char *last = look->watcher->last_evidence;
    for (guint i = 0; i < rows->len; i++) {
        const Evidence *row = g_ptr_array_index(rows, i);
        if (g_strcmp0(row->job_id, look->job->id) != 0 || (last && strcmp(row->id, last) <= 0))
            continue;
        g_ptr_array_insert(look->evidence, 0, g_ptr_array_steal_index(rows, i--));
    }
    return true;
}

static bool is_opened_by(const Finding *finding, const Job *job) {
    return finding->opened_at >= job->run_clock && job->run_clock > 0;
}

static bool read_findings(DbUnit *unit, Look *look, GError **error) {
    FindingFilter filter = {.state = FINDING_OPEN,
                            .integration_id = look->job->integration_id,
                            .limit = STORE_LIST_MAX};
    g_autoptr(GPtrArray) rows = NULL;
    look->findings = g_ptr_array_new_with_free_func(free_finding);
    if (!finding_list(unit, &filter, &rows, error))
        return false;
    for (guint i = 0; i < rows->len && look->findings->len < FINDINGS_MAX; i++)
        if (is_opened_by(g_ptr_array_index(rows, i), look->job))
            g_ptr_array_add(look->findings, g_ptr_array_steal_index(rows, i--));
    return true;
}

/* A result is there only when the job has ended. */
static bool read_result(DbUnit *unit, Look *look, GError **error) {
    g_autoptr(GError) missing = NULL;
    if (job_result_get(unit, look->job->id, &look->result, &missing) ||
        g_error_matches(missing, ASSAY_ERROR, ERROR_NOT_FOUND))
        return true;
    g_propagate_error(error, g_steal_pointer(&missing));
    return false;
}

/* *job_out is NULL when there is none. */
static bool find_job(DbUnit *unit, const char *id, Job **job_out, GError **error) {
    g_autoptr(GError) missing = NULL;
    if (job_get(unit, id, job_out, &missing) ||
        g_error_matches(missing, ASSAY_ERROR, ERROR_NOT_FOUND))
        return true;
    g_propagate_error(error, g_steal_pointer(&missing));
    return false;
}

static bool admit(DbUnit *unit, Look *look, GError **error) {
    bool may = true;
    if (look->due && !listener_may(unit, look->watcher->listener, look->job, &may, error))
        return false;
    look->denied = !may;
    return true;
}

static bool look_work(DbUnit *unit, void *data, GError **error) {
    Look *look = data;
    look_clear(look);
    if (!find_job(unit, look->watcher->job_id, &look->job, error) || !admit(unit, look, error))
        return false;
    if (!look->job || look->denied)
        return true;
    return read_evidence(unit, look, error) &&
           watch_read_progress(look->watch, unit, look->job, &look->progress, error) &&
           (!has_ended(look->job) ||
            (read_result(unit, look, error) && read_findings(unit, look, error)));
}

/* --- what is told ----------------------------------------------------------------------------- */

static bool tell_progress(Watcher *watcher, const char *status, const Json *heard) {
    g_autoptr(Json) json = heard ? json_copy_deep(heard) : json_new_object();
    json_put_string(json, "status", status);
    g_autofree char *text = json_print(json, JSON_SORTED);
    if (g_strcmp0(text, watcher->last_progress) == 0)
        return true;
    g_free(watcher->last_progress);
    watcher->last_progress = g_steal_pointer(&text);
    return send_event(watcher, "progress", NULL, json);
}

static bool tell_evidence(Watcher *watcher, const Look *look) {
    for (guint i = 0; i < look->evidence->len; i++) {
        const Evidence *row = g_ptr_array_index(look->evidence, i);
        g_autoptr(Json) json = json_new_object();
        json_put_string(json, "id", row->id);
        json_put_string(json, "evidenceType", row->evidence_type);
        json_put_time(json, "collectedAt", row->collected_at);
        if (!send_event(watcher, "evidence", row->id, json))
            return false;
        g_free(watcher->last_evidence);
        watcher->last_evidence = g_strdup(row->id);
    }
    return true;
}

static bool tell_findings(Watcher *watcher, const Look *look) {
    for (guint i = 0; i < look->findings->len; i++) {
        const Finding *row = g_ptr_array_index(look->findings, i);
        g_autoptr(Json) json = json_new_object();
        json_put_string(json, "check", row->check_id);
        json_put_string(json, "resource", row->resource);
        json_put_string(json, "severity", row->severity);
        json_put_string(json, "title", row->title);
        if (!send_event(watcher, "finding", NULL, json))
            return false;
    }
    return true;
}

/* Whether there will be more. */
static bool tell_done(Watcher *watcher, const Json *object) {
    if (send_event(watcher, "done", NULL, object))
        stream_end(watcher->stream, false);
    return false;
}

static bool tell_job(Watcher *watcher, const Look *look) {
    if (!tell_progress(watcher, look->job->status, look->progress) || !tell_evidence(watcher, look))
        return false;
    if (!has_ended(look->job))
        return send_heartbeat(watcher);
    if (!tell_findings(watcher, look))
        return false;
    g_autoptr(Json) object = job_object(look->job, look->result, NULL);
    return tell_done(watcher, object);
}

/* A database that does not answer is asked again with the next look. */
static bool look_failed(Watcher *watcher, const GError *error) {
    log_line(LOG_WARN, "job_not_watched", LOG_TEXT("job", watcher->job_id),
             LOG_TEXT("why", error->message));
    return send_heartbeat(watcher);
}

/* Connecting and testing are errands; one that was forgotten is over. */
static bool tell_errand(Watch *watch, Watcher *watcher) {
    g_autoptr(ErrandView) view = NULL;
    g_autoptr(GError) error = NULL;
    if (!errand_view_read(watch->desk->errands, watcher->organization, watcher->job_id, &view,
                          &error))
        return look_failed(watcher, error);
    if (!view) {
        stream_end(watcher->stream, false);
        return false;
    }
    if (!tell_progress(watcher, json_member_string(view->object, "status", ""), NULL))
        return false;
    return view->ended ? tell_done(watcher, view->object) : send_heartbeat(watcher);
}

/* Says why there will be no more. */
static bool tell_revoked(Watcher *watcher) {
    g_autoptr(Json) json = json_new_object();
    json_put_string(json, "reason", "revoked");
    if (send_event(watcher, "end", NULL, json))
        stream_end(watcher->stream, false);
    return false;
}

static bool is_due(const Watch *watch, const Watcher *watcher) {
    int64_t wanted = watch->desk->config.heartbeat_ms;
    return clock_mono_ms() - watcher->admitted_ms >= (wanted > 0 ? wanted : WATCH_HEARTBEAT_MS);
}

static bool look_at(Watch *watch, Watcher *watcher) {
    g_auto(Look) look = {.watch = watch, .watcher = watcher, .due = is_due(watch, watcher)};
    g_autoptr(GError) error = NULL;
    DbScope scope = {.organization = watcher->organization, .actor = "api"};
    if (!stream_is_wanted(watcher->stream))
        return false;
    if (!db_run(watch->desk->config.db, &scope, DB_READ, look_work, &look, &error))
        return look_failed(watcher, error);
    if (look.denied)
        return tell_revoked(watcher);
    if (look.due)
        watcher->admitted_ms = clock_mono_ms();
    return look.job ? tell_job(watcher, &look) : tell_errand(watch, watcher);
}

/* --- looking ---------------------------------------------------------------------------------- */

static void watcher_free(void *data) {
    Watcher *watcher = data;
    g_free(watcher->organization);
    listener_free(watcher->listener);
    g_free(watcher->job_id);
    stream_unref(watcher->stream);
    g_free(watcher->last_evidence);
    g_free(watcher->last_progress);
    g_free(watcher);
}

static GPtrArray *all_watchers(Watch *watch) {
    pthread_mutex_lock(&watch->lock);
    GPtrArray *all = g_ptr_array_copy(watch->watchers, NULL, NULL);
    g_ptr_array_set_free_func(all, NULL);
    pthread_mutex_unlock(&watch->lock);
    return all;
}

static void drop(Watch *watch, Watcher *watcher) {
    pthread_mutex_lock(&watch->lock);
    g_ptr_array_remove_fast(watch->watchers, watcher);
    pthread_mutex_unlock(&watch->lock);
}

static void look_around(PoolSeat *seat, void *data) {
    Watch *watch = data;
    (void)seat;
    for (bool again = true; again;) {
        g_autoptr(GPtrArray) all = all_watchers(watch);
        for (guint i = 0; i < all->len; i++)
            if (!look_at(watch, g_ptr_array_index(all, i)))
                drop(watch, g_ptr_array_index(all, i));
        pthread_mutex_lock(&watch->lock);
        again = watch->again && !watch->stopping;
        watch->again = false;
        watch->looking = again;
        if (!again)
            pthread_cond_broadcast(&watch->calm);
        pthread_mutex_unlock(&watch->lock);
    }
}

/* Called from anywhere. */
static void look_soon(void *data) {
    Watch *watch = data;
    pthread_mutex_lock(&watch->lock);
    bool needed = watch->watchers->len > 0 && !watch->stopping;
    bool begin = needed && !watch->looking;
    watch->again = needed && watch->looking;
    watch->looking = watch->looking || begin;
    pthread_mutex_unlock(&watch->lock);
    if (begin)
        pool_insist(watch->desk->pool, look_around, watch);
}

/* --- life ------------------------------------------------------------------------------------- */

static void free_json(void *json) {
    json_free(json);
}

bool watch_new(Desk *desk, Watch **watch_out, GError **error) {
    Watch *watch = g_new0(Watch, 1);
    watch->desk = desk;
    pthread_mutex_init(&watch->lock, NULL);
    pthread_cond_init(&watch->calm, NULL);
    watch->watchers = g_ptr_array_new_with_free_func(watcher_free);
    watch->heard = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_json);
    watch->listener = db_listen(desk->config.db, EVENT_CHANNEL, look_soon, watch, error);
    watch->alarm = alarm_set(desk->alarms, WATCH_LOOK_MS, WATCH_LOOK_MS, look_soon, watch);
    if (watch->listener) {
        *watch_out = watch;
        return true;
    }
    watch_free(watch);
    return false;
}

void watch_stop(Watch *watch) {
    pthread_mutex_lock(&watch->lock);
    bool stopped = watch->stopping;
    watch->stopping = true;
    pthread_mutex_unlock(&watch->lock);
    if (stopped)
        return;
    (void)alarm_cancel(watch->desk->alarms, watch->alarm);
    db_listen_end(watch->listener);
    pthread_mutex_lock(&watch->lock);
    while (watch->looking)
        pthread_cond_wait(&watch->calm, &watch->lock);
    pthread_mutex_unlock(&watch->lock);
}

void watch_free(Watch *watch) {
    if (!watch)
        return;
    watch_stop(watch);
    g_ptr_array_unref(watch->watchers);
    g_hash_table_unref(watch->heard);
    pthread_mutex_destroy(&watch->lock);
    pthread_cond_destroy(&watch->calm);
    g_free(watch);
}

/* --- watchers --------------------------------------------------------------------------------- */

static Watcher *watcher_new(const WatchWish *wish, Stream *stream) {
    Watcher *watcher = g_new0(Watcher, 1);
    watcher->organization = g_strdup(wish->organization);
    watcher->listener = listener_new(wish->caller);
    watcher->admitted_ms = clock_mono_ms();
    watcher->job_id = g_strdup(wish->job_id);
    watcher->stream = stream_ref(stream);
    watcher->sent_ms = clock_mono_ms();
    if (wish->last_event && id_is_valid(wish->last_event))
        watcher->last_evidence = g_strdup(wish->last_event);
    return watcher;
}

typedef struct {
    unsigned all;
    unsigned organization;
    unsigned caller;
} Shares;

/* Under the lock. Those that nobody reads any more go with the next look. */
static Shares count_watchers(const Watch *watch, const Watcher *like) {
    Shares shares = {0};
    for (guint i = 0; i < watch->watchers->len; i++) {
        const Watcher *watcher = g_ptr_array_index(watch->watchers, i);
        if (!stream_is_wanted(watcher->stream))
            continue;
        shares.all++;
        shares.organization += strcmp(watcher->organization, like->organization) == 0;
        shares.caller += strcmp(listener_id(watcher->listener), listener_id(like->listener)) == 0;
    }
    return shares;
}

/* Under the lock. */
static bool has_room(const Watch *watch, const Watcher *watcher, GError **error) {
    Shares shares = count_watchers(watch, watcher);
    bool own = shares.caller >= WATCHERS_OF_CALLER;
    if (own || shares.organization >= WATCHERS_OF_ORGANIZATION) {
        g_set_error(error, ASSAY_ERROR, ERROR_RATE_LIMITED,
                    "%s has %d streams of jobs already; close one of them.",
                    own ? "This token or user" : "This organization",
                    own ? WATCHERS_OF_CALLER : WATCHERS_OF_ORGANIZATION);
        return false;
    }
    if (shares.all < WATCHERS_MAX && !watch->stopping)
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE,
                        "Too many watch jobs; try again later.");
    return false;
}

Stream *watch_job(Watch *watch, const WatchWish *wish, GError **error) {
    g_autoptr(Stream) stream = stream_new(&(StreamSource){.block = STREAM_EVENTS_BLOCK});
    Watcher *watcher = watcher_new(wish, stream);
    pthread_mutex_lock(&watch->lock);
    bool fits = has_room(watch, watcher, error);
    if (fits)
        g_ptr_array_add(watch->watchers, watcher);
    pthread_mutex_unlock(&watch->lock);
    if (!fits) {
        watcher_free(watcher);
        return NULL;
    }
    look_soon(watch);
    return g_steal_pointer(&stream);
}

/* --- what is heard ---------------------------------------------------------------------------- */

static char *key_of(const char *organization, const char *job_id) {
    return g_strdup_printf("%s/%s", organization, job_id);
}

void watch_progress(Watch *watch, const char *organization, const char *job_id,
                    const Json *progress) {
    char *key = key_of(organization, job_id);
    Json *copy = json_copy_deep(progress);
    pthread_mutex_lock(&watch->lock);
    /* Jobs that have ended are not told apart: when there are many, all begin anew. */
    if (g_hash_table_size(watch->heard) >= HEARD_MAX)
        g_hash_table_remove_all(watch->heard);
    g_hash_table_replace(watch->heard, key, copy);
    pthread_mutex_unlock(&watch->lock);
    look_soon(watch);
}

bool watch_read_progress(Watch *watch, DbUnit *unit, const Job *job, Json **progress_out,
                         GError **error) {
    g_autofree char *text = NULL;
    *progress_out = NULL;
    if (strcmp(job->status, JOB_RUNNING) != 0)
        return true;
    *progress_out = watch_last_progress(watch, job->organization_id, job->id);
    if (*progress_out)
        return true;
    if (!job_progress(unit, job->id, &text, error))
        return false;
    if (text)
        *progress_out = json_parse(text, strlen(text), STORE_JSON_MAX, NULL);
    return true;
}

Json *watch_last_progress(Watch *watch, const char *organization, const char *job_id) {
    g_autofree char *key = key_of(organization, job_id);
    pthread_mutex_lock(&watch->lock);
    const Json *heard = g_hash_table_lookup(watch->heard, key);
    Json *copy = heard ? json_copy_deep(heard) : NULL;
    pthread_mutex_unlock(&watch->lock);
    return copy;
}
