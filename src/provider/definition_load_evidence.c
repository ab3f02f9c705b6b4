#include "provider/definition_load_evidence.h"

#include "provider/definition_load_check.h"
#include "provider/definition_load_graph.h"

#define DEFAULT_VALID_FOR_MS (INT64_C(30) * 24 * 3600 * 1000)

static const ReadSlot *slot_new(Loading *loading, const char *what, const char **names) {
    ReadSlot *slot = arena_alloc(loading->arena, 1, sizeof(*slot));
    slot->what = what;
    slot->names = names;
    return slot;
}

/* --- fields and rows -------------------------------------------------------------------------- */

static void load_fields(Loading *loading, const YamlNode *fields, EvidenceType *type) {
    FieldSet *set = arena_take(loading->arena, field_set_new(), (GDestroyNotify)field_set_free);
    for (size_t i = 0; fields != NULL && fields->kind == YAML_KIND_MAP && i < fields->count; i++) {
        g_autoptr(GError) error = NULL;
        const YamlNode *node = fields->items[i];
        if (node->text == NULL || field_set_add(set, fields->keys[i]->text, node->text, &error))
            continue;
        read_error(loading, node, "%s", error->message);
        /* Known by name all the same, so that one mistake is reported once. */
        (void)!field_set_add(set, fields->keys[i]->text, "string", NULL);
    }
    type->fields = set;
}

static const ReadSlot *fields_slot(Loading *loading, const FieldSet *fields) {
    size_t count = field_set_count(fields);
    const char **names = arena_alloc(loading->arena, count + 1, sizeof(*names));
    for (size_t i = 0; i < count; i++)
        names[i] = field_set_name(fields, i);
    return slot_new(loading, "a row of this evidence", names);
}

static const ReadSlot *row_slot(Loading *loading, const EvidenceType *type) {
    const char **names = arena_alloc(loading->arena, type->node_count + 3, sizeof(*names));
    size_t count = 0;
    names[count++] = "settings";
    names[count++] = "range";
    for (size_t i = 0; i < type->node_count; i++)
        names[count++] = type->nodes[i].name;
    return slot_new(loading, "row", names);
}

static uint64_t nodes_of(const EvidenceType *type, const Expr *expr) {
    uint64_t nodes = 0;
    for (size_t i = 0; expr != NULL && i < type->node_count; i++) {
        if (expr_mentions(expr, type->nodes[i].name))
            nodes |= UINT64_C(1) << i;
    }
    return nodes;
}

static void load_row_map(Loading *loading, const YamlNode *row, const ReadSlot *slot,
                         EvidenceType *type) {
    RowField *fields = read_members(loading, row, sizeof(*fields), &type->row_field_count);
    for (size_t i = 0; i < row->count; i++) {
        const YamlNode *name = row->keys[i];
        fields[i].name = arena_text(loading->arena, name->text);
        fields[i].expr = read_expr(loading, row->items[i], slot);
        fields[i].nodes = nodes_of(type, fields[i].expr);
        type->row_nodes |= fields[i].nodes;
        if (!field_set_find(type->fields, name->text, NULL))
            read_unknown(loading, name, "declared field",
                         fields_slot(loading, type->fields)->names);
    }
    type->row_fields = fields;
    for (size_t i = 0; i < field_set_count(type->fields); i++) {
        const char *name = field_set_name(type->fields, i);
        if (yaml_member(row, name) == NULL)
            read_error(loading, row, "the field '%s' is declared, but the row does not give it",
                       name);
    }
}

static void load_row(Loading *loading, const YamlNode *row, EvidenceType *type) {
    const ReadSlot *slot = row_slot(loading, type);
    if (row != NULL && row->kind == YAML_KIND_MAP) {
        load_row_map(loading, row, slot, type);
        return;
    }
    type->row = read_expr(loading, row, slot);
    type->row_nodes = nodes_of(type, type->row);
}

/* --- summary and texts ------------------------------------------------------------------------ */

static void load_summary(Loading *loading, const YamlNode *summary, const ReadSlot *fields,
                         EvidenceType *type) {
    type->summary = read_summary(loading, summary, fields);
    if (type->summary == NULL)
        return;
    for (size_t i = 0; i < summary_plan_count(type->summary); i++) {
        const YamlNode *node = yaml_member(summary, summary_plan_name(type->summary, i));
        const Expr *where = summary_plan_where(type->summary, i);
        definition_check_order(loading, node, type->fields, where, NULL);
        if (!summary_plan_is_final(type->summary, i))
            definition_check_order(loading, node, type->fields, summary_plan_expr(type->summary, i),
                                   where);
        if (strcmp(summary_plan_name(type->summary, i), "details") == 0)
            read_error(loading, node, "'details' is where the rows are, choose another name");
    }
}

static void load_texts(Loading *loading, const YamlNode *node, EvidenceType *type) {
    size_t count = type->summary == NULL ? 0 : summary_plan_count(type->summary);
    const char **names = arena_alloc(loading->arena, count + 2, sizeof(*names));
    for (size_t i = 0; i < count; i++)
        names[i] = summary_plan_name(type->summary, i);
    names[count] = "settings";
    const ReadSlot *slot = slot_new(loading, "a text about the evidence", names);
    type->title = read_template(loading, yaml_member(node, "title"), TEMPLATE_TEXT, slot);
    type->description =
        read_template(loading, yaml_member(node, "description"), TEMPLATE_TEXT, slot);
}

/* Metadata say where the evidence is from, so they see what stands alone and has one value. */
static void load_metadata(Loading *loading, const YamlNode *node, EvidenceType *type) {
    size_t summary = type->summary == NULL ? 0 : summary_plan_count(type->summary);
    size_t room = summary + type->node_count + 2;
    const char **names = arena_alloc(loading->arena, room, sizeof(*names));
    size_t count = 0;
    names[count++] = "settings";
    for (size_t i = 0; i < summary; i++)
        names[count++] = summary_plan_name(type->summary, i);
    for (size_t i = 0; i < type->node_count; i++) {
        if (type->nodes[i].parent == READ_NO_PARENT && !type->nodes[i].list)
            names[count++] = type->nodes[i].name;
    }
    type->metadata = read_expr(loading, node, slot_new(loading, "metadata", names));
}

static void load_type(Loading *loading, const YamlNode *name, const YamlNode *node,
                      EvidenceType *type) {
    type->name = arena_text(loading->arena, name->text);
    type->line = name->line;
    type->type = read_text(loading, node, "type");
    type->valid_for_ms = read_duration(node, "valid_for", DEFAULT_VALID_FOR_MS);
    type->range_ms = read_duration(node, "range", 0);
    load_fields(loading, yaml_member(node, "fields"), type);
    const ReadSlot *fields = fields_slot(loading, type->fields);
    load_summary(loading, yaml_member(node, "summary"), fields, type);
    load_texts(loading, node, type);
    if (!definition_load_graph(loading, node, type))
        return;
    load_metadata(loading, yaml_member(node, "metadata"), type);
    load_row(loading, yaml_member(node, "row"), type);
    definition_load_checks(loading, yaml_member(node, "checks"), fields, type);
}

/* A check's name is part of a finding's key, so it belongs to one evidence type only. */
static void check_unique(Loading *loading, const YamlNode *evidence) {
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (size_t i = 0; i < evidence->count; i++) {
        const YamlNode *checks = yaml_member(evidence->items[i], "checks");
        for (size_t c = 0; checks != NULL && checks->kind == YAML_KIND_MAP && c < checks->count;
             c++) {
            if (!g_hash_table_add(seen, (void *)(uintptr_t)checks->keys[c]->text))
                read_error(loading, checks->keys[c],
                           "the check '%s' exists in another evidence type", checks->keys[c]->text);
        }
    }
}

void definition_load_evidence(Loading *loading, const YamlNode *evidence) {
    if (evidence == NULL || evidence->kind != YAML_KIND_MAP)
        return;
    EvidenceType *types =
        read_members(loading, evidence, sizeof(*types), &loading->definition->type_count);
    for (size_t i = 0; i < evidence->count; i++) {
        types[i].index = i;
        load_type(loading, evidence->keys[i], evidence->items[i], &types[i]);
    }
    loading->definition->types = types;
    check_unique(loading, evidence);
}
