#include "provider/field.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"

struct FieldType {
    FieldKind kind;
    bool nullable;
    FieldType *item;  /* of a list or map */
    FieldSet *fields; /* of an object */
};

typedef struct {
    char *name;
    FieldType *type;
} Field;

struct FieldSet {
    GArray *fields;    /* of Field, in order */
    GHashTable *index; /* name -> position + 1 */
};

/* Reading types. */

static const struct {
    const char *name;
    FieldKind kind;
} scalar_types[] = {
    {"string", FIELD_STRING}, {"int", FIELD_INT},   {"number", FIELD_NUMBER},
    {"bool", FIELD_BOOL},     {"time", FIELD_TIME},
};

typedef struct {
    const char *text;
    const char *p;
    unsigned depth;
} Reader;

static void skip_blank(Reader *reader) {
    while (*reader->p == ' ' || *reader->p == '\t' || *reader->p == '\n')
        reader->p++;
}

static bool take(Reader *reader, char wanted) {
    skip_blank(reader);
    if (*reader->p != wanted)
        return false;
    reader->p++;
    return true;
}

static FieldType *refuse(const Reader *reader, const char *why, GError **error) {
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                "The type \"%.80s\" %s at character %zu; types are string, int, number, bool, time,"
                " [T], {name: T}, {string: T}, and T? for what may be null.",
                reader->text, why, (size_t)(reader->p - reader->text) + 1);
    return NULL;
}

static char *take_name(Reader *reader) {
    skip_blank(reader);
    const char *start = reader->p;
    while (g_ascii_isalnum(*reader->p) || *reader->p == '_' || *reader->p == '-')
        reader->p++;
    return g_strndup(start, (size_t)(reader->p - start));
}

static FieldType *read_type(Reader *reader, GError **error);

static FieldType *type_new(FieldKind kind) {
    FieldType *type = g_new0(FieldType, 1);
    type->kind = kind;
    return type;
}

static FieldType *read_list(Reader *reader, GError **error) {
    g_autoptr(FieldType) list = type_new(FIELD_LIST);
    list->item = read_type(reader, error);
    if (list->item == NULL)
        return NULL;
    return take(reader, ']') ? g_steal_pointer(&list) : refuse(reader, "lacks a ]", error);
}

static bool set_put(FieldSet *set, const char *name, FieldType *type) {
    if (g_hash_table_contains(set->index, name) || set->fields->len == FIELD_MAX_NAMES) {
        field_type_free(type);
        return false;
    }
    Field field = {.name = g_strdup(name), .type = type};
    g_array_append_val(set->fields, field);
    g_hash_table_insert(set->index, field.name, GUINT_TO_POINTER(set->fields->len));
    return true;
}

static bool read_member(Reader *reader, FieldSet *set, GError **error) {
    g_autofree char *name = take_name(reader);
    if (name[0] == '\0' || !take(reader, ':'))
        return refuse(reader, "lacks a name and colon", error) != NULL;
    FieldType *type = read_type(reader, error);
    if (type == NULL)
        return false;
    return set_put(set, name, type) || refuse(reader, "has a name twice or too many", error);
}

/* {string: T} with nothing else is a map: the names are free. */
static FieldType *object_or_map(FieldType *object) {
    FieldSet *set = object->fields;
    if (set->fields->len != 1 || strcmp(field_set_name(set, 0), "string") != 0)
        return object;
    object->kind = FIELD_MAP;
    object->item = g_steal_pointer(&g_array_index(set->fields, Field, 0).type);
    g_clear_pointer(&object->fields, field_set_free);
    return object;
}

static FieldType *read_object(Reader *reader, GError **error) {
    g_autoptr(FieldType) object = type_new(FIELD_OBJECT);
    object->fields = field_set_new();
    do {
        if (!read_member(reader, object->fields, error))
            return NULL;
    } while (take(reader, ','));
    if (!take(reader, '}'))
        return refuse(reader, "lacks a }", error);
    return object_or_map(g_steal_pointer(&object));
}

static FieldType *read_scalar(Reader *reader, GError **error) {
    const char *start = reader->p;
    g_autofree char *name = take_name(reader);
    for (size_t i = 0; i < G_N_ELEMENTS(scalar_types); i++) {
        if (strcmp(name, scalar_types[i].name) == 0)
            return type_new(scalar_types[i].kind);
    }
    reader->p = start;
    return refuse(reader, "is not known", error);
}

static FieldType *read_type(Reader *reader, GError **error) {
    if (reader->depth == FIELD_MAX_DEPTH)
        return refuse(reader, "is nested too deeply", error);
    reader->depth++;
    skip_blank(reader);
    FieldType *type = take(reader, '[')   ? read_list(reader, error)
                      : take(reader, '{') ? read_object(reader, error)
                                          : read_scalar(reader, error);
    reader->depth--;
    if (type != NULL)
        type->nullable = take(reader, '?');
    return type;
}

FieldType *field_type_parse(const char *text, GError **error) {
    Reader reader = {.text = text, .p = text};
    g_autoptr(FieldType) type = read_type(&reader, error);
    if (type == NULL)
        return NULL;
    skip_blank(&reader);
    return *reader.p == '\0' ? g_steal_pointer(&type)
                             : refuse(&reader, "goes on unexpectedly", error);
}

void field_type_free(FieldType *type) {
    if (type == NULL)
        return;
    field_type_free(type->item);
    field_set_free(type->fields);
    g_free(type);
}

FieldKind field_type_kind(const FieldType *type) {
    return type->kind;
}

bool field_type_nullable(const FieldType *type) {
    return type->nullable;
}

static void append_text(GString *out, const FieldType *type) {
    if (type->kind == FIELD_LIST) {
        g_string_append_c(out, '[');
        append_text(out, type->item);
        g_string_append_c(out, ']');
    } else if (type->kind == FIELD_MAP) {
        g_string_append(out, "{string: ");
        append_text(out, type->item);
        g_string_append_c(out, '}');
    } else if (type->kind == FIELD_OBJECT) {
        for (size_t i = 0; i < field_set_count(type->fields); i++) {
            g_string_append_printf(out, "%s%s: ", i == 0 ? "{" : ", ",
                                   field_set_name(type->fields, i));
            append_text(out, field_set_type(type->fields, i));
        }
        g_string_append_c(out, '}');
    } else {
        g_string_append(out, scalar_types[type->kind].name);
    }
    if (type->nullable)
        g_string_append_c(out, '?');
}

char *field_type_text(const FieldType *type) {
    GString *out = g_string_new(NULL);
    append_text(out, type);
    return g_string_free(out, FALSE);
}

/* Checking values. */

/* RFC 3339 section 5.6, with the offset that clock_parse would let a plain date do without. */
static bool is_time(Value value) {
    const char *text = value_text(value);
    int64_t time_ms;
    return text != NULL && value_length(value) >= strlen("2026-01-02T03:04:05Z") &&
           strlen(text) == value_length(value) && g_ascii_toupper(text[10]) == 'T' &&
           clock_parse(text, &time_ms);
}

static bool check_list(const FieldType *item, Value list) {
    size_t count = value_count(list);
    for (size_t i = 0; i < count; i++) {
        g_auto(Value) value = value_at(list, i);
        if (!field_check(item, value))
            return false;
    }
    return true;
}

typedef struct {
    const FieldType *item;
    bool good;
} MapCheck;

static bool check_map_member(const char *key G_GNUC_UNUSED, Value value, void *data) {
    MapCheck *check = data;
    check->good = field_check(check->item, value);
    return check->good;
}

static bool check_map(const FieldType *item, Value map) {
    MapCheck check = {.item = item, .good = true};
    value_each_member(map, check_map_member, &check);
    return check.good;
}

/* Members that are there are counted, so that names beyond the declared ones are noticed without
 * walking them. */
static bool check_object(const FieldSet *set, Value object) {
    size_t present = 0;
    for (guint i = 0; i < set->fields->len; i++) {
        const Field *field = &g_array_index(set->fields, Field, i);
        g_auto(Value) value = value_get(object, field->name);
        if (!field_check(field->type, value))
            return false;
        present += value_kind(value) != VALUE_KIND_NONE;
    }
    return present == value_count(object);
}

bool field_check(const FieldType *type, Value value) {
    ValueKind kind = value_kind(value);
    int64_t integer;
    if (kind <= VALUE_KIND_NULL)
        return type->nullable;
    switch (type->kind) {
    case FIELD_STRING:
        return kind == VALUE_KIND_STRING;
    case FIELD_INT:
        return value_integer(value, &integer);
    case FIELD_NUMBER:
        return kind == VALUE_KIND_NUMBER;
    case FIELD_BOOL:
        return kind == VALUE_KIND_BOOL;
    case FIELD_TIME:
        return is_time(value);
    case FIELD_LIST:
        return kind == VALUE_KIND_ARRAY && check_list(type->item, value);
    case FIELD_OBJECT:
        return kind == VALUE_KIND_OBJECT && check_object(type->fields, value);
    case FIELD_MAP:
        return kind == VALUE_KIND_OBJECT && check_map(type->item, value);
    default:
        return false;
    }
}

/* Sets. */

static void clear_field(void *data) {
    Field *field = data;
    g_free(field->name);
    field_type_free(field->type);
}

FieldSet *field_set_new(void) {
    FieldSet *set = g_new0(FieldSet, 1);
    set->fields = g_array_new(FALSE, FALSE, sizeof(Field));
    g_array_set_clear_func(set->fields, clear_field);
    set->index = g_hash_table_new(g_str_hash, g_str_equal);
    return set;
}

void field_set_free(FieldSet *set) {
    if (set == NULL)
        return;
    g_hash_table_unref(set->index);
    g_array_unref(set->fields);
    g_free(set);
}

bool field_set_add(FieldSet *set, const char *name, const char *type, GError **error) {
    FieldType *parsed = field_type_parse(type, error);
    if (parsed == NULL) {
        g_prefix_error(error, "Field %s: ", name);
        return false;
    }
    if (set_put(set, name, parsed))
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                "Field %s is declared twice, or there are more than %d.", name, FIELD_MAX_NAMES);
    return false;
}

size_t field_set_count(const FieldSet *set) {
    return set->fields->len;
}

const char *field_set_name(const FieldSet *set, size_t index) {
    g_assert(index < set->fields->len);
    return g_array_index(set->fields, Field, index).name;
}

const FieldType *field_set_type(const FieldSet *set, size_t index) {
    g_assert(index < set->fields->len);
    return g_array_index(set->fields, Field, index).type;
}

bool field_set_find(const FieldSet *set, const char *name, size_t *index_out) {
    guint position = GPOINTER_TO_UINT(g_hash_table_lookup(set->index, name));
    if (position > 0 && index_out != NULL)
        *index_out = position - 1;
    return position > 0;
}

typedef struct {
    const FieldSet *set;
    GError **error;
} KeyCheck;

static bool check_key(const char *key, Value value G_GNUC_UNUSED, void *data) {
    const KeyCheck *check = data;
    if (field_set_find(check->set, key, NULL))
        return true;
    g_autofree char *shown = g_utf8_substring(key, 0, MIN(g_utf8_strlen(key, -1), 40));
    g_set_error(check->error, ASSAY_ERROR, ERROR_CONFIGURATION,
                "The row has \"%s\", which is not declared under fields.", shown);
    return false;
}

bool field_set_check(const FieldSet *set, Value row, GPtrArray *unread, bool *readable_out,
                     GError **error) {
    if (value_kind(row) != VALUE_KIND_OBJECT) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "The row expression gives %s; it must give an object.",
                    value_kind_name(value_kind(row)));
        return false;
    }
    size_t present = 0;
    bool readable = true;
    guint before = unread != NULL ? unread->len : 0;
    for (guint i = 0; i < set->fields->len; i++) {
        const Field *field = &g_array_index(set->fields, Field, i);
        g_auto(Value) value = value_get(row, field->name);
        present += value_kind(value) != VALUE_KIND_NONE;
        bool good = field_check(field->type, value);
        readable = readable && good;
        if (!good && unread != NULL)
            g_ptr_array_add(unread, field->name);
    }
    if (present != value_count(row)) {
        KeyCheck check = {.set = set, .error = error};
        value_each_member(row, check_key, &check);
        if (unread != NULL)
            g_ptr_array_set_size(unread, (int)before);
        return false;
    }
    if (readable_out != NULL)
        *readable_out = readable;
    return true;
}
