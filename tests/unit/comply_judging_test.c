/* docs/judging.md: every row of its tables is what the program does. */
#include "unit/comply_support.h"

#include "comply/control.h"
#include "comply/score.h"
#include "comply/tally.h"

#include <math.h>
#include <string.h>

#define NOW START_MS

/* The cells of the rows below the header with this first cell: GPtrArray of GStrv. */
static GPtrArray *table_of(const char *header) {
    const char *source = g_getenv("ASSAY_SOURCE");
    g_assert_nonnull(source);
    g_autofree char *path = g_build_filename(source, "docs", "judging.md", NULL);
    g_autofree char *text = NULL;
    comply_ok(g_file_get_contents(path, &text, NULL, &error));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *start = g_strdup_printf("| %s |", header);
    GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    bool inside = false;
    for (size_t i = 0; lines[i] != NULL; i++) {
        bool row = lines[i][0] == '|';
        if (inside && row && !g_str_has_prefix(lines[i], "| ---")) {
            char **cells = g_strsplit(lines[i] + 1, "|", -1);
            for (size_t j = 0; cells[j] != NULL; j++)
                g_strstrip(cells[j]);
            g_ptr_array_add(rows, cells);
        }
        inside = (inside && row) || g_str_has_prefix(lines[i], start);
    }
    g_assert_cmpuint(rows->len, >, 3);
    return rows;
}

static int64_t number(const char *cell) {
    char *end = NULL;
    int64_t value = g_ascii_strtoll(cell, &end, 10);
    g_assert_true(*cell != '\0' && *end == '\0');
    return value;
}

static DefinitionCheck check_of(const char *require) {
    DefinitionCheck check = {.require = REQUIRE_ALL};
    if (g_str_has_prefix(require, ">=")) {
        check.require = REQUIRE_AT_LEAST;
        check.require_percent = g_ascii_strtod(require + 2, NULL);
    } else if (g_str_has_prefix(require, ">")) {
        check.require = REQUIRE_MORE_THAN;
        check.require_percent = g_ascii_strtod(require + 1, NULL);
    } else {
        g_assert_cmpstr(require, ==, "all");
    }
    return check;
}

static void checks_are_judged_as_documented(void) {
    g_autoptr(GPtrArray) rows = table_of("require");
    for (guint i = 0; i < rows->len; i++) {
        char **cells = g_ptr_array_index(rows, i);
        DefinitionCheck check = check_of(cells[0]);
        Tally tally = {.rows = {[VERDICT_PASS] = number(cells[1]),
                                [VERDICT_FAIL] = number(cells[2]),
                                [VERDICT_COULD_NOT_READ] = number(cells[3]),
                                [VERDICT_NOT_APPLICABLE] = number(cells[4])},
                       .rows_missing = g_str_equal(cells[5], "yes")};
        g_test_message("%s %s %s %s %s %s", cells[0], cells[1], cells[2], cells[3], cells[4],
                       cells[5]);
        g_assert_cmpstr(verdict_name(tally_verdict(&tally, &check)), ==, cells[6]);
    }
}

/* "stale pass", "fail", "-" */
static ControlInput input_of(const char *word) {
    bool stale = g_str_has_prefix(word, "stale ");
    ControlInput input = {.integration_id = "one",
                          .evidence_type = "branches",
                          .collected = !g_str_equal(word, "-"),
                          .collected_at = NOW - 2 * DAY_MS,
                          .valid_until = stale ? NOW - DAY_MS : NOW + DAY_MS,
                          .completeness = 1.0};
    if (input.collected)
        g_assert_true(verdict_from_name(stale ? word + strlen("stale ") : word, &input.verdict));
    return input;
}

static void controls_stand_as_documented(void) {
    g_autoptr(GPtrArray) rows = table_of("checks say");
    for (guint i = 0; i < rows->len; i++) {
        char **cells = g_ptr_array_index(rows, i);
        ControlInput inputs[8];
        ControlQuestion question = {.inputs = inputs,
                                    .served = !g_str_equal(cells[0], "(none mapped)"),
                                    .excepted = g_str_equal(cells[1], "yes"),
                                    .now_ms = NOW};
        g_auto(GStrv) words = g_strsplit(cells[0], ", ", G_N_ELEMENTS(inputs));
        for (size_t j = 0; words[j] != NULL && words[j][0] != '('; j++)
            inputs[question.count++] = input_of(words[j]);
        ControlAnswer answer;
        control_judge(&question, &answer);
        const char *beside = control_state_name(answer.beside);
        g_test_message("%s", cells[0]);
        g_assert_cmpstr(control_state_name(answer.state), ==, cells[2]);
        g_assert_cmpstr(beside != NULL ? beside : "", ==, cells[3]);
    }
}

static void scores_are_as_documented(void) {
    g_autoptr(GPtrArray) rows = table_of("controls");
    for (guint i = 0; i < rows->len; i++) {
        char **cells = g_ptr_array_index(rows, i);
        ScoreRow controls[16];
        size_t count = 0;
        g_auto(GStrv) words = g_strsplit(cells[0], ", ", G_N_ELEMENTS(controls));
        for (; words[count] != NULL; count++) {
            controls[count].weight = 1.0;
            g_assert_true(control_state_from_name(words[count], &controls[count].state));
        }
        ScoreSum sum;
        score_controls(controls, count, &sum);
        g_assert_cmpfloat(fabs(sum.score - g_ascii_strtod(cells[1], NULL)), <, 1e-9);
    }
}

/* The example under "Confidence"; two integrations, one of two evidence types. */
static void confidence_is_as_documented(void) {
    static const ControlInput inputs[] = {
        {"one", "a", true, VERDICT_PASS, NOW - DAY_MS, NOW + DAY_MS, 1.0},
        {"one", "b", true, VERDICT_PASS, NOW, NOW + DAY_MS, 0.8},
        {"one", "c", false, VERDICT_PASS, 0, 0, 0},
        {"two", "a", true, VERDICT_FAIL, NOW - DAY_MS, NOW + DAY_MS, 0.6},
    };
    ControlQuestion question = {.inputs = inputs, .count = 4, .served = true, .now_ms = NOW};
    ControlAnswer answer;
    control_judge(&question, &answer);
    g_assert_cmpfloat(answer.parts.coverage, ==, 0.75);
    g_assert_cmpfloat(fabs(answer.confidence - 0.28), <, 0.005);
}

static const ComplyTest tests[] = {
    {"checks_are_judged_as_documented", checks_are_judged_as_documented},
    {"controls_stand_as_documented", controls_stand_as_documented},
    {"scores_are_as_documented", scores_are_as_documented},
    {"confidence_is_as_documented", confidence_is_as_documented},
};

int main(int argc, char **argv) {
    return comply_main_pure(argc, argv, "judging", tests, G_N_ELEMENTS(tests));
}
