#include "provider/template.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "provider/lexer.h"

/* Most places of one template, and the longest text that one may be rendered to. */
#define MAX_LEAVES 32
#define MAX_RENDERED 16384

struct Template {
    char *text;
    TemplateKind kind;
    GPtrArray *literals; /* char *: one more than there are leaves */
    GPtrArray *leaves;   /* Expr * */
};

void template_free(Template *template) {
    if (template == NULL)
        return;
    g_free(template->text);
    g_ptr_array_unref(template->literals);
    g_ptr_array_unref(template->leaves);
    g_free(template);
}

static void free_leaf(void *leaf) {
    expr_free(leaf);
}

/* The text that a piece of a string literal stands for: a token without its two ends. */
static bool add_literal(Template *template, const Token *token, size_t behind, GError **error) {
    g_autofree char *quoted =
        g_strdup_printf("\"%.*s\"", (int)(token->length - 1 - behind), token->text + 1);
    g_auto(Value) value = VALUE_NONE;
    if (!value_parse(quoted, strlen(quoted), &value, NULL) || value_text(value) == NULL) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "\"%.80s\" has an escape that cannot be read.", template->text);
        return false;
    }
    g_ptr_array_add(template->literals, g_strdup(value_text(value)));
    return true;
}

static bool add_leaf(Template *template, const char *from, const char *to, GError **error) {
    if (template->leaves->len == MAX_LEAVES) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "\"%.80s\" has more than %d places for values.", template->text, MAX_LEAVES);
        return false;
    }
    g_autofree char *source = g_strndup(from, (size_t)(to - from));
    Expr *leaf = expr_parse(source, error);
    if (leaf == NULL) {
        g_prefix_error(error, "In \"%.80s\": ", template->text);
        return false;
    }
    g_ptr_array_add(template->leaves, leaf);
    return true;
}

/* Splits the tokens of one string literal into its own pieces and the expressions between them;
 * strings inside those expressions have pieces too, which do not count. */
static bool split(Template *template, const Token *tokens, GError **error) {
    if (tokens[0].kind == TOKEN_STRING && tokens[1].kind == TOKEN_END)
        return add_literal(template, &tokens[0], 1, error);
    size_t depth = 0;
    bool ended = false;
    const char *leaf = NULL;
    for (const Token *token = tokens; token->kind != TOKEN_END && !ended; token++) {
        bool open = token->kind == TOKEN_TEXT_OPEN, close = token->kind == TOKEN_TEXT_CLOSE;
        bool outermost = depth == (open ? 0 : 1);
        depth = depth + open - close;
        if (!outermost || !(open || close || token->kind == TOKEN_TEXT_NEXT))
            continue;
        if (!open && !add_leaf(template, leaf, token->text, error))
            return false;
        if (!add_literal(template, token, close ? 1 : 2, error))
            return false;
        leaf = token->text + token->length;
        ended = close;
    }
    if (ended && *leaf == '\0')
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                "\"%.80s\" cannot be read as the inside of a jq string.", template->text);
    return false;
}

static bool check_literals(const Template *template, GError **error) {
    const char *first = template->literals->pdata[0];
    if (template->kind == TEMPLATE_PATH && first[0] != '/') {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "The path \"%.80s\" does not begin with a slash.", template->text);
        return false;
    }
    for (guint i = 0; i < template->literals->len; i++) {
        for (const char *p = template->literals->pdata[i]; *p != '\0'; p++) {
            bool control = (unsigned char)*p < 0x20 || *p == 0x7f;
            bool blank = template->kind == TEMPLATE_PATH && strchr(" #\\\"<>", *p) != NULL;
            if (!control && !blank)
                continue;
            g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                        "\"%.80s\" has a character that cannot stand there.", template->text);
            return false;
        }
    }
    return true;
}

/* A query value is encoded whole, also what the definition wrote in plain. */
static void encode_literals(Template *template) {
    for (guint i = 0; i < template->literals->len; i++) {
        char *plain = template->literals->pdata[i];
        template->literals->pdata[i] = text_percent_encode(plain, strlen(plain));
        g_free(plain);
    }
}

Template *template_parse(const char *text, TemplateKind kind, GError **error) {
    g_autoptr(Template) template = g_new0(Template, 1);
    template->text = g_strdup(text);
    template->kind = kind;
    template->literals = g_ptr_array_new_with_free_func(g_free);
    template->leaves = g_ptr_array_new_with_free_func(free_leaf);
    g_autofree char *quoted = g_strdup_printf("\"%s\"", text);
    g_autoptr(GArray) tokens = lexer_tokens(quoted, error);
    if (tokens == NULL) {
        g_prefix_error(error, "In \"%.80s\": ", text);
        return NULL;
    }
    if (!split(template, (const Token *)(const void *)tokens->data, error) ||
        !check_literals(template, error))
        return NULL;
    if (kind == TEMPLATE_QUERY)
        encode_literals(template);
    return g_steal_pointer(&template);
}

const char *template_text(const Template *template) {
    return template->text;
}

size_t template_leaf_count(const Template *template) {
    return template->leaves->len;
}

const Expr *template_leaf(const Template *template, size_t index) {
    return template->leaves->pdata[index];
}

/* Rendering. */

static bool refuse(const Template *template, size_t index, const char *why, GError **error) {
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "In \"%s\" the value of %s %s.",
                template->text, expr_source(template_leaf(template, index)), why);
    return false;
}

static bool is_unreserved(char byte) {
    return g_ascii_isalnum(byte) || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

/* RFC 3986 section 2.1, without a copy. */
static void append_encoded(GString *out, const char *text, size_t length) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < length; i++) {
        size_t run = i;
        while (run < length && is_unreserved(text[run]))
            run++;
        g_string_append_len(out, text + i, (gssize)(run - i));
        if (run == length)
            return;
        unsigned char byte = (unsigned char)text[run];
        char encoded[3] = {'%', digits[byte >> 4], digits[byte & 15]};
        g_string_append_len(out, encoded, sizeof encoded);
        i = run;
    }
}

static bool has_control(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return true;
    }
    return false;
}

static bool append_text(const Template *template, size_t index, Value value, GString *out,
                        GError **error) {
    const char *text = value_text(value);
    size_t length = value_length(value);
    if (length > MAX_RENDERED)
        return refuse(template, index, "is too long", error);
    if (template->kind != TEMPLATE_TEXT)
        append_encoded(out, text, length);
    else if (has_control(text, length))
        return refuse(template, index, "has a control character", error);
    else
        g_string_append_len(out, text, (gssize)length);
    return true;
}

static bool append_value(const Template *template, size_t index, const ExprResult *result,
                         GString *out, GError **error) {
    if (result->outcome != EXPR_ONE)
        return refuse(template, index, "cannot be computed to a single value", error);
    switch (value_kind(result->value)) {
    case VALUE_KIND_STRING:
        return append_text(template, index, result->value, out, error);
    case VALUE_KIND_NUMBER:
    case VALUE_KIND_BOOL: {
        g_autofree char *json = value_to_json(result->value);
        append_encoded(out, json, strlen(json));
        return true;
    }
    case VALUE_KIND_NONE:
    case VALUE_KIND_NULL:
        return refuse(template, index, "is null", error);
    default:
        return refuse(template, index, "is not text or a number", error);
    }
}

/* Whether a segment is what RFC 3986 section 5.2.4 removes, or empty, which servers fold away. */
static bool vanishes(const char *segment, size_t length) {
    return length == 0 || (length == 1 && segment[0] == '.') ||
           (length == 2 && segment[0] == '.' && segment[1] == '.');
}

/* Segments with a value in them must remain segments. from is where the rendered path begins; the
 * bounds are the places in out where values stand. */
static bool check_segment(const Template *template, size_t index, const GString *out, gsize from,
                          gsize begin, GError **error) {
    const char *query = memchr(out->str + from, '?', out->len - from);
    if (query != NULL && (gsize)(query - out->str) < begin)
        return true;
    while (begin > from && out->str[begin - 1] != '/')
        begin--;
    size_t length = strcspn(out->str + begin, "/?");
    if (!vanishes(out->str + begin, length))
        return true;
    return refuse(template, index, "is empty or dots and would change the path", error);
}

static bool check_segments(const Template *template, const gsize *begins, const GString *out,
                           gsize from, GError **error) {
    if (template->kind != TEMPLATE_PATH)
        return true;
    for (guint i = 0; i < template->leaves->len; i++) {
        if (!check_segment(template, i, out, from, begins[i], error))
            return false;
    }
    return true;
}

bool template_render(const Template *template, const ExprResult *results, GString *out,
                     GError **error) {
    gsize from = out->len;
    gsize begins[MAX_LEAVES];
    bool good = true;
    g_string_append(out, template->literals->pdata[0]);
    for (guint i = 0; good && i < template->leaves->len; i++) {
        begins[i] = out->len;
        good = append_value(template, i, &results[i], out, error);
        g_string_append(out, template->literals->pdata[i + 1]);
    }
    good = good && check_segments(template, begins, out, from, error);
    if (!good)
        g_string_truncate(out, from);
    return good;
}
