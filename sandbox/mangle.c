#include "sandbox/mangle.h"

#include "base/json.h"

#include <string.h>

#define BODY_MAX (64 * 1024 * 1024)

/* Stand-ins for what a JSON printer refuses to print; replaced in the text afterwards. */
#define MARK_SURROGATE "@lone-surrogate@"
#define MARK_BIG "@big-integer@"
#define BIG_INTEGER "98765432109876543210987"

typedef struct {
    MangleKind kind;
    const GPtrArray *fields;
} Mangle;

static Json *copy(const Mangle *mangle, const Json *json);

static bool is_container(const Json *json) {
    return json_kind(json) == JSON_KIND_OBJECT || json_kind(json) == JSON_KIND_ARRAY;
}

static bool is_chosen(const Mangle *mangle, const char *key, const Json *value) {
    for (guint i = 0; mangle->fields != NULL && i < mangle->fields->len; i++) {
        if (strcmp(g_ptr_array_index(mangle->fields, i), key) == 0) {
            return true;
        }
    }
    if (mangle->fields != NULL) {
        return false;
    }
    switch (mangle->kind) {
    case MANGLE_SURROGATE:
        return json_kind(value) == JSON_KIND_STRING;
    case MANGLE_BIG_INT:
        return json_kind(value) == JSON_KIND_INT;
    default:
        return !is_container(value);
    }
}

static Json *wrong_type(const Json *value) {
    switch (json_kind(value)) {
    case JSON_KIND_STRING:
    case JSON_KIND_NULL:
        return json_new_int(7);
    default:
        return json_new_string("not what was expected");
    }
}

static Json *bent(const Mangle *mangle, const Json *value) {
    g_autofree char *text = NULL;
    switch (mangle->kind) {
    case MANGLE_SURROGATE:
        text = g_strconcat(MARK_SURROGATE, json_text(value), NULL);
        return json_new_string(text);
    case MANGLE_BIG_INT:
        return json_new_string(MARK_BIG);
    default:
        return wrong_type(value);
    }
}

static Json *copy_object(const Mangle *mangle, const Json *json) {
    Json *out = json_new_object();
    void *iterator = NULL;
    const char *key;
    Json *value;
    while (json_next(json, &iterator, &key, &value)) {
        if (!is_chosen(mangle, key, value)) {
            json_put(out, key, copy(mangle, value));
        } else if (mangle->kind != MANGLE_MISSING_FIELDS) {
            json_put(out, key, bent(mangle, value));
        }
    }
    return out;
}

static Json *copy(const Mangle *mangle, const Json *json) {
    if (json_kind(json) == JSON_KIND_OBJECT) {
        return copy_object(mangle, json);
    }
    if (json_kind(json) != JSON_KIND_ARRAY) {
        return json_copy_deep(json);
    }
    Json *out = json_new_array();
    for (size_t i = 0; i < json_count(json); i++) {
        json_add(out, copy(mangle, json_item(json, i)));
    }
    return out;
}

static void replace(GString *text, const char *find, const char *with) {
    g_auto(GStrv) parts = g_strsplit(text->str, find, -1);
    g_autofree char *joined = g_strjoinv(with, parts);
    g_string_assign(text, joined);
}

void mangle_body(GString *body, MangleKind kind, const GPtrArray *fields) {
    g_autoptr(Json) json = json_parse(body->str, body->len, BODY_MAX, NULL);
    if (json == NULL) {
        return;
    }
    const Mangle mangle = {.kind = kind, .fields = fields};
    g_autoptr(Json) out = copy(&mangle, json);
    g_autofree char *text = json_print(out, JSON_COMPACT);
    g_string_assign(body, text);
    replace(body, MARK_SURROGATE, "\\ud800");
    replace(body, "\"" MARK_BIG "\"", BIG_INTEGER);
}
