#include "provider/definition_read.h"

#include "base/clock.h"
#include <stdarg.h>

const ReadSlot read_slot_body = {"an answer", NULL};

void read_error(Loading *loading, const YamlNode *node, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    diagnostics_error(loading->diagnostics, node->line, node->column, "%s", message);
}

void read_unknown(Loading *loading, const YamlNode *node, const char *what,
                  const char *const *candidates) {
    const char *nearest = diagnostics_nearest(node->text, candidates);
    if (nearest != NULL) {
        read_error(loading, node, "there is no %s '%s'; did you mean '%s'?", what, node->text,
                   nearest);
        return;
    }
    g_autofree char *known = g_strjoinv(", ", (char **)(uintptr_t)candidates);
    read_error(loading, node, "there is no %s '%s', expected one of: %s", what, node->text, known);
}

const char *read_text(Loading *loading, const YamlNode *map, const char *key) {
    return arena_text(loading->arena, yaml_member_text(map, key));
}

bool read_bool(const YamlNode *map, const char *key, bool fallback) {
    bool value = fallback;
    return yaml_bool(yaml_member(map, key), &value) ? value : fallback;
}

int64_t read_int(const YamlNode *map, const char *key, int64_t fallback) {
    int64_t value = fallback;
    return yaml_int(yaml_member(map, key), &value) ? value : fallback;
}

int64_t read_duration(const YamlNode *map, const char *key, int64_t fallback) {
    const char *text = yaml_member_text(map, key);
    int64_t value = fallback;
    return text != NULL && clock_parse_duration(text, &value) ? value : fallback;
}

int read_word(const YamlNode *node, const char *const *words, int fallback) {
    if (node == NULL || node->text == NULL)
        return fallback;
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], node->text) == 0)
            return i;
    }
    return fallback;
}

const char *const *read_texts(Loading *loading, const YamlNode *list, size_t *count_out) {
    size_t room = list != NULL && list->kind == YAML_KIND_LIST ? list->count : 0;
    const char **texts = arena_alloc(loading->arena, room + 1, sizeof(*texts));
    size_t count = 0;
    for (size_t i = 0; i < room; i++) {
        if (list->items[i]->text != NULL)
            texts[count++] = arena_text(loading->arena, list->items[i]->text);
    }
    if (count_out != NULL)
        *count_out = count;
    return texts;
}

void *read_members(Loading *loading, const YamlNode *map, size_t size, size_t *count_out) {
    *count_out = map != NULL && map->kind == YAML_KIND_MAP ? map->count : 0;
    return arena_alloc(loading->arena, *count_out, size);
}

void *read_items(Loading *loading, const YamlNode *list, size_t size, size_t *count_out) {
    *count_out = list != NULL && list->kind == YAML_KIND_LIST ? list->count : 0;
    return arena_alloc(loading->arena, *count_out, size);
}

/* --- expressions ------------------------------------------------------------------------------ */

/* Names that the slot does not have, and constructs that hide a wrong answer. */
static void check_expr(Loading *loading, const YamlNode *node, const Expr *expr,
                       const ReadSlot *slot) {
    if (expr_has_alternative_true(expr))
        read_error(loading, node, "'// true' turns false into true; compare with null instead");
    if (slot->names == NULL)
        return;
    const char *const *names = expr_names(expr);
    for (size_t i = 0; names[i] != NULL; i++) {
        if (g_strv_contains(slot->names, names[i]))
            continue;
        const char *nearest = diagnostics_nearest(names[i], slot->names);
        g_autofree char *known = g_strjoinv(", .", (char **)(uintptr_t)slot->names);
        if (nearest != NULL)
            read_error(loading, node, "%s does not see .%s; did you mean .%s?", slot->what,
                       names[i], nearest);
        else
            read_error(loading, node, "%s does not see .%s, only .%s", slot->what, names[i], known);
    }
}

static void register_expr(Loading *loading, const YamlNode *node, const Expr *expr,
                          const ReadSlot *slot) {
    DefinitionExpr entry = {expr, node->line, node->column};
    g_array_append_val(loading->exprs, entry);
    check_expr(loading, node, expr, slot);
}

const Expr *read_expr(Loading *loading, const YamlNode *node, const ReadSlot *slot) {
    if (yaml_is_null(node) || node->kind != YAML_KIND_SCALAR)
        return NULL;
    g_autoptr(GError) error = NULL;
    Expr *expr = expr_parse(node->text, &error);
    if (expr == NULL) {
        read_error(loading, node, "%s", error->message);
        return NULL;
    }
    arena_take(loading->arena, expr, (GDestroyNotify)expr_free);
    register_expr(loading, node, expr, slot);
    return expr;
}

const Template *read_template(Loading *loading, const YamlNode *node, TemplateKind kind,
                              const ReadSlot *slot) {
    if (node == NULL || node->kind != YAML_KIND_SCALAR)
        return NULL;
    g_autofree char *text = g_strdup(node->text);
    if (node->length >= 2 && text[0] == '"' && text[node->length - 1] == '"') {
        text[node->length - 1] = '\0';
        memmove(text, text + 1, node->length - 1);
    }
    g_autoptr(GError) error = NULL;
    Template *template = template_parse(text, kind, &error);
    if (template == NULL) {
        read_error(loading, node, "%s", error->message);
        return NULL;
    }
    arena_take(loading->arena, template, (GDestroyNotify)template_free);
    for (size_t i = 0; i < template_leaf_count(template); i++)
        register_expr(loading, node, template_leaf(template, i), slot);
    return template;
}

const NamedTemplate *read_templates(Loading *loading, const YamlNode *map, TemplateKind kind,
                                    const ReadSlot *slot, size_t *count_out) {
    size_t room;
    NamedTemplate *templates = read_members(loading, map, sizeof(*templates), &room);
    size_t count = 0;
    for (size_t i = 0; i < room; i++) {
        const Template *value = read_template(loading, map->items[i], kind, slot);
        if (value == NULL)
            continue;
        templates[count].name = arena_text(loading->arena, map->keys[i]->text);
        templates[count++].value = value;
    }
    *count_out = count;
    return templates;
}

const SummaryPlan *read_summary(Loading *loading, const YamlNode *map, const ReadSlot *slot) {
    if (map == NULL || map->kind != YAML_KIND_MAP)
        return NULL;
    SummaryPlan *plan =
        arena_take(loading->arena, summary_plan_new(), (GDestroyNotify)summary_plan_free);
    for (size_t i = 0; i < map->count; i++) {
        g_autoptr(GError) error = NULL;
        const char *text = map->items[i]->text;
        if (text == NULL)
            continue;
        if (!summary_plan_add(plan, map->keys[i]->text, text, &error)) {
            read_error(loading, map->items[i], "%s", error->message);
            continue;
        }
        size_t index = summary_plan_count(plan) - 1;
        const ReadSlot *seen = summary_plan_is_final(plan, index) ? &read_slot_body : slot;
        if (summary_plan_expr(plan, index) != NULL)
            register_expr(loading, map->items[i], summary_plan_expr(plan, index), seen);
        if (summary_plan_where(plan, index) != NULL)
            register_expr(loading, map->items[i], summary_plan_where(plan, index), seen);
    }
    return plan;
}
