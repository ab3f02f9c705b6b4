#include "collect/sheet.h"

#include "base/error.h"
#include "provider/scan.h"

typedef struct {
    size_t start;
    size_t size;
} Range;

struct Sheet {
    GString *bytes;
    GArray *ranges; /* Range */
    guint next;     /* first row not taken yet */
};

static Sheet *new_over(GString *bytes) {
    Sheet *sheet = g_new0(Sheet, 1);
    sheet->bytes = bytes;
    sheet->ranges = g_array_new(FALSE, FALSE, sizeof(Range));
    return sheet;
}

static bool note_row(const char *bytes, size_t size, void *data, GError **error) {
    (void)error;
    Sheet *sheet = data;
    Range range = {(size_t)(bytes - sheet->bytes->str), size};
    g_array_append_val(sheet->ranges, range);
    return true;
}

Sheet *sheet_new(GString *bytes, const ValuePath *path, Value *rest_out, GError **error) {
    g_autoptr(GString) rest = rest_out ? g_string_new(NULL) : NULL;
    Sheet *sheet = new_over(bytes);
    ScanRows rows = {.path = path, .row = note_row, .data = sheet, .rest = rest};
    int64_t count = 0;
    bool ok = scan_rows(&rows, bytes->str, bytes->len, &count, error);
    if (ok && count < 0) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE,
                            "the answer has no list where one is expected");
        ok = false;
    }
    ok = ok && (!rest || value_parse(rest->str, rest->len, rest_out, error));
    if (ok)
        return sheet;
    sheet_free(sheet);
    return NULL;
}

Sheet *sheet_new_of(Value rows) {
    Sheet *sheet = new_over(g_string_new(NULL));
    size_t count = value_count(rows);
    for (size_t i = 0; i < count; i++) {
        g_auto(Value) row = value_at(rows, i);
        Range range = {.start = sheet->bytes->len};
        value_append_json(sheet->bytes, row);
        range.size = sheet->bytes->len - range.start;
        g_array_append_val(sheet->ranges, range);
    }
    return sheet;
}

void sheet_free(Sheet *sheet) {
    g_string_free(sheet->bytes, TRUE);
    g_array_unref(sheet->ranges);
    g_free(sheet);
}

size_t sheet_count(const Sheet *sheet) {
    return sheet->ranges->len;
}

bool sheet_take(Sheet *sheet, const char **json_out, size_t *size_out) {
    if (sheet_is_empty(sheet))
        return false;
    Range range = g_array_index(sheet->ranges, Range, sheet->next++);
    *json_out = sheet->bytes->str + range.start;
    *size_out = range.size;
    return true;
}

bool sheet_is_empty(const Sheet *sheet) {
    return sheet->next >= sheet->ranges->len;
}
