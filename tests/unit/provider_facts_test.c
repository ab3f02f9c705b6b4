/* What the tokens of an expression tell: reads, guards, and refusals with their place. */
#include <string.h>

#include "base/error.h"
#include "provider/facts.h"

static Facts *facts_of(const char *source) {
    GError *error = NULL;
    Facts *facts = facts_new(source, &error);
    if (error != NULL)
        g_test_message("%s: %s", source, error->message);
    g_assert_no_error(error);
    return facts;
}

static char *join(const GPtrArray *list) {
    return g_strjoinv(" ", (char **)list->pdata);
}

static void assert_reads(const char *source, const char *reads) {
    g_autoptr(Facts) facts = facts_of(source);
    g_autofree char *joined = join(facts->reads);
    g_test_message("%s", source);
    g_assert_cmpstr(facts->reads_all ? "*" : joined, ==, reads);
}

static void a_pipe_changes_the_root_inside_its_brackets_only(void) {
    assert_reads(".a | .b | .c", ".a");
    assert_reads("(.a | .b) + .c", ".a .c");
    assert_reads("[.a | .b] + [.c]", ".a .c");
    assert_reads("{x: .a | .b, y: .c}", ".a .c");
    assert_reads("{x: (.a | .b), y: .c | .d}", ".a .c");
    assert_reads("\"\\(.a | .b) \\(.c)\"", ".a .c");
    assert_reads("if (.a | .b) then .c else .d end", ".a .c .d");
    assert_reads("if .a | .b then .c | .d elif .e then .f else .g end | .h", ".a .c .e .f .g");
    assert_reads("limit(.n; .a | .b)", ".a .n");
    assert_reads("[limit(.a | .b; .c)]", ".a .c");
    assert_reads(".x[.a | .b]", ".a .x");
    assert_reads(".a, .b | .c", ".a .b");
    assert_reads("try (.a | .b) catch \"x\"", ".a");
}

static void bindings_do_not_change_the_root(void) {
    assert_reads(".a as $x | .b", ".a .b");
    assert_reads(".a as $x | .b as $y | .c | .d", ".a .b .c");
    assert_reads(".a as [$x, {k: $y}] | .b", ".a .b");
    assert_reads("(.a as $x | .b) | .c", ".a .b");
    assert_reads(".a | . as $x | .b", ".a");
    assert_reads("label $out | .a", ".a");
    assert_reads("[label $out | .a | ., break $out]", ".a");
    assert_reads(".a as {(.k): $x} | .b", ".a .b");
    assert_reads("[.a[] as $x | .b | $x.c]", ".a[] .b");
}

static void reductions_have_a_root_of_their_own(void) {
    assert_reads("reduce .a[] as $x (.b; .c + $x)", ".a[] .b");
    assert_reads("reduce .a[] as $x (0; .) | .b", ".a[]");
    assert_reads("(reduce .a[] as $x (0; .)) + .b", ".a[] .b");
    assert_reads("[foreach .a[] as [$k, $v] ({}; .[$k] = $v; .x)]", ".a[]");
    assert_reads("reduce (.a | .b) as $x (0; .) | .c", ".a");
    assert_reads("reduce .a as $x (reduce .b as $y (.c; .d); .e)", ".a .b .c");
    assert_reads("any(.a[]; .b)", ".a[]");
    assert_reads("all(.a[].b; . == 1) and .c", ".a[].b .c");
}

static void what_takes_the_input_itself_reads_all(void) {
    static const char *const sources[] = {
        ".",
        ". == 1",
        "(.)",
        "[.]",
        "{a: .}",
        "\"\\(.)\"",
        "if . then 1 else 2 end",
        "..",
        "[..]",
        "keys",
        "length",
        "tojson",
        "map(.a)",
        "select(.a)",
        "del(.a)",
        "to_entries",
        "has(\"a\")",
        "@json",
        ".[]",
        ".[0]",
        ".[.a]",
        ".[1:2]",
        ". as $x | .a",
        "any",
        "all(.a)",
        "first",
        "error",
        "paths",
        "path(.a)",
        "getpath([\"a\"])",
        "(.a, .) | .b",
        "reduce . as $x (0; 1)",
        "{\"\\(.a)\"}",
        ".\"a\\u0062\"",
        "not",
        "with_entries(.)",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
        g_test_message("%s", sources[i]);
        g_autoptr(Facts) facts = facts_of(sources[i]);
        g_assert_true(facts->reads_all);
    }
}

static void null_tests_need_the_kind_only(void) {
    assert_reads(".a == null", ".a | type");
    assert_reads("null != .a.b", ".a.b | type");
    assert_reads("(.a != null) and (.b == null)", ".a | type .b | type");
    assert_reads("[.a != null, .b]", ".a | type .b");
    assert_reads("if .a == null then .b else .c end", ".a | type .b .c");
    assert_reads("{x: (.a != null), y: .a.b}", ".a | type .a.b");
    assert_reads("\"\\(.a == null)\"", ".a | type");
    assert_reads(".a == null | not", ".a | type");
    assert_reads(".x // .a == null", ".a | type .x");
    assert_reads(".a == null or .b", ".a | type .b");
    static const char *const whole[] = {".a + 1 == null",      "1 + .a == null", "-.a == null",
                                        ".a == null + .b",     ".a == .b",       ".a == nulls",
                                        ".a == null as $x | 1"};
    for (size_t i = 0; i < G_N_ELEMENTS(whole); i++) {
        g_autoptr(Facts) facts = facts_of(whole[i]);
        g_autofree char *reads = join(facts->reads);
        g_assert_null(strstr(reads, "type"));
    }
}

static void names_are_sorted_and_single(void) {
    g_autoptr(Facts) facts = facts_of(".b.x + .a + .b.y + .[\"c d\"].z + .a.q + .b.x");
    g_autofree char *names = join(facts->names);
    g_autofree char *reads = join(facts->reads);
    g_assert_cmpstr(names, ==, "a b c d");
    g_assert_cmpstr(reads, ==, ".[\"c d\"].z .a .a.q .b.x .b.y");
}

static void comparisons_without_a_guard_are_told(void) {
    static const struct {
        const char *source;
        const char *compared;
    } cases[] = {
        {".a < 1", ".a"},
        {"1 <= .a.b", ".a.b"},
        {".a > .b", ".a .b"},
        {".a >= 1 and .a <= 5", ".a"},
        {".a != null and .a < 5", ""},
        {"if .a == null then false else .a < 5 end", ""},
        {".b != null and .a < 5", ".a"},
        {".a == 5", ""},
        {"[.x[] | .a < 5]", ""},
        {"(.a | length) < 5", ""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Facts) facts = facts_of(cases[i].source);
        g_autofree char *compared = join(facts->order_compared);
        g_test_message("%s", cases[i].source);
        g_assert_cmpstr(compared, ==, cases[i].compared);
    }
}

static void alternatives_that_are_true_are_found(void) {
    static const struct {
        const char *source;
        bool found;
    } cases[] = {
        {".a // true", true},   {"(.a//true)", true},
        {".a //= true", true},  {"{x: .a // # c\n true}", true},
        {".a // false", false}, {".a // .true", false},
        {"\"// true\"", false}, {".a / true", false},
        {"true // .a", false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Facts) facts = facts_of(cases[i].source);
        g_assert_cmpint(facts->alternative_true, ==, cases[i].found);
    }
}

static void generators_are_told(void) {
    static const char *const endless[] = {"range(1e9)", "[repeat(1)]", ".a | recurse(.)",
                                          "until(false; .)", "while(true; .)"};
    static const char *const bounded[] = {".a[]",    "..",     "paths",
                                          "map(.x)", ".range", "{repeat: 1}"};
    for (size_t i = 0; i < G_N_ELEMENTS(endless); i++) {
        g_autoptr(Facts) facts = facts_of(endless[i]);
        g_assert_true(facts->generates);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bounded); i++) {
        g_autoptr(Facts) facts = facts_of(bounded[i]);
        g_assert_false(facts->generates);
    }
}

static void refusals_name_word_and_place(void) {
    static const struct {
        const char *source;
        const char *message;
    } cases[] = {
        {".a | env", "\"env\" at character 6 is not allowed"},
        {"\"\xc3\xa9\" + input", "\"input\" at character 7"},
        {".a + $b", "\"$b\" at character 6 is not bound"},
        {".a |\n halt", "\"halt\" at character 7"},
        {"1 end", "\"end\" at character 3 has no \"if\""},
        {"(if 1 then 2)", "\")\" at character 13 comes before the \"end\""},
        {"if 1 then 2", "An \"if\" of the expression has no \"end\"."},
        {"@b64", "\"@b64\" at character 1 is not a format"},
        {"$__x", "\"$__x\" at character 1 is not allowed"},
        {". as [$ENV] | 1", "\"$ENV\" at character 7"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Facts) facts = facts_new(cases[i].source, &error);
        g_assert_null(facts);
        g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, cases[i].message));
    }
}

static void calls_are_found_by_word_not_by_letters(void) {
    g_assert_true(facts_calls(".a | fromdate", "fromdate"));
    g_assert_true(facts_calls("\"\\(.a | fromdate)\"", "fromdate"));
    g_assert_false(facts_calls(".fromdate", "fromdate"));
    g_assert_false(facts_calls("\"fromdate\"", "fromdate"));
    g_assert_false(facts_calls("fromdateiso8601", "fromdate"));
    g_assert_false(facts_calls("1 # fromdate", "fromdate"));
    g_assert_false(facts_calls("(", "fromdate"));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/facts/" #name, name)
    TEST(a_pipe_changes_the_root_inside_its_brackets_only);
    TEST(bindings_do_not_change_the_root);
    TEST(reductions_have_a_root_of_their_own);
    TEST(what_takes_the_input_itself_reads_all);
    TEST(null_tests_need_the_kind_only);
    TEST(names_are_sorted_and_single);
    TEST(comparisons_without_a_guard_are_told);
    TEST(alternatives_that_are_true_are_found);
    TEST(generators_are_told);
    TEST(refusals_name_word_and_place);
    TEST(calls_are_found_by_word_not_by_letters);
    return g_test_run();
}
