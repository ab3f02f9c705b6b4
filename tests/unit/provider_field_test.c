/* Typed rows: types are read strictly, rows are held against them strictly. */
#include <string.h>

#include "base/error.h"
#include "provider/field.h"
#include "unit/provider_support.h"

static void types_are_read_and_told(void) {
    static const struct {
        const char *text;
        const char *canonical;
        FieldKind kind;
        bool nullable;
    } cases[] = {
        {"string", "string", FIELD_STRING, false},
        {"int", "int", FIELD_INT, false},
        {"number", "number", FIELD_NUMBER, false},
        {"bool", "bool", FIELD_BOOL, false},
        {" time? ", "time?", FIELD_TIME, true},
        {"[string]", "[string]", FIELD_LIST, false},
        {"[ int? ]?", "[int?]?", FIELD_LIST, true},
        {"{total: int,high:int}", "{total: int, high: int}", FIELD_OBJECT, false},
        {"{string: string}?", "{string: string}?", FIELD_MAP, true},
        {"{string: int, other: int}", "{string: int, other: int}", FIELD_OBJECT, false},
        {"[{a-b: [{c: time?}]}]", "[{a-b: [{c: time?}]}]", FIELD_LIST, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(FieldType) type = field_type_parse(cases[i].text, &error);
        g_assert_no_error(error);
        g_autofree char *text = field_type_text(type);
        g_assert_cmpstr(text, ==, cases[i].canonical);
        g_assert_cmpint(field_type_kind(type), ==, cases[i].kind);
        g_assert_cmpint(field_type_nullable(type), ==, cases[i].nullable);
        g_autoptr(FieldType) again = field_type_parse(text, NULL);
        g_assert_nonnull(again);
    }
}

static void wrong_types_are_refused_with_their_position(void) {
    static const struct {
        const char *text;
        const char *position;
    } cases[] = {
        {"", "character 1;"},
        {"strin", "character 1;"},
        {"string string", "character 8;"},
        {"[int", "character 5;"},
        {"[]", "character 2;"},
        {"{}", "character 2;"},
        {"{a}", "character 3;"},
        {"{a: }", "character 5;"},
        {"{a: int", "character 8;"},
        {"{a: int,}", "character 9;"},
        {"{a: int, a: int}", "character 16;"},
        {"int??", "character 5;"},
        {"?", "character 1;"},
        {"Int", "character 1;"},
        {"[int}", "character 5;"},
        {"[[[[[[[[int]]]]]]]]", "deeply"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(FieldType) type = field_type_parse(cases[i].text, &error);
        g_assert_null(type);
        g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, cases[i].position));
    }
}

static void values_have_exactly_their_type(void) {
    static const struct {
        const char *type;
        const char *good; /* JSON array of values */
        const char *bad;
    } cases[] = {
        {"string", "[\"\",\"x\"]", "[null,1,true,[],{}]"},
        {"int", "[0,-3,9007199254740992,1e3]", "[1.5,1e300,\"1\",null,true]"},
        {"number", "[0,1.5,1e300]", "[\"1\",null,false]"},
        {"bool", "[true,false]", "[null,0,1,\"true\"]"},
        {"time",
         "[\"2024-05-06T07:08:09Z\",\"2024-05-06T07:08:09.123+02:00\",\"2024-05-06t07:08:09z\"]",
         "[\"2024-05-06\",\"2024-05-06 "
         "07:08:09Z\",\"2024-05-06T07:08:09\",\"2024-13-06T07:08:09Z\","
         "\"yesterday\",1714972089,null,\"2024-05-06T07:08:09Zjunk\"]"},
        {"string?", "[\"x\",null]", "[1]"},
        {"[string]", "[[],[\"a\",\"b\"]]", "[null,[1],[null],\"a\",{}]"},
        {"[string?]", "[[null,\"a\"]]", "[[1]]"},
        {"{total: int, high: int?}",
         "[{\"total\":1},{\"total\":1,\"high\":null},{\"high\":2,\"total\":1}]",
         "[{},{\"high\":1},{\"total\":\"1\"},{\"total\":1,\"low\":2},null,[]]"},
        {"{string: int}", "[{},{\"any\":1,\"other\":2}]",
         "[{\"a\":\"1\"},{\"a\":1,\"b\":null},[],null]"},
        {"[{a: [bool]}]", "[[{\"a\":[true]},{\"a\":[]}]]", "[[{\"a\":[1]}],[{}]]"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FieldType) type = field_type_parse(cases[i].type, NULL);
        g_auto(Value) good = support_value(cases[i].good);
        g_auto(Value) bad = support_value(cases[i].bad);
        g_test_message("%s", cases[i].type);
        for (size_t k = 0; k < value_count(good); k++) {
            g_auto(Value) value = value_at(good, k);
            g_assert_true(field_check(type, value));
        }
        for (size_t k = 0; k < value_count(bad); k++) {
            g_auto(Value) value = value_at(bad, k);
            g_assert_false(field_check(type, value));
        }
        g_assert_cmpint(field_check(type, VALUE_NONE), ==, field_type_nullable(type));
    }
}

static FieldSet *sample(void) {
    static const char *const fields[][2] = {{"repository", "string"},
                                            {"maxAge", "int"},
                                            {"hasMFA", "bool"},
                                            {"lastUsed", "time?"},
                                            {"counts", "{high: int}"}};
    FieldSet *set = field_set_new();
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        g_assert_true(field_set_add(set, fields[i][0], fields[i][1], NULL));
    return set;
}

static void rows_tell_their_unread_fields_in_order(void) {
    static const struct {
        const char *row;
        const char *unread;
    } cases[] = {
        {"{\"repository\":\"r\",\"maxAge\":3,\"hasMFA\":true,\"counts\":{\"high\":1}}", ""},
        {"{\"repository\":\"r\",\"maxAge\":3,\"hasMFA\":true,\"lastUsed\":null,\"counts\":{"
         "\"high\":1}}",
         ""},
        {"{}", "repository maxAge hasMFA counts"},
        {"{\"counts\":{\"high\":\"1\"},\"maxAge\":\"3\",\"hasMFA\":null,\"repository\":\"r\"}",
         "maxAge hasMFA counts"},
        {"{\"repository\":\"r\",\"maxAge\":3,\"hasMFA\":true,\"lastUsed\":\"never\",\"counts\":{"
         "\"high\":1}}",
         "lastUsed"},
    };
    g_autoptr(FieldSet) set = sample();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Value) row = support_value(cases[i].row);
        g_autoptr(GPtrArray) unread = g_ptr_array_new();
        bool readable = false;
        g_assert_true(field_set_check(set, row, unread, &readable, NULL));
        g_assert_cmpint(readable, ==, cases[i].unread[0] == '\0');
        g_ptr_array_add(unread, NULL);
        g_autofree char *names = g_strjoinv(" ", (char **)unread->pdata);
        g_assert_cmpstr(names, ==, cases[i].unread);
        g_assert_true(field_set_check(set, row, NULL, NULL, NULL));
    }
}

static void undeclared_keys_are_the_definitions_error(void) {
    g_autoptr(FieldSet) set = sample();
    g_auto(Value) row = support_value("{\"maxAge\":\"x\",\"surprise\":1}");
    g_autoptr(GPtrArray) unread = g_ptr_array_new();
    g_autoptr(GError) error = NULL;
    g_assert_false(field_set_check(set, row, unread, NULL, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    g_assert_nonnull(strstr(error->message, "surprise"));
    g_assert_cmpuint(unread->len, ==, 0);
    g_auto(Value) list = support_value("[1]");
    g_autoptr(GError) kind = NULL;
    g_assert_false(field_set_check(set, list, unread, NULL, &kind));
    g_assert_error(kind, ASSAY_ERROR, ERROR_CONFIGURATION);
    g_assert_nonnull(strstr(kind->message, "an array"));
}

static void sets_keep_their_order_and_refuse_doubles(void) {
    g_autoptr(FieldSet) set = sample();
    size_t index = 0;
    g_assert_cmpuint(field_set_count(set), ==, 5);
    g_assert_cmpstr(field_set_name(set, 1), ==, "maxAge");
    g_assert_cmpint(field_type_kind(field_set_type(set, 4)), ==, FIELD_OBJECT);
    g_assert_true(field_set_find(set, "hasMFA", &index));
    g_assert_cmpuint(index, ==, 2);
    g_assert_false(field_set_find(set, "hasmfa", &index));
    g_autoptr(GError) twice = NULL, wrong = NULL;
    g_assert_false(field_set_add(set, "maxAge", "int", &twice));
    g_assert_error(twice, ASSAY_ERROR, ERROR_CONFIGURATION);
    g_assert_false(field_set_add(set, "other", "integer", &wrong));
    g_assert_error(wrong, ASSAY_ERROR, ERROR_CONFIGURATION);
    g_assert_nonnull(strstr(wrong->message, "Field other"));
    for (size_t i = field_set_count(set); i < FIELD_MAX_NAMES; i++) {
        g_autofree char *name = g_strdup_printf("more%zu", i);
        g_assert_true(field_set_add(set, name, "int?", NULL));
    }
    g_assert_false(field_set_add(set, "too_many", "int?", NULL));
}

/* A random type printed and read again prints the same. */
static void append_random_type(GRand *random, GString *out, int depth) {
    static const char *const scalars[] = {"string", "int", "number", "bool", "time"};
    int kind = g_rand_int_range(random, 0, depth > 0 ? 8 : 5);
    if (kind < 5) {
        g_string_append(out, scalars[kind]);
    } else if (kind == 5) {
        g_string_append(out, "[");
        append_random_type(random, out, depth - 1);
        g_string_append(out, "]");
    } else {
        g_string_append(out, kind == 6 ? "{string: " : "{a: int?, b: ");
        append_random_type(random, out, depth - 1);
        g_string_append(out, "}");
    }
    if (g_rand_boolean(random))
        g_string_append_c(out, '?');
}

static void random_types_print_as_they_are_read(void) {
    g_autoptr(GRand) random = g_rand_new_with_seed(8);
    for (int round = 0; round < 1000; round++) {
        g_autoptr(GString) text = g_string_new(NULL);
        append_random_type(random, text, 5);
        g_autoptr(FieldType) type = field_type_parse(text->str, NULL);
        g_autofree char *printed = field_type_text(type);
        g_assert_cmpstr(printed, ==, text->str);
        g_string_truncate(text, (gsize)g_rand_int_range(random, 0, (int)text->len));
        g_autoptr(FieldType) cut = field_type_parse(text->str, NULL);
        g_autofree char *of_cut = cut != NULL ? field_type_text(cut) : g_strdup(text->str);
        g_assert_cmpstr(of_cut, ==, text->str);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/field/" #name, name)
    TEST(types_are_read_and_told);
    TEST(wrong_types_are_refused_with_their_position);
    TEST(values_have_exactly_their_type);
    TEST(rows_tell_their_unread_fields_in_order);
    TEST(undeclared_keys_are_the_definitions_error);
    TEST(sets_keep_their_order_and_refuse_doubles);
    TEST(random_types_print_as_they_are_read);
    return g_test_run();
}
