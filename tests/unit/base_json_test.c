#include "base/json.h"

#include "base/error.h"
#include "base/secmem.h"
#include "base/text.h"

#include "unit/freed.h"

#include <math.h>
#include <string.h>

#define LIMIT (1 << 20)
#define MARKER "planted-4be0c7d1"

static Json *parse(const char *text) {
    g_autoptr(GError) error = NULL;
    Json *json = json_parse(text, strlen(text), LIMIT, &error);
    g_assert_no_error(error);
    g_assert_nonnull(json);
    return json;
}

static void assert_prints(const Json *json, JsonPrint flags, const char *expected) {
    g_autofree char *text = json_print(json, flags);
    g_assert_cmpstr(text, ==, expected);
}

static void assert_refused(const char *text, size_t size, size_t max, ErrorCode code) {
    g_autoptr(GError) error = NULL;
    g_autofree char *shown = text_one_line(text, 40);
    g_test_message("%s", shown);
    g_assert_null(json_parse(text, size, max, &error));
    g_assert_error(error, ASSAY_ERROR, (gint)code);
}

static void what_was_parsed_prints_the_same(void) {
    static const char *const cases[] = {
        "null",
        "true",
        "false",
        "0",
        "-1",
        "9223372036854775807",
        "-9223372036854775808",
        "\"\"",
        "\"text\"",
        "[]",
        "{}",
        "[[],{},[1,[2,[3]]]]",
        "{\"b\":1,\"a\":2,\"c\":{\"z\":null,\"y\":true}}",
        "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Json) json = parse(cases[i]);
        assert_prints(json, JSON_COMPACT, cases[i]);
    }
}

static void malformed_text_is_refused_with_its_place(void) {
    static const char *const cases[] = {
        "",
        " ",
        "{",
        "}",
        "[1,]",
        "{\"a\":}",
        "{\"a\"}",
        "{a:1}",
        "{'a':1}",
        "[1 2]",
        "nul",
        "NaN",
        "Infinity",
        "01",
        "1.",
        ".5",
        "+1",
        "0x10",
        "\"\\x\"",
        "\"open",
        "\"a\nb\"",
        "1 2",
        "[] []",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\xff\"",
        "\"\xed\xa0\x80\"",
        "\xef\xbb\xbf{}",
        "// c\n1",
        "\"\\u0000\"",
        "{\"a\\u0000b\":1}",
        "1e999",
        "9223372036854775808",
        "[1}",
        "{]",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_refused(cases[i], strlen(cases[i]), LIMIT, ERROR_CONFIGURATION);
    assert_refused("\"a\0b\"", 5, LIMIT, ERROR_CONFIGURATION);

    g_autoptr(GError) error = NULL;
    g_assert_null(json_parse("{\n  \"a\": ?\n}", 12, LIMIT, &error));
    g_assert_nonnull(strstr(error->message, "line 2, column 8"));
}

static void each_fault_has_its_sentence(void) {
    static const char *const cases[][2] = {
        {"{\"a\":1,\"a\":2}", "given twice"},
        {"[1", "ends too early"},
        {"[1] x", "something follows"},
        {"\"\xff\"", "not UTF-8"},
        {"\"\\u0000\"", "NUL"},
        {"1e999", "too large"},
        {"[x]", "malformed"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(json_parse(cases[i][0], strlen(cases[i][0]), LIMIT, &error));
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, cases[i][1]));
    }
}

static void an_error_never_quotes_the_text(void) {
    static const char *const cases[] = {"{\"" MARKER "\":1,\"" MARKER "\":2}", "[" MARKER "]",
                                        "\"" MARKER, "{\"a\": \"" MARKER "\" x}"};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(json_parse(cases[i], strlen(cases[i]), LIMIT, &error));
        g_assert_null(strstr(error->message, MARKER));
    }
}

static void duplicate_keys_are_refused_at_any_depth(void) {
    static const char deep[] = "[{\"a\":{\"b\":1,\"c\":2,\"b\":1}}]";
    static const char escaped[] = "{\"a\":1,\"\\u0061\":2}";
    assert_refused(deep, strlen(deep), LIMIT, ERROR_CONFIGURATION);
    assert_refused(escaped, strlen(escaped), LIMIT, ERROR_CONFIGURATION);
    g_autoptr(Json) apart = parse("[{\"a\":1},{\"a\":1}]");
    g_assert_cmpuint(json_count(apart), ==, 2);
}

static void text_of_the_allowed_size_passes_and_one_byte_more_does_not(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Json) json = json_parse("[1,2]", 5, 5, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(json_count(json), ==, 2);
    assert_refused("[1,2]", 5, 4, ERROR_LIMIT);
}

static char *nested(size_t depth, const char *open, const char *close) {
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < depth; i++)
        g_string_append(text, open);
    g_string_append(text, "1");
    for (size_t i = 0; i < depth; i++)
        g_string_append(text, close);
    return g_string_free(text, FALSE);
}

static void nesting_is_limited(void) {
    static const char *const brackets[][2] = {{"[", "]"}, {"{\"a\":", "}"}};
    for (unsigned i = 0; i < G_N_ELEMENTS(brackets); i++) {
        g_autofree char *deepest = nested(JSON_MAX_DEPTH, brackets[i][0], brackets[i][1]);
        g_autofree char *deeper = nested(JSON_MAX_DEPTH + 1, brackets[i][0], brackets[i][1]);
        g_autofree char *absurd = nested(100000, brackets[i][0], brackets[i][1]);
        g_autoptr(Json) json = parse(deepest);
        assert_prints(json, JSON_COMPACT, deepest);
        assert_refused(deeper, strlen(deeper), LIMIT, ERROR_LIMIT);
        assert_refused(absurd, strlen(absurd), LIMIT, ERROR_LIMIT);
    }
}

static void brackets_in_strings_do_not_nest(void) {
    g_autofree char *brackets = g_strnfill(JSON_MAX_DEPTH + 10, '[');
    g_autofree char *text = g_strconcat("{\"a\\\\\":\"\\\"", brackets, "\\\\\",\"b\":[]}", NULL);
    g_autoptr(Json) json = parse(text);
    assert_prints(json, JSON_COMPACT, text);
}

static void wide_text_does_not_nest(void) {
    g_autoptr(GString) text = g_string_new("[");
    for (int i = 0; i < 1000; i++)
        g_string_append(text, "{},[],");
    g_string_append(text, "0]");
    g_autoptr(Json) json = parse(text->str);
    g_assert_cmpuint(json_count(json), ==, 2001);
}

static void members_keep_their_order_unless_sorted(void) {
    g_autoptr(Json) object = json_new_object();
    json_put_int(object, "b", 1);
    json_put_int(object, "a", 2);
    json_put_int(object, "ab", 3);
    json_put_int(object, "\xc3\xa4", 4);
    json_put_int(object, "B", 5);
    json_put_int(object, "b", 6);
    assert_prints(object, JSON_COMPACT, "{\"b\":6,\"a\":2,\"ab\":3,\"\xc3\xa4\":4,\"B\":5}");
    assert_prints(object, JSON_SORTED, "{\"B\":5,\"a\":2,\"ab\":3,\"b\":6,\"\xc3\xa4\":4}");
}

static void pretty_print_indents_by_two(void) {
    g_autoptr(Json) json = parse("{\"b\":[1,{\"c\":[]}],\"a\":{}}");
    assert_prints(json, JSON_PRETTY,
                  "{\n  \"b\": [\n    1,\n    {\n      \"c\": []\n    }\n  ],\n  \"a\": {}\n}");
    assert_prints(json, JSON_PRETTY | JSON_SORTED,
                  "{\n  \"a\": {},\n  \"b\": [\n    1,\n    {\n      \"c\": []\n    }\n  ]\n}");
}

static void reals_print_with_the_fewest_digits_that_read_back(void) {
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0.1, "0.1"},
                 {83.3, "83.3"},
                 {1.0, "1.0"},
                 {-0.0, "-0.0"},
                 {1e300, "1e+300"},
                 {1.0 / 3, "0.3333333333333333"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {123456789012345680.0, "1.2345678901234568e+17"},
                 {5e-324, "4.94065645841247e-324"}};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Json) json = json_new_real(cases[i].value);
        assert_prints(json, JSON_COMPACT, cases[i].text);
        g_autoptr(Json) back = parse(cases[i].text);
        g_assert_cmpint(json_kind(back), ==, JSON_KIND_REAL);
        g_assert_cmpfloat(json_number_or(back, 7), ==, cases[i].value);
    }
}

static void what_is_no_number_becomes_null(void) {
    g_autoptr(Json) nan = json_new_real((double)NAN);
    g_autoptr(Json) infinite = json_new_real((double)INFINITY);
    g_assert_cmpint(json_kind(nan), ==, JSON_KIND_NULL);
    g_assert_cmpint(json_kind(infinite), ==, JSON_KIND_NULL);
}

static void bad_utf8_becomes_the_replacement_character(void) {
    g_autoptr(Json) text = json_new_string("a\xff"
                                           "b");
    g_assert_cmpstr(json_text(text), ==,
                    "a\xef\xbf\xbd"
                    "b");
    g_autoptr(Json) object = json_new_object();
    json_put_int(object, "k\xff", 1);
    assert_prints(object, JSON_COMPACT, "{\"k\xef\xbf\xbd\":1}");
}

static void each_putter_makes_its_kind(void) {
    g_autoptr(Json) object = json_new_object();
    json_put_string(object, "text", "t");
    json_put_string(object, "none", NULL);
    json_put(object, "nothing", NULL);
    json_put_int(object, "int", INT64_MIN);
    json_put_real(object, "real", 0.5);
    json_put_bool(object, "yes", true);
    json_put_bool(object, "no", false);
    json_put_time(object, "at", INT64_C(1795159888123));
    json_put_time(object, "never", 0);
    json_put(object, "inner", json_new_array());
    assert_prints(object, JSON_COMPACT,
                  "{\"text\":\"t\",\"none\":null,\"nothing\":null,\"int\":-9223372036854775808,"
                  "\"real\":0.5,\"yes\":true,\"no\":false,\"at\":\"2026-11-20T07:31:28.123Z\","
                  "\"never\":null,\"inner\":[]}");
    json_remove(object, "text");
    json_remove(object, "absent");
    g_assert_cmpuint(json_count(object), ==, 9);
}

static void arrays_grow_at_their_end(void) {
    g_autoptr(Json) array = json_new_array();
    json_add(array, json_new_int(1));
    json_add_string(array, "two");
    json_add_string(array, NULL);
    json_add(array, NULL);
    json_add(array, json_new_bool(true));
    json_add(array, json_new_null());
    assert_prints(array, JSON_COMPACT, "[1,\"two\",null,null,true,null]");
    g_assert_cmpstr(json_text(json_item(array, 1)), ==, "two");
    g_assert_null(json_item(array, 6));
}

static void kinds_are_told_apart(void) {
    static const struct {
        const char *text;
        JsonKind kind;
        size_t count;
    } cases[] = {{"null", JSON_KIND_NULL, 0},   {"true", JSON_KIND_BOOL, 0},
                 {"false", JSON_KIND_BOOL, 0},  {"1", JSON_KIND_INT, 0},
                 {"1.0", JSON_KIND_REAL, 0},    {"\"abc\"", JSON_KIND_STRING, 0},
                 {"[1,2]", JSON_KIND_ARRAY, 2}, {"{\"a\":1}", JSON_KIND_OBJECT, 1}};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Json) json = parse(cases[i].text);
        g_assert_cmpint(json_kind(json), ==, cases[i].kind);
        g_assert_cmpuint(json_count(json), ==, cases[i].count);
    }
    g_assert_cmpint(json_kind(NULL), ==, JSON_KIND_NULL);
    g_assert_cmpuint(json_count(NULL), ==, 0);
}

static void members_are_found_by_path(void) {
    g_autoptr(Json) json = parse("{\"data\":{\"organization\":{\"id\":\"o1\"},\"\":5},\"a.b\":1}");
    g_assert_cmpstr(json_text(json_path(json, "data.organization.id")), ==, "o1");
    g_assert_cmpint(json_integer_or(json_path(json, "data."), 0), ==, 5);
    g_assert_null(json_path(json, "data.organization.id.more"));
    g_assert_null(json_path(json, "data.person.id"));
    g_assert_null(json_path(json, "a.b"));
    g_assert_null(json_path(json, ""));
    g_assert_null(json_path(NULL, "data"));
}

static void values_of_another_kind_give_the_fallback(void) {
    g_autoptr(Json) json = parse("{\"t\":\"x\",\"i\":3,\"r\":1.5,\"b\":true,\"n\":null}");
    g_assert_cmpstr(json_member_string(json, "t", "f"), ==, "x");
    g_assert_cmpstr(json_member_string(json, "i", "f"), ==, "f");
    g_assert_cmpstr(json_member_string(json, "n", "f"), ==, "f");
    g_assert_cmpstr(json_member_string(NULL, "t", "f"), ==, "f");
    g_assert_cmpint(json_member_int(json, "i", 9), ==, 3);
    g_assert_cmpint(json_member_int(json, "r", 9), ==, 9);
    g_assert_cmpint(json_member_int(json, "t", 9), ==, 9);
    g_assert_cmpfloat(json_member_real(json, "r", 9), ==, 1.5);
    g_assert_cmpfloat(json_member_real(json, "i", 9), ==, 3);
    g_assert_cmpfloat(json_member_real(json, "b", 9), ==, 9);
    g_assert_true(json_member_bool(json, "b", false));
    g_assert_true(json_member_bool(json, "i", true));
    g_assert_false(json_member_bool(json, "absent", false));
    g_assert_null(json_text(json_member(json, "i")));
    g_assert_null(json_member(json_member(json, "t"), "x"));
    g_assert_null(json_item(json, 0));
    g_assert_false(json_truth(json_member(json, "i")));
    g_assert_false(json_truth(NULL));
}

static void iteration_meets_every_member_once(void) {
    g_autoptr(Json) json = parse("{\"c\":1,\"a\":2,\"b\":3}");
    g_autoptr(GString) seen = g_string_new(NULL);
    void *iterator = NULL;
    const char *key;
    Json *value;
    while (json_next(json, &iterator, &key, &value))
        g_string_append_printf(seen, "%s%d", key, (int)json_integer_or(value, 0));
    g_assert_cmpstr(seen->str, ==, "c1a2b3");

    g_autoptr(Json) empty = json_new_object();
    g_autoptr(Json) array = parse("[1]");
    iterator = NULL;
    g_assert_false(json_next(empty, &iterator, &key, &value));
    g_assert_false(json_next(array, &iterator, &key, &value));
    g_assert_false(json_next(NULL, &iterator, &key, &value));
}

static void a_deep_copy_is_independent(void) {
    g_autoptr(Json) json = parse("{\"a\":{\"b\":1}}");
    g_autoptr(Json) copy = json_copy_deep(json);
    json_put_int(json_member(json, "a"), "b", 2);
    assert_prints(copy, JSON_COMPACT, "{\"a\":{\"b\":1}}");
    assert_prints(json, JSON_COMPACT, "{\"a\":{\"b\":2}}");
}

static void a_reference_keeps_a_value_alive(void) {
    Json *json = parse("[1,2,3]");
    g_autoptr(Json) kept = json_ref(json_item(json, 1));
    json_free(json);
    g_assert_cmpint(json_integer_or(kept, 0), ==, 2);
    json_free(NULL);
}

static void assert_quoted(const char *text, size_t length, const char *expected) {
    g_autoptr(GString) out = g_string_new("x");
    json_append_quoted(out, text, length);
    g_assert_cmpstr(out->str, ==, expected);
    g_assert_cmpuint(out->len, ==, strlen(expected));
}

/* Bytes are looked at eight at a time, and each counts at each place. */
static void quoting_sees_every_byte_wherever_it_stands(void) {
    for (int byte = 0; byte < 0x80; byte++) {
        char alone[] = {(char)byte};
        g_autoptr(GString) quoted = g_string_new(NULL);
        json_append_quoted(quoted, alone, 1);
        for (int at = 0; at < 20; at++) {
            char text[] = "abcdefghijklmnopqrst";
            text[at] = (char)byte;
            g_autofree char *expected = g_strdup_printf(
                "x\"%.*s%.*s%s\"", at, text, (int)quoted->len - 2, quoted->str + 1, text + at + 1);
            assert_quoted(text, sizeof text - 1, expected);
        }
    }
}

static void quoting_escapes_what_json_requires(void) {
    assert_quoted("", 0, "x\"\"");
    assert_quoted("plain", 5, "x\"plain\"");
    assert_quoted("\"\\/", 3, "x\"\\\"\\\\/\"");
    assert_quoted("\b\t\n\f\r\x01\x1f\x7f", 8, "x\"\\b\\t\\n\\f\\r\\u0001\\u001f\\u007f\"");
    assert_quoted("a\0b", 3, "x\"a\\u0000b\"");
    assert_quoted("\xc3\xa4", 2, "x\"\xc3\xa4\"");
    assert_quoted("\xc3", 1, "x\"\xef\xbf\xbd\"");
    assert_quoted("a\xff\xfe\"", 4, "x\"a\xef\xbf\xbd\xef\xbf\xbd\\\"\"");
}

static void quoted_bytes_always_parse(void) {
    for (int i = 0; i < 2000; i++) {
        uint8_t bytes[40];
        secmem_random(bytes, sizeof bytes);
        g_autoptr(GString) out = g_string_new(NULL);
        for (size_t j = 0; j < sizeof bytes; j++)
            bytes[j] = bytes[j] == 0 ? 1 : bytes[j];
        json_append_quoted(out, (const char *)bytes, sizeof bytes);
        g_autoptr(Json) json = parse(out->str);
        assert_prints(json, JSON_COMPACT, out->str);
    }
}

static void the_watch_sees_what_is_not_wiped(void) {
    freed_watch(MARKER);
    g_free(g_strdup("x " MARKER " y"));
    g_assert_cmpuint(freed_count(), ==, 1);
    freed_watch(NULL);
}

static void parsed_and_printed_secrets_are_wiped(void) {
    static const char text[] =
        "{\"access_token\":\"" MARKER "\",\"" MARKER "\":[\"\\u0041" MARKER "\"]}";
    freed_watch(MARKER);
    Json *json = parse(text);
    Json *copy = json_copy_deep(json);
    json_put_string(json, "again", MARKER "\xff");
    json_remove(json, "access_token");
    for (int i = 0; i < 100; i++)
        json_put_int(json, "filler that makes the print grow", i);
    char *printed = json_print(copy, JSON_SORTED);
    g_autoptr(GString) many = g_string_new(NULL);
    for (int i = 0; i < 100; i++)
        json_append_quoted(many, MARKER, strlen(MARKER));
    g_assert_nonnull(strstr(printed, MARKER));
    secmem_free_text(printed);
    secmem_wipe(many->str, many->len);
    json_free(json);
    json_free(copy);
    g_assert_cmpuint(freed_count(), ==, 0);
    freed_watch(NULL);
}

static void a_refused_secret_is_wiped(void) {
    static const char text[] = "{\"access_token\":\"" MARKER "\",\"b\":\"" MARKER "\" oops";
    freed_watch(MARKER);
    g_autoptr(GError) error = NULL;
    g_assert_null(json_parse(text, strlen(text), LIMIT, &error));
    g_assert_cmpuint(freed_count(), ==, 0);
    freed_watch(NULL);
}

#define TEST(name) g_test_add_func("/base/json/" #name, name)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    TEST(what_was_parsed_prints_the_same);
    TEST(malformed_text_is_refused_with_its_place);
    TEST(each_fault_has_its_sentence);
    TEST(an_error_never_quotes_the_text);
    TEST(duplicate_keys_are_refused_at_any_depth);
    TEST(text_of_the_allowed_size_passes_and_one_byte_more_does_not);
    TEST(nesting_is_limited);
    TEST(brackets_in_strings_do_not_nest);
    TEST(wide_text_does_not_nest);
    TEST(members_keep_their_order_unless_sorted);
    TEST(pretty_print_indents_by_two);
    TEST(reals_print_with_the_fewest_digits_that_read_back);
    TEST(what_is_no_number_becomes_null);
    TEST(bad_utf8_becomes_the_replacement_character);
    TEST(each_putter_makes_its_kind);
    TEST(arrays_grow_at_their_end);
    TEST(kinds_are_told_apart);
    TEST(members_are_found_by_path);
    TEST(values_of_another_kind_give_the_fallback);
    TEST(iteration_meets_every_member_once);
    TEST(a_deep_copy_is_independent);
    TEST(a_reference_keeps_a_value_alive);
    TEST(quoting_escapes_what_json_requires);
    TEST(quoting_sees_every_byte_wherever_it_stands);
    TEST(quoted_bytes_always_parse);
    TEST(the_watch_sees_what_is_not_wiped);
    TEST(parsed_and_printed_secrets_are_wiped);
    TEST(a_refused_secret_is_wiped);
    return g_test_run();
}
