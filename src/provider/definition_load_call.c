#include "provider/definition_load_call.h"

#include "provider/definition_grammar.h"
#include "provider/definition_load_http.h"
#include "provider/definition_load_service.h"

/* --- calls ------------------------------------------------------------------------------------ */

static void load_method(Loading *loading, const YamlNode *node, DefinitionCall *call) {
    const YamlNode *get = yaml_member(node, "get");
    const YamlNode *post = yaml_member(node, "post");
    if (call->service == NULL && (get == NULL) == (post == NULL))
        read_error(loading, node, "the call '%s' needs either get or post", call->name);
    call->post = post != NULL || (get == NULL && call->service != NULL);
    call->path = read_template(loading, post != NULL ? post : get, TEMPLATE_PATH, &read_slot_body);
    call->json = read_expr(loading, yaml_member(node, "json"), &read_slot_body);
    if (call->json != NULL && !call->post)
        read_error(loading, yaml_member(node, "json"), "only a post has a body");
}

/* `.items` and `.items[]` say the same: where the rows are. */
static void load_rows(Loading *loading, const YamlNode *node, DefinitionCall *call) {
    if (node == NULL || node->text == NULL)
        return;
    g_autofree char *text = g_strdup(node->text);
    if (g_str_has_suffix(text, "[]"))
        text[strlen(text) - 2] = '\0';
    g_autoptr(GError) error = NULL;
    ValuePath *path = value_path_parse(text[0] == '\0' ? "." : text, &error);
    if (path == NULL) {
        read_error(loading, node, "rows must be a plain path such as . or .items[]: %s",
                   error->message);
        return;
    }
    call->rows = arena_take(loading->arena, path, (GDestroyNotify)value_path_free);
}

static void load_needs(Loading *loading, const YamlNode *node, DefinitionCall *call) {
    DefinitionNeed *needs = read_members(loading, node, sizeof(*needs), &call->need_count);
    for (size_t i = 0; i < call->need_count; i++) {
        needs[i].vocabulary = arena_text(loading->arena, node->keys[i]->text);
        needs[i].names = read_texts(loading, node->items[i], &needs[i].count);
    }
    call->needs = needs;
}

static void add_names(const Expr *expr, GPtrArray *names) {
    const char *const *mentioned = expr == NULL ? NULL : expr_names(expr);
    for (size_t n = 0; mentioned != NULL && mentioned[n] != NULL; n++)
        g_ptr_array_add(names, (void *)(uintptr_t)mentioned[n]);
}

static void add_mentions(const Template *template, GPtrArray *names) {
    for (size_t i = 0; template != NULL && i < template_leaf_count(template); i++)
        add_names(template_leaf(template, i), names);
}

/* Which rows the request is made from. */
static void load_mentions(Loading *loading, DefinitionCall *call) {
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    add_mentions(call->path, names);
    add_mentions(call->host_prefix, names);
    for (size_t i = 0; i < call->param_count; i++)
        add_mentions(call->params[i].value, names);
    for (size_t i = 0; i < call->query_count; i++)
        add_mentions(call->query[i].value, names);
    for (size_t i = 0; i < call->header_count; i++)
        add_mentions(call->headers[i].value, names);
    add_names(call->json, names);
    if (call->region != NULL && !definition_region_is_implied(call->region))
        add_names(call->region, names);
    g_autoptr(GPtrArray) nodes = g_ptr_array_new();
    for (size_t i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        bool known = strcmp(name, "settings") == 0 || strcmp(name, "range") == 0;
        if (!known && !g_ptr_array_find_with_equal_func(nodes, name, g_str_equal, NULL))
            g_ptr_array_add(nodes, (void *)(uintptr_t)name);
    }
    call->mentions = arena_texts(loading->arena, (const char *const *)nodes->pdata, nodes->len);
    call->mention_count = nodes->len;
}

/* Redaction and projection of answers; keep paths are written from the row. */
static void load_scan(Loading *loading, const YamlNode *node, DefinitionCall *call) {
    const YamlNode *keep = yaml_member(node, "keep");
    call->redact = read_texts(loading, yaml_member(node, "redact"), NULL);
    call->keep = keep == NULL ? NULL : read_texts(loading, keep, NULL);
    g_autoptr(GError) error = NULL;
    ScanPlan *plan = scan_plan_new(call->redact, NULL, NULL, &error);
    if (plan == NULL) {
        read_error(loading, yaml_member(node, "redact"), "%s", error->message);
        return;
    }
    call->scan = arena_take(loading->arena, plan, (GDestroyNotify)scan_plan_free);
    g_autoptr(ScanPlan) kept = scan_plan_new(NULL, call->keep, NULL, &error);
    if (kept == NULL)
        read_error(loading, keep, "%s", error->message);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void load_decode(Loading *loading, const YamlNode *node, DefinitionCall *call) {
    const YamlNode *from = yaml_member(node, "decode_from");
    if (yaml_member(node, "decode") != NULL)
        call->decode = (CallDecode)read_word(yaml_member(node, "decode"), definition_decode_words,
                                             DECODE_JSON);
    if (from == NULL || from->text == NULL)
        return;
    if (call->decode != DECODE_CSV)
        read_error(loading, from, "'decode_from' belongs to 'decode: csv'");
    g_autoptr(GError) error = NULL;
    ValuePath *path = value_path_parse(from->text, &error);
    if (path == NULL)
        read_error(loading, from, "decode_from must be a plain path such as .Content: %s",
                   error->message);
    else
        call->decode_from = arena_take(loading->arena, path, (GDestroyNotify)value_path_free);
}

static void load_poll(Loading *loading, const YamlNode *node, DefinitionCall *call) {
    if (node == NULL)
        return;
    CallPoll *poll = arena_alloc(loading->arena, 1, sizeof(*poll));
    poll->until = read_expr(loading, yaml_member(node, "until"), &read_slot_body);
    poll->every_ms = read_duration(node, "every", 0);
    poll->for_ms = read_duration(node, "for", 0);
    if (call->rows != NULL)
        read_error(loading, node, "a call with rows cannot be polled");
    if (poll->every_ms <= 0 || poll->for_ms < poll->every_ms)
        read_error(loading, node, "a poll needs an 'every' that is within its 'for'");
    if (poll->until != NULL)
        call->poll = poll;
}

static void load_paging(Loading *loading, const YamlNode *name, const YamlNode *node,
                        const PageSpec *fallback, DefinitionCall *call) {
    const YamlNode *page = yaml_member(node, "page");
    if (page != NULL && call->rows == NULL)
        read_error(loading, page, "paging needs 'rows', which says where a page's rows are");
    call->page = definition_load_page(loading, page);
    if (page == NULL && call->rows != NULL)
        call->page = call->service != NULL ? call->service->page : fallback;
    if (call->service != NULL)
        call->page = definition_page_of_service(loading, call);
    bool body = call->page != NULL && call->page->send == SEND_BODY && call->page->name != NULL;
    bool has_body =
        call->json != NULL || (call->service != NULL && call->service->protocol == PROTOCOL_JSON);
    if (body && !has_body)
        read_error(loading, name, "a cursor in the body needs a post with json");
}

static void load_call(Loading *loading, const YamlNode *name, const YamlNode *node,
                      const PageSpec *fallback, DefinitionCall *call) {
    call->name = arena_text(loading->arena, name->text);
    call->line = name->line;
    definition_load_operation(loading, node, call);
    load_method(loading, node, call);
    call->query = read_templates(loading, yaml_member(node, "query"), TEMPLATE_QUERY,
                                 &read_slot_body, &call->query_count);
    call->headers = read_templates(loading, yaml_member(node, "headers"), TEMPLATE_TEXT,
                                   &read_slot_body, &call->header_count);
    load_rows(loading, yaml_member(node, "rows"), call);
    load_decode(loading, node, call);
    load_poll(loading, yaml_member(node, "poll"), call);
    load_paging(loading, name, node, fallback, call);
    call->responses =
        definition_load_rules(loading, yaml_member(node, "responses"), &call->response_count);
    if (yaml_member(node, "needs") != NULL || call->service == NULL)
        load_needs(loading, yaml_member(node, "needs"), call);
    load_scan(loading, node, call);
    load_mentions(loading, call);
    if (call->service == NULL && loading->definition->base_url == NULL)
        read_error(loading, name, "the call '%s' needs 'http.base_url', or 'aws'", call->name);
}

void definition_load_calls(Loading *loading, const YamlNode *calls, const YamlNode *http) {
    if (calls == NULL || calls->kind != YAML_KIND_MAP)
        return;
    DefinitionCall *array =
        read_members(loading, calls, sizeof(*array), &loading->definition->call_count);
    const PageSpec *fallback = definition_load_page(loading, yaml_member(http, "page"));
    for (size_t i = 0; i < calls->count; i++) {
        array[i].index = i;
        load_call(loading, calls->keys[i], calls->items[i], fallback, &array[i]);
    }
    loading->definition->calls = array;
}
