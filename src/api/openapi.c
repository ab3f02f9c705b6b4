#include "api/openapi.h"

#include "api/caller.h"
#include "api/gate.h"
#include "api/problem.h"

#include <string.h>

#define REFERENCE "#/components/responses/Problem"

/* --- parameters ------------------------------------------------------------------------------- */

static Json *parameter(const char *name, const char *in, bool required, Json *schema) {
    Json *json = json_new_object();
    json_put_string(json, "name", name);
    json_put_string(json, "in", in);
    if (required)
        json_put_bool(json, "required", true);
    json_put(json, "schema", schema);
    return json;
}

static Json *described(Json *parameter, const char *about) {
    if (about)
        json_put_string(parameter, "description", about);
    return parameter;
}

static Json *text_schema(void) {
    Json *json = json_new_object();
    json_put_string(json, "type", "string");
    return json;
}

static void add_path_parameters(Json *list, const char *path) {
    g_auto(GStrv) names = route_parameter_names(path);
    for (char **name = names; *name; name++)
        json_add(list, parameter(*name, "path", true, text_schema()));
}

static void add_query_parameters(Json *list, const Shape *query, Json *named) {
    for (const ShapeField *field = query ? query->fields : NULL; field && field->name; field++) {
        ShapeField bare = *field;
        bare.about = NULL;
        bool required = (field->flags & SHAPE_REQUIRED) != 0;
        json_add(list, described(parameter(field->name, "query", required,
                                           shape_field_json(&bare, named)),
                                 field->about));
    }
}

static Json *shared(const char *name) {
    g_autofree char *path = g_strconcat("#/components/parameters/", name, NULL);
    Json *json = json_new_object();
    json_put_string(json, "$ref", path);
    return json;
}

static bool takes_key(const Route *route) {
    bool kept = route->access == ACCESS_ROLE || route->access == ACCESS_OPERATOR;
    return kept && strcmp(route->method, "GET") != 0 && !(route->flags & ROUTE_SECRET);
}

static Json *parameters_json(const Route *route, Json *named) {
    Json *list = json_new_array();
    add_path_parameters(list, route->path);
    add_query_parameters(list, route->query, named);
    if (route->flags & ROUTE_LIST) {
        json_add(list, shared("limit"));
        json_add(list, shared("cursor"));
    }
    if (route->access == ACCESS_ROLE || (route->flags & ROUTE_STREAM))
        json_add(list, shared("organization"));
    if (takes_key(route))
        json_add(list, shared("idempotencyKey"));
    if (route->flags & ROUTE_OBJECT)
        json_add(list, shared(strcmp(route->method, "GET") == 0 ? "ifNoneMatch" : "ifMatch"));
    if (route->flags & ROUTE_STREAM)
        json_add(list, shared("lastEventId"));
    return list;
}

static Json *shared_parameters(void) {
    Json *json = json_new_object();
    static const ShapeField limit = {.type = SHAPE_INTEGER, .least = 1, .most = 1000};
    json_put(json, "limit",
             described(parameter("limit", "query", false, shape_field_json(&limit, NULL)),
                       "At most so many; by default 100."));
    json_put(json, "cursor",
             described(parameter("cursor", "query", false, text_schema()),
                       "The nextCursor of the page before."));
    json_put(json, "organization",
             described(parameter("organizationId", "query", false, text_schema()),
                       "The organization, when the caller is in several; companyId, accountId and "
                       "the header X-Assay-Organization mean the same."));
    json_put(json, "idempotencyKey",
             described(parameter("Idempotency-Key", "header", false, text_schema()),
                       "The same key and request again get the stored answer for 24 hours."));
    json_put(json, "ifNoneMatch",
             described(parameter("If-None-Match", "header", false, text_schema()),
                       "The ETag that is known: 304 when it is still right."));
    json_put(json, "ifMatch",
             described(parameter("If-Match", "header", false, text_schema()),
                       "The ETag of the object that is meant: 412 when it has "
                       "changed."));
    json_put(json, "lastEventId",
             described(parameter("Last-Event-ID", "header", false, text_schema()),
                       "Goes on behind this event."));
    return json;
}

/* --- bodies and replies ----------------------------------------------------------------------- */

static Json *content_json(const char *media, Json *schema) {
    Json *content = json_new_object();
    Json *json = json_new_object();
    if (schema)
        json_put(json, "schema", schema);
    json_put(content, media, json);
    return content;
}

/* Every body of an organization's route may say which one is meant (gate.h). */
static Json *body_schema(const Route *route, Json *named) {
    Json *schema = shape_json(route->body, named);
    const Json *whole = route->body->name ? json_member(named, route->body->name) : schema;
    const ShapeField *field = gate_organization_shape.fields;
    if (route->access != ACCESS_ROLE || json_member(json_member(whole, "properties"), field->name))
        return schema;
    Json *longer = json_copy_deep(whole);
    for (; field->name; field++)
        json_put(json_member(longer, "properties"), field->name, shape_field_json(field, named));
    json_free(schema);
    return longer;
}

static Json *body_json(const Route *route, Json *named) {
    Json *json = json_new_object();
    json_put_bool(json, "required", !route->body_optional);
    json_put(json, "content", content_json("application/json", body_schema(route, named)));
    return json;
}

static const ShapeField later_fields[] = {
    SHAPE_FIELD("jobId", STRING, SHAPE_REQUIRED, "The job that goes on."),
    SHAPE_FIELD("events", STRING, SHAPE_REQUIRED, "Where its events are."),
    SHAPE_FIELD("jobs", ARRAY, 0, "All of them, where there may be several.",
                .items = SHAPE_STRING),
    {0}};
static const Shape later_shape = {
    .name = "Later", .about = "It takes longer than a request waits.", .fields = later_fields};

static Json *response(const char *description, Json *content) {
    Json *json = json_new_object();
    json_put_string(json, "description", description);
    if (content)
        json_put(json, "content", content);
    return json;
}

static Json *success_json(const Route *route, Json *named) {
    const char *media = route->media ? route->media : "application/json";
    if (route->reply)
        return response("Done.", content_json(media, shape_json(route->reply, named)));
    return response("Done.", route->media ? content_json(media, text_schema()) : NULL);
}

static Json *responses_json(const Route *route, Json *named) {
    Json *json = json_new_object();
    g_autofree char *status = g_strdup_printf("%u", route->status ? route->status : 200);
    json_put(json, status, success_json(route, named));
    if (route->flags & ROUTE_WAITS)
        json_put(json, "202",
                 response("It goes on; see the job.",
                          content_json("application/json", shape_json(&later_shape, named))));
    if (route->flags & ROUTE_LATER)
        json_put(json, "202", success_json(route, named));
    if ((route->flags & ROUTE_OBJECT) && strcmp(route->method, "GET") == 0)
        json_put(json, "304", response("Not changed.", NULL));
    Json *problem = json_new_object();
    json_put_string(problem, "$ref", REFERENCE);
    json_put(json, "default", problem);
    return json;
}

/* --- operations ------------------------------------------------------------------------------- */

static Json *operation_json(const Route *route, Json *named) {
    Json *json = json_new_object();
    Json *tags = json_new_array();
    json_add_string(tags, route->tag);
    json_put(json, "tags", tags);
    json_put_string(json, "operationId", route->id);
    json_put_string(json, "summary", route->summary);
    if (route->access == ACCESS_PUBLIC)
        json_put(json, "security", json_new_array());
    else if (route->access != ACCESS_SIGNED_IN)
        json_put_string(json, "x-assay-action", role_action_name(route->action));
    json_put(json, "parameters", parameters_json(route, named));
    if (route->body)
        json_put(json, "requestBody", body_json(route, named));
    json_put(json, "responses", responses_json(route, named));
    return json;
}

static Json *paths_json(const Route *const *tables, Json *named) {
    Json *paths = json_new_object();
    for (; *tables; tables++) {
        for (const Route *route = *tables; route->method; route++) {
            g_autofree char *method = g_ascii_strdown(route->method, -1);
            if (!json_member(paths, route->path))
                json_put(paths, route->path, json_new_object());
            json_put(json_member(paths, route->path), method, operation_json(route, named));
        }
    }
    return paths;
}

/* --- the document ----------------------------------------------------------------------------- */

/* The cookie has another name where there is no TLS. */
static Json *security_schemes(bool secure) {
    const struct {
        const char *name;
        const char *type;
        const char *key;
        const char *value;
        const char *in;
    } schemes[] = {
        {"token", "http", "scheme", "bearer", NULL},
        {"session", "apiKey", "name", secure ? CALLER_COOKIE : CALLER_COOKIE_PLAIN, "cookie"},
    };
    Json *json = json_new_object();
    for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++) {
        Json *scheme = json_new_object();
        json_put_string(scheme, "type", schemes[i].type);
        json_put_string(scheme, schemes[i].key, schemes[i].value);
        if (schemes[i].in)
            json_put_string(scheme, "in", schemes[i].in);
        json_put(json, schemes[i].name, scheme);
    }
    return json;
}

static Json *security_json(void) {
    Json *list = json_new_array();
    static const char *const names[] = {"token", "session"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        Json *json = json_new_object();
        json_put(json, names[i], json_new_array());
        json_add(list, json);
    }
    return list;
}

static Json *info_json(void) {
    Json *json = json_new_object();
    json_put_string(json, "title", "Assay");
    json_put_string(json, "version", ASSAY_VERSION);
    json_put_string(json, "summary", "Connections to services, and compliance evidence from them.");
    json_put_string(json, "description",
                    "Objects are JSON with members in camelCase; times are RFC 3339, UTC, with "
                    "milliseconds. Errors are problem documents (RFC 9457). Lists give a "
                    "nextCursor until their end.");
    return json;
}

static Json *servers_json(const char *public_url) {
    Json *list = json_new_array();
    Json *server = json_new_object();
    json_put_string(server, "url", public_url);
    json_add(list, server);
    return list;
}

Json *openapi_json(const Route *const *tables, const char *public_url) {
    Json *json = json_new_object();
    Json *named = json_new_object();
    json_put_string(json, "openapi", "3.1.0");
    json_put(json, "info", info_json());
    json_put(json, "servers", servers_json(public_url));
    json_put(json, "security", security_json());
    json_put(json, "paths", paths_json(tables, named));
    Json *responses = json_new_object();
    json_put(responses, "Problem",
             response("Something is wrong.",
                      content_json("application/problem+json", shape_json(&problem_shape, named))));
    Json *components = json_new_object();
    json_put(components, "schemas", named);
    json_put(components, "parameters", shared_parameters());
    json_put(components, "responses", responses);
    json_put(components, "securitySchemes",
             security_schemes(g_str_has_prefix(public_url, "https://")));
    json_put(json, "components", components);
    return json;
}
