#include "provider/definition_load_check.h"

#include "provider/definition_grammar.h"
#include "provider/definition_load_graph.h"

static bool guards(const Expr *expr, const char *path) {
    if (expr == NULL)
        return false;
    g_autofree char *present = g_strdup_printf("%s != null", path);
    g_autofree char *absent = g_strdup_printf("%s == null", path);
    return strstr(expr_source(expr), present) != NULL || strstr(expr_source(expr), absent) != NULL;
}

static bool is_nullable(const FieldSet *fields, const char *path) {
    g_autoptr(ValuePath) parsed = value_path_parse(path, NULL);
    if (parsed == NULL || value_path_count(parsed) == 0)
        return false;
    const char *name = value_path_step(parsed, 0, NULL);
    size_t index;
    return name != NULL && field_set_find(fields, name, &index) &&
           field_type_nullable(field_set_type(fields, index));
}

void definition_check_order(Loading *loading, const YamlNode *node, const FieldSet *fields,
                            const Expr *expr, const Expr *guard) {
    if (expr == NULL || fields == NULL)
        return;
    const char *const *paths = expr_order_compared(expr);
    for (size_t i = 0; paths[i] != NULL; i++) {
        if (is_nullable(fields, paths[i]) && !guards(expr, paths[i]) && !guards(guard, paths[i]))
            read_error(loading, node,
                       "%s may be null, and null is less than every number: compare it with null "
                       "first",
                       paths[i]);
    }
}

/* The reads that the fields named by an expression come from. */
static uint64_t nodes_of(const EvidenceType *type, const Expr *expr) {
    if (expr == NULL)
        return 0;
    if (type->row_fields == NULL || expr_reads_all(expr))
        return type->row_nodes;
    uint64_t nodes = 0;
    for (size_t i = 0; i < type->row_field_count; i++) {
        if (expr_mentions(expr, type->row_fields[i].name))
            nodes |= type->row_fields[i].nodes;
    }
    return nodes;
}

static uint64_t load_reads(Loading *loading, const YamlNode *reads, const EvidenceType *type) {
    uint64_t nodes = 0;
    for (size_t i = 0; reads->kind == YAML_KIND_LIST && i < reads->count; i++) {
        const char *name = reads->items[i]->text;
        int index = name == NULL ? -1 : evidence_type_node(type, name);
        if (index >= 0)
            nodes |= UINT64_C(1) << index;
        else if (name != NULL)
            read_error(loading, reads->items[i], "there is no read '%s'", name);
    }
    return nodes;
}

static void load_require(const YamlNode *node, DefinitionCheck *check) {
    const char *text = yaml_member_text(node, "require");
    check->require = REQUIRE_ALL;
    if (text == NULL || text[0] != '>')
        return;
    bool at_least = text[1] == '=';
    check->require = at_least ? REQUIRE_AT_LEAST : REQUIRE_MORE_THAN;
    check->require_percent = g_ascii_strtod(text + (at_least ? 2 : 1), NULL);
}

static void load_controls(Loading *loading, const YamlNode *node, DefinitionCheck *check) {
    CheckControls *controls = read_members(loading, node, sizeof(*controls), &check->control_count);
    for (size_t i = 0; i < check->control_count; i++) {
        controls[i].framework = arena_text(loading->arena, node->keys[i]->text);
        controls[i].controls = read_texts(loading, node->items[i], &controls[i].count);
    }
    check->controls = controls;
}

static void load_check(Loading *loading, const YamlNode *name, const YamlNode *node,
                       const ReadSlot *fields, const EvidenceType *type, DefinitionCheck *check) {
    check->name = arena_text(loading->arena, name->text);
    check->line = name->line;
    check->title = read_text(loading, node, "title");
    check->remediation = read_text(loading, node, "remediation");
    check->severity =
        (Severity)read_word(yaml_member(node, "severity"), definition_severity_words, 0);
    check->resource = read_expr(loading, yaml_member(node, "resource"), fields);
    check->applies = read_expr(loading, yaml_member(node, "applies"), fields);
    check->pass = read_expr(loading, yaml_member(node, "pass"), fields);
    load_require(node, check);
    load_controls(loading, yaml_member(node, "controls"), check);
    definition_check_order(loading, yaml_member(node, "pass"), type->fields, check->pass,
                           check->applies);
    definition_check_order(loading, yaml_member(node, "applies"), type->fields, check->applies,
                           NULL);
    const YamlNode *reads = yaml_member(node, "reads");
    check->nodes = reads != NULL ? load_reads(loading, reads, type)
                                 : nodes_of(type, check->pass) | nodes_of(type, check->applies) |
                                       nodes_of(type, check->resource);
    check->nodes |= definition_graph_chain(type);
}

void definition_load_checks(Loading *loading, const YamlNode *checks, const ReadSlot *fields,
                            EvidenceType *type) {
    if (checks == NULL || checks->kind != YAML_KIND_MAP)
        return;
    DefinitionCheck *array = read_members(loading, checks, sizeof(*array), &type->check_count);
    for (size_t i = 0; i < checks->count; i++)
        load_check(loading, checks->keys[i], checks->items[i], fields, type, &array[i]);
    type->checks = array;
}
