/* Templates: values stay in their places, whatever they hold. */
#include <string.h>

#include "base/error.h"
#include "provider/template.h"
#include "unit/provider_support.h"

/* Renders over a root; the text is appended behind "base". */
static bool render(const Template *template, const char *root_json, GString *out, GError **error) {
    size_t count = template_leaf_count(template);
    g_autofree const Expr **leaves = g_new(const Expr *, count + 1);
    for (size_t i = 0; i < count; i++)
        leaves[i] = template_leaf(template, i);
    g_autoptr(ExprProgram) program = expr_program_new(leaves, count);
    g_autofree ExprResult *results = g_new0(ExprResult, count + 1);
    g_auto(Value) root = support_value(root_json);
    ExprInput input = {.root = root};
    GError *failure = NULL;
    bool good = expr_program_eval(program, &input, results, &failure);
    g_assert_no_error(failure);
    g_assert_true(good);
    good = template_render(template, results, out, error);
    expr_results_clear(results, count);
    return good;
}

static void assert_renders(const char *text, TemplateKind kind, const char *root,
                           const char *expected) {
    GError *error = NULL;
    g_autoptr(Template) template = template_parse(text, kind, &error);
    g_assert_no_error(error);
    g_autoptr(GString) out = g_string_new("base");
    bool good = render(template, root, out, &error);
    g_assert_no_error(error);
    g_assert_true(good);
    g_assert_cmpstr(out->str + strlen("base"), ==, expected);
}

static void assert_fails(const char *text, TemplateKind kind, const char *root, const char *part) {
    g_autoptr(Template) template = template_parse(text, kind, NULL);
    g_assert_nonnull(template);
    g_autoptr(GString) out = g_string_new("base");
    g_autoptr(GError) error = NULL;
    g_assert_false(render(template, root, out, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    g_assert_nonnull(strstr(error->message, part));
    g_assert_cmpstr(out->str, ==, "base");
}

static void paths_take_values_in_their_places(void) {
    assert_renders("/user", TEMPLATE_PATH, "{}", "/user");
    assert_renders("/repos/\\(.repo.owner)/\\(.repo.name)/branches/\\(.b)/protection",
                   TEMPLATE_PATH, "{\"repo\":{\"owner\":\"octo\",\"name\":\"x.y\"},\"b\":\"main\"}",
                   "/repos/octo/x.y/branches/main/protection");
    assert_renders("/a/\\(.n)/\\(.f)/\\(.t)", TEMPLATE_PATH, "{\"n\":12,\"f\":1.5,\"t\":true}",
                   "/a/12/1.5/true");
    assert_renders("/a/v\\(.x)-\\(.y)", TEMPLATE_PATH, "{\"x\":\"1\",\"y\":\"2\"}", "/a/v1-2");
    assert_renders("/\\(.x | ascii_upcase)/\\(\"in\\(.x)ner\")", TEMPLATE_PATH, "{\"x\":\"a\"}",
                   "/A/inaner");
    assert_renders("/q?a=1&b=\\(.x)", TEMPLATE_PATH, "{\"x\":\"\"}", "/q?a=1&b=");
    assert_renders("/tab\\u002dstop\\/", TEMPLATE_PATH, "{}", "/tab-stop/");
}

static void values_are_percent_encoded(void) {
    assert_renders("/b/\\(.x)", TEMPLATE_PATH, "{\"x\":\"feature/a b?c#d&e=f%2F\"}",
                   "/b/feature%2Fa%20b%3Fc%23d%26e%3Df%252F");
    assert_renders("/b/\\(.x)", TEMPLATE_PATH, "{\"x\":\"\\u00e9\\u0000\"}", "/b/%C3%A9%00");
    assert_renders("\\(.x)", TEMPLATE_QUERY, "{\"x\":\"a&b=c d\"}", "a%26b%3Dc%20d");
    assert_renders("is:open \\(.x)", TEMPLATE_QUERY, "{\"x\":\"~-._\"}", "is%3Aopen%20~-._");
    assert_renders("100", TEMPLATE_QUERY, "{}", "100");
    assert_renders("", TEMPLATE_QUERY, "{}", "");
    assert_renders("\\(.x)", TEMPLATE_QUERY, "{\"x\":\"\"}", "");
}

static void text_takes_values_as_they_are(void) {
    assert_renders("token \\(.x)", TEMPLATE_TEXT, "{\"x\":\"a b\"}", "token a b");
    assert_fails("token \\(.x)", TEMPLATE_TEXT, "{\"x\":\"a\\r\\nHost: evil\"}",
                 "control character");
}

static void segments_never_vanish(void) {
    static const char *const values[] = {"", ".", ".."};
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autofree char *root = g_strdup_printf("{\"x\":\"%s\"}", values[i]);
        assert_fails("/a/\\(.x)/b", TEMPLATE_PATH, root, "change the path");
        assert_fails("/a/\\(.x)", TEMPLATE_PATH, root, "change the path");
        assert_fails("/a/\\(.x)?q=1", TEMPLATE_PATH, root, "change the path");
    }
    assert_fails("/a/.\\(.x)/b", TEMPLATE_PATH, "{\"x\":\".\"}", "change the path");
    assert_fails("/a/\\(.x)\\(.x)/b", TEMPLATE_PATH, "{\"x\":\".\"}", "change the path");
    assert_renders("/a/\\(.x)\\(.x)/b", TEMPLATE_PATH, "{\"x\":\"..\"}", "/a/..../b");
    assert_renders("/a/x\\(.x)/b", TEMPLATE_PATH, "{\"x\":\"\"}", "/a/x/b");
    assert_renders("/a?x=\\(.x)/b", TEMPLATE_PATH, "{\"x\":\"..\"}", "/a?x=../b");
}

static void what_has_no_text_is_refused_by_name(void) {
    static const char *const roots[] = {"{}", "{\"x\":null}", "{\"x\":{}}", "{\"x\":[\"a\"]}"};
    for (size_t i = 0; i < G_N_ELEMENTS(roots); i++)
        assert_fails("/a/\\(.x)", TEMPLATE_PATH, roots[i], "the value of .x ");
    assert_fails("/a/\\(.x.y)", TEMPLATE_PATH, "{\"x\":\"text\"}", "the value of .x.y ");
    assert_fails("/a/\\(.x[])", TEMPLATE_PATH, "{\"x\":[1,2]}", "single value");
    assert_fails("/a/\\(empty)", TEMPLATE_PATH, "{}", "single value");
    assert_fails("/a/\\(error(\"x\"))", TEMPLATE_PATH, "{}", "single value");
    g_autofree char *text = g_strnfill(20000, 'x');
    g_autofree char *root = g_strdup_printf("{\"x\":\"%s\"}", text);
    assert_fails("/a/\\(.x)", TEMPLATE_PATH, root, "too long");
}

static void broken_templates_are_refused(void) {
    static const struct {
        const char *text;
        TemplateKind kind;
    } cases[] = {
        {"repos", TEMPLATE_PATH},
        {"\\(.x)", TEMPLATE_PATH},
        {"", TEMPLATE_PATH},
        {"/a/\\(.x", TEMPLATE_PATH},
        {"/a/\\()", TEMPLATE_PATH},
        {"/a/\\(env)", TEMPLATE_PATH},
        {"/a/\\(.x)\" + \"b", TEMPLATE_PATH},
        {"/a\" + \"b", TEMPLATE_PATH},
        {"/a\", \"\\(.x)", TEMPLATE_PATH},
        {"/a b", TEMPLATE_PATH},
        {"/a#b", TEMPLATE_PATH},
        {"/a\\q", TEMPLATE_PATH},
        {"/a\\nb", TEMPLATE_PATH},
        {"x\\r\\n", TEMPLATE_TEXT},
        {"/a/\\(.x))\\(", TEMPLATE_PATH},
        {"/a\\u12", TEMPLATE_PATH},
        {"/a\\", TEMPLATE_PATH},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_test_message("%s", cases[i].text);
        g_autoptr(Template) template = template_parse(cases[i].text, cases[i].kind, &error);
        g_assert_null(template);
        g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    }
    g_autoptr(GString) many = g_string_new("/");
    for (int i = 0; i < 33; i++)
        g_string_append(many, "\\(.x)");
    g_assert_null(template_parse(many->str, TEMPLATE_PATH, NULL));
}

static void a_template_tells_its_expressions(void) {
    g_autoptr(Template) template =
        template_parse("/a/\\(.x.y)/\\( .z | tostring )", TEMPLATE_PATH, NULL);
    g_assert_cmpuint(template_leaf_count(template), ==, 2);
    g_assert_cmpstr(expr_source(template_leaf(template, 0)), ==, ".x.y");
    g_assert_cmpstr(expr_source(template_leaf(template, 1)), ==, " .z | tostring ");
    g_assert_cmpstr(template_text(template), ==, "/a/\\(.x.y)/\\( .z | tostring )");
}

/* Whatever bytes a value has, the path keeps its number of segments and its query. */
static void random_values_never_break_out(void) {
    static const char alphabet[] = "/?#&=%.:;@\\ \"<>ab\t\n\xc3\xa9";
    g_autoptr(Template) template =
        template_parse("/x/\\(.a)/y/\\(.b)?q=\\(.c)", TEMPLATE_PATH, NULL);
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    int rendered = 0;
    for (int round = 0; round < 2000; round++) {
        ExprResult results[3];
        for (int i = 0; i < 3; i++) {
            char text[6];
            int length = g_rand_int_range(random, 0, 6);
            for (int k = 0; k < length; k++)
                text[k] = alphabet[g_rand_int_range(random, 0, sizeof alphabet - 1)];
            results[i] =
                (ExprResult){.outcome = EXPR_ONE, .value = value_new_text(text, (size_t)length)};
        }
        g_autoptr(GString) out = g_string_new(NULL);
        if (template_render(template, results, out, NULL)) {
            rendered++;
            g_auto(GStrv) parts = g_strsplit(out->str, "?", -1);
            g_auto(GStrv) segments = g_strsplit(parts[0], "/", -1);
            g_assert_cmpuint(g_strv_length(parts), ==, 2);
            g_assert_cmpuint(g_strv_length(segments), ==, 5);
            g_assert_cmpstr(segments[3], ==, "y");
            g_assert_true(strpbrk(parts[1], "&#/ \t\n") == NULL);
            for (int k = 2; k < 5; k += 2)
                g_assert_true(segments[k][0] != '\0' && strcmp(segments[k], ".") != 0 &&
                              strcmp(segments[k], "..") != 0);
        }
        expr_results_clear(results, 3);
    }
    g_assert_cmpint(rendered, >, 1000);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/template/" #name, name)
    TEST(paths_take_values_in_their_places);
    TEST(values_are_percent_encoded);
    TEST(text_takes_values_as_they_are);
    TEST(segments_never_vanish);
    TEST(what_has_no_text_is_refused_by_name);
    TEST(broken_templates_are_refused);
    TEST(a_template_tells_its_expressions);
    TEST(random_values_never_break_out);
    return g_test_run();
}
