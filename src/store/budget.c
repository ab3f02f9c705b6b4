#include "store/budget.h"

#define FORGOTTEN_MS (35LL * 86400 * 1000) /* longer than any window */

static const RecordColumn columns[] = {
    RECORD_COLUMN(BudgetRow, budget_key, RECORD_TEXT, 0),
    RECORD_COLUMN(BudgetRow, epoch, RECORD_INT, 0),
    RECORD_COLUMN(BudgetRow, kind, RECORD_INT, 0),
    RECORD_COLUMN(BudgetRow, window_ms, RECORD_INT, 0),
    RECORD_COLUMN(BudgetRow, limit_calls, RECORD_INT, 0),
    RECORD_COLUMN(BudgetRow, told_limit, RECORD_INT, 0),
    RECORD_COLUMN(BudgetRow, level_units, RECORD_INT, 0),
    RECORD_COLUMN(BudgetRow, level_at, RECORD_INT, 0),
    RECORD_COLUMN(BudgetRow, spent_until, RECORD_INT, 0),
    RECORD_COLUMN(BudgetRow, remaining, RECORD_INT, 0),
    RECORD_COLUMN(BudgetRow, reset_at, RECORD_INT, 0),
    RECORD_COLUMN(BudgetRow, heard_at, RECORD_INT, 0),
    RECORD_COLUMN(BudgetRow, held_until, RECORD_INT, 0),
    RECORD_COLUMN(BudgetRow, factor, RECORD_INT, 0),
    RECORD_COLUMN(BudgetRow, factor_at, RECORD_INT, 0),
    RECORD_COLUMN(BudgetRow, touched_at, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(BudgetRow, "limit", columns);

static const RecordColumn authority_columns[] = {
    RECORD_COLUMN(BudgetAuthority, epoch, RECORD_INT, 0),
    RECORD_COLUMN(BudgetAuthority, place, RECORD_TEXT, 0),
    RECORD_COLUMN(BudgetAuthority, effective_at, RECORD_INT, 0),
    RECORD_COLUMN(BudgetAuthority, changed_at, RECORD_INT, 0),
};
static const RecordShape authority_shape =
    RECORD_SHAPE(BudgetAuthority, "place of the limits", authority_columns);

void budget_row_free(BudgetRow *row) {
    g_free(row);
}

void budget_authority_free(BudgetAuthority *authority) {
    g_free(authority);
}

bool budget_clock(DbUnit *unit, int64_t instead, int64_t *now_ms_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "budget_clock");
    db_bind_int(statement, "now", instead);
    return record_number(statement, 0, now_ms_out, error);
}

/* --- rows ------------------------------------------------------------------------------------ */

static bool read_locked(DbUnit *unit, const char *key, BudgetRow **row_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "budget_lock");
    db_bind_text(statement, "key", key);
    return record_one(statement, &shape, row_out, error);
}

static bool sweep(DbUnit *unit, int64_t now_ms, GError **error) {
    DbStatement *rows = db_prepare(unit, "budget_sweep");
    db_bind_int(rows, "before", now_ms - FORGOTTEN_MS);
    if (!db_exec(rows, error)) {
        return false;
    }
    DbStatement *holders = db_prepare(unit, "budget_holder_sweep");
    db_bind_int(holders, "now", now_ms);
    return db_exec(holders, error);
}

static bool insert(DbUnit *unit, const char *key, int64_t now_ms, GError **error) {
    DbStatement *statement = db_prepare(unit, "budget_insert");
    db_bind_text(statement, "key", key);
    db_bind_int(statement, "now", now_ms);
    return sweep(unit, now_ms, error) && db_exec(statement, error);
}

bool budget_lock(DbUnit *unit, const char *key, int64_t now_ms, BudgetRow **row_out,
                 GError **error) {
    BudgetRow *row = NULL;
    if (!read_locked(unit, key, &row, error)) {
        return false;
    }
    if (!row && (!insert(unit, key, now_ms, error) || !read_locked(unit, key, &row, error))) {
        return false;
    }
    if (!row) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_DATABASE,
                            "The row of a limit was gone as soon as it was made.");
        return false;
    }
    *row_out = row;
    return true;
}

bool budget_save(DbUnit *unit, const BudgetRow *row, GError **error) {
    return record_write(unit, "budget_save", &shape, row, error);
}

bool budget_list(DbUnit *unit, const char *after_key, int64_t limit, GPtrArray **rows_out,
                 GError **error) {
    DbStatement *statement = db_prepare(unit, "budget_list");
    db_bind_text(statement, "after", after_key ? after_key : "");
    record_bind_limit(statement, limit);
    return record_all(statement, &shape, rows_out, error);
}

bool budget_last_use(DbUnit *unit, int64_t *at_out, GError **error) {
    return record_number(db_prepare(unit, "budget_last_use"), 0, at_out, error);
}

/* --- holders --------------------------------------------------------------------------------- */

static DbStatement *prepare_holder(DbUnit *unit, const char *name, const BudgetHolder *holder) {
    DbStatement *statement = db_prepare(unit, name);
    db_bind_text(statement, "key", holder->key);
    db_bind_text(statement, "holder", holder->holder);
    return statement;
}

bool budget_others(DbUnit *unit, const BudgetHolder *holder, int64_t now_ms, int64_t *count_out,
                   int64_t *calls_out, GError **error) {
    DbStatement *statement = prepare_holder(unit, "budget_others", holder);
    db_bind_int(statement, "now", now_ms);
    bool row = false;
    if (!db_step(statement, &row, error)) {
        return false;
    }
    *count_out = row ? db_column_int(statement, 0) : 0;
    *calls_out = row ? db_column_int(statement, 1) : 0;
    db_reset(statement);
    return true;
}

bool budget_holder_put(DbUnit *unit, const BudgetHolder *holder, GError **error) {
    DbStatement *statement = prepare_holder(unit, "budget_holder_put", holder);
    db_bind_int(statement, "calls", holder->calls);
    db_bind_int(statement, "until", holder->until_at);
    return db_exec(statement, error);
}

bool budget_holder_drop(DbUnit *unit, const BudgetHolder *holder, GError **error) {
    return db_exec(prepare_holder(unit, "budget_holder_drop", holder), error);
}

bool budget_holder_forget(DbUnit *unit, const char *holder, GError **error) {
    DbStatement *statement = db_prepare(unit, "budget_holder_forget");
    db_bind_text(statement, "holder", holder);
    return db_exec(statement, error);
}

/* --- authority ------------------------------------------------------------------------------- */

bool budget_authority_get(DbUnit *unit, BudgetAuthority **authority_out, GError **error) {
    BudgetAuthority *found = NULL;
    if (!record_one(db_prepare(unit, "budget_authority_get"), &authority_shape, &found, error)) {
        return false;
    }
    if (!found) {
        found = g_new0(BudgetAuthority, 1);
        found->place = BUDGET_IN_DATABASE;
    }
    *authority_out = found;
    return true;
}

bool budget_authority_move(DbUnit *unit, const BudgetAuthority *wanted, bool *moved_out,
                           GError **error) {
    DbStatement *statement = db_prepare(unit, "budget_authority_put");
    db_bind_int(statement, "epoch", wanted->epoch);
    db_bind_text(statement, "place", wanted->place);
    db_bind_int(statement, "effective_at", wanted->effective_at);
    db_bind_int(statement, "now", wanted->changed_at);
    db_bind_int(statement, "before", wanted->epoch - 1);
    if (!db_exec(statement, error)) {
        return false;
    }
    *moved_out = db_changes(unit) > 0;
    return true;
}
