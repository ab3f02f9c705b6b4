#include "provider/schema.h"

#include "base/clock.h"

bool schema_is_identifier(const YamlNode *node) {
    const char *text = node->text;
    if (!g_ascii_isalpha(text[0]) && text[0] != '_')
        return false;
    for (size_t i = 1; i < node->length; i++) {
        if (!g_ascii_isalnum(text[i]) && text[i] != '_')
            return false;
    }
    return true;
}

bool schema_is_name(const YamlNode *node) {
    return g_ascii_islower(node->text[0]) && schema_is_identifier(node);
}

bool schema_is_int(const YamlNode *node) {
    int64_t value;
    return yaml_int(node, &value);
}

bool schema_is_count(const YamlNode *node) {
    int64_t value;
    return yaml_int(node, &value) && value > 0;
}

bool schema_is_bool(const YamlNode *node) {
    bool value;
    return yaml_bool(node, &value);
}

bool schema_is_duration(const YamlNode *node) {
    int64_t value;
    return clock_parse_duration(node->text, &value) && value > 0;
}

bool schema_is_date(const YamlNode *node) {
    int64_t value;
    return clock_parse(node->text, &value);
}

bool schema_is_https(const YamlNode *node) {
    return g_str_has_prefix(node->text, "https://") && node->length > strlen("https://");
}

const SchemaType schema_text = {.kind = SCHEMA_TEXT, .expected = "text"};
const SchemaType schema_text_or_empty = {
    .kind = SCHEMA_TEXT, .expected = "text", .may_be_empty = true};
const SchemaType schema_name = {
    .kind = SCHEMA_TEXT, .expected = "a name in snake_case", .accepts = schema_is_name};
const SchemaType schema_bool = {
    .kind = SCHEMA_TEXT, .expected = "true or false", .accepts = schema_is_bool};
const SchemaType schema_int = {
    .kind = SCHEMA_TEXT, .expected = "a whole number", .accepts = schema_is_int};
const SchemaType schema_count = {
    .kind = SCHEMA_TEXT, .expected = "a whole number from 1", .accepts = schema_is_count};
const SchemaType schema_duration = {.kind = SCHEMA_TEXT,
                                    .expected = "a duration such as 30d, 4h or 60s",
                                    .accepts = schema_is_duration};
const SchemaType schema_date = {
    .kind = SCHEMA_TEXT, .expected = "a date such as 2026-11-20", .accepts = schema_is_date};
const SchemaType schema_https = {
    .kind = SCHEMA_TEXT, .expected = "an https:// URL", .accepts = schema_is_https};
const SchemaType schema_texts = {
    .kind = SCHEMA_LIST, .expected = "a list of texts", .items = &schema_text};
const SchemaType schema_names = {
    .kind = SCHEMA_LIST, .expected = "a list of names", .items = &schema_name};

/* What was found, for a message: the text itself when it is short. */
static char *found(const YamlNode *node) {
    if (yaml_is_null(node))
        return g_strdup("nothing");
    if (node->kind != YAML_KIND_SCALAR)
        return g_strdup(yaml_kind_name(node->kind));
    g_autofree char *start =
        g_utf8_substring(node->text, 0, MIN(40, g_utf8_strlen(node->text, -1)));
    return g_strdup_printf("'%s'", start);
}

/* Where a node stands: a key, or an item when there is none, of what is above; NULL: the file. It
 * is written out for messages only. */
typedef struct Path Path;
struct Path {
    const Path *above;
    const char *key;
    size_t item;
};

static void append_path(GString *out, const Path *path) {
    if (path == NULL)
        return;
    append_path(out, path->above);
    if (path->key == NULL)
        g_string_append_printf(out, "[%zu]", path->item);
    else
        g_string_append_printf(out, "%s%s", out->len > 0 ? "." : "", path->key);
}

/* Caller frees. */
static char *place(const Path *path) {
    GString *out = g_string_new(path == NULL ? "the file" : NULL);
    append_path(out, path);
    return g_string_free(out, FALSE);
}

static void report_expected(const YamlNode *node, const Path *path, const char *expected,
                            Diagnostics *diagnostics) {
    g_autofree char *where = place(path);
    g_autofree char *what = found(node);
    diagnostics_error(diagnostics, node->line, node->column, "%s: found %s, expected %s", where,
                      what, expected);
}

static void check(const SchemaType *type, const YamlNode *node, const Path *path,
                  Diagnostics *diagnostics);

static void check_text(const SchemaType *type, const YamlNode *node, const Path *path,
                       Diagnostics *diagnostics) {
    if (node->kind != YAML_KIND_SCALAR || (yaml_is_null(node) && !type->may_be_empty)) {
        report_expected(node, path, type->expected, diagnostics);
        return;
    }
    if (type->words != NULL && !g_strv_contains(type->words, node->text)) {
        g_autofree char *where = place(path);
        g_autofree char *words = g_strjoinv(", ", (char **)(uintptr_t)type->words);
        const char *nearest = diagnostics_nearest(node->text, type->words);
        diagnostics_error(diagnostics, node->line, node->column,
                          "%s: found '%s', expected one of %s%s%s%s", where, node->text, words,
                          nearest ? "; did you mean '" : "", nearest ? nearest : "",
                          nearest ? "'?" : "");
        return;
    }
    if (type->accepts != NULL && !type->accepts(node))
        report_expected(node, path, type->expected, diagnostics);
}

static void check_list(const SchemaType *type, const YamlNode *node, const Path *path,
                       Diagnostics *diagnostics) {
    if (node->kind != YAML_KIND_LIST) {
        report_expected(node, path, type->expected, diagnostics);
        return;
    }
    for (size_t i = 0; i < node->count; i++)
        check(type->items, node->items[i], &(Path){path, NULL, i}, diagnostics);
}

static const SchemaKey *find_key(const SchemaType *type, const char *name) {
    for (const SchemaKey *key = type->keys; key->name != NULL; key++) {
        if (strcmp(key->name, name) == 0)
            return key;
    }
    return NULL;
}

static void report_unknown(const SchemaType *type, const YamlNode *key, const Path *path,
                           Diagnostics *diagnostics) {
    g_autofree char *where = place(path);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (const SchemaKey *known = type->keys; known->name != NULL; known++)
        g_ptr_array_add(names, (void *)(uintptr_t)known->name);
    g_ptr_array_add(names, NULL);
    const char *const *candidates = (const char *const *)names->pdata;
    const char *nearest = diagnostics_nearest(key->text, candidates);
    if (nearest != NULL) {
        diagnostics_error(diagnostics, key->line, key->column,
                          "unknown key '%s' in %s; did you mean '%s'?", key->text, where, nearest);
        return;
    }
    g_autofree char *all = g_strjoinv(", ", (char **)names->pdata);
    diagnostics_error(diagnostics, key->line, key->column,
                      "unknown key '%s' in %s, expected one of %s", key->text, where, all);
}

static void check_required(const SchemaType *type, const YamlNode *node, const Path *path,
                           Diagnostics *diagnostics) {
    for (const SchemaKey *key = type->keys; key->name != NULL; key++) {
        if (key->presence != SCHEMA_REQUIRED || yaml_member(node, key->name) != NULL)
            continue;
        g_autofree char *where = place(path);
        diagnostics_error(diagnostics, node->line, node->column, "%s lacks the key '%s'", where,
                          key->name);
    }
}

static void check_map(const SchemaType *type, const YamlNode *node, const Path *path,
                      Diagnostics *diagnostics) {
    if (node->kind != YAML_KIND_MAP) {
        report_expected(node, path, type->expected, diagnostics);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        const YamlNode *name = node->keys[i];
        const SchemaKey *key = find_key(type, name->text);
        const Path member = {path, name->text, 0};
        if (key == NULL) {
            report_unknown(type, name, path, diagnostics);
        } else if (key->presence == SCHEMA_UNSUPPORTED) {
            g_autofree char *where = place(&member);
            diagnostics_error(diagnostics, name->line, name->column,
                              "%s is not supported in this version", where);
        } else {
            check(key->type, node->items[i], &member, diagnostics);
        }
    }
    check_required(type, node, path, diagnostics);
}

static void report_name(const YamlNode *name, const Path *path, Diagnostics *diagnostics) {
    g_autofree char *where = place(path);
    diagnostics_error(diagnostics, name->line, name->column,
                      "'%s' in %s is not a name: letters, digits and _ only", name->text, where);
}

static void check_map_of(const SchemaType *type, const YamlNode *node, const Path *path,
                         Diagnostics *diagnostics) {
    if (node->kind != YAML_KIND_MAP) {
        report_expected(node, path, type->expected, diagnostics);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        const YamlNode *name = node->keys[i];
        if (type->accepts != NULL && !type->accepts(name))
            report_name(name, path, diagnostics);
        check(type->items, node->items[i], &(Path){path, name->text, 0}, diagnostics);
    }
}

static bool fits_kind(const SchemaType *type, YamlKind kind) {
    static const YamlKind kinds[] = {
        [SCHEMA_TEXT] = YAML_KIND_SCALAR,
        [SCHEMA_LIST] = YAML_KIND_LIST,
        [SCHEMA_MAP] = YAML_KIND_MAP,
        [SCHEMA_MAP_OF] = YAML_KIND_MAP,
    };
    return kinds[type->kind] == kind;
}

static void check_either(const SchemaType *type, const YamlNode *node, const Path *path,
                         Diagnostics *diagnostics) {
    for (const SchemaType *const *one = type->either; *one != NULL; one++) {
        if (fits_kind(*one, node->kind)) {
            check(*one, node, path, diagnostics);
            return;
        }
    }
    report_expected(node, path, type->expected, diagnostics);
}

static void check(const SchemaType *type, const YamlNode *node, const Path *path,
                  Diagnostics *diagnostics) {
    static void (*const checks[])(const SchemaType *, const YamlNode *, const Path *,
                                  Diagnostics *) = {
        [SCHEMA_TEXT] = check_text,     [SCHEMA_LIST] = check_list,     [SCHEMA_MAP] = check_map,
        [SCHEMA_MAP_OF] = check_map_of, [SCHEMA_EITHER] = check_either,
    };
    checks[type->kind](type, node, path, diagnostics);
}

void schema_check(const SchemaType *type, const YamlNode *node, Diagnostics *diagnostics) {
    check(type, node, NULL, diagnostics);
}
