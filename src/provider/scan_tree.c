#include "provider/scan_tree.h"

#include "base/error.h"
#include "provider/path.h"

static ScanNode *node_new(void) {
    ScanNode *node = g_new0(ScanNode, 1);
    node->children = g_array_new(FALSE, FALSE, sizeof(ScanChild));
    return node;
}

void scan_tree_free(ScanNode *node) {
    if (node == NULL)
        return;
    for (guint i = 0; i < node->children->len; i++) {
        ScanChild *child = &g_array_index(node->children, ScanChild, i);
        g_free(child->name);
        scan_tree_free(child->node);
    }
    g_array_free(node->children, TRUE);
    scan_tree_free(node->each);
    g_free(node);
}

static ScanNode *node_named(const ScanNode *node, const char *name, size_t length) {
    const ScanChild *child = (const ScanChild *)(const void *)node->children->data;
    for (guint i = 0; i < node->children->len; i++, child++) {
        if (child->length == length && memcmp(child->name, name, length) == 0)
            return child->node;
    }
    return NULL;
}

static ScanNode *node_add_child(ScanNode *node, const char *name, size_t length) {
    ScanNode *child = node_named(node, name, length);
    if (child != NULL)
        return child;
    ScanChild added = {.name = g_strndup(name, length), .length = length, .node = node_new()};
    g_array_append_val(node->children, added);
    node->marks |= scan_tree_mark(name, length);
    return added.node;
}

static void node_add_path(ScanNode *node, const Path *path, bool whole) {
    for (size_t i = 0; i < path->count; i++) {
        const PathStep *step = &path->steps[i];
        if (step->kind == PATH_NAME) {
            node = node_add_child(node, step->name, step->length);
            continue;
        }
        if (node->each == NULL)
            node->each = node_new();
        node = node->each;
    }
    node->whole = node->whole || whole;
}

static void node_merge(ScanNode *into, const ScanNode *from) {
    into->whole = into->whole || from->whole;
    if (from->each != NULL) {
        if (into->each == NULL)
            into->each = node_new();
        node_merge(into->each, from->each);
    }
    for (guint i = 0; i < from->children->len; i++) {
        const ScanChild *child = &g_array_index(from->children, ScanChild, i);
        node_merge(node_add_child(into, child->name, child->length), child->node);
    }
}

/* What holds for each member holds for the named ones too, so that one look-up finds all. */
static void node_spread_each(ScanNode *node) {
    if (node->each != NULL)
        node_spread_each(node->each);
    for (guint i = 0; i < node->children->len; i++) {
        ScanNode *child = g_array_index(node->children, ScanChild, i).node;
        if (node->each != NULL)
            node_merge(child, node->each);
        node_spread_each(child);
    }
}

/* Cuts "| type" off a keep path; whether it was there. */
static bool cut_type(char *text) {
    char *bar = strrchr(text, '|');
    if (bar == NULL || strcmp(g_strstrip(bar + 1), "type") != 0)
        return false;
    *bar = '\0';
    return true;
}

static bool add_keep(ScanNode *root, const char *text, GError **error) {
    g_autofree char *copy = g_strdup(text);
    bool type_only = cut_type(copy);
    g_autoptr(Path) path = path_parse(copy, true, error);
    if (path == NULL)
        return false;
    node_add_path(root, path, !type_only);
    return true;
}

static bool add_redact(ScanNode *root, const char *text, GError **error) {
    g_autoptr(Path) path = path_parse(text, true, error);
    if (path == NULL)
        return false;
    for (size_t i = 0; i < path->count; i++) {
        if (path->steps[i].kind == PATH_INDEX) {
            g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                        "\"%.80s\" redacts one item of a list; use [] for all of them.", text);
            return false;
        }
    }
    node_add_path(root, path, true);
    return true;
}

typedef bool (*AddPathFunc)(ScanNode *root, const char *text, GError **error);

ScanNode *scan_tree_new(const char *const *texts, ScanTreeKind kind, GError **error) {
    AddPathFunc add = kind == SCAN_TREE_REDACT ? add_redact : add_keep;
    ScanNode *root = node_new();
    for (size_t i = 0; texts[i] != NULL; i++) {
        if (!add(root, texts[i], error)) {
            scan_tree_free(root);
            return NULL;
        }
    }
    node_spread_each(root);
    return root;
}
