/* budget.h - limits that workers share, as the database keeps them.
 *
 * Rows only: what they mean and how they change is net/budget_share.h, and sync/budget_database
 * joins the two. Nothing here belongs to an organization; every function works in any scope.
 *
 * A row that is to change is locked with budget_lock() for the rest of the unit, so that of two
 * workers one comes after the other on both engines. Times are the database's clock, read by
 * budget_clock() within the unit.
 */
#pragma once

#include "store/record.h"

/* Values of BudgetAuthority.place. */
#define BUDGET_IN_DATABASE "database"
#define BUDGET_IN_REDIS "redis"

typedef struct {
    const char *budget_key;
    int64_t epoch;
    int64_t kind;
    int64_t window_ms; /* 0: nobody used it yet */
    int64_t limit_calls;
    int64_t told_limit;
    int64_t level_units;
    int64_t level_at;
    int64_t spent_until;
    int64_t remaining;
    int64_t reset_at;
    int64_t heard_at;
    int64_t held_until;
    int64_t factor;
    int64_t factor_at;
    int64_t touched_at;
} BudgetRow;

void budget_row_free(BudgetRow *row); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BudgetRow, budget_row_free)

/* The database's time; `instead` when it is not 0. */
bool budget_clock(DbUnit *unit, int64_t instead, int64_t *now_ms_out,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The row of a key, made when it is missing, and nobody else's until the unit ends. A unit that
 * makes a row also forgets those that nobody used for five weeks. */
bool budget_lock(DbUnit *unit, const char *key, int64_t now_ms, BudgetRow **row_out,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool budget_save(DbUnit *unit, const BudgetRow *row, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* BudgetRow* by key. The array frees its rows. */
bool budget_list(DbUnit *unit, const char *after_key, int64_t limit, GPtrArray **rows_out,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* When any row was last used; 0: never. */
bool budget_last_use(DbUnit *unit, int64_t *at_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* --- who uses a key -------------------------------------------------------------------------- */

typedef struct {
    const char *key;
    const char *holder; /* id of a worker */
    int64_t calls;
    int64_t until_at;
} BudgetHolder;

/* How many others there are at a time, and the calls that they hold. */
bool budget_others(DbUnit *unit, const BudgetHolder *holder, int64_t now_ms, int64_t *count_out,
                   int64_t *calls_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool budget_holder_put(DbUnit *unit, const BudgetHolder *holder,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool budget_holder_drop(DbUnit *unit, const BudgetHolder *holder,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Forgets a worker that is gone, at all keys. */
bool budget_holder_forget(DbUnit *unit, const char *holder,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* --- where limits are counted ---------------------------------------------------------------- */

typedef struct {
    int64_t epoch; /* grows with every move; 0: it was always the database */
    const char *place;
    int64_t effective_at; /* nothing is granted before */
    int64_t changed_at;
} BudgetAuthority;

void budget_authority_free(BudgetAuthority *authority); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BudgetAuthority, budget_authority_free)

/* The database, epoch 0, when there was never another. */
bool budget_authority_get(DbUnit *unit, BudgetAuthority **authority_out,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Moves the counting: wanted->epoch is the one after the present one. *moved_out is false, and
 * nothing changes, when somebody else has moved it since. */
bool budget_authority_move(DbUnit *unit, const BudgetAuthority *wanted, bool *moved_out,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
