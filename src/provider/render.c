#include "provider/render.h"

#include "base/text.h"
#include <stdarg.h>

/* A named value of a request: query parameter or header. */
typedef struct {
    const Template *value;
    char *name;       /* query: "name=", encoded; header: the name */
    const char *bare; /* the name as written */
    size_t first;     /* of its leaves among those of the call */
    bool lone;        /* nothing but one expression: null leaves it out */
} Slot;

/* What one call needs, made when it is first rendered. */
typedef struct {
    ExprProgram *program; /* NULL when nothing is computed */
    ExprResult *results;
    size_t leaf_count;
    Slot *slots; /* queries, then headers */
    size_t query_count;
    size_t header_count;
    size_t json_leaf;
} Prepared;

struct Render {
    Definition *definition;
    Value settings;
    int64_t now_ms;
    char *base_url;
    size_t origin_length; /* of base_url: scheme, host and port */
    GPtrArray *hosts;     /* char *, lower case */
    bool allow_private;
    GPtrArray *header_values; /* char *, beside definition->headers */
    Prepared *calls;
};

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool refuse(GError **error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION, message);
    return false;
}

/* --- hosts ------------------------------------------------------------------------------------ */

static bool knows_host(const Render *render, const char *host) {
    for (size_t i = 0; i < render->hosts->len; i++) {
        if (g_ascii_strcasecmp(g_ptr_array_index(render->hosts, i), host) == 0)
            return true;
    }
    return false;
}

/* A setting of format host or url widens the set. */
static void add_setting_host(Render *render, const DefinitionInput *input) {
    if (input->format != INPUT_FORMAT_URL && input->format != INPUT_FORMAT_HOST)
        return;
    g_auto(Value) value = value_get(render->settings, input->name);
    const char *text = value_text(value);
    if (text == NULL || text[0] == '\0')
        return;
    if (input->format == INPUT_FORMAT_HOST) {
        g_ptr_array_add(render->hosts, g_strdup(text));
        return;
    }
    g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_NONE, NULL);
    if (uri != NULL && g_uri_get_host(uri) != NULL)
        g_ptr_array_add(render->hosts, g_strdup(g_uri_get_host(uri)));
}

static bool has_odd_bytes(const char *url) {
    for (const char *byte = url; *byte != '\0'; byte++) {
        if (*byte <= ' ' || *byte >= 0x7f || *byte == '\\' || *byte == '#')
            return true;
    }
    return false;
}

static bool is_same_origin(const Render *render, const char *url) {
    if (g_ascii_strncasecmp(url, render->base_url, render->origin_length) != 0)
        return false;
    return strchr("/?", url[render->origin_length]) != NULL;
}

static bool allows_scheme(const Render *render, const char *scheme) {
    if (g_ascii_strcasecmp(scheme, "https") == 0)
        return true;
    return render->allow_private && g_ascii_strcasecmp(scheme, "http") == 0;
}

bool render_allows(const Render *render, const char *url, GError **error) {
    if (strlen(url) > RENDER_MAX_URL || has_odd_bytes(url))
        return refuse(error, "%s gave a URL that is too long or malformed",
                      render->definition->name);
    if (is_same_origin(render, url))
        return true;
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);
    if (uri == NULL || g_uri_get_host(uri) == NULL || g_uri_get_userinfo(uri) != NULL)
        return refuse(error, "%s gave a URL that cannot be read", render->definition->name);
    if (!allows_scheme(render, g_uri_get_scheme(uri)))
        return refuse(error, "calls of %s need https; http needs the setting allow_private",
                      render->definition->name);
    int port = g_uri_get_port(uri);
    if (!knows_host(render, g_uri_get_host(uri)) || (port != -1 && port != 443))
        return refuse(error,
                      "the host %s is not declared in the provider's definition or settings, so it "
                      "is not called",
                      g_uri_get_host(uri));
    return true;
}

/* --- settings --------------------------------------------------------------------------------- */

static Value settings_root(const Render *render) {
    Value root = value_new_object();
    value_put(&root, "settings", value_copy(render->settings));
    return root;
}

static bool evaluate_base(Render *render, Value *url_out, GError **error) {
    g_auto(Value) endpoint = value_get(render->settings, "endpoint_url");
    if (value_text(endpoint) != NULL && value_length(endpoint) > 0) {
        *url_out = value_take(&endpoint);
        return true;
    }
    g_auto(Value) root = settings_root(render);
    ExprInput input = {root, render->settings, render->now_ms};
    return expr_eval_once(render->definition->base_url, &input, url_out, error);
}

static bool take_base(Render *render, const char *text, GError **error) {
    g_autoptr(GUri) uri = text == NULL ? NULL : g_uri_parse(text, G_URI_FLAGS_NONE, NULL);
    if (uri == NULL || g_uri_get_host(uri) == NULL || g_uri_get_host(uri)[0] == '\0' ||
        g_uri_get_userinfo(uri) != NULL || g_uri_get_query(uri) != NULL || has_odd_bytes(text))
        return refuse(error,
                      "the base URL of %s is not a URL such as https://host/path; check its "
                      "settings",
                      render->definition->name);
    if (!allows_scheme(render, g_uri_get_scheme(uri)))
        return refuse(error, "calls of %s need https; http needs the setting allow_private",
                      render->definition->name);
    if (!knows_host(render, g_uri_get_host(uri)))
        return refuse(error,
                      "the host %s is not declared in the provider's definition or settings, so it "
                      "is not called",
                      g_uri_get_host(uri));
    render->base_url = g_strdup(text);
    size_t length = strlen(render->base_url);
    while (length > 0 && render->base_url[length - 1] == '/')
        render->base_url[--length] = '\0';
    const char *host = strstr(render->base_url, "://") + strlen("://");
    render->origin_length = (size_t)(host - render->base_url) + strcspn(host, "/");
    return true;
}

static bool render_value(const Template *template, Value root, const Render *render, GString *out,
                         GError **error) {
    size_t count = template_leaf_count(template);
    g_autofree const Expr **leaves = g_new0(const Expr *, count + 1);
    for (size_t i = 0; i < count; i++)
        leaves[i] = template_leaf(template, i);
    g_autoptr(ExprProgram) program = expr_program_new(leaves, count);
    g_autofree ExprResult *results = g_new0(ExprResult, count + 1);
    ExprInput input = {root, render->settings, render->now_ms};
    if (count > 0 && !expr_program_eval(program, &input, results, error))
        return false;
    bool done = template_render(template, results, out, error);
    expr_results_clear(results, count);
    return done;
}

/* The headers of all calls depend on settings only. */
static bool render_common_headers(Render *render, GError **error) {
    g_auto(Value) root = settings_root(render);
    for (size_t i = 0; i < render->definition->header_count; i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        if (!render_value(render->definition->headers[i].value, root, render, text, error))
            return false;
        g_ptr_array_add(render->header_values, g_strdup(text->str));
    }
    return true;
}

Render *render_new(const Definition *definition, Value settings, int64_t now_ms, GError **error) {
    g_autoptr(Render) render = g_new0(Render, 1);
    render->definition = definition_ref(definition);
    render->settings = value_copy(settings);
    render->now_ms = now_ms;
    render->hosts = g_ptr_array_new_with_free_func(g_free);
    render->header_values = g_ptr_array_new_with_free_func(g_free);
    render->calls = g_new0(Prepared, definition->call_count + 1);
    g_auto(Value) allow = value_get(settings, "allow_private");
    const char *text = value_text(allow);
    render->allow_private = value_truth(allow) || (text != NULL && strcmp(text, "true") == 0);
    for (size_t i = 0; i < definition->host_count; i++)
        g_ptr_array_add(render->hosts, g_strdup(definition->hosts[i]));
    for (size_t i = 0; i < definition->setting_count; i++)
        add_setting_host(render, &definition->settings[i]);
    g_auto(Value) base = VALUE_NONE;
    if (!evaluate_base(render, &base, error) || !take_base(render, value_text(base), error) ||
        !render_common_headers(render, error))
        return NULL;
    return g_steal_pointer(&render);
}

static void prepared_clear(Prepared *prepared) {
    for (size_t i = 0; i < prepared->query_count + prepared->header_count; i++)
        g_free(prepared->slots[i].name);
    g_free(prepared->slots);
    g_free(prepared->results);
    expr_program_free(prepared->program);
}

void render_free(Render *render) {
    if (render == NULL)
        return;
    for (size_t i = 0; render->calls != NULL && i < render->definition->call_count; i++)
        prepared_clear(&render->calls[i]);
    g_free(render->calls);
    value_clear(&render->settings);
    g_free(render->base_url);
    g_ptr_array_unref(render->hosts);
    g_ptr_array_unref(render->header_values);
    definition_free(render->definition);
    g_free(render);
}

const char *render_base_url(const Render *render) {
    return render->base_url;
}

/* --- preparing a call ------------------------------------------------------------------------- */

static bool is_lone(const Template *template) {
    if (template_leaf_count(template) != 1)
        return false;
    size_t source = strlen(expr_source(template_leaf(template, 0)));
    return strlen(template_text(template)) == source + strlen("\\()");
}

static void add_leaves(GPtrArray *leaves, const Template *template) {
    for (size_t i = 0; i < template_leaf_count(template); i++)
        g_ptr_array_add(leaves, (void *)(uintptr_t)template_leaf(template, i));
}

static void prepare_slots(Prepared *prepared, const NamedTemplate *templates, size_t count,
                          bool query, GPtrArray *leaves) {
    Slot *slots = prepared->slots + (query ? 0 : prepared->query_count);
    for (size_t i = 0; i < count; i++) {
        const char *name = templates[i].name;
        g_autofree char *encoded = query ? text_percent_encode(name, strlen(name)) : NULL;
        slots[i] = (Slot){.value = templates[i].value, .bare = name, .first = leaves->len};
        slots[i].name = query ? g_strconcat(encoded, "=", NULL) : g_strdup(name);
        slots[i].lone = is_lone(templates[i].value);
        add_leaves(leaves, templates[i].value);
    }
}

static Prepared *prepare(Render *render, const DefinitionCall *call) {
    Prepared *prepared = &render->calls[call->index];
    if (prepared->slots != NULL)
        return prepared;
    g_autoptr(GPtrArray) leaves = g_ptr_array_new();
    add_leaves(leaves, call->path);
    prepared->slots = g_new0(Slot, call->query_count + call->header_count + 1);
    prepared->query_count = call->query_count;
    prepared->header_count = call->header_count;
    prepare_slots(prepared, call->query, call->query_count, true, leaves);
    prepare_slots(prepared, call->headers, call->header_count, false, leaves);
    prepared->json_leaf = leaves->len;
    if (call->json != NULL)
        g_ptr_array_add(leaves, (void *)(uintptr_t)call->json);
    prepared->leaf_count = leaves->len;
    prepared->results = g_new0(ExprResult, leaves->len + 1);
    if (leaves->len > 0)
        prepared->program = expr_program_new((const Expr *const *)leaves->pdata, leaves->len);
    return prepared;
}

/* --- one request ------------------------------------------------------------------------------ */

/* What the page sends in the query, so that the call's own value of that name gives way. */
typedef struct {
    const char *name;
    const char *value;
    const char *size_name;
    int64_t size;
    PageSend send;
} Turn;

static Turn turn_of(const Page *page) {
    Turn turn = {.send = SEND_QUERY};
    if (page == NULL)
        return turn;
    turn.name = page_parameter(page, &turn.send, &turn.value);
    turn.size_name = page_size_parameter(page, &turn.size);
    return turn;
}

static bool is_replaced(const Turn *turn, const char *name) {
    bool cursor = turn->name != NULL && turn->send == SEND_QUERY && strcmp(turn->name, name) == 0;
    return cursor || (turn->size_name != NULL && strcmp(turn->size_name, name) == 0);
}

static void append_parameter(GString *url, char *separator, const char *name, const char *value) {
    g_autofree char *safe_name = text_percent_encode(name, strlen(name));
    g_autofree char *safe_value = text_percent_encode(value, strlen(value));
    g_string_append_c(url, *separator);
    g_string_append(url, safe_name);
    g_string_append_c(url, '=');
    g_string_append(url, safe_value);
    *separator = '&';
}

static void append_turn(GString *url, char *separator, const Turn *turn) {
    if (turn->name != NULL && turn->send == SEND_QUERY)
        append_parameter(url, separator, turn->name, turn->value);
    if (turn->size_name != NULL) {
        char number[24];
        g_snprintf(number, sizeof(number), "%" G_GINT64_FORMAT, turn->size);
        append_parameter(url, separator, turn->size_name, number);
    }
}

static bool leaves_out(const Slot *slot, const ExprResult *results) {
    const ExprResult *result = &results[slot->first];
    return slot->lone && (result->outcome == EXPR_NONE ||
                          (result->outcome == EXPR_ONE && value_is_null(result->value)));
}

static bool append_url(const Render *render, const DefinitionCall *call, const Prepared *prepared,
                       const Turn *turn, GString *url, GError **error) {
    g_string_append(url, render->base_url);
    if (!template_render(call->path, prepared->results, url, error))
        return false;
    char separator = strchr(url->str, '?') != NULL ? '&' : '?';
    for (size_t i = 0; i < prepared->query_count; i++) {
        const Slot *slot = &prepared->slots[i];
        if (is_replaced(turn, slot->bare) || leaves_out(slot, prepared->results))
            continue;
        g_string_append_c(url, separator);
        g_string_append(url, slot->name);
        if (!template_render(slot->value, prepared->results + slot->first, url, error))
            return false;
        separator = '&';
    }
    append_turn(url, &separator, turn);
    if (url->len > RENDER_MAX_URL)
        return refuse(error, "the URL of the call '%s' is too long", call->name);
    return true;
}

static bool make_url(const Render *render, const DefinitionCall *call, const Prepared *prepared,
                     const Page *page, RenderedRequest *request, GError **error) {
    const char *given = page == NULL ? NULL : page_url(page);
    if (given != NULL) {
        if (!is_same_origin(render, given))
            return refuse(error, "%s sent a list on to another server, which is not followed",
                          render->definition->name);
        request->url = g_strdup(given);
        return render_allows(render, given, error);
    }
    GString *url = g_string_sized_new(160);
    Turn turn = turn_of(page);
    bool done = append_url(render, call, prepared, &turn, url, error);
    request->url = g_string_free(url, FALSE);
    return done;
}

static void put_header(RenderedRequest *request, const char *name, char *value) {
    for (size_t i = 0; i < request->header_count; i++) {
        if (g_ascii_strcasecmp(request->headers[i].name, name) == 0) {
            g_free(request->headers[i].value);
            request->headers[i].value = value;
            return;
        }
    }
    request->headers[request->header_count++] = (RenderedHeader){g_strdup(name), value};
}

static bool make_headers(const Render *render, const DefinitionCall *call, const Prepared *prepared,
                         RenderedRequest *request, GError **error) {
    size_t common = render->definition->header_count;
    request->headers = g_new0(RenderedHeader, common + prepared->header_count + 1);
    for (size_t i = 0; i < common; i++)
        put_header(request, render->definition->headers[i].name,
                   g_strdup(g_ptr_array_index(render->header_values, i)));
    if (call->json != NULL)
        put_header(request, "Content-Type", g_strdup("application/json"));
    for (size_t i = 0; i < prepared->header_count; i++) {
        const Slot *slot = &prepared->slots[prepared->query_count + i];
        if (leaves_out(slot, prepared->results))
            continue;
        g_autoptr(GString) text = g_string_new(NULL);
        if (!template_render(slot->value, prepared->results + slot->first, text, error))
            return false;
        put_header(request, slot->name, g_strdup(text->str));
    }
    return true;
}

static bool make_body(const DefinitionCall *call, const Prepared *prepared, const Page *page,
                      RenderedRequest *request, GError **error) {
    if (call->json == NULL)
        return true;
    ExprResult *result = &prepared->results[prepared->json_leaf];
    if (result->outcome != EXPR_ONE)
        return refuse(error, "the body of the call '%s' cannot be computed", call->name);
    Turn turn = turn_of(page);
    if (turn.name != NULL && turn.send == SEND_BODY &&
        value_kind(result->value) == VALUE_KIND_OBJECT)
        value_put(&result->value, turn.name, value_new_string(turn.value));
    GString *body = g_string_new(NULL);
    value_append_json(body, result->value);
    request->body_size = body->len;
    request->body = g_string_free(body, FALSE);
    return true;
}

bool render_call(Render *render, const DefinitionCall *call, Value env, const Page *page,
                 RenderedRequest *request_out, GError **error) {
    Prepared *prepared = prepare(render, call);
    ExprInput input = {env, render->settings, render->now_ms};
    if (prepared->program != NULL &&
        !expr_program_eval(prepared->program, &input, prepared->results, error))
        return false;
    RenderedRequest request = {.method = call->post ? "POST" : "GET"};
    bool done = make_url(render, call, prepared, page, &request, error) &&
                make_headers(render, call, prepared, &request, error) &&
                make_body(call, prepared, page, &request, error);
    if (prepared->leaf_count > 0)
        expr_results_clear(prepared->results, prepared->leaf_count);
    if (done)
        *request_out = request;
    else
        rendered_request_clear(&request);
    return done;
}

void rendered_request_clear(RenderedRequest *request) {
    for (size_t i = 0; i < request->header_count; i++) {
        g_free(request->headers[i].name);
        g_free(request->headers[i].value);
    }
    g_free(request->headers);
    g_free(request->url);
    g_free(request->body);
    *request = (RenderedRequest){.method = NULL};
}
