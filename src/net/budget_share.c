#include "net/budget_share.h"

#define DEFAULT_RESERVE_PERCENT 10
#define UNKNOWN_WINDOW_MS 60000 /* of a quota that only headers told, without a reset */
#define IDLE_MS 60000
#define FACTOR_LEAST 62
#define FACTOR_STEP 100
#define FACTOR_STEP_MS 60000
#define SAME_WINDOW_MS 5000 /* a reset told in whole seconds, by clocks that differ */

/* --- what is declared, told and in force ----------------------------------------------------- */

int64_t budget_lateness(int64_t window_ms) {
    return CLAMP(window_ms / 10, MIN(window_ms, 200), 1000);
}

int64_t budget_ahead(int64_t window_ms) {
    return CLAMP(window_ms / 4, MIN(window_ms, 250), 1000);
}

int64_t budget_share_limit(const BudgetShare *share, const BudgetSpec *spec) {
    int64_t limit = share->told_limit ? share->told_limit : spec->limit;
    int64_t ceiling = spec->override_limit;
    return ceiling > 0 && limit > 0 ? MIN(limit, ceiling) : limit;
}

int64_t budget_share_factor(const BudgetShare *share, int64_t now_ms) {
    if (share->factor == 0) {
        return BUDGET_FACTOR_FULL;
    }
    int64_t steps = MAX(now_ms - share->factor_at, 0) / FACTOR_STEP_MS;
    return MIN(share->factor + MIN(steps, 10) * FACTOR_STEP, BUDGET_FACTOR_FULL);
}

/* The numbers of a rate budget at one moment. */
typedef struct {
    int64_t burst;
    int64_t refill; /* units a millisecond */
    int64_t unit;   /* units a call */
    int64_t ahead;  /* milliseconds */
} Rate;

static Rate rate_of(const BudgetShare *share, const BudgetSpec *spec, int64_t now_ms) {
    int64_t limit = budget_share_limit(share, spec);
    int64_t factor = budget_share_factor(share, now_ms);
    limit = MAX(limit / BUDGET_FACTOR_FULL * factor +
                    limit % BUDGET_FACTOR_FULL * factor / BUDGET_FACTOR_FULL,
                1);
    int64_t burst = CLAMP(spec->burst > 0 ? spec->burst : limit / 10, 1, MAX(limit - 1, 1));
    return (Rate){.burst = burst,
                  .refill = MAX(limit - burst, 1),
                  .unit = MAX(spec->window_ms + budget_lateness(spec->window_ms), 1),
                  .ahead = budget_ahead(spec->window_ms)};
}

static int64_t reserve_of(const BudgetShare *share, const BudgetSpec *spec) {
    int percent = spec->reserve_percent;
    percent = percent == 0 ? DEFAULT_RESERVE_PERCENT : MAX(percent, 0);
    return budget_share_limit(share, spec) * MIN(percent, 100) / 100;
}

static bool tells_remaining(const BudgetSpec *spec) {
    return spec->headers.remaining || spec->headers.usage;
}

int64_t budget_share_remaining(const BudgetShare *share, const BudgetSpec *spec, int64_t now_ms) {
    if (spec->kind == BUDGET_QUOTA) {
        bool over = share->reset_at > 0 && now_ms >= share->reset_at;
        return over ? budget_share_limit(share, spec) : share->remaining;
    }
    Rate rate = rate_of(share, spec, now_ms);
    int64_t level = share->level + MAX(now_ms - share->level_at, 0) * rate.refill;
    return CLAMP(level / rate.unit, 0, rate.burst);
}

/* --- bringing the state to now --------------------------------------------------------------- */

static void begin(BudgetShare *share, const BudgetSpec *spec, int64_t now_ms) {
    Rate rate = rate_of(share, spec, now_ms);
    share->level = -rate.refill * rate.ahead;
    share->level_at = now_ms;
    share->remaining = budget_share_limit(share, spec);
}

/* Another declaration: what is in the bucket keeps its share of a call. */
static void change_window(BudgetShare *share, const BudgetSpec *spec) {
    double before = (double)(share->window_ms + budget_lateness(share->window_ms));
    double after = (double)(spec->window_ms + budget_lateness(spec->window_ms));
    double level = (double)share->level * after / before;
    share->level = (int64_t)level - (level < 0);
    share->remaining = MIN(share->remaining, budget_share_limit(share, spec));
}

static void refill(BudgetShare *share, const BudgetSpec *spec, int64_t elapsed_ms, int64_t now_ms) {
    Rate rate = rate_of(share, spec, now_ms);
    int64_t credit = MAX(now_ms - share->level_at, 0);
    credit = elapsed_ms >= 0 ? MIN(credit, elapsed_ms) : credit;
    /* A time that is a little older than the last one was taken before it: nothing is credited
     * twice. One that is much older is that of a clock that was set. */
    if (now_ms > share->level_at || share->level_at - now_ms > BUDGET_JITTER_MS) {
        share->level_at = now_ms;
    }
    if (now_ms - share->touched_at > MAX(spec->window_ms, IDLE_MS)) {
        share->level = MIN(share->level, 0);
        credit = 0;
    }
    int64_t most = rate.burst * rate.unit;
    int64_t enough = MAX(most - share->level, 0) / rate.refill + 1; /* no overflow */
    share->level = MIN(share->level + MIN(credit, enough) * rate.refill, most);
}

static void roll_quota(BudgetShare *share, const BudgetSpec *spec, int64_t now_ms) {
    if (share->reset_at > 0 && now_ms >= share->reset_at) {
        share->reset_at = 0;
        share->remaining = budget_share_limit(share, spec);
    }
}

static void bring_up(BudgetShare *share, const BudgetSpec *spec, int64_t elapsed_ms,
                     int64_t now_ms) {
    if (share->window_ms == 0) {
        begin(share, spec, now_ms);
    } else {
        if (share->window_ms != spec->window_ms) {
            change_window(share, spec);
        }
        refill(share, spec, elapsed_ms, now_ms);
    }
    roll_quota(share, spec, now_ms);
    share->window_ms = MAX(spec->window_ms, 1);
    share->limit = spec->limit;
    share->touched_at = now_ms;
}

/* --- what the worker tells ------------------------------------------------------------------- */

static void hear_limit(BudgetShare *share, const BudgetSpec *spec, int64_t limit) {
    int64_t before = budget_share_limit(share, spec);
    share->told_limit = limit;
    if (budget_share_limit(share, spec) != before) {
        share->level = MIN(share->level, 0);
    }
}

/* Headers that were read before others that are known already only lower. */
static void hear_remaining(BudgetShare *share, const BudgetSpec *spec, const BudgetHeard *heard,
                           const BudgetOthers *others, int64_t now_ms) {
    int64_t limit = budget_share_limit(share, spec);
    int64_t above = share->told_limit ? share->told_limit - limit : 0; /* cut off by the operator */
    int64_t left = MAX(heard->remaining - above, 0);
    if (spec->kind == BUDGET_RATE) {
        Rate rate = rate_of(share, spec, now_ms);
        share->level = MIN(share->level, MIN(left, limit) * rate.unit);
        bool spent = heard->remaining == 0 && heard->reset_in_ms > 0;
        share->spent_until = spent ? now_ms + heard->reset_in_ms : 0;
        return;
    }
    left = MIN(MAX(left - others->calls, 0), limit);
    bool newest = now_ms - heard->ago_ms > share->heard_at;
    share->remaining = newest ? left : MIN(share->remaining, left);
}

static void hear(BudgetShare *share, const BudgetSpec *spec, const BudgetAsk *ask,
                 const BudgetOthers *others, int64_t now_ms) {
    const BudgetHeard *heard = &ask->heard;
    bool newest = now_ms - heard->ago_ms > share->heard_at;
    if (heard->limit > 0) {
        hear_limit(share, spec, heard->limit);
    }
    if (heard->reset_in_ms >= 0 && newest) {
        share->reset_at = now_ms + heard->reset_in_ms;
    }
    if (heard->remaining >= 0) {
        hear_remaining(share, spec, heard, others, now_ms);
    }
    if (newest) {
        share->heard_at = now_ms - heard->ago_ms;
    }
}

static void throttle(BudgetShare *share, int64_t now_ms) {
    if (share->factor > 0 && ABS(now_ms - share->factor_at) < BUDGET_THROTTLE_MS) {
        return;
    }
    int64_t factor = budget_share_factor(share, now_ms);
    share->factor = MAX(factor / 2, FACTOR_LEAST);
    share->factor_at = now_ms;
    share->level = MIN(share->level, 0);
}

static void take_back(BudgetShare *share, const BudgetSpec *spec, const BudgetAsk *ask) {
    if (ask->given_back > 0 && ABS(ask->window - share->reset_at) < SAME_WINDOW_MS) {
        int64_t limit = budget_share_limit(share, spec);
        share->remaining = MIN(share->remaining + ask->given_back, limit);
    }
}

/* --- what is granted ------------------------------------------------------------------------- */

static void grant_rate(BudgetShare *share, const BudgetSpec *spec, const BudgetAsk *ask,
                       BudgetReply *reply) {
    Rate rate = rate_of(share, spec, reply->now_ms);
    reply->level = share->level;
    reply->refill = rate.refill;
    reply->unit = rate.unit;
    reply->lasts_ms = budget_lateness(spec->window_ms);
    if (ask->cost > rate.burst) {
        reply->retry_ms = -1;
        return;
    }
    int64_t whole = rate.refill * rate.ahead;
    int64_t fair = whole / reply->holders;
    int64_t worth = MIN(MAX(fair / rate.unit / 2, ask->cost), ask->want); /* a trip to the keeper */
    int64_t count = MAX(MIN(ask->want, (share->level + fair) / rate.unit), worth);
    int64_t lacking = count * rate.unit - share->level - whole;
    if (lacking > 0) {
        reply->retry_ms = (lacking + rate.refill - 1) / rate.refill;
        return;
    }
    share->level -= count * rate.unit;
    reply->granted = count;
}

static void grant_quota(BudgetShare *share, const BudgetSpec *spec, const BudgetAsk *ask,
                        BudgetReply *reply) {
    int64_t reserve = reserve_of(share, spec);
    if (ask->cost > budget_share_limit(share, spec) - reserve) {
        reply->retry_ms = -1;
        return;
    }
    if (share->reset_at == 0) {
        share->reset_at = reply->now_ms + (spec->window_ms ? spec->window_ms : UNKNOWN_WINDOW_MS);
    }
    int64_t free = share->remaining - reserve;
    reply->window = share->reset_at;
    reply->lasts_ms = MIN(BUDGET_QUOTA_LASTS_MS, share->reset_at - reply->now_ms);
    if (free < ask->cost) {
        reply->retry_ms = share->reset_at - reply->now_ms;
        return;
    }
    bool unproven = share->heard_at == 0 && tells_remaining(spec);
    int64_t fair = unproven ? ask->cost : MAX(free / (2 * reply->holders), ask->cost);
    reply->granted = MIN(ask->want, fair);
    share->remaining -= reply->granted;
}

static void grant(BudgetShare *share, const BudgetSpec *spec, const BudgetAsk *ask,
                  BudgetReply *reply) {
    int64_t until = share->held_until;
    until = spec->kind == BUDGET_RATE ? MAX(until, share->spent_until) : until;
    if (reply->limit == 0) {
        until = share->held_until;
    }
    if (until > reply->now_ms) {
        reply->retry_ms = until - reply->now_ms;
    } else if (reply->limit == 0) {
        reply->granted = ask->want;
        reply->lasts_ms = BUDGET_QUOTA_LASTS_MS;
    } else if (spec->kind == BUDGET_RATE) {
        grant_rate(share, spec, ask, reply);
    } else {
        grant_quota(share, spec, ask, reply);
    }
}

void budget_share_serve(BudgetShare *share, const BudgetSpec *spec, const BudgetAsk *ask,
                        const BudgetOthers *others, int64_t now_ms, BudgetReply *reply_out) {
    bring_up(share, spec, ask->elapsed_ms, now_ms);
    take_back(share, spec, ask);
    if (ask->heard_any) {
        hear(share, spec, ask, others, now_ms);
    }
    if (ask->throttled) {
        throttle(share, now_ms);
    }
    if (ask->hold_ms > 0) {
        share->held_until = MAX(share->held_until, now_ms + ask->hold_ms);
    }
    BudgetReply reply = {.now_ms = now_ms,
                         .holders = others->count + 1,
                         .factor = budget_share_factor(share, now_ms),
                         .limit = budget_share_limit(share, spec)};
    if (ask->want > 0) {
        grant(share, spec, ask, &reply);
    }
    *reply_out = reply;
}

int64_t budget_reply_start(const BudgetReply *reply, int64_t k) {
    if (reply->refill == 0) {
        return 0;
    }
    int64_t lacking = k * reply->unit - reply->level;
    return lacking > 0 ? (lacking + reply->refill - 1) / reply->refill : 0;
}
