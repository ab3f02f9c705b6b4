/* Native evaluation against libjq: the same expressions on the same values, outcome by outcome. */
#include <string.h>

#include "provider/definition.h"
#include "provider/expr.h"
#include "provider_support.h"

/* --- comparing -------------------------------------------------------------------------------- */

static char *told(const ExprResult *result) {
    static const char *const names[] = {"one ", "none", "many ", "failed"};
    bool valued = result->outcome == EXPR_ONE || result->outcome == EXPR_MANY;
    g_autofree char *json = valued ? value_to_json(result->value) : g_strdup("");
    return g_strconcat(names[result->outcome], json, NULL);
}

/* As jq prints it, with members in their own order: an expression can see it. */
static char *printed(Value value) {
    g_autoptr(Expr) print = expr_parse("tojson", NULL);
    g_auto(Value) text = VALUE_NONE;
    ExprInput input = {.root = value};
    g_assert_true(expr_eval_once(print, &input, &text, NULL));
    return g_strdup(value_text(text));
}

static bool same_value(Value one, Value other) {
    g_autofree char *first = printed(one);
    g_autofree char *second = printed(other);
    return strcmp(first, second) == 0;
}

static bool same_result(const ExprResult *one, const ExprResult *other) {
    if (one->outcome != other->outcome)
        return false;
    bool valued = one->outcome == EXPR_ONE || one->outcome == EXPR_MANY;
    return !valued || same_value(one->value, other->value);
}

static void report(const Expr *leaf, Value root, const ExprResult *native, const ExprResult *jq) {
    g_autofree char *input = value_to_json(root);
    g_autofree char *ours = told(native);
    g_autofree char *theirs = told(jq);
    g_test_message("%s\non     %s\nnative %s\njq     %s", expr_source(leaf), input, ours, theirs);
}

/* A batch of leaves, evaluated both ways. */
typedef struct {
    GPtrArray *leaves;
    ExprProgram *native;
    ExprProgram *jq;
    ExprResult *ours;
    ExprResult *theirs;
    Value settings;
    size_t values; /* comparisons that ended in a value */
} Batch;

static void batch_init(Batch *batch, const char *const *sources, size_t count) {
    *batch = (Batch){.leaves = g_ptr_array_new_with_free_func((GDestroyNotify)expr_free)};
    for (size_t i = 0; i < count; i++) {
        GError *error = NULL;
        Expr *leaf = expr_parse(sources[i], &error);
        g_assert_no_error(error);
        g_ptr_array_add(batch->leaves, leaf);
    }
    const Expr *const *leaves = (const Expr *const *)(void *)batch->leaves->pdata;
    batch->native = expr_program_new(leaves, count);
    batch->jq = expr_program_new_by_jq(leaves, count);
    batch->ours = g_new0(ExprResult, count);
    batch->theirs = g_new0(ExprResult, count);
    batch->settings = support_value("{\"a\":[1,\"b\"],\"only\":null,\"text\":\"b\"}");
}

static void batch_clear(Batch *batch) {
    expr_program_free(batch->native);
    expr_program_free(batch->jq);
    g_free(batch->ours);
    g_free(batch->theirs);
    g_ptr_array_unref(batch->leaves);
    value_clear(&batch->settings);
}

/* libjq 1.6 leaks values here and there, such as an array that is indexed by an array, so that it
 * gets values of its own that nobody counts. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static void eval_by_jq(Batch *batch, ExprInput input) {
    g_autofree char *root_json = printed(input.root);
    g_autofree char *settings_json = printed(input.settings);
    if (__lsan_disable != NULL)
        __lsan_disable();
    g_auto(Value) root = support_value(root_json);
    g_auto(Value) settings = support_value(settings_json);
    input.root = root;
    input.settings = settings;
    GError *error = NULL;
    bool good = expr_program_eval(batch->jq, &input, batch->theirs, &error);
    if (__lsan_enable != NULL)
        __lsan_enable();
    g_assert_no_error(error);
    g_assert_true(good);
}

static void batch_compare(Batch *batch, Value root) {
    ExprInput input = {.root = root, .settings = batch->settings, .now_ms = 12250};
    GError *error = NULL;
    eval_by_jq(batch, input);
    bool good = expr_program_eval(batch->native, &input, batch->ours, &error);
    g_assert_no_error(error);
    g_assert_true(good);
    for (guint i = 0; i < batch->leaves->len; i++) {
        bool same = same_result(&batch->ours[i], &batch->theirs[i]);
        if (!same)
            report(batch->leaves->pdata[i], root, &batch->ours[i], &batch->theirs[i]);
        g_assert_true(same);
        batch->values += batch->theirs[i].outcome == EXPR_ONE;
    }
    expr_results_clear(batch->theirs, batch->leaves->len);
    expr_results_clear(batch->ours, batch->leaves->len);
}

/* --- random values ---------------------------------------------------------------------------- */

static const char *const names[] = {"a", "b", "x-y"};

static Value random_scalar(GRand *random) {
    static const char *const texts[] = {"",  "a",      "b",          "ab",     "Ab b",
                                        "7", "1.5e3x", "\xc3\x84 b", "a\nb\n", "\"\\\t"};
    static const double numbers[] = {0, 1, 2, -1, 1.5, -0.25, 3, 7, 12, 0.1};
    switch (g_rand_int_range(random, 0, 6)) {
    case 0:
        return value_new_null();
    case 1:
        return value_new_bool(g_rand_boolean(random));
    case 2:
    case 3:
        return value_new_number(numbers[g_rand_int_range(random, 0, G_N_ELEMENTS(numbers))]);
    default:
        return value_new_string(texts[g_rand_int_range(random, 0, G_N_ELEMENTS(texts))]);
    }
}

static Value random_value(GRand *random, int depth) {
    int kind = g_rand_int_range(random, 0, depth > 0 ? 6 : 2);
    if (kind < 2)
        return random_scalar(random);
    Value out = kind < 4 ? value_new_array() : value_new_object();
    for (int i = g_rand_int_range(random, 0, 4); i > 0; i--) {
        Value part = random_value(random, depth - 1);
        if (kind < 4)
            value_push(&out, part);
        else
            value_put(&out, names[g_rand_int_range(random, 0, G_N_ELEMENTS(names))], part);
    }
    return out;
}

/* --- random expressions ----------------------------------------------------------------------- */

static const char *pick(GRand *random, const char *const *list, size_t count) {
    return list[g_rand_int_range(random, 0, (int)count)];
}

#define PICK(random, ...)                                                                          \
    pick(random, (const char *const[]){__VA_ARGS__},                                               \
         G_N_ELEMENTS(((const char *const[]){__VA_ARGS__})))

/* Each % of a pattern is an expression, each ~ a term, each & the name of a variable in scope. */
static void append_expression(GRand *random, GString *out, int depth);

static const char *const terms[] = {
    ".",
    ".a",
    ".b",
    ".[\"x-y\"]",
    ".[0]",
    ".[]",
    ".a?",
    ".[]?",
    ".a.b",
    ".a[0]",
    ".a[]?",
    ".b[-1]",
    ".a[1:]",
    ".[:1]?",
    "1",
    "0",
    "2",
    "1.5",
    "\"a\"",
    "\"b\"",
    "\"\"",
    "true",
    "false",
    "null",
    "empty",
    "length",
    "type",
    "not",
    "add",
    "any",
    "all",
    "keys",
    "unique",
    "sort",
    "min",
    "max",
    "first",
    "last",
    "tostring",
    "tojson",
    "tonumber",
    "[]",
    "{}",
    "$settings",
    "now",
    "$now",
    "ascii_downcase",
    "ascii_upcase",
    "values",
    "strings",
    "numbers",
    "scalars",
    "arrays",
    "objects",
    "iterables",
    "nulls",
    "booleans",
    "to_entries",
    "keys_unsorted",
    "utf8bytelength",
    "$settings.a",
    ".[1.5]",
    ".[\"a\", 0]?",
    ".[.b]?",
    "\"b\\\"\\n\"",
    ".\"a\"",
    "[.[]?]",
    "(1, 2)",
    "&",
    "&",
    "&",
    "&.a?",
    "&[]?",
    ".a?.b?",
    "&[0]?",
    "test(\"b\")",
    "test(\"^a|b$\")",
    "test(\"(a|b)\\nb$\")",
    "first(.[]?)",
    "[.[]?][0]",
};

static const char *const compounds[] = {
    "%, %",
    "% | %",
    "~ + ~",
    "~ - ~",
    "~ * ~",
    "~ / ~",
    "~ == ~",
    "~ != ~",
    "~ < ~",
    "~ <= ~",
    "~ > ~",
    "~ >= ~",
    "~ and ~",
    "~ or ~",
    "~ // ~",
    "(% // %) | %",
    "% | not",
    "-~",
    "-1 - ~ * -~ + 2",
    "if % then % else % end",
    "if % then % elif ~ == ~ then % else % end",
    "(%)?",
    "~?",
    "~ as $v | %",
    "~ as $w | (% , [&])",
    "[%]",
    "[% | %]",
    "{a: ~, b: ~}",
    "{a: ~ | ~, \"x-y\": ~, a}",
    "{b, \"a\": ~} | ~",
    "{a: (%), c: 1, \"b\"}",
    "~[%]",
    "~[%]?",
    "~[~:~]?",
    "~[1:%]?",
    "~.a",
    "~.b?",
    "~[]",
    "~[]?",
    "\"<\\(%)>\"",
    "\"\\(~) and \\(~)\"",
    "select(%)",
    "map(%)",
    "[.[]? | select(%)] | length",
    "any(%)",
    "all(%)",
    "any(%; %)",
    "all(%; %)",
    "any(.[]?; %)",
    "all(.[]?; ~ == ~)",
    "first(%)",
    "first(%, %)",
    "last(%)",
    "startswith(~)",
    "endswith(%)",
    "ltrimstr(~)",
    "rtrimstr(~)",
    "contains(~)",
    "inside(%)",
    "has(%)",
    "in(~)",
    "split(~)",
    "[%] | add",
    "[%] | unique",
    "[%, %] | max",
    "[%, %] | min",
    "(%) | tostring | length",
    "~ as $v | ~ as $w | [$v, $w, %]",
    "1, 2 as $v | % , $v",
    "1 + ~ as $v | $v * 2, %",
    "~ == ~ and ~ != null or ~",
    "~ // ~ // ~ == 1",
};

static void append_pattern(GRand *random, GString *out, const char *pattern, int depth) {
    for (const char *p = pattern; *p != '\0'; p++) {
        if (*p == '%') {
            append_expression(random, out, depth - 1);
        } else if (*p == '~') {
            bool plain = depth <= 1 || g_rand_boolean(random);
            g_string_append_c(out, plain ? ' ' : '(');
            append_expression(random, out, plain ? 0 : depth - 1);
            g_string_append_c(out, plain ? ' ' : ')');
        } else if (*p == '&') {
            g_string_append(out, PICK(random, "$v", "$w"));
        } else {
            g_string_append_c(out, *p);
        }
    }
}

static void append_expression(GRand *random, GString *out, int depth) {
    if (depth <= 0)
        append_pattern(random, out, pick(random, terms, G_N_ELEMENTS(terms)), 0);
    else
        append_pattern(random, out, pick(random, compounds, G_N_ELEMENTS(compounds)), depth);
}

/* Both variables are bound, so that every & means something. */
static char *random_source(GRand *random) {
    GString *out = g_string_new(". as $v | 2 as $w | ");
    append_expression(random, out, g_rand_int_range(random, 1, 4));
    return g_string_free(out, FALSE);
}

static bool compiles_natively(const char *source) {
    g_autoptr(Expr) expr = expr_parse(source, NULL);
    return expr != NULL && expr_is_native(expr);
}

#define BATCHES 40
#define LEAVES 100
#define ROOTS 12

static void random_expressions_give_what_libjq_gives(void) {
    g_autoptr(GRand) random = g_rand_new_with_seed(11);
    size_t values = 0, outside = 0;
    for (int round = 0; round < BATCHES; round++) {
        g_autoptr(GPtrArray) sources = g_ptr_array_new_with_free_func(g_free);
        while (sources->len < LEAVES) {
            char *source = random_source(random);
            bool native = compiles_natively(source);
            outside += !native;
            if (native)
                g_ptr_array_add(sources, source);
            else
                g_free(source);
        }
        Batch batch;
        batch_init(&batch, (const char *const *)(void *)sources->pdata, sources->len);
        for (int i = 0; i < ROOTS; i++) {
            g_auto(Value) root = random_value(random, 3);
            batch_compare(&batch, root);
        }
        values += batch.values;
        batch_clear(&batch);
    }
    g_test_message("%zu of %d ended in one value; %zu sources were outside", values,
                   BATCHES * LEAVES * ROOTS, outside);
    g_assert_cmpuint(values, >, BATCHES * LEAVES * ROOTS / 5);
    g_assert_cmpuint(outside, <, BATCHES * LEAVES / 2);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/native/" #name, name)
    TEST(random_expressions_give_what_libjq_gives);
    return g_test_run();
}
