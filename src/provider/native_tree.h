/* native_tree.h - expressions of the native subset as trees.
 *
 * A tree is made by native_parse.h, never changes afterwards and may be shared between threads.
 * Nodes and texts are freed with it. What an evaluation changes (bound variables, texts as Values)
 * has a numbered place in the tree and lives in the evaluation.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "provider/literals.h"
#include "provider/native_function.h"

/* Most nodes of one tree: they bound the depth of an evaluation. */
#define NATIVE_MAX_NODES 1000

typedef enum {
    NODE_INPUT,       /* . */
    NODE_LITERAL,     /* constants[place] */
    NODE_SETTINGS,    /* $settings */
    NODE_NOW,         /* now, $now */
    NODE_VARIABLE,    /* slot[place] */
    NODE_STEP,        /* a[constants[place]]: a member or an item */
    NODE_INDEX,       /* a[b] */
    NODE_EACH,        /* a[] */
    NODE_PIPE,        /* a | b */
    NODE_COMMA,       /* a, b */
    NODE_AND,         /* a and b */
    NODE_OR,          /* a or b */
    NODE_ALTERNATIVE, /* a // b */
    NODE_IF,          /* if a then b else c end */
    NODE_TRY,         /* (a)? */
    NODE_BIND,        /* a as slot[place] | b */
    NODE_ARRAY,       /* [a] */
    NODE_OBJECT,      /* {members} */
    NODE_CALL,        /* function: a is its input, b its argument (NULL: none) */
    NODE_TEST,        /* a | test(literals) */
    NODE_EMPTY,       /* empty */
    NODE_FIRST,       /* first(a) */
    NODE_LAST,        /* last(a) */
    NODE_ANY,         /* any(a; b) */
    NODE_ALL,         /* all(a; b) */
    NODE_KINDS
} NodeKind;

typedef struct NativeNode NativeNode;

struct NativeNode {
    NodeKind kind;
    bool single;   /* always one value or an error */
    bool optional; /* NODE_STEP, NODE_INDEX, NODE_EACH: behind it stands a ? */
    bool constant; /* jq computes it while it compiles */
    size_t place;
    const NativeNode *a;
    const NativeNode *b;
    const NativeNode *c;
    const NativeFunction *function;
    const Literals *literals;
    const size_t *keys; /* NODE_OBJECT: constants, and beside them the values */
    const NativeNode *const *values;
    size_t count;
};

typedef enum {
    CONSTANT_NULL,
    CONSTANT_FALSE,
    CONSTANT_TRUE,
    CONSTANT_NUMBER,
    CONSTANT_TEXT
} NativeConstantKind;

typedef struct {
    NativeConstantKind kind;
    double number;
    char *text; /* owned by the tree */
    size_t length;
} NativeConstant;

typedef struct {
    const NativeNode *root;
    GArray *constants; /* NativeConstant */
    size_t slots;
    GPtrArray *nodes;    /* all of them, and their lists */
    GPtrArray *patterns; /* Literals * */
} NativeTree;

NativeTree *native_tree_new(void);
void native_tree_free(NativeTree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NativeTree, native_tree_free)

/* Adds a copy of the node, with `single` found out. NULL when there are too many. */
const NativeNode *native_tree_add(NativeTree *tree, const NativeNode *node);
/* A node of two parts; NULL when either is NULL. */
const NativeNode *native_tree_pair(NativeTree *tree, NodeKind kind, const NativeNode *a,
                                   const NativeNode *b);
/* A call: a is its input (NULL: `.`), b its argument (NULL: none). */
const NativeNode *native_tree_call(NativeTree *tree, const NativeFunction *function,
                                   const NativeNode *a, const NativeNode *b);
/* Memory that lives as long as the tree. */
void *native_tree_keep(NativeTree *tree, void *allocated);
/* The place of a constant; takes its text. */
size_t native_tree_constant(NativeTree *tree, const NativeConstant *constant);
