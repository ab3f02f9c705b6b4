/* score.h - the score of a framework: met weight / applicable weight. Pure.
 *
 * Met is compliant and nothing else. manual, not_applicable and exception are left out of both
 * weights and shown as counts; no_evidence counts as applicable and not met, so that a score has
 * one meaning whatever is connected.
 */
#pragma once

#include "base/json.h"
#include "comply/control.h"

typedef struct {
    double weight;
    ControlState state;
} ScoreRow;

typedef struct {
    double met_weight;
    double applicable_weight;
    double score; /* 0..1; 0 when nothing is applicable */
    size_t counts[CONTROL_STATES];
    size_t controls;
} ScoreSum;

void score_controls(const ScoreRow *rows, size_t count, ScoreSum *sum_out);

/* {"compliant": 3, ...}, all states. */
Json *score_counts_json(const ScoreSum *sum);

/* {"score", "metWeight", "applicableWeight", "controls", "counts"}. */
Json *score_json(const ScoreSum *sum);
