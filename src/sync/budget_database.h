/* budget_database.h - one ask for a shared limit as a unit of work on the database.
 *
 * It joins store/budget (rows), net/budget_share (rules) and the database's clock, and it is the
 * place that says where limits are counted, so that all workers count in the same place:
 *
 * - Without Redis it is the database, for ever (epoch 0).
 * - A worker that has Redis, and reaches it, moves the counting there; one that does not reach it,
 *   or has none, moves it back. Each move begins an epoch, whose keys are all missing, that is
 *   empty; and nothing is granted before everything that was granted in the place before has been
 *   used or was lost: BUDGET_MOVE_MS.
 * - Whoever asks Redis has looked here within BUDGET_PERMIT_MS. So a worker that is cut off from
 *   Redis and counts here, and one that still reaches Redis, never count at the same time.
 *
 * A quota that no header tells about is counted in the database always: it is the one whose loss
 * nobody could correct.
 */
#pragma once

#include "db/db.h"
#include "net/budget_share.h"
#include "net/redis.h"
#include "store/budget.h"

#define BUDGET_PERMIT_MS 3000
#define BUDGET_MOVE_MS (BUDGET_PERMIT_MS + BUDGET_GRANT_MAX_MS)
#define BUDGET_COOL_MS 60000 /* between leaving Redis and using it again */

/* What the asker can say about Redis. */
typedef enum {
    BUDGET_NO_REDIS,
    BUDGET_REDIS_UNKNOWN,
    BUDGET_REDIS_UP,
    BUDGET_REDIS_DOWN
} BudgetRedis;

typedef struct {
    /* the ask; borrowed */
    const char *key;
    const char *owner;
    const BudgetSpec *spec;
    const BudgetAsk *ask;
    BudgetRedis redis;
    int64_t instead_ms; /* another time than the database's; 0: none */
    int64_t before_ms;  /* our monotonic time around the reading of the database's clock */
    int64_t after_ms;
    /* the answer */
    bool in_redis; /* ask there, in this epoch; reply is not set */
    int64_t epoch;
    BudgetReply reply;
} BudgetQuery;

/* Whether a budget is counted in the database wherever the others are. */
bool budget_database_only(const BudgetSpec *spec);

/* Within a write unit of any scope. */
bool budget_database_serve(DbUnit *unit, BudgetQuery *query,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The share of a row. */
void budget_database_share(const BudgetRow *row, BudgetShare *share_out);
