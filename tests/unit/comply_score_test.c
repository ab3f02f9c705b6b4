/* Scores: met weight over applicable weight. */
#include "unit/comply_support.h"

#include "comply/framework.h"
#include "comply/score.h"

static void met_is_compliant_and_nothing_else(void) {
    static const struct {
        ControlState state;
        double met;
        double applicable;
    } cases[] = {
        {CONTROL_COMPLIANT, 1, 1},      {CONTROL_PARTIAL, 0, 1}, {CONTROL_NON_COMPLIANT, 0, 1},
        {CONTROL_INCONCLUSIVE, 0, 1},   {CONTROL_STALE, 0, 1},   {CONTROL_NO_EVIDENCE, 0, 1},
        {CONTROL_NOT_APPLICABLE, 0, 0}, {CONTROL_MANUAL, 0, 0},  {CONTROL_EXCEPTION, 0, 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ScoreRow row = {1.0, cases[i].state};
        ScoreSum sum;
        score_controls(&row, 1, &sum);
        g_assert_cmpfloat(sum.met_weight, ==, cases[i].met);
        g_assert_cmpfloat(sum.applicable_weight, ==, cases[i].applicable);
        g_assert_cmpfloat(sum.score, ==, cases[i].met);
        g_assert_cmpuint(sum.counts[cases[i].state], ==, 1);
    }
}

/* The worked example of docs/judging.md. */
static void the_worked_example_gives_a_quarter(void) {
    static const ScoreRow rows[] = {
        {1, CONTROL_COMPLIANT},      {1, CONTROL_PARTIAL}, {1, CONTROL_NO_EVIDENCE},
        {1, CONTROL_STALE},          {1, CONTROL_MANUAL},  {1, CONTROL_EXCEPTION},
        {1, CONTROL_NOT_APPLICABLE},
    };
    ScoreSum sum;
    score_controls(rows, G_N_ELEMENTS(rows), &sum);
    g_assert_cmpfloat(sum.score, ==, 0.25);
    g_assert_cmpfloat(sum.applicable_weight, ==, 4);
    g_assert_cmpuint(sum.controls, ==, 7);
}

static void weights_count(void) {
    static const ScoreRow rows[] = {
        {5, CONTROL_COMPLIANT}, {3, CONTROL_NON_COMPLIANT}, {0, CONTROL_COMPLIANT}};
    ScoreSum sum;
    score_controls(rows, G_N_ELEMENTS(rows), &sum);
    g_assert_cmpfloat(sum.score, ==, 0.625);
}

static void points_are_lost_where_it_is_certain_and_a_range_elsewhere(void) {
    static const struct {
        ControlState state;
        double lowest;
        double highest;
    } cases[] = {
        {CONTROL_COMPLIANT, 110, 110},    {CONTROL_NOT_APPLICABLE, 110, 110},
        {CONTROL_PARTIAL, 105, 105},      {CONTROL_NON_COMPLIANT, 105, 105},
        {CONTROL_EXCEPTION, 105, 105},    {CONTROL_MANUAL, 105, 110},
        {CONTROL_NO_EVIDENCE, 105, 110},  {CONTROL_STALE, 105, 110},
        {CONTROL_INCONCLUSIVE, 105, 110},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ScoreRow row = {5, cases[i].state};
        ScoreSum sum;
        score_controls(&row, 1, &sum);
        g_autoptr(Json) json = score_json(&sum, 110);
        const Json *points = json_member(json, "points");
        g_assert_cmpfloat(json_member_real(points, "start", 0), ==, 110);
        g_assert_cmpfloat(json_member_real(points, "lowest", 0), ==, cases[i].lowest);
        g_assert_cmpfloat(json_member_real(points, "highest", 0), ==, cases[i].highest);
    }
}

/* The range of the methodology: 110 down to -203. */
static void nist_800_171_without_evidence_may_be_anything(void) {
    const Framework *framework = NULL;
    comply_ok((framework = framework_find("nist_800_171", &error)) != NULL);
    g_autofree ScoreRow *rows = g_new(ScoreRow, framework->control_count);
    for (size_t i = 0; i < framework->control_count; i++)
        rows[i] = (ScoreRow){framework->controls[i].weight, CONTROL_NO_EVIDENCE};
    ScoreSum sum;
    score_controls(rows, framework->control_count, &sum);
    g_autoptr(Json) json = score_json(&sum, framework->points);
    const Json *points = json_member(json, "points");
    g_assert_cmpfloat(json_member_real(points, "highest", 0), ==, 110);
    g_assert_cmpfloat(json_member_real(points, "lowest", 0), ==, -203);
}

static void a_framework_without_points_has_none(void) {
    static const ScoreRow row = {1, CONTROL_PARTIAL};
    ScoreSum sum;
    score_controls(&row, 1, &sum);
    g_autoptr(Json) json = score_json(&sum, 0);
    g_assert_null(json_member(json, "points"));
}

static void nothing_applicable_scores_nothing(void) {
    static const ScoreRow row = {1, CONTROL_MANUAL};
    ScoreSum sum;
    score_controls(&row, 1, &sum);
    g_assert_cmpfloat(sum.score, ==, 0);
    score_controls(NULL, 0, &sum);
    g_assert_cmpfloat(sum.score, ==, 0);
    g_assert_cmpuint(sum.controls, ==, 0);
}

/* Judged and scored in one go, as large as an installation gets: 20 regions, three checks each. */
static void hundred_thousand_controls_are_judged_and_scored(void) {
    enum { CONTROLS = 108000, INPUTS = 3 };
    g_autofree ScoreRow *rows = g_new(ScoreRow, CONTROLS);
    for (size_t i = 0; i < CONTROLS; i++) {
        ControlInput inputs[INPUTS] = {{"one", "branches", true, VERDICT_PASS, 0, DAY_MS, 1.0},
                                       {"one", "alerts", true, VERDICT_PASS, 0, DAY_MS, 1.0},
                                       {"two", "alerts", true, VERDICT_PASS, 0, DAY_MS, 1.0}};
        if (i % 4 == 0)
            inputs[2].verdict = VERDICT_FAIL;
        ControlQuestion question = {.inputs = inputs, .count = INPUTS, .served = true};
        ControlAnswer answer;
        control_judge(&question, &answer);
        rows[i] = (ScoreRow){1.0, answer.state};
    }
    ScoreSum sum;
    score_controls(rows, CONTROLS, &sum);
    g_assert_cmpuint(sum.counts[CONTROL_PARTIAL], ==, CONTROLS / 4);
    g_assert_cmpfloat(sum.score, ==, 0.75);
}

static void the_json_names_all_states(void) {
    static const ScoreRow rows[] = {{1, CONTROL_COMPLIANT}, {1, CONTROL_STALE}};
    ScoreSum sum;
    score_controls(rows, 2, &sum);
    g_autoptr(Json) json = score_json(&sum, 0);
    g_autofree char *text = json_print(json, JSON_COMPACT);
    g_assert_cmpstr(text, ==,
                    "{\"score\":0.5,\"metWeight\":1.0,\"applicableWeight\":2.0,\"controls\":2,"
                    "\"counts\":{\"compliant\":1,\"partial\":0,\"non_compliant\":0,"
                    "\"inconclusive\":0,\"stale\":1,\"no_evidence\":0,\"not_applicable\":0,"
                    "\"manual\":0,\"exception\":0}}");
}

static const ComplyTest tests[] = {
    {"met_is_compliant_and_nothing_else", met_is_compliant_and_nothing_else},
    {"the_worked_example_gives_a_quarter", the_worked_example_gives_a_quarter},
    {"weights_count", weights_count},
    {"nothing_applicable_scores_nothing", nothing_applicable_scores_nothing},
    {"hundred_thousand_controls_are_judged_and_scored",
     hundred_thousand_controls_are_judged_and_scored},
    {"points_are_lost_where_it_is_certain_and_a_range_elsewhere",
     points_are_lost_where_it_is_certain_and_a_range_elsewhere},
    {"nist_800_171_without_evidence_may_be_anything",
     nist_800_171_without_evidence_may_be_anything},
    {"a_framework_without_points_has_none", a_framework_without_points_has_none},
    {"the_json_names_all_states", the_json_names_all_states},
};

int main(int argc, char **argv) {
    return comply_main_pure(argc, argv, "score", tests, G_N_ELEMENTS(tests));
}
