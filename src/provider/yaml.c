#include "provider/yaml.h"

#include "provider/arena.h"

#include <yaml.h>

/* Up to so many keys of a map are compared one by one. */
#define FEW_KEYS 12

/* Room for the levels that are open while the events are read. */
typedef struct {
    YamlNode *node;
    GPtrArray *keys; /* these two serve all maps and lists of a level */
    GPtrArray *items;
    const YamlNode *key; /* map: the key that waits for its value */
    GHashTable *seen;    /* map of many keys: keys so far */
} Level;

struct YamlTree {
    Arena *arena;
    size_t nodes;
    const YamlNode *root;
};

typedef struct {
    YamlTree *tree;
    Diagnostics *diagnostics;
    Level levels[YAML_MAX_DEPTH];
    size_t depth;
    unsigned line;
    unsigned column;
    bool failed;
    bool second_document;
} Builder;

static void *tree_alloc(YamlTree *tree, size_t size) {
    return arena_alloc(tree->arena, 1, size);
}

static void fail(Builder *builder, const char *reason) {
    if (!builder->failed)
        diagnostics_error(builder->diagnostics, builder->line, builder->column, "%s", reason);
    builder->failed = true;
}

static YamlNode *node_new(Builder *builder, YamlKind kind) {
    if (builder->tree->nodes >= YAML_MAX_NODES) {
        fail(builder, "the file has too many values, at most 20000 are allowed");
        return NULL;
    }
    builder->tree->nodes++;
    YamlNode *node = tree_alloc(builder->tree, sizeof(*node));
    node->kind = kind;
    node->line = builder->line;
    node->column = builder->column;
    return node;
}

static bool is_second(Level *level, const YamlNode *key) {
    GPtrArray *keys = level->keys;
    if (level->seen == NULL && keys->len < FEW_KEYS) {
        for (guint i = 0; i < keys->len; i++) {
            if (strcmp(((const YamlNode *)keys->pdata[i])->text, key->text) == 0)
                return true;
        }
        return false;
    }
    if (level->seen == NULL) {
        level->seen = g_hash_table_new(g_str_hash, g_str_equal);
        for (guint i = 0; i < keys->len; i++)
            g_hash_table_add(level->seen,
                             (void *)(uintptr_t)((const YamlNode *)keys->pdata[i])->text);
    }
    return !g_hash_table_add(level->seen, (void *)(uintptr_t)key->text);
}

/* Gives a finished or just opened node to its parent; a map's first of two is its key. */
static void attach(Builder *builder, const YamlNode *node) {
    if (builder->depth == 0) {
        builder->tree->root = node;
        return;
    }
    Level *level = &builder->levels[builder->depth - 1];
    if (level->node->kind == YAML_KIND_LIST) {
        g_ptr_array_add(level->items, (void *)(uintptr_t)node);
        return;
    }
    if (level->key != NULL) {
        g_ptr_array_add(level->keys, (void *)(uintptr_t)level->key);
        g_ptr_array_add(level->items, (void *)(uintptr_t)node);
        level->key = NULL;
        return;
    }
    if (node->kind != YAML_KIND_SCALAR)
        fail(builder, "a key must be a word, not a list or a map");
    else if (node->plain && strcmp(node->text, "<<") == 0)
        fail(builder, "merge keys are not allowed, write the members out");
    else if (is_second(level, node))
        fail(builder, "this key is given twice in the same map");
    level->key = node;
}

static void open_level(Builder *builder, YamlKind kind) {
    if (builder->depth == YAML_MAX_DEPTH) {
        fail(builder, "the file is nested too deeply, at most 32 levels are allowed");
        return;
    }
    YamlNode *node = node_new(builder, kind);
    if (node == NULL)
        return;
    attach(builder, node);
    Level *level = &builder->levels[builder->depth++];
    if (level->keys == NULL) {
        level->keys = g_ptr_array_new();
        level->items = g_ptr_array_new();
    }
    g_ptr_array_set_size(level->keys, 0);
    g_ptr_array_set_size(level->items, 0);
    level->node = node;
    level->key = NULL;
}

static const YamlNode **copy_pointers(YamlTree *tree, const GPtrArray *pointers) {
    const YamlNode **copy = tree_alloc(tree, pointers->len * sizeof(*copy));
    for (size_t i = 0; i < pointers->len; i++)
        copy[i] = g_ptr_array_index(pointers, i);
    return copy;
}

static void level_clear(Level *level) {
    g_clear_pointer(&level->keys, g_ptr_array_unref);
    g_clear_pointer(&level->items, g_ptr_array_unref);
    g_clear_pointer(&level->seen, g_hash_table_unref);
}

static void close_level(Builder *builder) {
    Level *level = &builder->levels[--builder->depth];
    g_return_if_fail(level->items != NULL && level->keys != NULL);
    level->node->count = level->items->len;
    level->node->items = copy_pointers(builder->tree, level->items);
    if (level->node->kind == YAML_KIND_MAP)
        level->node->keys = copy_pointers(builder->tree, level->keys);
    g_clear_pointer(&level->seen, g_hash_table_unref);
}

static void add_scalar(Builder *builder, const yaml_event_t *event) {
    YamlNode *node = node_new(builder, YAML_KIND_SCALAR);
    if (node == NULL)
        return;
    size_t length = event->data.scalar.length;
    char *text = tree_alloc(builder->tree, length + 1);
    memcpy(text, event->data.scalar.value, length);
    if (memchr(text, '\0', length) != NULL)
        fail(builder, "a text must not hold the character NUL");
    node->text = text;
    node->length = length;
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    attach(builder, node);
}

/* What every value may carry in YAML and must not carry here. */
static void refuse_decoration(Builder *builder, const yaml_char_t *anchor, const yaml_char_t *tag) {
    if (anchor != NULL)
        fail(builder, "anchors are not allowed, write the value out");
    else if (tag != NULL)
        fail(builder, "tags are not allowed");
}

static void take_event(Builder *builder, const yaml_event_t *event) {
    builder->line = (unsigned)event->start_mark.line + 1;
    builder->column = (unsigned)event->start_mark.column + 1;
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (builder->second_document)
            fail(builder, "only one document is allowed in a file");
        builder->second_document = true;
        break;
    case YAML_ALIAS_EVENT:
        fail(builder, "aliases are not allowed, write the value out");
        break;
    case YAML_SCALAR_EVENT:
        refuse_decoration(builder, event->data.scalar.anchor, event->data.scalar.tag);
        add_scalar(builder, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        refuse_decoration(builder, event->data.sequence_start.anchor,
                          event->data.sequence_start.tag);
        open_level(builder, YAML_KIND_LIST);
        break;
    case YAML_MAPPING_START_EVENT:
        refuse_decoration(builder, event->data.mapping_start.anchor, event->data.mapping_start.tag);
        open_level(builder, YAML_KIND_MAP);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        close_level(builder);
        break;
    default:
        break;
    }
}

static void report_syntax(Builder *builder, const yaml_parser_t *parser) {
    builder->line = (unsigned)parser->problem_mark.line + 1;
    builder->column = (unsigned)parser->problem_mark.column + 1;
    fail(builder, parser->problem != NULL ? parser->problem : "this is not YAML");
}

static void read_events(Builder *builder, yaml_parser_t *parser) {
    bool ended = false;
    while (!ended && !builder->failed) {
        yaml_event_t event;
        if (yaml_parser_parse(parser, &event) == 0) {
            report_syntax(builder, parser);
            return;
        }
        ended = event.type == YAML_STREAM_END_EVENT;
        take_event(builder, &event);
        yaml_event_delete(&event);
    }
}

static void parse_into(Builder *builder, const char *text, size_t size) {
    yaml_parser_t parser;
    if (yaml_parser_initialize(&parser) == 0) {
        fail(builder, "there is no memory to read the file");
        return;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    read_events(builder, &parser);
    yaml_parser_delete(&parser);
    for (size_t i = 0; i < YAML_MAX_DEPTH; i++)
        level_clear(&builder->levels[i]);
    if (builder->tree->root == NULL)
        fail(builder, "the file is empty");
}

YamlTree *yaml_tree_parse(const char *text, size_t size, Diagnostics *diagnostics) {
    if (size > YAML_MAX_SIZE) {
        diagnostics_error(diagnostics, 0, 0, "the file is larger than 1 MiB");
        return NULL;
    }
    YamlTree *tree = g_new0(YamlTree, 1);
    tree->arena = arena_new();
    Builder builder = {.tree = tree, .diagnostics = diagnostics, .line = 1, .column = 1};
    parse_into(&builder, text, size);
    if (builder.failed)
        g_clear_pointer(&tree, yaml_tree_free);
    return tree;
}

void yaml_tree_free(YamlTree *tree) {
    if (tree == NULL)
        return;
    arena_free(tree->arena);
    g_free(tree);
}

const YamlNode *yaml_tree_root(const YamlTree *tree) {
    return tree->root;
}

const char *yaml_kind_name(YamlKind kind) {
    static const char *const names[] = {"text", "a list", "a map"};
    return names[kind];
}

const YamlNode *yaml_member(const YamlNode *map, const char *key) {
    if (map == NULL || map->kind != YAML_KIND_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->keys[i]->text, key) == 0)
            return map->items[i];
    }
    return NULL;
}

const char *yaml_member_text(const YamlNode *map, const char *key) {
    const YamlNode *node = yaml_member(map, key);
    return yaml_is_null(node) ? NULL : node->text;
}

bool yaml_is_null(const YamlNode *node) {
    if (node == NULL)
        return true;
    if (node->kind != YAML_KIND_SCALAR || !node->plain)
        return false;
    return node->length == 0 || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0;
}

bool yaml_bool(const YamlNode *node, bool *value_out) {
    if (node == NULL || node->kind != YAML_KIND_SCALAR || !node->plain)
        return false;
    bool yes = strcmp(node->text, "true") == 0;
    if (!yes && strcmp(node->text, "false") != 0)
        return false;
    *value_out = yes;
    return true;
}

bool yaml_int(const YamlNode *node, int64_t *value_out) {
    if (node == NULL || node->kind != YAML_KIND_SCALAR || !node->plain)
        return false;
    gint64 value = 0;
    if (!g_ascii_string_to_signed(node->text, 10, G_MININT64, G_MAXINT64, &value, NULL))
        return false;
    *value_out = value;
    return true;
}
