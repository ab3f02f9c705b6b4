#include "store/schema_part.h"

#include <string.h>

static const RecordColumn columns[] = {
    RECORD_COLUMN(SchemaPart, name, RECORD_TEXT, 0),
    RECORD_COLUMN(SchemaPart, text, RECORD_TEXT, STORE_JSON_MAX),
};
static const RecordShape shape = RECORD_SHAPE(SchemaPart, "part of the schema", columns);

void schema_part_free(SchemaPart *part) {
    g_free(part);
}

bool schema_part_list(DbUnit *unit, GPtrArray **parts_out, GError **error) {
    return record_all(db_prepare(unit, "schema_part_list"), &shape, parts_out, error);
}

/* Both are in order: of two names that differ the first one is missing elsewhere. */
static const char *difference(const SchemaPart *part, const SchemaPart *other) {
    int order = strcmp(part->name, other->name);
    if (order != 0)
        return order < 0 ? part->name : other->name;
    return strcmp(part->text, other->text) == 0 ? NULL : part->name;
}

/* What the longer list has more; NULL: nothing. */
static const char *name_behind(const GPtrArray *parts, guint count) {
    const SchemaPart *part = count < parts->len ? g_ptr_array_index(parts, count) : NULL;
    return part ? part->name : NULL;
}

const char *schema_part_difference(const GPtrArray *parts, const GPtrArray *others) {
    guint common = MIN(parts->len, others->len);
    const char *found = NULL;
    for (guint i = 0; i < common && !found; i++)
        found = difference(g_ptr_array_index(parts, i), g_ptr_array_index(others, i));
    if (!found)
        found = name_behind(parts, common);
    return found ? found : name_behind(others, common);
}
