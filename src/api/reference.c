#include "api/reference.h"

#include "base/digest.h"

#include <string.h>

static const char style[] =
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "h2{margin-top:2.5rem;border-bottom:1px solid #8888}"
    "article{margin:1.5rem 0}h3{font:600 1rem/1.4 ui-monospace,monospace;margin:0}"
    "p{margin:.25rem 0}code,td:first-child{font-family:ui-monospace,monospace}"
    "table{border-collapse:collapse;margin:.5rem 0}td{padding:.1rem 1rem .1rem 0;"
    "vertical-align:top}summary{cursor:pointer}nav a{margin-right:1rem}";

static void escape(GString *out, const char *text) {
    g_autofree char *safe = g_markup_escape_text(text, -1);
    g_string_append(out, safe);
}

/* --- schemas ---------------------------------------------------------------------------------- */

static const char *reference_name(const Json *schema) {
    const char *reference = json_member_string(schema, "$ref", NULL);
    const char *slash = reference ? strrchr(reference, '/') : NULL;
    return slash ? slash + 1 : NULL;
}

static void write_type(GString *out, const Json *schema) {
    const Json *type = json_member(schema, "type");
    const Json *either = json_member(schema, "anyOf");
    const char *name = reference_name(either ? json_item(either, 0) : schema);
    const char *plain = json_text(type) ? json_text(type) : json_text(json_item(type, 0));
    if (name)
        g_string_append_printf(out, "<a href=\"#schema-%s\">%s</a>", name, name);
    else
        g_string_append(out, plain ? plain : "anything");
    if (either || json_kind(type) == JSON_KIND_ARRAY)
        g_string_append(out, " or null");
    if (json_member(schema, "items")) {
        g_string_append(out, " of ");
        const Json *items = json_member(schema, "items");
        const char *item = reference_name(items);
        if (item)
            g_string_append_printf(out, "<a href=\"#schema-%s\">%s</a>", item, item);
        else
            g_string_append(out, json_member_string(items, "type", "anything"));
    }
}

static void write_words(GString *out, const Json *schema) {
    const Json *words = json_member(schema, "enum");
    for (size_t i = 0; i < json_count(words); i++) {
        const char *word = json_text(json_item(words, i));
        g_string_append(out, i == 0 ? " One of " : ", ");
        escape(out, word ? word : "null");
    }
    if (json_count(words) > 0)
        g_string_append_c(out, '.');
}

static bool is_required(const Json *schema, const char *name) {
    const Json *required = json_member(schema, "required");
    for (size_t i = 0; i < json_count(required); i++)
        if (strcmp(json_text(json_item(required, i)), name) == 0)
            return true;
    return false;
}

static void write_row(GString *out, const char *name, bool required, const Json *schema,
                      const char *about) {
    g_string_append(out, "<tr><td>");
    escape(out, name);
    g_string_append(out, required ? " *</td><td>" : "</td><td>");
    write_type(out, schema);
    g_string_append(out, "</td><td>");
    escape(out, about);
    write_words(out, schema);
    g_string_append(out, "</td></tr>\n");
}

static void write_members(GString *out, const Json *schema) {
    void *iterator = NULL;
    const char *name;
    Json *member;
    g_string_append(out, "<table>\n");
    while (json_next(json_member(schema, "properties"), &iterator, &name, &member))
        write_row(out, name, is_required(schema, name), member,
                  json_member_string(member, "description", ""));
    g_string_append(out, "</table>\n");
}

static void write_schemas(GString *out, const Json *document) {
    void *iterator = NULL;
    const char *name;
    Json *schema;
    g_string_append(out, "<h2 id=\"schemas\">Objects</h2>\n");
    while (json_next(json_path(document, "components.schemas"), &iterator, &name, &schema)) {
        g_string_append_printf(out, "<article id=\"schema-%s\"><h3>%s</h3><p>", name, name);
        escape(out, json_member_string(schema, "description", ""));
        g_string_append(out, "</p>\n");
        write_members(out, schema);
        g_string_append(out, "</article>\n");
    }
}

/* --- operations ------------------------------------------------------------------------------- */

static const Json *resolve(const Json *document, const Json *parameter) {
    const char *name = reference_name(parameter);
    return name ? json_member(json_path(document, "components.parameters"), name) : parameter;
}

static void write_parameters(GString *out, const Json *document, const Json *operation) {
    const Json *list = json_member(operation, "parameters");
    if (json_count(list) == 0)
        return;
    g_string_append(out, "<table>\n");
    for (size_t i = 0; i < json_count(list); i++) {
        const Json *parameter = resolve(document, json_item(list, i));
        write_row(out, json_member_string(parameter, "name", ""),
                  json_member_bool(parameter, "required", false), json_member(parameter, "schema"),
                  json_member_string(parameter, "description", ""));
    }
    g_string_append(out, "</table>\n");
}

static const Json *content_schema(const Json *holder) {
    void *iterator = NULL;
    const char *media;
    Json *content = NULL;
    if (!json_next(json_member(holder, "content"), &iterator, &media, &content))
        return NULL;
    return json_member(content, "schema");
}

static void write_content(GString *out, const char *title, const Json *holder) {
    const Json *schema = content_schema(holder);
    if (!schema)
        return;
    g_string_append_printf(out, "<p>%s: ", title);
    write_type(out, schema);
    g_string_append(out, "</p>\n");
    if (json_member(schema, "properties"))
        write_members(out, schema);
}

static void write_operation(GString *out, const Json *document, const char *heading,
                            const Json *operation) {
    void *iterator = NULL;
    const char *status;
    Json *reply = NULL;
    const char *action = json_member_string(operation, "x-assay-action", NULL);
    g_string_append_printf(out, "<article id=\"%s\"><h3>",
                           json_member_string(operation, "operationId", ""));
    escape(out, heading);
    g_string_append(out, "</h3><p>");
    escape(out, json_member_string(operation, "summary", ""));
    if (action)
        g_string_append_printf(out, " <small>(%s)</small>", action);
    g_string_append(out, "</p>\n<details><summary>Details</summary>\n");
    write_parameters(out, document, operation);
    write_content(out, "Body", json_member(operation, "requestBody"));
    if (json_next(json_member(operation, "responses"), &iterator, &status, &reply))
        write_content(out, "Reply", reply);
    g_string_append(out, "</details></article>\n");
}

static void write_tag(GString *out, const Json *document, const char *tag) {
    void *paths = NULL;
    const char *path;
    Json *methods;
    g_string_append_printf(out, "<h2 id=\"tag-%s\">%s</h2>\n", tag, tag);
    while (json_next(json_member(document, "paths"), &paths, &path, &methods)) {
        void *iterator = NULL;
        const char *method;
        Json *operation;
        while (json_next(methods, &iterator, &method, &operation)) {
            const char *own = json_text(json_item(json_member(operation, "tags"), 0));
            g_autofree char *verb = g_ascii_strup(method, -1);
            g_autofree char *heading = g_strdup_printf("%s %s", verb, path);
            if (strcmp(own, tag) == 0)
                write_operation(out, document, heading, operation);
        }
    }
}

/* In the order in which they come. */
static GPtrArray *tags_of(const Json *document) {
    GPtrArray *tags = g_ptr_array_new();
    void *paths = NULL;
    const char *path;
    Json *methods;
    while (json_next(json_member(document, "paths"), &paths, &path, &methods)) {
        void *iterator = NULL;
        const char *method;
        Json *operation;
        while (json_next(methods, &iterator, &method, &operation)) {
            const char *tag = json_text(json_item(json_member(operation, "tags"), 0));
            if (!g_ptr_array_find_with_equal_func(tags, tag, g_str_equal, NULL))
                g_ptr_array_add(tags, (void *)(uintptr_t)tag);
        }
    }
    return tags;
}

char *reference_page(const Json *document) {
    GString *out = g_string_new("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                                "<meta name=\"viewport\" content=\"width=device-width\">"
                                "<title>Assay: the API</title><style>");
    g_autoptr(GPtrArray) tags = tags_of(document);
    g_string_append_printf(out, "%s</style></head><body>\n<h1>Assay: the API</h1>\n<p>", style);
    escape(out, json_member_string(json_member(document, "info"), "description", ""));
    g_string_append(out, " <a href=\"/api/openapi.json\">OpenAPI document</a></p>\n<nav>");
    for (guint i = 0; i < tags->len; i++)
        g_string_append_printf(out, "<a href=\"#tag-%s\">%s</a>\n",
                               (const char *)g_ptr_array_index(tags, i),
                               (const char *)g_ptr_array_index(tags, i));
    g_string_append(out, "<a href=\"#schemas\">Objects</a></nav>\n");
    for (guint i = 0; i < tags->len; i++)
        write_tag(out, document, g_ptr_array_index(tags, i));
    write_schemas(out, document);
    g_string_append(out, "</body></html>\n");
    return g_string_free(out, FALSE);
}

char *reference_policy(void) {
    uint8_t hash[DIGEST_SIZE];
    digest_sha256(style, sizeof style - 1, hash);
    g_autofree char *text = g_base64_encode(hash, sizeof hash);
    return g_strdup_printf("default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; "
                           "form-action 'none'; frame-ancestors 'none'",
                           text);
}
