#include "sandbox/route.h"

#include "base/error.h"

#include <string.h>

static void template_destroy(gpointer data) {
    template_free(data);
}

static void case_free(gpointer data) {
    Case *one = data;
    condition_free(one->when);
    template_free(one->body);
    listing_free(one->rows);
    g_free(one);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Case, case_free)

static void clear_segment(gpointer data) {
    g_free(((Segment *)data)->text);
}

static bool load_headers(Canned *canned, const Json *headers, const TemplateScope *scope,
                         GError **error) {
    void *iterator = NULL;
    const char *key;
    Json *value;
    while (json_next(headers, &iterator, &key, &value)) {
        const char *text = json_text(value);
        Template *compiled = template_compile_text(text == NULL ? "" : text, scope, error);
        if (compiled == NULL) {
            return false;
        }
        g_ptr_array_add(canned->header_names, g_strdup(key));
        g_ptr_array_add(canned->header_values, compiled);
    }
    return true;
}

Canned *canned_load(const Json *json, const TemplateScope *scope, GError **error) {
    g_autoptr(Canned) canned = g_new0(Canned, 1);
    canned->status = (unsigned)json_member_int(json, "status", 200);
    canned->header_names = g_ptr_array_new_with_free_func(g_free);
    canned->header_values = g_ptr_array_new_with_free_func(template_destroy);
    const Json *body = json_member(json, "body");
    if (body != NULL) {
        canned->body = template_compile(body, scope, error);
        if (canned->body == NULL) {
            return NULL;
        }
    }
    if (!load_headers(canned, json_member(json, "headers"), scope, error)) {
        return NULL;
    }
    return g_steal_pointer(&canned);
}

void canned_free(Canned *canned) {
    if (canned != NULL) {
        template_free(canned->body);
        g_ptr_array_unref(canned->header_names);
        g_ptr_array_unref(canned->header_values);
        g_free(canned);
    }
}

static bool unknown(const char *what, const char *name, GError **error) {
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "There is no %s called \"%s\".", what,
                name);
    return false;
}

static bool load_item_segment(Route *route, Segment *segment, const char *name,
                              const RouteScope *scope, GError **error) {
    Collection *collection = g_hash_table_lookup(scope->listing->collections, name);
    if (collection == NULL || collection->parent != route->collection) {
        return unknown("collection in this place of a path", name, error);
    }
    segment->kind = SEGMENT_ITEM;
    segment->collection = collection;
    route->collection = collection;
    return true;
}

static bool load_field_segment(const Route *route, Segment *segment, const Json *json,
                               const RouteScope *scope, GError **error) {
    const char *field = json_member_string(json, "field", "");
    const char *named = json_member_string(json, "error", "not_found");
    segment->kind = SEGMENT_FIELD;
    segment->mismatch = g_hash_table_lookup(scope->errors, named);
    if (segment->mismatch == NULL) {
        return unknown("error", named, error);
    }
    return (route->collection != NULL && field_find(route->collection, field, &segment->ref)) ||
           unknown("field before this place of a path", field, error);
}

static bool load_parameter(Route *route, Segment *segment, const char *name,
                           const RouteScope *scope, GError **error) {
    const Json *json = json_member(scope->parameters, name);
    const char *item = json_member_string(json, "item", NULL);
    const char *constant = json_member_string(json, "constant", NULL);
    segment->kind = SEGMENT_ANY;
    if (item != NULL) {
        return load_item_segment(route, segment, item, scope, error);
    }
    if (constant != NULL) {
        segment->kind = SEGMENT_CONSTANT;
        segment->text = g_strdup(g_hash_table_lookup(scope->constants, constant));
        return segment->text != NULL || unknown("constant", constant, error);
    }
    return json == NULL || load_field_segment(route, segment, json, scope, error);
}

static bool load_segments(Route *route, const RouteScope *scope, GError **error) {
    g_auto(GStrv) texts = g_strsplit(route->pattern, "/", TARGET_SEGMENTS + 1);
    for (char **text = texts + 1; texts[0] != NULL && *text != NULL; text++) {
        Segment segment = {.kind = SEGMENT_LITERAL};
        size_t length = strlen(*text);
        bool sound = true;
        if (length > 2 && (*text)[0] == '{' && (*text)[length - 1] == '}') {
            g_autofree char *name = g_strndup(*text + 1, length - 2);
            sound = load_parameter(route, &segment, name, scope, error);
        } else {
            segment.text = g_strdup(*text);
        }
        g_array_append_val(route->segments, segment);
        if (!sound) {
            return false;
        }
    }
    return true;
}

static Case *load_case(const Route *route, const Json *json, const RouteScope *scope,
                       GError **error) {
    g_autoptr(Case) one = g_new0(Case, 1);
    TemplateScope templates = *scope->listing->scope;
    templates.collection = route->collection;
    ListingScope listing = *scope->listing;
    listing.collection = route->collection;
    listing.scope = &templates;
    const char *named = json_member_string(json, "error", NULL);
    const Json *body = json_member(json, "body");
    const Json *rows = json_member(json, "rows");
    one->status = (unsigned)json_member_int(json, "status", 200);
    one->when = condition_compile(json_member(json, "when"), route->collection, error);
    if (one->when == NULL) {
        return NULL;
    }
    if (named != NULL) {
        one->error = g_hash_table_lookup(scope->errors, named);
        return one->error != NULL || unknown("error", named, error) ? g_steal_pointer(&one) : NULL;
    }
    if (rows != NULL) {
        one->rows = listing_load(rows, &listing, error);
        return one->rows != NULL ? g_steal_pointer(&one) : NULL;
    }
    if (body == NULL) {
        unknown("error, rows or body in a case of the path", route->pattern, error);
        return NULL;
    }
    one->body = template_compile(body, &templates, error);
    return one->body != NULL ? g_steal_pointer(&one) : NULL;
}

static bool load_cases(Route *route, const Json *cases, const RouteScope *scope, GError **error) {
    for (size_t i = 0; i < json_count(cases); i++) {
        Case *one = load_case(route, json_item(cases, i), scope, error);
        if (one == NULL) {
            return false;
        }
        g_ptr_array_add(route->cases, one);
    }
    return true;
}

Route *route_load(const Json *json, const RouteScope *scope, GError **error) {
    g_autoptr(Route) route = g_new0(Route, 1);
    route->pattern = json_member_string(json, "path", "");
    route->method = json_member_string(json, "method", "GET");
    route->permission = json_member_string(json, "permission", "");
    route->free = json_member_bool(json, "free", false);
    route->open = json_member_bool(json, "open", false);
    route->segments = g_array_new(FALSE, TRUE, sizeof(Segment));
    g_array_set_clear_func(route->segments, clear_segment);
    route->cases = g_ptr_array_new_with_free_func(case_free);
    if (!load_segments(route, scope, error) ||
        !load_cases(route, json_member(json, "cases"), scope, error)) {
        g_prefix_error(error, "Path %s: ", route->pattern);
        return NULL;
    }
    return g_steal_pointer(&route);
}

void route_free(Route *route) {
    if (route != NULL) {
        g_array_unref(route->segments);
        g_ptr_array_unref(route->cases);
        g_free(route);
    }
}

/* Whether the literal parts fit; GitHub compares names of owners without case. */
static bool shape_fits(const Route *route, const Target *target) {
    if (route->segments->len != target->segment_count) {
        return false;
    }
    for (guint i = 0; i < route->segments->len; i++) {
        const Segment *segment = &g_array_index(route->segments, Segment, i);
        if (segment->kind == SEGMENT_LITERAL && strcmp(segment->text, target->segments[i]) != 0) {
            return false;
        }
    }
    return true;
}

static bool find_item(const Segment *segment, const char *text, RouteMatch *match) {
    uint64_t index;
    uint64_t count = match->item == NULL ? segment->collection->count
                                         : item_child_count(match->item, segment->collection);
    if (!collection_find(segment->collection, text, count, &index)) {
        return false;
    }
    Item *next = match->item == NULL ? match->items : match->item + 1;
    item_init(next, segment->collection, match->item, index);
    match->item = next;
    return true;
}

static bool segment_fits(const Segment *segment, const char *text, RouteMatch *match) {
    FieldValue value;
    switch (segment->kind) {
    case SEGMENT_CONSTANT:
        return g_ascii_strcasecmp(segment->text, text) == 0;
    case SEGMENT_ITEM:
        return find_item(segment, text, match);
    case SEGMENT_FIELD:
        value = item_value(match->item, segment->ref);
        return strlen(text) == value.length && memcmp(text, value.text, value.length) == 0;
    default:
        return true;
    }
}

bool route_match(const Route *route, const char *method, const Target *target,
                 const Canned *not_found, RouteMatch *match) {
    match->item = NULL;
    match->mismatch = NULL;
    if (strcmp(route->method, method) != 0 || !shape_fits(route, target)) {
        return false;
    }
    for (guint i = 0; i < route->segments->len && match->mismatch == NULL; i++) {
        const Segment *segment = &g_array_index(route->segments, Segment, i);
        if (!segment_fits(segment, target->segments[i], match)) {
            match->mismatch = segment->mismatch == NULL ? not_found : segment->mismatch;
        }
    }
    return true;
}

const Case *route_choose(const Route *route, Item *item) {
    for (guint i = 0; i < route->cases->len; i++) {
        const Case *one = g_ptr_array_index(route->cases, i);
        if (condition_holds(one->when, item)) {
            return one;
        }
    }
    return NULL;
}
