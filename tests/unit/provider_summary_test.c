/* Summaries: closed reducers over streamed rows, then expressions over the small object. */
#include <string.h>

#include "base/error.h"
#include "provider/summary.h"
#include "unit/provider_support.h"

/* A plan from "name: text" lines. */
static SummaryPlan *plan_of(const char *lines) {
    SummaryPlan *plan = summary_plan_new();
    g_auto(GStrv) list = g_strsplit(lines, "\n", -1);
    for (size_t i = 0; list[i] != NULL; i++) {
        g_auto(GStrv) parts = g_strsplit(list[i], ": ", 2);
        GError *error = NULL;
        bool added = summary_plan_add(plan, parts[0], parts[1], &error);
        g_assert_no_error(error);
        g_assert_true(added);
    }
    return plan;
}

/* Feeds the rows of a JSON array, all read. */
static void feed_all(Summary *summary, const char *rows_json) {
    g_auto(Value) rows = support_value(rows_json);
    for (size_t i = 0; i < value_count(rows); i++) {
        g_auto(Value) row = value_at(rows, i);
        GError *error = NULL;
        bool fed = summary_feed(summary, row, NULL, &error);
        g_assert_no_error(error);
        g_assert_true(fed);
    }
}

static void assert_summary(const char *lines, const char *rows, const char *expected) {
    g_autoptr(SummaryPlan) plan = plan_of(lines);
    g_autoptr(Summary) summary = summary_new(plan, VALUE_NONE, 0);
    feed_all(summary, rows);
    GError *error = NULL;
    bool finished = summary_finish(summary, &error);
    g_assert_no_error(error);
    g_assert_true(finished);
    g_autoptr(GString) out = g_string_new(NULL);
    summary_append_json(summary, out);
    g_assert_cmpstr(out->str, ==, expected);
}

static const char repositories[] =
    "[{\"name\":\"a\",\"protected\":true,\"alerts\":3,\"seen\":\"2024-01-02\",\"team\":\"x\"},"
    "{\"name\":\"b\",\"protected\":false,\"alerts\":1,\"seen\":\"2024-01-01\",\"team\":\"y\"},"
    "{\"name\":\"c\",\"protected\":true,\"alerts\":5,\"seen\":null,\"team\":\"x\"}]";

static void counts_follow_their_conditions(void) {
    assert_summary(
        "total: count\nprotected: count where .protected\n"
        "open: count where (.protected | not)\nbig: count where .alerts > 2 and .protected",
        repositories, "\"total\":3,\"protected\":2,\"open\":1,\"big\":2");
}

static void members_stand_in_the_plans_order(void) {
    assert_summary("z: count\na: count\nm: sum .alerts", repositories, "\"z\":3,\"a\":3,\"m\":9");
}

static void reducers_reduce(void) {
    assert_summary("s: sum .alerts\nw: sum .alerts where .protected\nmin: min .alerts\n"
                   "max: max .alerts where .alerts < 5\nfirst: min .seen\nlast: max .seen",
                   repositories,
                   "\"s\":9,\"w\":8,\"min\":1,\"max\":3,\"first\":\"2024-01-01\",\"last\":"
                   "\"2024-01-02\"");
    assert_summary("teams: distinct .team\nby: group .team\nprotected: group .protected\n"
                   "odd: distinct (.alerts % 4) where .protected",
                   repositories,
                   "\"teams\":[\"x\",\"y\"],\"by\":{\"x\":2,\"y\":1},"
                   "\"protected\":{\"false\":1,\"true\":2},\"odd\":[3,1]");
}

static void nothing_reduces_to_nothing(void) {
    assert_summary("c: count\ns: sum .a\nlo: min .a\nhi: max .a\nd: distinct .a\ng: group .a\n"
                   "share: = if .c == 0 then null else .s / .c end",
                   "[]",
                   "\"c\":0,\"s\":0,\"lo\":null,\"hi\":null,\"d\":[],\"g\":{},\"share\":null");
}

static void expressions_compute_from_the_reducers_above(void) {
    assert_summary("total: count\nprotected: count where .protected\n"
                   "share: = .protected / .total * 100 | floor\n"
                   "text: = \"\\(.protected) of \\(.total)\"",
                   repositories, "\"total\":3,\"protected\":2,\"share\":66,\"text\":\"2 of 3\"");
}

static void where_inside_of_an_expression_is_no_condition(void) {
    assert_summary("a: sum (.where | length)\nb: sum {where: 1}.where where .where == \"x\"",
                   "[{\"where\":\"x\"},{\"where\":\"yy\"}]", "\"a\":3,\"b\":1");
}

static void rows_with_unread_fields_are_missed_only_where_they_matter(void) {
    g_autoptr(SummaryPlan) plan =
        plan_of("total: count\nprotected: count where .protected\nalerts: sum .alerts\n"
                "both: sum .alerts where .protected\nsize: sum (keys | length)");
    g_autoptr(Summary) summary = summary_new(plan, VALUE_NONE, 0);
    feed_all(summary, repositories);
    g_auto(Value) row = support_value("{\"name\":\"d\",\"protected\":true,\"alerts\":\"many\"}");
    g_autoptr(GPtrArray) unread = g_ptr_array_new();
    g_ptr_array_add(unread, (void *)(uintptr_t) "alerts");
    g_assert_true(summary_feed(summary, row, unread, NULL));
    g_assert_true(summary_finish(summary, NULL));
    static const int64_t missed[] = {0, 0, 1, 1, 1};
    for (size_t i = 0; i < G_N_ELEMENTS(missed); i++)
        g_assert_cmpint(summary_missed(summary, i), ==, missed[i]);
    g_autoptr(GString) out = g_string_new(NULL);
    summary_append_json(summary, out);
    g_assert_cmpstr(out->str, ==,
                    "\"total\":4,\"protected\":3,\"alerts\":9,\"both\":8,\"size\":15");
    g_assert_cmpint(summary_rows(summary), ==, 4);
}

static void what_cannot_be_taken_is_missed_and_null_is_not(void) {
    static const char rows[] =
        "[{\"v\":1},{\"v\":null},{\"v\":\"x\"},{\"v\":[1]},{\"v\":{\"a\":1}},"
        "{\"v\":true},{},{\"v\":2}]";
    g_autoptr(SummaryPlan) plan =
        plan_of("s: sum .v\nlo: min .v\ng: group .v\nd: distinct .v\nc: count where .v\n"
                "f: sum .v.a\nm: sum (.v, .v)\nn: sum empty");
    static const int64_t missed[] = {4, 4, 2, 0, 5, 5, 8, 8};
    g_autoptr(Summary) summary = summary_new(plan, VALUE_NONE, 0);
    feed_all(summary, rows);
    g_assert_true(summary_finish(summary, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(missed); i++)
        g_assert_cmpint(summary_missed(summary, i), ==, missed[i]);
    g_autoptr(GString) out = g_string_new(NULL);
    summary_append_json(summary, out);
    g_assert_cmpstr(out->str, ==,
                    "\"s\":3,\"lo\":1,\"g\":{\"1\":1,\"2\":1,\"true\":1,\"x\":1},"
                    "\"d\":[1,\"x\",[1],{\"a\":1},true,2],\"c\":1,\"f\":1,\"m\":0,\"n\":0");
}

static void different_values_are_bounded_and_said_so(void) {
    g_autoptr(SummaryPlan) plan = plan_of("d: distinct .v\ng: group .v\nsome: distinct (.v % 10)");
    g_autoptr(Summary) summary = summary_new(plan, VALUE_NONE, 0);
    for (int i = 0; i < 2 * (SUMMARY_MAX_VALUES + 5); i++) {
        g_auto(Value) row = value_new_object();
        value_put(&row, "v", value_new_number(i % (SUMMARY_MAX_VALUES + 5)));
        g_assert_true(summary_feed(summary, row, NULL, NULL));
    }
    g_assert_true(summary_finish(summary, NULL));
    g_auto(Value) distinct = summary_value(summary, 0);
    g_auto(Value) group = summary_value(summary, 1);
    g_auto(Value) some = summary_value(summary, 2);
    g_assert_cmpuint(value_count(distinct), ==, SUMMARY_MAX_VALUES);
    g_assert_cmpuint(value_count(group), ==, SUMMARY_MAX_VALUES);
    g_assert_cmpuint(value_count(some), ==, 10);
    g_assert_true(summary_overflowed(summary, 0) && summary_overflowed(summary, 1));
    g_assert_false(summary_overflowed(summary, 2));
    g_auto(Value) twice = value_get(group, "7");
    g_assert_cmpfloat(value_number(twice, 0), ==, 2);
}

static void huge_values_do_not_pile_up(void) {
    g_autoptr(SummaryPlan) plan = plan_of("d: distinct .v");
    g_autoptr(Summary) summary = summary_new(plan, VALUE_NONE, 0);
    g_autofree char *text = g_strnfill(300000, 'x');
    for (int i = 0; i < 8; i++) {
        text[0] = (char)('a' + i);
        g_auto(Value) row = value_new_object();
        value_put(&row, "v", value_new_string(text));
        g_assert_true(summary_feed(summary, row, NULL, NULL));
    }
    g_assert_true(summary_finish(summary, NULL));
    g_auto(Value) values = summary_value(summary, 0);
    g_assert_cmpuint(value_count(values), ==, 3);
    g_assert_true(summary_overflowed(summary, 0));
}

static void wrong_members_are_refused(void) {
    static const struct {
        const char *text;
        const char *part;
    } cases[] = {
        {"", "none of count"},
        {"average .x", "none of count"},
        {"countwhere .x", "none of"},
        {"count .x", "counts rows"},
        {"count where", "empty"},
        {"sum", "empty"},
        {"sum where .x", "empty"},
        {"sum .x where", "empty"},
        {"sum env", "env"},
        {"sum (.x", "not closed"},
        {"min .x where $y", "$y"},
        {"=", "empty"},
        {"= .later", "no reducer above"},
        {"= .final + 1", "no reducer above"},
        {"= keys", "must name"},
        {"= .", "must name"},
    };
    g_autoptr(SummaryPlan) plan = plan_of("total: count\nfinal: = .total");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(summary_plan_add(plan, "member", cases[i].text, &error));
        g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, "member"));
        g_assert_nonnull(strstr(error->message, cases[i].part));
    }
    g_autoptr(GError) error = NULL;
    g_assert_false(summary_plan_add(plan, "total", "count", &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    g_assert_cmpuint(summary_plan_count(plan), ==, 2);
}

static void a_plan_tells_its_members(void) {
    g_autoptr(SummaryPlan) plan = plan_of("n: count\ns: sum .a where .b\nt: = .n");
    g_assert_cmpuint(summary_plan_count(plan), ==, 3);
    g_assert_cmpstr(summary_plan_name(plan, 1), ==, "s");
    g_assert_null(summary_plan_expr(plan, 0));
    g_assert_null(summary_plan_where(plan, 0));
    g_assert_cmpstr(expr_source(summary_plan_expr(plan, 1)), ==, ".a");
    g_assert_cmpstr(expr_source(summary_plan_where(plan, 1)), ==, ".b");
    g_assert_true(summary_plan_is_final(plan, 2) && !summary_plan_is_final(plan, 1));
}

static void a_final_expression_must_give_one_value(void) {
    g_autoptr(SummaryPlan) plan = plan_of("n: count\nratio: = 1 / .n");
    g_autoptr(Summary) summary = summary_new(plan, VALUE_NONE, 0);
    g_autoptr(GError) error = NULL;
    g_assert_false(summary_finish(summary, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    g_assert_nonnull(strstr(error->message, "ratio"));
}

static void settings_and_time_are_seen(void) {
    g_autoptr(SummaryPlan) plan =
        plan_of("old: count where (.at | fromdate) < now - $settings.age\nlimit: = $settings.age");
    g_auto(Value) settings = support_value("{\"age\":86400}");
    g_autoptr(Summary) summary =
        summary_new(plan, settings, INT64_C(1704326400000)); /* 4 January */
    feed_all(summary, "[{\"at\":\"2024-01-01T00:00:00Z\"},{\"at\":\"2024-01-03T12:00:00Z\"}]");
    g_assert_true(summary_finish(summary, NULL));
    g_auto(Value) all = summary_object(summary);
    g_autofree char *json = value_to_json(all);
    g_assert_cmpstr(json, ==, "{\"limit\":86400,\"old\":1}");
}

/* However rows are spread, reducers agree with plain arithmetic. */
static void random_rows_reduce_as_arithmetic_says(void) {
    g_autoptr(GRand) random = g_rand_new_with_seed(9);
    g_autoptr(SummaryPlan) plan =
        plan_of("n: count\npos: count where .v > 0\ns: sum .v\nlo: min .v\nhi: max .v");
    for (int round = 0; round < 20; round++) {
        g_autoptr(Summary) summary = summary_new(plan, VALUE_NONE, 0);
        int count = g_rand_int_range(random, 1, 40), positive = 0, sum = 0, low = 100, high = -100;
        for (int i = 0; i < count; i++) {
            int number = g_rand_int_range(random, -50, 50);
            positive += number > 0;
            sum += number;
            low = MIN(low, number);
            high = MAX(high, number);
            g_auto(Value) row = value_new_object();
            value_put(&row, "v", value_new_number(number));
            g_assert_true(summary_feed(summary, row, NULL, NULL));
        }
        g_assert_true(summary_finish(summary, NULL));
        g_autoptr(GString) out = g_string_new(NULL);
        summary_append_json(summary, out);
        g_autofree char *expected = g_strdup_printf(
            "\"n\":%d,\"pos\":%d,\"s\":%d,\"lo\":%d,\"hi\":%d", count, positive, sum, low, high);
        g_assert_cmpstr(out->str, ==, expected);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/summary/" #name, name)
    TEST(counts_follow_their_conditions);
    TEST(members_stand_in_the_plans_order);
    TEST(reducers_reduce);
    TEST(nothing_reduces_to_nothing);
    TEST(expressions_compute_from_the_reducers_above);
    TEST(where_inside_of_an_expression_is_no_condition);
    TEST(rows_with_unread_fields_are_missed_only_where_they_matter);
    TEST(what_cannot_be_taken_is_missed_and_null_is_not);
    TEST(different_values_are_bounded_and_said_so);
    TEST(huge_values_do_not_pile_up);
    TEST(wrong_members_are_refused);
    TEST(a_plan_tells_its_members);
    TEST(a_final_expression_must_give_one_value);
    TEST(settings_and_time_are_seen);
    TEST(random_rows_reduce_as_arithmetic_says);
    return g_test_run();
}
