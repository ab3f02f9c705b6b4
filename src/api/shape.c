#include "api/shape.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"
#include "vault/ticket.h"

#include <stdarg.h>
#include <string.h>

/* --- what is wrong ---------------------------------------------------------------------------- */

void shape_wrong_free(ShapeWrong *wrong) {
    if (!wrong)
        return;
    g_free(wrong->pointer);
    g_free(wrong->detail);
    g_free(wrong);
}

ShapeWrong *shape_wrong_new(const char *pointer, const char *format, ...) {
    va_list values;
    ShapeWrong *wrong = g_new0(ShapeWrong, 1);
    va_start(values, format);
    wrong->pointer = g_strdup(pointer);
    wrong->detail = g_strdup_vprintf(format, values);
    va_end(values);
    return wrong;
}

static void free_wrong(void *wrong) {
    shape_wrong_free(wrong);
}

/* A name (text_name) has no '~' and '/', which a JSON Pointer would escape. */
static char *pointer_to(const char *parent, const char *name) {
    g_autofree char *shown = text_name(name);
    return g_strconcat(parent, "/", shown, NULL);
}

typedef struct {
    GPtrArray *wrongs;
    const char *pointer;
} Place;

static void add(const Place *place, const char *detail) {
    if (place->wrongs->len < SHAPE_WRONG_MAX)
        g_ptr_array_add(place->wrongs, shape_wrong_new(place->pointer, "%s", detail));
}

/* --- values ----------------------------------------------------------------------------------- */

static void check_value(const ShapeField *field, const Json *value, const Place *place);
static void check_object(const Shape *schema, const Json *value, const Place *place);

static char *list_words(const char *const *words) {
    GString *list = g_string_new("must be one of ");
    for (size_t i = 0; words[i]; i++)
        g_string_append_printf(list, "%s%s", i > 0 ? ", " : "", words[i]);
    return g_string_free(list, FALSE);
}

static TextForm form_of(const ShapeField *field) {
    if (field->flags & SHAPE_SECRET)
        return TEXT_BYTES;
    return (field->flags & SHAPE_LINES) ? TEXT_LINES : TEXT_LINE;
}

static void check_text(const ShapeField *field, const Json *value, const Place *place) {
    const char *text = json_text(value);
    size_t most = field->most > 0 ? (size_t)field->most : SHAPE_STRING_MAX;
    g_autofree char *fault = text_fault(text, form_of(field), most);
    if (fault) {
        add(place, fault);
    } else if (field->words && !g_strv_contains(field->words, text)) {
        g_autofree char *detail = list_words(field->words);
        add(place, detail);
    }
}

static void check_time(const ShapeField *field, const Json *value, const Place *place) {
    int64_t ignored;
    (void)field;
    if (!clock_parse(json_text(value), &ignored))
        add(place, "must be a time such as 2026-01-31T09:00:00Z");
}

static void check_id(const ShapeField *field, const Json *value, const Place *place) {
    (void)field;
    if (!id_is_valid(json_text(value)))
        add(place, "must be an id (a UUID in lower case)");
}

static void check_integer(const ShapeField *field, const Json *value, const Place *place) {
    int64_t number = json_integer_or(value, 0);
    bool bounded = field->least != 0 || field->most != 0;
    if (!bounded || (number >= field->least && number <= field->most))
        return;
    g_autofree char *detail = g_strdup_printf(
        "must be from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, field->least, field->most);
    add(place, detail);
}

static void check_array(const ShapeField *field, const Json *value, const Place *place) {
    const ShapeField item = {
        .type = field->of ? SHAPE_OBJECT : field->items, .of = field->of, .words = field->words};
    size_t most = field->most > 0 ? (size_t)field->most : SHAPE_ITEMS_MAX;
    if (json_count(value) > most) {
        g_autofree char *detail = g_strdup_printf("must not have more than %zu items", most);
        add(place, detail);
        return;
    }
    for (size_t i = 0; i < json_count(value); i++) {
        g_autofree char *pointer = g_strdup_printf("%s/%zu", place->pointer, i);
        const Place inner = {place->wrongs, pointer};
        check_value(&item, json_item(value, i), &inner);
    }
}

static void check_map(const ShapeField *field, const Json *value, const Place *place) {
    const ShapeField item = {.type = field->of ? SHAPE_OBJECT : field->items, .of = field->of};
    void *iterator = NULL;
    const char *name;
    Json *member;
    while (json_next(value, &iterator, &name, &member)) {
        g_autofree char *pointer = pointer_to(place->pointer, name);
        const Place inner = {place->wrongs, pointer};
        check_value(&item, member, &inner);
    }
}

static void check_member_object(const ShapeField *field, const Json *value, const Place *place) {
    if (field->of)
        check_object(field->of, value, place);
}

/* What a type wants to see, how it is called, and what else it asks. */
static const struct {
    JsonKind kind;
    const char *wants;
    void (*check)(const ShapeField *field, const Json *value, const Place *place);
    const char *json_type;
    const char *format;
} types[] = {
    [SHAPE_STRING] = {JSON_KIND_STRING, "must be a string", check_text, "string", NULL},
    [SHAPE_INTEGER] = {JSON_KIND_INT, "must be an integer", check_integer, "integer", NULL},
    [SHAPE_NUMBER] = {JSON_KIND_REAL, "must be a number", NULL, "number", NULL},
    [SHAPE_BOOLEAN] = {JSON_KIND_BOOL, "must be true or false", NULL, "boolean", NULL},
    [SHAPE_TIME] = {JSON_KIND_STRING, "must be a time", check_time, "string", "date-time"},
    [SHAPE_ID] = {JSON_KIND_STRING, "must be an id", check_id, "string", "uuid"},
    [SHAPE_OBJECT] = {JSON_KIND_OBJECT, "must be an object", check_member_object, "object", NULL},
    [SHAPE_ARRAY] = {JSON_KIND_ARRAY, "must be an array", check_array, "array", NULL},
    [SHAPE_MAP] = {JSON_KIND_OBJECT, "must be an object", check_map, "object", NULL},
    [SHAPE_ANYTHING] = {JSON_KIND_NULL, "", NULL, NULL, NULL},
};

static bool is_kind(ShapeType type, JsonKind kind) {
    return type == SHAPE_ANYTHING || kind == types[type].kind ||
           (type == SHAPE_NUMBER && kind == JSON_KIND_INT);
}

static void check_value(const ShapeField *field, const Json *value, const Place *place) {
    JsonKind kind = json_kind(value);
    if (kind == JSON_KIND_NULL && (field->flags & SHAPE_NULLABLE))
        return;
    if (!is_kind(field->type, kind))
        add(place, types[field->type].wants);
    else if (types[field->type].check)
        types[field->type].check(field, value, place);
}

static const ShapeField *find_field(const Shape *schema, const char *name) {
    for (const ShapeField *field = schema->fields; field->name; field++)
        if (strcmp(field->name, name) == 0)
            return field;
    return NULL;
}

static void check_missing(const Shape *schema, const Json *value, const Place *place) {
    for (const ShapeField *field = schema->fields; field->name; field++) {
        if (!(field->flags & SHAPE_REQUIRED) || json_member(value, field->name))
            continue;
        g_autofree char *pointer = pointer_to(place->pointer, field->name);
        const Place inner = {place->wrongs, pointer};
        add(&inner, "is missing");
    }
}

static void check_object(const Shape *schema, const Json *value, const Place *place) {
    void *iterator = NULL;
    const char *name;
    Json *member;
    while (json_next(value, &iterator, &name, &member)) {
        const ShapeField *field = find_field(schema, name);
        g_autofree char *pointer = pointer_to(place->pointer, name);
        const Place inner = {place->wrongs, pointer};
        if (field)
            check_value(field, member, &inner);
        else if (!schema->open)
            add(&inner, "is not known here");
    }
    check_missing(schema, value, place);
}

static bool holds_ticket(const Json *value);

static bool member_holds_ticket(const Json *object) {
    void *iterator = NULL;
    const char *name;
    Json *member;
    while (json_next(object, &iterator, &name, &member))
        if (ticket_within(name) || holds_ticket(member))
            return true;
    return false;
}

static bool holds_ticket(const Json *value) {
    const char *text = json_text(value);
    for (size_t i = 0; json_kind(value) == JSON_KIND_ARRAY && i < json_count(value); i++)
        if (holds_ticket(json_item(value, i)))
            return true;
    return text ? ticket_within(text)
                : json_kind(value) == JSON_KIND_OBJECT && member_holds_ticket(value);
}

/* What is not secret is stored and shown as it is. */
static void check_tickets(const Shape *schema, const Json *value, GPtrArray *wrongs) {
    for (const ShapeField *field = schema->fields; field->name; field++) {
        const Json *member = json_member(value, field->name);
        if (!member || (field->flags & SHAPE_SECRET) || !holds_ticket(member))
            continue;
        g_autofree char *pointer = pointer_to("", field->name);
        const Place place = {wrongs, pointer};
        add(&place, "holds a token of Assay, which does not belong here; revoke it if others "
                    "may have seen it");
    }
}

GPtrArray *shape_check(const Shape *schema, const Json *value) {
    GPtrArray *wrongs = g_ptr_array_new_with_free_func(free_wrong);
    const Place place = {wrongs, ""};
    const ShapeField whole = {.type = SHAPE_OBJECT, .of = schema};
    check_value(&whole, value, &place);
    if (json_kind(value) == JSON_KIND_OBJECT)
        check_tickets(schema, value, wrongs);
    return wrongs;
}

static void respell_member(const ShapeField *field, Json *value) {
    g_autofree char *snake = text_snake(field->name);
    Json *member = json_member(value, snake);
    if (!member || strcmp(snake, field->name) == 0 || json_member(value, field->name))
        return;
    json_put(value, field->name, json_ref(member));
    json_remove(value, snake);
}

/* What a member holds: an object, or a list of them. */
static void respell_within(const ShapeField *field, const Json *value) {
    Json *member = field->of ? json_member(value, field->name) : NULL;
    if (!member)
        return;
    if (field->type == SHAPE_OBJECT)
        shape_respell(field->of, member);
    for (size_t i = 0; field->type == SHAPE_ARRAY && i < json_count(member); i++)
        shape_respell(field->of, json_item(member, i));
}

void shape_respell(const Shape *schema, Json *value) {
    if (json_kind(value) != JSON_KIND_OBJECT)
        return;
    for (const ShapeField *field = schema->fields; field->name; field++) {
        respell_member(field, value);
        respell_within(field, value);
    }
}

/* --- JSON Schema ------------------------------------------------------------------------------ */

static void put_words(Json *json, const char *const *words, bool nullable) {
    Json *list = json_new_array();
    for (; *words; words++)
        json_add_string(list, *words);
    if (nullable)
        json_add(list, json_new_null());
    json_put(json, "enum", list);
}

static void put_type(Json *json, const char *type, bool nullable) {
    if (!type)
        return;
    if (!nullable) {
        json_put_string(json, "type", type);
        return;
    }
    Json *list = json_new_array();
    json_add_string(list, type);
    json_add_string(list, "null");
    json_put(json, "type", list);
}

static Json *item_json(const ShapeField *field, Json *named) {
    const ShapeField item = {.type = field->of ? SHAPE_OBJECT : field->items,
                             .of = field->of,
                             .words = field->type == SHAPE_ARRAY ? field->words : NULL};
    return shape_field_json(&item, named);
}

static Json *reference_json(const ShapeField *field, Json *named) {
    Json *json = shape_json(field->of, named);
    if (!(field->flags & SHAPE_NULLABLE))
        return json;
    Json *either = json_new_object();
    Json *list = json_new_array();
    Json *null = json_new_object();
    json_put_string(null, "type", "null");
    json_add(list, json);
    json_add(list, null);
    json_put(either, "anyOf", list);
    return either;
}

static Json *plain_json(const ShapeField *field, Json *named) {
    Json *json = json_new_object();
    bool nullable = (field->flags & SHAPE_NULLABLE) != 0;
    put_type(json, types[field->type].json_type, nullable);
    if (types[field->type].format)
        json_put_string(json, "format", types[field->type].format);
    if (field->type == SHAPE_STRING && field->words)
        put_words(json, field->words, nullable);
    if (field->type == SHAPE_INTEGER && (field->least != 0 || field->most != 0)) {
        json_put_int(json, "minimum", field->least);
        json_put_int(json, "maximum", field->most);
    }
    if (field->type == SHAPE_ARRAY)
        json_put(json, "items", item_json(field, named));
    if (field->type == SHAPE_MAP)
        json_put(json, "additionalProperties", item_json(field, named));
    return json;
}

Json *shape_field_json(const ShapeField *field, Json *named) {
    Json *json = field->type == SHAPE_OBJECT && field->of ? reference_json(field, named)
                                                          : plain_json(field, named);
    if (field->about)
        json_put_string(json, "description", field->about);
    return json;
}

static Json *whole_json(const Shape *schema, Json *named) {
    Json *json = json_new_object();
    Json *properties = json_new_object();
    Json *required = json_new_array();
    json_put_string(json, "type", "object");
    if (schema->about)
        json_put_string(json, "description", schema->about);
    for (const ShapeField *field = schema->fields; field->name; field++) {
        json_put(properties, field->name, shape_field_json(field, named));
        if (field->flags & SHAPE_REQUIRED)
            json_add_string(required, field->name);
    }
    json_put(json, "properties", properties);
    json_put(json, "required", required);
    if (!schema->open)
        json_put_bool(json, "additionalProperties", false);
    return json;
}

Json *shape_json(const Shape *schema, Json *named) {
    if (!schema->name)
        return whole_json(schema, named);
    if (!json_member(named, schema->name)) {
        /* It is there before its members are looked at: they may refer to it. */
        json_put(named, schema->name, json_new_object());
        json_put(named, schema->name, whole_json(schema, named));
    }
    g_autofree char *path = g_strconcat("#/components/schemas/", schema->name, NULL);
    Json *json = json_new_object();
    json_put_string(json, "$ref", path);
    return json;
}
