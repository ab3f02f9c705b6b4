#include "provider/value.h"

#include <float.h>
#include <jv.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "provider/path.h"

_Static_assert(sizeof(Value) == sizeof(jv), "a Value holds one jv");
_Static_assert(_Alignof(Value) == _Alignof(jv), "a Value is aligned as one jv");

#define INTEGER_MAX 9007199254740992.0 /* 2^53 */

static inline jv to_jv(Value value) {
    jv out;
    memcpy(&out, &value, sizeof out);
    return out;
}

static inline Value from_jv(jv value) {
    Value out;
    memcpy(&out, &value, sizeof out);
    return out;
}

/* A second reference, for jv functions that consume their argument. */
static inline jv borrow(Value value) {
    return jv_copy(to_jv(value));
}

static inline jv_kind kind_of(Value value) {
    return jv_get_kind(to_jv(value));
}

void value_clear(Value *value) {
    jv_free(to_jv(*value));
    *value = VALUE_NONE;
}

/* Parsing. libjq's own parser takes twice as long as building the value: it goes byte by byte
 * through a state machine. This one is strict (RFC 8259), as provider/scan is. */

#define PARSE_MAX_DEPTH 512

#define NAMES 256 /* a power of two */
#define NAME_MAX_LENGTH 40

struct ValueNames {
    struct {
        jv name; /* owned; invalid: none yet */
        const char *text;
        size_t length;
    } known[NAMES];
};

typedef struct {
    const char *p;
    const char *end;
    ValueNames *names; /* or NULL */
    unsigned depth;
    GString *text; /* of strings with escapes; made when needed */
} Parser;

static bool parse_value(Parser *parser, jv *value_out);

static void parse_space(Parser *parser) {
    while (parser->p < parser->end &&
           (*parser->p == ' ' || *parser->p == '\n' || *parser->p == '\r' || *parser->p == '\t'))
        parser->p++;
}

/* Passes this byte and the white space before it. */
static bool parse_byte(Parser *parser, char wanted) {
    parse_space(parser);
    if (parser->p == parser->end || *parser->p != wanted)
        return false;
    parser->p++;
    return true;
}

/* The number of four hexadecimal digits, which are passed. */
static bool parse_unit(Parser *parser, gunichar *unit_out) {
    gunichar unit = 0;
    if (parser->end - parser->p < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        int digit = g_ascii_xdigit_value(*parser->p++);
        if (digit < 0)
            return false;
        unit = unit * 16 + (gunichar)digit;
    }
    *unit_out = unit;
    return true;
}

/* What follows "\u": one unit, or a pair of surrogates (RFC 8259 section 7). */
static bool parse_unicode(Parser *parser) {
    gunichar unit, low;
    if (!parse_unit(parser, &unit))
        return false;
    bool high = unit >= 0xd800 && unit <= 0xdbff;
    if (high && parser->end - parser->p >= 6 && parser->p[0] == '\\' && parser->p[1] == 'u') {
        parser->p += 2;
        if (!parse_unit(parser, &low))
            return false;
        if (low >= 0xdc00 && low <= 0xdfff)
            unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        else
            parser->p -= 6;
    }
    bool lone = unit >= 0xd800 && unit <= 0xdfff;
    g_string_append_unichar(parser->text, lone ? 0xfffd : unit);
    return true;
}

static bool parse_escape(Parser *parser) {
    static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (parser->p == parser->end)
        return false;
    char byte = *parser->p++;
    if (byte == 'u')
        return parse_unicode(parser);
    const char *escape = byte != '\0' ? strchr(escapes, byte) : NULL;
    if (escape != NULL)
        g_string_append_c(parser->text, meanings[escape - escapes]);
    return escape != NULL;
}

/* The rest of a string that has an escape, from its opening quote. */
static bool parse_escaped(Parser *parser, jv *value_out) {
    if (parser->text == NULL)
        parser->text = g_string_new(NULL);
    g_string_truncate(parser->text, 0);
    while (parser->p < parser->end && *parser->p != '"') {
        const char *start = parser->p;
        while (parser->p < parser->end && *parser->p != '"' && *parser->p != '\\' &&
               (unsigned char)*parser->p >= 0x20)
            parser->p++;
        g_string_append_len(parser->text, start, parser->p - start);
        if (parser->p == parser->end || (unsigned char)*parser->p < 0x20)
            return false;
        if (*parser->p == '\\') {
            parser->p++;
            if (!parse_escape(parser))
                return false;
        }
    }
    if (parser->p == parser->end)
        return false;
    parser->p++;
    *value_out = jv_string_sized(parser->text->str, (int)parser->text->len);
    return true;
}

static bool parse_string(Parser *parser, jv *value_out) {
    const char *start = ++parser->p, *p = start;
    while (p < parser->end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
        p++;
    if (p == parser->end || (unsigned char)*p < 0x20)
        return false;
    if (*p == '\\')
        return parse_escaped(parser, value_out);
    *value_out = jv_string_sized(start, (int)(p - start));
    parser->p = p + 1;
    return true;
}

/* RFC 8259 section 6; short whole numbers are by far the most. */
static const char *number_end(const char *p, const char *end) {
    const char *digits = p + (p < end && *p == '-');
    for (p = digits; p < end && g_ascii_isdigit(*p);)
        p++;
    if (p == digits || (*digits == '0' && p > digits + 1))
        return NULL;
    if (p < end && *p == '.') {
        digits = ++p;
        while (p < end && g_ascii_isdigit(*p))
            p++;
        if (p == digits)
            return NULL;
    }
    if (p == end || (*p != 'e' && *p != 'E'))
        return p;
    p++;
    p += p < end && (*p == '+' || *p == '-');
    for (digits = p; p < end && g_ascii_isdigit(*p);)
        p++;
    return p > digits ? p : NULL;
}

static bool parse_number(Parser *parser, jv *value_out) {
    const char *start = parser->p, *end = number_end(start, parser->end);
    if (end == NULL)
        return false;
    parser->p = end;
    bool negative = *start == '-';
    int64_t whole = 0;
    const char *digit = start + negative;
    for (; digit < end && end - start <= 16 && g_ascii_isdigit(*digit); digit++)
        whole = whole * 10 + (*digit - '0');
    if (digit == end) {
        *value_out = jv_number((double)(negative ? -whole : whole));
        return true;
    }
    g_autofree char *text = g_strndup(start, (size_t)(end - start));
    *value_out = jv_number(g_ascii_strtod(text, NULL));
    return true;
}

static bool parse_array(Parser *parser, jv *value_out) {
    jv array = jv_array(), item;
    parser->p++;
    bool good = true, more = !parse_byte(parser, ']');
    while (good && more) {
        good = parse_value(parser, &item);
        if (good)
            array = jv_array_append(array, item);
        more = good && parse_byte(parser, ',');
        if (good && !more)
            good = parse_byte(parser, ']');
    }
    if (good)
        *value_out = array;
    else
        jv_free(array);
    return good;
}

/* FNV-1a over the length and a few bytes: enough to tell the names of one service apart. */
static size_t name_place(const char *text, size_t length) {
    uint32_t hash = 2166136261U ^ (uint32_t)length;
    for (size_t i = 0; i < length; i += 1 + length / 8)
        hash = (hash ^ (uint8_t)text[i]) * 16777619U;
    hash = (hash ^ (uint8_t)text[length - 1]) * 16777619U;
    return (hash ^ hash >> 16) % NAMES;
}

static jv known_name(ValueNames *names, const char *text, size_t length) {
    size_t place = name_place(text, length);
    if (names->known[place].length == length && memcmp(names->known[place].text, text, length) == 0)
        return jv_copy(names->known[place].name);
    jv name = jv_string_sized(text, (int)length);
    jv_free(names->known[place].name);
    names->known[place].name = jv_copy(name);
    names->known[place].text = jv_string_value(name);
    names->known[place].length = (size_t)jv_string_length_bytes(jv_copy(name));
    return name;
}

/* The name of a member, at its opening quote. */
static bool parse_name(Parser *parser, jv *name_out) {
    const char *start = parser->p + 1, *p = start;
    if (parser->names == NULL)
        return parse_string(parser, name_out);
    while (p < parser->end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
        p++;
    size_t length = (size_t)(p - start);
    if (p == parser->end || *p != '"' || length == 0 || length > NAME_MAX_LENGTH)
        return parse_string(parser, name_out);
    *name_out = known_name(parser->names, start, length);
    parser->p = p + 1;
    return true;
}

static bool parse_member(Parser *parser, jv *object) {
    jv key, value;
    parse_space(parser);
    if (parser->p == parser->end || *parser->p != '"' || !parse_name(parser, &key))
        return false;
    if (!parse_byte(parser, ':') || !parse_value(parser, &value)) {
        jv_free(key);
        return false;
    }
    *object = jv_object_set(*object, key, value);
    return true;
}

static bool parse_object(Parser *parser, jv *value_out) {
    jv object = jv_object();
    parser->p++;
    bool good = true, more = !parse_byte(parser, '}');
    while (good && more) {
        good = parse_member(parser, &object);
        more = good && parse_byte(parser, ',');
        if (good && !more)
            good = parse_byte(parser, '}');
    }
    if (good)
        *value_out = object;
    else
        jv_free(object);
    return good;
}

static bool parse_word(Parser *parser, const char *word, jv value, jv *value_out) {
    size_t length = strlen(word);
    if ((size_t)(parser->end - parser->p) < length || memcmp(parser->p, word, length) != 0)
        return false;
    parser->p += length;
    *value_out = value;
    return true;
}

static bool parse_nested(Parser *parser, jv *value_out) {
    if (parser->depth == PARSE_MAX_DEPTH)
        return false;
    parser->depth++;
    bool good =
        *parser->p == '{' ? parse_object(parser, value_out) : parse_array(parser, value_out);
    parser->depth--;
    return good;
}

static bool parse_value(Parser *parser, jv *value_out) {
    parse_space(parser);
    if (parser->p == parser->end)
        return false;
    switch (*parser->p) {
    case '{':
    case '[':
        return parse_nested(parser, value_out);
    case '"':
        return parse_string(parser, value_out);
    case 't':
        return parse_word(parser, "true", jv_true(), value_out);
    case 'f':
        return parse_word(parser, "false", jv_false(), value_out);
    case 'n':
        return parse_word(parser, "null", jv_null(), value_out);
    default:
        return parse_number(parser, value_out);
    }
}

bool value_parse(const char *bytes, size_t size, Value *value_out, GError **error) {
    return value_parse_named(NULL, bytes, size, value_out, error);
}

ValueNames *value_names_new(void) {
    return g_new0(ValueNames, 1);
}

void value_names_free(ValueNames *names) {
    if (names == NULL)
        return;
    for (size_t i = 0; i < NAMES; i++)
        jv_free(names->known[i].name);
    g_free(names);
}

bool value_parse_named(ValueNames *names, const char *bytes, size_t size, Value *value_out,
                       GError **error) {
    Parser parser = {.p = bytes, .end = bytes + size, .names = names};
    jv parsed = jv_invalid();
    bool good = size <= INT_MAX && parse_value(&parser, &parsed);
    parse_space(&parser);
    good = good && parser.p == parser.end;
    if (parser.text != NULL)
        g_string_free(parser.text, TRUE);
    if (good) {
        *value_out = from_jv(parsed);
        return true;
    }
    jv_free(parsed);
    g_set_error(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE,
                "The answer is not JSON; try again later.");
    return false;
}

Value value_new_null(void) {
    return from_jv(jv_null());
}

Value value_new_bool(bool truth) {
    return from_jv(jv_bool(truth));
}

Value value_new_number(double number) {
    return from_jv(jv_number(number));
}

Value value_new_string(const char *text) {
    return from_jv(text == NULL ? jv_null() : jv_string(text));
}

Value value_new_text(const char *text, size_t length) {
    g_assert(length <= INT_MAX);
    return from_jv(jv_string_sized(text, (int)length));
}

Value value_new_array(void) {
    return from_jv(jv_array());
}

Value value_new_object(void) {
    return from_jv(jv_object());
}

Value value_copy(Value value) {
    return from_jv(borrow(value));
}

Value value_take(Value *value) {
    Value taken = *value;
    *value = VALUE_NONE;
    return taken;
}

static jv or_null(Value value) {
    jv given = to_jv(value);
    if (jv_is_valid(given))
        return given;
    jv_free(given);
    return jv_null();
}

void value_put(Value *object, const char *key, Value value) {
    g_assert(kind_of(*object) == JV_KIND_OBJECT);
    *object = from_jv(jv_object_set(to_jv(*object), jv_string(key), or_null(value)));
}

void value_set(Value *object, Value key, Value value) {
    g_assert(kind_of(*object) == JV_KIND_OBJECT && kind_of(key) == JV_KIND_STRING);
    *object = from_jv(jv_object_set(to_jv(*object), borrow(key), or_null(value)));
}

void value_push(Value *array, Value value) {
    g_assert(kind_of(*array) == JV_KIND_ARRAY);
    *array = from_jv(jv_array_append(to_jv(*array), or_null(value)));
}

void value_remove(Value *object, const char *key) {
    g_assert(kind_of(*object) == JV_KIND_OBJECT);
    *object = from_jv(jv_object_delete(to_jv(*object), jv_string(key)));
}

ValueKind value_kind(Value value) {
    static const ValueKind kinds[] = {
        [JV_KIND_INVALID] = VALUE_KIND_NONE,  [JV_KIND_NULL] = VALUE_KIND_NULL,
        [JV_KIND_FALSE] = VALUE_KIND_BOOL,    [JV_KIND_TRUE] = VALUE_KIND_BOOL,
        [JV_KIND_NUMBER] = VALUE_KIND_NUMBER, [JV_KIND_STRING] = VALUE_KIND_STRING,
        [JV_KIND_ARRAY] = VALUE_KIND_ARRAY,   [JV_KIND_OBJECT] = VALUE_KIND_OBJECT,
    };
    return kinds[kind_of(value)];
}

const char *value_kind_name(ValueKind kind) {
    static const char *const names[] = {
        [VALUE_KIND_NONE] = "no value",    [VALUE_KIND_NULL] = "null",
        [VALUE_KIND_BOOL] = "a boolean",   [VALUE_KIND_NUMBER] = "a number",
        [VALUE_KIND_STRING] = "a string",  [VALUE_KIND_ARRAY] = "an array",
        [VALUE_KIND_OBJECT] = "an object",
    };
    return names[kind];
}

size_t value_count(Value value) {
    switch (kind_of(value)) {
    case JV_KIND_ARRAY:
        return (size_t)jv_array_length(borrow(value));
    case JV_KIND_OBJECT:
        return (size_t)jv_object_length(borrow(value));
    default:
        return 0;
    }
}

static Value get_sized(Value object, const char *key, size_t length) {
    if (kind_of(object) != JV_KIND_OBJECT)
        return VALUE_NONE;
    return from_jv(jv_object_get(borrow(object), jv_string_sized(key, (int)length)));
}

Value value_get(Value object, const char *key) {
    return get_sized(object, key, strlen(key));
}

bool value_has(Value object, const char *key) {
    return kind_of(object) == JV_KIND_OBJECT && jv_object_has(borrow(object), jv_string(key));
}

Value value_at(Value array, size_t index) {
    if (index > INT_MAX || kind_of(array) != JV_KIND_ARRAY)
        return VALUE_NONE;
    return from_jv(jv_array_get(borrow(array), (int)index));
}

const char *value_text(Value value) {
    return kind_of(value) == JV_KIND_STRING ? jv_string_value(to_jv(value)) : NULL;
}

size_t value_length(Value value) {
    if (kind_of(value) != JV_KIND_STRING)
        return 0;
    return (size_t)jv_string_length_bytes(borrow(value));
}

double value_number(Value value, double fallback) {
    return kind_of(value) == JV_KIND_NUMBER ? jv_number_value(to_jv(value)) : fallback;
}

bool value_integer(Value value, int64_t *integer_out) {
    double number = value_number(value, 0.5);
    if (!(fabs(number) <= INTEGER_MAX) || trunc(number) != number)
        return false;
    *integer_out = (int64_t)number;
    return true;
}

bool value_truth(Value value) {
    return kind_of(value) == JV_KIND_TRUE;
}

bool value_equal(Value a, Value b) {
    return jv_equal(borrow(a), borrow(b));
}

int value_compare(Value a, Value b) {
    return jv_cmp(borrow(a), borrow(b));
}

/* Members in the order of their keys' bytes. */

typedef struct {
    jv key; /* both owned */
    jv value;
    const char *text; /* of key */
    size_t length;
} Member;

#define FEW_MEMBERS 24

typedef struct {
    Member few[FEW_MEMBERS];
    Member *items; /* few, or allocated */
    size_t count;
} MemberList;

static int compare_members(const void *a, const void *b) {
    const Member *one = a, *other = b;
    size_t shorter = MIN(one->length, other->length);
    int order = memcmp(one->text, other->text, shorter);
    return order != 0 ? order : (one->length > other->length) - (one->length < other->length);
}

static void sort_members(MemberList *list) {
    if (list->count > FEW_MEMBERS) {
        qsort(list->items, list->count, sizeof(Member), compare_members);
        return;
    }
    for (size_t i = 1; i < list->count; i++) {
        Member moving = list->items[i];
        size_t to = i;
        for (; to > 0 && compare_members(&moving, &list->items[to - 1]) < 0; to--)
            list->items[to] = list->items[to - 1];
        list->items[to] = moving;
    }
}

static void member_list_init(MemberList *list, jv object) {
    size_t count = (size_t)jv_object_length(jv_copy(object));
    list->items = count > FEW_MEMBERS ? g_new(Member, count) : list->few;
    list->count = 0;
    for (int at = jv_object_iter(object); jv_object_iter_valid(object, at);
         at = jv_object_iter_next(object, at)) {
        Member *member = &list->items[list->count++];
        member->key = jv_object_iter_key(object, at);
        member->value = jv_object_iter_value(object, at);
        member->text = jv_string_value(member->key);
        member->length = (size_t)jv_string_length_bytes(jv_copy(member->key));
    }
    sort_members(list);
}

static void member_list_clear(MemberList *list) {
    for (size_t i = 0; i < list->count; i++) {
        jv_free(list->items[i].key);
        jv_free(list->items[i].value);
    }
    if (list->items != list->few)
        g_free(list->items);
}

void value_each_member(Value object, ValueMemberFunc function, void *data) {
    if (kind_of(object) != JV_KIND_OBJECT)
        return;
    MemberList list;
    member_list_init(&list, to_jv(object));
    for (size_t i = 0; i < list.count; i++) {
        if (!function(list.items[i].text, from_jv(list.items[i].value), data))
            break;
    }
    member_list_clear(&list);
}

/* Printing. */

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

static void append_string(GString *out, jv string) {
    const char *text = jv_string_value(string);
    size_t length = (size_t)jv_string_length_bytes(jv_copy(string));
    char buffer[7];
    g_string_append_c(out, '"');
    size_t done = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        g_string_append_len(out, text + done, (gssize)(i - done));
        g_string_append(out, escape_of(byte, buffer));
        done = i + 1;
    }
    g_string_append_len(out, text + done, (gssize)(length - done));
    g_string_append_c(out, '"');
}

static void append_value(GString *out, jv value, unsigned depth);

static void append_array(GString *out, jv array, unsigned depth) {
    int count = jv_array_length(jv_copy(array));
    g_string_append_c(out, '[');
    for (int i = 0; i < count; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        jv item = jv_array_get(jv_copy(array), i);
        append_value(out, item, depth + 1);
        jv_free(item);
    }
    g_string_append_c(out, ']');
}

static void append_object(GString *out, jv object, unsigned depth) {
    MemberList list;
    member_list_init(&list, object);
    g_string_append_c(out, '{');
    for (size_t i = 0; i < list.count; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        append_string(out, list.items[i].key);
        g_string_append_c(out, ':');
        append_value(out, list.items[i].value, depth + 1);
    }
    g_string_append_c(out, '}');
    member_list_clear(&list);
}

static void append_value(GString *out, jv value, unsigned depth) {
    jv_kind kind = depth > VALUE_MAX_DEPTH ? JV_KIND_NULL : jv_get_kind(value);
    switch (kind) {
    case JV_KIND_FALSE:
        g_string_append(out, "false");
        break;
    case JV_KIND_TRUE:
        g_string_append(out, "true");
        break;
    case JV_KIND_NUMBER:
        append_number(out, jv_number_value(value));
        break;
    case JV_KIND_STRING:
        append_string(out, value);
        break;
    case JV_KIND_ARRAY:
        append_array(out, value, depth);
        break;
    case JV_KIND_OBJECT:
        append_object(out, value, depth);
        break;
    default:
        g_string_append(out, "null");
    }
}

void value_append_json(GString *out, Value value) {
    append_value(out, to_jv(value), 0);
}

char *value_to_json(Value value) {
    GString *out = g_string_new(NULL);
    value_append_json(out, value);
    return g_string_free(out, FALSE);
}

/* Plain paths. */

struct ValuePath {
    Path *path;
};

ValuePath *value_path_parse(const char *text, GError **error) {
    Path *parsed = path_parse(text, false, error);
    if (parsed == NULL)
        return NULL;
    ValuePath *path = g_new0(ValuePath, 1);
    path->path = parsed;
    return path;
}

void value_path_free(ValuePath *path) {
    if (path == NULL)
        return;
    path_free(path->path);
    g_free(path);
}

const char *value_path_text(const ValuePath *path) {
    return path->path->text;
}

size_t value_path_count(const ValuePath *path) {
    return path->path->count;
}

const char *value_path_step(const ValuePath *path, size_t step, int64_t *index_out) {
    g_assert(step < path->path->count);
    const PathStep *at = &path->path->steps[step];
    if (at->kind == PATH_INDEX && index_out != NULL)
        *index_out = at->index;
    return at->name;
}

/* One step from a value, which it consumes. jq's rules: null gives null, a member of an object and
 * an item of an array or null; all else is an error (false, nothing to release). */
static bool take_step(const PathStep *step, Value *value) {
    jv from = to_jv(*value);
    jv_kind kind = jv_get_kind(from);
    *value = value_new_null();
    if (kind == JV_KIND_NULL)
        return true;
    jv found;
    if (kind == JV_KIND_OBJECT && step->kind == PATH_NAME) {
        found = jv_object_get(from, jv_string_sized(step->name, (int)step->length));
    } else if (kind == JV_KIND_ARRAY && step->kind == PATH_INDEX) {
        int count = jv_array_length(jv_copy(from));
        int index = (int)step->index + (step->index < 0 ? count : 0);
        found = jv_array_get(from, index);
    } else {
        jv_free(from);
        return false;
    }
    if (jv_is_valid(found))
        *value = from_jv(found);
    else
        jv_free(found);
    return true;
}

bool value_path_get(const ValuePath *path, Value root, Value *value_out) {
    Value value = kind_of(root) == JV_KIND_INVALID ? value_new_null() : value_copy(root);
    for (size_t i = 0; i < path->path->count; i++) {
        if (!take_step(&path->path->steps[i], &value))
            return false;
    }
    *value_out = value;
    return true;
}

Value value_path_find(const ValuePath *path, Value root) {
    Value value;
    return value_path_get(path, root, &value) ? value : value_new_null();
}
