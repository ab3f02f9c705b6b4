/* score.h - the score of a framework over time. */
#pragma once

#include "store/record.h"

typedef struct {
    const char *framework;
    int64_t taken_at; /* 0 when inserting: the clock's now */
    double met_weight;
    double applicable_weight;
    double score;       /* 0..1; 0 when nothing is applicable */
    const char *counts; /* JSON object: status -> number of controls */
} Score;

void score_free(Score *score); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Score, score_free)

/* Stores a score; one taken at the same millisecond is replaced. */
bool score_insert(DbUnit *unit, const Score *score, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* *score_out is NULL when the framework was never scored. */
bool score_latest(DbUnit *unit, const char *framework, Score **score_out,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Score* taken before before_ms (0: now or later too), the newest first. The array frees its
 * rows. */
bool score_list(DbUnit *unit, const char *framework, int64_t before_ms, int64_t limit,
                GPtrArray **scores_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
