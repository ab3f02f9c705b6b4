/* yaml.h - YAML files as a bounded tree whose every node knows its line (libyaml inside).
 *
 * A YamlTree is parsed once and never changes; its nodes are borrowed from it. The format is
 * narrower than YAML 1.1 on purpose: one document, scalars as text, lists and maps with scalar
 * keys. Anchors, aliases, tags, merge keys, duplicate keys and several documents are refused, so
 * that a small file cannot become a large tree and no key is lost in silence.
 * Limits: YAML_MAX_SIZE bytes, YAML_MAX_DEPTH levels, YAML_MAX_NODES nodes.
 */
#pragma once

#include "provider/diagnostic.h"
#include <stddef.h>
#include <stdint.h>

#define YAML_MAX_SIZE (1024 * 1024)
#define YAML_MAX_DEPTH 32
#define YAML_MAX_NODES 20000

typedef enum { YAML_KIND_SCALAR, YAML_KIND_LIST, YAML_KIND_MAP } YamlKind;

/* One node. Read only. */
typedef struct YamlNode YamlNode;
struct YamlNode {
    YamlKind kind;
    unsigned line; /* from 1 */
    unsigned column;
    const char *text;       /* scalar: its text; otherwise NULL */
    size_t length;          /* of text */
    bool plain;             /* scalar written without quotes and not as a block */
    size_t count;           /* items of a list, members of a map */
    const YamlNode **keys;  /* map: scalar nodes, in the order of the file */
    const YamlNode **items; /* list: items; map: values, beside keys */
};

typedef struct YamlTree YamlTree;

/* Parses text; what is wrong is reported to diagnostics and NULL returned. The caller owns it. */
YamlTree *yaml_tree_parse(const char *text, size_t size, Diagnostics *diagnostics);
void yaml_tree_free(YamlTree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(YamlTree, yaml_tree_free)

/* The top node. Borrowed. */
const YamlNode *yaml_tree_root(const YamlTree *tree);

/* "text", "a list", "a map". Static storage. */
const char *yaml_kind_name(YamlKind kind);

/* The value under key, or NULL when absent or when map is NULL or no map. Borrowed. */
const YamlNode *yaml_member(const YamlNode *map, const char *key);

/* The text of a scalar member, or NULL when absent, no scalar, or a plain null. Borrowed. */
const char *yaml_member_text(const YamlNode *map, const char *key);

/* Whether the node is absent or a plain "null", "~" or empty scalar. */
bool yaml_is_null(const YamlNode *node);

/* Reads a plain "true" or "false"; false when the node is no such thing. */
bool yaml_bool(const YamlNode *node, bool *value_out);

/* Reads a whole number; false when the node is no such thing or out of range. */
bool yaml_int(const YamlNode *node, int64_t *value_out);
