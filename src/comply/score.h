/* score.h - the score of a framework: met weight / applicable weight. Pure.
 *
 * Met is compliant and nothing else. manual, not_applicable and exception are left out of both
 * weights and shown as counts; no_evidence counts as applicable and not met, so that a score has
 * one meaning whatever is connected.
 *
 * A framework may have points as well: NIST SP 800-171 starts at 110 and loses the weight of every
 * requirement that is not met (DoD assessment methodology 1.2.1, 32 CFR 170.24). What automation
 * did not find out may go either way, so the points are a range: the highest when all of that is
 * met, the lowest when none is. Only what was found failing, wholly or in part, and what is
 * excepted is lost for certain.
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
    double lost_weight;    /* of what is certainly not met */
    double unknown_weight; /* of what was not found out: manual, stale, no evidence ... */
} ScoreSum;

void score_controls(const ScoreRow *rows, size_t count, ScoreSum *sum_out);

/* {"compliant": 3, ...}, all states. */
Json *score_counts_json(const ScoreSum *sum);

/* {"score", "metWeight", "applicableWeight", "controls", "counts"}, and when the framework has
 * points "points": {"start", "lowest", "highest"}; 0: it has none. */
Json *score_json(const ScoreSum *sum, double points);
