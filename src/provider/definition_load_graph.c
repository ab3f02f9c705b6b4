#include "provider/definition_load_graph.h"

/* A node while it is read: as in the file, before the order is known. */
typedef struct {
    const YamlNode *name;
    const YamlNode *node;
    int parent; /* index in the file's order */
    int place;  /* index in the final order, -1 while not placed */
} Raw;

static int find_raw(const Raw *raws, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(raws[i].name->text, name) == 0)
            return (int)i;
    }
    return -1;
}

static bool resolve_parents(Loading *loading, Raw *raws, size_t count) {
    bool right = true;
    for (size_t i = 0; i < count; i++) {
        const YamlNode *parent = yaml_member(raws[i].node, "for");
        raws[i].parent = READ_NO_PARENT;
        if (parent == NULL || parent->text == NULL)
            continue;
        raws[i].parent = find_raw(raws, count, parent->text);
        if (raws[i].parent >= 0)
            continue;
        read_error(loading, parent, "there is no read '%s' to be done for", parent->text);
        right = false;
    }
    return right;
}

/* Puts parents before children, otherwise in the file's order. What is left over goes in circles.
 */
static bool order(Loading *loading, Raw *raws, size_t count) {
    int placed = 0;
    bool moved = true;
    while (moved && placed < (int)count) {
        moved = false;
        for (size_t i = 0; i < count; i++) {
            bool ready = raws[i].parent < 0 || raws[raws[i].parent].place >= 0;
            if (raws[i].place >= 0 || !ready)
                continue;
            raws[i].place = placed++;
            moved = true;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (raws[i].place < 0)
            read_error(loading, raws[i].name, "the read '%s' depends on itself through 'for'",
                       raws[i].name->text);
    }
    return placed == (int)count;
}

static bool check_roots(Loading *loading, const Raw *raws, size_t count) {
    const YamlNode *first = NULL;
    for (size_t i = 0; i < count; i++) {
        if (raws[i].parent >= 0)
            continue;
        if (first != NULL) {
            read_error(loading, raws[i].name,
                       "'%s' and '%s' both stand alone; several roots are not supported in this "
                       "version, say 'for: %s'",
                       first->text, raws[i].name->text, first->text);
            return false;
        }
        first = raws[i].name;
    }
    return true;
}

/* --- nodes ------------------------------------------------------------------------------------ */

/* What `where` of a node sees: settings, range, the nodes above and itself. */
static const ReadSlot *where_slot(Loading *loading, const EvidenceType *type,
                                  const ReadNode *node) {
    ReadSlot *slot = arena_alloc(loading->arena, 1, sizeof(*slot));
    const char **names = arena_alloc(loading->arena, READ_MAX_NODES + 3, sizeof(*names));
    size_t count = 0;
    names[count++] = "settings";
    names[count++] = "range";
    names[count++] = node->name;
    for (int above = node->parent; above >= 0; above = type->nodes[above].parent)
        names[count++] = type->nodes[above].name;
    slot->what = "where";
    slot->names = names;
    return slot;
}

static bool is_above(const EvidenceType *type, const ReadNode *node, const char *name) {
    for (int above = node->parent; above >= 0; above = type->nodes[above].parent) {
        if (strcmp(type->nodes[above].name, name) == 0)
            return true;
    }
    return false;
}

static void check_mentions(Loading *loading, const YamlNode *yaml, const EvidenceType *type,
                           const ReadNode *node) {
    for (size_t i = 0; i < node->call->mention_count; i++) {
        const char *name = node->call->mentions[i];
        if (!is_above(type, node, name))
            read_error(loading, yaml,
                       "the call '%s' looks at .%s, which is not above '%s' in the read graph",
                       node->call->name, name, node->name);
    }
}

static void load_mode(Loading *loading, const YamlNode *yaml, ReadNode *node) {
    const YamlNode *fold = yaml_member(yaml, "fold");
    node->collect = read_int(yaml, "collect", 0);
    if (fold != NULL && node->collect > 0)
        read_error(loading, fold, "a read is either collected or folded");
    if ((fold != NULL || node->collect > 0) && node->call != NULL && node->call->rows == NULL)
        read_error(loading, yaml, "the call '%s' has no rows to collect or fold", node->call->name);
    node->mode = fold != NULL ? READ_FOLD : node->collect > 0 ? READ_COLLECT : READ_ROWS;
    node->fold = read_summary(loading, fold, &read_slot_body);
    g_autoptr(GString) text = g_string_new(NULL);
    for (size_t i = 0; fold != NULL && fold->kind == YAML_KIND_MAP && i < fold->count; i++)
        g_string_append_printf(text, "%s: %s\n", fold->keys[i]->text,
                               fold->items[i]->text ? fold->items[i]->text : "");
    node->fold_text = fold == NULL ? NULL : arena_text(loading->arena, text->str);
    node->list = node->mode == READ_ROWS && node->call != NULL && node->call->rows != NULL;
}

static void load_call_of(Loading *loading, const YamlNode *yaml, ReadNode *node) {
    const YamlNode *call = yaml_member(yaml, "call");
    if (call == NULL || call->text == NULL)
        return;
    node->call = definition_call(loading->definition, call->text);
    if (node->call != NULL)
        return;
    const Definition *definition = loading->definition;
    const char **names = arena_alloc(loading->arena, definition->call_count + 1, sizeof(*names));
    for (size_t i = 0; i < definition->call_count; i++)
        names[i] = definition->calls[i].name;
    read_unknown(loading, call, "call", names);
}

static bool load_node(Loading *loading, const Raw *raws, const Raw *raw, EvidenceType *type,
                      ReadNode *node) {
    node->name = arena_text(loading->arena, raw->name->text);
    node->line = raw->name->line;
    node->parent = raw->parent < 0 ? READ_NO_PARENT : raws[raw->parent].place;
    if (strcmp(node->name, "settings") == 0 || strcmp(node->name, "range") == 0)
        read_error(loading, raw->name, "'%s' is the name of an input of every expression",
                   node->name);
    load_call_of(loading, raw->node, node);
    load_mode(loading, raw->node, node);
    const YamlNode *where = yaml_member(raw->node, "where");
    node->where_text = where == NULL ? NULL : arena_text(loading->arena, where->text);
    node->where = read_expr(loading, where, where_slot(loading, type, node));
    if (node->call == NULL)
        return false;
    check_mentions(loading, raw->name, type, node);
    if (node->parent >= 0 && type->nodes[node->parent].mode != READ_ROWS)
        read_error(loading, raw->name, "'%s' is collected or folded, it has no rows to read for",
                   type->nodes[node->parent].name);
    return true;
}

/* --- rows of evidence ------------------------------------------------------------------------- */

static int depth(const EvidenceType *type, int node) {
    int levels = 0;
    for (; node >= 0; node = type->nodes[node].parent)
        levels++;
    return levels;
}

static int list_depth(const EvidenceType *type, size_t node) {
    return type->nodes[node].list ? depth(type, (int)node) : 0;
}

/* The innermost list; without any list, the root. Two lists of the same depth need a word. */
static size_t default_row_of(Loading *loading, const YamlNode *node, const EvidenceType *type) {
    size_t best = 0;
    size_t equals = 0;
    for (size_t i = 0; i < type->node_count; i++) {
        if (list_depth(type, i) > list_depth(type, best))
            best = i;
    }
    for (size_t i = 0; i < type->node_count; i++)
        equals += list_depth(type, i) == list_depth(type, best) ? 1 : 0;
    if (equals > 1 && type->nodes[best].list)
        read_error(loading, node, "several reads give rows: say which with 'row_of'");
    return best;
}

static void load_row_of(Loading *loading, const YamlNode *node, EvidenceType *type) {
    const YamlNode *row_of = yaml_member(node, "row_of");
    if (row_of == NULL || row_of->text == NULL) {
        type->row_of = default_row_of(loading, node, type);
        return;
    }
    int index = evidence_type_node(type, row_of->text);
    if (index < 0)
        read_error(loading, row_of, "there is no read '%s'", row_of->text);
    else if (type->nodes[index].mode != READ_ROWS)
        read_error(loading, row_of, "'%s' is collected or folded, it gives no rows", row_of->text);
    else
        type->row_of = (size_t)index;
}

uint64_t definition_graph_chain(const EvidenceType *type) {
    uint64_t chain = 0;
    for (int node = (int)type->row_of; node >= 0; node = type->nodes[node].parent)
        chain |= UINT64_C(1) << node;
    return chain;
}

static void check_chain(Loading *loading, const YamlNode *read, const EvidenceType *type) {
    uint64_t chain = definition_graph_chain(type);
    for (size_t i = 0; i < type->node_count; i++) {
        bool beside = (chain >> i & 1) == 0 && type->nodes[i].list;
        if (beside)
            read_error(loading, yaml_member(read, type->nodes[i].name),
                       "the read '%s' would multiply the rows: collect or fold it",
                       type->nodes[i].name);
    }
}

static bool load_nodes(Loading *loading, const Raw *raws, size_t count, EvidenceType *type) {
    ReadNode *nodes = arena_alloc(loading->arena, count, sizeof(*nodes));
    type->nodes = nodes;
    type->node_count = count;
    bool right = true;
    for (size_t place = 0; place < count; place++) {
        for (size_t i = 0; i < count; i++) {
            if (raws[i].place == (int)place)
                right = load_node(loading, raws, &raws[i], type, &nodes[place]) && right;
        }
    }
    return right;
}

bool definition_load_graph(Loading *loading, const YamlNode *node, EvidenceType *type) {
    const YamlNode *read = yaml_member(node, "read");
    if (read == NULL || read->kind != YAML_KIND_MAP)
        return false;
    if (read->count == 0 || read->count > READ_MAX_NODES) {
        read_error(loading, read, "an evidence type has between 1 and %d reads", READ_MAX_NODES);
        return false;
    }
    g_autofree Raw *raws = g_new0(Raw, read->count);
    for (size_t i = 0; i < read->count; i++)
        raws[i] = (Raw){read->keys[i], read->items[i], READ_NO_PARENT, -1};
    if (!resolve_parents(loading, raws, read->count) || !order(loading, raws, read->count) ||
        !check_roots(loading, raws, read->count))
        return false;
    if (!load_nodes(loading, raws, read->count, type))
        return false;
    load_row_of(loading, node, type);
    check_chain(loading, read, type);
    return true;
}
