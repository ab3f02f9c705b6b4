#include "provider/lexer.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

typedef struct {
    const char *source;
    const char *p;
    GArray *tokens;
    char open[LEXER_MAX_DEPTH]; /* '(' '[' '{', and '"' for an interpolation */
    size_t depth;
} Lexer;

bool token_is(const Token *token, const char *text) {
    return token->kind != TOKEN_STRING && token->kind != TOKEN_END &&
           strlen(text) == token->length && memcmp(token->text, text, token->length) == 0;
}

char *lexer_position(const char *source, const char *at) {
    return g_strdup_printf("character %ld", g_utf8_pointer_to_offset(source, at) + 1);
}

static bool refuse(const Lexer *lexer, const char *at, const char *what, GError **error) {
    g_autofree char *position = lexer_position(lexer->source, at);
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "%s at %s of the expression.", what,
                position);
    return false;
}

static void add(Lexer *lexer, TokenKind kind, const char *start) {
    Token token = {.kind = kind, .text = start, .length = (size_t)(lexer->p - start)};
    g_array_append_val(lexer->tokens, token);
}

static bool push(Lexer *lexer, char bracket, GError **error) {
    if (lexer->depth == LEXER_MAX_DEPTH)
        return refuse(lexer, lexer->p, "Too many open brackets", error);
    lexer->open[lexer->depth++] = bracket;
    return true;
}

/* The rest of a string, up to its quote or an interpolation; start is where the token begins. */
static bool take_text(Lexer *lexer, const char *start, bool inside, GError **error) {
    for (; *lexer->p != '"'; lexer->p++) {
        if (*lexer->p == '\0')
            return refuse(lexer, start, "A string is not closed", error);
        if (*lexer->p != '\\')
            continue;
        lexer->p++;
        if (*lexer->p == '(') {
            lexer->p++;
            add(lexer, inside ? TOKEN_TEXT_NEXT : TOKEN_TEXT_OPEN, start);
            return push(lexer, '"', error);
        }
        if (*lexer->p == '\0' || strchr("\"\\/bfnrtu", *lexer->p) == NULL)
            return refuse(lexer, lexer->p - 1, "An escape is unknown", error);
    }
    lexer->p++;
    add(lexer, inside ? TOKEN_TEXT_CLOSE : TOKEN_STRING, start);
    return true;
}

static bool take_close(Lexer *lexer, GError **error) {
    static const char pairs[] = "()[]{}\")";
    const char *start = lexer->p;
    if (lexer->depth == 0)
        return refuse(lexer, start, "A closing bracket has no opening one", error);
    char open = lexer->open[--lexer->depth];
    const char *pair = strchr(pairs, open);
    if (pair == NULL || pair[1] != *start)
        return refuse(lexer, start, "A closing bracket has no opening one", error);
    lexer->p++;
    if (open == '"')
        return take_text(lexer, start, true, error);
    add(lexer, TOKEN_CLOSE, start);
    return true;
}

static bool is_name_start(char byte) {
    return g_ascii_isalpha(byte) || byte == '_';
}

static void take_name(Lexer *lexer) {
    while (is_name_start(*lexer->p) || g_ascii_isdigit(*lexer->p))
        lexer->p++;
}

/* A name behind a sigil ('.', '$', '@') of one byte, or without one. */
static bool take_word(Lexer *lexer, TokenKind kind, size_t sigil, GError **error) {
    const char *start = lexer->p;
    lexer->p += sigil;
    if (!is_name_start(*lexer->p))
        return refuse(lexer, start, "A name is missing", error);
    take_name(lexer);
    if (lexer->p[0] == ':' && lexer->p[1] == ':')
        return refuse(lexer, start, "Modules are not allowed", error);
    add(lexer, kind, start);
    return true;
}

static bool take_number(Lexer *lexer, GError **error) {
    const char *start = lexer->p;
    while (g_ascii_isdigit(*lexer->p) || *lexer->p == '.')
        lexer->p++;
    if (*lexer->p == 'e' || *lexer->p == 'E') {
        lexer->p++;
        if (*lexer->p == '+' || *lexer->p == '-')
            lexer->p++;
        if (!g_ascii_isdigit(*lexer->p))
            return refuse(lexer, start, "A number is malformed", error);
        while (g_ascii_isdigit(*lexer->p))
            lexer->p++;
    }
    if (is_name_start(*lexer->p))
        return refuse(lexer, start, "A number is malformed", error);
    add(lexer, TOKEN_NUMBER, start);
    return true;
}

static bool take_operator(Lexer *lexer, GError **error) {
    static const char *const operators[] = {
        "?//", "//=", "..", "//", "==", "!=", "<=", ">=", "|=", "+=", "-=", "*=", "/=", "%=",
        ".",   "|",   ",",  ";",  ":",  "?",  "=",  "<",  ">",  "+",  "-",  "*",  "/",  "%",
    };
    const char *start = lexer->p;
    for (size_t i = 0; i < G_N_ELEMENTS(operators); i++) {
        size_t length = strlen(operators[i]);
        if (strncmp(start, operators[i], length) != 0)
            continue;
        lexer->p += length;
        if (i == 0) /* the alternatives of a destructuring hide what is bound */
            return refuse(lexer, start, "\"?//\" is not allowed", error);
        add(lexer, TOKEN_OPERATOR, start);
        return true;
    }
    return refuse(lexer, start, "A character cannot stand here", error);
}

static bool take_token(Lexer *lexer, GError **error) {
    const char *start = lexer->p;
    switch (*start) {
    case '"':
        lexer->p++;
        return take_text(lexer, start, false, error);
    case '(':
    case '[':
    case '{':
        lexer->p++;
        add(lexer, TOKEN_OPEN, start);
        return push(lexer, *start, error);
    case ')':
    case ']':
    case '}':
        return take_close(lexer, error);
    case '$': /* jq lets white space follow, which would hide a name from us */
        return take_word(lexer, TOKEN_VARIABLE, 1, error);
    case '@':
        return take_word(lexer, TOKEN_FORMAT, 1, error);
    case '.':
        if (is_name_start(start[1]))
            return take_word(lexer, TOKEN_FIELD, 1, error);
        return g_ascii_isdigit(start[1]) ? take_number(lexer, error) : take_operator(lexer, error);
    default:
        if (is_name_start(*start))
            return take_word(lexer, TOKEN_NAME, 0, error);
        return g_ascii_isdigit(*start) ? take_number(lexer, error) : take_operator(lexer, error);
    }
}

/* White space, and comments: to the end of the line, as jq 1.6 has them. */
static void skip_blank(Lexer *lexer) {
    for (;;) {
        while (*lexer->p == ' ' || *lexer->p == '\n' || *lexer->p == '\t')
            lexer->p++;
        if (*lexer->p != '#')
            return;
        while (*lexer->p != '\0' && *lexer->p != '\n')
            lexer->p++;
    }
}

static bool check_bytes(const Lexer *lexer, GError **error) {
    if (!text_is_utf8(lexer->source, strlen(lexer->source))) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "The expression is not UTF-8 text.");
        return false;
    }
    for (const char *p = lexer->source; *p != '\0'; p++) {
        bool control = (unsigned char)*p < 0x20 || *p == 0x7f;
        if (control && *p != '\n' && *p != '\t')
            return refuse(lexer, p, "A control character cannot stand here", error);
    }
    return true;
}

static bool run(Lexer *lexer, GError **error) {
    if (!check_bytes(lexer, error))
        return false;
    for (skip_blank(lexer); *lexer->p != '\0'; skip_blank(lexer)) {
        if (lexer->tokens->len >= LEXER_MAX_TOKENS)
            return refuse(lexer, lexer->p, "Too many words", error);
        if (!take_token(lexer, error))
            return false;
    }
    if (lexer->depth > 0)
        return refuse(lexer, lexer->p, "A bracket is not closed", error);
    add(lexer, TOKEN_END, lexer->p);
    return true;
}

GArray *lexer_tokens(const char *source, GError **error) {
    Lexer lexer = {
        .source = source,
        .p = source,
        .tokens = g_array_new(FALSE, FALSE, sizeof(Token)),
    };
    if (run(&lexer, error))
        return lexer.tokens;
    g_array_unref(lexer.tokens);
    return NULL;
}
