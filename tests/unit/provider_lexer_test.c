/* The lexer: tokens as jq 1.6 cuts them, brackets and strings closed inside the text. */
#include <string.h>

#include "base/error.h"
#include "provider/lexer.h"

/* Tokens as "kind:text" joined by spaces. */
static char *spell(const char *source) {
    static const char kinds[] = "FNV@#S<-/().$";
    GError *error = NULL;
    g_autoptr(GArray) tokens = lexer_tokens(source, &error);
    g_assert_no_error(error);
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < tokens->len; i++) {
        const Token *token = &g_array_index(tokens, Token, i);
        if (token->kind == TOKEN_END)
            break;
        g_string_append_printf(out, "%s%c:%.*s", i > 0 ? " " : "", kinds[token->kind],
                               (int)token->length, token->text);
    }
    return g_string_free(out, FALSE);
}

static void texts_are_cut_as_jq_cuts_them(void) {
    static const struct {
        const char *source;
        const char *tokens;
    } cases[] = {
        {"", ""},
        {".a.b", "F:.a F:.b"},
        {".a .b", "F:.a F:.b"},
        {". a", ".:. N:a"},
        {".[0]", ".:. (:[ #:0 ):]"},
        {"..", ".:.."},
        {"..a", ".:.. N:a"},
        {".5 + 1.e3 - 1E-2", "#:.5 .:+ #:1.e3 .:- #:1E-2"},
        {"$x|@json", "V:$x .:| @:@json"},
        {"a//b//=c", "N:a .:// N:b .://= N:c"},
        {"a<=b<c|=d==e=f", "N:a .:<= N:b .:< N:c .:|= N:d .:== N:e .:= N:f"},
        {"\"a b\"", "S:\"a b\""},
        {"\"\\\"\\\\\"", "S:\"\\\"\\\\\""},
        {"\"a\\(.b)c\"", "<:\"a\\( F:.b /:)c\""},
        {"\"\\(1)\\(2)\"", "<:\"\\( #:1 -:)\\( #:2 /:)\""},
        {"\"\\(\"in\\((1))\")\"", "<:\"\\( <:\"in\\( (:( #:1 ):) /:)\" /:)\""},
        {"1 # two \" ( \n3", "#:1 #:3"},
        {"\"# no comment\"", "S:\"# no comment\""},
        {"{a:1}", "(:{ N:a .:: #:1 ):}"},
        {"_x9 x_", "N:_x9 N:x_"},
        {".if", "F:.if"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *tokens = spell(cases[i].source);
        g_test_message("%s", cases[i].source);
        g_assert_cmpstr(tokens, ==, cases[i].tokens);
    }
}

static void kinds_are_told_apart(void) {
    static const TokenKind expected[] = {
        TOKEN_FIELD,  TOKEN_OPERATOR,   TOKEN_NAME,      TOKEN_OPEN,   TOKEN_VARIABLE,
        TOKEN_CLOSE,  TOKEN_OPERATOR,   TOKEN_TEXT_OPEN, TOKEN_NUMBER, TOKEN_TEXT_NEXT,
        TOKEN_FORMAT, TOKEN_TEXT_CLOSE, TOKEN_OPERATOR,  TOKEN_STRING, TOKEN_END,
    };
    g_autoptr(GArray) tokens = lexer_tokens(".a | f($x) + \"\\(1) \\(@json)\", \"s\"", NULL);
    g_assert_cmpuint(tokens->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < tokens->len; i++)
        g_assert_cmpint(g_array_index(tokens, Token, i).kind, ==, expected[i]);
}

static void tokens_compare_by_their_whole_text(void) {
    g_autoptr(GArray) tokens = lexer_tokens("and \"and\" an ==", NULL);
    g_assert_true(token_is(&g_array_index(tokens, Token, 0), "and"));
    g_assert_false(token_is(&g_array_index(tokens, Token, 0), "an"));
    g_assert_false(token_is(&g_array_index(tokens, Token, 1), "\"and\""));
    g_assert_false(token_is(&g_array_index(tokens, Token, 2), "and"));
    g_assert_true(token_is(&g_array_index(tokens, Token, 3), "=="));
    g_assert_false(token_is(&g_array_index(tokens, Token, 4), ""));
}

static void every_cut_of_a_nested_text_is_noticed(void) {
    static const char source[] = "{a: [\"x\\(.b | {c: (1)})y\"]}";
    for (size_t size = 1; size < sizeof source - 1; size++) {
        g_autofree char *cut = g_strndup(source, size);
        g_autoptr(GError) error = NULL;
        g_autoptr(GArray) tokens = lexer_tokens(cut, &error);
        g_assert_null(tokens);
        g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    }
    g_autoptr(GArray) whole = lexer_tokens(source, NULL);
    g_assert_nonnull(whole);
}

static void brackets_close_their_own_kind_only(void) {
    static const char *const wrong[] = {"(]", "[)", "{)", "(}",  "\"\\(]\"", "\"\\(})\"",
                                        ")",  "]",  "}",  "()]", "[[]",      "\"\\(\")"};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GArray) tokens = lexer_tokens(wrong[i], NULL);
        g_assert_null(tokens);
    }
}

static void bytes_that_jq_would_read_otherwise_are_refused(void) {
    static const char *const wrong[] = {
        "\r", "\v", "\f", "\x1b[0m", "\x7f", "\xc3", "\xed\xa0\x80", "\xc2\xa0.a", "a\\b",
        "!",  "^",  "~",  "$ a",     "$",    "@",    "@ b",          "$1",         "a::b",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GArray) tokens = lexer_tokens(wrong[i], &error);
        g_assert_null(tokens);
        g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    }
}

static void positions_count_characters(void) {
    static const char source[] = "\xc3\xa9\xe2\x82\xac x";
    g_autofree char *first = lexer_position(source, source);
    g_autofree char *last = lexer_position(source, source + strlen(source) - 1);
    g_assert_cmpstr(first, ==, "character 1");
    g_assert_cmpstr(last, ==, "character 4");
}

static void random_bytes_never_pass_unbalanced(void) {
    static const char alphabet[] = "()[]{}\"\\.a1$@#\n |,";
    g_autoptr(GRand) random = g_rand_new_with_seed(11);
    int passed = 0;
    for (int round = 0; round < 20000; round++) {
        char text[13] = {0};
        int length = g_rand_int_range(random, 1, 12);
        for (int i = 0; i < length; i++)
            text[i] = alphabet[g_rand_int_range(random, 0, sizeof alphabet - 1)];
        g_autoptr(GArray) tokens = lexer_tokens(text, NULL);
        if (tokens == NULL)
            continue;
        passed++;
        int depth = 0;
        for (guint i = 0; i < tokens->len; i++) {
            const Token *token = &g_array_index(tokens, Token, i);
            depth += token->kind == TOKEN_OPEN || token->kind == TOKEN_TEXT_OPEN;
            depth -= token->kind == TOKEN_CLOSE || token->kind == TOKEN_TEXT_CLOSE;
            g_assert_cmpint(depth, >=, 0);
            g_assert_true(token->text >= text && token->text + token->length <= text + length);
        }
        g_assert_cmpint(depth, ==, 0);
    }
    g_assert_cmpint(passed, >, 1000);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/lexer/" #name, name)
    TEST(texts_are_cut_as_jq_cuts_them);
    TEST(kinds_are_told_apart);
    TEST(tokens_compare_by_their_whole_text);
    TEST(every_cut_of_a_nested_text_is_noticed);
    TEST(brackets_close_their_own_kind_only);
    TEST(bytes_that_jq_would_read_otherwise_are_refused);
    TEST(positions_count_characters);
    TEST(random_bytes_never_pass_unbalanced);
    return g_test_run();
}
