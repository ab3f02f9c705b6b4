#include "net/budget.h"

#include "base/error.h"

#include <string.h>

#define START 1700000000000LL

typedef struct {
    BudgetSet *set;
    Budget *budget;
} Fixture;

static Fixture make(const BudgetSpec *spec) {
    Fixture fixture = {.set = budget_set_new(&budget_memory, NULL)};
    fixture.budget = budget_get(fixture.set, "github/connection/1", spec);
    return fixture;
}

static void assert_granted(Budget *budget, int64_t now) {
    g_assert_cmpint(budget_take(budget, 1, now).grant, ==, BUDGET_GRANTED);
}

static void assert_waits(Budget *budget, int64_t now, int64_t until) {
    BudgetAnswer answer = budget_take(budget, 1, now);
    g_assert_cmpint(answer.grant, ==, BUDGET_WAIT);
    g_assert_cmpint(answer.at_ms, ==, until);
}

/* How many are granted at once. They are left under way. */
static unsigned grants_at(Budget *budget, int64_t now) {
    unsigned count = 0;
    while (count < 100000 && budget_take(budget, 1, now).grant == BUDGET_GRANTED) {
        count++;
    }
    return count;
}

typedef struct {
    const char *name;
    const char *value;
} Field;

/* Answers one call with these headers; ends with a NULL name. */
static void answer(Budget *budget, int64_t now, const Field *fields) {
    g_autoptr(NetHeaders) headers = net_headers_new(4096);
    for (; fields->name; fields++) {
        g_assert_true(net_headers_add(headers, fields->name, fields->value, NULL));
    }
    budget_answered(budget, 1, headers, now);
}

#define ANSWER(budget, now, ...) answer(budget, now, (const Field[]){__VA_ARGS__, {NULL, NULL}})

static BudgetSpec quota_spec(int64_t limit) {
    return (BudgetSpec){.kind = BUDGET_QUOTA,
                        .limit = limit,
                        .window_ms = 3600000,
                        .headers = {.limit = "x-limit",
                                    .remaining = "x-remaining",
                                    .reset = "x-reset",
                                    .reset_unit = BUDGET_UNIT_EPOCH_S,
                                    .usage = "x-usage"}};
}

/* --- reading --------------------------------------------------------------------------------- */

static void limits_are_read_and_nonsense_is_refused(void) {
    static const struct {
        const char *text;
        int64_t limit; /* 0: refused */
        int64_t window_ms;
    } rows[] = {
        {"50/1m", 50, 60000},
        {"5000/1h", 5000, 3600000},
        {"1/1s", 1, 1000},
        {"10/500ms", 10, 500},
        {"1000/100s", 1000, 100000},
        {"1000000000/1d", 1000000000, 86400000},
        {"0/1m", 0, 0},
        {"-5/1m", 0, 0},
        {"50", 0, 0},
        {"/1m", 0, 0},
        {"50/", 0, 0},
        {"50/0s", 0, 0},
        {"50/1", 0, 0},
        {"5.5/1m", 0, 0},
        {" 50/1m", 0, 0},
        {"50/1m ", 0, 0},
        {"1000000001/1d", 0, 0},
        {"99999999999999999999/1m", 0, 0},
        {"50/100d", 0, 0},
        {"", 0, 0},
        {"50/1m/2", 0, 0},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        BudgetSpec spec = {.concurrency = 3};
        g_autoptr(GError) error = NULL;
        g_test_message("%s", rows[i].text);
        g_assert_true(budget_parse_rate(rows[i].text, &spec, &error) == (rows[i].limit > 0));
        g_assert_true((error != NULL) == (rows[i].limit == 0));
        g_assert_cmpint(spec.limit, ==, rows[i].limit);
        g_assert_cmpint(spec.window_ms, ==, rows[i].window_ms);
        g_assert_cmpuint(spec.concurrency, ==, 3);
    }
}

static void times_are_read_in_every_unit(void) {
    static const struct {
        BudgetUnit unit;
        const char *text;
        int64_t time; /* -1: refused */
    } rows[] = {
        {BUDGET_UNIT_EPOCH_S, "1700000600", 1700000600000},
        {BUDGET_UNIT_EPOCH_S, "1700000600.25", 1700000600250},
        {BUDGET_UNIT_EPOCH_MS, "1700000600123", 1700000600123},
        {BUDGET_UNIT_S, "30", START + 30000},
        {BUDGET_UNIT_S, "0.5", START + 500},
        {BUDGET_UNIT_S, "1.23456789", START + 1234},
        {BUDGET_UNIT_MS, "1500", START + 1500},
        {BUDGET_UNIT_ISO8601, "2023-11-14T22:23:20Z", 1700000600000},
        {BUDGET_UNIT_ISO8601, "2023-11-14T23:23:20.5+01:00", 1700000600500},
        {BUDGET_UNIT_EPOCH_S, "", -1},
        {BUDGET_UNIT_EPOCH_S, "-1", -1},
        {BUDGET_UNIT_EPOCH_S, "soon", -1},
        {BUDGET_UNIT_EPOCH_S, "1700000600x", -1},
        {BUDGET_UNIT_EPOCH_S, "9999999999999999", -1},
        {BUDGET_UNIT_ISO8601, "1700000600", -1},
        {BUDGET_UNIT_ISO8601, "", -1},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        int64_t time = -1;
        g_test_message("%d %s", rows[i].unit, rows[i].text);
        g_assert_true(budget_read_time(rows[i].text, rows[i].unit, START, &time) ==
                      (rows[i].time >= 0));
        g_assert_cmpint(time, ==, rows[i].time);
    }
}

static bool report_of(const char *line, int64_t now, BudgetReport *report) {
    BudgetSpec spec = quota_spec(1);
    g_autoptr(NetHeaders) headers = net_headers_new(4096);
    g_auto(GStrv) lines = g_strsplit(line, "|", -1);
    for (unsigned i = 0; lines[i]; i++) {
        g_assert_true(net_headers_add_line(headers, lines[i], strlen(lines[i])));
    }
    return budget_read_report(&spec.headers, headers, now, report);
}

static void reports_hold_what_the_headers_say(void) {
    static const struct {
        const char *lines;
        BudgetReport report; /* all -1: nothing told */
    } rows[] = {
        {"X-Limit: 60|X-Remaining: 59|X-Reset: 1700000600", {60, 59, 1700000600000}},
        {"X-Remaining: 0", {-1, 0, -1}},
        {"X-Usage: 32/40", {40, 8, -1}},
        {"X-Usage: 50/40", {40, 0, -1}},
        {"X-Usage: 32", {-1, -1, -1}},
        {"X-Usage: a/b", {-1, -1, -1}},
        {"X-Remaining: lots|X-Limit: -1", {-1, -1, -1}},
        {"X-Limit: 99999999999", {BUDGET_LIMIT_MAX, -1, -1}},
        /* written in another unit than declared: no window reaches so far */
        {"X-Reset: 1700000600000", {-1, -1, -1}},
        /* in the past: now */
        {"X-Reset: 1600000000", {-1, -1, START}},
        /* the provider's clock is five minutes behind ours */
        {"Date: Tue, 14 Nov 2023 22:08:20 GMT|X-Reset: 1700000000", {-1, -1, START + 300000}},
        {"Content-Type: text/plain", {-1, -1, -1}},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        BudgetReport report = {-1, -1, -1};
        bool told = rows[i].report.limit >= 0 || rows[i].report.remaining >= 0 ||
                    rows[i].report.reset_ms >= 0;
        g_test_message("%s", rows[i].lines);
        g_assert_true(report_of(rows[i].lines, START, &report) == told);
        g_assert_cmpint(report.limit, ==, rows[i].report.limit);
        g_assert_cmpint(report.remaining, ==, rows[i].report.remaining);
        g_assert_cmpint(report.reset_ms, ==, rows[i].report.reset_ms);
    }
}

/* --- smoothed -------------------------------------------------------------------------------- */

/* Every window (t - W, t] that ends with a grant. */
static void check_windows(const GArray *times, const GArray *costs, const BudgetSpec *spec) {
    int64_t sum = 0;
    guint first = 0;
    for (guint i = 0; i < times->len; i++) {
        int64_t now = g_array_index(times, int64_t, i);
        sum += g_array_index(costs, int64_t, i);
        while (g_array_index(times, int64_t, first) <= now - spec->window_ms) {
            sum -= g_array_index(costs, int64_t, first++);
        }
        g_assert_cmpint(sum, <=, spec->limit);
    }
}

/* Callers that come at random, in bursts, or exactly when they are told to. */
static void ask_at_random(const BudgetSpec *spec, int64_t largest_cost) {
    Fixture fixture = make(spec);
    g_autoptr(GArray) times = g_array_new(FALSE, FALSE, sizeof(int64_t));
    g_autoptr(GArray) costs = g_array_new(FALSE, FALSE, sizeof(int64_t));
    int64_t now = START;
    int64_t cost = 1;
    bool due = false; /* asks again at the time that it was told */
    for (unsigned i = 0; i < 2000; i++) {
        BudgetAnswer got = budget_take(fixture.budget, cost, now);
        g_assert_cmpint(got.grant, ==,
                        due || got.grant == BUDGET_GRANTED ? BUDGET_GRANTED : BUDGET_WAIT);
        if (got.grant == BUDGET_GRANTED) {
            g_array_append_val(times, now);
            g_array_append_val(costs, cost);
            budget_answered(fixture.budget, cost, NULL, now);
            cost = 1 + g_test_rand_int_range(0, (gint32)largest_cost);
            due = false;
        } else {
            g_assert_cmpint(got.at_ms, >, now);
            due = g_test_rand_int_range(0, 3) != 0;
            now = due ? got.at_ms : now + 1;
        }
        if (!due && g_test_rand_int_range(0, 10) == 0) {
            now += g_test_rand_int_range(0, (gint32)spec->window_ms * 2);
        }
    }
    g_assert_cmpuint(times->len, >, 100);
    check_windows(times, costs, spec);
    budget_set_free(fixture.set);
}

static void smoothed_limit_holds_in_every_window(void) {
    for (unsigned round = 0; round < 60; round++) {
        BudgetSpec spec = {.kind = BUDGET_RATE,
                           .limit = g_test_rand_int_range(1, 200),
                           .window_ms = g_test_rand_int_range(1, 5000)};
        spec.burst = g_test_rand_int_range(0, (gint32)spec.limit + 5);
        int64_t burst = spec.burst ? spec.burst : spec.limit / 10;
        burst = CLAMP(burst, 1, MAX(spec.limit - 1, 1));
        ask_at_random(&spec, g_test_rand_int_range(1, (gint32)burst + 1));
    }
}

/* The naive bucket of the whole limit grants 99 calls in a minute of "50". */
static void fifty_a_minute_is_fifty_also_after_a_pause(void) {
    BudgetSpec spec = {.kind = BUDGET_RATE, .limit = 50, .window_ms = 60000};
    Fixture fixture = make(&spec);
    g_assert_cmpuint(grants_at(fixture.budget, START), ==, 0);
    unsigned granted = 0;
    for (int64_t now = START + 600000; now < START + 660000; now++) {
        granted += grants_at(fixture.budget, now);
    }
    g_assert_cmpuint(granted, ==, 49); /* 5 at once, then one every 1.33 s */
    budget_set_free(fixture.set);
}

static void unknown_smoothed_budget_starts_empty(void) {
    BudgetSpec spec = {.kind = BUDGET_RATE, .limit = 50, .window_ms = 60000};
    Fixture fixture = make(&spec);
    assert_waits(fixture.budget, START, START + 1334); /* 60 s / (50 - 5) */
    assert_waits(fixture.budget, START + 1333, START + 1334);
    assert_granted(fixture.budget, START + 1334);
    budget_set_free(fixture.set);
}

static void change_of_authority_empties_a_smoothed_budget(void) {
    BudgetSpec spec = {.kind = BUDGET_RATE, .limit = 100, .window_ms = 1000, .burst = 20};
    spec.headers.limit = "x-limit";
    spec.headers.remaining = "x-remaining";
    Fixture fixture = make(&spec);
    assert_waits(fixture.budget, START, START + 13);
    assert_granted(fixture.budget, START + 10000); /* full by now */
    ANSWER(fixture.budget, START + 10000, {"x-limit", "100"});
    assert_granted(fixture.budget, START + 10000); /* the same limit: no change */
    ANSWER(fixture.budget, START + 10000, {"x-limit", "40"});
    assert_waits(fixture.budget, START + 10000, START + 10050); /* (40 - 20) a second */
    spec.limit = 60;
    (void)budget_get(fixture.set, "github/connection/1", &spec);
    g_assert_cmpint(budget_take(fixture.budget, 1, START + 10000).grant, ==, BUDGET_WAIT);
    budget_set_free(fixture.set);
}

static void remaining_lowers_a_smoothed_budget_and_none_left_waits_for_the_reset(void) {
    BudgetSpec spec = {.kind = BUDGET_RATE, .limit = 100, .window_ms = 1000, .burst = 20};
    spec.headers = (BudgetHeaders){
        .remaining = "x-remaining", .reset = "x-reset", .reset_unit = BUDGET_UNIT_S};
    Fixture fixture = make(&spec);
    (void)budget_take(fixture.budget, 1, START);
    assert_granted(fixture.budget, START + 5000);
    ANSWER(fixture.budget, START + 5000, {"x-remaining", "3"});
    g_assert_cmpuint(grants_at(fixture.budget, START + 5000), ==, 3);
    ANSWER(fixture.budget, START + 5000, {"x-remaining", "0"}, {"x-reset", "7"});
    assert_waits(fixture.budget, START + 6000, START + 12000);
    assert_granted(fixture.budget, START + 12000);
    budget_set_free(fixture.set);
}

/* --- counted --------------------------------------------------------------------------------- */

static void quota_is_spent_down_to_its_reserve_and_then_waits_for_the_reset(void) {
    static const struct {
        int percent;
        unsigned granted;
    } rows[] = {{0, 90}, {25, 75}, {BUDGET_NO_RESERVE, 100}};
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        BudgetSpec spec = quota_spec(100);
        spec.reserve_percent = rows[i].percent;
        Fixture fixture = make(&spec);
        g_assert_cmpuint(grants_at(fixture.budget, START), ==, rows[i].granted);
        assert_waits(fixture.budget, START + 1, START + 3600000);
        g_assert_cmpuint(grants_at(fixture.budget, START + 3600000), ==, rows[i].granted);
        budget_set_free(fixture.set);
    }
}

static void headers_are_the_authority_both_ways(void) {
    BudgetSpec spec = quota_spec(100);
    Fixture fixture = make(&spec);
    assert_granted(fixture.budget, START);
    ANSWER(fixture.budget, START, {"x-limit", "5000"}, {"x-remaining", "510"},
           {"x-reset", "1700000600"});
    g_assert_cmpuint(grants_at(fixture.budget, START), ==, 10); /* above the reserve of 500 */
    assert_waits(fixture.budget, START, 1700000600000);
    ANSWER(fixture.budget, START, {"x-remaining", "1000"});
    g_assert_cmpuint(grants_at(fixture.budget, START), ==, 1000 - 9 - 500); /* 9 under way */
    ANSWER(fixture.budget, START, {"x-remaining", "500"});
    assert_waits(fixture.budget, START, 1700000600000);
    g_assert_cmpuint(grants_at(fixture.budget, 1700000600000), ==, 4500);
    budget_set_free(fixture.set);
}

static void declared_value_holds_until_something_is_told(void) {
    BudgetSpec spec = quota_spec(10);
    spec.reserve_percent = BUDGET_NO_RESERVE;
    Fixture fixture = make(&spec);
    assert_granted(fixture.budget, START);
    ANSWER(fixture.budget, START, {"content-type", "text/html"});
    assert_granted(fixture.budget, START);
    ANSWER(fixture.budget, START, {"x-limit", "0"}, {"x-remaining", "nonsense"});
    g_assert_cmpuint(grants_at(fixture.budget, START), ==, 8);
    budget_set_free(fixture.set);
}

static void limit_that_only_headers_tell_is_kept_as_well(void) {
    BudgetSpec spec = quota_spec(0);
    spec.window_ms = 0;
    Fixture fixture = make(&spec);
    for (unsigned i = 0; i < 500; i++) {
        assert_granted(fixture.budget, START);
        budget_answered(fixture.budget, 1, NULL, START);
    }
    assert_granted(fixture.budget, START);
    ANSWER(fixture.budget, START, {"x-limit", "100"}, {"x-remaining", "12"});
    g_assert_cmpuint(grants_at(fixture.budget, START), ==, 2);
    assert_waits(fixture.budget, START + 1, START + 60000);
    budget_set_free(fixture.set);
}

static void override_only_lowers(void) {
    BudgetSpec spec = quota_spec(100);
    spec.reserve_percent = BUDGET_NO_RESERVE;
    spec.override_limit = 1000;
    Fixture high = make(&spec);
    g_assert_cmpuint(grants_at(high.budget, START), ==, 100);
    budget_set_free(high.set);
    spec.override_limit = 30;
    Fixture low = make(&spec);
    assert_granted(low.budget, START);
    /* 20 of 5,000 are used: 10 of our 30 are left */
    ANSWER(low.budget, START, {"x-limit", "5000"}, {"x-remaining", "4980"});
    g_assert_cmpuint(grants_at(low.budget, START), ==, 10);
    budget_set_free(low.set);
    BudgetSpec rate = {
        .kind = BUDGET_RATE, .limit = 100, .window_ms = 1000, .burst = 50, .override_limit = 10};
    Fixture smooth = make(&rate);
    g_assert_cmpuint(grants_at(smooth.budget, START), ==, 0);
    g_assert_cmpuint(grants_at(smooth.budget, START + 60000), ==, 9);
    budget_set_free(smooth.set);
}

static void refunded_calls_are_not_counted(void) {
    BudgetSpec quota = quota_spec(2);
    BudgetSpec rate = {.kind = BUDGET_RATE, .limit = 2, .window_ms = 1000};
    Fixture counted = make(&quota);
    Fixture smooth = make(&rate);
    g_assert_cmpuint(grants_at(smooth.budget, START), ==, 0);
    for (unsigned i = 0; i < 5; i++) {
        assert_granted(counted.budget, START);
        budget_refund(counted.budget, 1);
        assert_granted(smooth.budget, START + 5000);
        budget_refund(smooth.budget, 1);
    }
    g_assert_cmpuint(grants_at(counted.budget, START), ==, 2);
    g_assert_cmpuint(grants_at(smooth.budget, START + 5000), ==, 1);
    budget_set_free(counted.set);
    budget_set_free(smooth.set);
}

static void changed_declaration_keeps_what_was_used(void) {
    BudgetSpec spec = quota_spec(100);
    spec.reserve_percent = BUDGET_NO_RESERVE;
    Fixture fixture = make(&spec);
    for (unsigned i = 0; i < 60; i++) {
        assert_granted(fixture.budget, START);
    }
    spec.limit = 70;
    g_assert_true(budget_get(fixture.set, "github/connection/1", &spec) == fixture.budget);
    g_assert_cmpuint(grants_at(fixture.budget, START), ==, 10);
    budget_set_free(fixture.set);
}

/* --- both ------------------------------------------------------------------------------------ */

static void concurrency_is_capped_until_a_call_is_over(void) {
    BudgetSpec spec = quota_spec(1000);
    spec.concurrency = 3;
    Fixture fixture = make(&spec);
    g_assert_cmpuint(grants_at(fixture.budget, START), ==, 3);
    g_assert_cmpint(budget_take(fixture.budget, 1, START).grant, ==, BUDGET_BUSY);
    budget_answered(fixture.budget, 1, NULL, START);
    assert_granted(fixture.budget, START);
    budget_refund(fixture.budget, 1);
    assert_granted(fixture.budget, START);
    g_assert_cmpint(budget_take(fixture.budget, 1, START).grant, ==, BUDGET_BUSY);
    budget_set_free(fixture.set);
}

static void budget_without_a_limit_caps_concurrency_only(void) {
    BudgetSpec spec = {.kind = BUDGET_RATE, .concurrency = 2};
    Fixture fixture = make(&spec);
    for (unsigned i = 0; i < 1000; i++) {
        assert_granted(fixture.budget, START);
        budget_answered(fixture.budget, 1, NULL, START);
    }
    g_assert_cmpuint(grants_at(fixture.budget, START), ==, 2);
    budget_set_free(fixture.set);
}

static void cost_beyond_any_grant_is_said_at_once(void) {
    BudgetSpec rate = {.kind = BUDGET_RATE, .limit = 50, .window_ms = 60000};
    BudgetSpec quota = quota_spec(100);
    Fixture smooth = make(&rate);
    Fixture counted = make(&quota);
    g_assert_cmpint(budget_take(smooth.budget, 5, START).grant, ==, BUDGET_WAIT);
    g_assert_cmpint(budget_take(smooth.budget, 6, START).grant, ==, BUDGET_NEVER);
    g_assert_cmpint(budget_take(counted.budget, 90, START).grant, ==, BUDGET_GRANTED);
    g_assert_cmpint(budget_take(counted.budget, 91, START).grant, ==, BUDGET_NEVER);
    budget_set_free(smooth.set);
    budget_set_free(counted.set);
}

static void held_budget_grants_nothing_before_its_time(void) {
    BudgetSpec spec = quota_spec(100);
    Fixture fixture = make(&spec);
    assert_granted(fixture.budget, START);
    budget_hold(fixture.budget, START + 5000);
    budget_hold(fixture.budget, START + 1000); /* never shortens */
    assert_waits(fixture.budget, START + 4999, START + 5000);
    assert_granted(fixture.budget, START + 5000);
    budget_set_free(fixture.set);
}

static void budgets_are_shared_by_key(void) {
    BudgetSpec spec = quota_spec(100);
    g_autoptr(BudgetSet) set = budget_set_new(&budget_memory, NULL);
    Budget *one = budget_get(set, "a", &spec);
    g_assert_true(budget_get(set, "a", &spec) == one);
    g_assert_true(budget_get(set, "b", &spec) != one);
    g_assert_cmpstr(budget_key(one), ==, "a");
    g_assert_cmpstr(budget_spec(one)->headers.limit, ==, "x-limit");
    g_assert_cmpuint(grants_at(one, START), ==, 90);
    g_assert_cmpuint(grants_at(budget_get(set, "b", &spec), START), ==, 90);
    budget_set_free(NULL);
}

/* A clock that was set back must neither grant more nor block for ever. */
static void clock_that_goes_backwards_does_no_harm(void) {
    BudgetSpec spec = {.kind = BUDGET_RATE, .limit = 10, .window_ms = 1000, .burst = 5};
    Fixture fixture = make(&spec);
    g_assert_cmpuint(grants_at(fixture.budget, START), ==, 0);
    g_assert_cmpuint(grants_at(fixture.budget, START + 10000), ==, 5);
    g_assert_cmpuint(grants_at(fixture.budget, START), ==, 0);
    g_assert_cmpuint(grants_at(fixture.budget, START + 10200), ==, 1);
    budget_set_free(fixture.set);
}

static void a_limit_is_written_as_it_is_read(void) {
    static const char *const texts[] = {"50/1m", "5000/1h", "1000/100s", "10/500ms", "7/2d"};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        BudgetSpec spec = {0};
        g_assert_true(budget_parse_rate(texts[i], &spec, NULL));
        g_autofree char *text = budget_rate_text(spec.limit, spec.window_ms);
        g_assert_cmpstr(text, ==, texts[i]);
    }
    g_autofree char *minutes = budget_rate_text(9, 90 * 60000);
    g_assert_cmpstr(minutes, ==, "9/90m");
}

static void the_operators_limit_is_kept_by_provider(void) {
    g_autoptr(BudgetSet) set = budget_set_new(&budget_memory, NULL);
    BudgetSpec spec = {0};
    g_assert_false(budget_set_cap_of(set, "slack", &spec));
    budget_set_cap(set, "slack", 30, 60000);
    budget_set_cap(set, "slack", 20, 60000);
    g_assert_true(budget_set_cap_of(set, "slack", &spec));
    g_assert_cmpint(spec.limit, ==, 20);
    g_assert_cmpint(spec.kind, ==, BUDGET_RATE);
    budget_set_cap(set, "slack", 0, 0);
    g_assert_false(budget_set_cap_of(set, "slack", &spec));
}

/* In memory too many means to wait, and nothing else. */
static void too_many_holds_a_budget_of_this_process(void) {
    BudgetSpec spec = quota_spec(100);
    Fixture fixture = make(&spec);
    assert_granted(fixture.budget, START);
    budget_throttled(fixture.budget, 0, START); /* not told how long */
    assert_granted(fixture.budget, START);
    budget_throttled(fixture.budget, 5000, START);
    assert_waits(fixture.budget, START + 4999, START + 5000);
    assert_granted(fixture.budget, START + 5000);
    budget_set_free(fixture.set);
}

static void count_change(void *data, Budget *budget) {
    g_assert_cmpstr(budget_key(budget), ==, "k");
    ++*(unsigned *)data;
}

static void a_listener_hears_of_changes(void) {
    g_autoptr(BudgetSet) set = budget_set_new(&budget_memory, NULL);
    BudgetSpec spec = quota_spec(100);
    unsigned changes = 0;
    budget_changed(budget_get(set, "k", &spec)); /* nobody listens */
    budget_set_listen(set, count_change, &changes);
    budget_changed(budget_get(set, "k", &spec));
    g_assert_cmpuint(changes, ==, 1);
}

#define ADD(name) g_test_add_func("/net/budget/" #name, name)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD(limits_are_read_and_nonsense_is_refused);
    ADD(times_are_read_in_every_unit);
    ADD(reports_hold_what_the_headers_say);
    ADD(smoothed_limit_holds_in_every_window);
    ADD(fifty_a_minute_is_fifty_also_after_a_pause);
    ADD(unknown_smoothed_budget_starts_empty);
    ADD(change_of_authority_empties_a_smoothed_budget);
    ADD(remaining_lowers_a_smoothed_budget_and_none_left_waits_for_the_reset);
    ADD(quota_is_spent_down_to_its_reserve_and_then_waits_for_the_reset);
    ADD(headers_are_the_authority_both_ways);
    ADD(declared_value_holds_until_something_is_told);
    ADD(limit_that_only_headers_tell_is_kept_as_well);
    ADD(override_only_lowers);
    ADD(refunded_calls_are_not_counted);
    ADD(changed_declaration_keeps_what_was_used);
    ADD(concurrency_is_capped_until_a_call_is_over);
    ADD(budget_without_a_limit_caps_concurrency_only);
    ADD(cost_beyond_any_grant_is_said_at_once);
    ADD(held_budget_grants_nothing_before_its_time);
    ADD(budgets_are_shared_by_key);
    ADD(clock_that_goes_backwards_does_no_harm);
    ADD(a_limit_is_written_as_it_is_read);
    ADD(the_operators_limit_is_kept_by_provider);
    ADD(too_many_holds_a_budget_of_this_process);
    ADD(a_listener_hears_of_changes);
    return g_test_run();
}
