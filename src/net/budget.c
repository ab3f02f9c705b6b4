#include "net/budget.h"

#include "base/clock.h"
#include "base/error.h"
#include "net/retry.h"

#include <string.h>

#define DEFAULT_RESERVE_PERCENT 10
#define UNKNOWN_WINDOW_MS 60000 /* of a quota that only headers told, without a reset */

/* --- what headers and definitions write ------------------------------------------------------ */

/* A whole or decimal number of at most 15 digits before the point, times factor. */
static bool read_scaled(const char *text, int64_t factor, int64_t *out) {
    text += strspn(text, " \t");
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 15) {
        return false;
    }
    int64_t value = g_ascii_strtoll(text, NULL, 10) * factor;
    const char *at = text + digits;
    if (*at == '.') {
        for (at++; g_ascii_isdigit(*at); at++) {
            factor /= 10;
            value += (*at - '0') * factor;
        }
    }
    *out = value;
    return at[strspn(at, " \t")] == '\0';
}

bool budget_read_time(const char *text, BudgetUnit unit, int64_t now_ms, int64_t *time_ms_out) {
    static const struct {
        int64_t factor;
        bool from_now;
    } readings[BUDGET_UNITS] = {
        [BUDGET_UNIT_EPOCH_S] = {1000, false},
        [BUDGET_UNIT_EPOCH_MS] = {1, false},
        [BUDGET_UNIT_S] = {1000, true},
        [BUDGET_UNIT_MS] = {1, true},
    };
    if (unit == BUDGET_UNIT_ISO8601) {
        return strnlen(text, 64) < 64 && clock_parse(text, time_ms_out);
    }
    int64_t value;
    if (!read_scaled(text, readings[unit].factor, &value)) {
        return false;
    }
    *time_ms_out = value + (readings[unit].from_now ? now_ms : 0);
    return true;
}

static int64_t read_count(const NetHeaders *headers, const char *name) {
    const char *text = name ? net_headers_get(headers, name) : NULL;
    int64_t value;
    if (!text || !read_scaled(text, 1, &value)) {
        return -1;
    }
    return MIN(value, BUDGET_LIMIT_MAX);
}

/* "32/40": 32 of 40 are used. */
static void read_usage(const NetHeaders *headers, const char *name, BudgetReport *report) {
    const char *text = name ? net_headers_get(headers, name) : NULL;
    const char *slash = text ? strchr(text, '/') : NULL;
    if (!slash || slash - text > 15) {
        return;
    }
    g_autofree char *first = g_strndup(text, (gsize)(slash - text));
    int64_t used;
    int64_t size;
    if (read_scaled(first, 1, &used) && read_scaled(slash + 1, 1, &size)) {
        report->limit = MIN(size, BUDGET_LIMIT_MAX);
        report->remaining = MAX(report->limit - used, 0);
    }
}

/* How far our clock is ahead of the provider's, so that a reset told as a point in time means the
 * same to both. */
static int64_t clock_lead(const NetHeaders *headers, BudgetUnit unit, int64_t now_ms) {
    const char *date = net_headers_get(headers, "date");
    int64_t theirs;
    if (unit == BUDGET_UNIT_S || unit == BUDGET_UNIT_MS || !date ||
        !retry_http_date(date, &theirs)) {
        return 0;
    }
    return now_ms - theirs;
}

bool budget_read_report(const BudgetHeaders *names, const NetHeaders *headers, int64_t now_ms,
                        BudgetReport *report_out) {
    BudgetReport report = {
        .limit = read_count(headers, names->limit),
        .remaining = read_count(headers, names->remaining),
        .reset_ms = -1,
    };
    read_usage(headers, names->usage, &report);
    const char *reset = names->reset ? net_headers_get(headers, names->reset) : NULL;
    int64_t time_ms;
    if (reset && budget_read_time(reset, names->reset_unit, now_ms, &time_ms)) {
        time_ms += clock_lead(headers, names->reset_unit, now_ms);
        /* A reset that no window reaches was written in another unit than declared. */
        report.reset_ms = time_ms <= now_ms + BUDGET_WINDOW_MAX_MS ? MAX(time_ms, now_ms) : -1;
    }
    if (report.limit < 0 && report.remaining < 0 && report.reset_ms < 0) {
        return false;
    }
    *report_out = report;
    return true;
}

bool budget_parse_rate(const char *text, BudgetSpec *spec, GError **error) {
    const char *slash = strchr(text, '/');
    int64_t limit = 0;
    int64_t window = 0;
    if (slash && slash > text && slash - text <= 10) {
        g_autofree char *count = g_strndup(text, (gsize)(slash - text));
        bool whole = strspn(count, "0123456789") == strlen(count);
        limit = whole ? g_ascii_strtoll(count, NULL, 10) : 0;
    }
    if (limit < 1 || limit > BUDGET_LIMIT_MAX || !clock_parse_duration(slash + 1, &window) ||
        window < 1 || window > BUDGET_WINDOW_MAX_MS) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                            "not a limit: write calls per time, such as 50/1m or 5000/1h");
        return false;
    }
    spec->limit = limit;
    spec->window_ms = window;
    return true;
}

char *budget_rate_text(int64_t limit, int64_t window_ms) {
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    size_t i = 0;
    while (i + 1 < G_N_ELEMENTS(units) && window_ms % units[i].ms != 0) {
        i++;
    }
    return g_strdup_printf("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT "%s", limit,
                           window_ms / units[i].ms, units[i].unit);
}

/* --- counts in memory ------------------------------------------------------------------------ */

typedef struct {
    BudgetSpec spec;    /* its header names are not used here */
    int64_t told_limit; /* by the provider; 0: not told yet */
    unsigned in_flight;
    int64_t in_flight_cost;
    int64_t held_until_ms;
    /* RATE: tokens times window_ms, so that refilling is exact in integers */
    int64_t level;
    int64_t level_at_ms;
    int64_t spent_until_ms; /* the provider counts none left until then */
    /* QUOTA */
    int64_t remaining;
    int64_t reset_ms; /* 0: the window has not begun */
} MemoryBudget;

static int64_t effective_limit(const MemoryBudget *state) {
    int64_t limit = state->told_limit ? state->told_limit : state->spec.limit;
    int64_t ceiling = state->spec.override_limit;
    return ceiling > 0 && limit > 0 ? MIN(limit, ceiling) : limit;
}

/* A burst of the whole limit would leave nothing to refill; a limit of one call needs no burst
 * apart: spacing calls by the window keeps it. */
static int64_t burst_of(const MemoryBudget *state) {
    int64_t limit = effective_limit(state);
    int64_t burst = state->spec.burst > 0 ? state->spec.burst : limit / 10;
    return CLAMP(burst, 1, MAX(limit - 1, 1));
}

static int64_t refill_of(const MemoryBudget *state) {
    int64_t spare = effective_limit(state) - burst_of(state);
    return spare > 0 ? spare : 1;
}

static int64_t reserve_of(const MemoryBudget *state) {
    int percent = state->spec.reserve_percent;
    percent = percent == 0 ? DEFAULT_RESERVE_PERCENT : MAX(percent, 0);
    return effective_limit(state) * MIN(percent, 100) / 100;
}

static void cap_level(MemoryBudget *state, int64_t tokens) {
    state->level = MIN(state->level, tokens * state->spec.window_ms);
}

static void refill(MemoryBudget *state, int64_t now_ms) {
    int64_t elapsed = now_ms - state->level_at_ms;
    if (elapsed > 0) {
        int64_t rate = refill_of(state);
        int64_t enough = burst_of(state) * state->spec.window_ms / rate + 1; /* no overflow */
        state->level += MIN(elapsed, enough) * rate;
        state->level_at_ms = now_ms;
    }
    cap_level(state, burst_of(state));
}

static BudgetAnswer take_rate(MemoryBudget *state, int64_t cost, int64_t now_ms) {
    if (cost > burst_of(state)) {
        return (BudgetAnswer){.grant = BUDGET_NEVER};
    }
    if (state->level_at_ms == 0) {
        state->level_at_ms = now_ms; /* known from now on, and empty */
    }
    refill(state, now_ms);
    if (state->spent_until_ms > now_ms) {
        return (BudgetAnswer){BUDGET_WAIT, state->spent_until_ms};
    }
    int64_t needed = cost * state->spec.window_ms;
    if (state->level < needed) {
        int64_t rate = refill_of(state);
        int64_t wait = (needed - state->level + rate - 1) / rate;
        return (BudgetAnswer){BUDGET_WAIT, MAX(now_ms, state->level_at_ms) + wait};
    }
    state->level -= needed;
    return (BudgetAnswer){.grant = BUDGET_GRANTED};
}

static BudgetAnswer take_quota(MemoryBudget *state, int64_t cost, int64_t now_ms) {
    int64_t limit = effective_limit(state);
    int64_t reserve = reserve_of(state);
    if (cost > limit - reserve) {
        return (BudgetAnswer){.grant = BUDGET_NEVER};
    }
    if (state->reset_ms && now_ms >= state->reset_ms) {
        state->reset_ms = 0;
        state->remaining = limit;
    }
    if (state->reset_ms == 0) {
        state->reset_ms =
            now_ms + (state->spec.window_ms ? state->spec.window_ms : UNKNOWN_WINDOW_MS);
    }
    if (state->remaining - cost < reserve) {
        return (BudgetAnswer){BUDGET_WAIT, state->reset_ms};
    }
    state->remaining -= cost;
    return (BudgetAnswer){.grant = BUDGET_GRANTED};
}

static void *memory_open(void *backend, const char *key, const BudgetSpec *spec) {
    (void)backend;
    (void)key;
    MemoryBudget *state = g_new0(MemoryBudget, 1);
    state->spec = *spec;
    state->remaining = effective_limit(state);
    return state;
}

static void memory_declare(void *data, const BudgetSpec *spec) {
    MemoryBudget *state = data;
    int64_t before = effective_limit(state);
    state->spec = *spec;
    state->level = 0;
    int64_t used = before - state->remaining;
    state->remaining = MAX(effective_limit(state) - MAX(used, 0), 0);
}

static BudgetAnswer memory_take(void *data, int64_t cost, int64_t now_ms) {
    MemoryBudget *state = data;
    if (state->spec.concurrency && state->in_flight >= state->spec.concurrency) {
        return (BudgetAnswer){.grant = BUDGET_BUSY};
    }
    if (state->held_until_ms > now_ms) {
        return (BudgetAnswer){BUDGET_WAIT, state->held_until_ms};
    }
    BudgetAnswer answer = {.grant = BUDGET_GRANTED};
    if (effective_limit(state) > 0) {
        answer = state->spec.kind == BUDGET_RATE ? take_rate(state, cost, now_ms)
                                                 : take_quota(state, cost, now_ms);
    }
    if (answer.grant == BUDGET_GRANTED) {
        state->in_flight++;
        state->in_flight_cost += cost;
    }
    return answer;
}

static void land(MemoryBudget *state, int64_t cost) {
    g_assert(state->in_flight > 0);
    state->in_flight--;
    state->in_flight_cost -= cost;
}

static void memory_refund(void *data, int64_t cost) {
    MemoryBudget *state = data;
    land(state, cost);
    if (effective_limit(state) == 0) {
        return;
    }
    state->remaining = MIN(state->remaining + cost, effective_limit(state));
    state->level += cost * state->spec.window_ms;
    cap_level(state, burst_of(state));
}

static void hear_limit(MemoryBudget *state, int64_t limit) {
    int64_t before = effective_limit(state);
    state->told_limit = limit;
    if (effective_limit(state) != before) {
        state->level = 0;
    }
}

/* The calls that are still under way may or may not be in the provider's count; they are taken as
 * not counted yet. */
static void hear_remaining(MemoryBudget *state, const BudgetReport *report) {
    int64_t limit = effective_limit(state);
    int64_t above = state->told_limit ? state->told_limit - limit : 0; /* cut off by the operator */
    int64_t remaining = MAX(report->remaining - above - state->in_flight_cost, 0);
    state->remaining = MIN(remaining, limit);
    if (limit > 0) {
        cap_level(state, MIN(remaining, limit));
    }
    state->spent_until_ms = report->remaining == 0 ? report->reset_ms : 0;
}

static void memory_answered(void *data, int64_t cost, const BudgetReport *report, int64_t now_ms) {
    MemoryBudget *state = data;
    land(state, cost);
    if (!report) {
        return;
    }
    if (report->limit > 0) {
        hear_limit(state, report->limit);
    }
    if (report->reset_ms >= 0) {
        state->reset_ms = MAX(report->reset_ms, now_ms);
    }
    if (report->remaining >= 0) {
        hear_remaining(state, report);
    }
}

static void memory_hold(void *data, int64_t until_ms) {
    MemoryBudget *state = data;
    state->held_until_ms = MAX(state->held_until_ms, until_ms);
}

const BudgetBackend budget_memory = {
    .open = memory_open,
    .declare = memory_declare,
    .take = memory_take,
    .refund = memory_refund,
    .answered = memory_answered,
    .hold = memory_hold,
    .close = g_free,
};

/* --- budgets by key -------------------------------------------------------------------------- */

struct BudgetSet {
    const BudgetBackend *backend;
    void *backend_data;
    GHashTable *budgets; /* by key */
    GHashTable *caps;    /* provider -> BudgetSpec */
    BudgetListener listener;
    void *listener_data;
};

struct Budget {
    BudgetSet *set;
    const BudgetBackend *backend;
    char *key;
    BudgetSpec spec; /* header names owned */
    void *state;
};

static const size_t header_names[] = {
    offsetof(BudgetHeaders, limit),
    offsetof(BudgetHeaders, remaining),
    offsetof(BudgetHeaders, reset),
    offsetof(BudgetHeaders, usage),
};

static const char **header_name(BudgetHeaders *headers, size_t index) {
    return (const char **)(void *)((char *)headers + header_names[index]);
}

static const char *header_name_of(const BudgetHeaders *headers, size_t index) {
    return *(const char *const *)(const void *)((const char *)headers + header_names[index]);
}

static void spec_clear(BudgetSpec *spec) {
    for (size_t i = 0; i < G_N_ELEMENTS(header_names); i++) {
        g_clear_pointer((char **)(void *)header_name(&spec->headers, i), g_free);
    }
}

static void spec_copy(BudgetSpec *to, const BudgetSpec *from) {
    *to = *from;
    for (size_t i = 0; i < G_N_ELEMENTS(header_names); i++) {
        *header_name(&to->headers, i) = g_strdup(header_name_of(&from->headers, i));
    }
}

static bool spec_equal(const BudgetSpec *a, const BudgetSpec *b) {
    bool numbers = a->kind == b->kind && a->limit == b->limit && a->window_ms == b->window_ms &&
                   a->burst == b->burst && a->reserve_percent == b->reserve_percent &&
                   a->concurrency == b->concurrency && a->override_limit == b->override_limit &&
                   a->headers.reset_unit == b->headers.reset_unit;
    for (size_t i = 0; numbers && i < G_N_ELEMENTS(header_names); i++) {
        if (g_strcmp0(header_name_of(&a->headers, i), header_name_of(&b->headers, i)) != 0) {
            return false;
        }
    }
    return numbers;
}

static void budget_free(gpointer data) {
    Budget *budget = data;
    budget->backend->close(budget->state);
    spec_clear(&budget->spec);
    g_free(budget->key);
    g_free(budget);
}

BudgetSet *budget_set_new(const BudgetBackend *backend, void *backend_data) {
    BudgetSet *set = g_new0(BudgetSet, 1);
    set->backend = backend;
    set->backend_data = backend_data;
    set->budgets = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, budget_free);
    set->caps = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return set;
}

void budget_set_free(BudgetSet *set) {
    if (!set) {
        return;
    }
    g_hash_table_destroy(set->budgets);
    g_hash_table_destroy(set->caps);
    g_free(set);
}

void budget_set_listen(BudgetSet *set, BudgetListener listener, void *data) {
    set->listener = listener;
    set->listener_data = data;
}

void budget_changed(Budget *budget) {
    if (budget->set->listener) {
        budget->set->listener(budget->set->listener_data, budget);
    }
}

void budget_set_cap(BudgetSet *set, const char *provider, int64_t limit, int64_t window_ms) {
    if (limit <= 0) {
        g_hash_table_remove(set->caps, provider);
        return;
    }
    BudgetSpec *spec = g_new0(BudgetSpec, 1);
    *spec = (BudgetSpec){.kind = BUDGET_RATE, .limit = limit, .window_ms = window_ms};
    g_hash_table_insert(set->caps, g_strdup(provider), spec);
}

bool budget_set_cap_of(const BudgetSet *set, const char *provider, BudgetSpec *spec_out) {
    const BudgetSpec *spec = g_hash_table_lookup(set->caps, provider);
    if (spec) {
        *spec_out = *spec;
    }
    return spec != NULL;
}

Budget *budget_get(BudgetSet *set, const char *key, const BudgetSpec *spec) {
    Budget *budget = g_hash_table_lookup(set->budgets, key);
    if (!budget) {
        budget = g_new0(Budget, 1);
        budget->set = set;
        budget->backend = set->backend;
        budget->key = g_strdup(key);
        spec_copy(&budget->spec, spec);
        budget->state = set->backend->open(set->backend_data, key, &budget->spec);
        if (set->backend->attach) {
            set->backend->attach(budget->state, budget);
        }
        g_hash_table_insert(set->budgets, budget->key, budget);
    } else if (!spec_equal(&budget->spec, spec)) {
        spec_clear(&budget->spec);
        spec_copy(&budget->spec, spec);
        set->backend->declare(budget->state, &budget->spec);
    }
    return budget;
}

const char *budget_key(const Budget *budget) {
    return budget->key;
}

const BudgetSpec *budget_spec(const Budget *budget) {
    return &budget->spec;
}

BudgetAnswer budget_take(Budget *budget, int64_t cost, int64_t now_ms) {
    return budget->backend->take(budget->state, MAX(cost, 1), now_ms);
}

void budget_refund(Budget *budget, int64_t cost) {
    budget->backend->refund(budget->state, MAX(cost, 1));
}

void budget_answered(Budget *budget, int64_t cost, const NetHeaders *headers, int64_t now_ms) {
    BudgetReport report;
    bool told = headers && budget_read_report(&budget->spec.headers, headers, now_ms, &report);
    budget->backend->answered(budget->state, MAX(cost, 1), told ? &report : NULL, now_ms);
}

void budget_hold(Budget *budget, int64_t until_ms) {
    budget->backend->hold(budget->state, until_ms);
}

void budget_throttled(Budget *budget, int64_t wait_ms, int64_t now_ms) {
    if (budget->backend->throttled) {
        budget->backend->throttled(budget->state, wait_ms);
    } else if (wait_ms > 0) {
        budget_hold(budget, now_ms + wait_ms);
    }
}
