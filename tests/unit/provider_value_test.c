/* Values: ownership, paths, numbers and the canonical printing that hashes rest on. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "provider/value.h"
#include "unit/provider_support.h"

static void assert_json(Value value, const char *expected) {
    g_autofree char *json = value_to_json(value);
    g_assert_cmpstr(json, ==, expected);
}

static void parse_tells_every_kind(void) {
    static const struct {
        const char *json;
        ValueKind kind;
        const char *name;
    } cases[] = {
        {"null", VALUE_KIND_NULL, "null"},
        {"true", VALUE_KIND_BOOL, "a boolean"},
        {"false", VALUE_KIND_BOOL, "a boolean"},
        {"1.5", VALUE_KIND_NUMBER, "a number"},
        {"\"x\"", VALUE_KIND_STRING, "a string"},
        {"[1]", VALUE_KIND_ARRAY, "an array"},
        {"{\"a\":1}", VALUE_KIND_OBJECT, "an object"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Value) value = support_value(cases[i].json);
        g_assert_cmpint(value_kind(value), ==, cases[i].kind);
        g_assert_cmpstr(value_kind_name(value_kind(value)), ==, cases[i].name);
        assert_json(value, cases[i].json);
    }
    g_assert_cmpint(value_kind(VALUE_NONE), ==, VALUE_KIND_NONE);
    g_assert_true(value_is_null(VALUE_NONE));
}

static void malformed_text_is_unavailable_and_never_quoted(void) {
    static const char *const cases[] = {
        "",
        "{",
        "[1,",
        "secret-token",
        "1 2",
        "{\"a\":}",
        "\"\x01\"",
        " ",
        "[",
        "[1",
        "[1 2]",
        "[,]",
        "[1,]",
        "{\"a\"}",
        "{\"a\" 1}",
        "{\"a\":1,}",
        "{1:2}",
        "{\"a\":1",
        "}",
        "]",
        "\"a",
        "\"\\",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\n\x02\"",
        "\"\\ud83d\\u1\"",
        "tru",
        "nul",
        "fals",
        "01",
        "-",
        "+1",
        "1.",
        ".5",
        "1e",
        "1e+",
        "--1",
        "NaN",
        "nan",
        "1x",
        "[1}",
        "{\"a\":1]",
        "'a'",
        "\"a\\\"",
        "[\"a\\n",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Value value = VALUE_NONE;
        g_autoptr(GError) error = NULL;
        g_assert_false(value_parse(cases[i], strlen(cases[i]), &value, &error));
        g_assert_error(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE);
        g_assert_null(strstr(error->message, "secret"));
        g_assert_cmpint(value_kind(value), ==, VALUE_KIND_NONE);
    }
}

static void strings_are_unescaped(void) {
    g_auto(Value) value = support_value(
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20ac\\ud83d\\ude00|\\ud800|\\udc00\\ud83d\\u0041\"");
    g_assert_cmpstr(
        value_text(value), ==,
        "\"\\/\b\f\n\r\t\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80|\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd"
        "A");
    g_auto(Value) key = support_value("{\"a\\u0062\":\"plain\"}");
    assert_json(key, "{\"ab\":\"plain\"}");
}

static void nesting_is_bounded(void) {
    g_autoptr(GString) text = g_string_new(NULL);
    for (int i = 0; i < 512; i++)
        g_string_append(text, "[");
    for (int i = 0; i < 512; i++)
        g_string_append(text, "]");
    g_auto(Value) value = support_value(text->str);
    g_assert_cmpuint(value_count(value), ==, 1);
    g_string_prepend(text, "[");
    g_string_append(text, "]");
    g_auto(Value) deeper = VALUE_NONE;
    g_assert_false(value_parse(text->str, text->len, &deeper, NULL));
    g_autofree char *endless = g_strnfill(1000000, '[');
    g_assert_false(value_parse(endless, 1000000, &deeper, NULL));
}

static void a_cut_text_is_never_read_beyond(void) {
    static const char text[] =
        "{\"a\":[1.5e3,true,null,\"x\\u00e9\\ud83d\\ude00\"],\"b\\n\":{\"c\":-2}}";
    for (size_t size = 0; size < sizeof text - 1; size++) {
        g_autofree char *cut = g_memdup2(text, MAX(size, 1));
        g_auto(Value) value = VALUE_NONE;
        g_assert_false(value_parse(cut, size, &value, NULL));
    }
}

static void members_and_items_are_owned_and_absent_ones_are_no_value(void) {
    g_auto(Value) value = support_value("{\"a\":[1,\"two\"],\"n\":null}");
    g_auto(Value) list = value_get(value, "a");
    g_auto(Value) absent = value_get(value, "b");
    g_auto(Value) null = value_get(value, "n");
    g_auto(Value) second = value_at(list, 1);
    g_auto(Value) third = value_at(list, 2);
    g_auto(Value) far = value_at(list, SIZE_MAX);
    g_auto(Value) wrong_parent = value_get(list, "a");
    g_auto(Value) wrong_list = value_at(value, 0);
    g_assert_cmpint(value_kind(absent), ==, VALUE_KIND_NONE);
    g_assert_cmpint(value_kind(null), ==, VALUE_KIND_NULL);
    g_assert_cmpstr(value_text(second), ==, "two");
    g_assert_cmpuint(value_length(second), ==, 3);
    g_assert_cmpint(value_kind(third), ==, VALUE_KIND_NONE);
    g_assert_cmpint(value_kind(far), ==, VALUE_KIND_NONE);
    g_assert_cmpint(value_kind(wrong_parent), ==, VALUE_KIND_NONE);
    g_assert_cmpint(value_kind(wrong_list), ==, VALUE_KIND_NONE);
    g_assert_cmpuint(value_count(value), ==, 2);
    g_assert_cmpuint(value_count(list), ==, 2);
    g_assert_cmpuint(value_count(second), ==, 0);
    g_assert_true(value_has(value, "n"));
    g_assert_false(value_has(value, "b"));
    g_assert_false(value_has(list, "a"));
}

static void a_child_outlives_its_parent(void) {
    Value parent = support_value("{\"deep\":{\"text\":\"still here\"}}");
    g_auto(Value) child = value_get(parent, "deep");
    value_clear(&parent);
    g_assert_cmpint(value_kind(parent), ==, VALUE_KIND_NONE);
    value_clear(&parent);
    assert_json(child, "{\"text\":\"still here\"}");
}

static void changing_a_shared_object_leaves_the_other_alone(void) {
    g_auto(Value) one = support_value("{\"a\":1}");
    g_auto(Value) other = value_copy(one);
    value_put(&other, "b", value_new_bool(true));
    value_put(&other, "none", VALUE_NONE);
    assert_json(one, "{\"a\":1}");
    assert_json(other, "{\"a\":1,\"b\":true,\"none\":null}");
    value_remove(&other, "a");
    value_remove(&other, "never was");
    assert_json(other, "{\"b\":true,\"none\":null}");
    g_auto(Value) list = value_new_array();
    g_auto(Value) same = value_copy(list);
    value_push(&list, value_new_string("x"));
    value_push(&list, value_new_string(NULL));
    assert_json(list, "[\"x\",null]");
    assert_json(same, "[]");
}

static void take_leaves_nothing_behind(void) {
    Value value = support_value("[1]");
    g_auto(Value) taken = value_take(&value);
    g_assert_cmpint(value_kind(value), ==, VALUE_KIND_NONE);
    assert_json(taken, "[1]");
}

static void numbers_print_whole_shortest_and_canonical(void) {
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "0"},
        {1, "1"},
        {-17, "-17"},
        {1e15, "1000000000000000"},
        {9007199254740992.0, "9007199254740992"},
        {99999999999999984.0, "99999999999999984"},
        {1e17, "1e+17"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {1e300, "1e+300"},
        {5e-324, "4.94065645841247e-324"},
        {(double)NAN, "null"},
        {(double)INFINITY, "1.7976931348623157e+308"},
        {-(double)INFINITY, "-1.7976931348623157e+308"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Value) value = value_new_number(cases[i].number);
        assert_json(value, cases[i].text);
    }
}

static void random_numbers_read_back_the_same(void) {
    g_autoptr(GRand) random = g_rand_new_with_seed(20261120);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = (uint64_t)g_rand_int(random) << 32 | g_rand_int(random);
        double number;
        memcpy(&number, &bits, sizeof number);
        if (!isfinite(number))
            continue;
        g_auto(Value) value = value_new_number(number);
        g_autofree char *json = value_to_json(value);
        g_assert_true(g_ascii_strtod(json, NULL) == number);
    }
}

static void integers_are_whole_and_exact(void) {
    static const struct {
        const char *json;
        bool whole;
        int64_t integer;
    } cases[] = {
        {"12", true, 12},     {"-3", true, -3},
        {"1.5", false, 0},    {"9007199254740992", true, INT64_C(9007199254740992)},
        {"1e300", false, 0},  {"2e3", true, 2000},
        {"\"12\"", false, 0}, {"null", false, 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Value) value = support_value(cases[i].json);
        int64_t integer = 0;
        g_assert_cmpint(value_integer(value, &integer), ==, cases[i].whole);
        g_assert_cmpint(integer, ==, cases[i].integer);
    }
    g_auto(Value) nan = value_new_number((double)NAN);
    int64_t integer = 7;
    g_assert_false(value_integer(nan, &integer));
    g_assert_cmpint(integer, ==, 7);
}

static void only_true_is_true(void) {
    static const char *const others[] = {"false", "null", "1", "\"true\"", "[true]"};
    g_auto(Value) truth = support_value("true");
    g_assert_true(value_truth(truth));
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        g_auto(Value) value = support_value(others[i]);
        g_assert_false(value_truth(value));
    }
}

static void keys_print_sorted_by_bytes_whatever_the_order(void) {
    g_auto(Value) one =
        support_value("{\"b\":1,\"a\":{\"z\":1,\"y\":2},\"B\":3,\"\\u00e9\":4,\"ab\":5}");
    g_auto(Value) other =
        support_value("{\"\\u00e9\":4,\"ab\":5,\"B\":3,\"a\":{\"y\":2,\"z\":1},\"b\":1}");
    assert_json(one, "{\"B\":3,\"a\":{\"y\":2,\"z\":1},\"ab\":5,\"b\":1,\"\xc3\xa9\":4}");
    g_autofree char *json = value_to_json(other);
    assert_json(one, json);
    g_assert_true(value_equal(one, other));
}

static void large_objects_print_sorted_too(void) {
    g_auto(Value) object = value_new_object();
    for (int i = 499; i >= 0; i--) {
        g_autofree char *key = g_strdup_printf("key%03d", i);
        value_put(&object, key, value_new_number(i));
    }
    g_autofree char *json = value_to_json(object);
    g_assert_true(g_str_has_prefix(json, "{\"key000\":0,\"key001\":1,"));
    g_assert_true(g_str_has_suffix(json, "\"key498\":498,\"key499\":499}"));
}

static void strings_are_escaped_and_valid(void) {
    g_auto(Value) value = value_new_text("q\"b\\n\nt\tr\r\x01\x1f\x7f\0\xc3\xa9\xff", 17);
    assert_json(value, "\"q\\\"b\\\\n\\nt\\tr\\r\\u0001\\u001f\x7f\\u0000\xc3\xa9\xef\xbf\xbd\"");
}

static void too_deep_values_are_printed_as_null(void) {
    Value value = value_new_number(1);
    for (int i = 0; i < VALUE_MAX_DEPTH + 10; i++) {
        Value outer = value_new_array();
        value_push(&outer, value);
        value = outer;
    }
    g_autofree char *json = value_to_json(value);
    g_assert_nonnull(strstr(json, "[null]"));
    value_clear(&value);
}

static void the_last_of_repeated_keys_counts(void) {
    g_auto(Value) value = support_value("{\"a\":1,\"b\":2,\"a\":3}");
    assert_json(value, "{\"a\":3,\"b\":2}");
}

static bool note_member(const char *key, Value value, void *data) {
    GString *seen = data;
    g_string_append_printf(seen, "%s=%g;", key, value_number(value, -1));
    return strcmp(key, "c") != 0;
}

static void a_member_is_set_by_a_name_that_is_a_value(void) {
    g_auto(Value) key = value_new_string("a");
    g_auto(Value) object = value_new_object();
    value_set(&object, key, value_new_number(1));
    g_auto(Value) kept = value_copy(object);
    value_set(&object, key, VALUE_NONE);
    assert_json(object, "{\"a\":null}");
    assert_json(kept, "{\"a\":1}");
    assert_json(key, "\"a\"");
}

static void members_are_walked_in_order_until_told_to_stop(void) {
    g_auto(Value) object = support_value("{\"d\":4,\"b\":2,\"c\":3,\"a\":1}");
    g_auto(Value) list = support_value("[1]");
    g_autoptr(GString) seen = g_string_new(NULL);
    value_each_member(object, note_member, seen);
    value_each_member(list, note_member, seen);
    g_assert_cmpstr(seen->str, ==, "a=1;b=2;c=3;");
}

static void values_compare_as_jq_orders_them(void) {
    static const char *const ascending[] = {"null",  "false", "true", "-1",  "2",
                                            "\"a\"", "\"b\"", "[]",   "[1]", "{}"};
    for (size_t i = 0; i + 1 < G_N_ELEMENTS(ascending); i++) {
        g_auto(Value) low = support_value(ascending[i]);
        g_auto(Value) high = support_value(ascending[i + 1]);
        g_assert_cmpint(value_compare(low, high), <, 0);
        g_assert_cmpint(value_compare(high, low), >, 0);
        g_assert_cmpint(value_compare(low, low), ==, 0);
        g_assert_false(value_equal(low, high));
    }
}

static void paths_follow_members_and_items(void) {
    static const struct {
        const char *path;
        const char *result; /* NULL: fails */
    } cases[] = {
        {".", "{\"a\":{\"b\":[{\"c\":\"deep\"},2]},\"x y\":7,\"n\":null}"},
        {" .a.b[0].c ", "\"deep\""},
        {".a.b[1]", "2"},
        {".a.b[-1]", "2"},
        {".a.b[-3]", "null"},
        {".a.b[9]", "null"},
        {".[\"x y\"]", "7"},
        {".\"x y\"", "7"},
        {".[\"a\"][\"b\"][0].c", "\"deep\""},
        {".missing", "null"},
        {".missing.more[3].still", "null"},
        {".n.below", "null"},
        {".a.b.c", NULL},
        {".a[0]", NULL},
        {".a.b[0].c.d", NULL},
    };
    g_auto(Value) root = support_value("{\"a\":{\"b\":[{\"c\":\"deep\"},2]},\"x y\":7,\"n\":null}");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(ValuePath) path = value_path_parse(cases[i].path, NULL);
        g_assert_nonnull(path);
        g_auto(Value) found = VALUE_NONE;
        g_assert_cmpint(value_path_get(path, root, &found), ==, cases[i].result != NULL);
        g_auto(Value) or_null = value_path_find(path, root);
        if (i > 0)
            assert_json(or_null, cases[i].result != NULL ? cases[i].result : "null");
    }
    g_autoptr(ValuePath) path = value_path_parse(".a", NULL);
    g_auto(Value) of_nothing = value_path_find(path, VALUE_NONE);
    g_assert_cmpint(value_kind(of_nothing), ==, VALUE_KIND_NULL);
}

static void what_is_no_plain_path_is_refused(void) {
    static const char *const cases[] = {
        "",
        "a",
        ".a.",
        "..",
        ".a | .b",
        ".a?",
        ".[]",
        ".a[]",
        ".a[1:2]",
        ".a[",
        ".a]",
        ".[\"a]",
        ".[a]",
        ".a.[0]",
        ".1",
        ".[1.5]",
        ".[99999999999]",
        ".a-b",
        ".[\"a\\\"b\"]",
        ".\"\\(.x)\"",
        ". a",
        ".a .b",
        "$a",
        ".[--1]",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(ValuePath) path = value_path_parse(cases[i], &error);
        g_assert_null(path);
        g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    }
    g_autoptr(GString) endless = g_string_new(NULL);
    for (int i = 0; i < 65; i++)
        g_string_append(endless, ".a");
    g_autoptr(ValuePath) path = value_path_parse(endless->str, NULL);
    g_assert_null(path);
}

static void a_path_tells_its_steps(void) {
    g_autoptr(ValuePath) path = value_path_parse(" .a[\"b c\"][-2]", NULL);
    int64_t index = 0;
    g_assert_cmpstr(value_path_text(path), ==, ".a[\"b c\"][-2]");
    g_assert_cmpuint(value_path_count(path), ==, 3);
    g_assert_cmpstr(value_path_step(path, 0, NULL), ==, "a");
    g_assert_cmpstr(value_path_step(path, 1, &index), ==, "b c");
    g_assert_cmpint(index, ==, 0);
    g_assert_null(value_path_step(path, 2, &index));
    g_assert_cmpint(index, ==, -2);
}

/* The same text cut off behind each byte, and at its end nothing behind it. */
static void text_with_nothing_behind_it_is_read(void) {
    static const char *const texts[] = {
        "1",   "-12.5e3", "\"abcdefg\"", "\"abcdefgh\"",         "{}",
        "[ ]", "true",    "\"\"",        "[\"abcdefghijklmno\"]"};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        size_t size = strlen(texts[i]);
        g_autofree char *exact = g_memdup2(texts[i], size);
        g_auto(Value) value = VALUE_NONE;
        g_assert_true(value_parse(exact, size, &value, NULL));
    }
}

static void text_that_is_no_utf8_is_mended(void) {
    static const struct {
        const char *text;
        const char *mended;
    } cases[] = {
        {"\xff", "\xef\xbf\xbd"},
        {"a\xc0\x80z", "a\xef\xbf\xbd\xef\xbf\xbdz"},
        {"\xe2(\xa1", "\xef\xbf\xbd(\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd"},
        {"\xf4\x90\x80\x80x", "\xef\xbf\xbdx"},
        {"\xf0\x9f\x98", "\xef\xbf\xbd"},
        {"\xf0\x9fzz", "\xef\xbf\xbdzz"},
        {"good \xf0\x9f\x98\x80", "good \xf0\x9f\x98\x80"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Value) made = value_new_string(cases[i].text);
        g_assert_cmpstr(value_text(made), ==, cases[i].mended);
        g_autofree char *json = g_strdup_printf("{\"%s\":\"%s\\n\"}", cases[i].text, cases[i].text);
        g_autofree char *expected =
            g_strdup_printf("{\"%s\":\"%s\\n\"}", cases[i].mended, cases[i].mended);
        g_auto(Value) parsed = support_value(json);
        assert_json(parsed, expected);
    }
    g_auto(Value) value = VALUE_NONE;
    g_assert_false(value_parse("[\xff]", 3, &value, NULL));
    g_assert_false(value_parse("[\"\xff\"", 4, &value, NULL));
}

static void texts_hold_nuls_and_are_read_in_place(void) {
    g_auto(Value) list =
        support_value("[\"a\\u0000b\",\"\",\"plain\",\"\\u0041\\u00e9\\ud83d\\ude00z\"]");
    Value nul = value_item(list, 0), empty = value_item(list, 1), mixed = value_item(list, 3);
    g_assert_cmpuint(value_length(nul), ==, 3);
    g_assert_cmpint(memcmp(value_text(nul), "a\0b", 4), ==, 0);
    g_assert_cmpuint(value_length(empty), ==, 0);
    g_assert_cmpstr(value_text(empty), ==, "");
    g_assert_cmpstr(value_text(value_item(list, 2)), ==, "plain");
    g_assert_cmpstr(value_text(mixed), ==, "A\xc3\xa9\xf0\x9f\x98\x80z");
    assert_json(list, "[\"a\\u0000b\",\"\",\"plain\",\"A\xc3\xa9\xf0\x9f\x98\x80z\"]");
}

/* Every length around the words that texts are read by, with and without an escape at each place.
 */
static void escapes_are_found_wherever_they_stand(void) {
    for (size_t length = 0; length < 40; length++) {
        for (size_t at = 0; at <= length; at++) {
            g_autoptr(GString) json = g_string_new("\"");
            for (size_t i = 0; i < length; i++)
                g_string_append(json, i == at ? "\\n" : "x");
            g_string_append_c(json, '"');
            g_auto(Value) value = support_value(json->str);
            g_assert_cmpuint(value_length(value), ==, length);
            g_assert_cmpuint(strcspn(value_text(value), "\n"), ==, MIN(at, length));
            assert_json(value, json->str);
        }
    }
}

static void parts_live_on_when_the_body_is_gone(void) {
    Value body =
        support_value("{\"rows\":[{\"id\":1,\"tags\":[\"a\",\"b\"]},{\"id\":2}],\"name\":\"n\"}");
    Value rows = value_get(body, "rows"), name = value_get(body, "name");
    value_clear(&body);
    Value row = value_at(rows, 0);
    value_clear(&rows);
    g_auto(Value) tags = value_get(row, "tags");
    value_clear(&row);
    g_assert_cmpstr(value_text(name), ==, "n");
    value_clear(&name);
    assert_json(tags, "[\"a\",\"b\"]");
}

static void changing_a_part_of_a_body_leaves_the_body_alone(void) {
    g_auto(Value) body = support_value("{\"a\":{\"b\":[1,2]},\"c\":\"text\"}");
    g_auto(Value) inner = value_get(body, "a");
    value_put(&inner, "new", value_get(body, "c"));
    g_auto(Value) list = value_get(inner, "b");
    value_push(&list, value_copy(inner));
    g_auto(Value) text = value_get(body, "c");
    value_append(&text, text);
    assert_json(body, "{\"a\":{\"b\":[1,2]},\"c\":\"text\"}");
    assert_json(inner, "{\"b\":[1,2],\"new\":\"text\"}");
    assert_json(list, "[1,2,{\"b\":[1,2],\"new\":\"text\"}]");
    g_assert_cmpstr(value_text(text), ==, "texttext");
}

static void a_body_with_one_owner_is_changed_too(void) {
    g_auto(Value) body = support_value("{\"a\":1,\"b\":[\"x\"]}");
    value_remove(&body, "a");
    value_put(&body, "b", value_new_number(2));
    value_put(&body, "a", value_new_number(3));
    assert_json(body, "{\"a\":3,\"b\":2}");
    g_auto(Value) list = support_value("[1]");
    for (int i = 2; i < 100; i++)
        value_push(&list, value_new_number(i));
    g_assert_cmpuint(value_count(list), ==, 99);
    g_assert_cmpfloat(value_number(value_item(list, 98), 0), ==, 99);
}

static void a_text_grows_in_place_or_beside_those_who_share_it(void) {
    g_auto(Value) text = value_new_string("");
    g_auto(Value) piece = value_new_string("ab");
    g_autoptr(GString) expected = g_string_new(NULL);
    for (int i = 0; i < 1000; i++) {
        value_append(&text, piece);
        g_string_append(expected, "ab");
    }
    g_auto(Value) shared = value_copy(text);
    value_append(&text, piece);
    value_append(&text, text);
    g_assert_cmpstr(value_text(shared), ==, expected->str);
    g_assert_cmpuint(value_length(text), ==, 4004);
    g_assert_cmpuint(strlen(value_text(text)), ==, 4004);
}

static void a_part_that_is_kept_apart_equals_what_it_was_part_of(void) {
    static const char *const texts[] = {
        "null",
        "true",
        "1.5",
        "\"\"",
        "\"text\"",
        "[]",
        "{}",
        "[1,[\"a\"],{\"b\":null}]",
        "{\"b\":{\"c\":[\"d\",\"e\"]},\"a\":\"f\"}",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        Value value = support_value(texts[i]);
        g_auto(Value) apart = value_apart(value);
        g_auto(Value) again = value_apart(apart);
        g_assert_true(value_equal(value, apart));
        value_clear(&value);
        assert_json(apart, i == 8 ? "{\"a\":\"f\",\"b\":{\"c\":[\"d\",\"e\"]}}" : texts[i]);
        g_assert_true(value_equal(again, apart));
    }
    g_auto(Value) ordered = support_value(texts[8]);
    g_auto(Value) apart = value_apart(ordered);
    g_assert_cmpstr(value_text(value_member_name(apart, 0)), ==, "b");
}

static void a_container_can_be_put_into_a_copy_of_itself(void) {
    g_auto(Value) object = support_value("{\"a\":1}");
    value_put(&object, "self", value_copy(object));
    value_put(&object, "again", value_copy(object));
    assert_json(object, "{\"a\":1,\"again\":{\"a\":1,\"self\":{\"a\":1}},\"self\":{\"a\":1}}");
    g_auto(Value) list = value_new_array();
    value_push(&list, value_copy(list));
    value_push(&list, value_copy(list));
    assert_json(list, "[[],[[]]]");
}

static void members_keep_the_order_in_which_they_came(void) {
    g_auto(Value) object = support_value("{\"c\":1,\"a\":2,\"b\":3,\"a\":4}");
    value_put(&object, "d", value_new_number(5));
    value_put(&object, "c", value_new_number(6));
    value_remove(&object, "b");
    static const struct {
        const char *name;
        double number;
    } members[] = {{"c", 6}, {"a", 4}, {"d", 5}};
    g_assert_cmpuint(value_count(object), ==, G_N_ELEMENTS(members));
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        g_assert_cmpstr(value_text(value_member_name(object, i)), ==, members[i].name);
        g_assert_cmpfloat(value_number(value_member_at(object, i), 0), ==, members[i].number);
    }
}

static void assert_all_found(Value object, int count, int step) {
    for (int i = 0; i < count; i++) {
        g_autofree char *name = g_strdup_printf("name_%d", i);
        Value member = value_member(object, name, strlen(name));
        g_assert_cmpfloat(value_number(member, -1), ==, i % step == 0 ? i : -1);
    }
}

/* Beyond a few members, names are looked up in an index. */
static void any_number_of_members_is_told_apart(void) {
    for (int count = 1; count < 5000; count = count * 2 + 1) {
        g_autoptr(GString) json = g_string_new("{");
        for (int i = 0; i < 2 * count; i++)
            g_string_append_printf(json, "%s\"name_%d\":%d", i > 0 ? "," : "", i % count,
                                   i < count ? -2 : i - count);
        g_string_append_c(json, '}');
        g_auto(Value) parsed = support_value(json->str);
        g_auto(Value) made = value_new_object();
        for (int i = count - 1; i >= 0; i--) {
            g_autofree char *name = g_strdup_printf("name_%d", i);
            value_put(&made, name, value_new_number(-3));
            value_put(&made, name, value_new_number(i));
        }
        g_assert_cmpuint(value_count(parsed), ==, (size_t)count);
        assert_all_found(parsed, count, 1);
        assert_all_found(made, count, 1);
        g_assert_true(value_equal(parsed, made));
        g_assert_cmpint(value_compare(parsed, made), ==, 0);
    }
}

static void members_of_a_large_object_are_removed(void) {
    g_auto(Value) object = value_new_object();
    for (int i = 0; i < 200; i++) {
        g_autofree char *name = g_strdup_printf("name_%d", i);
        value_put(&object, name, value_new_number(i));
    }
    g_auto(Value) whole = value_copy(object);
    for (int i = 0; i < 200; i++) {
        g_autofree char *name = g_strdup_printf("name_%d", i);
        if (i % 10 != 0)
            value_remove(&object, name);
    }
    g_assert_cmpuint(value_count(object), ==, 20);
    assert_all_found(object, 200, 10);
    assert_all_found(whole, 200, 1);
}

static void a_list_of_any_length_is_read(void) {
    g_autoptr(GString) json = g_string_new("[");
    for (int i = 0; i < 200000; i++)
        g_string_append_printf(json, "%s{\"id\":%d}", i > 0 ? "," : "", i);
    g_string_append_c(json, ']');
    g_auto(Value) list = support_value(json->str);
    g_assert_cmpuint(value_count(list), ==, 200000);
    g_auto(Value) id = value_get(value_item(list, 199999), "id");
    g_assert_cmpfloat(value_number(id, 0), ==, 199999);
    g_autofree char *back = value_to_json(list);
    g_assert_cmpstr(back, ==, json->str);
}

static void not_a_number_equals_nothing_and_comes_first(void) {
    g_auto(Value) nan = value_new_number((double)NAN);
    g_auto(Value) less = value_new_number(-(double)INFINITY);
    g_assert_false(value_equal(nan, nan));
    g_assert_cmpint(value_compare(nan, nan), <, 0);
    g_assert_cmpint(value_compare(nan, less), <, 0);
    g_assert_cmpint(value_compare(less, nan), >, 0);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/value/" #name, name)
    TEST(parse_tells_every_kind);
    TEST(malformed_text_is_unavailable_and_never_quoted);
    TEST(strings_are_unescaped);
    TEST(nesting_is_bounded);
    TEST(a_cut_text_is_never_read_beyond);
    TEST(members_and_items_are_owned_and_absent_ones_are_no_value);
    TEST(a_child_outlives_its_parent);
    TEST(changing_a_shared_object_leaves_the_other_alone);
    TEST(take_leaves_nothing_behind);
    TEST(numbers_print_whole_shortest_and_canonical);
    TEST(random_numbers_read_back_the_same);
    TEST(integers_are_whole_and_exact);
    TEST(only_true_is_true);
    TEST(keys_print_sorted_by_bytes_whatever_the_order);
    TEST(large_objects_print_sorted_too);
    TEST(strings_are_escaped_and_valid);
    TEST(too_deep_values_are_printed_as_null);
    TEST(the_last_of_repeated_keys_counts);
    TEST(a_member_is_set_by_a_name_that_is_a_value);
    TEST(text_with_nothing_behind_it_is_read);
    TEST(text_that_is_no_utf8_is_mended);
    TEST(texts_hold_nuls_and_are_read_in_place);
    TEST(escapes_are_found_wherever_they_stand);
    TEST(parts_live_on_when_the_body_is_gone);
    TEST(changing_a_part_of_a_body_leaves_the_body_alone);
    TEST(a_body_with_one_owner_is_changed_too);
    TEST(a_text_grows_in_place_or_beside_those_who_share_it);
    TEST(a_part_that_is_kept_apart_equals_what_it_was_part_of);
    TEST(a_container_can_be_put_into_a_copy_of_itself);
    TEST(members_keep_the_order_in_which_they_came);
    TEST(any_number_of_members_is_told_apart);
    TEST(members_of_a_large_object_are_removed);
    TEST(a_list_of_any_length_is_read);
    TEST(not_a_number_equals_nothing_and_comes_first);
    TEST(members_are_walked_in_order_until_told_to_stop);
    TEST(values_compare_as_jq_orders_them);
    TEST(paths_follow_members_and_items);
    TEST(what_is_no_plain_path_is_refused);
    TEST(a_path_tells_its_steps);
    return g_test_run();
}
