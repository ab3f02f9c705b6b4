#include "provider/native_call.h"

#include <string.h>

typedef const NativeNode *Node; /* NULL: not in the subset */

/* Builtins that jq itself defines by others. */
static const struct {
    const char *name;
    const char *text;
} definitions[] = {
    {"any", "any(.[]; .)"},
    {"all", "all(.[]; .)"},
    {"first", ".[0]"},
    {"last", ".[-1]"},
    {"values", "select(. != null)"},
    {"nulls", "select(type == \"null\")"},
    {"booleans", "select(type == \"boolean\")"},
    {"numbers", "select(type == \"number\")"},
    {"strings", "select(type == \"string\")"},
    {"arrays", "select(type == \"array\")"},
    {"objects", "select(type == \"object\")"},
    {"iterables", "select(type == \"array\"), select(type == \"object\")"},
    {"scalars", "select(. == null or . == true or . == false or type == \"number\""
                " or type == \"string\")"},
    {"to_entries", "[keys_unsorted[] as $k | {key: $k, value: .[$k]}]"},
};

const char *native_call_definition(const Token *name) {
    for (size_t i = 0; i < G_N_ELEMENTS(definitions); i++) {
        if (token_is(name, definitions[i].name))
            return definitions[i].text;
    }
    return NULL;
}

static Node make_input(NativeTree *tree) {
    return native_tree_add(tree, &(NativeNode){.kind = NODE_INPUT});
}

/* A function on the value of the argument, with `.` as its own argument. */
static Node apply(NativeTree *tree, const char *name, Node *arguments) {
    Node input = make_input(tree);
    return input == NULL ? NULL
                         : native_tree_call(tree, native_function_find(name, strlen(name), 1),
                                            arguments[0], input);
}

/* select(f), map(f): the argument is evaluated on other inputs than the call. */

static Node call_select(NativeTree *tree, Node *arguments) {
    NativeNode node = {
        .kind = NODE_IF,
        .a = arguments[0],
        .b = make_input(tree),
        .c = native_tree_add(tree, &(NativeNode){.kind = NODE_EMPTY}),
    };
    return node.b == NULL || node.c == NULL ? NULL : native_tree_add(tree, &node);
}

static Node make_each(NativeTree *tree) {
    Node input = make_input(tree);
    return input == NULL ? NULL
                         : native_tree_add(tree, &(NativeNode){.kind = NODE_EACH, .a = input});
}

static Node call_map(NativeTree *tree, Node *arguments) {
    Node inside = native_tree_pair(tree, NODE_PIPE, make_each(tree), arguments[0]);
    return inside == NULL ? NULL
                          : native_tree_add(tree, &(NativeNode){.kind = NODE_ARRAY, .a = inside});
}

static Node call_any(NativeTree *tree, Node *arguments) {
    return native_tree_pair(tree, NODE_ANY, make_each(tree), arguments[0]);
}

static Node call_all(NativeTree *tree, Node *arguments) {
    return native_tree_pair(tree, NODE_ALL, make_each(tree), arguments[0]);
}

static Node call_any_of(NativeTree *tree, Node *arguments) {
    return native_tree_pair(tree, NODE_ANY, arguments[0], arguments[1]);
}

static Node call_all_of(NativeTree *tree, Node *arguments) {
    return native_tree_pair(tree, NODE_ALL, arguments[0], arguments[1]);
}

static Node call_first(NativeTree *tree, Node *arguments) {
    return native_tree_add(tree, &(NativeNode){.kind = NODE_FIRST, .a = arguments[0]});
}

static Node call_last(NativeTree *tree, Node *arguments) {
    return native_tree_add(tree, &(NativeNode){.kind = NODE_LAST, .a = arguments[0]});
}

/* inside(x) is `. as $y | x | contains($y)`, in(x) the same with has. */

static Node call_inside(NativeTree *tree, Node *arguments) {
    return apply(tree, "contains", arguments);
}

static Node call_in(NativeTree *tree, Node *arguments) {
    return apply(tree, "has", arguments);
}

static const NativeConstant *text_of(const NativeTree *tree, Node node) {
    if (node->kind != NODE_LITERAL)
        return NULL;
    const NativeConstant *constant = &g_array_index(tree->constants, NativeConstant, node->place);
    return constant->kind == CONSTANT_TEXT ? constant : NULL;
}

static Node make_test(NativeTree *tree, Node pattern, bool fold) {
    const NativeConstant *text = text_of(tree, pattern);
    Literals *literals = text == NULL ? NULL : literals_new(text->text, text->length, fold);
    if (literals == NULL)
        return NULL;
    g_ptr_array_add(tree->patterns, literals);
    return native_tree_add(tree, &(NativeNode){.kind = NODE_TEST, .literals = literals});
}

static Node call_test(NativeTree *tree, Node *arguments) {
    return make_test(tree, arguments[0], false);
}

static Node call_test_with(NativeTree *tree, Node *arguments) {
    const NativeConstant *flags = text_of(tree, arguments[1]);
    bool fold = flags != NULL && strcmp(flags->text, "i") == 0;
    if (flags == NULL || (flags->length > 0 && !fold))
        return NULL;
    return make_test(tree, arguments[0], fold);
}

static const struct {
    const char *name;
    unsigned arguments;
    Node (*call)(NativeTree *tree, Node *arguments);
} calls[] = {
    {"select", 1, call_select}, {"map", 1, call_map},    {"any", 1, call_any},
    {"all", 1, call_all},       {"any", 2, call_any_of}, {"all", 2, call_all_of},
    {"first", 1, call_first},   {"last", 1, call_last},  {"inside", 1, call_inside},
    {"in", 1, call_in},         {"test", 1, call_test},  {"test", 2, call_test_with},
};

const NativeNode *native_call_make(NativeTree *tree, const Token *name,
                                   const NativeNode **arguments, unsigned count) {
    const NativeFunction *function = native_function_find(name->text, name->length, count);
    if (function != NULL)
        return native_tree_call(tree, function, NULL, count > 0 ? arguments[0] : NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
        if (calls[i].arguments == count && token_is(name, calls[i].name))
            return calls[i].call(tree, arguments);
    }
    return NULL;
}
