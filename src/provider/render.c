#include "provider/render.h"

#include "base/text.h"
#include "provider/aws_endpoint.h"
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
    Slot *slots; /* queries, then headers, then parameters */
    size_t query_count;
    size_t header_count;
    size_t param_count;
    size_t json_leaf;
    size_t region_leaf;
    size_t prefix_leaf;
} Prepared;

struct Render {
    Definition *definition;
    Value settings;
    int64_t now_ms;
    int partition;        /* of AWS */
    bool endpoint_set;    /* base_url is the engine's endpoint_url */
    char *base_url;       /* NULL: every call has the host of its service */
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
    if (render->base_url == NULL)
        return false;
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
    render->endpoint_set = value_text(endpoint) != NULL && value_length(endpoint) > 0;
    if (render->endpoint_set) {
        *url_out = value_take(&endpoint);
        return true;
    }
    if (render->definition->base_url == NULL)
        return true;
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

static bool take_partition(Render *render, GError **error) {
    g_auto(Value) name = value_get(render->settings, "partition");
    render->partition = aws_partition(value_text(name));
    return render->partition >= 0 ||
           refuse(error, "the setting partition is one of aws, aws-us-gov and aws-cn");
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
    if (!evaluate_base(render, &base, error))
        return NULL;
    bool based = value_kind(base) != VALUE_KIND_NONE;
    if ((based && !take_base(render, value_text(base), error)) || !take_partition(render, error) ||
        !render_common_headers(render, error))
        return NULL;
    return g_steal_pointer(&render);
}

static void prepared_clear(Prepared *prepared) {
    size_t slots = prepared->query_count + prepared->header_count + prepared->param_count;
    for (size_t i = 0; i < slots; i++)
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
    for (size_t i = 0; template != NULL && i < template_leaf_count(template); i++)
        g_ptr_array_add(leaves, (void *)(uintptr_t)template_leaf(template, i));
}

/* Returns the place that the leaf has, also when there is none. */
static size_t add_leaf(GPtrArray *leaves, const Expr *leaf) {
    if (leaf != NULL)
        g_ptr_array_add(leaves, (void *)(uintptr_t)leaf);
    return leaf != NULL ? leaves->len - 1 : 0;
}

/* query: the names are written with their '=', percent-encoded. */
static void prepare_slots(Slot *slots, const NamedTemplate *templates, size_t count, bool query,
                          GPtrArray *leaves) {
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
    prepared->query_count = call->query_count;
    prepared->header_count = call->header_count;
    prepared->param_count = call->param_count;
    size_t headers = call->query_count;
    size_t params = headers + call->header_count;
    prepared->slots = g_new0(Slot, params + call->param_count + 1);
    prepare_slots(prepared->slots, call->query, call->query_count, true, leaves);
    prepare_slots(prepared->slots + headers, call->headers, call->header_count, false, leaves);
    prepare_slots(prepared->slots + params, call->params, call->param_count, true, leaves);
    prepared->json_leaf = add_leaf(leaves, call->json);
    prepared->region_leaf = add_leaf(leaves, call->region);
    prepared->prefix_leaf = leaves->len;
    add_leaves(leaves, call->host_prefix);
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

static bool is_replaced(const Turn *turn, PageSend place, const char *name) {
    bool cursor = turn->name != NULL && turn->send == place && strcmp(turn->name, name) == 0;
    return cursor || (turn->size_name != NULL && strcmp(turn->size_name, name) == 0);
}

static void append_separator(GString *out, char *separator) {
    if (*separator != '\0')
        g_string_append_c(out, *separator);
    *separator = '&';
}

static void append_parameter(GString *out, char *separator, const char *name, const char *value) {
    g_autofree char *safe_name = text_percent_encode(name, strlen(name));
    g_autofree char *safe_value = text_percent_encode(value, strlen(value));
    append_separator(out, separator);
    g_string_append(out, safe_name);
    g_string_append_c(out, '=');
    g_string_append(out, safe_value);
}

static void append_turn(GString *out, char *separator, PageSend place, const Turn *turn) {
    if (turn->name != NULL && turn->send == place)
        append_parameter(out, separator, turn->name, turn->value);
    if (turn->size_name != NULL) {
        char number[24];
        g_snprintf(number, sizeof(number), "%" G_GINT64_FORMAT, turn->size);
        append_parameter(out, separator, turn->size_name, number);
    }
}

static bool leaves_out(const Slot *slot, const ExprResult *results) {
    const ExprResult *result = &results[slot->first];
    return slot->lone && (result->outcome == EXPR_NONE ||
                          (result->outcome == EXPR_ONE && value_is_null(result->value)));
}

/* Values of one kind, and where they stand: queries, parameters of a form. */
typedef struct {
    const Slot *slots;
    size_t count;
    PageSend place;
    char separator; /* before the next one; NUL: none */
} Values;

static bool append_values(const Prepared *prepared, Values values, const Turn *turn, GString *out,
                          GError **error) {
    for (size_t i = 0; i < values.count; i++) {
        const Slot *slot = &values.slots[i];
        if (is_replaced(turn, values.place, slot->bare) || leaves_out(slot, prepared->results))
            continue;
        append_separator(out, &values.separator);
        g_string_append(out, slot->name);
        if (!template_render(slot->value, prepared->results + slot->first, out, error))
            return false;
    }
    append_turn(out, &values.separator, values.place, turn);
    return true;
}

/* --- where an AWS call goes ------------------------------------------------------------------- */

static bool refuse_region(const DefinitionCall *call, GError **error) {
    return refuse(error, "the region of the call '%s' is not the name of one such as eu-west-1",
                  call->name);
}

/* A region becomes part of a host, so nothing but a name may pass. Borrowed. */
static bool region_of(const Render *render, const DefinitionCall *call, const Prepared *prepared,
                      const char **region_out, GError **error) {
    const char *fixed = call->service->global_regions[render->partition];
    const char *region = fixed != NULL ? fixed : aws_partition_region(render->partition);
    if (call->region != NULL) {
        const ExprResult *result = &prepared->results[prepared->region_leaf];
        bool none = result->outcome == EXPR_NONE ||
                    (result->outcome == EXPR_ONE && value_is_null(result->value));
        if (!none && (result->outcome != EXPR_ONE || value_text(result->value) == NULL))
            return refuse_region(call, error);
        if (!none)
            region = value_text(result->value);
    }
    if (!aws_region_is_name(region))
        return refuse_region(call, error);
    *region_out = region;
    return true;
}

static bool is_host_text(const char *text) {
    return text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-")] == '\0';
}

/* A bucket stands in the host: `/NAME/rest` becomes `NAME.` before the host and `/rest`. Names with
 * dots do not fit the certificate, and names of old may not fit a host at all.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html */
static void move_bucket(const DefinitionCall *call, GString *path, GString *host) {
    if (!call->service->s3 || strncmp(template_text(call->path), "/\\(", 3) != 0)
        return;
    size_t length = strcspn(path->str + 1, "/?");
    g_autofree char *bucket = g_strndup(path->str + 1, length);
    bool fits = length >= 3 && length <= 63 && is_host_text(bucket) && bucket[0] != '-' &&
                strchr(bucket, '.') == NULL;
    if (!fits)
        return;
    g_string_append_printf(host, "%s.", bucket);
    g_string_erase(path, 0, (gssize)length + 1);
    if (path->str[0] != '/')
        g_string_prepend_c(path, '/');
}

static bool append_service_origin(const Render *render, const DefinitionCall *call,
                                  const Prepared *prepared, const char *region, GString *path,
                                  GString *url, GError **error) {
    g_autoptr(GString) host = g_string_new(NULL);
    move_bucket(call, path, host);
    if (call->host_prefix != NULL &&
        !template_render(call->host_prefix, prepared->results + prepared->prefix_leaf, host, error))
        return false;
    if (!aws_endpoint_host(call->service, render->partition, region, host, error))
        return false;
    if (!is_host_text(host->str))
        return refuse(error, "the host of the call '%s' is none", call->name);
    g_string_append_printf(url, "https://%s", host->str);
    return true;
}

/* --- the URL ---------------------------------------------------------------------------------- */

static bool append_url(const Render *render, const DefinitionCall *call, const Prepared *prepared,
                       const Turn *turn, const RenderedRequest *request, GString *url,
                       GError **error) {
    g_autoptr(GString) path = g_string_new(call->path == NULL ? "/" : NULL);
    if (call->path != NULL && !template_render(call->path, prepared->results, path, error))
        return false;
    bool own_host = call->service != NULL && !render->endpoint_set;
    if (own_host &&
        !append_service_origin(render, call, prepared, request->region, path, url, error))
        return false;
    if (!own_host)
        g_string_append(url, render->base_url);
    g_string_append_len(url, path->str, (gssize)path->len);
    Values query = {.slots = prepared->slots,
                    .count = prepared->query_count,
                    .place = SEND_QUERY,
                    .separator = strchr(path->str, '?') != NULL ? '&' : '?'};
    Turn none = {.send = SEND_QUERY};
    bool form = call->page != NULL && call->page->send == SEND_FORM;
    if (!append_values(prepared, query, form ? &none : turn, url, error))
        return false;
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
    const char *region = NULL;
    if (call->service != NULL && !region_of(render, call, prepared, &region, error))
        return false;
    request->service = call->service;
    request->region = g_strdup(region);
    GString *url = g_string_sized_new(160);
    Turn turn = turn_of(page);
    bool done = append_url(render, call, prepared, &turn, request, url, error);
    request->url = g_string_free(url, FALSE);
    return done;
}

/* --- headers and body ------------------------------------------------------------------------- */

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

static bool has_form(const DefinitionCall *call) {
    return call->service != NULL &&
           (call->service->protocol == PROTOCOL_QUERY || call->service->protocol == PROTOCOL_EC2);
}

static bool has_target(const DefinitionCall *call) {
    return call->service != NULL && call->service->protocol == PROTOCOL_JSON;
}

/* What the body is, and for the protocol json, which operation is meant. */
static void put_content_headers(const DefinitionCall *call, RenderedRequest *request) {
    if (has_form(call)) {
        put_header(request, "Content-Type",
                   g_strdup("application/x-www-form-urlencoded; charset=utf-8"));
    } else if (has_target(call)) {
        put_header(request, "Content-Type",
                   g_strdup_printf("application/x-amz-json-%s", call->service->json_version));
        put_header(request, "X-Amz-Target",
                   g_strdup_printf("%s.%s", call->service->target, call->operation));
    } else if (call->json != NULL) {
        put_header(request, "Content-Type", g_strdup("application/json"));
    }
}

static bool make_headers(const Render *render, const DefinitionCall *call, const Prepared *prepared,
                         RenderedRequest *request, GError **error) {
    size_t common = render->definition->header_count;
    request->headers = g_new0(RenderedHeader, common + prepared->header_count + 2);
    for (size_t i = 0; i < common; i++)
        put_header(request, render->definition->headers[i].name,
                   g_strdup(g_ptr_array_index(render->header_values, i)));
    put_content_headers(call, request);
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

static void take_body(RenderedRequest *request, GString *body) {
    request->body_size = body->len;
    request->body = g_string_free(body, FALSE);
}

static bool make_form(const DefinitionCall *call, const Prepared *prepared, const Turn *turn,
                      RenderedRequest *request, GError **error) {
    GString *form = g_string_sized_new(160);
    g_string_append_printf(form, "Action=%s&Version=%s", call->operation, call->service->version);
    Values params = {.slots = prepared->slots + prepared->query_count + prepared->header_count,
                     .count = prepared->param_count,
                     .place = SEND_FORM,
                     .separator = '&'};
    bool done = append_values(prepared, params, turn, form, error);
    take_body(request, form);
    return done;
}

/* The body as a value: that of the definition with the token of the page. */
static bool json_body(const DefinitionCall *call, const Prepared *prepared, const Turn *turn,
                      Value *body_out, GError **error) {
    g_auto(Value) body = VALUE_NONE;
    if (call->json == NULL) {
        body = value_new_object();
    } else {
        ExprResult *result = &prepared->results[prepared->json_leaf];
        if (result->outcome != EXPR_ONE)
            return refuse(error, "the body of the call '%s' cannot be computed", call->name);
        body = value_take(&result->value);
    }
    if (turn->name != NULL && turn->send == SEND_BODY && value_kind(body) == VALUE_KIND_OBJECT)
        value_put(&body, turn->name, value_new_string(turn->value));
    *body_out = value_take(&body);
    return true;
}

static bool make_body(const DefinitionCall *call, const Prepared *prepared, const Page *page,
                      RenderedRequest *request, GError **error) {
    Turn turn = turn_of(page);
    if (has_form(call))
        return make_form(call, prepared, &turn, request, error);
    if (call->json == NULL && !has_target(call))
        return true;
    g_auto(Value) value = VALUE_NONE;
    if (!json_body(call, prepared, &turn, &value, error))
        return false;
    GString *body = g_string_new(NULL);
    value_append_json(body, value);
    take_body(request, body);
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
    g_free(request->region);
    *request = (RenderedRequest){.method = NULL};
}
