#include "api/feed.h"

#include "api/alarm.h"
#include "api/audience.h"
#include "api/pool.h"
#include "api/viewer.h"
#include "base/clock.h"
#include "base/log.h"
#include "present/event_object.h"

#include <pthread.h>
#include <string.h>

#define LOOK_PAUSE_MS 100 /* between looks, so that many events are one */
#define PAGE 500          /* events read at once */
/* Clocks of machines may differ by less than that; an event is found by the heartbeat else. */
#define NEWS_MARGIN_MS (5 * 60 * (int64_t)1000)
#define PROGRESS_EVERY_MS 1000 /* of one job */

struct Feed {
    Desk *desk;
    int64_t heartbeat_ms;
    DbListener *listener;
    uint64_t heart;
    pthread_mutex_t lock;
    pthread_cond_t calm; /* no look is being made */
    GPtrArray *viewers;  /* Viewer; used under the lock only */
    GHashTable *running; /* "organization/job" -> Running */
    unsigned opening;    /* viewers who are about to come */
    uint64_t planned;    /* alarm of the next look; 0: none */
    int64_t looked_ms;   /* when the last look ended */
    bool looking;
    bool again;   /* something has happened meanwhile */
    bool all_due; /* look everywhere, and at who may see it */
    bool stopping;
    atomic_bool held_back; /* somebody gets the rest when he has read what he has */
};

/* A job that runs, for what its worker tells. */
typedef struct {
    char *integration_id;
    int64_t told_ms;
} Running;

static void running_free(void *data) {
    Running *running = data;
    g_free(running->integration_id);
    g_free(running);
}

static char *running_key(const char *organization, const char *job) {
    return g_strdup_printf("%s/%s", organization, job);
}

/* --- planning looks --------------------------------------------------------------------------- */

static void look(PoolSeat *seat, void *data);

static void begin_look(void *data) {
    Feed *feed = data;
    pthread_mutex_lock(&feed->lock);
    feed->planned = 0;
    feed->looking = !feed->stopping;
    bool begins = feed->looking;
    pthread_mutex_unlock(&feed->lock);
    if (begins)
        pool_insist(feed->desk->pool, look, feed);
}

/* Under the lock. */
static void plan(Feed *feed) {
    if (feed->stopping || feed->viewers->len == 0)
        return;
    int64_t wait_ms = feed->looked_ms + LOOK_PAUSE_MS - clock_mono_ms();
    if (feed->looking)
        feed->again = true;
    else if (feed->planned == 0)
        feed->planned =
            alarm_set(feed->desk->alarms, CLAMP(wait_ms, 0, LOOK_PAUSE_MS), 0, begin_look, feed);
}

static void on_news(void *data) {
    Feed *feed = data;
    pthread_mutex_lock(&feed->lock);
    plan(feed);
    pthread_mutex_unlock(&feed->lock);
}

static void on_hungry(Stream *stream, void *data) {
    Feed *feed = data;
    (void)stream;
    if (atomic_exchange(&feed->held_back, false))
        on_news(feed);
}

/* --- who watches ------------------------------------------------------------------------------ */

static void free_viewer(void *viewer) {
    viewer_free(viewer);
}

/* Under the lock: lets those go whom nobody reads any more. */
static void bury(Feed *feed) {
    for (guint i = feed->viewers->len; i > 0; i--)
        if (!viewer_is_there(g_ptr_array_index(feed->viewers, i - 1)))
            g_ptr_array_remove_index_fast(feed->viewers, i - 1);
}

/* Under the lock. */
static void beat(Feed *feed) {
    int64_t since = clock_mono_ms() - feed->heartbeat_ms / 2;
    for (guint i = 0; i < feed->viewers->len; i++)
        viewer_beat(g_ptr_array_index(feed->viewers, i), since);
    bury(feed);
    if (feed->viewers->len == 0 && feed->opening == 0)
        g_hash_table_remove_all(feed->running);
}

static void on_heartbeat(void *data) {
    Feed *feed = data;
    pthread_mutex_lock(&feed->lock);
    beat(feed);
    feed->all_due = true;
    plan(feed);
    pthread_mutex_unlock(&feed->lock);
}

/* --- what a look is about --------------------------------------------------------------------- */

/* One organization in one look. */
typedef struct {
    char *organization;
    int64_t after;     /* the last number that all of its viewers have passed */
    GHashTable *asked; /* ids of callers whose access is to be looked at; NULL: nobody's */
    /* What was read. */
    GHashTable *admitted; /* id -> Access, of those asked for */
    GPtrArray *notices;   /* Told */
    bool more;
} Place;

/* A notice with what its texts live in. */
typedef struct {
    Notice notice;
    Event *event;
    char *data;
    char *status; /* of the job; NULL: it is not about a job's state */
} Told;

static void told_free(void *data) {
    Told *told = data;
    event_free(told->event);
    g_free(told->data);
    g_free(told->status);
    g_free(told);
}

static void free_access(void *access) {
    access_free(access);
}

static void place_free(void *data) {
    Place *place = data;
    g_free(place->organization);
    g_clear_pointer(&place->asked, g_hash_table_unref);
    g_clear_pointer(&place->admitted, g_hash_table_unref);
    g_clear_pointer(&place->notices, g_ptr_array_unref);
    g_free(place);
}

static Place *place_of(GHashTable *places, const char *organization) {
    Place *place = g_hash_table_lookup(places, organization);
    if (place)
        return place;
    place = g_new0(Place, 1);
    place->organization = g_strdup(organization);
    place->after = INT64_MAX;
    g_hash_table_insert(places, place->organization, place);
    return place;
}

/* Under the lock. He may have read all of it since he was looked at. */
static void hold_back(Feed *feed, const Viewer *viewer) {
    atomic_store(&feed->held_back, true);
    feed->again = feed->again || viewer_is_hungry(viewer);
}

/* Under the lock. */
static void add_seats(Feed *feed, const Viewer *viewer, bool all, GHashTable *places) {
    bool hungry = viewer_is_hungry(viewer);
    for (size_t i = 0; i < viewer_seats(viewer); i++) {
        const char *organization = viewer_organization(viewer, i);
        if (!organization)
            continue;
        Place *place = place_of(places, organization);
        if (hungry)
            place->after = MIN(place->after, viewer_seen(viewer, i));
        else
            hold_back(feed, viewer);
        if (all && !place->asked)
            place->asked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        if (all)
            g_hash_table_add(place->asked, g_strdup(viewer_caller(viewer)));
    }
}

/* The organizations that are watched; *all_out: those that nothing has happened in, too. */
static GHashTable *watched(Feed *feed, bool *all_out) {
    GHashTable *places = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, place_free);
    pthread_mutex_lock(&feed->lock);
    *all_out = feed->all_due;
    feed->all_due = false;
    for (guint i = 0; i < feed->viewers->len; i++)
        add_seats(feed, g_ptr_array_index(feed->viewers, i), *all_out, places);
    pthread_mutex_unlock(&feed->lock);
    return places;
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool news_work(DbUnit *unit, void *data, GError **error) {
    GPtrArray **news = data;
    g_clear_pointer(news, g_ptr_array_unref);
    return event_news(unit, clock_now_ms() - NEWS_MARGIN_MS, news, error);
}

static bool is_behind(const GPtrArray *news, const Place *place) {
    for (guint i = 0; i < news->len; i++) {
        const EventPlace *one = g_ptr_array_index(news, i);
        if (strcmp(one->organization_id, place->organization) == 0)
            return one->last > place->after;
    }
    return false;
}

static gboolean is_quiet(void *key, void *value, void *news) {
    (void)key;
    return !is_behind(news, value);
}

/* Leaves the organizations in which something has happened. */
static bool keep_news(Feed *feed, GHashTable *places, GError **error) {
    static const DbScope looking = {.actor = "api", .system = true};
    GPtrArray *news = NULL;
    bool ok = db_run(feed->desk->config.db, &looking, DB_READ, news_work, &news, error);
    if (ok)
        g_hash_table_foreach_remove(places, is_quiet, news);
    g_clear_pointer(&news, g_ptr_array_unref);
    return ok;
}

/* Those who are asked for, of all who may. */
static bool read_access(DbUnit *unit, Place *place, GError **error) {
    g_autofree char *after = NULL;
    guint read = 0;
    place->admitted = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_access);
    do {
        g_autoptr(GPtrArray) rows = NULL;
        if (!access_list(unit, after, &rows, error))
            return false;
        read = rows->len;
        g_ptr_array_set_free_func(rows, NULL);
        for (guint i = 0; i < read; i++) {
            Access *row = g_ptr_array_index(rows, i);
            if (i + 1 == read) {
                g_free(after);
                after = g_strdup(row->caller_id);
            }
            if (g_hash_table_contains(place->asked, row->caller_id))
                g_hash_table_replace(place->admitted, (char *)(uintptr_t)row->caller_id, row);
            else
                access_free(row);
        }
    } while (read == STORE_LIST_MAX);
    return true;
}

/* What an event is about, as it is now. */
typedef struct {
    Job *job;
    JobResult *result;
    Integration *integration;
    Schedule *schedule;
} Found;

static void found_clear(Found *found) {
    job_free(found->job);
    job_result_free(found->result);
    integration_free(found->integration);
    schedule_free(found->schedule);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Found, found_clear)

/* True also when there is none; takes the failure. */
static bool may_miss(bool found, GError *failure, GError **error) {
    if (found)
        return true;
    if (g_error_matches(failure, ASSAY_ERROR, ERROR_NOT_FOUND)) {
        g_error_free(failure);
        return true;
    }
    g_propagate_error(error, failure);
    return false;
}

static bool find_job(DbUnit *unit, const char *id, Found *found, GError **error) {
    GError *failure = NULL;
    bool there = job_get(unit, id, &found->job, &failure);
    if (!may_miss(there, failure, error))
        return false;
    failure = NULL;
    there = there && job_result_get(unit, id, &found->result, &failure);
    return !failure || may_miss(there, failure, error);
}

static bool find_integration(DbUnit *unit, const char *id, Found *found, GError **error) {
    GError *failure = NULL;
    bool there = integration_get(unit, id, &found->integration, &failure);
    return may_miss(there, failure, error);
}

static bool find_schedule(DbUnit *unit, const char *id, Found *found, GError **error) {
    GError *failure = NULL;
    bool there = schedule_get(unit, id, &found->schedule, &failure);
    return may_miss(there, failure, error);
}

static bool find_subject(DbUnit *unit, const Event *event, const Json *data, Found *found,
                         GError **error) {
    if (strcmp(event->kind, EVENT_DONE) == 0 && event->job_id)
        return find_job(unit, event->job_id, found, error);
    if (strcmp(event->kind, EVENT_INTEGRATION) == 0 && event->integration_id)
        return find_integration(unit, event->integration_id, found, error);
    if (strcmp(event->kind, EVENT_SCHEDULE) == 0)
        return find_schedule(unit, json_member_string(data, "id", ""), found, error);
    return true;
}

static RoleAction action_for(const char *kind) {
    if (strcmp(kind, EVENT_EVIDENCE) == 0)
        return ACTION_EVIDENCE_READ;
    if (strcmp(kind, EVENT_FINDING) == 0)
        return ACTION_FINDING_READ;
    bool of_job = strcmp(kind, EVENT_JOB) == 0 || strcmp(kind, EVENT_DONE) == 0;
    return of_job ? ACTION_JOB_READ : ACTION_INTEGRATION_READ;
}

static Notice notice_of(const Place *place, const Event *event, const Json *data,
                        const Found *found) {
    Notice notice = {.organization = place->organization,
                     .seq = event->seq,
                     .action = action_for(event->kind),
                     .resource = {.integration_id = event->integration_id, .at = event->at},
                     .since = found->job ? found->job->created_at : 0};
    int64_t collected = 0;
    if (clock_parse(json_member_string(data, "collectedAt", ""), &collected))
        notice.resource.at = collected;
    return notice;
}

/* The result of a job may be larger than what waits for a client; he can ask for it. */
static void shorten(Told *told, const Json *object) {
    static const char *const kept[] = {"organizationId", "integrationId", "jobId", "status"};
    g_autoptr(Json) json = json_new_object();
    for (size_t i = 0; i < G_N_ELEMENTS(kept); i++)
        json_put_string(json, kept[i], json_member_string(object, kept[i], NULL));
    json_put_bool(json, "shortened", true);
    g_free(told->data);
    told->data = json_print(json, JSON_COMPACT);
}

/* Takes the event. */
static bool add_notice(DbUnit *unit, const Place *place, Event *event, GError **error) {
    g_auto(Found) found = {0};
    Told *told = g_new0(Told, 1);
    told->event = event;
    g_ptr_array_add(place->notices, told);
    g_autoptr(Json) data = json_parse(event->data, strlen(event->data), STORE_JSON_MAX, NULL);
    if (!find_subject(unit, event, data, &found, error))
        return false;
    EventFacts facts = {found.job, found.result, found.integration, found.schedule};
    g_autoptr(Json) object = event_object(place->organization, event, &facts);
    told->notice = notice_of(place, event, data, &found);
    told->status = g_strdup(json_member_string(data, "status", NULL));
    if (!object)
        return true;
    told->data = json_print(object, JSON_COMPACT);
    if (strlen(told->data) > VIEWER_WAITING_MAX)
        shorten(told, object);
    told->notice.data = told->data;
    told->notice.name = event_name(event->kind);
    return true;
}

static bool read_events(DbUnit *unit, Place *place, GError **error) {
    g_autoptr(GPtrArray) rows = NULL;
    place->notices = g_ptr_array_new_with_free_func(told_free);
    if (!event_list(unit, place->after, PAGE, &rows, error))
        return false;
    place->more = rows->len == PAGE;
    g_ptr_array_set_free_func(rows, NULL);
    bool ok = true;
    for (guint i = 0; i < rows->len; i++) {
        if (ok)
            ok = add_notice(unit, place, g_ptr_array_index(rows, i), error);
        else
            event_free(g_ptr_array_index(rows, i));
    }
    return ok;
}

static bool place_work(DbUnit *unit, void *data, GError **error) {
    Place *place = data;
    g_clear_pointer(&place->admitted, g_hash_table_unref);
    g_clear_pointer(&place->notices, g_ptr_array_unref);
    return (!place->asked || read_access(unit, place, error)) &&
           (place->after == INT64_MAX || read_events(unit, place, error));
}

/* --- telling ---------------------------------------------------------------------------------- */

/* Under the lock: what workers tell of is known by its job. */
static void note_running(Feed *feed, const char *organization, const char *job,
                         const char *integration) {
    Running *running = g_new0(Running, 1);
    running->integration_id = g_strdup(integration);
    g_hash_table_replace(feed->running, running_key(organization, job), running);
}

/* Under the lock. */
static void note_job(Feed *feed, const Place *place, const Told *told) {
    const Event *event = told->event;
    if (!told->status || !event->job_id)
        return;
    g_autofree char *key = running_key(place->organization, event->job_id);
    if (strcmp(told->status, JOB_RUNNING) == 0 && event->integration_id)
        note_running(feed, place->organization, event->job_id, event->integration_id);
    else
        g_hash_table_remove(feed->running, key);
}

/* Under the lock. */
static void admit(const Place *place, Viewer *viewer) {
    if (place->admitted && g_hash_table_contains(place->asked, viewer_caller(viewer)))
        viewer_admit(viewer, place->organization,
                     g_hash_table_lookup(place->admitted, viewer_caller(viewer)));
}

/* Under the lock. Whoever came meanwhile is behind nothing of it, or gets the rest later. */
static void tell_all(Feed *feed, const Place *place, Viewer *viewer) {
    for (size_t i = 0; i < viewer_seats(viewer); i++) {
        const char *organization = viewer_organization(viewer, i);
        if (g_strcmp0(organization, place->organization) == 0 &&
            viewer_seen(viewer, i) < place->after)
            return;
    }
    guint told = 0;
    for (; told < place->notices->len && viewer_is_hungry(viewer); told++)
        viewer_tell(viewer, &((const Told *)g_ptr_array_index(place->notices, told))->notice);
    if (told < place->notices->len)
        hold_back(feed, viewer);
}

static void tell_place(Feed *feed, const Place *place) {
    pthread_mutex_lock(&feed->lock);
    for (guint i = 0; place->notices && i < place->notices->len; i++)
        note_job(feed, place, g_ptr_array_index(place->notices, i));
    for (guint i = 0; i < feed->viewers->len; i++) {
        Viewer *viewer = g_ptr_array_index(feed->viewers, i);
        admit(place, viewer);
        if (place->notices)
            tell_all(feed, place, viewer);
    }
    feed->again = feed->again || place->more;
    pthread_mutex_unlock(&feed->lock);
}

/* --- one look --------------------------------------------------------------------------------- */

static bool look_at(Feed *feed, Place *place, GError **error) {
    DbScope scope = {.organization = place->organization, .actor = "api"};
    if (!db_run(feed->desk->config.db, &scope, DB_READ, place_work, place, error))
        return false;
    tell_place(feed, place);
    return true;
}

/* A database that does not answer is asked again with the next look. */
static bool look_around(Feed *feed, GError **error) {
    bool all = false;
    g_autoptr(GHashTable) places = watched(feed, &all);
    GHashTableIter iterator;
    gpointer place;
    if (!all && g_hash_table_size(places) > 0 && !keep_news(feed, places, error))
        return false;
    g_hash_table_iter_init(&iterator, places);
    while (g_hash_table_iter_next(&iterator, NULL, &place))
        if (!look_at(feed, place, error))
            return false;
    return true;
}

static void look(PoolSeat *seat, void *data) {
    Feed *feed = data;
    g_autoptr(GError) error = NULL;
    (void)seat;
    if (!look_around(feed, &error))
        log_line(LOG_WARN, "events_not_read", LOG_TEXT("why", error->message));
    pthread_mutex_lock(&feed->lock);
    bury(feed);
    feed->looking = false;
    feed->looked_ms = clock_mono_ms();
    if (feed->again)
        plan(feed);
    feed->again = false;
    pthread_cond_broadcast(&feed->calm);
    pthread_mutex_unlock(&feed->lock);
}

/* --- opening ---------------------------------------------------------------------------------- */

/* One organization of a new viewer. */
typedef struct {
    EventRange range;
    GPtrArray *jobs; /* Job that run now */
} OpenWork;

static bool open_work(DbUnit *unit, void *data, GError **error) {
    OpenWork *work = data;
    JobFilter filter = {.status = JOB_RUNNING, .limit = STORE_LIST_MAX};
    g_clear_pointer(&work->jobs, g_ptr_array_unref);
    return event_range(unit, &work->range, error) && job_list(unit, &filter, &work->jobs, error);
}

static bool read_seat(Feed *feed, const char *organization, EventRange *range_out, GError **error) {
    DbScope scope = {.organization = organization, .actor = "api"};
    OpenWork work = {0};
    bool ok = db_run(feed->desk->config.db, &scope, DB_READ, open_work, &work, error);
    pthread_mutex_lock(&feed->lock);
    for (guint i = 0; ok && i < work.jobs->len; i++) {
        const Job *job = g_ptr_array_index(work.jobs, i);
        note_running(feed, organization, job->id, job->integration_id);
    }
    pthread_mutex_unlock(&feed->lock);
    g_clear_pointer(&work.jobs, g_ptr_array_unref);
    *range_out = work.range;
    return ok;
}

static bool begin(Feed *feed, Viewer *viewer, const char *last_event, GError **error) {
    EventRange ranges[VIEWER_SEATS_MAX] = {0};
    for (size_t i = 0; i < viewer_seats(viewer); i++)
        if (!read_seat(feed, viewer_organization(viewer, i), &ranges[i], error))
            return false;
    viewer_begin(viewer, last_event, ranges);
    return true;
}

/* Under the lock. */
static bool has_room(Feed *feed, const Viewer *viewer, GError **error) {
    audience_replace(feed->viewers, viewer);
    bury(feed);
    return audience_has_room(feed->viewers, viewer, MAX(feed->desk->config.connections / 2, 1),
                             error);
}

static bool add_viewer(Feed *feed, Viewer *viewer, GError **error) {
    pthread_mutex_lock(&feed->lock);
    bool fits = has_room(feed, viewer, error);
    if (fits) {
        g_ptr_array_add(feed->viewers, viewer);
        plan(feed);
    }
    pthread_mutex_unlock(&feed->lock);
    return fits;
}

static bool check_seats(const Caller *caller, GError **error) {
    if (caller->organization || caller->reach->len <= VIEWER_SEATS_MAX)
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_USAGE,
                "A stream has at most %d organizations; say which one with organizationId.",
                VIEWER_SEATS_MAX);
    return false;
}

static void count_opening(Feed *feed, int change) {
    pthread_mutex_lock(&feed->lock);
    feed->opening += (unsigned)change;
    pthread_mutex_unlock(&feed->lock);
}

Stream *feed_open(Feed *feed, const Caller *caller, const char *last_event, GError **error) {
    StreamSource source = {.hungry = on_hungry, .data = feed, .block = STREAM_EVENTS_BLOCK};
    if (!check_seats(caller, error))
        return NULL;
    g_autoptr(Stream) stream = stream_new(&source);
    g_autoptr(Viewer) viewer = viewer_new(caller, stream_ref(stream));
    count_opening(feed, 1);
    bool opened = begin(feed, viewer, last_event, error) && add_viewer(feed, viewer, error);
    count_opening(feed, -1);
    if (!opened)
        return NULL;
    (void)g_steal_pointer(&viewer);
    return g_steal_pointer(&stream);
}

/* --- what workers tell ------------------------------------------------------------------------ */

/* Under the lock. */
static void tell_progress(Feed *feed, const char *organization, const char *job_id,
                          const Running *running, const Json *progress) {
    g_autoptr(Json) json =
        event_progress_object(organization, running->integration_id, job_id, progress);
    g_autofree char *data = json_print(json, JSON_COMPACT);
    Notice notice = {.organization = organization,
                     .action = ACTION_JOB_READ,
                     .resource = {running->integration_id, NULL, clock_now_ms()},
                     .name = event_name(EVENT_JOB),
                     .data = data};
    for (guint i = 0; i < feed->viewers->len; i++) {
        Viewer *viewer = g_ptr_array_index(feed->viewers, i);
        if (viewer_is_hungry(viewer))
            viewer_tell(viewer, &notice);
    }
}

void feed_progress(Feed *feed, const char *organization_id, const char *job_id,
                   const Json *progress) {
    g_autofree char *key = running_key(organization_id, job_id);
    int64_t now = clock_mono_ms();
    pthread_mutex_lock(&feed->lock);
    Running *running = g_hash_table_lookup(feed->running, key);
    bool due = running && (running->told_ms == 0 || now - running->told_ms >= PROGRESS_EVERY_MS);
    if (due) {
        running->told_ms = now;
        tell_progress(feed, organization_id, job_id, running, progress);
    }
    pthread_mutex_unlock(&feed->lock);
}

unsigned feed_streams(Feed *feed) {
    pthread_mutex_lock(&feed->lock);
    unsigned count = feed->viewers->len;
    pthread_mutex_unlock(&feed->lock);
    return count;
}

/* --- life ------------------------------------------------------------------------------------- */

bool feed_new(Desk *desk, Feed **feed_out, GError **error) {
    g_autoptr(Feed) feed = g_new0(Feed, 1);
    int64_t wanted = desk->config.heartbeat_ms;
    feed->desk = desk;
    feed->heartbeat_ms = wanted > 0 ? wanted : FEED_HEARTBEAT_MS;
    pthread_mutex_init(&feed->lock, NULL);
    pthread_cond_init(&feed->calm, NULL);
    feed->viewers = g_ptr_array_new_with_free_func(free_viewer);
    feed->running = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, running_free);
    feed->listener = db_listen(desk->config.db, EVENT_CHANNEL, on_news, feed, error);
    feed->heart =
        alarm_set(desk->alarms, feed->heartbeat_ms, feed->heartbeat_ms, on_heartbeat, feed);
    if (!feed->listener)
        return false;
    *feed_out = g_steal_pointer(&feed);
    return true;
}

void feed_stop(Feed *feed) {
    pthread_mutex_lock(&feed->lock);
    bool stopped = feed->stopping;
    feed->stopping = true;
    uint64_t planned = feed->planned;
    pthread_mutex_unlock(&feed->lock);
    if (stopped)
        return;
    (void)alarm_cancel(feed->desk->alarms, feed->heart);
    (void)alarm_cancel(feed->desk->alarms, planned);
    db_listen_end(feed->listener);
    pthread_mutex_lock(&feed->lock);
    while (feed->looking)
        pthread_cond_wait(&feed->calm, &feed->lock);
    pthread_mutex_unlock(&feed->lock);
}

void feed_free(Feed *feed) {
    if (!feed)
        return;
    feed_stop(feed);
    g_ptr_array_unref(feed->viewers);
    g_hash_table_unref(feed->running);
    pthread_mutex_destroy(&feed->lock);
    pthread_cond_destroy(&feed->calm);
    g_free(feed);
}
