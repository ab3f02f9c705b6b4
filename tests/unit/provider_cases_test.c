/* The cases of provider_expr_cases.txt: an expression, an input, an outcome, a blank line. */
#include <string.h>

#include "base/error.h"
#include "provider/expr.h"
#include "provider/scan.h"
#include "unit/provider_support.h"

typedef struct {
    char *source;
    char *root;
    char *outcome;
} Case;

static void clear_case(void *data) {
    Case *one = data;
    g_free(one->source);
    g_free(one->root);
    g_free(one->outcome);
}

static GArray *read_cases(void) {
    const char *folder = g_getenv("ASSAY_SOURCE");
    g_autofree char *path = g_build_filename(folder != NULL ? folder : ".", "tests", "unit",
                                             "provider_expr_cases.txt", NULL);
    g_autofree char *text = NULL;
    GError *error = NULL;
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    g_auto(GStrv) blocks = g_strsplit(g_strchomp(text), "\n\n", -1);
    GArray *cases = g_array_new(FALSE, FALSE, sizeof(Case));
    g_array_set_clear_func(cases, clear_case);
    for (size_t i = 1; blocks[i] != NULL; i++) { /* the first says what this is */
        g_auto(GStrv) lines = g_strsplit(blocks[i], "\n", -1);
        g_assert_cmpuint(g_strv_length(lines), ==, 3);
        Case one = {g_strdup(lines[0]), g_strdup(lines[1]), g_strdup(lines[2])};
        g_array_append_val(cases, one);
    }
    g_assert_cmpuint(cases->len, >, 100);
    return cases;
}

/* Scans with the keep paths of the expression, as a collection does, and parses what is left. */
static Value projected(const Expr *expr, const char *json) {
    const char *const everything[] = {".", NULL};
    const char *const *keep = expr_reads_all(expr) ? everything : expr_reads(expr);
    g_autoptr(ScanPlan) plan = scan_plan_new(NULL, keep, NULL, NULL);
    g_autoptr(GString) kept = g_string_new(NULL);
    GError *error = NULL;
    bool scanned = scan_body(plan, json, strlen(json), NULL, kept, &error);
    g_assert_no_error(error);
    g_assert_true(scanned);
    Value value = VALUE_NONE;
    g_assert_true(value_parse(kept->str, kept->len, &value, NULL));
    return value;
}

/* All cases in one program: every leaf must come out as if it were alone. Leaves share one root
 * here, so that only cases with the same input go together. */
static void check_group(GArray *cases, const char *root_json) {
    g_autoptr(GPtrArray) owned = g_ptr_array_new();
    g_autoptr(GPtrArray) expected = g_ptr_array_new();
    for (guint i = 0; i < cases->len; i++) {
        const Case *one = &g_array_index(cases, Case, i);
        if (strcmp(one->root, root_json) != 0)
            continue;
        g_ptr_array_add(owned, expr_parse(one->source, NULL));
        g_ptr_array_add(expected, one->outcome);
    }
    g_autoptr(ExprProgram) program =
        expr_program_new((const Expr *const *)(void *)owned->pdata, owned->len);
    g_autofree ExprResult *results = g_new0(ExprResult, owned->len);
    g_auto(Value) root = VALUE_NONE;
    g_assert_true(value_parse(root_json, strlen(root_json), &root, NULL));
    ExprInput input = {.root = root};
    GError *error = NULL;
    bool evaluated = expr_program_eval(program, &input, results, &error);
    g_assert_no_error(error);
    g_assert_true(evaluated);
    for (guint i = 0; i < owned->len; i++) {
        g_autofree char *outcome = support_outcome(&results[i]);
        g_assert_cmpstr(outcome, ==, expected->pdata[i]);
    }
    expr_results_clear(results, owned->len);
    for (guint i = 0; i < owned->len; i++)
        expr_free(owned->pdata[i]);
}

static char *outcome_of(const Expr *leaf, Value root, ExprProgram *program_taken) {
    g_autoptr(ExprProgram) program = program_taken;
    g_auto(ExprResult) result = {0};
    ExprInput input = {.root = root};
    GError *error = NULL;
    g_test_message("%s", expr_source(leaf));
    bool evaluated = expr_program_eval(program, &input, &result, &error);
    g_assert_no_error(error);
    g_assert_true(evaluated);
    return support_outcome(&result);
}

/* By libjq, and natively where that is possible. */
static void expressions_give_what_jq_gives(void) {
    g_autoptr(GArray) cases = read_cases();
    guint native = 0;
    for (guint i = 0; i < cases->len; i++) {
        const Case *one = &g_array_index(cases, Case, i);
        GError *error = NULL;
        g_autoptr(Expr) expr = expr_parse(one->source, &error);
        g_assert_no_error(error);
        const Expr *leaf = expr;
        g_auto(Value) root = projected(expr, one->root);
        g_autofree char *ours = outcome_of(leaf, root, expr_program_new(&leaf, 1));
        g_autofree char *theirs = outcome_of(leaf, root, expr_program_new_by_jq(&leaf, 1));
        g_assert_cmpstr(ours, ==, one->outcome);
        g_assert_cmpstr(theirs, ==, one->outcome);
        native += expr_is_native(expr);
    }
    g_assert_cmpuint(native, >=, 100);
}

static void expressions_of_one_program_do_not_disturb_each_other(void) {
    g_autoptr(GArray) cases = read_cases();
    static const char *const shared[] = {"null", "[1,2,3]", "{\"a\":1}", "[4,5]", "\"abc\""};
    for (size_t i = 0; i < G_N_ELEMENTS(shared); i++)
        check_group(cases, shared[i]);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/cases/" #name, name)
    TEST(expressions_give_what_jq_gives);
    TEST(expressions_of_one_program_do_not_disturb_each_other);
    return g_test_run();
}
