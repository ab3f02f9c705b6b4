/* budget_view.h - where shared limits stand, for people: what the keeper knows of every key.
 *
 * Looking changes nothing and grants nothing. Waits for the database and for Redis.
 */
#pragma once

#include "db/db.h"
#include "net/budget_share.h"
#include "net/redis.h"
#include "store/budget.h"

#include <glib.h>
#include <stdbool.h>

#define BUDGET_VIEW_MAX 10000 /* keys */

/* One key. Times of the share are the keeper's: now_ms is its time of looking. */
typedef struct {
    char *key;
    BudgetKind kind;
    BudgetShare share;
    int64_t now_ms;
} BudgetView;

typedef struct {
    BudgetAuthority *authority; /* where limits are counted */
    GPtrArray *views;           /* BudgetView*, by key */
    GPtrArray *limits;          /* ProviderLimit*: the operator's own */
    bool unreachable; /* they are counted in Redis, and it does not answer or is not given */
    guint most;       /* keys that were read at most */
} BudgetOverview;

void budget_overview_clear(BudgetOverview *overview);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BudgetOverview, budget_overview_clear)

/* redis may be NULL. Waits for it no longer than for one answer that does not come. */
bool budget_overview_read(Db *db, Redis *redis, BudgetOverview *overview_out,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same of so many keys at most, for those who cannot wait for all. */
bool budget_overview_read_some(Db *db, Redis *redis, guint most, BudgetOverview *overview_out,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A spec that stands for the declaration of a key. */
BudgetSpec budget_view_spec(const BudgetView *view);
