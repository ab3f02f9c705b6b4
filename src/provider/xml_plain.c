#include "provider/xml_plain.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

#define MAX_ATTRIBUTES 8

typedef struct {
    const char *text;
    size_t length;
} Name;

typedef struct {
    const char *p;
    const char *end;
    const XmlTaker *taker;
    void *data;
    size_t depth;
    Name open[XML_PLAIN_MAX_DEPTH];
} Plain;

/* --- bytes ------------------------------------------------------------------------------------ */

enum { IN_NAME = 1, BEGINS_NAME = 2, IN_TEXT = 4, IN_VALUE = 8, BLANK = 16 };

#define TEXT (IN_TEXT | IN_VALUE)
#define LETTER (IN_NAME | BEGINS_NAME | TEXT)
#define OTHER (IN_NAME | TEXT)

static const uint8_t classes[256] = {
    ['\t'] = IN_TEXT | BLANK,
    ['\n'] = IN_TEXT | BLANK,
    [' '] = TEXT | BLANK,
    ['!' ... '%'] = TEXT,
    ['\'' ... ','] = TEXT,
    ['-'] = OTHER,
    ['.'] = OTHER,
    ['/'] = TEXT,
    ['0' ... '9'] = OTHER,
    [':'] = LETTER,
    [';'] = TEXT,
    ['='] = TEXT,
    ['>'] = IN_VALUE,
    ['?'] = TEXT,
    ['@'] = TEXT,
    ['A' ... 'Z'] = LETTER,
    ['['] = TEXT,
    ['\\'] = TEXT,
    [']'] = TEXT,
    ['^'] = TEXT,
    ['_'] = LETTER,
    ['`'] = TEXT,
    ['a' ... 'z'] = LETTER,
    ['{' ... '~'] = TEXT,
    [0x7f] = TEXT,
    [0x80 ... 0xff] = TEXT,
};

static bool is(const Plain *plain, uint8_t class) {
    return plain->p < plain->end && (classes[(uint8_t)*plain->p] & class) != 0;
}

static void pass(Plain *plain, uint8_t class) {
    const char *p = plain->p;
    while (p < plain->end && (classes[(uint8_t)*p] & class) != 0)
        p++;
    plain->p = p;
}

static bool pass_text(Plain *plain, const char *text, size_t length) {
    if ((size_t)(plain->end - plain->p) < length || memcmp(plain->p, text, length) != 0)
        return false;
    plain->p += length;
    return true;
}

static bool pass_byte(Plain *plain, char byte) {
    if (plain->p == plain->end || *plain->p != byte)
        return false;
    plain->p++;
    return true;
}

/* --- tags ------------------------------------------------------------------------------------- */

static bool read_name(Plain *plain, Name *name_out) {
    const char *start = plain->p;
    if (!is(plain, BEGINS_NAME))
        return false;
    pass(plain, IN_NAME);
    *name_out = (Name){start, (size_t)(plain->p - start)};
    return true;
}

static bool is_same(const Name *a, const Name *b) {
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

/* Its value has no blanks but spaces and no entities, so that it stands for itself. */
static bool read_attribute(Plain *plain, Name *name_out, Name *value_out) {
    if (!read_name(plain, name_out) || !pass_byte(plain, '='))
        return false;
    char quote = plain->p < plain->end ? *plain->p : '\0';
    if (quote != '"' && quote != '\'')
        return false;
    const char *start = ++plain->p;
    while (is(plain, IN_VALUE) && *plain->p != quote)
        plain->p++;
    *value_out = (Name){start, (size_t)(plain->p - start)};
    return pass_byte(plain, quote);
}

static bool read_attributes(Plain *plain, XmlTag *tag) {
    static const Name type = {"xsi:type", 8};
    Name names[MAX_ATTRIBUTES];
    for (size_t count = 0; is(plain, BLANK); count++) {
        Name value;
        pass(plain, BLANK);
        if (!is(plain, BEGINS_NAME))
            return true;
        if (count == MAX_ATTRIBUTES || !read_attribute(plain, &names[count], &value))
            return false;
        for (size_t i = 0; i < count; i++) {
            if (is_same(&names[i], &names[count]))
                return false;
        }
        if (is_same(&names[count], &type)) {
            tag->type = value.text;
            tag->type_length = value.length;
        }
    }
    return true;
}

static bool end_element(Plain *plain) {
    plain->depth--;
    return plain->taker->end(plain->data);
}

/* Behind the "<" of an opening tag. */
static bool read_begin(Plain *plain) {
    XmlTag tag = {0};
    Name name;
    if (plain->depth == XML_PLAIN_MAX_DEPTH || !read_name(plain, &name))
        return false;
    if (!read_attributes(plain, &tag))
        return false;
    bool empty = pass_byte(plain, '/');
    if (!pass_byte(plain, '>'))
        return false;
    tag.name = name.text;
    tag.length = name.length;
    plain->open[plain->depth++] = name;
    return plain->taker->begin(plain->data, &tag) && (!empty || end_element(plain));
}

/* Behind the "</" of a closing tag. */
static bool read_end(Plain *plain) {
    Name name;
    if (!read_name(plain, &name) || !is_same(&name, &plain->open[plain->depth - 1]))
        return false;
    pass(plain, BLANK);
    return pass_byte(plain, '>') && end_element(plain);
}

/* --- text ------------------------------------------------------------------------------------- */

static bool give_text(const Plain *plain, const char *text, size_t length) {
    return length == 0 || plain->taker->text(plain->data, text, length);
}

static bool read_entity(Plain *plain) {
    static const struct {
        const char *name;
        size_t length;
        char character;
    } entities[] = {
        {"&amp;", 5, '&'},  {"&lt;", 4, '<'},    {"&gt;", 4, '>'},
        {"&quot;", 6, '"'}, {"&apos;", 6, '\''},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(entities); i++) {
        if (pass_text(plain, entities[i].name, entities[i].length))
            return give_text(plain, &entities[i].character, 1);
    }
    return false;
}

/* Up to the next tag. A ">" is not in the class, because "]]>" must not stand in text. */
static bool read_text(Plain *plain) {
    while (plain->p < plain->end && *plain->p != '<') {
        const char *start = plain->p;
        pass(plain, IN_TEXT);
        if (!give_text(plain, start, (size_t)(plain->p - start)))
            return false;
        if (plain->p == plain->end || (*plain->p != '<' && !read_entity(plain)))
            return false;
    }
    return plain->p < plain->end;
}

/* --- the document ----------------------------------------------------------------------------- */

/* Bytes outside of ASCII must be UTF-8, and none of the characters that XML forbids, which begin
 * like U+FFFE. */
static bool is_clean(const char *bytes, size_t size) {
    uint64_t seen = 0, word;
    size_t i = 0;
    for (; size - i >= sizeof word; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        seen |= word;
    }
    for (; i < size; i++)
        seen |= (uint8_t)bytes[i];
    if ((seen & UINT64_C(0x8080808080808080)) == 0)
        return true;
    return g_utf8_validate_len(bytes, size, NULL) && memmem(bytes, size, "\xef\xbf", 2) == NULL;
}

/* Only the usual ones. */
static bool read_declaration(Plain *plain) {
    static const char *const usual[] = {
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>",
        "<?xml version=\"1.0\"?>",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(usual); i++) {
        if (pass_text(plain, usual[i], strlen(usual[i])))
            break;
    }
    pass(plain, BLANK);
    return pass_byte(plain, '<') && read_begin(plain);
}

bool xml_plain_read(const char *bytes, size_t size, const XmlTaker *taker, void *data) {
    if (!is_clean(bytes, size))
        return false;
    Plain plain = {.p = bytes, .end = bytes + size, .taker = taker, .data = data};
    if (!read_declaration(&plain))
        return false;
    while (plain.depth > 0) {
        if (!read_text(&plain))
            return false;
        plain.p++;
        if (!(pass_byte(&plain, '/') ? read_end(&plain) : read_begin(&plain)))
            return false;
    }
    pass(&plain, BLANK);
    return plain.p == plain.end;
}
