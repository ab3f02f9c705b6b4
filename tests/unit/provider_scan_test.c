/* The scan of bodies: grammar, limits, mending, redaction, projection and splitting into rows. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "provider/scan.h"

#define MARK "\xef\xbf\xbd"

static ScanPlan *plan_of(const char *redact, const char *keep) {
    g_auto(GStrv) secrets = redact != NULL ? g_strsplit(redact, " ", -1) : NULL;
    g_auto(GStrv) wanted = keep != NULL ? g_strsplit(keep, "; ", -1) : NULL;
    GError *error = NULL;
    ScanPlan *plan =
        scan_plan_new((const char *const *)secrets, (const char *const *)wanted, NULL, &error);
    g_assert_no_error(error);
    return plan;
}

/* Scans and holds both outputs against what is expected. */
static void assert_scan(const ScanPlan *plan, const char *body, const char *recorded,
                        const char *kept) {
    g_autoptr(GString) recorded_out = g_string_new("before ");
    g_autoptr(GString) kept_out = g_string_new("");
    GError *error = NULL;
    bool good = scan_body(plan, body, strlen(body), recorded_out, kept_out, &error);
    g_assert_no_error(error);
    g_assert_true(good);
    g_assert_cmpstr(recorded_out->str + strlen("before "), ==, recorded);
    g_assert_cmpstr(kept_out->str, ==, kept);
    g_autoptr(GString) alone = g_string_new("");
    g_assert_true(scan_body(plan, body, strlen(body), NULL, alone, NULL));
    g_assert_cmpstr(alone->str, ==, kept);
}

/* Scans bytes that must be refused; the outputs stay as they were. */
static void assert_refused(const ScanPlan *plan, const char *body, size_t size, ErrorCode code) {
    g_autoptr(GString) recorded = g_string_new("as it was");
    g_autoptr(GString) kept = g_string_new("as it was");
    g_autoptr(GError) error = NULL;
    g_assert_false(scan_body(plan, body, size, recorded, kept, &error));
    g_assert_error(error, ASSAY_ERROR, (int)code);
    g_assert_cmpstr(recorded->str, ==, "as it was");
    g_assert_cmpstr(kept->str, ==, "as it was");
}

static void sound_bodies_pass_byte_for_byte(void) {
    static const char *const bodies[] = {
        "null",
        " true ",
        "-0.5e+10",
        "\"\"",
        "[]",
        "{}",
        "[ 1 , 2\n,\t3 ]\r\n",
        "{\"a\" : {\"b\":[{}, [], \"x\"]}, \"a\":false}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\"",
        "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f\"",
        "9007199254740992",
        "-9007199254740992",
        "[0,-0,10,1.0,1e5,123456789012345.678]",
    };
    g_autoptr(ScanPlan) plan = plan_of(NULL, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++)
        assert_scan(plan, bodies[i], bodies[i], bodies[i]);
}

static void malformed_bodies_are_broken(void) {
    static const char *const bodies[] = {
        "",          "   ",      "{",         "[",
        "[1",        "[1,",      "[1,]",      "[,1]",
        "[1 2]",     "{\"a\"}",  "{\"a\":}",  "{\"a\":1,}",
        "{a:1}",     "{1:2}",    "{\"a\" 1}", "{\"a\":1 \"b\":2}",
        "}",         "]",        "\"",        "\"a",
        "\"\\",      "\"\\x\"",  "\"\\u12\"", "\"\\u12g4\"",
        "\"\n\"",    "\"\x01\"", "tru",       "truth",
        "nul",       "False",    "01",        "-",
        "+1",        "1.",       ".5",        "1e",
        "1e+",       "--1",      "1 2",       "{}{}",
        "[1]x",      "NaN",      "Infinity",  "'a'",
        "/* */1",    "<html>",   "[1}",       "{\"a\":1]",
        "\"\\ud83d",
    };
    g_autoptr(ScanPlan) plan = plan_of(NULL, NULL);
    g_autoptr(ScanPlan) careful = plan_of(".x .[].y", ".a.b; .[].c");
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        assert_refused(plan, bodies[i], strlen(bodies[i]), ERROR_SERVICE_UNAVAILABLE);
        assert_refused(careful, bodies[i], strlen(bodies[i]), ERROR_SERVICE_UNAVAILABLE);
    }
}

static void every_truncation_is_noticed(void) {
    static const char body[] =
        "{\"a\":[1.5,true,null,\"x\\u00e9\\ud83d\\ude00\"],\"b\":{\"c\":-2e1}}";
    g_autoptr(ScanPlan) plan = plan_of(".b.c", ".a[]");
    for (size_t size = 0; size < sizeof body - 1; size++) {
        g_autofree char *cut =
            g_memdup2(body, MAX(size, 1)); /* its own block: reads beyond are seen */
        assert_refused(plan, cut, size, ERROR_SERVICE_UNAVAILABLE);
    }
}

static void messages_name_the_byte_and_never_the_text(void) {
    static const char body[] = "{\"token\":\"ghp_secret\", oops}";
    g_autoptr(ScanPlan) plan = plan_of(NULL, NULL);
    g_autoptr(GError) error = NULL;
    g_assert_false(scan_body(plan, body, strlen(body), NULL, NULL, &error));
    g_assert_nonnull(strstr(error->message, "byte 23"));
    g_assert_null(strstr(error->message, "oops"));
    g_assert_null(strstr(error->message, "secret"));
}

static void bodies_past_the_limits_are_refused(void) {
    ScanLimits limits = {.max_bytes = 40, .max_nodes = 20, .max_depth = 3};
    g_autoptr(ScanPlan) plan = scan_plan_new(NULL, NULL, &limits, NULL);
    assert_scan(plan, "[[1,2,3,4]]", "[[1,2,3,4]]", "[[1,2,3,4]]");
    assert_refused(plan, "[[[[]]]]", 8, ERROR_LIMIT);
    assert_refused(plan, "[1,2,3,4,5,6,7,8,9,1,2,3,4]", 27, ERROR_LIMIT);
    assert_refused(plan, "[{},{}]", 7, ERROR_LIMIT);
    assert_refused(plan, "\"1234567890123456789012345678901234567890\"", 42, ERROR_LIMIT);
}

static void containers_count_for_more_than_scalars(void) {
    ScanLimits limits = {.max_bytes = 1000, .max_nodes = 26, .max_depth = 3};
    g_autoptr(ScanPlan) plan = scan_plan_new(NULL, NULL, &limits, NULL);
    assert_scan(plan, "[[[1,2]]]", "[[[1,2]]]", "[[[1,2]]]");
    assert_refused(plan, "[[[1,2,3]]]", 11, ERROR_LIMIT);
}

static void a_megabyte_of_empty_objects_is_refused(void) {
    g_autoptr(GString) body = g_string_new("[{}");
    while (body->len < 1 << 20)
        g_string_append(body, ",{}");
    g_string_append_c(body, ']');
    g_autoptr(ScanPlan) plan = plan_of(NULL, NULL);
    assert_refused(plan, body->str, body->len, ERROR_LIMIT);
}

static void a_body_a_million_levels_deep_is_refused(void) {
    static const char *const levels[] = {"[", "{\"a\":", "[{\"a\":"};
    g_autoptr(ScanPlan) plan = plan_of(NULL, NULL);
    g_autoptr(ScanPlan) careful = plan_of(".a.b", ".[].a; .a.a.a");
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++) {
        g_autoptr(GString) body = g_string_new(NULL);
        for (int depth = 0; depth < 1000000; depth++)
            g_string_append(body, levels[i]);
        assert_refused(plan, body->str, body->len, ERROR_LIMIT);
        assert_refused(careful, body->str, body->len, ERROR_LIMIT);
    }
}

static void no_plan_can_ask_for_bottomless_recursion(void) {
    ScanLimits limits = {.max_bytes = 1 << 24, .max_nodes = SIZE_MAX, .max_depth = SIZE_MAX};
    g_autoptr(ScanPlan) plan = scan_plan_new(NULL, NULL, &limits, NULL);
    g_autofree char *body = g_strnfill(1000000, '[');
    assert_refused(plan, body, 1000000, ERROR_LIMIT);
}

static void harmful_text_is_mended(void) {
    static const struct {
        const char *body;
        const char *mended;
    } cases[] = {
        {"\"\\ud800\"", "\"" MARK "\""},
        {"\"a\\udfffb\"", "\"a" MARK "b\""},
        {"\"\\ud83d\\u0041\"", "\"" MARK "\\u0041\""},
        {"\"\\ud83d\\ud83d\\ude00\"", "\"" MARK "\\ud83d\\ude00\""},
        {"\"\\uDE00\\uD83D\"", "\"" MARK MARK "\""},
        {"\"x\\u0000y\"", "\"x" MARK "y\""},
        {"\"\xff\"", "\"" MARK "\""},
        {"\"\xc3(\"", "\"" MARK "(\""},
        {"\"\xc0\xaf\"", "\"" MARK MARK "\""},
        {"\"\xed\xa0\x80\"", "\"" MARK MARK MARK "\""},
        {"\"\xf5\x80\x80\x80\"", "\"" MARK MARK MARK MARK "\""},
        {"\"\xf0\x9f\x98\"", "\"" MARK MARK MARK "\""},
        {"{\"\\ud800\":1}", "{\"" MARK "\":1}"},
        {"9007199254740993", "\"9007199254740993\""},
        {"-9007199254740993", "\"-9007199254740993\""},
        {"[123456789012345678901234567890, 1]", "[\"123456789012345678901234567890\", 1]"},
        {"{\"id\":10000000000000000}", "{\"id\":\"10000000000000000\"}"},
        {"\xef\xbb\xbf{\"a\":1}", "{\"a\":1}"},
    };
    g_autoptr(ScanPlan) plan = plan_of(NULL, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_scan(plan, cases[i].body, cases[i].mended, cases[i].mended);
        assert_scan(plan, cases[i].mended, cases[i].mended, cases[i].mended);
    }
}

static void a_nul_byte_is_malformed(void) {
    g_autoptr(ScanPlan) plan = plan_of(NULL, NULL);
    assert_refused(plan, "\"a\0b\"", 5, ERROR_SERVICE_UNAVAILABLE);
    assert_refused(plan, "1\0", 2, ERROR_SERVICE_UNAVAILABLE);
}

static void named_values_are_redacted_everywhere(void) {
    static const struct {
        const char *redact;
        const char *body;
        const char *result;
    } cases[] = {
        {".token", "{\"token\":\"s3cret\",\"a\":1}", "{\"token\":\"[redacted]\",\"a\":1}"},
        {".token", "{\"token\":{\"deep\":[1,\"\\ud800\"]},\"a\":1}",
         "{\"token\":\"[redacted]\",\"a\":1}"},
        {".token", "{\"token\":null}", "{\"token\":null}"},
        {".token", "{\"token\":1,\"token\":2}",
         "{\"token\":\"[redacted]\",\"token\":\"[redacted]\"}"},
        {".token", "{\"t\\u006fken\":\"s3cret\"}", "{\"t\\u006fken\":\"[redacted]\"}"},
        {".token", "{\"a\":{\"token\":1}}", "{\"a\":{\"token\":1}}"},
        {".[].key", "[{\"key\":1},{\"key\":2,\"x\":3},4]",
         "[{\"key\":\"[redacted]\"},{\"key\":\"[redacted]\",\"x\":3},4]"},
        {".keys[].value", "{\"keys\":{\"a\":{\"value\":1}}}",
         "{\"keys\":{\"a\":{\"value\":\"[redacted]\"}}}"},
        {".[].a .x.b", "{\"x\":{\"a\":1,\"b\":2,\"c\":3}}",
         "{\"x\":{\"a\":\"[redacted]\",\"b\":\"[redacted]\",\"c\":3}}"},
        {".", "[\"everything\"]", "\"[redacted]\""},
        {".[\"x-y\"]", "{\"x-y\":true}", "{\"x-y\":\"[redacted]\"}"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(ScanPlan) plan = plan_of(cases[i].redact, NULL);
        assert_scan(plan, cases[i].body, cases[i].result, cases[i].result);
        assert_scan(plan, cases[i].result, cases[i].result, cases[i].result);
    }
}

static void only_what_is_kept_is_projected(void) {
    static const struct {
        const char *keep;
        const char *body;
        const char *kept;
    } cases[] = {
        {".a", "{\"a\":1,\"b\":2}", "{\"a\":1}"},
        {".b", "{\"a\":1, \"b\" : [2, 3] ,\"c\":4}", "{\"b\" : [2, 3]}"},
        {".a; .c", "{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":1,\"c\":3}"},
        {".[].full_name", "[{\"id\":1,\"full_name\":\"o/a\"},{\"full_name\":\"o/b\",\"id\":2},{}]",
         "[{\"full_name\":\"o/a\"},{\"full_name\":\"o/b\"},{}]"},
        {".items[].owner.login; .next",
         "{\"items\":[{\"owner\":{\"login\":\"x\",\"id\":1}}],\"next\":\"c\"}",
         "{\"items\":[{\"owner\":{\"login\":\"x\"}}],\"next\":\"c\"}"},
        {".a.b", "{\"a\":null}", "{\"a\":null}"},
        {".a.b", "{\"a\":\"text\"}", "{\"a\":\"text\"}"},
        {".a.b", "{\"a\":[1,{\"b\":2}]}", "{\"a\":[]}"},
        {".a[]", "{\"a\":{\"x\":1}}", "{\"a\":{\"x\":1}}"},
        {".a[0]", "{\"a\":[1,2]}", "{\"a\":[1,2]}"},
        {".a | type", "{\"a\":{\"b\":[1]},\"c\":1}", "{\"a\":{}}"},
        {".a | type; .a.b.c", "{\"a\":{\"b\":{\"c\":1,\"d\":2},\"e\":3}}",
         "{\"a\":{\"b\":{\"c\":1}}}"},
        {".a | type; .a", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}"},
        {". | type", "[{\"a\":1}]", "[]"},
        {".", "{\"a\":[1, 2]}", "{\"a\":[1, 2]}"},
        {".x", "[1,2]", "[]"},
        {".x", "\"scalar\"", "\"scalar\""},
        {".a", "{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":1,\"a\":3}"},
        {".a", "{\"\\u0061\":1,\"b\":2}", "{\"\\u0061\":1}"},
        {".a", "{\"b\":\"\\ud800\",\"a\":\"\\ud800\"}", "{\"a\":\"" MARK "\"}"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(ScanPlan) plan = plan_of(NULL, cases[i].keep);
        g_autoptr(GString) kept = g_string_new(NULL);
        const char *body = cases[i].body;
        g_assert_true(scan_body(plan, body, strlen(body), NULL, kept, NULL));
        g_assert_cmpstr(kept->str, ==, cases[i].kept);
    }
}

static void an_empty_projection_keeps_the_kind(void) {
    static const char *const nothing[] = {NULL};
    g_autoptr(ScanPlan) plan = scan_plan_new(NULL, nothing, NULL, NULL);
    assert_scan(plan, "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}", "{}");
    assert_scan(plan, "[1,2]", "[1,2]", "[]");
}

static void redaction_wins_over_keeping(void) {
    g_autoptr(ScanPlan) plan = plan_of(".[].token .secret", ".[].token; .[].name");
    assert_scan(plan, "[{\"token\":\"s\",\"name\":\"n\",\"x\":1},{\"x\":\"\xff\"}]",
                "[{\"token\":\"[redacted]\",\"name\":\"n\",\"x\":1},{\"x\":\"" MARK "\"}]",
                "[{\"token\":\"[redacted]\",\"name\":\"n\"},{}]");
}

static void paths_that_cannot_be_read_are_refused(void) {
    static const char *const bad[] = {"token", ".a[1", ".[] | .b", ""};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        const char *const list[] = {".fine", bad[i], NULL};
        g_autoptr(GError) redact_error = NULL, keep_error = NULL;
        g_assert_null(scan_plan_new(list, NULL, NULL, &redact_error));
        g_assert_error(redact_error, ASSAY_ERROR, ERROR_CONFIGURATION);
        g_assert_null(scan_plan_new(NULL, list, NULL, &keep_error));
        g_assert_error(keep_error, ASSAY_ERROR, ERROR_CONFIGURATION);
    }
    const char *const one_item[] = {".keys[0].value", NULL};
    g_autoptr(GError) error = NULL;
    g_assert_null(scan_plan_new(one_item, NULL, NULL, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
}

static void a_string_of_five_megabytes_passes(void) {
    size_t size = 5 << 20;
    g_autofree char *body = g_strnfill(size, 'x');
    body[0] = body[size - 1] = '"';
    g_autoptr(ScanPlan) plan = plan_of(NULL, NULL);
    g_autoptr(GString) recorded = g_string_new(NULL);
    g_assert_true(scan_body(plan, body, size, recorded, NULL, NULL));
    g_assert_true(recorded->len == size && memcmp(recorded->str, body, size) == 0);
}

/* Rows. */

static bool note_row(const char *bytes, size_t size, void *data, GError **error G_GNUC_UNUSED) {
    g_string_append_printf(data, "<%.*s>", (int)size, bytes);
    return true;
}

static void rows_are_handed_out_one_by_one(void) {
    static const struct {
        const char *path;
        const char *body;
        const char *rows;
        const char *rest;
        int64_t count;
    } cases[] = {
        {".", "[{\"a\":1}, 2 ,[3]]", "<{\"a\":1}><2><[3]>", "[]", 3},
        {".", "[]", "", "[]", 0},
        {".items", "{\"next\":\"c\",\"items\":[1,2],\"n\":2}", "<1><2>",
         "{\"next\":\"c\",\"items\":[],\"n\":2}", 2},
        {".data.list", "{\"data\":{\"x\":[9],\"list\":[{}]}}", "<{}>",
         "{\"data\":{\"x\":[9],\"list\":[]}}", 1},
        {".pages[1].rows", "{\"pages\":[{\"rows\":[1]},{\"rows\":[2]}]}", "<2>",
         "{\"pages\":[{\"rows\":[1]},{\"rows\":[]}]}", 1},
        {".items", "{\"\\u0069tems\":[1]}", "<1>", "{\"\\u0069tems\":[]}", 1},
        {".items", "{\"items\":null}", "", "{\"items\":null}", -1},
        {".items", "{\"other\":[1]}", "", "{\"other\":[1]}", -1},
        {".", "{\"a\":1}", "", "{\"a\":1}", -1},
        {".a.b", "{\"a\":[{\"b\":[1]}]}", "", "{\"a\":[{\"b\":[1]}]}", -1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(ValuePath) path = value_path_parse(cases[i].path, NULL);
        g_autoptr(GString) seen = g_string_new(NULL);
        g_autoptr(GString) rest = g_string_new(NULL);
        ScanRows rows = {.path = path, .row = note_row, .data = seen, .rest = rest};
        int64_t count = -7;
        const char *body = cases[i].body;
        g_assert_true(scan_rows(&rows, body, strlen(body), &count, NULL));
        g_assert_cmpstr(seen->str, ==, cases[i].rows);
        g_assert_cmpstr(rest->str, ==, cases[i].rest);
        g_assert_cmpint(count, ==, cases[i].count);
    }
}

static void a_list_named_twice_is_malformed(void) {
    static const char body[] = "{\"items\":[1],\"items\":[2]}";
    g_autoptr(ValuePath) path = value_path_parse(".items", NULL);
    g_autoptr(GString) seen = g_string_new(NULL);
    g_autoptr(GString) rest = g_string_new("kept");
    ScanRows rows = {.path = path, .row = note_row, .data = seen, .rest = rest};
    g_autoptr(GError) error = NULL;
    g_assert_false(scan_rows(&rows, body, strlen(body), NULL, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE);
    g_assert_cmpstr(rest->str, ==, "kept");
}

static bool refuse_second(const char *bytes G_GNUC_UNUSED, size_t size G_GNUC_UNUSED, void *data,
                          GError **error) {
    int *count = data;
    if (++*count < 2)
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_CANCELLED, "enough");
    return false;
}

static void the_caller_can_stop_the_rows(void) {
    g_autoptr(ValuePath) path = value_path_parse(".", NULL);
    int count = 0;
    ScanRows rows = {.path = path, .row = refuse_second, .data = &count};
    g_autoptr(GError) error = NULL;
    g_assert_false(scan_rows(&rows, "[1,2,3]", 7, NULL, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CANCELLED);
    g_assert_cmpint(count, ==, 2);
}

static void cut_rows_are_noticed(void) {
    static const char body[] = "{\"a\":[{\"b\":1},{\"b\":2}],\"c\":3}";
    g_autoptr(ValuePath) path = value_path_parse(".a", NULL);
    g_autoptr(GString) seen = g_string_new(NULL);
    ScanRows rows = {.path = path, .row = note_row, .data = seen};
    for (size_t size = 0; size < sizeof body - 1; size++) {
        g_autofree char *cut = g_memdup2(body, MAX(size, 1));
        g_assert_false(scan_rows(&rows, cut, size, NULL, NULL));
    }
}

/* Properties, on random bodies. */

static void append_random_string(GRand *random, GString *out) {
    static const char *const pieces[] = {
        "a",       "token", "\xc3\xa9", "\\n", "\\u0041", "\\ud800", "\\ud83d\\ude00",
        "\\u0000", "\xff",  " ",        "{",   "]",       "\\\""};
    g_string_append_c(out, '"');
    for (int i = g_rand_int_range(random, 0, 4); i > 0; i--)
        g_string_append(out, pieces[g_rand_int_range(random, 0, G_N_ELEMENTS(pieces))]);
    g_string_append_c(out, '"');
}

static void append_random_value(GRand *random, GString *out, int depth) {
    static const char *const scalars[] = {"null", "true",   "false",
                                          "0",    "-1.5e3", "12345678901234567890"};
    static const char *const names[] = {"\"a\"", "\"b\"", "\"token\"", "\"\\u0061\"", "\"x y\""};
    int kind = g_rand_int_range(random, 0, depth > 0 ? 5 : 2);
    if (kind == 0) {
        g_string_append(out, scalars[g_rand_int_range(random, 0, G_N_ELEMENTS(scalars))]);
        return;
    }
    if (kind == 1) {
        append_random_string(random, out);
        return;
    }
    bool object = kind > 2;
    g_string_append_c(out, object ? '{' : '[');
    int count = g_rand_int_range(random, 0, 4);
    for (int i = 0; i < count; i++) {
        g_string_append(out, i > 0 ? (g_rand_boolean(random) ? "," : " , ") : "");
        if (object)
            g_string_append_printf(out, "%s%s",
                                   names[g_rand_int_range(random, 0, G_N_ELEMENTS(names))],
                                   g_rand_boolean(random) ? ":" : " : ");
        append_random_value(random, out, depth - 1);
    }
    g_string_append_c(out, object ? '}' : ']');
}

static Value parse(const GString *json) {
    Value value = VALUE_NONE;
    GError *error = NULL;
    bool parsed = value_parse(json->str, json->len, &value, &error);
    g_assert_no_error(error);
    g_assert_true(parsed);
    return value;
}

static void scanned_bodies_parse_and_scan_to_themselves(void) {
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    g_autoptr(ScanPlan) plan = plan_of(".token .[].token", NULL);
    for (size_t i = 0; i < 3000; i++) {
        g_autoptr(GString) body = g_string_new(NULL);
        append_random_value(random, body, 4);
        g_autoptr(GString) once = g_string_new(NULL);
        g_autoptr(GString) twice = g_string_new(NULL);
        g_assert_true(scan_body(plan, body->str, body->len, once, NULL, NULL));
        g_assert_true(scan_body(plan, once->str, once->len, twice, NULL, NULL));
        g_assert_cmpstr(once->str, ==, twice->str);
        g_assert_true(text_is_utf8(once->str, once->len));
        g_auto(Value) value = parse(once);
        g_assert_cmpint(value_kind(value), !=, VALUE_KIND_NONE);
    }
}

/* What a keep path selects must be the same in the projection as in the whole body. */
static void projections_answer_paths_as_the_whole_does(void) {
    static const char *const texts[] = {".a",     ".a.b",       ".b.a",
                                        ".token", ".a.b.token", ".[\"x y\"].a"};
    g_autoptr(GRand) random = g_rand_new_with_seed(2);
    for (size_t i = 0; i < 3000; i++) {
        g_autoptr(GString) body = g_string_new(NULL);
        append_random_value(random, body, 5);
        const char *keep[] = {texts[i % G_N_ELEMENTS(texts)], texts[(i + 1) % G_N_ELEMENTS(texts)],
                              NULL};
        g_autoptr(ScanPlan) plan = scan_plan_new(NULL, keep, NULL, NULL);
        g_autoptr(GString) recorded = g_string_new(NULL);
        g_autoptr(GString) kept = g_string_new(NULL);
        g_assert_true(scan_body(plan, body->str, body->len, recorded, kept, NULL));
        g_auto(Value) whole = parse(recorded);
        g_auto(Value) part = parse(kept);
        for (int k = 0; k < 2; k++) {
            g_autoptr(ValuePath) path = value_path_parse(keep[k], NULL);
            g_auto(Value) of_whole = VALUE_NONE, of_part = VALUE_NONE;
            bool found = value_path_get(path, whole, &of_whole);
            g_assert_cmpint(value_path_get(path, part, &of_part), ==, found);
            g_assert_true(!found || value_equal(of_whole, of_part));
        }
    }
}

static void damaged_bodies_never_read_out_of_bounds(void) {
    g_autoptr(GRand) random = g_rand_new_with_seed(3);
    g_autoptr(ScanPlan) plan = plan_of(".token .[].a", ".a.b; .[].token");
    g_autoptr(ValuePath) path = value_path_parse(".a", NULL);
    int good = 0, bad = 0;
    for (int i = 0; i < 5000; i++) {
        g_autoptr(GString) body = g_string_new(NULL);
        append_random_value(random, body, 4);
        g_autofree char *damaged = g_memdup2(body->str, body->len);
        for (int hits = g_rand_int_range(random, 0, 3); hits > 0; hits--)
            damaged[g_rand_int_range(random, 0, (int)body->len)] =
                (char)g_rand_int_range(random, 0, 256);
        g_autoptr(GString) recorded = g_string_new(NULL);
        g_autoptr(GString) kept = g_string_new(NULL);
        bool sound = scan_body(plan, damaged, body->len, recorded, kept, NULL);
        *(sound ? &good : &bad) += 1;
        if (sound) {
            g_auto(Value) value = parse(recorded);
            g_auto(Value) part = parse(kept);
        }
        g_autoptr(GString) seen = g_string_new(NULL);
        ScanRows rows = {.path = path, .row = note_row, .data = seen, .rest = kept};
        bool split = scan_rows(&rows, damaged, body->len, NULL, NULL);
        g_assert_true(split || !sound || strstr(recorded->str, "\"a\"") != NULL ||
                      strstr(recorded->str, "\\u0061") != NULL);
    }
    g_assert_cmpint(good, >, 500);
    g_assert_cmpint(bad, >, 500);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/scan/" #name, name)
    TEST(sound_bodies_pass_byte_for_byte);
    TEST(malformed_bodies_are_broken);
    TEST(every_truncation_is_noticed);
    TEST(messages_name_the_byte_and_never_the_text);
    TEST(bodies_past_the_limits_are_refused);
    TEST(containers_count_for_more_than_scalars);
    TEST(a_megabyte_of_empty_objects_is_refused);
    TEST(a_body_a_million_levels_deep_is_refused);
    TEST(no_plan_can_ask_for_bottomless_recursion);
    TEST(harmful_text_is_mended);
    TEST(a_nul_byte_is_malformed);
    TEST(named_values_are_redacted_everywhere);
    TEST(only_what_is_kept_is_projected);
    TEST(an_empty_projection_keeps_the_kind);
    TEST(redaction_wins_over_keeping);
    TEST(paths_that_cannot_be_read_are_refused);
    TEST(a_string_of_five_megabytes_passes);
    TEST(rows_are_handed_out_one_by_one);
    TEST(a_list_named_twice_is_malformed);
    TEST(the_caller_can_stop_the_rows);
    TEST(cut_rows_are_noticed);
    TEST(scanned_bodies_parse_and_scan_to_themselves);
    TEST(projections_answer_paths_as_the_whole_does);
    TEST(damaged_bodies_never_read_out_of_bounds);
    return g_test_run();
}
