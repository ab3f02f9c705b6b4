/* budget.h - how often a provider may be called, shared by everybody who calls it.
 *
 * Two kinds. A RATE budget is smoothed: limit L in window W with a burst B inside the limit, refill
 * (L - B) / W, so that no window of length W ever sees more than L. A QUOTA budget is counted:
 * calls since the reset that the provider tells, spent freely down to a reserve, then nothing until
 * the reset. Both may cap how many calls are under way at once.
 *
 * The life of a call: budget_take() before it is sent; then exactly one of budget_answered() (with
 * what the provider's headers said, or NULL) or budget_refund() when it was not sent after all.
 *
 * Authority: the declared value holds until the first answer; then the provider's headers hold,
 * both ways; an operator's override only lowers. A rate budget that was not known before (first
 * use, lost state) or whose authority changed starts empty, so that losing state never raises a
 * limit. A quota starts at its declared value, since its first answer corrects it.
 *
 * A BudgetSet owns the budgets by key ("github/connection/ID") and belongs to one thread. Where the
 * counts are kept is a BudgetBackend, a table of functions: in memory here, elsewhere for workers
 * that share.
 */
#pragma once

#include "net/header.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define BUDGET_LIMIT_MAX 1000000000LL              /* largest limit */
#define BUDGET_WINDOW_MAX_MS (31LL * 86400 * 1000) /* longest window */

typedef enum { BUDGET_RATE, BUDGET_QUOTA } BudgetKind;

/* How a header writes a time. */
typedef enum {
    BUDGET_UNIT_EPOCH_S,
    BUDGET_UNIT_EPOCH_MS,
    BUDGET_UNIT_S,  /* seconds from now, fractions allowed */
    BUDGET_UNIT_MS, /* milliseconds from now */
    BUDGET_UNIT_ISO8601,
    BUDGET_UNITS
} BudgetUnit;

/* Reads a header value of that unit as wall milliseconds. */
bool budget_read_time(const char *text, BudgetUnit unit, int64_t now_ms, int64_t *time_ms_out);

/* Names of the headers that tell the state; NULL where the provider has none. */
typedef struct {
    const char *limit;
    const char *remaining;
    const char *reset;
    BudgetUnit reset_unit;
    const char *usage; /* "used/size" in one header: stands for limit and remaining */
} BudgetHeaders;

typedef struct {
    BudgetKind kind;
    int64_t limit; /* calls per window; 0: none is declared, only the concurrency counts */
    int64_t window_ms;
    int64_t burst;          /* RATE: 0 means a tenth of the limit, at least 1 */
    int reserve_percent;    /* QUOTA: 0 means 10; BUDGET_NO_RESERVE for none */
    unsigned concurrency;   /* calls under way at once; 0: no cap */
    int64_t override_limit; /* of the operator; 0: none; only ever lowers */
    BudgetHeaders headers;
} BudgetSpec;

#define BUDGET_NO_RESERVE (-1)

/* Reads "50/1m" or "5000/1h" into limit and window of the spec, and leaves the rest alone.
 * ERROR_CONFIGURATION when it is no such text or out of bounds. */
bool budget_parse_rate(const char *text, BudgetSpec *spec,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The text of a limit as budget_parse_rate() reads it: "50/1m". Caller frees. */
char *budget_rate_text(int64_t limit, int64_t window_ms);

typedef enum {
    BUDGET_GRANTED,
    BUDGET_WAIT, /* ask again at at_ms */
    BUDGET_BUSY, /* ask again when a call of this budget was answered, or it has changed */
    BUDGET_NEVER /* the cost is larger than the budget can ever grant */
} BudgetGrant;

typedef struct {
    BudgetGrant grant;
    int64_t at_ms; /* WAIT: wall time */
} BudgetAnswer;

/* What an answer's headers said; -1 for what they did not. */
typedef struct {
    int64_t limit;
    int64_t remaining;
    int64_t reset_ms; /* wall time */
} BudgetReport;

typedef struct BudgetSet BudgetSet;
typedef struct Budget Budget;

/* Where counts are kept. Every function is called on the set's thread and must not block. */
typedef struct {
    /* The state of a key, made when it is missing. spec is borrowed for the call. */
    void *(*open)(void *backend, const char *key, const BudgetSpec *spec);
    /* Whose state it is, for budget_changed(); NULL: never needed. */
    void (*attach)(void *state, Budget *budget);
    /* Another declaration for an open key. */
    void (*declare)(void *state, const BudgetSpec *spec);
    BudgetAnswer (*take)(void *state, int64_t cost, int64_t now_ms);
    void (*refund)(void *state, int64_t cost);
    /* The call was answered or failed; report is NULL when no headers told anything. */
    void (*answered)(void *state, int64_t cost, const BudgetReport *report, int64_t now_ms);
    /* Nothing is granted before until_ms (wall time). */
    void (*hold)(void *state, int64_t until_ms);
    /* An answer said that it was too many; nothing for wait_ms, 0 if it did not say how long. NULL:
     * it is a hold. */
    void (*throttled)(void *state, int64_t wait_ms);
    void (*close)(void *state);
} BudgetBackend;

/* The backend in the memory of this process. */
extern const BudgetBackend budget_memory;

/* A set over a backend; backend_data is passed to open() (NULL for budget_memory). */
BudgetSet *budget_set_new(const BudgetBackend *backend, void *backend_data);
void budget_set_free(BudgetSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BudgetSet, budget_set_free)

/* The budget of a key, made on first use. The same key with another spec changes the budget for
 * all that hold it. Borrowed from the set. */
Budget *budget_get(BudgetSet *set, const char *key, const BudgetSpec *spec);

const char *budget_key(const Budget *budget);
const BudgetSpec *budget_spec(const Budget *budget);

/* now_ms is wall time. cost is in calls (or points), at least 1. */
BudgetAnswer budget_take(Budget *budget, int64_t cost, int64_t now_ms);
void budget_refund(Budget *budget, int64_t cost);

/* headers may be NULL (no answer came). They are read as the spec says. */
void budget_answered(Budget *budget, int64_t cost, const NetHeaders *headers, int64_t now_ms);

/* Nothing is granted before until_ms. */
void budget_hold(Budget *budget, int64_t until_ms);

/* An answer said that there were too many calls: nothing is granted for wait_ms (0 when it did not
 * say how long), and what is shared slows down. */
void budget_throttled(Budget *budget, int64_t wait_ms, int64_t now_ms);

/* Who is told, on the set's thread, that a budget which was BUSY may grant again. */
typedef void (*BudgetListener)(void *data, Budget *budget);
void budget_set_listen(BudgetSet *set, BudgetListener listener, void *data);

/* For backends: tells the listener. */
void budget_changed(Budget *budget);

/* --- the operator's own limit ---------------------------------------------------------------- */

/* A limit that the operator set for a provider stands beside the declared ones, so that it only
 * ever lowers: a RATE budget of each connection. Limit 0 takes it away; it holds for what is opened
 * afterwards. */
void budget_set_cap(BudgetSet *set, const char *provider, int64_t limit, int64_t window_ms);

/* False when the operator set none. */
bool budget_set_cap_of(const BudgetSet *set, const char *provider, BudgetSpec *spec_out);

/* Reads the state out of an answer's headers. A reset that is told as a point in time is moved by
 * what the provider's Date header differs from now_ms, so that its clock and ours may disagree.
 * False when they tell nothing. */
bool budget_read_report(const BudgetHeaders *names, const NetHeaders *headers, int64_t now_ms,
                        BudgetReport *report_out);
