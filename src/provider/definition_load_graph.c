#include "provider/definition_load_graph.h"

/* A node while it is read: as in the file, before the order is known. */
typedef struct {
    const YamlNode *name;
    const YamlNode *node;
    int parent; /* index in the file's order */
    int per;    /* of `once_per`, likewise */
    int place;  /* index in the final order, -1 while not placed */
} Raw;

static int find_raw(const Raw *raws, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(raws[i].name->text, name) == 0)
            return (int)i;
    }
    return -1;
}

/* The index of the read that a member names, READ_NO_PARENT when it names none. False when there is
 * no such read. */
static bool resolve(Loading *loading, const Raw *raws, size_t count, const YamlNode *named,
                    int *index_out) {
    *index_out = READ_NO_PARENT;
    if (named == NULL || named->text == NULL)
        return true;
    *index_out = find_raw(raws, count, named->text);
    if (*index_out >= 0)
        return true;
    read_error(loading, named, "there is no read '%s' to be done for", named->text);
    return false;
}

static bool resolve_parents(Loading *loading, Raw *raws, size_t count) {
    bool right = true;
    for (size_t i = 0; i < count; i++) {
        const YamlNode *parent = yaml_member(raws[i].node, "for");
        const YamlNode *per = yaml_member(yaml_member(raws[i].node, "index"), "once_per");
        right = resolve(loading, raws, count, parent, &raws[i].parent) && right;
        right = resolve(loading, raws, count, per, &raws[i].per) && right;
    }
    return right;
}

static bool is_placed(const Raw *raws, int index) {
    return index < 0 || raws[index].place >= 0;
}

/* Puts parents before children, otherwise in the file's order. What is left over goes in circles.
 */
static bool order(Loading *loading, Raw *raws, size_t count) {
    int placed = 0;
    bool moved = true;
    while (moved && placed < (int)count) {
        moved = false;
        for (size_t i = 0; i < count; i++) {
            bool ready = is_placed(raws, raws[i].parent) && is_placed(raws, raws[i].per);
            if (raws[i].place >= 0 || !ready)
                continue;
            raws[i].place = placed++;
            moved = true;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (raws[i].place < 0)
            read_error(loading, raws[i].name,
                       "the read '%s' depends on itself through 'for' or 'once_per'",
                       raws[i].name->text);
    }
    return placed == (int)count;
}

/* --- nodes ------------------------------------------------------------------------------------ */

/* settings, range, the node at `above` and those above it, and one more name, which may be NULL. */
static const ReadSlot *slot_of(Loading *loading, const char *what, const EvidenceType *type,
                               int above, const char *own) {
    ReadSlot *slot = arena_alloc(loading->arena, 1, sizeof(*slot));
    const char **names = arena_alloc(loading->arena, READ_MAX_NODES + 4, sizeof(*names));
    size_t count = 0;
    names[count++] = "settings";
    names[count++] = "range";
    if (own != NULL)
        names[count++] = own;
    for (; above >= 0; above = type->nodes[above].parent)
        names[count++] = type->nodes[above].name;
    slot->what = what;
    slot->names = names;
    return slot;
}

/* The node below whose rows the call is made: an index is read once per row of another. */
static int read_below(const ReadNode *node) {
    return node->index_on != NULL ? node->index_per : node->parent;
}

static bool is_above(const EvidenceType *type, int above, const char *name) {
    for (; above >= 0; above = type->nodes[above].parent) {
        if (strcmp(type->nodes[above].name, name) == 0)
            return true;
    }
    return false;
}

static void check_mentions(Loading *loading, const YamlNode *yaml, const EvidenceType *type,
                           const ReadNode *node, const DefinitionCall *call) {
    for (size_t i = 0; i < call->mention_count; i++) {
        const char *name = call->mentions[i];
        if (!is_above(type, read_below(node), name))
            read_error(loading, yaml,
                       "the call '%s' looks at .%s, which is not above '%s' in the read graph",
                       call->name, name, node->name);
    }
}

static bool gives_list(const ReadNode *node) {
    return node->each != NULL || (node->call != NULL && node->call->rows != NULL);
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
    node->list = node->mode == READ_ROWS && node->index_on == NULL && gives_list(node);
}

static const DefinitionCall *find_call(Loading *loading, const YamlNode *named) {
    if (named == NULL || named->text == NULL)
        return NULL;
    const Definition *definition = loading->definition;
    const DefinitionCall *call = definition_call(definition, named->text);
    if (call != NULL)
        return call;
    const char **names = arena_alloc(loading->arena, definition->call_count + 1, sizeof(*names));
    for (size_t i = 0; i < definition->call_count; i++)
        names[i] = definition->calls[i].name;
    read_unknown(loading, named, "call", names);
    return NULL;
}

/* `first`: one call, and those that are tried while there is nothing. */
static void load_first(Loading *loading, const YamlNode *first, ReadNode *node) {
    const DefinitionCall **calls = arena_alloc(loading->arena, first->count, sizeof(*calls));
    size_t count = 0;
    for (size_t i = 0; first->kind == YAML_KIND_LIST && i < first->count; i++) {
        const DefinitionCall *call = find_call(loading, first->items[i]);
        if (call == NULL)
            return;
        if (count > 0 && (call->rows == NULL) != (calls[0]->rows == NULL))
            read_error(loading, first->items[i],
                       "all calls of 'first' give rows, or none: '%s' differs from '%s'",
                       call->name, calls[0]->name);
        calls[count++] = call;
    }
    if (count == 0)
        return;
    node->call = calls[0];
    node->first = calls + 1;
    node->first_count = count - 1;
}

/* Where the rows come from: exactly one of call, first, each. */
static void load_source(Loading *loading, const YamlNode *name, const YamlNode *yaml,
                        const EvidenceType *type, ReadNode *node) {
    const YamlNode *first = yaml_member(yaml, "first");
    const YamlNode *each = yaml_member(yaml, "each");
    const YamlNode *given = yaml_member(yaml, "given");
    const YamlNode *call = yaml_member(yaml, "call");
    int sources = (call != NULL) + (first != NULL) + (each != NULL);
    if (sources != 1)
        read_error(loading, name, "the read '%s' needs one of call, first and each", node->name);
    node->call = find_call(loading, call);
    if (first != NULL)
        load_first(loading, first, node);
    node->each = read_expr(loading, each, slot_of(loading, "each", type, node->parent, NULL));
    node->given = read_expr(loading, given, slot_of(loading, "given", type, node->parent, NULL));
    node->each_text = each == NULL ? NULL : arena_text(loading->arena, each->text);
    node->given_text = given == NULL ? NULL : arena_text(loading->arena, given->text);
    if (given != NULL && each != NULL)
        read_error(loading, given, "'given' stands beside a call, 'each' in place of one");
}

/* An index is read below a row above, below a root of one row, or once a run. */
static void check_per(Loading *loading, const YamlNode *yaml, const EvidenceType *type,
                      const ReadNode *node) {
    if (node->index_per < 0)
        return;
    const ReadNode *per = &type->nodes[node->index_per];
    bool one_row = per->parent < 0 && !per->list && per->mode == READ_ROWS;
    if (!is_above(type, node->parent, per->name) && !one_row)
        read_error(loading, yaml,
                   "'once_per' names a read above '%s', or one that stands alone and has one row",
                   node->name);
}

static void load_index(Loading *loading, const Raw *raws, const Raw *raw, const EvidenceType *type,
                       ReadNode *node) {
    const YamlNode *index = yaml_member(raw->node, "index");
    node->index_per = READ_NO_PARENT;
    if (index == NULL)
        return;
    node->index_per = raw->per < 0 ? READ_NO_PARENT : raws[raw->per].place;
    node->index_on = read_expr(loading, yaml_member(index, "on"), &read_slot_body);
    node->index_key = read_expr(loading, yaml_member(index, "key"),
                                slot_of(loading, "key", type, node->parent, NULL));
    node->index_text =
        node->index_on == NULL ? NULL : arena_text(loading->arena, expr_source(node->index_on));
    if (node->parent < 0)
        read_error(loading, index, "an index needs 'for': the read whose rows look something up");
    if (node->call == NULL || node->call->rows == NULL || node->first_count > 0)
        read_error(loading, index, "an index needs one call with rows");
    if (node->given != NULL || yaml_member(raw->node, "fold") != NULL)
        read_error(loading, index, "an index is neither given nor folded");
    check_per(loading, index, type, node);
}

static void load_where(Loading *loading, const YamlNode *where, const EvidenceType *type,
                       ReadNode *node) {
    node->where_text = where == NULL ? NULL : arena_text(loading->arena, where->text);
    node->where =
        read_expr(loading, where, slot_of(loading, "where", type, read_below(node), node->name));
}

static bool load_node(Loading *loading, const Raw *raws, const Raw *raw, EvidenceType *type,
                      ReadNode *node) {
    node->name = arena_text(loading->arena, raw->name->text);
    node->line = raw->name->line;
    node->parent = raw->parent < 0 ? READ_NO_PARENT : raws[raw->parent].place;
    if (strcmp(node->name, "settings") == 0 || strcmp(node->name, "range") == 0)
        read_error(loading, raw->name, "'%s' is the name of an input of every expression",
                   node->name);
    load_source(loading, raw->name, raw->node, type, node);
    load_index(loading, raws, raw, type, node);
    load_mode(loading, raw->node, node);
    load_where(loading, yaml_member(raw->node, "where"), type, node);
    if (node->call == NULL && node->each == NULL)
        return false;
    if (node->call != NULL)
        check_mentions(loading, raw->name, type, node, node->call);
    for (size_t i = 0; i < node->first_count; i++)
        check_mentions(loading, raw->name, type, node, node->first[i]);
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

/* The innermost list; without any list, the only root. Two of the same kind need a word. */
static size_t default_row_of(Loading *loading, const YamlNode *node, const EvidenceType *type) {
    size_t best = 0;
    size_t equals = 0;
    size_t roots = 0;
    for (size_t i = 0; i < type->node_count; i++) {
        if (list_depth(type, i) > list_depth(type, best))
            best = i;
    }
    for (size_t i = 0; i < type->node_count; i++)
        equals += list_depth(type, i) == list_depth(type, best) ? 1 : 0;
    for (size_t i = 0; i < type->node_count; i++)
        roots += type->nodes[i].parent < 0 ? 1 : 0;
    if (roots > 1 && !type->nodes[best].list)
        read_error(loading, node, "several reads stand alone: say which gives rows with 'row_of'");
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
        raws[i] = (Raw){read->keys[i], read->items[i], READ_NO_PARENT, READ_NO_PARENT, -1};
    if (!resolve_parents(loading, raws, read->count) || !order(loading, raws, read->count))
        return false;
    if (!load_nodes(loading, raws, read->count, type))
        return false;
    load_row_of(loading, node, type);
    check_chain(loading, read, type);
    return true;
}
