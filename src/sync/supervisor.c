#include "sync/supervisor.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "sync/owner.h"
#include "sync/roster.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define INTERRUPT_MS 5000 /* for letting go of a job that was interrupted */

typedef enum { RUNNING, DRAINING, INTERRUPTING, KILLING } Phase;

struct Supervisor {
    SupervisorConfig config;
    Roster *roster;
    pthread_mutex_t lock; /* of lookout, which the API's threads also tell */
    Lookout *lookout;     /* NULL: no workers, or the end */
    int signals;
    int due; /* an eventfd: the lookout has found something */
    Phase phase;
    int64_t phase_until; /* monotonic */
    bool hurried;        /* a second signal came */
};

/* --- signals ---------------------------------------------------------------------------------- */

static sigset_t own_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

void supervisor_take_signals(void) {
    sigset_t set = own_signals();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* --- life ------------------------------------------------------------------------------------- */

static void on_due(void *data) {
    eventfd_write(((const Supervisor *)data)->due, 1);
}

static void on_look(void *data) {
    supervisor_look(data);
}

static void on_bury(void *data) {
    lookout_bury(((const Supervisor *)data)->lookout);
}

static void on_progress(const char *organization_id, const char *job_id, const Json *progress,
                        void *data) {
    const SupervisorConfig *config = &((const Supervisor *)data)->config;
    if (config->progress)
        config->progress(organization_id, job_id, progress, config->data);
}

static bool open_descriptors(Supervisor *supervisor, GError **error) {
    sigset_t set = own_signals();
    supervisor->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    supervisor->due = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (supervisor->signals >= 0 && supervisor->due >= 0)
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_INTERNAL, "cannot wait for signals: %s",
                g_strerror(errno));
    return false;
}

static bool open_work(Supervisor *supervisor, GError **error) {
    const SupervisorConfig *config = &supervisor->config;
    LookoutConfig lookout = {.db = config->db,
                             .data_dir = config->station.data_dir,
                             .providers_dir = config->providers_dir,
                             .tuning = config->tuning.lookout,
                             .due = on_due,
                             .data = supervisor};
    RosterConfig roster = {.station = config->station,
                           .posts = config->workers,
                           .look = on_look,
                           .bury = on_bury,
                           .progress = on_progress,
                           .data = supervisor};
    if (config->workers == 0)
        return true;
    supervisor->roster = roster_new(&roster);
    roster_limit(supervisor->roster, config->tuning.limits);
    supervisor->lookout = lookout_start(&lookout, error);
    return supervisor->lookout != NULL;
}

Supervisor *supervisor_new(const SupervisorConfig *config, GError **error) {
    g_autoptr(Supervisor) supervisor = g_new0(Supervisor, 1);
    supervisor->config = *config;
    supervisor->signals = supervisor->due = -1;
    pthread_mutex_init(&supervisor->lock, NULL);
    if (!open_descriptors(supervisor, error) || !open_work(supervisor, error))
        return NULL;
    return g_steal_pointer(&supervisor);
}

static void end_lookout(Supervisor *supervisor) {
    pthread_mutex_lock(&supervisor->lock);
    Lookout *lookout = g_steal_pointer(&supervisor->lookout);
    pthread_mutex_unlock(&supervisor->lock);
    lookout_stop(lookout);
}

void supervisor_free(Supervisor *supervisor) {
    if (!supervisor)
        return;
    end_lookout(supervisor);
    roster_free(supervisor->roster);
    if (supervisor->signals >= 0)
        close(supervisor->signals);
    if (supervisor->due >= 0)
        close(supervisor->due);
    pthread_mutex_destroy(&supervisor->lock);
    g_free(supervisor);
}

void supervisor_look(Supervisor *supervisor) {
    pthread_mutex_lock(&supervisor->lock);
    if (supervisor->lookout)
        lookout_look(supervisor->lookout);
    pthread_mutex_unlock(&supervisor->lock);
}

void supervisor_tune(Supervisor *supervisor, const SupervisorTuning *tuning) {
    supervisor->config.tuning = *tuning;
    if (supervisor->lookout)
        lookout_tune(supervisor->lookout, &tuning->lookout);
    if (supervisor->roster)
        roster_limit(supervisor->roster, tuning->limits);
}

/* --- phases ----------------------------------------------------------------------------------- */

static int64_t grace_of(const Supervisor *supervisor) {
    int64_t grace_ms = supervisor->config.tuning.grace_ms;
    return grace_ms < 0 ? SUPERVISOR_GRACE_MS : grace_ms;
}

static void enter(Supervisor *supervisor, Phase phase) {
    static const char *const names[] = {"serving", "draining", "interrupting", "killing"};
    static void (*const actions[])(Roster *) = {NULL, roster_dismiss, roster_interrupt,
                                                roster_kill};
    unsigned busy = supervisor->roster ? roster_present(supervisor->roster) : 0;
    supervisor->phase = phase;
    supervisor->phase_until =
        clock_mono_ms() + (phase == DRAINING ? grace_of(supervisor) : INTERRUPT_MS);
    log_line(LOG_INFO, "serve_phase", LOG_TEXT("phase", names[phase]),
             LOG_INT("workers", (int64_t)busy));
    if (supervisor->roster)
        actions[phase](supervisor->roster);
}

static void reload(Supervisor *supervisor) {
    if (supervisor->config.reload)
        supervisor->config.reload(supervisor->config.data);
    log_line(LOG_INFO, "serve_reload", LOG_TEXT("what", "definitions"));
    if (supervisor->lookout)
        lookout_reload(supervisor->lookout);
    if (supervisor->roster)
        roster_renew(supervisor->roster);
}

static void end(Supervisor *supervisor) {
    supervisor->hurried = supervisor->phase != RUNNING;
    enter(supervisor, supervisor->hurried ? KILLING : DRAINING);
}

static void take_signals(Supervisor *supervisor) {
    struct signalfd_siginfo info;
    while (read(supervisor->signals, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo == SIGHUP)
            reload(supervisor);
        else
            end(supervisor);
}

/* --- the loop --------------------------------------------------------------------------------- */

static bool is_over(const Supervisor *supervisor) {
    return supervisor->phase != RUNNING &&
           (!supervisor->roster || roster_present(supervisor->roster) == 0);
}

/* What is to be done when nothing happens, and when. */
static int64_t turn(Supervisor *supervisor) {
    int64_t next = INT64_MAX;
    if (supervisor->phase != RUNNING && supervisor->phase != KILLING &&
        clock_mono_ms() >= supervisor->phase_until)
        enter(supervisor, supervisor->phase + 1);
    if (supervisor->roster)
        roster_turn(supervisor->roster, &next);
    return supervisor->phase == RUNNING ? next : MIN(next, supervisor->phase_until);
}

static int timeout_until(int64_t next) {
    if (next == INT64_MAX)
        return -1;
    return (int)CLAMP(next - clock_mono_ms(), 0, G_MAXINT);
}

static void heed(Supervisor *supervisor, const struct pollfd *ready, size_t count) {
    eventfd_t found;
    for (size_t i = 2; i < count; i++)
        if (ready[i].revents)
            roster_hear(supervisor->roster, ready[i].fd);
    if (ready[1].revents && eventfd_read(supervisor->due, &found) == 0)
        roster_call(supervisor->roster);
    if (ready[0].revents)
        take_signals(supervisor);
}

bool supervisor_run(Supervisor *supervisor, GError **error) {
    struct pollfd ready[ROSTER_POSTS_MAX + 2];
    while (!is_over(supervisor)) {
        int64_t next = turn(supervisor);
        if (is_over(supervisor))
            break;
        size_t count = 2;
        ready[0] = (struct pollfd){.fd = supervisor->signals, .events = POLLIN};
        ready[1] = (struct pollfd){.fd = supervisor->due, .events = POLLIN};
        if (supervisor->roster)
            count += roster_sockets(supervisor->roster, ready + 2);
        if (poll(ready, count, timeout_until(next)) > 0)
            heed(supervisor, ready, count);
    }
    end_lookout(supervisor);
    if (supervisor->roster &&
        !owner_release_dead(supervisor->config.station.data_dir, supervisor->config.db, error))
        return false;
    if (supervisor->hurried)
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CANCELLED,
                            "ended at once; what was under way goes on with the next start");
    return !supervisor->hurried;
}
