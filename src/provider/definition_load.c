#include "provider/definition_load.h"

#include "base/clock.h"
#include "provider/definition_grammar.h"
#include "provider/definition_load_auth.h"
#include "provider/definition_load_call.h"
#include "provider/definition_load_evidence.h"
#include "provider/definition_load_http.h"
#include "provider/definition_load_service.h"
#include "provider/definition_read.h"
#include "provider/plan.h"

#define HOUR_MS (INT64_C(3600) * 1000)

static void load_head(Loading *loading, const YamlNode *root) {
    Definition *definition = loading->definition;
    definition->id = read_text(loading, root, "id");
    definition->name = read_text(loading, root, "name");
    definition->icon = read_text(loading, root, "icon");
    definition->category = read_text(loading, root, "category");
    definition->summary = read_text(loading, root, "summary");
    definition->docs = read_text(loading, root, "docs");
    definition->setup = read_text(loading, root, "setup");
    definition->aliases =
        read_texts(loading, yaml_member(root, "aliases"), &definition->alias_count);
    definition->hosts = read_texts(loading, yaml_member(root, "hosts"), &definition->host_count);
    const char *checked = yaml_member_text(root, "checked");
    int64_t checked_ms;
    if (checked != NULL && clock_parse(checked, &checked_ms))
        definition->checked_ms = checked_ms;
}

static void check_has_methods(Loading *loading, const YamlNode *root) {
    const YamlNode *auth = yaml_member(root, "auth");
    if (auth != NULL && auth->kind == YAML_KIND_MAP && auth->count == 0)
        read_error(loading, auth, "a provider needs at least one way to sign in");
    const YamlNode *settings = yaml_member(root, "settings");
    bool named_hosts =
        loading->definition->host_count > 0 || loading->definition->service_count > 0;
    for (size_t i = 0; i < loading->definition->setting_count; i++) {
        const DefinitionInput *input = &loading->definition->settings[i];
        named_hosts |= !input->engine &&
                       (input->format == INPUT_FORMAT_HOST || input->format == INPUT_FORMAT_URL);
    }
    if (!named_hosts)
        read_error(loading, settings == NULL ? root : settings,
                   "name the hosts that may be called, in 'hosts' or as a setting of format host "
                   "or url");
}

static const DefinitionCall *find_call(Loading *loading, const YamlNode *node) {
    if (node == NULL || node->text == NULL)
        return NULL;
    const DefinitionCall *call = definition_call(loading->definition, node->text);
    if (call == NULL)
        read_error(loading, node, "there is no call '%s'", node->text);
    else if (call->mention_count > 0)
        read_error(loading, node, "the call '%s' looks at rows, here there are none", node->text);
    return call;
}

static void load_identity(Loading *loading, const YamlNode *node) {
    if (node == NULL)
        return;
    DefinitionIdentity *identity = &loading->definition->identity;
    const YamlNode *reply = yaml_member(node, "reply");
    const YamlNode *organizations = yaml_member(node, "organizations");
    identity->call = find_call(loading, yaml_member(node, "call"));
    identity->user = read_expr(loading, yaml_member(reply, "user"), &read_slot_body);
    identity->account_id = read_expr(loading, yaml_member(reply, "accountId"), &read_slot_body);
    identity->arn = read_expr(loading, yaml_member(reply, "arn"), &read_slot_body);
    identity->organizations =
        read_expr(loading, yaml_member(reply, "organizations"), &read_slot_body);
    if (organizations == NULL)
        return;
    if (identity->organizations != NULL)
        read_error(loading, organizations, "organizations are given twice");
    identity->organizations_call = find_call(loading, yaml_member(organizations, "call"));
    identity->organizations =
        read_expr(loading, yaml_member(organizations, "value"), &read_slot_body);
    if (identity->organizations_call != NULL && identity->organizations_call->rows == NULL)
        read_error(loading, organizations, "the call '%s' has no rows",
                   identity->organizations_call->name);
}

static void load_refresh(Loading *loading, const YamlNode *node, WebhookRefresh *refresh) {
    refresh->types = arena_alloc(loading->arena, node->count, sizeof(*refresh->types));
    const EvidenceType **types = (const EvidenceType **)(uintptr_t)refresh->types;
    for (size_t i = 0; node->kind == YAML_KIND_LIST && i < node->count; i++) {
        const char *name = node->items[i]->text;
        const EvidenceType *type = definition_type(loading->definition, name);
        if (type != NULL)
            types[refresh->count++] = type;
        else if (name != NULL)
            read_error(loading, node->items[i], "there is no evidence type '%s'", name);
    }
}

static void load_webhooks(Loading *loading, const YamlNode *node) {
    DefinitionWebhooks *webhooks = &loading->definition->webhooks;
    const YamlNode *verify = yaml_member(node, "verify");
    const YamlNode *refresh = yaml_member(node, "refresh");
    webhooks->scheme = read_text(loading, verify, "scheme");
    webhooks->header = read_text(loading, verify, "header");
    webhooks->prefix = read_text(loading, verify, "prefix");
    webhooks->event_header = read_text(loading, yaml_member(node, "event"), "header");
    WebhookRefresh *events =
        read_members(loading, refresh, sizeof(*events), &webhooks->refresh_count);
    for (size_t i = 0; i < webhooks->refresh_count; i++) {
        events[i].event = arena_text(loading->arena, refresh->keys[i]->text);
        load_refresh(loading, refresh->items[i], &events[i]);
    }
    webhooks->refresh = events;
}

static void load_schedule(Loading *loading, const YamlNode *node) {
    Definition *definition = loading->definition;
    definition->schedule_ms = read_duration(node, "default", 24 * HOUR_MS);
    definition->schedule_min_ms = read_duration(node, "min", HOUR_MS);
    definition->schedule_max_ms = read_duration(node, "max", 24 * HOUR_MS);
    bool within = definition->schedule_ms >= definition->schedule_min_ms &&
                  definition->schedule_ms <= definition->schedule_max_ms;
    if (node != NULL && !within)
        read_error(loading, node, "the default must lie between min and max");
}

/* Later parts look names up in earlier ones. */
static void load_parts(Loading *loading, const YamlNode *root) {
    load_head(loading, root);
    definition_load_http(loading, yaml_member(root, "http"));
    definition_load_services(loading, yaml_member(root, "services"));
    definition_load_calls(loading, yaml_member(root, "calls"), yaml_member(root, "http"));
    definition_load_settings(loading, yaml_member(root, "settings"));
    definition_load_auth(loading, yaml_member(root, "auth"));
    check_has_methods(loading, root);
    load_identity(loading, yaml_member(root, "identity"));
    definition_load_evidence(loading, yaml_member(root, "evidence"));
    load_webhooks(loading, yaml_member(root, "webhooks"));
    load_schedule(loading, yaml_member(root, "schedule"));
    definition_load_xml(loading, yaml_member(root, "calls"));
}

static void keep_text(Loading *loading, const char *text, size_t size) {
    Definition *definition = loading->definition;
    char *copy = arena_alloc(loading->arena, size + 1, 1);
    memcpy(copy, text, size);
    definition->text = copy;
    definition->text_size = size;
    digest_sha256_hex(text, size, definition->sha256);
    definition->expr_count = loading->exprs->len;
    DefinitionExpr *exprs =
        arena_alloc(loading->arena, definition->expr_count, sizeof(DefinitionExpr));
    if (definition->expr_count > 0)
        memcpy(exprs, loading->exprs->data, definition->expr_count * sizeof(*exprs));
    definition->exprs = exprs;
}

Definition *definition_load(const char *name, const char *text, size_t size,
                            Diagnostics *diagnostics, GError **error) {
    g_autoptr(Diagnostics) own = diagnostics == NULL ? diagnostics_new(name) : NULL;
    Diagnostics *messages = diagnostics == NULL ? own : diagnostics;
    g_autoptr(YamlTree) tree = yaml_tree_parse(text, size, messages);
    if (!diagnostics_result(messages, error) || tree == NULL)
        return NULL;
    const YamlNode *root = yaml_tree_root(tree);
    Loading loading = {.arena = arena_new(), .diagnostics = messages};
    g_autoptr(Definition) definition = definition_new(loading.arena);
    g_autoptr(GArray) exprs = g_array_new(FALSE, FALSE, sizeof(DefinitionExpr));
    loading.definition = definition;
    loading.exprs = exprs;
    schema_check(&definition_grammar, root, messages);
    if (root->kind == YAML_KIND_MAP)
        load_parts(&loading, root);
    if (diagnostics_errors(messages) == 0)
        read_plan_check(definition, messages);
    if (!diagnostics_result(messages, error))
        return NULL;
    keep_text(&loading, text, size);
    return g_steal_pointer(&definition);
}
