/* Conditions: plain comparisons answer exactly as jq does, everything else is left to jq. */
#include "provider/condition.h"
#include "provider_support.h"

static bool holds(const char *source, const char *json, bool *plain_out) {
    g_autoptr(Expr) expr = expr_parse(source, NULL);
    g_assert_nonnull(expr);
    g_autoptr(Condition) condition = condition_new(expr, NULL);
    g_auto(Value) root = support_value(json);
    ExprInput input = {.root = root};
    *plain_out = condition_is_plain(condition);
    bool first = condition_holds(condition, &input);
    g_assert_cmpint(condition_holds(condition, &input), ==, first);
    return first;
}

static void comparisons_answer_as_jq_does(void) {
    static const char *const roots[] = {
        "{\"a\":\"x\"}",
        "{\"a\":1}",
        "{\"a\":true}",
        "{\"a\":false}",
        "{\"a\":null}",
        "{}",
        "{\"a\":{\"b\":\"x\"}}",
        "{\"a\":[\"x\"]}",
        "null",
        "[1]",
        "\"x\"",
        "3",
    };
    static const char *const comparisons[] = {
        ".a == \"x\"",    ".a != \"x\"", ".a == 1",           ".a==1.0",    ".a == true",
        ".a != true",     ".a == false", ".a == null",        ".a != null", ".a.b == \"x\"",
        ".a[0] == \"x\"", ". == 3",      ".[\"a\"] == \"x\"",
    };
    for (size_t c = 0; c < G_N_ELEMENTS(comparisons); c++) {
        g_autofree char *in_jq = g_strdup_printf("(%s) | .", comparisons[c]);
        for (size_t r = 0; r < G_N_ELEMENTS(roots); r++) {
            bool plain = false;
            bool compiled = true;
            bool direct = holds(comparisons[c], roots[r], &plain);
            g_assert_true(plain);
            g_assert_cmpint(holds(in_jq, roots[r], &compiled), ==, direct);
            g_assert_false(compiled);
        }
    }
}

static void what_is_no_plain_comparison_is_left_to_jq(void) {
    static const struct {
        const char *source;
        bool truth;
    } cases[] = {
        {".a | test(\"^x\")", true},
        {".a == \"x\" and .b == 1", true},
        {".a == .c", true},
        {"(.a == \"y\") | not", true},
        {".a == \"\\(.c)\"", true},
        {".d == [1]", true},
        {".a // \"\" | . == \"x\"", true},
        {".a | ascii_downcase == \"y\"", false},
        {".a == \"x\" or error", true},
        {".a", false},
        {"empty", false},
        {".a, .b", false},
        {"true, true", false},
        {"error", false},
        {".b | test(\"1\")", false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        bool plain = true;
        bool truth = holds(cases[i].source, "{\"a\":\"x\",\"b\":1,\"c\":\"x\",\"d\":[1]}", &plain);
        g_assert_false(plain);
        g_assert_cmpint(truth, ==, cases[i].truth);
    }
}

static void an_operator_inside_of_a_name_or_text_is_no_operator(void) {
    bool plain = true;
    g_assert_true(holds(".[\"a == b\"] == 1", "{\"a == b\":1}", &plain));
    g_assert_false(plain);
    g_assert_true(holds(".a == \"b != c\"", "{\"a\":\"b != c\"}", &plain));
    g_assert_true(plain);
    g_assert_true(holds(".a != \"b == c\"", "{\"a\":\"b\"}", &plain));
    g_assert_true(plain);
}

static void what_does_not_compile_says_no(void) {
    bool plain = true;
    g_assert_false(holds(".a and and .b", "{}", &plain));
    g_assert_false(plain);
}

/* A pool of these expressions, asked one by one: "y" or "n" for each. */
static char *ask_all(const char *const *sources, const char *json, size_t *compiled_out) {
    g_autoptr(GPtrArray) exprs = g_ptr_array_new_with_free_func((GDestroyNotify)expr_free);
    g_autoptr(ConditionPool) pool = condition_pool_new();
    g_auto(Value) root = support_value(json);
    ExprInput input = {.root = root};
    GString *answers = g_string_new(NULL);
    for (size_t i = 0; sources[i] != NULL; i++) {
        g_ptr_array_add(exprs, expr_parse(sources[i], NULL));
        g_assert_nonnull(exprs->pdata[i]);
        condition_pool_add(pool, exprs->pdata[i]);
    }
    *compiled_out = condition_pool_count(pool);
    for (guint i = 0; i < exprs->len; i++) {
        g_autoptr(Condition) condition = condition_new(exprs->pdata[i], pool);
        bool first = condition_holds(condition, &input);
        g_assert_cmpint(condition_holds(condition, &input), ==, first);
        g_string_append_c(answers, first ? 'y' : 'n');
    }
    return g_string_free(answers, FALSE);
}

static void a_pool_answers_for_each_and_leaves_out_what_needs_no_libjq(void) {
    static const char *const sources[] = {".a == \"x\"",
                                          ".a | test(\"[x-z]\")",
                                          ".a | test(\"^x\"; \"i\")",
                                          ".a | test(\"[0-9]\")",
                                          "error",
                                          ".b % 2 == 1",
                                          "range(3)",
                                          NULL};
    size_t compiled;
    g_autofree char *answers = ask_all(sources, "{\"a\":\"x\",\"b\":7}", &compiled);
    g_assert_cmpstr(answers, ==, "yyynnyn");
    g_assert_cmpuint(compiled, ==, 5);
}

static void a_bad_neighbour_in_the_pool_does_no_harm(void) {
    static const char *const sources[] = {".a | test(\"[x-z]\")", ".a and and .b", ".b % 2 == 1",
                                          NULL};
    size_t compiled;
    g_autofree char *answers = ask_all(sources, "{\"a\":\"x\",\"b\":7}", &compiled);
    g_assert_cmpstr(answers, ==, "yny");
    g_assert_cmpuint(compiled, ==, 3);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/condition/" #name, name)
    TEST(comparisons_answer_as_jq_does);
    TEST(what_is_no_plain_comparison_is_left_to_jq);
    TEST(an_operator_inside_of_a_name_or_text_is_no_operator);
    TEST(what_does_not_compile_says_no);
    TEST(a_pool_answers_for_each_and_leaves_out_what_needs_no_libjq);
    TEST(a_bad_neighbour_in_the_pool_does_no_harm);
    return g_test_run();
}
