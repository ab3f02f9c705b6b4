/* Values as libjq's and back: every kind, the order of members, and the same order of values. */
#include <math.h>
#include <string.h>

#include "provider/value.h"
#include "provider/value_jq.h"

static Value parse(const char *json) {
    Value value = VALUE_NONE;
    g_assert_true(value_parse(json, strlen(json), &value, NULL));
    return value;
}

static const char *const texts[] = {
    "null",
    "false",
    "true",
    "0",
    "-1.5",
    "1e300",
    "3",
    "\"\"",
    "\"a\"",
    "\"a\\u0000b\"",
    "\"caf\xc3\xa9 \xf0\x9f\x98\x80\"",
    "\"b\"",
    "[]",
    "[[]]",
    "[1,2]",
    "[1,2,3]",
    "[1,\"2\",null,true,{}]",
    "{}",
    "{\"a\":1}",
    "{\"a\":2}",
    "{\"b\":1,\"a\":2}",
    "{\"a\":1,\"b\":2}",
    "{\"b\":{\"c\":[{\"d\":\"e\"}]},\"a\":2}",
    "{\"ab\":1,\"a\":1}",
    "{\"\":0}",
};

static void every_kind_goes_there_and_back(void) {
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_auto(Value) value = parse(texts[i]);
        jv there = value_to_jq(value);
        g_auto(Value) back = value_take_jq(jv_copy(there));
        g_assert_true(value_equal(value, back));
        jv printed = jv_dump_string(there, JV_PRINT_SORTED), same = jv_parse(texts[i]);
        jv expected = jv_dump_string(same, JV_PRINT_SORTED);
        g_assert_cmpstr(jv_string_value(printed), ==, jv_string_value(expected));
        jv_free(printed);
        jv_free(expected);
    }
}

static void no_value_is_null_there_and_an_invalid_one_is_none_here(void) {
    jv null = value_to_jq(VALUE_NONE);
    g_assert_cmpint(jv_get_kind(null), ==, JV_KIND_NULL);
    jv_free(null);
    g_auto(Value) none = value_take_jq(jv_invalid_with_msg(jv_string("words")));
    g_assert_cmpint(value_kind(none), ==, VALUE_KIND_NONE);
}

static void members_keep_their_order_both_ways(void) {
    static const char text[] = "{\"z\":1,\"a\":2,\"m\":{\"y\":3,\"b\":4}}";
    g_auto(Value) value = parse(text);
    jv printed = jv_dump_string(value_to_jq(value), 0);
    g_assert_cmpstr(jv_string_value(printed), ==, text);
    jv_free(printed);
    g_auto(Value) back = value_take_jq(jv_parse(text));
    g_assert_cmpstr(value_text(value_member_name(back, 0)), ==, "z");
    g_assert_cmpstr(value_text(value_member_name(back, 2)), ==, "m");
}

static void only_the_named_members_go_there(void) {
    static const char *const names[] = {"b", "missing", "a", "b", NULL};
    g_auto(Value) value = parse("{\"a\":[1],\"b\":{\"c\":2},\"secret\":3}");
    g_auto(Value) back = value_take_jq(value_to_jq_only(value, names));
    g_auto(Value) expected = parse("{\"a\":[1],\"b\":{\"c\":2}}");
    g_assert_true(value_equal(back, expected));
    g_auto(Value) list = parse("[1]");
    g_auto(Value) whole = value_take_jq(value_to_jq_only(list, names));
    g_assert_true(value_equal(list, whole));
}

static void what_is_nested_too_deep_becomes_null(void) {
    jv deep = jv_string("inside");
    for (int i = 0; i < VALUE_JQ_MAX_DEPTH + 5; i++)
        deep = JV_ARRAY(deep);
    g_auto(Value) value = value_take_jq(deep);
    unsigned depth = 0;
    Value at = value;
    for (; value_kind(at) == VALUE_KIND_ARRAY; at = value_item(at, 0))
        depth++;
    g_assert_cmpuint(depth, ==, VALUE_JQ_MAX_DEPTH + 1);
    g_assert_cmpint(value_kind(at), ==, VALUE_KIND_NULL);
}

static int sign(int number) {
    return (number > 0) - (number < 0);
}

static void assert_same_order(Value a, Value b) {
    int order = jv_cmp(value_to_jq(a), value_to_jq(b));
    g_assert_cmpint(sign(value_compare(a, b)), ==, sign(order));
    g_assert_cmpint(value_equal(a, b), ==, jv_equal(value_to_jq(a), value_to_jq(b)));
}

static void values_are_ordered_as_libjq_orders_them(void) {
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        for (size_t j = 0; j < G_N_ELEMENTS(texts); j++) {
            g_auto(Value) a = parse(texts[i]);
            g_auto(Value) b = parse(texts[j]);
            assert_same_order(a, b);
        }
    }
    const double numbers[] = {(double)NAN, -(double)INFINITY, -1, -0.0, 0, 1, (double)INFINITY};
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        for (size_t j = 0; j < G_N_ELEMENTS(numbers); j++)
            assert_same_order(value_new_number(numbers[i]), value_new_number(numbers[j]));
    }
}

/* A value of a few kinds and a few texts, so that many are equal. */
static Value random_value(GRand *random, int depth) {
    static const char *const words[] = {"", "a", "ab", "b", "\xc3\xa9"};
    int kind = g_rand_int_range(random, 0, depth > 0 ? 6 : 4);
    if (kind == 0)
        return value_new_null();
    if (kind == 1)
        return value_new_bool(g_rand_boolean(random));
    if (kind == 2)
        return value_new_number(g_rand_int_range(random, -1, 3));
    if (kind == 3)
        return value_new_string(words[g_rand_int_range(random, 0, G_N_ELEMENTS(words))]);
    Value container = kind == 4 ? value_new_array() : value_new_object();
    for (int i = g_rand_int_range(random, 0, 4); i > 0; i--) {
        Value inner = random_value(random, depth - 1);
        if (kind == 4)
            value_push(&container, inner);
        else
            value_put(&container, words[g_rand_int_range(random, 0, G_N_ELEMENTS(words))], inner);
    }
    return container;
}

static void random_values_are_ordered_and_come_back(void) {
    g_autoptr(GRand) random = g_rand_new_with_seed(20261120);
    for (int i = 0; i < 20000; i++) {
        g_auto(Value) a = random_value(random, 3);
        g_auto(Value) b = random_value(random, 3);
        assert_same_order(a, b);
        g_auto(Value) back = value_take_jq(value_to_jq(a));
        g_assert_true(value_equal(a, back));
        g_autofree char *json = value_to_json(a);
        g_auto(Value) read = parse(json);
        g_assert_true(value_equal(a, read));
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/value_jq/" #name, name)
    TEST(every_kind_goes_there_and_back);
    TEST(no_value_is_null_there_and_an_invalid_one_is_none_here);
    TEST(members_keep_their_order_both_ways);
    TEST(only_the_named_members_go_there);
    TEST(what_is_nested_too_deep_becomes_null);
    TEST(values_are_ordered_as_libjq_orders_them);
    TEST(random_values_are_ordered_and_come_back);
    return g_test_run();
}
