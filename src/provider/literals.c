#include "provider/literals.h"

#include <string.h>

/* One text to look for. */
typedef struct {
    GString *text; /* lower case when cases are folded */
    bool from_begin;
    bool to_end;
} Literal;

struct Literals {
    GArray *list;
    bool fold;
};

/* A pattern that is being read. Every function gives a list of Literal, or NULL when it is not for
 * us; the lists multiply where parts follow each other. */
typedef struct {
    const char *p;
    const char *end;
    unsigned depth;
} Reader;

#define MAX_GROUPS 8 /* inside each other */

static void clear_literal(void *data) {
    Literal *literal = data;
    g_string_free(literal->text, TRUE);
}

static GArray *new_list(void) {
    GArray *list = g_array_new(FALSE, FALSE, sizeof(Literal));
    g_array_set_clear_func(list, clear_literal);
    return list;
}

static GArray *new_single(const char *text, size_t length) {
    GArray *list = new_list();
    Literal literal = {.text = g_string_new_len(text, (gssize)length)};
    g_array_append_val(list, literal);
    return list;
}

/* Nothing can stand before ^ and behind $. */
static bool join(const Literal *left, const Literal *right, Literal *out) {
    if (left->to_end || (right->from_begin && (left->text->len > 0)))
        return false;
    *out = (Literal){
        .text = g_string_new_len(left->text->str, (gssize)left->text->len),
        .from_begin = left->from_begin || right->from_begin,
        .to_end = right->to_end,
    };
    g_string_append_len(out->text, right->text->str, (gssize)right->text->len);
    return true;
}

static size_t bytes_of(const GArray *list) {
    size_t bytes = 0;
    for (guint i = 0; i < list->len; i++)
        bytes += g_array_index(list, Literal, i).text->len;
    return bytes;
}

/* Each of left followed by each of right; takes both. */
static GArray *multiply(GArray *left, GArray *right) {
    GArray *product = new_list();
    bool good = (size_t)left->len * right->len <= LITERALS_MAX;
    for (guint i = 0; good && i < left->len; i++) {
        for (guint j = 0; good && j < right->len; j++) {
            Literal joined;
            good =
                join(&g_array_index(left, Literal, i), &g_array_index(right, Literal, j), &joined);
            if (good)
                g_array_append_val(product, joined);
        }
    }
    good = good && bytes_of(product) <= LITERALS_MAX_BYTES;
    g_array_unref(left);
    g_array_unref(right);
    if (good)
        return product;
    g_array_unref(product);
    return NULL;
}

static GArray *read_alternatives(Reader *reader);

static GArray *read_group(Reader *reader) {
    if (++reader->depth > MAX_GROUPS)
        return NULL;
    reader->p++;
    GArray *list = read_alternatives(reader);
    reader->depth--;
    if (list == NULL)
        return NULL;
    if (reader->p == reader->end) { /* not closed */
        g_array_unref(list);
        return NULL;
    }
    reader->p++;
    return list;
}

static GArray *read_anchor(Reader *reader) {
    GArray *list = new_single("", 0);
    Literal *literal = &g_array_index(list, Literal, 0);
    literal->from_begin = *reader->p == '^';
    literal->to_end = *reader->p == '$';
    reader->p++;
    return list;
}

/* A run of characters that mean themselves, up to the next that does not. */
static GArray *read_text(Reader *reader) {
    static const char escaped[] = ".*+?()[]{}|^$\\/-";
    g_autoptr(GString) text = g_string_new(NULL);
    while (reader->p < reader->end && strchr("()|^$", *reader->p) == NULL) {
        char byte = *reader->p++;
        if (strchr(".*+?[]{}", byte) != NULL)
            return NULL;
        if (byte == '\\') {
            if (reader->p == reader->end || strchr(escaped, *reader->p) == NULL)
                return NULL;
            byte = *reader->p++;
        }
        g_string_append_c(text, byte);
    }
    return new_single(text->str, text->len);
}

static GArray *read_sequence(Reader *reader) {
    GArray *list = new_single("", 0);
    while (list != NULL && reader->p < reader->end && *reader->p != '|' && *reader->p != ')') {
        GArray *part = *reader->p == '('                        ? read_group(reader)
                       : *reader->p == '^' || *reader->p == '$' ? read_anchor(reader)
                                                                : read_text(reader);
        if (part == NULL) {
            g_array_unref(list);
            return NULL;
        }
        list = multiply(list, part);
    }
    return list;
}

static GArray *read_alternatives(Reader *reader) {
    GArray *list = read_sequence(reader);
    while (list != NULL && reader->p < reader->end && *reader->p == '|') {
        reader->p++;
        g_autoptr(GArray) more = read_sequence(reader);
        if (more == NULL || list->len + more->len > LITERALS_MAX) {
            g_array_unref(list);
            return NULL;
        }
        g_array_append_vals(list, more->data, more->len);
        g_array_set_clear_func(more, NULL); /* the texts have moved */
    }
    return list;
}

static bool is_ascii(const char *text, size_t length) {
    unsigned char seen = 0;
    for (size_t i = 0; i < length; i++)
        seen |= (unsigned char)text[i];
    return seen < 0x80;
}

Literals *literals_new(const char *pattern, size_t length, bool fold) {
    if (length > LITERALS_MAX_BYTES || memchr(pattern, '\0', length) != NULL ||
        (fold && !is_ascii(pattern, length)))
        return NULL;
    Reader reader = {.p = pattern, .end = pattern + length};
    GArray *list = read_alternatives(&reader);
    if (list == NULL)
        return NULL;
    if (reader.p != reader.end) {
        g_array_unref(list);
        return NULL;
    }
    for (guint i = 0; fold && i < list->len; i++)
        g_string_ascii_down(g_array_index(list, Literal, i).text);
    Literals *literals = g_new0(Literals, 1);
    literals->list = list;
    literals->fold = fold;
    return literals;
}

void literals_free(Literals *literals) {
    if (literals == NULL)
        return;
    g_array_unref(literals->list);
    g_free(literals);
}

bool literals_can_judge(const Literals *literals, const char *text, size_t length) {
    return !literals->fold || is_ascii(text, length);
}

static bool fits(const Literal *literal, const char *at, bool fold) {
    size_t length = literal->text->len;
    if (!fold)
        return memcmp(at, literal->text->str, length) == 0;
    for (size_t i = 0; i < length; i++) {
        if (g_ascii_tolower(at[i]) != literal->text->str[i])
            return false;
    }
    return true;
}

static bool occurs(const Literal *literal, const char *text, size_t length, bool fold) {
    size_t wanted = literal->text->len;
    if (wanted > length)
        return false;
    size_t last = literal->from_begin ? 0 : length - wanted;
    for (size_t at = 0; at <= last; at++) {
        size_t rest = length - at - wanted;
        bool ended = rest == 0 || (rest == 1 && text[length - 1] == '\n');
        if ((ended || !literal->to_end) && fits(literal, text + at, fold))
            return true;
    }
    return false;
}

bool literals_occur(const Literals *literals, const char *text, size_t length) {
    for (guint i = 0; i < literals->list->len; i++) {
        if (occurs(&g_array_index(literals->list, Literal, i), text, length, literals->fold))
            return true;
    }
    return false;
}
