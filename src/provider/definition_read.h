/* definition_read.h - how the parts of a definition are read from YAML, for definition_load*.c.
 *
 * The grammar has been checked before, so readers expect the right kinds and take NULL or a node of
 * another kind as absent: what is wrong there was reported already. Everything read lives in the
 * arena of the definition.
 */
#pragma once

#include "provider/definition.h"
#include "provider/yaml.h"

typedef struct {
    Arena *arena;
    Definition *definition;
    Diagnostics *diagnostics;
    GArray *exprs; /* DefinitionExpr */
} Loading;

/* What the expressions of one slot may read: names at the top level. */
typedef struct {
    const char *what;         /* "a response rule", for messages */
    const char *const *names; /* ends in NULL; a NULL table allows every name */
} ReadSlot;

extern const ReadSlot read_slot_body; /* an answer or a row of it: every name */

/* Reports an error at the node. */
void read_error(Loading *loading, const YamlNode *node, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* A reported value that is not among the candidates: "what 'text' ...; did you mean". */
void read_unknown(Loading *loading, const YamlNode *node, const char *what,
                  const char *const *candidates);

/* The text under key, or NULL. */
const char *read_text(Loading *loading, const YamlNode *map, const char *key);
bool read_bool(const YamlNode *map, const char *key, bool fallback);
int64_t read_int(const YamlNode *map, const char *key, int64_t fallback);
int64_t read_duration(const YamlNode *map, const char *key, int64_t fallback);

/* The position of the text in words, or fallback. */
int read_word(const YamlNode *node, const char *const *words, int fallback);

/* The texts of a list, NULL-terminated; *count_out may be NULL. Never NULL. */
const char *const *read_texts(Loading *loading, const YamlNode *list, size_t *count_out);

/* An expression, or NULL when absent or wrong (then it was reported). */
const Expr *read_expr(Loading *loading, const YamlNode *node, const ReadSlot *slot);

/* A template. One that is written in double quotes within the text is taken without them. */
const Template *read_template(Loading *loading, const YamlNode *node, TemplateKind kind,
                              const ReadSlot *slot);
const NamedTemplate *read_templates(Loading *loading, const YamlNode *map, TemplateKind kind,
                                    const ReadSlot *slot, size_t *count_out);

/* Reducers. */
const SummaryPlan *read_summary(Loading *loading, const YamlNode *map, const ReadSlot *slot);

/* Zeroed structs of this size, one for each member of a map or item of a list; none when the node
 * is of another kind. */
void *read_members(Loading *loading, const YamlNode *map, size_t size, size_t *count_out);
void *read_items(Loading *loading, const YamlNode *list, size_t size, size_t *count_out);
