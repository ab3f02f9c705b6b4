/* exchange.h - recorded exchanges, one {"request", "response"} a line: the tests of definitions.
 *
 *     {"request": {"method": "GET", "url": "https://api.github.com/user"},
 *      "response": {"status": 200, "headers": {"link": "..."}, "body": {"login": "mona"}}}
 *
 * A body that is text stands for its bytes, any other value for its JSON (that of a request as it
 * is sent, with its keys sorted). An Exchanges answers each
 * request with the first exchange of its method, URL and body that was not used; the last one of
 * a request is used again and again (an answer does not run out).
 */
#pragma once

#include "net/header.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define EXCHANGES_MAX_SIZE (64 * 1024 * 1024)

typedef struct Exchanges Exchanges;

typedef struct {
    int status;
    const NetHeaders *headers;
    const char *body;
    size_t body_size;
} ExchangeAnswer;

Exchanges *exchanges_new(void);
void exchanges_free(Exchanges *exchanges);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Exchanges, exchanges_free)

/* Adds the exchanges of one text, a JSON object a line; blank lines are passed over, and so are
 * objects without a "request". ERROR_CONFIGURATION names the line, ERROR_LIMIT when the text is
 * larger than EXCHANGES_MAX_SIZE. */
bool exchanges_add(Exchanges *exchanges, const char *text, size_t size,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The answer to a request, borrowed; false when none was recorded. body may be NULL. */
bool exchanges_find(Exchanges *exchanges, const char *method, const char *url, const char *body,
                    ExchangeAnswer *answer_out);
