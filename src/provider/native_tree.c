#include "provider/native_tree.h"

#include <math.h>
#include <string.h>

static void clear_constant(void *data) {
    NativeConstant *constant = data;
    g_free(constant->text);
}

NativeTree *native_tree_new(void) {
    NativeTree *tree = g_new0(NativeTree, 1);
    tree->constants = g_array_new(FALSE, TRUE, sizeof(NativeConstant));
    g_array_set_clear_func(tree->constants, clear_constant);
    tree->nodes = g_ptr_array_new_with_free_func(g_free);
    tree->patterns = g_ptr_array_new_with_free_func((GDestroyNotify)literals_free);
    return tree;
}

void native_tree_free(NativeTree *tree) {
    if (tree == NULL)
        return;
    g_array_unref(tree->constants);
    g_ptr_array_unref(tree->nodes);
    g_ptr_array_unref(tree->patterns);
    g_free(tree);
}

static bool is_single(const NativeNode *node) {
    return node == NULL || node->single;
}

static bool all_single(const NativeNode *node) {
    for (size_t i = 0; i < node->count; i++) {
        if (!node->values[i]->single)
            return false;
    }
    return true;
}

/* Whether one value or an error comes out, whatever goes in. What gathers outputs is single even
 * where its parts are not. */
static bool gives_one(const NativeNode *node) {
    switch (node->kind) {
    case NODE_ARRAY:
    case NODE_LAST:
    case NODE_ANY:
    case NODE_ALL:
        return true;
    case NODE_COMMA:
    case NODE_EACH:
    case NODE_TRY:
    case NODE_EMPTY:
    case NODE_FIRST:
        return false;
    default:
        return !node->optional && is_single(node->a) && is_single(node->b) && is_single(node->c) &&
               all_single(node);
    }
}

const NativeNode *native_tree_add(NativeTree *tree, const NativeNode *node) {
    if (tree->nodes->len >= NATIVE_MAX_NODES)
        return NULL;
    NativeNode *copy = g_memdup2(node, sizeof *node);
    copy->single = gives_one(copy);
    return native_tree_keep(tree, copy);
}

const NativeNode *native_tree_pair(NativeTree *tree, NodeKind kind, const NativeNode *a,
                                   const NativeNode *b) {
    if (a == NULL || b == NULL)
        return NULL;
    return native_tree_add(tree, &(NativeNode){.kind = kind, .a = a, .b = b});
}

const NativeNode *native_tree_call(NativeTree *tree, const NativeFunction *function,
                                   const NativeNode *a, const NativeNode *b) {
    NativeNode node = {
        .kind = NODE_CALL,
        .function = function,
        .a = a,
        .b = b,
        .constant = a != NULL && b != NULL && a->constant && b->constant,
    };
    return native_tree_add(tree, &node);
}

void *native_tree_keep(NativeTree *tree, void *allocated) {
    g_ptr_array_add(tree->nodes, allocated);
    return allocated;
}

static bool same_constant(const NativeConstant *one, const NativeConstant *other) {
    return one->kind == other->kind && one->length == other->length &&
           one->number == other->number && signbit(one->number) == signbit(other->number) &&
           (one->length == 0 || memcmp(one->text, other->text, one->length) == 0);
}

size_t native_tree_constant(NativeTree *tree, const NativeConstant *constant) {
    for (guint i = 0; i < tree->constants->len; i++) {
        if (same_constant(&g_array_index(tree->constants, NativeConstant, i), constant)) {
            g_free(constant->text);
            return i;
        }
    }
    g_array_append_vals(tree->constants, constant, 1);
    return tree->constants->len - 1;
}
