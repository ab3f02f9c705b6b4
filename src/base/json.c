#include "base/json.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/secmem.h"
#include "base/text.h"

#include <malloc.h>
#include <math.h>
#include <string.h>

/* Jansson has a macro of the same name as one of our constants; its own printer is not used. */
#include <jansson.h>
#undef JSON_COMPACT

/* Token responses pass through here, so whatever Jansson gives back is wiped first. */
static void wipe_and_free(void *memory) {
    if (memory != NULL)
        secmem_wipe(memory, malloc_usable_size(memory));
    g_free(memory);
}

__attribute__((constructor)) static void use_wiping_allocator(void) {
    json_set_alloc_funcs(g_malloc, wipe_and_free);
}

/* Jansson's readers take values that are not const; nothing is written through this. */
static json_t *readable(const Json *json) {
    return (json_t *)(uintptr_t)json;
}

void json_free(Json *json) {
    json_decref(json);
}

Json *json_ref(Json *json) {
    return json_incref(json);
}

/* Whether brackets nest at most JSON_MAX_DEPTH deep. Jansson checks everything else, but recurses
 * to a depth of its own. */
static bool depth_is_allowed(const char *text, size_t size) {
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == '"')
            in_string = !in_string;
        else if (in_string)
            i += c == '\\';
        else if (c == '[' || c == '{')
            depth++;
        else if ((c == ']' || c == '}') && depth > 0)
            depth--;
        if (depth > JSON_MAX_DEPTH)
            return false;
    }
    return true;
}

/* Jansson's own text quotes the input near the fault, which may hold a secret. */
static const char *fault_sentence(const json_error_t *fault) {
    switch (json_error_code(fault)) {
    case json_error_premature_end_of_input:
        return "it ends too early";
    case json_error_end_of_input_expected:
        return "something follows the value";
    case json_error_duplicate_key:
        return "a key is given twice in one object";
    case json_error_invalid_utf8:
        return "it is not UTF-8";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "a text contains the character NUL";
    case json_error_numeric_overflow:
        return "a number is too large";
    default:
        return "it is malformed";
    }
}

Json *json_parse(const char *text, size_t size, size_t max_size, GError **error) {
    if (size > max_size) {
        g_set_error(error, ASSAY_ERROR, ERROR_LIMIT,
                    "The JSON text has %zu bytes, more than the %zu allowed here.", size, max_size);
        return NULL;
    }
    if (!depth_is_allowed(text, size)) {
        g_set_error(error, ASSAY_ERROR, ERROR_LIMIT, "The JSON text nests deeper than %d levels.",
                    JSON_MAX_DEPTH);
        return NULL;
    }
    json_error_t fault;
    Json *json = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);
    if (json == NULL)
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "The JSON text cannot be read: %s (line %d, column %d).",
                    fault_sentence(&fault), fault.line, fault.column);
    return json;
}

Json *json_new_object(void) {
    return json_object();
}

Json *json_new_array(void) {
    return json_array();
}

Json *json_new_null(void) {
    return json_null();
}

Json *json_new_bool(bool value) {
    return json_boolean(value);
}

Json *json_new_int(int64_t value) {
    return json_integer(value);
}

Json *json_new_real(double value) {
    /* JSON has no infinity and no NaN. */
    return isfinite(value) ? json_real(value) : json_null();
}

Json *json_new_string(const char *text) {
    if (text == NULL)
        return json_null();
    size_t length = strlen(text);
    if (text_is_utf8(text, length))
        return json_stringn_nocheck(text, length);
    char *valid = g_utf8_make_valid(text, (gssize)length);
    Json *json = json_string_nocheck(valid);
    secmem_free_text(valid);
    return json;
}

Json *json_copy_deep(const Json *json) {
    return json_deep_copy(json);
}

void json_put(Json *object, const char *key, Json *value) {
    if (value == NULL)
        value = json_null();
    g_autofree char *valid = text_is_utf8(key, strlen(key)) ? NULL : g_utf8_make_valid(key, -1);
    int failed = json_object_set_new_nocheck(object, valid != NULL ? valid : key, value);
    g_assert(failed == 0); /* not an object, or put into itself */
}

void json_put_string(Json *object, const char *key, const char *text) {
    json_put(object, key, json_new_string(text));
}

void json_put_int(Json *object, const char *key, int64_t value) {
    json_put(object, key, json_new_int(value));
}

void json_put_real(Json *object, const char *key, double value) {
    json_put(object, key, json_new_real(value));
}

void json_put_bool(Json *object, const char *key, bool value) {
    json_put(object, key, json_new_bool(value));
}

void json_put_time(Json *object, const char *key, int64_t time_ms) {
    g_autofree char *text = time_ms != 0 ? clock_format(time_ms) : NULL;
    json_put_string(object, key, text);
}

void json_remove(Json *object, const char *key) {
    json_object_del(object, key);
}

void json_add(Json *array, Json *value) {
    int failed = json_array_append_new(array, value != NULL ? value : json_null());
    g_assert(failed == 0); /* not an array, or added to itself */
}

void json_add_string(Json *array, const char *text) {
    json_add(array, json_new_string(text));
}

JsonKind json_kind(const Json *json) {
    static const JsonKind kinds[] = {
        [JSON_OBJECT] = JSON_KIND_OBJECT, [JSON_ARRAY] = JSON_KIND_ARRAY,
        [JSON_STRING] = JSON_KIND_STRING, [JSON_INTEGER] = JSON_KIND_INT,
        [JSON_REAL] = JSON_KIND_REAL,     [JSON_TRUE] = JSON_KIND_BOOL,
        [JSON_FALSE] = JSON_KIND_BOOL,    [JSON_NULL] = JSON_KIND_NULL};
    return json != NULL ? kinds[json_typeof(json)] : JSON_KIND_NULL;
}

size_t json_count(const Json *json) {
    /* Each is 0 for a value of another kind. */
    return json_object_size(json) + json_array_size(json);
}

Json *json_member(const Json *object, const char *key) {
    return json_object_get(object, key);
}

Json *json_item(const Json *array, size_t index) {
    return json_array_get(array, index);
}

Json *json_path(const Json *object, const char *path) {
    const Json *at = object;
    while (true) {
        size_t length = strcspn(path, ".");
        at = json_object_getn(at, path, length);
        if (path[length] == '\0')
            return readable(at);
        path += length + 1;
    }
}

const char *json_member_string(const Json *object, const char *key, const char *fallback) {
    const char *text = json_text(json_member(object, key));
    return text != NULL ? text : fallback;
}

int64_t json_member_int(const Json *object, const char *key, int64_t fallback) {
    return json_integer_or(json_member(object, key), fallback);
}

bool json_member_bool(const Json *object, const char *key, bool fallback) {
    const Json *member = json_member(object, key);
    return json_is_boolean(member) ? json_truth(member) : fallback;
}

double json_member_real(const Json *object, const char *key, double fallback) {
    return json_number_or(json_member(object, key), fallback);
}

const char *json_text(const Json *json) {
    return json_string_value(json);
}

int64_t json_integer_or(const Json *json, int64_t fallback) {
    return json_is_integer(json) ? json_integer_value(json) : fallback;
}

double json_number_or(const Json *json, double fallback) {
    return json_is_number(json) ? json_number_value(json) : fallback;
}

bool json_truth(const Json *json) {
    return json_is_true(json);
}

bool json_next(const Json *object, void **iterator, const char **key_out, Json **value_out) {
    json_t *parent = readable(object);
    *iterator =
        *iterator == NULL ? json_object_iter(parent) : json_object_iter_next(parent, *iterator);
    if (*iterator == NULL)
        return false;
    *key_out = json_object_iter_key(*iterator);
    *value_out = json_object_iter_value(*iterator);
    return true;
}

/* Appends to out; when it must grow, the old buffer is wiped rather than left to realloc. */
static void append(GString *out, const char *bytes, size_t size) {
    if (out->allocated_len - out->len <= size) {
        size_t room = MAX(2 * out->allocated_len, out->len + size + 1);
        char *grown = g_malloc(room);
        memcpy(grown, out->str, out->len);
        secmem_wipe(out->str, out->len);
        g_free(out->str);
        out->str = grown;
        out->allocated_len = room;
    }
    memcpy(out->str + out->len, bytes, size);
    out->len += size;
    out->str[out->len] = '\0';
}

static inline void append_char(GString *out, char c) {
    if (out->allocated_len - out->len > 1) {
        out->str[out->len++] = c;
        out->str[out->len] = '\0';
    } else {
        append(out, &c, 1);
    }
}

/* Whether a byte needs no escape. Escaped are what RFC 8259 section 7 requires, and DEL. */
static inline bool is_plain(char c) {
    return (unsigned char)c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

/* How many bytes from `at` need no escape. */
static size_t plain_run(const char *at, size_t length) {
    size_t run = 0;
    while (run < length && is_plain(at[run]))
        run++;
    return run;
}

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS (ONES << 7)

/* Whether one of the eight bytes is this one, or a byte above it is taken for it. */
static bool has_byte(uint64_t word, unsigned char byte) {
    uint64_t rest = word ^ (ONES * byte);
    return ((rest - ONES) & ~rest & HIGHS) != 0;
}

/* False when one of the eight bytes is not ASCII or needs an escape. */
static bool are_ascii(const char *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return !((word | (word - ONES * 0x20)) & HIGHS) && !has_byte(word, '"') &&
           !has_byte(word, '\\') && !has_byte(word, 0x7f);
}

/* How many bytes from `at` are ASCII and need no escape: nearly always all. */
static size_t ascii_run(const char *at, size_t length) {
    size_t run = 0;
    while (length - run >= sizeof(uint64_t) && are_ascii(at + run))
        run += sizeof(uint64_t);
    while (run < length && (unsigned char)at[run] < 0x80 && is_plain(at[run]))
        run++;
    return run;
}

static void append_escape(GString *out, char c) {
    static const char letters[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                   ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};
    static const char digits[] = "0123456789abcdef";
    unsigned char u = (unsigned char)c;
    if (u < sizeof letters && letters[u] != '\0') {
        append(out, (const char[]){'\\', letters[u]}, 2);
        return;
    }
    append(out, (const char[]){'\\', 'u', '0', '0', digits[u >> 4], digits[u & 15]}, 6);
}

static void append_escaped(GString *out, const char *text, size_t length) {
    while (length > 0) {
        size_t run = plain_run(text, length);
        append(out, text, run);
        text += run;
        length -= run;
        if (length > 0) {
            append_escape(out, *text++);
            length--;
        }
    }
}

void json_append_quoted(GString *out, const char *text, size_t length) {
    append_char(out, '"');
    size_t plain = ascii_run(text, length);
    append(out, text, plain);
    text += plain;
    length -= plain;
    while (length > 0) {
        const char *bad = text;
        bool valid = g_utf8_validate_len(text, length, &bad);
        size_t good = valid ? length : (size_t)(bad - text);
        append_escaped(out, text, good);
        text += good;
        length -= good;
        if (length > 0) {
            if (*text == '\0')
                append_escape(out, '\0');
            else
                append(out, "\xef\xbf\xbd", 3);
            text++;
            length--;
        }
    }
    append_char(out, '"');
}

/* The shortest digits that read back as the same number, marked as real by a point or exponent. */
static void append_real(GString *out, double value) {
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    for (int precision = 15; precision <= 17; precision++) {
        char format[] = "%.15g";
        format[3] = (char)('0' + precision - 10);
        g_ascii_formatd(digits, sizeof digits, format, value);
        if (fabs(g_ascii_strtod(digits, NULL) - value) == 0)
            break;
    }
    append(out, digits, strlen(digits));
    if (strpbrk(digits, ".e") == NULL)
        append(out, ".0", 2);
}

typedef struct {
    GString *out;
    JsonPrint flags;
    int level;
} Printer;

static void print_value(Printer *printer, const Json *json);

static void print_break(const Printer *printer, int level) {
    if (!(printer->flags & JSON_PRETTY))
        return;
    append_char(printer->out, '\n');
    for (int i = 0; i < level; i++)
        append(printer->out, "  ", 2);
}

static void print_member(Printer *printer, const char *key, const Json *value) {
    json_append_quoted(printer->out, key, strlen(key));
    append(printer->out, ": ", printer->flags & JSON_PRETTY ? 2 : 1);
    print_value(printer, value);
}

/* What stands between members or items: a comma, but before the first nothing. */
static void print_separator(const Printer *printer, size_t index) {
    if (index > 0)
        append_char(printer->out, ',');
    print_break(printer, printer->level);
}

static void print_array(Printer *printer, const Json *array) {
    size_t count = json_array_size(array);
    for (size_t i = 0; i < count; i++) {
        print_separator(printer, i);
        print_value(printer, json_array_get(array, i));
    }
}

static gint compare_keys(gconstpointer a, gconstpointer b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void print_object(Printer *printer, const Json *object) {
    g_autoptr(GPtrArray) keys = g_ptr_array_sized_new((guint)json_object_size(object));
    void *iterator = NULL;
    const char *key;
    Json *value;
    while (json_next(object, &iterator, &key, &value))
        g_ptr_array_add(keys, (gpointer)(uintptr_t)key);
    if (printer->flags & JSON_SORTED)
        g_ptr_array_sort(keys, compare_keys);
    for (guint i = 0; i < keys->len; i++) {
        print_separator(printer, i);
        print_member(printer, keys->pdata[i], json_object_get(object, keys->pdata[i]));
    }
}

static void print_container(Printer *printer, const Json *json) {
    bool object = json_is_object(json);
    append_char(printer->out, object ? '{' : '[');
    printer->level++;
    if (object)
        print_object(printer, json);
    else
        print_array(printer, json);
    printer->level--;
    if (json_count(json) > 0)
        print_break(printer, printer->level);
    append_char(printer->out, object ? '}' : ']');
}

static void print_integer(Printer *printer, int64_t value) {
    char digits[24];
    int length = g_snprintf(digits, sizeof digits, "%" G_GINT64_FORMAT, value);
    append(printer->out, digits, (size_t)length);
}

static void print_value(Printer *printer, const Json *json) {
    switch (json_kind(json)) {
    case JSON_KIND_OBJECT:
    case JSON_KIND_ARRAY:
        print_container(printer, json);
        break;
    case JSON_KIND_STRING:
        json_append_quoted(printer->out, json_string_value(json), json_string_length(json));
        break;
    case JSON_KIND_INT:
        print_integer(printer, json_integer_value(json));
        break;
    case JSON_KIND_REAL:
        append_real(printer->out, json_real_value(json));
        break;
    case JSON_KIND_BOOL:
        append(printer->out, json_truth(json) ? "true" : "false", json_truth(json) ? 4 : 5);
        break;
    case JSON_KIND_NULL:
        append(printer->out, "null", 4);
        break;
    }
}

char *json_print(const Json *json, JsonPrint flags) {
    Printer printer = {g_string_sized_new(256), flags, 0};
    print_value(&printer, json);
    return g_string_free(printer.out, FALSE);
}
