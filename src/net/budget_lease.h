/* budget_lease.h - the budget backend of a process that shares: calls leased from a keeper.
 *
 * Between the loop, which asks for one call at a time and must not wait, and a keeper (the
 * database, Redis), which is asked about once a second and answers later. Each key has calls in
 * hand; when half of them are spent the next ones are asked for, as many as were used in a second,
 * so that a busy key never runs dry and an idle one holds nothing. While nothing is in hand and the
 * keeper has not answered, the answer is BUDGET_BUSY and budget_changed() lets the calls go.
 *
 * What is granted and not used in its time is spent; unused calls of a quota are given back. Caps
 * of calls at a time are divided by the number of workers that use the key: each has its share, and
 * at least one.
 *
 * A keeper that fails is asked again after a second; meanwhile nothing is granted beyond what is in
 * hand. Times inside are those of the process's monotonic clock; the keeper's moments are placed on
 * it by the asks' own travel times, on the safe side both ways.
 *
 * Life: budget_leases_new() with the keeper, a BudgetSet over budget_leased and the BudgetLeases,
 * calls; budget_set_free() tells the keeper that the worker leaves; the owner then runs its loop
 * until budget_leases_pending() is 0 and calls budget_leases_free(). One thread.
 */
#pragma once

#include "net/budget_share.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Called once for every ask, later and on the set's thread; NULL when the keeper failed. */
typedef void (*BudgetReplied)(void *asker, const BudgetReply *reply);

/* Who keeps the counts. */
typedef struct {
    /* key, spec and ask are borrowed for the call. Must not block, nor call replied from within. */
    void (*ask)(void *keeper, const char *key, const BudgetSpec *spec, const BudgetAsk *ask,
                BudgetReplied replied, void *asker);
} BudgetKeeper;

typedef struct {
    const BudgetKeeper *keeper;
    void *keeper_data;
    /* The process's own clock; NULL: clock_mono_ms(). Tests with waits that are cut short have
     * another. */
    int64_t (*now)(void *data);
    void *now_data;
} BudgetLeasesConfig;

typedef struct BudgetLeases BudgetLeases;

BudgetLeases *budget_leases_new(const BudgetLeasesConfig *config);
/* Nothing is pending, and the sets over it are freed. NULL allowed. */
void budget_leases_free(BudgetLeases *leases);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BudgetLeases, budget_leases_free)

/* Asks that the keeper has not answered yet. */
unsigned budget_leases_pending(const BudgetLeases *leases);

/* The backend; its data is the BudgetLeases. */
extern const BudgetBackend budget_leased;
