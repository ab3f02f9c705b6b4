/* Native evaluation against libjq: the same expressions on the same values, outcome by outcome. */
#include <string.h>

#include "base/error.h"
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

/* --- definitions ------------------------------------------------------------------------------ */

/* What answers, rows, summaries and environments look like, whole and with parts missing. */
static const char *const recorded[] = {
    "{\"settings\":{\"include_archived\":false,\"repositories\":[],\"organization\":\"acme\","
    "\"api_url\":\"https://api.github.com\"},\"repo\":{\"name\":\"API\",\"archived\":false,"
    "\"full_name\":\"acme/API\",\"default_branch\":\"main\",\"owner\":{\"login\":\"acme\"}},"
    "\"protection\":{\"required_pull_request_reviews\":{\"dismiss_stale_reviews\":true,"
    "\"require_code_owner_reviews\":false,\"required_approving_review_count\":2},"
    "\"required_status_checks\":{\"contexts\":[\"ci\",\"build\"],\"checks\":[{\"context\":\"ci\"}]}"
    ","
    "\"enforce_admins\":{\"enabled\":true},\"allow_force_pushes\":{\"enabled\":false},"
    "\"required_conversation_resolution\":{\"enabled\":true}},"
    "\"rules\":[{\"type\":\"pull_request\",\"parameters\":{\"required_approving_review_count\":1,"
    "\"require_last_push_approval\":true}},{\"type\":\"deletion\"},{\"type\":"
    "\"required_status_checks\",\"parameters\":{\"required_status_checks\":[{\"context\":\"lint\"},"
    "{\"context\":\"build\"}]}}],\"dependabot\":{\"total\":3,\"critical\":1},"
    "\"code_scanning\":null}",
    "{\"settings\":{\"include_archived\":\"true\",\"repositories\":[\"Acme/api\",\"web\"]},"
    "\"repo\":{\"name\":\"api\",\"archived\":true,\"full_name\":\"acme/api\"},"
    "\"protection\":{\"message\":\"Branch not found\"},\"rules\":[]}",
    "{\"settings\":{},\"repo\":{\"name\":\"web\",\"full_name\":\"acme/web\"},\"protection\":null,"
    "\"rules\":[{\"type\":\"non_fast_forward\"},{\"type\":null}],\"dependabot\":null}",
    "{\"settings\":{\"repositories\":null},\"repo\":{\"name\":7},\"protection\":[1],\"rules\":{}}",
    "{\"status\":403,\"headers\":{\"x-ratelimit-remaining\":\"0\",\"retry-after\":\"60\"},"
    "\"body\":{\"message\":\"You have exceeded a Secondary Rate Limit.\"}}",
    "{\"status\":403,\"headers\":{},\"body\":{\"message\":\"Upgrade to GitHub Pro\"}}",
    "{\"status\":404,\"headers\":{\"retry-after\":null},\"body\":{\"message\":\"Branch not "
    "protected\"}}",
    "{\"status\":409,\"headers\":{},\"body\":{\"message\":\"Git Repository is empty.\"}}",
    "{\"status\":403,\"headers\":{},\"body\":{\"message\":\"Advanced Security must be enabled\"}}",
    "{\"status\":403,\"headers\":{},\"body\":{\"message\":\"Dependabot alerts are disabled\"}}",
    "{\"status\":403,\"headers\":{},\"body\":{\"message\":[1]}}",
    "{\"status\":500,\"headers\":{},\"body\":null}",
    "{\"repository\":\"acme/api\",\"branchExists\":true,\"protected\":false,"
    "\"requiredReviewers\":0,\"enforcesAdmins\":null,\"requiresPullRequest\":true,"
    "\"forcePushesBlocked\":true,\"dependabotEnabled\":true,\"dependabotAlerts\":{\"total\":3,"
    "\"critical\":0,\"high\":2},\"codeScanningAlerts\":null,\"codeScanningEnabled\":false}",
    "{\"repository\":null,\"requiredReviewers\":\"2\",\"dependabotAlerts\":7}",
    "{\"security_advisory\":{\"severity\":\"critical\"},\"rule\":{\"severity\":\"error\"}}",
    "{\"login\":\"acme\",\"totalRepositories\":3}",
    "[{\"login\":\"acme\"}]",
    "null",
};

static void all_of_githubs_expressions_are_native_and_agree_with_libjq(void) {
    g_autoptr(Definition) github = support_github();
    g_autoptr(GPtrArray) sources = g_ptr_array_new();
    for (size_t i = 0; i < github->expr_count; i++) {
        const Expr *expr = github->exprs[i].expr;
        g_test_message("%s", expr_source(expr));
        g_assert_true(expr_is_native(expr));
        g_ptr_array_add(sources, (void *)(uintptr_t)expr_source(expr));
    }
    g_assert_cmpuint(sources->len, >, 60);
    Batch batch;
    batch_init(&batch, (const char *const *)(void *)sources->pdata, sources->len);
    for (size_t i = 0; i < G_N_ELEMENTS(recorded); i++) {
        g_auto(Value) root = support_value(recorded[i]);
        batch_compare(&batch, root);
    }
    g_assert_cmpuint(batch.values, >, sources->len * G_N_ELEMENTS(recorded) / 2);
    batch_clear(&batch);
}

/* --- the border of the subset ----------------------------------------------------------------- */

static void what_is_outside_goes_to_libjq_whole(void) {
    static const char *const outside[] = {
        "..",
        ".a % 2",
        ".a |= 1",
        "reduce .[] as $x (0; . + $x)",
        "foreach .[] as $x (0; . + $x)",
        "try .a catch 1",
        "label $out | 1",
        ". as [$x] | $x",
        ". as {a: $x} | $x",
        "@base64",
        "@uri \"\\(.a)\"",
        "\"\\u00e9\"",
        "range(3)",
        "limit(1; .[])",
        "error",
        "path(.a)",
        "1 / 0",
        "1 / (2 - 2)",
        "01",
        "1e999",
        "test(\"[0-9]\")",
        "test(\"a.c\")",
        "test(\"a\"; \"x\")",
        "test(.a)",
        "test(\"\xc3\xa9\"; \"i\")",
        "{(.a): 1}",
        "select(.a) | fromdate",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(outside); i++) {
        g_test_message("%s", outside[i]);
        g_autoptr(Expr) expr = expr_parse(outside[i], NULL);
        g_assert_nonnull(expr);
        g_assert_false(expr_is_native(expr));
    }
}

/* What jq 1.6 cannot compile must not get an answer. */
static void what_jq_refuses_is_refused(void) {
    static const char *const wrong[] = {
        "(.a)?.b",
        "if . then 1 end",
        "1 == 2 == 3",
        ".a.[\"b\"]",
        "{a: 1 + 2}",
        "{if}",
        ". as $if | 1",
        "{a: (1)?}",
        ".a +",
        "| .a",
        "if . then 1 else 2 end.a",
        "1 < 2 < 3",
        "not(1)",
        "length(1)",
        "[1, ]",

        ".a .",
        "\"a\" \"b\"",
        "1 as $x",
        "{a: 1 as $x | 2}",
        ".[:]",
        "1 / 0",
        "first(1; 2)",
        "{a: if . then 1 else 2 end}",
        "(1)?[0]",
        "{\"a\" 1}",
        "(1)? as $x | 2",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_test_message("%s", wrong[i]);
        g_autoptr(Expr) expr = expr_parse(wrong[i], NULL);
        if (expr == NULL)
            continue;
        g_assert_false(expr_is_native(expr));
        g_assert_false(expr_check(expr, NULL));
    }
}

/* Compiles a part of the sources at once; false when libjq refuses any. */
static bool libjq_takes(char **sources, size_t count) {
    Batch batch;
    batch_init(&batch, (const char *const *)sources, count);
    ExprInput input = {.root = VALUE_NONE};
    g_autoptr(GError) error = NULL;
    bool good = expr_program_eval(batch.jq, &input, batch.theirs, &error);
    if (good)
        expr_results_clear(batch.theirs, count);
    else
        g_test_message("%s", error->message);
    batch_clear(&batch);
    return good;
}

static void random_tokens_are_native_only_where_libjq_compiles_them(void) {
    static const char *const tokens[] = {
        ".a",    ".",  "|",   ",",      "(",      ")",      "[",    "]",       "{",  "}",
        "\"s\"", "?",  "1",   "null",   "if",     "then",   "else", "end",     "$v", ". as $v |",
        "+",     "//", "==",  "-",      "*",      "<",      "and",  "select(", ":",  "a",
        "not",   "[]", "[0]", ".\"b\"", "length", "first(", "any(", ";",       "2",  "or",
    };
    g_autoptr(GRand) random = g_rand_new_with_seed(12);
    g_autoptr(GPtrArray) sources = g_ptr_array_new_with_free_func(g_free);
    for (int round = 0; round < 400000 && sources->len < 1000; round++) {
        g_autoptr(GString) source = g_string_new("1 as $v | ");
        for (int i = g_rand_int_range(random, 3, 10); i > 0; i--)
            g_string_append_printf(source, "%s ", pick(random, tokens, G_N_ELEMENTS(tokens)));
        if (compiles_natively(source->str))
            g_ptr_array_add(sources, g_strdup(source->str));
    }
    g_assert_cmpuint(sources->len, >, 500);
    for (guint i = 0; i + 200 <= sources->len; i += 200)
        g_assert_true(libjq_takes((char **)sources->pdata + i, 200));
}

/* --- patterns --------------------------------------------------------------------------------- */

/* A text of few letters, as a jq literal. */
static char *random_text(GRand *random, const char *const *parts, size_t count, int most) {
    g_autoptr(GString) out = g_string_new("");
    for (int i = g_rand_int_range(random, 0, most); i > 0; i--)
        g_string_append(out, pick(random, parts, count));
    return g_strdup(out->str);
}

static void patterns_of_literals_match_as_oniguruma_does(void) {
    static const char *const parts[] = {"a", "b", "B",     "ab",    "(",     ")",     "|",
                                        "^", "$", "\\\\.", "\\\\$", "(a|b)", "(ab|)", "\xc3\xa9"};
    static const char *const letters[] = {"a", "b", "B", "A", "\n", ".", "$", "\xc3\xa9"};
    g_autoptr(GRand) random = g_rand_new_with_seed(13);
    g_autoptr(GPtrArray) sources = g_ptr_array_new_with_free_func(g_free);
    while (sources->len < 600) {
        g_autofree char *pattern = random_text(random, parts, G_N_ELEMENTS(parts), 6);
        char *source = g_strdup_printf("test(\"%s\"; \"\")", pattern);
        if (compiles_natively(source))
            g_ptr_array_add(sources, source);
        else
            g_free(source);
    }
    Batch batch;
    batch_init(&batch, (const char *const *)(void *)sources->pdata, sources->len);
    for (int i = 0; i < 60; i++) {
        g_autofree char *text = random_text(random, letters, G_N_ELEMENTS(letters), 7);
        g_auto(Value) root = value_new_string(text);
        batch_compare(&batch, root);
    }
    batch_clear(&batch);
}

static void folded_patterns_match_as_oniguruma_does(void) {
    static const char *const sources[] = {
        "test(\"secondary rate limit|abuse detection\"; \"i\")",
        "test(\"(must be|not) Enabled|is disabled\"; \"i\")",
        "test(\"^ss$\"; \"i\")",
        "test(\"K\"; \"i\")",
        "test(\"\"; \"i\")",
    };
    static const char *const texts[] = {
        "You hit a SECONDARY Rate limit",
        "is not enabled",
        "IS DISABLED",
        "SS",
        "sS\n",
        "\xe2\x84\xaa",
        "\xc3\x9f",
        "st\xc3\xa9",
        "",
        "abuse  detection",
    };
    Batch batch;
    batch_init(&batch, sources, G_N_ELEMENTS(sources));
    for (guint i = 0; i < batch.leaves->len; i++)
        g_assert_true(expr_is_native(batch.leaves->pdata[i]));
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_auto(Value) root = value_new_string(texts[i]);
        batch_compare(&batch, root);
    }
    batch_clear(&batch);
}

/* --- limits ----------------------------------------------------------------------------------- */

static void products_without_end_are_stopped_and_their_program_stays_unusable(void) {
    g_autoptr(GString) list = g_string_new("[0");
    for (int i = 1; i < 400; i++)
        g_string_append_printf(list, ",%d", i);
    g_string_append_c(list, ']');
    g_auto(Value) root = support_value(list->str);
    static const char *const sources[] = {
        "[.[] as $a | .[] as $b | .[] as $c | $a + $b + $c] | length",
        "all(.[] as $x | .[] as $y | .[] as $z | $x; . >= 0)",
        "last(.[] as $x | .[] as $y | .[] | select(. > $x and . < $y))",
        "[.[] as $a | map(. + $a)] | add as $all | [$all[] | $all - [.] | length] | add",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
        g_autoptr(Expr) expr = expr_parse(sources[i], NULL);
        const Expr *leaf = expr;
        g_assert_true(expr_is_native(expr));
        g_autoptr(ExprProgram) program = expr_program_new(&leaf, 1);
        expr_program_set_time_limit(program, 20);
        ExprInput input = {.root = root};
        for (int attempt = 0; attempt < 2; attempt++) {
            g_autoptr(GError) error = NULL;
            ExprResult result;
            g_assert_false(expr_program_eval(program, &input, &result, &error));
            g_assert_error(error, ASSAY_ERROR, ERROR_TIMEOUT);
        }
    }
}

static void what_is_nested_deeply_is_left_to_libjq(void) {
    g_autoptr(GString) source = g_string_new(".a");
    for (int i = 0; i < 90; i++) {
        g_string_prepend_c(source, '[');
        g_string_append_c(source, ']');
    }
    g_autoptr(Expr) deep = expr_parse(source->str, NULL);
    g_assert_nonnull(deep);
    g_assert_false(expr_is_native(deep));
    g_autoptr(GString) wide = g_string_new(".a");
    for (int i = 0; i < 600; i++)
        g_string_append(wide, ", .a");
    g_autoptr(Expr) long_one = expr_parse(wide->str, NULL);
    g_assert_nonnull(long_one);
    g_assert_false(expr_is_native(long_one));
}

/* Equal objects may print differently: which of them is kept can be seen. */
static void of_equals_the_one_that_jq_keeps_is_kept(void) {
    static const char *const sources[] = {
        "max | tojson",
        "min | tojson",
        "unique | tojson",
        "sort | tojson",
        "(.[0] + .[1]) | tojson",
        ".[-1] | tojson",
        "[.[-2].a, .[-3], .[2], .[1e12]?]",
    };
    Batch batch;
    batch_init(&batch, sources, G_N_ELEMENTS(sources));
    static const char *const roots[] = {"[{\"a\":1,\"b\":2},{\"b\":2,\"a\":1}]",
                                        "[{\"b\":2,\"a\":1},{\"a\":1,\"b\":2}]"};
    for (size_t i = 0; i < G_N_ELEMENTS(roots); i++) {
        g_auto(Value) root = support_value(roots[i]);
        batch_compare(&batch, root);
    }
    g_assert_cmpuint(batch.values, ==, G_N_ELEMENTS(sources) * G_N_ELEMENTS(roots));
    batch_clear(&batch);
}

/* One leaf's failure, and one that only libjq can judge, beside others. */
static void native_leaves_do_not_disturb_each_other(void) {
    static const char *const sources[] = {
        ".a + 1", "tojson | test(\"a\"; \"i\")", ".a.b", "[.a] | length", ".b + {}", "range(2)"};
    Batch batch;
    batch_init(&batch, sources, G_N_ELEMENTS(sources));
    static const char *const roots[] = {"{\"a\":1}", "{\"a\":\"\xc3\xa9\"}", "{\"b\":{\"x\":1}}",
                                        "[]"};
    for (size_t i = 0; i < G_N_ELEMENTS(roots); i++) {
        g_auto(Value) root = support_value(roots[i]);
        batch_compare(&batch, root);
    }
    batch_clear(&batch);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/native/" #name, name)
    TEST(random_expressions_give_what_libjq_gives);
    TEST(all_of_githubs_expressions_are_native_and_agree_with_libjq);
    TEST(what_is_outside_goes_to_libjq_whole);
    TEST(what_jq_refuses_is_refused);
    TEST(random_tokens_are_native_only_where_libjq_compiles_them);
    TEST(patterns_of_literals_match_as_oniguruma_does);
    TEST(folded_patterns_match_as_oniguruma_does);
    TEST(products_without_end_are_stopped_and_their_program_stays_unusable);
    TEST(what_is_nested_deeply_is_left_to_libjq);
    TEST(of_equals_the_one_that_jq_keeps_is_kept);
    TEST(native_leaves_do_not_disturb_each_other);
    return g_test_run();
}
