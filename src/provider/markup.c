#include "provider/markup.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Up to so many attributes are compared each with each. */
#define FEW_ATTRIBUTES 16

/* What a byte is; what is none of it must not stand in a document. */
enum {
    BYTE_PLAIN = 1,  /* stands for itself in text */
    BYTE_BLANK = 2,  /* S */
    BYTE_FIRST = 4,  /* begins a name */
    BYTE_NAME = 8,   /* goes on with a name, as BYTE_HIGH does */
    BYTE_MARK = 16,  /* means something in text: < & ] */
    BYTE_HIGH = 32,  /* of a character beyond ASCII */
    BYTE_RETURN = 64 /* \r, alone or before \n */
};

static unsigned char byte_class[256];

static unsigned char class_of(int byte) {
    if (byte >= 0x80)
        return BYTE_HIGH | BYTE_FIRST;
    if (g_ascii_isalpha((char)byte) || byte == '_' || byte == ':')
        return BYTE_PLAIN | BYTE_FIRST | BYTE_NAME;
    if (g_ascii_isdigit((char)byte) || byte == '-' || byte == '.')
        return BYTE_PLAIN | BYTE_NAME;
    if (byte == '<' || byte == '&' || byte == ']')
        return BYTE_MARK;
    if (byte == '\r')
        return BYTE_RETURN | BYTE_BLANK;
    if (byte == ' ' || byte == '\t' || byte == '\n')
        return BYTE_PLAIN | BYTE_BLANK;
    return byte > 0x20 ? BYTE_PLAIN : 0;
}

static pthread_once_t classes_once = PTHREAD_ONCE_INIT;

static void fill_classes(void) {
    for (int byte = 0; byte < 256; byte++)
        byte_class[byte] = class_of(byte);
}

static inline bool is(const Markup *markup, const char *at, unsigned char class) {
    return at < markup->end && (byte_class[(unsigned char)*at] & class) != 0;
}

/* Where the bytes of a class that begin at the position end. */
static inline const char *run_of(const Markup *markup, unsigned char class) {
    const char *at = markup->at, *end = markup->end;
    while (at < end && (byte_class[(unsigned char)*at] & class) != 0)
        at++;
    return at;
}

static size_t left(const Markup *markup) {
    return (size_t)(markup->end - markup->at);
}

static inline bool looking_at(const Markup *markup, const char *text) {
    size_t length = strlen(text);
    return left(markup) >= length && memcmp(markup->at, text, length) == 0;
}

static inline bool take(Markup *markup, const char *text) {
    if (!looking_at(markup, text))
        return false;
    markup->at += strlen(text);
    return true;
}

static bool skip_blanks(Markup *markup) {
    const char *from = markup->at;
    markup->at = run_of(markup, BYTE_BLANK);
    return markup->at > from;
}

static void spans_init(MarkupSpans *spans) {
    spans->items = spans->few;
    spans->count = 0;
    spans->room = G_N_ELEMENTS(spans->few);
}

static void spans_clear(MarkupSpans *spans) {
    if (spans->items != spans->few)
        g_free(spans->items);
}

static void spans_grow(MarkupSpans *spans) {
    bool few = spans->items == spans->few;
    spans->items = g_renew(MarkupSpan, few ? NULL : spans->items, spans->room * 2);
    if (few)
        memcpy(spans->items, spans->few, sizeof spans->few);
    spans->room *= 2;
}

static inline void spans_add(MarkupSpans *spans, MarkupSpan span) {
    if (spans->count == spans->room)
        spans_grow(spans);
    spans->items[spans->count++] = span;
}

void markup_init(Markup *markup, const char *bytes, size_t size) {
    (void)pthread_once(&classes_once, fill_classes);
    memset(markup, 0, offsetof(Markup, open));
    markup->begin = markup->at = bytes;
    markup->end = bytes + size;
    spans_init(&markup->open);
    spans_init(&markup->attributes);
}

void markup_clear(Markup *markup) {
    spans_clear(&markup->open);
    spans_clear(&markup->attributes);
}

/* --- characters ------------------------------------------------------------------------------- */

/* XML 1.0, production 2. */
static bool is_char(gunichar c) {
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c < 0xd800) ||
           (c >= 0xe000 && c <= 0xfffd) || (c >= 0x10000 && c <= 0x10ffff);
}

/* The length of the character beyond ASCII at `at`, 0 when it is none. */
static size_t high_length(const Markup *markup, const char *at) {
    gunichar c = g_utf8_get_char_validated(at, (gssize)(markup->end - at));
    bool good = c != (gunichar)-1 && c != (gunichar)-2 && is_char(c);
    return good ? (size_t)(g_utf8_next_char(at) - at) : 0;
}

/* Passes the characters up to `to`; false when one may not stand in a document. */
static bool pass_chars(Markup *markup, const char *to) {
    while (markup->at < to) {
        size_t length = 1;
        if (is(markup, markup->at, BYTE_HIGH))
            length = high_length(markup, markup->at);
        else if (!is(markup, markup->at, BYTE_PLAIN | BYTE_MARK | BYTE_RETURN))
            length = 0;
        if (length == 0)
            return false;
        markup->at += length;
    }
    return true;
}

static bool read_number(Markup *markup, gunichar *c_out) {
    guint base = take(markup, "x") ? 16 : 10;
    gunichar c = 0;
    const char *from = markup->at;
    for (; markup->at < markup->end && *markup->at != ';'; markup->at++) {
        int digit = g_ascii_xdigit_value(*markup->at);
        if (digit < 0 || (guint)digit >= base || c > 0x10ffff)
            return false;
        c = c * base + (guint)digit;
    }
    *c_out = c;
    return markup->at > from && is_char(c);
}

static bool read_entity(Markup *markup, gunichar *c_out) {
    static const struct {
        const char *name;
        char c;
    } entities[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
    for (size_t i = 0; i < G_N_ELEMENTS(entities); i++) {
        size_t length = strlen(entities[i].name);
        if (left(markup) > length && markup->at[length] == ';' &&
            memcmp(markup->at, entities[i].name, length) == 0) {
            markup->at += length;
            *c_out = (gunichar)entities[i].c;
            return true;
        }
    }
    return false;
}

/* At an ampersand. */
static bool read_reference(Markup *markup, gunichar *c_out) {
    markup->at++;
    bool good = take(markup, "#") ? read_number(markup, c_out) : read_entity(markup, c_out);
    return good && take(markup, ";");
}

/* --- tags ------------------------------------------------------------------------------------- */

static bool read_name(Markup *markup, MarkupSpan *name_out) {
    const char *from = markup->at;
    if (!is(markup, from, BYTE_FIRST))
        return false;
    for (;;) {
        markup->at = run_of(markup, BYTE_NAME);
        if (!is(markup, markup->at, BYTE_HIGH))
            break;
        size_t length = high_length(markup, markup->at);
        if (length == 0)
            return false;
        markup->at += length;
    }
    *name_out = (MarkupSpan){from, (size_t)(markup->at - from)};
    return true;
}

static bool same(const MarkupSpan *a, const MarkupSpan *b) {
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

/* Passes the characters and references of a value up to its quote. */
static bool pass_value(Markup *markup, char quote) {
    while (markup->at < markup->end && *markup->at != quote) {
        gunichar c;
        if (is(markup, markup->at, BYTE_PLAIN)) {
            markup->at++;
            continue;
        }
        if (*markup->at == '<')
            return false;
        if (*markup->at == '&') {
            if (!read_reference(markup, &c))
                return false;
        } else if (!pass_chars(markup, markup->at + 1)) {
            return false;
        }
    }
    return markup->at < markup->end;
}

static bool read_attribute(Markup *markup, MarkupSpan *name, MarkupSpan *value) {
    if (!read_name(markup, name))
        return false;
    skip_blanks(markup);
    if (!take(markup, "="))
        return false;
    skip_blanks(markup);
    if (!looking_at(markup, "\"") && !looking_at(markup, "'"))
        return false;
    char quote = *markup->at++;
    value->text = markup->at;
    if (!pass_value(markup, quote))
        return false;
    value->length = (size_t)(markup->at - value->text);
    markup->at++;
    return true;
}

static const MarkupSpan *attribute_name(const Markup *markup, size_t index) {
    return &markup->attributes.items[index * 2];
}

static int compare_names(const void *a, const void *b) {
    const MarkupSpan *one = *(const MarkupSpan *const *)a, *other = *(const MarkupSpan *const *)b;
    int order = memcmp(one->text, other->text, MIN(one->length, other->length));
    return order != 0 ? order : (one->length > other->length) - (one->length < other->length);
}

static bool many_come_once(const Markup *markup, size_t count) {
    g_autofree const MarkupSpan **names = g_new(const MarkupSpan *, count);
    for (size_t i = 0; i < count; i++)
        names[i] = attribute_name(markup, i);
    qsort(names, count, sizeof(names[0]), compare_names);
    for (size_t i = 1; i < count; i++) {
        if (same(names[i - 1], names[i]))
            return false;
    }
    return true;
}

static bool attributes_come_once(const Markup *markup) {
    size_t count = markup->attributes.count / 2;
    if (count > FEW_ATTRIBUTES)
        return many_come_once(markup, count);
    for (size_t i = 1; i < count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (same(attribute_name(markup, i), attribute_name(markup, k)))
                return false;
        }
    }
    return true;
}

static MarkupKind tell(Markup *markup, MarkupKind kind, const MarkupSpan *what) {
    markup->text = what->text;
    markup->length = what->length;
    return kind;
}

static MarkupKind read_start(Markup *markup) {
    MarkupSpan name, attribute[2];
    if ((markup->rooted && markup->open.count == 0) || !read_name(markup, &name))
        return MARKUP_BROKEN;
    markup->attributes.count = 0;
    bool apart = skip_blanks(markup);
    while (!looking_at(markup, ">") && !looking_at(markup, "/")) {
        if (!apart || !read_attribute(markup, &attribute[0], &attribute[1]))
            return MARKUP_BROKEN;
        spans_add(&markup->attributes, attribute[0]);
        spans_add(&markup->attributes, attribute[1]);
        apart = skip_blanks(markup);
    }
    markup->empty = take(markup, "/");
    if (!take(markup, ">") || !attributes_come_once(markup))
        return MARKUP_BROKEN;
    markup->rooted = true;
    spans_add(&markup->open, name);
    return tell(markup, MARKUP_START, &name);
}

static MarkupKind end_innermost(Markup *markup) {
    MarkupSpan name = markup->open.items[--markup->open.count];
    markup->empty = false;
    return tell(markup, MARKUP_END, &name);
}

/* What is the same as the name of the start needs no reading but to where it ends. */
static MarkupKind read_end(Markup *markup) {
    if (markup->open.count == 0)
        return MARKUP_BROKEN;
    const MarkupSpan *name = &markup->open.items[markup->open.count - 1];
    if (left(markup) < name->length || memcmp(markup->at, name->text, name->length) != 0)
        return MARKUP_BROKEN;
    markup->at += name->length;
    skip_blanks(markup);
    return take(markup, ">") ? end_innermost(markup) : MARKUP_BROKEN;
}

/* --- what is passed over ---------------------------------------------------------------------- */

/* Passes characters up to the text, and the text; false when it does not come. */
static bool pass_to(Markup *markup, const char *text) {
    const char *to = memmem(markup->at, left(markup), text, strlen(text));
    return to != NULL && pass_chars(markup, to) && take(markup, text);
}

static bool pass_comment(Markup *markup) {
    return pass_to(markup, "--") && take(markup, ">");
}

static bool pass_instruction(Markup *markup) {
    MarkupSpan target;
    if (!read_name(markup, &target) ||
        (target.length == 3 && g_ascii_strncasecmp(target.text, "xml", 3) == 0))
        return false;
    return take(markup, "?>") || (skip_blanks(markup) && pass_to(markup, "?>"));
}

static bool is_text(const MarkupSpan *span, const char *text) {
    return same(span, &(MarkupSpan){text, strlen(text)});
}

static bool is_word(const MarkupSpan *span) {
    for (size_t i = 0; i < span->length; i++) {
        char c = span->text[i];
        if (!g_ascii_isalnum(c) && c != '.' && c != '-' && c != '_')
            return false;
    }
    return true;
}

/* One of version, encoding and standalone: 1, 2, 3; 0 for anything else. */
static int read_declared(Markup *markup) {
    MarkupSpan name, value;
    if (!read_attribute(markup, &name, &value) || !is_word(&value))
        return 0;
    if (is_text(&name, "version"))
        return 1;
    if (is_text(&name, "encoding"))
        return g_ascii_isalpha(value.text[0]) ? 2 : 0;
    bool known = is_text(&value, "yes") || is_text(&value, "no");
    return is_text(&name, "standalone") && known ? 3 : 0;
}

/* The declaration, behind "<?xml". */
static bool pass_declaration(Markup *markup) {
    int last = 0;
    bool apart = skip_blanks(markup);
    while (!take(markup, "?>")) {
        int next = apart ? read_declared(markup) : 0;
        if (next <= last || (last == 0 && next != 1))
            return false;
        last = next;
        apart = skip_blanks(markup);
    }
    return last > 0;
}

static bool pass_beginning(Markup *markup) {
    take(markup, "\xef\xbb\xbf");
    if (!looking_at(markup, "<?xml") || !is(markup, markup->at + 5, BYTE_BLANK))
        return true;
    markup->at += 5;
    return pass_declaration(markup);
}

/* --- text ------------------------------------------------------------------------------------- */

static MarkupKind tell_character(Markup *markup, gunichar c) {
    MarkupSpan character = {markup->character, (size_t)g_unichar_to_utf8(c, markup->character)};
    return tell(markup, MARKUP_TEXT, &character);
}

/* "\r\n" and "\r" are "\n". */
static MarkupKind read_return(Markup *markup) {
    markup->at++;
    (void)take(markup, "\n");
    return tell_character(markup, '\n');
}

/* Whether the byte at the position, which is not plain, belongs to a run of text; if so it is
 * passed. */
static bool pass_mark(Markup *markup) {
    if (is(markup, markup->at, BYTE_HIGH)) {
        size_t length = high_length(markup, markup->at);
        markup->at += length;
        return length > 0;
    }
    bool here = markup->cdata ? is(markup, markup->at, BYTE_MARK) : looking_at(markup, "]");
    if (!here || looking_at(markup, "]]>"))
        return false;
    markup->at++;
    return true;
}

/* At something that is no end of the text around it. */
static MarkupKind read_text(Markup *markup) {
    const char *from = markup->at;
    do {
        markup->at = run_of(markup, BYTE_PLAIN);
    } while (markup->at < markup->end && pass_mark(markup));
    if (markup->at > from) {
        MarkupSpan piece = {from, (size_t)(markup->at - from)};
        return tell(markup, MARKUP_TEXT, &piece);
    }
    gunichar c;
    if (is(markup, markup->at, BYTE_RETURN))
        return read_return(markup);
    if (!markup->cdata && looking_at(markup, "&") && read_reference(markup, &c))
        return tell_character(markup, c);
    return MARKUP_BROKEN;
}

/* --- the document ----------------------------------------------------------------------------- */

/* Behind "<!". */
static MarkupKind read_declaration(Markup *markup) {
    if (take(markup, "--"))
        return pass_comment(markup) ? MARKUP_OVER : MARKUP_BROKEN;
    if (markup->open.count > 0 && take(markup, "[CDATA[")) {
        markup->cdata = true;
        return MARKUP_OVER;
    }
    return !markup->rooted && looking_at(markup, "DOCTYPE") ? MARKUP_DOCTYPE : MARKUP_BROKEN;
}

/* At a "<". MARKUP_OVER: it was something to pass over. */
static MarkupKind read_tag(Markup *markup) {
    markup->at++;
    switch (markup->at < markup->end ? *markup->at : '\0') {
    case '/':
        markup->at++;
        return read_end(markup);
    case '?':
        markup->at++;
        return pass_instruction(markup) ? MARKUP_OVER : MARKUP_BROKEN;
    case '!':
        markup->at++;
        return read_declaration(markup);
    default:
        return read_start(markup);
    }
}

static MarkupKind read_outside(Markup *markup) {
    skip_blanks(markup);
    markup->event = (size_t)(markup->at - markup->begin);
    if (markup->at == markup->end)
        return MARKUP_OVER;
    return *markup->at == '<' ? read_tag(markup) : MARKUP_BROKEN;
}

static MarkupKind read_inside(Markup *markup) {
    if (markup->cdata && take(markup, "]]>"))
        markup->cdata = false;
    markup->event = (size_t)(markup->at - markup->begin);
    if (markup->at == markup->end)
        return MARKUP_BROKEN;
    return *markup->at == '<' && !markup->cdata ? read_tag(markup) : read_text(markup);
}

MarkupKind markup_next(Markup *markup) {
    if (markup->empty)
        return end_innermost(markup);
    if (markup->at == markup->begin && !pass_beginning(markup))
        return MARKUP_BROKEN;
    for (;;) {
        MarkupKind kind = markup->open.count > 0 ? read_inside(markup) : read_outside(markup);
        if (kind != MARKUP_OVER)
            return kind;
        if (markup->at == markup->end && markup->open.count == 0)
            return markup->rooted ? MARKUP_OVER : MARKUP_BROKEN;
    }
}

/* References are good: the value has been passed once. Blanks are spaces (XML 1.0, 3.3.3). */
static void append_value(const MarkupSpan *span, GString *out) {
    Markup markup, *value = &markup;
    markup_init(value, span->text, span->length);
    while (value->at < value->end) {
        gunichar c = (unsigned char)*value->at;
        if (c == '&' && read_reference(value, &c)) {
            g_string_append_unichar(out, c);
            continue;
        }
        if (looking_at(value, "\r\n"))
            value->at++;
        g_string_append_c(out, is(value, value->at, BYTE_BLANK) ? ' ' : *value->at);
        value->at++;
    }
}

bool markup_attribute(const Markup *markup, const char *name, GString *value_out) {
    for (size_t i = 0; i < markup->attributes.count / 2; i++) {
        const MarkupSpan *attribute = attribute_name(markup, i);
        if (!is_text(attribute, name))
            continue;
        if (value_out != NULL)
            append_value(&attribute[1], value_out);
        return true;
    }
    return false;
}
