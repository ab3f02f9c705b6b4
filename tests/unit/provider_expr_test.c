/* Expressions: what is refused, what is read, isolation of leaves, purity, and the watchdog. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "provider/expr.h"
#include "provider/scan.h"
#include "unit/provider_support.h"

static Expr *expr_of(const char *source) {
    GError *error = NULL;
    Expr *expr = expr_parse(source, &error);
    g_assert_no_error(error);
    return expr;
}

static char *join(const char *const *list) {
    return g_strjoinv(" ", (char **)(uintptr_t)list);
}

static char *eval(const char *source, const char *root, const char *settings, int64_t now_ms) {
    g_autoptr(Expr) expr = expr_of(source);
    const Expr *leaf = expr;
    g_autoptr(ExprProgram) program = expr_program_new(&leaf, 1);
    g_auto(Value) input_root = support_value(root);
    g_auto(Value) input_settings = support_value(settings);
    ExprInput input = {.root = input_root, .settings = input_settings, .now_ms = now_ms};
    g_auto(ExprResult) result = {0};
    g_autoptr(GError) error = NULL;
    if (!expr_program_eval(program, &input, &result, &error))
        return g_strdup(error_code_name(error_code_of(error)));
    return support_outcome(&result);
}

static void assert_eval(const char *source, const char *root, const char *expected) {
    g_autofree char *outcome = eval(source, root, "{}", 0);
    g_assert_cmpstr(outcome, ==, expected);
}

static void assert_refused(const char *source, const char *part) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Expr) expr = expr_parse(source, &error);
    if (expr != NULL)
        g_test_message("not refused: %s", source);
    g_assert_null(expr);
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    if (strstr(error->message, part) == NULL)
        g_test_message("%s: %s", source, error->message);
    g_assert_nonnull(strstr(error->message, part));
}

/* Refusals. */

static void what_reaches_outside_is_refused(void) {
    static const char *const names[] = {
        "input",
        "inputs",
        "debug",
        "stderr",
        "halt",
        "halt_error",
        "env",
        "builtins",
        "localtime",
        "mktime",
        "strflocaltime",
        "input_line_number",
        "import",
        "include",
        "def",
        "modulemeta",
        "get_search_list",
        "input_filename",
        "__loc__",
        "getpath_",
        "nosuch",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        assert_refused(names[i], names[i]);
        g_autofree char *hidden = g_strdup_printf("[.a | (1, \"x\\(%s)\")]", names[i]);
        assert_refused(hidden, names[i]);
        g_autofree char *value = g_strdup_printf("{a: %s}", names[i]);
        assert_refused(value, names[i]);
    }
}

static void names_of_members_are_no_calls(void) {
    static const char *const sources[] = {
        ".env",          ".input.debug",     "{env: 1}",           "{env}",
        "{\"halt\": 1}", "{if: 1, then: 2}", ".a.import[\"def\"]", "{input: .debug}",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
        g_autoptr(Expr) expr = expr_of(sources[i]);
        g_autoptr(GError) error = NULL;
        g_assert_true(expr_check(expr, &error));
        g_assert_no_error(error);
    }
}

static void variables_are_only_those_that_are_bound(void) {
    assert_refused("$ENV", "$ENV");
    assert_refused("$ENV.PATH", "$ENV");
    assert_refused("{} as $ENV | $ENV.HOME", "$ENV");
    assert_refused("$ ENV", "character 1");
    assert_refused("$\nENV", "character 1");
    assert_refused("$#comment\nENV", "character 1");
    assert_refused("$__loc__", "$__loc__");
    assert_refused("$__prog_args", "$__prog_args");
    assert_refused("$__input", "$__input");
    assert_refused(".a + $x", "$x");
    assert_refused("\"\\($secret)\"", "$secret");
    assert_refused("{$x}", "$x");
    assert_eval(". as $x | $x + 1", "1", "one 2");
    assert_eval(". as [$a, {b: $c}] | $a + $c", "[1,{\"b\":2}]", "one 3");
    assert_eval(". as {$a} | {$a}", "{\"a\":5}", "one {\"a\":5}");
    assert_eval("reduce .[] as $i (0; . + $i)", "[1,2,3]", "one 6");
    assert_eval("[foreach .[] as $i (0; . + $i; [., $i])]", "[1,2]", "one [[1,1],[3,2]]");
    assert_eval("[label $out | .[] | if . > 2 then ., break $out else . end]", "[1,3,5]",
                "one [1,3]");
}

static void formats_other_than_jqs_are_refused(void) {
    assert_refused("@nosuch", "@nosuch");
    assert_refused("@ json", "character 1");
    assert_eval("@uri \"a=\\(.)\"", "\"x y/z\"", "one \"a=x%20y%2Fz\"");
    assert_eval(".x | @base64", "{\"x\":\"hi\"}", "one \"aGk=\"");
}

static void what_is_open_must_be_closed_in_the_same_leaf(void) {
    static const struct {
        const char *source;
        const char *part;
    } cases[] = {
        {"(1", "character 3"},
        {"1)", "character 2"},
        {"1), (2", "character 2"},
        {"[1", "not closed"},
        {"{a: 1", "not closed"},
        {"(1]", "character 3"},
        {"\"abc", "character 1"},
        {"\"a\\(1\"", "character 6"},
        {"\"a\\((1)", "not closed"},
        {"# ) \n 1)", "character 8"},
        {"if .a then 1", "has no"},
        {"1 end", "end"},
        {"(if . then 1) end", "end"},
        {"then", "then"},
        {"\"\\q\"", "escape"},
        {"", "empty"},
        {" \n\t ", "empty"},
        {"a::b", "Modules"},
        {"1x", "malformed"},
        {"1e", "malformed"},
        {".a ?// .b", "?//"},
        {"`ls`", "character 1"},
        {"'x'", "character 1"},
        {".a & .b", "character 4"},
        {"\x01", "character 1"},
        {"1\r2", "character 2"},
        {"\xff", "UTF-8"},
        {"\xc3\xa9 )", "character 1"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_refused(cases[i].source, cases[i].part);
    }
    assert_eval("1 # ) ] \" \\(", "null", "one 1");
    assert_eval("# first ( \n1 # second\n", "null", "one 1");
}

static void endless_sources_are_refused(void) {
    g_autofree char *longest = g_strnfill(EXPR_MAX_SOURCE + 1, '1');
    assert_refused(longest, "longer");
    g_autofree char *deep = g_strnfill(101, '(');
    assert_refused(deep, "open brackets");
    g_autofree char *many = g_strnfill(9000, ',');
    assert_refused(many, "Too many");
}

static void wrong_syntax_is_found_by_the_check(void) {
    static const char *const sources[] = {"1 2",      ".a |",     "if . then 1 end",
                                          "..1",      "{a: 1 2}", "map",
                                          "ltrimstr", ".a.[0]",   "reduce . as $x"};
    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
        g_autoptr(Expr) expr = expr_of(sources[i]);
        g_autoptr(GError) error = NULL;
        g_assert_false(expr_check(expr, &error));
        g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    }
    g_autoptr(Expr) path = expr_of(".a.b");
    g_assert_true(expr_check(path, NULL));
}

static void every_allowed_builtin_compiles(void) {
    static const char *const calls[] = {
        "[IN(.[]; .[])]",
        "INDEX(.[]; .)",
        "add",
        "all",
        "any(.[]; .)",
        "arrays",
        "ascii_downcase",
        "bsearch(1)",
        "[capture(\"a\")]",
        "combinations",
        "del(.a)",
        "delpaths([])",
        "empty",
        "error",
        "explode",
        "implode",
        "first(.[])",
        "flatten",
        "floor",
        "from_entries",
        "fromdate",
        "fromdateiso8601",
        "fromjson",
        "getpath([\"a\"])",
        "gmtime",
        "group_by(.a)",
        "gsub(\"a\"; \"b\")",
        "has(\"a\")",
        "in({})",
        "index(\"a\")",
        "indices(1)",
        "inside(1)",
        "isempty(.[])",
        "isnan",
        "join(\",\")",
        "keys",
        "last",
        "leaf_paths",
        "limit(1; .)",
        "ltrimstr(\"a\")",
        "map(.)",
        "map_values(.)",
        "match(\"a\")",
        "max_by(.a)",
        "min",
        "not",
        "now",
        "nth(1)",
        "path(.a)",
        "paths",
        "pow(1; 2)",
        "range(3)",
        "recurse",
        "repeat(.)",
        "reverse",
        "rindex(1)",
        "rtrimstr(\"a\")",
        "scalars",
        "scan(\"a\")",
        "select(.)",
        "setpath([]; 1)",
        "sort_by(.a)",
        "split(\",\")",
        "splits(\"a\")",
        "sqrt",
        "startswith(\"a\")",
        "strftime(\"%Y\")",
        "strptime(\"%Y\")",
        "sub(\"a\"; \"b\")",
        "test(\"a\")",
        "to_entries",
        "todate",
        "tojson",
        "tonumber",
        "[tostream]",
        "tostring",
        "transpose",
        "type",
        "unique",
        "until(.; .)",
        "utf8bytelength",
        "values",
        "walk(.)",
        "while(.; .)",
        "with_entries(.)",
    };
    g_autoptr(GString) all = g_string_new("[");
    for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
        g_autoptr(Expr) expr = expr_of(calls[i]);
        g_string_append_printf(all, "%s(%s)", i > 0 ? ", " : "", calls[i]);
    }
    g_string_append_c(all, ']');
    g_autoptr(Expr) expr = expr_of(all->str);
    g_autoptr(GError) error = NULL;
    g_assert_true(expr_check(expr, &error));
    g_assert_no_error(error);
}

/* What is read. */

static void reads_are_known_without_evaluating(void) {
    static const struct {
        const char *source;
        const char *reads; /* "*": all */
    } cases[] = {
        {".repo.owner.login", ".repo.owner.login"},
        {"{ r: .repo.full_name, p: (.protection != null), n: (.protection.a.b // 0) }",
         ".protection | type .protection.a.b .repo.full_name"},
        {"[.alerts[] | select(.state == \"open\")] | length", ".alerts[]"},
        {".a | .b", ".a"},
        {"(.a | .b), .c", ".a .c"},
        {"if .a then .b else .c end", ".a .b .c"},
        {"if .a | .x then .b else .c | .y end", ".a .b .c"},
        {".a as $x | .b + $x.c", ".a .b"},
        {"reduce .a[] as $x (0; . + $x.b) | .c", ".a[]"},
        {"[foreach .a[] as $x (.s; .t; .u)]", ".a[] .s"},
        {"any(.items[]; .ok)", ".items[]"},
        {"first(.items[])", ".items[]"},
        {"\"x \\(.a) \\(.b | .c)\"", ".a .b"},
        {"{a, \"b c\": .d, $now, (.k): 1, e: .f | .g, h: .i}", ".a .d .f .i .k"},
        {"{\"b c\"}", ".[\"b c\"]"},
        {".[\"x-y\"].z", ".[\"x-y\"].z"},
        {".\"x\".y?", ".x.y"},
        {".a[0].b", ".a[0].b"},
        {".a[.i].b", ".a .i"},
        {".a[1:2]", ".a"},
        {".a.b?.c", ".a.b.c"},
        {"null == .a and .b != null", ".a | type .b | type"},
        {".a + .b == null", ".a .b"},
        {".a == null + 1", ".a"},
        {"try .a catch .b", ".a .b"},
        {"$settings.x", ""},
        {"1 + 2, \"text\", null, now", ""},
        {"-.a * 2", ".a"},
        {".a // .b // empty", ".a .b"},
        {".a |= 1", ".a"},
        {"{a: .b.c} | .a", ".b.c"},
        {"label $f | .a, break $f", ".a"},
        {"@base64 \"\\(.a)\"", ".a"},
        {"error(.message)", ".message"},
        {"[.a, .b] | any", ".a .b"},
        {".", "*"},
        {"..", "*"},
        {"keys", "*"},
        {"length > 0", "*"},
        {".[]", "*"},
        {".[0].a", "*"},
        {".[.k]", "*"},
        {"map(.a)", "*"},
        {"select(.a)", "*"},
        {"{a: .} | .a", "*"},
        {". as $all | .a", "*"},
        {"(.a, .) | .b", "*"},
        {"@json", "*"},
        {"any", "*"},
        {"{\"\\(.a)\"}", "*"},
        {"to_entries[] | .key", "*"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Expr) expr = expr_of(cases[i].source);
        g_autofree char *reads = join(expr_reads(expr));
        g_test_message("%s", cases[i].source);
        if (strcmp(cases[i].reads, "*") == 0)
            g_assert_true(expr_reads_all(expr));
        else
            g_assert_cmpstr(expr_reads_all(expr) ? "*" : reads, ==, cases[i].reads);
    }
}

static void names_and_paths_below_a_name_are_told(void) {
    g_autoptr(Expr) expr =
        expr_of("{a: .repo.owner.login, b: .repo[\"x y\"], c: (.protection != null),"
                " d: .repository.id, e: [.items[].id]}");
    g_autofree char *names = join(expr_names(expr));
    g_assert_cmpstr(names, ==, "items protection repo repository");
    g_assert_true(expr_mentions(expr, "repo"));
    g_assert_false(expr_mentions(expr, "owner"));
    static const struct {
        const char *name;
        const char *keep;
    } cases[] = {
        {"repo", ".owner.login .[\"x y\"]"},
        {"protection", ". | type"},
        {"repository", ".id"},
        {"items", ".[].id"},
        {"other", ""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) keep = g_ptr_array_new_with_free_func(g_free);
        expr_add_keep(expr, cases[i].name, keep);
        g_ptr_array_add(keep, NULL);
        g_autofree char *joined = join((const char *const *)keep->pdata);
        g_assert_cmpstr(joined, ==, cases[i].keep);
    }
    g_autoptr(Expr) all = expr_of("keys");
    g_autoptr(GPtrArray) keep = g_ptr_array_new_with_free_func(g_free);
    expr_add_keep(all, "repo", keep);
    g_assert_cmpstr(keep->pdata[0], ==, ".");
    g_assert_true(expr_mentions(all, "anything"));
}

static void use_of_time_and_settings_is_told(void) {
    g_autoptr(Expr) timed = expr_of("now - (.a | fromdate)");
    g_autoptr(Expr) variable = expr_of("$now");
    g_autoptr(Expr) set = expr_of("$settings.organization");
    g_autoptr(Expr) neither = expr_of(".now + .settings");
    g_assert_true(expr_reads_now(timed) && expr_reads_now(variable) && !expr_reads_now(neither));
    g_assert_true(expr_reads_settings(set) && !expr_reads_settings(neither));
    g_assert_cmpstr(expr_source(set), ==, "$settings.organization");
}

static void traps_of_jq_are_found(void) {
    g_autoptr(Expr) alternative = expr_of("(.enabled // true)");
    g_autoptr(Expr) harmless = expr_of(".enabled // false");
    g_assert_true(expr_has_alternative_true(alternative));
    g_assert_false(expr_has_alternative_true(harmless));
    static const struct {
        const char *source;
        const char *compared;
    } cases[] = {
        {".maxAge < 90", ".maxAge"},
        {"90 >= .maxAge and .a.b > 1", ".maxAge .a.b"},
        {".maxAge != null and .maxAge <= 90", ""},
        {".maxAge == 90", ""},
        {".a | . < 3", ""},
        {"(.a) < 3", ""},
        {"[.list[] < 3]", ".list[]"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Expr) expr = expr_of(cases[i].source);
        g_autofree char *compared = join(expr_order_compared(expr));
        g_assert_cmpstr(compared, ==, cases[i].compared);
    }
}

/* Evaluation. */

static void outcomes_are_one_none_many_or_failed(void) {
    assert_eval(".a + 1", "{\"a\":1}", "one 2");
    assert_eval("empty", "null", "none");
    assert_eval("1, 2, 3", "null", "many 1");
    assert_eval(".[]", "[]", "none");
    assert_eval("error(\"told so\")", "null", "failed told so");
    assert_eval("error({code: 7})", "null", "failed {\"code\":7}");
    assert_eval("error(null)", "null", "none"); /* so jq 1.6 has it */
    assert_eval(".a.b + 1", "{\"a\":1}", "failed Cannot index number with string \"b\"");
    assert_eval(".a.b", "{\"a\":1}", "failed .a.b meets a value of another kind");
    assert_eval("first(range(1e12))", "null", "one 0");
    assert_eval("range(1e12)", "null", "many 0");
    assert_eval("recurse(. + 1)", "1", "many 1");
}

static void a_failing_leaf_leaves_its_neighbours_alone(void) {
    static const char *const sources[] = {
        "1 # comment )]}",
        ".name",
        "error(\"x\")",
        "empty",
        "1, 2",
        "{a: .name} # }",
        "label $x | break $x",
        "error({__jq: 0})?",
        "[.name] | map(ascii_upcase) | .[0]",
    };
    static const char *const expected[] = {
        "one 1", "one \"octo\"", "failed x",     "none", "many 1", "one {\"a\":\"octo\"}",
        "none",  "none",         "one \"OCTO\"",
    };
    enum { COUNT = G_N_ELEMENTS(sources) };
    Expr *owned[COUNT];
    const Expr *leaves[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        leaves[i] = owned[i] = expr_of(sources[i]);
    g_autoptr(ExprProgram) program = expr_program_new(leaves, COUNT);
    g_assert_cmpuint(expr_program_count(program), ==, COUNT);
    g_auto(Value) root = support_value("{\"name\":\"octo\"}");
    ExprInput input = {.root = root};
    for (int round = 0; round < 3; round++) {
        ExprResult results[COUNT];
        g_autoptr(GError) error = NULL;
        bool good = expr_program_eval(program, &input, results, &error);
        g_assert_no_error(error);
        g_assert_true(good);
        for (size_t i = 0; i < COUNT; i++) {
            g_autofree char *outcome = support_outcome(&results[i]);
            g_assert_cmpstr(outcome, ==, expected[i]);
        }
        expr_results_clear(results, COUNT);
    }
    for (size_t i = 0; i < COUNT; i++)
        expr_free(owned[i]);
}

/* An error value shaped like jq's own break passes every try: no leaf may look good then. */
static void a_forged_break_makes_leaves_fail(void) {
    g_autofree char *outcome = eval("error(.body)", "{\"body\":{\"__jq\":0}}", "{}", 0);
    g_assert_true(g_str_has_prefix(outcome, "failed") || g_str_has_prefix(outcome, "none"));
}

static void a_program_that_does_not_compile_says_so_each_time(void) {
    g_autoptr(Expr) expr = expr_of("1 2");
    const Expr *leaf = expr;
    g_autoptr(ExprProgram) program = expr_program_new(&leaf, 1);
    ExprInput input = {.root = VALUE_NONE};
    ExprResult result;
    for (int i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(expr_program_eval(program, &input, &result, &error));
        g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
        g_assert_nonnull(strstr(error->message, "syntax error"));
        g_assert_null(strchr(error->message, '\n'));
    }
}

static void only_what_is_given_is_seen(void) {
    g_autofree char *settings = eval("$settings.org", "null", "{\"org\":\"acme\"}", 0);
    g_assert_cmpstr(settings, ==, "one \"acme\"");
    g_autofree char *time = eval("[now, $now]", "null", "{}", 1700000000123);
    g_assert_cmpstr(time, ==, "one [1700000000.123,1700000000.123]");
    g_autofree char *neither = eval("[.settings, .now]", "{}", "{\"org\":\"acme\"}", 1);
    g_assert_cmpstr(neither, ==, "one [null,null]");
}

static void no_value_at_all_is_null(void) {
    g_autoptr(Expr) expr = expr_of("[., $settings]");
    g_auto(Value) value = VALUE_NONE;
    ExprInput input = {.root = VALUE_NONE, .settings = VALUE_NONE};
    g_assert_true(expr_eval_once(expr, &input, &value, NULL));
    g_autofree char *json = value_to_json(value);
    g_assert_cmpstr(json, ==, "[null,{}]");
}

static void once_wants_exactly_one_value(void) {
    static const char *const sources[] = {"empty", "1, 2", "error(\"x\")", ".a.b"};
    g_auto(Value) root = support_value("{\"a\":1}");
    ExprInput input = {.root = root};
    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
        g_autoptr(Expr) expr = expr_of(sources[i]);
        g_autoptr(GError) error = NULL;
        Value value = VALUE_NONE;
        g_assert_false(expr_eval_once(expr, &input, &value, &error));
        g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
        g_assert_nonnull(strstr(error->message, sources[i]));
    }
}

static void results_are_booleans_only_when_they_are(void) {
    static const struct {
        const char *source;
        bool good;
        bool truth;
    } cases[] = {{".a == 1", true, true},
                 {".a == 2", true, false},
                 {".a", false, false},
                 {"null", false, false},
                 {"true, true", false, false}};
    g_auto(Value) root = support_value("{\"a\":1}");
    ExprInput input = {.root = root};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Expr) expr = expr_of(cases[i].source);
        const Expr *leaf = expr;
        g_autoptr(ExprProgram) program = expr_program_new(&leaf, 1);
        g_auto(ExprResult) result = {0};
        bool truth = false;
        g_assert_true(expr_program_eval(program, &input, &result, NULL));
        g_assert_cmpint(expr_result_bool(&result, &truth), ==, cases[i].good);
        g_assert_cmpint(truth, ==, cases[i].truth);
    }
}

/* libjq's own mistakes. */

static void times_with_fractions_and_offsets_are_read(void) {
    static const char *const good[] = {
        "2024-02-29T12:34:56Z",        "2024-02-29T12:34:56.789Z",  "2024-02-29t12:34:56z",
        "2024-02-29T12:34:56+02:00",   "2024-02-29T12:34:56-11:30", "1969-07-20T20:17:40Z",
        "2024-02-29T12:34:56.5+00:00", "0001-01-01T00:00:00Z",      "9999-12-31T23:59:59Z",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree char *root = g_strdup_printf("\"%s\"", good[i]);
        int64_t expected = 0;
        g_assert_true(clock_parse(good[i], &expected));
        g_autofree char *outcome = eval("fromdate * 1000 | round", root, "{}", 0);
        g_autofree char *text = g_strdup_printf("one %" G_GINT64_FORMAT, expected);
        g_assert_cmpstr(outcome, ==, text);
    }
    static const char *const bad[] = {
        "\"\"",
        "\"2024-02-29\"",
        "\"2023-02-29T00:00:00Z\"",
        "\"2024-13-01T00:00:00Z\"",
        "\"2024-02-29T25:00:00Z\"",
        "\"2024-02-29T12:34:56\"",
        "\"2024-02-29 12:34:56Z\"",
        "\"2024-02-29T12:34:56.Z\"",
        "\"2024-02-29T12:34:56.1e3Z\"",
        "\"2024-02-29T12:34:56+0200\"",
        "\"2024-02-29T12:34:56+24:00\"",
        "\"2024-02-29T12:34:56Zjunk\"",
        "\"2024- 2-29T12:34:56Z\"",
        "17",
        "null",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *outcome = eval("fromdateiso8601", bad[i], "{}", 0);
        g_assert_cmpstr(outcome, ==, "failed fromdate needs an RFC 3339 time");
    }
}

static void mended_builtins_behave(void) {
    assert_eval("ltrimstr(\"ab\")", "\"abc\"", "one \"c\"");
    assert_eval("ltrimstr(\"x\")", "\"abc\"", "one \"abc\"");
    assert_eval("ltrimstr(1)", "\"abc\"", "one \"abc\"");
    assert_eval("ltrimstr(\"\xc3\xa9\")", "\"\xc3\xa9t\xc3\xa9\"", "one \"t\xc3\xa9\"");
    assert_eval("rtrimstr(\"bc\")", "\"abc\"", "one \"a\"");
    assert_eval("rtrimstr(\"\")", "\"abc\"", "one \"abc\"");
    assert_eval("[.[] | rtrimstr(\"a\")]", "[{\"a\":1},\"ba\"]", "one [{\"a\":1},\"b\"]");
    assert_eval("[.[] | ltrimstr(\"a\")]", "[1,null,\"ab\"]", "one [1,null,\"b\"]");
    assert_eval("explode | implode", "\"h\xc3\xa9llo\"", "one \"h\xc3\xa9llo\"");
    assert_eval("implode", "[1114112]", "failed implode needs a list of characters");
    assert_eval("implode", "[55296]", "failed implode needs a list of characters");
    assert_eval("implode", "[\"a\"]", "failed implode needs a list of characters");
    assert_eval("implode", "7", "failed implode needs a list of characters");
    assert_eval("[test(\"^a.c$\"), (capture(\"(?<y>[0-9]+)\") | .y)]", "\"a1c\"",
                "one [true,\"1\"]");
}

/* Outputs left behind by `paths` abort the process at the next start unless they are drained. */
static void abandoned_outputs_do_no_harm(void) {
    g_autoptr(Expr) paths = expr_of("paths");
    g_autoptr(Expr) first = expr_of("[paths] | first");
    g_autoptr(Expr) many = expr_of("..");
    const Expr *leaves[] = {paths, first, many};
    g_autoptr(ExprProgram) program = expr_program_new(leaves, G_N_ELEMENTS(leaves));
    g_auto(Value) root = support_value("{\"a\":[1,2,{\"b\":[3,4]}],\"c\":{\"d\":null}}");
    ExprInput input = {.root = root};
    for (int i = 0; i < 50; i++) {
        ExprResult results[G_N_ELEMENTS(leaves)];
        g_assert_true(expr_program_eval(program, &input, results, NULL));
        g_assert_cmpint(results[0].outcome, ==, EXPR_MANY);
        g_assert_cmpint(results[1].outcome, ==, EXPR_ONE);
        g_assert_cmpint(results[2].outcome, ==, EXPR_MANY);
        expr_results_clear(results, G_N_ELEMENTS(leaves));
    }
}

static void large_strings_pass(void) {
    g_autofree char *text = g_strnfill(5 << 20, 'x');
    g_auto(Value) root = value_new_string(text);
    ExprInput input = {.root = root};
    g_autoptr(Expr) expr = expr_of("length");
    g_auto(Value) length = VALUE_NONE;
    g_assert_true(expr_eval_once(expr, &input, &length, NULL));
    g_assert_cmpfloat(value_number(length, 0), ==, 5 << 20);
}

static void definitions_of_the_home_folder_are_refused(void) {
    g_autofree char *home = g_dir_make_tmp("assay-expr-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(home, ".jq", NULL);
    g_autofree char *before = g_strdup(g_getenv("HOME"));
    g_assert_true(g_file_set_contents(file, "def length: 42;", -1, NULL));
    g_setenv("HOME", home, TRUE);
    g_autoptr(Expr) expr = expr_of("length | floor");
    g_auto(Value) value = VALUE_NONE;
    g_autoptr(GError) error = NULL;
    ExprInput input = {.root = VALUE_NONE};
    g_assert_false(expr_eval_once(expr, &input, &value, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    g_assert_nonnull(strstr(error->message, ".jq"));
    if (before != NULL)
        g_setenv("HOME", before, TRUE);
    else
        g_unsetenv("HOME");
    g_assert_cmpint(remove(file), ==, 0);
    g_assert_cmpint(remove(home), ==, 0);
}

/* The watchdog. */

/* What a halted libjq holds is lost for good, which is no leak of ours. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static void runaways_are_stopped_and_their_program_stays_unusable(void) {
    static const char *const sources[] = {"[range(1e12)] | length", "until(false; .)",
                                          "last(repeat(1))", "\"ab\" | gsub(\"\"; \"x\")"};
    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
        g_autoptr(Expr) expr = expr_of(sources[i]);
        g_autoptr(Expr) path = expr_of(".a");
        const Expr *leaves[] = {path, expr};
        g_autoptr(ExprProgram) program = expr_program_new(leaves, 2);
        expr_program_set_time_limit(program, 40);
        g_auto(Value) root = support_value("{\"a\":1}");
        ExprInput input = {.root = root};
        ExprResult results[2];
        for (int attempt = 0; attempt < 2; attempt++) {
            g_autoptr(GError) error = NULL;
            if (__lsan_disable != NULL)
                __lsan_disable();
            bool good = expr_program_eval(program, &input, results, &error);
            if (__lsan_enable != NULL)
                __lsan_enable();
            g_assert_false(good);
            g_assert_error(error, ASSAY_ERROR, ERROR_TIMEOUT);
        }
    }
}

static void *evaluate_often(void *data) {
    g_autoptr(Expr) expr = expr_of("[.[] | select(test(\"^[a-z]+$\"))] | length");
    const Expr *leaf = expr;
    g_autoptr(ExprProgram) program = expr_program_new(&leaf, 1);
    g_auto(Value) root = support_value("[\"abc\",\"ABC\",\"x\",\"1\"]");
    ExprInput input = {.root = root};
    int *right = data;
    for (int i = 0; i < 200; i++) {
        g_auto(ExprResult) result = {0};
        if (expr_program_eval(program, &input, &result, NULL) && value_number(result.value, 0) == 2)
            ++*right;
    }
    return NULL;
}

static void each_thread_evaluates_with_a_program_of_its_own(void) {
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    int right[THREADS] = {0};
    for (int i = 0; i < THREADS; i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, evaluate_often, &right[i]), ==, 0);
    for (int i = 0; i < THREADS; i++)
        g_assert_cmpint(pthread_join(threads[i], NULL), ==, 0);
    for (int i = 0; i < THREADS; i++)
        g_assert_cmpint(right[i], ==, 200);
}

static void *evaluate_shared(void *data) {
    const Expr *leaf = data;
    g_autoptr(ExprProgram) program = expr_program_new(&leaf, 1);
    g_auto(Value) root = support_value("[1,2,3]");
    g_auto(ExprResult) result = {0};
    g_assert_true(expr_program_eval(program, &(ExprInput){.root = root}, &result, NULL));
    g_assert_cmpfloat(value_number(result.value, 0), ==, 3);
    return NULL;
}

static void threads_that_meet_a_new_expression_share_it(void) {
    pthread_t other;
    for (int round = 0; round < 20; round++) {
        g_autoptr(Expr) expr = expr_of("length");
        g_assert_cmpint(pthread_create(&other, NULL, evaluate_shared, expr), ==, 0);
        evaluate_shared(expr);
        g_assert_cmpint(pthread_join(other, NULL), ==, 0);
    }
}

/* Properties. */

static Value random_value(GRand *random, int depth) {
    static const char *const names[] = {"a", "b", "x-y"};
    switch (g_rand_int_range(random, 0, depth > 0 ? 6 : 4)) {
    case 0:
        return value_new_null();
    case 1:
        return value_new_bool(g_rand_boolean(random));
    case 2:
        return value_new_number(g_rand_int_range(random, -5, 5));
    case 3:
        return value_new_string("text");
    case 4: {
        Value list = value_new_array();
        for (int i = g_rand_int_range(random, 0, 4); i > 0; i--)
            value_push(&list, random_value(random, depth - 1));
        return list;
    }
    default: {
        Value object = value_new_object();
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
            if (g_rand_boolean(random))
                value_put(&object, names[i], random_value(random, depth - 1));
        }
        return object;
    }
    }
}

static void plain_paths_answer_as_jq_does(void) {
    static const char *const paths[] = {".",      ".a",          ".a.b",          ".[\"x-y\"]",
                                        ".a[0]",  ".[1]",        ".[-1].a",       ".a.a.a",
                                        ".b[-2]", ".\"a\".b[1]", ".a[\"x-y\"][0]"};
    enum { COUNT = G_N_ELEMENTS(paths) };
    Expr *owned[COUNT * 2];
    const Expr *leaves[COUNT * 2];
    for (size_t i = 0; i < COUNT; i++) {
        g_autofree char *computed = g_strdup_printf("(%s)", paths[i]);
        leaves[i] = owned[i] = expr_of(paths[i]);
        leaves[COUNT + i] = owned[COUNT + i] = expr_of(computed);
        g_assert_nonnull(expr_plain_path(owned[i]));
        g_assert_null(expr_plain_path(owned[COUNT + i]));
    }
    g_autoptr(ExprProgram) program = expr_program_new(leaves, COUNT * 2);
    g_autoptr(GRand) random = g_rand_new_with_seed(4);
    for (int round = 0; round < 500; round++) {
        g_auto(Value) root = random_value(random, 4);
        ExprInput input = {.root = root};
        ExprResult results[COUNT * 2];
        g_assert_true(expr_program_eval(program, &input, results, NULL));
        for (size_t i = 0; i < COUNT; i++) {
            g_assert_cmpint(results[i].outcome, ==, results[COUNT + i].outcome);
            g_assert_true(results[i].outcome == EXPR_FAILED ||
                          value_equal(results[i].value, results[COUNT + i].value));
        }
        expr_results_clear(results, COUNT * 2);
    }
    for (size_t i = 0; i < COUNT * 2; i++)
        expr_free(owned[i]);
}

static void append_random_json(GRand *random, GString *out, int depth) {
    static const char *const scalars[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "12",
        "-7",
        "1234567890123456",
        "12345678901234567890",
        "1.5",
        "-0.25e-3",
        "1E5",
        "0.1",
        "123456789.123456789",
        "1e400",
        "\"\"",
        "\"plain\"",
        "\"\\n\\\"\\\\ \\u00e9\"",
        "\"\\ud83d\\ude00\"",
        "\"\xc3\xa9\"",
    };
    int kind = g_rand_int_range(random, 0, depth > 0 ? 4 : 2);
    if (kind < 2) {
        g_string_append(out, scalars[g_rand_int_range(random, 0, G_N_ELEMENTS(scalars))]);
        return;
    }
    g_string_append(out, kind == 2 ? "[ " : "{");
    int count = g_rand_int_range(random, 0, 5);
    for (int i = 0; i < count; i++) {
        g_string_append(out, i > 0 ? "\t,\r\n" : "");
        if (kind == 3)
            g_string_append_printf(out, "\"k\\u006%d%s\" : ", g_rand_int_range(random, 1, 4),
                                   g_rand_boolean(random) ? "x" : "");
        append_random_json(random, out, depth - 1);
    }
    g_string_append(out, kind == 2 ? "]" : " }");
}

static void texts_parse_to_what_jq_itself_makes_of_them(void) {
    g_autoptr(Expr) expr = expr_of("fromjson");
    const Expr *leaf = expr;
    g_autoptr(ExprProgram) program = expr_program_new(&leaf, 1);
    g_autoptr(GRand) random = g_rand_new_with_seed(10);
    for (int round = 0; round < 2000; round++) {
        g_autoptr(GString) text = g_string_new(NULL);
        append_random_json(random, text, 4);
        g_auto(Value) ours = support_value(text->str);
        g_auto(Value) root = value_new_string(text->str);
        ExprInput input = {.root = root};
        g_auto(ExprResult) theirs = {0};
        g_assert_true(expr_program_eval(program, &input, &theirs, NULL));
        g_assert_cmpint(theirs.outcome, ==, EXPR_ONE);
        g_assert_true(value_equal(ours, theirs.value));
    }
}

/* The projection made of expr_reads must give every expression the same result. */
static void projected_reads_give_the_same_results(void) {
    static const char *const sources[] = {
        "{x: .a.b, y: (.b != null), z: (.b.a // 0)}",
        "[.a[]? | .b?]",
        "if .a == null then .b else .a.a? end",
        "\"\\(.a) \\(.b[\"x-y\"]?)\"",
        ".a as $x | [.b, $x]",
        "reduce (.a[]?) as $x ([]; . + [$x])",
        "any((.a, .b); . == true)",
        "{a, c: (.b | type)}",
        "[.a?, .b[0]?] | map(type)",
        "(.a | keys?) // .b",
        "null != .a and (.[\"x-y\"] == null | not)",
    };
    enum { COUNT = G_N_ELEMENTS(sources) };
    g_autoptr(GRand) random = g_rand_new_with_seed(5);
    Expr *owned[COUNT];
    ExprProgram *programs[COUNT];
    ScanPlan *plans[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        owned[i] = expr_of(sources[i]);
        programs[i] = expr_program_new((const Expr *const *)&owned[i], 1);
        g_assert_false(expr_reads_all(owned[i]));
        plans[i] = scan_plan_new(NULL, expr_reads(owned[i]), NULL, NULL);
    }
    for (int round = 0; round < 2200; round++) {
        size_t i = (size_t)round % COUNT;
        g_auto(Value) whole = random_value(random, 4);
        g_autofree char *json = value_to_json(whole);
        g_autoptr(GString) kept = g_string_new(NULL);
        g_assert_true(scan_body(plans[i], json, strlen(json), NULL, kept, NULL));
        g_auto(Value) part = support_value(kept->str);
        g_auto(ExprResult) of_whole = {0}, of_part = {0};
        ExprInput whole_input = {.root = whole}, part_input = {.root = part};
        g_assert_true(expr_program_eval(programs[i], &whole_input, &of_whole, NULL));
        g_assert_true(expr_program_eval(programs[i], &part_input, &of_part, NULL));
        g_assert_cmpint(of_whole.outcome, ==, of_part.outcome);
        g_assert_true(value_equal(of_whole.value, of_part.value));
    }
    for (size_t i = 0; i < COUNT; i++) {
        expr_program_free(programs[i]);
        scan_plan_free(plans[i]);
        expr_free(owned[i]);
    }
}

/* Whatever the lexer lets through, jq takes or refuses in peace. */
static void random_token_soup_is_refused_or_evaluated(void) {
    static const char *const tokens[] = {
        ".a",     ".",    "|",     ",",       "(",     ")",  "[",         "]",
        "{",      "}",    "\"s\"", "\"\\(",   ")\"",   "1",  "null",      "if",
        "then",   "else", "end",   "as $x |", "$x",    "+",  "//",        "?",
        "#c\n",   "map(", ":",     "a",       "not",   "==", "-",         "..",
        "reduce", "try",  "catch", "length",  "@json", ";",  "$settings",
    };
    g_autoptr(GRand) random = g_rand_new_with_seed(6);
    int parsed = 0;
    for (int round = 0; round < 20000; round++) {
        g_autoptr(GString) source = g_string_new(NULL);
        for (int i = g_rand_int_range(random, 1, 9); i > 0; i--)
            g_string_append_printf(source, "%s ",
                                   tokens[g_rand_int_range(random, 0, G_N_ELEMENTS(tokens))]);
        g_autoptr(Expr) expr = expr_parse(source->str, NULL);
        if (expr == NULL || ++parsed % 40 != 0)
            continue;
        g_auto(Value) value = VALUE_NONE;
        g_auto(Value) root = support_value("{\"a\":{\"a\":[1,2]}}");
        ExprInput input = {.root = root};
        if (expr_eval_once(expr, &input, &value, NULL))
            g_assert_cmpint(value_kind(value), !=, VALUE_KIND_NONE);
    }
    g_assert_cmpint(parsed, >, 1000);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/expr/" #name, name)
    TEST(what_reaches_outside_is_refused);
    TEST(names_of_members_are_no_calls);
    TEST(variables_are_only_those_that_are_bound);
    TEST(formats_other_than_jqs_are_refused);
    TEST(what_is_open_must_be_closed_in_the_same_leaf);
    TEST(endless_sources_are_refused);
    TEST(wrong_syntax_is_found_by_the_check);
    TEST(every_allowed_builtin_compiles);
    TEST(reads_are_known_without_evaluating);
    TEST(names_and_paths_below_a_name_are_told);
    TEST(use_of_time_and_settings_is_told);
    TEST(traps_of_jq_are_found);
    TEST(outcomes_are_one_none_many_or_failed);
    TEST(a_failing_leaf_leaves_its_neighbours_alone);
    TEST(a_forged_break_makes_leaves_fail);
    TEST(a_program_that_does_not_compile_says_so_each_time);
    TEST(only_what_is_given_is_seen);
    TEST(no_value_at_all_is_null);
    TEST(once_wants_exactly_one_value);
    TEST(results_are_booleans_only_when_they_are);
    TEST(times_with_fractions_and_offsets_are_read);
    TEST(mended_builtins_behave);
    TEST(abandoned_outputs_do_no_harm);
    TEST(large_strings_pass);
    TEST(definitions_of_the_home_folder_are_refused);
    TEST(runaways_are_stopped_and_their_program_stays_unusable);
    TEST(each_thread_evaluates_with_a_program_of_its_own);
    TEST(threads_that_meet_a_new_expression_share_it);
    TEST(plain_paths_answer_as_jq_does);
    TEST(texts_parse_to_what_jq_itself_makes_of_them);
    TEST(projected_reads_give_the_same_results);
    TEST(random_token_soup_is_refused_or_evaluated);
    return g_test_run();
}
