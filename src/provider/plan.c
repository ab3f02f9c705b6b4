#include "provider/plan.h"

/* A plan in the making, and the plan as it is handed out. */
typedef struct {
    ReadPlan plan; /* first: a ReadPlan is always one of these */
    Arena *arena;
    Definition *definition;
    GArray *nodes;    /* PlanNode, until they are copied */
    size_t **indexes; /* per type: plan index of each node */
    int **sources;    /* per type: plan index of the shared list of each node, or PLAN_NO_SOURCE */
} Holder;

static bool same_text(const char *a, const char *b) {
    return g_strcmp0(a, b) == 0;
}

static bool same_calls(const ReadNode *a, const ReadNode *b) {
    if (a->call != b->call || a->first_count != b->first_count)
        return false;
    for (size_t i = 0; i < a->first_count; i++) {
        if (a->first[i] != b->first[i])
            return false;
    }
    return true;
}

static bool same_shared(const ReadNode *a, const ReadNode *b) {
    return a->call == b->call && same_text(a->where_text, b->where_text) &&
           same_text(a->index_text, b->index_text);
}

static bool same_lookup(const ReadNode *a, const ReadNode *b) {
    return a->mode == b->mode && a->collect == b->collect &&
           same_text(expr_source(a->index_key), expr_source(b->index_key));
}

static bool same_read(const ReadNode *a, const ReadNode *b) {
    return same_calls(a, b) && a->mode == b->mode && a->collect == b->collect &&
           same_text(a->where_text, b->where_text) && same_text(a->fold_text, b->fold_text) &&
           same_text(a->each_text, b->each_text) && same_text(a->given_text, b->given_text);
}

static PlanNode *node_at(Holder *holder, size_t index) {
    return &g_array_index(holder->nodes, PlanNode, index);
}

static bool is_same(const PlanNode *a, const PlanNode *b) {
    if (a->parent != b->parent || a->source != b->source || a->shared != b->shared)
        return false;
    if (a->shared)
        return same_shared(a->node, b->node);
    return a->source != PLAN_NO_SOURCE ? same_lookup(a->node, b->node)
                                       : same_read(a->node, b->node);
}

/* The index of a node like this one, which is added when there is none; one use more. */
static size_t find_or_add(Holder *holder, PlanNode fresh) {
    size_t index = 0;
    while (index < holder->nodes->len && !is_same(node_at(holder, index), &fresh))
        index++;
    if (index == holder->nodes->len)
        g_array_append_val(holder->nodes, fresh);
    node_at(holder, index)->use_count++;
    return index;
}

static int placed(const size_t *indexes, int node) {
    return node < 0 ? READ_NO_PARENT : (int)indexes[node];
}

static void add_type(Holder *holder, size_t type_index) {
    const EvidenceType *type = holder->plan.types[type_index];
    size_t *indexes = arena_alloc(holder->arena, type->node_count, sizeof(*indexes));
    int *sources = arena_alloc(holder->arena, type->node_count, sizeof(*sources));
    holder->indexes[type_index] = indexes;
    holder->sources[type_index] = sources;
    for (size_t i = 0; i < type->node_count; i++) {
        const ReadNode *node = &type->nodes[i];
        PlanNode fresh = {.node = node, .source = PLAN_NO_SOURCE, .echo_of = PLAN_NO_SOURCE};
        if (node->index_on != NULL) {
            fresh.shared = true;
            fresh.parent = placed(indexes, node->index_per);
            fresh.source = (int)find_or_add(holder, fresh);
            fresh.shared = false;
        }
        sources[i] = fresh.source;
        fresh.parent = placed(indexes, node->parent);
        indexes[i] = find_or_add(holder, fresh);
    }
}

/* Whether the node does nothing but make its one call: what is polled, given or tried in turn goes
 * its own way. */
static bool makes_one_call(const PlanNode *node) {
    const ReadNode *read = node->node;
    return node->source == PLAN_NO_SOURCE && read->call != NULL && read->first_count == 0 &&
           read->each == NULL && read->given == NULL && read->call->poll == NULL;
}

static int leader_of(Holder *holder, size_t index) {
    const PlanNode *node = node_at(holder, index);
    for (size_t i = 0; i < index && makes_one_call(node); i++) {
        const PlanNode *other = node_at(holder, i);
        if (other->parent == node->parent && other->node->call == node->node->call &&
            other->echo_of == PLAN_NO_SOURCE && makes_one_call(other))
            return (int)i;
    }
    return PLAN_NO_SOURCE;
}

static void find_echoes(Holder *holder) {
    for (size_t i = 0; i < holder->nodes->len; i++)
        node_at(holder, i)->echo_of = leader_of(holder, i);
}

/* Two evidence types may give different reads the same name; paths are told apart by a number. */
static void make_paths_unique(Holder *holder) {
    for (size_t i = 0; i < holder->nodes->len; i++) {
        PlanNode *node = node_at(holder, i);
        const char *above = node->parent < 0 ? NULL : node_at(holder, (size_t)node->parent)->path;
        unsigned number = 1;
        for (size_t k = 0; k < i; k++) {
            const PlanNode *other = node_at(holder, k);
            number +=
                other->parent == node->parent && same_text(other->node->name, node->node->name) ? 1
                                                                                                : 0;
        }
        g_autoptr(GString) path = g_string_new(above);
        g_string_append_printf(path, "%s%s", above == NULL ? "" : "/", node->node->name);
        if (number > 1)
            g_string_append_printf(path, "~%u", number);
        node->path = arena_text(holder->arena, path->str);
    }
}

static void add_plan_use(PlanNode *node, size_t type, size_t index) {
    ((PlanUse *)(uintptr_t)node->uses)[node->use_count++] = (PlanUse){type, index};
}

static void fill_uses(Holder *holder) {
    for (size_t i = 0; i < holder->nodes->len; i++) {
        PlanNode *node = node_at(holder, i);
        node->uses = arena_alloc(holder->arena, node->use_count, sizeof(PlanUse));
        node->use_count = 0;
    }
    for (size_t t = 0; t < holder->plan.type_count; t++) {
        for (size_t n = 0; n < holder->plan.types[t]->node_count; n++) {
            int source = holder->sources[t][n];
            add_plan_use(node_at(holder, holder->indexes[t][n]), t, n);
            if (source != PLAN_NO_SOURCE)
                add_plan_use(node_at(holder, (size_t)source), t, n);
        }
    }
}

static void fill_children(Holder *holder) {
    for (size_t i = 0; i < holder->nodes->len; i++) {
        PlanNode *node = node_at(holder, i);
        size_t *children = arena_alloc(holder->arena, holder->nodes->len, sizeof(*children));
        for (size_t k = 0; k < holder->nodes->len; k++) {
            if (node_at(holder, k)->parent == (int)i)
                children[node->child_count++] = k;
        }
        node->children = children;
    }
}

/* --- what is read of an answer ---------------------------------------------------------------- */

/* Writes a path that begins at `base` as one that begins at the answer. */
static char *join_path(const char *base, const char *path) {
    if (strcmp(base, ".") == 0)
        return g_strdup(path);
    if (strcmp(path, ".") == 0)
        return g_strdup(base);
    bool bracket = path[1] == '[' || path[1] == ' ';
    return g_strconcat(base, path + (bracket ? 1 : 0), NULL);
}

static void add_joined(GPtrArray *keep, const char *base, const GPtrArray *paths) {
    for (size_t i = 0; i < paths->len; i++)
        g_ptr_array_add(keep, join_path(base, g_ptr_array_index(paths, i)));
}

/* Everything that an expression reads of its root. */
static void add_reads(const Expr *expr, const char *base, GPtrArray *keep) {
    if (expr == NULL)
        return;
    const char *const *reads = expr_reads(expr);
    for (size_t i = 0; reads[i] != NULL && !expr_reads_all(expr); i++)
        g_ptr_array_add(keep, join_path(base, reads[i]));
    if (expr_reads_all(expr))
        g_ptr_array_add(keep, g_strdup(base));
}

static void add_named(const Expr *expr, const char *name, GPtrArray *paths) {
    if (expr != NULL && expr_mentions(expr, name))
        expr_add_keep(expr, name, paths);
}

static void add_template(const Template *template, const char *name, GPtrArray *paths) {
    for (size_t i = 0; template != NULL && i < template_leaf_count(template); i++)
        add_named(template_leaf(template, i), name, paths);
}

static void add_call(const DefinitionCall *call, const char *name, GPtrArray *paths) {
    add_template(call->path, name, paths);
    add_template(call->host_prefix, name, paths);
    for (size_t i = 0; i < call->query_count; i++)
        add_template(call->query[i].value, name, paths);
    for (size_t i = 0; i < call->header_count; i++)
        add_template(call->headers[i].value, name, paths);
    for (size_t i = 0; i < call->param_count; i++)
        add_template(call->params[i].value, name, paths);
    add_named(call->json, name, paths);
    add_named(call->region, name, paths);
}

/* What another read looks at before it is made. */
static void add_node(const ReadNode *node, const char *name, GPtrArray *paths) {
    if (node->call != NULL)
        add_call(node->call, name, paths);
    for (size_t i = 0; i < node->first_count; i++)
        add_call(node->first[i], name, paths);
    add_named(node->each, name, paths);
    add_named(node->given, name, paths);
    add_named(node->index_key, name, paths);
}

/* What one type reads of the value that a node gives: a row, an array of rows. */
static void add_use(const EvidenceType *type, const ReadNode *node, GPtrArray *paths) {
    add_named(type->row, node->name, paths);
    add_named(type->metadata, node->name, paths);
    for (size_t i = 0; i < type->row_field_count; i++)
        add_named(type->row_fields[i].expr, node->name, paths);
    for (size_t i = 0; i < type->node_count; i++) {
        add_node(&type->nodes[i], node->name, paths);
        if (&type->nodes[i] != node)
            add_named(type->nodes[i].where, node->name, paths);
    }
}

static void add_fold(const SummaryPlan *fold, const char *items, GPtrArray *keep) {
    for (size_t i = 0; fold != NULL && i < summary_plan_count(fold); i++) {
        if (summary_plan_is_final(fold, i))
            continue;
        add_reads(summary_plan_expr(fold, i), items, keep);
        add_reads(summary_plan_where(fold, i), items, keep);
    }
}

/* Where the array of rows is, and where one row is, as paths of the answer. */
static char *items_path(const DefinitionCall *call) {
    return call->rows == NULL ? g_strdup(".")
                              : g_strconcat(value_path_text(call->rows), "[]", NULL);
}

/* What expressions read of the rows that this call gives to the node. */
static GPtrArray *reads_of(const Holder *holder, const PlanNode *plan_node,
                           const DefinitionCall *call) {
    GPtrArray *keep = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *items = items_path(call);
    for (size_t i = 0; i < plan_node->use_count; i++) {
        const EvidenceType *type = holder->plan.types[plan_node->uses[i].type];
        const ReadNode *used = &type->nodes[plan_node->uses[i].node];
        bool collected = used->mode == READ_COLLECT;
        g_autoptr(GPtrArray) row = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GPtrArray) value = g_ptr_array_new_with_free_func(g_free);
        add_named(used->where, used->name, row);
        add_joined(keep, items, row);
        if (used->mode != READ_FOLD)
            add_use(type, used, value);
        add_joined(keep, collected ? value_path_text(call->rows) : items, value);
        add_fold(used->fold, items, keep);
        add_reads(used->index_on, items, keep);
    }
    return keep;
}

static GPtrArray *explicit_of(const DefinitionCall *call) {
    GPtrArray *keep = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *items = items_path(call);
    for (size_t i = 0; call->keep[i] != NULL; i++)
        g_ptr_array_add(keep, join_path(items, call->keep[i]));
    return keep;
}

static void take_all(GPtrArray *to, GPtrArray *from) {
    for (guint i = 0; i < from->len; i++)
        g_ptr_array_add(to, g_strdup(g_ptr_array_index(from, i)));
    g_ptr_array_unref(from);
}

/* The paths that are kept of an answer to this node: its rows are always counted, cursors found. */
static void add_keep(const Holder *holder, const PlanNode *plan_node, const DefinitionCall *call,
                     GPtrArray *keep) {
    take_all(keep, call->keep != NULL ? explicit_of(call) : reads_of(holder, plan_node, call));
    g_autofree char *items = items_path(call);
    if (call->rows != NULL)
        g_ptr_array_add(keep, g_strconcat(items, " | type", NULL));
    if (call->poll != NULL)
        add_reads(call->poll->until, ".", keep);
    if (call->page != NULL) {
        add_reads(call->page->from, ".", keep);
        add_reads(call->page->until, ".", keep);
    }
}

static void add_redact(const DefinitionCall *call, GPtrArray *redact) {
    for (size_t i = 0; call->redact[i] != NULL; i++)
        g_ptr_array_add(redact, (void *)(uintptr_t)call->redact[i]);
}

static const DefinitionCall *call_at(const ReadNode *node, size_t index) {
    return index == 0 ? node->call : node->first[index - 1];
}

/* All calls of `first` share one plan: what is kept for any of them is kept of all. */
static ScanPlan *scan_of(const Holder *holder, const PlanNode *node, GError **error) {
    g_autoptr(GPtrArray) keep = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) redact = g_ptr_array_new();
    for (size_t i = 0; i <= node->node->first_count; i++) {
        add_keep(holder, node, call_at(node->node, i), keep);
        add_redact(call_at(node->node, i), redact);
    }
    for (size_t i = 0; i < holder->nodes->len; i++) {
        const PlanNode *echo = node_at((Holder *)(uintptr_t)holder, i);
        if (echo->echo_of >= 0 &&
            node_at((Holder *)(uintptr_t)holder, (size_t)echo->echo_of) == node)
            add_keep(holder, echo, echo->node->call, keep);
    }
    g_ptr_array_add(keep, NULL);
    g_ptr_array_add(redact, NULL);
    ScanPlan *scan = scan_plan_new((const char *const *)redact->pdata,
                                   (const char *const *)keep->pdata, NULL, error);
    if (scan == NULL)
        g_prefix_error(error, "read '%s': ", node->path);
    return scan;
}

/* Lookups and rows of an expression have no answer that could be scanned. */
static bool has_answer(const PlanNode *node) {
    return node->node->call != NULL && node->source == PLAN_NO_SOURCE;
}

static bool fill_scans(Holder *holder, GError **error) {
    for (size_t i = 0; i < holder->nodes->len; i++) {
        PlanNode *node = node_at(holder, i);
        if (!has_answer(node) || node->echo_of != PLAN_NO_SOURCE)
            continue;
        ScanPlan *scan = scan_of(holder, node, error);
        if (scan == NULL)
            return false;
        node->scan = arena_take(holder->arena, scan, (GDestroyNotify)scan_plan_free);
    }
    return true;
}

/* --- an explicit keep must not hide what is read ------------------------------------------------
 */

static bool covers(const GPtrArray *keep, const char *path) {
    for (size_t i = 0; i < keep->len; i++) {
        const char *kept = g_ptr_array_index(keep, i);
        size_t length = strlen(kept);
        if (strncmp(kept, path, length) == 0 && strchr(".[ ", path[length]) != NULL)
            return true;
    }
    return false;
}

static void check_keep(const Holder *holder, const PlanNode *node, const DefinitionCall *call,
                       Diagnostics *diagnostics) {
    g_autoptr(GPtrArray) reads = reads_of(holder, node, call);
    g_autoptr(GPtrArray) keep = explicit_of(call);
    g_autofree char *items = items_path(call);
    for (size_t i = 0; i < reads->len; i++) {
        const char *path = g_ptr_array_index(reads, i);
        bool whole = strcmp(path, items) == 0 || strlen(path) < strlen(items);
        if (!whole && !covers(keep, path))
            diagnostics_error(diagnostics, call->line, 1,
                              "the call '%s' does not keep %s, which the read '%s' looks at",
                              call->name, path, node->path);
    }
}

static void check_node(const Holder *holder, const PlanNode *node, Diagnostics *diagnostics) {
    for (size_t i = 0; has_answer(node) && i <= node->node->first_count; i++) {
        const DefinitionCall *call = call_at(node->node, i);
        if (call->keep != NULL)
            check_keep(holder, node, call, diagnostics);
    }
}

void read_plan_check(const Definition *definition, Diagnostics *diagnostics) {
    g_autofree const EvidenceType **types = g_new0(const EvidenceType *, definition->type_count);
    for (size_t i = 0; i < definition->type_count; i++)
        types[i] = &definition->types[i];
    g_autoptr(GError) error = NULL;
    g_autoptr(ReadPlan) plan = read_plan_new(definition, types, definition->type_count, &error);
    if (plan == NULL) {
        diagnostics_error(diagnostics, 0, 0, "%s", error->message);
        return;
    }
    for (size_t i = 0; i < plan->node_count; i++)
        check_node((const Holder *)plan, &plan->nodes[i], diagnostics);
}

/* --- life ------------------------------------------------------------------------------------- */

ReadPlan *read_plan_new(const Definition *definition, const EvidenceType *const *types,
                        size_t type_count, GError **error) {
    Holder *holder = g_new0(Holder, 1);
    g_autoptr(ReadPlan) plan = &holder->plan;
    holder->arena = arena_new();
    holder->definition = definition_ref(definition);
    holder->nodes = g_array_new(FALSE, FALSE, sizeof(PlanNode));
    holder->indexes = arena_alloc(holder->arena, type_count, sizeof(*holder->indexes));
    holder->sources = arena_alloc(holder->arena, type_count, sizeof(*holder->sources));
    const EvidenceType **copy = arena_alloc(holder->arena, type_count, sizeof(*copy));
    for (size_t t = 0; t < type_count; t++)
        copy[t] = types[t];
    plan->types = copy;
    plan->type_count = type_count;
    for (size_t t = 0; t < type_count; t++)
        add_type(holder, t);
    find_echoes(holder);
    make_paths_unique(holder);
    fill_uses(holder);
    fill_children(holder);
    if (!fill_scans(holder, error))
        return NULL;
    plan->nodes = (const PlanNode *)holder->nodes->data;
    plan->node_count = holder->nodes->len;
    return g_steal_pointer(&plan);
}

void read_plan_free(ReadPlan *plan) {
    Holder *holder = (Holder *)plan;
    if (holder == NULL)
        return;
    g_array_unref(holder->nodes);
    arena_free(holder->arena);
    definition_free(holder->definition);
    g_free(holder);
}

size_t read_plan_find(const ReadPlan *plan, size_t type, size_t node) {
    const Holder *holder = (const Holder *)plan;
    return holder->indexes[type][node];
}
