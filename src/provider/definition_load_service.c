#include "provider/definition_load_service.h"

#include "provider/aws_endpoint.h"
#include "provider/definition_grammar.h"
#include "provider/definition_load_http.h"

#define IMPLIED_REGION ".region.regionName"

static const ReadSlot host_slot = {"the host of a service",
                                   (const char *const[]){"region", "suffix", NULL}};

/* --- services --------------------------------------------------------------------------------- */

static bool is_host_leaf(const Expr *leaf) {
    const char *source = expr_source(leaf);
    return strcmp(source, ".region") == 0 || strcmp(source, ".suffix") == 0;
}

static void load_host_template(Loading *loading, const YamlNode *node, DefinitionService *service) {
    const Template *host = read_template(loading, node, TEMPLATE_TEXT, &host_slot);
    if (host == NULL)
        return;
    bool right = template_leaf_count(host) <= AWS_HOST_MAX_LEAVES;
    for (size_t i = 0; right && i < template_leaf_count(host); i++)
        right = is_host_leaf(template_leaf(host, i));
    if (right)
        service->host = host;
    else
        read_error(loading, node,
                   "a host is made of \\(.region) and \\(.suffix), such as "
                   "ec2.\\(.region).\\(.suffix)");
}

static void load_hosts(Loading *loading, const YamlNode *node, DefinitionService *service) {
    if (node == NULL)
        return;
    if (node->kind == YAML_KIND_SCALAR)
        load_host_template(loading, node, service);
    for (int i = 0; node->kind == YAML_KIND_MAP && i < AWS_PARTITIONS; i++)
        service->hosts[i] = read_text(loading, node, aws_partition_names[i]);
}

static void load_regions(Loading *loading, const YamlNode *node, DefinitionService *service) {
    for (int i = 0; i < AWS_PARTITIONS; i++) {
        const YamlNode *region = yaml_member(node, aws_partition_names[i]);
        service->global_regions[i] = read_text(loading, node, aws_partition_names[i]);
        if (region != NULL && region->text != NULL && !aws_region_is_name(region->text))
            read_error(loading, region, "'%s' is not the name of a region", region->text);
    }
}

/* What each protocol needs (1) or must not have (-1). */
static const struct {
    const char *key;
    int needs[PROTOCOL_JSON + 1];
} service_keys[] = {
    {"version", {0, 1, 1, -1, -1, -1}},
    {"target", {0, -1, -1, -1, -1, 1}},
    {"json", {0, -1, -1, -1, -1, 0}},
};

static void check_service(Loading *loading, const YamlNode *name, const YamlNode *node,
                          const DefinitionService *service) {
    const char *protocol = definition_protocol_words[service->protocol];
    for (size_t i = 0; i < G_N_ELEMENTS(service_keys); i++) {
        const YamlNode *member = yaml_member(node, service_keys[i].key);
        int needs = service_keys[i].needs[service->protocol];
        if (needs == 1 && member == NULL)
            read_error(loading, name, "the protocol %s needs the key '%s'", protocol,
                       service_keys[i].key);
        if (needs == -1 && member != NULL)
            read_error(loading, member, "the protocol %s has no key '%s'", protocol,
                       service_keys[i].key);
    }
    const YamlNode *host = yaml_member(node, "host");
    if (host != NULL && host->kind == YAML_KIND_MAP && yaml_member(node, "region") == NULL)
        read_error(loading, host,
                   "hosts by partition need the region that is signed for, 'region'");
}

static const char *or_name(const char *text, const DefinitionService *service) {
    return text == NULL ? service->name : text;
}

static void load_service(Loading *loading, const YamlNode *name, const YamlNode *node,
                         DefinitionService *service) {
    service->name = arena_text(loading->arena, name->text);
    service->action = or_name(read_text(loading, node, "action"), service);
    service->sign_as = or_name(read_text(loading, node, "sign_as"), service);
    service->protocol =
        (AwsProtocol)read_word(yaml_member(node, "protocol"), definition_protocol_words, 0);
    service->version = read_text(loading, node, "version");
    service->target = read_text(loading, node, "target");
    service->json_version = read_text(loading, node, "json");
    if (service->json_version == NULL)
        service->json_version = "1.1";
    service->s3 = read_bool(node, "s3", false);
    load_hosts(loading, yaml_member(node, "host"), service);
    load_regions(loading, yaml_member(node, "region"), service);
    service->page = definition_load_page(loading, yaml_member(node, "page"));
    service->limits =
        definition_load_limits(loading, yaml_member(node, "limits"), &service->limit_count);
    service->responses =
        definition_load_rules(loading, yaml_member(node, "responses"), &service->response_count);
    if (service->protocol != PROTOCOL_NONE)
        check_service(loading, name, node, service);
}

void definition_load_services(Loading *loading, const YamlNode *services) {
    DefinitionService *array =
        read_members(loading, services, sizeof(*array), &loading->definition->service_count);
    for (size_t i = 0; i < loading->definition->service_count; i++)
        load_service(loading, services->keys[i], services->items[i], &array[i]);
    loading->definition->services = array;
}

/* --- the AWS side of a call ------------------------------------------------------------------- */

/* Keys that only calls of AWS services have. */
static const char *const aws_keys[] = {"params", "region", "host_prefix", NULL};

/* Keys that calls of a protocol must not have. */
static const char *const *const refused_keys[] = {
    [PROTOCOL_NONE] = aws_keys,
    [PROTOCOL_QUERY] = (const char *const[]){"get", "post", "query", "json", NULL},
    [PROTOCOL_EC2] = (const char *const[]){"get", "post", "query", "json", NULL},
    [PROTOCOL_REST_XML] = (const char *const[]){"params", "json", NULL},
    [PROTOCOL_REST_JSON] = (const char *const[]){"params", NULL},
    [PROTOCOL_JSON] = (const char *const[]){"get", "post", "query", "params", NULL},
};

static bool is_xml(AwsProtocol protocol) {
    return protocol == PROTOCOL_QUERY || protocol == PROTOCOL_EC2 || protocol == PROTOCOL_REST_XML;
}

static const DefinitionService *find_service(Loading *loading, const YamlNode *node,
                                             size_t length) {
    const Definition *definition = loading->definition;
    g_autofree char *name = g_strndup(node->text, length);
    for (size_t i = 0; i < definition->service_count; i++) {
        if (strcmp(definition->services[i].name, name) == 0)
            return &definition->services[i];
    }
    read_error(loading, node, "there is no service '%s'", name);
    return NULL;
}

static void check_keys(Loading *loading, const YamlNode *node, AwsProtocol protocol) {
    for (const char *const *key = refused_keys[protocol]; *key != NULL; key++) {
        const YamlNode *member = yaml_member(node, *key);
        if (member == NULL)
            continue;
        if (protocol == PROTOCOL_NONE)
            read_error(loading, member, "'%s' belongs to calls with 'aws'", *key);
        else
            read_error(loading, member, "calls of the protocol %s have no key '%s'",
                       definition_protocol_words[protocol], *key);
    }
    bool rest = protocol == PROTOCOL_REST_XML || protocol == PROTOCOL_REST_JSON;
    bool get = yaml_member(node, "get") != NULL;
    bool post = yaml_member(node, "post") != NULL;
    if (rest && get == post)
        read_error(loading, node, "a call of the protocol %s needs either get or post",
                   definition_protocol_words[protocol]);
}

static bool is_global(const DefinitionService *service) {
    for (int i = 0; i < AWS_PARTITIONS; i++) {
        if (service->global_regions[i] != NULL)
            return true;
    }
    return false;
}

static void load_region(Loading *loading, const YamlNode *node, DefinitionCall *call) {
    if (node == NULL && !is_global(call->service)) {
        Expr *implied = expr_parse(IMPLIED_REGION, NULL);
        call->region = arena_take(loading->arena, implied, (GDestroyNotify)expr_free);
    } else if (node != NULL && is_global(call->service)) {
        read_error(loading, node, "the service %s has one region for all calls",
                   call->service->name);
    } else if (node != NULL && g_strcmp0(node->text, "null") != 0) {
        call->region = read_expr(loading, node, &read_slot_body);
    }
}

bool definition_region_is_implied(const Expr *region) {
    return strcmp(expr_source(region), IMPLIED_REGION) == 0;
}

static void imply_needs(Loading *loading, DefinitionCall *call) {
    DefinitionNeed *need = arena_alloc(loading->arena, 1, sizeof(*need));
    char *action = g_strdup_printf("%s:%s", call->service->action, call->operation);
    const char *names[] = {arena_take(loading->arena, action, g_free)};
    *need = (DefinitionNeed){"iam", arena_texts(loading->arena, names, 1), 1};
    call->needs = need;
    call->need_count = 1;
}

void definition_load_operation(Loading *loading, const YamlNode *node, DefinitionCall *call) {
    const YamlNode *aws = yaml_member(node, "aws");
    const char *dot = aws == NULL || aws->text == NULL ? NULL : strchr(aws->text, '.');
    if (aws == NULL)
        check_keys(loading, node, PROTOCOL_NONE);
    if (dot == NULL)
        return;
    call->service = find_service(loading, aws, (size_t)(dot - aws->text));
    if (call->service == NULL)
        return;
    call->operation = arena_text(loading->arena, dot + 1);
    check_keys(loading, node, call->service->protocol);
    call->params = read_templates(loading, yaml_member(node, "params"), TEMPLATE_QUERY,
                                  &read_slot_body, &call->param_count);
    call->host_prefix =
        read_template(loading, yaml_member(node, "host_prefix"), TEMPLATE_TEXT, &read_slot_body);
    load_region(loading, yaml_member(node, "region"), call);
    call->decode = is_xml(call->service->protocol) ? DECODE_XML : DECODE_JSON;
    imply_needs(loading, call);
}

const PageSpec *definition_page_of_service(Loading *loading, const DefinitionCall *call) {
    if (call->page == NULL)
        return NULL;
    PageSpec *page = arena_alloc(loading->arena, 1, sizeof(*page));
    *page = *call->page;
    AwsProtocol protocol = call->service->protocol;
    if (protocol == PROTOCOL_QUERY || protocol == PROTOCOL_EC2)
        page->send = SEND_FORM;
    else if (protocol == PROTOCOL_JSON || call->post)
        page->send = SEND_BODY;
    else
        page->send = SEND_QUERY;
    return page;
}

/* --- XML -------------------------------------------------------------------------------------- */

/* Lists that expressions read: `.Users.member`, `.vpcSet.item`. An empty one must be an array too,
 * although XML does not tell it from an empty text. */
static void add_read_lists(const Loading *loading, GPtrArray *lists) {
    g_autoptr(GRegex) regex =
        g_regex_new("\\.([A-Za-z_][A-Za-z0-9_-]*\\.(?:member|item))\\b", G_REGEX_OPTIMIZE, 0, NULL);
    for (guint i = 0; i < loading->exprs->len; i++) {
        const Expr *expr = g_array_index(loading->exprs, DefinitionExpr, i).expr;
        g_autoptr(GMatchInfo) match = NULL;
        g_regex_match(regex, expr_source(expr), 0, &match);
        for (; g_match_info_matches(match); g_match_info_next(match, NULL)) {
            g_autofree char *pair = g_match_info_fetch(match, 1);
            if (!g_ptr_array_find_with_equal_func(lists, pair, g_str_equal, NULL))
                g_ptr_array_add(lists, g_steal_pointer(&pair));
        }
    }
}

/* Rows are the items of a list: `.Users.member` is the pair Users.member. */
static void add_row_list(Loading *loading, const YamlNode *node, const DefinitionCall *call,
                         GPtrArray *lists) {
    if (call->rows == NULL || call->decode == DECODE_CSV)
        return;
    size_t count = value_path_count(call->rows);
    const char *item = count > 0 ? value_path_step(call->rows, count - 1, NULL) : NULL;
    const char *list = count > 1 ? value_path_step(call->rows, count - 2, NULL) : NULL;
    bool flat = call->service == NULL || call->service->protocol == PROTOCOL_REST_XML;
    if (item == NULL || (list == NULL && !flat))
        read_error(loading, yaml_member(node, "rows"),
                   "rows of an answer in XML are the items of a list, such as .Users.member");
    else
        g_ptr_array_add(lists,
                        list == NULL ? g_strdup(item) : g_strdup_printf("%s.%s", list, item));
}

static void load_xml_of(Loading *loading, const YamlNode *node, const GPtrArray *read,
                        DefinitionCall *call) {
    g_autoptr(GPtrArray) lists = g_ptr_array_new_with_free_func(g_free);
    const YamlNode *lists_node = yaml_member(node, "lists");
    const char *const *named = read_texts(loading, lists_node, NULL);
    const char *const *maps = read_texts(loading, yaml_member(node, "maps"), NULL);
    for (size_t i = 0; named[i] != NULL; i++)
        g_ptr_array_add(lists, g_strdup(named[i]));
    for (guint i = 0; i < read->len; i++)
        g_ptr_array_add(lists, g_strdup(g_ptr_array_index(read, i)));
    add_row_list(loading, node, call, lists);
    g_ptr_array_add(lists, NULL);
    g_autoptr(GError) error = NULL;
    XmlPlan *plan = xml_plan_new((const char *const *)lists->pdata, maps, NULL, &error);
    if (plan == NULL)
        read_error(loading, lists_node == NULL ? node : lists_node, "%s", error->message);
    else
        call->xml = arena_take(loading->arena, plan, (GDestroyNotify)xml_plan_free);
}

void definition_load_xml(Loading *loading, const YamlNode *calls) {
    g_autoptr(GPtrArray) read = g_ptr_array_new_with_free_func(g_free);
    add_read_lists(loading, read);
    DefinitionCall *array = (DefinitionCall *)(uintptr_t)loading->definition->calls;
    for (size_t i = 0; i < loading->definition->call_count; i++) {
        const YamlNode *node = calls->items[i];
        bool aws = array[i].service != NULL && is_xml(array[i].service->protocol);
        if (array[i].decode == DECODE_XML || (aws && array[i].decode == DECODE_CSV))
            load_xml_of(loading, node, read, &array[i]);
        else if (yaml_member(node, "lists") != NULL || yaml_member(node, "maps") != NULL)
            read_error(loading, node, "'lists' and 'maps' are about answers in XML");
    }
}
