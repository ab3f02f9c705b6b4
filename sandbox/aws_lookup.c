#include "sandbox/aws_lookup.h"

#include "base/error.h"

#include <string.h>

#define SMALL 256
#define DIGITS_MAX 15

static bool unknown(const char *what, const char *name, GError **error) {
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                "A lookup has the %s \"%s\", which is "
                "not there.",
                what, name);
    return false;
}

static bool load_fields(AwsLookup *lookup, const Json *fields, GError **error) {
    for (size_t i = 0; i < json_count(fields) && lookup->field_count < LOOKUP_FIELDS; i++) {
        const char *name = json_text(json_item(fields, i));
        if (name == NULL || !field_find(lookup->of, name, &lookup->fields[lookup->field_count])) {
            return unknown("field", name == NULL ? "" : name, error);
        }
        lookup->field_count++;
    }
    return lookup->field_count > 0 || unknown("collection without names", lookup->of->name, error);
}

bool aws_lookup_load(const Json *json, const AwsLookupScope *scope, AwsLookup *lookup_out,
                     GError **error) {
    const char *of = json_member_string(json, "of", "");
    const char *missing = json_member_string(json, "missing", "");
    const char *elsewhere = json_member_string(json, "elsewhere", NULL);
    AwsLookup lookup = {.parameter = json_member_string(json, "by", ""),
                        .of = g_hash_table_lookup(scope->collections, of),
                        .optional = json_member_bool(json, "optional", false),
                        .has_home = json_member(json, "home") != NULL,
                        .missing = g_hash_table_lookup(scope->errors, missing)};
    if (lookup.of == NULL) {
        return unknown("collection", of, error);
    }
    if (lookup.missing == NULL) {
        return unknown("error", missing, error);
    }
    if (elsewhere != NULL) {
        lookup.elsewhere = g_hash_table_lookup(scope->errors, elsewhere);
        if (lookup.elsewhere == NULL) {
            return unknown("error", elsewhere, error);
        }
    }
    const Json *find = json_member(json_member(scope->descriptions, of), "find");
    if (!load_fields(&lookup, find, error) ||
        (lookup.has_home && !aws_home_load(json, lookup.of, &lookup.home, error))) {
        return false;
    }
    *lookup_out = lookup;
    return true;
}

static bool is_named(const AwsLookup *lookup, Item *item, const char *name) {
    size_t length = strlen(name);
    for (size_t i = 0; i < lookup->field_count; i++) {
        FieldValue value = item_value(item, lookup->fields[i]);
        if (value.length == length && memcmp(value.text, name, length) == 0) {
            return true;
        }
    }
    return false;
}

/* The number that a name ends in, or 0. */
static uint64_t read_number(const char *name) {
    size_t end = strlen(name);
    size_t start = end;
    while (start > 0 && end - start < DIGITS_MAX && g_ascii_isdigit(name[start - 1])) {
        start--;
    }
    return start == end ? 0 : g_ascii_strtoull(name + start, NULL, 10);
}

static Item *find_among(const AwsLookup *lookup, const char *name, Item *parent, Item *room) {
    uint64_t count = parent == NULL ? lookup->of->count : item_child_count(parent, lookup->of);
    uint64_t number = read_number(name);
    if (number > 0 && number <= count) {
        item_init(room, lookup->of, parent, number - 1);
        if (is_named(lookup, room, name)) {
            return room;
        }
    }
    for (uint64_t i = 0; count <= SMALL && i < count; i++) {
        item_init(room, lookup->of, parent, i);
        if (is_named(lookup, room, name)) {
            return room;
        }
    }
    return NULL;
}

Item *aws_lookup_find(const AwsLookup *lookup, const char *name, Item *item, Item *items) {
    const Collection *parent = lookup->of->parent;
    if (parent == NULL) {
        return find_among(lookup, name, NULL, items);
    }
    if (item != NULL && parent == item->of) {
        return find_among(lookup, name, item, items);
    }
    uint64_t number = read_number(name);
    bool inside = item != NULL && parent->parent == item->of;
    uint64_t count = inside ? item_child_count(item, parent) : parent->count;
    if ((parent->parent != NULL && !inside) || number == 0 || number > count) {
        return NULL;
    }
    item_init(&items[1], parent, inside ? item : NULL, number - 1);
    return find_among(lookup, name, &items[1], items);
}
