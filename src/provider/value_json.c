#include "provider/value_json.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "provider/value_layout.h"

/* --- documents -------------------------------------------------------------------------------- */

#define PADDING 8 /* zeroes behind the text, so that it is read by the word */
#define FIRST_MIN ((size_t)192)
#define FIRST_MAX ((size_t)1024 * 1024)
#define CHUNK_FIRST ((size_t)4 * 1024)
#define CHUNK_MIN ((size_t)256 * 1024)

/* Items mostly take less than twice the text; the few of a short one may take more. */
static Document *document_new(const char *bytes, size_t size) {
    size_t text = (sizeof(Document) + size + PADDING + sizeof(Value) - 1) & ~(sizeof(Value) - 1);
    size_t whole = text + CLAMP(2 * size, FIRST_MIN, FIRST_MAX);
    Document *document = g_malloc(whole);
    document->head = (ValueBlock){.references = 1, .form = BLOCK_DOCUMENT};
    document->chunks = NULL;
    document->at = (char *)document + text;
    document->end = (char *)document + whole;
    memcpy(document->text, bytes, size);
    memset(document->text + size, 0, PADDING);
    return document;
}

/* Memory that lives as long as the document, for items; sizes are multiples of a word. */
static void *document_take(Document *document, size_t size) {
    if ((size_t)(document->end - document->at) < size) {
        size_t least = document->chunks == NULL ? CHUNK_FIRST : CHUNK_MIN;
        size_t whole = MAX(size, least) + sizeof(ValueChunk);
        ValueChunk *chunk = g_malloc(whole);
        chunk->next = document->chunks;
        document->chunks = chunk;
        document->at = (char *)(chunk + 1);
        document->end = (char *)chunk + whole;
    }
    void *taken = document->at;
    document->at += size;
    return taken;
}

/* --- reading ---------------------------------------------------------------------------------- */

#define FEW_ITEMS 64

/* The text ends in a NUL, which is nowhere allowed, so that only the end of the whole is compared
 * with. What was read of containers that are still open waits on the stack. */
typedef struct {
    Document *document;
    char *p;
    unsigned depth;
    bool bad_text; /* a string is no UTF-8 */
    Value few[FEW_ITEMS];
    Value *stack; /* few, or allocated */
    size_t count;
    size_t capacity;
} Reader;

static bool read_value(Reader *reader, Value *value_out);

static void push(Reader *reader, Value value) {
    if (reader->count == reader->capacity) {
        size_t size = reader->capacity * sizeof(Value);
        Value *grown = g_malloc(2 * size);
        memcpy(grown, reader->stack, size);
        if (reader->stack != reader->few)
            g_free(reader->stack);
        reader->stack = grown;
        reader->capacity *= 2;
    }
    reader->stack[reader->count++] = value;
}

static void read_space(Reader *reader) {
    while (*reader->p == ' ' || *reader->p == '\n' || *reader->p == '\r' || *reader->p == '\t')
        reader->p++;
}

/* Passes this byte and the white space before it. */
static bool read_byte(Reader *reader, char wanted) {
    read_space(reader);
    if (*reader->p != wanted)
        return false;
    reader->p++;
    return true;
}

/* The number of four hexadecimal digits, which are passed. */
static bool read_unit(Reader *reader, gunichar *unit_out) {
    gunichar unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = g_ascii_xdigit_value(*reader->p);
        if (digit < 0)
            return false;
        reader->p++;
        unit = unit * 16 + (gunichar)digit;
    }
    *unit_out = unit;
    return true;
}

/* What follows "\u": one unit, or a pair of surrogates (RFC 8259 section 7). */
static bool read_unicode(Reader *reader, char **to) {
    gunichar unit, low;
    if (!read_unit(reader, &unit))
        return false;
    bool high = unit >= 0xd800 && unit <= 0xdbff;
    if (high && reader->p[0] == '\\' && reader->p[1] == 'u') {
        reader->p += 2;
        if (!read_unit(reader, &low))
            return false;
        if (low >= 0xdc00 && low <= 0xdfff)
            unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        else
            reader->p -= 6;
    }
    bool lone = unit >= 0xd800 && unit <= 0xdfff;
    *to += g_unichar_to_utf8(lone ? 0xfffd : unit, *to);
    return true;
}

static bool read_escape(Reader *reader, char **to) {
    static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char byte = *reader->p;
    const char *escape = byte != '\0' ? strchr(escapes, byte) : NULL;
    if (byte == 'u' || escape != NULL)
        reader->p++;
    if (byte == 'u')
        return read_unicode(reader, to);
    if (escape != NULL)
        *(*to)++ = meanings[escape - escapes];
    return escape != NULL;
}

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Marks each byte of the word that ends a plain run: quotes, backslashes, control characters. Marks
 * beyond the first may be wrong. */
static uint64_t ends_of_plain(uint64_t word) {
    uint64_t quote = word ^ EACH_BYTE('"'), backslash = word ^ EACH_BYTE('\\');
    uint64_t marks = ((quote - EACH_BYTE(1)) & ~quote) | ((backslash - EACH_BYTE(1)) & ~backslash) |
                     ((word - EACH_BYTE(0x20)) & ~word);
    return marks & EACH_BYTE(0x80);
}

/* The first byte that is not plain. What was passed is in *seen by its upper bits, and maybe some
 * of what follows. */
static char *plain_end(char *p, uint64_t *seen) {
    for (;; p += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        word = GUINT64_FROM_LE(word);
        uint64_t ends = ends_of_plain(word);
        *seen |= word;
        if (ends != 0)
            return p + __builtin_ctzll(ends) / 8;
    }
}

/* Unescapes in place: what an escape stands for is never longer. *to_out is the end. */
static bool read_escaped(Reader *reader, char *to, uint64_t *seen, char **to_out) {
    while (*reader->p == '\\') {
        reader->p++;
        if (!read_escape(reader, &to))
            return false;
        char *start = reader->p;
        reader->p = plain_end(start, seen);
        memmove(to, start, (size_t)(reader->p - start));
        to += reader->p - start;
    }
    *to_out = to;
    return true;
}

static bool read_string(Reader *reader, Value *value_out) {
    uint64_t seen = 0;
    char *start = ++reader->p;
    char *to = reader->p = plain_end(start, &seen);
    if (*reader->p == '\\' && !read_escaped(reader, to, &seen, &to))
        return false;
    if (*reader->p != '"')
        return false;
    reader->p++;
    *to = '\0';
    size_t length = (size_t)(to - start);
    bool ascii = (seen & EACH_BYTE(0x80)) == 0;
    reader->bad_text = !ascii && !value_is_utf8(start, length);
    *value_out = value_made_text(reader->document, start, length);
    return !reader->bad_text;
}

static const char *digits_end(const char *p) {
    while (g_ascii_isdigit(*p))
        p++;
    return p;
}

/* RFC 8259 section 6. */
static const char *number_end(const char *p) {
    const char *digits = p + (*p == '-');
    p = digits_end(digits);
    if (p == digits || (*digits == '0' && p > digits + 1))
        return NULL;
    if (*p == '.') {
        digits = p + 1;
        p = digits_end(digits);
        if (p == digits)
            return NULL;
    }
    if (*p != 'e' && *p != 'E')
        return p;
    digits = p + 1 + (p[1] == '+' || p[1] == '-');
    p = digits_end(digits);
    return p > digits ? p : NULL;
}

/* Short whole numbers are by far the most. */
static bool read_number(Reader *reader, Value *value_out) {
    const char *start = reader->p, *end = number_end(start);
    if (end == NULL)
        return false;
    reader->p += end - start;
    bool negative = *start == '-';
    int64_t whole = 0;
    const char *digit = start + negative;
    for (; digit < end && end - start <= 16 && g_ascii_isdigit(*digit); digit++)
        whole = whole * 10 + (*digit - '0');
    if (digit == end)
        *value_out = value_new_number((double)(negative ? -whole : whole));
    else
        *value_out = value_new_number(g_ascii_strtod(start, NULL));
    return true;
}

static bool read_items(Reader *reader) {
    bool good = true, more = !read_byte(reader, ']');
    while (good && more) {
        Value item;
        good = read_value(reader, &item);
        if (good)
            push(reader, item);
        more = good && read_byte(reader, ',');
        if (good && !more)
            good = read_byte(reader, ']');
    }
    return good;
}

static bool read_member(Reader *reader) {
    Value name, value;
    read_space(reader);
    if (*reader->p != '"' || !read_string(reader, &name))
        return false;
    push(reader, name);
    if (!read_byte(reader, ':') || !read_value(reader, &value))
        return false;
    push(reader, value);
    return true;
}

static bool read_members(Reader *reader) {
    bool good = true, more = !read_byte(reader, '}');
    while (good && more) {
        good = read_member(reader);
        more = good && read_byte(reader, ',');
        if (good && !more)
            good = read_byte(reader, '}');
    }
    return good;
}

/* A number below 64 that tells most names of one object apart. */
static unsigned mark_of(Value name) {
    const unsigned char *text = (const unsigned char *)value_text(name);
    size_t length = value_length(name);
    return length == 0 ? 0 : (unsigned)(length + 5U * text[0] + 11U * text[length - 1]) % 64;
}

static uint32_t place_among_few(const Value *members, uint32_t count, Value name) {
    for (uint32_t i = 0; i < count; i++) {
        if (value_same_name(members[2 * i], value_text(name), value_length(name)))
            return i;
    }
    return count;
}

/* Moves the members together so that of a repeated name the first place has the last value. The
 * number of values that stay. */
static uint32_t drop_repeated(Value *members, uint32_t count, ValueIndex *index) {
    uint64_t met = 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        Value name = members[2 * (size_t)i], value = members[2 * (size_t)i + 1];
        uint64_t mark = UINT64_C(1) << mark_of(name);
        uint32_t place = kept;
        members[2 * (size_t)kept] = name;
        if (index != NULL)
            place = value_index_note(index, members, kept, name);
        else if ((met & mark) != 0)
            place = place_among_few(members, kept, name);
        members[2 * (size_t)place + 1] = value;
        kept += place == kept;
        met |= mark;
    }
    return 2 * kept;
}

static ValueIndex *index_in(Document *document, uint32_t members) {
    size_t size = (value_index_size(members) + sizeof(Value) - 1) & ~(sizeof(Value) - 1);
    ValueIndex *index = document_take(document, size);
    memset(index, 0, size);
    value_index_begin(index, members);
    return index;
}

/* Makes a container of what lies on the stack from a place on. */
static Value close_container(Reader *reader, ValueKind kind, size_t base) {
    Value *values = &reader->stack[base];
    uint32_t count = (uint32_t)(reader->count - base);
    ValueIndex *index = NULL;
    reader->count = base;
    if (count == 0)
        return value_made(kind, NULL, 0);
    if (kind == VALUE_KIND_OBJECT && count / 2 > VALUE_FEW_MEMBERS)
        index = index_in(reader->document, count / 2);
    if (kind == VALUE_KIND_OBJECT)
        count = drop_repeated(values, count / 2, index);
    ValueItems *items = document_take(reader->document, sizeof *items + count * sizeof(Value));
    *items = (ValueItems){.count = count, .index = index};
    memcpy(items->values, values, count * sizeof(Value));
    return value_made(kind, reader->document, (uint64_t)(uintptr_t)items);
}

static bool read_container(Reader *reader, Value *value_out) {
    if (reader->depth == VALUE_JSON_MAX_DEPTH)
        return false;
    reader->depth++;
    size_t base = reader->count;
    bool object = *reader->p++ == '{';
    bool good = object ? read_members(reader) : read_items(reader);
    reader->depth--;
    if (good)
        *value_out = close_container(reader, object ? VALUE_KIND_OBJECT : VALUE_KIND_ARRAY, base);
    return good;
}

static bool read_word(Reader *reader, const char *word, Value value, Value *value_out) {
    size_t length = strlen(word);
    if (strncmp(reader->p, word, length) != 0)
        return false;
    reader->p += length;
    *value_out = value;
    return true;
}

static bool read_value(Reader *reader, Value *value_out) {
    read_space(reader);
    switch (*reader->p) {
    case '{':
    case '[':
        return read_container(reader, value_out);
    case '"':
        return read_string(reader, value_out);
    case 't':
        return read_word(reader, "true", value_new_bool(true), value_out);
    case 'f':
        return read_word(reader, "false", value_new_bool(false), value_out);
    case 'n':
        return read_word(reader, "null", value_new_null(), value_out);
    default:
        return read_number(reader, value_out);
    }
}

/* *bad_text_out: it is no JSON, because a string is no UTF-8. */
static bool read_document(const char *bytes, size_t size, Value *value_out, bool *bad_text_out) {
    if (size > INT_MAX)
        return false;
    Document *document = document_new(bytes, size);
    Reader reader;
    reader.document = document;
    reader.p = document->text;
    reader.depth = 0;
    reader.bad_text = false;
    reader.stack = reader.few;
    reader.count = 0;
    reader.capacity = FEW_ITEMS;
    Value value;
    bool good = read_value(&reader, &value);
    if (good)
        read_space(&reader);
    good = good && reader.p == document->text + size;
    *bad_text_out = reader.bad_text;
    if (reader.stack != reader.few)
        g_free(reader.stack);
    if (!good || value_block(value) == NULL)
        value_free_block(&document->head);
    if (good)
        *value_out = value;
    return good;
}

bool value_parse(const char *bytes, size_t size, Value *value_out, GError **error) {
    bool bad_text = false;
    if (read_document(bytes, size, value_out, &bad_text))
        return true;
    if (bad_text) {
        g_autoptr(GString) mended = value_mended_text(bytes, size);
        if (read_document(mended->str, mended->len, value_out, &bad_text))
            return true;
    }
    g_set_error(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE,
                "The answer is not JSON; try again later.");
    return false;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void append_whole(GString *out, int64_t number) {
    char digits[24];
    char *at = digits + sizeof digits;
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (number < 0)
        *--at = '-';
    g_string_append_len(out, at, digits + sizeof digits - at);
}

static void append_number(GString *out, double number) {
    if (isnan(number)) {
        g_string_append(out, "null");
        return;
    }
    if (isinf(number))
        number = copysign(DBL_MAX, number);
    if (fabs(number) < 1e17 && (double)(int64_t)number == number) {
        append_whole(out, (int64_t)number);
        return;
    }
    static const char *const formats[] = {"%.15g", "%.16g", "%.17g"};
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_ascii_formatd(text, sizeof text, formats[i], number);
        if (g_ascii_strtod(text, NULL) == number)
            break;
    }
    g_string_append(out, text);
}

static const char *escape_of(unsigned char byte, char buffer[7]) {
    switch (byte) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        g_snprintf(buffer, 7, "\\u%04x", byte);
        return buffer;
    }
}

/* Makes room for so many bytes, and counts them in. */
static char *grow(GString *out, size_t size) {
    size_t before = out->len;
    if (out->allocated_len - before <= size) {
        g_string_set_size(out, before + size);
        return out->str + before;
    }
    out->len = before + size;
    out->str[out->len] = '\0';
    return out->str + before;
}

static bool is_plain(char byte) {
    return (unsigned char)byte >= 0x20 && byte != '"' && byte != '\\';
}

/* A text ends in a NUL, so that it cannot be read by the word beyond its last byte. */
static size_t plain_length(const char *text, size_t length) {
    size_t done = 0;
    for (uint64_t word; length - done >= sizeof word; done += sizeof word) {
        memcpy(&word, text + done, sizeof word);
        uint64_t ends = ends_of_plain(GUINT64_FROM_LE(word));
        if (ends != 0)
            return done + (size_t)__builtin_ctzll(ends) / 8;
    }
    while (done < length && is_plain(text[done]))
        done++;
    return done;
}

static void append_string(GString *out, Value string) {
    const char *text = value_text(string);
    size_t length = value_length(string);
    char buffer[7];
    g_string_append_c(out, '"');
    for (size_t plain;;) {
        plain = plain_length(text, length);
        memcpy(grow(out, plain), text, plain);
        text += plain;
        length -= plain;
        if (length == 0)
            break;
        g_string_append(out, escape_of((unsigned char)*text, buffer));
        text++;
        length--;
    }
    g_string_append_c(out, '"');
}

static void append_value(GString *out, Value value, unsigned depth);

static void append_array(GString *out, Value array, unsigned depth) {
    g_string_append_c(out, '[');
    uint32_t count = value_item_count(array);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        append_value(out, value_items(array)->values[i], depth + 1);
    }
    g_string_append_c(out, ']');
}

static void append_object(GString *out, Value object, unsigned depth) {
    ValueOrder order;
    value_order_init(&order, object);
    g_string_append_c(out, '{');
    for (size_t i = 0; i < order.count; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        append_string(out, order.members[i][0]);
        g_string_append_c(out, ':');
        append_value(out, order.members[i][1], depth + 1);
    }
    g_string_append_c(out, '}');
    value_order_clear(&order);
}

static void append_literal(GString *out, const char *text, size_t length) {
    memcpy(grow(out, length), text, length);
}

static void append_value(GString *out, Value value, unsigned depth) {
    switch (depth > VALUE_MAX_DEPTH ? VALUE_KIND_NULL : value_kind(value)) {
    case VALUE_KIND_BOOL:
        append_literal(out, value_truth(value) ? "true" : "false", value_truth(value) ? 4 : 5);
        break;
    case VALUE_KIND_NUMBER:
        append_number(out, value_number(value, 0));
        break;
    case VALUE_KIND_STRING:
        append_string(out, value);
        break;
    case VALUE_KIND_ARRAY:
        append_array(out, value, depth);
        break;
    case VALUE_KIND_OBJECT:
        append_object(out, value, depth);
        break;
    default:
        append_literal(out, "null", 4);
    }
}

void value_append_json(GString *out, Value value) {
    append_value(out, value, 0);
}

char *value_to_json(Value value) {
    GString *out = g_string_new(NULL);
    value_append_json(out, value);
    return g_string_free(out, FALSE);
}
