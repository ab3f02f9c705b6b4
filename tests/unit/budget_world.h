/* budget_world.h - workers that share one budget, in scripted time.
 *
 * Each worker is a BudgetSet over budget_leased; the keeper is one BudgetShare whose replies come a
 * few milliseconds late. world_run() moves time a millisecond a step. What the workers were granted
 * is recorded with its moment, and world_check_windows() looks at every window. The share can be
 * replaced by another keeper (world.keeper), for tests of the script in Redis.
 */
#pragma once

#include "net/budget_lease.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define WORLD_KEY "slack/0/app"
#define WORLD_START 1760000000000
#define WORLD_WORKERS 8

typedef enum {
    WORLD_SATURATED,
    WORLD_IDLE,
    WORLD_TRICKLE,
    WORLD_BURSTS,
    WORLD_DEMANDS
} WorldDemand;

typedef struct World World;

typedef struct {
    World *world;
    unsigned index;
    BudgetLeases *leases;
    BudgetSet *set;
    Budget *budget;
    int64_t clock_offset;
    int64_t not_before; /* wall; the budget said so */
    unsigned backlog;
    unsigned in_flight;
    int64_t seen_until; /* the keeper's: holds until then */
    int64_t seen_calls;
} WorldWorker;

/* How an ask is answered; false: it failed. */
typedef bool (*WorldServe)(World *world, const char *owner, const BudgetSpec *spec,
                           const BudgetAsk *ask, BudgetReply *reply_out);

struct World {
    BudgetSpec spec;
    WorldWorker workers[WORLD_WORKERS];
    unsigned count;
    int64_t now;
    int64_t keeper_offset;
    BudgetShare share;
    WorldServe serve; /* NULL: the share above */
    void *serve_data;
    GArray *calls;   /* int64_t moments, once for each call and unit of cost */
    GPtrArray *post; /* replies under way */
    int64_t cost;
    unsigned asks;
    unsigned lost_percent;
    bool placed; /* the keeper's time is known as well as a unit of work knows it */
    int slowest; /* answers take up to so many milliseconds */
    bool failing;
    bool answers_held;
};

void world_init(World *world, const char *limit, unsigned workers);
void world_init_quota(World *world, int64_t limit, int64_t window_ms, unsigned workers);
void world_init_cap(World *world, unsigned concurrency, unsigned workers);
void world_clear(World *world);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(World, world_clear)

void world_run(World *world, int64_t span_ms, WorldDemand demand);
void world_settle(World *world); /* until no reply is under way; nobody calls */

int64_t world_wall(const World *world);
int64_t world_keeper_now(const World *world);

void world_flush(World *world);
void world_kill(World *world, unsigned worker);  /* and starts another in its place */
void world_leave(World *world, unsigned worker); /* ends it in order */
void world_hold_answers(World *world, bool held);
unsigned world_holders(const World *world);

/* A worker hears headers. */
void world_report(World *world, unsigned worker, int64_t limit, int64_t remaining);

/* Every window of the spec's length saw at most its limit. */
void world_check_windows(const World *world);

/* At least this share of what the limit allows in a time was called. */
void world_check_reached(const World *world, int64_t span_ms, unsigned percent);
