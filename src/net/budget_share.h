/* budget_share.h - the arithmetic of a budget that several processes spend: pure, no input, no
 * output, no clock.
 *
 * A keeper (the database, Redis) holds one BudgetShare a key. Workers ask it for calls about once a
 * second, never once a call: an ask carries what the worker has learnt since its last one (what
 * the provider's headers said, that it was throttled, what it gives back), and the reply grants
 * calls ahead. budget_share_serve() is that exchange. All its times are the keeper's, all times of
 * asks and replies are distances from now, so that no two clocks have to agree.
 *
 * RATE. The reply is a schedule: call k may be made from the moment on at which the bucket holds k
 * calls, and for `lasts_ms` (T) after that; then it counts as spent. At most BUDGET_AHEAD of time
 * (H) is granted ahead; the level of the bucket is then below zero. The bucket refills at
 * (L - B) / (W + T): moments at which calls become possible are at most B + (L - B) in any time of
 * W + T, and each is used within T, so no window of W sees more than L, whoever makes the calls.
 * A key that is missing (never seen, flushed, of another authority) begins at -H: whoever may still
 * hold calls of its lost state has used them before the first new one. A bucket that nobody used
 * for a window and a minute begins at zero, like one that was restored from an old copy; a step of
 * the keeper's clock gives no more than the asker's own clock says has passed.
 *
 * QUOTA. Calls are taken off what the provider says is left, and what others hold is taken off
 * again when headers tell anew. A share that no header has told about yet grants one call a time.
 *
 * Throttling (an answer that says "too many") halves the factor of a key, at most once in
 * BUDGET_THROTTLE_MS; it grows back by a tenth of the limit a minute. It scales the rate of RATE
 * budgets and the calls at a time of QUOTA budgets.
 *
 * net/budget_redis.c has the same rules as a script; a test holds the two together.
 */
#pragma once

#include "net/budget.h"

#include <stdbool.h>
#include <stdint.h>

#define BUDGET_FACTOR_FULL 1000
#define BUDGET_THROTTLE_MS 2000
#define BUDGET_JITTER_MS                                                                           \
    5000                      /* asks may be served in another order than their times were taken   \
                               */
#define BUDGET_HOLDER_MS 5000 /* a worker that did not ask for so long holds nothing */
#define BUDGET_QUOTA_LASTS_MS 2000 /* granted calls of a quota */
#define BUDGET_GRANT_MAX_MS 2000   /* no grant of any kind can be used later than this */

/* What a keeper stores. Times are the keeper's milliseconds; 0 is "never". */
typedef struct {
    int64_t window_ms; /* 0: the key is missing */
    int64_t limit;     /* as declared by the last that asked; for people */
    int64_t told_limit;
    int64_t level; /* RATE: calls times (window + T); below zero while granted ahead */
    int64_t level_at;
    int64_t spent_until;
    int64_t remaining; /* QUOTA */
    int64_t reset_at;
    int64_t heard_at; /* of the newest headers */
    int64_t held_until;
    int64_t factor; /* thousandths; 0: full */
    int64_t factor_at;
    int64_t touched_at;
} BudgetShare;

/* What other workers have of the key. */
typedef struct {
    int64_t count;
    int64_t calls; /* QUOTA: granted to them and not told back */
} BudgetOthers;

/* What headers told a worker. -1 for what they did not. */
typedef struct {
    int64_t limit;
    int64_t remaining; /* less the worker's own calls since, and what it has in hand */
    int64_t reset_in_ms;
    int64_t ago_ms; /* since they were read */
} BudgetHeard;

typedef struct {
    int64_t elapsed_ms; /* since this worker's last ask for the key, by its own clock; -1: none */
    int64_t want;       /* calls; 0: only tells */
    int64_t cost;       /* of one: fewer than that are of no use */
    int64_t in_hand;    /* QUOTA: granted before and not spent, without given_back */
    int64_t given_back; /* QUOTA: of the window `window` */
    int64_t window;
    bool heard_any;
    BudgetHeard heard;
    bool throttled;
    int64_t hold_ms; /* nothing for so long; 0: no wish */
    bool leaves;     /* the worker uses the key no more */
} BudgetAsk;

typedef struct {
    int64_t now_ms; /* the keeper's */
    /* Our times right before and after the keeper's clock was read; 0: only known to lie between
     * ask and reply. */
    int64_t before_ms;
    int64_t after_ms;
    int64_t granted;
    int64_t retry_ms; /* nothing was granted: ask again after that; -1: cost is never granted */
    int64_t level;    /* RATE: of the bucket before the grant ... */
    int64_t refill;   /* ... per millisecond ... */
    int64_t unit;     /* ... and what one call takes of it */
    int64_t lasts_ms; /* how long a granted call may be used once it is possible */
    int64_t window;   /* QUOTA: the window that it belongs to */
    int64_t
        holders; /* workers that use the key, the asker included; 0: nothing is known, only wait */
    int64_t factor;
    int64_t limit; /* in force; 0: none */
} BudgetReply;

/* How long after a call became possible it may still be made, and how far ahead calls are granted,
 * for windows of this length. */
int64_t budget_lateness(int64_t window_ms);
int64_t budget_ahead(int64_t window_ms);

/* One exchange at the keeper's time now_ms. A zeroed share is a missing key. */
void budget_share_serve(BudgetShare *share, const BudgetSpec *spec, const BudgetAsk *ask,
                        const BudgetOthers *others, int64_t now_ms, BudgetReply *reply_out);

/* When call k (from 1) of a reply is possible, in milliseconds after now_ms of the reply. */
int64_t budget_reply_start(const BudgetReply *reply, int64_t k);

/* What is in force at a time: for people. */
int64_t budget_share_limit(const BudgetShare *share, const BudgetSpec *spec);
int64_t budget_share_factor(const BudgetShare *share, int64_t now_ms);
int64_t budget_share_remaining(const BudgetShare *share, const BudgetSpec *spec, int64_t now_ms);
