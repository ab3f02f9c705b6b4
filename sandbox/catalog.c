#include "sandbox/catalog.h"

#include "base/embedded.h"
#include "base/error.h"

#include <string.h>

extern const EmbeddedFile sandbox_table[];

static const char *const group_names[HEADER_GROUPS] = {
    [HEADERS_ALWAYS] = "always",   [HEADERS_LIMITED] = "limited", [HEADERS_FULL] = "full",
    [HEADERS_PARTIAL] = "partial", [HEADERS_PAGE] = "page",       [HEADERS_NEEDED] = "needed",
};

static void destroy_collection(gpointer data) {
    collection_free(data);
}

static void destroy_canned(gpointer data) {
    canned_free(data);
}

static void destroy_route(gpointer data) {
    route_free(data);
}

Json *catalog_read(const char *name, GError **error) {
    if (strchr(name, '/') != NULL || g_str_has_suffix(name, ".json")) {
        g_autofree char *text = NULL;
        gsize size;
        if (!g_file_get_contents(name, &text, &size, error)) {
            return NULL;
        }
        return json_parse(text, size, CATALOG_FILE_MAX, error);
    }
    for (const EmbeddedFile *file = sandbox_table; file->name != NULL; file++) {
        if (strcmp(file->name, name) == 0) {
            return json_parse(file->text, file->size, CATALOG_FILE_MAX, error);
        }
    }
    g_set_error(error, ASSAY_ERROR, ERROR_USAGE,
                "There is no provider \"%s\" in this sandbox; name one or give a .json file.",
                name);
    return NULL;
}

void catalog_add_constants(const Json *json, Constants *constants) {
    void *iterator = NULL;
    const char *key;
    Json *value;
    while (json_next(json, &iterator, &key, &value)) {
        if (json_text(value) != NULL && !g_hash_table_contains(constants, key)) {
            g_hash_table_insert(constants, g_strdup(key), g_strdup(json_text(value)));
        }
    }
}

static unsigned depth_of(const Collection *collection) {
    unsigned depth = 0;
    for (; collection != NULL; collection = collection->parent) {
        depth++;
    }
    return depth;
}

bool catalog_add_collections(const Json *json, GHashTable *collections, Constants *constants,
                             uint64_t seed, GError **error) {
    void *iterator = NULL;
    const char *key;
    Json *value;
    while (json_next(json, &iterator, &key, &value)) {
        const char *in = json_member_string(value, "in", NULL);
        Collection *parent = in == NULL ? NULL : g_hash_table_lookup(collections, in);
        if ((in != NULL && parent == NULL) || depth_of(parent) == COLLECTION_DEPTH) {
            g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                        "The collection %s is inside one that is not there or too deep.", key);
            return false;
        }
        Collection *collection = field_load(key, value, parent, constants, seed, error);
        if (collection == NULL) {
            return false;
        }
        g_hash_table_insert(collections, g_strdup(key), collection);
    }
    return true;
}

static bool load_errors(Catalog *catalog, const TemplateScope *scope, GError **error) {
    void *iterator = NULL;
    const char *key;
    Json *value;
    while (json_next(json_member(catalog->data, "errors"), &iterator, &key, &value)) {
        Canned *canned = canned_load(value, scope, error);
        if (canned == NULL) {
            g_prefix_error(error, "Error %s: ", key);
            return false;
        }
        g_hash_table_insert(catalog->errors, g_strdup(key), canned);
    }
    return true;
}

/* A canned reply without body or headers is one too: a group that the data leaves out. */
static bool load_headers(Catalog *catalog, const TemplateScope *scope, GError **error) {
    const Json *groups = json_member(catalog->data, "headers");
    for (HeaderGroup i = 0; i < HEADER_GROUPS; i++) {
        g_autoptr(Json) wrapped = json_new_object();
        const Json *group = json_member(groups, group_names[i]);
        if (group != NULL) {
            json_put(wrapped, "headers", json_copy_deep(group));
        }
        catalog->headers[i] = canned_load(wrapped, scope, error);
        if (catalog->headers[i] == NULL) {
            return false;
        }
    }
    return true;
}

static bool find_error(const Catalog *catalog, const Json *json, const char *member,
                       const Canned **out, GError **error) {
    const char *name = json_member_string(json, member, "");
    *out = g_hash_table_lookup(catalog->errors, name);
    if (*out == NULL) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "The member %s names the error \"%s\", which is not there.", member, name);
    }
    return *out != NULL;
}

static bool load_required(Catalog *catalog, const Json *list, GError **error) {
    for (size_t i = 0; i < json_count(list); i++) {
        const Json *json = json_item(list, i);
        Required required = {.header = json_member_string(json, "header", "")};
        if (!find_error(catalog, json, "error", &required.error, error)) {
            return false;
        }
        g_array_append_val(catalog->required, required);
    }
    return true;
}

static bool load_rules(Catalog *catalog, GError **error) {
    const Json *auth = json_member(catalog->data, "auth");
    const Json *limits = json_member(catalog->data, "limits");
    const Json *prefixes = json_member(auth, "prefixes");
    catalog->auth.header = json_member_string(auth, "header", "Authorization");
    for (size_t i = 0; i < json_count(prefixes); i++) {
        const char *prefix = json_text(json_item(prefixes, i));
        g_ptr_array_add(catalog->auth.prefixes, (char *)(uintptr_t)(prefix ? prefix : ""));
    }
    catalog->not_found = g_hash_table_lookup(catalog->errors, "not_found");
    if (catalog->not_found == NULL) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "The error \"not_found\" is missing.");
        return false;
    }
    return find_error(catalog, auth, "missing", &catalog->auth.missing, error) &&
           find_error(catalog, auth, "wrong", &catalog->auth.wrong, error) &&
           find_error(catalog, auth, "denied", &catalog->auth.denied, error) &&
           find_error(catalog, limits, "spent", &catalog->spent, error) &&
           find_error(catalog, limits, "secondary", &catalog->secondary, error) &&
           load_required(catalog, json_member(catalog->data, "require"), error);
}

static bool load_routes(Catalog *catalog, const TemplateScope *templates, GError **error) {
    const Json *routes = json_member(catalog->data, "routes");
    const ListingScope listing = {.collections = catalog->collections,
                                  .pages = json_member(catalog->data, "pages"),
                                  .scope = templates};
    const RouteScope scope = {.listing = &listing,
                              .parameters = json_member(catalog->data, "parameters"),
                              .constants = catalog->constants,
                              .errors = catalog->errors};
    for (size_t i = 0; i < json_count(routes); i++) {
        Route *route = route_load(json_item(routes, i), &scope, error);
        if (route == NULL) {
            return false;
        }
        g_ptr_array_add(catalog->routes, route);
    }
    return true;
}

static Catalog *catalog_new(Constants *constants) {
    Catalog *catalog = g_new0(Catalog, 1);
    catalog->constants = constants;
    catalog->collections =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, destroy_collection);
    catalog->errors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, destroy_canned);
    catalog->auth.prefixes = g_ptr_array_new();
    catalog->required = g_array_new(FALSE, FALSE, sizeof(Required));
    catalog->routes = g_ptr_array_new_with_free_func(destroy_route);
    return catalog;
}

Catalog *catalog_load(const char *name, Constants *constants, uint64_t seed, GError **error) {
    g_autoptr(Catalog) catalog = catalog_new(constants);
    catalog->data = catalog_read(name, error);
    if (catalog->data == NULL) {
        return NULL;
    }
    catalog_add_constants(json_member(catalog->data, "constants"), constants);
    const TemplateScope scope = {.constants = constants,
                                 .collections = catalog->collections,
                                 .shared = json_member(catalog->data, "shared")};
    const Json *collections = json_member(catalog->data, "collections");
    if (!catalog_add_collections(collections, catalog->collections, constants, seed, error) ||
        !load_errors(catalog, &scope, error) || !load_headers(catalog, &scope, error) ||
        !load_rules(catalog, error) || !load_routes(catalog, &scope, error)) {
        g_prefix_error(error, "Provider %s: ", name);
        return NULL;
    }
    return g_steal_pointer(&catalog);
}

void catalog_free(Catalog *catalog) {
    if (catalog == NULL) {
        return;
    }
    g_ptr_array_unref(catalog->routes);
    for (HeaderGroup i = 0; i < HEADER_GROUPS; i++) {
        canned_free(catalog->headers[i]);
    }
    g_array_unref(catalog->required);
    g_ptr_array_unref(catalog->auth.prefixes);
    g_hash_table_unref(catalog->errors);
    g_hash_table_unref(catalog->collections);
    g_hash_table_unref(catalog->constants);
    json_free(catalog->data);
    g_free(catalog);
}
