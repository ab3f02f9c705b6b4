#include "store/score.h"

#include "base/clock.h"

static const RecordColumn columns[] = {
    RECORD_COLUMN(Score, framework, RECORD_TEXT, 0),
    RECORD_COLUMN(Score, taken_at, RECORD_INT, 0),
    RECORD_COLUMN(Score, met_weight, RECORD_REAL, 0),
    RECORD_COLUMN(Score, applicable_weight, RECORD_REAL, 0),
    RECORD_COLUMN(Score, score, RECORD_REAL, 0),
    RECORD_COLUMN(Score, counts, RECORD_TEXT, STORE_JSON_MAX),
};
static const RecordShape shape = RECORD_SHAPE(Score, "score", columns);

void score_free(Score *score) {
    g_free(score);
}

bool score_insert(DbUnit *unit, const Score *score, GError **error) {
    Score row = *score;
    row.taken_at = row.taken_at ? row.taken_at : clock_now_ms();
    return record_write(unit, "score_insert", &shape, &row, error);
}

static DbStatement *prepare_list(DbUnit *unit, const char *framework, int64_t before_ms,
                                 int64_t limit) {
    DbStatement *statement = db_prepare(unit, "score_list");
    db_bind_text(statement, "framework", framework);
    db_bind_int(statement, "before", before_ms ? before_ms : INT64_MAX);
    record_bind_limit(statement, limit);
    return statement;
}

bool score_latest(DbUnit *unit, const char *framework, Score **score_out, GError **error) {
    return record_one(prepare_list(unit, framework, 0, 1), &shape, score_out, error);
}

bool score_list(DbUnit *unit, const char *framework, int64_t before_ms, int64_t limit,
                GPtrArray **scores_out, GError **error) {
    return record_all(prepare_list(unit, framework, before_ms, limit), &shape, scores_out, error);
}
