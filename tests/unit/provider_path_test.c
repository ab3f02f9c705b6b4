/* Paths taken apart: exactly what jq 1.6 reads as a plain path, and [] where it is wanted. */
#include <string.h>

#include "base/error.h"
#include "provider/expr.h"
#include "provider/path.h"

/* Steps between slashes; names with their length, a star for []. */
static char *spell(const Path *path) {
    GString *out = g_string_new(NULL);
    for (size_t i = 0; i < path->count; i++) {
        const PathStep *step = &path->steps[i];
        g_string_append(out, i > 0 ? "/" : "");
        if (step->kind == PATH_NAME)
            g_string_append_printf(out, "%s(%zu)", step->name, step->length);
        else if (step->kind == PATH_INDEX)
            g_string_append_printf(out, "%d", (int)step->index);
        else
            g_string_append_c(out, '*');
    }
    return g_string_free(out, FALSE);
}

static void paths_fall_into_steps(void) {
    static const struct {
        const char *text;
        const char *steps;
    } cases[] = {
        {".", ""},
        {".a", "a(1)"},
        {" .a.b_2._c ", "a(1)/b_2(3)/_c(2)"},
        {".[\"x-y\"]", "x-y(3)"},
        {".\"x y\".z", "x y(3)/z(1)"},
        {".a.\"\xc3\xa9\"", "a(1)/\xc3\xa9(2)"},
        {".[\"\"]", "(0)"},
        {".[0][-12]", "0/-12"},
        {".a[123456789]", "a(1)/123456789"},
        {".[]", "*"},
        {".a[].b[][0]", "a(1)/*/b(1)/*/0"},
        {".[].x", "*/x(1)"},
        {".[\"a.b\"][\"[]\"]", "a.b(3)/[](2)"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        g_autoptr(Path) path = path_parse(cases[i].text, true, &error);
        g_assert_no_error(error);
        g_autofree char *steps = spell(path);
        g_assert_cmpstr(steps, ==, cases[i].steps);
        g_assert_true(strchr(" \t", path->text[strlen(path->text) - 1]) == NULL);
    }
}

static void each_is_refused_where_it_is_not_wanted(void) {
    static const char *const texts[] = {".[]", ".a[]", ".a[].b"};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(path_parse(texts[i], false, &error));
        g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
        g_autoptr(Path) allowed = path_parse(texts[i], true, NULL);
        g_assert_nonnull(allowed);
    }
}

static void the_number_of_steps_is_bounded(void) {
    g_autoptr(GString) text = g_string_new(NULL);
    for (int i = 0; i < PATH_MAX_STEPS; i++)
        g_string_append(text, ".a");
    g_autoptr(Path) longest = path_parse(text->str, false, NULL);
    g_assert_cmpuint(longest->count, ==, PATH_MAX_STEPS);
    g_string_append(text, ".a");
    g_assert_null(path_parse(text->str, false, NULL));
    g_autofree char *endless = g_strnfill(1000000, '.');
    g_assert_null(path_parse(endless, true, NULL));
}

static void messages_are_short_and_show_how(void) {
    g_autofree char *text = g_strnfill(5000, 'x');
    g_autoptr(GError) error = NULL;
    g_assert_null(path_parse(text, true, &error));
    g_assert_cmpuint(strlen(error->message), <, 250);
    g_assert_nonnull(strstr(error->message, ".items[].id"));
}

/* Whatever is taken as a plain path must mean the same to jq: the text compiles there. */
static void random_plain_paths_are_expressions_of_jq(void) {
    static const char *const pieces[] = {".",  ".a", "[0]",  "[\"x\"]", ".\"y\"", "[-1]",
                                         "..", "[]", ".[0]", " ",       "a",      "[",
                                         "]",  "\"", "-1",   ".b_c1",   "[1.5]"};
    g_autoptr(GRand) random = g_rand_new_with_seed(12);
    g_autoptr(GString) all = g_string_new("[");
    int plain = 0;
    for (int round = 0; round < 3000; round++) {
        g_autoptr(GString) text = g_string_new(NULL);
        for (int i = g_rand_int_range(random, 1, 5); i > 0; i--)
            g_string_append(text, pieces[g_rand_int_range(random, 0, G_N_ELEMENTS(pieces))]);
        g_autoptr(Path) path = path_parse(text->str, false, NULL);
        if (path == NULL)
            continue;
        g_autoptr(Expr) expr = expr_parse(text->str, NULL);
        g_assert_nonnull(expr);
        g_assert_nonnull(expr_plain_path(expr));
        if (++plain <= 100)
            g_string_append_printf(all, "%s%s", all->len > 1 ? ", " : "", text->str);
    }
    g_string_append_c(all, ']');
    g_assert_cmpint(plain, >, 100);
    g_autoptr(Expr) together = expr_parse(all->str, NULL);
    g_autoptr(GError) error = NULL;
    g_assert_true(expr_check(together, &error));
    g_assert_no_error(error);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/path/" #name, name)
    TEST(paths_fall_into_steps);
    TEST(each_is_refused_where_it_is_not_wanted);
    TEST(the_number_of_steps_is_bounded);
    TEST(messages_are_short_and_show_how);
    TEST(random_plain_paths_are_expressions_of_jq);
    return g_test_run();
}
