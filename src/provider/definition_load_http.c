#include "provider/definition_load_http.h"

#include "base/clock.h"
#include "provider/definition_grammar.h"

#define DEFAULT_MAX_PAGES 10000
#define DEFAULT_MAX_ROWS 10000000
#define DEFAULT_MAX_BYTES (INT64_C(64) * 1024 * 1024 * 1024)

static const ReadSlot settings_slot = {"a value of all calls",
                                       (const char *const[]){"settings", "range", NULL}};
static const ReadSlot response_slot = {
    "a response rule", (const char *const[]){"status", "headers", "body", "code", NULL}};

/* --- header values and limits ----------------------------------------------------------------- */

static const char *lower_text(Loading *loading, const char *text) {
    return text == NULL ? NULL : arena_take(loading->arena, g_ascii_strdown(text, -1), g_free);
}

/* {header, unit}, or just a header that holds a count. */
static HeaderValue load_header_value(Loading *loading, const YamlNode *node) {
    HeaderValue value = {NULL, UNIT_COUNT};
    if (node == NULL)
        return value;
    if (node->kind == YAML_KIND_SCALAR) {
        value.header = lower_text(loading, node->text);
        return value;
    }
    value.header = lower_text(loading, yaml_member_text(node, "header"));
    value.unit = (HeaderUnit)read_word(yaml_member(node, "unit"), definition_unit_words, 0);
    return value;
}

/* "5000/1h"; the grammar has checked its shape. */
static void load_rate(const char *text, int64_t *count_out, int64_t *window_out) {
    const char *slash = text == NULL ? NULL : strchr(text, '/');
    int64_t window;
    if (slash == NULL || !clock_parse_duration(slash + 1, &window))
        return;
    *count_out = MAX(g_ascii_strtoll(text, NULL, 10), 0);
    *window_out = window;
}

static void load_limit(Loading *loading, const YamlNode *node, DefinitionLimit *limit) {
    const YamlNode *scope = yaml_member(node, "scope");
    for (size_t i = 0; scope != NULL && scope->kind == YAML_KIND_LIST && i < scope->count; i++) {
        int bit = read_word(scope->items[i], definition_scope_words, 0);
        limit->scope |= 1U << bit;
    }
    load_rate(yaml_member_text(node, "rate"), &limit->rate_count, &limit->rate_window_ms);
    load_rate(yaml_member_text(node, "quota"), &limit->quota_count, &limit->quota_window_ms);
    limit->rate_burst = read_int(node, "burst", 0);
    limit->concurrency = read_int(node, "concurrency", 0);
    const YamlNode *headers = yaml_member(node, "headers");
    limit->limit = load_header_value(loading, yaml_member(headers, "limit"));
    limit->remaining = load_header_value(loading, yaml_member(headers, "remaining"));
    limit->reset = load_header_value(loading, yaml_member(headers, "reset"));
    if (limit->rate_burst > 0 && limit->rate_burst > limit->rate_count)
        read_error(loading, yaml_member(node, "burst"), "a burst must be within the rate");
    if (limit->rate_count == 0 && limit->quota_count == 0 && limit->concurrency == 0)
        read_error(loading, node, "a limit needs a rate, a quota or a concurrency");
}

const DefinitionLimit *definition_load_limits(Loading *loading, const YamlNode *node,
                                              size_t *count_out) {
    if (node == NULL || node->kind != YAML_KIND_LIST)
        return NULL;
    DefinitionLimit *limits = read_items(loading, node, sizeof(*limits), count_out);
    for (size_t i = 0; i < node->count; i++)
        load_limit(loading, node->items[i], &limits[i]);
    return limits;
}

/* --- response rules --------------------------------------------------------------------------- */

static StatusRange status_range(const YamlNode *node) {
    StatusRange range = {0, 0};
    if (node->text == NULL || node->length != 3)
        return range;
    uint16_t first = (uint16_t)((node->text[0] - '0') * 100);
    if (node->text[1] == 'x')
        return (StatusRange){first, (uint16_t)(first + 99)};
    uint16_t exact = (uint16_t)g_ascii_strtoull(node->text, NULL, 10);
    return (StatusRange){exact, exact};
}

static void load_statuses(Loading *loading, const YamlNode *node, ResponseRule *rule) {
    if (node == NULL)
        return;
    bool list = node->kind == YAML_KIND_LIST;
    rule->status_count = list ? node->count : 1;
    StatusRange *ranges = arena_alloc(loading->arena, rule->status_count, sizeof(*ranges));
    for (size_t i = 0; i < rule->status_count; i++)
        ranges[i] = status_range(list ? node->items[i] : node);
    rule->statuses = ranges;
}

/* The header that one path below .headers names, or NULL when it names none. */
static const char *header_of_path(Loading *loading, const char *text) {
    g_autofree char *path = g_strndup(text, strcspn(text, "|"));
    g_autoptr(ValuePath) parsed = value_path_parse(g_strstrip(path), NULL);
    if (parsed == NULL || value_path_count(parsed) == 0)
        return NULL;
    const char *name = value_path_step(parsed, 0, NULL);
    return name == NULL ? NULL : arena_text(loading->arena, name);
}

/* Answers are shown to rules by the headers they name, so that nothing else must be copied. */
static void load_rule_headers(Loading *loading, const YamlNode *node, ResponseRule *rule) {
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    if (expr_mentions(rule->when, "headers"))
        expr_add_keep(rule->when, "headers", paths);
    const char **headers = arena_alloc(loading->arena, paths->len, sizeof(*headers));
    for (size_t i = 0; i < paths->len; i++) {
        const char *header = header_of_path(loading, g_ptr_array_index(paths, i));
        if (header == NULL) {
            read_error(loading, node, "name each header, as in .headers[\"retry-after\"]");
            return;
        }
        g_autofree char *lower = g_ascii_strdown(header, -1);
        if (strcmp(lower, header) != 0)
            read_error(loading, node, "write the header '%s' in lower case", header);
        headers[rule->header_count++] = header;
    }
    rule->headers = headers;
}

static void load_when(Loading *loading, const YamlNode *node, ResponseRule *rule) {
    rule->when = read_expr(loading, node, &response_slot);
    if (rule->when == NULL)
        return;
    if (expr_reads_all(rule->when)) {
        read_error(loading, node, "name what is looked at: .status, .headers or .body");
        return;
    }
    rule->when_body = expr_mentions(rule->when, "body");
    load_rule_headers(loading, node, rule);
}

static void load_codes(Loading *loading, const YamlNode *node, ResponseRule *rule) {
    if (node == NULL)
        return;
    const char *one[] = {node->text};
    rule->codes = node->kind == YAML_KIND_LIST ? read_texts(loading, node, NULL)
                                               : arena_texts(loading->arena, one, 1);
}

static void load_rule(Loading *loading, const YamlNode *node, ResponseRule *rule) {
    const char *is = yaml_member_text(node, "is");
    if (is != NULL)
        (void)outcome_from_name(is, &rule->is);
    load_statuses(loading, yaml_member(node, "status"), rule);
    load_codes(loading, yaml_member(node, "code"), rule);
    load_when(loading, yaml_member(node, "when"), rule);
    rule->until = load_header_value(loading, yaml_member(node, "until"));
    rule->wait_ms = read_duration(node, "wait", 0);
    rule->then = (RespondThen)read_word(yaml_member(node, "then"), definition_then_words, 0);
    bool waits = rule->until.header != NULL || rule->wait_ms > 0;
    if (waits && rule->is != OUTCOME_RATE_LIMITED && rule->is != OUTCOME_UNAVAILABLE)
        read_error(loading, node, "only rate_limited and unavailable may wait");
    if (rule->then != THEN_DEFAULT && rule->is != OUTCOME_UNLICENSED)
        read_error(loading, node, "'then' belongs to unlicensed");
    if (rule->statuses == NULL && rule->codes == NULL && rule->when == NULL)
        read_error(loading, node, "a response rule needs a status, a code or a when");
}

const ResponseRule *definition_load_rules(Loading *loading, const YamlNode *node,
                                          size_t *count_out) {
    if (node == NULL || node->kind != YAML_KIND_LIST)
        return NULL;
    ResponseRule *rules = read_items(loading, node, sizeof(*rules), count_out);
    for (size_t i = 0; i < node->count; i++)
        load_rule(loading, node->items[i], &rules[i]);
    return rules;
}

/* --- paging ----------------------------------------------------------------------------------- */

/* The keys that each style needs (1), may have (0) or must not have (-1). */
static const struct {
    int send;
    int from;
    int until;
    int size;
    int first;
} page_styles[] = {
    [PAGE_NONE] = {-1, -1, -1, -1, -1}, [PAGE_LINK] = {-1, -1, -1, -1, -1},
    [PAGE_TOKEN] = {1, 1, 0, -1, -1},   [PAGE_NEXT_URL] = {-1, 1, 0, -1, -1},
    [PAGE_NUMBER] = {1, -1, 0, 1, 0},   [PAGE_OFFSET] = {1, -1, 0, 1, 0},
};

static void check_page_key(Loading *loading, const YamlNode *node, const char *style,
                           const char *key, int need) {
    const YamlNode *member = yaml_member(node, key);
    if (need == 1 && member == NULL)
        read_error(loading, node, "paging of style %s needs the key '%s'", style, key);
    if (need == -1 && member != NULL)
        read_error(loading, member, "paging of style %s has no key '%s'", style, key);
}

static void check_page(Loading *loading, const YamlNode *node, PageStyle style) {
    const char *name = definition_page_words[style];
    check_page_key(loading, node, name, "send", page_styles[style].send);
    check_page_key(loading, node, name, "from", page_styles[style].from);
    check_page_key(loading, node, name, "until", page_styles[style].until);
    check_page_key(loading, node, name, "size", page_styles[style].size);
    check_page_key(loading, node, name, "first", page_styles[style].first);
}

static void load_send(Loading *loading, const YamlNode *node, PageSpec *page) {
    const char *query = read_text(loading, node, "query");
    const char *body = read_text(loading, node, "body");
    if (node != NULL && (query == NULL) == (body == NULL))
        read_error(loading, node, "'send' needs either query or body");
    page->send = query != NULL ? SEND_QUERY : SEND_BODY;
    page->name = query != NULL ? query : body;
    page->size_name = read_text(loading, node, "size");
}

const PageSpec *definition_load_page(Loading *loading, const YamlNode *node) {
    if (node == NULL)
        return NULL;
    PageSpec *page = arena_alloc(loading->arena, 1, sizeof(*page));
    bool word = node->kind == YAML_KIND_SCALAR;
    const YamlNode *style = word ? node : yaml_member(node, "style");
    page->style = (PageStyle)read_word(style, definition_page_words, PAGE_NONE);
    if (page->style == PAGE_NONE)
        return NULL;
    check_page(loading, node, page->style);
    load_send(loading, yaml_member(node, "send"), page);
    page->from = read_expr(loading, yaml_member(node, "from"), &read_slot_body);
    page->until = read_expr(loading, yaml_member(node, "until"), &read_slot_body);
    page->size = read_int(node, "size", 0);
    page->first = read_int(node, "first", page->style == PAGE_NUMBER ? 1 : 0);
    page->max_pages = read_int(node, "max_pages", DEFAULT_MAX_PAGES);
    page->max_rows = read_int(node, "max_rows", DEFAULT_MAX_ROWS);
    page->max_bytes = read_int(node, "max_bytes", DEFAULT_MAX_BYTES);
    return page;
}

/* --- the whole ---------------------------------------------------------------------------- */

void definition_load_http(Loading *loading, const YamlNode *http) {
    Definition *definition = loading->definition;
    definition->base_url = read_expr(loading, yaml_member(http, "base_url"), &settings_slot);
    definition->headers = read_templates(loading, yaml_member(http, "headers"), TEMPLATE_TEXT,
                                         &settings_slot, &definition->header_count);
    definition->limits =
        definition_load_limits(loading, yaml_member(http, "limits"), &definition->limit_count);
    definition->responses =
        definition_load_rules(loading, yaml_member(http, "responses"), &definition->response_count);
}
