#include "provider/csv.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

#define MARK "\xef\xbb\xbf" /* byte order mark */

typedef struct {
    const char *p;
    const char *end;
    GPtrArray *keys; /* "name": of each column, as it stands in JSON (char *) */
    GString *field;  /* of the field at hand, when it holds doubled quotes */
    GString *object; /* of the row at hand */
    size_t row;      /* 0: the header */
    size_t nodes;    /* fields that may still come */
    const char *reason;
    ErrorCode code;
} Reader;

typedef struct {
    const char *at;
    size_t length;
    bool last; /* of its row */
} Field;

static bool fail(Reader *reader, ErrorCode code, const char *reason) {
    reader->code = code;
    reader->reason = reason;
    return false;
}

static bool fail_broken(Reader *reader, const char *reason) {
    return fail(reader, ERROR_SERVICE_UNAVAILABLE, reason);
}

/* Fields. */

static bool read_quoted(Reader *reader, Field *field) {
    const char *from = reader->p + 1;
    g_string_truncate(reader->field, 0);
    for (bool doubled = true; doubled;) {
        const char *quote = memchr(from, '"', (size_t)(reader->end - from));
        if (quote == NULL)
            return fail_broken(reader, "it ends within quotes");
        doubled = quote + 1 < reader->end && quote[1] == '"';
        *field = (Field){.at = from, .length = (size_t)(quote - from)};
        reader->p = quote + 1;
        if (doubled || reader->field->len > 0)
            g_string_append_len(reader->field, from, quote - from + doubled);
        from = quote + 2;
    }
    if (reader->field->len > 0)
        *field = (Field){.at = reader->field->str, .length = reader->field->len};
    return true;
}

static void read_plain(Reader *reader, Field *field) {
    const char *at = reader->p;
    while (at < reader->end && *at != ',' && *at != '\n' && *at != '\r' && *at != '"')
        at++;
    *field = (Field){.at = reader->p, .length = (size_t)(at - reader->p)};
    reader->p = at;
}

/* Passes what ends a line, if there is one here. */
static bool pass_line_end(Reader *reader) {
    size_t left = (size_t)(reader->end - reader->p);
    if (left > 0 && reader->p[0] == '\n')
        reader->p++;
    else if (left > 1 && reader->p[0] == '\r' && reader->p[1] == '\n')
        reader->p += 2;
    else
        return false;
    return true;
}

static bool read_field(Reader *reader, Field *field) {
    if (reader->nodes-- == 0)
        return fail(reader, ERROR_LIMIT, "it has too many fields");
    if (reader->p < reader->end && *reader->p == '"') {
        if (!read_quoted(reader, field))
            return false;
    } else {
        read_plain(reader, field);
    }
    field->last = reader->p == reader->end || pass_line_end(reader);
    if (field->last)
        return true;
    if (*reader->p++ == ',')
        return true;
    return fail_broken(reader, "a quote or carriage return stands in the middle of a field");
}

/* Rows. */

static bool add_key(Reader *reader, GHashTable *known, const Field *field) {
    if (field->length == 0)
        return fail_broken(reader, "a column has no name");
    if (field->length > CSV_MAX_NAME)
        return fail(reader, ERROR_LIMIT, "the name of a column is too long");
    g_autoptr(GString) key = g_string_new(NULL);
    json_append_quoted(key, field->at, field->length);
    g_string_append_c(key, ':');
    char *text = g_strdup(key->str);
    g_ptr_array_add(reader->keys, text);
    return g_hash_table_add(known, text) || fail_broken(reader, "two columns have one name");
}

static bool read_header(Reader *reader) {
    while (pass_line_end(reader))
        continue;
    if (reader->p == reader->end)
        return fail_broken(reader, "it has no header line");
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
    Field field = {.last = false};
    while (!field.last) {
        if (!read_field(reader, &field) || !add_key(reader, known, &field))
            return false;
    }
    return true;
}

static bool read_row(Reader *reader) {
    g_string_assign(reader->object, "{");
    Field field = {.last = false};
    for (guint i = 0; i < reader->keys->len; i++) {
        if (field.last)
            return fail_broken(reader, "a row has fewer fields than the header");
        if (!read_field(reader, &field))
            return false;
        if (i > 0)
            g_string_append_c(reader->object, ',');
        g_string_append(reader->object, reader->keys->pdata[i]);
        json_append_quoted(reader->object, field.at, field.length);
    }
    if (!field.last)
        return fail_broken(reader, "a row has more fields than the header");
    g_string_append_c(reader->object, '}');
    return true;
}

static bool report(const Reader *reader, GError **error) {
    g_set_error(error, ASSAY_ERROR, (int)reader->code,
                "The table cannot be read at row %zu (the header is row 0): %s.", reader->row,
                reader->reason);
    return false;
}

static bool read_table(Reader *reader, const CsvRows *rows, GError **error) {
    if (!read_header(reader))
        return report(reader, error);
    for (;;) {
        while (pass_line_end(reader))
            continue;
        if (reader->p == reader->end)
            return true;
        reader->row++;
        if (!read_row(reader))
            return report(reader, error);
        if (!rows->row(reader->object->str, reader->object->len, rows->data, error))
            return false;
    }
}

static bool begin(Reader *reader, const ScanLimits *limits, const char *bytes, size_t size) {
    if (size > limits->max_bytes)
        return fail(reader, ERROR_LIMIT, "it is too large");
    if (memchr(bytes, '\0', size) != NULL)
        return fail_broken(reader, "it holds a NUL");
    if (size >= strlen(MARK) && memcmp(bytes, MARK, strlen(MARK)) == 0)
        reader->p += strlen(MARK);
    return true;
}

bool csv_rows(const CsvRows *rows, const char *bytes, size_t size, int64_t *count_out,
              GError **error) {
    const ScanLimits *limits = rows->limits != NULL ? rows->limits : &scan_default_limits;
    Reader reader = {.p = bytes, .end = bytes + size, .nodes = limits->max_nodes};
    if (!begin(&reader, limits, bytes, size))
        return report(&reader, error);
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) field = g_string_new(NULL);
    g_autoptr(GString) object = g_string_new(NULL);
    reader.keys = keys;
    reader.field = field;
    reader.object = object;
    bool good = read_table(&reader, rows, error);
    if (good && count_out != NULL)
        *count_out = (int64_t)reader.row;
    return good;
}

/* Whole tables. */

typedef struct {
    GString *out;
    size_t before; /* length of out when we began */
    size_t max_bytes;
} Collector;

static bool collect(const char *json, size_t size, void *data, GError **error) {
    Collector *collector = data;
    GString *out = collector->out;
    if (out->len - collector->before + size + 2 > collector->max_bytes) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_LIMIT,
                            "The table cannot be read: as JSON it is too large.");
        return false;
    }
    if (out->len > collector->before + 1)
        g_string_append_c(out, ',');
    g_string_append_len(out, json, (gssize)size);
    return true;
}

bool csv_to_json(const ScanLimits *limits, const char *bytes, size_t size, GString *json_out,
                 GError **error) {
    Collector collector = {
        .out = json_out,
        .before = json_out->len,
        .max_bytes = (limits != NULL ? limits : &scan_default_limits)->max_bytes,
    };
    CsvRows rows = {.limits = limits, .row = collect, .data = &collector};
    g_string_append_c(json_out, '[');
    if (!csv_rows(&rows, bytes, size, NULL, error)) {
        g_string_truncate(json_out, collector.before);
        return false;
    }
    g_string_append_c(json_out, ']');
    return true;
}

bool csv_base64_to_json(const ScanLimits *limits, const char *text, size_t length,
                        GString *json_out, GError **error) {
    g_autoptr(GString) digits = g_string_sized_new(length);
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '\n' && text[i] != '\r')
            g_string_append_c(digits, text[i]);
    }
    g_autofree uint8_t *bytes = NULL;
    size_t size;
    if (!text_unbase64(digits->str, digits->len, &bytes, &size)) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE,
                            "The table cannot be read: it is no base64.");
        return false;
    }
    return csv_to_json(limits, (const char *)bytes, size, json_out, error);
}
