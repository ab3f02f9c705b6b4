#include "net/budget_lease.h"

#include "base/clock.h"

#include <string.h>

#define KEEPER_FAILED_MS 1000
#define MEMBERSHIP_MS (BUDGET_HOLDER_MS / 4) /* of a key that only caps calls at a time */
#define PLACING_MS 60000                     /* how long a placing of the keeper's clock holds */
#define WANT_MAX 1000000
#define IN_VAIN_MAX 8

struct BudgetLeases {
    BudgetLeasesConfig config;
    unsigned pending;
    /* The keeper's clock less ours, between two bounds. */
    int64_t offset_low;
    int64_t offset_high;
    int64_t placed_at;
    bool placed;
};

/* Calls of one reply of a RATE budget. */
typedef struct {
    BudgetReply reply;
    int64_t next; /* the call to be made next, from 1 */
    int64_t used;
    int64_t from; /* our time that is surely not before the keeper's moment of the reply ... */
    int64_t to;   /* ... and one that is surely not after it */
} Batch;

typedef struct {
    BudgetLeases *leases;
    Budget *budget; /* NULL: closed, and freed with the last reply */
    char *key;
    BudgetSpec spec;
    int64_t limit; /* in force as last told; 0: none */
    int64_t holders;
    int64_t factor;
    int64_t never_cost; /* of a call that is never granted; 0: none is known */
    int64_t not_before; /* worth asking again */
    int64_t held_until;
    int64_t member_until; /* limit 0: the reply still stands */
    unsigned in_flight;
    unsigned batch_count;
    int64_t in_flight_cost;
    Batch batches[2]; /* RATE: in hand */
    int64_t calls;    /* QUOTA: in hand */
    int64_t calls_until;
    int64_t window;
    int64_t given_back;
    int64_t asked_at;
    int64_t used; /* since the last ask */
    int64_t granted;
    int64_t cost;    /* of the call that waits */
    int64_t in_vain; /* grants in a row that came too late to be used */
    BudgetAsk news;  /* heard, throttled, hold: what the next ask tells */
    int64_t heard_limit;
    int64_t heard_at;    /* local */
    int64_t spent_since; /* calls taken or under way that the headers do not count */
    bool asking;
    bool asked_before;
    bool urgent; /* something to tell at once */
    bool left;
} Lease;

BudgetLeases *budget_leases_new(const BudgetLeasesConfig *config) {
    BudgetLeases *leases = g_new0(BudgetLeases, 1);
    leases->config = *config;
    return leases;
}

void budget_leases_free(BudgetLeases *leases) {
    if (leases) {
        g_assert(leases->pending == 0);
        g_free(leases);
    }
}

unsigned budget_leases_pending(const BudgetLeases *leases) {
    return leases->pending;
}

static int64_t local_now(const BudgetLeases *leases) {
    return leases->config.now ? leases->config.now(leases->config.now_data) : clock_mono_ms();
}

/* --- the keeper's clock ---------------------------------------------------------------------- */

/* The keeper's clock was read between two moments of ours. The narrowest bounds of many asks are
 * kept, until they contradict: then somebody's clock was set. */
static void place(BudgetLeases *leases, const BudgetReply *reply, int64_t sent, int64_t now) {
    int64_t low = reply->now_ms - (reply->after_ms ? reply->after_ms : now);
    int64_t high = reply->now_ms - (reply->before_ms ? reply->before_ms : sent);
    bool fits = leases->placed && now - leases->placed_at < PLACING_MS &&
                low <= leases->offset_high && high >= leases->offset_low;
    if (!fits) {
        leases->placed_at = now;
        leases->placed = true;
    }
    leases->offset_low = fits ? MAX(low, leases->offset_low) : low;
    leases->offset_high = fits ? MIN(high, leases->offset_high) : high;
}

/* --- calls in hand --------------------------------------------------------------------------- */

static bool is_rate(const Lease *lease) {
    return lease->spec.kind == BUDGET_RATE;
}

static int64_t batch_start(const Batch *batch, int64_t k) {
    return batch->from + budget_reply_start(&batch->reply, k);
}

static int64_t batch_end(const Batch *batch, int64_t k) {
    return batch->to + budget_reply_start(&batch->reply, k) + batch->reply.lasts_ms;
}

static void drop_batch(Lease *lease) {
    lease->batch_count--;
    memmove(&lease->batches[0], &lease->batches[1], lease->batch_count * sizeof(Batch));
}

/* Calls that are too late, and what is left of a batch that does not reach for one of this cost. */
static void drop_late(Lease *lease, int64_t cost, int64_t now) {
    while (lease->batch_count > 0) {
        Batch *batch = &lease->batches[0];
        int64_t last = batch->reply.granted - cost + 1;
        while (batch->next <= last && batch_end(batch, batch->next + cost - 1) < now) {
            batch->next++;
        }
        if (batch->next <= last) {
            break;
        }
        lease->in_vain += batch->used == 0;
        drop_batch(lease);
    }
    if (!is_rate(lease) && lease->calls > 0 && now >= lease->calls_until) {
        lease->given_back += lease->calls;
        lease->calls = 0;
    }
}

static int64_t in_hand(const Lease *lease) {
    int64_t count = lease->calls;
    for (unsigned i = 0; i < lease->batch_count; i++) {
        count += lease->batches[i].reply.granted - lease->batches[i].next + 1;
    }
    return count;
}

static void give_up_calls(Lease *lease) {
    lease->batch_count = 0;
    lease->given_back += lease->calls;
    lease->calls = 0;
}

/* --- asking ---------------------------------------------------------------------------------- */

static void on_reply(void *asker, const BudgetReply *reply);

static int64_t estimate(const Lease *lease, int64_t since) {
    int64_t second = lease->used * 1000 / MAX(since, 1);
    int64_t want = MIN(second, 4 * lease->used + lease->cost);
    /* A keeper that is slow answers when the first calls are over; those behind them are not. */
    int64_t least = lease->cost << MIN(lease->in_vain, IN_VAIN_MAX);
    return CLAMP(want, least, WANT_MAX);
}

static void put_heard(const Lease *lease, BudgetAsk *ask, int64_t now) {
    BudgetHeard *heard = &ask->heard;
    heard->ago_ms = now - lease->heard_at;
    if (heard->reset_in_ms >= 0) {
        heard->reset_in_ms = MAX(heard->reset_in_ms - heard->ago_ms, 0);
    }
    if (heard->remaining > 0) {
        heard->remaining = MAX(heard->remaining - lease->spent_since - in_hand(lease), 0);
    }
}

static void ask(Lease *lease, bool want, int64_t now) {
    BudgetAsk what = lease->news;
    int64_t since = lease->asked_before ? now - lease->asked_at : -1;
    what.elapsed_ms = since;
    what.cost = MAX(lease->cost, 1);
    what.want = want ? estimate(lease, since < 0 ? 1000 : since) : 0;
    what.in_hand = is_rate(lease) ? 0 : lease->calls;
    what.given_back = lease->given_back;
    what.window = lease->window;
    if (what.heard_any) {
        put_heard(lease, &what, now);
    }
    lease->given_back = 0;
    lease->news = (BudgetAsk){0};
    lease->urgent = false;
    lease->used = 0;
    lease->asked_at = now;
    lease->asked_before = true;
    lease->asking = true;
    lease->leases->pending++;
    const BudgetLeasesConfig *config = &lease->leases->config;
    config->keeper->ask(config->keeper_data, lease->key, &lease->spec, &what, on_reply, lease);
}

static void tell_soon(Lease *lease) {
    lease->urgent = true;
    if (!lease->asking) {
        ask(lease, false, local_now(lease->leases));
    }
}

/* --- replies --------------------------------------------------------------------------------- */

static void take_grant(Lease *lease, const BudgetReply *reply, int64_t now) {
    const BudgetLeases *leases = lease->leases;
    if (reply->limit == 0) {
        lease->member_until = now + MEMBERSHIP_MS;
    } else if (!is_rate(lease)) {
        bool same = lease->calls > 0 && lease->window == reply->window;
        lease->calls = same ? lease->calls + reply->granted : reply->granted;
        lease->window = reply->window;
        lease->calls_until = lease->asked_at + reply->lasts_ms;
    } else if (lease->batch_count < G_N_ELEMENTS(lease->batches)) {
        Batch *batch = &lease->batches[lease->batch_count++];
        *batch = (Batch){.reply = *reply,
                         .next = 1,
                         .from = reply->now_ms - leases->offset_low,
                         .to = reply->now_ms - leases->offset_high};
    }
    lease->granted = reply->granted;
}

static void read_reply(Lease *lease, const BudgetReply *reply, int64_t now) {
    place(lease->leases, reply, lease->asked_at, now);
    if (reply->holders > 0) {
        lease->limit = reply->limit;
        lease->holders = reply->holders;
        lease->factor = reply->factor;
    }
    if (reply->granted > 0) {
        take_grant(lease, reply, now);
    } else if (reply->retry_ms < 0) {
        lease->never_cost = lease->cost;
    } else if (reply->retry_ms > 0) {
        lease->not_before = MAX(lease->not_before, now + reply->retry_ms);
    }
}

static void lease_free(Lease *lease) {
    g_free(lease->key);
    g_free(lease);
}

/* Tells the keeper that this worker uses the key no more, once. */
static void leave(Lease *lease, int64_t now) {
    if (lease->left || !lease->asked_before) {
        lease_free(lease);
        return;
    }
    lease->left = true;
    lease->news.leaves = true;
    ask(lease, false, now);
}

static void on_reply(void *asker, const BudgetReply *reply) {
    Lease *lease = asker;
    int64_t now = local_now(lease->leases);
    lease->leases->pending--;
    lease->asking = false;
    if (!lease->budget) {
        if (reply && !is_rate(lease) && reply->limit > 0) {
            lease->given_back += reply->granted;
            lease->window = reply->granted > 0 ? reply->window : lease->window;
        }
        leave(lease, now);
        return;
    }
    if (reply) {
        read_reply(lease, reply, now);
    } else if (in_hand(lease) == 0) {
        lease->not_before = MAX(lease->not_before, now + KEEPER_FAILED_MS);
    }
    if (lease->urgent && reply) {
        ask(lease, false, now);
    }
    budget_changed(lease->budget);
}

/* --- the backend ----------------------------------------------------------------------------- */

static void *lease_open(void *backend, const char *key, const BudgetSpec *spec) {
    Lease *lease = g_new0(Lease, 1);
    lease->leases = backend;
    lease->key = g_strdup(key);
    lease->spec = *spec;
    lease->limit = spec->limit;
    lease->holders = 1;
    lease->factor = BUDGET_FACTOR_FULL;
    lease->cost = 1;
    return lease;
}

static void lease_attach(void *state, Budget *budget) {
    ((Lease *)state)->budget = budget;
}

static void lease_declare(void *state, const BudgetSpec *spec) {
    Lease *lease = state;
    lease->spec = *spec;
    give_up_calls(lease);
    lease->never_cost = 0;
    lease->limit = spec->limit;
}

static unsigned cap_of(const Lease *lease) {
    int64_t cap = lease->spec.concurrency;
    int64_t factor = is_rate(lease) ? BUDGET_FACTOR_FULL : lease->factor;
    return (unsigned)MAX(cap * factor / BUDGET_FACTOR_FULL / lease->holders, 1);
}

static BudgetAnswer wait_until(int64_t local, int64_t local_now_ms, int64_t now_ms) {
    return (BudgetAnswer){BUDGET_WAIT, now_ms + MAX(local - local_now_ms, 1)};
}

/* A call out of what is in hand. *start_out: when it is possible, if that is not yet. */
static bool spend(Lease *lease, int64_t cost, int64_t now, int64_t *start_out) {
    if (!is_rate(lease)) {
        lease->calls -= lease->calls >= cost ? cost : 0;
        return true;
    }
    Batch *batch = &lease->batches[0];
    int64_t last = batch->next + cost - 1;
    int64_t start = batch_start(batch, last);
    if (start > now) {
        *start_out = start;
        return false;
    }
    batch->next = last + 1;
    batch->used += cost;
    lease->in_vain = 0;
    return true;
}

static void ask_ahead(Lease *lease, int64_t now) {
    bool room = !is_rate(lease) || lease->batch_count < G_N_ELEMENTS(lease->batches);
    if (!lease->asking && room && now >= lease->not_before &&
        in_hand(lease) * 2 <= lease->granted) {
        ask(lease, true, now);
    }
}

static BudgetAnswer take_leased(Lease *lease, int64_t cost, int64_t now, int64_t now_ms) {
    int64_t start = 0;
    if (in_hand(lease) < cost) {
        if (!lease->asking && now < lease->not_before) {
            return wait_until(lease->not_before, now, now_ms);
        }
        if (!lease->asking) {
            ask(lease, true, now);
        }
        return (BudgetAnswer){.grant = BUDGET_BUSY};
    }
    if (!spend(lease, cost, now, &start)) {
        return wait_until(start, now, now_ms);
    }
    lease->used += cost;
    ask_ahead(lease, now);
    return (BudgetAnswer){.grant = BUDGET_GRANTED};
}

/* Nothing is counted but the calls at a time, among those that share them. */
static BudgetAnswer take_counted(Lease *lease, int64_t now) {
    if (lease->spec.concurrency == 0) {
        return (BudgetAnswer){.grant = BUDGET_GRANTED};
    }
    if (!lease->asking && now >= lease->member_until) {
        ask(lease, true, now);
    }
    bool member = lease->member_until > 0;
    return (BudgetAnswer){.grant = member ? BUDGET_GRANTED : BUDGET_BUSY};
}

static BudgetAnswer lease_take(void *state, int64_t cost, int64_t now_ms) {
    Lease *lease = state;
    int64_t now = local_now(lease->leases);
    if (lease->spec.concurrency && lease->in_flight >= cap_of(lease)) {
        return (BudgetAnswer){.grant = BUDGET_BUSY};
    }
    if (lease->never_cost > 0 && cost >= lease->never_cost) {
        return (BudgetAnswer){.grant = BUDGET_NEVER};
    }
    if (now < lease->held_until) {
        return wait_until(lease->held_until, now, now_ms);
    }
    lease->cost = cost;
    drop_late(lease, cost, now);
    if (in_hand(lease) == 0 && now < lease->not_before && !lease->asking) {
        return wait_until(lease->not_before, now, now_ms);
    }
    BudgetAnswer answer =
        lease->limit > 0 ? take_leased(lease, cost, now, now_ms) : take_counted(lease, now);
    if (answer.grant == BUDGET_GRANTED) {
        lease->in_flight++;
        lease->in_flight_cost += cost;
        lease->spent_since += cost;
    }
    return answer;
}

static void land(Lease *lease, int64_t cost) {
    g_assert(lease->in_flight > 0);
    lease->in_flight--;
    lease->in_flight_cost -= cost;
}

static void lease_refund(void *state, int64_t cost) {
    Lease *lease = state;
    land(lease, cost);
    lease->spent_since -= MIN(cost, lease->spent_since);
    lease->used -= MIN(cost, lease->used);
    if (lease->limit == 0) {
        return;
    }
    Batch *batch = &lease->batches[0];
    if (!is_rate(lease)) {
        lease->calls += cost;
    } else if (lease->batch_count > 0 && batch->next > cost) {
        batch->next -= cost;
    }
}

/* What the headers say is left does not count what is still under way, as far as we know. */
static void hear(Lease *lease, const BudgetReport *report, int64_t now_ms) {
    lease->heard_at = local_now(lease->leases);
    lease->spent_since = lease->in_flight_cost;
    lease->news.heard_any = true;
    lease->news.heard = (BudgetHeard){
        .limit = report->limit,
        .remaining = report->remaining,
        .reset_in_ms = report->reset_ms >= 0 ? MAX(report->reset_ms - now_ms, 0) : -1,
    };
    bool changed = report->limit > 0 && report->limit != lease->heard_limit;
    lease->heard_limit = report->limit > 0 ? report->limit : lease->heard_limit;
    if (report->remaining == 0 && in_hand(lease) > 0) {
        lease->batch_count = 0;
        lease->calls = 0;
        changed = true;
    }
    if (changed) {
        tell_soon(lease);
    }
}

static void lease_answered(void *state, int64_t cost, const BudgetReport *report, int64_t now_ms) {
    Lease *lease = state;
    land(lease, cost);
    if (report) {
        hear(lease, report, now_ms);
    }
}

static void hold_for(Lease *lease, int64_t wait_ms) {
    if (wait_ms > 0) {
        int64_t until = local_now(lease->leases) + wait_ms;
        lease->held_until = MAX(lease->held_until, until);
        lease->news.hold_ms = MAX(lease->news.hold_ms, wait_ms);
    }
    give_up_calls(lease);
    tell_soon(lease);
}

static void lease_hold(void *state, int64_t until_ms) {
    hold_for(state, until_ms - clock_now_ms());
}

static void lease_throttled(void *state, int64_t wait_ms) {
    Lease *lease = state;
    lease->news.throttled = true;
    hold_for(lease, wait_ms);
}

static void lease_close(void *state) {
    Lease *lease = state;
    lease->budget = NULL;
    lease->spec.headers = (BudgetHeaders){0}; /* go with the budget */
    give_up_calls(lease);
    if (!lease->asking) {
        leave(lease, local_now(lease->leases));
    }
}

const BudgetBackend budget_leased = {
    .open = lease_open,
    .attach = lease_attach,
    .declare = lease_declare,
    .take = lease_take,
    .refund = lease_refund,
    .answered = lease_answered,
    .hold = lease_hold,
    .throttled = lease_throttled,
    .close = lease_close,
};
