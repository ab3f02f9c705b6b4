/* Where a control stands: every row of the tables in docs/judging.md. */
#include "unit/comply_support.h"

#include "comply/control.h"

#include <math.h>

#define NOW START_MS
#define FRESH (NOW + 15 * DAY_MS) /* half of 30 days are left */
#define FROM (NOW - 15 * DAY_MS)

#define NONE                                                                                       \
    { "one", "branches", false, VERDICT_PASS, 0, 0, 0 }
#define GIVES(verdict)                                                                             \
    { "one", "branches", true, verdict, FROM, FRESH, 1.0 }
#define STALE(verdict)                                                                             \
    { "one", "branches", true, verdict, NOW - 31 * DAY_MS, NOW - DAY_MS, 1.0 }
#define PASS GIVES(VERDICT_PASS)
#define FAIL GIVES(VERDICT_FAIL)
#define UNREAD GIVES(VERDICT_COULD_NOT_READ)
#define EXEMPT GIVES(VERDICT_NOT_APPLICABLE)

typedef struct {
    const char *says;
    bool served;
    bool excepted;
    size_t count;
    ControlInput inputs[4];
    ControlState state;
    ControlState beside;
} Case;

static const Case cases[] = {
    {"no check is mapped", false, false, 0, {NONE}, CONTROL_MANUAL, CONTROL_STATES},
    {"only services that are not connected have checks",
     true,
     false,
     0,
     {NONE},
     CONTROL_NO_EVIDENCE,
     CONTROL_STATES},
    {"mapped, nothing collected",
     true,
     false,
     2,
     {NONE, NONE},
     CONTROL_NO_EVIDENCE,
     CONTROL_STATES},
    {"all pass", true, false, 2, {PASS, PASS}, CONTROL_COMPLIANT, CONTROL_STATES},
    {"what was not collected says nothing",
     true,
     false,
     2,
     {PASS, NONE},
     CONTROL_COMPLIANT,
     CONTROL_STATES},
    {"exempt checks do not disturb",
     true,
     false,
     2,
     {PASS, EXEMPT},
     CONTROL_COMPLIANT,
     CONTROL_STATES},
    {"one fails, one passes", true, false, 2, {PASS, FAIL}, CONTROL_PARTIAL, CONTROL_STATES},
    {"one fails, one passes, one unread",
     true,
     false,
     3,
     {PASS, FAIL, UNREAD},
     CONTROL_PARTIAL,
     CONTROL_STATES},
    {"all fail", true, false, 2, {FAIL, FAIL}, CONTROL_NON_COMPLIANT, CONTROL_STATES},
    {"all judged ones fail",
     true,
     false,
     3,
     {FAIL, UNREAD, EXEMPT},
     CONTROL_NON_COMPLIANT,
     CONTROL_STATES},
    {"pass and unread", true, false, 2, {PASS, UNREAD}, CONTROL_INCONCLUSIVE, CONTROL_STATES},
    {"only unread", true, false, 1, {UNREAD}, CONTROL_INCONCLUSIVE, CONTROL_STATES},
    {"exempt and unread", true, false, 2, {EXEMPT, UNREAD}, CONTROL_INCONCLUSIVE, CONTROL_STATES},
    {"all exempt", true, false, 2, {EXEMPT, EXEMPT}, CONTROL_NOT_APPLICABLE, CONTROL_STATES},
    {"evidence out of date keeps its verdict",
     true,
     false,
     1,
     {STALE(VERDICT_PASS)},
     CONTROL_STALE,
     CONTROL_COMPLIANT},
    {"one of two out of date",
     true,
     false,
     2,
     {PASS, STALE(VERDICT_FAIL)},
     CONTROL_STALE,
     CONTROL_PARTIAL},
    {"stale goes before exempt",
     true,
     false,
     1,
     {STALE(VERDICT_NOT_APPLICABLE)},
     CONTROL_STALE,
     CONTROL_NOT_APPLICABLE},
    {"an exception keeps the verdict",
     true,
     true,
     1,
     {FAIL},
     CONTROL_EXCEPTION,
     CONTROL_NON_COMPLIANT},
    {"an exception goes before stale",
     true,
     true,
     1,
     {STALE(VERDICT_PASS)},
     CONTROL_EXCEPTION,
     CONTROL_STALE},
    {"an exception goes before manual", false, true, 0, {NONE}, CONTROL_EXCEPTION, CONTROL_MANUAL},
    {"an exception goes before no evidence",
     true,
     true,
     1,
     {NONE},
     CONTROL_EXCEPTION,
     CONTROL_NO_EVIDENCE},
};

static void every_row_of_the_table_holds(void) {
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ControlQuestion question = {.inputs = cases[i].inputs,
                                    .count = cases[i].count,
                                    .served = cases[i].served,
                                    .excepted = cases[i].excepted,
                                    .now_ms = NOW};
        ControlAnswer answer;
        control_judge(&question, &answer);
        g_test_message("%s", cases[i].says);
        g_assert_cmpstr(control_state_name(answer.state), ==, control_state_name(cases[i].state));
        g_assert_cmpstr(control_state_name(answer.beside), ==, control_state_name(cases[i].beside));
    }
}

static void evidence_is_stale_from_the_very_end_of_its_validity(void) {
    ControlInput input = PASS;
    ControlQuestion question = {.inputs = &input, .count = 1, .served = true};
    ControlAnswer answer;
    question.now_ms = FRESH - 1;
    control_judge(&question, &answer);
    g_assert_cmpint(answer.state, ==, CONTROL_COMPLIANT);
    question.now_ms = FRESH;
    control_judge(&question, &answer);
    g_assert_cmpint(answer.state, ==, CONTROL_STALE);
    g_assert_cmpint(answer.beside, ==, CONTROL_COMPLIANT);
    g_assert_cmpfloat(answer.parts.freshness, ==, 0);
}

static ControlAnswer weigh(const ControlInput *inputs, size_t count) {
    ControlQuestion question = {.inputs = inputs, .count = count, .served = true, .now_ms = NOW};
    ControlAnswer answer;
    control_judge(&question, &answer);
    return answer;
}

static void assert_near(double value, double expected) {
    g_assert_cmpfloat(fabs(value - expected), <, 1e-9);
}

static void confidence_is_the_product_of_its_parts(void) {
    static const ControlInput inputs[] = {
        {"one", "branches", true, VERDICT_PASS, FROM, FRESH, 1.0},
        {"one", "branches", true, VERDICT_PASS, FROM, FRESH, 1.0}, /* the same evidence */
        {"one", "alerts", true, VERDICT_PASS, NOW, NOW + DAY_MS, 0.8},
        {"one", "members", false, VERDICT_PASS, 0, 0, 0},
        {"two", "branches", true, VERDICT_FAIL, FROM, FRESH, 0.6},
    };
    ControlAnswer answer = weigh(inputs, G_N_ELEMENTS(inputs));
    assert_near(answer.parts.coverage, 3.0 / 4.0);
    assert_near(answer.parts.freshness, (0.5 + 1.0 + 0.5) / 3.0);
    assert_near(answer.parts.completeness, (1.0 + 0.8 + 0.6) / 3.0);
    assert_near(answer.parts.agreement, 0.7);
    assert_near(answer.confidence, 0.75 * (2.0 / 3.0) * 0.8 * 0.7);
    g_assert_cmpint(answer.state, ==, CONTROL_PARTIAL);
    g_assert_cmpuint(answer.collected, ==, 4);
    g_assert_cmpuint(answer.verdicts[VERDICT_PASS], ==, 3);
}

static void nothing_collected_is_no_confidence(void) {
    static const ControlInput inputs[] = {NONE};
    ControlAnswer answer = weigh(inputs, 1);
    g_assert_cmpfloat(answer.confidence, ==, 0);
    answer = weigh(NULL, 0);
    g_assert_cmpfloat(answer.confidence, ==, 0);
}

static void integrations_disagree_when_one_only_passes_and_another_fails(void) {
    static const struct {
        Verdict one_a, one_b, two;
        double agreement;
    } rows[] = {
        {VERDICT_PASS, VERDICT_PASS, VERDICT_FAIL, 0.7},
        {VERDICT_PASS, VERDICT_PASS, VERDICT_PASS, 1.0},
        {VERDICT_FAIL, VERDICT_PASS, VERDICT_PASS, 0.7},
        {VERDICT_FAIL, VERDICT_PASS, VERDICT_FAIL, 1.0},
        {VERDICT_FAIL, VERDICT_FAIL, VERDICT_FAIL, 1.0},
        {VERDICT_PASS, VERDICT_PASS, VERDICT_COULD_NOT_READ, 1.0},
        {VERDICT_PASS, VERDICT_PASS, VERDICT_NOT_APPLICABLE, 1.0},
        {VERDICT_PASS, VERDICT_FAIL, VERDICT_COULD_NOT_READ, 1.0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        ControlInput inputs[] = {{"one", "branches", true, rows[i].one_a, FROM, FRESH, 1.0},
                                 {"one", "branches", true, rows[i].one_b, FROM, FRESH, 1.0},
                                 {"two", "branches", true, rows[i].two, FROM, FRESH, 1.0}};
        assert_near(weigh(inputs, 3).parts.agreement, rows[i].agreement);
    }
}

static void odd_times_do_not_break_confidence(void) {
    ControlInput backwards = {"one", "branches", true, VERDICT_PASS, NOW, NOW - 1, 7.0};
    ControlAnswer answer = weigh(&backwards, 1);
    g_assert_cmpfloat(answer.parts.freshness, ==, 0);
    g_assert_cmpfloat(answer.parts.completeness, ==, 1);
    ControlInput future = {"one",        "branches",       true, VERDICT_PASS,
                           NOW + DAY_MS, NOW + 2 * DAY_MS, 1.0};
    answer = weigh(&future, 1);
    g_assert_cmpfloat(answer.parts.freshness, ==, 1);
}

static void words_are_those_of_the_contract(void) {
    static const char *const words[] = {"compliant",      "partial", "non_compliant",
                                        "inconclusive",   "stale",   "no_evidence",
                                        "not_applicable", "manual",  "exception"};
    for (ControlState state = 0; state < CONTROL_STATES; state++) {
        ControlState found;
        g_assert_cmpstr(control_state_name(state), ==, words[state]);
        g_assert_true(control_state_from_name(words[state], &found));
        g_assert_cmpint(found, ==, state);
    }
    ControlState none;
    g_assert_null(control_state_name(CONTROL_STATES));
    g_assert_false(control_state_from_name("met", &none));
}

static const ComplyTest tests[] = {
    {"every_row_of_the_table_holds", every_row_of_the_table_holds},
    {"evidence_is_stale_from_the_very_end_of_its_validity",
     evidence_is_stale_from_the_very_end_of_its_validity},
    {"confidence_is_the_product_of_its_parts", confidence_is_the_product_of_its_parts},
    {"nothing_collected_is_no_confidence", nothing_collected_is_no_confidence},
    {"integrations_disagree_when_one_only_passes_and_another_fails",
     integrations_disagree_when_one_only_passes_and_another_fails},
    {"odd_times_do_not_break_confidence", odd_times_do_not_break_confidence},
    {"words_are_those_of_the_contract", words_are_those_of_the_contract},
};

int main(int argc, char **argv) {
    return comply_main_pure(argc, argv, "control", tests, G_N_ELEMENTS(tests));
}
