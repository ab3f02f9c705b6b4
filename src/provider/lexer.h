/* lexer.h - the tokens of an expression, as jq 1.6 cuts them.
 *
 * The lexer is the first wall around libjq: what it does not understand exactly as jq's own lexer
 * does is refused. It checks that the text is UTF-8 without control characters, that every bracket
 * and string interpolation is closed inside the text, and that comments and strings end. Tokens
 * point into the source, which must outlive them.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Most tokens and open brackets of one expression. */
#define LEXER_MAX_TOKENS 8192
#define LEXER_MAX_DEPTH 100

typedef enum {
    TOKEN_FIELD,      /* .name */
    TOKEN_NAME,       /* a function or keyword */
    TOKEN_VARIABLE,   /* $name */
    TOKEN_FORMAT,     /* @name */
    TOKEN_NUMBER,     /* 1.5e3 */
    TOKEN_STRING,     /* "..." without interpolation, quotes included */
    TOKEN_TEXT_OPEN,  /* "...\(  */
    TOKEN_TEXT_NEXT,  /* )...\(  */
    TOKEN_TEXT_CLOSE, /* )..."   */
    TOKEN_OPEN,       /* ( [ {   */
    TOKEN_CLOSE,      /* ) ] }   */
    TOKEN_OPERATOR,   /* . .. | , ; : ? // == and the like */
    TOKEN_END
} TokenKind;

typedef struct {
    TokenKind kind;
    const char *text;
    size_t length;
} Token;

/* Whether the token is this operator, bracket or name. */
bool token_is(const Token *token, const char *text);

/* All tokens of the source, one of TOKEN_END at the end. Caller frees with g_array_unref.
 * ERROR_CONFIGURATION names the position. */
GArray *lexer_tokens(const char *source, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* "character 12": where a token stands in its source, counted from 1. Caller frees. */
char *lexer_position(const char *source, const char *at);
