#include "sync/roster.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "sync/message.h"

#include <sys/socket.h>
#include <sys/time.h>

#define FRAME_S 5   /* a frame that takes longer is broken */
#define VAIN_MS 250 /* after a worker found nothing where something was due */
#define PAUSE_MS 50 /* before a start after the second death in a row; doubles */
#define PAUSE_MOST_MS 5000
#define DEATHS_MOST 16 /* what is counted */

typedef enum {
    POST_EMPTY,
    POST_STARTING,
    POST_FREE,
    POST_ASKED, /* set to work, and has claimed nothing yet */
    POST_BUSY
} PostState;

typedef struct {
    PostState state;
    Station station;
    bool outdated;      /* to be replaced when it is free */
    int64_t free_since; /* monotonic */
    int64_t began;      /* monotonic: the job */
    int64_t jobs;
    Json *job; /* what it has claimed; NULL: nothing */
} Post;

struct Roster {
    RosterConfig config;
    Post *posts;
    bool wanted;        /* somebody is to be set to work */
    bool closed;        /* no further jobs */
    unsigned deaths;    /* in a row, without a job done in between */
    int64_t not_before; /* monotonic: no start and no work before */
};

Roster *roster_new(const RosterConfig *config) {
    Roster *roster = g_new0(Roster, 1);
    roster->config = *config;
    roster->config.station.shielded = true;
    if (roster->config.idle_ms == 0)
        roster->config.idle_ms = ROSTER_IDLE_MS;
    roster->posts = g_new0(Post, config->posts);
    for (unsigned i = 0; i < config->posts; i++)
        roster->posts[i].station.socket = -1;
    return roster;
}

void roster_free(Roster *roster) {
    if (!roster)
        return;
    roster_kill(roster);
    g_free(roster->posts);
    g_free(roster);
}

static Post *find(const Roster *roster, PostState state) {
    for (unsigned i = 0; i < roster->config.posts; i++)
        if (roster->posts[i].state == state)
            return &roster->posts[i];
    return NULL;
}

/* --- coming and going ------------------------------------------------------------------------- */

static void empty(Post *post) {
    json_free(post->job);
    *post = (Post){.station.socket = -1};
}

static void send_home(Post *post) {
    station_end(&post->station);
    empty(post);
}

/* A worker that ended by itself, or whose stream is broken. */
static void bury(Roster *roster, Post *post, const char *why) {
    log_line(LOG_WARN, "worker_died", LOG_INT("pid", post->station.pid), LOG_TEXT("reason", why),
             LOG_TEXT("organization", json_member_string(post->job, "organization", "")),
             LOG_TEXT("job", json_member_string(post->job, "job", "")),
             LOG_INT("attempt", json_member_int(post->job, "attempt", 0)));
    station_kill(&post->station);
    empty(post);
    if (roster->deaths < DEATHS_MOST)
        roster->deaths++;
    if (roster->deaths > 1) {
        int64_t pause = MIN(PAUSE_MOST_MS, (int64_t)PAUSE_MS << (roster->deaths - 2));
        roster->not_before = clock_mono_ms() + pause;
    }
    roster->config.bury(roster->config.data);
}

static void limit_waiting(const Station *station) {
    struct timeval limit = {.tv_sec = FRAME_S};
    (void)setsockopt(station->socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

static void start(Roster *roster, Post *post) {
    g_autoptr(GError) error = NULL;
    if (station_start(&roster->config.station, &post->station, &error)) {
        limit_waiting(&post->station);
        post->state = POST_STARTING;
        return;
    }
    log_line(LOG_ERROR, "worker_not_started", LOG_TEXT("message", error->message));
    roster->deaths = DEATHS_MOST;
    roster->not_before = clock_mono_ms() + PAUSE_MOST_MS;
}

/* --- work ------------------------------------------------------------------------------------- */

static void set_to_work(Roster *roster, Post *post) {
    g_autoptr(Json) request = json_new_object();
    g_autoptr(GError) gone = NULL;
    json_put_string(request, "do", "work");
    json_put_int(request, "jobs", ROSTER_JOBS - post->jobs);
    roster->wanted = false;
    if (message_send(post->station.socket, request, &gone))
        post->state = POST_ASKED;
    else
        bury(roster, post, "it had ended");
}

/* One who is free, else a new one; while one is on the way or at the queue, that one. */
static void dispatch(Roster *roster) {
    if (!roster->wanted || roster->closed || clock_mono_ms() < roster->not_before ||
        find(roster, POST_ASKED))
        return;
    Post *ready = find(roster, POST_FREE);
    if (ready) {
        set_to_work(roster, ready);
        return;
    }
    Post *vacant = find(roster, POST_STARTING) ? NULL : find(roster, POST_EMPTY);
    if (vacant)
        start(roster, vacant);
}

void roster_call(Roster *roster) {
    roster->wanted = true;
    dispatch(roster);
}

/* --- what workers say ------------------------------------------------------------------------- */

static void on_ready(Roster *roster, Post *post, const Json *value) {
    (void)value;
    if (post->state != POST_STARTING)
        return;
    log_line(LOG_DEBUG, "worker_started", LOG_INT("pid", post->station.pid));
    post->state = POST_FREE;
    post->free_since = clock_mono_ms();
    if (roster->closed)
        send_home(post);
}

static void on_claimed(Roster *roster, Post *post, const Json *value) {
    json_free(post->job);
    post->job = json_copy_deep(value);
    if (post->state == POST_ASKED)
        roster->wanted = false; /* what was due then; the look tells what still is */
    post->state = POST_BUSY;
    post->began = clock_mono_ms();
    log_line(LOG_INFO, "job_started", LOG_INT("pid", post->station.pid),
             LOG_TEXT("organization", json_member_string(value, "organization", "")),
             LOG_TEXT("integration", json_member_string(value, "integration", "")),
             LOG_TEXT("job", json_member_string(value, "job", "")),
             LOG_INT("attempt", json_member_int(value, "attempt", 0)));
    if (!roster->closed && (find(roster, POST_FREE) || find(roster, POST_EMPTY)))
        roster->config.look(roster->config.data);
}

static void on_progress(Roster *roster, Post *post, const Json *value) {
    if (roster->config.progress && post->job)
        roster->config.progress(json_member_string(post->job, "organization", ""),
                                json_member_string(post->job, "job", ""), value,
                                roster->config.data);
}

static void on_ended(Roster *roster, Post *post, const Json *value) {
    const Json *result = json_member(value, "result");
    const Json *error = json_member(value, "error");
    log_line(error ? LOG_WARN : LOG_INFO, "job_ended", LOG_INT("pid", post->station.pid),
             LOG_TEXT("organization", json_member_string(post->job, "organization", "")),
             LOG_TEXT("job", json_member_string(post->job, "job", "")),
             LOG_TEXT("outcome", json_member_string(value, "outcome", "")),
             LOG_INT("ms", clock_mono_ms() - post->began),
             LOG_INT("collected", json_member_int(result, "evidenceCollected", 0)),
             LOG_INT("errors", (int64_t)json_count(json_member(result, "errors"))),
             LOG_TEXT("message", json_member_string(error, "message", "")));
    g_clear_pointer(&post->job, json_free);
    roster->deaths = 0;
}

static void on_done(Roster *roster, Post *post, const Json *value) {
    int64_t jobs = json_member_int(value, "jobs", 0);
    post->jobs += jobs;
    post->state = POST_FREE;
    post->free_since = clock_mono_ms();
    if (jobs == 0)
        roster->not_before = MAX(roster->not_before, post->free_since + VAIN_MS);
    bool worn = json_member_bool(value, "worn", false) || post->jobs >= ROSTER_JOBS;
    if (worn || post->outdated || roster->closed)
        send_home(post);
    roster->config.look(roster->config.data);
}

/* Of the greeting or of the work: the process ends, and its lease with it. */
static void on_error(Roster *roster, Post *post, const Json *value) {
    log_line(LOG_ERROR, "worker_failed", LOG_INT("pid", post->station.pid),
             LOG_TEXT("message", json_member_string(value, "message", "")));
    bury(roster, post, "it failed");
}

static const struct {
    const char *key;
    void (*function)(Roster *roster, Post *post, const Json *value);
} handlers[] = {
    {"progress", on_progress}, {"claimed", on_claimed}, {"ended", on_ended},
    {"done", on_done},         {"ready", on_ready},     {"error", on_error},
};

static void heed(Roster *roster, Post *post, const Json *message) {
    for (size_t i = 0; i < G_N_ELEMENTS(handlers); i++) {
        const Json *value = json_member(message, handlers[i].key);
        if (value) {
            handlers[i].function(roster, post, value);
            return;
        }
    }
}

void roster_hear(Roster *roster, int socket) {
    for (unsigned i = 0; i < roster->config.posts; i++) {
        Post *post = &roster->posts[i];
        g_autoptr(Json) message = NULL;
        g_autoptr(GError) error = NULL;
        if (post->station.socket != socket)
            continue;
        if (message_receive(socket, &message, &error))
            heed(roster, post, message);
        else
            bury(roster, post, error->message);
        dispatch(roster);
        return;
    }
}

size_t roster_sockets(const Roster *roster, struct pollfd *sockets_out) {
    size_t count = 0;
    for (unsigned i = 0; i < roster->config.posts; i++)
        if (roster->posts[i].state != POST_EMPTY)
            sockets_out[count++] =
                (struct pollfd){.fd = roster->posts[i].station.socket, .events = POLLIN};
    return count;
}

/* --- time ------------------------------------------------------------------------------------- */

void roster_turn(Roster *roster, int64_t *next_out) {
    int64_t now = clock_mono_ms(), next = INT64_MAX;
    dispatch(roster);
    if (roster->wanted && roster->not_before > now)
        next = roster->not_before;
    for (unsigned i = 0; i < roster->config.posts; i++) {
        Post *post = &roster->posts[i];
        if (post->state != POST_FREE)
            continue;
        int64_t until = post->free_since + roster->config.idle_ms;
        if (until <= now || post->outdated)
            send_home(post);
        else
            next = MIN(next, until);
    }
    *next_out = next;
}

void roster_renew(Roster *roster) {
    for (unsigned i = 0; i < roster->config.posts; i++)
        roster->posts[i].outdated = roster->posts[i].state != POST_EMPTY;
}

void roster_limit(Roster *roster, const Json *limits) {
    roster->config.station.limits = limits;
}

/* --- the end ---------------------------------------------------------------------------------- */

static void tell_stop(Post *post, const char *when) {
    g_autoptr(Json) message = json_new_object();
    g_autoptr(GError) gone = NULL; /* heard of soon */
    json_put_string(message, "stop", when);
    if (!message_send(post->station.socket, message, &gone))
        return;
}

static void stop_all(Roster *roster, const char *when) {
    roster->closed = true;
    for (unsigned i = 0; i < roster->config.posts; i++) {
        Post *post = &roster->posts[i];
        if (post->state == POST_FREE)
            send_home(post);
        else if (post->state == POST_ASKED || post->state == POST_BUSY)
            tell_stop(post, when);
    }
}

void roster_dismiss(Roster *roster) {
    stop_all(roster, "after");
}

void roster_interrupt(Roster *roster) {
    stop_all(roster, "now");
}

void roster_kill(Roster *roster) {
    roster->closed = true;
    for (unsigned i = 0; i < roster->config.posts; i++) {
        station_kill(&roster->posts[i].station);
        empty(&roster->posts[i]);
    }
}

unsigned roster_present(const Roster *roster) {
    unsigned count = 0;
    for (unsigned i = 0; i < roster->config.posts; i++)
        count += roster->posts[i].state != POST_EMPTY;
    return count;
}
