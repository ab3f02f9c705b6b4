/* roster.h - the worker processes of a supervisor: who is at which post, and what each does.
 *
 * A post is empty until there is work for it. Told that work is due (roster_call), one worker that
 * is free is set to work, or a process is started for an empty post; each claim makes the owner of
 * the roster look whether more is due, so that as many work as there is work for. A worker claims
 * job after job by itself until nothing is due; one that has nothing to do for a while is let go
 * home, and one that is worn (many jobs, much memory) is replaced. One that dies is replaced, with
 * a growing pause while none of them gets a job done; its job is claimed again, three times at most
 * (store/job.h).
 *
 * One thread; nothing here waits for a worker, but for the end of one that has closed its socket.
 */
#pragma once

#include "base/json.h"
#include "sync/station.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROSTER_JOBS 500      /* jobs of one process */
#define ROSTER_IDLE_MS 30000 /* without work before a process ends */
#define ROSTER_POSTS_MAX 256

typedef struct Roster Roster;

typedef struct {
    StationConfig station; /* its texts and keys are borrowed */
    unsigned posts;
    int64_t idle_ms;          /* 0: ROSTER_IDLE_MS */
    void (*look)(void *data); /* there may be more to do */
    void (*bury)(void *data); /* a worker has died with its lease */
    /* What a running job tells ({phase, evidenceType, rows, calls, message}); may be NULL. */
    void (*progress)(const char *organization_id, const char *job_id, const Json *progress,
                     void *data);
    void *data;
} RosterConfig;

Roster *roster_new(const RosterConfig *config);
void roster_free(Roster *roster); /* kills who is left; NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Roster, roster_free)

/* Work is due. */
void roster_call(Roster *roster);

/* The sockets to wait for, one each for posts that are taken; room for `posts`. */
size_t roster_sockets(const Roster *roster, struct pollfd *sockets_out);

/* One of these is readable. */
void roster_hear(Roster *roster, int socket);

/* Does what time asks for; *next_out is the monotonic time of the next turn, INT64_MAX: none. */
void roster_turn(Roster *roster, int64_t *next_out);

/* Replaces all processes, each when its job is over: what they have read has changed. */
void roster_renew(Roster *roster);

/* What the processes that are started from now on are given; borrowed. */
void roster_limit(Roster *roster, const Json *limits);

/* The end: no further jobs; then also those under way are let go of; then kill. */
void roster_dismiss(Roster *roster);
void roster_interrupt(Roster *roster);
void roster_kill(Roster *roster);

/* Processes that are there. */
unsigned roster_present(const Roster *roster);
