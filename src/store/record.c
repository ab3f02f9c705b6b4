#include "store/record.h"

#include <string.h>

static const void *field_of(const void *row, const RecordColumn *column) {
    return (const char *)row + column->offset;
}

static const char *text_of(const void *row, const RecordColumn *column) {
    return *(const char *const *)field_of(row, column);
}

static bool is_text(const RecordColumn *column) {
    return column->kind == RECORD_TEXT || column->kind == RECORD_OPTIONAL;
}

static bool is_missing(const void *row, const RecordColumn *column) {
    if (column->kind == RECORD_BYTES) {
        return ((const RecordBytes *)field_of(row, column))->bytes == NULL;
    }
    const char *text = column->kind == RECORD_TEXT ? text_of(row, column) : "-";
    return !text || !*text;
}

static size_t length_of(const void *row, const RecordColumn *column) {
    if (column->kind == RECORD_BYTES) {
        return ((const RecordBytes *)field_of(row, column))->size;
    }
    const char *text = is_text(column) ? text_of(row, column) : NULL;
    return text ? strlen(text) : 0;
}

bool record_check(const RecordShape *shape, const void *row, GError **error) {
    for (size_t i = 0; i < shape->count; i++) {
        const RecordColumn *column = &shape->columns[i];
        size_t length = length_of(row, column);
        size_t max = column->max ? column->max : STORE_NAME_MAX;
        if (is_missing(row, column)) {
            g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                        "The field %s of the %s is missing.", column->name, shape->noun);
            return false;
        }
        if (length > max) {
            g_set_error(error, ASSAY_ERROR, ERROR_LIMIT,
                        "The field %s of the %s is longer than %zu bytes.", column->name,
                        shape->noun, max);
            return false;
        }
    }
    return true;
}

static void bind_column(DbStatement *statement, const RecordColumn *column, const void *row) {
    const void *field = field_of(row, column);
    switch (column->kind) {
    case RECORD_TEXT:
    case RECORD_OPTIONAL:
        db_bind_text(statement, column->name, text_of(row, column));
        break;
    case RECORD_INT:
        db_bind_int(statement, column->name, *(const int64_t *)field);
        break;
    case RECORD_BOOL:
        db_bind_int(statement, column->name, *(const bool *)field ? 1 : 0);
        break;
    case RECORD_REAL:
        db_bind_real(statement, column->name, *(const double *)field);
        break;
    case RECORD_BYTES: {
        const RecordBytes *bytes = field;
        db_bind_blob(statement, column->name, bytes->bytes, bytes->size);
        break;
    }
    }
}

void record_bind(DbStatement *statement, const RecordShape *shape, const void *row) {
    for (size_t i = 0; i < shape->count; i++) {
        bind_column(statement, &shape->columns[i], row);
    }
}

bool record_write(DbUnit *unit, const char *statement, const RecordShape *shape, const void *row,
                  GError **error) {
    if (!record_check(shape, row, error)) {
        return false;
    }
    DbStatement *prepared = db_prepare(unit, statement);
    db_lend(prepared);
    record_bind(prepared, shape, row);
    return db_exec(prepared, error);
}

/* Bytes that the column's value needs behind the struct. */
static size_t room_for(DbStatement *statement, const RecordColumn *column, int index) {
    size_t size = 0;
    if (is_text(column)) {
        const char *text = db_column_text(statement, index);
        size = text ? strlen(text) + 1 : 0;
    } else if (column->kind == RECORD_BYTES) {
        (void)db_column_blob(statement, index, &size);
    }
    return size;
}

static const void *keep(char **room, const void *bytes, size_t size) {
    if (size) {
        memcpy(*room, bytes, size);
    }
    const void *kept = *room;
    *room += size;
    return kept;
}

/* Reads one column into the row; room is where its bytes go. */
static void read_column(DbStatement *statement, const RecordColumn *column, int index, char *row,
                        char **room) {
    void *field = row + column->offset;
    switch (column->kind) {
    case RECORD_TEXT:
    case RECORD_OPTIONAL: {
        const char *text = db_column_text(statement, index);
        *(const char **)field = text ? keep(room, text, strlen(text) + 1) : NULL;
        break;
    }
    case RECORD_INT:
        *(int64_t *)field = db_column_int(statement, index);
        break;
    case RECORD_BOOL:
        *(bool *)field = db_column_int(statement, index) != 0;
        break;
    case RECORD_REAL:
        *(double *)field = db_column_real(statement, index);
        break;
    case RECORD_BYTES: {
        size_t size = 0;
        const void *bytes = db_column_blob(statement, index, &size);
        bool is_null = db_column_is_null(statement, index);
        *(RecordBytes *)field =
            is_null ? (RecordBytes){NULL, 0} : (RecordBytes){keep(room, bytes, size), size};
        break;
    }
    }
}

void *record_read(DbStatement *statement, const RecordShape *shape) {
    size_t total = shape->size;
    for (size_t i = 0; i < shape->count; i++) {
        total += room_for(statement, &shape->columns[i], (int)i);
    }
    char *row = g_malloc0(total + 1);
    char *room = row + shape->size;
    for (size_t i = 0; i < shape->count; i++) {
        read_column(statement, &shape->columns[i], (int)i, row, &room);
    }
    return row;
}

/* Sets the caller's pointer, whose struct type is not known here. */
static void put_row(void *row_out, void *row) {
    memcpy(row_out, &row, sizeof row);
}

bool record_one(DbStatement *statement, const RecordShape *shape, void *row_out, GError **error) {
    bool found = false;
    if (!db_step(statement, &found, error)) {
        return false;
    }
    put_row(row_out, found ? record_read(statement, shape) : NULL);
    db_reset(statement);
    return true;
}

bool record_must(DbStatement *statement, const RecordShape *shape, void *row_out, GError **error) {
    void *row = NULL;
    if (!record_one(statement, shape, &row, error)) {
        return false;
    }
    if (!row) {
        g_set_error(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                    "There is no such %s in this organization.", shape->noun);
        return false;
    }
    put_row(row_out, row);
    return true;
}

bool record_all(DbStatement *statement, const RecordShape *shape, GPtrArray **rows_out,
                GError **error) {
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_free);
    for (;;) {
        bool found = false;
        if (!db_step(statement, &found, error)) {
            return false;
        }
        if (!found) {
            break;
        }
        g_ptr_array_add(rows, record_read(statement, shape));
    }
    *rows_out = g_steal_pointer(&rows);
    return true;
}

bool record_number(DbStatement *statement, int64_t fallback, int64_t *number_out, GError **error) {
    bool found = false;
    if (!db_step(statement, &found, error)) {
        return false;
    }
    *number_out = found ? db_column_int(statement, 0) : fallback;
    db_reset(statement);
    return true;
}

bool record_change(DbUnit *unit, DbStatement *statement, ErrorCode code, const char *message,
                   GError **error) {
    if (!db_exec(statement, error)) {
        return false;
    }
    if (db_changes(unit) == 0) {
        g_set_error_literal(error, ASSAY_ERROR, (int)code, message);
        return false;
    }
    return true;
}

void record_bind_limit(DbStatement *statement, int64_t wish) {
    db_bind_int(statement, "limit",
                wish <= 0 ? STORE_LIST_DEFAULT : MIN(wish, (int64_t)STORE_LIST_MAX));
}

void record_bind_filter(DbStatement *statement, const char *name, const char *text) {
    db_bind_text(statement, name, text ? text : "");
}

void record_bind_before(DbStatement *statement, const char *name, const char *id) {
    /* Ids are lower-case hexadecimal digits and dashes; '~' sorts behind them in bytes. */
    db_bind_text(statement, name, id ? id : "~");
}
