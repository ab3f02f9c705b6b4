#include "sync/budget_database.h"

#include "base/clock.h"

#include <string.h>

#define SOON_MS 200 /* until it is known whether Redis answers */

bool budget_database_only(const BudgetSpec *spec) {
    return spec->kind == BUDGET_QUOTA && !spec->headers.remaining && !spec->headers.usage;
}

void budget_database_share(const BudgetRow *row, BudgetShare *share_out) {
    *share_out = (BudgetShare){.window_ms = row->window_ms,
                               .limit = row->limit_calls,
                               .told_limit = row->told_limit,
                               .level = row->level_units,
                               .level_at = row->level_at,
                               .spent_until = row->spent_until,
                               .remaining = row->remaining,
                               .reset_at = row->reset_at,
                               .heard_at = row->heard_at,
                               .held_until = row->held_until,
                               .factor = row->factor,
                               .factor_at = row->factor_at,
                               .touched_at = row->touched_at};
}

static BudgetRow row_of(const BudgetQuery *query, const BudgetShare *share) {
    return (BudgetRow){.budget_key = query->key,
                       .epoch = query->epoch,
                       .kind = query->spec->kind,
                       .window_ms = share->window_ms,
                       .limit_calls = share->limit,
                       .told_limit = share->told_limit,
                       .level_units = share->level,
                       .level_at = share->level_at,
                       .spent_until = share->spent_until,
                       .remaining = share->remaining,
                       .reset_at = share->reset_at,
                       .heard_at = share->heard_at,
                       .held_until = share->held_until,
                       .factor = share->factor,
                       .factor_at = share->factor_at,
                       .touched_at = share->touched_at};
}

/* --- where it is counted --------------------------------------------------------------------- */

static void wait_for(BudgetQuery *query, int64_t now, int64_t wait_ms) {
    query->reply = (BudgetReply){.now_ms = now, .retry_ms = MAX(wait_ms, 1)};
}

/* Grants of the database that may still be used are over BUDGET_GRANT_MAX_MS after its last one;
 * of Redis nobody here knows the last one. */
static bool move(DbUnit *unit, BudgetQuery *query, const BudgetAuthority *from, int64_t now,
                 GError **error) {
    bool to_redis = strcmp(from->place, BUDGET_IN_DATABASE) == 0;
    int64_t last = now;
    if (to_redis && !budget_last_use(unit, &last, error)) {
        return false;
    }
    int64_t rest = to_redis ? last + BUDGET_GRANT_MAX_MS - now : BUDGET_MOVE_MS;
    rest = CLAMP(rest, 0, BUDGET_MOVE_MS);
    BudgetAuthority wanted = {.epoch = from->epoch + 1,
                              .place = to_redis ? BUDGET_IN_REDIS : BUDGET_IN_DATABASE,
                              .effective_at = now + rest,
                              .changed_at = now};
    bool moved = false;
    wait_for(query, now, rest);
    return budget_authority_move(unit, &wanted, &moved, error);
}

/* Decides where; *serve_out when it is to be served here and now. */
static bool decide(DbUnit *unit, BudgetQuery *query, int64_t now, bool *serve_out, GError **error) {
    g_autoptr(BudgetAuthority) authority = NULL;
    *serve_out = false;
    if (!budget_authority_get(unit, &authority, error)) {
        return false;
    }
    query->epoch = authority->epoch;
    bool redis = strcmp(authority->place, BUDGET_IN_REDIS) == 0;
    bool up = query->redis == BUDGET_REDIS_UP;
    bool cool = authority->epoch == 0 || ABS(now - authority->changed_at) >= BUDGET_COOL_MS;
    if (redis && query->redis == BUDGET_REDIS_UNKNOWN) {
        wait_for(query, now, SOON_MS);
    } else if ((redis && !up) || (!redis && up && cool)) {
        return move(unit, query, authority, now, error);
    } else if (ABS(authority->effective_at - now) <= BUDGET_MOVE_MS &&
               authority->effective_at > now) {
        wait_for(query, now, authority->effective_at - now);
    } else {
        query->in_redis = redis;
        *serve_out = !redis;
    }
    return true;
}

/* --- serving --------------------------------------------------------------------------------- */

static bool store(DbUnit *unit, const BudgetQuery *query, const BudgetShare *share,
                  GError **error) {
    bool quota = query->spec->kind == BUDGET_QUOTA;
    int64_t now = query->reply.now_ms;
    BudgetRow row = row_of(query, share);
    BudgetHolder holder = {.key = query->key,
                           .holder = query->owner,
                           .calls = quota ? query->ask->in_hand + query->reply.granted : 0,
                           .until_at = now + BUDGET_HOLDER_MS};
    return budget_save(unit, &row, error) &&
           (query->ask->leaves ? budget_holder_drop(unit, &holder, error)
                               : budget_holder_put(unit, &holder, error));
}

static bool serve(DbUnit *unit, BudgetQuery *query, int64_t now, GError **error) {
    g_autoptr(BudgetRow) row = NULL;
    BudgetHolder self = {.key = query->key, .holder = query->owner};
    BudgetOthers others = {0};
    if (!budget_lock(unit, query->key, now, &row, error) ||
        !budget_others(unit, &self, now, &others.count, &others.calls, error)) {
        return false;
    }
    BudgetShare share = {0};
    if (row->epoch == query->epoch && row->kind == (int64_t)query->spec->kind) {
        budget_database_share(row, &share);
    }
    budget_share_serve(&share, query->spec, query->ask, &others, now, &query->reply);
    return store(unit, query, &share, error);
}

/* The database's time, and ours around it: what comes before and after in the unit, its queue and
 * its commit, does not count. */
static bool read_clock(DbUnit *unit, BudgetQuery *query, int64_t *now_out, GError **error) {
    query->before_ms = query->instead_ms ? query->instead_ms : clock_mono_ms();
    bool ok = budget_clock(unit, query->instead_ms, now_out, error);
    query->after_ms = query->instead_ms ? query->instead_ms : clock_mono_ms();
    return ok;
}

static bool answer(DbUnit *unit, BudgetQuery *query, GError **error) {
    int64_t now = 0;
    bool here = true;
    query->in_redis = false;
    query->epoch = 0;
    if (!read_clock(unit, query, &now, error)) {
        return false;
    }
    if (!budget_database_only(query->spec) && !decide(unit, query, now, &here, error)) {
        return false;
    }
    return !here || serve(unit, query, now, error);
}

bool budget_database_serve(DbUnit *unit, BudgetQuery *query, GError **error) {
    bool ok = answer(unit, query, error);
    query->reply.before_ms = query->before_ms;
    query->reply.after_ms = query->after_ms;
    return ok;
}
