/* template.h - URL paths and query values with places for values.
 *
 * Written as the inside of a jq string literal: `/repos/\(.repo.owner.login)/\(.repo.name)`. The
 * template is split once into literal pieces and expressions; the owner puts the expressions
 * (template_leaf) into an ExprProgram, alone or together with others, and hands the results to
 * template_render(). Every value is percent-encoded (RFC 3986 section 2.3: all but unreserved
 * characters), so that it can never break out of its place. Only strings, numbers and booleans
 * can be placed.
 *
 * A template is immutable and may be shared between threads.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "provider/expr.h"

typedef enum {
    TEMPLATE_PATH,  /* begins with '/'; a path segment may come out neither empty nor "." or ".." */
    TEMPLATE_QUERY, /* one query value, all of it percent-encoded; may come out empty */
    TEMPLATE_TEXT   /* a header or the like: values as they are, control characters refused */
} TemplateKind;

typedef struct Template Template;

/* ERROR_CONFIGURATION with the position. A path may have a query part in its text ("?a=b"). */
Template *template_parse(const char *text, TemplateKind kind,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
void template_free(Template *template);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Template, template_free)

const char *template_text(const Template *template);
/* The expressions, in order. Borrowed. */
size_t template_leaf_count(const Template *template);
const Expr *template_leaf(const Template *template, size_t index);

/* Appends the rendered text to out; results are those of the leaves, in order. ERROR_CONFIGURATION
 * names the expression that gave no value, null, or a value that cannot stand in its place; out is
 * then as it was. */
bool template_render(const Template *template, const ExprResult *results, GString *out,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
