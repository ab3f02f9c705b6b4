/* The shape of rows: printed as an object would be, checked where the results are. */
#include "collect/row_shape.h"

#include "provider/unread.h"

#include <string.h>

enum { NAME, COUNT, ZONE, OWNER, FIELDS };

static const RowField row_fields[FIELDS] = {
    {.name = "name"}, {.name = "count"}, {.name = "Zone"}, {.name = "ow\"ner"}};

typedef struct {
    FieldSet *fields;
    SummaryPlan *summary;
    EvidenceType type;
    RowShape *shape;
    ExprResult results[FIELDS];
} Bench;

static Bench *bench_new(void) {
    Bench *bench = g_new0(Bench, 1);
    GError *error = NULL;
    bench->fields = field_set_new();
    bool ok = field_set_add(bench->fields, "count", "int", &error) &&
              field_set_add(bench->fields, "ow\"ner", "string?", &error) &&
              field_set_add(bench->fields, "name", "string", &error) &&
              field_set_add(bench->fields, "Zone", "string", &error);
    g_assert_no_error(error);
    g_assert_true(ok);
    bench->summary = summary_plan_new();
    ok = summary_plan_add(bench->summary, "total", "sum .count", &error) &&
         summary_plan_add(bench->summary, "west", "count where .Zone == \"west\"", &error) &&
         summary_plan_add(bench->summary, "twice", "= .total * 2", &error);
    g_assert_no_error(error);
    g_assert_true(ok);
    bench->type = (EvidenceType){.row_fields = row_fields,
                                 .row_field_count = FIELDS,
                                 .fields = bench->fields,
                                 .summary = bench->summary};
    bench->shape = row_shape_new(&bench->type);
    return bench;
}

static void bench_free(Bench *bench) {
    row_shape_free(bench->shape);
    expr_results_clear(bench->results, FIELDS);
    summary_plan_free(bench->summary);
    field_set_free(bench->fields);
    g_free(bench);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bench, bench_free)

static void give(Bench *bench, size_t field, Value value) {
    expr_result_clear(&bench->results[field]);
    bench->results[field] = (ExprResult){.outcome = EXPR_ONE, .value = value};
}

static void give_all(Bench *bench) {
    give(bench, NAME, value_new_string("one"));
    give(bench, COUNT, value_new_number(2));
    give(bench, ZONE, value_new_string("west"));
    give(bench, OWNER, value_new_null());
}

static void assert_prints(const Bench *bench, Value unread, const char *wanted) {
    g_autoptr(GString) out = g_string_new("> ");
    row_shape_append_json(bench->shape, bench->results, unread, out);
    g_assert_cmpstr(out->str + 2, ==, wanted);
}

static void assert_unread(const Bench *bench, GPtrArray *unread, const char *wanted) {
    row_shape_check(bench->shape, bench->results, unread);
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < unread->len; i++)
        g_string_append_printf(names, "%s ", (const char *)g_ptr_array_index(unread, i));
    g_assert_cmpstr(names->str, ==, wanted);
}

static void a_row_is_printed_as_the_object_would_be(void) {
    g_autoptr(Bench) bench = bench_new();
    give_all(bench);
    g_auto(Value) object = value_new_object();
    for (size_t i = 0; i < FIELDS; i++)
        value_put(&object, row_fields[i].name, value_copy(bench->results[i].value));
    g_autofree char *whole = value_to_json(object);
    assert_prints(bench, VALUE_NONE, whole);
    g_auto(Value) unread = value_new_array();
    value_put(&object, UNREAD_MEMBER, value_copy(unread));
    g_autofree char *marked = value_to_json(object);
    assert_prints(bench, unread, marked);
}

static void fields_without_a_value_are_left_out(void) {
    g_autoptr(Bench) bench = bench_new();
    for (size_t i = 0; i < FIELDS; i++)
        bench->results[i].outcome = EXPR_NONE;
    assert_prints(bench, VALUE_NONE, "{}");
    give(bench, COUNT, value_new_number(1));
    assert_prints(bench, VALUE_NONE, "{\"count\":1}");
}

static void fields_of_another_type_are_unread_in_the_order_of_declaration(void) {
    g_autoptr(Bench) bench = bench_new();
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    give_all(bench);
    assert_unread(bench, none, "");
    give(bench, NAME, value_new_bool(true));
    give(bench, COUNT, value_new_number(1.5));
    g_autoptr(GPtrArray) two = g_ptr_array_new();
    assert_unread(bench, two, "count name ");
    expr_result_clear(&bench->results[ZONE]);
    g_autoptr(GPtrArray) three = g_ptr_array_new();
    g_ptr_array_add(three, (void *)(uintptr_t) "name");
    assert_unread(bench, three, "name count Zone ");
}

static void the_summary_sees_what_it_looks_at(void) {
    g_autoptr(Bench) bench = bench_new();
    give_all(bench);
    g_autofree char *first = value_to_json(row_shape_summarized(bench->shape, bench->results));
    g_assert_cmpstr(first, ==, "{\"Zone\":\"west\",\"count\":2}");
    expr_result_clear(&bench->results[ZONE]);
    give(bench, COUNT, value_new_null());
    g_autofree char *second = value_to_json(row_shape_summarized(bench->shape, bench->results));
    g_assert_cmpstr(second, ==, "{\"count\":null}");
}

static void a_row_that_is_kept_does_not_change_with_the_next(void) {
    g_autoptr(Bench) bench = bench_new();
    give_all(bench);
    g_auto(Value) kept = value_copy(row_shape_summarized(bench->shape, bench->results));
    give(bench, COUNT, value_new_number(9));
    (void)row_shape_summarized(bench->shape, bench->results);
    g_autofree char *text = value_to_json(kept);
    g_assert_cmpstr(text, ==, "{\"Zone\":\"west\",\"count\":2}");
}

static void without_a_summary_nothing_is_looked_at(void) {
    g_autoptr(Bench) bench = bench_new();
    give_all(bench);
    EvidenceType plain = bench->type;
    plain.summary = NULL;
    g_autoptr(RowShape) shape = row_shape_new(&plain);
    g_assert_cmpuint(value_count(row_shape_summarized(shape, bench->results)), ==, 0);
}

#define TEST(name) g_test_add_func("/collect/row_shape/" #name, name)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    TEST(a_row_is_printed_as_the_object_would_be);
    TEST(fields_without_a_value_are_left_out);
    TEST(fields_of_another_type_are_unread_in_the_order_of_declaration);
    TEST(the_summary_sees_what_it_looks_at);
    TEST(a_row_that_is_kept_does_not_change_with_the_next);
    TEST(without_a_summary_nothing_is_looked_at);
    return g_test_run();
}
