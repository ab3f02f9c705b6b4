#include "comply/score.h"

static bool is_applicable(ControlState state) {
    return state != CONTROL_MANUAL && state != CONTROL_NOT_APPLICABLE && state != CONTROL_EXCEPTION;
}

static bool is_lost(ControlState state) {
    return state == CONTROL_NON_COMPLIANT || state == CONTROL_PARTIAL || state == CONTROL_EXCEPTION;
}

/* Neither met nor lost: nobody has found out yet. */
static bool is_unknown(ControlState state) {
    return state != CONTROL_COMPLIANT && state != CONTROL_NOT_APPLICABLE && !is_lost(state);
}

void score_controls(const ScoreRow *rows, size_t count, ScoreSum *sum_out) {
    ScoreSum sum = {.controls = count};
    for (size_t i = 0; i < count; i++) {
        sum.counts[rows[i].state]++;
        if (is_applicable(rows[i].state))
            sum.applicable_weight += rows[i].weight;
        if (rows[i].state == CONTROL_COMPLIANT)
            sum.met_weight += rows[i].weight;
        if (is_lost(rows[i].state))
            sum.lost_weight += rows[i].weight;
        if (is_unknown(rows[i].state))
            sum.unknown_weight += rows[i].weight;
    }
    sum.score = sum.applicable_weight > 0 ? sum.met_weight / sum.applicable_weight : 0;
    *sum_out = sum;
}

Json *score_counts_json(const ScoreSum *sum) {
    Json *json = json_new_object();
    for (ControlState state = 0; state < CONTROL_STATES; state++)
        json_put_int(json, control_state_name(state), (int64_t)sum->counts[state]);
    return json;
}

static Json *points_json(const ScoreSum *sum, double points) {
    Json *json = json_new_object();
    json_put_real(json, "start", points);
    json_put_real(json, "lowest", points - sum->lost_weight - sum->unknown_weight);
    json_put_real(json, "highest", points - sum->lost_weight);
    return json;
}

Json *score_json(const ScoreSum *sum, double points) {
    Json *json = json_new_object();
    json_put_real(json, "score", sum->score);
    json_put_real(json, "metWeight", sum->met_weight);
    json_put_real(json, "applicableWeight", sum->applicable_weight);
    json_put_int(json, "controls", (int64_t)sum->controls);
    json_put(json, "counts", score_counts_json(sum));
    if (points > 0)
        json_put(json, "points", points_json(sum, points));
    return json;
}
