/* budget_redis.h - the keeper of shared budgets in Redis: one atomic script.
 *
 * The script has the rules of net/budget_share.h and keeps one hash a key: the share's fields and,
 * as "h:OWNER", what each worker holds. The key is of this start of the server and of an epoch, so
 * that a server that was restarted or restored, and one that is used again after it was left,
 * begins with missing keys. Keys expire when nothing of them could matter any more.
 */
#pragma once

#include "net/budget_share.h"
#include "net/redis.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Which budget, whose ask. */
typedef struct {
    const char *key;
    const char *owner;
    int64_t epoch;
    int64_t now_ms; /* 0: the server's clock */
} BudgetRedisPlace;

/* The command that carries an ask. */
RedisCommand *budget_redis_command(const BudgetRedisPlace *place, const BudgetSpec *spec,
                                   const BudgetAsk *ask);

/* Reads its reply; false when it is no such reply. */
bool budget_redis_read(const RedisReply *reply, BudgetReply *reply_out);

/* --- looking, for people --------------------------------------------------------------------- */

/* The command that lists names of keys of an epoch; cursor "0" begins, and comes back at the end.
 */
RedisCommand *budget_redis_scan(int64_t epoch, const char *cursor);

/* The budget's key within such a name; NULL when it is none. Borrows from the name. */
const char *budget_redis_key(const char *name, int64_t epoch);

/* What HGETALL of such a name says. */
void budget_redis_share(const RedisReply *hash, BudgetShare *share_out, BudgetKind *kind_out);
