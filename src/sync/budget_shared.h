/* budget_shared.h - the limits of a worker process: shared with all others.
 *
 * A BudgetSet over leases (net/budget_lease.h) whose keeper is the database or, when there is one,
 * Redis (sync/budget_database.h says which counts). Everything is asked by units of work and by the
 * thread of the Redis; the network loop never waits. A worker that cannot reach Redis asks the
 * database in the same call.
 *
 * Life: after NetClient and Db, before both go: shared_budgets_free() tells the keeper that this
 * worker leaves, and steps the client until that is done; no request is under way by then. One
 * thread, that of the client.
 */
#pragma once

#include "base/json.h"
#include "base/secmem.h"
#include "db/db.h"
#include "net/budget.h"
#include "net/client.h"

#include <glib.h>
#include <stdbool.h>

typedef struct {
    NetClient *client;       /* borrowed */
    Db *db;                  /* borrowed */
    const char *owner;       /* id of this worker; copied */
    const Secret *redis_url; /* NULL: no Redis */
    const Json
        *limits;   /* of the configuration: provider -> "30/1m"; NULL: none; borrowed for new */
    bool scripted; /* time is the client's own, that jumps over waits which are cut short (tests) */
} SharedBudgetsConfig;

typedef struct SharedBudgets SharedBudgets;

/* ERROR_CONFIGURATION when the URL of Redis or a limit of the configuration is none. */
SharedBudgets *shared_budgets_new(const SharedBudgetsConfig *config,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
void shared_budgets_free(SharedBudgets *shared);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SharedBudgets, shared_budgets_free)

/* Borrowed. */
BudgetSet *shared_budgets_set(SharedBudgets *shared);

/* Steps the client until the keeper knows what was heard. For a worker that stops stepping for a
 * while: a wait that a service asked for would else be counted from when it works again. */
void shared_budgets_settle(SharedBudgets *shared);

/* Reads the operator's own limits; before each job. Of one that was set by command and one of the
 * configuration the lower holds. */
bool shared_budgets_read_caps(SharedBudgets *shared, GError **error) G_GNUC_WARN_UNUSED_RESULT;
