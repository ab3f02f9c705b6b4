/* schema.h - closed grammars for YAML files, as tables.
 *
 * A grammar is a tree of constant SchemaTypes. schema_check() walks a YAML tree along it and
 * reports every difference with line and column: unknown keys (with the nearest known one), missing
 * keys, values of the wrong kind, and keys that the grammar knows but this version does not
 * support. What passes may be read without further checks of kind.
 */
#pragma once

#include "provider/yaml.h"

typedef enum {
    SCHEMA_TEXT,   /* a scalar, restricted by `accepts` or `words` when given */
    SCHEMA_LIST,   /* a list of `items` */
    SCHEMA_MAP,    /* a map with these `keys` */
    SCHEMA_MAP_OF, /* a map from names (restricted by `accepts`) to `items` */
    SCHEMA_EITHER  /* the alternative whose YAML kind fits */
} SchemaKind;

typedef struct SchemaType SchemaType;

typedef enum { SCHEMA_OPTIONAL, SCHEMA_REQUIRED, SCHEMA_UNSUPPORTED } SchemaPresence;

typedef struct {
    const char *name;       /* NULL ends the table */
    const SchemaType *type; /* may be NULL when unsupported */
    SchemaPresence presence;
} SchemaKey;

struct SchemaType {
    SchemaKind kind;
    const char *expected;                  /* "a duration such as 4h"; for messages */
    bool (*accepts)(const YamlNode *node); /* TEXT: the scalar, MAP_OF: each key; may be NULL */
    const char *const *words;              /* TEXT: the only words allowed, ends in NULL */
    const SchemaKey *keys;
    const SchemaType *items;
    const SchemaType *const *either; /* ends in NULL */
    bool may_be_empty;               /* TEXT, LIST: whether nothing is allowed */
};

/* Checks the top node of a file. */
void schema_check(const SchemaType *type, const YamlNode *node, Diagnostics *diagnostics);

/* Common restrictions and types. */
bool schema_is_name(const YamlNode *node);       /* lower case letter, then letters, digits, _ */
bool schema_is_identifier(const YamlNode *node); /* letter or _, then letters, digits, _ */
bool schema_is_int(const YamlNode *node);
bool schema_is_count(const YamlNode *node); /* a whole number from 1 */
bool schema_is_bool(const YamlNode *node);
bool schema_is_duration(const YamlNode *node);
bool schema_is_date(const YamlNode *node);
bool schema_is_https(const YamlNode *node);
extern const SchemaType schema_text;
extern const SchemaType schema_text_or_empty;
extern const SchemaType schema_name;
extern const SchemaType schema_bool;
extern const SchemaType schema_int;
extern const SchemaType schema_count;
extern const SchemaType schema_duration;
extern const SchemaType schema_date;
extern const SchemaType schema_https;
extern const SchemaType schema_texts; /* a list of texts */
extern const SchemaType schema_names; /* a list of names */
