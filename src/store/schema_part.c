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

static const SchemaPart *part_at(const GPtrArray *parts, guint index) {
    return index < parts->len ? g_ptr_array_index(parts, index) : NULL;
}

/* Both are in order: of two names that differ the first one is missing elsewhere. */
static const char *first_of(const SchemaPart *part, const SchemaPart *other) {
    bool own = part && (!other || strcmp(part->name, other->name) < 0);
    return own ? part->name : other->name;
}

const char *schema_part_difference(const GPtrArray *parts, const GPtrArray *others) {
    for (guint i = 0; i < MAX(parts->len, others->len); i++) {
        const SchemaPart *part = part_at(parts, i);
        const SchemaPart *other = part_at(others, i);
        if (!part || !other || strcmp(part->name, other->name) != 0)
            return first_of(part, other);
        if (strcmp(part->text, other->text) != 0)
            return part->name;
    }
    return NULL;
}
